"""Captions: sentences that say what a sample is, as they lie in a file; and the words in them, as numbers.

In a file they are uint8 [..., K, L]: K captions of each sample, each UTF-8 with zeros behind it; one that is empty is
none. budget.CAPTIONS and budget.CAPTION limit K and L.
"""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Protocol

import numpy as np

from ganutils import Error
from ganutils.files import budget

WORDS = 48  # of a sentence that are used
VOCABULARY = 4096  # words, at most
LARGE = 10_000  # captions; of so many a word that comes once is a misspelling, or a name
APOSTROPHE = "\u2019"
SIMPLE = re.compile("[0-9a-z']+")


class Captions(Protocol):
    """uint8 [N, K, L], in memory, in a file, or not yet made."""

    @property
    def shape(self) -> tuple[int, ...]: ...
    def __getitem__(self, rows: np.ndarray) -> np.ndarray: ...


# ------------------------------------------------------------------------------------------- in files


def packed(captions: Sequence[Sequence[str]]) -> np.ndarray:
    """uint8 [N, K, L] of the captions of each sample. Error if some cannot be in a file."""
    most = max(map(len, captions), default=0)
    if most > budget.CAPTIONS:
        raise Error(f"captions: a sample has {most:,}; give at most {budget.CAPTIONS}")
    return packed_bytes([[_encoded(text) for text in texts] for texts in captions])


def _encoded(text: str) -> bytes:
    try:
        encoded = text.encode()
    except UnicodeEncodeError:
        raise Error(f"captions: {text[:40]!r} is not valid text") from None
    if len(encoded) > budget.CAPTION:
        raise Error(f"captions: {text[:40]!r}... has {len(encoded):,} bytes; give at most {budget.CAPTION:,}")
    if b"\0" in encoded:
        raise Error(f"captions: {text[:40]!r} has a zero byte in it; leave it out")
    return encoded


def packed_bytes(captions: Sequence[Sequence[bytes]], k: int = 1, length: int = 1) -> np.ndarray:
    """The same of UTF-8 without zero bytes: uint8 [N, K, L], K and L at least `k` and `length`."""
    k = max(k, max(map(len, captions), default=0))
    length = max(length, max((len(text) for texts in captions for text in texts), default=0))
    whole = np.zeros((len(captions), k), f"S{length}")
    for row, texts in enumerate(captions):
        whole[row, : len(texts)] = texts
    return whole.view(np.uint8).reshape(len(captions), k, length)


def texts(name: str, captions: np.ndarray) -> list[list[str]]:
    """The captions of each sample, of uint8 [..., K, L], but empty ones. Error, with the file's `name`, if damaged."""
    *_, k, length = captions.shape
    rows = np.ascontiguousarray(captions).view(f"S{length}").reshape(-1, k).tolist()
    try:
        found = [[text.decode() for text in row if text] for row in rows]
    except UnicodeDecodeError:
        raise Error(f"{name}: damaged: one of its captions is not UTF-8 text; make it again") from None
    if any("\0" in text for row in found for text in row):
        raise Error(f"{name}: damaged: one of its captions has a zero byte in it; make it again")
    return found


class Joined:
    """Captions of several, one after the other, with room for the most and the longest of them."""

    def __init__(self, parts: Sequence[Captions]):
        counts, most, longest = zip(*(part.shape for part in parts), strict=True)
        self.shape = (sum(counts), max(most), max(longest))
        self._parts, self._starts = parts, np.cumsum([0, *counts[:-1]])

    def __getitem__(self, rows: np.ndarray) -> np.ndarray:
        at = np.searchsorted(self._starts, rows, "right") - 1
        found = np.zeros((len(rows), *self.shape[1:]), np.uint8)
        for number in np.unique(at):
            part = self._parts[number]
            _, k, length = part.shape
            found[at == number, :k, :length] = part[rows[at == number] - self._starts[number]]
        return found


class Chosen:
    """Some rows of captions."""

    def __init__(self, captions: Captions, rows: np.ndarray):
        self.shape = (len(rows), *captions.shape[1:])
        self._captions, self._rows = captions, rows

    def __getitem__(self, rows: np.ndarray) -> np.ndarray:
        return self._captions[self._rows[rows]]


# ---------------------------------------------------------------------------------------------- words


def words(text: str) -> list[str]:
    """The words of a sentence, at most WORDS: runs of letters, digits and apostrophes of any script, in lower case.

    Letters that look alike to a reader are one: it is normalized (NFKC). Marks belong to their letters.
    """
    if text.isascii():
        runs: Iterable[str] = (match[0] for match in SIMPLE.finditer(text.lower()))
    else:
        plain = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).lower()).replace(APOSTROPHE, "'")
        runs = "".join(sign if unicodedata.category(sign)[0] in "LMN" or sign == "'" else " " for sign in plain).split()
    return list(itertools.islice(filter(None, (run.strip("'") for run in runs)), WORDS))


def vocabulary(captions: Iterable[str]) -> list[str]:
    """The words in them, the most frequent first, at most VOCABULARY; of many captions those that come twice."""
    counts: Counter[str] = Counter()
    total = 0
    for text in captions:
        counts.update(words(text))
        total += 1
    least = 2 if total > LARGE else 1
    ordered = sorted((-count, word) for word, count in counts.items() if count >= least)
    return [word for _, word in ordered[:VOCABULARY]]


def tokens(captions: Sequence[str], vocabulary: Sequence[str]) -> np.ndarray:
    """The words of captions that are in a vocabulary, as numbers from 1 on: int64 [N, WORDS at most], then zeros."""
    number = {word: at for at, word in enumerate(vocabulary, 1)}
    rows = [[number[word] for word in words(text) if word in number] for text in captions]
    found = np.zeros((len(rows), max([1, *map(len, rows)])), np.int64)
    for row, each in enumerate(rows):
        found[row, : len(each)] = each
    return found


def unknown(text: str, vocabulary: Iterable[str]) -> list[str]:
    """The words of a sentence that are not in a vocabulary, each once."""
    known = set(vocabulary)
    return [word for word in dict.fromkeys(words(text)) if word not in known]
