"""Work on all cores, in order, without reading far ahead.

The processes share one allowance of pixels (budget.PIXELS), in which those that are decoded and those that wait to be
taken count. Beyond it only the first job that is not finished goes on, since everything waits for its results.
"""

from __future__ import annotations

import collections
import os
from collections.abc import Callable, Iterable, Iterator
from multiprocessing.connection import wait
from typing import Any, NamedTuple

from ganutils.files import budget
from ganutils.samples.foreign import Child, Need, UnreadableError

AHEAD = 4  # jobs under way or finished for each core, so that a slow one does not keep the others waiting


class Job(NamedTuple):
    """Items, each a tuple of arguments, that one process works on; they take `size` bytes."""

    items: list[tuple[Any, ...]]
    size: int = 0


class _Task:
    """A job, the process that works on it until it is finished, and its results that wait to be taken.

    asked    pixels that the process asks to decode
    granted  pixels that it may decode now
    """

    def __init__(self, job: Job, child: Child, work: Callable[..., Any]):
        self.job, self.child, self._work = job, child, work
        self.left = len(job.items)
        self.results: collections.deque[Any] = collections.deque()
        self.asked = self.granted = 0
        child.give(work, job.items)

    @property
    def pixels(self) -> int:
        """How many of the allowance it has."""
        return self.granted + sum(map(_bytes, self.results)) // 3

    def receive(self) -> None:
        try:
            message = self.child.take()
        except UnreadableError as problem:  # the process died of this item; another goes on with the next
            message = problem
            self.child.close()
            self.child = Child()
            if self.left > 1:
                self.child.give(self._work, self.job.items[1 - self.left :])
        if isinstance(message, Need):
            self.asked = message.pixels
            return
        self.asked = self.granted = 0
        self.left -= 1
        self.results.append(message)

    def grant(self) -> None:
        self.asked, self.granted = 0, self.asked
        self.child.grant()


def _bytes(result: Any) -> int:
    """Of an array, or of several by name."""
    return sum(map(_bytes, result.values())) if isinstance(result, dict) else getattr(result, "nbytes", 0)


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def in_order(work: Callable[..., Any], jobs: Iterable[Job], processes: int) -> Iterator[Any]:
    """work(*item) of each item of each job, in their order; an UnreadableError where the process died of the item.

    `work` is a function of a module. Jobs are taken from their iterable when they are needed.
    """
    source, idle, tasks = iter(jobs), list[Child](), collections.deque[_Task]()
    following = next(source, None)
    try:
        while tasks or following:
            while following and _has_room(tasks, following, processes):
                tasks.append(_Task(following, idle.pop() if idle else Child(), work))
                following = next(source, None)
            while tasks[0].results:
                yield tasks[0].results.popleft()
            if tasks[0].left:
                _grant(tasks)
                idle += _receive(tasks)
            else:
                tasks.popleft()
    finally:
        for child in {*idle, *(task.child for task in tasks)}:
            child.close()


def _has_room(tasks: Iterable[_Task], job: Job, processes: int) -> bool:
    """Whether there are a process and memory for one more job."""
    under_way = [task for task in tasks if task.left]
    packed = sum(task.job.size for task in under_way)
    is_full = under_way and (packed + job.size > budget.PACKED or sum(task.pixels for task in tasks) > budget.PIXELS)
    return len(under_way) < processes and len(list(tasks)) < AHEAD * processes and not is_full


def _grant(tasks: Iterable[_Task]) -> None:
    """Let processes decode what there is room for; the first always."""
    used = sum(task.pixels for task in tasks)
    for at, task in enumerate(tasks):
        if task.asked and (at == 0 or used + task.asked <= budget.PIXELS):
            task.grant()
            used += task.granted


def _receive(tasks: Iterable[_Task]) -> Iterator[Child]:
    """Take what the processes have sent, at least one message; gives those that have finished their job."""
    working = {task.child.connection: task for task in tasks if task.left}
    for connection in wait(list(working)):
        task = working[connection]
        task.receive()
        if not task.left:
            yield task.child
