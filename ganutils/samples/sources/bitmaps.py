"""Pictures in .npy files: any usual order of axes, and numbers in any usual range."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ganutils import Error
from ganutils.files import container, kinds, npy
from ganutils.files.kinds import IMAGES
from ganutils.samples.sources.source import Pixels, Request, Source, of_pixels

FLAT, SIDE = 784, 28  # a picture of 28x28 in one row, as in Quick, Draw!
RANGES = ((0, 1), (-1, 1), (0, 255))  # of numbers that are not bytes; the first that holds them all is assumed
DEEP = (0, 65535)  # of uint16, if none of these does
BEYOND = 1e-3  # part of a range by which numbers may lie outside, as resizing makes them
SHAPES = "(N,784), (N,H,W), (N,H,W,C) or (N,C,H,W), with C = 1 or 3"


def open_npy(request: Request) -> list[Source]:
    return [bitmaps(request.name)]


def bitmaps(path: str, **about: Any) -> Source:
    """The pictures in a .npy file of one of SHAPES: uint8, bool, or numbers in one of RANGES, which a note names."""
    rows = npy.open_npy(path)
    shape, is_channels_first, notes = _layout(path, rows)
    rows = rows.reshaped(*shape)
    if rows.dtype == np.uint8 and not is_channels_first:
        return of_pixels(path, rows, notes=notes, **about)
    low, high = (0, 1) if rows.dtype == bool else (0, 255)
    if rows.dtype not in (bool, np.uint8):
        low, high = _range(path, rows)
        notes = (*notes, f"{path}: {rows.dtype.name} values are taken as {low}..{high}")
    return of_pixels(path, _Converted(rows, is_channels_first, low, high), notes=notes, **about)


def _layout(path: str, rows: npy.Rows) -> tuple[tuple[int, ...], bool, tuple[str, ...]]:
    """The array's shape with four axes, whether the second one holds channels, and a note if both ends could."""
    shape, channels = rows.shape, IMAGES.channels
    if len(shape) in (2, 3) and shape[1:] in ((FLAT,), (1, FLAT)):
        shape = (shape[0], SIDE, SIDE)
    shape = (*shape, 1) if len(shape) == 3 else shape
    is_last = len(shape) == 4 and shape[3] in channels
    is_first = len(shape) == 4 and shape[1] in channels and len(rows.shape) == 4
    if rows.dtype.kind not in "buif" or not (is_last or is_first) or 0 in shape:
        raise Error(f"{path}: is {rows.dtype} of shape {rows.shape}; give numbers of shape {SHAPES}")
    kinds.check_sample(path, shape[1:] if is_last else (*shape[2:], shape[1]))
    notes = (f"{path}: shape {rows.shape} is taken as (N,H,W,C)",) if is_last and is_first else ()
    return shape, not is_last, notes


def _chunks(rows: npy.Rows) -> Iterator[tuple[int, np.ndarray]]:
    """All rows, some at a time, each time with the number of the first."""
    count = max(1, container.CHUNK // rows[:1].nbytes)
    for start in range(0, rows.shape[0], count):
        yield start, rows[start : start + count]


def _range(path: str, rows: npy.Rows) -> tuple[int, int]:
    """The range that the numbers fill; Error if they fit none, or are not finite."""
    least, most = np.inf, -np.inf
    for start, chunk in _chunks(rows):
        low, high = float(chunk.min()), float(chunk.max())
        if not np.isfinite([low, high]).all():
            first = start + int(np.flatnonzero(~np.isfinite(chunk).all((1, 2, 3)))[0])
            raise Error(f"{path}: picture {first} holds NaN or infinity; remove it")
        least, most = min(least, low), max(most, high)
    for low, high in (*RANGES, *([DEEP] if rows.dtype == np.uint16 else [])):
        beyond = BEYOND * (high - low)
        if low - beyond <= least and most <= high + beyond:
            return low, high
    raise Error(f"{path}: values go from {least:g} to {most:g}; scale them to 0..1, -1..1 or 0..255")


class _Converted(Pixels):
    """uint8 [N, H, W, C] of `rows` in low..high, rounded; converted when they are read."""

    def __init__(self, rows: npy.Rows, is_channels_first: bool, low: int, high: int):
        n, *sample = rows.shape
        self._shape = (n, *sample[1:], sample[0]) if is_channels_first else (n, *sample)
        self._rows, self._is_channels_first, self._low, self._high = rows, is_channels_first, low, high

    @property
    def shape(self) -> tuple[int, ...]:
        return self._shape

    def __getitem__(self, rows: Any) -> np.ndarray:
        array = self._rows[rows]
        if self._is_channels_first:
            array = np.moveaxis(array, -3, -1)
        if array.dtype != np.uint8:
            scaled = (array.astype(np.float64) - self._low) * (255 / (self._high - self._low))
            array = np.clip(np.floor(scaled + 0.5), 0, 255).astype(np.uint8)
        return np.ascontiguousarray(array)
