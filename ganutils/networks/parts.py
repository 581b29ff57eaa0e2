"""What the networks share."""

from __future__ import annotations

from torch import Tensor, nn

from ganutils.config import Config


class Labelled(nn.Module):
    """What the class-conditional networks share; without classes it has no parameters and changes nothing."""

    def __init__(self, classes: int, length: int):
        super().__init__()
        self.embedding = nn.Embedding(classes, length) if classes else None

    def mixed(self, z: Tensor, labels: Tensor | None) -> Tensor:
        """Latents [B, Z] with the vectors of their classes added."""
        if self.embedding is None or labels is None:
            return z
        return z + self.embedding(labels)

    def projected(self, logits: Tensor, features: Tensor, labels: Tensor | None) -> Tensor:
        """Logits [B] plus the product of features [B, F] with the vectors of their classes, kept of order 1."""
        if self.embedding is None or labels is None:
            return logits
        return logits + (self.embedding(labels) * features).sum(1) / features.shape[1] ** 0.5


def map_sizes(height: int, width: int) -> list[tuple[int, int]]:
    """Sizes of the feature maps, from the picture down to at most 4 x 4, halved each time (odd sizes rounded up)."""
    sizes = [(height, width)]
    while max(sizes[-1]) > 4 or len(sizes) == 1:
        sizes.append(tuple((n + 1) // 2 for n in sizes[-1]))  # type: ignore[arg-type]
    return sizes


def map_channels(config: Config) -> list[int]:
    """Channels of those maps: the picture's, then `width` doubling with each halving, up to 8 times `width`."""
    count = len(map_sizes(*config.shape[:2])) - 1
    return [config.shape[2], *(config.width * min(2**i, 8) for i in range(count))]
