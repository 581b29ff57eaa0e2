"""toy:drums: kick, snare, hat and tom by formula, as drum machines make them, each of its own pitch, decay and tone.

A kick and a tom are sines whose pitch falls, a snare is two tones of its skin and the noise of its wires, a hat many
tones in no harmony, all of them high (as in Roland's TR-808: six square waves through a high-pass). All begin within
three milliseconds. Frequencies from half the rate up are left out.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ganutils.samples.sources.playing import between, played
from ganutils.samples.sources.source import Request, Source

NUMBERS = 7  # that a drum is made of, beside its level; the first says when it begins
LATEST = 0.003  # s
METAL = (205.3, 304.4, 369.6, 522.7, 540.0, 800.0)  # Hz, of a TR-808's hats and cymbals
BAND = (3000.0, 12_000.0)  # Hz, of a hat
SHORTEST = 1e-3  # of a hat's peak, where it is over


def open_drums(request: Request) -> list[Source]:
    """float32 [T, 1] in turn: a kick, a snare, a hat, a tom."""
    return [played(request, {"kick": kick, "snare": snare, "hat": hat, "tom": tom}, NUMBERS)]


def kick(numbers: Sequence[float], noise: np.random.Generator, rate: int, length: int) -> np.ndarray:
    """A sine that falls to 45 to 65 Hz, with a click."""
    n, time = numbers[1:], _time(numbers, rate, length)
    low = between(45, 65, n[0])
    body = np.tanh((1 + 2 * n[4]) * _falling(time, low, low * between(3, 6, n[1]), between(0.015, 0.035, n[2]), rate))
    click = _noise(noise, rate, length, 0, 3000) * _decay(time, 0.002)
    return body * _decay(time, between(0.07, 0.13, n[3])) + between(0.05, 0.35, n[5]) * click


def snare(numbers: Sequence[float], noise: np.random.Generator, rate: int, length: int) -> np.ndarray:
    """Two tones from 170 Hz on, and noise."""
    n, time = numbers[1:], _time(numbers, rate, length)
    low = between(170, 230, n[0])
    skin = _falling(time, low, 1.3 * low, 0.01, rate) + 0.6 * _falling(time, 1.62 * low, 1.9 * low, 0.01, rate)
    wires = _noise(noise, rate, length, between(700, 1400, n[1]), 8000) * _decay(time, between(0.05, 0.1, n[2]))
    return (1 - 0.4 * n[4]) * skin * _decay(time, between(0.03, 0.06, n[3])) + between(0.6, 1.4, n[5]) * wires


def hat(numbers: Sequence[float], noise: np.random.Generator, rate: int, length: int) -> np.ndarray:
    """Short, high and metallic."""
    n, time = numbers[1:], _time(numbers, rate, length)
    decay = between(0.012, 0.04, n[0])
    scale = between(0.9, 1.15, n[1])
    low = min(between(0.9, 1.1, n[2]) * BAND[0], 0.3 * rate)
    tones = np.array([tone * scale * odd for tone in METAL for odd in range(1, 1 + int(BAND[1] / tone), 2)])
    tones = tones[(tones > low) & (tones < min(BAND[1], rate / 2))]
    heard = time[: int((LATEST - decay * np.log(SHORTEST)) * rate)]
    metal = np.zeros(length)
    for tone, phase in zip(tones, noise.random(len(tones)), strict=True):
        metal[: len(heard)] += np.sin(2 * np.pi * (tone * heard + phase)) / np.sqrt(max(1, len(tones)) / 2)
    hiss = _noise(noise, rate, length, low, BAND[1])
    return (between(0.6, 1.2, n[3]) * metal + between(0.3, 1, n[4]) * hiss) * _decay(time, decay)


def tom(numbers: Sequence[float], noise: np.random.Generator, rate: int, length: int) -> np.ndarray:
    """A sine that falls less, to 95 to 190 Hz, and sounds longer."""
    n, time = numbers[1:], _time(numbers, rate, length)
    low = between(95, 190, n[0])
    sweep, seconds = between(1.3, 1.7, n[1]), between(0.04, 0.09, n[2])
    skin = _falling(time, low, sweep * low, seconds, rate)
    skin = skin + (0.1 + 0.2 * n[4]) * _falling(time, 1.5 * low, 1.5 * sweep * low, seconds, rate) * _decay(time, 0.06)
    stick = _noise(noise, rate, length, 200, 4000) * _decay(time, 0.006)
    return skin * _decay(time, between(0.14, 0.22, n[3])) + between(0.05, 0.3, n[5]) * stick


def _time(numbers: Sequence[float], rate: int, length: int) -> np.ndarray:
    """float64 [T], seconds since it was struck."""
    return np.arange(length) / rate - LATEST * numbers[0]


def _decay(time: np.ndarray, seconds: float) -> np.ndarray:
    """1 when it is struck, 1/e so many seconds later; 0 before."""
    return np.where(time < 0, 0, np.exp(-np.maximum(time, 0) / seconds))


def _falling(time: np.ndarray, low: float, high: float, seconds: float, rate: int) -> np.ndarray:
    """A sine from `high` Hz towards `low`; silence where that is half the rate or more."""
    if high >= rate / 2:
        return np.zeros(len(time))
    time = np.maximum(time, 0)
    return np.sin(2 * np.pi * (low * time + (high - low) * seconds * (1 - np.exp(-time / seconds))))


def _noise(noise: np.random.Generator, rate: int, length: int, low: float, high: float) -> np.ndarray:
    """Gaussian noise between two frequencies, of about the level of a sine."""
    spectrum = np.fft.rfft(noise.standard_normal(length))
    at = np.fft.rfftfreq(length, 1 / rate)
    low = min(low, 0.3 * rate)
    spectrum *= (1 - np.exp(-((at / max(low, 1)) ** 4))) * (at < high)
    sound = np.fft.irfft(spectrum, length) if length > 1 else np.zeros(length)
    return sound * (0.7 / max(float(sound.std()), 1e-9))
