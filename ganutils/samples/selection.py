"""Which samples of which sources: several become one set, and some of it are chosen."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from ganutils import Error, randomness
from ganutils.samples import predicates
from ganutils.samples.sources.source import Source

DRAWN = 10_000  # toys where no limit is given
SPARE = 32  # times the limit is drawn where some are chosen: four attributes have sixteen combinations


class Selection(NamedTuple):
    """Which samples are wanted.

    where    a predicate over classes and attributes
    classes  these only, numbered anew in this order
    split    (from, to) in percent of these, mixed: parts that do not overlap share no sample (a name is for sources)
    limit    so many of what is left, chosen at random
    shuffle  in random order, not the sources'
    seed     of all that is random
    """

    where: str | None = None
    classes: Sequence[str] | None = None
    split: tuple[float, float] | str | None = None
    limit: int | None = None
    shuffle: bool = False
    seed: int = 0

    @property
    def to_draw(self) -> int:
        """How many toys to draw, so that enough are left where some are chosen."""
        is_choosy = self.where is not None or self.classes or isinstance(self.split, tuple)
        return max(DRAWN, SPARE * self.limit) if self.limit and is_choosy else self.limit or DRAWN


class Joined(NamedTuple):
    """Samples of several sources, one after the other, and what is known of each."""

    sources: list[Source]
    starts: np.ndarray  # int64 [sources]: the row where each begins
    total: int
    labels: np.ndarray | None
    classes: tuple[str, ...]
    attributes: np.ndarray | None
    attribute_names: tuple[str, ...]
    latents: np.ndarray | None
    meta: dict[str, Any]
    notes: tuple[str, ...]


# ----------------------------------------------------------------------------------------------- join


def join(sources: list[Source]) -> Joined:
    """One set of all; classes of the same name are one, and a source without classes becomes one beside the others."""
    totals = [source.total for source in sources]
    if len({source.points is None for source in sources}) > 1:
        raise Error(f"{sources[0].name} and others: points and pictures do not go into one file; make two")
    notes = [note for source in sources for note in source.notes]
    labels, classes = _labels(sources)
    shared = [n for n in sources[0].attribute_names if all(n in source.attribute_names for source in sources)]
    lost = sorted({name for source in sources for name in source.attribute_names} - set(shared))
    if lost:
        notes.append(f"left out, since not every source has them: {', '.join(lost)}")
    columns = [[source.attribute_names.index(name) for name in shared] for source in sources]
    attributes = [
        source.attributes[:, at] for source, at in zip(sources, columns, strict=True) if source.attributes is not None
    ]
    latents = [source.latents for source in sources if source.latents is not None]
    have_latents = len(latents) == len(sources) and len({each.shape[1] for each in latents}) == 1
    return Joined(
        sources,
        np.cumsum([0, *totals[:-1]]),
        sum(totals),
        labels,
        classes,
        np.concatenate(attributes) if shared else None,
        tuple(shared),
        np.concatenate(latents) if have_latents else None,
        _meta(sources),
        tuple(notes),
    )


def _labels(sources: list[Source]) -> tuple[np.ndarray | None, tuple[str, ...]]:
    if len(sources) == 1:
        return sources[0].labels, sources[0].classes
    own = _own_names(sources)
    names = [
        source.classes if source.labels is not None else (name,) for source, name in zip(sources, own, strict=True)
    ]
    classes = tuple(dict.fromkeys(name for each in names for name in each))
    number = {name: label for label, name in enumerate(classes)}
    labels = []
    for source, each in zip(sources, names, strict=True):
        own_labels = np.zeros(source.total, np.int64) if source.labels is None else source.labels
        labels.append(np.array([number[name] for name in each], np.int64)[own_labels])
    return np.concatenate(labels), classes


def _own_names(sources: list[Source]) -> list[str]:
    """A name for each source that could be a class; those of the same name get their folder too, or a number."""
    stems = [source.stem for source in sources]
    longer = [
        "/".join(os.path.abspath(s.name).split(os.sep)[-2:]) if stems.count(s.stem) > 1 else s.stem for s in sources
    ]
    return [name if longer.count(name) == 1 else f"{name} {row + 1}" for row, name in enumerate(longer)]


def _meta(sources: list[Source]) -> dict[str, Any]:
    meta = dict(sources[0].meta) if len(sources) == 1 else {}
    licenses = dict.fromkeys(source.meta["license"] for source in sources if "license" in source.meta)
    if licenses:
        meta["license"] = "; ".join(licenses)
    meta["lineage"] = [line for source in sources for line in source.meta.get("lineage", [])]
    return meta


# --------------------------------------------------------------------------------------------- choose


def select(whole: Joined, choice: Selection) -> np.ndarray:
    """int64 [n], the rows that are wanted, going up."""
    wanted = np.ones(whole.total, bool)
    if choice.where is not None:
        values = predicates.values(whole.labels, whole.classes, whole.attributes, whole.attribute_names)
        wanted &= predicates.parse(choice.where, values).holds(values)
        if not wanted.any():
            raise Error(f"--where {choice.where!r}: nothing is so among {whole.total:,} samples")
    if choice.classes:
        wanted &= np.isin(np.asarray(whole.labels), [whole.classes.index(name) for name in class_names(whole, choice)])
        if not wanted.any():
            raise Error("--classes: no sample is of these classes")
    rows = np.flatnonzero(wanted)
    if isinstance(choice.split, tuple):
        first, last = (round(len(rows) * percent / 100) for percent in choice.split)
        rows = np.sort(shuffled(rows, choice.seed, "split")[first:last])
        if not len(rows):
            raise Error(f"--split: no sample lies in that part of {wanted.sum():,}")
    if choice.limit is not None and choice.limit < len(rows):
        rows = np.sort(shuffled(rows, choice.seed, "limit")[: choice.limit])
    return rows


def class_names(whole: Joined, choice: Selection) -> tuple[str, ...]:
    """The classes of the result, in the order of their labels."""
    if not choice.classes:
        return whole.classes
    if whole.labels is None:
        raise Error("--classes: the source has no labels; --where chooses by attributes")
    return tuple(dict.fromkeys(predicates.one_of(name, whole.classes, "class") for name in choice.classes))


def shuffled(rows: np.ndarray, seed: int, purpose: str) -> np.ndarray:
    """`rows` in an order of the seed's own for that purpose."""
    return rows[randomness.stream(seed, purpose).permutation(len(rows))]


# ------------------------------------------------------------------------------------------ describe


def describe(whole: Joined, rows: np.ndarray, choice: Selection) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Labels, attributes and latents of the rows, and what they mean."""
    tensors: dict[str, np.ndarray] = {}
    meta = dict(whole.meta)
    if whole.labels is not None:
        classes = class_names(whole, choice)
        number = {name: label for label, name in enumerate(classes)}
        again = np.array([number.get(name, -1) for name in whole.classes], np.int64)
        tensors["labels"], meta["classes"] = again[whole.labels[rows]], list(classes)
    if whole.attributes is not None:
        tensors["attributes"] = whole.attributes[rows].astype(np.float32)
        meta["attributes"] = list(whole.attribute_names)
    if whole.latents is not None:
        tensors["latents"] = whole.latents[rows]
    return tensors, meta
