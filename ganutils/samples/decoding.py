"""The pictures of a collection: copied as they are, or decoded on all cores and shaped.

Some may turn out to be unreadable, so their number is known only after decoding: pixels wait in nameless files beside
the result, and are copied from there. Memory holds a few batches, whatever the set's size.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple, cast

import numpy as np

from ganutils import Error
from ganutils.files import container
from ganutils.files.container import Stream
from ganutils.files.kinds import IMAGES
from ganutils.files.spool import Spool
from ganutils.samples import pool
from ganutils.samples.foreign import UnreadableError
from ganutils.samples.images import Shape
from ganutils.samples.pool import Job
from ganutils.samples.selection import Collection
from ganutils.samples.sources.downloads import Progress
from ganutils.samples.sources.source import Drawn, Pixels, Source

BATCH = 32  # pictures in a job for a decoding process
BATCH_BYTES = 1 << 20  # of packed pictures in a job, or of the pixels it gives, where their size is known
ROWS = 1 << 16  # of pixels that are copied at a time: where each lies takes memory too
NAMED = 20  # skipped pictures that are named; further ones are counted

Tensors = dict[str, np.ndarray | Stream]


class Pictures(NamedTuple):
    """Those of a collection that can be read.

    rows     which they are, int64 [n], ascending
    streams  some of these rows, in any order -> uint8 [n, H, W, C] by tensor
    """

    rows: np.ndarray
    streams: Callable[[np.ndarray], dict[str, Stream]]


class Reader(NamedTuple):
    """How pictures are read.

    output    the result, beside which they wait
    strict    whether one that cannot be read is an error, or skipped, which `say` is told
    progress  total -> a bar
    stack     removes what waits
    """

    output: str
    strict: bool
    say: Callable[[str], None]
    progress: Progress
    stack: contextlib.ExitStack

    def read(self, collection: Collection, rows: np.ndarray, shape: Shape, tensors: Sequence[str]) -> Pictures:
        """Pictures at `rows`, ascending, in the given shape: the `tensors` of each, images and what is beside them."""
        if all(_are_copied(collection.sources, name, shape) for name in tensors):
            return Pictures(rows, lambda order: {name: _copied(collection, name, order) for name in tensors})
        spools = {name: self.stack.enter_context(Spool.beside(self.output)) for name in tensors}
        read = rows[_decode(collection, rows, shape, spools, self)]
        _tell_gray(collection, read, spools[IMAGES.tensor].channels, self.say)

        def streams(order: np.ndarray) -> dict[str, Stream]:
            places = np.searchsorted(read, order)
            return {name: spool.stream(places) for name, spool in spools.items()}

        return Pictures(read, streams)


# ----------------------------------------------------------------------------------------------- copy


def _are_copied(sources: list[Source], tensor: str, shape: Shape) -> bool:
    """Whether all pixels of a tensor can be copied as they are."""
    pixels = [each for source in sources if (each := source.pixels_of(tensor)) is not None]
    shapes = {each.shape[1:] for each in pixels}
    if len(pixels) < len(sources) or len(shapes) != 1:
        return False
    if tensor == IMAGES.tensor:
        return not shape.changes(*shapes.pop())
    return tensor == "inputs" or shape.channels in (None, shapes.pop()[2])  # of the size of images, if that stays


def _copied(collection: Collection, tensor: str, rows: np.ndarray) -> Stream:
    """Pixels in the order of `rows`."""
    pixels = [cast(Pixels, source.pixels_of(tensor)) for source in collection.sources]
    shape = pixels[0].shape[1:]
    most = max(1, min(ROWS, container.CHUNK // math.prod(shape)))

    def chunks() -> Iterator[np.ndarray]:
        for part in np.split(rows, range(most, len(rows), most)):
            at = collection.source_of(part)
            chunk = np.empty((len(part), *shape), np.uint8)
            for number in np.unique(at):
                places = at == number
                chunk[places] = pixels[number][part[places] - collection.starts[number]]
            yield chunk

    return Stream((len(rows), *shape), np.dtype(np.uint8), chunks())


# --------------------------------------------------------------------------------------------- decode


def _work(
    draw: Callable[[Any, Shape], Drawn], loaded: Any, shape: Shape, tensors: Sequence[str]
) -> dict[str, np.ndarray] | UnreadableError:
    """A picture's pixels by tensor, or why it cannot be read; `loaded` is what draw takes, or an UnreadableError."""
    if isinstance(loaded, UnreadableError):
        return loaded
    try:
        drawn = draw(loaded, shape)
    except UnreadableError as problem:
        return problem
    return {name: drawn[name] for name in tensors} if isinstance(drawn, dict) else {IMAGES.tensor: drawn}


def _decode(
    collection: Collection,
    rows: np.ndarray,
    shape: Shape,
    spools: dict[str, Spool],
    reader: Reader,
) -> np.ndarray:
    """Put those pictures of `rows` that can be read into `spools`, by tensor; returns which they are, int64."""
    read: list[int] = []
    skipped = 0
    processes = 1 if len(rows) <= 2 * BATCH else pool.cores()
    with reader.progress(len(rows)) as bar:
        for at, result in enumerate(pool.in_order(_work, _jobs(collection, rows, shape, tuple(spools)), processes)):
            if isinstance(result, UnreadableError):
                message = f"{collection.name(int(rows[at]))}: {result}"
                if reader.strict:
                    raise Error(f"{message} (--strict)")
                if skipped < NAMED:
                    reader.say(f"{message}; skipped")
                skipped += 1
            else:
                for name, spool in spools.items():
                    spool.append(result[name], lambda at=at: collection.name(int(rows[at])))  # type: ignore[misc]
                read.append(at)
            if at % BATCH == BATCH - 1:
                bar.advance(BATCH, f"{at + 1:,} of {len(rows):,} pictures")
        bar.advance(len(rows) % BATCH)
    if skipped > NAMED:
        reader.say(f"... and {skipped - NAMED:,} more")
    if 2 * skipped > len(rows):
        raise Error(f"{skipped:,} of {len(rows):,} pictures cannot be read; check that these are the right files")
    return np.array(read, np.int64)


def _tell_gray(collection: Collection, read: np.ndarray, channels: np.ndarray, say: Callable[[str], None]) -> None:
    """Which sources are gray beside others in color, given the channels of the rows that were read."""
    grays, colors = ({*collection.source_of(read[channels == c]).tolist()} for c in (1, 3))
    names = [collection.sources[at].name for at in sorted(grays - colors)]
    if names and colors:
        say(f"{' and '.join(names)}: gray pictures become RGB, as the others are")


def _jobs(collection: Collection, rows: np.ndarray, shape: Shape, tensors: Sequence[str]) -> Iterator[Job]:
    """What to draw, source by source, some pictures at a time: few enough to fit, enough to be worth a call."""
    ends = [*collection.starts[1:], collection.total]
    pixels = len(tensors) * 3 * shape.size[0] * shape.size[1] if shape.size else 0
    most = max(1, min(BATCH, BATCH_BYTES // pixels if pixels else BATCH))
    for source, start, end in zip(collection.sources, collection.starts, ends, strict=True):
        items: list[tuple[Any, ...]] = []
        size = 0
        for row in rows[np.searchsorted(rows, start) : np.searchsorted(rows, end)]:
            loaded = _loaded(source, int(row - start))
            items.append((source.draw, loaded, shape, tensors))
            size += _size(loaded)
            if len(items) >= most or size >= BATCH_BYTES:
                yield Job(items, size)
                items, size = [], 0
        if items:
            yield Job(items, size)


def _loaded(source: Source, number: int) -> Any:
    """What the source's `draw` takes, or an UnreadableError."""
    try:
        return source.load(number)
    except UnreadableError as problem:
        return problem


def _size(loaded: Any) -> int:
    """Bytes that it takes, or about."""
    if isinstance(loaded, dict | tuple):
        return sum(map(_size, loaded.values() if isinstance(loaded, dict) else loaded))
    return len(loaded) if isinstance(loaded, bytes) else getattr(loaded, "nbytes", 0)
