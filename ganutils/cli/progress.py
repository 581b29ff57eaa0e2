"""What commands print: lines on stdout and stderr, and a progress bar."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterable, Iterator
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
        click.echo(plain(message), err=True)


class Progress:
    """A bar on a terminal; elsewhere a line of status at most every `seconds`."""

    def __init__(self, length: int, quiet: bool, done: int = 0, seconds: float = 10.0):
        self._bar: Any = None
        self._quiet, self._seconds, self._spoke = quiet, seconds, time.monotonic()
        if not quiet and sys.stderr.isatty():
            self._bar = click.progressbar(length=length, file=sys.stderr, item_show_func=lambda item: item)
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


def teller(quiet: bool) -> tuple[Callable[[str], None], Callable[..., Progress]]:
    """How the library speaks: tell(message), and progress(length) or progress(length, done), which gives a bar."""
    return lambda message: say(message, quiet), lambda length, done=0: Progress(length, quiet, done)
