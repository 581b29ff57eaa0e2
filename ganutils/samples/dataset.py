"""From sources to the tensors of one samples file: joined, paired, selected, decoded on all cores, and shaped."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from ganutils import Error
from ganutils.files import kinds
from ganutils.files.container import Stream
from ganutils.files.kinds import IMAGES, POINTS, SIGNALS, TEXTS, Modality
from ganutils.samples import pairs, sounds, stacks, texts
from ganutils.samples.coloring import Coloring
from ganutils.samples.decoding import Reader, Tensors
from ganutils.samples.images import Shape
from ganutils.samples.pairs import Pairing, Partners
from ganutils.samples.selection import Collection, Selection, describe, join, joined_meta, select, shuffled
from ganutils.samples.signals import Clip
from ganutils.samples.sources.downloads import Progress
from ganutils.samples.sources.source import Source

LONGEST = 4  # a picture longer than this times its width is probably something else


class Dataset(NamedTuple):
    """Tensors and metadata of a samples file, and a summary for the user."""

    tensors: Tensors
    meta: dict[str, Any]
    summary: str


@contextlib.contextmanager
def prepare(
    sources: list[Source],
    selection: Selection,
    looks: tuple[Shape, Clip],
    output: str,
    strict: bool,
    say: Callable[[str], None],
    progress: Progress,
    coloring: Coloring,
    pairing: Pairing,
    inputs: Sequence[list[Source]],
) -> Iterator[Dataset]:
    """The selected samples, in the shape given for pictures or what is asked of sounds and texts, to be written to
    `output` before the block ends.

    Each of `inputs` are the sources of their partners; several are stacked. A sample that cannot be read, or has no
    partner, is skipped, which `say` is told. Error instead if `strict`, or if more than half of them cannot be read.
    When all have been written, `say` is told of those that are probably not what the user thinks: of a single color,
    very long, or silent.
    """
    shape, clip = looks
    sounds.check_asked(sources, shape, clip)
    sources = pairs.made(sources, pairing, coloring, selection.seed)
    collection = join(sources)
    partners = [pairs.partners(collection, each) for each in inputs]
    every = [*sources, *(source for each in inputs for source in each)]
    _tell([collection, *(one.pictures for one in partners)], strict, say)
    pairs.tell_lone(collection, partners, strict, say)
    selected = select(collection, selection, pairs.paired(collection, partners))
    with contextlib.ExitStack() as stack:
        reader = Reader(output, strict, say, progress, stack)
        order = functools.partial(_ordered, selection)
        own: dict[str, Any] = {}
        if collection.modality is POINTS:
            rows, tensors = _points(sources, order(selected))
        elif collection.modality is SIGNALS:
            rows, tensors, own = sounds.read(reader, collection, selected, clip, order)
        elif collection.modality is TEXTS:
            length = clip.length and clip.length.letters(collection.title)
            rows, tensors, own = texts.read(collection, selected, length, order, say)
        else:
            before = shape.of_inputs if pairing.swap else shape  # channels are those of what will be the pictures
            rows, tensors = _pictures(reader, collection, partners, selected, before, order)
        for source in every:
            source.check()
        about, meta = describe(collection, rows, selection)
        tensors |= about
        meta |= own
        if partners:
            meta |= joined_meta(every)
        if "inputs" in tensors:
            names = [one.name for one in partners] or collection.input_names
            meta["input_names"] = [*names]
        if pairing.swap:
            tensors = pairs.swapped(tensors, collection.title, shape.channels)
            meta["input_names"] = [IMAGES.tensor]
        if shape.size and collection.modality is IMAGES:
            meta["resampling"] = shape.filter
        modality = kinds.modality(tensors)
        flat: list[int] = []
        main = tensors[modality.tensor]
        if isinstance(main, Stream) and modality is not TEXTS:
            main = tensors[modality.tensor] = main._replace(chunks=_watched(main.chunks, flat))
        is_changed = any(coloring) or pairing.halves or pairing.swap or shape.crop
        meta = sounds.described(meta, main.shape[1:], bool(is_changed))
        is_other = coloring.tint or pairing.halves or pairing.swap or selection.relabel
        meta = stacks.described(meta, main.shape[1:], bool(is_other))
        summary = _summary(modality, main.shape, len(selected), tensors)
        yield Dataset(pairs.as_film(tensors) if pairing.film else tensors, meta, summary)
        _tell_flat(collection, rows, flat, say)
        if collection.modality is IMAGES and not (shape.size or shape.crop):
            _tell_long(main.shape, say)


def _tell(collections: Sequence[Collection], strict: bool, say: Callable[[str], None]) -> None:
    """What could not be read of the sources, which is an error if that is forbidden, and other notes."""
    for problem in (problem for each in collections for source in each.sources for problem in source.unread):
        if strict:
            raise Error(f"{problem} (--strict)")
        say(f"{problem}; skipped")
    for note in (note for each in collections for note in each.notes):
        say(note)


def _points(sources: Sequence[Source], rows: np.ndarray) -> tuple[np.ndarray, Tensors]:
    """`rows`, and the tensors of these points."""
    points = [source.points for source in sources if source.points is not None]
    return rows, {POINTS.tensor: np.concatenate(points)[rows]}


def _pictures(
    reader: Reader,
    collection: Collection,
    partners: Sequence[Partners],
    selected: np.ndarray,
    shape: Shape,
    order: Callable[[np.ndarray], np.ndarray],
) -> tuple[np.ndarray, Tensors]:
    """Which of the selected samples can be read, with their inputs, put in `order`; and their tensors."""
    own = reader.read(collection, selected, shape, (IMAGES.tensor, *(() if partners else collection.beside)))
    others = [
        reader.read(one.pictures, np.unique(one.rows[selected]), shape.of_inputs, (IMAGES.tensor,)) for one in partners
    ]
    rows = own.rows
    for one, read in zip(partners, others, strict=True):
        rows = rows[np.isin(one.rows[rows], read.rows)]
    if not len(rows):
        raise Error(f"{collection.title}: of no pair could both pictures be read")
    rows = order(rows)
    tensors: Tensors = dict(own.streams(rows))
    if partners:
        parts = [read.streams(one.rows[rows])[IMAGES.tensor] for one, read in zip(partners, others, strict=True)]
        tensors["inputs"] = pairs.stacked(parts, [one.pictures.title for one in partners])
    return rows, tensors


def _watched(chunks: Iterable[np.ndarray], flat: list[int]) -> Iterator[np.ndarray]:
    """`chunks` [n, H, W, C] or [n, T, C]; the numbers of pictures of a single color, and of sounds that never move, are
    added to `flat` as they pass.
    """
    start = 0
    for samples in chunks:
        inner = samples.shape[1:-1]
        places = samples.reshape(len(samples), -1, samples.shape[-1])
        middle = np.ravel_multi_index([length // 2 for length in inner], inner)
        alike = np.flatnonzero((places[:, 0] == places[:, middle]).all(1))  # most differ in these already
        some = places[alike]
        if places.shape[1] > 1 and len(some):
            flat += (start + alike[(some == some[:, :1]).all((1, 2))]).tolist()
        start += len(samples)
        yield samples


def _tell_flat(collection: Collection, rows: np.ndarray, flat: Sequence[int], say: Callable[[str], None]) -> None:
    """How many of `rows` are of a single color or silent: the numbers `flat` of them."""
    if flat:
        are = "pictures are a single color" if collection.modality is IMAGES else "sounds are silent"
        say(f"{len(flat):,} of {len(rows):,} {are}; the first is {collection.name(int(rows[flat[0]]))}")


def _tell_long(shape: tuple[int, ...], say: Callable[[str], None]) -> None:
    """That pictures [N, H, W, C] are probably something else, if they are very long."""
    _, h, w, _ = shape
    if max(h, w) > LONGEST * min(h, w):
        say(f"pictures are {w}x{h}, more than {LONGEST}:1; check the source, or give --size or --crop")


def _summary(modality: Modality, shape: tuple[int, ...], selected: int, tensors: Tensors) -> str:
    count, *sample = shape
    inputs = f" with inputs of {IMAGES.one.format(*tensors['inputs'].shape[1:])}" if "inputs" in tensors else ""
    skipped = f", {selected - count:,} skipped" if count < selected else ""
    return f"{count:,} {modality.many.format(*sample)}{inputs}{skipped}"


def _ordered(selection: Selection, rows: np.ndarray) -> np.ndarray:
    return shuffled(rows, selection.seed, "shuffle") if selection.shuffle else rows
