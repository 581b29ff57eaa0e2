"""The generator's losses and their gradients, computed by the code that trains."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib
import torch
from matplotlib.figure import Figure
from torch import Tensor

from ganutils.plots.style import COLORS, DASHES, STYLE
from ganutils.training import losses
from ganutils.training.losses import Loss


def draw(names: Sequence[str]) -> Figure:
    """The generator's loss over D's output for its sample, and its derivative by D's logit: what G learns from.

    The axis is the logit or, where all of `names` take sigmoid(logit) for a probability, that.
    """
    drawn = [losses.LOSSES[name] for name in names]
    are_beliefs = all(loss.discriminator is losses.cross_entropy for loss in drawn)
    logits = torch.linspace(-6, 6, 481, dtype=torch.float64)
    if are_beliefs:
        logits = torch.logit(torch.linspace(0.002, 0.998, 499, dtype=torch.float64))
    across = torch.sigmoid(logits) if are_beliefs else logits
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(10.4, 4.0), layout="constrained")
        value, slope = figure.subplots(1, 2)
        for number, (name, loss) in enumerate(zip(names, drawn, strict=True)):
            look = dict(color=COLORS[number % len(COLORS)], linestyle=DASHES[number % len(DASHES)])
            values, slopes = curve(loss, logits)
            formula = (loss.generator.__doc__ or "").split(":")[0].replace("-", "\N{MINUS SIGN}")
            value.plot(across, values, label=f"{name}: {formula}", **look)
            slope.plot(across, slopes, **look)
        axis = "D(G(z)): how real D takes the sample to be" if are_beliefs else "D's logit of G(z)"
        for axes, title in ((value, "the generator's loss"), (slope, "its gradient by D's logit")):
            axes.set_title(title)
            axes.set_xlabel(axis)
            axes.axhline(0, color="#808080", linewidth=0.8)
        figure.legend(loc="outside lower center", ncols=min(len(names), 2))
    return figure


def curve(loss: Loss, logits: Tensor) -> tuple[Tensor, Tensor]:
    """The generator's loss for a fake with each of `logits` [N] beside a real one of logit 0, and its derivative."""
    fakes = logits.clone().requires_grad_()
    values = torch.stack([loss.generator(torch.zeros_like(fake), fake) for fake in fakes.split(1)])
    return values.detach(), torch.autograd.grad(values.sum(), fakes)[0]
