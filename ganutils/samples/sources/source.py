"""What every source gives: samples that are read when they are asked for."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np

from ganutils.samples.images import Shape, fit_pixels


class Pixels(Protocol):
    """uint8 [N, H, W, C], in memory or in a file."""

    @property
    def shape(self) -> tuple[int, ...]: ...
    def __getitem__(self, rows: Any) -> np.ndarray: ...


@dataclasses.dataclass(frozen=True)
class Source:
    """Samples that are read when they are asked for.

    name             what the user typed
    total            how many there are
    load             row -> what `draw` needs of it; runs in the main process, for rows that go up; or UnreadableError
    draw             (loaded, Shape) -> uint8 [H, W, C], or UnreadableError; a module's function, for other processes
    pixels           uint8 [total, H, W, C], if that is what it has: nothing is drawn where no shape is asked for
    points           float32 [total, D] in the place of pictures
    names            each picture's file
    labels, classes  int64 [total] and what they mean
    attributes       float32 [total, A] in 0..1, called `attribute_names`
    latents          float32 [total, Z] they were made from
    meta             `license`, `lineage` and the like, for the metadata
    notes            what the user should be told of it
    """

    name: str
    total: int
    load: Callable[[int], Any]
    draw: Callable[[Any, Shape], np.ndarray] = fit_pixels
    pixels: Pixels | None = None
    points: np.ndarray | None = None
    names: Sequence[str] | None = None
    labels: np.ndarray | None = None
    classes: tuple[str, ...] = ()
    attributes: np.ndarray | None = None
    attribute_names: tuple[str, ...] = ()
    latents: np.ndarray | None = None
    meta: dict[str, Any] = dataclasses.field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def stem(self) -> str:
        """Its name without folder and suffix."""
        return os.path.basename(os.path.abspath(self.name)).split(".")[0] or self.name

    def of_rows(self, rows: np.ndarray) -> Source:
        """The pictures of these rows alone, which go up."""

        def part(values: np.ndarray | None) -> np.ndarray | None:
            return None if values is None else values[rows]

        return dataclasses.replace(
            self,
            total=len(rows),
            load=lambda row: self.load(int(rows[row])),
            pixels=None,
            names=None if self.names is None else [self.names[row] for row in rows],
            points=part(self.points),
            labels=part(self.labels),
            attributes=part(self.attributes),
            latents=part(self.latents),
        )


def of_pixels(name: str, pixels: Pixels, **about: Any) -> Source:
    """A source of uint8 [N, H, W, C]."""
    return Source(name, pixels.shape[0], lambda row: pixels[row], pixels=pixels, **about)


def of_points(name: str, points: np.ndarray, **about: Any) -> Source:
    """A source of float32 [N, D]."""
    return Source(name, len(points), lambda row: points[row], points=points, **about)
