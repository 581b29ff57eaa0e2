"""The pictures or sounds of a collection: copied as they are, or decoded on all cores and shaped.

Some may turn out to be unreadable, so their number is known only after decoding: they wait in nameless files beside
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
from ganutils.samples.pool import Job
from ganutils.samples.selection import Collection
from ganutils.samples.signals import Clip
from ganutils.samples.sources.downloads import Progress
from ganutils.samples.sources.source import Drawn, Look, Pixels, Source
from ganutils.sounds.about import RATE

BATCH = 32  # pictures or sounds in a job for a decoding process
BATCH_BYTES = 1 << 20  # of packed pictures in a job, or of the pixels it gives, where their size is known
ROWS = 1 << 16  # samples that are copied at a time: where each lies takes memory too
NAMED = 20  # skipped ones that are named; further ones are counted

Tensors = dict[str, np.ndarray | Stream]


class Readable(NamedTuple):
    """The samples of a collection that can be read.

    rows     which they are, int64 [n], ascending
    streams  some of these rows, in any order -> uint8 [n, H, W, C] or float32 [n, T, C] by tensor
    rate     of sounds, Hz
    """

    rows: np.ndarray
    streams: Callable[[np.ndarray], dict[str, Stream]]
    rate: int = 0


class Reader(NamedTuple):
    """How pictures and sounds are read.

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

    def read(self, collection: Collection, rows: np.ndarray, look: Look, tensors: Sequence[str]) -> Readable:
        """The samples at `rows`, ascending, as they should look: the `tensors` of each, its own and those beside it."""
        sources = collection.sources
        if all(_are_copied(sources, name, look) for name in tensors):
            streams = lambda order: {name: copied(collection, name, order) for name in tensors}  # noqa: E731
            return Readable(rows, streams, sources[0].rate)
        modality = collection.modality
        spools = {name: self.stack.enter_context(Spool.beside(self.output, modality)) for name in tensors}
        places, rate = _decode(collection, rows, look, spools, self)
        read = rows[places]
        _tell_fewer(collection, read, spools[modality.tensor].channels, self.say)

        def waiting(order: np.ndarray) -> dict[str, Stream]:
            places = np.searchsorted(read, order)
            return {name: spool.stream(places) for name, spool in spools.items()}

        return Readable(read, waiting, rate)


# ----------------------------------------------------------------------------------------------- copy


def _are_copied(sources: list[Source], tensor: str, look: Look) -> bool:
    """Whether all numbers of a tensor can be copied as they are."""
    pixels = [each for source in sources if (each := source.pixels_of(tensor)) is not None]
    shapes = {each.shape[1:] for each in pixels}
    if len(pixels) < len(sources) or len(shapes) != 1 or len({source.rate for source in sources}) != 1:
        return False
    if isinstance(look, Clip):
        return not look.changes(sources[0].rate, shapes.pop())
    if tensor == IMAGES.tensor:
        return not look.changes(*shapes.pop())
    return tensor == "inputs" or look.channels in (None, shapes.pop()[2])  # of the size of images, if that stays


def copied(collection: Collection, tensor: str, rows: np.ndarray) -> Stream:
    """Samples in the order of `rows`."""
    pixels = [cast(Pixels, source.pixels_of(tensor)) for source in collection.sources]
    shape, dtype = pixels[0].shape[1:], collection.modality.dtype
    most = max(1, min(ROWS, container.CHUNK // (math.prod(shape) * dtype.itemsize)))

    def chunks() -> Iterator[np.ndarray]:
        for part in np.split(rows, range(most, len(rows), most)):
            at = collection.source_of(part)
            chunk = np.empty((len(part), *shape), dtype)
            for number in np.unique(at):
                places = at == number
                chunk[places] = pixels[number][part[places] - collection.starts[number]]
            yield chunk

    return Stream((len(rows), *shape), dtype, chunks())


# --------------------------------------------------------------------------------------------- decode


def _work(
    draw: Callable[[Any, Look], Drawn], loaded: Any, look: Look, tensors: Sequence[str]
) -> dict[str, np.ndarray] | UnreadableError:
    """A sample's numbers by tensor, or why it cannot be read; `loaded` is what draw takes, or an UnreadableError."""
    if isinstance(loaded, UnreadableError):
        return loaded
    try:
        drawn = draw(loaded, look)
    except UnreadableError as problem:
        return problem
    if isinstance(look, Clip):
        return cast(dict[str, np.ndarray], drawn)
    return {name: drawn[name] for name in tensors} if isinstance(drawn, dict) else {IMAGES.tensor: drawn}


def _decode(
    collection: Collection,
    rows: np.ndarray,
    look: Look,
    spools: dict[str, Spool],
    reader: Reader,
) -> tuple[np.ndarray, int]:
    """Put those samples of `rows` that can be read into `spools`, by tensor; returns which they are, int64.

    And the rate of sounds: Error if it is not that of all.
    """
    read: list[int] = []
    skipped, rate, noun = 0, 0, collection.modality.noun
    processes = 1 if len(rows) <= 2 * BATCH else pool.cores()
    with reader.progress(len(rows)) as bar:
        for at, result in enumerate(pool.in_order(_work, _jobs(collection, rows, look, tuple(spools)), processes)):
            if isinstance(result, UnreadableError):
                message = f"{collection.name(int(rows[at]))}: {result}"
                if reader.strict:
                    raise Error(f"{message} (--strict)")
                if skipped < NAMED:
                    reader.say(f"{message}; skipped")
                skipped += 1
            else:
                if RATE in result:
                    rate = _agreed(rate, int(result[RATE]), lambda at=at: collection.name(int(rows[at])))  # type: ignore[misc]
                for name, spool in spools.items():
                    spool.append(result[name], lambda at=at: collection.name(int(rows[at])))  # type: ignore[misc]
                read.append(at)
            if at % BATCH == BATCH - 1:
                bar.advance(BATCH, f"{at + 1:,} of {len(rows):,} {noun}")
        bar.advance(len(rows) % BATCH)
    if skipped > NAMED:
        reader.say(f"... and {skipped - NAMED:,} more")
    if 2 * skipped > len(rows):
        raise Error(f"{skipped:,} of {len(rows):,} {noun} cannot be read; check that these are the right files")
    return np.array(read, np.int64), rate


def _agreed(rate: int, own: int, name: Callable[[], str]) -> int:
    """The rate of all sounds, given that of those before (0 = none) and of one more; Error if they differ."""
    if rate not in (0, own):
        raise Error(f"{name()}: has {own:,} Hz, but the first has {rate:,}; give all one --rate, e.g. {min(own, rate)}")
    return own


def _tell_fewer(collection: Collection, read: np.ndarray, channels: np.ndarray, say: Callable[[str], None]) -> None:
    """Which sources are gray beside others in color, or mono beside stereo, given the channels of the rows read."""
    few, many = collection.modality.channels
    fewer, more = ({*collection.source_of(read[channels == c]).tolist()} for c in (few, many))
    names = [collection.sources[at].name for at in sorted(fewer - more)]
    if names and more:
        become = "mono sounds become stereo" if many == 2 else "gray pictures become RGB"
        say(f"{' and '.join(names)}: {become}, as the others are")


def _jobs(collection: Collection, rows: np.ndarray, look: Look, tensors: Sequence[str]) -> Iterator[Job]:
    """What to draw, source by source, some samples at a time: few enough to fit, enough to be worth a call."""
    ends = [*collection.starts[1:], collection.total]
    most = max(1, min(BATCH, BATCH_BYTES // max(1, look.most_bytes * len(tensors))))
    for source, start, end in zip(collection.sources, collection.starts, ends, strict=True):
        items: list[tuple[Any, ...]] = []
        size = 0
        for row in rows[np.searchsorted(rows, start) : np.searchsorted(rows, end)]:
            loaded = _loaded(source, int(row - start))
            items.append((source.draw, loaded, look, tensors))
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
