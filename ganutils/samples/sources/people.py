"""toy:people: drawn people in any pose; the inputs are the same people standing still, and the skeletons of the poses.

The task of Ma et al. 2017 (pose guided person image generation): one input shows what a person looks like, the other
how they stand. `toy:people` has another person in each picture, in a random pose. `toy:people:walk` has WALK pictures
of each, two steps that can be repeated: frames of a film.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from PIL import Image

from ganutils import randomness
from ganutils.samples.images import Shape
from ganutils.samples.sources.drawing import BLACK, WHITE, Canvas, mixed, rendered, shaded
from ganutils.samples.sources.faces import CLOTH, GROUND, HAIR, SKIN
from ganutils.samples.sources.source import Drawn, Request, Source

NUMBERS = 11  # uniform numbers a person is made of
ANGLES = 11  # and a pose
WALK = 24  # pictures of two steps
ATTRIBUTES = ("long hair", "skirt", "left arm up", "right arm up")  # left and right in the picture
TROUSERS = ((44, 50, 70), (110, 96, 74), (70, 74, 78), (126, 62, 48), (52, 84, 60))
FLOOR = 0.95  # where feet stand

# Lengths, and half widths, of a person of height 1, in units of the side.
THIGH, SHIN, BACK, NECK, UPPER_ARM, FOREARM, HEAD = 0.19, 0.19, 0.24, 0.03, 0.14, 0.14, 0.085
HIPS, SHOULDERS = 0.05, 0.085

Point = tuple[float, float]


class Pose(NamedTuple):
    """How a person stands: angles in radians, the left limb in the picture first.

    lean, head     of the back and the head against straight up, positive to the right
    arms, thighs   against straight down, positive to the right
    elbows, knees  how much forearms and shins are bent further
    x              the middle of the hips
    """

    lean: float
    head: float
    arms: Point
    elbows: Point
    thighs: Point
    knees: Point
    x: float = 0.5


STANDING = Pose(0, 0, (-0.25, 0.25), (0.1, -0.1), (-0.08, 0.08), (0.04, -0.04))


def open_people(request: Request) -> list[Source]:
    """People of a seed, each in another pose; a larger count only adds some."""
    count = request.toys
    angles = randomness.stream(request.options.seed, "toy", "poses").random((count, ANGLES))
    are_up = np.array([[abs(arm) > math.pi / 2 for arm in _posed(numbers).arms] for numbers in angles])
    return [_source(request, _people(request, count), lambda row: _posed(angles[row]), are_up)]


def open_walk(request: Request) -> list[Source]:
    """The same people walking, WALK pictures each."""
    rows = np.arange(request.toys)
    people = _people(request, int(rows[-1]) // WALK + 1)[rows // WALK]
    return [_source(request, people, lambda row: _walking(row % WALK / WALK), np.zeros((len(rows), 2), bool))]


def _people(request: Request, count: int) -> np.ndarray:
    return randomness.stream(request.options.seed, "toy", "people").random((count, NUMBERS))


def _source(request: Request, people: np.ndarray, pose: Callable[[int], Pose], are_up: np.ndarray) -> Source:
    return Source(
        request.name,
        len(people),
        lambda row: (people[row], pose(row)),
        draw,
        beside={"inputs": None},
        input_names=("standing", "skeleton"),
        attributes=np.concatenate([people[:, :2] < 0.5, are_up], 1).astype(np.float32),
        attribute_names=ATTRIBUTES,
        meta=request.meta,
    )


def _posed(numbers: np.ndarray) -> Pose:
    """A random pose, of ANGLES numbers in 0..1."""
    n = [float(number) for number in numbers]
    arms = [3.6 * number - 0.6 for number in n[2:4]]  # outward, from across the body to straight up
    thighs = [1.25 * number - 0.55 for number in n[6:8]]
    bent = [3 * number - 1.5 for number in n[4:6]], [2 * number - 1 for number in n[8:10]]
    return Pose(
        lean=0.5 * (n[0] - 0.5),
        head=0.6 * (n[1] - 0.5),
        arms=(-arms[0], arms[1]),
        elbows=(bent[0][0], bent[0][1]),
        thighs=(-thighs[0], thighs[1]),
        knees=(bent[1][0], bent[1][1]),
        x=0.5 + 0.14 * (n[10] - 0.5),
    )


def _walking(part: float) -> Pose:
    """To the right, after a part of two steps: arms swing against legs, and a leg that comes forward is bent."""
    swing, forward = math.sin(2 * math.pi * part), math.cos(2 * math.pi * part)
    return Pose(
        lean=0.06,
        head=0.04,
        arms=(0.55 * swing, -0.55 * swing),
        elbows=(0.45, 0.45),
        thighs=(-0.55 * swing, 0.55 * swing),
        knees=(-0.15 - 0.85 * max(0.0, -forward), -0.15 - 0.85 * max(0.0, forward)),
    )


def draw(loaded: tuple[np.ndarray, Pose], shape: Shape) -> Drawn:
    """uint8 [H, W, C] of a person in a pose; [H, W, 4] of the same person standing, and the skeleton of the pose."""
    numbers, pose = loaded
    person = _Person(numbers)
    standing, skeleton = person.of_pose(STANDING), person.of_pose(pose)
    inputs = [
        rendered(lambda side: person.drawn(standing, side), shape._replace(channels=3)),
        rendered(skeleton.drawn, shape._replace(channels=1)),
    ]
    return {
        "images": rendered(lambda side: person.drawn(skeleton, side), shape),
        "inputs": np.concatenate(inputs, 2),
    }


class _Skeleton(NamedTuple):
    """Where joints are, in units of the side: a limb goes from its root over a joint to its end, the left one first."""

    hips: Point
    neck: Point
    head: Point
    radius: float
    arms: tuple[list[Point], list[Point]]
    legs: tuple[list[Point], list[Point]]

    def drawn(self, side: int) -> Image.Image:
        """As black lines on white."""
        on = Canvas(side, WHITE)
        for limb in (*self.arms, *self.legs):
            on.line(limb, BLACK, 0.024)
        on.line([self.arms[0][0], self.neck, self.arms[1][0]], BLACK, 0.024)
        on.line([self.legs[0][0], self.hips, self.legs[1][0]], BLACK, 0.024)
        on.line([self.hips, self.neck], BLACK, 0.024)
        on.oval(*self.head, self.radius, 1.15 * self.radius, BLACK, 0.024)
        return on.image


def _from(at: Point, angle: float, length: float) -> Point:
    """The end of something that hangs from `at`, turned from straight down to the right by `angle`."""
    return at[0] + length * math.sin(angle), at[1] + length * math.cos(angle)


class _Person:
    """What a person looks like, and how they are drawn."""

    def __init__(self, numbers: np.ndarray):
        n = [float(number) for number in numbers]
        self.has_long_hair, self.has_skirt, self.has_sleeves = (number < 0.5 for number in n[:3])
        self.skin, self.hair, self.ground = mixed(SKIN, n[3]), mixed(HAIR, n[4]), mixed(GROUND, n[5])
        self.shirt, self.trousers = mixed(CLOTH, n[6]), mixed(TROUSERS, n[7])
        self.height, self.build = 0.85 + 0.13 * n[8], 0.85 + 0.35 * n[9]
        self.shoes = shaded((150, 110, 90), 0.3 + n[10])

    def of_pose(self, pose: Pose) -> _Skeleton:
        """Where the joints are, in a pose whose lower foot stands on the floor."""
        size = self.height
        legs = self._limbs((0, 0), 0, HIPS, pose.thighs, pose.knees, (THIGH, SHIN))
        y = FLOOR - max(leg[-1][1] for leg in legs)
        hips = pose.x, y
        neck = _from(hips, math.pi - pose.lean, size * BACK)
        return _Skeleton(
            hips=hips,
            neck=neck,
            head=_from(neck, math.pi - pose.head, size * (NECK + HEAD)),
            radius=0.85 * size * HEAD,
            arms=self._limbs(neck, pose.lean, self.build * SHOULDERS, pose.arms, pose.elbows, (UPPER_ARM, FOREARM)),
            legs=self._limbs(hips, 0, HIPS, pose.thighs, pose.knees, (THIGH, SHIN)),
        )

    def _limbs(
        self, at: Point, lean: float, half: float, angles: Point, bends: Point, lengths: Point
    ) -> tuple[list[Point], list[Point]]:
        """Two limbs that begin `half` to both sides of `at`."""
        limbs = []
        for sign, angle, bend in zip((-1, 1), angles, bends, strict=True):
            root = _from(at, math.pi / 2 + lean, sign * half * self.height)
            joint = _from(root, angle, self.height * lengths[0])
            limbs.append([root, joint, _from(joint, angle + bend, self.height * lengths[1])])
        return limbs[0], limbs[1]

    def drawn(self, at: _Skeleton, side: int) -> Image.Image:
        """From back to front."""
        on = Canvas(side, self.ground)
        thick = self.height * self.build
        if self.has_long_hair:
            on.line([at.head, ((at.head[0] + at.neck[0]) / 2, at.neck[1] + 0.03)], self.hair, 2.3 * at.radius)
        legs = self.skin if self.has_skirt else self.trousers
        for hip, knee, foot in at.legs:
            on.line([hip, knee, foot], legs, 0.06 * thick)
            on.oval(foot[0], foot[1] + 0.005, 0.045 * self.height, 0.024 * self.height, self.shoes)
        (left, left_knee, _), (right, right_knee, _) = at.legs
        if self.has_skirt:
            hem = [_between(hip, knee, 0.75) for hip, knee in ((left, left_knee), (right, right_knee))]
            wide = 0.05 * thick
            around = [(hem[0][0] - wide, hem[0][1]), left, right, (hem[1][0] + wide, hem[1][1])]
            on.area(around, self.trousers)
            on.line([left, at.hips, right], self.trousers, 0.07 * thick)
        shoulders = [arm[0] for arm in at.arms]
        on.area([*shoulders, right, left], self.shirt)
        on.line([shoulders[0], left, right, shoulders[1], shoulders[0]], self.shirt, 0.06 * thick)
        on.line([at.neck, at.head], shaded(self.skin, 0.86), 0.05 * thick)
        for shoulder, elbow, hand in at.arms:
            sleeve = shaded(self.shirt, 0.82)
            on.line([elbow, hand], sleeve if self.has_sleeves else self.skin, 0.042 * thick)
            on.line([shoulder, elbow], sleeve, 0.05 * thick)
            on.oval(*hand, 0.026 * thick, 0.026 * thick, self.skin)
        x, y = at.head
        on.oval(x, y - 0.12 * at.radius, 1.12 * at.radius, 1.2 * at.radius, self.hair)
        on.oval(x, y + 0.18 * at.radius, 0.92 * at.radius, at.radius, self.skin)
        for sign in (-1, 1):
            on.oval(x + sign * 0.36 * at.radius, y + 0.05 * at.radius, 0.009, 0.012, (36, 30, 34))
        return on.image


def _between(first: Point, second: Point, part: float) -> Point:
    return first[0] + part * (second[0] - first[0]), first[1] + part * (second[1] - first[1])
