"""A page about one run, or several side by side: what gan-plot, gan-eval, gan-info and gan-gif make, in one file."""

from __future__ import annotations

import base64
import functools
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from ganutils import Error, info
from ganutils.files import container, lineage, logs
from ganutils.films import about
from ganutils.pages import page
from ganutils.runs import checkpoints
from ganutils.samples.samples import in_words
from ganutils.sounds import wav

TYPES = {  # of data: addresses, by suffix
    ".apng": "image/apng",
    ".gif": "image/gif",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".mp4": "video/mp4",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".wav": "audio/wav",
    ".webp": "image/webp",
}
TEXT_LIMIT = 1 << 16  # bytes of a text

Section = dict[str, Any]  # heading, and one of `table`, `figures`, `text`; a script draws it


class Parts(NamedTuple):
    """The FILES of a report by what they are, each in the order they were given."""

    checkpoints: list[str]
    samples: list[str]
    logs: list[str]
    scores: list[str]
    pictures: list[str]
    texts: list[str]


def sort(paths: Sequence[str]) -> Parts:
    """What each file is: by suffix, or by content. Error for one that a report has no place for."""
    parts = Parts([], [], [], [], [], [])
    for path in paths:
        _place(path, parts).append(path)
    return parts


def _place(path: str, parts: Parts) -> list[str]:
    suffix = os.path.splitext(path)[1].lower()
    if suffix in TYPES:
        return parts.pictures
    if suffix in (".txt", ".md"):
        return parts.texts
    if suffix in (".json", ".jsonl") or logs.is_log(path):
        return parts.scores if any("fake" in line for line in logs.read(path)) else parts.logs
    with container.read(path) as file:
        kind = file.kind
    if kind not in ("checkpoint", "samples"):
        raise Error(f"{path}: a report has no place for {kind}; give checkpoints, samples, logs, scores or pictures")
    return parts.checkpoints if kind == "checkpoint" else parts.samples


def write(path: str, heading: str, parts: Parts, line: str) -> None:
    """Write the report, which the command `line` makes."""
    sections = [section for make in SECTIONS for section in make(parts)]
    lines = lineage.joined([_lineage_of(one) for one in (*parts.checkpoints, *parts.samples)], line)
    sections.append({"heading": "Made by", "text": "\n".join(lineage.recipe(lines))})
    page.write(path, "report", heading, {"sections": sections}, lines, policy=page.MEDIA_POLICY)


def _lineage_of(path: str) -> list[str]:
    with container.read(path) as file:
        return list(file.meta.get("lineage", []))


# ----------------------------------------------------------------------------------------------------- sections


def _settings(parts: Parts) -> Iterator[Section]:
    """A column for each checkpoint; what differs between them comes first."""
    if not parts.checkpoints:
        return
    columns = [_settings_of(path) for path in parts.checkpoints]
    rows = [[name, *(column[name] for column in columns)] for name in columns[0]]
    if differing := [row for row in rows if len(set(row[1:])) > 1]:
        head = ["", *logs.names(parts.checkpoints)]
        yield {"heading": "What differs", "table": {"head": head, "rows": differing}}
    same = [row[:2] for row in rows if row not in differing]
    yield {"heading": "Settings", "table": {"head": ["", ""], "rows": same}, "isLong": True}


def _settings_of(path: str) -> dict[str, str]:
    with container.read(path, "checkpoint") as file:
        config = checkpoints.config_of(file)
        progress = checkpoints.progress(file, config)
    settings = {**vars(config), "shape": in_words(config.shape)}
    return {name: info.in_words_of(value) for name, value in {**progress, **settings}.items()}


def _curves(parts: Parts) -> Iterator[Section]:
    for heading, names in (("Training", parts.logs), ("Scores over training", parts.scores)):
        if drawn := [name for name in names if _has_steps(name)]:
            from ganutils.plots import style
            from ganutils.plots.curves import curves

            figure = curves(drawn)
            yield _figures(heading, [_made(functools.partial(style.write, figure=figure), ".svg", heading)])


def _has_steps(path: str) -> bool:
    return len({line.get("step") for line in logs.read(path)} - {None}) > 1


def _scores(parts: Parts) -> Iterator[Section]:
    """A row for each FAKE that was scored."""
    lines = [line for path in parts.scores for line in logs.read(path)]
    names = [name for name in dict.fromkeys(key for line in lines for key in line) if _is_score(name, lines)]
    if lines:
        rows = [[str(line.get("fake", "")), *(_number(line.get(name)) for name in names)] for line in lines]
        yield {"heading": "Scores", "table": {"head": ["", *(name.replace("_", " ") for name in names)], "rows": rows}}


def _is_score(name: str, lines: Sequence[Mapping[str, Any]]) -> bool:
    return any(logs.number(line.get(name)) for line in lines)


def _number(value: Any) -> str:
    return f"{value:.4g}" if logs.number(value) else ""


def _texts(parts: Parts) -> Iterator[Section]:
    for path in parts.texts:
        with open(path, encoding="utf-8", errors="replace") as file:
            yield {"heading": os.path.basename(path), "text": file.read(TEXT_LIMIT)}


def _sheets(parts: Parts) -> Iterator[Section]:
    """A sheet of each file; a checkpoint whose generator starts from pictures has none to show."""
    files = [*filter(_makes_samples, parts.checkpoints), *parts.samples]
    if files:
        yield _figures("Samples", [_sheet(path) for path in files])


def _makes_samples(path: str) -> bool:
    with container.read(path, "checkpoint") as file:
        return checkpoints.config_of(file).inputs is None


def _sheet(path: str) -> dict[str, str]:
    with container.read(path) as file:
        return _made(lambda to: info.preview(file, to, "gan-report"), ".png", os.path.basename(path))


def _pictures(parts: Parts) -> Iterator[Section]:
    if parts.pictures:
        yield _figures("Figures", [_picture(path) for path in parts.pictures])


def _picture(path: str) -> dict[str, str]:
    suffix = os.path.splitext(path)[1].lower()
    if suffix == ".wav":
        wav.open_wav(path)  # Error unless it is one
    elif suffix != ".svg":
        about.about(path)  # Error unless it can be read
    return _embedded(path, suffix, os.path.basename(path))


SECTIONS: tuple[Callable[[Parts], Iterator[Section]], ...] = (
    _settings,
    _curves,
    _scores,
    _texts,
    _sheets,
    _pictures,
)


def _figures(heading: str, figures: list[dict[str, str]]) -> Section:
    return {"heading": heading, "figures": figures}


def _made(make: Callable[[str], None], suffix: str, caption: str) -> dict[str, str]:
    """The figure that `make` writes to the file it is given."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, f"figure{suffix}")
        make(path)
        return _embedded(path, suffix, caption)


def _embedded(path: str, suffix: str, caption: str) -> dict[str, str]:
    if os.path.getsize(path) > page.LARGEST:
        raise Error(f"{path}: is too large for a page; make a smaller one")
    with open(path, "rb") as file:
        content = base64.b64encode(file.read()).decode()
    return {"src": f"data:{TYPES[suffix]};base64,{content}", "caption": caption}
