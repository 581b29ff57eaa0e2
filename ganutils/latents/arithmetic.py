"""Sums of latents and of samples, laid out as the figure of Radford et al. 2016, section 6.3.2."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from ganutils import Error
from ganutils.files.container import File
from ganutils.files.kinds import CAPTIONS, IMAGES, Modality
from ganutils.latents import interpolation
from ganutils.latents.draw import latent_space, read_latents
from ganutils.latents.expressions import EQUALS, MINUS, PLUS, Term, parse
from ganutils.randomness import stream
from ganutils.samples import encoding, predicates
from ganutils.samples.predicates import Predicate, Values
from ganutils.samples.samples import Samples

NEIGHBORS = 8  # around the sum, at a distance of U(-JITTER, JITTER) in each coordinate
JITTER = 0.25
TENTH = 10
SHOWN = 5  # exemplars of a predicate in the figure; its mean is that of all
Layout = list[list[int | str | None]]


class Result(NamedTuple):
    """What gan-arith writes, a file of some kind, and what it says of it."""

    kind: str
    tensors: dict[str, np.ndarray]
    meta: dict[str, Any]
    messages: list[str]


class LabeledLatents:
    """Samples that terms choose from: `latents` [N, Z], and `values` [N] of their labels and attributes, by name."""

    def __init__(self, file: File):
        self.name = file.name
        self.latents = read_latents(file).reshape(-1, file.specs["latents"].shape[-1])
        self.prior = latent_space(file)[1]
        self.values: Values = Samples(file).values()

    def __len__(self) -> int:
        return len(self.latents)

    def terms(self, expression: str) -> list[Term]:
        """The terms of an expression about these samples."""
        if "[" in expression and not self.values:
            raise Error(f"{self.name}: its samples have no labels or attributes; add some with gan-label")
        try:
            terms = parse(expression, self.values)
        except Error as problem:
            raise Error(f"{self.name}: {problem}") from None
        for row in (row for term in terms for row in term.rows):
            if row >= len(self):
                raise Error(f"{self.name}: there is no row {row}; rows go from 0 to {len(self) - 1}")
        return terms

    def predicate(self, text: str) -> Predicate:
        """A predicate about these samples."""
        try:
            return predicates.parse(text, self.values)
        except Error as problem:
            raise Error(f"{self.name}: {problem}") from None

    def exemplars(self, term: Term, top: int) -> np.ndarray:
        """The rows of a term: those given, or the `top` that its predicate most surely holds for, equals by row.

        Fewer if it holds for fewer; Error if it holds for none.
        """
        if term.predicate is None:
            return np.array(term.rows)
        return self.matching(term)[:top]

    def drawn_exemplars(self, term: Term, top: int, seed: int, draw: int, at: int) -> np.ndarray:
        """The exemplars that another file of samples might have: the surest of a random tenth of those that match.

        draw, at   which draw, and which term of it
        """
        if term.predicate is None:
            raise Error(f"{self.name}: {term.text} always means the same samples; a score needs [predicates]")
        rows = self.matching(term)
        tenth = stream(seed, "exemplars", draw, at).permutation(len(rows))[: max(top, len(rows) // TENTH)]
        return rows[np.sort(tenth)[:top]]

    def matching(self, term: Term) -> np.ndarray:
        """The rows that the predicate of a term holds for, the surest first; Error if there are none."""
        assert term.predicate is not None
        value = term.predicate(self.values)
        order = np.argsort(-value, kind="stable")
        rows = order[value[order] > 0.5]
        if not len(rows):
            highest = f"highest: row {order[0]}, {value[order[0]]:.2f}"
            raise Error(
                f"{self.name}: {term.text} holds for none of the {len(self):,} samples ({highest}); sample more"
            )
        return rows


def add(vectors: np.ndarray, terms: Sequence[Term], exemplars: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """The mean of each term's exemplars, [terms, ...] of `vectors` [N, ...], and the sum of these by their signs."""
    means = np.stack([vectors[rows].mean(axis=0, dtype=np.float64) for rows in exemplars])
    return means, np.tensordot([term.sign for term in terms], means, 1)


def sum_of_terms(file: File, labeled: LabeledLatents, expression: str, top: int, seed: int, is_pixels: bool) -> Result:
    """The sum of an expression: latents, or with `is_pixels` samples; its exemplars, means and layout."""
    terms = labeled.terms(expression)
    exemplars = [labeled.exemplars(term, top) for term in terms]
    counts = [len(rows) for rows in shown(terms, exemplars)]
    messages = list(_chosen(labeled, terms, exemplars, top))
    if is_pixels:
        samples = added_samples(file)
        tensors = {samples.modality.tensor: sheet_of_samples(samples, terms, exemplars)}
        meta = {"layout": layout(terms, counts, 1), **encoding.kept(file.meta)}
        return Result("samples", tensors, meta, messages)
    tensors = {"latents": sheet_of_latents(labeled, terms, exemplars, seed)}
    if CAPTIONS in file:
        whole = Samples(file).captions
        assert whole is not None
        tensors[CAPTIONS] = whole[sources_of(terms, exemplars)]
    meta = {"layout": layout(terms, counts, NEIGHBORS + 1), "prior": labeled.prior}
    return Result("latents", tensors, meta, messages)


def shown(terms: Sequence[Term], exemplars: Sequence[np.ndarray]) -> list[np.ndarray]:
    """The exemplars of each term that stand in the figure: all that were given by row, and the first of a predicate."""
    pairs = zip(terms, exemplars, strict=True)
    return [rows if term.predicate is None else rows[:SHOWN] for term, rows in pairs]


def sheet_of_latents(
    labeled: LabeledLatents, terms: Sequence[Term], exemplars: Sequence[np.ndarray], seed: int
) -> np.ndarray:
    """float32 [K, Z]: the exemplars shown, the means of all, and a square of the sum and its neighbors."""
    means, total = add(labeled.latents, terms, exemplars)
    random = stream(seed, "neighbours")  # the name is part of the seed, and stays
    noise = random.uniform(-JITTER, JITTER, (NEIGHBORS + 1, len(total)))
    noise[NEIGHBORS // 2] = 0  # the middle of the square is the sum itself
    square = interpolation.inside(total + noise, labeled.prior)
    latents = np.concatenate([*(labeled.latents[rows] for rows in shown(terms, exemplars)), means, square])
    return interpolation.as_float32(latents, labeled.name)


def sources_of(terms: Sequence[Term], exemplars: Sequence[np.ndarray]) -> np.ndarray:
    """Whose captions the latents of `sheet_of_latents` have, int64 [K]: exemplars their own, means those of the first
    of theirs, and the sum and its neighbors those of the first that is added.
    """
    added = next((rows for term, rows in zip(terms, exemplars, strict=True) if term.sign > 0), exemplars[0])
    means = [rows[0] for rows in exemplars]
    return np.concatenate([*shown(terms, exemplars), means, np.full(NEIGHBORS + 1, added[0])]).astype(np.int64)


def added_samples(file: File) -> Samples:
    """The pictures or sounds of a file; Error if it has none."""
    samples = Samples(file)
    if not (samples.are_images or samples.are_sounds):
        raise Error(f"{file.name}: holds no pictures or sounds, whose pixels or waves could be added")
    return samples


def sheet_of_samples(samples: Samples, terms: Sequence[Term], exemplars: Sequence[np.ndarray]) -> np.ndarray:
    """[K, H, W, C] or [K, T, C]: the exemplars shown, the means of all, and the sum of pixels or waves."""
    means, total = add(samples.array, terms, exemplars)
    sums = [within_range(each, samples.modality) for each in (means, total[None])]
    return np.concatenate([*(samples.array[rows] for rows in shown(terms, exemplars)), *sums])


def within_range(levels: np.ndarray, modality: Modality) -> np.ndarray:
    """Sums of pictures as bytes, and of sounds as float32 in -1..1."""
    if modality is IMAGES:
        return levels.round().clip(0, 255).astype(np.uint8)
    return levels.clip(-1, 1).astype(np.float32)


def layout(terms: Sequence[Term], counts: Sequence[int], results: int) -> Layout:
    """The paper's figure 7: a column for each term, `counts` exemplars above their mean; signs; the result.

    Numbers are those of the samples as `sheet_of_latents` and `sheet_of_samples` order them; `results` is 9 (a square)
    or 1.
    """
    side = math.isqrt(results)
    height = max(max(counts) + 1, 3)
    columns: list[list[Any]] = []
    first, mean = 0, sum(counts)
    for at, (term, count) in enumerate(zip(terms, counts, strict=True)):
        if at or term.sign < 0:
            columns.append([None] * (height - 1) + [PLUS if term.sign > 0 else MINUS])
        numbers = range(first, first + count)
        columns.append([*[None] * (height - 1 - count), *numbers, mean + at])
        first += count
    columns.append([None] * (height - 1) + [EQUALS])
    result = mean + len(terms)
    for column in range(side):
        numbers = range(result + column, result + side * side, side)
        columns.append([*[None] * (height - side), *numbers])
    return [list(row) for row in zip(*columns, strict=True)]


def direction(labeled: LabeledLatents, predicate: str) -> Result:
    """The mean latent of the samples that the predicate holds for, less that of the others: [1, Z].

    Added to the latent of an average other sample it makes one that the predicate holds for (Larsen et al. 2016,
    section 4.2).
    """
    holds = labeled.predicate(predicate).holds(labeled.values)
    if holds.all() or not holds.any():
        count = f"{'all' if holds.all() else 'none'} of the {len(labeled):,} samples"
        raise Error(f"{labeled.name}: {predicate!r} holds for {count}; a direction needs some of both")
    there, here = (labeled.latents[rows].mean(axis=0, dtype=np.float64) for rows in (holds, ~holds))
    difference = interpolation.as_float32((there - here)[None], labeled.name)
    length = f"length {np.linalg.norm(difference):.2f}"
    message = f"from {(~holds).sum():,} samples to {holds.sum():,}, {length}"
    return Result("latents", {"latents": difference}, {"prior": labeled.prior, "names": [predicate]}, [message])


def _chosen(labeled: LabeledLatents, terms: Sequence[Term], exemplars: Sequence[np.ndarray], top: int) -> Iterator[str]:
    """Which samples the predicates chose, and how surely they hold."""
    for term, rows in zip(terms, exemplars, strict=True):
        if term.predicate is None:
            continue
        value = term.predicate(labeled.values)
        chosen = ", ".join(f"{row} ({value[row]:.2f})" for row in rows[:10])
        few = f"; it holds for only {len(rows)}" if len(rows) < top else ""
        yield f"{term.text}: rows {chosen}{', ...' if len(rows) > 10 else ''}{few}"
