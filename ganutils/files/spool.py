"""Pictures that wait in a file until it is known how many they are."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Callable, Iterator
from typing import BinaryIO

import numpy as np

from ganutils import Error
from ganutils.files import atomic, paths
from ganutils.files.container import Stream

RUN = 32  # pictures that are read at once, where they follow one another


class Spool:
    """Pictures of one size in a file without a name, to be read again in any order.

    Gray ones are kept gray; they become RGB on their way out if any picture is.
    """

    def __init__(self, stream: BinaryIO):
        self._stream = stream
        self._size: tuple[int, ...] | None = None
        self._channels = bytearray()  # of each picture, 1 or 3

    @classmethod
    @contextlib.contextmanager
    def made(cls, output: str) -> Iterator[Spool]:
        folder = None if paths.is_pipe(output) else os.path.dirname(os.path.realpath(output.rstrip("/")))
        with atomic.naming(output), tempfile.TemporaryFile(dir=folder) as stream:
            yield cls(stream)

    def append(self, picture: np.ndarray, name: Callable[[], str]) -> None:
        """A picture, uint8 [H, W, C]; Error if it is not as large as those before."""
        if self._size is None:
            self._size = picture.shape[:2]
        if picture.shape[:2] != self._size:
            (first_h, first_w), (h, w) = self._size, picture.shape[:2]
            sizes = f"is {w}x{h}, and the first is {first_w}x{first_h}"
            raise Error(f"{name()}: {sizes}; give one size to all, such as --size 64")
        self._stream.write(np.ascontiguousarray(picture).data)
        self._channels.append(picture.shape[2])

    def stream(self, order: np.ndarray) -> Stream:
        """uint8 [N, H, W, C] in that order."""
        h, w = self._size or (1, 1)
        channels = np.frombuffer(self._channels, np.uint8).astype(np.int64)
        starts = np.concatenate([[0], np.cumsum(channels * h * w)])[:-1]
        c = int(channels.max(initial=1))

        def pictures() -> Iterator[np.ndarray]:
            follows = (np.diff(order) == 1) & (np.diff(channels[order]) == 0) & (np.arange(1, len(order)) % RUN > 0)
            for run in np.split(order, np.flatnonzero(~follows) + 1):
                own = int(channels[run[0]])
                self._stream.seek(starts[run[0]])
                data = self._stream.read(len(run) * h * w * own)
                some = np.frombuffer(data, np.uint8).reshape(-1, h, w, own)
                yield np.repeat(some, c, 3) if own < c else some

        return Stream((len(channels), h, w, c), np.dtype(np.uint8), pictures())
