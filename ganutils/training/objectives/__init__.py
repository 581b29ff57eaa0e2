"""What each network minimizes: plain tensors in, named terms out. Neither counters nor randomness are theirs."""

from __future__ import annotations

from ganutils.compute.distributed import ALONE, Team
from ganutils.runs.config import Config
from ganutils.training.objectives.cycle import CycleObjective
from ganutils.training.objectives.gan import GANObjective
from ganutils.training.objectives.paired import PairedObjective


def objective_of(config: Config, team: Team = ALONE) -> GANObjective:
    """The objective of a run, for a process of `team`."""
    if config.domains:
        return CycleObjective(config, team)
    return PairedObjective(config, team) if config.inputs else GANObjective(config, team)
