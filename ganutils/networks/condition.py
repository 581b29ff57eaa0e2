"""What a network is given beside latents or samples."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor


class Condition(NamedTuple):
    """labels      int64 [B], classes; None for a network without
    inputs      float32 [B, c, h, w] in -1..1, pictures to start from; None for a generator that starts from latents
    attributes  float32 [B, A] in 0..1; None for a network without
    tokens      int64 [B, L], the words of captions by their number from 1 on, 0 behind them; None for a network without
    text        float32 [B, TEXT], in place of attributes or tokens: what the network's encoder made of them
    shifts      int64 [B, maps], by how many points a discriminator of sounds moves its maps; None for not at all
    """

    labels: Tensor | None = None
    inputs: Tensor | None = None
    attributes: Tensor | None = None
    tokens: Tensor | None = None
    text: Tensor | None = None
    shifts: Tensor | None = None


NOTHING = Condition()
