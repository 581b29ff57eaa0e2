"""One run at a time: locks that a process has to its end, however that comes.

They are POSIX locks: unlike those of flock(2), no child of a killed process inherits one and keeps it.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import struct
import sys
from collections.abc import Iterator

from ganutils import Error
from ganutils.files import paths
from ganutils.files.place import Place, naming

FLOCK = (  # struct flock of the C library: its layout, a lock for writing of the whole file, where the process stands
    ("hhqqi0q", (fcntl.F_WRLCK, 0, 0, 0, 0), 4)
    if sys.platform == "linux"
    else ("qqihh", (0, 0, 0, fcntl.F_WRLCK, 0), 2)  # macOS
)


@contextlib.contextmanager
def held(path: str) -> Iterator[None]:
    """Hold `path`, a file to be or a folder, for this process alone; Error that names the process that has it.

    The lock is on an empty file beside it (or in the folder), which goes at the end; after a kill, the next one clears
    it. Nothing is held of what is written directly.
    """
    if paths.is_pipe(path):
        yield
        return
    with Place.of(os.path.join(path, "run") if os.path.isdir(path) else path) as place:
        name = paths.beside(place.name, "lock")
        with naming(path, name):
            lock = _taken(path, place, name)
        try:
            yield
        finally:
            place.remove(name)
            os.close(lock)


def _taken(path: str, place: Place, name: str) -> int:
    """A descriptor of the file `name`, locked."""
    while True:
        lock = os.open(name, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666, dir_fd=place.handle)
        try:
            take(lock, path)
        except BaseException:
            os.close(lock)
            raise
        if place.is_still(lock, name):
            return lock
        os.close(lock)  # whoever had it has just removed it


def take(descriptor: int, path: str) -> None:
    """Lock an open file until it is closed; Error that says who has `path` if another process locked it."""
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        raise Error(f"{path}: {_holder(descriptor)} is writing it; wait for its end, or choose another name") from None


def _holder(descriptor: int) -> str:
    layout, asked, pid = FLOCK
    answer = struct.unpack(layout, fcntl.fcntl(descriptor, fcntl.F_GETLK, struct.pack(layout, *asked)))
    return f"process {answer[pid]}" if answer[pid] > 0 else "another process"
