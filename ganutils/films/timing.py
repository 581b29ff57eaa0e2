"""What every writer of films is handed: frames one at a time, and when they are shown. NumPy only."""

from __future__ import annotations

import dataclasses
import itertools
import tempfile
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np

MEMORY = 1 << 26  # bytes of frames that wait in memory; more wait in a file


class Timing(NamedTuple):
    """fps: frames a second; hold: seconds more for the last; bounce: back to the start; loop: showings, 0 = endless."""

    fps: float = 12.0
    hold: float = 0.0
    bounce: bool = False
    loop: int = 0


@dataclasses.dataclass(frozen=True)
class Film:
    """A film as it is shown: `count` frames uint8 [H, W, C] of `shape`; number `held` stays `hold` seconds more.

    The frames can be taken once, in order.
    """

    shape: tuple[int, int, int]
    count: int
    frames: Iterator[np.ndarray]
    fps: float
    hold: float
    held: int
    loop: int

    @property
    def seconds(self) -> float:
        return self.count / self.fps + self.hold

    def delays(self, unit: int) -> list[int]:
        """How long each frame is shown, in 1/`unit` seconds. The rounding error is carried: the sum is right."""
        ends = [round(unit * (i / self.fps + (self.hold if i > self.held else 0))) for i in range(self.count + 1)]
        return [max(1, end - start) for start, end in itertools.pairwise(ends)]


def film_of(shape: tuple[int, int, int], count: int, frames: Iterable[np.ndarray], timing: Timing) -> Film:
    """The clip of `frames`; with `bounce` they come back, without the two ends, so that it can be looped."""
    fps, hold, bounce, loop = timing
    shown = 2 * count - 2 if bounce else count
    running = _there_and_back(shape, count, frames) if bounce else iter(frames)
    return Film(shape, shown, running, fps, hold, count - 1, loop)


def _there_and_back(shape: tuple[int, int, int], count: int, frames: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
    kept = Kept(shape)
    for frame in frames:
        kept.append(frame)
        yield frame
    yield from (kept[number] for number in range(count - 2, 0, -1))


class Kept:
    """Frames of one shape that wait to be read again: in memory while they are few, then in a nameless file."""

    def __init__(self, shape: tuple[int, int, int]):
        self._shape = shape
        self._size = shape[0] * shape[1] * shape[2]
        self._file = tempfile.SpooledTemporaryFile(MEMORY)  # noqa: SIM115  (it has no name, and goes when this does)

    def append(self, frame: np.ndarray) -> None:
        """Frames are appended first and read afterwards."""
        self._file.write(np.ascontiguousarray(frame).tobytes())

    def __getitem__(self, number: int) -> np.ndarray:
        self._file.seek(number * self._size)
        return np.frombuffer(self._file.read(self._size), np.uint8).reshape(self._shape)


def changed(before: np.ndarray, after: np.ndarray) -> tuple[int, int, int, int]:
    """Where two frames [H, W, ...] differ, as y0, y1, x0, x1; one pixel if nowhere."""
    other = before != after
    if other.ndim == 3:
        other = other.any(2)
    rows, columns = np.flatnonzero(other.any(1)), np.flatnonzero(other.any(0))
    if not len(rows):
        return 0, 1, 0, 1
    return int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1
