"""What is heard of samples: sounds themselves, or spectrograms that are made sounds again."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from ganutils import Error
from ganutils.files import kinds
from ganutils.sounds import about, pictures
from ganutils.sounds.spectrogram import Spectrogram


class Hearing(NamedTuple):
    """How samples are heard.

    rate    how many numbers make a second
    sounds  makes of samples [n, ...] sounds float32 [n, T, C] in -1..1; Error if they are none
    shape   (T, C) of each
    """

    rate: int
    sounds: Callable[[np.ndarray], np.ndarray]
    shape: tuple[int, ...]

    @property
    def seconds(self) -> float:
        """Of one sound."""
        return self.shape[0] / self.rate

    def drawn(self, samples: np.ndarray) -> np.ndarray:
        """What is heard of samples [n, ...] as pictures, uint8 [n, *pictures.SHAPE]."""
        return pictures.draw(self.sounds(samples))


def sounds_of(name: str, meta: Mapping[str, Any], shape: tuple[int, ...]) -> Hearing | None:
    """How samples of `shape` with such metadata are heard; None if they make no sound.

    Error, with the file's `name`, if the metadata do not say what they should, or not of such samples.
    """
    modality = kinds.modality_of_shape(shape)
    if modality is kinds.SIGNALS:
        return Hearing(about.rate_of(name, meta), functools.partial(audible, name), shape)
    spectrogram = Spectrogram.of(name, meta, shape) if modality is kinds.IMAGES else None
    return spectrogram and Hearing(spectrogram.sample_rate, spectrogram.signals, (spectrogram.length, 1))


def audible(name: str, signals: np.ndarray) -> np.ndarray:
    """Sounds [n, T, C], clipped to -1..1; Error, with the file's `name`, if a number of theirs is none."""
    if not np.isfinite(signals).all():
        raise Error(f"{name}: holds sounds with NaN or infinite numbers, which nobody can hear; make them again")
    return np.clip(signals, -1, 1)
