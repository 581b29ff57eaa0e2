"""Other looks of the same pictures: inverted, and tinted. What stands in for a second domain of digits."""

from __future__ import annotations

import colorsys
import dataclasses
import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from ganutils import Error, randomness
from ganutils.files.kinds import IMAGES
from ganutils.samples import foreign
from ganutils.samples.images import Shape
from ganutils.samples.sources.source import Drawn, Source

SATURATION = 0.8  # of tints; their value is 1


class Coloring(NamedTuple):
    """What becomes of the colors of shaped pictures, and of their targets; not of what they are made from.

    invert  light becomes dark: 255 - x
    tint    then the gray of each is multiplied by a bright color of its own
    """

    invert: bool = False
    tint: bool = False


def colored(sources: list[Source], starts: list[int], coloring: Coloring, seed: int) -> list[Source]:
    """`sources`, whose first rows are `starts` of all, with pictures in other colors. Error if they hold others."""
    if not any(coloring):
        return sources
    for source in sources:
        if source.modality is not IMAGES:
            raise Error(f"{source.name}: holds {source.modality.noun}; only pictures can be inverted or tinted")
    return [_colored(source, start, coloring, seed) for source, start in zip(sources, starts, strict=True)]


def _colored(source: Source, start: int, coloring: Coloring, seed: int) -> Source:
    return dataclasses.replace(
        source,
        load=lambda row: (source.load(row), start + row),
        draw=functools.partial(_draw, source.draw, coloring, seed),
        pixels=None,
        sketch=source.sketch and functools.partial(_sketch, source.sketch),
    )


def _draw(
    draw: Callable[[Any, Shape], Drawn], coloring: Coloring, seed: int, loaded: tuple[Any, int], shape: Shape
) -> Drawn:
    about, row = loaded
    drawn = draw(about, shape._replace(channels=1) if coloring.tint else shape)
    pictures = drawn if isinstance(drawn, dict) else {IMAGES.tensor: drawn}
    foreign.allow_making(sum(pixels.size for pixels in pictures.values()))
    color = tint_of(seed, row) if coloring.tint else None
    return {
        name: pixels if name == "inputs" else _changed(pixels, coloring.invert, color)
        for name, pixels in pictures.items()
    }


def _sketch(
    sketch: Callable[[Any, Shape, bool], np.ndarray], loaded: tuple[Any, int], shape: Shape, is_colored: bool
) -> np.ndarray:
    return sketch(loaded[0], shape, is_colored)


def tint_of(seed: int, row: int) -> np.ndarray:
    """float [3] in 0..1, an RGB color whose hue follows from the seed and the row."""
    return np.array(colorsys.hsv_to_rgb(randomness.stream(seed, "tint", row).random(), SATURATION, 1))


def _changed(pixels: np.ndarray, is_inverted: bool, color: np.ndarray | None) -> np.ndarray:
    """uint8 [H, W, C] of the same, or of [H, W, 1] with a color: [H, W, 3]."""
    pixels = 255 - pixels if is_inverted else pixels
    if color is None:
        return pixels
    table = np.rint(np.outer(np.arange(256), color)).astype(np.uint8)
    return table[pixels[..., 0]]
