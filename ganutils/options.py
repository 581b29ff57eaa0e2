"""What the commands share: options that mean one thing everywhere, how they fail, and what they say.

The only module of the library that imports click or prints.
"""

from __future__ import annotations

import contextlib
import csv
import errno
import json
import os
import re
import signal
import sys
import time
import warnings
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import click

import ganutils
from ganutils import config, lineage, paths

# -------------------------------------------------------------------------------------------- failing


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
        click.echo(f"{self.name}: {plain(message)}", err=True)
        _drop_stdout()
        sys.exit(code)


_ended: list[int] = []  # signals that should have ended us: what is raised in some library's destructor is lost


def _end(number: int, _: Any) -> None:
    """End the command by an exception, so that temporary files are removed."""
    _ended.append(number)
    raise (Interrupted if number == signal.SIGINT else SystemExit)(128 + number)


def plain(text: str) -> str:
    """`text` on one line, with control characters written out, so that no file name can speak to a terminal."""
    return "".join(c if c.isprintable() else _written_out(c) for c in text)


def _written_out(sign: str) -> str:
    """As in Python; beyond ASCII as in JSON, so that a line of JSON remains one."""
    return sign.encode("unicode_escape").decode() if sign < "\x7f" else json.dumps(sign)[1:-1]


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


# --------------------------------------------------------------------------------------------- saying


def show(lines: Iterable[str]) -> None:
    """Text on stdout, a line each."""
    for line in lines:
        click.echo(plain(line))


def say(message: str, quiet: bool = False) -> None:
    """One line on stderr."""
    if not quiet:
        click.echo(plain(message), err=True)


class Progress:
    """A bar on a terminal; elsewhere a line now and then, at most one every `seconds`."""

    def __init__(self, length: int, quiet: bool, done: int = 0, seconds: float = 10.0):
        self._bar: Any = None
        self._quiet, self._seconds, self._said = quiet, seconds, time.monotonic()
        if not quiet and sys.stderr.isatty():
            self._bar = click.progressbar(length=length, file=sys.stderr, item_show_func=lambda item: item)
            self._bar.update(done)

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: Any) -> None:
        if self._bar is not None:
            self._bar.render_finish()

    def advance(self, count: int = 1, status: str | None = None) -> None:
        """`count` more are done; `status` says how it goes."""
        if self._bar is not None:
            self._bar.update(count, status or self._bar.current_item)
        elif status and time.monotonic() - self._said >= self._seconds:
            self._said = time.monotonic()
            say(status, self._quiet)

    def passing(self, chunks: Iterable[Any]) -> Iterator[Any]:
        """Hand on `chunks`, counting what is in them."""
        for chunk in chunks:
            yield chunk
            self.advance(len(chunk))


def teller(quiet: bool) -> tuple[Callable[[str], None], Callable[[int], Progress]]:
    """What the library is handed to speak by: say(message), and progress(length) that gives a bar."""
    return lambda message: say(message, quiet), lambda length: Progress(length, quiet)


# -------------------------------------------------------------------------------------------- reading


class Rows(click.ParamType):
    """A list like 0,3,8-15."""

    name = "list"

    def convert(self, value: Any, param: Any, ctx: Any) -> list[int]:
        if isinstance(value, list):
            return value
        rows: list[int] = []
        for part in value.split(","):
            match = re.fullmatch(r"(\d+)(?:-(\d+))?", part.strip(), re.ASCII)
            if not match:
                self.fail(f"{value!r} is not a list like 0,3,8-15", param, ctx)
            first, last = int(match[1]), int(match[2] or match[1])
            if last < first or last - first >= 1_000_000 or last >= 1 << 63:
                self.fail(f"{part!r} is not a range that goes up, by at most a million", param, ctx)
            rows.extend(range(first, last + 1))
        return rows


class RowsOrFile(Rows):
    """A list like 0,3,8-15, or the name of a file."""

    name = "list|file"

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        is_list = isinstance(value, list) or re.fullmatch(r"[\d,\s-]+", value, re.ASCII)
        return super().convert(value, param, ctx) if is_list else value


class Size(click.ParamType):
    """A size: 64, or 96x64 for WxH; gives (W, H)."""

    name = "size"
    square = True

    def convert(self, value: Any, param: Any, ctx: Any) -> tuple[int, int]:
        if isinstance(value, tuple):
            return value
        match = re.fullmatch(r"([1-9]\d{0,4})(?:x([1-9]\d{0,4}))?", value, re.ASCII)
        if not match or not (match[2] or self.square):
            self.fail(f"{value!r} is not {'a size like 64 or 96x64' if self.square else 'like 8x4'}", param, ctx)
        return int(match[1]), int(match[2] or match[1])


class Grid(Size):
    """Columns and rows, CxR."""

    name = "grid"
    square = False


class Texts(click.ParamType):
    """Texts with commas between; one with a comma stands in double quotes. Gives a list."""

    name = "texts"

    def convert(self, value: Any, param: Any, ctx: Any) -> list[str]:
        if isinstance(value, list):
            return value
        texts = next(csv.reader([value], skipinitialspace=True), [])
        return [" ".join(text.split()) for text in texts]


class Channels(click.Choice):
    """1 or 3, as a number."""

    def convert(self, value: Any, param: Any, ctx: Any) -> int:
        return int(super().convert(str(value), param, ctx))


class Color(click.ParamType):
    """A colour by name or as #rrggbb; gives (R, G, B)."""

    name = "color"

    def convert(self, value: Any, param: Any, ctx: Any) -> tuple[int, int, int]:
        from PIL import ImageColor

        if isinstance(value, tuple):
            return value
        try:
            return ImageColor.getrgb(value)[:3]
        except ValueError:
            self.fail(f"{value!r} is not a color like white, gray or #2040ff", param, ctx)


class Names(click.ParamType):
    """Names with commas between; gives a list."""

    name = "names"

    def convert(self, value: Any, param: Any, ctx: Any) -> list[str]:
        if isinstance(value, list):
            return value
        names = [name.strip() for name in value.split(",")]
        if not all(names):
            self.fail(f"{value!r} is not a list of names like 3,7 or cat,dog", param, ctx)
        return names


class Split(click.ParamType):
    """A part of a data set: its name, or A-B% as (A, B)."""

    name = "part"

    def convert(self, value: Any, param: Any, ctx: Any) -> str | tuple[float, float]:
        if isinstance(value, tuple) or re.fullmatch(r"[a-z]+", value):
            return value
        match = re.fullmatch(r"(\d{1,3}(?:\.\d+)?)-(\d{1,3}(?:\.\d+)?)%", value, re.ASCII)
        if not match or not 0 <= float(match[1]) < float(match[2]) <= 100:
            self.fail(f"{value!r} is not a name like train or a part like 0-90%", param, ctx)
        return float(match[1]), float(match[2])


class Decay(click.ParamType):
    name = "first:last"

    def convert(self, value: Any, param: Any, ctx: Any) -> tuple[int, int]:
        if isinstance(value, tuple):
            return value
        match = re.fullmatch(r"(\d{1,15}):(\d{1,15})", value, re.ASCII)
        if not match or not config.is_decay(int(match[1]), int(match[2])):
            self.fail(f"{value!r} is not two steps like 2000:5000, the first before the last", param, ctx)
        return int(match[1]), int(match[2])


class Several(click.ParamType):
    """Some of a setting's choices, with commas; in any order, kept in theirs. Or none."""

    name = "list"

    def __init__(self, setting: config.Setting):
        self.setting = setting

    def convert(self, value: Any, param: Any, ctx: Any) -> str:
        names = value.split(",")
        ordered = ",".join(name for name in self.setting.choices if name in names) or value
        if not config.is_choice(self.setting, ordered) or len(set(names)) != len(ordered.split(",")):
            self.fail(f"{value!r} is not some of {','.join(self.setting.choices)}, nor none", param, ctx)
        return ordered


class Device(click.ParamType):
    name = "device"

    def convert(self, value: Any, param: Any, ctx: Any) -> str:
        if not re.fullmatch(r"auto|cpu|mps|cuda(:\d+)?", value, re.ASCII):
            self.fail(f"{value!r} is not auto, cpu, cuda, cuda:N or mps", param, ctx)
        return value


# -------------------------------------------------------------------------------------------- options


def command(**attrs: Any) -> Callable[[Callable[..., Any]], click.Command]:
    """A command of ours: the function's name with hyphens, --help with its examples, --version."""

    def decorate(function: Callable[..., Any]) -> click.Command:
        name = function.__name__.replace("_", "-")
        versioned = click.version_option(ganutils.__version__, message="%(prog)s %(version)s")(function)
        settings = {"help_option_names": ["-h", "--help"], "max_content_width": 100}
        return click.command(name, cls=Command, context_settings=settings, **attrs)(versioned)

    return decorate


def or_stdin(name: str, value: str | None) -> str:
    """`value`, or stdin if it was left out and stdin is not a terminal."""
    if value is None and sys.stdin.isatty():
        raise click.UsageError(f"Missing {name}: give a file, or pipe one in.")
    return "-" if value is None else value


def _or_stdin(ctx: click.Context, param: click.Parameter, value: Any) -> Any:
    name = param.human_readable_name.strip("[].")
    if param.nargs == -1:
        return value or (or_stdin(name, None),)
    return or_stdin(name, value)


def _or_stdout(ctx: click.Context, param: click.Parameter, value: str | None) -> str:
    if value in (None, "-", "/dev/stdout") and sys.stdout.isatty():
        raise click.UsageError("The result is binary: give -o FILE, or pipe it on.", ctx)
    value = "-" if value is None else value
    paths.check_folder(value)
    return value


def _or_stdout_form(ctx: click.Context, param: click.Parameter, value: str | None) -> str:
    value = _or_stdout(ctx, param, value)
    paths.form(value)
    return value


def _or_stdout_score(ctx: click.Context, param: click.Parameter, value: str | None) -> str:
    if not ctx.params.get("score"):  # which is eager, so it is known by now
        return _or_stdout_form(ctx, param, value)
    paths.check_folder(value or "-")
    return value or "-"


def _or_stdout_picture(ctx: click.Context, param: click.Parameter, value: str | None) -> str:
    value = _or_stdout(ctx, param, value)
    is_said = ctx.params.get("form") and not value.endswith("/")
    if not is_said and paths.form(value, ".gif") in (".safetensors", ".npy"):
        raise click.UsageError(f"{value}: gan-gif draws; give a {', a '.join(paths.FILMS)}, a .png or NAME/")
    return value


def _or_stdout_plot(ctx: click.Context, param: click.Parameter, value: str | None) -> str:
    value = _or_stdout(ctx, param, value)
    paths.form(value, ".png", paths.DRAWN)
    return value


def _checked(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    if value is not None:
        paths.check_folder(value)
    return value


def input_argument(name: str, **attrs: Any) -> Callable[..., Any]:
    """A file to read; left out, it is stdin."""
    return click.argument(name, type=click.Path(), required=False, callback=_or_stdin, **attrs)


def _output(callback: Callable[..., str], what: str) -> Callable[..., Any]:
    return click.option("-o", "--output", type=click.Path(), callback=callback, help=what)


output = _output(_or_stdout, "Where the checkpoint goes; left out or -, stdout.")
output_of_any_form = _output(
    _or_stdout_form, f"Where the result goes, its form by suffix ({' '.join(paths.SUFFIXES)} NAME/); left out, stdout."
)
output_or_score = _output(
    _or_stdout_score, "Where the result goes, its form by suffix (as of gan-interp; a score is text); left out, stdout."
)
output_of_pictures = _output(
    _or_stdout_picture,
    f"NAME{' '.join(paths.FILMS)} .png, or NAME/ for one PNG a frame; left out, a GIF on stdout.",
)
output_of_plot = _output(
    _or_stdout_plot, f"NAME{' '.join(paths.DRAWN)}: a page, or a film of several FILES; left out, a PNG on stdout."
)
report = click.option(
    "--report", type=click.Path(), metavar="FILE.json", callback=_checked, help="What stands on stderr, as JSON."
)
seed = click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Seed of everything random.")
device = click.option(
    "--device", type=Device(), default="auto", show_default=True, help="auto, cpu, cuda, cuda:N or mps."
)
threads = click.option("--threads", type=click.IntRange(1, 1024), help="Of the CPU  [default: all its cores]")
deterministic = click.option(
    "--deterministic", is_flag=True, help="The same bits at every run on CUDA too, slower; a CPU gives them anyway."
)
quiet = click.option("-q", "--quiet", is_flag=True, help="Say nothing but errors.")
classifiers_root = click.option(
    "--root", default="~/.cache/ganutils", show_default=True, help="Where trained classifiers are kept."
)
labelling_features = click.option(
    "--features",
    default="cnn",
    show_default=True,
    metavar="cnn|CKPT",
    help="Of a small network trained on LABELLED and kept, or of a checkpoint's discriminator.",
)
origin = click.option(
    "--from", "origin", type=click.Path(), metavar="CKPT", help="Checkpoint to go on from; left out, a new run."
)


def model(function: Callable[..., Any]) -> Callable[..., Any]:
    """The settings of a new run, as options without defaults: what is not typed comes from the preset or --from."""
    modern = {**config.PLAIN, **config.PRESETS["modern"]}
    for name, setting in reversed(config.SETTINGS.items()):
        if name == "classes":
            function = click.option("--conditional", is_flag=True, help="Train by class, on the labels of DATA.")(
                function
            )
            continue
        default = f"  [modern: {modern[name]}]" if modern.get(name) is not None else ""
        option = "--" + name.replace("_", "-")
        function = click.option(option, name, type=_type(setting), help=setting.help + default)(function)
    presets = click.Choice(list(config.PRESETS))
    return click.option("--preset", type=presets, help="Settings to start from  [default: modern]")(function)


def _type(setting: config.Setting) -> click.ParamType:
    if setting.many:
        return Several(setting)
    if setting.choices:
        return click.Choice(setting.choices)
    if setting.type is tuple:
        return Decay()
    ranges = {int: click.IntRange, float: click.FloatRange}
    return ranges[setting.type](setting.least, setting.most)  # type: ignore[arg-type, return-value]


def typed(settings: dict[str, Any]) -> dict[str, Any]:
    """The model options that were typed."""
    return {name: value for name, value in settings.items() if value is not None and value is not False}


def command_line() -> str:
    """This command as the lineage of its result keeps it."""
    return lineage.command_line(sys.argv)
