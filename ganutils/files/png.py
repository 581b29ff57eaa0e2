"""Pictures, uint8 [H, W, C] with C = 1 or 3, as Pillow images and PNG files."""

from __future__ import annotations

from collections.abc import Sequence
from typing import IO

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from ganutils.files import provenance


def as_image(picture: np.ndarray) -> Image.Image:
    """A Pillow image, L or RGB."""
    return Image.fromarray(picture[:, :, 0] if picture.shape[-1] == 1 else picture)


def write(out: IO[bytes], picture: np.ndarray, lineage: Sequence[str] = ()) -> None:
    """A PNG with its lineage, even an empty one: that marks it as ours."""
    as_image(picture).save(out, "PNG", pnginfo=info(lineage))


def info(lineage: Sequence[str]) -> PngInfo:
    """The text of a PNG that says how it was made."""
    text = PngInfo()
    text.add_text(provenance.KEY, provenance.to_json(lineage))
    return text


def is_ours(stream: IO[bytes]) -> bool:
    """Whether an open file is a PNG that `write` wrote."""
    try:
        with Image.open(stream, formats=["PNG"]) as image:
            return provenance.KEY in image.info
    except Exception:  # on damaged bytes Pillow raises whatever it stumbles over
        return False
