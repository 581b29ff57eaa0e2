"""Sheets, and the writers of PNG and GIF. NumPy and Pillow only.

Pictures are uint8 [H, W, C], C = 1 or 3; a sheet of them is [N, H, W, C], a film [T, N, H, W, C].
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import BinaryIO

import numpy as np
from PIL import Image


def grid_of(count: int) -> tuple[int, int]:
    """Columns and rows of the squarest sheet that holds `count`, none of its rows empty."""
    columns = math.ceil(math.sqrt(count))
    return columns, math.ceil(count / columns)


def sheet(pictures: np.ndarray, grid: tuple[int, int], scale: int = 1) -> np.ndarray:
    """[N, H, W, C] -> one picture [rows H scale, columns W scale, C], row by row; empty cells are black.

    grid    (columns, rows), for N pictures or more
    scale   each pixel becomes a square of so many
    """
    count, h, w, c = pictures.shape
    columns, rows = grid
    cells = np.zeros((rows * columns, h, w, c), np.uint8)
    cells[:count] = pictures
    whole = cells.reshape(rows, columns, h, w, c).swapaxes(1, 2).reshape(rows * h, columns * w, c)
    return whole.repeat(scale, 0).repeat(scale, 1)


def as_image(picture: np.ndarray) -> Image.Image:
    """A Pillow image, L or RGB."""
    return Image.fromarray(picture[:, :, 0] if picture.shape[-1] == 1 else picture)


def write_png(out: BinaryIO, picture: np.ndarray) -> None:
    as_image(picture).save(out, "PNG")


def write_gif(out: BinaryIO, frames: Sequence[np.ndarray], fps: float) -> None:
    """An endless GIF of `frames` [H, W, C]. Grays are kept exactly; colours are mapped to one palette of 256.

    GIF counts time in hundredths of a second; the rounding error is carried, so the film lasts as long as it should.
    """
    images = [as_image(frame) for frame in frames]
    if images[0].mode == "RGB":
        shown = Image.fromarray(np.concatenate(frames[:: math.ceil(len(frames) / 16)]))
        palette = shown.quantize(256, Image.Quantize.MEDIANCUT)
        images = [image.quantize(palette=palette, dither=Image.Dither.NONE) for image in images]
    ends = [round(100 * i / fps) for i in range(len(images) + 1)]
    durations = [10 * (end - start) for start, end in itertools.pairwise(ends)]  # milliseconds
    images[0].save(out, "GIF", save_all=True, append_images=images[1:], duration=durations, loop=0)
