"""WaveGAN's networks for sounds (Donahue, McAuley, Puckette 2019, "Adversarial Audio Synthesis"), for any length.

Maps are [B, C, 1, t] in channels_last, so that in memory the channels of a point lie side by side, and so do those of
four points. A convolution of stride 4 is then one of stride 1 over points that are four in one, with a kernel of 7 in
place of 25; and a transposed one makes four in one. The result is the same; CPUs take half the time (bench/results.md).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ganutils.networks.condition import NOTHING, Condition
from ganutils.networks.conditioning import OfFeatures, OfLatents
from ganutils.networks.discriminator import Discriminator
from ganutils.networks.layers import leaky, norm_of
from ganutils.runs.config import Config

KERNEL, STRIDE = 25, 4
LAST_MAP = 16  # points at most
TAPS = 7  # of fours, in which a kernel lies
BEFORE, AFTER = 1, TAPS * STRIDE - KERNEL - 1  # zeros beside it there
LEAST = 1e-6  # factor that is worth a pass


class WaveGenerator(nn.Module):
    """From a map of at most 16 points up: transposed convolutions of kernel 25 and stride 4, ReLU, tanh at the end.

    Any length: what is four times too long is cut off at its end. The paper has no normalization before ReLU; with that
    of the batch far fewer steps are enough (bench/results.md).
    """

    def __init__(self, config: Config):
        super().__init__()
        self.lengths = map_lengths(config.shape[0])[::-1]  # smallest first
        self.channels = map_channels(config)[::-1]
        self.classes = OfLatents(config)
        self.stem = nn.Linear(self.classes.length, self.lengths[0] * self.channels[0])
        self.norms = nn.ModuleList(norm_of(config.norm_of_g, a) for a in self.channels[:-1])
        self.ups = nn.ModuleList(Upsample(a, b) for a, b in itertools.pairwise(self.channels))
        self.emphasis = config.emphasis

    def forward(self, z: Tensor, condition: Condition = NOTHING) -> Tensor:
        x = self.stem(self.classes.joined(z, condition))
        x = x.view(-1, 1, self.lengths[0], self.channels[0]).permute(0, 3, 1, 2)  # (B, C, 1, t)
        for norm, up, length in zip(self.norms, self.ups, self.lengths[1:], strict=True):
            x = up(F.relu(norm(x)))[:, :, :, :length]
        return torch.tanh(deemphasized(x.float().squeeze(2), self.emphasis))


class WaveDiscriminator(Discriminator):
    """The generator mirrored: convolutions of kernel 25 and stride 4, leaky ReLU, phase shuffle between them.

    Lengths are padded with zeros to a multiple of four, so that the maps have the generator's lengths.
    """

    def __init__(self, config: Config):
        super().__init__()
        channels = map_channels(config)
        self.emphasis = config.emphasis
        self.downs = nn.ModuleList(Downsample(a, b) for a, b in itertools.pairwise(channels))
        features = map_lengths(config.shape[0])[-1] * channels[-1]
        self.head = nn.Linear(features, 1)
        self.classes = OfFeatures(config, features)

    def layers(self, x: Tensor, condition: Condition = NOTHING) -> Iterator[Tensor]:
        """The output of each layer for sounds x [B, C, T]: maps [B, channels, 1, t], the longest first."""
        shifts = (None,) if condition.shifts is None else (None, *condition.shifts.unbind(1))
        x = emphasized(x, self.emphasis).unsqueeze(2).contiguous(memory_format=torch.channels_last)
        for down, shift in itertools.zip_longest(self.downs, shifts):
            x = leaky(down(x if shift is None else shuffled(x, shift)))
            yield x


class Downsample(nn.Conv1d):
    """Convolution of kernel 25 and stride 4: maps [B, C, 1, T] -> [B, D, 1, ceil(T / 4)]."""

    def __init__(self, channels: int, out_channels: int):
        super().__init__(channels, out_channels, KERNEL, STRIDE)

    def forward(self, x: Tensor) -> Tensor:
        x = F.pad(x, (0, -x.shape[3] % STRIDE)) if x.shape[3] % STRIDE else x
        x = x.permute(0, 2, 3, 1).unflatten(2, (-1, STRIDE)).flatten(3).permute(0, 3, 1, 2)  # (B, 4 * C, 1, t)
        weight = F.pad(self.weight, (BEFORE, AFTER)).unflatten(2, (TAPS, STRIDE))  # (D, C, 7, 4)
        weight = weight.permute(0, 3, 1, 2).flatten(1, 2).unsqueeze(2)
        return F.conv2d(x, weight, self.bias, padding=(0, TAPS // 2))


class Upsample(nn.ConvTranspose1d):
    """Transposed convolution of kernel 25 and stride 4: maps [B, D, 1, t] -> [B, C, 1, 4 * t]."""

    def __init__(self, channels: int, out_channels: int):
        super().__init__(channels, out_channels, KERNEL, STRIDE)

    def forward(self, x: Tensor, output_size: list[int] | None = None) -> Tensor:
        weight = F.pad(self.weight, (BEFORE, AFTER)).unflatten(2, (TAPS, STRIDE)).flip(2)  # (D, C, 7, 4)
        weight = weight.permute(3, 1, 0, 2).flatten(0, 1).unsqueeze(2)
        assert self.bias is not None
        x = F.conv2d(x, weight, self.bias.repeat(STRIDE), padding=(0, TAPS // 2))  # (B, 4 * C, 1, t)
        return x.permute(0, 2, 3, 1).unflatten(3, (STRIDE, -1)).flatten(2, 3).permute(0, 3, 1, 2)


def emphasized(x: Tensor, share: float) -> Tensor:
    """Sounds [B, C, T] with high frequencies louder: each number less a share of the one before it.

    Most sounds have little there, and a network would hear the rest first (Pascual et al. 2017, "SEGAN", section 4).
    """
    return x if not share else (x - share * _later(x, 1)) / (1 - share) ** 0.5


def deemphasized(x: Tensor, share: float) -> Tensor:
    """The inverse of `emphasized`: each number plus a share of the result before it, by passes of doubled reach."""
    if share:
        x, by = x * (1 - share) ** 0.5, 1
        while by < x.shape[2] and share**by > LEAST:
            x, by = x + share**by * _later(x, by), 2 * by
    return x


def _later(x: Tensor, by: int) -> Tensor:
    """Sounds [B, C, T] that begin `by` numbers later, after silence."""
    return F.pad(x, (by, -by))


def shuffled(x: Tensor, shift: Tensor) -> Tensor:
    """Maps [B, C, 1, t], each moved by its `shift` [B], reflected at the ends (section 3.3 of the paper).

    A shift is less than t points. On GPUs torch's gradient adds up in any order; the one here has the same bits always.
    """
    y: Tensor = _Shuffled.apply(x, shift)
    return y


class _Shuffled(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, shift: Tensor) -> Tensor:
        ctx.save_for_backward(shift)
        last = x.shape[3] - 1
        places = torch.arange(last + 1, device=x.device) + shift[:, None]
        return _gathered(x, last - (last - places.abs()).abs())

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        return _Unshuffled.apply(gradient, *ctx.saved_tensors), None


class _Unshuffled(torch.autograd.Function):
    """The adjoint of _Shuffled: a point has gone to one place and, near an end that reflects it, to another."""

    @staticmethod
    def forward(ctx: Any, y: Tensor, shift: Tensor) -> Tensor:
        ctx.save_for_backward(shift)
        last = y.shape[3] - 1
        points, shift = torch.arange(last + 1, device=y.device), shift[:, None]
        x = _gathered(y, (points - shift).clamp(0, last))
        for end in (slice(0, LAST_MAP + 1), slice(max(last - LAST_MAP, 0), last + 1)):
            near = points[end]
            ways = ((near, near >= 0), (-near, near > 0), (2 * last - near, near < last))
            x[:, :, :, end] = sum(_arrived(y, way - shift, is_one) for way, is_one in ways)
        return x

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        return _Shuffled.apply(gradient, *ctx.saved_tensors), None


def _arrived(y: Tensor, places: Tensor, is_one: Tensor) -> Tensor:
    """What lies at `places` [B, p] of maps, as far as there are such, and `is_one` [p]; else zeros."""
    is_inside = (places >= 0) & (places < y.shape[3]) & is_one
    return _gathered(y, places.clamp(0, y.shape[3] - 1)) * is_inside[:, None, None].to(y.dtype)


def _gathered(x: Tensor, places: Tensor) -> Tensor:
    """The points of maps [B, C, 1, t] that lie at `places` [B, p]: [B, C, 1, p]."""
    b, c, _, length = x.shape
    rows = places + torch.arange(b, device=x.device)[:, None] * length
    points = x.permute(0, 2, 3, 1).reshape(-1, c)
    return points.index_select(0, rows.flatten()).view(b, 1, -1, c).permute(0, 3, 1, 2)


def map_lengths(length: int) -> list[int]:
    """Lengths of the maps, from the sound down to at most 16 points, quartered each time (rounded up)."""
    lengths = [length]
    while lengths[-1] > LAST_MAP or len(lengths) == 1:
        lengths.append(-(-lengths[-1] // STRIDE))
    return lengths


def map_channels(config: Config) -> list[int]:
    """Channels of those maps: the sound's, then `width` doubling with each quartering."""
    count = len(map_lengths(config.shape[0])) - 1
    return [config.shape[1], *(config.width * 2**i for i in range(count))]


def shuffles(config: Config) -> int:
    """How many maps of D are shuffled: all between two convolutions."""
    return len(map_lengths(config.shape[0])) - 2


def wave_weights(module: nn.Module) -> None:
    """Weights as TensorFlow draws them for the paper's code (Glorot and Bengio 2010), zero for biases."""
    if isinstance(module, nn.Linear | nn.Conv1d | nn.ConvTranspose1d):
        nn.init.xavier_uniform_(module.weight)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
