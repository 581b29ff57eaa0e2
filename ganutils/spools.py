"""Pictures that wait in a file until it is known how many they are."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Callable, Iterator
from typing import BinaryIO

import numpy as np

from ganutils import Error, files, paths


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
        with files.naming(output), tempfile.TemporaryFile(dir=folder) as stream:
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

    def stream(self, order: np.ndarray) -> files.Stream:
        """uint8 [N, H, W, C] in that order."""
        h, w = self._size or (1, 1)
        channels = np.frombuffer(self._channels, np.uint8).astype(np.int64)
        starts = np.concatenate([[0], np.cumsum(channels * h * w)])[:-1]
        c = int(channels.max(initial=1))

        def pictures() -> Iterator[np.ndarray]:
            for at in order:
                self._stream.seek(starts[at])
                data = self._stream.read(h * w * int(channels[at]))
                picture = np.frombuffer(data, np.uint8).reshape(1, h, w, -1)
                yield np.repeat(picture, c, 3) if picture.shape[3] < c else picture

        return files.Stream((len(channels), h, w, c), np.dtype(np.uint8), pictures())
