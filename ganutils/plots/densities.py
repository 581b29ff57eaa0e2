"""Figures of GANs on points: data, generator, D, and the map from z to x (Goodfellow et al. 2014, figure 1)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import matplotlib
import matplotlib.ticker
import numpy as np
from matplotlib.figure import Figure
from scipy import ndimage, stats

from ganutils import Error
from ganutils.files import kinds
from ganutils.plots.style import COLORS, DASHES, FURTHEST, STYLE, write_title
from ganutils.samples.samples import Samples

POINTS = 4096  # of the generator, in a panel
GRID = 512  # places in one dimension where densities and D are computed
ARROWS = 25  # of the map from z to x
GRAY = "#c0c0c0"


class Panel(NamedTuple):
    """What a panel shows.

    title      above it
    points     float32 [N, D], generated
    belief     D(x), float [GRID] at `View.x`; None if there is no D, or it judges only pairs
    arrows     z and G(z), float [ARROWS] each; None unless both are numbers
    """

    title: str
    points: np.ndarray
    belief: np.ndarray | None = None
    arrows: tuple[np.ndarray, np.ndarray] | None = None


class View(NamedTuple):
    """What all panels share, so that they, and the frames of a film, can be compared.

    data       float32 [N, D]; None if there is nothing to compare with
    density    of the data, float [GRID] at `x`; None in more than one dimension
    low, high  the limits of each dimension, float [D]
    """

    data: np.ndarray | None
    density: np.ndarray | None
    low: np.ndarray
    high: np.ndarray

    @property
    def x(self) -> np.ndarray:
        """float32 [GRID]: the middles of the bins that densities are counted in."""
        edges = np.linspace(self.low[0], self.high[0], GRID + 1)
        return ((edges[1:] + edges[:-1]) / 2).astype(np.float32)


def drawable(points: np.ndarray, name: str) -> np.ndarray:
    """`points` [N, D]; Error, with the `name` of their file, if one lies where nothing can be drawn."""
    if not (np.abs(points) <= FURTHEST).all():  # as NaN is not
        raise Error(f"{name}: has points that are NaN, infinite or beyond {FURTHEST:g}, which cannot be drawn")
    return points


def view(data: Samples | None, points: np.ndarray) -> View:
    """Around the data, or around `points` [N, D] if there are none. A toy's density is the exact one."""
    if data is not None and data.modality is not kinds.POINTS:
        raise Error(f"{data.name}: holds {data.modality.noun}, and points are drawn; give --data points")
    shown = points if data is None else drawable(data.array, data.name)
    low, high = shown.min(0).astype(float), shown.max(0).astype(float)
    margin = _margin(low, high)
    empty = View(None if data is None else shown, None, low - margin, high + margin)
    if data is None or shown.shape[1] > 1:
        return empty
    toy = data.toy
    if toy is None:
        return empty._replace(density=density(shown[:, 0], empty))
    return empty._replace(density=stats.norm.pdf(empty.x[:, None], toy["centers"][:, 0], toy["std"]).mean(1))


def _margin(low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Room to leave on each side of numbers from `low` to `high`, even if they are all the same, or large."""
    return np.maximum(0.15 * (high - low), 1e-3 * np.maximum(1, np.maximum(abs(low), abs(high))))


def density(numbers: np.ndarray, view: View) -> np.ndarray:
    """That of `numbers` [N] at `view.x`: a histogram smoothed by a Gaussian of Scott's width, at least one bin."""
    counts, edges = np.histogram(numbers, GRID, (view.low[0], view.high[0]))
    step = edges[1] - edges[0]
    width = max(1.06 * numbers.std() * len(numbers) ** -0.2 / step, 1.0)
    return ndimage.gaussian_filter1d(counts / (len(numbers) * step), width, mode="constant")


def draw(view: View, panels: Sequence[Panel]) -> Figure:
    """The panels on one page: in one dimension densities, else the first two dimensions as a scatter."""
    columns = min(len(panels), 4)
    rows = -(-len(panels) // columns)
    with matplotlib.rc_context(STYLE):
        if len(view.low) > 1:
            figure = Figure(figsize=(4.2 * columns, 4.4 * rows + 0.4), layout="compressed")
            grid = figure.subplots(rows, columns, squeeze=False)
            for axes, panel in zip(grid.flat, panels, strict=False):
                _scatter(axes, view, panel)
        else:
            figure = Figure(figsize=(4.4 * columns if columns > 1 else 6.4, 4.4 * rows + 0.4), layout="constrained")
            heights = [3, 1] if any(panel.arrows for panel in panels) else [1, 0.001]
            grid = figure.subplots(2 * rows, columns, squeeze=False, height_ratios=heights * rows)
            for number, panel in enumerate(panels):
                row, column = 2 * (number // columns), number % columns
                _densities(grid[row, column], view, panel)
                _map(grid[row + 1, column], view, panel)
        for axes in grid.flat:
            axes.set_visible(axes.has_data())
        handles, labels = figure.axes[0].get_legend_handles_labels()
        if len(labels) > 1:
            figure.legend(handles, labels, loc="outside lower center", ncols=len(labels))
    return figure


def _densities(axes: Any, view: View, panel: Panel) -> None:
    top = 1.05
    if view.density is not None:
        top = max(top, 1.1 * view.density.max())
        axes.plot(view.x, view.density, color=COLORS[0], linestyle=DASHES[2], label="data")
    generated = density(panel.points[:, 0], view)
    axes.plot(view.x, generated, color=COLORS[3], linestyle=DASHES[0], label="generator")
    if panel.belief is not None:
        axes.plot(view.x, panel.belief, color=COLORS[1], linestyle=DASHES[1], label="D(x)")
    axes.set_xlim(view.low[0], view.high[0])
    axes.set_ylim(0, top)
    write_title(axes, panel.title)


def _map(axes: Any, view: View, panel: Panel) -> None:
    """Where z goes: from a line below, stretched to the panel's width, to x above it."""
    if panel.arrows is None:
        return
    z, x = panel.arrows
    low, high = view.low[0], view.high[0]
    share = (z - z.min()) / max(float(np.ptp(z)), 1e-9)
    start = low + (high - low) * (0.1 + 0.8 * share)
    for a, b in zip(start, x, strict=True):
        axes.annotate(
            "",
            (b, 1),
            (a, 0),
            arrowprops=dict(arrowstyle="->", color="#606060", linewidth=0.7, shrinkA=0, shrinkB=0),
            annotation_clip=False,
        )
    axes.plot([low, high], [1, 1], color=COLORS[0], linewidth=1.2)
    axes.plot([start[0], start[-1]], [0, 0], color=COLORS[0], linewidth=1.2)
    axes.set_xlim(low, high)
    axes.set_ylim(-0.05, 1.05)
    axes.set_yticks([0, 1], ["z", "x"])
    axes.set_xticks([])
    axes.tick_params(length=0)
    axes.grid(False)
    axes.spines[["left", "bottom"]].set_visible(False)


def _scatter(axes: Any, view: View, panel: Panel) -> None:
    if view.data is not None:
        axes.scatter(*view.data[:POINTS, :2].T, s=50, color=GRAY, linewidths=0, label="data")
    axes.scatter(*panel.points[:POINTS, :2].T, s=6, color=COLORS[1], linewidths=0, label="generator")
    axes.set_xlim(view.low[0], view.high[0])
    axes.set_ylim(view.low[1], view.high[1])
    axes.set_aspect("equal")
    write_title(axes, panel.title)


def points(samples: np.ndarray, name: str) -> Figure:
    """Points [N, D] of the file `name`: a histogram in one dimension, else the first two as a scatter."""
    low, high = drawable(samples, name).min(0).astype(float), samples.max(0).astype(float)
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(4.5, 4.5), layout="constrained")
        axes = figure.add_subplot()
        if samples.shape[1] == 1:
            room = _margin(low, high) if low == high else np.zeros(1)
            edges = np.linspace(low[0] - room[0], high[0] + room[0], 61)
            axes.hist(samples[:, 0].astype(float), edges.tolist(), color=COLORS[1])
        else:
            axes.scatter(samples[:, 0], samples[:, 1], s=4, color=COLORS[1], linewidths=0)
            axes.set_aspect("equal", "datalim")
    return figure
