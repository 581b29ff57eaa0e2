"""Pictures to and from Pillow. Pictures are uint8 [H, W, C], C = 1 or 3."""

from __future__ import annotations

import math
from typing import BinaryIO

import numpy as np
from PIL import Image


def grid_of(count: int) -> tuple[int, int]:
    """Columns and rows of the squarest sheet that holds `count`, none of its rows empty."""
    columns = math.ceil(math.sqrt(count))
    return columns, math.ceil(count / columns)


def as_image(picture: np.ndarray) -> Image.Image:
    """A Pillow image, L or RGB."""
    return Image.fromarray(picture[:, :, 0] if picture.shape[-1] == 1 else picture)


def write(out: BinaryIO, picture: np.ndarray) -> None:
    as_image(picture).save(out, "PNG")
