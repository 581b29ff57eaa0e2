"""The options that several commands share: each is declared once and means one thing everywhere.

An option that is given and would change nothing is a usage error: see `refuse` and `exclusive`.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any

import click
from click.core import ParameterSource

from ganutils.cli.command import FlagOrChoice
from ganutils.cli.types import Color, Decay, Device, Grid, Integer, Number, Rows, RowsOrFile, Several, Threads
from ganutils.files import logs, paths
from ganutils.films import formats
from ganutils.runs.config import MOST_SEED, PLAIN, SETTINGS
from ganutils.runs.presets import (
    CLASSED,
    DESCRIBED,
    DOMAINS,
    GRAY,
    LABELED,
    LARGE,
    PAIRED,
    POINTS,
    PRESETS,
    SIGNALS,
    SMALL,
    TEXTS,
    TOLD,
    WITH_LOSS,
)
from ganutils.runs.settings import Setting

# ---------------------------------------------------------------------------- what was given on the command line


def _given(*names: str) -> list[str]:
    """The options among the parameters `names` that were typed, as they are written: --seed, -n."""
    ctx = click.get_current_context()
    spelled = {param.name: max(param.opts, key=len) for param in ctx.command.params}
    return [spelled[name] for name in names if ctx.get_parameter_source(name) is ParameterSource.COMMANDLINE]


def refuse(*names: str, because: str) -> None:
    """Usage error if one of these options was given, since it has no effect: `because` ends the sentence."""
    for option in _given(*names):
        raise click.UsageError(f"{option} has no effect {because}")


def exclusive(*names: str) -> None:
    """Usage error if several of these options were given."""
    options = _given(*names)
    if len(options) > 1:
        raise click.UsageError(f"{' and '.join(options)} exclude each other; give one")


# ------------------------------------------------------------------------------------------- files, stdin, stdout


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


def input_argument(name: str, **attrs: Any) -> Callable[..., Any]:
    """A file to read; stdin if it is left out."""
    return click.argument(name, type=click.Path(), required=False, callback=_or_stdin, **attrs)


def expression(samples: str | None, expr: str | None, direction: str | None) -> tuple[str, str | None]:
    """SAMPLES and EXPR of gan-arith, of which either can be left out: for stdin, and for --direction."""
    if direction is None and expr is None:
        samples, expr = None, samples
    if (expr is None) == (direction is None):
        raise click.UsageError("give EXPR or --direction")
    return or_stdin("SAMPLES", samples), expr


Check = Callable[[click.Context, str], Any]


def _checked(check: Check, is_text: Check = lambda ctx, path: False) -> Callable[..., str]:
    """The callback of -o: only text goes to a terminal; `check` looks at the name before any work is done."""

    def callback(ctx: click.Context, param: click.Parameter, path: str | None) -> str:
        path = "-" if path is None else path
        if path in ("-", "/dev/stdout") and sys.stdout.isatty() and not is_text(ctx, path):
            raise click.UsageError("The result is binary: give -o FILE, or pipe it on.", ctx)
        paths.check_output(path)
        check(ctx, path)
        if path.endswith("/"):
            from ganutils.files import folders

            folders.check(path)
        return path

    return callback


def checked_by(check: Callable[[str], object]) -> Callable[..., str | None]:
    """A callback that looks at the name of an output, if it is given, before any work is done."""

    def callback(ctx: click.Context, param: click.Parameter, path: str | None) -> str | None:
        if path is not None:
            check(path)
        return path

    return callback


def _is_score(ctx: click.Context, _: str) -> bool:
    return bool(ctx.params.get("score"))  # --score is eager: it is read before -o


def _is_plan(ctx: click.Context, _: str) -> bool:
    return bool(ctx.params.get("dry_run"))  # --dry-run is eager too


def _check_json(ctx: click.Context, path: str) -> None:
    """Usage error if the name promises another format than JSON."""
    suffix = os.path.splitext(path)[1].lower()
    if suffix in (*formats.sample_formats(), *formats.PAGES) or path.endswith("/"):
        raise click.UsageError(f"{path}: JSON is written there; give NAME.json", ctx)


def _check_checkpoint(ctx: click.Context, path: str) -> None:
    """Usage error if the name promises another format than a checkpoint's."""
    suffix = os.path.splitext(path)[1].lower()
    others = {*formats.sample_formats(), *formats.PAGES, ".json", ".jsonl"} - {".safetensors"}
    if suffix in others or path.endswith("/"):
        raise click.UsageError(f"{path}: a checkpoint is written there; give NAME.ckpt.safetensors", ctx)


def _check_samples(ctx: click.Context, path: str) -> None:
    paths.format_of(path, formats.sample_formats())


def _check_samples_or_score(ctx: click.Context, path: str) -> None:
    (_check_json if _is_score(ctx, path) else _check_samples)(ctx, path)


def _check_film(ctx: click.Context, path: str) -> None:
    if not ctx.params.get("format") or path.endswith("/"):
        paths.format_of(path, formats.film_formats(), ".gif")


def _check_plot(ctx: click.Context, path: str) -> None:
    paths.format_of(path, formats.figure_formats(), ".png")


def _check_page(ctx: click.Context, path: str) -> None:
    paths.format_of(path, (".html",), ".html")


def _check_export(ctx: click.Context, path: str) -> None:
    suffix_of_export(path)


def suffix_of_export(path: str) -> str:
    """.onnx or .html, as the name asks; Error for another."""
    return paths.format_of(path, (".onnx", ".html"), ".onnx")


def _check_report(ctx: click.Context, param: click.Parameter, path: str | None) -> str | None:
    if path is not None:
        paths.check_output(path)
        _check_json(ctx, path)
    return path


# --------------------------------------------------------------------------------------------------- shared options


def _shared(*names: str, help: str, **attrs: Any) -> Callable[..., Any]:
    """An option that means `help`. It is called where it is used, and may get other attributes there.

    note   more about it, at the end of the sentence
    shown  the default in words
    """

    def option(note: str = "", **more: Any) -> Callable[..., Any]:
        merged = {**attrs, **more}
        shown = merged.pop("shown", "")
        text = f"{help}{note}." + (f"  [default: {shown}]" if shown else "")
        return click.option(*names, help=text, **{"show_default": not shown, **merged})

    return option


def _output(callback: Callable[..., str], help: str, shown: str = "stdout") -> Callable[..., Any]:
    return _shared("-o", "--output", type=click.Path(), callback=callback, help=help, shown=shown)


BY_SUFFIX = f"suffix chooses the format: {paths.in_words(formats.sample_formats())} for one PNG, or WAV, per sample"
output = _output(_checked(_check_checkpoint, _is_plan), "File to write: a checkpoint")
output_of_samples = _output(_checked(_check_samples), f"File to write; its {BY_SUFFIX}")
output_of_latents = _output(_checked(_check_samples), "File to write: .safetensors or .npy")
output_or_score = _output(
    _checked(_check_samples_or_score, _is_score),
    f"File to write; its {BY_SUFFIX}; with --score, NAME.json",
)
output_of_film = _output(
    _checked(_check_film),
    f"File to write: {paths.in_words(formats.film_formats())} for one PNG per frame",
    "a GIF on stdout",
)
output_of_export = _output(_checked(_check_export), "File to write: .onnx or .html", "ONNX on stdout")
output_of_page = _output(_checked(_check_page), "File to write: .html", "stdout")
output_of_plot = _output(
    _checked(_check_plot), f"File to write: {paths.in_words(formats.figure_formats())}", "a PNG on stdout"
)

LONG = 80  # letters of choices that stand beside an option
FILTERS = ("nearest", "box", "bilinear", "hamming", "bicubic", "lanczos")
WHITE, BLACK = (255, 255, 255), (0, 0, 0)  # as numbers: to look up a default's name would import Pillow at every start

along = _shared(
    "--along", type=RowsOrFile(), help="Axes, e.g. 0,3,5-9, or a file of latents that are directions", default=None
)
answers = _shared(
    "--answers", type=click.Path(), metavar="FILE.json", callback=_check_report, help="Also write the answers as JSON"
)
background = _shared("--background", type=Color(), help="Background color: a name or #rrggbb")
count = _shared("-n", "count", metavar="N", help="Number of samples")
deterministic = _shared("--deterministic", is_flag=True, expose_value=False, hidden=True, help="Has no effect any more")
device = _shared("--device", type=Device(), default="auto", help="Device: auto, cpu, cuda, cuda:N or mps")
dry_run = _shared(
    "--dry-run",
    is_flag=True,
    is_eager=True,  # -o depends on it
    help="Print data, networks and all settings, and what would be written; train and write nothing",
)
features = _shared(
    "--features",
    default="auto",
    metavar="auto|inception|pixels|FILE",
    help="Features of samples: auto (a small network trained on the labels), inception, pixels, or those of FILE: an "
    "extractor, an ONNX model, or a checkpoint, whose discriminator gives them",
)
filter = _shared("--filter", type=click.Choice(FILTERS), help="Filter for resizing")
grid = _shared("--grid", type=Grid(), metavar="CxR", help="Columns and rows of a frame, e.g. 8x4")
heading = _shared("--heading", help="Heading of the page")
init = _shared(
    "--init",
    type=click.Path(),
    metavar="CKPT",
    help="Checkpoint whose networks a new run begins with; settings that are not given are its own",
)
inputs = _shared("--inputs", type=click.Path(), help="Pictures that others are to be made from")
like = _shared("--like", type=click.Path(), metavar="LABELED", help="Labeled samples to learn from")
limit = _shared("--limit", metavar="N", type=Integer(1), help="Use at most N samples, chosen by --seed")
log = _shared(
    "--log",
    type=click.Path(),
    callback=checked_by(logs.check),
    help="File to append JSON lines to, one every 50 steps or updates",
)
origin = _shared(
    "--from", "origin", type=click.Path(), metavar="CKPT", help="Checkpoint to continue from", shown="a new run"
)
quiet = _shared("-q", "--quiet", is_flag=True, help="Print nothing but errors")
report = _shared(
    "--report", type=click.Path(), metavar="FILE.json", callback=_check_report, help="Also write the report as JSON"
)
root = _shared(
    "--root", metavar="FOLDER", default="~/.cache/ganutils", help="Folder for downloads and trained classifiers"
)
score = click.option(
    "--score",
    type=click.Path(),
    metavar="CKPT",
    is_eager=True,  # -o depends on it
    help="Print as JSON how often sums, sampled by CKPT, have the attributes they should.",
)
seed = _shared("--seed", type=Integer(0, MOST_SEED), default=0, help="Random seed")
seeds = _shared("--seeds", type=Rows(), help="One latent per seed, e.g. 0-15; seed 7 gives the first of --seed 7")
text = _shared(
    "--text", multiple=True, show_default=False, help="Sentence for a GAN that was trained on captions; repeatable"
)
threads = _shared(
    "--threads", type=Threads(), default="auto", metavar="N", help="Number of CPU threads; auto = as many as pay"
)
to = _shared("--to", metavar="CLASS", help="The class, by name or number,", default=None)
updates = _shared("--updates", type=Integer(1), help="Number of updates")


def model(function: Callable[..., Any]) -> Callable[..., Any]:
    """The settings of a new run, as options without defaults: those left out come from the preset or --from."""
    first = {setting.flag or name: name for name, setting in reversed(SETTINGS.items())}
    for name, setting in reversed(SETTINGS.items()):
        if setting.option and first[setting.flag or name] == name:
            function = _setting(name, setting, _default(name))(function)
    return function


MODERN = {  # what the preset is, by what it is for
    "": PRESETS["modern"],
    f"pictures larger than {SMALL}x{SMALL}": LARGE["modern"],
    "gray pictures": {**PRESETS["modern"], **GRAY["modern"][False]},
    f"gray pictures larger than {SMALL}x{SMALL}": {**LARGE["modern"], **GRAY["modern"][True]},
    "inputs": PAIRED["modern"]["unet"],
    "--domains": DOMAINS["modern"]["unet"],
    "labels": {**PRESETS["modern"], **LABELED["modern"]},
    "classes": {**PRESETS["modern"], **CLASSED["modern"]},
    "--loss lsgan": {**PRESETS["modern"], **WITH_LOSS["modern"]["lsgan"]},
    "attributes or captions": {**PRESETS["modern"], **TOLD["modern"], **DESCRIBED["modern"]},
    "points": POINTS["modern"],
    "sounds": SIGNALS["modern"],
    "texts": TEXTS["modern"],
}


def _default(name: str) -> str:
    """The default of a setting in its help, and what else it is for pairs, sounds and so on; "" if there is none."""
    plain, *_ = values = [preset.get(name, PLAIN.get(name)) for preset in MODERN.values()]
    uses: dict[Any, list[str]] = {}  # by the value
    for use, value in zip(MODERN, values, strict=True):
        uses.setdefault(value, []).append(use)
    texts = [
        f"with {' or '.join(use)}: {_shown(value)}" if value != plain else _shown(value)
        for value, use in uses.items()
        if value is not None
    ]
    return f"  [modern: {'; '.join(texts)}]" if texts else ""


def _shown(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else f"{value}"


def _setting(name: str, setting: Setting, note: str) -> Callable[..., Any]:
    if setting.flag_values:
        words = click.Choice(list(setting.flag_values))
        return click.option(f"--{setting.flag}", cls=FlagOrChoice, type=words, help=setting.help)
    if setting.flag:
        return click.option(f"--{setting.flag}", is_flag=True, help=setting.help)
    flag, kind, text = "--" + name.replace("_", "-"), _type(setting), setting.help
    if isinstance(kind, click.Choice) and sum(map(len, kind.choices)) > LONG:  # names that fit into no column
        text = f"{text[:-1]}: {', '.join(map(str, kind.choices))}."
        return click.option(flag, name, type=kind, metavar="NAME", help=text + note)
    return click.option(flag, name, type=kind, help=text + note)


def _type(setting: Setting) -> click.ParamType:
    if setting.many:
        return Several(setting)
    if setting.choices:
        return click.Choice(list(setting.choices))
    if setting.type is tuple:
        return Decay()
    if setting.type is int:
        return Integer(int(setting.least), int(setting.most))
    return Number(setting.least, setting.most)


def typed(given: dict[str, Any]) -> dict[str, Any]:
    """The settings of a run among `given` that were typed."""
    names = {setting.flag or name for name, setting in SETTINGS.items()}
    return {name: value for name, value in given.items() if name in names and value is not None and value is not False}


def pick(kind: Callable[..., Any], given: dict[str, Any]) -> Any:
    """A named tuple of `kind` with those of its fields that are options."""
    return kind(**{name: given[name] for name in kind._fields if name in given})  # type: ignore[attr-defined]
