"""What a file's metadata say of its sounds: how many numbers make a second, and how spectrograms become sounds again.

Data, checkpoints and samples carry both, from one to the next (see samples/encoding.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ganutils import Error
from ganutils.files import budget

RATE, SPECTROGRAM = "sample_rate", "spectrogram"  # of `signals` in Hz; of `images`, see spectrogram.py
CHANNELS = {1: "mono", 2: "stereo"}


def rate_of(name: str, meta: Mapping[str, Any]) -> int:
    """How many numbers of a sound make a second; Error, with the file's `name`, if its metadata do not say."""
    rate = meta.get(RATE)
    if type(rate) is not int or not budget.RATES[0] <= rate <= budget.RATES[1]:
        raise Error(
            f"{name}: damaged: sounds whose metadata have no {RATE!r} in Hz, {budget.RATES[0]} to {budget.RATES[1]:,}"
        )
    return rate


def in_words(shape: Sequence[int], rate: int | None) -> str:
    """Of a sound (T, C): 4,096 numbers at 8,000 Hz, 0.51 s, mono."""
    length, channels = shape
    times = f" at {rate:,} Hz, {length / rate:.2f} s" if rate else ""
    return f"{length:,} numbers{times}, {CHANNELS.get(channels, f'{channels} channels')}"
