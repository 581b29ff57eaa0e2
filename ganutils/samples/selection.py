"""Which samples of which sources: several sources become one collection, and some of its samples are selected."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from ganutils import Error, randomness
from ganutils.files import budget, lineage
from ganutils.files.container import CHUNK, Stream
from ganutils.files.kinds import BESIDE, CAPTIONS, Modality
from ganutils.samples import predicates
from ganutils.samples.captions import Captions, Joined
from ganutils.samples.samples import MOST_CLASSES
from ganutils.samples.sources.source import Source
from ganutils.samples.stacks import STACKED
from ganutils.sounds.about import SPECTROGRAM

DRAWN = 10_000  # toys at least, of which a limit is selected
SPARE = 32  # times the limit is drawn before a selection: four attributes have sixteen combinations


class Selection(NamedTuple):
    """Which samples to take.

    where    a predicate over classes and attributes
    classes  only these classes, numbered in this order
    relabel  one class for all, in place of those they have; the other fields are about these
    split    (from, to) in percent of the shuffled samples: parts that do not overlap share no sample; a split's name
             is for the sources
    limit    at most this many, chosen at random
    shuffle  in random order instead of the sources'
    seed     of everything random
    """

    where: str | None = None
    classes: Sequence[str] | None = None
    relabel: str | None = None
    split: tuple[float, float] | str | None = None
    limit: int | None = None
    shuffle: bool = False
    seed: int = 0

    @property
    def to_draw(self) -> int | None:
        """How many toys to draw, so that enough are left after the selection; None for as many as their row says."""
        selects = self.where is not None or self.classes or isinstance(self.split, tuple)
        return max(DRAWN, SPARE * self.limit) if self.limit and selects else self.limit


class Collection(NamedTuple):
    """Samples of several sources, one after the other, and what is known about each.

    starts           int64 [sources]: the row where each source begins
    labels, classes  int64 [total] and their names, or None and ()
    attributes       float32 [total, A] in 0..1, or None
    latents          float32 [total, Z], or None
    captions         uint8 [total, K, L], or None
    beside           the tensors beside the pictures (see kinds.BESIDE) that all sources have
    input_names      what the inputs show
    meta             metadata for the result
    notes            what the user should be told
    """

    sources: list[Source]
    starts: np.ndarray
    total: int
    labels: np.ndarray | None
    classes: tuple[str, ...]
    attributes: np.ndarray | None
    attribute_names: tuple[str, ...]
    latents: np.ndarray | None
    captions: Captions | None
    beside: tuple[str, ...]
    input_names: tuple[str, ...]
    meta: dict[str, Any]
    notes: tuple[str, ...]

    @property
    def modality(self) -> Modality:
        return self.sources[0].modality

    def source_of(self, rows: Any) -> Any:
        """The number of the source that a row, or each of several, comes from."""
        return np.searchsorted(self.starts, rows, "right") - 1

    @property
    def title(self) -> str:
        """The names of the sources."""
        return " and ".join(dict.fromkeys(source.name for source in self.sources))

    def name(self, row: int) -> str:
        """Of one sample, with its source's."""
        at = int(self.source_of(row))
        source, number = self.sources[at], int(row - self.starts[at])
        sample = source.names[number] if source.names else f"{source.modality.noun[:-1]} {number}"
        return sample if sample == source.name else f"{source.name}: {sample}"


# ----------------------------------------------------------------------------------------------- join


def join(sources: list[Source]) -> Collection:
    """One collection of all. Classes of the same name become one; a source without classes becomes a class."""
    _check_modalities(sources)
    notes = [note for source in sources for note in source.notes]
    labels, classes = _joined_labels(sources)
    names, attributes = _joined_attributes(sources)
    lost = sorted({name for source in sources for name in source.attribute_names} - set(names))
    if lost:
        notes.append(f"skipped attributes that not every source has: {', '.join(lost)}")
    beside = tuple(name for name in BESIDE if all(name in source.beside for source in sources))
    lone = [name for name in BESIDE if name not in beside and any(name in source.beside for source in sources)]
    meta = joined_meta(sources)
    if SPECTROGRAM not in meta and any(SPECTROGRAM in source.meta for source in sources):
        notes.append("not all pictures are spectrograms of one kind, so they cannot be made sounds again")
    if lone:
        notes.append(f"skipped {' and '.join(lone)}, which not every source has")
    captions = [source.captions for source in sources if source.captions is not None]
    if 0 < len(captions) < len(sources):
        notes.append("skipped captions, which not every source has")
    input_names = {source.input_names for source in sources}
    totals = [source.total for source in sources]
    return Collection(
        sources,
        np.cumsum([0, *totals[:-1]]),
        sum(totals),
        labels,
        classes,
        attributes,
        names,
        _joined_latents(sources),
        Joined(captions) if len(captions) == len(sources) else None,
        beside,
        input_names.pop() if "inputs" in beside and len(input_names) == 1 else (),
        meta,
        tuple(notes),
    )


def _check_modalities(sources: list[Source]) -> None:
    first = sources[0]
    for other in sources:
        if other.modality is not first.modality:
            raise Error(
                f"{first.name} holds {first.modality.noun}, and {other.name} holds {other.modality.noun}; "
                "write them to two files"
            )


def _joined_labels(sources: list[Source]) -> tuple[np.ndarray | None, tuple[str, ...]]:
    if len(sources) == 1:
        return sources[0].labels, sources[0].classes
    names = [
        source.classes if source.labels is not None else (class_name,)
        for source, class_name in zip(sources, _class_names(sources), strict=True)
    ]
    classes = tuple(dict.fromkeys(name for each in names for name in each))
    number = {name: label for label, name in enumerate(classes)}
    labels = []
    for source, each in zip(sources, names, strict=True):
        old = np.zeros(source.total, np.int64) if source.labels is None else source.labels
        labels.append(np.array([number[name] for name in each], np.int64)[old])
    return np.concatenate(labels), classes


def _class_names(sources: list[Source]) -> list[str]:
    """A name for each source as a class: its stem; with its folder, or a number, where that is taken."""
    stems = [source.stem for source in sources]
    names = [
        "/".join(os.path.abspath(source.name).split(os.sep)[-2:]) if stems.count(stem) > 1 else stem
        for source, stem in zip(sources, stems, strict=True)
    ]
    return [name if names.count(name) == 1 else f"{name} {row + 1}" for row, name in enumerate(names)]


def _joined_attributes(sources: list[Source]) -> tuple[tuple[str, ...], np.ndarray | None]:
    """The attributes that all sources have."""
    columns = [{name: at for at, name in enumerate(source.attribute_names)} for source in sources]
    shared = [name for name in columns[0] if all(name in each for each in columns)]
    if not shared:
        return (), None
    parts = [
        np.asarray(source.attributes)[:, [each[name] for name in shared]]
        for source, each in zip(sources, columns, strict=True)
    ]
    return tuple(shared), np.concatenate(parts)


def _joined_latents(sources: list[Source]) -> np.ndarray | None:
    """Latents, if all sources have some of one length."""
    latents = [source.latents for source in sources if source.latents is not None]
    is_whole = len(latents) == len(sources) and len({each.shape[1] for each in latents}) == 1
    return np.concatenate(latents) if is_whole else None


def joined_meta(sources: list[Source]) -> dict[str, Any]:
    """All that one source says; of several what holds of all, their licenses, and how they were made."""
    first, *others = sources
    shared = first.meta if not others else ("toy", SPECTROGRAM, STACKED)
    meta = {
        key: first.meta[key]
        for key in shared
        if key in first.meta and all(source.meta.get(key) == first.meta[key] for source in others)
    }
    licenses = dict.fromkeys(source.meta["license"] for source in sources if source.meta.get("license"))
    if licenses:
        meta["license"] = "; ".join(licenses)
    meta["lineage"] = lineage.merged(source.meta.get("lineage", []) for source in sources)
    return meta


# --------------------------------------------------------------------------------------------- select


def select(collection: Collection, selection: Selection, among: np.ndarray | None = None) -> np.ndarray:
    """The selected rows, int64 [n], ascending, where `among` (bool [total]) says yes; Error if there are none."""
    wanted = np.ones(collection.total, bool) if among is None else among.copy()
    if selection.where is not None:
        values = predicates.values(
            collection.labels, collection.classes, collection.attributes, collection.attribute_names
        )
        wanted &= predicates.parse(selection.where, values).holds(values)
        if not wanted.any():
            raise Error(f"--where {selection.where!r}: matches none of {collection.total:,} samples")
    if selection.classes:
        names = class_names(collection, selection)
        wanted &= np.isin(np.asarray(collection.labels), [collection.classes.index(name) for name in names])
        if not wanted.any():
            raise Error(f"--classes {','.join(names)}: none of {collection.total:,} samples is in these classes")
    rows = np.flatnonzero(wanted)
    if isinstance(selection.split, tuple):
        first, last = (round(len(rows) * percent / 100) for percent in selection.split)
        part = np.sort(shuffled(rows, selection.seed, "split")[first:last])
        if not len(part):
            raise Error(f"--split: that part of {len(rows):,} samples is empty; choose a larger one")
        rows = part
    if selection.limit is not None and selection.limit < len(rows):
        rows = np.sort(shuffled(rows, selection.seed, "limit")[: selection.limit])
    return rows


def class_names(collection: Collection, selection: Selection) -> tuple[str, ...]:
    """The classes of the result, in the order of their labels."""
    if not selection.classes:
        return collection.classes
    if collection.labels is None:
        raise Error("--classes: the source has no labels; use --where to select by attributes")
    names = (predicates.one_of(name, collection.classes, "class") for name in selection.classes)
    return tuple(dict.fromkeys(names))


def shuffled(rows: np.ndarray, seed: int, purpose: str) -> np.ndarray:
    """`rows` in an order that follows from the seed and the purpose."""
    return rows[randomness.stream(seed, purpose).permutation(len(rows))]


# ------------------------------------------------------------------------------------------ describe


def describe(
    collection: Collection, rows: np.ndarray, selection: Selection
) -> tuple[dict[str, np.ndarray | Stream], dict[str, Any]]:
    """Labels, attributes, latents and captions of `rows` as tensors, and the metadata of the result."""
    tensors: dict[str, np.ndarray | Stream] = {}
    meta = dict(collection.meta)
    if selection.relabel is not None:
        tensors["labels"], meta["classes"] = np.zeros(len(rows), np.int64), [selection.relabel]
    elif collection.labels is not None:
        classes = class_names(collection, selection)
        number = {name: label for label, name in enumerate(classes)}
        renumbered = np.array([number.get(name, -1) for name in collection.classes], np.int64)
        budget.check(collection.sources[0].name, len(classes), MOST_CLASSES, "classes", "take some with --classes")
        tensors["labels"], meta["classes"] = renumbered[collection.labels[rows]], list(classes)
    if collection.attributes is not None:
        tensors["attributes"] = collection.attributes[rows].astype(np.float32)
        meta["attributes"] = list(collection.attribute_names)
    if collection.latents is not None:
        tensors["latents"] = collection.latents[rows]
    if collection.captions is not None:
        tensors[CAPTIONS] = _stream(collection.captions, rows)
    return tensors, meta


def _stream(captions: Captions, rows: np.ndarray) -> Stream:
    """Captions of `rows`, uint8 [n, K, L]; they may be more than fit into memory."""
    _, *shape = captions.shape
    most = max(1, CHUNK // math.prod(shape))
    parts = (captions[rows[start : start + most]] for start in range(0, len(rows), most))
    return Stream((len(rows), *shape), np.dtype(np.uint8), parts)
