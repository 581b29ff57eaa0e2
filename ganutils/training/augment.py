"""Differentiable augmentation: D sees real and fake pictures after the same kind of random changes, so that it cannot
memorize a small set, and G does not learn the changes (Zhao et al. 2020, "Differentiable Augmentation for
Data-Efficient GAN Training"). It helps below about 10,000 pictures and hurts above 70,000.

Each augmentation is two functions: what it draws for images of a shape [B, C, H, W], as arrays [B, ...], and the
change by that, of images in -1..1, each differently. Gradients flow by gathers alone, so that they have the same bits
on every run on CUDA too.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ganutils.compute.distributed import ShardedGenerator

Shape = tuple[int, int, int, int]


class Augment(NamedTuple):
    draw: Callable[[ShardedGenerator, Shape], list[np.ndarray]]
    change: Callable[..., Tensor]


def steps(random: ShardedGenerator, shape: Shape) -> list[np.ndarray]:
    """How far down and right: up to an eighth of the side."""
    return [random.integers(-(n // 8), n // 8 + 1, (shape[0], 1)) for n in shape[2:]]


def translate(x: Tensor, dy: Tensor, dx: Tensor) -> Tensor:
    """Move, and fill with gray, the middle of the range (as in the paper)."""
    moved: Tensor = _Moved.apply(x, dy, dx)
    return moved


class _Moved(torch.autograd.Function):
    """y[b, c, i, j] = x[b, c, i + dy[b], j + dx[b]], 0 outside. Its adjoint is the way back."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, dy: Tensor, dx: Tensor) -> Tensor:
        ctx.save_for_backward(dy, dx)
        b, _, h, w = x.shape
        rows = (torch.arange(h, device=x.device) + dy).clamp(-1, h) + 1  # (B, H) into the padded picture
        columns = (torch.arange(w, device=x.device) + dx).clamp(-1, w) + 1
        padded = F.pad(x, (1, 1, 1, 1)).permute(0, 2, 3, 1)  # (B, H + 2, W + 2, C)
        pictures = torch.arange(b, device=x.device)[:, None, None]
        return padded[pictures, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        dy, dx = ctx.saved_tensors
        return _Moved.apply(gradient, -dy, -dx), None, None


def centers(random: ShardedGenerator, shape: Shape) -> list[np.ndarray]:
    return [random.integers(0, n, (shape[0], 1)) for n in shape[2:]]


def cutout(x: Tensor, y: Tensor, z: Tensor) -> Tensor:
    """Gray out a window of half the sides around a center, which may be anywhere."""
    h, w = x.shape[2:]
    rows = (torch.arange(h, device=x.device) - y + h // 4).div(max(h // 2, 1), rounding_mode="floor") == 0  # (B, H)
    columns = (torch.arange(w, device=x.device) - z + w // 4).div(max(w // 2, 1), rounding_mode="floor") == 0
    return x.masked_fill((rows[:, :, None] & columns[:, None, :])[:, None], 0.0)


def tints(random: ShardedGenerator, shape: Shape) -> list[np.ndarray]:
    return [random.random((shape[0], 3, 1, 1, 1), np.float32)]


def color(x: Tensor, shares: Tensor) -> Tensor:
    """Brightness by -0.5..0.5, saturation times 0..2, contrast times 0.5..1.5, as in the paper's code."""
    brightness, saturation, contrast = shares.unbind(1)
    x = x + (brightness - 0.5)
    mean = x.mean(dim=1, keepdim=True)
    x = mean + (x - mean) * (2 * saturation)
    mean = x.mean(dim=(1, 2, 3), keepdim=True)
    return mean + (x - mean) * (contrast + 0.5)


def sides(random: ShardedGenerator, shape: Shape) -> list[np.ndarray]:
    return [random.integers(0, 2, (shape[0], 1, 1, 1))]


def mirror(x: Tensor, swapped: Tensor) -> Tensor:
    """Swap left and right of every second picture, for data that are as likely that way round."""
    return torch.where(swapped.bool(), x.flip(-1), x)


AUGMENTS = {
    "translate": Augment(steps, translate),
    "cutout": Augment(centers, cutout),
    "color": Augment(tints, color),
    "mirror": Augment(sides, mirror),
}
