"""Deep convolutional networks (Radford, Metz, Chintala 2016), for any size."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ganutils.networks.condition import NOTHING, Condition
from ganutils.networks.conditioning import OfFeatures, OfLatents
from ganutils.networks.discriminator import Discriminator
from ganutils.networks.layers import (
    Downsample,
    InstanceNorm,
    Upsample,
    leaky,
    map_channels,
    map_sizes,
    norm_of,
    padded,
)
from ganutils.runs.config import Config


class DCGANGenerator(nn.Module):
    """Transposed 4x4 convolutions of stride 2 from a 4x4 map up, batch norm, ReLU, tanh (Radford et al. 2016).

    Any size: where a map has an odd side, the last row or column of the doubled map is cut off. `hidden` concatenates
    a dense layer to the latent; the first map is of both. (Chen et al. 2016, InfoGAN, appendix C, put one between.)
    With `blocks` the maps behind the first have so many each, and a 3x3 convolution paints the picture: a transposed
    one does not know what lies beside what it puts down, so strokes break and specks stay.
    """

    def __init__(self, config: Config):
        super().__init__()
        self.sizes = map_sizes(*config.shape[:2])[::-1]  # smallest first
        picture, *channels = map_channels(config)
        self.channels = [*channels[::-1], config.width if config.blocks else picture]
        h, w = self.sizes[0]
        self.classes = OfLatents(config)
        length = self.classes.length
        # Normalized last, so that its mean is 0: otherwise all samples move alike at first, and G collapses for good.
        self.hidden = dense(length, config.hidden, nn.LeakyReLU(0.2), nn.BatchNorm1d(config.hidden))
        self.stem = nn.Linear(length + config.hidden, h * w * self.channels[0], bias=False)
        pairs = list(itertools.pairwise(self.channels))
        self.norms = nn.ModuleList(nn.BatchNorm2d(a) for a, _ in pairs)
        last = len(pairs) - 1
        paints = not config.blocks
        self.ups = nn.ModuleList(Upsample(a, b, bias=paints and i == last) for i, (a, b) in enumerate(pairs))
        self.blocks = nn.ModuleList(
            nn.Sequential(*(Block(a) for _ in range(config.blocks if i else 0))) for i, (a, _) in enumerate(pairs)
        )
        self.painter = nn.Identity() if paints else painter(config.width, picture)

    def forward(self, z: Tensor, condition: Condition = NOTHING) -> Tensor:
        h, w = self.sizes[0]
        x = self.stem(with_dense(self.hidden, self.classes.joined(z, condition)))
        x = x.view(-1, h, w, self.channels[0]).permute(0, 3, 1, 2)  # (B, C, h, w)
        for norm, blocks, up, (h, w) in zip(self.norms, self.blocks, self.ups, self.sizes[1:], strict=True):
            x = up(blocks(F.relu(norm(x), inplace=True)))[:, :, :h, :w]
        return torch.tanh(self.painter(x).float())


class Block(nn.Module):
    """x + relu(norm(conv(x))), of maps [B, C, h, w]."""

    def __init__(self, channels: int):
        super().__init__()
        self.conv, self.norm = nn.Conv2d(channels, channels, 3, padding=1, bias=False), nn.BatchNorm2d(channels)

    def forward(self, x: Tensor) -> Tensor:
        return x + F.relu(self.norm(self.conv(x)), inplace=True)


def painter(channels: int, out_channels: int) -> nn.Sequential:
    """Pictures [B, D, h, w], not yet in -1..1, of maps [B, C, h, w]."""
    last = nn.Conv2d(channels, out_channels, 3, padding=1)
    return nn.Sequential(nn.BatchNorm2d(channels), nn.ReLU(inplace=True), last)


class DCGANDiscriminator(Discriminator):
    """4x4 convolutions of stride 2, leaky ReLU, a normalization on all but the first (Radford et al. 2016).

    Odd sides are padded by one, so that the maps have the generator's sizes. `hidden` concatenates a dense layer, which
    sees the whole picture at once, to the last map; the logit is of both. The first layer may see the inputs, too.
    """

    def __init__(self, config: Config):
        super().__init__()
        self.seen = SeenInputs(config)
        channels = [config.shape[2] + self.seen.channels, *map_channels(config)[1:]]
        self.downs, self.norms = strided(channels, config.norm)
        features = math.prod(map_sizes(*config.shape[:2])[-1]) * channels[-1]
        is_normed = config.norm == "batch"
        norm = nn.BatchNorm1d(config.hidden) if is_normed else nn.Identity()
        self.hidden = dense(features, config.hidden, norm, nn.LeakyReLU(0.2, inplace=True), bias=not is_normed)
        features += config.hidden
        self.head = nn.Linear(features, 1)
        self.classes = OfFeatures(config, features)

    def layers(self, x: Tensor, condition: Condition = NOTHING) -> Iterator[Tensor]:
        return halved(self.seen(x, condition), self.downs, self.norms)

    def features(self, last: Tensor) -> Tensor:
        return with_dense(self.hidden, super().features(last))


class SeenInputs(nn.Module):
    """Puts the inputs that pictures were made from beside them, if D is to see both; it has no parameters."""

    def __init__(self, config: Config):
        super().__init__()
        self.scale = config.scale
        self.channels = config.inputs[2] if config.inputs and config.sees == "pair" else 0

    def forward(self, x: Tensor, condition: Condition) -> Tensor:
        """Pictures [B, C, H, W] and their inputs as more channels: [B, C + c, H, W]."""
        if not self.channels:
            return x
        assert condition.inputs is not None
        inputs = condition.inputs.to(x.dtype)
        return torch.cat([x, inputs if self.scale == 1 else F.interpolate(inputs, scale_factor=self.scale)], 1)


def strided(channels: Sequence[int], norm: str) -> tuple[nn.ModuleList, nn.ModuleList]:
    """Convolutions that halve maps of `channels`, and the normalization after each; the first has none."""
    pairs = list(itertools.pairwise(channels))
    kinds = [norm if i else "none" for i in range(len(pairs))]
    downs = (Downsample(a, b, bias=kind == "none") for (a, b), kind in zip(pairs, kinds, strict=True))
    return nn.ModuleList(downs), nn.ModuleList(norm_of(kind, b) for (_, b), kind in zip(pairs, kinds, strict=True))


def halved(x: Tensor, downs: nn.ModuleList, norms: nn.ModuleList) -> Iterator[Tensor]:
    """What each of `strided` makes of maps x [B, C, h, w]."""
    for down, norm in zip(downs, norms, strict=True):
        x = leaky(norm(down(padded(x))))
        yield x


def dense(length: int, units: int, *rest: nn.Module, bias: bool = True) -> nn.Sequential:
    """A fully connected layer [B, length] -> [B, units] and the modules that follow it; empty without units."""
    return nn.Sequential(nn.Linear(length, units, bias), *rest) if units else nn.Sequential()


def with_dense(layer: nn.Sequential, x: Tensor) -> Tensor:
    """`x` [B, length] with the output of `layer` concatenated, if that is not empty."""
    return torch.cat([x, layer(x)], 1) if layer else x


def dcgan_weights(module: nn.Module) -> None:
    """N(0, 0.02) for weights, N(1, 0.02) for the gains of norms, zero for biases (Radford et al. 2016)."""
    if isinstance(module, nn.Linear | nn.Conv2d | nn.ConvTranspose2d | nn.Embedding):
        nn.init.normal_(module.weight, 0.0, 0.02)
    elif isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d | InstanceNorm):
        nn.init.normal_(module.weight, 1.0, 0.02)
    if isinstance(getattr(module, "bias", None), nn.Parameter):
        nn.init.zeros_(module.bias)  # type: ignore[arg-type]
