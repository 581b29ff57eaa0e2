"""Figures of sounds: waves above their spectrograms, a row for each class, a block of columns for each file."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import matplotlib
import matplotlib.ticker
import numpy as np
from matplotlib.figure import Figure

from ganutils import Error
from ganutils.files import kinds
from ganutils.films.text import plain
from ganutils.plots.style import COLORS, STYLE
from ganutils.samples.samples import Samples
from ganutils.sounds import hearing
from ganutils.sounds.spectrogram import Spectrogram

ROWS, MOST_ROWS = 4, 16  # of sounds without labels, and of classes
MOST_COLUMNS, MOST_PANELS = 4, 16  # of all panels together, unless they are more; and on a page
POINTS, LINE = 1024, 8192  # of a wave's outline, and of one that is drawn as it is
FRAMES, MOST_BINS = 512, 1024  # of a spectrogram that is computed to be drawn
WINDOW = 0.032  # seconds of its window: harmonics of a voice are apart, and a drum's beat is still one
FLOOR, TOP = -80, 0  # dB
COLORMAP = "magma"

# Inches.
WIDEST, NARROWEST, PAGE = 2.6, 1.2, 11.5  # of a sound, and of all together
WAVE, SPECTRUM, BETWEEN, GAP, BLOCK = 0.5, 0.95, 0.05, 0.22, 0.35
ABOVE, BELOW, LEFT, RIGHT, LETTER = 0.45, 0.4, 0.65, 0.95, 0.105


class Cell(NamedTuple):
    """A sound as it is drawn.

    seconds   its length
    wave      float32 [n, C, 2]: the lowest and highest of its numbers at n times, alike for a short sound
    decibels  float32 [bins, frames] of its spectrogram, low frequencies in its last rows
    span      seconds and Hz that the spectrogram covers
    """

    seconds: float
    wave: np.ndarray
    decibels: np.ndarray
    span: tuple[float, float]


class Set(NamedTuple):
    """Samples that are heard: those of a file, or made by a checkpoint's generator.

    samples  [N, ...] of the file `name` with the metadata `meta`
    labels   int64 [N], numbers of `classes`; or None
    lead     the leading axes, of N in all
    """

    title: str
    name: str
    meta: Mapping[str, Any]
    samples: np.ndarray
    labels: np.ndarray | None
    classes: Sequence[str]
    lead: tuple[int, ...]

    @classmethod
    def of(cls, title: str, samples: Samples) -> Set:
        """That of an open file."""
        return cls(title, samples.name, samples.meta, samples.array, samples.labels, samples.classes, samples.lead)

    @property
    def is_film(self) -> bool:
        return len(self.lead) == 2


class Panel(NamedTuple):
    """The sounds of a file, in rows that may be empty; `captions` of the columns, in place of its `title`."""

    title: str
    rows: Sequence[Sequence[Cell]]
    captions: Sequence[str] = ()


class View(NamedTuple):
    """What all panels share, so that they, and the frames of a film, can be compared.

    names    of the rows; empty if they are no classes
    columns  of a panel, at most
    always   panels that stand before the others on each page
    """

    names: Sequence[str]
    columns: int
    always: Sequence[Panel] = ()


def common_classes(sets: Sequence[Set]) -> list[str]:
    """The classes that some sound is of, a row each; none if one of the sets has no labels, or is a film."""
    names: dict[str, None] = {}
    for one in sets:
        if one.labels is None or one.is_film:
            return []
        names |= dict.fromkeys(one.classes[label] for label in np.unique(one.labels))
    return [*names][:MOST_ROWS]


def panel(one: Set, view: View) -> Panel:
    """Some of the sounds of a set. Error if they are none."""
    draw_one = seen(one.name, one.meta, one.samples.shape[1:])
    if draw_one is None:
        raise Error(
            f"{one.name}: holds {kinds.modality_of_shape(one.samples.shape[1:]).noun}, not sounds as the others do"
        )
    rows = _chosen(one, view)
    captions = [f"{one.title}: {_moment(one, number)}" for number in rows[0]] if one.is_film else []
    return Panel(one.title, [[draw_one(np.asarray(one.samples[number])) for number in row] for row in rows], captions)


def _moment(one: Set, number: int) -> str:
    """When in a film a sound is."""
    frame = number // one.lead[1]
    notes = one.meta.get("frames")
    step = notes[frame].get("step") if isinstance(notes, list) and len(notes) == one.lead[0] else None
    return f"frame {frame + 1}" if step is None else f"step {step:,}"


def seen(name: str, meta: Mapping[str, Any], shape: tuple[int, ...]) -> Callable[[np.ndarray], Cell] | None:
    """What draws a sample of `shape`, a sound or a spectrogram of one, of the file `name`; None for other samples."""
    heard = hearing.sounds_of(name, meta, shape)
    if heard is None:
        return None
    rate = heard.rate
    spectrogram = Spectrogram.of(name, meta, shape) if kinds.modality_of_shape(shape) is kinds.IMAGES else None

    def draw_one(sample: np.ndarray) -> Cell:
        (sound,) = heard.sounds(sample[None])
        wave = _outline(sound)
        if spectrogram is None:
            return Cell(heard.seconds, wave, _spectrum_of(sound, rate), (heard.seconds, rate / 2))
        covered = spectrogram.frames * spectrogram.hop / rate
        return Cell(heard.seconds, wave, _in_decibels(spectrogram, sample[..., 0]), (covered, rate / 2))

    return draw_one


def _spectrum_of(sound: np.ndarray, rate: int) -> np.ndarray:
    """The decibels of a Cell of a sound float32 [T, C], at FRAMES times at most; what lies between them is left out."""
    length = len(sound)
    bins = min(1 << round(np.log2(max(2, rate * WINDOW / 2))), 1 << (length.bit_length() - 1), MOST_BINS)
    frames = min(FRAMES, -(-length // max(1, bins // 8)))
    middles = ((np.arange(frames) + 0.5) * (length / frames)).astype(int)
    places = middles[:, None] + np.arange(-bins, bins)
    windows = sound[places.clip(0, length - 1)].mean(2) * ((places >= 0) & (places < length))
    each = Spectrogram(rate, bins, 1, 2 * bins, 2 * bins, FLOOR, TOP)  # of a single frame
    return _in_decibels(each, each.pictures(windows[..., None])[:, :, 0, 0].T)


def _in_decibels(spectrogram: Spectrogram, picture: np.ndarray) -> np.ndarray:
    """float32 [bins, frames] of a picture uint8 [bins, frames]."""
    return spectrogram.floor + picture.astype(np.float32) * ((spectrogram.top - spectrogram.floor) / 255)


def _outline(sound: np.ndarray) -> np.ndarray:
    """The wave of a sound float32 [T, C], [n, C, 2]: see Cell."""
    if len(sound) <= LINE:
        return np.stack([sound, sound], -1)
    starts = np.linspace(0, len(sound), POINTS, endpoint=False).astype(int)
    return np.stack([np.minimum.reduceat(sound, starts), np.maximum.reduceat(sound, starts)], -1)


def _chosen(one: Set, view: View) -> list[np.ndarray]:
    """The numbers of the sounds that are drawn, row by row.

    Of each class the first ones. Of a film the first ones of a sheet, evenly spaced in time. Otherwise some, evenly
    spaced, since data are often sorted.
    """
    if view.names and one.labels is not None:
        places = {name: number for number, name in enumerate(one.classes)}
        return [np.flatnonzero(one.labels == places.get(name, -1))[: view.columns] for name in view.names]
    if one.is_film:
        frames, count = one.lead
        return [_spaced(frames, view.columns) * count + place for place in range(min(count, ROWS))]
    numbers = _spaced(len(one.samples), ROWS * view.columns)
    return [numbers[start : start + view.columns] for start in range(0, len(numbers), view.columns)]


def _spaced(count: int, most: int) -> np.ndarray:
    return np.linspace(0, count - 1, min(count, most)).round().astype(int)


def draw(view: View, panels: Sequence[Panel]) -> Figure:
    """The panels side by side on one page, on axes of one scale."""
    panels = [*view.always, *panels]
    rows, columns = max(len(panel.rows) for panel in panels), view.columns * len(panels)
    wide, high = min(WIDEST, max(NARROWEST, PAGE / columns)), WAVE + BETWEEN + SPECTRUM
    names = [plain(name)[:24] for name in view.names]
    left = LEFT + LETTER * max(map(len, names), default=0)
    block = view.columns * (wide + GAP) + BLOCK
    width, height = left + len(panels) * block - BLOCK + RIGHT, ABOVE + rows * (high + GAP) + BELOW
    scale = _Scale.of([cell for panel in panels for row in panel.rows for cell in row])
    with matplotlib.rc_context({**STYLE, "axes.grid": False}):
        page = _Page(Figure(figsize=(width, height)), width, height)
        for row, name in enumerate(names):
            page.write(name, left - 0.12, ABOVE + row * (high + GAP) + WAVE / 2, ha="right", va="center")
        for number, panel in enumerate(panels):
            start, titles = left + number * block, panel.captions or [panel.title]
            room = int((block if len(titles) == 1 else wide + GAP) / LETTER)
            for column, title in enumerate(titles):
                page.write(title[:room], start + column * (wide + GAP), ABOVE - 0.08)
            for row, cells in enumerate(panel.rows):
                below = max(map(len, panel.rows[row + 1 :]), default=0)
                for column, cell in enumerate(cells):
                    x, y = start + column * (wide + GAP), ABOVE + row * (high + GAP)
                    _wave(page.axes(x, y, wide, WAVE), cell, scale)
                    spectrum = page.axes(x, y + WAVE + BETWEEN, wide, SPECTRUM)
                    image = _spectrum(spectrum, cell, scale, number == column == 0, column >= below)
        bar = page.axes(width - RIGHT + GAP, ABOVE, 0.12, min(rows, 2) * (high + GAP) - GAP)
        page.figure.colorbar(image, bar, ticks=[FLOOR, FLOOR / 2, TOP])
        bar.set_title("dB")
        bar.spines[:].set_visible(False)
    return page.figure


class _Page(NamedTuple):
    """A figure on which things are placed in inches from its upper left corner."""

    figure: Figure
    width: float
    height: float

    def axes(self, x: float, y: float, w: float, h: float) -> Any:
        place = (x / self.width, 1 - (y + h) / self.height, w / self.width, h / self.height)
        return self.figure.add_axes(place)

    def write(self, text: str, x: float, y: float, **how: Any) -> None:
        self.figure.text(x / self.width, 1 - y / self.height, plain(text), parse_math=False, **how)


class _Scale(NamedTuple):
    """Of all axes: the seconds, the loudness and the Hz that they reach; the units of time and frequency, and how many
    of them a second and a Hz are.
    """

    seconds: float
    loudest: float
    hertz: float
    units: tuple[str, str]
    second: float
    one_hertz: float

    @classmethod
    def of(cls, cells: Sequence[Cell]) -> _Scale:
        seconds, loudest = max(cell.seconds for cell in cells), max(float(np.abs(cell.wave).max()) for cell in cells)
        hertz = max(cell.span[1] for cell in cells)
        time, second = ("s", 1.0) if seconds >= 1 else ("ms", 1000.0)
        frequency, one_hertz = ("kHz", 0.001) if hertz >= 1000 else ("Hz", 1.0)
        return cls(seconds, max(loudest, 1e-3), hertz, (time, frequency), second, one_hertz)


def _wave(axes: Any, cell: Cell, scale: _Scale) -> None:
    for channel in reversed(range(cell.wave.shape[1])):
        low, high = cell.wave[:, channel].T
        times = (np.arange(len(low)) + 0.5) * (cell.seconds * scale.second / len(low))
        if (low == high).all():
            axes.plot(times, low, color=COLORS[channel], linewidth=0.7)
        else:
            axes.fill_between(times, low, high, color=COLORS[channel], linewidth=0.3)
    axes.set_xlim(0, scale.seconds * scale.second)
    axes.set_ylim(-1.05 * scale.loudest, 1.05 * scale.loudest)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_visible(False)


def _spectrum(axes: Any, cell: Cell, scale: _Scale, is_left: bool, is_lowest: bool) -> Any:
    (seconds, hertz), flat = cell.span, dict(aspect="auto", interpolation="nearest")
    extent = (0, seconds * scale.second, 0, hertz * scale.one_hertz)
    image = axes.imshow(cell.decibels, COLORMAP, vmin=FLOOR, vmax=TOP, extent=extent, **flat)
    axes.set_xlim(0, scale.seconds * scale.second)
    axes.set_ylim(0, scale.hertz * scale.one_hertz)
    steps = [1, 2, 4, 5, 10]
    for axis, most, unit, is_named in zip(
        (axes.xaxis, axes.yaxis), (5, 3), scale.units, (is_lowest, is_left), strict=True
    ):
        axis.set_major_locator(matplotlib.ticker.MaxNLocator(most, steps=steps))
        axis.set_major_formatter("{x:g}")
        axis.set_label_text(unit if is_named else "")
    axes.tick_params(labelsize=10, left=is_left, labelleft=is_left, bottom=is_lowest, labelbottom=is_lowest)
    return image
