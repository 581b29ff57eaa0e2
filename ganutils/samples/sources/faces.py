"""toy:faces: drawn faces whose attributes are known exactly, so that face arithmetic can be shown and scored offline.

Smiling, glasses, moustache and hat are present or absent, independently and with probability 1/2; pose, how far the
head is turned, runs from 0 (left) through 1/2 (straight) to 1. Skin, hair, clothes, background and proportions vary
too, independently of the attributes. A face is made of twenty numbers, drawn larger than needed and then reduced, so
it is the same face at every size.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from PIL import Image

from ganutils import randomness
from ganutils.samples.images import Shape
from ganutils.samples.sources.drawing import Canvas, Color, Sketch, mixed, rendered, shaded
from ganutils.samples.sources.sentences import Picker
from ganutils.samples.sources.source import Request, Source

ATTRIBUTES = ("smiling", "glasses", "moustache", "hat", "pose")
NUMBERS = 20  # uniform numbers a face is made of; the first five are its attributes

SKIN = ((255, 224, 196), (240, 194, 152), (214, 158, 110), (160, 106, 70), (102, 66, 46))
HAIR = ((28, 24, 24), (70, 44, 28), (122, 80, 44), (206, 164, 88), (150, 66, 36), (150, 150, 152))
GROUND = ((150, 190, 214), (176, 204, 170), (222, 196, 170), (190, 178, 210), (206, 210, 214))
CLOTH = ((52, 84, 140), (140, 58, 58), (62, 110, 84), (90, 80, 110), (200, 170, 80))
HATS = ((58, 62, 92), (134, 50, 56), (44, 90, 76), (96, 70, 46))


def open_faces(request: Request) -> list[Source]:
    """Faces of a seed; a larger count only adds faces."""
    from ganutils.samples.sources import portraits  # which knows the palettes here

    count = request.toys
    numbers = randomness.stream(request.options.seed, "toy", "faces").random((count, NUMBERS))
    about: dict[str, Any] = {
        "attributes": attributes_of(numbers),
        "attribute_names": ATTRIBUTES,
        "meta": request.meta,
        "sketch": sketch,
        "describe": lambda row, random: portraits.describe(numbers[row], Picker(random)),
    }
    return [Source(request.name, count, lambda row: numbers[row], draw, **about)]


def attributes_of(numbers: np.ndarray) -> np.ndarray:
    """float32 [N, A] in 0..1, of the faces' numbers."""
    attributes = numbers[:, :5].astype(np.float32)
    attributes[:, :4] = numbers[:, :4] < 0.5
    return attributes


def draw(numbers: np.ndarray, shape: Shape) -> np.ndarray:
    """uint8 [H, W, C] of a face."""
    return Face(numbers).painted(shape)


def sketch(numbers: np.ndarray, shape: Shape, is_colored: bool) -> np.ndarray:
    """uint8 [H, W, 1] of the same face drawn with a black pen, or [H, W, 3] with pens in its colors."""
    return Face(numbers).sketched(shape, is_colored)


class Face:
    """What a face looks like, and how it is drawn."""

    on: Canvas

    def __init__(self, numbers: np.ndarray):
        n = [float(number) for number in numbers]
        self.smiling, self.glasses, self.moustache, self.hat = (number < 0.5 for number in n[:4])
        self.turn = 2 * n[4] - 1  # -1 to the left, 1 to the right
        self.skin, self.hair = mixed(SKIN, n[5]), mixed(HAIR, n[6])
        self.ground, self.cloth, self.felt = mixed(GROUND, n[7]), mixed(CLOTH, n[8]), mixed(HATS, n[9])
        self.half_w, self.half_h = 0.235 + 0.04 * n[10], 0.30 + 0.03 * n[11]
        self.x, self.y = 0.5 + 0.03 * (n[12] - 0.5), 0.53 + 0.03 * (n[13] - 0.5)
        self.eye, self.brow, self.mouth, self.long = n[14], n[15], n[16], n[17] < 0.4
        self.shift = self.turn * 0.085  # how far eyes, nose and mouth move when the head turns

    def painted(self, shape: Shape) -> np.ndarray:
        """uint8 [H, W, C]."""
        return rendered(lambda side: self.drawn(Canvas(side, self.ground)), shape)

    def sketched(self, shape: Shape, is_colored: bool) -> np.ndarray:
        """uint8 [H, W, 1], drawn with a black pen, or [H, W, 3] with pens in its colors."""
        shape = shape._replace(channels=3 if is_colored else 1)
        return rendered(lambda side: self.drawn(Sketch(side, self.ground, is_colored)), shape)

    def drawn(self, on: Canvas) -> Image.Image:
        """All of it, on that canvas."""
        self.on = on
        self._draw()
        return on.image

    def hat_alone(self, on: Canvas) -> Image.Image:
        """Its hat in the middle, from the front."""
        self.on, self.shift, self.x, self.y = on, 0.0, 0.5, 0.584 + 0.62 * self.half_h
        self._hat()
        return on.image

    def _draw(self) -> None:
        """From back to front."""
        self._hair_behind()
        self._body()
        self._head()
        self._eyes()
        self._nose()
        self._mouth()
        if self.moustache:
            self._moustache()
        if self.glasses:
            self._glasses()
        if self.hat:
            self._hat()

    # -- parts

    def _hair_behind(self) -> None:
        back = -0.25 * self.shift  # the back of the head turns the other way
        if self.long:
            self.on.oval(self.x + back, self.y + 0.06, self.half_w + 0.075, self.half_h + 0.09, self.hair)
        self.on.oval(self.x + back, self.y - 0.07, self.half_w + 0.05, self.half_h - 0.01, self.hair)

    def _body(self) -> None:
        self.on.oval(self.x, 1.08, 0.40, 0.24, self.cloth)
        neck = shaded(self.skin, 0.86)
        self.on.area([(self.x + dx, y) for dx, y in ((-0.09, 0.72), (0.09, 0.72), (0.11, 0.90), (-0.11, 0.90))], neck)
        self.on.oval(self.x, 0.895, 0.11, 0.045, neck)

    def _head(self) -> None:
        for sign in (-1, 1):  # the ear on the far side goes behind the head
            ear = self.x + sign * self.half_w * (1 - 0.25 * max(0.0, sign * self.turn)) - 0.3 * self.shift
            self.on.oval(ear, self.y + 0.02, 0.035, 0.06, shaded(self.skin, 0.92))
        self.on.oval(self.x, self.y, self.half_w, self.half_h, self.skin)
        top = self.y - self.half_h  # bangs: a flat oval of hair on the forehead
        self.on.oval(self.x - 0.3 * self.shift, top + 0.035, self.half_w * 0.86, 0.085, self.hair)

    def _across(self, offset: float) -> float:
        """x of a feature `offset` from the middle of the face: turning the head moves it and narrows the far side."""
        return self.x + self.shift + offset * (1 - 0.22 * max(0.0, self.turn * math.copysign(1, offset)))

    def _eyes(self) -> None:
        y, size = self.y - 0.035, 0.036 + 0.008 * self.eye
        for sign in (-1, 1):
            x = self._across(sign * 0.105)
            self.on.oval(x, y, size * 1.15, size * 0.8, (250, 250, 248))
            self.on.oval(x + 0.25 * self.shift, y, size * 0.6, size * 0.7, (36, 30, 34))
            self.on.oval(x + 0.25 * self.shift - size * 0.2, y - size * 0.25, size * 0.16, size * 0.16, (250, 250, 250))
            up = y - 0.062 - 0.012 * self.brow
            points = [(x - 0.05, up + 0.008), (x, up - 0.004), (x + 0.05, up + 0.008)]
            self.on.line(points, shaded(self.hair, 0.8), 0.016)

    def _nose(self) -> None:
        x, y = self._across(0) + 0.25 * self.shift, self.y + 0.062
        self.on.oval(x, y, 0.026, 0.022, shaded(self.skin, 0.80))
        self.on.line([(x, y - 0.07), (x + 0.012 * self.turn, y)], shaded(self.skin, 0.88), 0.012)

    def _mouth(self) -> None:
        x, y, half = self._across(0), self.y + 0.158, 0.082 + 0.016 * self.mouth
        half *= 1 - 0.12 * abs(self.turn)
        lips = shaded((176, 62, 66), 0.75 + 0.25 * self.skin[0] / 255)
        steps = [i / 8 - 1 for i in range(17)]  # -1 to 1, corner to corner
        if self.smiling:
            upper = [(x + half * t, y - 0.012 - 0.018 * t * t) for t in steps]
            lower = [(x + half * t, y - 0.03 + 0.085 * (1 - t * t)) for t in reversed(steps)]
            self.on.area(upper + lower, (252, 250, 246))
            self.on.line([*upper, *lower, upper[0]], lips, 0.014)
        else:
            self.on.line([(x + 0.8 * half * t, y + 0.006 * t * t) for t in steps], lips, 0.022)

    def _moustache(self) -> None:
        x, y, color = self._across(0), self.y + 0.108, self._moustache_color(self.hair)
        for sign in (-1, 1):
            far = self._across(sign * 0.11) - x
            points = [(x, y - 0.016), (x + far * 0.5, y - 0.022), (x + far, y + 0.026), (x + far * 0.5, y + 0.022)]
            self.on.area([*points, (x, y + 0.014)], color)
            self.on.oval(x + far * 0.42, y, 0.036, 0.022, color)

    def _moustache_color(self, hair: Color) -> Color:
        color = shaded(hair, 0.75)
        if sum(color) > 0.6 * sum(self.skin):  # or it could hardly be seen, and the attribute would be a guess
            return shaded(self.skin, 0.5)
        return color

    def _glasses(self) -> None:
        y, color = self.y - 0.035, (24, 24, 28)
        left, right = self._across(-0.105), self._across(0.105)
        for x in (left, right):
            self.on.oval(x, y, 0.078, 0.068, color, 0.017)
        self.on.line([(left + 0.07, y - 0.012), (right - 0.07, y - 0.012)], color, 0.016)
        edge = self.half_w * 0.97
        self.on.line([(left - 0.072, y - 0.008), (self.x - edge, y - 0.022)], color, 0.014)
        self.on.line([(right + 0.072, y - 0.008), (self.x + edge, y - 0.022)], color, 0.014)

    def _hat(self) -> None:
        x, brim = self.x - 0.1 * self.shift, self.y - self.half_h * 0.62
        crown = brim - 0.19
        self.on.oval(x, crown + 0.07, self.half_w * 0.88, 0.09, self.felt)
        sides = ((-0.88, crown + 0.07), (0.88, crown + 0.07), (0.98, brim), (-0.98, brim))
        self.on.area([(x + part * self.half_w, y) for part, y in sides], self.felt)
        band = ((-0.95, brim - 0.055), (0.95, brim - 0.055), (0.98, brim), (-0.98, brim))
        self.on.area([(x + part * self.half_w, y) for part, y in band], shaded(self.felt, 0.6))
        self.on.oval(x + 0.5 * self.shift, brim, self.half_w + 0.10, 0.042, shaded(self.felt, 0.85))
