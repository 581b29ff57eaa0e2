"""Samples that are no pictures as pictures, drawn when they are needed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np


class Drawn:
    """The pictures of samples [n, ...]: it reads as an array does.

    draw   samples -> uint8 [n, H, W, C]
    size   (H, W, C)
    """

    def __init__(self, samples: np.ndarray, draw: Callable[[np.ndarray], np.ndarray], size: tuple[int, int, int]):
        self._samples, self._draw, self._size = samples, draw, size
        self.shape, self.dtype, self.ndim = (len(samples), *size), np.dtype(np.uint8), 4

    def __len__(self) -> int:
        return len(self._samples)

    def __getitem__(self, rows: slice) -> Drawn:
        return Drawn(self._samples[rows], self._draw, self._size)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return self._draw(self._samples)
