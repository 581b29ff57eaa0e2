"""Pictures over time, from anybody: samples files, pipes, .npy files, folders of PNG or JPEG. NumPy and Pillow only.

A reel is read once, in order, and holds one frame at a time, so that its length costs no memory.
"""

from __future__ import annotations

import contextlib
import dataclasses
import glob
import math
import os
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from PIL import Image

from ganutils import Error
from ganutils.files import container
from ganutils.files.container import File, Stream
from ganutils.files.npy import NPY_FAULTS
from ganutils.files.paths import natural
from ganutils.samples.images import FORMATS

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff")  # of pictures that may be frames
CHUNK = 64  # pictures of a sheet read at a time

Cells = list[list[int | str | None]]


@dataclasses.dataclass
class Frames:
    """A film of `count` frames, each `cells` pictures of one size; a sheet is a film of one frame.

    name      the file, for messages
    size      (H, W, C) of each picture
    pictures  all of them in order, uint8 [n, H, W, C] at a time
    notes     what there is to say of each frame: [count] of {"step": 100, "kimg": 6.4, ...}
    layout    rows of cells: the number of a picture in its frame, a sign, or None for an empty place; or None
    finish    reads a pipe to its end; Error if what writes it failed
    """

    name: str
    count: int
    cells: int
    size: tuple[int, int, int]
    pictures: Iterable[np.ndarray]
    notes: Sequence[Mapping[str, Any]]
    layout: Cells | None = None
    finish: Callable[[], None] = lambda: None

    def frames(self, shown: int) -> Iterator[np.ndarray]:
        """The first `shown` pictures of each frame: uint8 [shown, H, W, C]."""
        frame, at, done = np.empty((shown, *self.size), np.uint8), 0, 0
        for chunk in self.pictures:
            while len(chunk):
                part, chunk = chunk[: self.cells - at], chunk[self.cells - at :]
                kept = part[: max(shown - at, 0)]
                frame[at : at + len(kept)] = kept
                at += len(part)
                if at == self.cells or (at >= shown and done == self.count - 1):
                    yield frame
                    frame, at, done = np.empty_like(frame), 0, done + 1
                    if done == self.count:
                        return  # the rest of a large sheet is not even read


def of_tensor(name: str, images: np.ndarray | Stream, meta: Mapping[str, Any]) -> Frames:
    """Of samples [..., H, W, C] and their metadata: with two leading axes or more the first is time."""
    *lead, h, w, c = images.shape
    count = lead[0] if len(lead) > 1 else 1
    if not math.prod(lead):
        raise Error(f"{name}: holds no pictures; nothing to show")
    cells = math.prod(lead) // count
    chunks = [images] if isinstance(images, np.ndarray) else images.chunks
    pictures = (chunk.reshape(-1, h, w, c) for chunk in chunks)
    return Frames(name, count, cells, (h, w, c), pictures, _notes(name, meta, count), _layout(name, meta, cells))


def _notes(name: str, meta: Mapping[str, Any], count: int) -> list[dict[str, Any]]:
    notes = meta.get("frames", [{}] * count)
    if not isinstance(notes, list) or len(notes) != count or not all(isinstance(note, dict) for note in notes):
        raise Error(f"{name}: damaged: 'frames' in its metadata is not a list of {count} objects, one a frame")
    if any(not isinstance(value, str | int | float) for note in notes for value in note.values()):
        raise Error(f"{name}: damaged: 'frames' in its metadata has values that are not text or numbers")
    return notes


def _layout(name: str, meta: Mapping[str, Any], cells: int) -> Cells | None:
    layout = meta.get("layout")
    if layout is None:
        return None
    rows = layout if isinstance(layout, list) else []
    if not rows or not all(isinstance(row, list) and row and len(row) == len(rows[0]) for row in rows):
        raise Error(f"{name}: damaged: 'layout' in its metadata is not rows of equal length")
    for cell in (cell for row in rows for cell in row):
        if not (cell is None or isinstance(cell, str) or (type(cell) is int and 0 <= cell < cells)):
            last = cells - 1
            raise Error(f"{name}: damaged: {cell!r} in its layout is not a picture from 0 to {last}, a sign or null")
    return rows


# ------------------------------------------------------------------------------------------- opening


@contextlib.contextmanager
def open_frames(names: Sequence[str], is_film: bool) -> Iterator[list[Frames]]:
    """The reels of `names`: samples files, - for a pipe, .npy arrays, folders and globs; single pictures make one reel.

    is_film   whether a film is wanted: then pictures of a folder and rows of an array [N, H, W, C] are its frames, and
              else they are the pictures of a sheet
    """
    with contextlib.ExitStack() as stack:
        found: list[Frames] = []
        loose = [name for name in names if _is_picture(name)]
        for name in names:
            if name in loose:
                if name == loose[0]:  # those of a glob that the shell has expanded
                    found.append(_of_pictures(loose, loose[0], is_film))
            elif name != "-" and (os.path.isdir(name) or _is_glob(name)):
                found.append(_of_pictures(_listed(name), name, is_film))
            elif name.lower().endswith(".npy"):
                found.append(_of_npy(stack.enter_context(_Array.opened(name)), is_film))
            else:
                found.append(_of_file(stack.enter_context(container.read(name, "samples"))))
        yield found


def _of_file(file: File) -> Frames:
    if "images" not in file:
        raise Error(f"{file.name}: points are not pictures; gan-plot draws them")
    shape = file.specs["images"].shape
    rows = file.rows("images", 1 if len(shape) > 4 else CHUNK)
    return dataclasses.replace(
        of_tensor(file.name, Stream(shape, np.dtype(np.uint8), rows), file.meta), finish=file.finish
    )


def _as_wanted(name: str, shape: tuple[int, ...], chunks: Iterable[np.ndarray], is_film: bool) -> Frames:
    """A reel of [N, H, W, C] or [T, N, H, W, C]."""
    if len(shape) == 4 and is_film:
        shape = (shape[0], 1, *shape[1:])
    return of_tensor(name, Stream(shape, np.dtype(np.uint8), chunks), {})


class _Array:
    """A .npy file read in order, without a map: its pages would stay in memory."""

    def __init__(self, name: str, stream: Any):
        self.name, self.stream = name, stream
        try:
            version = np.lib.format.read_magic(stream)
            read = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}[version]
            self.shape, fortran, self.dtype = read(stream)
        except NPY_FAULTS:
            raise Error(f"{name}: damaged, or not a plain NumPy array; save it with np.save") from None
        shape = self.shape
        if len(shape) == 3 or (len(shape) == 4 and shape[-1] not in (1, 3)):  # gray, without its axis of channels
            self.shape = shape = (*shape, 1)
        is_known = self.dtype == np.uint8 or self.dtype.kind == "f"
        if not is_known or fortran or len(shape) not in (4, 5) or shape[-1] not in (1, 3) or 0 in shape:
            wanted = "frames are uint8, or floats from 0 to 1, of shape (T, H, W), (T, H, W, C) or (T, N, H, W, C)"
            raise Error(f"{name}: is {self.dtype} of shape {shape}{' in Fortran order' * fortran}; {wanted}")

    @classmethod
    @contextlib.contextmanager
    def opened(cls, name: str) -> Iterator[_Array]:
        with open(name, "rb") as stream:
            yield cls(name, stream)

    def rows(self) -> Iterator[np.ndarray]:
        for number in range(self.shape[0]):
            row = np.empty(self.shape[1:], self.dtype)
            if self.stream.readinto(row.reshape(-1).view(np.uint8)) != row.nbytes:
                raise Error(f"{self.name}: ends early, in frame {number}; save it again")
            yield (row if self.dtype == np.uint8 else self._bytes(row, number))[None]

    def _bytes(self, row: np.ndarray, number: int) -> np.ndarray:
        low, high = row.min(), row.max()
        if not (low >= 0 and high <= 1):
            hint = "; (x + 1) / 2 brings -1..1 there" if low >= -1 and high <= 1 else ""
            raise Error(f"{self.name}: frame {number} goes from {low:g} to {high:g}; floats are wanted in 0..1{hint}")
        return (row * 255).round().astype(np.uint8)


def _of_npy(array: _Array, is_film: bool) -> Frames:
    return _as_wanted(array.name, array.shape, array.rows(), is_film)


def _is_picture(name: str) -> bool:
    return name.lower().endswith(SUFFIXES) and not _is_glob(name)


def _is_glob(name: str) -> bool:
    return glob.has_magic(name) and not os.path.exists(name)


def _listed(name: str) -> list[str]:
    """The pictures of a folder or a glob."""
    paths = [os.path.join(name, one) for one in os.listdir(name)] if os.path.isdir(name) else glob.glob(name)
    found = [path for path in paths if _is_picture(path) and not os.path.basename(path).startswith(".")]
    if not found:
        raise Error(f"{name}: no pictures there; known are {' '.join(SUFFIXES)}")
    return found


def _of_pictures(paths: Sequence[str], name: str, is_film: bool) -> Frames:
    """Of picture files, in natural order. Their headers are read now, their pixels when a frame is drawn."""
    paths = sorted(paths, key=natural)
    heads = [_picture(path, lambda image: (image.size, image.mode)) for path in paths]
    for path, (size, _) in zip(paths, heads, strict=True):
        if size != heads[0][0]:
            (w, h), (first_w, first_h) = size, heads[0][0]
            raise Error(f"{path}: is {w}x{h}, and {paths[0]} is {first_w}x{first_h}; frames have one size")
    mode = "L" if all(mode in ("1", "L", "LA", "I", "I;16") for _, mode in heads) else "RGB"
    (w, h), c = heads[0][0], len(mode)
    chunks = (_picture(path, lambda image: np.asarray(image.convert(mode))).reshape(1, h, w, c) for path in paths)
    reel = _as_wanted(name, (len(paths), h, w, c), chunks, is_film)
    if is_film:
        reel.notes = [{"name": os.path.splitext(os.path.basename(path))[0]} for path in paths]
    return reel


def _picture(path: str, look: Callable[[Image.Image], Any]) -> Any:
    """What `look` says of a picture; Error with its name if it cannot be read."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path, formats=FORMATS) as image:
                return look(image)
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        raise Error(f"{path}: has too many pixels; make it smaller or take it out") from None
    except (OSError, SyntaxError, ValueError, EOFError) as problem:  # SyntaxError: Pillow's word for a broken PNG
        if isinstance(problem, OSError) and problem.filename:
            raise
        raise Error(f"{path}: is not a picture that can be read; mend it or take it out") from None


# ------------------------------------------------------------------------------------------- joining


def one_after_another(reels: Sequence[Frames]) -> Frames:
    """One film of all; Error unless their frames are alike."""
    first = reels[0]
    for reel in reels[1:]:
        if (reel.cells, reel.size) != (first.cells, first.size):
            sizes = f"are {_words(reel)}, and those of {first.name} {_words(first)}"
            raise Error(f"{reel.name}: its frames {sizes}; bring them to one size")
    pictures = (chunk for reel in reels for chunk in reel.pictures)
    notes = [note for reel in reels for note in reel.notes]
    count = sum(reel.count for reel in reels)

    def finish() -> None:
        for reel in reels:
            reel.finish()

    return dataclasses.replace(first, count=count, pictures=pictures, notes=notes, finish=finish)


def _words(reel: Frames) -> str:
    h, w, c = reel.size
    return f"{reel.cells} of {w}x{h}x{c}"


def side_by_side(reels: Sequence[Frames], shown: Sequence[int]) -> Iterator[list[np.ndarray]]:
    """The frames of all at once; one that ends before the others stays on its last."""
    running = [reel.frames(count) for reel, count in zip(reels, shown, strict=True)]
    last: list[np.ndarray | None] = [None] * len(reels)
    for _ in range(max(reel.count for reel in reels)):
        last = [next(frames, before) for frames, before in zip(running, last, strict=True)]
        yield [frame for frame in last if frame is not None]


def unrolled(reel: Frames, grid: tuple[int, int] | None) -> Frames:
    """A film as one frame: time runs from left to right, with a row for each sample or, in a `grid`, over its rows."""
    if reel.count == 1 and not grid:
        return reel
    layout: Cells = [[t * reel.cells + n for t in range(reel.count)] for n in range(reel.cells)]
    if grid:
        columns, rows = grid
        order = [*(number for row in layout for number in row), *[None] * columns * rows]
        layout = [order[row * columns : (row + 1) * columns] for row in range(rows)]
    return dataclasses.replace(reel, count=1, cells=reel.count * reel.cells, notes=[{}], layout=layout)
