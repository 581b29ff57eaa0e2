"""Sums of latents and of pixels, and the figure that shows them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from ganutils import Error
from ganutils.files.container import File
from ganutils.latents import interpolation
from ganutils.latents.draw import latent_space, read_latents
from ganutils.latents.expressions import EQUALS, MINUS, PLUS, Term, parse
from ganutils.randomness import stream
from ganutils.samples import predicates
from ganutils.samples.predicates import Predicate, Values
from ganutils.samples.samples import Samples

NEIGHBOURS = 8  # around the sum, at a distance of U(-JITTER, JITTER) in each coordinate
JITTER = 0.25
TENTH = 10
Layout = list[list[int | str | None]]
Found = tuple[str, dict[str, np.ndarray], dict[str, Any], list[str]]  # kind, tensors, metadata, what is said of it


class LabeledLatents:
    """The samples of a file that terms are about: `values` of their labels and attributes [N], `latents` [N, Z]."""

    def __init__(self, file: File):
        self.name = file.name
        self.latents = read_latents(file).reshape(-1, file.specs["latents"].shape[-1])
        self.prior = latent_space(file)[1]
        self.values: Values = Samples(file).values()

    def __len__(self) -> int:
        return len(self.latents)

    def terms(self, text: str) -> list[Term]:
        """The terms of an expression about these samples."""
        if "[" in text and not self.values:
            raise Error(f"{self.name}: its samples have no labels or attributes; gan-label gives them some")
        try:
            terms = parse(text, self.values)
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
        """The rows of a term: those given, or the `top` of which its predicate holds most surely, equals by row.

        Fewer if it holds of fewer; Error if of none.
        """
        if term.predicate is None:
            return np.array(term.rows)
        return self.holding(term)[:top]

    def drawn(self, term: Term, top: int, seed: int, draw: int, at: int) -> np.ndarray:
        """The exemplars that another file of samples might have: the surest of a random tenth of those that fit.

        draw, at   which draw, and which term of it
        """
        if term.predicate is None:
            raise Error(f"{self.name}: {term.text} are always the same samples; a score needs [predicates]")
        rows = self.holding(term)
        some = stream(seed, "exemplars", draw, at).permutation(len(rows))[: max(top, len(rows) // TENTH)]
        return rows[np.sort(some)[:top]]

    def holding(self, term: Term) -> np.ndarray:
        """The rows of which the predicate of a term holds, the surest first; Error if there are none."""
        assert term.predicate is not None
        sure = term.predicate(self.values)
        order = np.argsort(-sure, kind="stable")
        rows = order[sure[order] > 0.5]
        if not len(rows):
            what = f"of none of its {len(self):,} samples {term.text} is so"
            raise Error(f"{self.name}: {what} (the surest is row {order[0]}, {sure[order[0]]:.2f}); sample more")
        return rows


def summed(
    vectors: np.ndarray, terms: Sequence[Term], exemplars: Sequence[np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """The mean of each term's exemplars, [terms, ...] of `vectors` [N, ...], and the sum of these by their signs."""
    means = np.stack([vectors[rows].mean(axis=0, dtype=np.float64) for rows in exemplars])
    return means, np.tensordot([term.sign for term in terms], means, 1)


def inside(sums: np.ndarray, prior: str) -> np.ndarray:
    """Sums of latents where the prior has its mass: for a uniform one in its cube."""
    return interpolation.inside(sums, prior)


def of_latents(whole: LabeledLatents, terms: Sequence[Term], exemplars: Sequence[np.ndarray], seed: int) -> np.ndarray:
    """All latents of the figure, float32 [K, Z]: the exemplars of each term, the means, the sum and 8 neighbours."""
    means, total = summed(whole.latents, terms, exemplars)
    noise = stream(seed, "neighbours").uniform(-JITTER, JITTER, (NEIGHBOURS + 1, len(total)))
    noise[NEIGHBOURS // 2] = 0  # the middle of the grid is the sum itself
    near = inside(total + noise, whole.prior)
    return np.concatenate([*(whole.latents[rows] for rows in exemplars), means, near]).astype(np.float32)


def images(file: File) -> np.ndarray:
    """The pictures of a file, uint8 [N, H, W, C]; Error if it has none."""
    if "images" not in file:
        raise Error(f"{file.name}: holds no pictures, whose pixels could be added")
    return Samples(file).array


def of_pixels(images: np.ndarray, terms: Sequence[Term], exemplars: Sequence[np.ndarray]) -> np.ndarray:
    """All pictures of the figure, uint8 [K, H, W, C]: the exemplars of each term, the means, and the sum of pixels."""
    means, total = summed(images, terms, exemplars)
    return np.concatenate([*(images[rows] for rows in exemplars), to_bytes(means), to_bytes(total)[None]])


def to_bytes(levels: np.ndarray) -> np.ndarray:
    return levels.round().clip(0, 255).astype(np.uint8)


def layout(terms: Sequence[Term], counts: Sequence[int], results: int) -> Layout:
    """The paper's figure 7: a column for each term, `counts` exemplars above their mean; signs; the result.

    Numbers are those of the samples as `of_latents` and `of_pixels` put them; `results` is 9 (a square) or 1.
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


def figure(file: File, whole: LabeledLatents, text: str, top: int, seed: int, is_pixels: bool) -> Found:
    """The sum of an expression: latents, or with `is_pixels` pictures, and their layout."""
    terms = whole.terms(text)
    exemplars = [whole.exemplars(term, top) for term in terms]
    counts = [len(rows) for rows in exemplars]
    said = list(_told(terms, exemplars, whole, top))
    if is_pixels:
        tensors = {"images": of_pixels(images(file), terms, exemplars)}
        return "samples", tensors, {"layout": layout(terms, counts, 1)}, said
    tensors = {"latents": of_latents(whole, terms, exemplars, seed)}
    return "latents", tensors, {"layout": layout(terms, counts, NEIGHBOURS + 1), "prior": whole.prior}, said


def direction(whole: LabeledLatents, text: str) -> Found:
    """The mean latent of the samples of which the predicate `text` holds less that of the others, [1, Z].

    Added to a latent it makes of an average other sample one of which it holds (Larsen et al. 2016, section 4.2).
    """
    holds = whole.predicate(text).holds(whole.values)
    if holds.all() or not holds.any():
        what = f"{text!r} is so of {'all' if holds.all() else 'none'} of its {len(whole):,} samples"
        raise Error(f"{whole.name}: {what}; a direction needs some of both")
    there, here = (whole.latents[rows].mean(axis=0, dtype=np.float64) for rows in (holds, ~holds))
    way = (there - here)[None].astype(np.float32)
    said = f"from {(~holds).sum():,} samples to {holds.sum():,}; its length is {np.linalg.norm(way):.2f}"
    return "latents", {"latents": way}, {"prior": whole.prior}, [said]


def _told(terms: Sequence[Term], exemplars: Sequence[np.ndarray], whole: LabeledLatents, top: int) -> Iterator[str]:
    """Which samples the terms took."""
    for term, rows in zip(terms, exemplars, strict=True):
        if term.predicate is None:
            continue
        sure = ", ".join(f"{row} ({term.predicate(whole.values)[row]:.2f})" for row in rows[:10])
        few = f"; it is so of no more than {len(rows)}" if len(rows) < top else ""
        yield f"{term.text}: rows {sure}{', ...' if len(rows) > 10 else ''}{few}"
