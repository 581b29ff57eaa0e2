"""How networks that were made for pictures hear: sounds as pictures of which frequency is how loud when."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

HEIGHT, WIDTH = 64, 32  # pixels of these pictures at most
FLOOR = -60.0  # decibels of black, where 0 is a sine from -1 to 1: what is less loud is as good as silent


class Spectra(nn.Module):
    """Sounds [B, C, T] -> the decibels of their short-time Fourier transform [B, C, H, W], FLOOR to 0 as -1 to 1.

    Nothing in it is learned. The window has about 4 sqrt(T) numbers (Hann), so that there are about twice as many
    frequencies as moments whatever T is; of these, HEIGHT and WIDTH
    are left, each the mean power of some.
    """

    def __init__(self, shape: tuple[int, ...]):
        super().__init__()
        length, channels = shape
        self.window = 1 << round(math.log2(4 * math.sqrt(length)))
        self.hop = self.window // 2
        self.moments = max(length // self.hop, 1)
        self.shape = min(self.window // 2, HEIGHT), min(self.moments, WIDTH), channels  # (H, W, C)

    def forward(self, x: Tensor) -> Tensor:
        b, c, t = x.shape
        window = torch.hann_window(self.window, device=x.device)
        bins = torch.stft(
            x.clamp(-1, 1).reshape(b * c, t),
            self.window,
            self.hop,
            window=window,
            pad_mode="constant",
            return_complex=True,
        )[:, :-1, : self.moments]
        power = torch.view_as_real(bins).square().sum(3) / (window.sum() / 2) ** 2  # (B * C, h, w)
        if power.shape[1:] != self.shape[:2]:
            power = F.adaptive_avg_pool2d(power, self.shape[:2])
        decibels = 10 * torch.log10(power + 10 ** (FLOOR / 10))
        return (1 - decibels / (FLOOR / 2)).reshape(b, c, *self.shape[:2])


def seen(shape: tuple[int, ...]) -> tuple[nn.Module, tuple[int, ...]]:
    """What makes pictures of samples of `shape` for a network, and their shape (H, W, C): sounds become spectra."""
    if len(shape) != 2:
        return nn.Identity(), shape
    spectra = Spectra(shape)
    return spectra, spectra.shape
