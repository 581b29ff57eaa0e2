"""The members of a tar file, within a budget: tarfile believes what headers say, whatever it costs."""

from __future__ import annotations

import bz2
import contextlib
import gzip
import io
import lzma
import os
import re
import tarfile
import zlib
from collections.abc import Iterator
from typing import Any, NamedTuple

from ganutils import Error
from ganutils.files import budget
from ganutils.samples.foreign import UnreadableError

FAULTS = (tarfile.TarError, EOFError, OSError, ValueError, RuntimeError, zlib.error, lzma.LZMAError)
OPENERS: dict[bytes, Any] = {b"\x1f\x8b": gzip.open, b"BZh": bz2.open, b"\xfd7zXZ": lzma.open}
DIGITS = re.compile(rb"\d{40}")  # in a row; tarfile's time grows with their square
GLOBALS = 100  # fields of the headers for all members, which tarfile copies for each


class Place(NamedTuple):
    """Where a member lies in the unpacked file, in bytes."""

    offset: int
    size: int


class Tar:
    """An open tar file, plain or packed by gzip, bzip2 or xz.

    files   where the regular files lie, by name; of those with the same name the last, in the order of the file
    others  the names of links, devices and the like
    """

    def __init__(self, path: str, raw: Any):
        self.path = path
        magic = raw.read(6)
        raw.seek(0)
        opener = next((opener for key, opener in OPENERS.items() if magic.startswith(key)), None)
        self._stream = opener(raw) if opener else raw
        self.files: dict[str, Place] = {}
        self.others: list[str] = []
        try:
            self._scan(os.fstat(raw.fileno()).st_size)
        except FAULTS:
            raise Error(f"{path}: damaged, cut short, or not a tar file") from None

    def _scan(self, size: int) -> None:
        headers, count, letters = _Headers(self._stream), 0, 0
        archive = tarfile.open(fileobj=headers, mode="r:")  # noqa: SIM115 - it has nothing to close
        while member := archive.next():
            archive.members.clear()  # type: ignore[attr-defined]  # which tarfile keeps
            headers.left = budget.HEADER
            count, letters = count + 1, letters + len(member.name)
            if member.size < 0 or len(archive.pax_headers) > GLOBALS:
                raise tarfile.TarError
            budget.check(self.path, count, budget.members(size), "members")
            budget.check(self.path, letters, budget.NAMES + size, "letters in names")
            budget.check(self.path, member.offset_data + member.size, budget.unpacked(size), "bytes when unpacked")
            if member.isreg() and not member.issparse():
                self.files.pop(member.name, None)
                self.files[member.name] = Place(member.offset_data, member.size)
            elif not member.isdir():
                self.others.append(member.name)

    def read(self, name: str) -> bytes:
        """What a regular file holds; UnreadableError if it is cut short.

        In the order of `files` nothing is unpacked twice.
        """
        place = self.files[name]
        try:
            self._stream.seek(place.offset)
            content: bytes = self._stream.read(place.size)
        except FAULTS:
            content = b""
        if len(content) < place.size:
            raise UnreadableError("is damaged in the tar file")
        return content


@contextlib.contextmanager
def opened(path: str) -> Iterator[Tar]:
    """Error if the file is damaged, or would cost too much."""
    with open(path, "rb") as raw:
        yield Tar(path, raw)


class _Headers(io.RawIOBase):
    """A stream of which only headers are read: `left` bytes, for one member."""

    def __init__(self, stream: Any):
        self._stream, self.left = stream, budget.HEADER

    def read(self, size: int = -1) -> bytes:
        self.left -= size
        if size < 0 or self.left < 0:
            raise OSError("absurd length")
        content: bytes = self._stream.read(size)
        if DIGITS.search(content) and size > tarfile.BLOCKSIZE:
            raise OSError("absurd number")
        return content

    def seek(self, position: int, whence: int = 0) -> int:
        return int(self._stream.seek(position, whence))

    def tell(self) -> int:
        return int(self._stream.tell())
