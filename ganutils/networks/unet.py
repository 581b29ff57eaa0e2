"""Generators that start from a picture, and halve it before they double it again: with skips (U-Net) or without."""

from __future__ import annotations

import itertools

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ganutils.networks.condition import Condition
from ganutils.networks.conditioning import Conditioning
from ganutils.networks.layers import Downsample, Upsample, joined, leaky, map_channels, norm_of, padded
from ganutils.runs.config import Config

DROPPED = 3  # innermost layers of the way up that have dropout


class Hourglass(nn.Module):
    """4x4 convolutions of stride 2 down to a map of at most 4x4, transposed ones back up; no skips, so that shapes may
    change. (Yoo et al. 2016, "Pixel-Level Domain Transfer", table 1; Kim et al. 2017, DiscoGAN, section 3.)

    As many layers as pictures of the training size need. Any other size goes through them too: odd sides are padded by
    one, and what is doubled is cut again.
    """

    has_skips = False

    def __init__(self, config: Config):
        super().__init__()
        assert config.inputs is not None
        channels = map_channels(config)[1:]
        kind = config.norm_of_g
        pairs = list(itertools.pairwise([config.inputs[2], *channels]))
        self.downs = nn.ModuleList(Downsample(a, b, bias=i == 0 or kind == "none") for i, (a, b) in enumerate(pairs))
        # The first has none, so that the picture's own brightness is seen (Isola et al. 2017, appendix 6.1.1).
        self.down_norms = nn.ModuleList(norm_of(kind if i else "none", b) for i, (_, b) in enumerate(pairs))
        self.classes = Conditioning(config, channels[-1])
        ups = [*channels[::-1], config.shape[2]]
        doubled = [1 + (self.has_skips and i > 0) for i in range(len(channels))]
        self.ups = nn.ModuleList(
            Upsample(a * times, b, bias=i == len(channels) - 1 or kind == "none")
            for i, ((a, b), times) in enumerate(zip(itertools.pairwise(ups), doubled, strict=True))
        )
        self.up_norms = nn.ModuleList(norm_of(kind, b) for b in ups[1:-1])
        self.dropout = nn.Dropout(config.dropout)
        # For pictures in tiles: a shift by which the result is only shifted too, and the pixels around one that it
        # depends on (each layer down or up adds up to 1.5 of its own points).
        self.step = 2 ** len(self.downs)
        self.reach = 3 * (self.step - 1)

    def forward(self, z: Tensor | None, condition: Condition) -> Tensor:
        x = condition.inputs
        assert x is not None
        maps, sizes = [], []
        for down, norm in zip(self.downs, self.down_norms, strict=True):
            sizes.append(x.shape[2:])
            x = leaky(norm(down(padded(x))))
            maps.append(x)
        x = self.classes.shifted(x, condition)
        for i, (up, (h, w)) in enumerate(zip(self.ups, reversed(sizes), strict=True)):
            x = joined(x, maps[-1 - i]) if self.has_skips and i else F.relu(x)
            x = up(x)[:, :, :h, :w]
            if i < len(self.up_norms):
                x = self.up_norms[i](x)
                x = self.dropout(x) if i < DROPPED else x
        return torch.tanh(x.float())


class UNet(Hourglass):
    """An hourglass whose way up sees the maps of its way down (Ronneberger et al. 2015; Isola et al. 2017, pix2pix,
    appendix 6.1.1), so that what is in the input need not pass through the smallest map.
    """

    has_skips = True
