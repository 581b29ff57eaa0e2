"""What units dream of, each beside the pictures of the data that excite it most; a film of how dreams come about."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import matplotlib
import numpy as np
from matplotlib.figure import Figure

from ganutils.films.layout import grid_of
from ganutils.films.text import plain
from ganutils.inference import dream
from ganutils.inference.units import Units
from ganutils.plots.filters import excited, sheet
from ganutils.plots.style import STYLE, write_title
from ganutils.samples.samples import Samples

MOMENTS = 49  # of a film: one in four iterations
ACROSS = 3  # times as large as a picture is the dream beside nine
GAP = 2  # pixels between pictures
INCHES, LABEL = 1.2, 0.24  # of a dream, and above it
LETTER = 0.09  # inch
MARGIN, TITLE = 0.2, 0.4  # inches beside panels, and above them
MOST_ACROSS = 4  # panels


class Panel(NamedTuple):
    """The dreams of the units of a file, called `labels`: uint8 [T, U, H, W, C]; with the pictures that excite these
    most, [U, 9, H, W, C].
    """

    title: str
    labels: Sequence[str]
    dreams: np.ndarray
    best: np.ndarray | None


class Moment(NamedTuple):
    """All panels at one moment of a film, or in the end."""

    panels: Sequence[Panel]
    share: float  # of the ascent that is over
    when: str  # in words, for the titles


def panel(of: Units, title: str, units: Sequence[int], data: Samples | None, is_film: bool) -> Panel:
    """What a network dreams of, at MOMENTS of a film at most. Error if it has no such units, or sees no pictures."""
    at = dream.moments(len(units), of.shape, MOMENTS) if is_film else [dream.ITERATIONS]
    dreams = dream.dreams(of, units, at)
    return Panel(title, of.labels(units), dreams, None if data is None else excited(of, data, units))


def moments(panels: Sequence[Panel]) -> list[Moment]:
    """One for each frame; a single one if it is no film."""
    count = min(len(one.dreams) for one in panels)
    if count == 1:
        return [Moment(panels, 1, "")]
    shares = [number / (count - 1) for number in range(count)]
    return [Moment(panels, share, f", iteration {round(share * dream.ITERATIONS)}") for share in shares]


def draw(moments: Sequence[Moment]) -> Figure:
    """One moment, with a page for each panel."""
    (moment,) = moments
    pages = [_page(one, round(moment.share * (len(one.dreams) - 1))) for one in moment.panels]
    columns = min(len(pages), MOST_ACROSS)
    rows = -(-len(pages) // columns)
    width, height = (max(page.inches[axis] for page in pages) for axis in (0, 1))
    wide, high = columns * (width + MARGIN) + MARGIN, rows * (height + TITLE) + MARGIN
    with matplotlib.rc_context({**STYLE, "axes.grid": False}):
        figure = Figure(figsize=(wide, high))
        for position, (one, page) in enumerate(zip(moment.panels, pages, strict=True)):
            row, column = divmod(position, columns)
            w, h = page.inches
            x, y = MARGIN + column * (width + MARGIN), high - row * (height + TITLE) - TITLE - h
            axes = figure.add_axes((x / wide, y / high, w / wide, h / high))
            axes.imshow(page.picture, interpolation="nearest")
            for (x, y), label in zip(page.corners, one.labels, strict=True):
                axes.text(x, y, _shortened(label, page.letters), va="bottom", parse_math=False, fontsize=11)
            write_title(axes, one.title + moment.when)
            axes.set_axis_off()
    return figure


class _Page(NamedTuple):
    picture: np.ndarray  # [H, W, 3] in 0..1
    corners: list[tuple[float, float]]  # where labels begin, in its pixels
    inches: tuple[float, float]  # width and height
    letters: int  # of a label at most


def _page(one: Panel, number: int) -> _Page:
    """A block for each unit: room for its label above its dream, and right of that the data's pictures."""
    blocks = []
    for unit, small in enumerate(one.dreams[number]):
        block = (small.repeat(ACROSS, 0).repeat(ACROSS, 1)) / 255
        if one.best is not None:
            nine = sheet(one.best[unit] / 255, ACROSS, GAP)
            wide = np.ones((len(nine), block.shape[1] + 2 * GAP, block.shape[2]))
            wide[GAP : GAP + len(block), : block.shape[1]] = block
            block = np.concatenate([wide, nine], 1)
        blocks.append(block)
    columns, rows = grid_of(len(blocks))
    if one.best is not None:  # blocks are twice as wide as high
        columns, rows = rows, columns
    per_inch = one.dreams.shape[3] * ACROSS / INCHES
    label, gap = round(LABEL * per_inch), round(0.12 * per_inch)
    above = np.ones((label, *blocks[0].shape[1:]))
    page = sheet(np.stack([np.concatenate([above, block]) for block in blocks]), columns, gap)
    h, w = (side + gap for side in (label + len(blocks[0]), blocks[0].shape[1]))
    corners = [(unit % columns * w, unit // columns * h + label - 0.04 * per_inch) for unit in range(len(blocks))]
    inches = page.shape[1] / per_inch, page.shape[0] / per_inch
    return _Page(page if page.shape[2] == 3 else page.repeat(3, 2), corners, inches, int(w / per_inch / LETTER))


def _shortened(label: str, letters: int) -> str:
    label = plain(label)
    return label if len(label) <= letters else f"{label[: letters - 1]}…"
