"""Sums of latents, `[Smiling & ~Male] - [~Smiling & ~Male] + [~Smiling & Male]` (Radford et al. 2016, section 6.3.2).

    expression = ["+" | "-"] term {("+" | "-") term}
    term       = "[" predicate "]" | rows             rows like 3,17,40-43

Between numbers, a - without spaces makes a range. A term is the mean of a few exemplars; a sum of single ones is
unstable. NumPy only.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Collection, Sequence
from typing import NamedTuple

import numpy as np

from ganutils import Error
from ganutils.samples import predicates
from ganutils.samples.predicates import Predicate

MINUS, PLUS, EQUALS = "\N{MINUS SIGN}", "+", "="
SIGN = re.compile(rf"\s*([-+{MINUS}])")
TERM = re.compile(
    r"""\s*(?:\[(?P<predicate>(?:"[^"]*"|'[^']*'|[^]"'])*)\]
           |(?P<rows>\d{1,18}(?:-\d{1,18})?(?:\s*,\s*\d{1,18}(?:-\d{1,18})?)*))\s*""",
    re.ASCII | re.VERBOSE,
)
MOST_NAMES = 10  # in a predicate, all of whose cases are tried
MOST_ROWS = 1_000_000  # of a term
MOST_TERMS = 100


class Term(NamedTuple):
    """`sign` times the mean of exemplars: of `rows`, or of samples that `predicate` holds for."""

    sign: int
    text: str
    rows: list[int]
    predicate: Predicate | None


def parse(text: str, names: Collection[str]) -> list[Term]:
    """The terms of an expression whose predicates are about labels and attributes called `names`; Error if invalid."""
    terms: list[Term] = []
    at = 0
    while at < len(text) or not terms:
        sign = SIGN.match(text, at)
        if sign is None and terms:
            raise Error(f"expression {text!r}: expected + or - at {text[at:]!r}")
        at = sign.end() if sign else at
        term = TERM.match(text, at)
        if term is None:
            where = f"at {text[at:].strip()!r}" if text[at:].strip() else "at its end"
            raise Error(f"expression {text!r}: expected a [predicate] or rows like 3,17,40 {where}")
        at = term.end()
        inside = term["predicate"]
        predicate = None if inside is None else predicates.parse(inside, names)
        rows = _numbers(term["rows"]) if inside is None else []
        if len(terms) == MOST_TERMS:
            raise Error(f"expression {text[:100]!r}...: has more than {MOST_TERMS} terms")
        terms.append(Term(-1 if sign and sign[1] != "+" else 1, term[0].strip(), rows, predicate))
    return terms


def _numbers(text: str) -> list[int]:
    rows: list[int] = []
    for part in text.split(","):
        low, _, high = part.strip().partition("-")
        first, last = int(low), int(high or low)
        if last < first or len(rows) + last - first >= MOST_ROWS:
            raise Error(f"{part.strip()!r} is not a rising range, or the term has more than a million rows")
        rows += range(first, last + 1)
    return rows


def implied_target(terms: Sequence[Term]) -> dict[str, bool]:
    """What the sum should have: for A - B + C what C has, changed as A differs from B; {} if that cannot be known.

    Each name that a predicate decides counts 1 or 0, and the signs add these up: `[smiling] - [~smiling] + [~smiling &
    hat]` gives 1 - 0 + 0, smiling. What terms leave open must cancel: as here whether those with and without a smile
    have hats.
    """
    decided = [_decided(term.predicate) for term in terms]
    if sum(term.sign for term in terms) != 1 or None in decided:
        return {}
    target = {}
    for name in dict.fromkeys(name for truths in decided for name in truths or {}):
        stated = [
            (term.sign, truths[name]) for term, truths in zip(terms, decided, strict=True) if truths and name in truths
        ]
        if sum(sign for sign, _ in stated) == 1:
            target[name] = sum(sign * truth for sign, truth in stated) > 0
    return target


def _decided(predicate: Predicate | None) -> dict[str, bool] | None:
    """The names that must be true, or false, where the predicate holds.

    None if it is none, or ties names together (as `hat | smiling` does) so that this is not all it says.
    """
    if predicate is None or len(predicate.names) > MOST_NAMES:
        return None
    cases = np.array(list(itertools.product((0.0, 1.0), repeat=len(predicate.names))))
    cases = cases[predicate.holds({name: cases[:, at] for at, name in enumerate(predicate.names)})]
    fixed = [at for at in range(cases.shape[1]) if len(cases) and (cases[:, at] == cases[0, at]).all()]
    if len(cases) != 2 ** (cases.shape[1] - len(fixed)):
        return None
    return {predicate.names[at]: bool(cases[0, at]) for at in fixed}


def as_predicate(target: dict[str, bool]) -> str:
    """A target as the text of a predicate."""
    return " & ".join(("" if truth else "~") + _quoted(name) for name, truth in target.items())


def _quoted(name: str) -> str:
    return f'"{name}"' if re.search(r"[&|~()<>']", name) or name[:1] == '"' else name
