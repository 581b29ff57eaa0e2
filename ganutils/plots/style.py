"""One quiet style for figures: print-ready, legible when projected, distinct to the color-blind and in gray.

Another kind of plot is another function that returns a Figure; `write` does the rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import matplotlib
import matplotlib.ticker
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from ganutils.files import atomic, paths, provenance
from ganutils.films.formats import PAGES
from ganutils.films.text import plain

# Okabe and Ito 2008, darkest first, so that neighbors differ in gray too; each goes with a dash of its own.
COLORS = ("#000000", "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
DASHES: tuple[Any, ...] = ("-", (0, (5, 1.5)), (0, (1, 1)), (0, (6, 1.5, 1, 1.5)))
STYLE: Any = {
    "font.size": 12,
    "axes.titlesize": 12,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#e6e6e6",
    "lines.linewidth": 1.8,
    "legend.frameon": False,
    "legend.fontsize": 11,
    "legend.handlelength": 3.2,  # room for a dash to repeat
    "savefig.facecolor": "white",
    "svg.hashsalt": "ganutils",  # the same plot gives the same bytes
    "pdf.fonttype": 42,
}

FURTHEST = 1e30  # matplotlib fails near the ends of floats


def write_title(axes: Any, title: str) -> None:
    """Write a title as it is: `$` is no sign of a formula in the name of a file."""
    axes.set_title(plain(title), parse_math=False)


def pixels(figure: Figure, dpi: int = 100) -> np.ndarray:
    """A figure as a picture, uint8 [H, W, 3], with even sides, which films need."""
    with matplotlib.rc_context(STYLE):
        figure.set_dpi(dpi)
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
    picture = np.asarray(canvas.buffer_rgba())[..., :3]
    return np.ascontiguousarray(picture[: len(picture) // 2 * 2, : picture.shape[1] // 2 * 2])


def write(path: str, figure: Figure, dpi: int = 150, lineage: Sequence[str] = ()) -> None:
    """Write a plot in the format that `path` names (PNG if a pipe), whole or not at all, with no date in it.

    A PNG carries its `lineage`; PDF and SVG have no place where it could be found again.
    """
    suffix = paths.format_of(path, PAGES, ".png")
    made = {provenance.KEY: provenance.to_json(lineage)}
    about = {".png": {"Software": None, **made}, ".pdf": {"CreationDate": None}, ".svg": {"Date": None}}
    with matplotlib.rc_context(STYLE), atomic.replacing(path) as out:
        figure.savefig(out, format=suffix[1:], dpi=dpi, metadata=about[suffix])
