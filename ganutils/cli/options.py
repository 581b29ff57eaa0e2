"""Options that mean the same in every command."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import click

from ganutils.cli.types import Decay, Device, Several
from ganutils.files import paths
from ganutils.runs.config import PLAIN, SETTINGS, Setting
from ganutils.runs.presets import PRESETS


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
labeling_features = click.option(
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
    modern = {**PLAIN, **PRESETS["modern"]}
    for name, setting in reversed(SETTINGS.items()):
        if name == "classes":
            function = click.option("--conditional", is_flag=True, help="Train by class, on the labels of DATA.")(
                function
            )
            continue
        default = f"  [modern: {modern[name]}]" if modern.get(name) is not None else ""
        option = "--" + name.replace("_", "-")
        function = click.option(option, name, type=_type(setting), help=setting.help + default)(function)
    presets = click.Choice(list(PRESETS))
    return click.option("--preset", type=presets, help="Settings to start from  [default: modern]")(function)


def _type(setting: Setting) -> click.ParamType:
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
