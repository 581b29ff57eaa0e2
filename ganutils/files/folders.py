"""A folder of files, one per sample, written whole or not at all."""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import IO, NamedTuple

import numpy as np

from ganutils import Error
from ganutils.files import atomic, png, riff
from ganutils.files.place import Place, naming, opened

RENAME_EXCHANGE = 2  # of Linux: fs.h


class Writer(NamedTuple):
    """How a sample is written: the suffix of its file, and what writes it, with its lineage, to an open one."""

    suffix: str
    write: Callable[[IO[bytes], np.ndarray, Sequence[str]], None]


PNG = Writer(".png", png.write)
OURS = {".png": png.is_ours, ".wav": riff.is_ours}  # whether an open file is one that we wrote


def write(path: str, samples: Iterable[np.ndarray], lineage: Sequence[str] = (), writer: Writer = PNG) -> int:
    """One file per sample, 000000.png and so on, each with its `lineage`. Returns their number.

    An existing folder is replaced if it holds only such files, which this function wrote. As in atomic.replacing, the
    temporary folder has one name per target and is locked: a second writer waits, and the next one clears what a killed
    one left.
    """
    number = -1
    path = f"{path.rstrip('/')}/"
    with Place.of(path) as place, naming(path, place.temporary), _locked(place) as folder:
        try:
            _mend(place)
            _check(place)
            for number, sample in enumerate(samples):
                name = f"{number:06d}{writer.suffix}"
                with naming(place.path, name), opened(name, "xb", folder) as out:
                    writer.write(out, sample, lineage)
                    out.flush()
                    os.fsync(out.fileno())
            atomic.finish_pipes()
            os.fsync(folder)
            _check(place)
            _take_place(place, folder)
        except BaseException:
            with contextlib.suppress(OSError):
                place.remove(place.temporary)  # still locked: it is ours
            raise
        place.settle()
    return number + 1


def check(path: str) -> None:
    """Error if a folder has the name `path` and holds what `write` did not write."""
    with Place.of(path) as place:
        _check(place)


def _check(place: Place) -> None:
    if not place.has(place.name):
        return
    with _open(place, place.name) as folder:
        fcntl.flock(folder, fcntl.LOCK_SH)  # another writer that has just replaced it may be removing it
        for name in sorted(os.listdir(folder)):
            if not re.fullmatch(r"\d{6,}\.(png|wav)", name) or not _is_ours(folder, name):
                what = "which ganutils, or this version of it, did not write"
                raise Error(f"{place.path}: holds {name}, {what}; remove the folder or choose another name")


def _is_ours(folder: int, name: str) -> bool:
    with opened(name, "rb", folder) as stream:
        return OURS[os.path.splitext(name)[1]](stream)


@contextlib.contextmanager
def _locked(place: Place) -> Iterator[int]:
    """A handle of the temporary folder, new and for this process alone. Wait for another that is writing it."""
    while True:
        try:
            os.mkdir(place.temporary, dir_fd=place.handle)
            is_new = True
        except FileExistsError:
            is_new = False
        with contextlib.ExitStack() as stack:
            try:
                handle = stack.enter_context(_open(place, place.temporary))
                fcntl.flock(handle, fcntl.LOCK_EX)
            except FileNotFoundError:  # another process thought it was left behind
                continue
            except OSError:
                with contextlib.suppress(OSError):
                    os.rmdir(place.temporary, dir_fd=place.handle)  # empty, or it stays
                raise
            if place.is_still(handle, place.temporary):
                if is_new:
                    yield handle
                    return
                place.remove(place.temporary)  # a killed process left it behind


@contextlib.contextmanager
def _open(place: Place, name: str) -> Iterator[int]:
    handle = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=place.handle)
    try:
        yield handle
    finally:
        os.close(handle)


def _take_place(place: Place, folder: int) -> None:
    """Rename the temporary folder to its target, which stays whole throughout if the system can exchange names."""
    mode = place.mode_of(place.name)
    if mode is None:
        place.rename(place.temporary, place.name)
        return
    os.fchmod(folder, mode)
    with _open(place, place.name) as before:
        fcntl.flock(before, fcntl.LOCK_EX)  # it gets the temporary name: nobody may write into it before it is gone
        if _exchanged(place.handle, place.temporary, place.name):
            place.remove(place.temporary)
        else:
            place.rename(place.name, place.old)
            place.rename(place.temporary, place.name)
            place.remove(place.old)


def _exchanged(folder: int, one: str, other: str) -> bool:
    """Exchange the names of two folders atomically, by renameat2(2); False if the system or file system cannot."""
    try:
        rename = ctypes.CDLL(None, use_errno=True).renameat2
    except (AttributeError, OSError):
        return False
    return rename(folder, os.fsencode(one), folder, os.fsencode(other), RENAME_EXCHANGE) == 0


def _mend(place: Place) -> None:
    """After a kill between the two renames, restore the old folder, or remove it if the new one is in place."""
    if place.has(place.name):
        place.remove(place.old)
    elif place.has(place.old):
        place.rename(place.old, place.name)
