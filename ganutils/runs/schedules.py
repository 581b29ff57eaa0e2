"""When snapshots are taken."""

from __future__ import annotations

import sys
from collections.abc import Container

EVERY = 100  # steps between snapshots, unless the user says otherwise


def snapshot_steps(steps: int, every: int | None, frames: int | None) -> Container[int]:
    """The steps after which a run of `steps` takes a snapshot: `every` so many, or else those of `frames`."""
    return denser_early(frames, steps) if frames else range(0, sys.maxsize, every or EVERY)


def denser_early(frames: int, steps: int) -> frozenset[int]:
    """The steps of `frames` snapshots from 0 to `steps`, at squares of even times: half of them in the first quarter.

    So early learning, where all the change is, gets its share of a film. The steps depend on `steps`: a run that is
    extended keeps its snapshots, and takes those of the longer film that are still ahead, further apart.
    """
    return frozenset(round(steps * (i / (frames - 1)) ** 2) for i in range(frames))
