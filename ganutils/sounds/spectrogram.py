"""Sounds as gray pictures, and back: SpecGAN's way (Donahue et al. 2019, Adversarial Audio Synthesis, section 3.2).

A picture holds the decibels of a short-time Fourier transform and no phases; those that fit are found again by the
fast Griffin-Lim algorithm (Perraudin, Balazs and Sondergaard 2013, A fast Griffin-Lim algorithm).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from ganutils import Error, randomness
from ganutils.files import budget
from ganutils.sounds import about

ITERATIONS, ALPHA = 60, 0.99  # of Griffin-Lim, and how far it goes on in the direction of its last step
BLOCK = 1 << 21  # numbers of a transform in memory at once
DECIBELS = (-300.0, 100.0)  # that floor and top may have


class Spectrogram(NamedTuple):
    """How sounds of `length` numbers are pictures of `bins` x `frames` pixels.

    sample_rate  of the sounds, Hz
    bins         H: frequencies from 0 to just below half the rate; the window has twice as many numbers
    frames       W: windows, each `hop` numbers after the one before; the first is in the middle of the first hop
    floor, top   decibels of black and white; 0 is a sine from -1 to 1
    """

    sample_rate: int
    bins: int
    frames: int
    hop: int
    length: int
    floor: float = -80.0
    top: float = 0.0

    @classmethod
    def for_sounds(cls, name: str, sample_rate: int, length: int, bins: int, frames: int) -> Spectrogram:
        """For sounds of a rate and length; Error, with their `name`, if they could not be made sounds again."""
        budget.check(name, bins * frames, budget.SPECTROGRAM, "pixels in a spectrogram", "make them smaller")
        hop = -(-length // frames)
        if frames > length:
            raise Error(f"{name}: {frames:,} frames are more than the {length:,} numbers of a sound; give fewer")
        if hop > bins:
            fits = f"--spectrogram {-(-length // bins)}x{bins}, or --length {bins * frames}"
            raise Error(
                f"{name}: sounds of {length:,} numbers are too long for {frames} frames of {bins} bins, from which "
                f"they could not be made again; give {fits} or less"
            )
        return cls(sample_rate, bins, frames, hop, length)

    @classmethod
    def of(cls, name: str, meta: Mapping[str, Any], shape: tuple[int, ...]) -> Spectrogram | None:
        """What the metadata say of pictures of `shape` (H, W, C); None if nothing. Error if that cannot be true."""
        about_it = meta.get(about.SPECTROGRAM)
        if about_it is None:
            return None
        damaged = Error(f"{name}: damaged: its metadata {about.SPECTROGRAM!r} do not fit its pictures; make it again")
        try:
            found = cls(**about_it)
        except TypeError:
            raise damaged from None
        is_whole = all(type(value) is int and value > 0 for value in found[:5]) and all(
            type(value) in (int, float) and DECIBELS[0] <= value <= DECIBELS[1] for value in found[5:]
        )
        if not is_whole or (found.bins, found.frames, 1) != tuple(shape) or found.floor >= found.top:
            raise damaged
        budget.check(name, found.bins * found.frames, budget.SPECTROGRAM, "pixels in a spectrogram")
        if not found.hop <= found.bins or not (found.frames <= found.length <= found.hop * found.frames):
            raise damaged
        if found.hop != -(-found.length // found.frames) or found.sample_rate > budget.RATES[1]:
            raise damaged
        return found

    @property
    def meta(self) -> dict[str, Any]:
        """For the metadata of a file."""
        return self._asdict()

    def pictures(self, signals: np.ndarray) -> np.ndarray:
        """uint8 [N, bins, frames, 1] of sounds float32 [N, length, 1]: low frequencies at the bottom."""
        pictures = np.empty((len(signals), self.bins, self.frames, 1), np.uint8)
        for part in self._blocks(len(signals)):
            levels = np.abs(self._transformed(self._padded(signals[part, :, 0])))[..., :-1] / self._full
            with np.errstate(divide="ignore"):
                decibels = 20 * np.log10(levels)
            gray = np.rint((decibels - self.floor) * (255 / (self.top - self.floor)))
            pictures[part, ..., 0] = np.clip(gray, 0, 255).transpose(0, 2, 1)[:, ::-1]
        return pictures

    def signals(self, pictures: np.ndarray) -> np.ndarray:
        """float32 [N, length, 1] in -1..1 whose pictures are nearly `pictures`, uint8 [N, bins, frames, 1]."""
        signals = np.empty((len(pictures), self.length, 1), np.float32)
        for part in self._blocks(len(pictures)):
            found = self._inverted(self.magnitudes(pictures[part]))
            signals[part, :, 0] = np.clip(found[:, self._left : self._left + self.length], -1, 1)
        return signals

    def magnitudes(self, pictures: np.ndarray) -> np.ndarray:
        """float32 [N, frames, bins + 1] of the transform that pictures show; black is silence, and so is the last."""
        levels = 10 ** ((np.arange(256) * ((self.top - self.floor) / 255) + self.floor) / 20)
        levels[0] = 0
        shown = (levels * self._full).astype(np.float32)[pictures[:, ::-1, :, 0].transpose(0, 2, 1)]
        return np.pad(shown, ((0, 0), (0, 0), (0, 1)))

    @property
    def window(self) -> np.ndarray:
        """float32 [2 bins], Hann's."""
        at = np.arange(2 * self.bins) / (2 * self.bins)
        return (0.5 - 0.5 * np.cos(2 * np.pi * at)).astype(np.float32)

    # -- the transform

    @property
    def _full(self) -> float:
        """The magnitude of a sine from -1 to 1 in its bin: half the sum of the window."""
        return self.bins / 2

    @property
    def _left(self) -> int:
        """Zeros before a sound, so that the middle of the first window is that of the first hop."""
        return self.bins - self.hop // 2

    @property
    def _span(self) -> int:
        """Numbers under all windows."""
        return (self.frames - 1) * self.hop + 2 * self.bins

    def _blocks(self, count: int) -> list[slice]:
        """Parts of so many sounds."""
        most = max(1, BLOCK // (self.frames * 2 * self.bins))
        return [slice(start, start + most) for start in range(0, count, most)]

    def _padded(self, sounds: np.ndarray) -> np.ndarray:
        """float32 [n, span] of sounds [n, length]."""
        right = self._span - self._left - self.length
        return np.pad(np.asarray(sounds, np.float32), ((0, 0), (self._left, right)))

    def _transformed(self, padded: np.ndarray) -> np.ndarray:
        """complex64 [n, frames, bins + 1]."""
        windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * self.bins, axis=1)[:, :: self.hop]
        return np.fft.rfft(windows * self.window)

    def _sound(self, transform: np.ndarray, weight: np.ndarray) -> np.ndarray:
        """float32 [n, span] whose transform is nearest (Griffin and Lim 1984, equation 6); `weight` [span]."""
        parts = np.fft.irfft(transform, 2 * self.bins) * self.window
        sound = np.zeros((len(parts), self._span), np.float32)
        for frame in range(self.frames):
            sound[:, frame * self.hop : frame * self.hop + 2 * self.bins] += parts[:, frame]
        return sound * weight

    def _weight(self) -> np.ndarray:
        """float32 [span]: 1 over the sum of the squared windows where the sound is, 0 in the zeros around it."""
        total = np.zeros(self._span, np.float32)
        for frame in range(self.frames):
            total[frame * self.hop : frame * self.hop + 2 * self.bins] += self.window**2
        weight = 1 / np.maximum(total, 1e-8)
        weight[: self._left] = weight[self._left + self.length :] = 0
        return weight

    def _inverted(self, magnitudes: np.ndarray) -> np.ndarray:
        """float32 [n, span]: Perraudin et al. 2013, algorithm 2; the phases it begins with are the same for all."""
        phases = randomness.stream(0, "griffin-lim").random((self.frames, self.bins + 1), np.float32)
        ahead = magnitudes * np.exp(2j * np.pi * phases).astype(np.complex64)
        last, weight = ahead, self._weight()
        for _ in range(ITERATIONS):
            sizes = np.abs(ahead)
            turned = magnitudes * (ahead / np.maximum(sizes, 1e-12))
            consistent = self._transformed(self._sound(turned, weight))
            ahead = consistent + ALPHA * (consistent - last)
            last = consistent
        sizes = np.abs(ahead)
        return self._sound(magnitudes * (ahead / np.maximum(sizes, 1e-12)), weight)
