"""The two phases of GAN training, as functions of tensors: all that changes from one update to the next is in them.

So an update can be recorded, and replayed on other tensors in the same place: see `replay`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from ganutils.compute.distributed import Team
from ganutils.networks.condition import NOTHING, Condition
from ganutils.networks.scaling import from_network, to_network
from ganutils.training.augment import AUGMENTS
from ganutils.training.batches import Batch, Batches
from ganutils.training.draws import FAKE, REAL
from ganutils.training.gan import GAN
from ganutils.training.objectives import objective_of
from ganutils.training.objectives.gan import Judge, Seen, Terms, Translator

Given = Mapping[str, Tensor]
Seeds = Mapping[str, int]


class Outcome(NamedTuple):
    """What an update measured, as in `Phases.measured`, and what D saw, not augmented: real samples and fakes."""

    measures: Tensor
    seen: tuple[Tensor, Tensor] | None = None


class Phases:
    """The updates of `gan` by this process of `team`.

    Each takes the tensors, and the seeds of dropout, that the function of its name in `draws.Draws` gives.

    measured  the names of what each function measures
    """

    def __init__(self, gan: GAN, batches: Batches | None, team: Team, device: torch.device):
        self.gan, self.config, self.team, self.device = gan, gan.config, team, device
        self._batches = batches
        self._objective = objective_of(self.config, team)
        self._translator, self._judge = Translator(gan.G, self._autocast), Judge(gan.D, self._autocast)
        self._norms = {name: _batch_norms(network) for name, network in (("G", gan.G), ("D", gan.D))}
        of_d, of_g = self._objective.measured_of_d, self._objective.measured_of_g
        self.measured = {"d": of_d, "g": of_g, "dg": of_d + of_g}

    def d(self, given: Given, seeds: Seeds) -> Outcome:
        """An update of D. Where G's loss does not ask D, nothing changes."""
        if not self.config.needs_d:
            return Outcome(torch.empty(0, device=self.device))
        batch = self._taken(given)
        fakes = self._fakes(given, seeds, batch.condition, learn=False)
        return Outcome(self._update_d(given, seeds, batch, fakes), (batch.samples, fakes))

    def g(self, given: Given, seeds: Seeds) -> Outcome:
        """An update of G, and of its average."""
        batch = self._taken(given) if self.config.needs_real_for_g else None
        fakes = self._fakes(given, seeds, batch.condition if batch else NOTHING, learn=True)
        return Outcome(self._update_g(given, seeds, batch, fakes))

    def dg(self, given: Given, seeds: Seeds) -> Outcome:
        """An update of D, and one of G on the same fakes, for which one forward pass of G is enough."""
        batch = self._taken(given)
        fakes = self._fakes(given, seeds, batch.condition, learn=True)
        measures = [self._update_d(given, seeds, batch, fakes.detach())] if self.config.needs_d else []
        measures.append(self._update_g(given, seeds, batch, fakes))
        return Outcome(torch.cat(measures), (batch.samples, fakes.detach()))

    def _taken(self, given: Given) -> Batch:
        assert self._batches is not None
        return self._batches.take(given)

    def _fakes(self, given: Given, seeds: Seeds, condition: Condition, learn: bool) -> Tensor:
        """Generated samples; with `learn` they carry their graph, and count in batch norm's running statistics."""
        _seed_dropout(seeds, "noise")
        self._collect_statistics("G", learn)
        with torch.set_grad_enabled(learn), self._autocast():
            fakes = self.gan.G(given.get("z"), condition)
        self._collect_statistics("G", True)
        return fakes.float()

    def _opposite(self, z: Tensor, condition: Condition) -> Tensor:
        """What the opposite latents make, with their graph."""
        self._collect_statistics("G", False)
        with self._autocast():
            opposite: Tensor = self.gan.G(-z, condition)
        self._collect_statistics("G", True)
        return opposite.float()

    def _update_d(self, given: Given, seeds: Seeds, batch: Batch, fake: Tensor) -> Tensor:
        """One update of the discriminator, with the generator frozen."""
        fake = self._remembered(given, fake) if self.config.buffer else fake
        real, fake = self._augmented(given, "D", REAL, batch.samples), self._augmented(given, "D", FAKE, fake)
        _seed_dropout(seeds, "D")
        seen = Seen(
            real, fake, batch.condition, batch.wrong, between=given.get("between"), shifts=given.get("D shifts")
        )
        terms = self._objective.discriminator(self._judge, seen)
        self._step("D", terms.loss, given)
        return self._measures("d", terms)

    def _update_g(self, given: Given, seeds: Seeds, batch: Batch | None, fakes: Tensor) -> Tensor:
        """One update of the generator, with the discriminator frozen; then its average."""
        _seed_dropout(seeds, "G")
        self._collect_statistics("D", False)
        compares = self._objective.compares_real
        real = self._augmented(given, "G", REAL, batch.samples) if batch and compares else None
        noise = given["noise"].permute(0, 3, 1, 2) if self.config.noise else None
        condition = batch.condition if batch else NOTHING
        seen = Seen(
            real, self._augmented(given, "G", FAKE, fakes), condition, noise=noise, shifts=given.get("G shifts")
        )
        if self.config.mode_seeking:
            seen = seen._replace(apart=(given["z"], fakes, self._opposite(given["z"], condition)))
        terms = self._objective.generator(self._translator, self._judge, seen)
        self._collect_statistics("D", True)
        self._step("G", terms.loss, given)
        self.gan.average(given["average"])
        return self._measures("g", terms)

    def _remembered(self, given: Given, fakes: Tensor) -> Tensor:
        """The `fakes` with some of the history in their place, which changes as `Draws` says (Shrivastava et al. 2017,
        "Learning from Simulated and Unsupervised Images through Adversarial Training", section 2.3).
        """
        history, slot, old, keep = self.gan.history, given["slot"], given["old"], given["keep"]
        domains = torch.arange(len(history), device=self.device)[:, None]
        stored = history[domains, slot]  # (domains, B, H, W, C)
        made = self.team.whole(from_network(fakes).unflatten(0, (len(history), -1)), 1)
        mine = (self.team.part(one.swapaxes(0, 1)).swapaxes(0, 1).flatten(0, 1) for one in (stored, old))
        earlier, is_old = mine
        history[domains, slot] = torch.where(keep[..., None, None, None], made, stored)
        return torch.where(is_old[:, None, None, None], to_network(earlier), fakes)

    def _measures(self, name: str, terms: Terms) -> Tensor:
        return torch.stack([terms.measured[measured] for measured in self.measured[name]])

    def _step(self, name: str, loss: Tensor, given: Given) -> None:
        # Gradients of this network alone: the other one is frozen.
        optimizer = self.gan.optimizers[name]
        gradients = self.team.mean(torch.autograd.grad(loss, list(optimizer.parameters.values())))
        optimizer.step(gradients, given[f"{name} rate"], given[f"{name} count"])

    def _augmented(self, given: Given, phase: str, kind: int, samples: Tensor) -> Tensor:
        """`samples` as D sees them in `phase` (D or G)."""
        for name in self.config.augments:
            drawn = [tensor for key, tensor in given.items() if key.startswith(f"{phase} {kind} {name} ")]
            samples = AUGMENTS[name].change(samples, *drawn)
        return samples

    def _collect_statistics(self, name: str, on: bool) -> None:
        """Whether batch norm's running statistics move in training mode (it normalizes by the batch either way)."""
        for norm in self._norms[name]:
            norm.track_running_stats = on

    def _autocast(self) -> torch.autocast:
        """bf16 inside, if that is the precision."""
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.config.precision == "bf16")


def _seed_dropout(seeds: Seeds, phase: str) -> None:
    if seeds:
        torch.manual_seed(seeds[phase])


def _batch_norms(network: nn.Module) -> list[_BatchNorm]:
    return [module for module in network.modules() if isinstance(module, _BatchNorm)]
