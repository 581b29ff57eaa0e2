"""The Quick, Draw! networks of Krohn, Beyleveld, Bassens 2019, "Deep Learning Illustrated", chapter 12."""

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
from ganutils.runs.config import Config


class KrohnGenerator(nn.Module):
    """From a map of a quarter of the size, doubled twice by repeating pixels; 5x5 convolutions throughout."""

    def __init__(self, config: Config):
        super().__init__()
        self.config = config
        h, w, c = config.shape
        self.map = ((h + 3) // 4, (w + 3) // 4)
        width = config.width
        self.classes = OfLatents(config)
        self.stem = nn.Linear(self.classes.length, math.prod(self.map) * width)
        self.norm = nn.BatchNorm1d(math.prod(self.map) * width)
        channels = [width, *(max(width // n, 1) for n in (2, 4, 8))]
        self.convs = nn.ModuleList(nn.ConvTranspose2d(a, b, 5, padding=2) for a, b in itertools.pairwise(channels))
        self.norms = nn.ModuleList(nn.BatchNorm2d(b) for b in channels[1:])
        self.out = nn.Conv2d(channels[-1], c, 5, padding=2)

    def forward(self, z: Tensor, condition: Condition = NOTHING) -> Tensor:
        h, w, _ = self.config.shape
        x = F.relu(self.norm(self.stem(self.classes.joined(z, condition))))
        x = x.view(-1, *self.map, self.config.width).permute(0, 3, 1, 2)  # (B, C, h, w)
        x = F.dropout(x, self.config.dropout, self.training)
        for i, (conv, norm) in enumerate(zip(self.convs, self.norms, strict=True)):
            x = F.interpolate(x, scale_factor=2) if i < 2 else x
            x = F.relu(norm(conv(x)))
        return torch.tanh(self.out(x).float())[:, :, :h, :w]


class KrohnDiscriminator(Discriminator):
    """Four 5x5 convolutions, three of them of stride 2, ReLU, dropout after each."""

    def __init__(self, config: Config):
        super().__init__()
        self.dropout = config.dropout
        channels = [config.shape[2], *(config.width * n for n in (1, 2, 4, 8))]
        self.convs = nn.ModuleList(
            nn.Conv2d(a, b, 5, 2 if i < 3 else 1, 2) for i, (a, b) in enumerate(itertools.pairwise(channels))
        )
        features = channels[-1] * math.prod((n + 7) // 8 for n in config.shape[:2])
        self.head = nn.Linear(features, 1)
        self.classes = OfFeatures(config, features)

    def layers(self, x: Tensor, condition: Condition = NOTHING) -> Iterator[Tensor]:
        for conv in self.convs:
            x = F.dropout(F.relu(conv(x)), self.dropout, self.training)
            yield x
