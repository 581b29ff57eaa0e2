"""Curves and samples of a run for TensorBoard."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import numpy as np

from ganutils import Error
from ganutils.films.layout import grid_of
from ganutils.inference.generate import generate
from ganutils.latents.draw import draw_latents
from ganutils.training.gan import GAN
from ganutils.training.loop import TICK, Tick

SHOWN = 64  # samples in a sheet, of the same latents throughout


class Board:
    """A listener of a run: the fields of ticks as curves, and a sheet of samples at every tenth tick and the last."""

    def __init__(self, writer: Any, gan: GAN, steps: int):
        self.writer, self.gan, self.steps = writer, gan, steps

    def __call__(self, tick: Tick | None) -> None:
        """Called after each step."""
        if tick is None:
            return
        for name, value in tick._asdict().items():
            if name != "step":
                self.writer.add_scalar(name, value, tick.step)
        if len(self.gan.config.shape) == 3 and (tick.step % (10 * TICK) == 0 or tick.step == self.steps):
            self.writer.add_image("samples", self._sheet(), tick.step, dataformats="HWC")

    def _sheet(self) -> np.ndarray:
        """uint8 [H, W, C]: samples of the averaged generator, of all classes evenly."""
        config = self.gan.config
        z = draw_latents(config.seed, SHOWN, config.z_dim, config.prior)
        labels = np.arange(SHOWN) * config.classes // SHOWN if config.classes else None
        samples = np.concatenate(list(generate(self.gan.ema, z, labels, config.shape)))
        n, h, w, c = samples.shape
        columns, rows = grid_of(n)
        return samples.reshape(rows, columns, h, w, c).transpose(0, 2, 1, 3, 4).reshape(rows * h, columns * w, c)


@contextlib.contextmanager
def open_board(folder: str, gan: GAN, steps: int) -> Iterator[Board]:
    """A Board that writes to `folder`; Error without TensorBoard."""
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        raise Error("--tensorboard: TensorBoard is missing; install it with: pip install tensorboard") from None
    with SummaryWriter(folder) as writer:
        yield Board(writer, gan, steps)
