"""A command: how it starts, fails and is stopped."""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NoReturn

import click

import ganutils
from ganutils.cli import progress, streams
from ganutils.files import lineage, locks
from ganutils.samples.sources import catalog


class Interrupted(SystemExit):
    """Ctrl-C. (For KeyboardInterrupt click prints an empty line of its own.)"""


class Command(click.Command):
    """A command that fails with one line on stderr. Exits with 1, with 2 for usage, with 128 + N for signal N."""

    def main(self, *args: Any, **kwargs: Any) -> None:  # type: ignore[override]
        streams.prepare()
        for number in ENDING:
            if signal.getsignal(number) is not signal.SIG_IGN:  # as our parent asks: nohup, or & in a script
                signal.signal(number, _end)
        signal.signal(signal.SIGUSR1, signal.SIG_IGN)  # for gan-loop, which writes a checkpoint; others would die of it
        if not sys.warnoptions:
            warnings.simplefilter("ignore")  # which libraries address to developers
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
        except Exception as problem:
            if "GANUTILS_DEBUG" in os.environ:
                raise
            self._fail(_unexpected(problem), 1)
        except SystemExit as end:
            _leave(end.code)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        for param in self.params:
            args = param.spelled_out(args) if isinstance(param, FlagOrChoice) else args
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError:  # the reader of our output is done
            _drop_stdout()
            sys.exit(128 + signal.SIGPIPE)

    def _fail(self, message: str, code: int) -> None:
        click.echo(f"{self.name}: {progress.plain(message)}", err=True)
        _drop_stdout()
        _leave(code)


class FlagOrChoice(click.Option):
    """A flag that one of some words may follow; alone it means the first of them.

    (Click's own optional values would take a file name that follows for a wrong word.)
    """

    def spelled_out(self, args: list[str]) -> list[str]:
        """`args` with the word that the flag means wherever none follows it."""
        assert isinstance(self.type, click.Choice)
        words = [*self.type.choices]
        end = args.index("--") if "--" in args else len(args)
        followed = zip(args[:end], [*args[1:end], ""], strict=False)  # of no arguments there are none
        spelled = [f"{arg}={words[0]}" if arg in self.opts and after not in words else arg for arg, after in followed]
        return [*spelled, *args[end:]]


def _leave(code: Any) -> NoReturn:
    """Exit. Of several processes at once: what Python does at its end may wait for the others, who may be dead."""
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        os._exit(int(code or 0))
    sys.exit(code)


def is_first() -> bool:
    """Whether this process is to speak: of those that torchrun starts, the first."""
    return os.environ.get("RANK", "0") == "0"


def abandon(message: str) -> NoReturn:
    """Say `message` as an error and end this process at once, from any thread: the main one may wait for ever."""
    progress.say_at_once(f"{os.path.basename(sys.argv[0])}: {message}")
    os._exit(1)


ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_ended: list[int] = []  # signals received; what `_end` raises in a library's destructor is lost


def _end(number: int, _: Any) -> None:
    """End the command by an exception, so that temporary files are removed."""
    _ended.append(number)
    raise (Interrupted if number == signal.SIGINT else SystemExit)(128 + number)


OUT_OF_MEMORY = "out of memory; use a smaller --batch, --width, --size or --tile, or fewer samples"


def _unexpected(problem: Exception) -> str:
    """What to do about an exception that no input explains: too little memory, a missing package, or a bug."""
    if _is_out_of_memory(problem):
        return OUT_OF_MEMORY
    if isinstance(problem, ImportError) and _package(problem):
        package = _package(problem)
        if isinstance(problem, ModuleNotFoundError):
            return f"{package} is not installed; run: pip install {package}"
        return f"cannot import {package} ({problem}); run: pip install --upgrade {package}"
    what = f"{type(problem).__name__}: {problem}"
    return f"internal error: {what}. This is a bug in ganutils; please report it with the output of GANUTILS_DEBUG=1"


def _is_out_of_memory(problem: Exception) -> bool:
    names = {kind.__name__ for kind in type(problem).__mro__}  # torch's OutOfMemoryError, without importing torch
    text = str(problem).lower()
    is_torchs = isinstance(problem, RuntimeError) and ("can't allocate memory" in text or "out of memory" in text)
    return is_torchs or bool(names & {"MemoryError", "OutOfMemoryError"})


def _package(problem: ImportError) -> str:
    """The package that a failed import was from; "" if it is ours, Python's, or unknown."""
    module = (problem.name or "ganutils").partition(".")[0]
    if module == "ganutils" or module in sys.stdlib_module_names:
        return ""
    return {"PIL": "pillow", "sklearn": "scikit-learn"}.get(module, module.replace("_", "-"))


def _in_words(problem: OSError) -> str:
    if problem.errno == errno.ENOMEM:
        return OUT_OF_MEMORY
    name = problem.filename if isinstance(problem.filename, str) else ""
    if problem.errno == errno.ENOENT and not os.path.isabs(name) and _is_lost():
        return f"{name}{': ' * bool(name)}the current folder is gone; change to one that exists"
    if problem.errno == errno.EBADF and name in ("", "standard output"):
        return "standard output: is closed; redirect it to a file or a pipe"
    advice = {
        "FileNotFoundError": "; check the name",
        "PermissionError": "; check its mode and owner",
        "IsADirectoryError": "; give a file",
    }.get(type(problem).__name__, "; existing files are unchanged" if problem.errno == errno.ENOSPC else "")
    what = (problem.strerror or str(problem) or type(problem).__name__).lower()
    return f"{problem.filename}: {what}{advice}" if problem.filename else what


def _is_lost() -> bool:
    """Whether the current folder has been removed."""
    try:
        os.getcwd()
    except FileNotFoundError:
        return True
    return False


def _drop_stdout() -> None:
    """Print nothing more, also at exit."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@contextlib.contextmanager
def stopping(message: str | None = None) -> Iterator[list[int]]:
    """Yield a list that a first signal of ENDING goes into, so that a loop can finish; a second one ends it at once.

    `message` is printed on stderr when the first one comes.
    A signal that came earlier, and whose exception was lost, is in it. After the block the command exits with 128 +
    the signal's number.
    """
    stopped = list(_ended)

    def stop(number: int, _: Any) -> None:
        if stopped:
            sys.exit(128 + number)
        stopped.append(number)
        if message:
            progress.say_at_once(message)

    heard = [number for number in ENDING if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, stop) for number in heard}
    try:
        yield stopped
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if stopped:
        sys.exit(128 + stopped[0])


@contextlib.contextmanager
def alone(output: str, dry_run: bool = False) -> Iterator[None]:
    """Refuse a second training that writes `output` at the same time. Of torchrun's workers only the first asks."""
    leads = int(os.environ.get("WORLD_SIZE", "1")) < 2 or os.environ.get("RANK") == "0"
    with locks.held(output) if leads and not dry_run else contextlib.nullcontext():
        yield


@contextlib.contextmanager
def asked_to_save() -> Iterator[list[int]]:
    """Yield a list that SIGUSR1 goes into, so that a loop can write its checkpoint and continue."""
    asked: list[int] = []
    before = signal.signal(signal.SIGUSR1, lambda number, _: asked.append(number))
    try:
        yield asked
    finally:
        signal.signal(signal.SIGUSR1, before)


def command(**attrs: Any) -> Callable[[Callable[..., Any]], click.Command]:
    """Make a function a Command: its name with hyphens, --help with examples, --version."""

    def decorate(function: Callable[..., Any]) -> click.Command:
        name = function.__name__.replace("_", "-")
        versioned = click.version_option(ganutils.__version__, message="%(prog)s %(version)s")(function)
        settings = {"help_option_names": ["-h", "--help"], "max_content_width": 100}
        return click.command(name, cls=Command, context_settings=settings, **attrs)(versioned)

    return decorate


def command_line(option: str = "", meaning: Sequence[str] = ()) -> str:
    """This command line, for the lineage of its result; with its `meaning`, in words, in place of an option's value."""
    words = lineage.replaced(sys.argv, option, meaning) if meaning else sys.argv
    return lineage.command_line(words, lambda name: catalog.named(name) is not None)
