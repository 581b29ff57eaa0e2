"""Predicates over labels and attributes: `Smiling & ~Male`, `cat | hot air balloon`, `(7 | 1) & ~'T-shirt/top'`.

    predicate = both {"|" both}                  either
    both      = other {"&" other}                both
    other     = "~" other | "(" predicate ")" | name

A name is what stands between these signs, spaces and hyphens inside it included; one that has such a sign itself
stands in quotes. A predicate is worth a number from 0 (surely not) to 1 (surely): `&` is the smaller, `|` the
larger, `~x` is 1 - x. With true and false that is plain logic; with probabilities it ranks samples by
their weakest part, and whatever holds above 1/2 holds for the parts too (which products do not give).
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from ganutils import Error

Values = Mapping[str, np.ndarray]
Value = Callable[[Values], np.ndarray]

TOKEN = re.compile(
    r"""\s*(?:(?P<sign>[&|~()])|"(?P<double>[^"]*)"|'(?P<single>[^']*)'|(?P<name>[^&|~()\s][^&|~()]*))"""
)
DEPTH = 100  # brackets in brackets; more is not typed by a person


class Token(NamedTuple):
    text: str
    is_sign: bool
    at: int  # where it begins, counted from 1


class Predicate(NamedTuple):
    """A parsed predicate; `names` are those it speaks of."""

    text: str
    names: tuple[str, ...]
    value: Value

    def __call__(self, values: Values) -> np.ndarray:
        """How far it holds, float [N] in 0..1, given each name's values, [N] in 0..1."""
        return self.value(values)

    def holds(self, values: Values) -> np.ndarray:
        """Where it holds rather than not: bool [N]."""
        return self(values) > 0.5


def values(
    labels: np.ndarray | None, classes: Sequence[str], attributes: np.ndarray | None, attribute_names: Sequence[str]
) -> dict[str, np.ndarray]:
    """Each class's and attribute's values, float32 [N] in 0..1, of labels [N] and attributes [N, A].

    An attribute called as a class stands for it: it is the class's probability.
    """
    found = {} if labels is None else {name: (labels == at).astype(np.float32) for at, name in enumerate(classes)}
    if attributes is not None:
        found |= {name: attributes[:, at] for at, name in enumerate(attribute_names)}
    return found


def parse(text: str, known: Collection[str]) -> Predicate:
    """The predicate `text`, whose names are among `known`; Error says where it goes wrong, or the nearest names."""
    parser = _Parser(text, known)
    value = parser.either(0)
    if parser.token is not None:
        raise parser.wrong("& or | is wanted")
    return Predicate(text, tuple(dict.fromkeys(parser.names)), value)


def one_of(name: str, known: Collection[str], what: str) -> str:
    """`name` as `known` spells it (upper and lower case do not matter if that is clear); Error with the nearest."""
    if name in known:
        return name
    alike = [other for other in known if other.lower() == name.lower()]
    if len(alike) == 1:
        return alike[0]
    raise Error(f"{what} {name!r} is not known; {nearest(name, known)}")


def nearest(name: str, known: Collection[str]) -> str:
    """`did you mean A or B?` or, with nothing like it, what there is."""
    if not known:
        return "there are none"
    lower = {other.lower(): other for other in known}
    near = difflib.get_close_matches(name.lower(), lower, 3, 0.6)
    near += [key for key in lower if len(name) > 2 and name.lower() in key and key not in near][: 3 - len(near)]
    if near:
        return f"did you mean {' or '.join(lower[key] for key in near)}?"
    some = list(known)[:50]
    return f"known are {', '.join(some)}{', ...' if len(known) > len(some) else ''}"


class _Parser:
    def __init__(self, text: str, known: Collection[str]):
        self.text, self.known, self.names = text, known, list[str]()
        self.position = 0
        self.token = self._next()

    def either(self, depth: int) -> Value:
        value = self.both(depth)
        while self._took("|"):
            value = _combined(np.maximum, value, self.both(depth))
        return value

    def both(self, depth: int) -> Value:
        value = self.other(depth)
        while self._took("&"):
            value = _combined(np.minimum, value, self.other(depth))
        return value

    def other(self, depth: int) -> Value:
        if depth > DEPTH:
            raise self.wrong("brackets and ~ are too deep")
        if self._took("~"):
            inner = self.other(depth + 1)
            return lambda values: 1 - inner(values)
        if self._took("("):
            inner = self.either(depth + 1)
            if not self._took(")"):
                raise self.wrong("& or | or ) is wanted")
            return inner
        if self.token is None or self.token.is_sign:
            raise self.wrong("a name, ~ or ( is wanted")
        name = one_of(self.token.text, self.known, "label or attribute")
        self.names.append(name)
        self.token = self._next()
        return lambda values: np.asarray(values[name])

    def wrong(self, wanted: str) -> Error:
        where = f"at {self.token.text!r} (character {self.token.at})" if self.token else "at its end"
        return Error(f"predicate {self.text!r}: {where} {wanted}")

    def _took(self, sign: str) -> bool:
        if self.token is None or not self.token.is_sign or self.token.text != sign:
            return False
        self.token = self._next()
        return True

    def _next(self) -> Token | None:
        if not self.text[self.position :].strip():
            return None
        match = TOKEN.match(self.text, self.position)
        assert match, "a name is whatever is not a sign"
        self.position = match.end()
        kind = match.lastgroup or ""
        return Token(match[kind].strip(), kind == "sign", match.start(kind) + 1)


def _combined(combine: np.ufunc, left: Value, right: Value) -> Value:
    return lambda values: combine(left(values), right(values))
