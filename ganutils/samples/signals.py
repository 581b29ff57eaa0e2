"""What to make of sounds: their rate, length and channels, without silence at their ends; or spectrograms."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import NamedTuple

import numpy as np

from ganutils.files import budget
from ganutils.files.kinds import SIGNALS
from ganutils.samples.foreign import UnreadableError
from ganutils.sounds.about import RATE

SIXTEEN_BITS = 1 << 15  # what the numbers of a WAV file of 16 bits are divided by
FINEST = 1 << 16  # parts of a ratio of rates, so that a filter stays small; rates up to 65,536 Hz are exact
TAPS = 10  # numbers on either side, at the lower of two rates, that a resampled one is made of: SciPy's filter
USUAL = 44_100  # Hz, for a guess
LOUDEST = 2.0  # numbers beyond 1 are cut off there; beyond this they are probably not what they should be


class Length(NamedTuple):
    """How long a sound is: so many numbers, or seconds."""

    amount: float
    are_seconds: bool = False

    def at(self, rate: int) -> int:
        """Numbers, 1 or more, at a rate in Hz."""
        return max(1, round(self.amount * rate if self.are_seconds else self.amount))


class Clip(NamedTuple):
    """What to make of sounds.

    rate         Hz, or None = unchanged
    length       which they are cut to, or padded to with zeros; None = unchanged
    trim         cut both ends as far as they are so many decibels below the peak; None = nothing is cut
    channels     1 (mono) or 2 (stereo), or None = unchanged, but mono becomes stereo beside stereo
    spectrogram  (frames, bins) of the pictures to make of them, or None = they stay sounds
    """

    rate: int | None = None
    length: Length | None = None
    trim: float | None = None
    channels: int | None = None
    spectrogram: tuple[int, int] | None = None

    def changes(self, rate: int, shape: tuple[int, ...]) -> bool:
        """Whether sounds of a rate and shape (T, C) would change."""
        t, c = shape
        is_cut = self.length is not None and self.length.at(rate) != t
        return is_cut or self.trim is not None or self.rate not in (None, rate) or self.channels not in (None, c)

    @property
    def most_bytes(self) -> int:
        """Of a sound in memory; 0 if nobody knows yet."""
        return 8 * self.length.at(self.rate or USUAL) if self.length else 0

    def needs(self, rate: int) -> float:
        """How many numbers of a sound of that rate, from where it begins, decide what becomes of it."""
        if self.length is None:
            return math.inf
        target = self.rate or rate
        count = self.length.at(target)
        if rate == target:
            return count
        return math.ceil(count / _ratio(rate, target)) + math.ceil(TAPS * max(1.0, rate / target)) + 1


Shaped = dict[str, np.ndarray]  # `signals` float32 [T, C] and their `sample_rate`


def shaped(signals: np.ndarray, rate: int, clip: Clip) -> Shaped:
    """Sounds [T, C] of any number of channels, at a rate, as `clip` asks; UnreadableError says why that cannot be."""
    if not np.isfinite(signals).all():
        raise UnreadableError("has NaN or infinity in it")
    if len(signals) and (peak := float(np.abs(signals).max())) > LOUDEST:
        raise UnreadableError(f"goes up to {peak:g}; sounds are within -1..1: scale it")
    signals = _mixed(signals, clip.channels)
    if clip.trim is not None:
        signals = signals[slice(*loud(np.abs(signals).max(1, initial=0), clip.trim))]
    target = clip.rate or rate
    if not len(signals):
        raise UnreadableError("has no sound in it")
    signals = resampled(signals[: None if math.isinf(clip.needs(rate)) else int(clip.needs(rate))], rate, target)
    if clip.length is not None:
        signals = signals[: clip.length.at(target)]
        signals = np.pad(signals, ((0, clip.length.at(target) - len(signals)), (0, 0)))
    return {SIGNALS.tensor: np.clip(signals, -1, 1).astype(np.float32), RATE: np.array(target)}


def fit_signals(loaded: tuple[np.ndarray, int], clip: Clip) -> Shaped:
    """`shaped` of (signals, rate)."""
    return shaped(*loaded, clip)


def loud(levels: np.ndarray, decibels: float) -> tuple[int, int]:
    """The first of `levels` [n] that is less than so many decibels below the largest, and the last, plus one.

    (0, 0) if all are 0.
    """
    most = levels.max(initial=0)
    places = np.flatnonzero(levels >= most * 10 ** (-decibels / 20)) if most > 0 else np.zeros(0, np.int64)
    return (int(places[0]), int(places[-1]) + 1) if len(places) else (0, 0)


def _mixed(signals: np.ndarray, channels: int | None) -> np.ndarray:
    """[T, C] with 1 or 2 channels, those asked for; UnreadableError if that is not clear."""
    count = signals.shape[1]
    if channels == 1 and count > 1:
        return signals.mean(1, keepdims=True)
    if count > SIGNALS.channels[-1]:
        raise UnreadableError(f"has {count} channels; --channels 1 mixes them")
    return np.repeat(signals, 2, 1) if channels == 2 and count == 1 else signals


def _ratio(rate: int, target: int) -> Fraction:
    """Of two rates, in parts of which none is much more than FINEST."""
    exact = Fraction(target, rate)
    return exact.limit_denominator(FINEST) if exact <= 1 else 1 / (1 / exact).limit_denominator(FINEST)


def resampled(signals: np.ndarray, rate: int, target: int) -> np.ndarray:
    """[T, C] at another rate: antialiased, and as long."""
    if rate == target:
        return signals
    from scipy import signal

    ratio = _ratio(rate, target)
    budget_of = math.ceil(len(signals) * ratio) * signals.shape[1]
    if budget_of > budget.SOUND:
        raise UnreadableError(f"would have {budget_of:,} numbers, more than {budget.SOUND:,}; give a --length")
    return np.asarray(signal.resample_poly(signals, ratio.numerator, ratio.denominator))


def sixteen_bits(signals: np.ndarray) -> np.ndarray:
    """float32 of numbers in -1..1, rounded as a WAV file of 16 bits does, so that all processors give the same."""
    whole = np.clip(np.rint(signals * SIXTEEN_BITS), -SIXTEEN_BITS, SIXTEEN_BITS - 1)
    return (whole / SIXTEEN_BITS).astype(np.float32)
