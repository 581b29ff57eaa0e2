"""toy:vowels: a, e, i, o and u, spoken by formula, so that what is heard of them can be measured: their formants.

The pulses of a voice pass through a cascade of resonators, and from the lips: the source-filter model of Klatt 1980,
Software for a cascade/parallel formant synthesizer, JASA 67(3), with pulses as Rosenberg 1971, Effect of glottal pulse
shape on the quality of natural vowels, JASA 49(2), figure 1 C. The formants are the averages of 33 men in Peterson and
Barney 1952, Control methods used in a study of the vowels, JASA 24(2), table II: those of father, bed, heed, hawed and
who'd.

The pitch falls as at the end of a sentence, so that its harmonics pass over the formants and linear prediction finds
these, not the harmonic next to them: of most sounds within 10 %.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence

import numpy as np

from ganutils.samples.sources.playing import between, faded, played
from ganutils.samples.sources.source import Request, Source

FORMANTS = {  # Hz
    "a": (730, 1090, 2440),
    "e": (530, 1840, 2480),
    "i": (270, 2290, 3010),
    "o": (570, 840, 2410),
    "u": (300, 870, 2240),
}
VARIES = 0.025  # part of itself by which a formant of one sound differs from these at most
HIGHER = 3500  # Hz of the fourth, and each SPACING more of further ones, as of a throat of 17 cm
SPACING = 1000
BANDWIDTHS = (60, 90, 120, 175)  # Hz; the last is that of all further ones
PITCH, FALL = (95, 135), (0.3, 0.5)  # Hz in the middle, and part of it by which it falls
VIBRATO, JITTER = (0.03, 5.5), 0.01  # parts of the pitch; Hz
OPEN, CLOSING = (0.4, 0.55), 0.16  # parts of a period in which the glottis opens, and closes
BREATH = 0.003  # of the flow, noise
FINER = 4  # pulses are made at so many times the rate, and then what is above half the rate is left out
RINGING = 0.1  # s that the last pulse may sound on
ATTACK, RELEASE = (0.015, 0.04), (0.04, 0.08)  # s
NUMBERS = 9  # that a vowel is made of, beside its level


def open_vowels(request: Request) -> list[Source]:
    """float32 [T, 1] in turn: a, e, i, o, u. Their formants are in the metadata."""
    plays = {vowel: functools.partial(speak, formants) for vowel, formants in FORMANTS.items()}
    toy = {"name": "vowels", "formants": {vowel: list(formants) for vowel, formants in FORMANTS.items()}}
    return [played(request, plays, NUMBERS, toy=toy)]


def speak(
    formants: Sequence[float], numbers: Sequence[float], noise: np.random.Generator, rate: int, length: int
) -> np.ndarray:
    """float64 [length] of a vowel with about these formants, Hz."""
    own = [formant * (1 + VARIES * (2 * n - 1)) for formant, n in zip(formants, numbers, strict=False)]
    pitch, fall, breadth, attack, release, vibrato = numbers[len(own) : NUMBERS]
    count = length + round(RINGING * rate)
    time = np.arange(length * FINER) / (rate * FINER)
    phase = _phase(time, between(*PITCH, pitch), between(*FALL, fall), vibrato, noise)
    flow = _pulses(phase, between(*OPEN, breadth))
    flow = flow + BREATH * flow * noise.standard_normal(len(flow)) * np.sqrt(FINER)
    spectrum = np.fft.rfft(flow - flow.mean(), count * FINER)[: count // 2 + 1]
    sound = np.fft.irfft(spectrum * _throat(own, rate, count), count)[:length]
    return faded(sound, rate, between(*ATTACK, attack), between(*RELEASE, release))


def _phase(time: np.ndarray, pitch: float, fall: float, vibrato: float, noise: np.random.Generator) -> np.ndarray:
    """float64 [T], periods since the beginning."""
    step, end = time[1] if len(time) > 1 else 1.0, time[-1] + 1e-9
    drift = np.interp(time, np.linspace(0, end, 8), JITTER * noise.standard_normal(8))
    sway = VIBRATO[0] * vibrato * np.sin(2 * np.pi * (VIBRATO[1] * time + noise.random()))
    return np.cumsum(pitch * (1 + fall * (0.5 - time / end) + drift + sway)) * step + float(noise.random())


def _pulses(phase: np.ndarray, opening: float) -> np.ndarray:
    """Rosenberg's flow through the glottis: it opens as a cosine from 0 to 1, closes faster, and stays closed."""
    at = phase % 1
    rising = 0.5 - 0.5 * np.cos(np.pi * at / opening)
    falling = np.cos(np.pi / 2 * (at - opening) / CLOSING)
    return np.where(at < opening, rising, np.where(at < opening + CLOSING, falling, 0))


def _throat(formants: Sequence[float], rate: int, count: int) -> np.ndarray:
    """complex [count // 2 + 1]: what becomes of each frequency in the resonators (Klatt 1980, equation 2) and beyond
    the lips (equation 6). Those above half the rate are left out.
    """
    delay = np.exp(-2j * np.pi * np.arange(count // 2 + 1) / count)
    response = 1 - delay
    for formant, width in _resonators(formants, rate):
        c = -np.exp(-2 * np.pi * width / rate)
        b = 2 * np.exp(-np.pi * width / rate) * np.cos(2 * np.pi * formant / rate)
        response = response * (1 - b - c) / (1 - b * delay - c * delay**2)
    return response


def _resonators(formants: Sequence[float], rate: int) -> list[tuple[float, float]]:
    """Frequency and bandwidth of each, below half the rate."""
    every = [*formants, *np.arange(HIGHER, rate / 2, SPACING)]
    widths = [*BANDWIDTHS, *[BANDWIDTHS[-1]] * len(every)]
    return [(formant, width) for formant, width in zip(every, widths, strict=False) if formant < rate / 2]
