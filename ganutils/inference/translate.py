"""Pictures in, pictures out, of any size; large ones in tiles."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from ganutils.compute.distributed import ALONE, Team
from ganutils.inference.batches import given, in_batches, pace, sent
from ganutils.networks.condition import Condition
from ganutils.networks.scaling import from_network, to_network
from ganutils.runs.config import Config
from ganutils.runs.descriptions import Arrays

MAPS = 4  # times --width numbers at each point of a picture that a network holds at once, about


def translate(
    generator: nn.Module,
    config: Config,
    inputs: np.ndarray,
    labels: np.ndarray | None = None,
    tile: int = 0,
    team: Team = ALONE,
    has_back: bool = False,
    told: Arrays = MappingProxyType({}),
) -> Iterator[np.ndarray]:
    """What a translator makes of `inputs` uint8 [N, h, w, c], in order: uint8 [B, h * scale, w * scale, C] at a time.

    With `has_back` uint8 [B, 2, h, w, C]: the results of a translator between domains, and what it makes of each of
    these, as it is stored, on the way back.

    inputs  of any size, not only the one trained on; an array, or `npy.Rows`, of which only a batch is read at once
    labels  [N], for a generator with classes, or between domains: what each result is to be of
    tile    side of the tiles, in pixels of the input, that larger pictures are cut into: memory then depends on the
            tile and not on the picture. Equal to the whole, but for rounding, unless G has instance norm, whose
            statistics are those of a tile then. 0 = whole pictures
    team    its processes take turns at the batches; all is right only where it `leads`
    told    descriptions of each result, as a network takes them (see runs/descriptions.py)
    """
    device = next(generator.parameters()).device
    count, h, w, _ = inputs.shape
    scale = config.scale
    cut = tiling(generator, config, tile) if tile else None
    is_cut = cut is not None and max(len(cut.windows(length)) for length in (h, w)) > 1

    def once(pictures: Tensor, condition: Condition) -> Tensor:
        """Pictures uint8 [B, h, w, c] -> uint8 [B, H, W, C]."""

        def whole(part: Tensor) -> Tensor:
            translated: Tensor = generator(None, condition._replace(inputs=to_network(part)))
            return translated

        if cut is None or not is_cut:
            return from_network(whole(pictures))
        return in_tiles(lambda part: whole(part[None])[0].permute(1, 2, 0).cpu(), pictures[0], cut, scale)

    def made(rows: slice) -> Tensor:
        classes = None if labels is None else sent(labels[rows], device)
        there = once(sent(inputs[rows], device), Condition(classes, **given(told, rows, device)))
        if not has_back or classes is None:
            return there
        return torch.stack([there, once(there.to(device), Condition(1 - classes))], 1)

    shape = (h * scale, w * scale, config.shape[2])
    batch, ahead = pace((*shape[:2], max(shape[2], MAPS * config.width)), device)
    shapes = (2, *shape) if has_back else shape
    return in_batches(made, count, shapes, (1, 0) if is_cut else (batch, ahead), team)


# --------------------------------------------------------------------------------------------- tiles


class Tiling(NamedTuple):
    """How pictures are cut, in pixels of the input, along either axis.

    tile    between two cuts
    margin  that the network sees beyond a cut
    ramp    on both sides of a cut, over which one tile passes into the next; where it ends, what lies beyond the margin
            has no effect
    step    cuts and margins are multiples of it, so that a network that halves its maps has the same grid in each tile
    """

    tile: int
    margin: int
    ramp: int
    step: int

    @property
    def size(self) -> int:
        """Of what the network sees of a tile."""
        return self.tile + 2 * self.margin

    def cuts(self, length: int) -> list[int]:
        """Where the tiles of an axis begin, and its end."""
        return [*range(0, length, self.tile if length > self.size else length), length]

    def windows(self, length: int) -> list[tuple[int, int]]:
        """What the network sees for each of them: first pixel and end. All are as long as the axis allows."""
        last = max(0, _up(length - self.size, self.step))
        starts = [min(max(0, start - self.margin), last) for start in self.cuts(length)[:-1]]
        return [(start, min(start + self.size, length)) for start in starts]


def tiling(generator: nn.Module, config: Config, tile: int) -> Tiling:
    """Tiles of at least `tile` pixels whose insides equal those of the whole picture."""
    reach, step = generator.reach, generator.step
    assert isinstance(reach, int) and isinstance(step, int)
    ramp = max(step, 8)
    margin = _up(reach + ramp, step)
    return Tiling(_up(max(tile, 2 * ramp), step), margin, ramp, step)


def _up(number: int, step: int) -> int:
    """The next multiple of `step`."""
    return -(-number // step) * step


def in_tiles(made: Callable[[Tensor], Tensor], picture: Tensor, cut: Tiling, scale: int) -> Tensor:
    """A picture uint8 [h, w, c], translated tile by tile: uint8 [1, h * scale, w * scale, C].

    made  translates one to float32 in -1..1. Beside the result, memory holds a row of tiles
    """
    rows, columns = (cut.windows(length) for length in picture.shape[:2])

    def bands() -> Iterator[np.ndarray]:
        for top, bottom in rows:
            tiles = (made(picture[top:bottom, left:right]).numpy().swapaxes(0, 1) for left, right in columns)
            yield np.concatenate(list(_joined(tiles, columns, picture.shape[1], cut, scale))).swapaxes(0, 1)

    joined = _joined(bands(), rows, picture.shape[0], cut, scale)
    return torch.cat([from_network(torch.from_numpy(part).permute(2, 0, 1)[None]) for part in joined], 1)


def _joined(
    parts: Iterable[np.ndarray], windows: Sequence[tuple[int, int]], length: int, cut: Tiling, scale: int
) -> Iterator[np.ndarray]:
    """Parts of an axis, each of which covers a window, as parts that follow each other. They are joined along axis 0.

    At a cut the one before passes into the next as a cosine does.
    """
    cuts = cut.cuts(length)
    carried = np.empty((0,))
    for number, (part, (start, _)) in enumerate(zip(parts, windows, strict=True)):
        first, end = max(cuts[number] - cut.ramp, 0), min(cuts[number + 1] + cut.ramp, length)
        own = part[(first - start) * scale : (end - start) * scale]
        if number:
            own = own.copy()
            rising = _ramp(cut.ramp * scale)[: len(carried), None, None]
            own[: len(carried)] = carried + rising * (own[: len(carried)] - carried)
        if cuts[number + 1] < length:
            keep = (cuts[number + 1] - cut.ramp - first) * scale
            yield own[:keep]
            carried = own[keep:]
        else:
            yield own


def _ramp(half: int) -> np.ndarray:
    """From 0 to 1 in 2 * half steps, as a cosine rises: float32."""
    at = (np.arange(2 * half, dtype=np.float32) + 0.5) / (2 * half)
    return (0.5 - 0.5 * np.cos(np.pi * at)).astype(np.float32)
