"""What all discriminators share: features of their last layer, and the logits that these and a condition give."""

from __future__ import annotations

import abc
from collections.abc import Iterator

from torch import Tensor, nn

from ganutils.networks.condition import NOTHING, Condition
from ganutils.networks.conditioning import OfFeatures


class Discriminator(nn.Module, abc.ABC):
    """Samples, and a condition -> logits [B]."""

    head: nn.Module
    classes: OfFeatures

    @abc.abstractmethod
    def layers(self, x: Tensor, condition: Condition = NOTHING) -> Iterator[Tensor]:
        """The output of each layer for samples x: maps [B, channels, h, w], the largest first, or [B, units]."""

    def features(self, last: Tensor) -> Tensor:
        """Of samples whose last layer's output is `last`: [B, F]."""
        return last.permute(0, 2, 3, 1).flatten(1)

    def judged(self, last: Tensor, condition: Condition = NOTHING) -> Tensor:
        """The logits of samples whose last layer's output is `last`."""
        features = self.features(last)
        return self.classes.projected(self.head(features).squeeze(1), features, condition).float()

    def forward(self, x: Tensor, condition: Condition = NOTHING) -> Tensor:
        *_, last = self.layers(x, condition)
        return self.judged(last, condition)
