"""Training a GAN: who draws, updates and measures.

The batch and the noise of an update are functions of (seed, updates of D, updates of G): see `draws`. The generator's
update sees the noise of the discriminator's update before it, so one forward pass of G serves both.
"""

from __future__ import annotations

import dataclasses
import math

import torch
from torch import Tensor

from ganutils import Error
from ganutils.compute import devices
from ganutils.compute.distributed import ALONE, Team
from ganutils.compute.side_by_side import in_turn
from ganutils.networks.sync_batchnorm import share_batch_norm
from ganutils.runs.config import SETTINGS, Config
from ganutils.runs.start import Start
from ganutils.samples.samples import Samples
from ganutils.training import replay
from ganutils.training.batches import Batches, TrainingSet, training_set
from ganutils.training.draws import Draws
from ganutils.training.gan import GAN, begin
from ganutils.training.phases import Phases
from ganutils.training.together import begin_together

WORTH = 50  # updates: recording takes as long as about so many


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
        self.data = data
        self.device = device
        self.team = team
        if self.config.batch % self.team.count:
            raise Error(f"--batch {self.config.batch} cannot be divided among {self.team.count} workers")
        if sync_bn and self.team.count > 1:
            share_batch_norm(gan.G, team)
            share_batch_norm(gan.D, team)
        batches = None if data is None else Batches(data, self.config, device, team)
        self._draws, self._phases = Draws(self.config, batches, team, device), Phases(gan, batches, team, device)
        self._recorder: replay.Recorder | None = None
        self._measured: list[tuple[str, Tensor]] = []  # by the name of the function
        self._seen: tuple[Tensor, Tensor] | None = None  # real and generated samples that D saw last, not augmented

    def expect(self, updates: int) -> None:
        """Record the updates, if so many are to come that it is worth it: the same bits, and less work for the host.

        On CUDA, by one process, without dropout, which would have to be seeded in the middle of an update.
        """
        can = self.device.type == "cuda" and self.team.count == 1 and not self.config.dropout
        if can and updates >= WORTH and self._recorder is None:
            self.record()

    def record(self, capture: replay.Capture | None = None) -> None:
        """Record each kind of update when it comes first, and replay it from then on. A recording hears one thread."""
        self._phases.each = in_turn
        self._recorder = replay.Recorder(lambda: self.gan.tensors().values(), self.device, capture)

    @property
    def problem(self) -> str | None:
        """Why an update could not be recorded, "" if none failed; None if none is recorded at all."""
        return None if self._recorder is None else self._recorder.problem

    def train_d(self) -> None:
        """One update of the discriminator."""
        self._update("d")

    def train_g(self) -> None:
        """One update of the generator, and of its average."""
        self._update("g")

    def step(self) -> None:
        """The two phases: `d_updates` of the discriminator, then one of the generator."""
        for _ in range(self.config.d_updates - 1):
            self._update("d")
        self._update("dg")

    def _update(self, name: str) -> None:
        arrays, seeds = getattr(self._draws, name)(self.gan.updates)
        function = getattr(self._phases, name)
        if self._recorder is None:
            outcome = function(replay.send(arrays, self.device), seeds)
        else:
            outcome = self._recorder(name, lambda given: function(given, seeds), arrays)
        self._measured.append((name, outcome.measures.clone()))
        self._seen = outcome.seen or self._seen
        for network in name.upper():
            self.gan.updates[network] += 1

    def measures(self) -> dict[str, float]:
        """Means, over the updates since the last call, of `d_loss`, D's accuracy `d_real` and `d_fake`, `g_loss`, those
        of the terms of translators; and `diversity`, how much the last fakes differ from one another, by pixel: 1 = as
        the real samples.

        Error, with the update, if a loss is not a number.
        """
        if not self._measured:
            return {}
        parts = [values for _, values in self._measured]
        if self._seen and len(self._seen[0]) > 1:
            parts.append(torch.stack([samples.std(0).mean() for samples in self._seen]))
        numbers = iter(self.team.mean([torch.cat(parts)])[0].tolist())  # the one place that waits for the device
        found: dict[str, list[float]] = {}
        for name, _ in self._measured:
            for measured in self._phases.measured[name]:
                found.setdefault(measured, []).append(next(numbers))
        self._measured.clear()
        for name, values in found.items():
            self._check(name, values)
        means = {name: sum(values) / len(values) for name, values in found.items()}
        if spread := list(numbers):
            real, fake = spread
            means["diversity"] = fake / real if real else 1.0
        return means

    def _check(self, name: str, values: list[float]) -> None:
        """Error unless all `values`, of the last updates, are finite."""
        first = next((i for i, value in enumerate(values) if not math.isfinite(value)), None)
        if first is not None:
            network = "D" if name.startswith("d") else "G"
            update = self.gan.updates[network] - len(values) + first + 1
            what = f"{network}'s loss is {values[first]} at its update {update}"
            penalty = "" if self.gan.config.r1 else "--r1 1 or "
            raise Error(f"{what}; lower --lr, or try {penalty}another --loss (the last good checkpoint is kept)")


def trainer_of(
    run: Start, samples: Samples | None, device: torch.device, team: Team = ALONE, sync_bn: bool = False
) -> Trainer:
    """The Trainer of a run that starts or continues on `samples`; see Trainer."""
    data = training_set(samples, run.config, run.descriptions) if samples else None
    trainer = Trainer(begin(run.config, run.checkpoint, run.init), data, device, team, sync_bn)
    begin_together(trainer.gan, run.data, team)
    return trainer


def with_precision(config: Config, device: torch.device) -> Config:
    """`config`, its precision decided for `device` if it leaves it to the machine."""
    is_decided = config.precision != SETTINGS["precision"].undecided
    return config if is_decided else dataclasses.replace(config, precision=devices.fast_precision(device, config.work))
