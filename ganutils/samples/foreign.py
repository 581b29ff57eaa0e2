"""Decoders and models that are not ours, in processes of their own, each held to what a file may cost.

A decoder written in C cannot be interrupted, and takes what memory a file asks for. In a Child the system ends it when
its processor time is used up, refuses memory beyond its allowance (on Linux), and throws away what it prints on stderr;
what it says of damage comes back as an exception.
"""

from __future__ import annotations

import faulthandler
import math
import multiprocessing
import os
import resource
import signal
import sys
import threading
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from multiprocessing.connection import Connection
from typing import Any, NamedTuple

from ganutils import Error
from ganutils.files import budget

METHOD = "fork" if sys.platform == "linux" else "spawn"  # where it is safe; it takes 10 ms
OUT_OF_TIME = (signal.SIGPROF, signal.SIGXCPU)


class UnreadableError(Exception):
    """Why a picture cannot be read, in words that follow its name."""


class Part(NamedTuple):
    """One of the results of an item whose function gives an iterator; End follows the last."""

    value: Any


class Need(NamedTuple):
    """The child asks whether it may decode so many pixels now; `grant` answers."""

    pixels: int


class End(NamedTuple):
    """No more parts of an item."""


class _Failure(NamedTuple):
    problem: Exception


class Child:
    """A process that calls functions of modules: give it a function and items, and take a result for each.

    An item is a tuple of arguments. Use it as a context: it ends with the block, whatever it is doing.
    """

    def __init__(self) -> None:
        context: Any = multiprocessing.get_context(METHOD)
        self.connection, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs,), daemon=True)
        self._process.start()
        theirs.close()

    def __enter__(self) -> Child:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def give(self, function: Callable[..., Any], items: Sequence[tuple[Any, ...]]) -> None:
        """Call function(*item) of each item, and wait with each result until it is taken."""
        try:
            self.connection.send((function, items))
        except OSError:
            raise self._death() from None

    def take(self) -> Any:
        """The next result, a Part, End or a Need; raises what the function raised.

        UnreadableError if the process died of the item, Error if something else killed it.
        """
        try:
            message = self.connection.recv()
        except (EOFError, OSError):
            raise self._death() from None
        if isinstance(message, _Failure):
            raise message.problem
        return message

    def grant(self) -> None:
        """Let it decode what it asked for."""
        self.connection.send(True)

    def close(self) -> None:
        self._process.kill()
        self._process.join()
        self.connection.close()

    def _death(self) -> Exception:
        self._process.join()
        number = -(self._process.exitcode or 0)
        if number in OUT_OF_TIME:
            return UnreadableError("takes too much time to read")
        if number == signal.SIGKILL:
            return Error("a decoding process was killed, perhaps for lack of memory; use fewer or smaller pictures")
        return UnreadableError("makes its reader crash")


def each(function: Callable[..., Any], items: Sequence[tuple[Any, ...]]) -> Generator[Any]:
    """function(*item) of each item from a child, as they are needed; where that is an iterator, what it gives."""
    with Child() as child:
        child.give(function, items)
        left = len(items)
        while left:
            message = child.take()
            if isinstance(message, Need):
                child.grant()
                continue
            left -= not isinstance(message, Part)
            if not isinstance(message, End):
                yield message.value if isinstance(message, Part) else message


def call(function: Callable[..., Any], *arguments: Any) -> Any:
    """function(*arguments), from a child."""
    return next(each(function, [arguments]))


# --------------------------------------------------------------------------------------- in the child


_connection: Connection | None = None  # to the parent; None in a process that is no Child


def allow(seconds: float) -> None:
    """End this child if it uses more than so many seconds of a processor from now on. No effect in other processes."""
    if _connection is not None:
        signal.setitimer(signal.ITIMER_PROF, seconds)


def allow_programs(seconds: float) -> None:
    """End a program that this child starts if it uses more of a processor. No effect in other processes."""
    if _connection is not None:
        _limit(resource.RLIMIT_CPU, time.process_time() + seconds)


def allow_memory(size: float) -> None:
    """Let this child have so many bytes more than it has now, and no more. No effect in other processes."""
    if _connection is not None and sys.platform == "linux":
        with open("/proc/self/statm", "rb") as stream:
            used = int(stream.read().split()[5]) * resource.getpagesize()
        _limit(resource.RLIMIT_DATA, used + size)


def allow_making(size: int) -> None:
    """Let this child make something of a picture of `size` numbers."""
    allow(budget.deriving(size))
    allow_memory(budget.MEMORY + budget.PER_NUMBER * size)


def allow_pixels(pixels: int) -> None:
    """Let this child decode so many pixels: waits until there is room for them, beside what other children decode."""
    if _connection is not None:
        allow_memory(budget.MEMORY + budget.PER_PIXEL * pixels)
        if pixels > budget.UNASKED:
            _connection.send(Need(pixels))
            _connection.recv()


def _limit(kind: int, amount: float) -> None:
    most = resource.getrlimit(kind)[1]
    is_within = amount < (most if most != resource.RLIM_INFINITY else math.inf)
    resource.setrlimit(kind, (math.ceil(amount) if is_within else most, most))


def _serve(connection: Connection) -> None:
    """Call what the parent gives, until it ends."""
    global _connection
    _connection = connection
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # signals are for the parent
    for number in (signal.SIGTERM, signal.SIGUSR1, *OUT_OF_TIME):
        signal.signal(number, signal.SIG_DFL)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    faulthandler.disable()  # it may print elsewhere
    threading.Thread(target=_end_with_parent, daemon=True).start()
    while True:
        function, items = connection.recv()
        for item in items:
            _answer(connection, function, item)


def _answer(connection: Connection, function: Callable[..., Any], item: tuple[Any, ...]) -> None:
    allow(budget.DECODING)
    try:
        result = function(*item)
        if isinstance(result, Iterator):
            for value in result:
                connection.send(Part(value))
            result = End()
    except MemoryError:
        result = _Failure(UnreadableError("does not fit into memory"))
    except Exception as problem:
        result = _Failure(_sendable(problem))
    signal.setitimer(signal.ITIMER_PROF, 0)
    _limit(resource.RLIMIT_DATA, math.inf)
    _limit(resource.RLIMIT_CPU, math.inf)
    connection.send(result)


def _sendable(problem: Exception) -> Exception:
    """The exception, or one that says the same, if only the child's libraries know its type."""
    if type(problem).__module__ == "builtins" or isinstance(problem, Error | UnreadableError):
        return problem
    return RuntimeError(f"{type(problem).__name__}: {problem}")


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
