"""The loop that alternates the two phases, and what it reports as it goes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

from ganutils.compute import devices
from ganutils.training.trainer import Trainer

TICK = 50  # generator updates from one line of the log to the next


class Tick(NamedTuple):
    """How training is going: means over the steps since the last tick. A line of `--log` has these fields."""

    step: int  # generator updates done
    kimg: float  # thousands of real pictures shown to the discriminator
    images_per_second: float  # real pictures shown
    d_loss: float  # without penalties
    g_loss: float
    d_real: float  # share of the real pictures that D takes for real
    d_fake: float  # share of the generated pictures that D takes for generated
    diversity: float  # of the last batch: standard deviation of the generated pictures over that of the real ones
    memory_mb: float  # most memory held so far, by the process or on the CUDA device

    def __str__(self) -> str:
        losses = f"D {self.d_loss:.3f} (real {self.d_real:.0%}, fake {self.d_fake:.0%})  G {self.g_loss:.3f}"
        rate = f"{self.images_per_second:,.0f} img/s  {self.memory_mb:,.0f} MB"
        return f"step {self.step:,}  {self.kimg:.1f} kimg  {losses}  {rate}"


def loop(trainer: Trainer, steps: int, stopped: list[int]) -> Iterator[Tick | None]:
    """Train up to step `steps`, or until a signal is in `stopped`, which ends training after a whole step.

    Yields after each step: a Tick every TICK steps and after the last, else None.
    """
    gan = trainer.gan
    then, shown = time.monotonic(), gan.updates["D"]
    while gan.step < steps and not trainer.team.agreed(stopped):
        trainer.step()
        tick = None
        if gan.step % TICK == 0 or gan.step == steps:
            means = trainer.measures()
            now, images = time.monotonic(), (gan.updates["D"] - shown) * gan.config.batch
            kimg = gan.updates["D"] * gan.config.batch / 1000
            memory = devices.peak_memory(trainer.device) / 1e6
            tick = Tick(gan.step, kimg, images / (now - then), diversity=trainer.diversity(), memory_mb=memory, **means)
            then, shown = now, gan.updates["D"]
        yield tick


def repeat(trainer: Trainer, update: Callable[[], object], updates: int, stopped: list[int]) -> Iterator[None]:
    """One phase by hand: call `update` that many times, unless a signal is in `stopped`. Yields after each."""
    for done in range(1, updates + 1):
        update()
        if done % TICK == 0 or done == updates:
            trainer.measures()
        yield
        if stopped:
            return
