"""Figures of checkpoints and samples: densities of points; waves and spectrograms; the filters and features of D."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from matplotlib.figure import Figure

from ganutils import Error
from ganutils.files import container, kinds, lineage, logs
from ganutils.files.container import File, Stream
from ganutils.files.kinds import Modality
from ganutils.inference import discriminate
from ganutils.inference.generate import draw_samples, generate
from ganutils.inference.units import units_of
from ganutils.networks import classifier
from ganutils.networks.weights import load_discriminator, load_generator
from ganutils.output import write_output
from ganutils.plots import densities, dreams, filters, sounds
from ganutils.plots.densities import Panel, View
from ganutils.plots.style import pixels
from ganutils.runs import checkpoints
from ganutils.runs.config import Config
from ganutils.runs.traits import LOSSES, PRIORS
from ganutils.samples.samples import Samples
from ganutils.sounds import hearing


class Figures(NamedTuple):
    """`panels`, one for each file, in order; `draw` makes a figure of some of them; `lineages` of what is drawn."""

    panels: Sequence[Any]
    draw: Callable[[Sequence[Any]], Figure]
    lineages: Sequence[Sequence[str]]

    @property
    def figure(self) -> Figure:
        """All panels on one page."""
        return self.draw(self.panels)

    def write_film(self, path: str, line: str) -> None:
        """A frame for each panel, in the format that `path` names; the command `line` makes it."""
        first = pixels(self.draw(self.panels[:1]))

        def frames() -> Iterator[np.ndarray]:
            yield first[None, None]
            for panel in self.panels[1:]:
                yield pixels(self.draw([panel]))[None, None]

        shape = (len(self.panels), 1, *first.shape)
        meta = {"lineage": lineage.joined(self.lineages, line)}
        write_output(path, "samples", {"images": Stream(shape, np.dtype(np.uint8), frames())}, meta)


def draw(
    paths: Sequence[str],
    data: Samples | None,
    units: Sequence[int] | None,
    titles: Sequence[str],
    is_film: bool = False,
    of_filters: bool = False,
    are_dreams: bool = False,
) -> Figures:
    """Checkpoints or samples of points: densities; of sounds: waves and spectrograms. Of pictures: filters of D. Of
    classifiers what excites them.

    Checkpoints of one run come in the order of their updates, whatever the shell's.

    units       features of D, or classes of a classifier: draw what excites them
    is_film     whether each panel has a page of its own
    of_filters  whether filters are drawn of checkpoints of sounds, too
    are_dreams  whether it is drawn what `units` dream of, too; a film is of how that comes about
    """
    sources = _ordered(paths)
    if titles and len(titles) != len(paths):
        raise Error(f"--titles: {len(titles)} titles for {len(paths)} files; give one for each")
    titles = titles or _titles(sources)
    lineages = [*([data.meta.get("lineage", [])] if data else []), *(source.lineage for source in sources)]
    kind = _kind(sources[0])
    if kind is kinds.POINTS:
        if units is not None or of_filters:
            option = "--filters" if of_filters else "--units"
            raise Error(f"{paths[0]}: {option} looks into a discriminator of pictures or sounds, but these are points")
        view = densities.view(data, _points(sources[-1]))
        panels = [_panel(source, title, view) for source, title in zip(sources, titles, strict=True)]
        return Figures(panels, functools.partial(densities.draw, view), lineages)
    if kind is kinds.TEXTS:
        raise Error(f"{paths[0]}: is of texts; gan-gif and gan-sample -o FILE.png draw them, gan-plot their log")
    if units is None and sources[0].kind == "extractor":
        raise Error(f"{paths[0]}: of a classifier --units are drawn, its classes; e.g. --units 0-9 --dream")
    if kind is kinds.SIGNALS and units is None and not of_filters:
        return Figures(*_of_sounds(sources, titles, data, is_film), lineages)
    if units is None:
        return Figures(
            [_filters(source, title) for source, title in zip(sources, titles, strict=True)], filters.draw, lineages
        )
    if data is None and not are_dreams:
        raise Error(f"{paths[0]}: --units needs --data, {kind.noun} to choose from")
    found: list[Any] = []
    for source, title in zip(sources, titles, strict=True):
        with container.read(source.path, "extractor" if source.kind == "extractor" else "checkpoint") as file:
            of = units_of(file)
            if are_dreams:
                found.append(dreams.panel(of, title, units, data, is_film))
            elif data is not None:
                found.append(filters.Panel(title, filters.excited(of, data, units), of.labels(units)))
    if are_dreams:
        return Figures(dreams.moments(found), dreams.draw, lineages)
    if data is not None and data.are_sounds:
        return Figures(*_exciting(found, data), lineages)
    return Figures(found, filters.draw, lineages)


def _filters(source: _Source, title: str) -> filters.Panel:
    with container.read(source.path, "checkpoint") as file:
        return filters.Panel(title, filters.first_layer(file))


class _Source(NamedTuple):
    path: str
    kind: str
    config: Config | None  # of a checkpoint
    updates: tuple[int, int]  # of G and of D
    lineage: Sequence[str]


def _ordered(paths: Sequence[str]) -> list[_Source]:
    sources = []
    for path in paths:
        with container.read(path) as file:
            lines = file.meta.get("lineage", [])
            if file.kind == "checkpoint":
                updates = checkpoints.updates(file)
                sources.append(
                    _Source(path, file.kind, checkpoints.config_of(file), (updates["G"], updates["D"]), lines)
                )
            else:
                sources.append(_Source(path, file.kind, None, (0, 0), lines))
    if _are_one_run(sources):
        sources.sort(key=lambda source: source.updates)
    return sources


def _are_one_run(sources: Sequence[_Source]) -> bool:
    first = sources[0].config
    return first is not None and all(source.config == first for source in sources)


def _titles(sources: Sequence[_Source]) -> list[str]:
    """The steps of checkpoints of one run, else the names of the files."""
    if _are_one_run(sources):
        return [f"step {source.updates[0]:,}" for source in sources]
    return logs.names([source.path for source in sources])


def _kind(source: _Source) -> Modality:
    """What these are, or a checkpoint makes, or a classifier sees: points, sounds, texts, or, not of samples, pictures.

    Spectrograms are sounds. Error if it is none of these.
    """
    with container.read(source.path) as file:
        if file.kind == "extractor":
            return kinds.modality_of_shape(classifier.read(file).shape)
        if source.config or file.kind == "samples":
            shape = source.config.shape if source.config else Samples(file).shape
            kind = kinds.modality_of_shape(shape)
            if kind is kinds.IMAGES and hearing.sounds_of(source.path, file.meta, shape):
                kind = kinds.SIGNALS
            if source.config or kind is not kinds.IMAGES:
                return kind
    raise Error(f"{source.path}: is not a log, a checkpoint, points or sounds; gan-gif draws pictures")


def _of_sounds(
    sources: Sequence[_Source], titles: Sequence[str], data: Samples | None, is_film: bool
) -> tuple[list[sounds.Panel], Callable[[Sequence[sounds.Panel]], Figure]]:
    """A panel for each, and what draws some of them, beside the data if there are any."""
    if len(sources) > sounds.MOST_PANELS and not is_film:
        raise Error(f"{sources[0].path}: {len(sources)} files do not fit on a page; give at most {sounds.MOST_PANELS}")
    columns = sounds.MOST_COLUMNS // ((1 if is_film else len(sources)) + (data is not None)) or 1
    with contextlib.ExitStack() as stack:
        sets = [] if data is None else [sounds.Set.of("data", data)]
        for source, title in zip(sources, titles, strict=True):
            if source.config is None:
                samples = Samples(stack.enter_context(container.read(source.path, "samples")))
                sets.append(sounds.Set.of(title, samples))
            else:
                with container.read(source.path, "checkpoint") as file:
                    sets.append(_made(file, source.config, title, columns))
        view = sounds.View(sounds.common_classes(sets), columns)
        panels = [sounds.panel(one, view) for one in sets]
    view = view._replace(columns=max(len(row) for panel in panels for row in panel.rows))
    if data is not None:
        view = view._replace(always=[panels.pop(0)])
    return panels, functools.partial(sounds.draw, view)


def _exciting(
    found: Sequence[filters.Panel], data: Samples
) -> tuple[list[sounds.Panel], Callable[[Sequence[sounds.Panel]], Figure]]:
    """Panels of sounds float32 [U, BEST, T, C], a row for each unit, and what draws some of them."""
    draw_one = sounds.seen(data.name, data.meta, data.shape)
    assert draw_one is not None  # they are sounds
    panels = [sounds.Panel(one.title, [[*map(draw_one, row)] for row in one.array]) for one in found]
    view = sounds.View(found[0].labels, filters.BEST)
    return panels, functools.partial(sounds.draw, view)


def _made(file: File, config: Config, title: str, columns: int) -> sounds.Set:
    """What the averaged generator of a checkpoint makes of the first latents of seed 0, as many as are drawn."""
    samples, labels, _ = draw_samples(file, (config.classes or sounds.ROWS) * columns, 0, "cpu")
    names = checkpoints.class_names(file.meta, config)
    return sounds.Set(title, file.name, file.meta, samples, labels, names, (len(samples),))


def _points(source: _Source) -> np.ndarray:
    """Those in a file of samples, or those that a checkpoint's averaged generator makes of the latents of seed 0."""
    with container.read(source.path) as file:
        points = Samples(file).array if source.config is None else draw_samples(file, densities.POINTS, 0, "cpu")[0]
        return densities.drawable(points, source.path)


def _panel(source: _Source, title: str, view: View) -> Panel:
    """What it adds to the view; Error if its points have other dimensions."""
    points, config = _points(source), source.config
    if points.shape[1:] != view.low.shape:
        raise Error(f"{source.path}: does not hold {len(view.low)}-D points as the others do")
    panel = Panel(title, points)
    if config is None or config.shape != (1,):
        return panel
    with container.read(source.path, "checkpoint") as file:
        if any(name.startswith("D.") for name in file.specs):
            panel = panel._replace(belief=_belief(file, view.x))
        if config.z_dim == 1 and not config.classes:
            panel = panel._replace(arrows=_arrows(file, PRIORS[config.prior].reach))
    return panel


def _arrows(file: File, reach: float) -> tuple[np.ndarray, np.ndarray]:
    """z from -reach to reach, and G(z)."""
    z = np.linspace(-reach, reach, densities.ARROWS, dtype=np.float32)
    return z, np.concatenate(list(generate(load_generator(file)[0], z[:, None], None, (1,))))[:, 0]


def _belief(file: File, x: np.ndarray) -> np.ndarray | None:
    """D(x), float [N], of numbers [N]; None where its logits are about pairs and say nothing of one sample."""
    network, config = load_discriminator(file)
    boundary = LOSSES[config.loss].boundary
    if boundary is None:
        return None
    logits = discriminate.apply(network, x[:, None], torch.device("cpu"))
    return torch.sigmoid(torch.from_numpy(logits)).numpy() if boundary == 0 else logits
