"""How toys are drawn: on a canvas that is larger than needed and then reduced, so that they are alike at every size."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
from PIL import Image, ImageDraw

from ganutils.samples.images import Shape, fit

SIDE = 64  # pixels, if no size is given
CANVAS = 256  # toys are drawn at least this large
PEN = 0.018  # thickness of a pen's lines

Color = tuple[int, int, int]
WHITE, BLACK = (255, 255, 255), (0, 0, 0)


class Canvas:
    """A square to draw on; lengths and positions are in units of its side, x to the right and y down."""

    def __init__(self, side: int, ground: Color):
        self.side = side
        self.image = Image.new("RGB", (side, side), ground)
        self._draw = ImageDraw.Draw(self.image)

    def oval(self, x: float, y: float, half_w: float, half_h: float, color: Color, width: float = 0) -> None:
        """Filled; or, with a width, its outline."""
        box = tuple(self.side * at for at in (x - half_w, y - half_h, x + half_w, y + half_h))
        if width:
            self._draw.ellipse(box, outline=color, width=max(1, round(width * self.side)))
        else:
            self._draw.ellipse(box, color)

    def area(self, points: Sequence[tuple[float, float]], color: Color) -> None:
        self._draw.polygon([(x * self.side, y * self.side) for x, y in points], color)

    def line(self, points: Sequence[tuple[float, float]], color: Color, width: float) -> None:
        """With round ends."""
        thick = max(1, round(width * self.side))
        self._draw.line([(x * self.side, y * self.side) for x, y in points], color, thick, joint="curve")
        for x, y in (points[0], points[-1]):
            Canvas.oval(self, x, y, width / 2, width / 2, color)


class Sketch(Canvas):
    """White paper and a pen: what is drawn covers what is behind it, and has an outline in place of its color.

    is_colored  whether the pen has the color of what it draws, and the ground's around the paper; else it is black
    """

    def __init__(self, side: int, ground: Color, is_colored: bool):
        super().__init__(side, WHITE)
        self._is_colored = is_colored
        if is_colored:
            corners = [(x, y) for x, y in ((0, 0), (1, 0), (1, 1), (0, 1), (0, 0))]
            super().line(corners, ground, 4 * PEN)

    def _pen(self, color: Color) -> Color:
        return color if self._is_colored else BLACK

    def oval(self, x: float, y: float, half_w: float, half_h: float, color: Color, width: float = 0) -> None:
        if width:
            super().oval(x, y, half_w, half_h, self._pen(color), PEN)
        elif max(half_w, half_h) > PEN:  # else it is a light in an eye
            super().oval(x, y, half_w, half_h, self._pen(color))
            if min(half_w, half_h) > 1.5 * PEN:
                super().oval(x, y, half_w - PEN, half_h - PEN, WHITE)

    def area(self, points: Sequence[tuple[float, float]], color: Color) -> None:
        super().area(points, WHITE)
        self.line([*points, points[0]], color, PEN)

    def line(self, points: Sequence[tuple[float, float]], color: Color, width: float) -> None:
        super().line(points, self._pen(color), PEN)


def rendered(draw: Callable[[int], Image.Image], shape: Shape) -> np.ndarray:
    """uint8 [H, W, C] of what `draw` draws on a canvas of the side it is given, in pixels."""
    side = max(shape.size or (SIDE, SIDE))
    factor = max(2, math.ceil(CANVAS / side))
    image = draw(side * factor).reduce(factor)
    return fit(image.convert("L") if shape.channels == 1 else image, shape)


def mixed(palette: Sequence[Color], at: float) -> Color:
    """A color between two neighbors of a palette, at 0..1."""
    place = at * (len(palette) - 1)
    first = min(int(place), len(palette) - 2)
    part = place - first
    r, g, b = (round(a + (b - a) * part) for a, b in zip(palette[first], palette[first + 1], strict=True))
    return r, g, b


def shaded(color: Color, factor: float) -> Color:
    r, g, b = (round(channel * factor) for channel in color)
    return r, g, b
