"""Disks that fail and processes that die at their n-th operation on files, in the forked process of a command.

Operations are what reaches the system: an open, a write, an fsync, a rename, a new folder. Counted over all of them, so
that n = 1, 2, ... until nothing happens any more is every moment there is.
"""

import builtins
import contextlib
import errno
import io
import os
import signal
import sys
import tempfile

TRIPPED = ".tripped"  # a file that says that the n-th operation came


def install(what: str, n: int) -> None:
    """From now on the n-th operation fails (`what` "fail": a write after half of its bytes) or kills ("kill").

    "move" renames the folder `there` to `elsewhere`, and the operation goes on.
    "naive" before any of them also replaces files.replacing by a plain open, which the tests must not let pass.
    """
    if what.startswith("naive"):
        _be_naive()
    count, command = 0, os.getpid()
    marker = os.path.abspath(TRIPPED)
    there, elsewhere = os.path.abspath("there"), os.path.abspath("elsewhere")
    os_open, os_close, os_rename = os.open, os.close, os.rename

    def due() -> bool:
        nonlocal count
        if os.getpid() != command:  # but a process that decodes for it
            return False
        count += 1
        if count == n:
            os_close(os_open(marker, os.O_CREAT | os.O_WRONLY))
            if what.endswith("kill"):
                os.kill(os.getpid(), signal.SIGKILL)
            if what.endswith("move"):
                os_rename(there, elsewhere)
            return what.endswith("fail")
        return False

    ours = tempfile.gettempdir()  # the test's own folder is in it too
    checkout = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))  # may be in it, but is not meant

    def is_ours(path):
        if isinstance(path, int):
            return True
        path = os.path.abspath(path)
        return path.startswith(ours) and not path.startswith(checkout + os.sep)

    def failing(function):
        def counted(*args, **kwargs):
            if is_ours(args[0]) and due():
                raise OSError(errno.ENOSPC, "No space left on device")
            return function(*args, **kwargs)

        return counted

    class Raw(io.FileIO):
        def write(self, data):
            if due():
                super().write(memoryview(data).cast("B")[: memoryview(data).nbytes // 2])
                raise OSError(errno.ENOSPC, "No space left on device")
            return super().write(data)

    plain_open = io.open

    def opened(file, mode="r", buffering=-1, *args, **kwargs):
        counts = not isinstance(file, int) and "opener" not in kwargs  # an opener's os.open is counted
        if counts and is_ours(file) and due():
            raise OSError(errno.ENOSPC, "No space left on device", file)
        if "b" not in mode or not set(mode) & set("wax+"):
            return plain_open(file, mode, buffering, *args, **kwargs)
        raw = Raw(file, mode.replace("b", ""), kwargs.get("closefd", True), kwargs.get("opener"))
        if buffering == 0:
            return raw
        return io.BufferedRandom(raw) if "+" in mode else io.BufferedWriter(raw)

    for name in ("open", "fsync", "replace", "rename", "mkdir"):
        setattr(os, name, failing(getattr(os, name)))
    builtins.open = io.open = sys.modules["_io"].open = opened


def _be_naive() -> None:
    from ganutils.files import atomic

    @contextlib.contextmanager
    def replacing(path):
        with open(path, "wb") as out:
            yield out

    atomic.replacing = replacing
