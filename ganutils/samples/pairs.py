"""Pairs: pictures, and the inputs they are to be made from: halves of one picture, partners elsewhere, or derived."""

from __future__ import annotations

import dataclasses
import functools
import itertools
import os
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from ganutils import Error, randomness
from ganutils.files.container import Stream
from ganutils.files.kinds import BESIDE, IMAGES
from ganutils.samples import foreign
from ganutils.samples.coloring import Coloring, colored
from ganutils.samples.decoding import NAMED, Tensors
from ganutils.samples.derive import DERIVE, Way
from ganutils.samples.foreign import UnreadableError
from ganutils.samples.images import Shape, fit_pixels
from ganutils.samples.selection import Collection, join
from ganutils.samples.sources.source import Drawn, Source


class Pairing(NamedTuple):
    """How pictures get inputs.

    halves  which half of each is the input, and which the picture, as right,left
    derive  how the input is made of the picture
    swap    whether inputs and pictures change places in the end
    film    whether each sample is a frame of a film
    """

    halves: str | None = None
    derive: Way | None = None
    swap: bool = False
    film: bool = False


def made(sources: list[Source], pairing: Pairing, coloring: Coloring, seed: int) -> list[Source]:
    """`sources` whose `draw` gives inputs too, if `pairing` says how, and other colors. Error if
    they hold others than pictures."""
    if pairing.halves or pairing.derive:
        for source in sources:
            check_pictures(source)
    starts = np.cumsum([0, *(source.total for source in sources[:-1])]).tolist()
    if pairing.halves:
        sources = [_halved(source, pairing.halves) for source in sources]
    sources = colored(sources, starts, coloring, seed)
    if pairing.derive:
        return [_derived(source, pairing.derive, seed, start) for source, start in zip(sources, starts, strict=True)]
    return sources


def check_pictures(source: Source) -> None:
    """Error unless it holds pictures."""
    if source.modality is not IMAGES:
        raise Error(f"{source.name}: holds {source.modality.noun}; only pictures have inputs")


def _with_inputs(source: Source, load: Callable[[int], Any], draw: Callable[[Any, Shape], Drawn], name: str) -> Source:
    """`source` with inputs that are drawn; what stood beside its pictures is gone."""
    source = dataclasses.replace(source, pixels=None, beside={"inputs": None}, input_names=(name,))
    return dataclasses.replace(source, load=load, draw=draw)


# --------------------------------------------------------------------------------------------- halves


def _halved(source: Source, halves: str) -> Source:
    draw = functools.partial(_draw_halves, source.draw, halves)
    return _with_inputs(source, source.load, draw, halves.split(",")[0])


def _draw_halves(draw: Callable[[Any, Shape], Drawn], halves: str, loaded: Any, shape: Shape) -> Drawn:
    """The halves of a picture, each in the given shape; a middle line of an odd number belongs to neither."""
    whole = _picture(draw(loaded, shape._replace(size=None, crop=None, channels=None)))
    h, w, _ = whole.shape
    if (w if "left" in halves else h) < 2:
        raise UnreadableError(f"is {w}x{h}, too narrow to be two pictures")
    parts = {
        "left": whole[:, : w // 2],
        "right": whole[:, w - w // 2 :],
        "top": whole[: h // 2],
        "bottom": whole[h - h // 2 :],
    }
    first, second = (np.ascontiguousarray(parts[half]) for half in halves.split(","))
    return {"images": fit_pixels(second, shape), "inputs": fit_pixels(first, shape.of_inputs)}


def _picture(drawn: Drawn) -> np.ndarray:
    return drawn["images"] if isinstance(drawn, dict) else drawn


# -------------------------------------------------------------------------------------------- derived


def _derived(source: Source, way: Way, seed: int, start: int) -> Source:
    """The source whose first row is `start` of all, which chooses the noise."""
    if DERIVE[way.name].make is None and source.sketch is None:
        raise Error(f"{source.name}: cannot be drawn as a sketch, as toy:faces can; --derive edges is for pictures")
    draw = functools.partial(_draw_derived, source.draw, source.sketch, way, seed)
    return _with_inputs(source, lambda row: (source.load(row), start + row), draw, str(way))


def _draw_derived(
    draw: Callable[[Any, Shape], Drawn],
    sketch: Callable[[Any, Shape, bool], np.ndarray] | None,
    way: Way,
    seed: int,
    loaded: tuple[Any, int],
    shape: Shape,
) -> Drawn:
    """A picture, and the input that is made of it, or drawn as it was."""
    about, row = loaded
    picture = _picture(draw(about, shape))
    make = DERIVE[way.name].make
    if make is not None:
        foreign.allow_making(picture.size)
        return {"images": picture, "inputs": make(picture, way.number, randomness.stream(seed, way.name, row))}
    assert sketch is not None
    return {"images": picture, "inputs": sketch(about, shape, way.word == "color")}


# ------------------------------------------------------------------------------------------- partners


class Partners(NamedTuple):
    """Pictures of other sources that are the inputs of samples, or some of their channels.

    pictures  of those sources
    name      what they show
    rows      int64 [samples]: the partner of each, -1 where there is none
    """

    pictures: Collection
    name: str
    rows: np.ndarray


def partners(collection: Collection, sources: list[Source]) -> Partners:
    """Which pictures of `sources` are the inputs of those of `collection`.

    Those of the same path, or path without suffix; if there are none at all, of the same name without folders and
    suffix. Where one side has no file names, and of a picture and another, row by row. Error if there are none, or it
    is not clear which.
    """
    for source in (*collection.sources, *sources):
        check_pictures(source)
    others, name = join(sources), sources[0].stem
    if _has_names(others) and _has_names(collection) and (others.total, collection.total) != (1, 1):
        return Partners(others, name, _matched(collection, others))
    if others.total != collection.total:
        counts = f"{others.title} has {others.total:,} pictures, and {collection.title} {collection.total:,}"
        raise Error(f"--inputs: {counts}; without file names they are paired row by row, so give as many")
    return Partners(others, name, np.arange(others.total))


def _has_names(collection: Collection) -> bool:
    return all(source.names is not None for source in collection.sources)


def _paths(collection: Collection) -> list[str]:
    return [os.path.normpath(name) for source in collection.sources for name in source.names or ()]


def _without_suffix(path: str) -> str:
    return os.path.splitext(path)[0]


def _matched(collection: Collection, others: Collection) -> np.ndarray:
    """The row of each sample's partner, or -1."""
    rows = np.full(collection.total, -1, np.int64)
    sides, keys = (collection, others), (_paths(collection), _paths(others))
    _match(rows, sides, keys)
    keys = [_without_suffix(path) for path in keys[0]], [_without_suffix(path) for path in keys[1]]
    _match(rows, sides, keys)
    if (rows < 0).all():  # else what is left in other folders is of strangers
        _match(rows, sides, ([*map(os.path.basename, keys[0])], [*map(os.path.basename, keys[1])]))
    if (rows < 0).all():
        said = f"{others.title} has no partner for {collection.name(0)}, nor for any other"
        raise Error(f"--inputs: {said}; partners have the same name, but for the suffix")
    return rows


def _match(rows: np.ndarray, sides: tuple[Collection, Collection], keys: tuple[list[str], list[str]]) -> None:
    """Pair what has no partner yet and the same key. Error if a key is that of several."""
    used, free, asking = set(rows.tolist()), dict[str, list[int]](), dict[str, list[int]]()
    for row, key in enumerate(keys[1]):
        if row not in used:
            free.setdefault(key, []).append(row)
    for row in np.flatnonzero(rows < 0).tolist():
        if keys[0][row] in free:
            asking.setdefault(keys[0][row], []).append(row)
    for key, wanted in asking.items():
        for several, side, other, one in ((wanted, *sides, free[key]), (free[key], *sides[::-1], wanted)):
            if len(several) > 1:
                both = " and ".join(side.name(row) for row in several[:2])
                raise Error(f"--inputs: {both} could both be the partner of {other.name(one[0])}; rename one of them")
        rows[wanted[0]] = free[key][0]


def tell_lone(collection: Collection, found: Sequence[Partners], strict: bool, say: Callable[[str], None]) -> None:
    """Name and count what has no partner, on both sides; Error if that is forbidden."""
    for each in found:
        theirs = np.setdiff1d(np.arange(each.pictures.total), each.rows)
        for side, other, lone in (
            (collection, each.pictures, np.flatnonzero(each.rows < 0)),
            (each.pictures, collection, theirs),
        ):
            lines = [f"{side.name(row)}: has no partner in {other.title}" for row in lone[:NAMED].tolist()]
            if lines and strict:
                raise Error(f"{lines[0]} (--strict)")
            for line in lines:
                say(f"{line}; skipped")
            if len(lone):
                say(f"{len(lone):,} of {side.total:,} pictures of {side.title} have no partner in {other.title}")


def paired(collection: Collection, found: Sequence[Partners]) -> np.ndarray | None:
    """Which samples have all their partners, bool [samples]; None for all."""
    return np.all([each.rows >= 0 for each in found], 0) if found else None


# -------------------------------------------------------------------------------------------- tensors


def stacked(parts: Sequence[Stream], titles: Sequence[str]) -> Stream:
    """Pictures that are the channels of one; Error if they differ in size, or are too many channels."""
    first = parts[0].shape
    for part, title in zip(parts, titles, strict=True):
        if part.shape[:3] != first[:3]:
            sizes = f"pictures of {title} are {_size(part)}, those of {titles[0]} {_size(parts[0])}"
            raise Error(f"--inputs: {sizes}; give all one --size, e.g. 64")
    channels = sum(part.shape[3] for part in parts)
    if channels > BESIDE["inputs"][-1]:
        raise Error(f"--inputs: {channels} channels are more than {BESIDE['inputs'][-1]}; give fewer, or gray pictures")
    if len(parts) == 1:
        return parts[0]
    rows = zip(*(itertools.chain.from_iterable(part.chunks) for part in parts), strict=True)
    return Stream((*first[:3], channels), parts[0].dtype, (np.concatenate(row, 2)[None] for row in rows))


def _size(stream: Stream | np.ndarray) -> str:
    return "{1}x{0}".format(*stream.shape[1:3])


def swapped(tensors: Tensors, title: str, channels: int | None) -> Tensors:
    """Inputs as pictures, with so many channels, and the other way round, without what belongs to pictures alone.

    Error if that cannot be.
    """
    if "inputs" not in tensors:
        raise Error(f"{title}: has no inputs for --swap; make some with --inputs, --halves or --derive")
    images, inputs = tensors[IMAGES.tensor], tensors["inputs"]
    if inputs.shape[:3] != images.shape[:3] or inputs.shape[3] not in IMAGES.channels:
        sizes = f"{IMAGES.one.format(*inputs.shape[1:])} beside pictures of {_size(images)}"
        raise Error(f"{title}: has inputs of {sizes}; --swap takes those of the same size, with 1 or 3 channels")
    kept = {name: tensor for name, tensor in tensors.items() if name not in ("back", "targets", "latents")}
    return {**kept, IMAGES.tensor: _with_channels(inputs, channels or inputs.shape[3]), "inputs": images}


def _with_channels(pictures: np.ndarray | Stream, channels: int) -> np.ndarray | Stream:
    """Pictures [N, H, W, C] in gray or RGB."""
    if pictures.shape[3] == channels:
        return pictures
    assert isinstance(pictures, Stream), "as all pictures that are read"
    shape = Shape(channels=channels)
    chunks = (np.stack([fit_pixels(picture, shape) for picture in chunk]) for chunk in pictures.chunks)
    return pictures._replace(shape=(*pictures.shape[:3], channels), chunks=chunks)


def as_film(tensors: Tensors) -> Tensors:
    """A sheet [N, ...] as a film [N, 1, ...]: one sample in each frame."""

    def framed(tensor: np.ndarray | Stream) -> np.ndarray | Stream:
        shape = tensor.shape[0], 1, *tensor.shape[1:]
        return tensor._replace(shape=shape) if isinstance(tensor, Stream) else tensor.reshape(shape)

    return {name: framed(tensor) for name, tensor in tensors.items()}
