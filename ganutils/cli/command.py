"""A command: how it starts, fails and is stopped."""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import sys
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import click

import ganutils
from ganutils.cli import progress
from ganutils.files import lineage


class Interrupted(SystemExit):
    """Ctrl-C. (For KeyboardInterrupt click prints an empty line of its own.)"""


class Command(click.Command):
    """A command that fails with one line on stderr: exit 1, usage 2, a signal 128 + its number."""

    def main(self, *args: Any, **kwargs: Any) -> None:  # type: ignore[override]
        signal.signal(signal.SIGTERM, _end)
        if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # nobody asked for it to be ignored
            signal.signal(signal.SIGINT, _end)
        signal.signal(signal.SIGUSR1, signal.SIG_IGN)  # it asks gan-loop for a checkpoint; elsewhere it would kill
        if not sys.warnoptions:
            warnings.simplefilter("ignore")  # of libraries, to developers
        sys.stdin = sys.stdin or open(os.devnull)  # noqa: SIM115  (None if it was closed)
        sys.stdout = sys.stdout or open(os.devnull, "w")  # noqa: SIM115
        try:
            super().main(*args, **{**kwargs, "standalone_mode": False})
            sys.stdout.flush()
        except click.UsageError as problem:
            name = problem.ctx.command_path if problem.ctx else self.name
            self._fail(f"{problem.format_message()} (see {name} --help)", 2)
        except (click.Abort, Interrupted):
            self._fail("interrupted", 128 + signal.SIGINT)
        except ganutils.Error as problem:
            self._fail(str(problem), 1)
        except OSError as problem:
            self._fail(_in_words(problem), 1)
        except MemoryError:
            self._fail("not enough memory; use fewer or smaller samples, or a smaller --batch or --width", 1)
        except Exception as problem:
            if "GANUTILS_DEBUG" in os.environ:
                raise
            what = f"{type(problem).__name__}: {problem}"
            self._fail(f"a fault of ours: {what}; please report it with what GANUTILS_DEBUG=1 prints", 1)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError:  # whoever read our output has had enough
            _drop_stdout()
            sys.exit(128 + signal.SIGPIPE)

    def _fail(self, message: str, code: int) -> None:
        click.echo(f"{self.name}: {progress.plain(message)}", err=True)
        _drop_stdout()
        sys.exit(code)


_ended: list[int] = []  # signals that should have ended us: what is raised in some library's destructor is lost


def _end(number: int, _: Any) -> None:
    """End the command by an exception, so that temporary files are removed."""
    _ended.append(number)
    raise (Interrupted if number == signal.SIGINT else SystemExit)(128 + number)


def _in_words(problem: OSError) -> str:
    advice = {
        "FileNotFoundError": "; check the name",
        "PermissionError": "; check its mode and owner",
        "IsADirectoryError": "; a file is wanted",
    }.get(type(problem).__name__, "; what was there before is still there" if problem.errno == errno.ENOSPC else "")
    what = (problem.strerror or str(problem) or type(problem).__name__).lower()
    return f"{problem.filename}: {what}{advice}" if problem.filename else what


def _drop_stdout() -> None:
    """Let nothing more come out, at exit neither."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@contextlib.contextmanager
def stopping() -> Iterator[list[int]]:
    """Yield a list that a first SIGINT or SIGTERM is put into, for a loop to end well; a second one ends it at once.

    One that came before, and whose exception was lost, is in it. After the block the command exits with 128 + the
    signal's number.
    """
    stopped = list(_ended)

    def stop(number: int, _: Any) -> None:
        if stopped:
            sys.exit(128 + number)
        stopped.append(number)

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stopped
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if stopped:
        sys.exit(128 + stopped[0])


@contextlib.contextmanager
def asked_to_save() -> Iterator[list[int]]:
    """Yield a list that SIGUSR1 is put into, for a loop to write its checkpoint and go on."""
    asked: list[int] = []
    before = signal.signal(signal.SIGUSR1, lambda number, _: asked.append(number))
    try:
        yield asked
    finally:
        signal.signal(signal.SIGUSR1, before)


def command(**attrs: Any) -> Callable[[Callable[..., Any]], click.Command]:
    """A command of ours: the function's name with hyphens, --help with its examples, --version."""

    def decorate(function: Callable[..., Any]) -> click.Command:
        name = function.__name__.replace("_", "-")
        versioned = click.version_option(ganutils.__version__, message="%(prog)s %(version)s")(function)
        settings = {"help_option_names": ["-h", "--help"], "max_content_width": 100}
        return click.command(name, cls=Command, context_settings=settings, **attrs)(versioned)

    return decorate


def command_line() -> str:
    """This command as the lineage of its result keeps it."""
    return lineage.command_line(sys.argv)
