"""Texts in the lines of a file. A stranger's file is read piece by piece, and waits on disk, a byte for each letter.

White space of any kind is one blank. Signs that cannot be shown, such as escapes and marks of direction, are left out.
"""

from __future__ import annotations

import itertools
import os
import tempfile
import unicodedata
from collections import Counter
from collections.abc import Iterator
from typing import IO

from ganutils import Error
from ganutils.files import budget, letters
from ganutils.files.disk import Disk
from ganutils.files.npy import Rows
from ganutils.samples.sources.source import Request, Source, of_texts
from ganutils.samples.sources.written import decoding

USUAL = 128  # signs of a text at most, unless --length says otherwise
ROWS = 1 << 12  # lines that are encoded at a time


def open_lines(request: Request) -> list[Source]:
    """The lines but blank ones, uint8 [N, T], without those that are too long, or have signs that are rare among many.

    T is --length or, without, the signs of the longest.
    """
    path, length = request.name, request.options.length
    with tempfile.TemporaryFile("w+", encoding="utf-8", newline="\n") as out:
        kept = _Kept(path, length.letters(path) if length else USUAL)
        kept.write(out)
        out.seek(0)
        rows = kept.encoded(out, length.letters(path) if length else kept.longest)
    return [of_texts(path, rows, kept.alphabet, notes=tuple(kept.notes))]


class _Kept:
    """The lines of the file `path` of at most `most` signs, and what is found as they are read."""

    def __init__(self, path: str, most: int):
        self.path, self._most = path, most
        self.longest, self.notes = 0, list[str]()
        self._signs = Counter[str]()

    def write(self, out: IO[str]) -> None:
        """Write them to `out`. Error if there are none, or all are of one sign."""
        long, hidden = list[int](), 0
        for number, line in enumerate(_lines(self.path), 1):
            text = _cleaned(line)
            hidden += not "".join(line.split()).isprintable()
            if len(text) > self._most:
                long.append(number)
            elif text:
                self.longest = max(self.longest, len(text))
                self._signs.update(text)
                out.write(f"{text}\n")
        if long:
            what = f"skipped {_counted(len(long))} of more than {self._most:,} signs, the first line {long[0]:,}"
            self.notes.append(f"{self.path}: {what}; --length takes longer ones")
        if hidden:
            self.notes.append(f"{self.path}: left out signs that cannot be shown, in {_counted(hidden)}")
        if len(self.alphabet) < letters.LEAST:
            what = self.notes[0].removeprefix(f"{self.path}: ") if long else "give one with texts of two signs or more"
            raise Error(f"{self.path}: has no texts to learn from; {what}")

    @property
    def alphabet(self) -> str:
        """The blank, and of other signs as many as there is room for, the most frequent ones."""
        others = ((-count, sign) for sign, count in self._signs.items() if sign != letters.BLANK)
        return letters.BLANK + "".join(sorted(sign for _, sign in sorted(others)[: letters.MOST - 1]))

    def encoded(self, out: IO[str], length: int) -> Rows:
        """uint8 [N, length] of those that were written to `out` and are in the alphabet, in a nameless file."""
        packed = tempfile.TemporaryFile()  # noqa: SIM115 - it goes when nobody reads it any more
        alphabet, known, count, rare = self.alphabet, {*self.alphabet}, 0, 0
        limit = budget.unpacked(os.path.getsize(self.path))
        while lines := [line.rstrip("\n") for line in itertools.islice(out, ROWS)]:
            texts = [line for line in lines if known.issuperset(line)]
            count, rare = count + len(texts), rare + len(lines) - len(texts)
            budget.check(self.path, count * length, limit, "letters with blanks behind", "give a smaller --length")
            packed.write(letters.encoded(texts, alphabet, length).data)
        if rare:
            what = f"skipped {_counted(rare)} with rarer signs than the {letters.MOST} that an alphabet has room for"
            self.notes.append(f"{self.path}: {what}")
        packed.seek(0)
        return Rows(Disk(packed, self.path), 0, (count, length))


def _lines(path: str) -> Iterator[str]:
    """Each line; of one of more than budget.LETTERS signs only so many and one more."""
    most = budget.LETTERS + 1
    with decoding(path), open(path, encoding="utf-8-sig") as file:
        while line := file.readline(most):
            yield line
            while len(line) == most and not line.endswith("\n"):
                line = file.readline(most)


def _counted(lines: int) -> str:
    return f"{lines:,} line{'s' * (lines != 1)}"


def _cleaned(line: str) -> str:
    """Its signs that can be shown, with single blanks between words."""
    text = " ".join(line.split())
    if not text.isascii():
        text = unicodedata.normalize("NFC", text)
    if not text.isprintable():
        text = " ".join("".join(filter(str.isprintable, text)).split())
    return text
