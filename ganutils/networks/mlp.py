"""Fully connected networks, for pictures or points."""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ganutils.networks.condition import NOTHING, Condition
from ganutils.networks.layers import ClassEmbedding
from ganutils.runs.config import Config


class MLPGenerator(nn.Module):
    """Two hidden layers of `width` units; a tanh at the end for pictures (Goodfellow et al. 2014)."""

    def __init__(self, config: Config):
        super().__init__()
        self.shape = config.shape
        self.classes = ClassEmbedding(config.classes, config.z_dim)
        self.hidden1 = nn.Linear(config.z_dim, config.width)
        self.hidden2 = nn.Linear(config.width, config.width)
        self.out = nn.Linear(config.width, math.prod(config.shape))

    def forward(self, z: Tensor, condition: Condition = NOTHING) -> Tensor:
        x = F.relu(self.hidden1(self.classes.added(z, condition.labels)))
        x = F.relu(self.hidden2(x))
        x = self.out(x)
        if len(self.shape) == 1:
            return x
        return torch.tanh(x).view(-1, *self.shape).permute(0, 3, 1, 2)  # (B, C, H, W)


class MLPDiscriminator(nn.Module):
    """Two hidden layers of `width` leaky units on the flattened sample, dropout after each (Goodfellow et al. 2014)."""

    def __init__(self, config: Config):
        super().__init__()
        self.dropout = config.dropout
        self.hidden1 = nn.Linear(math.prod(config.shape), config.width)
        self.hidden2 = nn.Linear(config.width, config.width)
        self.head = nn.Linear(config.width, 1)
        self.classes = ClassEmbedding(config.classes, config.width)

    def layers(self, x: Tensor) -> Iterator[Tensor]:
        """The output of each hidden layer for samples x: [B, width]."""
        if x.dim() == 4:
            x = x.permute(0, 2, 3, 1)  # (B, H, W, C): the order of the generator's output
        for hidden in (self.hidden1, self.hidden2):
            x = F.dropout(F.leaky_relu(hidden(x.flatten(1)), 0.2), self.dropout, self.training)
            yield x

    def forward(self, x: Tensor, condition: Condition = NOTHING) -> Tensor:
        *_, x = self.layers(x)
        return self.classes.projected(self.head(x).squeeze(1), x, condition.labels)
