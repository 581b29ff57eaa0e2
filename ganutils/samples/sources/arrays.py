"""Arrays in files: idx files in MNIST's format, and samples files."""

from __future__ import annotations

import functools
import gzip
import math
import os
import tempfile
import zlib
from typing import Any, BinaryIO, cast

import numpy as np

from ganutils import Error
from ganutils.files import budget
from ganutils.files.container import CHUNK
from ganutils.files.disk import Disk
from ganutils.files.npy import Rows
from ganutils.samples.images import Shape, fit_pixels, fit_stacked
from ganutils.samples.samples import Samples, open_samples
from ganutils.samples.sources.catalog import IDX_IMAGES, idx_folder, known_folder
from ganutils.samples.sources.source import Pixels, Request, Source, of_pixels, of_points, of_signals, of_texts
from ganutils.samples.stacks import STACKED
from ganutils.sounds.about import SPECTROGRAM
from ganutils.sounds.spectrogram import Spectrogram

KEPT = ("license", "lineage", "toy", SPECTROGRAM, STACKED)  # of a samples file's metadata


def open_idx(request: Request) -> list[Source]:
    return [idx(request.name)]


def open_idx_folder(request: Request) -> list[Source]:
    """The idx files of a folder that are of the split asked for."""
    folder = idx_folder(request.name) or request.name
    return [idx(_idx_in(folder, part)) for part in request.parts]


def _idx_in(folder: str, part: str) -> str:
    marks = ("t10k", "test") if part == "test" else (part,)
    names = [name for name in os.listdir(folder) if IDX_IMAGES.match(name) and any(mark in name for mark in marks)]
    names = [name for name in names if name.removesuffix(".gz") not in names or not name.endswith(".gz")]
    if len(names) != 1:
        raise Error(f"{folder}: has {len(names)} idx files of {part} pictures; name the file to read")
    return os.path.join(folder, names[0])


def idx(path: str, **about: Any) -> Source:
    """Pictures in an idx3-ubyte file, plain or .gz, with the labels in the idx1-ubyte file beside it, as in MNIST."""
    pixels = _idx(path, 3)
    pixels = pixels.reshaped(*pixels.shape, 1)
    match = IDX_IMAGES.match(path)
    candidates = [f"{match[1]}labels{dash}idx1-ubyte{gz}" for dash in "-." for gz in ("", ".gz")] if match else []
    labels_path = next(filter(os.path.exists, candidates), None)
    if labels_path is None:
        note = f"{path}: has no labels beside it ({os.path.basename(candidates[0])})" if candidates else ""
        return of_pixels(path, pixels, notes=(note,) if note else (), **about)
    labels = np.asarray(_idx(labels_path, 1)).astype(np.int64)
    if len(labels) != len(pixels):
        raise Error(f"{labels_path}: has {len(labels):,} labels for {len(pixels):,} pictures; one file is damaged")
    return of_pixels(path, pixels, **{"labels": labels, "classes": _classes(path, labels), **about})


def _classes(path: str, labels: np.ndarray) -> tuple[str, ...]:
    """The names of a known data set's classes, or numbers."""
    count = int(labels.max(initial=0)) + 1
    row = known_folder(path)
    return row.classes if row and count <= len(row.classes) else tuple(map(str, range(count)))


def _idx(path: str, axes: int) -> Rows:
    """The uint8 array in an idx file: 0, 0, 8 (uint8), `axes`; their lengths (4 bytes, big-endian); data."""
    damaged = Error(f"{path}: damaged, or not an idx{axes}-ubyte file")
    start = 4 + 4 * axes
    with open(path, "rb") as raw:
        try:
            stream = _unpacked(path, raw) if path.endswith(".gz") else raw
            head = stream.read(start)
        except (EOFError, zlib.error, gzip.BadGzipFile):
            raise damaged from None
        shape = tuple(int.from_bytes(head[at : at + 4], "big") for at in range(4, len(head), 4))
        disk = Disk(stream, path)
    if head[:4] != bytes([0, 0, 8, axes]) or 0 in shape or disk.size != start + math.prod(shape):
        raise damaged
    return Rows(disk, start, shape)


def _unpacked(path: str, packed: BinaryIO) -> BinaryIO:
    """What a .gz file holds, in a nameless file; Error if that is far too much."""
    out = tempfile.TemporaryFile()  # noqa: SIM115 - it goes when nobody reads it any more
    limit = budget.unpacked(os.fstat(packed.fileno()).st_size)
    with gzip.open(packed) as stream:
        while chunk := stream.read(CHUNK):
            out.write(chunk)
            budget.check(path, out.tell(), limit, "bytes when unpacked")
    out.seek(0)
    return cast(BinaryIO, out)


def open_samples_file(request: Request) -> list[Source]:
    """Samples that a command wrote, to filter, resize or join; of a film, all frames become one row of samples."""
    path = request.name
    samples = request.stack.enter_context(open_samples(path))
    about: dict[str, Any] = {
        "labels": samples.labels,
        "classes": tuple(samples.classes),
        "attributes": samples.attributes,
        "attribute_names": tuple(samples.attribute_names),
        "latents": samples.latents,
        "captions": samples.captions,
        "meta": {key: samples.meta[key] for key in KEPT if key in samples.meta},
    }
    Spectrogram.of(samples.name, samples.meta, samples.shape)  # which must be sound to be kept
    path = "samples" if path == "-" else path
    if samples.are_sounds:
        rows = _rows(samples, samples.modality.tensor, samples.shape)
        return [of_signals(path, rows, samples.sample_rate, **about)]
    if samples.are_texts:
        rows = _rows(samples, samples.modality.tensor, samples.shape[:1])
        return [of_texts(path, rows, samples.alphabet, **about)]
    if not samples.are_images:
        return [of_points(path, samples.array, **about)]
    if not samples.beside:
        return [of_pixels(path, _rows(samples, samples.modality.tensor, samples.shape), **about)]
    pixels = {name: _rows(samples, name, shape) for name, shape in samples.beside.items()}
    images = _rows(samples, samples.modality.tensor, samples.shape)

    def load(row: int) -> dict[str, np.ndarray]:
        return {name: rows[row] for name, rows in {"images": images, **pixels}.items()}

    names = tuple(samples.meta.get("input_names", ()))
    draw = functools.partial(_fitted, path)
    return [Source(path, len(samples), load, draw, pixels=images, beside=pixels, input_names=names, **about)]


def _rows(samples: Samples, tensor: str, shape: tuple[int, ...]) -> Pixels:
    """Pictures [N, H, W, C], sounds [N, T, C] or texts [N, T], on disk if that is possible. Error if there are none."""
    samples.check_any()
    rows = samples.file.on_disk(tensor, (len(samples), *shape))
    return samples.file[tensor].reshape(len(samples), *shape) if rows is None else rows


def _fitted(path: str, pictures: dict[str, np.ndarray], shape: Shape) -> dict[str, np.ndarray]:
    """`images` in the given shape, and all beside them cut and resized by the same parts. Error if that cannot be."""
    full = pictures["images"].shape
    fitted = {}
    for name, pixels in pictures.items():
        scaled = shape.scaled(pixels.shape, full)
        if scaled is None:
            sizes = f"{name} of {pixels.shape[1]}x{pixels.shape[0]} beside pictures of {full[1]}x{full[0]}"
            raise Error(f"{path}: holds {sizes}; they would not get whole sizes; choose another --size or --crop")
        fitted[name] = fit_stacked(pixels, scaled) if name == "inputs" else fit_pixels(pixels, scaled)
    return fitted
