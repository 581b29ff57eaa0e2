"""What a network is given beside latents or samples."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor


class Condition(NamedTuple):
    """labels  int64 [B], classes; None for a network without
    inputs  float32 [B, c, h, w] in -1..1, pictures to start from; None for a generator that starts from latents
    shifts  int64 [B, maps], by how many points a discriminator of sounds moves its maps; None for not at all
    """

    labels: Tensor | None = None
    inputs: Tensor | None = None
    shifts: Tensor | None = None


NOTHING = Condition()
