"""Captions of samples: described by who drew them, or written in files."""

from __future__ import annotations

import dataclasses

import numpy as np

from ganutils import Error, randomness
from ganutils.samples.captions import packed_bytes
from ganutils.samples.sources.source import Source

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
