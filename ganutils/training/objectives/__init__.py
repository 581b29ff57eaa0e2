"""What each network minimizes: plain tensors in, named terms out. Neither counters nor randomness are theirs."""

from __future__ import annotations

from ganutils.runs.config import Config
from ganutils.training.objectives.cycle import CycleObjective
from ganutils.training.objectives.gan import GANObjective
from ganutils.training.objectives.paired import PairedObjective


def objective_of(config: Config) -> GANObjective:
    """The objective of a run."""
    if config.domains:
        return CycleObjective(config)
    return PairedObjective(config) if config.inputs else GANObjective(config)
