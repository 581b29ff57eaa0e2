"""Arrays in files: .npy files, and rows read from the middle of any file."""

from __future__ import annotations

import io
import math
import tokenize
from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO

import numpy as np

from ganutils import Error
from ganutils.files import atomic, budget
from ganutils.files.disk import Disk

# What NumPy raises for a damaged header.
FAULTS = (
    ValueError,
    KeyError,
    EOFError,
    TypeError,
    SyntaxError,
    tokenize.TokenError,
    AttributeError,
    OverflowError,
    RecursionError,
    MemoryError,
)


class Rows:
    """An array [N, ...] that lies in a file from `offset` on, in C order; its rows are read when they are needed.

    It reads as an array does: `len`, slices and rows by number, `np.asarray`.
    """

    def __init__(self, disk: Disk, offset: int, shape: tuple[int, ...], dtype: Any = np.uint8):
        self.shape, self.dtype, self.ndim = shape, np.dtype(dtype), len(shape)
        self._disk, self._offset = disk, offset
        self._row = math.prod(shape[1:]) * self.dtype.itemsize

    def __len__(self) -> int:
        return self.shape[0]

    @property
    def nbytes(self) -> int:
        return len(self) * self._row

    def __getitem__(self, rows: Any) -> np.ndarray:
        """Rows by number, slice or array of numbers. Error if the file has changed."""
        if isinstance(rows, slice):
            start, stop, _ = rows.indices(len(self))
            runs = [(start, max(stop - start, 0))]
        else:
            runs = _runs(np.ravel(rows))
        array = np.empty((sum(count for _, count in runs), *self.shape[1:]), self.dtype)
        self._disk.read(*self._places(array.reshape(-1).view(np.uint8).data, runs))
        return array if isinstance(rows, slice) else array.reshape(*np.shape(rows), *self.shape[1:])

    def _places(self, view: memoryview, runs: Iterable[tuple[int, int]]) -> Iterator[tuple[memoryview, int]]:
        """The part of `view` for each run (row, count), and where it lies in the file."""
        at = 0
        for row, count in runs:
            yield view[at : at + count * self._row], self._offset + row * self._row
            at += count * self._row

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return self[:] if dtype is None else self[:].astype(dtype)

    def reshaped(self, *shape: int) -> Rows:
        """The same numbers in another shape."""
        return Rows(self._disk, self._offset, shape, self.dtype)


class InColor:
    """Gray pictures [N, h, w, 1], in memory or on disk, as color: each value three times, when it is needed."""

    def __init__(self, pictures: Any):
        self._pictures = pictures
        self.shape, self.dtype, self.ndim = (*pictures.shape[:-1], 3), pictures.dtype, pictures.ndim

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: Any) -> np.ndarray:
        """Rows by number, slice or array of numbers."""
        return in_color(self._pictures[rows])


def in_color(pictures: np.ndarray) -> np.ndarray:
    """Gray pictures [..., 1] with each value three times."""
    return np.repeat(pictures, 3, -1)


def _runs(rows: np.ndarray) -> list[tuple[int, int]]:
    """Rows that follow each other, which are read at once: (the first, how many)."""
    starts = np.flatnonzero(np.diff(rows, prepend=-2) != 1)
    return list(zip(rows[starts].tolist(), np.diff(starts, append=len(rows)).tolist(), strict=True))


def open_npy(path: str) -> Rows:
    """The array in a .npy file. Error unless it is whole, of numbers, and in C order."""
    with open(path, "rb") as file:
        try:
            shape, is_fortran, dtype = _header(file)
        except FAULTS:
            shape, is_fortran, dtype = (-1,), False, np.dtype(object)
        disk = Disk(file, path)
        is_sound = not dtype.hasobject and min(shape, default=0) >= 0 and len(shape) <= budget.AXES
        if not is_sound or disk.size < file.tell() + math.prod(shape) * dtype.itemsize:
            raise Error(f"{path}: damaged, or not a plain NumPy array; save it with np.save")
        if is_fortran and len(shape) > 1:
            raise Error(f"{path}: is in Fortran order; save np.ascontiguousarray(...) of it")
        return Rows(disk, file.tell(), shape, dtype)


def _header(file: BinaryIO) -> tuple[tuple[int, ...], bool, np.dtype]:
    """Shape, whether in Fortran order, and type; one of FAULTS if it is damaged."""
    version = np.lib.format.read_magic(file)
    read = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}[version]
    header: tuple[tuple[int, ...], bool, np.dtype] = read(file)
    return header


def size_of(beginning: bytes) -> int | None:
    """The size in bytes of the .npy file with this beginning; None if that is too short; ValueError if it is none."""
    magic = np.lib.format.MAGIC_PREFIX
    if beginning[: len(magic)] != magic[: len(beginning)]:
        raise ValueError(f"it begins with {beginning[:20]!r}, as no NumPy array does")
    if len(beginning) < 12:
        return None
    width = 2 if beginning[6] == 1 else 4
    end = 8 + width + int.from_bytes(beginning[8 : 8 + width], "little")
    if len(beginning) < end <= budget.HEADER:
        return None
    file = io.BytesIO(beginning)
    try:
        shape, is_fortran, dtype = _header(file)
    except FAULTS:
        raise ValueError("the header of its NumPy array is damaged") from None
    if dtype.hasobject or is_fortran or min(shape, default=0) < 0:
        raise ValueError("it is no plain NumPy array")
    return file.tell() + math.prod(shape) * dtype.itemsize


def write(path: str, shape: tuple[int, ...], dtype: np.dtype, chunks: Iterable[np.ndarray]) -> None:
    """Write an array that comes in chunks, in C order, as a .npy file: whole or not at all."""
    with atomic.replacing(path) as out:
        header = {"descr": np.dtype(dtype).str, "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(out, header)
        for chunk in chunks:
            out.write(np.ascontiguousarray(chunk).tobytes())
