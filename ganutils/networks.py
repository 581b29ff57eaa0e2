"""Generators and discriminators. A generator maps latents [B, Z] to samples, a discriminator samples to logits [B].

Samples are float32: pictures [B, C, H, W] in -1..1 (in channels_last memory), points [B, D] in their own units.
"""

from __future__ import annotations

import itertools
import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ganutils.config import Config
from ganutils.randomness import stream


def construct(config: Config) -> tuple[nn.Module, nn.Module]:
    """The generator and the discriminator of `config`, with weights yet to be given."""
    generator, discriminator = ARCHS[config.arch]
    return generator(config), discriminator(config)


def build(config: Config) -> tuple[nn.Module, nn.Module]:
    """The same with weights drawn from the seed."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(int(stream(config.seed, "weights").integers(1 << 62)))
        generator, discriminator = construct(config)
        if config.arch == "dcgan":
            generator.apply(dcgan_weights)
            discriminator.apply(dcgan_weights)
    return generator, discriminator


class MLPGenerator(nn.Module):
    """Two hidden layers of `width` units; for pictures a tanh at the end (Goodfellow et al. 2014)."""

    def __init__(self, config: Config):
        super().__init__()
        self.shape = config.shape
        self.hidden1 = nn.Linear(config.z_dim, config.width)
        self.hidden2 = nn.Linear(config.width, config.width)
        self.out = nn.Linear(config.width, math.prod(config.shape))

    def forward(self, z: Tensor) -> Tensor:
        x = F.relu(self.hidden1(z))
        x = F.relu(self.hidden2(x))
        x = self.out(x)
        if len(self.shape) == 1:
            return x
        return torch.tanh(x).view(-1, *self.shape).permute(0, 3, 1, 2)  # (B, C, H, W)


class MLPDiscriminator(nn.Module):
    """Two hidden layers of `width` leaky units on the flattened sample."""

    def __init__(self, config: Config):
        super().__init__()
        self.hidden1 = nn.Linear(math.prod(config.shape), config.width)
        self.hidden2 = nn.Linear(config.width, config.width)
        self.head = nn.Linear(config.width, 1)

    def forward(self, x: Tensor) -> Tensor:
        if x.dim() == 4:
            x = x.permute(0, 2, 3, 1)  # (B, H, W, C): the order of the generator's output
        x = F.leaky_relu(self.hidden1(x.flatten(1)), 0.2)
        x = F.leaky_relu(self.hidden2(x), 0.2)
        return self.head(x).squeeze(1)


def map_sizes(height: int, width: int) -> list[tuple[int, int]]:
    """Sizes of the feature maps, from the picture down to at most 4 x 4, halved each time (odd sizes rounded up)."""
    sizes = [(height, width)]
    while max(sizes[-1]) > 4 or len(sizes) == 1:
        sizes.append(tuple((n + 1) // 2 for n in sizes[-1]))  # type: ignore[arg-type]
    return sizes


def map_channels(config: Config) -> list[int]:
    """Channels of those maps: the picture's, then `width` doubling with each halving, up to 8 times `width`."""
    count = len(map_sizes(*config.shape[:2])) - 1
    return [config.shape[2], *(config.width * min(2**i, 8) for i in range(count))]


class DCGANGenerator(nn.Module):
    """Transposed 4x4 convolutions of stride 2 from a 4x4 map up, batch norm, ReLU, tanh (Radford et al. 2016).

    Any size: where a map has an odd side, the last row or column of the doubled map is cut off.
    """

    def __init__(self, config: Config):
        super().__init__()
        self.sizes = map_sizes(*config.shape[:2])[::-1]  # smallest first
        self.channels = map_channels(config)[::-1]
        h, w = self.sizes[0]
        self.stem = nn.Linear(config.z_dim, h * w * self.channels[0], bias=False)
        pairs = list(itertools.pairwise(self.channels))
        self.norms = nn.ModuleList(nn.BatchNorm2d(a) for a, _ in pairs)
        last = len(pairs) - 1
        self.ups = nn.ModuleList(nn.ConvTranspose2d(a, b, 4, 2, 1, bias=i == last) for i, (a, b) in enumerate(pairs))

    def forward(self, z: Tensor) -> Tensor:
        h, w = self.sizes[0]
        x = self.stem(z).view(-1, h, w, self.channels[0]).permute(0, 3, 1, 2)  # (B, C, h, w)
        for norm, up, (h, w) in zip(self.norms, self.ups, self.sizes[1:], strict=True):
            x = up(F.relu(norm(x)))[:, :, :h, :w]
        return torch.tanh(x.float())


class DCGANDiscriminator(nn.Module):
    """4x4 convolutions of stride 2, leaky ReLU, batch norm on all but the first (Radford et al. 2016).

    Odd sides are padded by one, so that the maps have the generator's sizes.
    """

    def __init__(self, config: Config):
        super().__init__()
        sizes, channels = map_sizes(*config.shape[:2]), map_channels(config)
        self.pads = [(0, w % 2, 0, h % 2) for h, w in sizes[:-1]]
        pairs = list(itertools.pairwise(channels))
        self.downs = nn.ModuleList(nn.Conv2d(a, b, 4, 2, 1, bias=i == 0) for i, (a, b) in enumerate(pairs))
        self.norms = nn.ModuleList(nn.BatchNorm2d(b) if i else nn.Identity() for i, (_, b) in enumerate(pairs))
        self.head = nn.Linear(math.prod(sizes[-1]) * channels[-1], 1)

    def forward(self, x: Tensor) -> Tensor:
        for pad, down, norm in zip(self.pads, self.downs, self.norms, strict=True):
            x = F.leaky_relu(norm(down(F.pad(x, pad) if any(pad) else x)), 0.2)
        return self.head(x.permute(0, 2, 3, 1).flatten(1)).squeeze(1).float()


def dcgan_weights(module: nn.Module) -> None:
    """N(0, 0.02) for weights, N(1, 0.02) for the gains of batch norm, zero for biases (Radford et al. 2016)."""
    if isinstance(module, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
        nn.init.normal_(module.weight, 0.0, 0.02)
    elif isinstance(module, nn.BatchNorm2d):
        nn.init.normal_(module.weight, 1.0, 0.02)
    if isinstance(getattr(module, "bias", None), nn.Parameter):
        nn.init.zeros_(module.bias)  # type: ignore[arg-type]


ARCHS = {"mlp": (MLPGenerator, MLPDiscriminator), "dcgan": (DCGANGenerator, DCGANDiscriminator)}
