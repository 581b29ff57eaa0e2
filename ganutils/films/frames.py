"""Samples over time, from any source: samples files, pipes, .npy arrays, films, pictures. NumPy and Pillow only.

Sounds and texts are pictures here, drawn as they are read, and what is heard of sounds stands beside.

Frames are read once, in order, and one is in memory at a time, so the length of a film costs no memory.
"""

from __future__ import annotations

import contextlib
import dataclasses
import glob
import itertools
import math
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from ganutils import Error
from ganutils.files import budget, container, kinds, letters, lineage, npy
from ganutils.files.container import File, Stream
from ganutils.files.kinds import Modality
from ganutils.files.npy import Rows
from ganutils.files.paths import natural
from ganutils.films.about import lineage_of, lineage_of_picture
from ganutils.films.drawn import Drawn
from ganutils.films.lettering import Lettering
from ganutils.films.sound import Sound, Track
from ganutils.samples import foreign
from ganutils.samples.changes import Stamp, listed
from ganutils.samples.foreign import UnreadableError
from ganutils.samples.images import Shape, fit_pixels, measure, read
from ganutils.samples.sources.catalog import FILMS, PICTURE_SUFFIXES
from ganutils.samples.sources.films import FilmFile, is_film_file
from ganutils.sounds import hearing
from ganutils.sounds import pictures as drawing

CHUNK = 64  # samples of a sheet that are read at a time
SHEET_LIMIT = 1024  # samples on a frame without a grid: what a screen can show

Color = tuple[int, int, int]  # RGB in 0..255
BLACK: Color = (0, 0, 0)
Cells = list[list[int | str | None]]


@dataclasses.dataclass
class Frames:
    """A film of `count` sheets, each of `cells` samples; a single sheet is a film of one.

    name      the file, for messages
    size      (H, W, C) of each sample
    pictures  all samples in order, uint8 [n, H, W, C] at a time, or what reads as such an array
    notes     what a caption may say of each sheet: [count] of {"step": 100, "kimg": 6.4, ...}
    layout    rows of cells: the number of a sample in its sheet, a sign, or None for an empty place; or None
    finish    reads a pipe to its end; Error if what writes it failed
    lineage   the commands that made them
    beside    what stands beside the pictures, by tensor (see kinds.BESIDE); each is read on its own
    input_names  what is stacked in the inputs
    sound     what is heard of them as they are read; None if nothing
    falls     whether time runs downwards on a page, since the samples are wide
    """

    name: str
    count: int
    cells: int
    size: tuple[int, int, int]
    pictures: Iterable[np.ndarray]
    notes: Sequence[Mapping[str, Any]]
    layout: Cells | None = None
    finish: Callable[[], None] = lambda: None
    lineage: Sequence[str] = ()
    beside: Mapping[str, Frames] = dataclasses.field(default_factory=dict)
    input_names: Sequence[str] = ()
    sound: Sound | None = None
    falls: bool = False

    def sheets(self, shown: int) -> Iterator[np.ndarray]:
        """The first `shown` samples of each sheet: uint8 [shown, H, W, C]."""
        sheet, at, done = np.empty((shown, *self.size), np.uint8), 0, 0
        for chunk in self.pictures:
            while len(chunk):
                part, chunk = chunk[: self.cells - at], chunk[self.cells - at :]
                kept = part[: max(shown - at, 0)]
                sheet[at : at + len(kept)] = kept
                at += len(part)
                if at == self.cells or (at >= shown and done == self.count - 1):
                    yield sheet
                    sheet, at, done = np.empty_like(sheet), 0, done + 1
                    if done == self.count:
                        return  # the rest of a large sheet is not even read


def of_tensors(name: str, tensors: Mapping[str, np.ndarray | Stream], meta: Mapping[str, Any]) -> Frames:
    """Of the pictures, sounds or texts of a samples file, and what stands beside them; see `of_tensor`."""
    beside = {kind: of_tensor(name, tensors[kind], {}) for kind in kinds.BESIDE if kind in tensors}
    frames = of_tensor(name, tensors[kinds.modality(tensors).tensor], meta, kinds.modality(tensors))
    return dataclasses.replace(frames, beside=beside, input_names=meta.get("input_names", ()))


def of_tensor(
    name: str,
    samples: np.ndarray | Stream,
    meta: Mapping[str, Any],
    modality: Modality = kinds.IMAGES,
) -> Frames:
    """Of samples [..., H, W, C], [..., T, C] or [..., T] and their metadata: with two leading axes or more, the first
    is time.
    """
    lead, shape = modality.split(samples.shape)
    count = lead[0] if len(lead) > 1 else 1
    if not math.prod(lead):
        raise Error(f"{name}: holds no {modality.noun}; nothing to show")
    cells = math.prod(lead) // count
    kinds.check_sample(name, shape)
    budget.check(name, count, budget.FRAMES, "frames", "give a part of them")
    chunks: Iterable[np.ndarray] = [samples] if isinstance(samples, np.ndarray) else samples.chunks
    flat = (chunk.reshape(-1, *shape) for chunk in chunks)
    notes, layout = _notes(name, meta, count), _layout(name, meta, cells)
    size: Any = drawing.SHAPE if modality is kinds.SIGNALS else shape
    frames = Frames(name, count, cells, size, flat, notes, layout, lineage=meta.get("lineage", ()))
    if modality is kinds.TEXTS:
        return _of_texts(frames, meta, shape[0])
    heard = hearing.sounds_of(name, meta, shape)
    if heard:
        track = Track(name, heard, count, cells)
        frames.pictures, frames.sound = track.passing(flat), Sound([(count, track)])
    if heard and modality is kinds.SIGNALS:
        drawn: Iterable[Any] = (Drawn(chunk, heard.drawn, drawing.SHAPE) for chunk in frames.pictures)
        frames.pictures = drawn
    return frames


def _of_texts(frames: Frames, meta: Mapping[str, Any], length: int) -> Frames:
    """The same of texts, whose `pictures` are still numbers of letters: drawn as lines, in columns."""
    lettering = Lettering(frames.name, letters.alphabet_of(frames.name, meta), length)
    drawn: Iterable[Any] = (Drawn(chunk, lettering.draw, lettering.size) for chunk in frames.pictures)
    layout: Any = frames.layout or lettering.layout(min(frames.cells, SHEET_LIMIT))
    return dataclasses.replace(frames, size=lettering.size, pictures=drawn, layout=layout, falls=True)


def _notes(name: str, meta: Mapping[str, Any], count: int) -> list[dict[str, Any]]:
    notes = meta.get("frames", [{}] * count)
    if not isinstance(notes, list) or len(notes) != count or not all(isinstance(note, dict) for note in notes):
        raise Error(f"{name}: damaged: 'frames' in its metadata is not a list of {count} objects, one per frame")
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
    signs = sum(isinstance(cell, str) for row in rows for cell in row)
    budget.check(name, signs, budget.SIGNS, "signs in its layout")
    for cell in (cell for row in rows for cell in row):
        if not (cell is None or isinstance(cell, str) or (type(cell) is int and 0 <= cell < cells)):
            last = cells - 1
            raise Error(f"{name}: damaged: {cell!r} in its layout is not a sample from 0 to {last}, a sign or null")
    return rows


# ------------------------------------------------------------------------------------------- opening


@contextlib.contextmanager
def open_frames(names: Sequence[str], is_film: bool, background: Color = BLACK) -> Iterator[list[Frames]]:
    """What `names` hold: samples files, - for a pipe, .npy arrays, films, folders and globs of pictures.

    Pictures that are named one by one, as the shell names those of a glob, are a film in natural order.

    is_film     whether pictures, and rows of an array [N, H, W, C], are frames of a film; else they are on one sheet
    background  what shows through transparent pixels
    """
    with contextlib.ExitStack() as stack:

        def opened(group: str | _Pictures) -> Frames:
            if isinstance(group, _Pictures):
                return _of_pictures(group, is_film, background)
            if group.lower().endswith(".npy"):
                return _of_rows(group, npy.open_npy(group), is_film)
            if is_film_file(group):
                return _of_film(FilmFile(group), background, stack)
            return _of_file(stack.enter_context(container.read(group, "samples")))

        yield [opened(group) for group in _grouped(names)]


class _Pictures(NamedTuple):
    """Picture files that are one film, or one sheet; messages call them `name`. `check`: Error if it was changed."""

    name: str
    paths: list[str]
    check: Callable[[], None] = lambda: None


def _grouped(names: Sequence[str]) -> list[str | _Pictures]:
    """The inputs; pictures that are named one by one are a single input, in the place of the first."""
    groups: list[str | _Pictures] = []
    named: list[str] = []
    for name in names:
        if name != "-" and os.path.isdir(name):
            found, check = listed(name, lambda name=name: _known(name, _paths_in(name), PICTURE_SUFFIXES))  # type: ignore[misc]
            groups.append(_Pictures(name, found, check))
        elif glob.has_magic(name) and not os.path.exists(name):
            paths = _known(name, glob.glob(name), (*PICTURE_SUFFIXES, *FILMS))
            films = list(filter(is_film_file, paths))
            stills = [path for path in paths if path not in films]
            groups += [_Pictures(name, stills)] if stills else []
            groups += films
        elif is_film_file(name) or not name.lower().endswith(PICTURE_SUFFIXES):
            groups.append(name)
        else:
            named.append(name)
            if len(named) == 1:
                groups.append(_Pictures(name, named))
    return groups


def _paths_in(folder: str) -> list[str]:
    return [os.path.join(folder, name) for name in os.listdir(folder)]


def _known(name: str, paths: Sequence[str], suffixes: tuple[str, ...]) -> list[str]:
    """Those with one of `suffixes` among the files of a folder or glob, in natural order; Error if none."""
    visible = [path for path in paths if not os.path.basename(path).startswith(".")]
    known = [path for path in visible if path.lower().endswith(suffixes)]
    if not known:
        raise Error(f"{name}: no pictures found; known are {' '.join(dict.fromkeys(suffixes))}")
    return sorted(known, key=natural)


def _of_file(file: File) -> Frames:
    main = kinds.modality(file.specs)
    if main is kinds.POINTS:
        raise Error(f"{file.name}: {main.noun} are not pictures; gan-plot draws them")
    names = [name for name in (main.tensor, *kinds.BESIDE) if name in file]
    if len(names) > 1:
        file.spool()  # they are read side by side
    lead, shape = main.split(file.specs[main.tensor].shape)
    most = container.CHUNK // (math.prod(shape) * main.dtype.itemsize)
    count = 1 if len(lead) > 1 else max(1, min(CHUNK, most))
    tensors = {name: Stream(file.specs[name].shape, file.specs[name].dtype, file.rows(name, count)) for name in names}
    return dataclasses.replace(of_tensors(file.name, tensors, file.meta), finish=file.finish)


def _of_film(film: FilmFile, background: Color, stack: contextlib.ExitStack) -> Frames:
    h, w = film.size
    c = 1 if film.is_gray and len(set(background)) == 1 else 3
    shape = Shape(channels=c, background=background)
    pictures = stack.enter_context(contextlib.closing(film.frames()))
    chunks = (fit_pixels(picture, shape)[None] for picture in pictures)
    stream = Stream((film.count, 1, h, w, c), np.dtype(np.uint8), chunks)
    return of_tensor(film.name, stream, {"lineage": lineage_of(film.name)})


def _of_rows(name: str, rows: Rows, is_film: bool) -> Frames:
    """Of an array of sheets [T, N, H, W, C], or of frames or samples [N, H, W, C] or [N, H, W]."""
    shape = rows.shape
    if len(shape) == 3 or (len(shape) == 4 and shape[-1] not in (1, 3)):  # gray, without its axis of channels
        shape = (*shape, 1)
    is_known = rows.dtype == np.uint8 or rows.dtype.kind == "f"
    if not is_known or len(shape) not in (4, 5) or shape[-1] not in (1, 3) or 0 in shape:
        wanted = "uint8, or floats from 0 to 1, of shape (T, H, W), (T, H, W, C) or (T, N, H, W, C)"
        raise Error(f"{name}: is {rows.dtype} of shape {rows.shape}; frames are {wanted}")
    chunks = (_bytes(name, rows[number : number + 1], number) for number in range(shape[0]))
    return _of_pixels(name, shape, chunks, is_film)


def _bytes(name: str, row: np.ndarray, number: int) -> np.ndarray:
    if row.dtype == np.uint8:
        return row
    low, high = row.min(), row.max()
    if not (low >= 0 and high <= 1):
        hint = "; (x + 1) / 2 maps -1..1 to it" if low >= -1 and high <= 1 else ""
        raise Error(f"{name}: frame {number} has values from {low:g} to {high:g}; floats must be in 0..1{hint}")
    return (row * 255).round().astype(np.uint8)


def _of_pictures(pictures: _Pictures, is_film: bool, background: Color) -> Frames:
    """Their sizes are read now, their pixels when a frame is drawn."""
    paths = sorted(pictures.paths, key=natural)
    found = list(_readable(_measured, [(path, background) for path in paths]))
    shapes = [shape for shape, _, _ in found]
    (h, w, _), c = shapes[0], max(c for *_, c in shapes)
    for path, (own_h, own_w, _) in zip(paths, shapes, strict=True):
        if (own_h, own_w) != (h, w):
            raise Error(f"{path}: is {own_w}x{own_h}, but {paths[0]} is {w}x{h}; give frames of one size")
    shape = Shape(channels=c, background=background)
    items = [(path, shape, seen) for path, (_, seen, _) in zip(paths, found, strict=True)]
    chunks = (picture[None] for picture in _readable(read, items))
    frames = _of_pixels(pictures.name, (len(paths), h, w, c), chunks, is_film)
    frames.lineage = lineage.merged(dict.fromkeys(tuple(lines) for _, _, lines in found))
    frames.finish = pictures.check
    if is_film:
        frames.notes = [{"name": os.path.splitext(os.path.basename(path))[0]} for path in paths]
    return frames


def _measured(path: str, background: Color) -> tuple[tuple[int, int, int], Stamp, list[str]]:
    """(H, W, C) of a picture, its stamp, and its lineage, in a process for foreign code."""
    return *measure(path, background), lineage_of_picture(path)


def _readable(reader: Callable[..., Any], items: Sequence[tuple[Any, ...]]) -> Iterator[Any]:
    """reader(path, ...) of each item (path, ...); Error with the picture's name if it cannot be read."""
    results = foreign.each(reader, items)
    for path, *_ in items:
        try:
            yield next(results)
        except UnreadableError as problem:
            raise Error(f"{path}: {problem}") from None


def _of_pixels(name: str, shape: tuple[int, ...], chunks: Iterable[np.ndarray], is_film: bool) -> Frames:
    """Of [N, H, W, C] or [T, N, H, W, C]."""
    if len(shape) == 4 and is_film:
        shape = (shape[0], 1, *shape[1:])
    return of_tensor(name, Stream(shape, np.dtype(np.uint8), chunks), {})


# ------------------------------------------------------------------------------------------- joining


def one_after_another(films: Sequence[Frames]) -> Frames:
    """One film of all; Error unless their sheets are alike."""
    first = films[0]
    for film in films[1:]:
        if (film.cells, film.size) != (first.cells, first.size):
            sizes = f"are {_in_words(film)}, but those of {first.name} are {_in_words(first)}"
            raise Error(f"{film.name}: its frames {sizes}; bring them to one size")
    pictures = (chunk for film in films for chunk in film.pictures)
    notes = [note for film in films for note in film.notes]
    count = sum(film.count for film in films)

    def finish() -> None:
        for film in films:
            film.finish()

    kinds_of_all = [kind for kind in first.beside if all(kind in film.beside for film in films)]
    beside = {kind: one_after_another([film.beside[kind] for film in films]) for kind in kinds_of_all}
    sound = Sound.joined([(film.count, film.sound) for film in films])
    return dataclasses.replace(
        first, count=count, pictures=pictures, notes=notes, finish=finish, beside=beside, sound=sound
    )


def first_sound(films: Sequence[Frames]) -> Sound | None:
    """What is heard of several at once: the first that can be."""
    return next((film.sound for film in films if film.sound), None)


def _in_words(film: Frames) -> str:
    h, w, c = film.size
    return f"{film.cells} of {w}x{h}x{c}"


def side_by_side(films: Sequence[Frames], shown: Sequence[int]) -> Iterator[list[np.ndarray]]:
    """The sheets of all films at once; one that ends before the others stays on its last."""
    running = [film.sheets(count) for film, count in zip(films, shown, strict=True)]
    last: list[np.ndarray | None] = [None] * len(films)
    for _ in range(max(film.count for film in films)):
        last = [next(sheets, before) for sheets, before in zip(running, last, strict=True)]
        yield [sheet for sheet in last if sheet is not None]


def check_grid(name: str, columns: int, rows: int) -> None:
    """Error, with the file's `name`, if a frame would have more cells than anyone can see."""
    if columns * rows > budget.CELLS:
        raise Error(f"{name}: a grid of {columns:,}x{rows:,} is too large; at most {budget.CELLS:,} cells fit")


def unrolled(film: Frames, grid: tuple[int, int] | None) -> Frames:
    """A film as one sheet: time runs from left to right, with a row per sample or, in a `grid`, on over its rows. That
    of texts runs downwards.
    """
    if film.count == 1 and not grid:
        return film
    columns, rows = grid or ((film.cells, film.count) if film.falls else (film.count, film.cells))
    check_grid(film.name, columns, rows)
    numbers: Iterable[int] = (t * film.cells + n for n in range(film.cells) for t in range(film.count))
    numbers = range(film.count * film.cells) if film.falls else numbers
    cells = itertools.chain(numbers, itertools.repeat(None))
    layout: Cells = [list(itertools.islice(cells, columns)) for _ in range(rows)]
    return dataclasses.replace(film, count=1, cells=film.count * film.cells, notes=[{}], layout=layout)
