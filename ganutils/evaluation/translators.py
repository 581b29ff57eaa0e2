"""Translators, and what they are given: REAL's inputs, or its pictures of the class that they do not go to."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ganutils import Error
from ganutils.evaluation import metrics
from ganutils.files import container
from ganutils.files.container import File
from ganutils.files.npy import in_color
from ganutils.runs import checkpoints
from ganutils.runs.config import Config
from ganutils.runs.descriptions import NONE, Arrays, Descriptions, of_checkpoint
from ganutils.samples.samples import Samples, check_shape

if TYPE_CHECKING:
    from torch import nn


class Direction(NamedTuple):
    """Which way translators between two classes are looked at: from pictures of `start` to those of `goal`."""

    start: str
    goal: str

    @property
    def reversed(self) -> Direction:
        return Direction(self.goal, self.start)


class Given(NamedTuple):
    """Pictures uint8 [N, h, w, c] that a translator is given, and which rows of REAL's file they are of."""

    pictures: np.ndarray
    rows: slice | np.ndarray


def direction_of(paths: Sequence[str], to: str | None) -> Direction | None:
    """The direction that `to`, the name or number of a class, means for those of the files `paths` that translate
    between two classes; None if there is none. Without `to` they go to the second class of the first of them.

    Error if there is no such class, or if they translate between different ones.
    """
    between = {path: names for path in paths if (names := domains_in(path))}
    if not between:
        return None
    first, classes = next(iter(between.items()))
    for path, names in between.items():
        if {*names} != {*classes}:
            there, here = (" and ".join(map(repr, each)) for each in (names, classes))
            raise Error(f"{path}: translates between {there}, {first} between {here}; score them one by one")
    goal = checkpoints.class_number(first, classes, to) if to else 1
    return Direction(classes[1 - goal], classes[goal])


def domains_in(path: str) -> list[str]:
    """The classes that the checkpoint `path` translates between; none if it is another file, or a pipe."""
    if path == "-" or not os.path.isfile(path):
        return []
    with container.read(path) as file:
        return checkpoints.domains_of(file) if file.kind == "checkpoint" else []


def check_classes(real: Samples, direction: Direction) -> None:
    """Error unless `real` has enough pictures of both classes."""
    if real.labels is None:
        raise Error(
            f"{real.name}: has neither inputs nor labels; give pairs, or pictures of {direction.start!r} and "
            f"{direction.goal!r}"
        )
    for name in direction:
        if name not in real.classes:
            raise Error(f"{real.name}: has no class {name!r}; its classes are {', '.join(real.classes)}")
        if (count := len(rows_of(real, name))) < metrics.LEAST:
            raise Error(
                f"{real.name}: {count} pictures of class {name!r} are too few to score; {metrics.LEAST} are needed"
            )


def rows_of(real: Samples, name: str) -> np.ndarray:
    """The rows that are of the class of that name: int64."""
    return np.flatnonzero(real.labels == real.classes.index(name))


# ------------------------------------------------------------------------------------------------ what they take


def check_taken(path: str, config: Config, name: str, given: tuple[int, ...], made: tuple[int, ...]) -> None:
    """Error unless a translator of `config`, of the file `path`, takes pictures of the shape `given`, those of the file
    `name`, and makes some of the shape `made`.
    """
    assert config.inputs is not None
    h, w, c = given
    wanted = config.inputs[2]
    if c != wanted and (c, wanted) != (1, 3):
        channels = f"{wanted} channel{'s' * (wanted > 1)}"
        raise Error(
            f"{path}: takes inputs of {channels}, those of {name} have {c}; make them as those it was trained on"
        )
    check_shape(path, (h * config.scale, w * config.scale, config.shape[2]), name, made)


@dataclasses.dataclass(frozen=True)
class Translator:
    """The averaged generator of a checkpoint that makes pictures of pictures.

    name     of its file
    domains  the classes that it goes between; none if it goes one way
    """

    name: str
    generator: nn.Module
    config: Config
    domains: Sequence[str]
    descriptions: Descriptions = NONE

    def __call__(
        self,
        pictures: np.ndarray,
        goal: str | None = None,
        labels: np.ndarray | None = None,
        told: Arrays = MappingProxyType({}),
    ) -> np.ndarray:
        """What it makes of `pictures` uint8 [N, h, w, c]: of the class `goal` if it goes between two, of `labels` [N]
        if it has classes, and as it is `told` if it takes descriptions.
        """
        from ganutils.inference.translate import translate

        if self.domains:
            assert goal is not None
            labels = np.full(len(pictures), self.domains.index(goal))
        return np.concatenate(list(translate(self.generator, self.config, self.taken(pictures), labels, told=told)))

    def taken(self, pictures: np.ndarray) -> np.ndarray:
        """Gray `pictures` as color, if it takes color."""
        assert self.config.inputs is not None
        return in_color(pictures) if pictures.shape[-1] < self.config.inputs[2] else pictures

    def labels_of(self, real: Samples, rows: slice | np.ndarray) -> np.ndarray | None:
        """The labels of those rows of `real`, if it has classes."""
        return real.labels_of(self.config.classes)[rows] if self.config.classes else None

    def told(self, real: Samples, rows: slice | np.ndarray) -> Arrays:
        """The descriptions of those rows of `real`, if it takes some."""
        return self.descriptions.of_rows(real, rows, self.name).given


def load_translator(file: File, device: str) -> Translator:
    from ganutils.compute import devices
    from ganutils.networks.weights import load_generator

    generator, config = load_generator(file)
    place = devices.prepare(device, None, config.work)
    known = of_checkpoint(file.name, file.meta, config)
    return Translator(file.name, generator.to(place), config, checkpoints.domains_of(file), known)


# ------------------------------------------------------------------------------------------ a way back, by another


def check_back(path: str, real: Samples, direction: Direction | None) -> None:
    """Error unless the checkpoint `path` translates pictures like those of `real` back to what they were made from."""
    if path == "-":
        raise Error("standard input: --recover takes a checkpoint by its name, not from a pipe; save it")
    with container.read(path, "checkpoint") as file:
        config = checkpoints.config_of(file)
    if config.inputs is None:
        raise Error(f"{path}: makes samples from latents; --recover takes a translator")
    given = real.input_shape
    if given is None:
        if direction is None:
            raise Error(
                f"{real.name}: has no inputs that --recover {path} could lead to; leave --recover out, or give pairs"
            )
        given = real.shape
    back = (*given[:2], 3) if (given[2], config.shape[2]) == (1, 3) else given  # gray ones are compared as color
    check_taken(path, config, real.name, real.shape, back)


@dataclasses.dataclass(frozen=True)
class WayBack:
    """Another translator, which leads back: to the class `start` if it goes between two."""

    translator: Translator
    start: str | None

    def __call__(self, made: np.ndarray, real: Samples, rows: slice | np.ndarray) -> np.ndarray:
        way = self.translator
        return way(made, self.start, way.labels_of(real, rows), way.told(real, rows))


def open_back(path: str, direction: Direction | None, device: str) -> WayBack:
    with container.read(path, "checkpoint") as file:
        return WayBack(load_translator(file, device), direction and direction.start)
