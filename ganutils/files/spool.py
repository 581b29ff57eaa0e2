"""Pictures that wait in a nameless file, to be read again in any order, or later than others."""

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
from ganutils.files.place import naming

MEMORY = 1 << 26  # bytes that wait in memory; more wait in a file
RUN = 32  # consecutive pictures that are read at once, unless they have more bytes than
RUN_BYTES = 1 << 25


class Spool:
    """Pictures of one size, uint8 [H, W, C]: all are appended first, and then read.

    Gray ones are kept gray (C = 1) beside RGB (C = 3); any other C is that of all. They wait in `file`; left out, in
    memory while they are few.
    """

    def __init__(self, file: IO[bytes] | None = None):
        self._file = file or tempfile.SpooledTemporaryFile(MEMORY)  # noqa: SIM115  (it goes when this does)
        self._size: tuple[int, ...] = (1, 1)
        self._channels: set[int] = set()
        self._ends = array("q", [0])  # of each picture, in bytes

    @classmethod
    @contextlib.contextmanager
    def beside(cls, output: str) -> Iterator[Spool]:
        """A spool for many pictures, on the disk that the result goes to."""
        folder = None if paths.is_pipe(output) else os.path.dirname(paths.target_of(output))
        with naming(output, folder or ""), tempfile.TemporaryFile(dir=folder) as file:
            yield cls(file)

    def __len__(self) -> int:
        return len(self._ends) - 1

    def append(self, picture: np.ndarray, name: Callable[[], str] = str) -> None:
        """Error, with the picture's `name`, if its size is not that of the first, or their channels cannot be mixed."""
        size = picture.shape[:2]
        if not len(self):
            self._size = size
        self._channels.add(picture.shape[2])
        if size != self._size:
            (first_h, first_w), (h, w) = self._size, size
            raise Error(f"{name()}: is {w}x{h}, but the first is {first_w}x{first_h}; give all one --size, e.g. 64")
        if len(self._channels) > 1 and self._channels != {1, 3}:
            counts = " and ".join(map(str, sorted(self._channels)))
            raise Error(f"{name()}: has {picture.shape[2]} channels; pictures of {counts} cannot be one set")
        self._file.write(np.ascontiguousarray(picture).data)
        self._ends.append(self._ends[-1] + picture.size)

    def __getitem__(self, number: int) -> np.ndarray:
        return self._read(number, 1)[0]

    @property
    def channels(self) -> np.ndarray:
        """int64 [N], of each picture."""
        h, w = self._size
        return np.diff(np.frombuffer(self._ends, np.int64)) // (h * w)

    def stream(self, order: np.ndarray) -> Stream:
        """The pictures in that order, uint8 [N, H, W, C]; grays become RGB if any picture is RGB."""
        (h, w), channels = self._size, self.channels
        c = int(channels.max(initial=1))

        def pictures() -> Iterator[np.ndarray]:
            most = max(1, min(RUN, RUN_BYTES // (h * w * c)))
            follows = (np.diff(order) == 1) & (np.diff(channels[order]) == 0) & (np.arange(1, len(order)) % most > 0)
            for run in np.split(order, np.flatnonzero(~follows) + 1):
                some = self._read(int(run[0]), len(run))
                yield some if some.shape[3] == c else np.repeat(some, c, 3)

        return Stream((len(order), h, w, c), np.dtype(np.uint8), pictures())

    def _read(self, number: int, count: int) -> np.ndarray:
        """`count` pictures from `number` on that have the same channels."""
        start, end = self._ends[number], self._ends[number + count]
        self._file.seek(start)
        return np.frombuffer(self._file.read(end - start), np.uint8).reshape(count, *self._size, -1)


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
