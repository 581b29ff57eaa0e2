"""Quick, Draw!: 50 million drawings of 345 things (Ha and Eck 2017, A Neural Representation of Sketch Drawings).

Bitmaps 28x28 by category name, and strokes of .ndjson files, simplified or raw, drawn at any size.
"""

from __future__ import annotations

import dataclasses
import importlib.resources
import json
import math
import os
import re
import urllib.parse
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from ganutils import Error
from ganutils.samples import predicates
from ganutils.samples.images import Shape, UnreadableError, fit
from ganutils.samples.sources import arrays, downloads
from ganutils.samples.sources.downloads import Progress
from ganutils.samples.sources.source import Source

LICENSE = "CC BY 4.0, The Quick, Draw! Dataset, Google"
ADDRESS = "https://storage.googleapis.com/quickdraw_dataset/full/numpy_bitmap"
ADDRESS_VARIABLE = "GANUTILS_QUICKDRAW"  # an environment variable: another place of the same files
SIDE = 28  # pixels of Google's bitmaps, and of strokes where no size is asked for
LINE_LIMIT = 1 << 24  # bytes of one drawing
POINT_LIMIT = 100_000  # of one drawing; people draw a few hundred
OVERSAMPLING = 4  # strokes are drawn at least so many times larger and then made smaller, which antialiases them

# How Google made bitmaps of strokes: lines 16 wide on a canvas of 256 with 16 around it (quickdraw-dataset, issue 19)
STROKE, MARGIN, CANVAS = 16, 16, 256


def categories() -> list[str]:
    """The 345 names."""
    return importlib.resources.files(__package__).joinpath("quickdraw.txt").read_text("utf-8").splitlines()


def bitmaps(names: str, root: str, progress: Progress) -> list[Source]:
    """A source for each category in `names` ("apple,hot air balloon"), downloaded to `root`/quickdraw if not there."""
    known = categories()
    found = []
    for asked in names.split(","):
        name = predicates.one_of(asked.strip(), known, "Quick, Draw! category")
        path = os.path.join(os.path.expanduser(root), "quickdraw", f"{name}.npy")
        address = os.environ.get(ADDRESS_VARIABLE, ADDRESS).rstrip("/")
        downloads.fetch(f"{address}/{urllib.parse.quote(name)}.npy", path, f"quickdraw:{name}", progress)
        source = arrays.npy(path, meta={"license": LICENSE}, classes=(name,))
        labels = np.zeros(source.total, np.int64)
        found.append(dataclasses.replace(source, name=f"quickdraw:{name}", labels=labels))
    return found


def strokes(path: str) -> Source:
    """The drawings of a .ndjson file, one JSON object a line, drawn when asked for; labels are its words."""
    starts, words = [], []
    with open(path, "rb") as lines:
        at = 0
        while line := lines.readline(LINE_LIMIT):
            if line.strip():
                starts.append(at)
                words.append(_word(line))
            at += len(line)
    if not starts:
        raise Error(f"{path}: empty; a drawing a line is wanted")
    stream = open(path, "rb")  # noqa: SIM115 - open as long as the source

    def load(row: int) -> bytes:
        stream.seek(starts[row])
        return stream.readline(LINE_LIMIT)

    classes = sorted(set(words))
    number = {word: label for label, word in enumerate(classes)}
    return Source(
        path,
        len(starts),
        load,
        draw,
        names=[f"line {row + 1}" for row in range(len(starts))],
        labels=np.array([number[word] for word in words], np.int64) if classes != [""] else None,
        classes=tuple(classes) if classes != [""] else (),
        meta={"license": LICENSE},
    )


def _word(line: bytes) -> str:
    """The "word" of a line, without reading its strokes; "" if it has none."""
    match = re.search(rb'"word"\s*:\s*("(?:[^"\\]|\\.)*")', line)
    try:
        return str(json.loads(match[1])) if match else ""
    except ValueError:
        return ""


def draw(line: bytes, shape: Shape) -> np.ndarray:
    """uint8 [H, W, C], white strokes on black, of a line of .ndjson: {"drawing": [[[x, ...], [y, ...]], ...]}.

    Raw drawings have times as a third list and any scale; each drawing is made to fill Google's canvas, centred.
    """
    lines = _lines(line)
    points = np.concatenate(lines)
    low, high = points.min(0), points.max(0)
    w, h = shape.size or shape.crop or (SIDE, SIDE)
    factor = max(OVERSAMPLING, CANVAS // max(w, h))
    side = min(w, h) * factor
    unit = side / (CANVAS + 2 * MARGIN + STROKE)  # pixels of ours in one of Google's canvas
    scale = unit * (CANVAS - 1) / max(float((high - low).max()), 1e-9)
    middle = np.array([w, h]) * factor / 2
    image = Image.new("L", (w * factor, h * factor))
    pen = ImageDraw.Draw(image)
    width = max(1, round(STROKE * unit))
    for each in lines:
        placed = (each - (low + high) / 2) * scale + middle
        path = [(float(x), float(y)) for x, y in placed]
        pen.line(path, 255, width, joint="curve")
        for x, y in path[:: max(1, len(path) - 1)]:  # round ends; a line of one point is a dot
            pen.ellipse((x - width / 2, y - width / 2, x + width / 2, y + width / 2), 255)
    return fit(image.reduce(factor).convert("L" if shape.channels in (None, 1) else "RGB"), shape)


def _lines(line: bytes) -> list[np.ndarray]:
    """The strokes of a drawing, each float [points, 2]; UnreadableError if they are none."""
    try:
        drawing: Any = json.loads(line)["drawing"]
        lines = [np.array([stroke[0], stroke[1]], np.float64).T for stroke in drawing]
    except (ValueError, TypeError, KeyError, IndexError, RecursionError, OverflowError):
        raise UnreadableError("is not a drawing") from None
    lines = [each for each in lines if each.ndim == 2 and len(each)]
    if not lines or sum(map(len, lines)) > POINT_LIMIT:
        raise UnreadableError("has no strokes" if not lines else f"has more than {POINT_LIMIT:,} points")
    if not all(math.isfinite(each.sum()) and abs(each).max() < 1e9 for each in lines):
        raise UnreadableError("has points that are no numbers")
    return lines
