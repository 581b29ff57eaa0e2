"""Samples as their own features."""

from __future__ import annotations

import math

import numpy as np

from ganutils import Error
from ganutils.evaluation import texts
from ganutils.evaluation.extractors.extractor import WIDEST, Extractor, Request, about, refuse_all_but_pictures
from ganutils.files.kinds import POINTS


def points() -> Extractor:
    """The points themselves."""
    return Extractor(lambda samples: samples, about("points"))


def pairs_of_letters() -> Extractor:
    """How often each pair of letters comes in a text."""
    return Extractor(texts.pairs_of_letters, about("pairs of letters"))


def pixels(_: str, request: Request) -> Extractor:
    """Pixels in 0..1, flattened; points as they are."""
    if request.labeled.modality is POINTS:
        return points()
    refuse_all_but_pictures("pixels", request)
    shape = request.labeled.shape
    if math.prod(shape) > WIDEST:
        size = "x".join(map(str, shape))
        raise Error(f"--features pixels: {size} pictures have more than {WIDEST:,} numbers; use --features auto")
    return Extractor(lambda images: images.reshape(len(images), -1) / np.float32(255), about("pixels"))
