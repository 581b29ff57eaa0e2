"""A GAN trained from Python."""

from __future__ import annotations

import contextlib
import copy
import os
import signal
import tempfile
import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch

from ganutils import Error
from ganutils.api.data import Path, write
from ganutils.api.generator import Generator
from ganutils.compute import devices
from ganutils.files import kinds, paths
from ganutils.runs.config import Config
from ganutils.runs.start import start
from ganutils.samples.samples import Samples, open_samples
from ganutils.training.batches import training_set
from ganutils.training.gan import begin
from ganutils.training.loop import Tick, loop, repeat
from ganutils.training.trainer import Trainer


class Run:
    """A GAN in training, as gan-loop trains it: the same data, settings and steps give the same checkpoint.

    An interrupt (Ctrl-C, a notebook's stop button) is raised once the step is done, so `train` can be called again.
    """

    def __init__(
        self,
        data: Any,
        *,
        checkpoint: Path | None = None,
        sample_rate: int | None = None,
        device: str = "auto",
        threads: int | None = None,
        deterministic: bool = True,
        **settings: Any,
    ):
        """A new run, or one that goes on from `checkpoint`. Error if the settings contradict each other, or it.

        data           a file of samples; or an array: images uint8 [N, H, W, C], gray ones [N, H, W]; points [N, D];
                       sounds [N, T, C], floats in -1..1; or strings, which are texts
        sample_rate    of an array of sounds, in Hz
        threads        of a CPU; None = as many as pay, or as `checkpoint` was trained with
        deterministic  has no effect any more: every run does as if it were set
        settings       those of gan-loop, with _ for -: preset="dcgan2016", width=16, d_lr=0.008, decay=(2000, 5000),
                       conditional=True (or "attributes", "captions"); what is left out comes from the preset,
                       or from `checkpoint`
        """
        origin = None if checkpoint is None else os.fspath(checkpoint)
        with devices.lent(), _opened(data, sample_rate) as samples, start(samples, origin, settings) as begun:
            place = devices.prepare(device, threads, begun.config.work, begun.threads)
            self._threads = torch.get_num_threads()
            gan = begin(begun.config, begun.checkpoint)
            self._trainer = Trainer(gan, training_set(samples, begun.config, begun.descriptions), place)
            self._meta = begun.meta(f"# ganutils.Run, in Python, on {os.path.basename(samples.name)}")

    @property
    def config(self) -> Config:
        """All settings."""
        return self._trainer.config

    @property
    def step(self) -> int:
        """Generator updates so far."""
        return self._trainer.gan.step

    @property
    def generator(self) -> Generator:
        """A copy of the averaged generator as it is now."""
        network = copy.deepcopy(self._trainer.gan.ema)
        return Generator.of(network, self.config, self._meta, self.step)

    def train(self, steps: int, tell: Callable[[Tick], object] | None = None) -> list[dict[str, float]]:
        """Train both networks in turn for `steps` generator updates more. Returns the log, a dict every 50 steps.

        tell  called with each line of the log, which prints as gan-loop's progress line: tell=print
        """
        log = []
        with devices.lent(self._threads), _finishing_steps() as stopped:
            for tick in filter(None, loop(self._trainer, self.step + steps, stopped)):
                log.append(tick._asdict())
                if tell:
                    tell(tick)
        return log

    def train_d(self, updates: int | None = None) -> None:
        """Update the discriminator alone, as gan-train-d; None = `config.d_updates` times."""
        self._repeat(self._trainer.train_d, updates or self.config.d_updates)

    def train_g(self, updates: int = 1) -> None:
        """Update the generator alone, as gan-train-g."""
        self._repeat(self._trainer.train_g, updates)

    def _repeat(self, update: Callable[[], object], updates: int) -> None:
        with devices.lent(self._threads), _finishing_steps() as stopped:
            for _ in repeat(self._trainer, update, updates, stopped):
                pass

    def save(self, path: Path) -> None:
        """Write the checkpoint, whole or not at all, for the commands, `Generator` and `checkpoint=`."""
        path = os.fspath(path)
        paths.check_output(path)
        with devices.lent(self._threads):  # which the checkpoint tells
            self._trainer.gan.write(path, self._meta)


@contextlib.contextmanager
def _opened(data: Any, sample_rate: int | None) -> Iterator[Samples]:
    """The samples of a file, or of an array, which goes into a temporary one."""
    if isinstance(data, str | os.PathLike):
        if sample_rate is not None:
            raise Error("sample_rate: is of an array of sounds; that of a file is in its metadata")
        with open_samples(os.fspath(data)) as samples:
            yield samples
        return
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "array.safetensors")
        write(path, sample_rate=sample_rate, **{_what(data): data})
        with open_samples(path) as samples:
            yield samples


def _what(data: Any) -> str:
    """The tensor that an array of samples is written as: by its axes, and by whether its numbers are floats or bytes.

    Error for floats of [N, H, W], which are neither pictures nor sounds.
    """
    array = np.asarray(data)
    if array.dtype.kind == "U":
        return "texts"
    if array.ndim == 2:
        return "points"
    if array.ndim != 3 or array.dtype.kind != "f":
        return "images"
    if array.shape[-1] not in kinds.SIGNALS.channels:
        what = f"is {array.dtype} {list(array.shape)}"
        raise Error(f"data: {what}; give sounds as floats [N, T, C] with C = 1 or 2, gray pictures as uint8 [N, H, W]")
    return "signals"


@contextlib.contextmanager
def _finishing_steps() -> Iterator[list[int]]:
    """Put an interrupt into the list for a loop to end on; KeyboardInterrupt comes after the block."""
    stopped: list[int] = []
    if threading.current_thread() is not threading.main_thread():  # only that one gets signals
        yield stopped
        return
    before = signal.signal(signal.SIGINT, lambda number, _: stopped.append(number))
    try:
        yield stopped
    finally:
        signal.signal(signal.SIGINT, before)
    if stopped:
        raise KeyboardInterrupt
