"""What a file's metadata say of its sounds: how many numbers make a second, and how spectrograms become sounds again.

And of texts, which of them are alike: those in one alphabet (see files/letters.py).

Data, checkpoints and samples carry all three, from one to the next.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ganutils import Error
from ganutils.files import budget
from ganutils.files.letters import ALPHABET

RATE, SPECTROGRAM = "sample_rate", "spectrogram"  # of `signals` in Hz; of `images`, see spectrogram.py
CHANNELS = {1: "mono", 2: "stereo"}


def kept(meta: Mapping[str, Any]) -> dict[str, Any]:
    """The metadata of sounds and texts, which hold for what is made of them or like them too."""
    return {key: meta[key] for key in (RATE, SPECTROGRAM, ALPHABET) if key in meta}


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


def check_alike(name: str, meta: Mapping[str, Any], other: str, theirs: Mapping[str, Any]) -> None:
    """Error if what the file `name` holds, or was made for, has another rate, or is spectrograms of another kind, than
    what the file `other` does, or texts in another alphabet; `meta` and `theirs` are their metadata. Spectrograms that
    do not say are not compared.
    """
    if meta.get(ALPHABET) != theirs.get(ALPHABET):
        raise Error(f"{name}: its texts have another alphabet than those of {other}; make both from one gan-data")
    if RATE in meta or RATE in theirs:
        rate, wanted = rate_of(name, meta), rate_of(other, theirs)
        if rate != wanted:
            raise Error(
                f"{name}: its sounds have {rate:,} Hz, those of {other} {wanted:,}; make both alike with "
                "gan-data --rate"
            )
    if SPECTROGRAM in meta and SPECTROGRAM in theirs and meta[SPECTROGRAM] != theirs[SPECTROGRAM]:
        raise Error(
            f"{name}: its spectrograms are of another kind than those of {other}; make both alike with gan-data "
            "--spectrogram"
        )
