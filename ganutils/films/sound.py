"""What a film sounds like: its frames' sounds, kept as they pass to be drawn, and mixed in time. NumPy only."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from ganutils import Error
from ganutils.files.kinds import SIGNALS
from ganutils.files.spool import Spool
from ganutils.sounds.hearing import Hearing

AT_ONCE = 64  # samples that are heard at a time
BLOCK = 1 << 18  # numbers of silence at a time


class Track:
    """Of each sheet of a film of `count`, of `cells` samples each, the mean of the sounds that are shown.

    name     of the film, for messages
    hearing  of its samples
    """

    def __init__(self, name: str, hearing: Hearing, count: int, cells: int):
        self.name, self.hearing, self.count, self._cells = name, hearing, count, cells
        self._shown = 0  # of each sheet
        self._kept = Spool(modality=SIGNALS)

    def listen(self, shown: int) -> None:
        """Keep what passes from now on, the first `shown` of each sheet."""
        self._shown = min(shown, self._cells)

    def passing(self, chunks: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
        """The samples [n, ...] of all sheets, in their order, as they come."""
        cell, total = 0, np.zeros(self.hearing.shape, np.float32)
        for chunk in chunks:
            start = 0
            while self._shown and start < len(chunk):
                part = chunk[start : start + min(AT_ONCE, self._cells - cell)]
                heard = part[: max(self._shown - cell, 0)]
                if len(heard):
                    total += self.hearing.sounds(heard).sum(0)
                    if cell + len(heard) == self._shown:
                        self._kept.append(total / self._shown)
                        total[:] = 0
                start, cell = start + len(part), (cell + len(part)) % self._cells
            yield chunk

    def __getitem__(self, sheet: int) -> np.ndarray:
        """float32 [T, C], of a sheet that has passed."""
        return self._kept[sheet]


class Sound:
    """The sound of a film: that of one track after another, each for so many frames; None is silence."""

    def __init__(self, parts: Sequence[tuple[int, Track | None]]):
        self._parts = parts
        self._ends = list(itertools.accumulate(count for count, _ in parts))
        self.tracks = [track for _, track in parts if track]

    @classmethod
    def joined(cls, sounds: Sequence[tuple[int, Sound | None]]) -> Sound | None:
        """Of films of so many frames, one after another; None if there is nothing to be heard."""
        parts = [part for count, sound in sounds for part in (sound._parts if sound else [(count, None)])]
        return cls(parts) if any(track for _, track in parts) else None

    @property
    def rate(self) -> int:
        return self.tracks[0].hearing.rate

    @property
    def channels(self) -> int:
        return self.tracks[0].hearing.shape[1]

    @property
    def length(self) -> int:
        """Numbers of the longest sound of a frame."""
        return max(track.hearing.shape[0] for track in self.tracks)

    def listen(self, shown: int) -> None:
        """Keep what passes from now on, of the first `shown` samples of each frame. Error unless all go together."""
        for track in self.tracks:
            if (track.hearing.rate, track.hearing.shape[1]) != (self.rate, self.channels):
                raise Error(
                    f"{track.name}: its sounds have another rate or number of channels than those of "
                    f"{self.tracks[0].name}; bring them to one with gan-data --rate and --channels"
                )
            track.listen(shown)

    def of(self, frame: int) -> np.ndarray:
        """float32 [T, C] of a frame that has passed; silence after the last."""
        for end, (count, track) in zip(self._ends, self._parts, strict=True):
            if frame < end and track:
                return track[frame - end + count]
            if frame < end:
                break
        return np.zeros((0, self.channels), np.float32)

    def mixed(self, starts: Iterable[tuple[int, int]]) -> Iterator[np.ndarray]:
        """All in time, float32 [n, C] at a time: `starts` are frames and the numbers they begin at, which rise."""
        ahead, at = np.zeros((self.length, self.channels), np.float32), 0  # what is begun, and the number it is from
        for frame, start in starts:
            yield from self._until(start - at, ahead)
            at = start
            sound = self.of(frame)
            ahead[: len(sound)] += sound
        yield ahead

    def _until(self, count: int, ahead: np.ndarray) -> Iterator[np.ndarray]:
        """The next `count` numbers, which are taken out of what is `ahead`; beyond it is silence."""
        part = ahead[:count].copy()
        yield part
        left = len(ahead) - len(part)
        ahead[:left] = ahead[len(part) :].copy()
        ahead[left:] = 0
        for done in range(len(part), count, BLOCK):
            yield np.zeros((min(BLOCK, count - done), self.channels), np.float32)
