"""toy:shapes: two shapes, one above or beside the other, so that what words ask for can be measured exactly.

Each is a circle, square, triangle or star, in one of five colors, small or large. The first is the upper one, or the
left one. Size, place, turn and shade vary a little, too little to be mistaken.
"""

from __future__ import annotations

import functools
import itertools
import math
import re
from typing import NamedTuple

import numpy as np
from PIL import Image

from ganutils import randomness
from ganutils.samples.images import Shape
from ganutils.samples.sources.drawing import Canvas, Color, mixed, rendered, shaded
from ganutils.samples.sources.sentences import Picker, with_article
from ganutils.samples.sources.source import Request, Source

COLORS: dict[str, Color] = {
    "red": (214, 52, 48),
    "green": (58, 164, 82),
    "blue": (48, 104, 210),
    "yellow": (242, 196, 40),
    "purple": (146, 72, 178),
}
SHAPES = ("circle", "square", "triangle", "star")
GROUND = ((246, 245, 240), (230, 238, 246), (247, 238, 226), (234, 243, 232))
SMALL, LARGE = 0.105, 0.16  # radius of a circle; other shapes have about its area
NUMBERS = 20  # uniform numbers two shapes are made of
EACH = ("color", "shape", "size", "x", "y", "radius", "turn", "shade")  # what those of each shape are for

ATTRIBUTES = (
    *(f"{which}_{name}" for which in ("first", "second") for name in (*COLORS, *SHAPES, "small")),
    "vertical",
)

# How captions call it; the first are the usual words.
NAMES = {"circle": ("circle", "circle", "disc"), "square": ("square", "square", "box"), "purple": ("purple", "violet")}
SIZES = {True: ("small", "small", "little", "tiny"), False: ("large", "large", "big")}
PLACES = {  # of the first to the second, of the second to the first, and of each in the picture
    True: (("above", "over", "on top of"), ("below", "under", "beneath"), ("at the top", "at the bottom")),
    False: (
        ("left of", "to the left of", "on the left of"),
        ("right of", "to the right of", "on the right of"),
        ("on the left", "on the right"),
    ),
}
FORMS = (  # a and b are shapes, the others where they are
    "{a} {ab} {b}",
    "{a} {ab} {b}",
    "there is {a} {ab} {b}",
    "{b} with {a} {ab} it",
    "{a} that is {ab} {b}",
    "{a} is {a_at}, {b} is {b_at}",
    "{a} {a_at} and {b} {b_at}",
    "{a_at} {a}, {b_at} {b}",
)


def open_shapes(request: Request) -> list[Source]:
    """Pairs of shapes of a seed; a larger count only adds some."""
    count = request.toys
    numbers = randomness.stream(request.options.seed, "toy", "shapes").random((count, NUMBERS))
    return [
        Source(
            request.name,
            count,
            lambda row: numbers[row],
            draw,
            attributes=attributes_of(numbers),
            attribute_names=ATTRIBUTES,
            meta=request.meta,
            describe=lambda row, random: describe(numbers[row], Picker(random)),
        )
    ]


class One(NamedTuple):
    """What one of two shapes is, by what it is made of."""

    color: str
    shape: str
    is_small: bool
    at: tuple[float, float]
    radius: float
    turn: float  # radians
    shade: float


def shapes_of(numbers: np.ndarray) -> tuple[One, One, bool]:
    """The first and the second of a picture, and whether they lie one above the other."""
    is_vertical = bool(numbers[-1] < 0.5)
    ones = []
    for which in range(2):
        n = dict(zip(EACH, map(float, numbers[len(EACH) * which :]), strict=False))
        along, across = 0.25 + 0.5 * which + 0.04 * (n["x"] - 0.5), 0.5 + 0.2 * (n["y"] - 0.5)
        one = One(
            color=[*COLORS][int(n["color"] * len(COLORS))],
            shape=SHAPES[int(n["shape"] * len(SHAPES))],
            is_small=n["size"] < 0.5,
            at=(across, along) if is_vertical else (along, across),
            radius=(SMALL if n["size"] < 0.5 else LARGE) * (0.94 + 0.12 * n["radius"]),
            turn=0.3 * (n["turn"] - 0.5),
            shade=0.9 + 0.1 * n["shade"],
        )
        ones.append(one)
    return ones[0], ones[1], is_vertical


def attributes_of(numbers: np.ndarray) -> np.ndarray:
    """float32 [N, A], 0 or 1, of the numbers [N, NUMBERS] of pictures."""
    columns = []
    for which in range(2):
        color, shape, size = numbers[:, len(EACH) * which :][:, :3].T
        columns += [(color * len(COLORS)).astype(int) == number for number in range(len(COLORS))]
        columns += [(shape * len(SHAPES)).astype(int) == number for number in range(len(SHAPES))]
        columns.append(size < 0.5)
    return np.stack([*columns, numbers[:, -1] < 0.5], 1).astype(np.float32)


def draw(numbers: np.ndarray, shape: Shape) -> np.ndarray:
    """uint8 [H, W, C] of two shapes."""

    def drawn(side: int) -> Image.Image:
        first, second, _ = shapes_of(numbers)
        on = Canvas(side, mixed(GROUND, float(numbers[2 * len(EACH)])))
        for one in (first, second):
            _draw(on, one)
        return on.image

    return rendered(drawn, shape)


def _draw(on: Canvas, one: One) -> None:
    (x, y), color = one.at, shaded(COLORS[one.color], one.shade)
    if one.shape == "circle":
        on.oval(x, y, one.radius, one.radius, color)
        return
    corners, outer, inner = {"square": (4, 1.25, 1.25), "triangle": (3, 1.4, 1.4), "star": (5, 1.35, 0.58)}[one.shape]
    start = -math.pi / 2 + one.turn + (math.pi / 4 if one.shape == "square" else 0)
    y += 0.15 * one.radius * (one.shape == "triangle")  # it seems to hang too high around its center
    radii = (outer, inner) if one.shape == "star" else (outer,)
    step = 2 * math.pi / (corners * len(radii))
    points = []
    for number, radius in zip(range(corners * len(radii)), itertools.cycle(radii), strict=False):
        angle = start + number * step
        points.append((x + one.radius * radius * math.cos(angle), y + one.radius * radius * math.sin(angle)))
    on.area(points, color)


# ------------------------------------------------------------------------------------------- captions


def describe(numbers: np.ndarray, pick: Picker) -> str:
    """A sentence that says color, shape and place of both, and mostly their sizes."""
    first, second, is_vertical = shapes_of(numbers)
    there, back, (first_at, second_at) = PLACES[is_vertical]
    sides = [(first, pick.of(there), first_at), (second, pick.of(back), second_at)]
    (a, ab, a_at), (b, _, b_at) = sides if pick.chance(0.6) else sides[::-1]
    text = pick.of(FORMS).format(a=_named(a, pick), b=_named(b, pick), ab=ab, a_at=a_at, b_at=b_at)
    return pick.finished(text)


def _named(one: One, pick: Picker) -> str:
    words = [pick.of(NAMES.get(name, (name,))) for name in (one.color, one.shape)]
    if pick.chance(0.7):
        words.insert(0, pick.of(SIZES[one.is_small]))
    return with_article(" ".join(words))


# ------------------------------------------------------------------------------------------ and back


def claims(text: str) -> dict[str, bool]:
    """What a sentence like those of `describe` says, by attribute; nothing if it is another one.

    Who names a color denies the others. A size that is not named is not claimed.
    """
    found = _noun().findall(text.lower())
    known = _skeletons().get(_bare(_noun().sub("@", text.lower())))
    if len(found) != 2 or known is None:
        return {}
    is_vertical, is_in_order = known
    said = {"vertical": is_vertical}
    for which, (size, color, shape) in zip(("first", "second"), found if is_in_order else found[::-1], strict=True):
        said |= {f"{which}_{name}": name == _plain(color) for name in COLORS}
        said |= {f"{which}_{name}": name == _plain(shape) for name in SHAPES}
        said |= {f"{which}_small": size in SIZES[True]} if size else {}
    return said


def _plain(word: str) -> str:
    """The usual word for one of NAMES."""
    return next((name for name, words in NAMES.items() if word in words), word)


@functools.cache
def _noun() -> re.Pattern[str]:
    """A shape as captions call it: its size, if said, color and shape."""
    sizes, colors, shapes = (
        "|".join(dict.fromkeys(words))
        for words in (
            (*SIZES[True], *SIZES[False]),
            (word for name in COLORS for word in (name, *NAMES.get(name, ()))),
            (word for name in SHAPES for word in (name, *NAMES.get(name, ()))),
        )
    )
    return re.compile(rf"\b(?:an? |the )?(?:({sizes}) )?({colors}) ({shapes})\b")


@functools.cache
def _skeletons() -> dict[str, tuple[bool, bool]]:
    """What the words between two shapes mean: whether one is above the other, and the first is named first."""
    found = {}
    for form, (is_vertical, (there, back, at)), a_is_first in itertools.product(FORMS, PLACES.items(), (True, False)):
        a_at, b_at = at if a_is_first else at[::-1]
        for ab in there if a_is_first else back:
            text = form.format(a="@a", b="@b", ab=ab, a_at=a_at, b_at=b_at)
            is_in_order = (text.index("@a") < text.index("@b")) == a_is_first
            found[_bare(text.replace("@a", "@").replace("@b", "@"))] = (is_vertical, is_in_order)
    return found


def _bare(text: str) -> str:
    """Without punctuation."""
    return " ".join(re.sub("[,.!]", " ", text).split())
