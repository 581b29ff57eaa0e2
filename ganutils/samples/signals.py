"""What to make of sounds: their rate, length and channels, without silence at their ends; or spectrograms."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import NamedTuple

import numpy as np

from ganutils import Error
from ganutils.files import budget
from ganutils.files.kinds import SIGNALS
from ganutils.samples.foreign import UnreadableError
from ganutils.sounds.about import RATE

FINEST = 1 << 16  # parts of a ratio of rates, so that a filter stays small; rates up to 65,536 Hz are exact
WIDEST = 1000  # times that a rate may be another, or it is not what it should be
TAPS = 10  # numbers on either side, at the lower of two rates, that a resampled one is made of: SciPy's filter
USUAL = 44_100  # Hz, for a guess
LOUDEST = 2.0  # numbers beyond 1 are cut off there; beyond this they are probably not what they should be
NO_NUMBER, EMPTY, SILENT = "has NaN or infinity in it", "has no sound in it", "is silent"


class Length(NamedTuple):
    """How long a sound is: so many numbers, or seconds; or a text, in letters."""

    amount: float
    are_seconds: bool = False

    def at(self, rate: int) -> int:
        """Numbers, 1 or more, at a rate in Hz."""
        return max(1, round(self.amount * rate if self.are_seconds else self.amount))

    def letters(self, name: str) -> int:
        """Of the texts in the source `name`; Error if they cannot be that long."""
        if self.are_seconds or self.amount > budget.LETTERS:
            raise Error(f"{name}: holds texts; give --length in letters, up to {budget.LETTERS:,}")
        return int(self.amount)


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

    def count(self, rate: int) -> int:
        """How many numbers all sounds of a rate get; UnreadableError if those are too many."""
        assert self.length is not None
        count = self.length.at(rate)
        if count > budget.SOUND:
            raise UnreadableError(f"would have {count:,} numbers, more than {budget.SOUND:,}; give a shorter --length")
        return count

    @property
    def most_bytes(self) -> int:
        """Of a sound in memory; 0 if nobody knows yet."""
        return 8 * self.length.at(self.rate or USUAL) if self.length else 0

    def needs(self, rate: int) -> float:
        """How many numbers of a sound of that rate, from where it begins, decide what becomes of it."""
        if self.length is None:
            return math.inf
        target = self.rate or rate
        count = self.count(target)
        if rate == target:
            return count
        return math.ceil(count / _ratio(rate, target)) + math.ceil(TAPS * max(1.0, rate / target)) + 1


Shaped = dict[str, np.ndarray]  # `signals` float32 [T, C] and their `sample_rate`


def shaped(signals: np.ndarray, rate: int, clip: Clip) -> Shaped:
    """Sounds [T, C] of any number of channels, at a rate, as `clip` asks; UnreadableError says why that cannot be."""
    if not np.isfinite(signals).all():
        raise UnreadableError(NO_NUMBER)
    levels = np.abs(signals).max(1, initial=0)
    peak = float(levels.max(initial=0))
    if peak > LOUDEST:
        raise UnreadableError(f"goes up to {peak:g}; sounds are within -1..1, so scale it")
    if clip.trim is not None:
        places = np.flatnonzero(levels >= silence(peak, clip.trim))
        signals = signals[places[0] : places[-1] + 1] if len(places) else signals[:0]
    if not len(signals):
        raise UnreadableError(SILENT if len(levels) else EMPTY)
    target, needed = clip.rate or rate, clip.needs(rate)
    signals = _mixed(signals if math.isinf(needed) else signals[: int(needed)], clip.channels)
    signals = resampled(signals, rate, target)
    if clip.length is not None:
        signals = signals[: clip.count(target)]
        signals = np.pad(signals, ((0, clip.count(target) - len(signals)), (0, 0)))
    return {SIGNALS.tensor: np.clip(signals, -1, 1).astype(np.float32), RATE: np.array(target)}


def fit_signals(loaded: tuple[np.ndarray, int], clip: Clip) -> Shaped:
    """`shaped` of (signals, rate)."""
    return shaped(*loaded, clip)


def silence(peak: float, decibels: float) -> float:
    """What is quieter than this is silent: so many decibels below the peak; all is where there is none."""
    return peak * 10 ** (-decibels / 20) if peak > 0 else math.inf


def _mixed(signals: np.ndarray, channels: int | None) -> np.ndarray:
    """[T, C] with 1 or 2 channels, those asked for; UnreadableError if that is not clear."""
    count = signals.shape[1]
    if channels == 1 and count > 1:
        return signals.mean(1, keepdims=True)
    if count > SIGNALS.channels[-1]:
        raise UnreadableError(f"has {count} channels; --channels 1 mixes them")
    return np.repeat(signals, 2, 1) if channels == 2 and count == 1 else signals


def _ratio(rate: int, target: int) -> Fraction:
    """Of two rates, in parts of which none is much more than FINEST. UnreadableError if they have nothing in common."""
    exact = Fraction(target, rate)
    if not 1 / WIDEST <= exact <= WIDEST:
        raise UnreadableError(f"has {rate:,} Hz, of which no sound of {target:,} Hz can be made")
    return exact.limit_denominator(FINEST) if exact <= 1 else 1 / (1 / exact).limit_denominator(FINEST)


def resampled(signals: np.ndarray, rate: int, target: int) -> np.ndarray:
    """[T, C] at another rate: antialiased, and as long."""
    if rate == target:
        return signals
    from scipy import signal

    ratio = _ratio(rate, target)
    numbers = math.ceil(len(signals) * ratio) * signals.shape[1]
    if numbers > 2 * budget.SOUND:  # some more than are asked for
        raise UnreadableError(f"would have {numbers:,} numbers, more than {budget.SOUND:,}; give a --length")
    return np.asarray(signal.resample_poly(signals, ratio.numerator, ratio.denominator))
