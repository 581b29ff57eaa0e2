"""Quick, Draw!: 50 million drawings of 345 things (Ha and Eck 2017, A Neural Representation of Sketch Drawings).

Bitmaps of 28x28 by the names of categories, and strokes from .ndjson files, simplified or raw, drawn at any size.
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
from ganutils.files import budget, npy
from ganutils.samples import predicates
from ganutils.samples.images import Shape, UnreadableError, fit
from ganutils.samples.sources import bitmaps, downloads
from ganutils.samples.sources.source import Request, Source

ADDRESS = "https://storage.googleapis.com/quickdraw_dataset/full/numpy_bitmap"
ADDRESS_VARIABLE = "GANUTILS_QUICKDRAW"  # environment variable: another server with the same files
SIDE = 28  # pixels of Google's bitmaps, and of strokes drawn at no given size
LINE_LIMIT = 1 << 24  # bytes of one drawing
POINT_LIMIT = 100_000  # points of one drawing; people draw a few hundred
OVERSAMPLING = 4  # strokes are drawn at least this much larger and then reduced, which antialiases them

# How Google made bitmaps of strokes: lines 16 wide on a canvas of 256 with 16 around it (quickdraw-dataset, issue 19)
STROKE, MARGIN, CANVAS = 16, 16, 256


def categories() -> list[str]:
    """The 345 names."""
    return importlib.resources.files(__package__).joinpath("quickdraw.txt").read_text("utf-8").splitlines()


def open_bitmaps(request: Request) -> list[Source]:
    """A source for each category named ("apple,hot air balloon"), downloaded to `root`/quickdraw if not there."""
    known = categories()
    names = [predicates.one_of(name.strip(), known, "Quick, Draw! category") for name in request.detail.split(",")]
    return [_bitmaps(name, request) for name in names]


def _bitmaps(name: str, request: Request) -> Source:
    path = os.path.join(request.root, "quickdraw", f"{name}.npy")
    server = os.environ.get(ADDRESS_VARIABLE, ADDRESS).rstrip("/")
    address = f"{server}/{urllib.parse.quote(name)}.npy"
    downloads.fetch(address, path, f"quickdraw:{name}", request.options.progress, npy.size_of)
    source = bitmaps.bitmaps(path, meta=request.meta, classes=(name,))
    return dataclasses.replace(source, name=f"quickdraw:{name}", labels=np.zeros(source.total, np.int64))


def open_strokes(request: Request) -> list[Source]:
    """The drawings in an .ndjson file, one JSON object per line, drawn when needed; their words become labels."""
    path = request.name
    starts, words = _scanned(path)
    if not starts:
        raise Error(f"{path}: empty; an .ndjson file holds one drawing per line")
    stream = request.stack.enter_context(open(path, "rb"))  # noqa: SIM115 - open as long as the source

    def load(row: int) -> bytes:
        stream.seek(starts[row])
        return stream.readline(LINE_LIMIT)

    classes = sorted(set(words))
    number = {word: label for label, word in enumerate(classes)}
    has_words = classes != [""]
    return [
        Source(
            path,
            len(starts),
            load,
            draw,
            names=[f"line {row + 1}" for row in range(len(starts))],
            labels=np.array([number[word] for word in words], np.int64) if has_words else None,
            classes=tuple(classes) if has_words else (),
            meta=request.meta,
        )
    ]


def _scanned(path: str) -> tuple[list[int], list[str]]:
    """Where each drawing begins, in bytes, and its word."""
    starts, words = list[int](), list[str]()
    with open(path, "rb") as lines:
        at, most = 0, budget.members(os.fstat(lines.fileno()).st_size)
        while line := lines.readline(LINE_LIMIT):
            if line.strip():
                budget.check(path, len(starts), most, "drawings")
                starts.append(at)
                words.append(_word(line))
            at += len(line)
    return starts, words


def _word(line: bytes) -> str:
    """The "word" in a line, found without parsing its strokes; "" if there is none."""
    match = re.search(rb'"word"\s*:\s*("(?:[^"\\]++|\\.)*+")', line)
    try:
        return str(json.loads(match[1])) if match else ""
    except ValueError:
        return ""


def draw(line: bytes, shape: Shape) -> np.ndarray:
    """uint8 [H, W, C], white strokes on black, of a line of .ndjson: {"drawing": [[[x, ...], [y, ...]], ...]}.

    Raw drawings have times as a third list, and any scale: each is scaled to fill Google's canvas, and centered.
    """
    lines = _lines(line)
    points = np.concatenate(lines)
    low, high = points.min(0), points.max(0)
    w, h = shape.size or shape.crop or (SIDE, SIDE)
    factor = max(OVERSAMPLING, CANVAS // max(w, h))
    side = min(w, h) * factor
    unit = side / (CANVAS + 2 * MARGIN + STROKE)  # our pixels in one of Google's canvas
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
    """The strokes of a drawing, each float64 [points, 2]; UnreadableError if it has none."""
    try:
        drawing: Any = json.loads(line)["drawing"]
        lines = [np.array([stroke[0], stroke[1]], np.float64).T for stroke in drawing]
    except (ValueError, TypeError, KeyError, IndexError, RecursionError, OverflowError):
        raise UnreadableError("is not a drawing") from None
    lines = [each for each in lines if each.ndim == 2 and len(each)]
    if not lines or sum(map(len, lines)) > POINT_LIMIT:
        raise UnreadableError("has no strokes" if not lines else f"has more than {POINT_LIMIT:,} points")
    if not all(math.isfinite(each.sum()) and abs(each).max() < 1e9 for each in lines):
        raise UnreadableError("has points that are not finite numbers")
    return lines
