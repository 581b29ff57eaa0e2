"""The forms a result can take at the edge of the chain; the suffix of its name decides.

.safetensors (any kind), .npy (its one main array), .png (a sheet), name/ (one PNG a sample), .gif (a film).
"""

from __future__ import annotations

import math
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from ganutils import Error, files, paths, pictures
from ganutils.files import Stream

SHEET_LIMIT = 1024  # pictures on a sheet whose grid is not given: what a screen can show
MAIN = ("images", "points", "latents")  # the array that a file of one array holds, the first that is there


def write(
    path: str,
    kind: str,
    tensors: Mapping[str, np.ndarray | Stream],
    meta: Mapping[str, Any],
    grid: tuple[int, int] | None = None,
    scale: int = 1,
    fps: float = 12.0,
    default: str = ".safetensors",
) -> str:
    """Write samples or latents in the form that `path` names (`default` if a pipe); say in a few words what it is.

    grid    (columns, rows) of a sheet or of each frame, which shows the first so many; None = all, up to SHEET_LIMIT
    scale   each pixel becomes a square of so many
    fps     frames a second of a film
    """
    suffix = paths.form(path, default)
    name = next(name for name in MAIN if name in tensors)
    main = tensors[name]
    if suffix == ".safetensors":
        files.write(path, kind, tensors, meta)
    elif suffix == ".npy":
        _write_npy(path, main)
    elif name != "images":
        raise Error(f"{path}: {name} are not pictures; write them as .safetensors or .npy")
    elif not math.prod(main.shape):
        raise Error(f"{path}: not written: there are no pictures to show")
    elif suffix == "/":
        _write_folder(path, main)
    elif suffix == ".png":
        return _write_sheet(path, main, grid, scale)
    else:
        return _write_film(path, main, grid, scale, fps)
    return f"{name} {list(main.shape)}"


def _write_sheet(path: str, main: np.ndarray | Stream, grid: tuple[int, int] | None, scale: int) -> str:
    """A PNG. Of a film, time runs left to right, with a row for each sample."""
    images = main if isinstance(main, np.ndarray) else np.concatenate([c.reshape(-1) for c in main.chunks])
    cells, rows = images.reshape(-1, *main.shape[-3:]), main.shape[0]
    if len(main.shape) > 4:
        films = images.reshape(rows, -1, *main.shape[-3:]).swapaxes(0, 1)  # (N, T, H, W, C)
        cells, grid = films.reshape(cells.shape), grid or (rows, films.shape[0])
    grid = grid or pictures.grid_of(min(len(cells), SHEET_LIMIT))
    shown = cells[: grid[0] * grid[1]]
    with files.replacing(path) as out:
        pictures.write_png(out, pictures.sheet(shown, grid, scale))
    return f"{len(shown):,} of {len(cells):,} pictures"


def _write_film(path: str, main: np.ndarray | Stream, grid: tuple[int, int] | None, scale: int, fps: float) -> str:
    """A GIF of [T, N, H, W, C], each frame a sheet of N."""
    if len(main.shape) < 5 or main.shape[0] < 2:
        raise Error(f"{path}: a film needs two frames or more, and this is a sheet; write a .png")
    count = math.prod(main.shape[1:-3])
    grid = grid or pictures.grid_of(count)
    frames = [pictures.sheet(frame[: grid[0] * grid[1]], grid, scale) for frame in _frames(main, count)]
    with files.replacing(path) as out:
        pictures.write_gif(out, frames, fps)
    return f"{len(frames):,} frames, {len(frames) / fps:.2f} s"


def _chunks(main: np.ndarray | Stream) -> Iterator[np.ndarray]:
    return iter([main] if isinstance(main, np.ndarray) else main.chunks)


def _frames(main: np.ndarray | Stream, count: int) -> Iterator[np.ndarray]:
    """The pictures of `main`, however they come, `count` at a time: [count, H, W, C]."""
    rest = np.empty((0, *main.shape[-3:]), np.uint8)
    for chunk in _chunks(main):
        rest = np.concatenate([rest, chunk.reshape(-1, *main.shape[-3:])])
        while len(rest) >= count:
            yield rest[:count]
            rest = rest[count:]


def _write_npy(path: str, main: np.ndarray | Stream) -> None:
    with files.replacing(path) as out:
        header = {"descr": np.dtype(main.dtype).str, "fortran_order": False, "shape": tuple(main.shape)}
        np.lib.format.write_array_header_1_0(out, header)
        for chunk in _chunks(main):
            out.write(np.ascontiguousarray(chunk).tobytes())


def _write_folder(path: str, main: np.ndarray | Stream) -> None:
    """One PNG a sample, 000000.png and so on. A folder that was there is replaced if it holds only such files."""
    folder = path.rstrip("/")
    if os.path.lexists(folder):
        names = os.listdir(folder)
        if not all(re.fullmatch(r"\d{6,}\.png", name) for name in names):
            raise Error(f"{path}: holds other files too; remove the folder or choose another name")
    parent, name = os.path.split(os.path.abspath(folder))
    paths.check_folder(path)
    temporary, old = (os.path.join(parent, f".{name}.{what}") for what in ("tmp", "old"))
    shutil.rmtree(temporary, ignore_errors=True)
    try:
        os.mkdir(temporary)
        samples = (one for chunk in _chunks(main) for one in chunk.reshape(-1, *main.shape[-3:]))
        for number, sample in enumerate(samples):
            with open(os.path.join(temporary, f"{number:06d}.png"), "wb") as out:
                pictures.write_png(out, sample)
                out.flush()
                os.fsync(out.fileno())
        shutil.rmtree(old, ignore_errors=True)
        if os.path.lexists(folder):
            os.rename(folder, old)
        os.rename(temporary, folder)
        shutil.rmtree(old, ignore_errors=True)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
