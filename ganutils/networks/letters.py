"""Networks for texts of any length, all letters at once, without recurrence: those of Gulrajani et al. 2017, "Improved
Training of Wasserstein GANs" (its code's gan_language.py), and fully connected ones.

Maps are [B, C, 1, T] in channels_last, so that in memory the channels of a place lie side by side.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ganutils.networks.condition import NOTHING, Condition
from ganutils.networks.conditioning import OfFeatures, OfLatents
from ganutils.networks.discriminator import Discriminator
from ganutils.networks.layers import leaky, norm_of
from ganutils.runs.config import Config

KERNEL = 5
OPTIONS = 16  # of each of `choices`
SHARE = 0.3  # of what a block adds (the paper's code)


class LettersGenerator(nn.Module):
    """Two dense layers if `hidden` is given, with `choices` between them, a map of `width` channels at each place,
    `blocks`, a softmax over letters.

    Where it ends `straight`, training sees the likeliest letters, as texts have them, and the gradient of the softmax
    (Bengio et al. 2013, "Estimating or Propagating Gradients Through Stochastic Neurons", the straight-through
    estimator): a soft letter would tell D that it is none.
    """

    def __init__(self, config: Config):
        super().__init__()
        length, letters = config.shape
        self.places, self.is_straight = (length, config.width), config.ending == "straight"
        self.classes = OfLatents(config)
        size, layers = self.classes.length, list[nn.Module]()
        for kind in [Dense, Choices, Dense]:
            if units := config.choices * OPTIONS if kind is Choices else config.hidden:
                layers.append(kind(size, units, config.norm_of_g))
                size = units
        self.layers = nn.Sequential(*layers)
        self.stem = nn.Linear(size, length * config.width)
        self.norm = norm_of(config.norm_of_g, config.width)
        self.blocks = blocks_or_units(config)
        self.out = nn.Conv2d(config.width, letters, 1)

    def forward(self, z: Tensor, condition: Condition = NOTHING) -> Tensor:
        x = self.stem(self.layers(self.classes.joined(z, condition)))
        x = self.blocks(self.norm(x.view(-1, 1, *self.places).permute(0, 3, 1, 2)))  # (B, C, 1, T)
        chances = self.out(x).squeeze(2).float().softmax(1)  # (B, A, T)
        return likeliest(chances) if self.is_straight and self.training else chances


class LettersDiscriminator(Discriminator):
    """The generator mirrored: a convolution over the letters, `blocks`, two dense layers or none, a logit.

    Where no block sees five letters at once, the first convolution does.
    """

    def __init__(self, config: Config):
        super().__init__()
        length, letters = config.shape
        self.first = convolution(letters, config.width, 1 if config.blocks else KERNEL)
        self.blocks = blocks_or_units(config)
        features = length * config.width
        sizes = [features, *[config.hidden] * 2] if config.hidden else [features]
        self.dense = nn.ModuleList(nn.Linear(a, b) for a, b in itertools.pairwise(sizes))
        self.head = nn.Linear(sizes[-1], 1)
        self.classes = OfFeatures(config, sizes[-1])

    def layers(self, x: Tensor, condition: Condition = NOTHING) -> Iterator[Tensor]:
        """The output of each layer for texts x [B, A, T]: maps [B, channels, 1, T], or [B, units]."""
        x = self.first(x.unsqueeze(2).contiguous(memory_format=torch.channels_last))
        for block in self.blocks:
            x = block(x)
            yield x
        for dense in self.dense:
            x = leaky(dense(self.features(x)))
            yield x

    def features(self, last: Tensor) -> Tensor:
        return super().features(last) if last.dim() == 4 else last


class Dense(nn.Module):
    """A fully connected layer of leaky units, normalized over the batch where maps are."""

    def __init__(self, size: int, units: int, norm: str):
        super().__init__()
        self.linear, self.norm = nn.Linear(size, units), norm_of(norm if norm == "batch" else "none", units)

    def normed(self, x: Tensor) -> Tensor:
        y: Tensor = self.norm(self.linear(x)[:, :, None, None])
        return y.flatten(1)

    def forward(self, x: Tensor) -> Tensor:
        return leaky(self.normed(x))


class Choices(Dense):
    """Of each 16 units the largest is on, the others are off; the gradient is that of their softmax.

    A text is of words, which are chosen whole. Of continuous numbers, each letter would change at a point of its own,
    and between two words were neither.
    """

    def forward(self, x: Tensor) -> Tensor:
        chances = self.normed(x).unflatten(1, (-1, OPTIONS)).float().softmax(2)
        return (likeliest(chances, 2) * OPTIONS**0.5).flatten(1)


class Block(nn.Module):
    """x + 0.3 times two convolutions of kernel 5, a ReLU before each."""

    def __init__(self, channels: int):
        super().__init__()
        self.first, self.last = (convolution(channels, channels, KERNEL) for _ in range(2))

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = x + SHARE * self.last(F.relu(self.first(F.relu(x))))
        return y


def blocks_or_units(config: Config) -> nn.Sequential:
    """`blocks` of a network; without any, leaky units in their place."""
    blocks: list[nn.Module] = [Block(config.width) for _ in range(config.blocks)]
    return nn.Sequential(*(blocks or [nn.LeakyReLU(0.2)]))


def convolution(channels: int, out_channels: int, kernel: int) -> nn.Conv2d:
    """Of maps [B, C, 1, T], which stay as long."""
    return nn.Conv2d(channels, out_channels, (1, kernel), padding=(0, kernel // 2))


def likeliest(chances: Tensor, axis: int = 1) -> Tensor:
    """1 for the likeliest of `chances` along an axis, as of letters [B, A, T], 0 for the others; their gradient."""
    numbers = torch.arange(chances.shape[axis], device=chances.device)
    numbers = numbers.view(-1, *[1] * (chances.dim() - 1 - axis))
    ones = (chances.argmax(axis, keepdim=True) == numbers).to(chances.dtype)  # F.one_hot would wait for the device
    return ones + (chances - chances.detach())


def letters_weights(module: nn.Module) -> None:
    """Weights that keep the variance of what goes through (He et al. 2015, equation 10), zero for biases."""
    if isinstance(module, nn.Linear | nn.Conv2d):
        nn.init.kaiming_normal_(module.weight, 1.0 if isinstance(module, nn.Linear) else 0.2)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
