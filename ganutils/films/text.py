"""Text on frames: captions filled in, and letters as pixels. NumPy and Pillow only."""

from __future__ import annotations

import importlib.util
import os
import re
import string
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from PIL import ImageFont

from ganutils import Error

LENGTH_LIMIT = 500  # characters of one text
PLAINER = str.maketrans(
    {"\u2212": "-", "\u2013": "-", "\u2014": "-", "\u00d7": "x", "\u2026": "...", "\u2019": "'"}
)  # for fonts that lack these characters


def fill(template: str, fields: Mapping[str, object]) -> str:
    """`template` with `fields` filled in, as in '{step} · {kimg:.1f} kimg'. Error if it names another field.

    Only plain names are fields: {step.__class__} or {step[0]} would let a template reach into the program.
    """
    try:
        for _, name, spec, conversion in string.Formatter().parse(template):
            if name is not None and (name not in fields or conversion or "{" in (spec or "")):
                raise Error(f"--caption: there is no field {{{name}}} here; use {', '.join(sorted(fields))}")
            if re.search(r"\d{4}", spec or ""):
                raise ValueError(f"{spec} is wider than any frame")
        text = template.format_map(fields)
    except (ValueError, OverflowError, MemoryError) as problem:
        raise Error(f"--caption {template!r}: {problem}; a field is written {{step}} or {{kimg:.1f}}") from None
    return plain(text)


def plain(text: str) -> str:
    """`text` on one line, without control characters, and not too long."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:LENGTH_LIMIT]


class Font:
    """One font for all `texts`, `size` pixels high: that in the file `path`, else Pillow's own.

    Pillow's has little more than English letters. If it lacks one, DejaVu Sans is used, which comes with matplotlib,
    and then plainer signs. Error if there is no way to write a character.
    """

    def __init__(self, size: int, path: str | None, texts: Iterable[str]):
        self.size = size
        self.line = round(1.4 * size)  # height of a line in pixels
        self._signs: dict[int, str] = {}
        try:
            fonts: list[Any] = [ImageFont.truetype(path, size) if path else ImageFont.load_default(size)]
        except OSError:
            raise Error(f"{path}: is not a readable font; give a .ttf or .otf file") from None
        letters = "".join(dict.fromkeys("".join(texts)))
        fallback = None if path or _lacks(fonts[0], letters) is None else dejavu()
        fonts += [ImageFont.truetype(fallback, size)] if fallback else []
        for self._signs in ({}, PLAINER):
            for self._font in fonts:
                missing = _lacks(self._font, letters.translate(self._signs))
                if missing is None:
                    return
        raise Error(f"the font has no {missing!r}; give another with --font FILE.ttf")

    def width(self, text: str) -> int:
        """Of one line, in pixels."""
        return round(self._font.getlength(text.translate(self._signs)))

    def lines(self, text: str, width: int) -> list[str]:
        """`text` broken between words into lines of at most `width` pixels, as far as its words allow."""
        lines: list[str] = []
        for word in text.split():
            if lines and self.width(f"{lines[-1]} {word}") <= width:
                lines[-1] += f" {word}"
            else:
                lines.append(word)
        return lines

    def draw(self, text: str) -> np.ndarray:
        """One line as coverage by ink: uint8 [line, width]."""
        mask, (left, top) = self._font.getmask2(text.translate(self._signs), "L", anchor="ls")
        letters = np.asarray(mask, np.uint8).reshape(mask.size[::-1])
        y, x = max(round(self.line * 0.75) + top, 0), max(left, 0)
        ink = np.zeros((self.line, max(self.width(text), x + letters.shape[1])), np.uint8)
        part = letters[: self.line - y]
        ink[y : y + len(part), x : x + part.shape[1]] = part
        return ink


def _lacks(font: ImageFont.FreeTypeFont, letters: str) -> str | None:
    """The first of `letters` that a font has no shape for, or None."""
    missing = _shape(font, "\uffff")
    return next((letter for letter in letters if not letter.isspace() and _shape(font, letter) == missing), None)


def _shape(font: ImageFont.FreeTypeFont, letter: str) -> tuple[bytes, tuple[int, int]]:
    mask = font.getmask(letter)
    return bytes(mask), mask.size


def dejavu(name: str = "DejaVuSans") -> str | None:
    """The file of one of its fonts; None if matplotlib is not there."""
    spec = importlib.util.find_spec("matplotlib")  # finds the folder without importing
    for folder in (spec.submodule_search_locations or []) if spec else []:
        path = os.path.join(folder, "mpl-data", "fonts", "ttf", f"{name}.ttf")
        if os.path.exists(path):
            return path
    return None
