"""What the writer of a format is handed: frames one at a time, when they are shown, how they were made. NumPy only."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from ganutils import Error
from ganutils.files.spool import Spool
from ganutils.films.sound import Sound

FPS = 12.0  # frames per second, unless something else is asked for
LONGEST = 655  # seconds that a frame is shown: a GIF counts hundredths up to 65535


class Timing(NamedTuple):
    """When frames are shown.

    fps     frames per second; None = so many that each sound is heard whole, at most FPS; FPS without sounds
    hold    seconds added to the last frame
    bounce  whether to play back to the first frame
    loop    how often the film is played; 0 = forever
    """

    fps: float | None = None
    hold: float = 0.0
    bounce: bool = False
    loop: int = 0


@dataclasses.dataclass(frozen=True)
class Film:
    """A film as it is shown: `count` frames uint8 [H, W, C] of `shape`; frame `held` stays `hold` seconds longer.

    The frames can be read once, in order. The file says that its `lineage` made it. Its `sound` can be read when all
    frames have been.
    """

    shape: tuple[int, int, int]
    count: int
    frames: Iterator[np.ndarray]
    fps: float
    hold: float
    held: int
    loop: int
    lineage: Sequence[str] = ()
    sound: Sound | None = None

    @property
    def seconds(self) -> float:
        """Until the last frame has been shown, and its sound heard."""
        shown = self.count / self.fps + self.hold
        return max(shown, self._start(self.count - 1) + self.sound.length / self.sound.rate) if self.sound else shown

    def _start(self, frame: int) -> float:
        """Seconds, of a frame as it is shown, or of the end."""
        return frame / self.fps + (self.hold if frame > self.held else 0)

    def source(self, frame: int) -> int:
        """The number, among the frames before any are played back, of one as it is shown."""
        return min(frame, 2 * self.held - frame)

    def delays(self, unit: int) -> list[int]:
        """How long each frame is shown, in 1/`unit` s. Rounding errors are carried over, so the sum is exact."""
        ends = [round(unit * self._start(i)) for i in range(self.count + 1)]
        return [max(1, end - start) for start, end in itertools.pairwise(ends)]


def film_of(
    shape: tuple[int, int, int],
    count: int,
    frames: Iterable[np.ndarray],
    timing: Timing,
    lineage: Sequence[str] = (),
    sound: Sound | None = None,
) -> Film:
    """The film of `count` frames; with `bounce` they come back without the two ends, so that it can be looped."""
    hold, bounce, loop = timing[1:]
    fps = timing.fps or (min(FPS, sound.rate / sound.length) if sound else FPS)
    if 1 / fps + hold > LONGEST:
        raise Error(f"a frame of {1 / fps + hold:g} s is too long; give a smaller --hold or a larger --fps")
    held = count - 1
    if bounce:
        count, frames = 2 * count - 2, _there_and_back(count, frames)
    return Film(shape, count, iter(frames), fps, hold, held, loop, lineage, sound)


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
