"""Captions of samples: described by who drew them, or written in files."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from ganutils import Error, randomness
from ganutils.samples.captions import packed_bytes
from ganutils.samples.sources import attributes
from ganutils.samples.sources.source import Source
from ganutils.samples.sources.written import Written

ROOM = 192  # bytes, for each caption that is made up


class Described:
    """`count` captions of each sample of a source, made when they are needed: by the seed and the sample's place."""

    def __init__(self, source: Source, count: int, seed: int):
        self.shape = (source.total, count, ROOM)
        self._source, self._seed = source, seed

    def __getitem__(self, rows: np.ndarray) -> np.ndarray:
        return packed_bytes([self._of(int(row)) for row in rows], *self.shape[1:])

    def _of(self, row: int) -> list[bytes]:
        random = randomness.stream(self._seed, "captions", self._source.name, row)
        assert self._source.describe is not None
        return [self._source.describe(row, random).encode() for _ in range(self.shape[1])]


def described(source: Source, count: int, seed: int) -> Source:
    """`source` with so many captions of each sample. Error if it cannot say what it drew."""
    if source.describe is None:
        raise Error(f"{source.name}: cannot be described, as toy:faces and toy:shapes can; --captions takes your own")
    return dataclasses.replace(source, captions=Described(source, count, seed))


class Texts:
    """Captions uint8 [N, K, L] that are packed when they are needed: the longest would make all of them as long."""

    def __init__(self, texts: Sequence[Sequence[bytes]]):
        most = max(map(len, texts), default=1)
        self.shape = (len(texts), most, max((len(text) for each in texts for text in each), default=1))
        self._texts = texts

    def __getitem__(self, rows: np.ndarray) -> np.ndarray:
        return packed_bytes([self._texts[row] for row in rows], *self.shape[1:])


def join(sources: list[Source], written: Written) -> list[Source]:
    """`sources` with their captions: by the names of pictures, or else in order; samples without any are skipped."""
    total = sum(source.total for source in sources)
    if not written.has_names and len(written) != total:
        what = f"has {len(written):,} lines, and there are {total:,} samples"
        raise Error(f"{written.path}: {what}; give a line for each in order, or NAME<TAB>caption")
    joined, used, start = [], set[int](), 0
    for source in sources:
        rows = _rows(source, written) if written.has_names else np.arange(start, start + source.total)
        joined.append(_with(source, written, rows))
        used.update(rows.tolist())
        start += source.total
    notes = list(written.notes)
    if written.has_names and (lone := len(written.rows) - len(used - {-1})):
        notes.append(f"{written.path}: {lone:,} of {len(written.rows):,} names are of no picture")
    joined[0] = dataclasses.replace(joined[0], notes=(*notes, *joined[0].notes))
    return joined


def _rows(source: Source, written: Written) -> np.ndarray:
    """The number of the captions of each picture, or -1."""
    if source.names is None:
        how = "give a .txt file with a line for each sample"
        raise Error(f"{source.name}: has no file names to match with {written.path}; {how}")
    return attributes.matched(source.name, source.names, written)


def _with(source: Source, written: Written, rows: np.ndarray) -> Source:
    texts = [written.of(row) if row >= 0 else [] for row in rows.tolist()]
    kept = np.flatnonzero([bool(each) for each in texts])
    if not len(kept):
        raise Error(f"{written.path}: has no caption of any sample of {source.name}")
    if len(kept) < source.total:
        first = int(np.flatnonzero([not each for each in texts])[0])
        name = source.names[first] if source.names else f"sample {first}"
        count = source.total - len(kept)
        what = f"{count:,} of {source.total:,} samples have no caption in {written.path}; the first is {name}"
        source = dataclasses.replace(source.of_rows(kept), unread=(*source.unread, f"{source.name}: {what}"))
    return dataclasses.replace(source, captions=Texts([texts[row] for row in kept]))
