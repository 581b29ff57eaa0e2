"""Products of large matrices in float64: nearly all the work of comparing sets. By NumPy, or on a GPU."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import torch

Times = Callable[[np.ndarray], np.ndarray]  # float64 [B, F] -> [B, M]

_device: torch.device | None = None  # None: NumPy


def use(device: torch.device) -> None:
    """Multiply on `device` from now on if it is a GPU of CUDA; Apple's know no float64."""
    global _device
    _device = device if device.type == "cuda" else None


def with_rows_of(y: np.ndarray) -> Times:
    """The function x -> x y' with `y` float64 [M, F], which is sent to the GPU once."""
    if _device is None:
        return lambda x: x @ y.T
    import torch

    columns, device = torch.from_numpy(np.ascontiguousarray(y)).to(_device).T, _device
    return lambda x: (torch.from_numpy(np.ascontiguousarray(x)).to(device) @ columns).cpu().numpy()
