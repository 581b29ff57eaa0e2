"""The place of a result: an open folder, which stays the same one whatever it is called meanwhile."""

from __future__ import annotations

import contextlib
import functools
import os
import shutil
from collections.abc import Iterator
from typing import IO

from ganutils import Error
from ganutils.files import paths


class Place:
    """The `name` of a result in an open folder. All names are in that folder; a missing one is a FileNotFoundError.

    path       what the user typed
    temporary  what the result is called until it is whole
    old        what a folder that is replaced is called where two names cannot be exchanged
    """

    def __init__(self, path: str, folder: str, name: str, handle: int):
        self.path, self.folder, self.name, self.handle = path, folder, name, handle
        self.temporary, self.old = paths.beside(name, "tmp"), paths.beside(name, "old")

    @classmethod
    @contextlib.contextmanager
    def of(cls, path: str) -> Iterator[Place]:
        """Open the folder that `path` leads to; Error if nothing can be written there."""
        target = paths.target_of(path)
        folder, name = os.path.split(target)
        with naming(path, folder, target):
            paths.check_output(path)
            handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            yield cls(path, folder, name, handle)
        finally:
            os.close(handle)

    def has(self, name: str) -> bool:
        """Whether there is a file, folder or link of this name."""
        return self.mode_of(name) is not None

    def mode_of(self, name: str) -> int | None:
        """The permissions of a file or folder; None if there is none."""
        try:
            return os.stat(name, dir_fd=self.handle, follow_symlinks=False).st_mode & 0o7777
        except FileNotFoundError:
            return None

    def is_still(self, descriptor: int, name: str) -> bool:
        """Whether an open file has this name, and was not renamed or removed."""
        try:
            return os.path.samestat(os.fstat(descriptor), os.stat(name, dir_fd=self.handle, follow_symlinks=False))
        except FileNotFoundError:
            return False

    def rename(self, name: str, new: str) -> None:
        os.replace(name, new, src_dir_fd=self.handle, dst_dir_fd=self.handle)

    def remove(self, name: str) -> None:
        """Remove a file, or a folder and what is in it; nothing may be there."""
        with contextlib.suppress(FileNotFoundError):
            try:
                os.unlink(name, dir_fd=self.handle)
            except (IsADirectoryError, PermissionError):  # as Linux and macOS call a folder
                shutil.rmtree(name, dir_fd=self.handle)

    def settle(self) -> None:
        """Make a rename survive a power failure. Error if the user's name leads elsewhere by now."""
        os.fsync(self.handle)
        try:
            is_there = os.path.samestat(os.fstat(self.handle), os.stat(self.folder))
        except OSError:
            is_there = False
        if not is_there:
            raise Error(f"{self.path}: was written, but its folder has another name by now; look for it there")


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


def opened(name: str, mode: str, folder: int) -> IO[bytes]:
    """Open a file in an open folder."""
    return open(name, mode, opener=functools.partial(os.open, dir_fd=folder))
