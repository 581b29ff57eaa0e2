"""Texts as numbers of letters: an alphabet in the metadata says which is which, and letter 0 is the blank behind them.

Letters are signs that can be shown, so that whatever a stranger's file holds, a terminal gets no escapes from it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ganutils import Error

ALPHABET = "alphabet"  # of `letters`, in the metadata
BLANK = " "
LEAST, MOST = 3, 256  # letters of an alphabet, the blank among them: with 1 or 2 they would be the channels of a sound
RULE = f"a text of {LEAST} to {MOST} different signs that can be shown, the first a blank"


def is_alphabet(alphabet: Any) -> bool:
    """Whether `alphabet`, from JSON, can be one; see RULE."""
    is_text = isinstance(alphabet, str) and LEAST <= len(alphabet) <= MOST
    return is_text and alphabet[0] == BLANK and alphabet.isprintable() and len(set(alphabet)) == len(alphabet)


def alphabet_of(name: str, meta: Mapping[str, Any]) -> str:
    """The letters of texts by their numbers; Error, with the file's `name`, if its metadata do not say."""
    alphabet = meta.get(ALPHABET)
    if not is_alphabet(alphabet):
        raise Error(f"{name}: damaged: texts whose metadata have no {ALPHABET!r}: {RULE}")
    return str(alphabet)


def decoded(name: str, letters: np.ndarray, alphabet: str) -> list[str]:
    """The texts in uint8 [..., T], one after another, without blanks behind them. Error, with the file's `name`, if a
    number is not of the alphabet.
    """
    check(name, letters, len(alphabet))
    signs = np.array([*alphabet])[letters.reshape(-1, letters.shape[-1])]
    return [text.rstrip(BLANK) for text in signs.view(f"U{letters.shape[-1]}")[:, 0].tolist()]


def encoded(texts: Sequence[str], alphabet: str, length: int) -> np.ndarray:
    """uint8 [N, length] of texts of at most that many letters, all of them in the alphabet."""
    numbers = {ord(letter): number for number, letter in enumerate(alphabet)}
    rows = b"".join(text.translate(numbers).encode("latin-1").ljust(length, b"\0") for text in texts)
    return np.frombuffer(rows, np.uint8).reshape(len(texts), length)


def check(name: str, letters: np.ndarray, count: int) -> None:
    """Error, with the file's `name`, unless all numbers are of an alphabet of `count` letters."""
    if int(letters.max(initial=0)) >= count:
        raise Error(f"{name}: damaged: it has letter {letters.max()} in an alphabet of {count}; make it again")


class OneHot:
    """Texts as networks see them, made when they are needed: uint8 [N, T, A], 1 for the letter that stands there, else
    0. It reads as an array does.

    letters  uint8 [N, T], in memory or in the file `name`
    count    letters of the alphabet
    """

    def __init__(self, name: str, letters: Any, count: int):
        self.letters, self._name, self._count = letters, name, count
        self.shape, self.dtype, self.ndim = (*letters.shape, count), np.dtype(np.uint8), 3

    def __len__(self) -> int:
        return self.shape[0]

    @property
    def nbytes(self) -> int:
        return int(np.prod(self.shape, dtype=np.int64))

    def __getitem__(self, rows: Any) -> np.ndarray:
        """Rows by number, slice or array of numbers. Error if a letter is not of the alphabet."""
        letters = np.asarray(self.letters[rows])
        check(self._name, letters, self._count)
        return np.eye(self._count, dtype=np.uint8)[letters]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return self[:] if dtype is None else self[:].astype(dtype)
