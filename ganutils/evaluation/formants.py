"""Formants of vowels: the resonances of a throat, by which ears tell a from i. Found by linear prediction.

An all-pole filter is fitted to the spectrum of the steady middle of a sound, after pre-emphasis (Makhoul 1975, "Linear
prediction: a tutorial review"; Markel and Gray 1976, "Linear prediction of speech"). Its poles are the formants where
they lie near enough to the unit circle. All that it needs is the power spectrum, which a spectrogram has too.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import scipy.linalg

from ganutils import Error
from ganutils.samples.samples import Samples
from ganutils.sounds.spectrogram import Spectrogram

COUNT = 2  # F1 and F2 are compared
TOLERANCE = 0.1  # of a formant's frequency
WINDOW = 0.064  # s, several periods of a voice
EMPHASIS = 0.97  # of the difference from one number to the next, which lifts high frequencies
HIGHEST = 5000  # Hz; above, throats have no formants that count, and the filter would bend to what is there
LOWEST, WIDEST = 90, 600  # Hz: of a formant's frequency, and of its bandwidth; what is wider only tilts the spectrum
NUMBERS = 1 << 20  # of sounds in memory at once, four times over


class Formants(NamedTuple):
    """The formants that the classes of a set of vowels have, and how the power spectra of such samples are found.

    classes   their names
    wanted    float64 [classes, COUNT], Hz
    power     samples [N, ...] -> float64 [N, K], for frequencies from 0 to half the rate
    rate      Hz
    """

    classes: list[str]
    wanted: np.ndarray
    power: Callable[[np.ndarray], np.ndarray]
    rate: int

    def share(self, samples: np.ndarray, numbers: np.ndarray) -> float:
        """Share of `samples` whose formants are all within TOLERANCE of those of their class, of `numbers` int64 [N];
        -1 is none of `classes`, and left out. NaN if all are.
        """
        rows = np.flatnonzero(numbers >= 0)
        if not len(rows):
            return float("nan")
        found, wanted = formants(self.power(samples[rows]), self.rate), self.wanted[numbers[rows]]
        return float((abs(found - wanted) <= TOLERANCE * wanted).all(axis=1).mean())


def formants_of(samples: Samples) -> Formants | None:
    """What the metadata say of the formants of a file's sounds or spectrograms; None if nothing.

    Error if these cannot be formants.
    """
    toy = samples.meta.get("toy")
    given = toy.get("formants") if isinstance(toy, dict) else None
    if given is None:
        return None
    if samples.are_sounds:
        rate = samples.sample_rate
        power: Callable[[np.ndarray], np.ndarray] = functools.partial(power_of_sounds, rate=rate)
    else:
        spectrogram = samples.spectrogram
        if spectrogram is None:
            return None
        rate, power = spectrogram.sample_rate, functools.partial(power_of_pictures, spectrogram)
    if not isinstance(given, dict) or not given or not all(map(_are_formants, given.values())):
        raise Error(f"{samples.name}: damaged: its metadata 'toy' have formants that are no frequencies in Hz")
    wanted = np.array([each[:COUNT] for each in given.values()], np.float64)
    return Formants(list(given), wanted, power, rate)


def _are_formants(value: Any) -> bool:
    """Whether metadata name enough frequencies."""
    is_list = isinstance(value, list) and len(value) >= COUNT
    return is_list and all(type(hz) in (int, float) and 0 < hz < 1e6 for hz in value[:COUNT])


# ------------------------------------------------------------------------------------------- power spectra


def power_of_sounds(sounds: np.ndarray, rate: int) -> np.ndarray:
    """Of the middle half of sounds float32 [N, T, C], mean over windows and channels: float64 [N, K] (Welch 1967)."""
    length, channels = sounds.shape[1:]
    middle = sounds[:, length // 4 : max(length - length // 4, 1)]
    window = max(2, min(round(WINDOW * rate), middle.shape[1]) // 2 * 2)
    shape = np.hanning(window + 2)[1:-1, None]
    size = max(1, NUMBERS // (length * channels))
    return np.concatenate([_welch(middle[at : at + size], shape) for at in range(0, len(middle), size)])


def _welch(sounds: np.ndarray, shape: np.ndarray) -> np.ndarray:
    """[n, T, C] under windows of `shape` [W, 1], which overlap by half -> [n, K]."""
    missing = max(0, len(shape) - sounds.shape[1])
    padded = np.pad(np.clip(sounds, -1, 1), ((0, 0), (0, missing), (0, 0)))
    starts = range(0, padded.shape[1] - len(shape) + 1, max(len(shape) // 2, 1))
    powers = (abs(np.fft.rfft(padded[:, at : at + len(shape)] * shape, axis=1)) ** 2 for at in starts)
    return sum(power.mean(axis=2) for power in powers) / len(starts)


def power_of_pictures(spectrogram: Spectrogram, pictures: np.ndarray) -> np.ndarray:
    """Of the middle half of spectrograms uint8 [N, H, W, 1], mean over moments: float64 [N, H + 1]."""
    frames = pictures.shape[2]
    middle = spectrogram.magnitudes(pictures[:, :, frames // 4 : max(frames - frames // 4, 1)])
    return np.square(middle, dtype=np.float64).mean(axis=1)


# ------------------------------------------------------------------------------------------ linear prediction


def formants(power: np.ndarray, rate: float) -> np.ndarray:
    """The lowest COUNT formants of power spectra [N, K], of frequencies from 0 to rate / 2: float64 [N, COUNT], Hz; NaN
    where there are fewer.

    Of a power spectrum that ends at HIGHEST the filter describes that part alone (Makhoul 1975, selective linear
    prediction). It has two poles for each formant, about one a kHz, and two for the voice (Markel and Gray 1976).
    """
    kept = min(power.shape[1], max(2, round(2 * HIGHEST / rate * (power.shape[1] - 1)) + 1))
    rate = rate * (kept - 1) / (power.shape[1] - 1)
    order = min(2 + round(rate / 1000), 2 * (kept - 1) - 1)
    poles = _poles(power[:, :kept], order)
    with np.errstate(divide="ignore"):
        frequency, width = np.angle(poles) * rate / (2 * np.pi), -np.log(np.abs(poles)) * rate / np.pi
    is_formant = (frequency >= LOWEST) & (frequency <= rate / 2 - LOWEST) & (width <= WIDEST)
    found = np.sort(np.where(is_formant, frequency, np.nan), axis=1)[:, :COUNT]  # NaN is last
    return np.pad(found, ((0, 0), (0, COUNT - found.shape[1])), constant_values=np.nan)


def _poles(power: np.ndarray, order: int) -> np.ndarray:
    """complex [N, order] of the all-pole filters whose power spectra are nearest to `power` [N, K].

    The autocorrelation is the power's inverse Fourier transform; the filter solves the normal equations of Yule and
    Walker; its poles are the eigenvalues of its companion matrix.
    """
    emphasis = abs(1 - EMPHASIS * np.exp(-1j * np.linspace(0, np.pi, power.shape[1]))) ** 2
    correlation = np.fft.irfft(power * emphasis)[:, : order + 1]
    correlation = correlation / np.where(correlation[:, :1] > 0, correlation[:, :1], 1)
    correlation[:, 0] = 1 + 1e-9  # of silence all is 0, and of a single tone the matrix would be singular
    companion = np.zeros((len(power), order, order))
    companion[:, 0] = [scipy.linalg.solve_toeplitz(each[:-1], each[1:]) for each in correlation]
    companion[:, np.arange(1, order), np.arange(order - 1)] = 1
    poles: np.ndarray = np.linalg.eigvals(companion)
    return poles
