"""What a discriminator looks for: the filters of its first layer, and the samples that most excite its last features.

Radford, Metz, Chintala 2016, section 6.2 and figure 5: a trained D's features beside a random one's.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import matplotlib
import numpy as np
import torch
from matplotlib.figure import Figure

from ganutils import Error
from ganutils.files.container import File
from ganutils.films.layout import grid_of
from ganutils.films.text import plain
from ganutils.inference import discriminate
from ganutils.inference.units import Units
from ganutils.plots.style import COLORS, STYLE, write_title
from ganutils.runs import checkpoints
from ganutils.runs.config import Config
from ganutils.runs.traits import ARCHS
from ganutils.samples.samples import Samples

SHOWN = 64  # filters, those of the largest weights
CANDIDATES = 10_000  # samples that may excite a unit
BEST = 9  # of them, shown for each


def first_layer(file: File) -> np.ndarray:
    """The SHOWN largest filters of D's first layer, largest first: float32 [N, H, W, C], each scaled to -1..1.

    Those of sounds are [N, K, C]. Where there are two domains, half of them are of the first one's discriminator, and
    half of the other's.
    """
    config = checkpoints.config_of(file)
    name = ARCHS[config.arch].first_layer
    if name is None:
        raise Error(f"{file.name}: the first layer of --arch {config.arch} is 1x1, so there are no filters to draw")
    names = [name.replace("D.", f"D.{part}.", 1) for part in ("a", "b")] if config.domains else [name]
    if names[0] not in file:
        raise Error(f"{file.name}: a snapshot holds only the generator; give a whole checkpoint")
    return np.concatenate([_largest(file, name, config, SHOWN // len(names)) for name in names])


def _largest(file: File, name: str, config: Config, count: int) -> np.ndarray:
    """The `count` largest filters in the tensor called `name`."""
    weights = file[name]
    is_dense = weights.ndim == 2
    weights = weights.reshape(-1, *config.shape) if is_dense else np.moveaxis(weights, 1, -1)  # (N, H, W, C), (N, K, C)
    weights = weights[..., : config.shape[-1]]  # of the picture, without those of its input
    sizes = np.abs(weights).reshape(len(weights), -1)
    order = np.argsort(-np.square(sizes).sum(1), kind="stable")[:count]
    return weights[order] / np.maximum(sizes.max(1)[order], 1e-12).reshape(-1, *(1,) * (weights.ndim - 1))


def excited(of: Units, data: Samples, units: Sequence[int]) -> np.ndarray:
    """The samples of `data` that most excite each of `units`: [U, BEST, H, W, C] or, of sounds, [U, BEST, T, C].

    Error if there is no such unit.
    """
    data.check_shape(of.shape, of.name)
    samples = data.array[:CANDIDATES]
    if len(samples) < BEST:
        raise Error(f"{data.name}: {len(samples)} {data.modality.noun} are too few to choose {BEST} from")
    inputs = None
    if of.inputs:
        data.check_inputs(of.inputs, of.name)
        inputs = data.inputs[:CANDIDATES]  # type: ignore[index]
    values = discriminate.apply(of.excitement, samples, torch.device("cpu"), inputs=inputs)  # (N, units)
    of.check(units, values.shape[1])
    best = np.argsort(-values[:, list(units)], axis=0, kind="stable")[:BEST].T  # (U, BEST)
    return samples[best]


# ------------------------------------------------------------------------------------------- drawing


class Panel(NamedTuple):
    """Filters [N, H, W, C] or [N, K, C] in -1..1; or the pictures [U, BEST, H, W, C] that excite units called
    `labels`.
    """

    title: str
    array: np.ndarray
    labels: Sequence[str] = ()


def draw(panels: Sequence[Panel]) -> Figure:
    """Filters of pictures so that middle gray is 0, those of sounds as lines; of what excites units a row for each."""
    if not panels[0].labels and panels[0].array.ndim == 3:
        return _lines(panels)
    if not panels[0].labels:
        return _figure([(p.title, sheet((p.array + 1) / 2, grid_of(len(p.array))[0], 1)) for p in panels], 4.4)
    rows = [(p.title, sheet(p.array.reshape(-1, *p.array.shape[2:]) / 255, BEST, 2)) for p in panels]
    figure = _figure(rows, 5.2)
    for axes, panel, (_, picture) in zip(figure.axes, panels, rows, strict=True):
        height = len(picture) / len(panel.labels)
        axes.set_yticks([(row + 0.5) * height for row in range(len(panel.labels))], [*map(plain, panel.labels)])
        for label in axes.get_yticklabels():
            label.set_parse_math(False)
        axes.tick_params(length=0)
    return figure


def _lines(panels: Sequence[Panel]) -> Figure:
    """Filters [N, K, C] over time, each around a line that is 0; the channels of one in a color each."""
    columns, rows = grid_of(max(len(panel.array) for panel in panels))
    across = min(len(panels), 4)
    down = -(-len(panels) // across)
    with matplotlib.rc_context({**STYLE, "axes.grid": False}):
        figure = Figure(figsize=(4.4 * across, (0.5 * rows + 0.4) * down), layout="constrained")
        for position, (title, filters, _) in enumerate(panels, 1):
            axes = figure.add_subplot(down, across, position)
            for number, weights in enumerate(filters):
                row, column = divmod(number, columns)
                x, zero = column + np.linspace(0.06, 0.94, len(weights)), -2.3 * row
                axes.plot(x[[0, -1]], [zero, zero], color="#c0c0c0", linewidth=0.7)
                for channel, color in zip(weights.T, COLORS, strict=False):
                    axes.plot(x, zero + channel, color=color, linewidth=1.2)
            axes.set_xlim(0, columns)
            axes.set_ylim(-2.3 * (rows - 0.5), 1.15)
            axes.set_axis_off()
            write_title(axes, title)
    return figure


def sheet(cells: np.ndarray, columns: int, gap: int) -> np.ndarray:
    """Pictures [N, H, W, C] in 0..1 in rows, white between them: [H', W', C]."""
    count, h, w, channels = cells.shape
    rows = -(-count // columns)
    sheet = np.ones((rows * (h + gap) - gap, columns * (w + gap) - gap, channels))
    for number, cell in enumerate(cells):
        y, x = number // columns * (h + gap), number % columns * (w + gap)
        sheet[y : y + h, x : x + w] = cell
    return sheet


def _figure(sheets: Sequence[tuple[str, np.ndarray]], width: float) -> Figure:
    columns = min(len(sheets), 4)
    rows = -(-len(sheets) // columns)
    height = width * max(sheet.shape[0] / sheet.shape[1] for _, sheet in sheets) + 0.4
    with matplotlib.rc_context({**STYLE, "axes.grid": False}):
        figure = Figure(figsize=(width * columns, height * rows), layout="constrained")
        for position, (title, sheet) in enumerate(sheets, 1):
            axes = figure.add_subplot(rows, columns, position)
            axes.imshow(sheet.repeat(3, 2) if sheet.shape[2] == 1 else sheet, interpolation="nearest")
            write_title(axes, title)
            axes.set_xticks([])
            axes.set_yticks([])
            axes.spines[:].set_visible(False)
    return figure
