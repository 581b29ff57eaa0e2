"""toy:hats: the hat of a drawn face, from the front, on white; the input is the face that wears it.

As the picture of a product beside a photo of who wears it (Yoo et al. 2016, PixelDTGAN): what turns with the head,
covers hair and lies in the colors of a scene has to be set free of all that. The faces are those of toy:faces, all with
hats; the label is the nearest of the hats' colors, and the attributes are the face's.
"""

from __future__ import annotations

import numpy as np

from ganutils import randomness
from ganutils.samples.images import Shape
from ganutils.samples.sources import faces
from ganutils.samples.sources.drawing import WHITE, Canvas, rendered
from ganutils.samples.sources.faces import ATTRIBUTES, HATS, NUMBERS, Face
from ganutils.samples.sources.source import Drawn, Request, Source

CLASSES = ("blue", "red", "green", "brown")  # HATS
HAT, FELT = 3, 9  # which of a face's numbers say whether it has a hat, and its color
WORN = tuple(at for at, name in enumerate(ATTRIBUTES) if name != "hat")


def open_hats(request: Request) -> list[Source]:
    """Hats of a seed; a larger count only adds some."""
    count = request.toys
    numbers = randomness.stream(request.options.seed, "toy", "hats").random((count, NUMBERS))
    numbers[:, HAT] = 0
    return [
        Source(
            request.name,
            count,
            lambda row: numbers[row],
            draw,
            beside={"inputs": None},
            input_names=("face",),
            labels=np.rint(numbers[:, FELT] * (len(HATS) - 1)).astype(np.int64),
            classes=CLASSES,
            attributes=faces.attributes_of(numbers)[:, WORN],
            attribute_names=tuple(ATTRIBUTES[at] for at in WORN),
            meta=request.meta,
        )
    ]


def draw(numbers: np.ndarray, shape: Shape) -> Drawn:
    """uint8 [H, W, C] of a hat, and of the face that wears it."""
    alone = rendered(lambda side: Face(numbers).hat_alone(Canvas(side, WHITE)), shape)
    return {"images": alone, "inputs": faces.draw(numbers, shape.of_inputs)}
