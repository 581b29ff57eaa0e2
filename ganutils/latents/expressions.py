"""Sums of latents, `[Smiling & ~Male] - [~Smiling & ~Male] + [~Smiling & Male]` (Radford et al. 2016, section 6.3.2).

    expression = ["+" | "-"] term {("+" | "-") term}
    term       = "[" predicate "]" | rows             rows as 3,17,40-43; between numbers a - without spaces is a range

A term is the mean of a few exemplars; a sum of single ones is unstable. NumPy only.
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
           |(?P<rows>\d+(?:-\d+)?(?:\s*,\s*\d+(?:-\d+)?)*))\s*""",
    re.ASCII | re.VERBOSE,
)
MOST_NAMES = 10  # in a predicate, all of whose cases are tried


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
