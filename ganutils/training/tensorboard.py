"""Curves and samples of a run for TensorBoard."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from ganutils import Error
from ganutils.files import kinds, letters
from ganutils.films.columns import arranged
from ganutils.films.film import draw_sheet
from ganutils.films.frames import of_tensor, of_tensors
from ganutils.films.layout import Look, grid_of
from ganutils.inference.generate import generate
from ganutils.inference.translate import translate
from ganutils.latents.draw import draw_latents
from ganutils.sounds import hearing, pictures
from ganutils.training.loop import TICK, Tick
from ganutils.training.trainer import Trainer

SHOWN = 64  # samples in a sheet, of the same latents throughout
HEARD = 8  # of them, of all classes evenly, one after another
PAIRS = 16  # pairs in one


class Board:
    """A listener of a run: the fields of ticks as curves, and a sheet of samples at every tenth tick and the last.

    Sounds, and spectrograms of some, are drawn and heard; texts are drawn.
    """

    def __init__(self, writer: Any, trainer: Trainer, steps: int, meta: Mapping[str, Any]):
        self.writer, self.gan, self.steps = writer, trainer.gan, steps
        self.data = trainer.data
        self.about = {letters.ALPHABET: meta.get(letters.ALPHABET)}
        self.heard = hearing.sounds_of("the run", meta, trainer.gan.config.shape)

    def __call__(self, tick: Tick | None) -> None:
        """Called after each step."""
        if tick is None:
            return
        for name, value in tick._asdict().items():
            if name != "step":
                self.writer.add_scalar(name, value, tick.step)
        is_seen = kinds.modality_of_shape(self.gan.config.shape) is not kinds.POINTS
        if is_seen and (tick.step % (10 * TICK) == 0 or tick.step == self.steps):
            self._show(tick.step)

    def _show(self, step: int) -> None:
        config = self.gan.config
        if config.inputs or config.domains:
            sheet = self._both_ways() if config.domains else self._pairs()
        else:
            samples = np.nan_to_num(self._samples())  # a run that diverges goes on
            if self.heard:
                some = self.heard.sounds(samples[:: SHOWN // HEARD]).mean(2)
                self.writer.add_audio("samples", some.reshape(1, -1), step, self.heard.rate)
            sheet = self._sheet(samples)
        self.writer.add_image("samples", sheet, step, dataformats="HWC")

    def _sheet(self, samples: np.ndarray) -> np.ndarray:
        """uint8 [H, W, C] of samples as files keep them."""
        modality = kinds.modality_of_shape(self.gan.config.shape)
        if modality is kinds.TEXTS:
            return draw_sheet([of_tensor("samples", samples, self.about, modality)], Look())[0]
        return _squared(pictures.draw(samples) if modality is kinds.SIGNALS else samples)

    def _samples(self) -> np.ndarray:
        """Those of the averaged generator, of all classes evenly: uint8 [SHOWN, H, W, C], sounds float32
        [SHOWN, T, C], or texts uint8 [SHOWN, T].
        """
        config = self.gan.config
        z = draw_latents(config.seed, SHOWN, config.z_dim, config.prior)
        labels = np.arange(SHOWN) * config.classes // SHOWN if config.classes else None
        told = self.data.told(np.arange(SHOWN) * len(self.data.samples) // SHOWN) if self.data else {}
        return np.concatenate(list(generate(self.gan.ema, z, labels, config.shape, told=told)))

    def _pairs(self) -> np.ndarray:
        """uint8 [H, W, C]: input, output and target of the first pairs of the data."""
        config, data = self.gan.config, self.data
        assert data is not None and data.inputs is not None
        inputs, targets = data.inputs[:PAIRS], data.samples[:PAIRS]
        labels = None if data.labels is None else data.labels[:PAIRS]
        told = data.told(np.arange(len(inputs)))
        images = np.concatenate(list(translate(self.gan.ema, config, inputs, labels, told=told)))
        return _columns({"images": images, "inputs": inputs, "targets": targets})

    def _both_ways(self) -> np.ndarray:
        """uint8 [H, W, C]: the first pictures of each domain, what they become in the other one, and back."""
        config, data = self.gan.config, self.data
        assert data is not None and data.domains is not None
        rows = [rows[: PAIRS // 2] for rows in data.domains]
        inputs = np.concatenate([data.samples[some] for some in rows])
        labels = np.repeat([1, 0], [len(some) for some in rows])
        both = np.concatenate(list(translate(self.gan.ema, config, inputs, labels, has_back=True)))
        return _columns({"images": both[:, 0], "inputs": inputs, "back": both[:, 1]})


def _squared(samples: np.ndarray) -> np.ndarray:
    """Pictures [N, H, W, C] in rows and columns: [H', W', C]."""
    n, h, w, c = samples.shape
    columns, rows = grid_of(n)
    return samples.reshape(rows, columns, h, w, c).transpose(0, 2, 1, 3, 4).reshape(rows * h, columns * w, c)


def _columns(tensors: dict[str, np.ndarray]) -> np.ndarray:
    """A sheet of samples and what stands beside them: uint8 [H, W, C]."""
    return draw_sheet(*arranged([of_tensors("samples", tensors, {})], Look(), ".png"))[0]


@contextlib.contextmanager
def open_board(folder: str, trainer: Trainer, steps: int, meta: Mapping[str, Any]) -> Iterator[Board]:
    """A Board of a run of `steps` steps, whose checkpoint has `meta`, in `folder`; Error without TensorBoard."""
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        raise Error("--tensorboard: TensorBoard is missing; install it with: pip install tensorboard") from None
    with SummaryWriter(folder) as writer:
        yield Board(writer, trainer, steps, meta)
