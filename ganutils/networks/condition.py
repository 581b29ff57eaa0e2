"""What a network is given beside latents or samples."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor


class Condition(NamedTuple):
    """labels  int64 [B], classes; None for a network without
    inputs  float32 [B, c, h, w] in -1..1, pictures to start from; None for a generator that starts from latents
    """

    labels: Tensor | None = None
    inputs: Tensor | None = None


NOTHING = Condition()
