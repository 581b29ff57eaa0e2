"""Noticing that another process of a job has died, so that this one ends with a line, and never hangs."""

from __future__ import annotations

import contextlib
import datetime
import faulthandler
import os
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import torch
import torch.distributed as dist

from ganutils import Error

PATIENCE = datetime.timedelta(minutes=10)  # for an answer of a process that lives
FOREVER = datetime.timedelta(days=365)
GRACE = 5.0  # seconds; after a death the main thread may notice by itself, or have an error of its own to tell
PARTING = 30.0  # seconds for destroying the groups of a job that is done

AGAIN = "run the same command again to continue from the last checkpoint"
GONE = f"another worker of this job has died; {AGAIN}"
SILENT = f"another worker of this job has not answered for {PATIENCE.seconds // 60} minutes; {AGAIN}"


@contextlib.contextmanager
def noticing_deaths() -> Iterator[None]:
    """Error if another process has died, or does not answer. Other RuntimeErrors, as out of memory, stay what they are.

    NCCL raises a DistError; gloo a plain RuntimeError that names its source file.
    """
    try:
        yield
    except RuntimeError as problem:
        text = str(problem).lower()
        if "out of memory" in text or not (isinstance(problem, dist.DistError) or "gloo" in text):
            raise
        raise Error(SILENT if "timed out" in text else GONE) from None


class Watch:
    """A thread that waits until the next process of the ring says that it is done; if that dies, `lost` is called.

    NCCL notices no death of a neighbor: its kernel spins, and the main thread waits for it. A socket of gloo's does. A
    process that ends because of it is missed by the one before, and so on round the ring.
    """

    def __init__(self, rank: int, count: int, lost: Callable[[str], object]):
        self._before, self._next, self._lost = (rank - 1) % count, (rank + 1) % count, lost
        self._group: Any = dist.new_group(backend="gloo", timeout=FOREVER)
        self._thread = threading.Thread(target=self._wait, daemon=True)
        self._thread.start()

    def _wait(self) -> None:
        try:
            dist.recv(torch.empty(1), self._next, group=self._group)
        except RuntimeError:
            time.sleep(GRACE)
            self._lost(GONE)

    def end(self) -> None:
        """Say that this process is done, wait until the next one is, and destroy all groups."""
        with contextlib.suppress(RuntimeError):  # the one before may have died
            dist.send(torch.zeros(1), self._before, group=self._group)
        self._thread.join()
        with _at_most(PARTING):
            dist.destroy_process_group()


@contextlib.contextmanager
def _at_most(seconds: float) -> Iterator[None]:
    """End this process with exit code 1 if the block takes longer: a group of NCCL may wait for others for ever."""
    with open(os.devnull, "w") as nowhere:
        faulthandler.dump_traceback_later(seconds, exit=True, file=nowhere)  # needs no GIL, which may be held
        try:
            yield
        finally:
            faulthandler.cancel_dump_traceback_later()
