"""Samples that wait in a nameless file, to be read again in any order, or later than others."""

from __future__ import annotations

import contextlib
import math
import os
import tempfile
from array import array
from collections import deque
from collections.abc import Callable, Iterator
from typing import IO

import numpy as np

from ganutils import Error
from ganutils.files import paths
from ganutils.files.container import Stream
from ganutils.files.kinds import IMAGES, Modality
from ganutils.files.place import naming

MEMORY = 1 << 26  # bytes that wait in memory; more wait in a file
RUN = 32  # consecutive samples that are read at once, unless they have more bytes than
RUN_BYTES = 1 << 25


class Spool:
    """Pictures uint8 [H, W, C] of one size, or sounds float32 [T, C] of one length: all are appended first, then read.

    Gray pictures are kept gray (C = 1) beside RGB (C = 3), mono sounds mono (C = 1) beside stereo (C = 2); any other C
    is that of all. They wait in `file`; left out, in memory while they are few.
    """

    def __init__(self, file: IO[bytes] | None = None, modality: Modality = IMAGES):
        self._file = file or tempfile.SpooledTemporaryFile(MEMORY)  # noqa: SIM115  (it goes when this does)
        self._modality, self._dtype = modality, modality.dtype
        self._size: tuple[int, ...] = (1,) * (len(modality.axes) - 1)
        self._channels: set[int] = set()
        self._ends = array("q", [0])  # of each sample, in bytes

    @classmethod
    @contextlib.contextmanager
    def beside(cls, output: str, modality: Modality = IMAGES) -> Iterator[Spool]:
        """A spool for many samples, on the disk that the result goes to."""
        folder = None if paths.is_pipe(output) else os.path.dirname(paths.target_of(output))
        with naming(output, folder or ""), tempfile.TemporaryFile(dir=folder) as file:
            yield cls(file, modality)

    def __len__(self) -> int:
        return len(self._ends) - 1

    def append(self, sample: np.ndarray, name: Callable[[], str] = str) -> None:
        """Error, with the sample's `name`, if its size is not that of the first, or their channels cannot be mixed."""
        size = sample.shape[:-1]
        if not len(self):
            self._size = size
        self._channels.add(sample.shape[-1])
        if size != self._size:
            raise Error(f"{name()}: {_other(size, self._size)}")
        if len(self._channels) > 1 and self._channels != {*self._modality.channels}:
            counts = " and ".join(map(str, sorted(self._channels)))
            noun = self._modality.noun
            raise Error(f"{name()}: has {sample.shape[-1]} channels; {noun} of {counts} cannot be one set")
        self._file.write(np.ascontiguousarray(sample, self._dtype).data)
        self._ends.append(self._ends[-1] + sample.size * self._dtype.itemsize)

    def __getitem__(self, number: int) -> np.ndarray:
        return self._read(number, 1)[0]

    @property
    def channels(self) -> np.ndarray:
        """int64 [N], of each sample."""
        return np.diff(np.frombuffer(self._ends, np.int64)) // (math.prod(self._size) * self._dtype.itemsize)

    def stream(self, order: np.ndarray) -> Stream:
        """The samples in that order, [N, H, W, C] or [N, T, C]; with few channels they get more if any has more."""
        channels = self.channels
        c = int(channels.max(initial=1))

        def samples() -> Iterator[np.ndarray]:
            size = math.prod(self._size) * c * self._dtype.itemsize
            most = max(1, min(RUN, RUN_BYTES // size))
            follows = (np.diff(order) == 1) & (np.diff(channels[order]) == 0) & (np.arange(1, len(order)) % most > 0)
            for run in np.split(order, np.flatnonzero(~follows) + 1):
                some = self._read(int(run[0]), len(run))
                yield some if some.shape[-1] == c else np.repeat(some, c, -1)

        return Stream((len(order), *self._size, c), self._dtype, samples())

    def _read(self, number: int, count: int) -> np.ndarray:
        """`count` samples from `number` on that have the same channels."""
        start, end = self._ends[number], self._ends[number + count]
        self._file.seek(start)
        return np.frombuffer(self._file.read(end - start), self._dtype).reshape(count, *self._size, -1)


def _other(size: tuple[int, ...], first: tuple[int, ...]) -> str:
    """How a sample of that size differs from the first, and what to do."""
    if len(size) == 1:
        return f"has {size[0]:,} numbers, but the first has {first[0]:,}; give all one --length, e.g. {first[0]}"
    (first_h, first_w), (h, w) = first, size
    return f"is {w}x{h}, but the first is {first_w}x{first_h}; give all one --size, e.g. 64"


def parted(chunks: Iterator[np.ndarray], count: int) -> list[Iterator[np.ndarray]]:
    """The parts uint8 [B, ...] of chunks uint8 [B, `count`, ...], to be read one after the other or in turns.

    What one is behind another waits in a nameless file, if it is much.
    """
    queues = [_Queue() for _ in range(count)]

    def part(number: int) -> Iterator[np.ndarray]:
        while True:
            if queues[number]:
                yield queues[number].take()
                continue
            chunk = next(chunks, None)
            if chunk is None:
                return
            for other, queue in enumerate(queues):
                if other != number:
                    queue.put(chunk[:, other])
            yield chunk[:, number]

    return [part(number) for number in range(count)]


class _Queue:
    """Arrays uint8 in a nameless file, which is emptied when the last of them is taken."""

    def __init__(self) -> None:
        self._file = tempfile.SpooledTemporaryFile(MEMORY)  # noqa: SIM115  (it goes when this does)
        self._waiting: deque[tuple[int, tuple[int, ...]]] = deque()  # where each begins, and its shape

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, array: np.ndarray) -> None:
        self._file.seek(0, os.SEEK_END)
        self._waiting.append((self._file.tell(), array.shape))
        self._file.write(np.ascontiguousarray(array).data)

    def take(self) -> np.ndarray:
        """The first one."""
        start, shape = self._waiting.popleft()
        self._file.seek(start)
        array = np.frombuffer(self._file.read(math.prod(shape)), np.uint8).reshape(shape)
        if not self._waiting:
            self._file.truncate(0)
        return array
