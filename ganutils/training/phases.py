"""The two phases of GAN training, as functions of tensors: all that changes from one update to the next is in them.

So an update can be recorded, and replayed on other tensors in the same place: see `replay`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor, nn

from ganutils.compute.distributed import Team
from ganutils.runs import traits
from ganutils.training.augment import AUGMENTS
from ganutils.training.batches import Batches
from ganutils.training.draws import FAKE, REAL
from ganutils.training.gan import GAN
from ganutils.training.losses import LOSSES, gradient_penalty, zero_centered

MEASURED = {
    "d": ("d_loss", "d_real", "d_fake"),
    "g": ("g_loss",),
    "dg": ("d_loss", "d_real", "d_fake", "g_loss"),
}  # what each function measures


class Outcome(NamedTuple):
    """What an update measured, as in MEASURED, and what D saw, not augmented: real samples and fakes."""

    measures: Tensor
    seen: tuple[Tensor, Tensor] | None = None


class Phases:
    """The updates of `gan` by this process of `team`.

    Each takes the tensors, and the seeds of dropout, that the function of its name in `draws.Draws` gives.
    """

    def __init__(self, gan: GAN, batches: Batches | None, team: Team, device: torch.device):
        self.gan, self.config, self.team, self.device = gan, gan.config, team, device
        self._batches = batches
        self.loss, self.loss_traits = LOSSES[self.config.loss], traits.LOSSES[self.config.loss]

    def d(self, given: Mapping[str, Tensor], seeds: Mapping[str, int]) -> Outcome:
        """An update of D."""
        real, labels = self._taken(given)
        fakes = self._fakes(given, seeds, labels, learn=False)
        return Outcome(self._update_d(given, seeds, real, fakes, labels), (real, fakes))

    def g(self, given: Mapping[str, Tensor], seeds: Mapping[str, int]) -> Outcome:
        """An update of G, and of its average."""
        real, labels = self._taken(given) if self.config.needs_real_for_g else (None, None)
        fakes = self._fakes(given, seeds, labels, learn=True)
        return Outcome(self._update_g(given, seeds, real, fakes, labels))

    def dg(self, given: Mapping[str, Tensor], seeds: Mapping[str, int]) -> Outcome:
        """An update of D, and one of G on the same fakes, for which one forward pass of G is enough."""
        real, labels = self._taken(given)
        fakes = self._fakes(given, seeds, labels, learn=True)
        of_d = self._update_d(given, seeds, real, fakes.detach(), labels)
        of_g = self._update_g(given, seeds, real, fakes, labels)
        return Outcome(torch.cat([of_d, of_g]), (real, fakes.detach()))

    def _taken(self, given: Mapping[str, Tensor]) -> tuple[Tensor, Tensor | None]:
        assert self._batches is not None
        return self._batches.take(given)

    def _fakes(
        self, given: Mapping[str, Tensor], seeds: Mapping[str, int], labels: Tensor | None, learn: bool
    ) -> Tensor:
        """Generated samples; with `learn` they carry their graph, and count in batch norm's running statistics."""
        _seed_dropout(seeds, "noise")
        collect_statistics(self.gan.G, learn)
        with torch.set_grad_enabled(learn), self._autocast():
            fakes = self.gan.G(given["z"], labels)
        collect_statistics(self.gan.G, True)
        return fakes.float()

    def _update_d(
        self,
        given: Mapping[str, Tensor],
        seeds: Mapping[str, int],
        real: Tensor,
        fake: Tensor,
        labels: Tensor | None,
    ) -> Tensor:
        """One update of the discriminator towards real = 1, fake = 0, with the generator frozen."""
        gan, config = self.gan, self.config
        real, fake = self._augmented(given, "D", REAL, real), self._augmented(given, "D", FAKE, fake)
        real = real.detach().requires_grad_() if config.r1 else real
        fake = fake.detach().requires_grad_() if config.r2 else fake
        _seed_dropout(seeds, "D")
        with self._autocast():
            real_logits, fake_logits = gan.D(real, labels), gan.D(fake, labels)
        loss = self.loss.discriminator(real_logits, fake_logits, config.smooth)
        measures = torch.stack([loss.detach(), *self._accuracy(real_logits.detach(), fake_logits.detach())])
        if config.r1:
            loss = loss + config.r1 * zero_centered(real_logits, real)
        if config.r2:
            loss = loss + config.r2 * zero_centered(fake_logits, fake)
        if config.gp:
            between = torch.lerp(fake.detach(), real.detach(), given["between"]).requires_grad_()
            with self._autocast():
                logits = gan.D(between, labels)
            loss = loss + config.gp * gradient_penalty(logits, between)
        self._step("D", gan.D, loss, given)
        return measures

    def _update_g(
        self,
        given: Mapping[str, Tensor],
        seeds: Mapping[str, int],
        real: Tensor | None,
        fakes: Tensor,
        labels: Tensor | None,
    ) -> Tensor:
        """One update of the generator towards D(G(z)) = 1, with the discriminator frozen; then its average."""
        gan = self.gan
        _seed_dropout(seeds, "G")
        collect_statistics(gan.D, False)
        with self._autocast():
            fake_logits = gan.D(self._augmented(given, "G", FAKE, fakes), labels)
            real_logits = fake_logits
            if real is not None and self.loss_traits.compares_pairs:
                with torch.no_grad():
                    real_logits = gan.D(self._augmented(given, "G", REAL, real), labels)
        collect_statistics(gan.D, True)
        loss = self.loss.generator(real_logits, fake_logits)
        self._step("G", gan.G, loss, given)
        gan.average(given["average"])
        return loss.detach()[None]

    def _step(self, name: str, network: nn.Module, loss: Tensor, given: Mapping[str, Tensor]) -> None:
        # Gradients of this network alone: the other one is frozen.
        gradients = self.team.mean(torch.autograd.grad(loss, list(network.parameters())))
        self.gan.optimizers[name].step(gradients, given[f"{name} rate"], given[f"{name} count"])

    def _augmented(self, given: Mapping[str, Tensor], phase: str, kind: int, samples: Tensor) -> Tensor:
        """`samples` as D sees them in `phase` (D or G)."""
        for name in self.config.augments:
            drawn = [tensor for key, tensor in given.items() if key.startswith(f"{phase} {kind} {name} ")]
            samples = AUGMENTS[name].change(samples, *drawn)
        return samples

    def _accuracy(self, real: Tensor, fake: Tensor) -> tuple[Tensor, Tensor]:
        """The share of samples on the right side of the boundary; without one, of the mean logit of the other kind."""
        boundary = self.loss_traits.boundary
        d_real = (real > (fake.mean() if boundary is None else boundary)).float().mean()
        return d_real, (fake < (real.mean() if boundary is None else boundary)).float().mean()

    def _autocast(self) -> torch.autocast:
        """bf16 inside, if that is the precision. One context per pass: its cached casts are stale after an update."""
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.config.precision == "bf16")


def _seed_dropout(seeds: Mapping[str, int], phase: str) -> None:
    if seeds:
        torch.manual_seed(seeds[phase])


def collect_statistics(network: nn.Module, on: bool) -> None:
    """Whether batch norm's running statistics move in training mode (it normalizes by the batch either way)."""
    for module in network.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.track_running_stats = on
