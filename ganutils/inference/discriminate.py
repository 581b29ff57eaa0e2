"""A network run over arrays of samples: discriminators, classifiers, and what their layers make of samples."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from ganutils.networks.scaling import to_network

IMAGES, POINTS = 256, 1 << 15  # to a forward pass; points are small


def apply(
    network: Callable[..., Tensor],
    samples: np.ndarray,
    device: torch.device,
    labels: np.ndarray | None = None,
    batch: int | None = None,
) -> np.ndarray:
    """What `network` makes of `samples` uint8 [N, H, W, C] or float32 [N, D], in their order: float32 [N, ...].

    network   takes images [B, C, H, W] in -1..1, or points [B, D]; and, if `labels` int64 [N] are given, theirs [B]
    batch     samples to a forward pass; None = 256 images, or all points but in very large sets
    """
    batch = batch or (IMAGES if samples.ndim == 4 else POINTS)
    values = []
    with torch.inference_mode():
        for start in range(0, len(samples), batch):
            rows = slice(start, start + batch)
            given = [inputs(samples[rows], device)]
            if labels is not None:
                given.append(torch.from_numpy(np.ascontiguousarray(labels[rows])).to(device))
            values.append(network(*given).float().cpu().numpy())
    return np.concatenate(values)


def inputs(samples: np.ndarray, device: torch.device) -> Tensor:
    """Samples as arrays keep them -> as networks take them, on `device`."""
    return to_network(torch.from_numpy(np.ascontiguousarray(samples)).to(device))
