"""Whether another program changes files while they are read, so that old and new would mix."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Callable, Iterator
from typing import BinaryIO, TypeVar

from ganutils import Error
from ganutils.samples.foreign import UnreadableError

EXHAUSTED = (errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOSPC)
Listing = TypeVar("Listing")
Stamp = tuple[int, int]  # bytes, and nanoseconds when it was last written


def changed(path: str) -> Error:
    """What to raise where a file or folder is not as it was."""
    return Error(f"{path}: another program has changed it while it was being read; run the command again")


def stamp(status: os.stat_result) -> Stamp:
    """What tells whether a file was changed."""
    return status.st_size, status.st_mtime_ns % (1 << 62)


def stamp_of(path: str) -> Stamp | None:
    """Of a file as it is now; None if it cannot be seen."""
    try:
        return stamp(os.stat(path))
    except OSError:
        return None


def regular(path: str) -> BinaryIO:
    """The file `path`, open. UnreadableError if it is a pipe or a device, which could block for ever; or OSError."""
    stream = os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb")
    if stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
        return stream
    stream.close()
    raise UnreadableError("is not a regular file")


@contextlib.contextmanager
def reading(path: str, seen: Stamp | None = None) -> Iterator[BinaryIO]:
    """The file `path`, to be read in the block. UnreadableError if that fails, unless the system lacks resources.

    Error if it is not as it was when it was `seen`.
    """
    try:
        with regular(path) as stream:
            before = stamp(os.fstat(stream.fileno()))
            try:
                yield stream
            finally:
                if seen and {before, stamp(os.fstat(stream.fileno()))} != {seen}:
                    raise changed(path)  # which is then also why it seems to be damaged
    except OSError as problem:
        if problem.errno in EXHAUSTED:
            raise  # not the file's fault: it must not be skipped
        if seen and problem.errno == errno.ENOENT:
            raise changed(path) from None
        raise UnreadableError(f"cannot be read ({(problem.strerror or 'error').lower()})") from None


def listed(path: str, listing: Callable[[], Listing]) -> tuple[Listing, Callable[[], None]]:
    """What `listing` finds in the folder `path`, and a check to call at the end: Error if it finds something else."""
    found = listing()

    def check() -> None:
        try:
            now = listing()
        except OSError:
            raise changed(path) from None
        if now != found:
            raise changed(path)

    return found, check
