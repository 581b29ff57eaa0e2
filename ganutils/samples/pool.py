"""Work on all cores, in order, without reading far ahead."""

from __future__ import annotations

import collections
import concurrent.futures
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures.process import BrokenProcessPool
from typing import TypeVar

from ganutils import Error

Job = TypeVar("Job")
Result = TypeVar("Result")

AHEAD = 4  # jobs under way for each core: one is worked on, and others wait so that the core never does


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def in_order(work: Callable[[Job], Result], jobs: Iterable[Job], processes: int) -> Iterator[Result]:
    """work(job) of each job, in the order of the jobs, which are taken from their iterable when needed.

    `work` is a function of a module. Processes are forked where that is safe (Linux), which takes 10 ms.
    """
    if processes < 2:
        yield from map(work, jobs)
        return
    method = "fork" if sys.platform == "linux" else "spawn"
    pool = concurrent.futures.ProcessPoolExecutor(processes, multiprocessing.get_context(method), _start)
    try:
        under_way: collections.deque[concurrent.futures.Future[Result]] = collections.deque()
        for job in jobs:
            under_way.append(pool.submit(work, job))
            if len(under_way) >= AHEAD * processes:
                yield under_way.popleft().result()
        while under_way:
            yield under_way.popleft().result()
    except BrokenProcessPool:
        raise Error(
            "a decoding process was killed, perhaps for lack of memory; use fewer or smaller pictures"
        ) from None
    finally:
        pool.shutdown(cancel_futures=True)


def _start() -> None:
    """Leave signals to the main process, and end when it does."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
