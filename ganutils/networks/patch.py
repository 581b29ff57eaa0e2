"""A discriminator of patches: each logit is of a part of the picture."""

from __future__ import annotations

from collections.abc import Iterator

import torch.nn.functional as F
from torch import Tensor, nn

from ganutils.networks.condition import NOTHING, Condition
from ganutils.networks.dcgan import SeenInputs, halved, strided
from ganutils.networks.layers import ClassEmbedding, ToLogit, leaky, norm_of, same
from ganutils.runs.config import Config


class PatchDiscriminator(nn.Module):
    """`patch` 4x4 convolutions of stride 2 and two of stride 1 (Isola et al. 2017, pix2pix, appendix 6.1.2).

    A logit sees 16, 34, 70 or 142 pixels of the picture's side, for 1 to 4 strides. Logits [B, h, w] of any size.
    """

    def __init__(self, config: Config):
        super().__init__()
        self.seen = SeenInputs(config)
        wide = [config.width * min(2**i, 8) for i in range(config.patch + 1)]
        self.downs, self.norms = strided([config.shape[2] + self.seen.channels, *wide[:-1]], config.norm)
        self.wide = nn.Conv2d(wide[-2], wide[-1], 4, bias=config.norm == "none")
        self.wide_norm = norm_of(config.norm, wide[-1])
        self.head = ToLogit(wide[-1], 4)
        self.classes = ClassEmbedding(config.classes, wide[-1])

    def layers(self, x: Tensor, condition: Condition = NOTHING) -> Iterator[Tensor]:
        """The output of each layer for pictures x: maps [B, channels, h, w], the largest first."""
        maps = list(halved(self.seen(x, condition), self.downs, self.norms))
        yield from maps
        x = maps[-1]
        yield leaky(self.wide_norm(self.wide(F.pad(x, same(4)))))

    def forward(self, x: Tensor, condition: Condition = NOTHING) -> Tensor:
        *_, x = self.layers(x, condition)
        return self.judged(x, condition)

    def judged(self, last: Tensor, condition: Condition = NOTHING) -> Tensor:
        """The logits [B, h, w] of pictures whose last map is `last`."""
        logits = self.head(last).squeeze(1)
        return self.classes.projected(logits, last, condition.labels).float()
