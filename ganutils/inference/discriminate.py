"""A network run over arrays of samples: discriminators, classifiers, and what their layers make of samples."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ganutils.networks.condition import Condition
from ganutils.networks.scaling import to_network

MANY, POINTS = 256, 1 << 15  # to a forward pass; points are small
NUMBERS = 1 << 22  # of sounds, in a forward pass


def apply(
    network: Callable[..., Tensor],
    samples: np.ndarray,
    device: torch.device,
    labels: np.ndarray | None = None,
    batch: int | None = None,
    inputs: np.ndarray | None = None,
) -> np.ndarray:
    """What `network` makes of `samples` uint8 [N, H, W, C], float32 [N, T, C] or [N, D], in order: float32 [N, ...].

    network   takes images [B, C, H, W] in -1..1, sounds [B, C, T] or points [B, D]; and, if `labels` int64 [N] or
              `inputs` uint8 [N, h, w, c] are given, the Condition of these
    batch     samples to a forward pass; None = 256 images or sounds, or all points but in very large sets; of long
              sounds fewer
    """
    batch = fitting(batch or (MANY if samples.ndim > 2 else POINTS), samples.shape[1:])
    values = []
    with torch.inference_mode():
        for start in range(0, len(samples), batch):
            rows = slice(start, start + batch)
            given: list[Any] = [as_taken(samples[rows], device)]
            if labels is not None or inputs is not None:
                known = (None if array is None else as_taken(array[rows], device) for array in (labels, inputs))
                given.append(Condition(*known))
            values.append(network(*given).float().cpu().numpy())
    return np.concatenate(values)


def fitting(batch: int, shape: tuple[int, ...]) -> int:
    """So many samples of `shape` to a forward pass, fewer of long sounds: a small file may hold very long ones."""
    return max(1, min(batch, NUMBERS // math.prod(shape))) if len(shape) == 2 else batch


def as_taken(samples: np.ndarray, device: torch.device) -> Tensor:
    """Samples, or labels, as arrays keep them -> as networks take them, on `device`."""
    return to_network(torch.from_numpy(np.ascontiguousarray(samples)).to(device))
