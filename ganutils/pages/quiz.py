"""A page that asks which of two samples, pictures or sounds or texts, is real.

After "Which Face Is Real?" (West and Bergstrom 2019).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from ganutils import Error
from ganutils.films.lettering import Lettering
from ganutils.pages import page
from ganutils.randomness import stream
from ganutils.samples.samples import Samples
from ganutils.sounds import about
from ganutils.sounds.hearing import Hearing, sounds_of

SIDES = ("left", "right")


class Round(NamedTuple):
    """One question: a row of the real and one of the made samples, and the side, 0 or 1, of the real one."""

    real: int
    fake: int
    side: int


def draw_rounds(real: Samples, fake: Samples, count: int, seed: int) -> list[Round]:
    """`count` rounds, no sample twice. Error if the samples differ in size or rate, or one file has too few."""
    for samples in (real, fake):
        samples.check_any()
    for samples in (real, fake):
        if not (samples.are_images or samples.are_sounds or samples.are_texts):
            raise Error(f"{samples.name}: holds {samples.modality.noun}; a quiz needs pictures, sounds or texts")
        if len(samples) < count:
            problem = f"holds {len(samples)} {samples.modality.noun}, and the quiz asks {count} times"
            raise Error(f"{samples.name}: {problem}; give a smaller -n")
    heard = _heard(real, fake)
    if heard is None:
        fake.check_like(real)
    else:
        there, here = (about.in_words(one.shape, one.rate) for one in heard)
        if here != there:
            raise Error(
                f"{fake.name}: its sounds are {here}, those of {real.name} {there}; make both alike by gan-data"
            )
    rows = (stream(seed, name).permutation(len(one))[:count] for name, one in (("real", real), ("fake", fake)))
    sides = stream(seed, "side").integers(0, 2, count)
    return [Round(*map(int, numbers)) for numbers in zip(*rows, sides, strict=True)]


def write(
    path: str, heading: str, real: Samples, fake: Samples, rounds: Sequence[Round], lineage: Sequence[str]
) -> None:
    """Write the page: of sounds if both files hold some, or spectrograms that become some; else of pictures, or texts
    as such.
    """
    heard = _heard(real, fake)
    true, made = map(_addressed, (real, fake), heard or (None, None))
    pairs = ((true(one.real), made(one.fake)) for one in rounds)
    questions = [
        {"samples": pair[:: -1 if one.side else 1], "real": one.side} for one, pair in zip(rounds, pairs, strict=True)
    ]
    noun = "sound" if heard else "text" if real.are_texts else "picture"
    page.write(path, "quiz", heading, {"rounds": questions, "noun": noun}, lineage, policy=page.MEDIA_POLICY)


def _heard(real: Samples, fake: Samples) -> tuple[Hearing, Hearing] | None:
    """How both are heard; None if one of them is not."""
    pair = [sounds_of(samples.name, samples.meta, samples.shape) for samples in (real, fake)]
    return (pair[0], pair[1]) if pair[0] and pair[1] else None


def _addressed(samples: Samples, heard: Hearing | None) -> Callable[[int], str]:
    """What gives the data: address of a row."""

    if samples.are_texts:
        lettering = Lettering(samples.name, samples.alphabet, samples.shape[0])
        return lambda row: page.as_address(lettering.draw(np.asarray(samples.letters[row : row + 1]))[0])

    def address(row: int) -> str:
        sample = np.asarray(samples.array[row])
        return page.as_sound(heard.rate, heard.sounds(sample[None])[0]) if heard else page.as_address(sample)

    return address


def answers(rounds: Sequence[Round]) -> list[dict[str, Any]]:
    """Which was which, a line for each round: the real side, and the rows of both in their files."""
    return [
        {"round": number, "real": SIDES[one.side], "real_row": one.real, "fake_row": one.fake}
        for number, one in enumerate(rounds, 1)
    ]
