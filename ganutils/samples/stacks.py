"""Stacked pictures: their red, green and blue are three gray pictures, and their class is the classes of all three.

Of ten digits that makes a thousand classes, the modes that a generator may miss (Metz et al. 2017, "Unrolled Generative
Adversarial Networks"; Srivastava et al. 2017, VEEGAN; Lin et al. 2018, PacGAN).
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from ganutils import Error

STACKED = "stacked"  # in the metadata: the names of the classes that a channel may be of
COLORS = ("red", "green", "blue")
FEWEST, MOST = 2, 10  # of these classes
CHUNK = 1024  # pictures at a time, which may be on disk


class Stacks(NamedTuple):
    """What stacked pictures are made of.

    parts    names of the classes of a channel
    classes  int64 [classes of the pictures, 3]: which of `parts` their channels are of
    """

    parts: tuple[str, ...]
    classes: np.ndarray

    @classmethod
    def of(cls, name: str, meta: Mapping[str, Any], shape: tuple[int, ...], classes: Sequence[str]) -> Stacks | None:
        """Those that the metadata of the file `name` tell of; None if its samples of `shape`, or their classes, are
        others. Error if the metadata are damaged.
        """
        parts = meta.get(STACKED)
        if parts is None:
            return None
        if not isinstance(parts, list) or not all(isinstance(part, str) for part in parts):
            raise Error(f"{name}: damaged: its metadata {STACKED!r} are not names of classes")
        if not FEWEST <= len(set(parts)) == len(parts) <= MOST:
            raise Error(f"{name}: damaged: its metadata {STACKED!r} name not {FEWEST} to {MOST} different classes")
        label_of = {one: label for label, one in enumerate(names_of(parts))}
        if shape[2:] != (len(COLORS),) or not classes or not label_of.keys() >= {*classes}:
            return None
        labels = np.array([label_of[one] for one in classes])
        return cls(tuple(parts), np.stack(np.unravel_index(labels, _lengths(parts)), 1))

    @property
    def names(self) -> tuple[str, ...]:
        """The classes that stacks of these may have, of which a file may hold a few."""
        return names_of(self.parts)

    def labels_of(self, channels: np.ndarray) -> np.ndarray:
        """The number among `names`, int64 [N], of pictures whose channels are of the classes int64 [N, 3]."""
        return np.ravel_multi_index(tuple(channels.T), _lengths(self.parts))

    def classes_of(self, channels: np.ndarray) -> np.ndarray:
        """The same among the classes of the file; -1 if it is none of them."""
        classes = np.full(len(self.names), -1)
        classes[self.labels_of(self.classes)] = range(len(self.classes))
        return classes[self.labels_of(channels)]


def described(meta: dict[str, Any], shape: tuple[int, ...], is_changed: bool) -> dict[str, Any]:
    """The metadata of pictures of `shape` (H, W, C), without what they say of stacks if these are none now."""
    if is_changed or shape[2:] != (len(COLORS),):
        return {key: value for key, value in meta.items() if key != STACKED}
    return meta


def names_of(parts: Sequence[str]) -> tuple[str, ...]:
    """The names of all stacks of three of `parts`, in the order of their labels: 000, 001, ... or a/a/a, a/a/b, ..."""
    between = "" if all(len(part) == 1 for part in parts) else "/"
    return tuple(map(between.join, itertools.product(parts, repeat=len(COLORS))))


def _lengths(parts: Sequence[str]) -> tuple[int, ...]:
    return (len(parts),) * len(COLORS)


def distinct(samples: np.ndarray, classes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The pictures that are stacked in uint8 [N, H, W, 3], whose channels are of `classes` int64 [N, 3], each once:
    uint8 [M, H, W, 1], and its class int64 [M]. What is held out of them is in no other stack.
    """
    found: dict[bytes, int] = {}
    for start in range(0, len(samples), CHUNK):
        channels = np.moveaxis(samples[start : start + CHUNK], 3, 1).reshape(-1, *samples.shape[1:3])
        numbers = classes[start : start + CHUNK].ravel().tolist()
        for channel, number in zip(channels, numbers, strict=True):
            found.setdefault(channel.tobytes(), number)
    pictures = np.frombuffer(b"".join(found), np.uint8)
    return pictures.reshape(-1, *samples.shape[1:3], 1), np.fromiter(found.values(), np.int64)
