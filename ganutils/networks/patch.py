"""A discriminator of patches: each logit is of a part of the picture."""

from __future__ import annotations

from collections.abc import Iterator

import torch.nn.functional as F
from torch import Tensor, nn

from ganutils.networks.condition import NOTHING, Condition
from ganutils.networks.conditioning import OfFeatures
from ganutils.networks.dcgan import SeenInputs, halved, strided
from ganutils.networks.discriminator import Discriminator
from ganutils.networks.layers import ToLogit, leaky, norm_of, same
from ganutils.runs.config import Config


class PatchDiscriminator(Discriminator):
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
        self.classes = OfFeatures(config, wide[-1])

    def layers(self, x: Tensor, condition: Condition = NOTHING) -> Iterator[Tensor]:
        maps = list(halved(self.seen(x, condition), self.downs, self.norms))
        yield from maps
        x = maps[-1]
        yield leaky(self.wide_norm(self.wide(F.pad(x, same(4)))))

    def features(self, last: Tensor) -> Tensor:
        """Of each patch: [B, F, h, w]."""
        return last
