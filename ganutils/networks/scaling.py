"""Samples as files keep them, and as networks take and give them: the one place that knows both scales."""

from __future__ import annotations

import torch
from torch import Tensor

from ganutils.files import kinds


def to_network(samples: Tensor) -> Tensor:
    """Images uint8 [B, H, W, C] -> float32 [B, C, H, W] in -1..1, sounds float32 [B, T, C] -> [B, C, T], texts uint8
    [B, T, A] of 0 and 1 -> float32 [B, A, T]; points [B, D] stay as they are.
    """
    if samples.dim() == 3:
        return samples.permute(0, 2, 1).float()
    return samples.permute(0, 3, 1, 2).float() / 127.5 - 1 if samples.dim() == 4 else samples


def from_network(samples: Tensor) -> Tensor:
    """Images [B, C, H, W] in -1..1 -> uint8 [B, H, W, C], sounds [B, C, T] -> [B, T, C], texts [B, A, T] -> their most
    likely letters, uint8 [B, T]; points [B, D] stay as they are.
    """
    if samples.dim() == 3 and samples.shape[1] not in kinds.SIGNALS.channels:
        return samples.argmax(1).to(torch.uint8)
    if samples.dim() == 3:
        return samples.permute(0, 2, 1).contiguous()
    if samples.dim() != 4:
        return samples
    return ((samples + 1) * 127.5).round().clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1).contiguous()
