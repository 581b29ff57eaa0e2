"""What is drawn of which checkpoints and samples: densities of points; of pictures the filters and features of D."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from matplotlib.figure import Figure

from ganutils import Error
from ganutils.files import container, kinds, logs
from ganutils.files.container import File, Stream
from ganutils.inference.generate import draw_samples, generate
from ganutils.networks.weights import load_discriminator, load_generator
from ganutils.output import write_output
from ganutils.plots import densities, filters
from ganutils.plots.densities import Panel, View
from ganutils.plots.style import pixels
from ganutils.runs import checkpoints
from ganutils.runs.config import Config
from ganutils.samples.samples import Samples
from ganutils.training.losses import LOSSES


class Figures(NamedTuple):
    """`panels`, one for each file, in order; `draw` makes a figure of some of them."""

    panels: Sequence[Any]
    draw: Callable[[Sequence[Any]], Figure]

    @property
    def figure(self) -> Figure:
        """All panels on one page."""
        return self.draw(self.panels)

    def write_film(self, path: str) -> None:
        """A frame for each panel, in the form that `path` names."""
        first = pixels(self.draw(self.panels[:1]))

        def frames() -> Iterator[np.ndarray]:
            yield first[None, None]
            for panel in self.panels[1:]:
                yield pixels(self.draw([panel]))[None, None]

        shape = (len(self.panels), 1, *first.shape)
        write_output(path, "samples", {"images": Stream(shape, np.dtype(np.uint8), frames())}, {})


def draw(paths: Sequence[str], data: Samples | None, units: Sequence[int] | None, titles: Sequence[str]) -> Figures:
    """Checkpoints or samples of points: densities. Checkpoints of pictures: filters, or what excites `units`.

    Checkpoints of one run come in the order of their updates, whatever the shell's.
    """
    found = _ordered(paths)
    if titles and len(titles) != len(paths):
        raise Error(f"--titles: {len(titles)} titles for {len(paths)} files")
    names = titles or _names(found)
    with container.read(found[0].path) as first:
        config = found[0].settings
        holds = kinds.modality_of_shape(config.shape) if config else kinds.modality(first.specs)
        are_points = holds is kinds.POINTS
        if first.kind not in ("samples", "checkpoint") or (first.kind == "samples" and not are_points):
            raise Error(f"{first.name}: a plot is of checkpoints, of points or of logs; gan-gif draws pictures")
    if are_points:
        if units is not None:
            raise Error(f"{paths[0]}: --units are features of pictures, and these are points")
        seen = densities.view(data, _points(found[-1]))
        return Figures(
            [_moment(one, name, seen) for one, name in zip(found, names, strict=True)],
            functools.partial(densities.draw, seen),
        )
    if units is None:
        seen_by_d: Callable[[File], np.ndarray] = filters.first_layer
    elif data is None:
        raise Error(f"{paths[0]}: --units needs --data, pictures to choose from")
    else:
        seen_by_d = functools.partial(filters.excited, data=data, units=units)
    panels = []
    for one, name in zip(found, names, strict=True):
        with container.read(one.path, "checkpoint") as file:
            panels.append((name, seen_by_d(file)))
    return Figures(panels, functools.partial(filters.draw, units=units))


class _Found(NamedTuple):
    path: str
    settings: Config | None  # of a checkpoint
    updates: tuple[int, int]  # of G and of D


def _ordered(paths: Sequence[str]) -> list[_Found]:
    found = []
    for path in paths:
        with container.read(path) as file:
            if file.kind == "checkpoint":
                counts = checkpoints.updates(file)
                found.append(_Found(path, checkpoints.config_of(file), (counts["G"], counts["D"])))
            else:
                found.append(_Found(path, None, (0, 0)))
    if found[0].settings and all(one.settings == found[0].settings for one in found):
        found.sort(key=lambda one: one.updates)
    return found


def _names(found: Sequence[_Found]) -> list[str]:
    """The steps of checkpoints of one run, else the names of the files."""
    if found[0].settings and all(one.settings == found[0].settings for one in found):
        return [f"step {one.updates[0]:,}" for one in found]
    return logs.names([one.path for one in found])


def _points(one: _Found) -> np.ndarray:
    """Those in a file of samples, or those that a checkpoint's averaged generator makes of the latents of seed 0."""
    with container.read(one.path) as file:
        if one.settings is None:
            return Samples(file).array
        return draw_samples(file, densities.POINTS, 0, "cpu")[0]


def _moment(one: _Found, name: str, seen: View) -> Panel:
    """Its panel; Error if its points have not as many dimensions as the others."""
    points = _points(one)
    if points.shape[1:] != seen.low.shape:
        raise Error(f"{one.path}: is not made of {len(seen.low)}-dimensional points as the others are")
    moment = Panel(name, points)
    if one.settings is None or one.settings.shape != (1,):
        return moment
    with container.read(one.path, "checkpoint") as file:
        if any(name.startswith("D.") for name in file.specs):
            moment = moment._replace(belief=_belief(file, seen.x))
        if one.settings.z_dim == 1 and not one.settings.classes:
            reach = 1.0 if one.settings.prior == "uniform" else 2.5
            z = np.linspace(-reach, reach, densities.ARROWS, dtype=np.float32)
            x = np.concatenate(list(generate(load_generator(file)[0], z[:, None])))[:, 0]
            moment = moment._replace(arrows=(z, x))
    return moment


def _belief(file: File, x: np.ndarray) -> np.ndarray | None:
    """D(x), float [N], of numbers [N]; None where its logits are about pairs and say nothing of one."""
    network, settings = load_discriminator(file)
    boundary = LOSSES[settings.loss].boundary
    if boundary is None:
        return None
    with torch.inference_mode():
        logits = network(torch.from_numpy(x)[:, None])
    return (torch.sigmoid(logits) if boundary == 0 else logits).numpy()
