"""Arrays in files: .npy bitmaps, idx files as MNIST has them, and samples files of ours."""

from __future__ import annotations

import contextlib
import gzip
import os
import re
import zlib
from collections.abc import Iterator
from typing import Any, BinaryIO

import numpy as np

from ganutils import Error
from ganutils.files.npy import NPY_FAULTS
from ganutils.samples.samples import open_samples
from ganutils.samples.sources.source import Source, of_pixels, of_points

IDX_IMAGES = re.compile(r"(.*)images[-.]idx3-ubyte(\.gz)?$")
IDX_LIMIT = 1 << 32  # bytes in memory; idx files are small sets


class InFile:
    """uint8 [N, H, W, C] that lies in a file. Rows are read, not mapped: memory stays small whatever the set's size."""

    def __init__(self, path: str, offset: int, shape: tuple[int, ...]):
        self.shape = shape
        self._stream: BinaryIO = open(path, "rb")  # noqa: SIM115 - open as long as the source
        self._offset = offset
        self._row = int(np.prod(shape[1:]))

    def __getitem__(self, rows: Any) -> np.ndarray:
        if isinstance(rows, slice):
            start, stop, _ = rows.indices(self.shape[0])
            return self._read(start, max(stop - start, 0))
        if np.ndim(rows) == 0:
            return self._read(int(rows), 1)[0]
        return np.stack([self._read(int(row), 1)[0] for row in rows])

    def _read(self, row: int, count: int) -> np.ndarray:
        found = np.empty((count, *self.shape[1:]), np.uint8)
        self._stream.seek(self._offset + row * self._row)
        if self._stream.readinto(found.reshape(-1).data) != found.nbytes:  # type: ignore[attr-defined]
            raise Error(f"{self._stream.name}: was cut short while it was read")
        return found


def npy(path: str, **about: Any) -> Source:
    """uint8 bitmaps [N, 784] (28x28, as Quick, Draw! has them), [N, H, W] or [N, H, W, C] of a .npy file."""
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
        shape, dtype, offset = array.shape, array.dtype, array.offset
    except NPY_FAULTS:
        raise Error(f"{path}: damaged, or not a plain NumPy array; save it with np.save") from None
    kept = shape
    if dtype == np.uint8 and len(shape) == 2 and shape[1] == 784:
        shape = (len(array), 28, 28)
    shape = (*shape, 1) if len(shape) == 3 else shape
    if dtype != np.uint8 or len(shape) != 4 or shape[3] not in (1, 3) or 0 in shape or np.isfortran(array):
        wanted = "uint8 of shape (N, 784), (N, H, W) or (N, H, W, C) with C = 1 or 3, in C order"
        raise Error(f"{path}: is {dtype} of shape {kept}; bitmaps are {wanted}")
    return of_pixels(path, InFile(path, offset, shape), **about)


def idx(path: str, **about: Any) -> Source:
    """Pictures of an idx3-ubyte file, plain or .gz, with the labels of the idx1-ubyte file beside it, as MNIST's."""
    pixels = _idx(path, 3)
    match = IDX_IMAGES.match(path)
    candidates = [f"{match[1]}labels{dash}idx1-ubyte{gz}" for dash in "-." for gz in ("", ".gz")] if match else []
    labels_path = next(filter(os.path.exists, candidates), None)
    if labels_path is None:
        note = f"{path}: no labels beside it ({os.path.basename(candidates[0])})" if candidates else ""
        return of_pixels(path, pixels[..., None], notes=(note,) if note else (), **about)
    labels = _idx(labels_path, 1).astype(np.int64)
    if len(labels) != len(pixels):
        raise Error(f"{labels_path}: {len(labels):,} labels for {len(pixels):,} pictures; one of the two is damaged")
    numbers = tuple(map(str, range(int(labels.max(initial=0)) + 1)))
    return of_pixels(path, pixels[..., None], **{"labels": labels, "classes": numbers, **about})


def _idx(path: str, axes: int) -> np.ndarray:
    """The uint8 array of `axes` axes in an idx file: 0, 0, 8 (uint8), axes; their lengths (4 bytes, big end first)."""
    damaged = Error(f"{path}: damaged, or not an idx{axes}-ubyte file")
    try:
        with gzip.open(path) if path.endswith(".gz") else open(path, "rb") as stream:
            head = stream.read(4 + 4 * axes)
            if len(head) < 4 + 4 * axes or head[:4] != bytes([0, 0, 8, axes]):
                raise damaged
            shape = tuple(int.from_bytes(head[at : at + 4], "big") for at in range(4, len(head), 4))
            size = 1
            for length in shape:
                size *= length
            if 0 in shape or size > min(IDX_LIMIT, 1100 * os.path.getsize(path)):  # deflate packs at most 1032 to 1
                raise damaged
            data = stream.read(size)
            if len(data) != size or stream.read(1):
                raise damaged
    except (EOFError, zlib.error, gzip.BadGzipFile):
        raise damaged from None
    return np.frombuffer(data, np.uint8).reshape(shape)


@contextlib.contextmanager
def samples(path: str) -> Iterator[Source]:
    """Samples of ours, to filter, resize or join: [N, ...], the axes before a sample become one."""
    with open_samples(path) as found:
        if not len(found):
            raise Error(f"{found.name}: holds no samples")
        about: dict[str, Any] = {
            "labels": found.labels,
            "classes": tuple(found.classes),
            "attributes": found.attributes,
            "attribute_names": tuple(found.attribute_names),
            "latents": found.latents,
            "meta": {key: found.meta[key] for key in ("license", "lineage", "toy") if key in found.meta},
        }
        name = "samples" if path == "-" else path
        if not found.are_images:
            yield of_points(name, found.array, **about)
        elif path == "-":
            yield of_pixels(name, found.array, **about)
        else:
            offset = found.file.offset(found.modality.tensor)
            yield of_pixels(name, InFile(path, offset, (len(found), *found.shape)), **about)
