"""What the writer of a format is handed: frames one at a time, when they are shown, how they were made. NumPy only."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from ganutils import Error
from ganutils.files.spool import Spool

LONGEST = 655  # seconds that a frame is shown: a GIF counts hundredths up to 65535


class Timing(NamedTuple):
    """When frames are shown.

    fps     frames per second
    hold    seconds added to the last frame
    bounce  whether to play back to the first frame
    loop    how often the film is played; 0 = forever
    """

    fps: float = 12.0
    hold: float = 0.0
    bounce: bool = False
    loop: int = 0


@dataclasses.dataclass(frozen=True)
class Film:
    """A film as it is shown: `count` frames uint8 [H, W, C] of `shape`; frame `held` stays `hold` seconds longer.

    The frames can be read once, in order. The file says that its `lineage` made it.
    """

    shape: tuple[int, int, int]
    count: int
    frames: Iterator[np.ndarray]
    fps: float
    hold: float
    held: int
    loop: int
    lineage: Sequence[str] = ()

    @property
    def seconds(self) -> float:
        return self.count / self.fps + self.hold

    def delays(self, unit: int) -> list[int]:
        """How long each frame is shown, in 1/`unit` s. Rounding errors are carried over, so the sum is exact."""
        ends = [round(unit * (i / self.fps + (self.hold if i > self.held else 0))) for i in range(self.count + 1)]
        return [max(1, end - start) for start, end in itertools.pairwise(ends)]


def film_of(
    shape: tuple[int, int, int],
    count: int,
    frames: Iterable[np.ndarray],
    timing: Timing,
    lineage: Sequence[str] = (),
) -> Film:
    """The film of `count` frames; with `bounce` they come back without the two ends, so that it can be looped."""
    fps, hold, bounce, loop = timing
    if 1 / fps + hold > LONGEST:
        raise Error(f"a frame of {1 / fps + hold:g} s is too long; give a smaller --hold or a larger --fps")
    if bounce:
        return Film(shape, 2 * count - 2, _there_and_back(count, frames), fps, hold, count - 1, loop, lineage)
    return Film(shape, count, iter(frames), fps, hold, count - 1, loop, lineage)


def _there_and_back(count: int, frames: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
    passed = Spool()
    for frame in frames:
        passed.append(frame)
        yield frame
    yield from (passed[number] for number in range(count - 2, 0, -1))


def changed(before: np.ndarray, after: np.ndarray) -> tuple[int, int, int, int]:
    """Where two frames [H, W, ...] differ, as y0, y1, x0, x1; one pixel if nowhere."""
    differs = before != after
    if differs.ndim == 3:
        differs = differs.any(2)
    rows, columns = np.flatnonzero(differs.any(1)), np.flatnonzero(differs.any(0))
    if not len(rows):
        return 0, 1, 0, 1
    return int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1
