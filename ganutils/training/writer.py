"""Writing in a thread while training goes on."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Any


class Writer:
    """A thread that makes one write after the other, in their order. As a context it ends when all is written.

    What a write fails with is raised by the call that comes after, in the thread that called.
    """

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1)
        self._under_way: Future[Any] | None = None

    def start(self, write: Callable[[], object]) -> None:
        """Let the thread `write`, once the write before is done."""
        self.finish()
        self._under_way = self._thread.submit(write)

    def check(self) -> None:
        """Raise what a write has failed with."""
        if self._under_way is not None and self._under_way.done():
            self.finish()

    def finish(self) -> None:
        """Wait until all is written."""
        if self._under_way is not None:
            self._under_way.result()
            self._under_way = None

    def __enter__(self) -> Writer:
        return self

    def __exit__(self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None) -> None:
        self._thread.shutdown()
        if kind is None:
            self.finish()
