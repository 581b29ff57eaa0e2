"""What commands print: lines on stdout and stderr, a progress bar, and the status line of a training."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import click


def plain(text: str) -> str:
    """`text` on one line, with control characters escaped, so that no file name can control a terminal."""
    return "".join(c if c.isprintable() else _escaped(c) for c in text)


def _escaped(sign: str) -> str:
    """As in Python; beyond ASCII as in JSON, so that a line of JSON stays valid."""
    return sign.encode("unicode_escape").decode() if sign < "\x7f" else json.dumps(sign)[1:-1]


def show(lines: Iterable[str]) -> None:
    """Print lines on stdout."""
    for line in lines:
        click.echo(plain(line))


def say(message: str, quiet: bool = False) -> None:
    """Print a line on stderr."""
    if not quiet:
        click.echo(Status.erased() + plain(message), err=True)


def say_all(messages: Iterable[str], quiet: bool = False) -> None:
    """Print lines on stderr."""
    for message in messages:
        say(message, quiet)


def say_at_once(message: str) -> None:
    """As `say`, from a signal's handler, which must not use a stream that it may have interrupted."""
    with contextlib.suppress(OSError):  # a terminal that hung up
        os.write(sys.stderr.fileno(), f"{Status.erased()}{message}\n".encode())


def duration(seconds: float) -> str:
    """A time in words: 45 s, 12 min, 1 h 20 min."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def columns() -> int:
    """Columns of the terminal on stderr (stdout may be a pipe, and $COLUMNS of an earlier size)."""
    with contextlib.suppress(OSError, ValueError):
        if width := os.get_terminal_size(sys.stderr.fileno()).columns:
            return width
    return shutil.get_terminal_size().columns


class Progress:
    """A bar on a terminal; elsewhere a line of status at most every `seconds`."""

    def __init__(self, length: int, quiet: bool, done: int = 0, seconds: float = 10.0):
        self._bar: Any = None
        self._quiet, self._seconds, self._spoke = quiet, seconds, time.monotonic()
        if not quiet and sys.stderr.isatty():
            room = max(columns() - BAR, 0)
            self._bar = click.progressbar(
                length=length, file=sys.stderr, item_show_func=lambda item: item and item[:room]
            )
            self._bar.update(done)

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: Any) -> None:
        if self._bar is not None:
            self._bar.render_finish()

    def advance(self, count: int = 1, status: str | None = None) -> None:
        """Count `count` more as done; `status` is shown beside the bar."""
        if self._bar is not None:
            self._bar.update(count, status or self._bar.current_item)
        elif status and time.monotonic() - self._spoke >= self._seconds:
            self._spoke = time.monotonic()
            say(status, self._quiet)

    def passing(self, chunks: Iterable[Any]) -> Iterator[Any]:
        """Yield `chunks`, counting what is in them."""
        for chunk in chunks:
            yield chunk
            self.advance(len(chunk))


BAR = 62  # columns of click's bar with its percentage and time


class Status:
    """How far a training is, in one line: "step 350/5,000 · 12 min left · D 1.121 ...".

    On a terminal the line is drawn anew, and ends at the terminal's edge. In a log it comes now and then, with the time
    so far; the longer a training takes, the rarer.
    """

    _drawn = 0  # characters of the line that is on the terminal now

    def __init__(self, unit: str, total: int, quiet: bool, done: int = 0, clock: Callable[[], float] = time.monotonic):
        self._unit, self._total, self._quiet, self._clock = unit, total, quiet, clock
        self._done, self._details = done, list[str]()
        self._begun = self._spoke = clock()
        self._rated: tuple[int, float] | None = None  # what was done after the first step, which is slow, and when
        self._live = not quiet and sys.stderr.isatty()

    def __enter__(self) -> Status:
        return self

    def __exit__(self, *_: Any) -> None:
        if self._live and Status._drawn:
            self._draw()
            Status._drawn = 0
            click.echo(err=True)

    @staticmethod
    def erased() -> str:
        """What removes the line from the terminal, so that another can be written there."""
        blank, Status._drawn = Status._drawn, 0
        return f"\r{' ' * blank}\r" if blank else ""

    @property
    def elapsed(self) -> str:
        """Time since the start, in words."""
        return duration(self._clock() - self._begun)

    def advance(self, details: Sequence[str] | None = None) -> None:
        """Count one more as done; `details`, if they are new, follow in the line."""
        self._done += 1
        now = self._clock()
        self._rated = self._rated or (self._done, now)
        if details:
            self._details = list(details)
        if self._live and (details or now - self._spoke >= REDRAWN):
            self._draw()
        elif details and not self._quiet and now - self._spoke >= max(OFTEN, (now - self._begun) * RARER):
            self._spoke = now
            say(" · ".join(self._parts(self.elapsed)))

    def _draw(self) -> None:
        self._spoke = self._clock()
        line, *parts = self._parts()
        room = columns() - 1  # beyond the last column a terminal begins a new line
        for part in parts:
            if len(line) + len(part) + 3 > room:
                break
            line += f" · {part}"
        line = line[:room]
        sys.stderr.write("\r" + line.ljust(min(Status._drawn, room)))
        sys.stderr.flush()
        Status._drawn = len(line)

    def _parts(self, *elapsed: str) -> list[str]:
        left = self._left()
        times = ", ".join([*elapsed, *([f"{duration(left)} left"] if left is not None else [])])
        return [f"{self._unit} {self._done:,}/{self._total:,}", *([times] if times else []), *self._details]

    def _left(self) -> float | None:
        """Seconds to the end at the speed so far; None while that is unknown, and at the end."""
        if self._rated is None or not self._details or self._done == self._total:
            return None
        done, then = self._rated
        return (self._total - self._done) * (self._clock() - then) / (self._done - done) if self._done > done else None


REDRAWN = 0.1  # seconds between two drawings on a terminal
OFTEN, RARER = 10.0, 0.05  # seconds between lines of a log: at least, and as a share of the time so far


def teller(quiet: bool) -> tuple[Callable[[str], None], Callable[..., Progress]]:
    """How the library speaks: tell(message), and progress(length) or progress(length, done), which gives a bar."""
    return lambda message: say(message, quiet), lambda length, done=0: Progress(length, quiet, done)
