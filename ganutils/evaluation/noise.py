"""Noise that has the power spectrum of real sounds and nothing else of them: what sounds are to be much better than."""

from __future__ import annotations

import numpy as np

from ganutils.randomness import stream
from ganutils.sounds.spectrogram import Spectrogram

BLOCK = 1 << 22  # numbers of sounds in memory at once


def like(samples: np.ndarray, spectrogram: Spectrogram | None, seed: int) -> np.ndarray:
    """As many as `samples`: sounds float32 [N, T, C] or, with their `spectrogram`, pictures uint8 [N, H, W, 1].

    It is white noise, filtered so that its mean power at each frequency is that of all samples.
    """
    power = _mean(samples, spectrogram)
    made = np.empty_like(samples)
    for number, rows in enumerate(_blocks(samples)):
        shape = (len(samples[rows]), spectrogram.length, 1) if spectrogram else samples[rows].shape
        noise = _filtered(stream(seed, "noise", number).standard_normal(shape, np.float32), power)
        made[rows] = spectrogram.pictures(noise) if spectrogram else noise
    return made


def _mean(samples: np.ndarray, spectrogram: Spectrogram | None) -> np.ndarray:
    """float64 [K, C], for frequencies from 0 to half the rate: the mean power, 1 for white noise of deviation 1."""
    parts = (samples[rows] for rows in _blocks(samples))
    if spectrogram is None:
        total = sum(
            (abs(np.fft.rfft(np.clip(part, -1, 1), axis=1)) ** 2).sum(axis=0, dtype=np.float64) for part in parts
        )
        return np.asarray(total / samples.shape[1] / len(samples))
    total = sum(np.square(spectrogram.magnitudes(part), dtype=np.float64).sum(axis=(0, 1)) for part in parts)
    energy = np.square(spectrogram.window, dtype=np.float64).sum()
    return np.asarray(total / energy / spectrogram.frames / len(samples))[:, None]


def _filtered(noise: np.ndarray, power: np.ndarray) -> np.ndarray:
    """White noise [n, T, C] with the mean `power` [K, C] instead, cut to -1..1 as all sounds are."""
    transform = np.fft.rfft(noise, axis=1)
    at = np.linspace(0, 1, transform.shape[1])
    known = np.linspace(0, 1, len(power))
    gains = np.stack([np.interp(at, known, np.sqrt(channel)) for channel in power.T], axis=1)
    return np.clip(np.fft.irfft(transform * gains, noise.shape[1], axis=1), -1, 1).astype(np.float32)


def _blocks(samples: np.ndarray) -> list[slice]:
    size = max(1, BLOCK // samples[0].size)
    return [slice(start, start + size) for start in range(0, len(samples), size)]
