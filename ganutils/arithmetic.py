"""Sums of latents, `[Smiling & ~Male] - [~Smiling & ~Male] + [~Smiling & Male]` (Radford et al. 2016, section 6.3.2).

    expression = ["+" | "-"] term {("+" | "-") term}
    term       = "[" predicate "]" | rows             rows as 3,17,40-43; between numbers a - without spaces is a range

A term is the mean of a few exemplars; a sum of single ones is unstable. NumPy only.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Collection, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from ganutils import Error, latents, predicates, runs, walks
from ganutils.files import File
from ganutils.predicates import Predicate, Values
from ganutils.randomness import stream

MINUS, PLUS, EQUALS = "\N{MINUS SIGN}", "+", "="
SIGN = re.compile(rf"\s*([-+{MINUS}])")
TERM = re.compile(
    r"""\s*(?:\[(?P<predicate>(?:"[^"]*"|'[^']*'|[^]"'])*)\]
           |(?P<rows>\d+(?:-\d+)?(?:\s*,\s*\d+(?:-\d+)?)*))\s*""",
    re.ASCII | re.VERBOSE,
)
NEIGHBOURS = 8  # around the sum, at a distance of U(-JITTER, JITTER) in each coordinate
JITTER = 0.25
TENTH = 10
MOST_NAMES = 10  # in a predicate, all of whose cases are tried

Layout = list[list[int | str | None]]
Found = tuple[str, dict[str, np.ndarray], dict[str, Any], list[str]]  # kind, tensors, metadata, what is said of it


class Term(NamedTuple):
    """`sign` times the mean of exemplars: of `rows`, or of samples of which `predicate` holds."""

    sign: int
    text: str
    rows: list[int]
    predicate: Predicate | None


def parse(text: str, known: Collection[str]) -> list[Term]:
    """The terms of an expression whose predicates speak of the `known` labels and attributes; Error if it is none."""
    terms: list[Term] = []
    at = 0
    while at < len(text) or not terms:
        sign = SIGN.match(text, at)
        if sign is None and terms:
            raise Error(f"expression {text!r}: at {text[at:]!r} + or - is wanted")
        at = sign.end() if sign else at
        term = TERM.match(text, at)
        if term is None:
            where = f"at {text[at:].strip()!r}" if text[at:].strip() else "at its end"
            raise Error(f"expression {text!r}: {where} a [predicate] or rows as 3,17,40 are wanted")
        at = term.end()
        inner = term["predicate"]
        predicate = None if inner is None else predicates.parse(inner, known)
        rows = _numbers(term["rows"]) if inner is None else []
        terms.append(Term(-1 if sign and sign[1] != "+" else 1, term[0].strip(), rows, predicate))
    return terms


def _numbers(text: str) -> list[int]:
    rows: list[int] = []
    for part in text.split(","):
        first, _, last = part.strip().partition("-")
        if int(last or first) < int(first) or int(last or first) - int(first) >= 1_000_000:
            raise Error(f"{part.strip()!r} is not a range that goes up, by at most a million")
        rows += range(int(first), int(last or first) + 1)
    return rows


# ---------------------------------------------------------------------------------------- the samples


class Labelled:
    """The samples of a file that terms are about: `values` of their labels and attributes [N], `latents` [N, Z]."""

    def __init__(self, file: File):
        self.name = file.name
        self.latents = latents.of(file).reshape(-1, file.specs["latents"].shape[-1])
        self.prior = latents.space(file)[1]
        self.values: Values = values_of(file)

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


def values_of(file: File) -> dict[str, np.ndarray]:
    """Values [N] in 0..1 of the labels and attributes of a file of samples; {} if it has neither."""
    labels = attributes = None
    classes: list[str] = []
    names: list[str] = []
    if "labels" in file:
        labels = file["labels"].reshape(-1)
        classes = [str(name) for name in file.meta.get("classes") or range(runs.classes_of(file))]
    if "attributes" in file:
        attributes = file["attributes"].reshape(-1, file.specs["attributes"].shape[-1])
        names = [str(name) for name in file.meta.get("attributes") or range(attributes.shape[1])]
    return predicates.values(labels, classes, attributes, names)


# --------------------------------------------------------------------------------------------- sums


def summed(
    vectors: np.ndarray, terms: Sequence[Term], exemplars: Sequence[np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """The mean of each term's exemplars, [terms, ...] of `vectors` [N, ...], and the sum of these by their signs."""
    means = np.stack([vectors[rows].mean(axis=0, dtype=np.float64) for rows in exemplars])
    return means, np.tensordot([term.sign for term in terms], means, 1)


def inside(sums: np.ndarray, prior: str) -> np.ndarray:
    """Sums of latents where the prior has its mass: for a uniform one in its cube."""
    return walks.inside(sums, prior)


def of_latents(whole: Labelled, terms: Sequence[Term], exemplars: Sequence[np.ndarray], seed: int) -> np.ndarray:
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
    return runs.flat(file)


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


def figure(file: File, whole: Labelled, text: str, top: int, seed: int, is_pixels: bool) -> Found:
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


def direction(whole: Labelled, text: str) -> Found:
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


# -------------------------------------------------------------------------------------------- targets


def target(terms: Sequence[Term]) -> dict[str, bool]:
    """What the sum should have: for A - B + C what C has, changed as A differs from B; {} if that cannot be said.

    Each name that a predicate decides counts 1 or 0, and the signs add these up: `[smiling] - [~smiling] + [~smiling &
    hat]` gives 1 - 0 + 0, smiling. What terms leave open must cancel: as here whether those with and without a smile
    have hats.
    """
    decided = [_decided(term.predicate) for term in terms]
    if sum(term.sign for term in terms) != 1 or None in decided:
        return {}
    names = dict.fromkeys(name for has in decided for name in has or {})
    found = {}
    for name in names:
        stated = [(term.sign, has[name]) for term, has in zip(terms, decided, strict=True) if has and name in has]
        if sum(sign for sign, _ in stated) == 1:
            found[name] = sum(sign * has for sign, has in stated) > 0
    return found


def _decided(predicate: Predicate | None) -> dict[str, bool] | None:
    """The names whose truth follows where the predicate holds; None if it says more than that, or is none."""
    if predicate is None or len(predicate.names) > MOST_NAMES:
        return None
    cases = np.array(list(itertools.product((0.0, 1.0), repeat=len(predicate.names))))
    cases = cases[predicate.holds({name: cases[:, at] for at, name in enumerate(predicate.names)})]
    fixed = [at for at in range(cases.shape[1]) if len(cases) and (cases[:, at] == cases[0, at]).all()]
    if len(cases) != 2 ** (cases.shape[1] - len(fixed)):
        return None
    return {predicate.names[at]: bool(cases[0, at]) for at in fixed}


def written(wanted: dict[str, bool]) -> str:
    """A target as a predicate."""
    return " & ".join(("" if has else "~") + _quoted(name) for name, has in wanted.items())


def _quoted(name: str) -> str:
    return f'"{name}"' if re.search(r"[&|~()']", name) or name[:1] == '"' else name


def _told(terms: Sequence[Term], exemplars: Sequence[np.ndarray], whole: Labelled, top: int) -> Iterator[str]:
    """Which samples the terms took."""
    for term, rows in zip(terms, exemplars, strict=True):
        if term.predicate is None:
            continue
        sure = ", ".join(f"{row} ({term.predicate(whole.values)[row]:.2f})" for row in rows[:10])
        few = f"; it is so of no more than {len(rows)}" if len(rows) < top else ""
        yield f"{term.text}: rows {sure}{', ...' if len(rows) > 10 else ''}{few}"
