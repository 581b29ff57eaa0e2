"""The two phases of GAN training, as functions of tensors: all that changes from one update to the next is in them.

So an update can be recorded, and replayed on other tensors in the same place: see `replay`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from ganutils.compute.distributed import Team
from ganutils.compute.side_by_side import Each, SideBySide, in_turn
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
    each      how the parts of an update are run
    """

    def __init__(self, gan: GAN, batches: Batches | None, team: Team, device: torch.device):
        self.gan, self.config, self.team, self.device = gan, gan.config, team, device
        self._batches = batches
        self._objective = objective_of(self.config, team)
        self._translator, self._judge = Translator(gan.G, self._autocast), Judge(gan.D, self._autocast)
        self._norms = {name: _batch_norms(network) for name, network in (("G", gan.G), ("D", gan.D))}
        of_d, of_g = self._objective.measured_of_d, self._objective.measured_of_g
        self.measured = {"d": of_d, "g": of_g, "dg": of_d + of_g}
        # Side by side no part may talk to other processes, and dropout draws from one generator.
        can = device.type == "cpu" and team.count == 1 and not self.config.dropout
        self.each: Each = SideBySide() if can else in_turn

    def d(self, given: Given, seeds: Seeds) -> Outcome:
        """An update of D. Where G's loss does not ask D, nothing changes."""
        if not self.config.needs_d:
            return Outcome(torch.empty(0, device=self.device))
        batch = self._taken(given)
        fakes = _whole(self._fakes(given, seeds, batch.condition, learn=False))
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
        made = _whole(fakes)
        measures = [self._update_d(given, seeds, batch, made)] if self.config.needs_d else []
        measures.append(self._update_g(given, seeds, batch, fakes))
        return Outcome(torch.cat(measures), (batch.samples, made))

    def _taken(self, given: Given) -> Batch:
        assert self._batches is not None
        return self._batches.take(given)

    def _fakes(self, given: Given, seeds: Seeds, condition: Condition, learn: bool) -> list[Tensor]:
        """Generated samples, in the objective's parts; with `learn` they carry their graphs, and count in batch norm's
        running statistics.
        """

        def made(part: Callable[[], Tensor]) -> Tensor:
            with torch.set_grad_enabled(learn), self._autocast():
                return part().float()

        _seed_dropout(seeds, "noise")
        self._collect_statistics("G", learn)
        parts = self._objective.parts_of_fakes(self._translator, given.get("z"), condition)
        fakes = self.each([functools.partial(made, part) for part in parts])
        self._collect_statistics("G", True)
        return fakes

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
        return self._step("D", self._objective.parts_of_d(self._judge, seen), given)

    def _update_g(self, given: Given, seeds: Seeds, batch: Batch | None, fakes: Sequence[Tensor]) -> Tensor:
        """One update of the generator, with the discriminator frozen; then its average."""
        _seed_dropout(seeds, "G")
        self._collect_statistics("D", False)
        compares = self._objective.compares_real
        real = self._augmented(given, "G", REAL, batch.samples) if batch and compares else None
        noise = given["noise"].permute(0, 3, 1, 2) if self.config.noise else None
        condition = batch.condition if batch else NOTHING
        seen = [
            Seen(real, self._augmented(given, "G", FAKE, fake), condition, noise=noise, shifts=given.get("G shifts"))
            for fake in fakes
        ]
        if self.config.mode_seeking:
            opposite = self._opposite(given["z"], condition)
            seen = [one._replace(apart=(given["z"], fake, opposite)) for one, fake in zip(seen, fakes, strict=True)]
        measures = self._step("G", self._objective.parts_of_g(self._translator, self._judge, seen), given)
        self._collect_statistics("D", True)
        self.gan.average(given["average"])
        return measures

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

    def _step(self, name: str, parts: Sequence[Callable[[], Terms]], given: Given) -> Tensor:
        """One update of a network by the sum of the terms of `parts`; what they measured."""
        optimizer = self.gan.optimizers[name]
        parameters = list(optimizer.parameters.values())

        def slopes(part: Callable[[], Terms]) -> tuple[dict[str, Tensor], tuple[Tensor | None, ...]]:
            # Gradients of this network alone: the other one is frozen. A part may do without some of it.
            terms = part()
            return terms.measured, torch.autograd.grad(terms.loss, parameters, allow_unused=True)

        measured, gradients = zip(*self.each([functools.partial(slopes, part) for part in parts]), strict=True)
        optimizer.step(self.team.mean(_added(gradients)), given[f"{name} rate"], given[f"{name} count"])
        return torch.stack([_sum([one[measure] for one in measured]) for measure in self.measured[name.lower()]])

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
        # What it has cast it keeps for all threads: what a part finds would depend on how far another one is.
        keeps = not self.config.domains
        return torch.autocast(self.device.type, torch.bfloat16, self.config.precision == "bf16", keeps)


def _whole(fakes: Sequence[Tensor]) -> Tensor:
    """Fakes that were made in parts, without their graphs."""
    return fakes[0].detach() if len(fakes) == 1 else torch.cat([part.detach() for part in fakes])


def _added(gradients: Sequence[Sequence[Tensor | None]]) -> list[Tensor]:
    """The gradients of all parts, each [parameters], added up in the order of the parts."""
    return [_sum([one for one in column if one is not None]) for column in zip(*gradients, strict=True)]


def _sum(terms: Sequence[Tensor]) -> Tensor:
    return functools.reduce(torch.add, terms)


def _seed_dropout(seeds: Seeds, phase: str) -> None:
    if seeds:
        torch.manual_seed(seeds[phase])


def _batch_norms(network: nn.Module) -> list[_BatchNorm]:
    return [module for module in network.modules() if isinstance(module, _BatchNorm)]
