"""Predicates over classes and attributes: `Smiling & ~Male`, `cat | hot air balloon`, `(7 | 1) & ~'T-shirt/top'`.

    predicate = both {"|" both}                  either
    both      = other {"&" other}                both
    other     = "~" other | "(" predicate ")" | name [("<" | ">" | "<=" | ">=") number]

A name is whatever stands between these signs, including spaces and hyphens; a name that contains such a sign is
quoted. The value of a predicate is a number from 0 (false) to 1 (true): `&` is the minimum, `|` the maximum, `~x` is
1 - x, and a comparison is 0 or 1. With true and false that is plain logic; with probabilities it ranks samples by
their weakest part, and `a & b` is above 1/2 only where both are (products do not have that property).
"""

from __future__ import annotations

import difflib
import functools
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from ganutils import Error

Values = Mapping[str, np.ndarray]
Value = Callable[[Values], np.ndarray]

TOKEN = re.compile(
    r"""\s*(?:(?P<sign>[&|~()]|[<>]=?)|"(?P<double>[^"]*)"|'(?P<single>[^']*)'|(?P<name>[^&|~()<>\s][^&|~()<>]*))"""
)
NUMBER = re.compile(r"\d{0,9}\.?\d{1,9}", re.ASCII)
COMPARISONS = {"<": np.less, ">": np.greater, "<=": np.less_equal, ">=": np.greater_equal}
DEPTH = 100  # nested brackets; nobody types more


class Token(NamedTuple):
    text: str
    is_sign: bool
    at: int  # its first character, counted from 1


class Predicate(NamedTuple):
    """A parsed predicate; `names` are the classes and attributes in it."""

    text: str
    names: tuple[str, ...]
    value: Value

    def __call__(self, values: Values) -> np.ndarray:
        """Its value for each sample, float [N] in 0..1, given the values [N] of each name."""
        return self.value(values)

    def holds(self, values: Values) -> np.ndarray:
        """Where its value is above 1/2: bool [N]."""
        return self(values) > 0.5


def values(
    labels: np.ndarray | None, classes: Sequence[str], attributes: np.ndarray | None, attribute_names: Sequence[str]
) -> Values:
    """The values of each class and attribute, float32 [N] in 0..1, of labels [N] and attributes [N, A].

    An attribute with the name of a class replaces it: it is the probability of the class.
    """
    return _ValuesOf(labels, classes, attributes, attribute_names)


class _ValuesOf(Mapping[str, np.ndarray]):
    """Each is made when it is asked for: there may be more classes than samples."""

    def __init__(self, labels: Any, classes: Sequence[str], attributes: Any, attribute_names: Sequence[str]):
        self._labels, self._attributes = labels, attributes
        self._label_of = {} if labels is None else {name: at for at, name in enumerate(classes)}
        self._column_of = {} if attributes is None else {name: at for at, name in enumerate(attribute_names)}
        self._names = {**self._label_of, **self._column_of}

    def __getitem__(self, name: str) -> np.ndarray:
        if name in self._column_of:
            return np.asarray(self._attributes[:, self._column_of[name]])
        return np.asarray(self._labels == self._label_of[name], np.float32)

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


def parse(text: str, known: Collection[str]) -> Predicate:
    """Parse `text`, whose names must be among `known`; Error gives the place of a mistake, or the nearest names."""
    parser = _Parser(text, known)
    value = parser.either(0)
    if parser.token is not None:
        raise parser.wrong("expected & or |")
    return Predicate(text, tuple(dict.fromkeys(parser.names)), value)


def one_of(name: str, known: Collection[str], what: str) -> str:
    """`name` as `known` spells it, ignoring case if only one name then fits; Error with the nearest names."""
    if name in known:
        return name
    alike = [other for other in known if other.lower() == name.lower()]
    if len(alike) == 1:
        return alike[0]
    raise Error(f"{what} {name!r} is not known; {nearest(name, known)}")


def nearest(name: str, known: Collection[str]) -> str:
    """`did you mean A or B?` or, if nothing is similar, all names."""
    if not known:
        return "there are none"
    lower = {other.lower(): other for other in known}
    near = difflib.get_close_matches(name.lower(), lower, 3, 0.6)
    near += [key for key in lower if len(name) > 2 and name.lower() in key and key not in near][: 3 - len(near)]
    if near:
        return f"did you mean {' or '.join(lower[key] for key in near)}?"
    some = list(known)[:50]
    return f"choose from {', '.join(some)}{', ...' if len(known) > len(some) else ''}"


class _Parser:
    def __init__(self, text: str, known: Collection[str]):
        self.text, self.known, self.names = text, known, list[str]()
        self.position = 0
        self.token = self._next()

    def either(self, depth: int) -> Value:
        parts = [self.both(depth)]
        while self._took("|"):
            parts.append(self.both(depth))
        return _combined(np.maximum, parts)

    def both(self, depth: int) -> Value:
        parts = [self.other(depth)]
        while self._took("&"):
            parts.append(self.other(depth))
        return _combined(np.minimum, parts)

    def other(self, depth: int) -> Value:
        if depth > DEPTH:
            raise self.wrong("brackets and ~ are nested too deeply")
        if self._took("~"):
            inner = self.other(depth + 1)
            return lambda values: 1 - inner(values)
        if self._took("("):
            inner = self.either(depth + 1)
            if not self._took(")"):
                raise self.wrong("expected &, | or )")
            return inner
        if self.token is None or self.token.is_sign:
            raise self.wrong("expected a name, ~ or (")
        name = one_of(self.token.text, self.known, "class or attribute")
        self.names.append(name)
        self.token = self._next()
        if self.token is not None and self.token.is_sign and self.token.text in COMPARISONS:
            return self.comparison(name, COMPARISONS[self.token.text])
        return lambda values: np.asarray(values[name])

    def comparison(self, name: str, compare: np.ufunc) -> Value:
        self.token = self._next()
        if self.token is None or self.token.is_sign or not NUMBER.fullmatch(self.token.text):
            raise self.wrong("expected a number such as 0.65")
        number = np.float32(self.token.text)  # as attributes are, so that those of 0.65 are not above 0.65
        self.token = self._next()
        return lambda values: compare(values[name], number).astype(np.float32)

    def wrong(self, what: str) -> Error:
        where = f"at {self.token.text!r} (character {self.token.at})" if self.token else "at the end"
        return Error(f"predicate {self.text!r}: {what} {where}")

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


def _combined(combine: np.ufunc, parts: Sequence[Value]) -> Value:
    return lambda values: functools.reduce(combine, (part(values) for part in parts))
