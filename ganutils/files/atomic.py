"""Writing a result whole, or not at all."""

from __future__ import annotations

import contextlib
import fcntl
import os
import sys
from collections.abc import Callable, Iterator
from typing import BinaryIO

from ganutils.files import paths
from ganutils.files.place import Place, naming

unread: list[Callable[[], None]] = []  # for each pipe being read, what reads it to its end, or raises Error


@contextlib.contextmanager
def replacing(path: str) -> Iterator[BinaryIO]:
    """A binary file to write, which becomes `path` when the block ends well, and vanishes otherwise.

    `-` is stdout. A symbolic link stays a link: the file it points to is replaced. An existing file keeps its mode. The
    temporary file has one name per target and is locked while it is written, so a second writer waits, and the next
    writer clears what a killed one left behind. If its folder is renamed meanwhile, the file goes with it.
    """
    if path == "-":
        with naming("standard output"):
            yield sys.stdout.buffer
            sys.stdout.buffer.flush()
        return
    if paths.is_pipe(path):
        with naming(path), _straight(path) as out:
            yield out
        return
    with Place.of(path) as place, naming(path, place.temporary), _locked(place) as out:
        try:
            mode = place.mode_of(place.name)
            if mode is not None:
                os.fchmod(out.fileno(), mode)
            yield out
            finish_pipes()
            out.flush()
            os.fsync(out.fileno())
            place.rename(place.temporary, place.name)
        except BaseException:
            with contextlib.suppress(OSError):
                place.remove(place.temporary)  # still locked, so it is ours
            raise
        place.settle()


def _straight(path: str) -> BinaryIO:
    """A pipe or device to write; of an open descriptor a copy, which goes on where `>>` or another command stopped."""
    descriptor = paths.descriptor_of(path)
    return open(path, "wb") if descriptor is None else os.fdopen(os.dup(descriptor), "wb")


def _locked(place: Place) -> BinaryIO:
    """The temporary file, new and locked. Wait while another process writes it; a killed one's is removed."""
    while True:
        descriptor, is_new = _made(place)
        out = os.fdopen(descriptor, "r+b")
        fcntl.flock(out, fcntl.LOCK_EX)
        if place.is_still(descriptor, place.temporary):
            if is_new:
                return out
            place.remove(place.temporary)  # its mode is of another time
        out.close()


def _made(place: Place) -> tuple[int, bool]:
    """A descriptor of the temporary file, and whether it is new."""
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        return os.open(place.temporary, flags | os.O_EXCL, 0o666, dir_fd=place.handle), True
    except FileExistsError:
        return os.open(place.temporary, flags, 0o666, dir_fd=place.handle), False


def finish_pipes() -> None:
    """Error if the writer of a pipe that is being read failed. Called before a result takes its name."""
    for finish in unread:
        finish()
