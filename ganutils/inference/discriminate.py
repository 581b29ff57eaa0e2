"""A network run over arrays of samples."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

FORWARD = 256  # pictures to a forward pass


def inputs(images: np.ndarray, device: torch.device) -> Tensor:
    """uint8 [B, H, W, C] -> float32 [B, C, H, W] in -1..1."""
    return torch.from_numpy(np.ascontiguousarray(images)).to(device).permute(0, 3, 1, 2).float() / 127.5 - 1


def mapped(images: np.ndarray, function: Callable[[Tensor], Tensor], device: torch.device) -> np.ndarray:
    """`function` of all `images`, some at a time, as float32 [N, F]."""
    with torch.inference_mode():
        starts = range(0, len(images), FORWARD)
        return np.concatenate([function(inputs(images[s : s + FORWARD], device)).float().cpu().numpy() for s in starts])
