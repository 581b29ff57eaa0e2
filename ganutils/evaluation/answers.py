"""What a classifier should find in samples: what translators should keep of what they are given."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ganutils.evaluation import metrics
from ganutils.evaluation.extractors.extractor import Extractor
from ganutils.evaluation.translators import Direction, rows_of
from ganutils.samples.samples import Samples

MOST_NAMED = 100  # attributes that are looked for one by one
BY_DEFINITION = 0.9  # difference of an attribute's shares in two classes that tells them apart


class Answers(NamedTuple):
    """What the samples of a file have of what the extractor finds.

    finder       the extractor
    names        of classes or attributes
    columns      of `Extractor.find` that are about these
    true         bool [all of the file, names], whether a sample has it
    are_classes  of which a sample has one
    """

    finder: Extractor
    names: list[str]
    columns: list[int]
    true: np.ndarray
    are_classes: bool

    def kept(self, samples: np.ndarray, rows: slice | np.ndarray) -> dict[str, float]:
        """How well is found in each of `samples` what the one of the file in its row has, for each name."""
        assert self.finder.find is not None
        found = self.finder.find(samples)[:, self.columns]
        shares = metrics.kept(found, self.true[rows], self.are_classes)
        return dict(zip(self.names, map(float, shares), strict=True))


def answers_of(source: Samples, finder: Extractor, between: Direction | None) -> Answers | None:
    """What `finder` should find in the samples of `source`: its classes, or attributes; None if it cannot find these.

    Where samples are made of pictures of another class, attributes: but for those that tell the two apart.
    """
    found = list(finder.names)
    are_classes = between is None and not set(found).isdisjoint(source.classes)
    own = source.classes if are_classes else source.attribute_names if between is None else _shared(source, between)
    names = [name for name in found if name in own]
    if finder.find is None or not 0 < len(names) <= MOST_NAMED:
        return None
    if are_classes:
        assert source.labels is not None
        true = source.labels[:, None] == np.array([own.index(name) for name in names])
    else:
        assert source.attributes is not None
        true = source.attributes[:, [source.attribute_names.index(name) for name in names]] > 0.5
    return Answers(finder, names, [found.index(name) for name in names], true, are_classes)


def _shared(source: Samples, between: Direction) -> list[str]:
    """The attributes that are not nearly always there in one class and nearly never in the other."""
    if source.attributes is None:
        return []
    shares = [(source.attributes[rows_of(source, name)] > 0.5).mean(axis=0) for name in between]
    return [name for name, a, b in zip(source.attribute_names, *shares, strict=True) if abs(a - b) <= BY_DEFINITION]
