"""When snapshots are taken."""

from __future__ import annotations


def spread(frames: int, steps: int) -> frozenset[int]:
    """The steps of `frames` snapshots from 0 to `steps`, at the squares of even times: half of them in a quarter of it.

    Early learning, where all the change is, gets its share of a film. They depend on `steps`; a run that is extended
    keeps those it has, and those of the longer film that are still ahead come after them, further apart.
    """
    return frozenset(round(steps * (i / (frames - 1)) ** 2) for i in range(frames))
