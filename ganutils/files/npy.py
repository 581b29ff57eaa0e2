"""Arrays in files: .npy files, and rows read from the middle of any file."""

from __future__ import annotations

import math
import os
import tokenize
from collections.abc import Iterable
from typing import Any, BinaryIO

import numpy as np

from ganutils import Error
from ganutils.files import atomic

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
    """An array [N, ...] that lies in a file from `offset` on, in C order.

    Rows are read, not mapped, since mapped pages stay in memory: it stays small, however large the array.
    """

    def __init__(self, path: str, offset: int, shape: tuple[int, ...], dtype: Any = np.uint8):
        self.shape, self.dtype = shape, np.dtype(dtype)
        self._file: BinaryIO = open(path, "rb")  # noqa: SIM115 - open as long as this is
        self._offset = offset

    def __getitem__(self, rows: Any) -> np.ndarray:
        """Rows by number, slice or array of numbers. Error if the file has shrunk."""
        if isinstance(rows, slice):
            start, stop, _ = rows.indices(self.shape[0])
            return self._read(start, max(stop - start, 0))
        if np.ndim(rows) == 0:
            return self._read(int(rows), 1)[0]
        return np.stack([self._read(int(row), 1)[0] for row in rows])

    def reshaped(self, *shape: int) -> Rows:
        """The same numbers in another shape."""
        return Rows(self._file.name, self._offset, shape, self.dtype)

    def _read(self, row: int, count: int) -> np.ndarray:
        array = np.empty((count, *self.shape[1:]), self.dtype)
        self._file.seek(self._offset + row * math.prod(self.shape[1:]) * self.dtype.itemsize)
        if self._file.readinto(array.reshape(-1).view(np.uint8).data) != array.nbytes:  # type: ignore[attr-defined]
            raise Error(f"{self._file.name}: was truncated while it was being read")
        return array


def open_npy(path: str) -> Rows:
    """The array in a .npy file. Error unless it is whole, of numbers, and in C order."""
    with open(path, "rb") as file:
        try:
            version = np.lib.format.read_magic(file)
            read = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}[version]
            shape, is_fortran, dtype = read(file)
        except FAULTS:
            shape, is_fortran, dtype = (), False, np.dtype(object)
        size = math.prod(shape) * dtype.itemsize
        is_whole = min(shape, default=0) >= 0 and os.fstat(file.fileno()).st_size >= file.tell() + size
        if dtype.hasobject or not is_whole:
            raise Error(f"{path}: damaged, or not a plain NumPy array; save it with np.save")
        if is_fortran and len(shape) > 1:
            raise Error(f"{path}: is in Fortran order; save np.ascontiguousarray(...) of it")
        return Rows(path, file.tell(), shape, dtype)


def write(path: str, shape: tuple[int, ...], dtype: np.dtype, chunks: Iterable[np.ndarray]) -> None:
    """Write an array that comes in chunks, in C order, as a .npy file: whole or not at all."""
    with atomic.replacing(path) as out:
        header = {"descr": np.dtype(dtype).str, "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(out, header)
        for chunk in chunks:
            out.write(np.ascontiguousarray(chunk).tobytes())
