"""From sources to one samples file: joined, chosen among, decoded on all cores, shaped.

Pictures may turn out unreadable, so how many there will be is known only when all are decoded: pixels go to a
file without a name beside the result, and from there into it. Memory holds a few batches, whatever the set's size.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from ganutils import Error
from ganutils.files import container
from ganutils.files.container import Stream
from ganutils.files.spool import Spool
from ganutils.samples import pool
from ganutils.samples.images import Shape, UnreadableError
from ganutils.samples.selection import Joined, Selection, describe, join, select, shuffled
from ganutils.samples.sources.downloads import Progress
from ganutils.samples.sources.source import Source

BATCH = 32  # pictures in a job for a process
BATCH_BYTES = 1 << 20  # of packed pictures in a job, or of pixels that come of it where the size is known
SAID = 20  # skipped pictures that are named; more are counted

Tensors = dict[str, np.ndarray | Stream]


class Dataset(NamedTuple):
    """What forms.write takes, and what to tell of it."""

    tensors: Tensors
    meta: dict[str, Any]
    summary: str


@contextlib.contextmanager
def prepare(
    sources: list[Source],
    choice: Selection,
    shape: Shape,
    output: str,
    strict: bool,
    say: Callable[[str], None],
    progress: Progress,
) -> Iterator[Dataset]:
    """The samples that are wanted in the shape that is wanted, to be written to `output` before the block ends.

    A picture that cannot be read is skipped and said, or an Error if `strict`, or if more than half are such.
    """
    whole = join(sources)
    for note in whole.notes:
        say(note)
    rows = select(whole, choice)
    wanted = len(rows)
    with contextlib.ExitStack() as stack:
        main: np.ndarray | Stream
        if sources[0].points is not None:
            rows = _ordered(rows, choice)
            main = np.concatenate([source.points for source in sources if source.points is not None])[rows]
        elif _is_plain(sources, shape):
            rows = _ordered(rows, choice)
            main = Stream((len(rows), *_cells(sources).pop()), np.dtype(np.uint8), _copied(whole, rows))
        else:
            spool = stack.enter_context(Spool.made(output))
            rows = rows[_decode(whole, rows, shape, spool, strict, say, progress)]
            order = _ordered(np.arange(len(rows)), choice)
            rows, main = rows[order], spool.stream(order)
        tensors, meta = describe(whole, rows, choice)
        if len(main.shape) == 2:
            yield Dataset({"points": main, **tensors}, meta, f"{len(rows):,} points in {main.shape[1]}-D")
        else:
            _, h, w, c = main.shape
            skipped = f", {wanted - len(rows):,} skipped" if len(rows) < wanted else ""
            meta |= {"resampling": shape.filter} if shape.size else {}
            summary = f"{len(rows):,} pictures of {w}x{h}x{c}{skipped}"
            yield Dataset({"images": main, **tensors}, meta, summary)


def _ordered(rows: np.ndarray, choice: Selection) -> np.ndarray:
    return shuffled(rows, choice.seed, "shuffle") if choice.shuffle else rows


def _is_plain(sources: list[Source], shape: Shape) -> bool:
    """Whether the pixels are to be copied as they are."""
    cells = _cells(sources)
    return len(cells) == 1 and all(source.pixels is not None for source in sources) and not shape.changes(*cells.pop())


def _cells(sources: list[Source]) -> set[tuple[int, ...]]:
    """The shapes [H, W, C] of what is there as pixels."""
    return {source.pixels.shape[1:] for source in sources if source.pixels is not None}


def _copied(whole: Joined, rows: np.ndarray) -> Iterator[np.ndarray]:
    """Pixels in the order of `rows`, some at a time; runs of rows that follow one another are read at once."""
    most = max(1, container.CHUNK // math.prod(_cells(whole.sources).pop()))
    for part in np.split(rows, range(most, len(rows), most)):
        at = np.searchsorted(whole.starts, part, "right") - 1
        for run in np.split(np.arange(len(part)), np.flatnonzero((np.diff(part) != 1) | (np.diff(at) != 0)) + 1):
            first = int(part[run[0]] - whole.starts[at[run[0]]])
            yield whole.sources[at[run[0]]].pixels[first : first + len(run)]


# --------------------------------------------------------------------------------------------- decode


class _Job(NamedTuple):
    draw: Callable[[Any, Shape], np.ndarray]
    shape: Shape
    loaded: list[Any]  # what draw takes; or an UnreadableError


def _work(job: _Job) -> list[np.ndarray | str]:
    """Each picture's pixels, or what is wrong with it."""
    results: list[np.ndarray | str] = []
    for loaded in job.loaded:
        try:
            if isinstance(loaded, UnreadableError):
                raise loaded
            results.append(job.draw(loaded, job.shape))
        except UnreadableError as problem:
            results.append(str(problem))
        except MemoryError:
            results.append("is too large for the memory")
    return results


def _decode(
    whole: Joined,
    rows: np.ndarray,
    shape: Shape,
    spool: Spool,
    strict: bool,
    say: Callable[[str], None],
    progress: Progress,
) -> np.ndarray:
    """Put the pictures of `rows` that can be read into `spool`; which of them these are, int64."""
    read: list[int] = []
    skipped = 0
    processes = 1 if len(rows) <= 2 * BATCH else pool.cores()
    with progress(len(rows)) as bar:
        done = 0
        for results in pool.in_order(_work, _jobs(whole, rows, shape), processes):
            for at, result in enumerate(results, done):
                if isinstance(result, str):
                    message = f"{_name(whole, int(rows[at]))}: {result}"
                    if strict:
                        raise Error(f"{message} (--strict)")
                    if skipped < SAID:
                        say(f"{message}; skipped")
                    skipped += 1
                else:
                    spool.append(result, lambda at=at: _name(whole, int(rows[at])))  # type: ignore[misc]
                    read.append(at)
            done += len(results)
            bar.advance(len(results), f"{done:,} of {len(rows):,} pictures")
    if skipped > SAID:
        say(f"... and {skipped - SAID:,} more")
    if 2 * skipped > len(rows):
        raise Error(f"{skipped:,} of {len(rows):,} pictures cannot be read; is this what you meant to give?")
    return np.array(read, np.int64)


def _name(whole: Joined, row: int) -> str:
    at = int(np.searchsorted(whole.starts, row, "right")) - 1
    source, own = whole.sources[at], int(row - whole.starts[at])
    return f"{source.name}: {source.names[own] if source.names else f'picture {own}'}"


def _jobs(whole: Joined, rows: np.ndarray, shape: Shape) -> Iterator[_Job]:
    """What is to be drawn, source by source, some pictures at a time: few enough to fit, enough to be worth a call."""
    ends = [*whole.starts[1:], whole.total]
    pixels = 3 * shape.size[0] * shape.size[1] if shape.size else 0
    most = max(1, min(BATCH, BATCH_BYTES // pixels if pixels else BATCH))
    for source, start, end in zip(whole.sources, whole.starts, ends, strict=True):
        loaded: list[Any] = []
        size = 0
        for row in rows[np.searchsorted(rows, start) : np.searchsorted(rows, end)]:
            try:
                loaded.append(source.load(int(row - start)))
            except UnreadableError as problem:
                loaded.append(problem)
            size += getattr(loaded[-1], "nbytes", 0) or (len(loaded[-1]) if isinstance(loaded[-1], bytes) else 0)
            if len(loaded) >= most or size >= BATCH_BYTES:
                yield _Job(source.draw, shape, loaded)
                loaded, size = [], 0
        if loaded:
            yield _Job(source.draw, shape, loaded)
