"""stacked:SOURCE: three of its gray pictures at random as the red, green and blue of one; see samples/stacks.py."""

from __future__ import annotations

from typing import Any

import numpy as np

from ganutils import Error, randomness
from ganutils.files.kinds import IMAGES
from ganutils.samples.decoding import copied
from ganutils.samples.selection import Collection, join
from ganutils.samples.sources.opening import open_sources
from ganutils.samples.sources.source import Request, Source, of_pixels
from ganutils.samples.stacks import COLORS, FEWEST, MOST, STACKED, Stacks, names_of


def open_stacked(request: Request) -> list[Source]:
    """Stacks of a seed; a larger count only adds some. Error unless the source has what stacks are made of."""
    plain = request.options._replace(toys=None, attributes=None, labels=None, captions=None, describe=None)
    single = join(request.stack.enter_context(open_sources([request.detail], plain)))
    labels = _labels(single)
    random = randomness.stream(request.options.seed, "toy", "stacked")
    rows = random.integers(single.total, size=(request.toys, len(COLORS)))
    stacks = Stacks(single.classes, labels[rows])
    meta = {key: single.meta[key] for key in ("license", "lineage") if key in single.meta}
    return [
        of_pixels(
            request.name,
            Stacked(single, rows),
            labels=stacks.labels_of(stacks.classes),
            classes=names_of(single.classes),
            meta={**meta, STACKED: list(single.classes)},
            notes=single.notes,
            check=lambda: _check(single),
        )
    ]


def _check(single: Collection) -> None:
    for source in single.sources:
        source.check()


class Stacked:
    """Pictures uint8 [N, H, W, 3] whose channels are the pictures of `single` at `rows`, int64 [N, 3]; they are stacked
    when they are needed.
    """

    def __init__(self, single: Collection, rows: np.ndarray):
        self._single, self._rows = single, rows
        h, w, _ = _shape(single)
        self.shape = (len(rows), h, w, len(COLORS))

    def __getitem__(self, rows: Any) -> np.ndarray:
        """Rows by number, slice or array of numbers."""
        chosen = self._rows[rows]
        pictures = np.concatenate([*copied(self._single, IMAGES.tensor, chosen.ravel()).chunks])
        return np.moveaxis(pictures.reshape(*chosen.shape, *self.shape[1:3]), -3, -1)


def _shape(single: Collection) -> tuple[int, ...]:
    """(H, W, C) of the pictures of sources. Error unless all have the same, which is known before they are read."""
    shapes = {None if source.pixels is None else source.pixels.shape[1:] for source in single.sources}
    shape = shapes.pop()
    if single.modality is not IMAGES:
        raise Error(f"{single.title}: holds {single.modality.noun}; only pictures can be stacked")
    if shape is None or shapes:
        advice = f"make a file with gan-data {single.title} --size 32 --channels 1, and stack that"
        raise Error(f"{single.title}: may hold pictures of several sizes; {advice}")
    return shape


def _labels(single: Collection) -> np.ndarray:
    """The labels of pictures to stack. Error unless they are gray, and of a few classes."""
    *_, channels = _shape(single)
    if channels != 1:
        advice = f"make a file with gan-data {single.title} --channels 1, and stack that"
        raise Error(f"{single.title}: holds color pictures, and a channel is gray; {advice}")
    if single.labels is None:
        raise Error(f"{single.title}: has no labels, of which those of stacks are made; use a source that has classes")
    if not FEWEST <= len(single.classes) <= MOST:
        count = "a single class" if len(single.classes) == 1 else f"{len(single.classes)} classes"
        raise Error(
            f"{single.title}: has {count}, and stacks take {FEWEST} to {MOST}; choose some with gan-data --classes"
        )
    return single.labels
