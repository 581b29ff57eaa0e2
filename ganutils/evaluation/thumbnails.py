"""Samples as few numbers, between which distances mean something: small pictures, also of sounds; points as they are.

What memorized sounds and pictures are near to is found by these, and by no network.
"""

from __future__ import annotations

import math

import numpy as np

from ganutils.sounds.spectrogram import Spectrogram

SIDE = 32  # pixels; larger pictures are averaged down to it
FLOOR = -60.0  # decibels of a sound's black pixels: what is less loud is as good as silent
BLOCK = 1 << 22  # numbers of pictures of sounds in memory at once


def thumbnails(samples: np.ndarray) -> np.ndarray:
    """uint8 [N, H, W, C] or float32 [N, T, C] -> float32 [N, F] in 0..1; points [N, D] stay.

    Sounds become pictures of their spectra, a channel each: waves that sound alike have phases of their own, and are as
    far from one another as any.
    """
    if samples.ndim == 2:
        return samples
    return _reduced(samples) if samples.ndim == 4 else _heard(samples)


def _reduced(pictures: np.ndarray) -> np.ndarray:
    """[N, H, W, C] -> float32 [N, F]: averaged down by a whole factor to SIDE or less."""
    n, h, w, c = pictures.shape
    by = math.ceil(max(h, w) / SIDE)
    by = min(by, h, w)
    cells = pictures[:, : h // by * by, : w // by * by].reshape(n, h // by, by, w // by, by, c)
    return (cells.mean(axis=(2, 4), dtype=np.float32) / 255).reshape(n, -1)


def _heard(sounds: np.ndarray) -> np.ndarray:
    """float32 [N, T, C] -> float32 [N, F] of pictures with about as many frequencies as moments."""
    length, channels = sounds.shape[1:]
    bins = 1 << math.ceil(math.log2(math.sqrt(length)))
    frames = -(-length // bins)
    shape = Spectrogram(1, bins, frames, -(-length // frames), length, FLOOR)
    size = max(1, BLOCK // (bins * frames * channels))
    parts = []
    for start in range(0, len(sounds), size):
        heard = np.clip(sounds[start : start + size], -1, 1)
        parts.append(_reduced(np.concatenate([shape.pictures(heard[..., c : c + 1]) for c in range(channels)], 3)))
    return np.concatenate(parts)
