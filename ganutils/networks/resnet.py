"""Residual networks without normalization, in the spirit of R3GAN (Huang et al. 2024), small enough for CPUs."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ganutils.networks.condition import NOTHING, Condition
from ganutils.networks.conditioning import OfFeatures, OfLatents
from ganutils.networks.discriminator import Discriminator
from ganutils.networks.layers import map_channels, map_sizes, resize
from ganutils.runs.config import Config


class ResidualBlock(nn.Module):
    """x + a bottleneck of 1x1, 3x3 in groups, 1x1, without normalization (Huang et al. 2024, R3GAN).

    Fix-up initialization (Zhang et al. 2019): the last layer starts at zero, the others scaled by depth^(-1/4), so
    that a deep stack starts as the identity.
    """

    def __init__(self, channels: int, depth: int):
        super().__init__()
        group = math.gcd(channels, 16)
        layers = [
            nn.Conv2d(channels, channels, 1),
            nn.Conv2d(channels, channels, 3, padding=1, groups=channels // group),
        ]
        for layer in layers:
            nn.init.kaiming_normal_(layer.weight, 0.2)
            with torch.no_grad():
                layer.weight.mul_(depth**-0.25)
            nn.init.zeros_(layer.bias)  # type: ignore[arg-type]
        self.inner = nn.Sequential(layers[0], nn.LeakyReLU(0.2), layers[1], nn.LeakyReLU(0.2))
        self.last = nn.Conv2d(channels, channels, 1, bias=False)
        nn.init.zeros_(self.last.weight)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.last(self.inner(x))


class ResNetGenerator(nn.Module):
    """From a 4x4 map up: at each size two residual blocks, then resize and change the channels; last a 1x1 layer."""

    def __init__(self, config: Config):
        super().__init__()
        self.sizes = map_sizes(*config.shape[:2])[::-1]
        self.channels = [*map_channels(config)[:0:-1], config.width]  # of each size; the last feeds the picture
        h, w = self.sizes[0]
        self.classes = OfLatents(config)
        self.stem = nn.Linear(self.classes.length, h * w * self.channels[0])
        self.turns = nn.ModuleList(nn.Conv2d(a, b, 1, bias=False) for a, b in itertools.pairwise(self.channels))
        depth = 2 * len(self.sizes)
        self.blocks = nn.ModuleList(
            nn.Sequential(ResidualBlock(c, depth), ResidualBlock(c, depth)) for c in self.channels
        )
        self.out = nn.Conv2d(config.width, config.shape[2], 1)

    def forward(self, z: Tensor, condition: Condition = NOTHING) -> Tensor:
        h, w = self.sizes[0]
        x = self.stem(self.classes.joined(z, condition)).view(-1, h, w, self.channels[0]).permute(0, 3, 1, 2)
        x = self.blocks[0](x)
        for turn, blocks, size in zip(self.turns, self.blocks[1:], self.sizes[1:], strict=True):
            x = resize(turn(x), size)
            x = blocks(x)
        return torch.tanh(self.out(x).float())


class ResNetDiscriminator(Discriminator):
    """The generator reversed: at each size two residual blocks, then change the channels and halve by averaging."""

    def __init__(self, config: Config):
        super().__init__()
        self.sizes = map_sizes(*config.shape[:2])
        channels = [config.width, *map_channels(config)[1:]]
        self.first = nn.Conv2d(config.shape[2], config.width, 1)
        depth = 2 * len(self.sizes)
        self.blocks = nn.ModuleList(nn.Sequential(ResidualBlock(c, depth), ResidualBlock(c, depth)) for c in channels)
        self.turns = nn.ModuleList(nn.Conv2d(a, b, 1, bias=False) for a, b in itertools.pairwise(channels))
        features = math.prod(self.sizes[-1]) * channels[-1]
        self.head = nn.Linear(features, 1)
        self.classes = OfFeatures(config, features)

    def layers(self, x: Tensor, condition: Condition = NOTHING) -> Iterator[Tensor]:
        """The output of the blocks of each size for pictures x: maps [B, channels, h, w], the largest first."""
        x = self.blocks[0](self.first(x))
        yield x
        for turn, blocks in zip(self.turns, self.blocks[1:], strict=True):
            x = F.avg_pool2d(turn(x), 2, ceil_mode=True, count_include_pad=False)
            x = blocks(x)
            yield x
