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

from ganutils import Error, files
from ganutils.sources.source import Source, of_pixels, of_points

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
    except files.NPY_FAULTS:
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
    with files.read(path, "samples") as file:
        is_picture = "images" in file
        main = "images" if is_picture else "points"
        lead, cell = (
            file.specs[main].shape[: -3 if is_picture else -1],
            file.specs[main].shape[-3 if is_picture else -1 :],
        )
        total = int(np.prod(lead))
        if not total:
            raise Error(f"{file.name}: holds no samples")

        def flat(name: str) -> np.ndarray | None:
            return file[name].reshape(total, *file[name].shape[len(lead) :]) if name in file else None

        about: dict[str, Any] = {name: flat(name) for name in ("labels", "attributes", "latents")}
        classes = tuple(file.meta.get("classes", ()))
        if about["labels"] is not None:
            _check_labels(file.name, about["labels"])
            classes += tuple(map(str, range(len(classes), int(about["labels"].max()) + 1)))
        if about["attributes"] is not None:
            about["attribute_names"] = tuple(file.meta.get("attributes", ()))
            if len(about["attribute_names"]) != about["attributes"].shape[1]:
                raise Error(f"{file.name}: has {about['attributes'].shape[1]} attributes and other names for them")
        meta = {key: file.meta[key] for key in ("license", "lineage", "toy") if key in file.meta}
        about |= {"classes": classes, "meta": meta}
        name = "samples" if path == "-" else path
        if not is_picture:
            yield of_points(name, file[main].reshape(total, *cell), **about)
        elif path == "-":
            yield of_pixels(name, file[main].reshape(total, *cell), **about)
        else:
            yield of_pixels(name, InFile(path, file.offset(main), (total, *cell)), **about)


def _check_labels(name: str, labels: np.ndarray) -> None:
    if labels.min() < 0 or labels.max() >= 1_000_000:
        raise Error(f"{name}: has labels from {labels.min()} to {labels.max()}; 0 and up are wanted")
