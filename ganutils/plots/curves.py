"""Logs and scores as curves over the generator's updates."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import matplotlib
import matplotlib.ticker
import numpy as np
from matplotlib.figure import Figure

from ganutils import Error
from ganutils.files import logs
from ganutils.files.logs import Lines
from ganutils.films.text import plain
from ganutils.plots.style import COLORS, DASHES, STYLE


class Panel(NamedTuple):
    """Fields of a log that are drawn together, each with its name in the legend."""

    title: str
    fields: Mapping[str, str]
    low: float | None = None  # limits of the axis; None = those of the values
    high: float | None = None
    log: bool = False  # whether the axis may be logarithmic, if all values are above 0


PANELS = (
    Panel("loss", {"d_loss": "discriminator", "g_loss": "generator"}),
    Panel("discriminator's accuracy", {"d_real": "on real", "d_fake": "on fake"}, 0, 1.02),
    Panel("diversity (real = 1)", {"diversity": "diversity"}, 0),
    Panel("difference to the true picture (L1)", {"l1": "L1"}, 0),
    Panel("difference in D's features", {"matching": "matching"}, 0),
    Panel(
        "difference there and back (L1)",
        {"cycle": "in training", "cycle_l1": "there and back", "cycle_l1_blurred": "blurred between"},
        0,
    ),
    Panel("difference of what stays in its class (L1)", {"identity": "identity"}, 0),
    Panel("classes as D tells them (nats)", {"class_loss": "loss on real", "class_entropy": "entropy of fake"}, 0),
    Panel("told by their descriptions (nats)", {"contrast": "on fake", "contrast_real": "on real"}, 0),
    Panel("latents' difference over that of samples", {"mode_seeking": "mode seeking"}, 0),
    Panel("divergence of draws around descriptions", {"kl": "KL"}, 0),
    Panel("wrong descriptions that D notices", {"mismatch": "noticed"}, 0, 1.02),
    Panel("images/s", {"images_per_second": "images/s"}, 0),
    Panel("FID", {"fid": "FID"}, log=True),
    Panel("Fréchet distance", {"frechet_distance": "Fréchet distance"}, log=True),
    Panel("KID", {"kid": "KID"}, log=True),
    Panel("PSNR (dB)", {"psnr": "PSNR"}),
    Panel("SSIM", {"ssim": "SSIM"}),
    Panel("difference in features", {"feature_distance": "feature distance"}, 0),
    Panel("sharpness and saturation (real = 1)", {"sharpness": "sharpness", "saturation": "saturation"}, 0),
    Panel("arrived in the class, attributes kept", {"arrived": "arrived", "kept": "kept"}, 0, 1.02),
    Panel("pixels recovered", {"recovered": "recovered", "recovered_real": "from true pictures"}, 0, 1.02),
    Panel("precision and recall", {"precision": "precision", "recall": "recall"}, 0, 1.02),
    Panel("density and coverage", {"density": "density", "coverage": "coverage"}, 0),
    Panel("modes covered", {"modes_covered": "modes covered"}, 0),
    Panel("high-quality share", {"high_quality": "high quality"}, 0, 1.02),
    Panel("distance from the exact law", {"kolmogorov_smirnov": "Kolmogorov-Smirnov", "wasserstein": "Wasserstein"}, 0),
    Panel("authenticity", {"authenticity": "authenticity"}, 0, 1.02),
)


def curves(names: Sequence[str], titles: Sequence[str] = ()) -> Figure:
    """The fields in PANELS of the logs `names`, over steps; several logs, called `titles`, share their axes."""
    if titles and len(titles) != len(names):
        raise Error(f"--titles: {len(titles)} titles for {len(names)} logs; give one for each")
    runs = dict(zip(titles or logs.names(list(names)), map(logs.read, names), strict=True))
    drawn = [(panel, lines) for panel in PANELS if (lines := _lines_of(panel, runs))]
    if not drawn:
        fields = ", ".join(field for panel in PANELS for field in panel.fields)
        raise Error(f"{names[0]}: has nothing to draw over steps; fields that can be drawn are {fields}")
    columns = 1 if len(drawn) == 1 else 2 if len(drawn) <= 4 else 3
    rows = -(-len(drawn) // columns)
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(5.2 * columns, 3.8 * rows), layout="constrained")
        for position, (panel, lines) in enumerate(drawn, 1):
            _draw(figure.add_subplot(rows, columns, position), panel, lines)
    return figure


class Line(NamedTuple):
    run: int  # its number
    field: int  # its number in the panel
    names: tuple[str, str]  # of the run and of the field
    steps: list[float]
    values: list[float]


def _lines_of(panel: Panel, runs: Mapping[str, Lines]) -> list[Line]:
    """The lines of a panel, run by run: of the fields that a run has."""
    drawn = []
    numbered_runs, numbered_fields = enumerate(runs.items()), enumerate(panel.fields.items())
    for (run, (name, log)), (index, (field, label)) in itertools.product(numbered_runs, numbered_fields):
        steps, values = logs.series(log, field)
        if steps:
            drawn.append(Line(run, index, (name, label), steps, values))
    return drawn


def _draw(axes: Any, panel: Panel, lines: list[Line]) -> None:
    """Several runs each have a color, and fields a dash; in a single run, each field has both."""
    several = len({line.run for line in lines}) > 1
    handles: list[Any] = []
    for line in lines:
        label = [name for name, differs in zip(line.names, (several, len(panel.fields) > 1), strict=True) if differs]
        color = COLORS[(line.run if several else line.field) % len(COLORS)]
        dash = DASHES[(line.field if several else line.field * 2) % len(DASHES)]
        if several and len(panel.fields) == 1:
            dash = DASHES[line.run % len(DASHES)]
        marker = "o" if len(line.steps) <= 12 else None
        look: Any = dict(color=color, linestyle=dash, marker=marker, markersize=4)
        handles += axes.plot(line.steps, line.values, label=", ".join(map(plain, label)), **look)
    values = np.concatenate([line.values for line in lines])
    if panel.log and (values > 0).all() and values.max() > 20 * values.min():
        axes.set_yscale("log")
    elif panel.low is not None:
        axes.set_ylim(panel.low, panel.high or 1.08 * max(values.max(), 1e-9))
    axes.set_title(panel.title)
    axes.set_xlabel("generator updates")
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.xaxis.set_major_locator(matplotlib.ticker.MaxNLocator(5, integer=True))
    if several or len(panel.fields) > 1:
        places = dict(loc="upper center", bbox_to_anchor=(0.5, -0.18), ncols=2)  # below: curves may lie anywhere
        legend = axes.legend(handles, ["" for _ in handles], **places)  # it would leave out a name that begins with _
        for text, handle in zip(legend.get_texts(), handles, strict=True):
            text.set(text=handle.get_label(), parse_math=False)
