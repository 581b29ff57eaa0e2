"""A folder of PNG files, written whole or not at all."""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import re
import shutil
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from ganutils import Error
from ganutils.files import atomic, paths, png

AT_FDCWD, RENAME_EXCHANGE = -100, 2  # of Linux: fcntl.h and fs.h


def write(path: str, samples: Iterable[np.ndarray], lineage: Sequence[str] = ()) -> int:
    """One PNG per sample [H, W, C], 000000.png and so on, each with its `lineage`. Returns their number.

    An existing folder is replaced if it holds only such files, which this function wrote. As in atomic.replacing, the
    temporary folder has one name per target and is locked: a second writer waits, and the next one clears what a killed
    one left.
    """
    paths.check_folder(path)
    folder = os.path.realpath(path.rstrip("/"))
    parent, name = os.path.split(folder)
    temporary, old = (os.path.join(parent, f".{name}.{what}") for what in ("tmp", "old"))
    number = -1
    with atomic.naming(path, temporary, folder, parent), _locked(temporary):
        if os.path.lexists(old):
            _mend(folder, old)
        try:
            _check(path, folder)
            for number, sample in enumerate(samples):
                with open(os.path.join(temporary, f"{number:06d}.png"), "wb") as out:
                    png.write(out, sample, lineage)
                    out.flush()
                    os.fsync(out.fileno())
            atomic.finish_pipes()
            atomic.sync_folder(temporary)
            _check(path, folder)
            _take_place(temporary, folder, old)
            atomic.sync_folder(parent)
        except BaseException:
            shutil.rmtree(temporary, ignore_errors=True)  # still locked: it is ours
            raise
    return number + 1


def _check(path: str, folder: str) -> None:
    for name in sorted(os.listdir(folder)) if os.path.lexists(folder) else ():
        if not re.fullmatch(r"\d{6,}\.png", name) or not png.is_ours(os.path.join(folder, name)):
            what = "which ganutils, or this version of it, did not write"
            raise Error(f"{path}: holds {name}, {what}; remove the folder or choose another name")


@contextlib.contextmanager
def _locked(path: str) -> Iterator[None]:
    """Hold the empty folder `path` for this process alone; wait for another that is writing it."""
    while True:
        with contextlib.suppress(FileExistsError):
            os.mkdir(path)
        with contextlib.ExitStack() as stack:
            try:
                is_there = stack.enter_context(_lock(path))
            except OSError:
                with contextlib.suppress(OSError):
                    os.rmdir(path)  # empty, or it stays
                raise
            if is_there:
                for name in os.listdir(path):
                    os.unlink(os.path.join(path, name))
                yield
                return


@contextlib.contextmanager
def _lock(path: str) -> Iterator[bool]:
    """Lock the folder `path`; False if it was removed or renamed meanwhile."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        yield False
        return
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        try:
            is_there = os.path.samestat(os.fstat(handle), os.stat(path))
        except FileNotFoundError:
            is_there = False
        yield is_there
    finally:
        os.close(handle)


def _take_place(temporary: str, folder: str, old: str) -> None:
    """Rename the temporary folder to its target, which stays whole throughout if the system can exchange names."""
    if not os.path.lexists(folder):
        os.rename(temporary, folder)
        return
    with _lock(folder):  # it gets the temporary name: nobody may write into it before it is gone
        if _exchanged(temporary, folder):
            shutil.rmtree(temporary)
        else:
            os.rename(folder, old)
            os.rename(temporary, folder)
            shutil.rmtree(old)


def _exchanged(one: str, other: str) -> bool:
    """Exchange the names of two folders atomically, by renameat2(2); False if the system or file system cannot."""
    try:
        rename = ctypes.CDLL(None, use_errno=True).renameat2
    except (AttributeError, OSError):
        return False
    return rename(AT_FDCWD, os.fsencode(one), AT_FDCWD, os.fsencode(other), RENAME_EXCHANGE) == 0


def _mend(folder: str, old: str) -> None:
    """After a kill between the two renames, restore the old folder, or remove it if the new one is in place."""
    if os.path.lexists(folder):
        shutil.rmtree(old)
    else:
        os.rename(old, folder)
