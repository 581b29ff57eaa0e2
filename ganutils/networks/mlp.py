"""Fully connected networks, for pictures or points."""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ganutils.networks.condition import NOTHING, Condition
from ganutils.networks.conditioning import OfFeatures, OfLatents
from ganutils.networks.discriminator import Discriminator
from ganutils.runs.config import Config


class MLPGenerator(nn.Module):
    """Two hidden layers of `width` units; a tanh at the end for pictures (Goodfellow et al. 2014)."""

    def __init__(self, config: Config):
        super().__init__()
        self.shape = config.shape
        self.classes = OfLatents(config)
        self.hidden1 = nn.Linear(self.classes.length, config.width)
        self.hidden2 = nn.Linear(config.width, config.width)
        self.out = nn.Linear(config.width, math.prod(config.shape))

    def forward(self, z: Tensor, condition: Condition = NOTHING) -> Tensor:
        x = F.relu(self.hidden1(self.classes.joined(z, condition)))
        x = F.relu(self.hidden2(x))
        x = self.out(x)
        if len(self.shape) == 1:
            return x
        return torch.tanh(x).view(-1, *self.shape).permute(0, 3, 1, 2)  # (B, C, H, W)


class MLPDiscriminator(Discriminator):
    """Two hidden layers of `width` leaky units on the flattened sample, dropout after each (Goodfellow et al. 2014)."""

    def __init__(self, config: Config):
        super().__init__()
        self.dropout = config.dropout
        self.hidden1 = nn.Linear(math.prod(config.shape), config.width)
        self.hidden2 = nn.Linear(config.width, config.width)
        self.head = nn.Linear(config.width, 1)
        self.classes = OfFeatures(config, config.width)

    def layers(self, x: Tensor, condition: Condition = NOTHING) -> Iterator[Tensor]:
        if x.dim() == 4:
            x = x.permute(0, 2, 3, 1)  # (B, H, W, C): the order of the generator's output
        for hidden in (self.hidden1, self.hidden2):
            x = F.dropout(F.leaky_relu(hidden(x.flatten(1)), 0.2), self.dropout, self.training)
            yield x

    def features(self, last: Tensor) -> Tensor:
        return last
