"""How toys sound: what drums and vowels share."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ganutils import randomness
from ganutils.files import budget
from ganutils.files.kinds import SIGNALS
from ganutils.samples import foreign
from ganutils.samples.signals import Clip, Length, Shaped, shaped
from ganutils.samples.sources.source import Request, Source
from ganutils.sounds.wav import FULL, sixteen_bits

PLAIN = Clip(8000, Length(4096))  # of toys, where nothing else is given
FADE = 0.01  # seconds at the end
LEVELS = (0.5, 0.95)  # of peaks

# A sound's numbers in 0..1, a generator of its noise, rate, length -> float64 [length], at any level
Play = Callable[[Sequence[float], np.random.Generator, int, int], np.ndarray]


def played(request: Request, plays: Mapping[str, Play], numbers: int, **about: Any) -> Source:
    """Sounds of a seed, of each class in turn; a larger count only adds some.

    plays    of each class, functions of a module
    numbers  how many numbers a sound is made of
    about    more for its metadata
    """
    name, seed, count = request.name.removeprefix("toy:"), request.options.seed, request.toys
    drawn = randomness.stream(seed, "toy", name).random((count, 1 + numbers))
    labels = np.arange(count) % len(plays)
    of_label = list(plays.values())
    return Source(
        request.name,
        count,
        lambda row: (of_label[labels[row]], drawn[row].tolist(), (seed, "toy", name, "noise", row)),
        _draw,
        modality=SIGNALS,
        rate=PLAIN.rate or 0,
        labels=labels,
        classes=tuple(plays),
        meta={**request.meta, **about},
    )


def _draw(loaded: tuple[Play, list[float], tuple[Any, ...]], clip: Clip) -> Shaped:
    """A sound, drawn at the rate and length asked for."""
    play, (level, *numbers), names = loaded
    rate = clip.rate or PLAIN.rate or 0
    length = (clip if clip.length else PLAIN).count(rate)
    foreign.allow(budget.deriving(8 * length))
    sound = faded(play(numbers, randomness.stream(*names), rate, length), rate, 0, FADE)
    peak = LEVELS[0] + (LEVELS[1] - LEVELS[0]) * level
    sound *= peak / max(float(np.abs(sound).max()), 1e-9)
    heard = sixteen_bits(sound) / np.float32(FULL)  # as a WAV file has it, so that all processors give the same
    return shaped(heard[:, None], rate, clip)


def between(low: float, high: float, at: float) -> float:
    """The value at 0..1 between two positive ones, in equal ratios."""
    return float(low * (high / low) ** at)


def faded(sound: np.ndarray, rate: int, attack: float, release: float) -> np.ndarray:
    """[T] that rises from 0 in `attack` seconds, and falls to 0 in `release`, each a quarter of it at most."""
    shape = np.ones(len(sound))
    for seconds, places in ((attack, slice(None)), (release, slice(None, None, -1))):
        count = min(round(seconds * rate), len(sound) // 4)
        shape[places][:count] *= 0.5 - 0.5 * np.cos(np.pi * np.arange(count) / max(1, count))
    return sound * shape
