"""Functions that do not need each other's results: one after the other, or side by side in threads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Protocol, TypeVar

import torch

T = TypeVar("T")


class Each(Protocol):
    """What gives the results of functions, in their order."""

    def __call__(self, functions: Sequence[Callable[[], T]], /) -> list[T]: ...


def in_turn(functions: Sequence[Callable[[], T]]) -> list[T]:
    """One after the other."""
    return [function() for function in functions]


class SideBySide:
    """Each function in a thread of its own, that computes with its share of the threads of the caller.

    Operators on little data gain little from several threads, and run side by side, since torch leaves Python to other
    threads meanwhile. The bits are those of one after the other with so many threads as a share. With fewer threads
    than functions it is one after the other.
    """

    def __init__(self) -> None:
        self._threads: list[ThreadPoolExecutor] = []
        self._share = 0

    def __call__(self, functions: Sequence[Callable[[], T]]) -> list[T]:
        share = torch.get_num_threads() // len(functions)
        if len(functions) == 1 or not share:
            return in_turn(functions)
        self._prepare(len(functions), share)
        futures = [thread.submit(function) for thread, function in zip(self._threads, functions, strict=True)]
        return _results(futures)

    def _prepare(self, count: int, share: int) -> None:
        """Have `count` threads, which compute with `share` threads each."""
        if (count, share) == (len(self._threads), self._share):
            return
        own = torch.get_num_threads()
        self._threads, self._share = [ThreadPoolExecutor(1) for _ in range(count)], share
        _results([thread.submit(_set_up, share) for thread in self._threads])
        torch.set_num_threads(own)  # which is that of threads to come, too


def _set_up(share: int) -> None:
    """What is each thread's own, of what `devices.prepare` sets up."""
    torch.get_num_threads()  # before a thread's first work torch would give it the latest count of all threads
    torch.set_num_threads(share)
    torch.set_flush_denormal(True)


def _results(futures: list[Future[T]]) -> list[T]:
    """The results; if some failed, what the first of them raised, when none is running any more."""
    wait(futures)
    return [future.result() for future in futures]
