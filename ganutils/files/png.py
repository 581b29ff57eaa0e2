"""Pictures, uint8 [H, W, C] with C = 1 or 3, as Pillow images and PNG files."""

from __future__ import annotations

from typing import BinaryIO

import numpy as np
from PIL import Image


def as_image(picture: np.ndarray) -> Image.Image:
    """A Pillow image, L or RGB."""
    return Image.fromarray(picture[:, :, 0] if picture.shape[-1] == 1 else picture)


def write(out: BinaryIO, picture: np.ndarray) -> None:
    as_image(picture).save(out, "PNG")
