"""Deep convolutional networks (Radford, Metz, Chintala 2016), for any size."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ganutils.networks.layers import ClassEmbedding, Downsample, Upsample, map_channels, map_sizes
from ganutils.runs.config import Config


class DCGANGenerator(nn.Module):
    """Transposed 4x4 convolutions of stride 2 from a 4x4 map up, batch norm, ReLU, tanh (Radford et al. 2016).

    Any size: where a map has an odd side, the last row or column of the doubled map is cut off. `hidden` concatenates
    a dense layer to the latent; the first map is of both. (Chen et al. 2016, InfoGAN, appendix C, put one between.)
    """

    def __init__(self, config: Config):
        super().__init__()
        self.sizes = map_sizes(*config.shape[:2])[::-1]  # smallest first
        self.channels = map_channels(config)[::-1]
        h, w = self.sizes[0]
        self.classes = ClassEmbedding(config.classes, config.z_dim)
        # Normalized last, so that its mean is 0: otherwise all samples move alike at first, and G collapses for good.
        self.hidden = dense(config.z_dim, config.hidden, nn.LeakyReLU(0.2), nn.BatchNorm1d(config.hidden))
        self.stem = nn.Linear(config.z_dim + config.hidden, h * w * self.channels[0], bias=False)
        pairs = list(itertools.pairwise(self.channels))
        self.norms = nn.ModuleList(nn.BatchNorm2d(a) for a, _ in pairs)
        last = len(pairs) - 1
        self.ups = nn.ModuleList(Upsample(a, b, bias=i == last) for i, (a, b) in enumerate(pairs))

    def forward(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        h, w = self.sizes[0]
        x = self.stem(with_dense(self.hidden, self.classes.added(z, labels)))
        x = x.view(-1, h, w, self.channels[0]).permute(0, 3, 1, 2)  # (B, C, h, w)
        for norm, up, (h, w) in zip(self.norms, self.ups, self.sizes[1:], strict=True):
            x = up(F.relu(norm(x), inplace=True))[:, :, :h, :w]
        return torch.tanh(x.float())


class DCGANDiscriminator(nn.Module):
    """4x4 convolutions of stride 2, leaky ReLU, batch norm on all but the first (Radford et al. 2016).

    Odd sides are padded by one, so that the maps have the generator's sizes. `hidden` concatenates a dense layer, which
    sees the whole picture at once, to the last map; the logit is of both.
    """

    def __init__(self, config: Config):
        super().__init__()
        sizes, channels = map_sizes(*config.shape[:2]), map_channels(config)
        self.pads = [(0, w % 2, 0, h % 2) for h, w in sizes[:-1]]
        pairs = list(itertools.pairwise(channels))
        normed = [config.norm == "batch" and i > 0 for i in range(len(pairs))]
        self.downs = nn.ModuleList(Downsample(a, b, bias=not n) for (a, b), n in zip(pairs, normed, strict=True))
        self.norms = nn.ModuleList(
            nn.BatchNorm2d(b) if n else nn.Identity() for (_, b), n in zip(pairs, normed, strict=True)
        )
        features = math.prod(sizes[-1]) * channels[-1]
        is_normed = config.norm == "batch"
        norm = nn.BatchNorm1d(config.hidden) if is_normed else nn.Identity()
        self.hidden = dense(features, config.hidden, norm, nn.LeakyReLU(0.2, inplace=True), bias=not is_normed)
        features += config.hidden
        self.head = nn.Linear(features, 1)
        self.classes = ClassEmbedding(config.classes, features)

    def layers(self, x: Tensor) -> Iterator[Tensor]:
        """The output of each layer for pictures x: maps [B, channels, h, w], the largest first."""
        for pad, down, norm in zip(self.pads, self.downs, self.norms, strict=True):
            x = norm(down(F.pad(x, pad) if any(pad) else x))
            x = F.leaky_relu(x, 0.2, inplace=not x._is_view())  # in place, a view costs autograd three copies
            yield x

    def forward(self, x: Tensor, labels: Tensor | None = None) -> Tensor:
        *_, x = self.layers(x)
        features = with_dense(self.hidden, x.permute(0, 2, 3, 1).flatten(1))
        return self.classes.projected(self.head(features).squeeze(1), features, labels).float()


def dense(length: int, units: int, *rest: nn.Module, bias: bool = True) -> nn.Sequential:
    """A fully connected layer [B, length] -> [B, units] and the modules that follow it; empty without units."""
    return nn.Sequential(nn.Linear(length, units, bias), *rest) if units else nn.Sequential()


def with_dense(layer: nn.Sequential, x: Tensor) -> Tensor:
    """`x` [B, length] with the output of `layer` concatenated, if that is not empty."""
    return torch.cat([x, layer(x)], 1) if layer else x


def dcgan_weights(module: nn.Module) -> None:
    """N(0, 0.02) for weights, N(1, 0.02) for the gains of batch norm, zero for biases (Radford et al. 2016)."""
    if isinstance(module, nn.Linear | nn.Conv2d | nn.ConvTranspose2d | nn.Embedding):
        nn.init.normal_(module.weight, 0.0, 0.02)
    elif isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
        nn.init.normal_(module.weight, 1.0, 0.02)
    if isinstance(getattr(module, "bias", None), nn.Parameter):
        nn.init.zeros_(module.bias)  # type: ignore[arg-type]
