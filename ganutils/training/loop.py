"""The loop that alternates the two phases, and what it reports as it goes."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

from ganutils.compute import devices
from ganutils.training.trainer import Trainer

TICK = 50  # generator updates from one line of the log to the next


NAN = math.nan  # of what a phase by hand does not measure


class Tick(NamedTuple):
    """How training is going: means over the updates since the last tick. A line of `--log` has these fields."""

    step: int  # generator updates done
    kimg: float  # thousands of real pictures shown to the discriminator
    images_per_second: float  # real pictures shown
    d_loss: float = NAN  # without penalties
    g_loss: float = NAN
    l1: float = NAN  # of pairs: mean difference of the generated pictures to the true ones, with pixels in 0..1
    matching: float = NAN  # mean difference in D's features
    cycle: float = NAN  # of domains: mean difference of the real pictures to what they are there and back, in 0..1
    identity: float = NAN  # mean difference of the real pictures to what they become in their own domain, in 0..1
    class_loss: float = NAN  # of labels: how far D is from telling the classes of the real samples, in nats
    class_entropy: float = NAN  # how unsure it is of those of the generated ones, in nats
    contrast: float = NAN  # of descriptions: how far the generated samples are from being told by them, in nats
    contrast_real: float = NAN  # the same of the real ones
    mode_seeking: float = NAN  # how far apart opposite latents are, over how far apart the samples made of them are
    kl: float = NAN  # divergence from noise of what G draws around descriptions
    mismatch: float = NAN  # share of the real samples beside wrong descriptions or inputs that D takes for generated
    d_real: float = NAN  # share of the real pictures that D takes for real
    d_fake: float = NAN  # share of the generated pictures that D takes for generated
    diversity: float = NAN  # of the last batch: standard deviation of the generated pictures over that of the real ones
    memory_mb: float = NAN  # most memory held so far, by the process or on the CUDA device

    def details(self) -> list[str]:
        """What was measured, in words, what matters most first."""
        d = f"D {self.d_loss:.3f} (real {self.d_real:.0%}, fake {self.d_fake:.0%})"
        g, rate = f"G {self.g_loss:.3f}", f"{self.images_per_second:,.0f} img/s"
        named = {"L1": self.l1, "matching": self.matching, "cycle": self.cycle, "identity": self.identity}
        named |= {"contrast": self.contrast, "mode seeking": self.mode_seeking, "KL": self.kl}
        texts = [
            d,
            g,
            *(f"{name} {value:.3f}" for name, value in named.items()),
            rate,
            f"{self.kimg:,.1f} kimg",
            f"{self.memory_mb:,.0f} MB",
        ]
        return [text for text in texts if "nan" not in text]

    def __str__(self) -> str:
        return " · ".join([f"step {self.step:,}", *self.details()])


class Meter:
    """Makes the ticks of a training."""

    def __init__(self, trainer: Trainer):
        self._trainer = trainer
        self._then, self._shown = time.monotonic(), trainer.gan.updates["D"]

    def tick(self) -> Tick:
        """What happened since the last tick."""
        trainer, gan = self._trainer, self._trainer.gan
        means = trainer.measures()
        now, shown = time.monotonic(), gan.updates["D"]
        images = (shown - self._shown) * gan.config.batch
        rate = images / (now - self._then) if images else NAN
        self._then, self._shown = now, shown
        memory = devices.peak_memory(trainer.device) / 1e6
        return Tick(gan.step, shown * gan.config.batch / 1000, rate, memory_mb=memory, **means)


def loop(trainer: Trainer, steps: int, stopped: list[int]) -> Iterator[Tick | None]:
    """Train up to step `steps`, or until a signal is in `stopped`, which ends training after a whole step.

    Yields after each step: a Tick every TICK steps and after the last, else None.
    """
    gan, meter = trainer.gan, Meter(trainer)
    trainer.expect(steps - gan.step)
    while gan.step < steps and not trainer.team.agreed(stopped):
        trainer.step()
        yield meter.tick() if gan.step % TICK == 0 or gan.step == steps else None
    trainer.team.settle(stopped)


def repeat(trainer: Trainer, update: Callable[[], object], updates: int, stopped: list[int]) -> Iterator[Tick | None]:
    """One phase by hand: call `update` that many times, unless a signal is in `stopped`.

    Yields after each: a Tick after the first, every TICK updates and after the last, else None.
    """
    meter = Meter(trainer)
    trainer.expect(updates)
    for done in range(1, updates + 1):
        update()
        is_last = done == updates or bool(stopped)
        yield meter.tick() if is_last or done == 1 or done % TICK == 0 else None
        if is_last:
            return
