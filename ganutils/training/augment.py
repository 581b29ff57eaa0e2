"""Differentiable augmentation: D sees real and fake pictures after the same kind of random changes, so that it cannot
memorize a small set, and G does not learn the changes (Zhao et al. 2020, "Differentiable Augmentation for
Data-Efficient GAN Training"). It helps below about 10,000 pictures and hurts above 70,000.

Each function takes images [B, C, H, W] in -1..1 and a source of random numbers, and changes each picture differently.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ganutils.compute import devices
from ganutils.compute.distributed import ShardedGenerator


def translate(x: Tensor, random: ShardedGenerator) -> Tensor:
    """Move by up to an eighth of the side, and fill with gray, the middle of the range (as in the paper)."""
    b, _, h, w = x.shape
    dy, dx = (devices.send(random.integers(-(n // 8), n // 8 + 1, (b, 1)), x.device) for n in (h, w))
    rows = (torch.arange(h, device=x.device) + dy).clamp(-1, h) + 1  # (B, H) into the padded picture
    columns = (torch.arange(w, device=x.device) + dx).clamp(-1, w) + 1
    padded = F.pad(x, (1, 1, 1, 1)).permute(0, 2, 3, 1)  # (B, H + 2, W + 2, C)
    pictures = torch.arange(b, device=x.device)[:, None, None]
    return padded[pictures, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)


def cutout(x: Tensor, random: ShardedGenerator) -> Tensor:
    """Gray out a window of half the sides, its center anywhere."""
    b, _, h, w = x.shape
    y, z = (devices.send(random.integers(0, n, (b, 1)), x.device) for n in (h, w))
    rows = (torch.arange(h, device=x.device) - y + h // 4).div(max(h // 2, 1), rounding_mode="floor") == 0  # (B, H)
    columns = (torch.arange(w, device=x.device) - z + w // 4).div(max(w // 2, 1), rounding_mode="floor") == 0
    return x.masked_fill((rows[:, :, None] & columns[:, None, :])[:, None], 0.0)


def color(x: Tensor, random: ShardedGenerator) -> Tensor:
    """Brightness by -0.5..0.5, saturation times 0..2, contrast times 0.5..1.5, as in the paper's code."""
    brightness, saturation, contrast = devices.send(random.random((len(x), 3, 1, 1, 1), np.float32), x.device).unbind(1)
    x = x + (brightness - 0.5)
    mean = x.mean(dim=1, keepdim=True)
    x = mean + (x - mean) * (2 * saturation)
    mean = x.mean(dim=(1, 2, 3), keepdim=True)
    return mean + (x - mean) * (contrast + 0.5)


def mirror(x: Tensor, random: ShardedGenerator) -> Tensor:
    """Swap left and right of every second picture, for data that are as likely that way round."""
    swapped = devices.send(random.integers(0, 2, (len(x), 1, 1, 1)), x.device).bool()
    return torch.where(swapped, x.flip(-1), x)


AUGMENTS: dict[str, Callable[[Tensor, ShardedGenerator], Tensor]] = {
    "translate": translate,
    "cutout": cutout,
    "color": color,
    "mirror": mirror,
}
