"""Inputs that are made from the pictures themselves, for translators that learn the way back.

To add one, write a function beside the others, and a row in DERIVE.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from PIL import Image

from ganutils import Error

Make = Callable[[np.ndarray, float, np.random.Generator], np.ndarray]


def edges(pixels: np.ndarray, threshold: float, random: np.random.Generator) -> np.ndarray:
    """Black lines on white where a picture changes most, [H, W, 1] (Canny 1986).

    It is smoothed by a Gaussian, and the derivatives (Sobel) of the channel that changes most are thinned to their
    ridges. Lines are those above `threshold`, where 1 is a step from black to white, and what above half of that
    touches them.
    """
    from scipy import ndimage

    h, w, _ = pixels.shape
    sigma = min(3.0, max(0.8, math.sqrt(min(h, w) / 64)))  # pixels; larger pictures show finer textures
    height, direction = np.zeros((h, w), np.float32), np.zeros((h, w), np.int8)
    for channel in np.moveaxis(pixels, 2, 0):
        smooth = ndimage.gaussian_filter(channel / np.float32(255), sigma, mode="nearest")
        down, across = (ndimage.sobel(smooth, axis, mode="nearest") / 8 for axis in (0, 1))  # a pixel
        own = np.hypot(down, across) * np.float32(sigma * math.sqrt(2 * math.pi))  # of the step that was smoothed
        is_most = own > height
        height[is_most] = own[is_most]
        direction[is_most] = np.rint(np.arctan2(down, across)[is_most] * np.float32(4 / math.pi)).astype(np.int8) % 4
    here, height, is_ridge = height, np.pad(height, 1), np.zeros((h, w), bool)
    for number, (y, x) in enumerate([(0, 1), (1, 1), (1, 0), (1, -1)]):  # the neighbors across the edge
        before, after = (height[1 + y * side :, 1 + x * side :][:h, :w] for side in (-1, 1))
        is_ridge |= (direction == number) & (here >= before) & (here > after)
    lines, count = ndimage.label(is_ridge & (here > threshold / 2), np.ones((3, 3)))
    is_drawn = np.zeros(count + 1, bool)
    is_drawn[lines[is_ridge & (here > threshold)]] = True
    return np.where(is_drawn[lines], 0, 255).astype(np.uint8)[..., None]


def gray(pixels: np.ndarray, _: float, random: np.random.Generator) -> np.ndarray:
    """Without colors, [H, W, 1]."""
    return np.asarray(_image(pixels).convert("L"))[..., None]


def small(pixels: np.ndarray, factor: float, random: np.random.Generator) -> np.ndarray:
    """[H / factor, W / factor, C], bicubic and antialiased, as in papers on super resolution. Error if not whole."""
    h, w, c = pixels.shape
    if h % factor or w % factor:
        raise Error(f"--derive small:{factor:g}: pictures are {w}x{h}, which it does not divide; give another --size")
    reduced = _image(pixels).resize((int(w / factor), int(h / factor)), Image.Resampling.BICUBIC)
    return np.asarray(reduced).reshape(reduced.height, reduced.width, c)


def blur(pixels: np.ndarray, sigma: float, random: np.random.Generator) -> np.ndarray:
    """Smoothed by a Gaussian of `sigma` pixels."""
    from scipy import ndimage

    smooth = ndimage.gaussian_filter(pixels.astype(np.float32), (sigma, sigma, 0), mode="nearest")
    return np.rint(smooth).astype(np.uint8)


def noise(pixels: np.ndarray, sigma: float, random: np.random.Generator) -> np.ndarray:
    """With Gaussian noise of `sigma` levels of 255."""
    noisy = pixels + np.float32(sigma) * random.standard_normal(pixels.shape, np.float32)
    return np.rint(noisy).clip(0, 255).astype(np.uint8)


def mask(pixels: np.ndarray, part: float, random: np.random.Generator) -> np.ndarray:
    """With a gray hole in the middle, `part` of each side."""
    h, w, _ = pixels.shape
    high, wide = max(1, round(part * h)), max(1, round(part * w))
    top, left = (h - high) // 2, (w - wide) // 2
    holed = pixels.copy()
    holed[top : top + high, left : left + wide] = 128
    return holed


def flat(pixels: np.ndarray, colors: float, random: np.random.Generator) -> np.ndarray:
    """In so many colors of its own, by median cut, as areas to be filled with detail."""
    few = _image(pixels).convert("RGB").quantize(int(colors), Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    return np.asarray(few.convert("RGB"))[..., : pixels.shape[2]]


def _image(pixels: np.ndarray) -> Image.Image:
    return Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels)


class Row(NamedTuple):
    """A way to make an input.

    make         (uint8 [H, W, C], the number, a generator) -> uint8 [h, w, c]; None = the source draws it anew
    number       what the number behind the name is; "" = there is none
    least, most  its limits
    plain        its value if none is given; None = it must be given
    is_whole     whether only whole numbers make sense
    words        what may stand in its place
    """

    make: Make | None
    number: str = ""
    least: float = 0
    most: float = 0
    plain: float | None = 0
    is_whole: bool = False
    words: tuple[str, ...] = ()


DERIVE = {
    "edges": Row(edges, "THRESHOLD", 0.01, 1, 0.1),
    "gray": Row(gray),
    "small": Row(small, "K", 2, 64, None, is_whole=True),
    "blur": Row(blur, "SIGMA", 0.1, 100, None),
    "noise": Row(noise, "SIGMA", 0.1, 1000, None),
    "mask": Row(mask, "PART", 0.01, 1, 0.5),
    "flat": Row(flat, "N", 2, 256, None, is_whole=True),
    "sketch": Row(None, words=("color",)),
}


class Way(NamedTuple):
    """What was typed, such as edges:0.3: the name of a row, and the number or word behind it."""

    name: str
    number: float = 0
    word: str = ""

    def __str__(self) -> str:
        tail = self.word or (f"{self.number:g}" if DERIVE[self.name].number else "")
        return f"{self.name}:{tail}" if tail else self.name


def usage(name: str) -> str:
    """How a way is typed: edges[:THRESHOLD]."""
    row = DERIVE[name]
    tail = row.number or "|".join(row.words)
    return f"{name}:{tail}" if row.plain is None else f"{name}[:{tail}]" if tail else name


def parse(text: str) -> Way:
    """ValueError, in words, if it is none."""
    name, colon, tail = text.partition(":")
    row = DERIVE.get(name)
    if row is None:
        raise ValueError(f"{name!r} is not one of {', '.join(map(usage, DERIVE))}")
    if not colon and row.plain is not None:
        return Way(name, row.plain)
    if tail in row.words:
        return Way(name, word=tail)
    try:
        number = float(tail)
    except ValueError:
        number = math.nan
    is_right = row.least <= number <= row.most and not (row.is_whole and number % 1)
    if not row.number or not is_right:
        kind = "whole number" if row.is_whole else "number"
        wanted = f", {row.number} a {kind} from {row.least:g} to {row.most:g}" if row.number else ""
        raise ValueError(f"{text!r} is not {usage(name)}{wanted}")
    return Way(name, number)
