"""The texts of a collection as one tensor, in one alphabet and of one length."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np

from ganutils import Error
from ganutils.files import letters
from ganutils.files.kinds import TEXTS
from ganutils.samples.decoding import Tensors, copied
from ganutils.samples.selection import Collection
from ganutils.samples.sources.source import Pixels, Source


class Rewritten:
    """Texts uint8 [N, T] of a source in another alphabet, with the letters that it has, and of another length, made
    when they are needed.
    """

    def __init__(self, source: Source, alphabet: str, length: int):
        self._name, self._letters, self._count = source.name, _letters(source), len(source.alphabet)
        self._numbers = np.array([alphabet.index(letter) for letter in source.alphabet], np.uint8)
        self.shape = (source.total, length)

    def __getitem__(self, rows: Any) -> np.ndarray:
        old = self._letters[rows][..., : self.shape[1]]
        letters.check(self._name, old, self._count)
        return np.pad(self._numbers[old], [*[(0, 0)] * (old.ndim - 1), (0, self.shape[1] - old.shape[-1])])


def read(
    collection: Collection,
    selected: np.ndarray,
    length: int | None,
    order: Callable[[np.ndarray], np.ndarray],
    say: Callable[[str], None],
) -> tuple[np.ndarray, Tensors, dict[str, Any]]:
    """Which of the `selected` texts have at most `length` letters, put in `order`; their tensor, and metadata."""
    alphabet = _joined(collection)
    length = length or max(_letters(source).shape[1] for source in collection.sources)
    fitting = selected[_fits(collection, selected, length)]
    if not len(fitting):
        raise Error(f"{collection.title}: none of its texts has at most {length:,} letters; give a larger --length")
    if len(fitting) < len(selected):
        few = len(selected) - len(fitting)
        say(f"{collection.title}: {few:,} texts have more than {length:,} letters and were skipped")
    rows = order(fitting)
    sources = [dataclasses.replace(one, pixels=Rewritten(one, alphabet, length)) for one in collection.sources]
    texts = copied(collection._replace(sources=sources), TEXTS.tensor, rows)
    return rows, {TEXTS.tensor: texts}, {letters.ALPHABET: alphabet}


def _letters(source: Source) -> Pixels:
    assert source.pixels is not None
    return source.pixels


def _joined(collection: Collection) -> str:
    """The letters of all sources. Error if there are too many."""
    signs = {sign for source in collection.sources for sign in source.alphabet} - {letters.BLANK}
    alphabets = {source.alphabet for source in collection.sources}
    alphabet = alphabets.pop() if len(alphabets) == 1 else letters.BLANK + "".join(sorted(signs))
    if len(alphabet) > letters.MOST:
        what = f"have {len(alphabet):,} different signs, and an alphabet has room for {letters.MOST}"
        raise Error(f"{collection.title}: {what}; write them to two files")
    return alphabet


def _fits(collection: Collection, rows: np.ndarray, length: int) -> np.ndarray:
    """Whether the texts at `rows` have at most so many letters: bool [n]."""
    if all(_letters(source).shape[1] <= length for source in collection.sources):
        return np.ones(len(rows), bool)
    longest = max(_letters(source).shape[1] for source in collection.sources)
    sources = [dataclasses.replace(one, pixels=Rewritten(one, one.alphabet, longest)) for one in collection.sources]
    parts = copied(collection._replace(sources=sources), TEXTS.tensor, rows).chunks
    return np.concatenate([~part[:, length:].any(1) for part in parts])
