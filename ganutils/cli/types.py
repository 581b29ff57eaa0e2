"""Types of option values: each turns what was typed into a value, or into a usage error."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Sequence
from typing import Any

import click

from ganutils.files import budget
from ganutils.runs.config import is_decay
from ganutils.runs.settings import Setting


class _Limited:
    """What Integer and Number share; every option for a number is one of them, so none takes NaN or infinities."""

    min: Any
    max: Any

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        number = (click.INT if isinstance(self, Integer) else click.FLOAT).convert(value, param, ctx)
        if not self.min <= number <= self.max:  # as NaN is not
            raise click.BadParameter(
                f"{value} is not in the range {_plain(self.min)}<=x<={_plain(self.max)}", ctx, param
            )
        return number

    def _describe_range(self) -> str:
        """The limits that --help shows."""
        least, most = _plain(self.min), _plain(self.max)
        if self.max < MANY:
            return f"{least}<=x<={most}"
        return f"x>={least}" if self.min > -MANY else ""


class Integer(_Limited, click.IntRange):
    """A whole number from `least` to `most`."""

    def __init__(self, least: int, most: int = 10**9):
        super().__init__(least, most)


class Number(_Limited, click.FloatRange):
    """A number from `least` to `most`."""

    def __init__(self, least: float, most: float = 10**6):
        super().__init__(least, most)


MANY = 1e6  # a limit that --help need not show


def _plain(limit: float) -> str:
    return f"{limit:g}" if isinstance(limit, float) else f"{limit}"


MOST_ROWS = 1_000_000


class Rows(click.ParamType):
    """A list like 0,3,8-15."""

    name = "list"

    def convert(self, value: Any, param: Any, ctx: Any) -> list[int]:
        if isinstance(value, list):
            return value
        rows: list[int] = []
        for part in value.split(","):
            match = re.fullmatch(r"(\d{1,18})(?:-(\d{1,18}))?", part.strip(), re.ASCII)
            if not match:
                self.fail(f"{value!r} is not a list like 0,3,8-15", param, ctx)
            first, last = int(match[1]), int(match[2] or match[1])
            if last < first or len(rows) + last - first >= MOST_ROWS:
                self.fail(f"{part!r} is not a rising range, or the list is longer than a million", param, ctx)
            rows.extend(range(first, last + 1))
        return rows


class RowsOrFile(Rows):
    """A list like 0,3,8-15, or a file."""

    name = "list|file"

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        is_list = isinstance(value, list) or re.fullmatch(r"[\d,\s-]+", value, re.ASCII)
        return super().convert(value, param, ctx) if is_list else value


class Size(click.ParamType):
    """A size: 64, or 96x64 for WxH; gives (W, H)."""

    name = "size"
    square = True
    most, places = budget.PIXELS, "pixels"

    def convert(self, value: Any, param: Any, ctx: Any) -> tuple[int, int]:
        if isinstance(value, tuple):
            return value
        match = re.fullmatch(r"([1-9]\d{0,4})(?:x([1-9]\d{0,4}))?", value, re.ASCII)
        if not match or not (match[2] or self.square):
            self.fail(f"{value!r} is not {'a size like 64 or 96x64' if self.square else 'like 8x4'}", param, ctx)
        size = int(match[1]), int(match[2] or match[1])
        if math.prod(size) > self.most:
            self.fail(f"{value!r} has more than {self.most:,} {self.places}", param, ctx)
        return size


class Grid(Size):
    """Columns and rows, CxR."""

    name = "grid"
    square = False
    most, places = budget.CELLS, "places"


class Length(click.ParamType):
    """How long a sound is, 16384 numbers, 0.5s or 500ms, or a text, in letters; gives a signals.Length."""

    name = "length"

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        if not isinstance(value, str):
            return value
        from ganutils.samples import signals

        match = re.fullmatch(r"(\d{1,7})|(\d{1,7}(?:\.\d{1,6})?)(m?)s", value, re.ASCII)
        if not match or not float(match[1] or match[2]):
            self.fail(f"{value!r} is not a length like 16384, 0.5s or 500ms", param, ctx)
        if match[1]:
            length = signals.Length(int(match[1]))
        else:
            length = signals.Length(float(match[2]) / (1000 if match[3] else 1), True)
        if length.at(1) > budget.SOUND:
            self.fail(f"{value!r} is more than {budget.SOUND:,} numbers", param, ctx)
        return length


class Texts(click.ParamType):
    """Texts with commas between; a text with a comma goes in double quotes. Gives a list."""

    name = "texts"

    def convert(self, value: Any, param: Any, ctx: Any) -> list[str]:
        if isinstance(value, list):
            return value
        texts = next(csv.reader([" ".join(value.split())], skipinitialspace=True), [])  # which takes no line breaks
        return [text.strip() for text in texts]


class Choices(click.ParamType):
    """Some of `choices` with commas between; gives a list."""

    name = "names"

    def __init__(self, choices: Sequence[str]):
        self.choices = choices

    def convert(self, value: Any, param: Any, ctx: Any) -> list[str]:
        names = value.split(",") if isinstance(value, str) else value
        unknown = [name for name in names if name not in self.choices]
        if unknown:
            self.fail(f"{unknown[0]!r} is not one of {', '.join(self.choices)}", param, ctx)
        if len(set(names)) < len(names):
            self.fail(f"{value!r} has a name twice", param, ctx)
        return names


class Channels(click.Choice):
    """1, 2 or 3, as a number."""

    def convert(self, value: Any, param: Any, ctx: Any) -> int:
        return int(super().convert(str(value), param, ctx))


class Color(click.ParamType):
    """A color by name or as #rrggbb; gives (R, G, B)."""

    name = "color"

    def convert(self, value: Any, param: Any, ctx: Any) -> tuple[int, int, int]:
        if isinstance(value, tuple):
            return value
        from PIL import ImageColor

        try:
            color = ImageColor.getrgb(value)[:3]
        except ValueError:
            color = (256, 0, 0)
        if max(color) > 255:  # as in rgb(256,0,0)
            self.fail(f"{value!r} is not a color like white, gray or #2040ff", param, ctx)
        return color


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


class Assignments(click.ParamType):
    """Values in 0..1 by name, like smiling=1,hat=0; gives a dict. A name with a comma goes in double quotes."""

    name = "name=value,..."

    def convert(self, value: Any, param: Any, ctx: Any) -> dict[str, float]:
        if isinstance(value, dict):
            return value
        values: dict[str, float] = {}
        for part in Texts().convert(value, param, ctx):
            name, _, number = (text.strip() for text in part.rpartition("="))
            if not name or name in values:
                self.fail(f"{value!r} is not a list like smiling=1,hat=0, with each name once", param, ctx)
            values[name] = Number(0, 1).convert(number, param, ctx)
        return values or self.fail("it names no attribute", param, ctx)


class Name(click.ParamType):
    """A name; not blank."""

    name = "name"

    def convert(self, value: Any, param: Any, ctx: Any) -> str:
        if not value.strip():
            self.fail("a name cannot be empty", param, ctx)
        return str(value.strip())


class Derivation(click.ParamType):
    """A way to make an input of a picture, such as edges or small:4; gives a Way."""

    name = "how"

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        if not isinstance(value, str):
            return value
        from ganutils.samples import derive  # with Pillow, which --help does not need

        try:
            return derive.parse(value)
        except ValueError as problem:
            self.fail(str(problem), param, ctx)


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
        if not match or not is_decay(int(match[1]), int(match[2])):
            self.fail(f"{value!r} is not two steps like 2000:5000, the first before the last", param, ctx)
        return int(match[1]), int(match[2])


class Several(click.ParamType):
    """Some of a setting's choices with commas between, in any order; or none."""

    name = "list"

    def __init__(self, setting: Setting):
        self.setting = setting

    def convert(self, value: Any, param: Any, ctx: Any) -> str:
        names = value.split(",")
        ordered = ",".join(name for name in self.setting.choices if name in names) or value
        if not self.setting.is_choice(ordered) or len(set(names)) != len(ordered.split(",")):
            self.fail(f"{value!r} is neither none nor some of {','.join(self.setting.choices)}", param, ctx)
        return ordered


class Threads(click.ParamType):
    """A number of threads, or auto, which is None."""

    name = "n"

    def convert(self, value: Any, param: Any, ctx: Any) -> int | None:
        if value == "auto":
            return None
        return Integer(1, 1024).convert(value, param, ctx)


class Device(click.ParamType):
    name = "device"

    def convert(self, value: Any, param: Any, ctx: Any) -> str:
        if not re.fullmatch(r"auto|cpu|mps|cuda(:\d{1,2})?", value, re.ASCII):
            self.fail(f"{value!r} is not auto, cpu, cuda, cuda:N or mps", param, ctx)
        return value
