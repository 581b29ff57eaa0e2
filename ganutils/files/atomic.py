"""Writing a result whole, or not at all."""

from __future__ import annotations

import contextlib
import fcntl
import os
import stat
import sys
from collections.abc import Callable, Iterator
from typing import BinaryIO

from ganutils.files import paths

unread: list[Callable[[], None]] = []  # for each pipe being read, what reads it to its end, or raises Error


@contextlib.contextmanager
def replacing(path: str) -> Iterator[BinaryIO]:
    """A binary file to write, which becomes `path` when the block ends well, and vanishes otherwise.

    `-` is stdout. A symbolic link stays a link: the file it points to is replaced. An existing file keeps its mode. The
    temporary file has one name per target and is locked while it is written, so a second writer waits, and the next
    writer takes over what a killed one left behind.
    """
    if path == "-":
        with naming("standard output"):
            yield sys.stdout.buffer
            sys.stdout.buffer.flush()
        return
    if paths.is_pipe(path):
        with naming(path), open(path, "wb") as straight:
            yield straight
        return
    target = os.path.realpath(path)
    folder, name = os.path.split(target)
    paths.check_folder(path)
    temporary = os.path.join(folder, f".{name}.tmp")
    with naming(path, temporary, target, folder), _locked(temporary) as out:
        try:
            out.truncate()
            if os.path.exists(target):
                os.fchmod(out.fileno(), stat.S_IMODE(os.stat(target).st_mode))
            yield out
            finish_pipes()
            out.flush()
            os.fsync(out.fileno())
            os.replace(temporary, target)
        except BaseException:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(temporary)  # still locked, so it is ours
            raise
        sync_folder(folder)


@contextlib.contextmanager
def naming(path: str, *ways: str) -> Iterator[None]:
    """Let the system's errors name `path`: "no space left on device" does not say where.

    ways   names of ours on the way to it, which the user never typed: the temporary file, its folder
    """
    try:
        yield
    except OSError as problem:
        if problem.filename is None or problem.filename in ways:
            problem.filename, problem.filename2 = path, None
        raise


def _locked(path: str) -> BinaryIO:
    """Open `path` for writing, locked; wait while another process writes it."""
    while True:
        out = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666), "r+b")
        fcntl.flock(out, fcntl.LOCK_EX)
        try:
            if os.path.samestat(os.fstat(out.fileno()), os.stat(path)):
                return out
        except FileNotFoundError:
            pass
        out.close()  # the previous writer renamed this very file: open the name again


def sync_folder(folder: str) -> None:
    """Make a rename survive a power failure."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def finish_pipes() -> None:
    """Error if the writer of a pipe that is being read failed. Called before a result takes its name."""
    for finish in unread:
        finish()
