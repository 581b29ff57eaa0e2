"""The two phases of GAN training, and the loop that alternates them.

The batch and the noise of an update are functions of (seed, updates of D, updates of G): see `randomness`. The
generator's update sees the noise of the discriminator's update before it, so one forward pass of G serves both.
"""

from __future__ import annotations

import functools
import math
import os
import time
from collections.abc import Callable, Container, Iterator
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from ganutils import Error, devices, paths
from ganutils.gan import GAN
from ganutils.losses import LOSSES
from ganutils.randomness import draw, stream

TICK = 50  # generator updates from one line of the log to the next


class Trainer:
    """Trains `gan` on `data`: uint8 [N, H, W, C] or float32 [N, D], in memory or mapped; None if D is not trained."""

    def __init__(self, gan: GAN, data: np.ndarray | None, device: torch.device):
        torch.set_flush_denormal(True)  # a saturated D makes denormals, which are up to 85 times slower
        self.gan = gan.to(device)
        self.device = device
        self.data = None if data is None else torch.from_numpy(data)
        self.loss = LOSSES[gan.config.loss]
        precision = gan.config.precision
        self.bf16 = precision == "bf16" or (precision == "auto" and devices.fast_bf16(device))
        self._losses: dict[str, list[Tensor]] = {"D": [], "G": []}
        self._reported = dict(gan.updates)

    def train_d(self, reuse: bool = False) -> Tensor:
        """One update of the discriminator towards real = 1, fake = 0, with the generator frozen.

        Returns the fakes it saw. With `reuse` they carry their graph, for the generator update that must follow.
        """
        gan = self.gan
        real = self._real(gan.updates["D"])
        fakes = self._fakes(gan.updates["D"] + 1, learn=reuse)
        with self._autocast():
            loss = self.loss.discriminator(gan.D(real), gan.D(fakes.detach()))
        self._update("D", gan.D, loss)
        return fakes

    def train_g(self, fakes: Tensor | None = None) -> None:
        """One update of the generator towards D(G(z)) = 1, with the discriminator frozen; then its average."""
        gan = self.gan
        if fakes is None:
            fakes = self._fakes(gan.updates["D"], learn=True)
        collect_statistics(gan.D, False)
        with self._autocast():
            loss = self.loss.generator(gan.D(fakes))
        collect_statistics(gan.D, True)
        self._update("G", gan.G, loss)
        gan.average()

    def step(self) -> None:
        """The two phases: `d_updates` of the discriminator, then one of the generator."""
        for _ in range(self.gan.config.d_updates - 1):
            self.train_d()
        self.train_g(self.train_d(reuse=True))

    def losses(self) -> dict[str, float]:
        """Mean loss of each network's updates since the last call; Error if one is not a number."""
        means = {}
        for name, values in self._losses.items():
            if not values:
                continue
            found = torch.stack(values).tolist()  # the one place that waits for the device
            values.clear()
            first = next((i for i, value in enumerate(found) if not math.isfinite(value)), None)
            if first is not None:
                update = self._reported[name] + first + 1
                raise Error(f"{name}'s loss is {found[first]} at its update {update}: lower --lr or try another --loss")
            self._reported[name] += len(found)
            means[name] = sum(found) / len(found)
        return means

    def _update(self, name: str, network: nn.Module, loss: Tensor) -> None:
        # Only this network's gradients are asked for: the other one is frozen and its are never computed.
        gradients = torch.autograd.grad(loss, list(network.parameters()))
        lr = self.gan.config.learning_rate(self.gan.step)
        self.gan.updates[name] += 1
        self.gan.adam[name].step(gradients, lr, self.gan.updates[name])
        self._losses[name].append(loss.detach())

    def _real(self, update: int) -> Tensor:
        """The batch of discriminator update `update`: float32 [B, C, H, W] in -1..1, or points [B, D]."""
        if self.data is None:
            raise ValueError("the discriminator trains on data")
        rows = batch_rows(self.gan.config.seed, update, self.gan.config.batch, len(self.data))
        batch = self.data[torch.from_numpy(rows)].to(self.device)
        return batch.permute(0, 3, 1, 2).float() / 127.5 - 1 if batch.dim() == 4 else batch

    def _fakes(self, d_updates: int, learn: bool) -> Tensor:
        """Generated samples; with `learn` they carry their graph, and count in batch norm's running statistics."""
        config = self.gan.config
        noise = stream(config.seed, "noise", d_updates, self.gan.step)
        z = torch.from_numpy(draw(noise, config.prior, (config.batch, config.z_dim))).to(self.device)
        collect_statistics(self.gan.G, learn)
        with torch.set_grad_enabled(learn), self._autocast():
            fakes = self.gan.G(z)
        collect_statistics(self.gan.G, True)
        return fakes.float()

    def _autocast(self) -> torch.autocast:
        """bf16 inside, if it is fast here. One context a pass: the casts it keeps are stale after an update."""
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.bf16)


def collect_statistics(network: nn.Module, on: bool) -> None:
    """Whether batch norm's running statistics move in training mode (it normalises by the batch either way)."""
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.track_running_stats = on


def batch_rows(seed: int, update: int, batch: int, count: int) -> np.ndarray:
    """Which of `count` rows update `update` (from 0) trains on: int64 [batch]. Each epoch shows every row once."""
    positions = np.arange(update * batch, (update + 1) * batch)
    epochs = positions // count
    return np.concatenate([_order(seed, int(e), count)[positions[epochs == e] % count] for e in np.unique(epochs)])


@functools.lru_cache(maxsize=2)
def _order(seed: int, epoch: int, count: int) -> np.ndarray:
    return stream(seed, "order", epoch).permutation(count)


class Tick(NamedTuple):
    """How a run goes: means over the steps since the last tick. The fields are those of a line of `--log`."""

    step: int  # generator updates done
    kimg: float  # thousands of real pictures shown to the discriminator
    images_per_second: float  # of those
    d_loss: float
    g_loss: float

    def __str__(self) -> str:
        rate = f"{self.images_per_second:,.0f} img/s"
        return f"step {self.step:,}  {self.kimg:.1f} kimg  {rate}  D {self.d_loss:.3f}  G {self.g_loss:.3f}"


def loop(trainer: Trainer, steps: int, stopped: list[int]) -> Iterator[Tick | None]:
    """Train up to generator update `steps`; end early, after a whole step, once `stopped` has something in it.

    Yields after each step: a Tick every TICK steps and after the last, else None.
    """
    gan = trainer.gan
    then, shown = time.monotonic(), gan.updates["D"]
    while gan.step < steps and not stopped:
        trainer.step()
        tick = None
        if gan.step % TICK == 0 or gan.step == steps:
            losses = trainer.losses()
            now, images = time.monotonic(), (gan.updates["D"] - shown) * gan.config.batch
            kimg = gan.updates["D"] * gan.config.batch / 1000
            tick = Tick(gan.step, kimg, images / (now - then), losses["D"], losses["G"])
            then, shown = now, gan.updates["D"]
        yield tick


def repeat(trainer: Trainer, update: Callable[[], object], updates: int, stopped: list[int]) -> Iterator[None]:
    """One phase by hand: `update` so often, unless stopped. Yields after each."""
    for done in range(1, updates + 1):
        update()
        if done % TICK == 0 or done == updates:
            trainer.losses()
        yield
        if stopped:
            return


def spread(frames: int, steps: int) -> frozenset[int]:
    """The steps of `frames` snapshots from 0 to `steps`, at the squares of even times: half of them in a quarter of it.

    Early learning, where all the change is, gets its share of a film. They depend on `steps`; a run that is extended
    keeps those it has, and those of the longer film that are still ahead come after them, further apart.
    """
    return frozenset(round(steps * (i / (frames - 1)) ** 2) for i in range(frames))


class Keeper:
    """Writes what a run leaves behind: its checkpoint as it goes and at the end, and snapshots.

    output, meta    the checkpoint and its metadata
    save_every      steps from one write to the next; None = about a minute
    snapshots       folder of the snapshots `step-000100.safetensors`; None = no snapshots
    moments         the steps after which one is written
    """

    def __init__(
        self,
        gan: GAN,
        output: str,
        meta: dict[str, Any],
        save_every: int | None,
        snapshots: str | None,
        moments: Container[int],
    ):
        self.gan, self.output, self.meta = gan, output, meta
        self.save_every, self.snapshots, self.moments = save_every, snapshots, moments
        self.saved = time.monotonic()
        if snapshots:
            os.makedirs(snapshots, exist_ok=True)
            if gan.step == 0:
                self._snapshot()

    def step(self) -> None:
        """To be called after each step."""
        if self.snapshots and self.gan.step in self.moments:
            self._snapshot()
        due = self.gan.step % self.save_every == 0 if self.save_every else time.monotonic() - self.saved > 60
        if due and not paths.is_pipe(self.output):
            self.save()

    def save(self) -> None:
        self.gan.write(self.output, self.meta)
        self.saved = time.monotonic()

    def _snapshot(self) -> None:
        name = f"step-{self.gan.step:06d}.safetensors"
        self.gan.write_snapshot(os.path.join(str(self.snapshots), name), self.meta)
