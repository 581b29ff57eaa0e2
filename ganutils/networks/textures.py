"""Features of pictures and sounds without any training: statistics of random filters."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ganutils.networks.spectra import seen

VERSION = 1  # each makes features of its own
MAPS, SIDE = 64, 5  # of each layer, and of its filters


class Textures(nn.Module):
    """Means and deviations of the maps of two layers of random filters: images [B, C, H, W], or sounds
    [B, C, T] as pictures of their spectra -> [B, 4 * MAPS].

    Shallow random filters tell textures from one another nearly as well as trained ones (Ustyuzhaninov et al. 2017,
    "What does it take to generate natural textures?").
    """

    def __init__(self, shape: tuple[int, ...]):
        super().__init__()
        self.seen, (_, _, channels) = seen(shape)
        random = torch.Generator().manual_seed(VERSION)
        for number, count in enumerate((channels, MAPS)):
            weights = torch.randn(MAPS, count, SIDE, SIDE, generator=random) / (count * SIDE**2) ** 0.5
            self.register_buffer(f"weights{number}", weights)

    def forward(self, x: Tensor) -> Tensor:
        x, statistics = self.seen(x), []
        for weights in self.buffers():
            x = F.leaky_relu(F.conv2d(x, weights, stride=2, padding=SIDE // 2), 0.1)  # (B, MAPS, h, w)
            statistics += [x.mean((2, 3)), x.std((2, 3), correction=0)]
        return torch.cat(statistics, 1)
