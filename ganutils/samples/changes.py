"""Whether another program changes files while they are read, so that old and new would mix."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TypeVar

from ganutils import Error

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
