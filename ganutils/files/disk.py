"""Files on disk that are read by place, and must not change meanwhile.

They are read, not mapped into memory: where a mapped file shrinks, the process dies of SIGBUS without a word, and
mapped pages stay in memory, however large the file.
"""

from __future__ import annotations

import os
from typing import BinaryIO

from ganutils import Error


class Disk:
    """An open file, which messages call `name`; it stays open as long as this is."""

    def __init__(self, stream: BinaryIO, name: str):
        self.name = name
        self._file = open(os.dup(stream.fileno()), "rb", buffering=0)  # noqa: SIM115
        self._state = self._state_now()

    @property
    def size(self) -> int:
        """In bytes."""
        return self._state[0]

    def read(self, *parts: tuple[memoryview, int]) -> None:
        """Fill each view with the bytes from its position on; Error if another program has changed the file."""
        is_whole = all(self._fill(view, position) for view, position in parts)
        if not is_whole or self._state_now() != self._state:
            raise Error(f"{self.name}: another program has changed it while it was being read; run the command again")

    def _fill(self, view: memoryview, position: int) -> bool:
        """Whether the file is long enough."""
        done, count = 0, 1
        while done < len(view) and count:
            count = os.preadv(self._file.fileno(), [view[done:]], position + done)
            done += count
        return done == len(view)

    def _state_now(self) -> tuple[int, int]:
        status = os.fstat(self._file.fileno())
        return status.st_size, status.st_mtime_ns
