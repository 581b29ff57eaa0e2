"""The two phases of GAN training.

The batch and the noise of an update are functions of (seed, updates of D, updates of G): see `randomness`. The
generator's update sees the noise of the discriminator's update before it, so one forward pass of G serves both.
"""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import torch
from torch import Tensor, nn

from ganutils import Error
from ganutils.compute import devices
from ganutils.compute.distributed import ALONE, ShardedGenerator, Team
from ganutils.networks.sync_batchnorm import share_batch_norm
from ganutils.randomness import draw, stream
from ganutils.runs import traits
from ganutils.runs.config import SETTINGS, Config
from ganutils.runs.start import Start
from ganutils.samples.samples import Samples
from ganutils.training.augment import AUGMENTS
from ganutils.training.batches import Batches, TrainingSet, training_set
from ganutils.training.gan import GAN, begin
from ganutils.training.losses import LOSSES, gradient_penalty, zero_centered
from ganutils.training.together import begin_together


class Trainer:
    """Trains `gan` on `data`; None if only the generator is trained and its update needs no data.

    Precision "auto" is decided here, for `device`, and becomes part of the GAN's config.

    team     the processes that train it together
    sync_bn  whether batch norm sees their whole batch; else each process normalizes its own part
    """

    def __init__(
        self,
        gan: GAN,
        data: TrainingSet | None,
        device: torch.device,
        team: Team = ALONE,
        sync_bn: bool = False,
    ):
        self.gan = gan.to(device)
        self.config = gan.config = with_precision(gan.config, device)
        self.device = device
        self.team = team
        if self.config.batch % self.team.count:
            raise Error(f"--batch {self.config.batch} cannot be divided among {self.team.count} workers")
        if sync_bn and self.team.count > 1:
            share_batch_norm(gan.G, team)
            share_batch_norm(gan.D, team)
        self.batches = None if data is None else Batches(data, self.config, device, team)
        self.loss, self.loss_traits = LOSSES[self.config.loss], traits.LOSSES[self.config.loss]
        self.augments = [AUGMENTS[name] for name in self.config.augments]
        self.bf16 = self.config.precision == "bf16"
        self._measured: dict[str, list[Tensor]] = {}
        self._last: tuple[Tensor, Tensor] | None = None  # real and generated samples that D saw last, not augmented

    def train_d(self, reuse: bool = False) -> Tensor:
        """One update of the discriminator towards real = 1, fake = 0, with the generator frozen.

        Returns the fakes that D saw. With `reuse` they carry their graph, for the generator update that must follow.
        """
        gan, config = self.gan, self.config
        update = gan.updates["D"]
        real, labels = self._batch(update)
        fakes = self._fakes(update + 1, labels, learn=reuse)
        self._last = real.detach(), fakes.detach()
        real, fake = self._augmented(real, "D", 0), self._augmented(fakes.detach(), "D", 1)
        real.requires_grad_(config.r1 > 0)
        fake.requires_grad_(config.r2 > 0)
        self._seed_dropout("D")
        with self._autocast():
            real_logits, fake_logits = gan.D(real, labels), gan.D(fake, labels)
        loss = self.loss.discriminator(real_logits, fake_logits, config.smooth)
        self._measure("d_loss", loss)
        self._measure_accuracy(real_logits.detach(), fake_logits.detach())
        if config.r1:
            loss = loss + config.r1 * zero_centered(real_logits, real)
        if config.r2:
            loss = loss + config.r2 * zero_centered(fake_logits, fake)
        if config.gp:
            loss = loss + config.gp * self._gradient_penalty(real.detach(), fake.detach(), labels)
        self._update("D", gan.D, loss)
        return fakes

    def train_g(self, fakes: Tensor | None = None) -> None:
        """One update of the generator towards D(G(z)) = 1, with the discriminator frozen; then its average."""
        gan, last = self.gan, max(self.gan.updates["D"] - 1, 0)  # the update of D before this one
        real, labels = self._batch(last) if self.config.needs_real_for_g else (None, None)
        if fakes is None:
            fakes = self._fakes(gan.updates["D"], labels, learn=True)
        self._seed_dropout("G")
        collect_statistics(gan.D, False)
        with self._autocast():
            fake_logits = gan.D(self._augmented(fakes, "G", 1), labels)
            real_logits = fake_logits
            if real is not None and self.loss_traits.compares_pairs:
                with torch.no_grad():
                    real_logits = gan.D(self._augmented(real, "G", 0), labels)
        collect_statistics(gan.D, True)
        loss = self.loss.generator(real_logits, fake_logits)
        self._measure("g_loss", loss)
        self._update("G", gan.G, loss)
        gan.average()

    def step(self) -> None:
        """The two phases: `d_updates` of the discriminator, then one of the generator."""
        for _ in range(self.config.d_updates - 1):
            self.train_d()
        self.train_g(self.train_d(reuse=True))

    def measures(self) -> dict[str, float]:
        """Means, over the updates since the last call, of `d_loss`, `g_loss` and D's accuracy, `d_real` and `d_fake`.

        Error, with the update, if a loss is not a number.
        """
        means = {}
        for name, values in self._measured.items():
            numbers = self.team.mean([torch.stack(values)])[0].tolist()  # the one place that waits for the device
            first = next((i for i, number in enumerate(numbers) if not math.isfinite(number)), None)
            if first is not None:
                network = "D" if name.startswith("d") else "G"
                update = self.gan.updates[network] - len(numbers) + first + 1
                what = f"{network}'s loss is {numbers[first]} at its update {update}"
                raise Error(f"{what}; lower --lr, or try --r1 1 or another --loss (the last good checkpoint is kept)")
            means[name] = sum(numbers) / len(numbers)
        self._measured.clear()
        return means

    def diversity(self) -> float:
        """How much the fakes that D saw last differ from one another, by pixel; 1 = as much as the real samples."""
        if self._last is None:
            return 1.0
        real, fake = (float(samples.std(0).mean()) for samples in self._last)
        return fake / real if real else 1.0

    def _update(self, name: str, network: nn.Module, loss: Tensor) -> None:
        # Gradients of this network alone: the other one is frozen.
        gradients = self.team.mean(torch.autograd.grad(loss, list(network.parameters())))
        lr = self.config.learning_rate(name, self.gan.step)
        self.gan.updates[name] += 1
        self.gan.optimizers[name].step(gradients, lr, self.gan.updates[name])

    def _gradient_penalty(self, real: Tensor, fake: Tensor, labels: Tensor | None) -> Tensor:
        shares = self._random("between").random((len(real), *[1] * (real.dim() - 1)), np.float32)
        between = torch.lerp(fake, real, devices.send(shares, self.device)).requires_grad_()
        with self._autocast():
            logits = self.gan.D(between, labels)
        return gradient_penalty(logits, between)

    def _batch(self, update: int) -> tuple[Tensor, Tensor | None]:
        if self.batches is None:
            raise ValueError("this update needs the data")
        return self.batches(update)

    def _fakes(self, d_updates: int, labels: Tensor | None, learn: bool) -> Tensor:
        """Generated samples; with `learn` they carry their graph, and count in batch norm's running statistics."""
        config = self.config
        noise = ShardedGenerator(stream(config.seed, "noise", d_updates, self.gan.step), self.team)
        size = config.batch // self.team.count
        z = devices.send(draw(noise, config.prior, (size, config.z_dim)), self.device)
        self._seed_dropout("noise", d_updates)
        collect_statistics(self.gan.G, learn)
        with torch.set_grad_enabled(learn), self._autocast():
            fakes = self.gan.G(z, labels)
        collect_statistics(self.gan.G, True)
        return fakes.float()

    def _augmented(self, samples: Tensor, phase: str, kind: int) -> Tensor:
        """`samples` as D sees them in `phase` (D or G); `kind` is 0 for real ones, 1 for fakes."""
        if self.augments:
            random = self._random("augment", phase, kind)
            for augment in self.augments:
                samples = augment(samples, random)
        return samples

    def _random(self, *names: str | int) -> ShardedGenerator:
        return ShardedGenerator(stream(self.config.seed, *names, self.gan.updates["D"], self.gan.step), self.team)

    def _seed_dropout(self, phase: str, *count: int) -> None:
        if self.config.dropout:
            d_updates = count or (self.gan.updates["D"],)
            rank = (self.team.rank,) if self.team.rank else ()  # torch draws masks, which cannot be divided
            random = stream(self.config.seed, "dropout", phase, *d_updates, self.gan.step, *rank)
            torch.manual_seed(int(random.integers(1 << 62)))

    def _measure(self, name: str, value: Tensor) -> None:
        self._measured.setdefault(name, []).append(value.detach())

    def _measure_accuracy(self, real: Tensor, fake: Tensor) -> None:
        """The share of samples on the right side of the boundary; without one, of the mean logit of the other kind."""
        boundary = self.loss_traits.boundary
        self._measure("d_real", (real > (fake.mean() if boundary is None else boundary)).float().mean())
        self._measure("d_fake", (fake < (real.mean() if boundary is None else boundary)).float().mean())

    def _autocast(self) -> torch.autocast:
        """bf16 inside, if that is the precision. One context per pass: its cached casts are stale after an update."""
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.bf16)


def trainer_of(
    run: Start, samples: Samples | None, device: torch.device, team: Team = ALONE, sync_bn: bool = False
) -> Trainer:
    """The Trainer of a run that starts or continues on `samples`; see Trainer."""
    data = training_set(samples, run.config) if samples else None
    trainer = Trainer(begin(run.config, run.checkpoint, run.init), data, device, team, sync_bn)
    begin_together(trainer.gan, run.data, team)
    return trainer


def with_precision(config: Config, device: torch.device) -> Config:
    """`config`, its precision decided for `device` if it leaves it to the machine."""
    is_decided = config.precision != SETTINGS["precision"].undecided
    return config if is_decided else dataclasses.replace(config, precision=devices.fast_precision(device, config.work))


def collect_statistics(network: nn.Module, on: bool) -> None:
    """Whether batch norm's running statistics move in training mode (it normalizes by the batch either way)."""
    for module in network.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.track_running_stats = on
