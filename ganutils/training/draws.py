"""What an update draws: arrays by name, a function of the seed and of the updates of D and G so far (see `randomness`).

All that changes from one update to the next is in them, numbers such as the learning rate too: see `phases`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import torch

from ganutils.compute.distributed import ShardedGenerator, Team
from ganutils.networks import wave
from ganutils.randomness import draw, stream
from ganutils.runs import traits
from ganutils.runs.config import Config
from ganutils.training.augment import AUGMENTS
from ganutils.training.batches import Batches, by_domain

REAL, FAKE, BETWEEN = 0, 1, 2  # kinds of samples


class Drawn(NamedTuple):
    """`seeds` are those of dropout, by phase; none without it."""

    arrays: dict[str, np.ndarray]
    seeds: dict[str, int]

    def __or__(self, other: Drawn) -> Drawn:
        return Drawn({**self.arrays, **other.arrays}, {**self.seeds, **other.seeds})


class Draws:
    """The draws of this process of `team`, for updates after those counted in `updates`."""

    def __init__(self, config: Config, batches: Batches | None, team: Team, device: torch.device):
        self.config, self.team = config, team
        self._batches = batches
        self._size = config.batch // team.count
        self._number = np.float64 if device.type == "cpu" else np.float32  # what Adam's kernel takes its rate in

    def d(self, updates: Mapping[str, int]) -> Drawn:
        """For an update of D."""
        count, step = updates["D"], updates["G"]
        drawn = self._batch(count) | self._noise(count + 1, step) | self._optimizer("D", count, step)
        drawn |= self._augmented("D", REAL, count, step) | self._augmented("D", FAKE, count, step)
        drawn |= self._dropout("D", count, step) | self._shifts("D", count, step) | self._history(count)
        if self.config.gp:
            shape = (self._size, self.config.domains or 1, *[1] * len(self.config.shape))
            drawn.arrays["between"] = by_domain(self._random("between", count, step).random(shape, np.float32))
        return drawn

    def g(self, updates: Mapping[str, int]) -> Drawn:
        """For an update of G that sees the noise, and labels, of D's last one."""
        count, step = updates["D"], updates["G"]
        drawn = self._noise(count, step) | self._update_of_g(count, step)
        return drawn | self._batch(max(count - 1, 0)) if self.config.needs_real_for_g else drawn

    def dg(self, updates: Mapping[str, int]) -> Drawn:
        """For an update of D, and one of G after it on the same fakes."""
        return self.d(updates) | self._update_of_g(updates["D"] + 1, updates["G"])

    def _update_of_g(self, count: int, step: int) -> Drawn:
        drawn = self._optimizer("G", step, step) | self._augmented("G", FAKE, count, step)
        if self.config.noise:
            shape = (self._size, self.config.domains, *self.config.shape)
            normal = self._random("hiding", count, step).standard_normal(shape, np.float32)
            drawn.arrays["noise"] = by_domain(normal)
        drawn.arrays["average"] = np.array(1 - self.config.ema_beta(step + 1), np.float32)
        if traits.LOSSES[self.config.loss].compares_pairs:
            drawn |= self._augmented("G", REAL, count, step)
        return drawn | self._dropout("G", count, step) | self._shifts("G", count, step)

    def _batch(self, update: int) -> Drawn:
        if self._batches is None:
            raise ValueError("this update needs the data")
        return Drawn(self._batches.draw(update), {})

    def _noise(self, count: int, step: int) -> Drawn:
        arrays = {}
        if self.config.z_dim:
            random = self._random("noise", count, step)
            arrays["z"] = draw(random, self.config.prior, (self._size, self.config.z_dim))
        return Drawn(arrays, {}) | self._dropout("noise", count, step)

    def _history(self, count: int) -> Drawn:
        """What the history of fakes does, for each of a batch of each domain: [domains, batch].

        slot  int64, its place; none is given twice
        old   bool, whether D sees what lies there instead
        keep  bool, whether it is put there
        """
        config, size = self.config, self.config.buffer
        if not size:
            return Drawn({}, {})
        shape, done = (config.domains, config.batch), count * config.batch  # the same for all processes
        if done < size:
            slot = np.broadcast_to(done + np.arange(config.batch), shape)
            return Drawn({"slot": slot % size, "old": np.zeros(shape, bool), "keep": slot < size}, {})
        random = stream(config.seed, "buffer", count)
        slot = np.stack([random.permutation(size)[: config.batch] for _ in range(config.domains)])
        old = random.random(shape) < 0.5
        return Drawn({"slot": slot, "old": old, "keep": old}, {})

    def _augmented(self, phase: str, kind: int, count: int, step: int) -> Drawn:
        arrays: dict[str, np.ndarray] = {}
        if self.config.augments:
            random, (height, width, channels) = self._random("augment", phase, kind, count, step), self.config.shape
            for name in self.config.augments:
                parts = AUGMENTS[name].draw(random, (self._size, channels, height, width))
                arrays.update({f"{phase} {kind} {name} {n}": part for n, part in enumerate(parts)})
        return Drawn(arrays, {})

    def _shifts(self, phase: str, count: int, step: int) -> Drawn:
        """By how many points D moves each of its maps of a sound, of each kind that it sees: int64 [B, kinds, maps]."""
        most = self.config.phase_shuffle
        if not most:
            return Drawn({}, {})
        shape = (self._size, BETWEEN + 1, wave.shuffles(self.config))
        return Drawn(
            {f"{phase} shifts": self._random("shifts", phase, count, step).integers(-most, most + 1, shape)}, {}
        )

    def _optimizer(self, network: str, count: int, step: int) -> Drawn:
        rate = np.array(self.config.learning_rate(network, step), self._number)
        return Drawn({f"{network} rate": rate, f"{network} count": np.array(count + 1, np.float32)}, {})

    def _dropout(self, phase: str, count: int, step: int) -> Drawn:
        if not self.config.dropout:
            return Drawn({}, {})
        rank = (self.team.rank,) if self.team.rank else ()  # torch draws masks, which cannot be divided
        random = stream(self.config.seed, "dropout", phase, count, step, *rank)
        return Drawn({}, {phase: int(random.integers(1 << 62))})

    def _random(self, *names: str | int) -> ShardedGenerator:
        return ShardedGenerator(self.team, self.config.seed, *names)
