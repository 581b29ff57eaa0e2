"""toy:faces:age: the faces of toy:faces, each at an age: young and old are two domains for translators.

The age runs from 0 to 1. Hair, brows and moustache have a color of their own below 0.35, turn gray, and are gray to
white above 0.65; wrinkles come from 0.5 on; glasses are worn by 40 % at age 0 and by 60 % at age 1. All else is that of
the same row of toy:faces, but for gray hair of the young, which gets a color.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ganutils import randomness
from ganutils.samples.images import Shape
from ganutils.samples.sources import faces
from ganutils.samples.sources.drawing import Color, mixed, shaded
from ganutils.samples.sources.faces import ATTRIBUTES, HAIR, NUMBERS, Face
from ganutils.samples.sources.source import Request, Source

GLASSES, HAIR_AT, AGE = 1, 6, 18  # which of a face's numbers they are
COLORS = HAIR[:-1]  # without gray
GRAYS = ((164, 166, 170), (236, 236, 232))  # at GRAY, and at 1
WRINKLE = 0.013  # width of a line
YOUNG, WRINKLED, GRAY = 0.35, 0.5, 0.65  # ages


def open_ages(request: Request) -> list[Source]:
    """Faces of a seed; a larger count only adds faces."""
    count = request.toys
    numbers = randomness.stream(request.options.seed, "toy", "faces").random((count, NUMBERS))
    numbers[:, GLASSES] /= 0.8 + 0.4 * numbers[:, AGE]  # which is below 1/2 as often as it should
    about: dict[str, Any] = {
        "attributes": np.column_stack([faces.attributes_of(numbers), numbers[:, AGE].astype(np.float32)]),
        "attribute_names": (*ATTRIBUTES, "age"),
        "meta": request.meta,
        "sketch": sketch,
    }
    return [Source(request.name, count, lambda row: numbers[row], draw, **about)]


def draw(numbers: np.ndarray, shape: Shape) -> np.ndarray:
    """uint8 [H, W, C] of a face."""
    return Aged(numbers).painted(shape)


def sketch(numbers: np.ndarray, shape: Shape, is_colored: bool) -> np.ndarray:
    """uint8 [H, W, 1] of the same face drawn with a black pen, or [H, W, 3] with pens in its colors."""
    return Aged(numbers).sketched(shape, is_colored)


class Aged(Face):
    """A face at its age."""

    def __init__(self, numbers: np.ndarray):
        super().__init__(numbers)
        age = float(numbers[AGE])
        self.grayness = _part(age, YOUNG, GRAY)
        self.wrinkled = _part(age, WRINKLED, 1)
        self.color, self.gray = mixed(COLORS, float(numbers[HAIR_AT])), mixed(GRAYS, _part(age, GRAY, 1))
        self.hair = mixed((self.color, self.gray), self.grayness)

    def _moustache_color(self, hair: Color) -> Color:
        own, gray, skin = super()._moustache_color(self.color), shaded(self.gray, 0.85), sum(self.skin)
        if 0.7 * skin < sum(gray) < 1.3 * skin:  # or it could hardly be seen
            gray = shaded(gray, 0.6 * skin / sum(gray))
        return mixed((own, gray), self.grayness)

    def _head(self) -> None:
        super()._head()
        if self.wrinkled:
            self._wrinkles()

    def _wrinkles(self) -> None:
        """On the forehead, beside and below the eyes, from the nose past the mouth: longer and darker with age."""
        part, color = 0.4 + 0.6 * self.wrinkled, shaded(self.skin, 0.86 - 0.26 * self.wrinkled)
        for up, half in ((0.128, 0.11), (0.153, 0.09)):
            steps = [half * part * step / 4 for step in range(-4, 5)]
            self.on.line([(self._across(dx), self.y - up + 0.5 * dx * dx) for dx in steps], color, WRINKLE)
        for side in (-1, 1):
            for down in (-0.03, 0.03):
                end = 0.165 + 0.045 * part, -0.032 + down
                self._crease(side, [(0.165, -0.032 + 0.3 * down), end], color)
            self._crease(side, [(0.065, 0.012), (0.105, 0.022), (0.105 + 0.045 * part, 0.012)], color)
            self._crease(side, [(0.048, 0.062), (0.098, 0.1), (0.098 + 0.026 * part, 0.1 + 0.075 * part)], color)

    def _crease(self, side: int, points: list[tuple[float, float]], color: Color) -> None:
        """A line on one side of the face, given by distances from the middle, and down."""
        self.on.line([(self._across(side * dx), self.y + dy) for dx, dy in points], color, WRINKLE)


def _part(age: float, first: float, last: float) -> float:
    """How far an age is from the first to the last, 0 to 1."""
    return min(1.0, max(0.0, (age - first) / (last - first)))
