"""A page that asks which of two pictures is real (after "Which Face Is Real?", West and Bergstrom 2019)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from ganutils import Error
from ganutils.pages import page
from ganutils.randomness import stream
from ganutils.samples.samples import Samples

SIDES = ("left", "right")


class Round(NamedTuple):
    """One question: a row of the real and one of the made samples, and the side, 0 or 1, of the real one."""

    real: int
    fake: int
    side: int


def draw_rounds(real: Samples, fake: Samples, count: int, seed: int) -> list[Round]:
    """`count` rounds, no picture twice. Error if the pictures differ in size, or one file has too few."""
    for samples in (real, fake):
        samples.check_any()
    for samples in (real, fake):
        if not samples.are_images:
            raise Error(f"{samples.name}: holds {samples.modality.noun}; a quiz needs pictures")
        if len(samples) < count:
            problem = f"holds {len(samples)} pictures, and the quiz asks {count} times"
            raise Error(f"{samples.name}: {problem}; give a smaller -n")
    fake.check_shape(real.shape, real.name)
    rows = (stream(seed, name).permutation(len(one))[:count] for name, one in (("real", real), ("fake", fake)))
    sides = stream(seed, "side").integers(0, 2, count)
    return [Round(*map(int, numbers)) for numbers in zip(*rows, sides, strict=True)]


def write(
    path: str, heading: str, real: Samples, fake: Samples, rounds: Sequence[Round], lineage: Sequence[str]
) -> None:
    """Write the page."""
    questions = [{"pictures": _pictures(real, fake, one), "real": one.side} for one in rounds]
    page.write(path, "quiz", heading, {"rounds": questions}, lineage)


def _pictures(real: Samples, fake: Samples, one: Round) -> list[str]:
    pair = [page.as_address(np.asarray(real.array[one.real])), page.as_address(np.asarray(fake.array[one.fake]))]
    return pair[:: -1 if one.side else 1]


def answers(rounds: Sequence[Round]) -> list[dict[str, Any]]:
    """Which was which, a line for each round: the real side, and the rows of both in their files."""
    return [
        {"round": number, "real": SIDES[one.side], "real_row": one.real, "fake_row": one.fake}
        for number, one in enumerate(rounds, 1)
    ]
