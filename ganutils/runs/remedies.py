"""What a new run could be given against what went wrong with one, beside what that one had already."""

from __future__ import annotations

from ganutils.runs.config import Config
from ganutils.runs.traits import LOSSES


def against_collapse(config: Config) -> list[str]:
    """R1 and R2 with the relativistic loss: Huang et al. 2024, "The GAN is dead; long live the GAN!"."""
    is_cured = config.loss == "relativistic" and config.r1 > 0 and config.r2 > 0
    return [] if is_cured else [f"--loss relativistic --r1 {max(config.r1, 1):g} --r2 {max(config.r2, 1):g}"]


def against_winning(config: Config) -> list[str]:
    """What keeps D from telling real samples from generated ones without doubt."""
    options = ["--smooth 0.9"] if config.smooth == 1 and LOSSES[config.loss].has_target else []
    return [*options, smoother(config)]


def smoother(config: Config) -> str:
    """Three times the penalties of D's slope that the run has, or R1 if it has none."""
    penalties = [f"--{name} {3 * getattr(config, name):g}" for name in ("r1", "r2") if getattr(config, name)]
    return " ".join(penalties) or "--r1 1"
