"""From sources to the tensors of one samples file: joined, selected, decoded on all cores, and shaped.

Some pictures may turn out to be unreadable, so their number is known only after decoding: pixels wait in a nameless
file beside the result, and are copied from there. Memory holds a few batches, whatever the set's size.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np

from ganutils import Error
from ganutils.files import container
from ganutils.files.container import Stream
from ganutils.files.kinds import POINTS
from ganutils.files.spool import Spool
from ganutils.samples import pool
from ganutils.samples.foreign import UnreadableError
from ganutils.samples.images import Shape
from ganutils.samples.pool import Job
from ganutils.samples.selection import Collection, Selection, describe, join, select, shuffled
from ganutils.samples.sources.downloads import Progress
from ganutils.samples.sources.source import Source

BATCH = 32  # pictures in a job for a decoding process
BATCH_BYTES = 1 << 20  # of packed pictures in a job, or of the pixels it gives, where their size is known
ROWS = 1 << 16  # of pixels that are copied at a time: where each lies takes memory too
LONGEST = 4  # a picture longer than this times its width is probably something else
NAMED = 20  # skipped pictures that are named; further ones are counted

Tensors = dict[str, np.ndarray | Stream]


class Dataset(NamedTuple):
    """Tensors and metadata of a samples file, and a summary for the user."""

    tensors: Tensors
    meta: dict[str, Any]
    summary: str


@contextlib.contextmanager
def prepare(
    sources: list[Source],
    selection: Selection,
    shape: Shape,
    output: str,
    strict: bool,
    say: Callable[[str], None],
    progress: Progress,
) -> Iterator[Dataset]:
    """The selected samples in the given shape, to be written to `output` before the block ends.

    A picture that cannot be read is skipped, which `say` is told. Error instead if `strict`, or if more than half of
    the pictures cannot be read. When all have been written, `say` is told of those that are probably not what the user
    thinks: of a single color, or very long.
    """
    collection = join(sources)
    for problem in (problem for source in sources for problem in source.unread):
        if strict:
            raise Error(f"{problem} (--strict)")
        say(f"{problem}; skipped")
    for note in collection.notes:
        say(note)
    selected = select(collection, selection)
    with contextlib.ExitStack() as stack:
        samples: np.ndarray | Stream
        if collection.modality is POINTS:
            rows = _ordered(selected, selection)
            samples = np.concatenate([source.points for source in sources if source.points is not None])[rows]
        elif _is_copied(sources, shape):
            rows = _ordered(selected, selection)
            samples = Stream((len(rows), *_pixel_shapes(sources).pop()), np.dtype(np.uint8), _copied(collection, rows))
        else:
            spool = stack.enter_context(Spool.beside(output))
            decoded = selected[_decode(collection, selected, shape, spool, strict, say, progress)]
            for source in sources:
                source.check()
            order = _ordered(np.arange(len(decoded)), selection)
            rows, samples = decoded[order], spool.stream(order)
        tensors, meta = describe(collection, rows, selection)
        if shape.size and collection.modality is not POINTS:
            meta["resampling"] = shape.filter
        flat: list[int] = []
        if isinstance(samples, Stream):
            samples = samples._replace(chunks=_watched(samples.chunks, flat))
        tensor = {collection.modality.tensor: samples}
        yield Dataset({**tensor, **tensors}, meta, _summary(collection, samples.shape, len(selected)))
        if flat:
            first = _name(collection, int(rows[flat[0]]))
            say(f"{len(flat):,} of {len(rows):,} pictures are a single color; the first is {first}")
        if isinstance(samples, Stream) and not (shape.size or shape.crop) and _is_long(*samples.shape[1:3]):
            w, h = samples.shape[2], samples.shape[1]
            say(f"pictures are {w}x{h}, more than {LONGEST}:1; check the source, or give --size or --crop")


def _watched(chunks: Iterable[np.ndarray], flat: list[int]) -> Iterator[np.ndarray]:
    """`chunks` [n, H, W, C]; the numbers of pictures of a single color are added to `flat` as they pass."""
    start = 0
    for pictures in chunks:
        _, h, w, _ = pictures.shape
        alike = np.flatnonzero(
            (pictures[:, 0, 0] == pictures[:, h // 2, w // 2]).all(1)
        )  # most differ in these already
        some = pictures[alike]
        if h * w > 1 and len(some):
            flat += (start + alike[(some == some[:, :1, :1]).all((1, 2, 3))]).tolist()
        start += len(pictures)
        yield pictures


def _is_long(h: int, w: int) -> bool:
    return max(h, w) > LONGEST * min(h, w)


def _summary(collection: Collection, shape: tuple[int, ...], selected: int) -> str:
    count, *sample = shape
    skipped = f", {selected - count:,} skipped" if count < selected else ""
    return f"{count:,} {collection.modality.many.format(*sample)}{skipped}"


def _ordered(rows: np.ndarray, selection: Selection) -> np.ndarray:
    return shuffled(rows, selection.seed, "shuffle") if selection.shuffle else rows


def _is_copied(sources: list[Source], shape: Shape) -> bool:
    """Whether all pixels can be copied as they are."""
    shapes = _pixel_shapes(sources)
    return (
        len(shapes) == 1 and all(source.pixels is not None for source in sources) and not shape.changes(*shapes.pop())
    )


def _pixel_shapes(sources: list[Source]) -> set[tuple[int, ...]]:
    """The shapes [H, W, C] of the sources that have pixels."""
    return {source.pixels.shape[1:] for source in sources if source.pixels is not None}


def _copied(collection: Collection, rows: np.ndarray) -> Iterator[np.ndarray]:
    """Pixels in the order of `rows`, a chunk at a time."""
    (shape,) = _pixel_shapes(collection.sources)
    most = max(1, min(ROWS, container.CHUNK // math.prod(shape)))
    for part in np.split(rows, range(most, len(rows), most)):
        at = collection.source_of(part)
        chunk = np.empty((len(part), *shape), np.uint8)
        for number in np.unique(at):
            places = at == number
            chunk[places] = collection.sources[number].pixels[part[places] - collection.starts[number]]
        yield chunk


# --------------------------------------------------------------------------------------------- decode


def _work(draw: Callable[[Any, Shape], np.ndarray], loaded: Any, shape: Shape) -> np.ndarray | UnreadableError:
    """A picture's pixels, or why it cannot be read; `loaded` is what draw takes, or an UnreadableError."""
    if isinstance(loaded, UnreadableError):
        return loaded
    try:
        return draw(loaded, shape)
    except UnreadableError as problem:
        return problem


def _decode(
    collection: Collection,
    rows: np.ndarray,
    shape: Shape,
    spool: Spool,
    strict: bool,
    say: Callable[[str], None],
    progress: Progress,
) -> np.ndarray:
    """Put those pictures of `rows` that can be read into `spool`; returns which they are, int64."""
    read: list[int] = []
    skipped = 0
    processes = 1 if len(rows) <= 2 * BATCH else pool.cores()
    with progress(len(rows)) as bar:
        for at, result in enumerate(pool.in_order(_work, _jobs(collection, rows, shape), processes)):
            if isinstance(result, UnreadableError):
                message = f"{_name(collection, int(rows[at]))}: {result}"
                if strict:
                    raise Error(f"{message} (--strict)")
                if skipped < NAMED:
                    say(f"{message}; skipped")
                skipped += 1
            else:
                spool.append(result, lambda at=at: _name(collection, int(rows[at])))  # type: ignore[misc]
                read.append(at)
            if at % BATCH == BATCH - 1:
                bar.advance(BATCH, f"{at + 1:,} of {len(rows):,} pictures")
        bar.advance(len(rows) % BATCH)
    if skipped > NAMED:
        say(f"... and {skipped - NAMED:,} more")
    if 2 * skipped > len(rows):
        raise Error(f"{skipped:,} of {len(rows):,} pictures cannot be read; check that these are the right files")
    return np.array(read, np.int64)


def _name(collection: Collection, row: int) -> str:
    at = int(collection.source_of(row))
    source, number = collection.sources[at], int(row - collection.starts[at])
    picture = source.names[number] if source.names else f"picture {number}"
    return picture if picture == source.name else f"{source.name}: {picture}"


def _jobs(collection: Collection, rows: np.ndarray, shape: Shape) -> Iterator[Job]:
    """What to draw, source by source, some pictures at a time: few enough to fit, enough to be worth a call."""
    ends = [*collection.starts[1:], collection.total]
    pixels = 3 * shape.size[0] * shape.size[1] if shape.size else 0
    most = max(1, min(BATCH, BATCH_BYTES // pixels if pixels else BATCH))
    for source, start, end in zip(collection.sources, collection.starts, ends, strict=True):
        items: list[tuple[Any, ...]] = []
        size = 0
        for row in rows[np.searchsorted(rows, start) : np.searchsorted(rows, end)]:
            loaded = _loaded(source, int(row - start))
            items.append((source.draw, loaded, shape))
            size += getattr(loaded, "nbytes", 0) or (len(loaded) if isinstance(loaded, bytes) else 0)
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
