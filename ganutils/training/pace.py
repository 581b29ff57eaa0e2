"""How many steps fit into some minutes on this machine: gan-loop --minutes.

They are found by timing a trainer that is thrown away, and become plain settings of the run, which then reads no clock:
so it can be repeated and continued to the same bits, on any machine.
"""

from __future__ import annotations

import dataclasses
import json
import time

import torch

from ganutils.compute.distributed import ALONE, Team
from ganutils.runs.start import Start
from ganutils.samples.samples import Samples
from ganutils.training.loop import loop
from ganutils.training.trainer import WORTH, Trainer, trainer_of

WARM_UP = 3  # steps that are not timed: the first ones allocate memory, and on CUDA are recorded
SHARE, LEAST, MOST = 0.01, 0.5, 15.0  # of the minutes, in seconds: what is timed last; with all before it up to 4 times
CONSTANT = 0.4  # share of the steps at which the learning rate does not fall yet


def paced(
    run: Start, samples: Samples, minutes: float, device: torch.device, team: Team = ALONE, sync_bn: bool = False
) -> Start:
    """`run`; if it is new, with the decay that ends it after about so many minutes.

    Of several processes the first decides: by its minutes and clock, or by the checkpoint that it continues.
    """
    known = run.config.decay if run.checkpoint else None
    decay, minutes = json.loads(team.firsts(json.dumps([known, minutes])))
    if decay is None:
        trainer = trainer_of(run, samples, device, team, sync_bn)
        seconds = _seconds_per_step(trainer, min(max(SHARE * 60 * minutes, LEAST), MOST))
        steps = max(1, int(60 * minutes / seconds))
        decay = round(CONSTANT * steps), steps
    return dataclasses.replace(run, config=dataclasses.replace(run.config, decay=tuple(decay)))


def _seconds_per_step(trainer: Trainer, least: float) -> float:
    """Seconds that a step takes, by the first of 1, 2, 4, ... steps that take at least so many."""
    trainer.expect(WORTH)
    _time(trainer, WARM_UP)
    steps = 1
    while (seconds := _time(trainer, steps)) < least:
        steps *= 2
    return seconds / steps


def _time(trainer: Trainer, steps: int) -> float:
    """Seconds that so many steps take in the first process. The last tick waits for the device."""
    begun = time.monotonic()
    for _ in loop(trainer, trainer.gan.step + steps, []):
        pass
    return float(trainer.team.firsts(repr(time.monotonic() - begun)))
