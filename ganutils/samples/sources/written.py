"""Captions as people keep them: tables (.csv), Hugging Face's metadata.jsonl, Flickr's .txt, and folders as of CUB.

A stranger's file is read line by line. What is too long for a caption is cut; a line that is absurdly long is an error.
"""

from __future__ import annotations

import contextlib
import csv
import itertools
import json
import os
import re
from collections.abc import Callable, Iterator
from typing import Any, TextIO

from ganutils import Error
from ganutils.files import budget
from ganutils.files.paths import natural

SUFFIX = ".txt"  # of the files in a folder
LINE = 1 << 20  # characters
COLUMN = re.compile(r"(captions?|texts?)[ _]?\d*")
KEYS = ("text", "caption", "texts", "captions")
SPLIT = "split it, and the set"
NUMBER = re.compile(r"#\d+$")  # Flickr's, of each caption of a picture
ENTRY = '{"file_name": "1.png", "text": "a cat"}'


class Written:
    """Captions by the names of pictures, or in the order of the samples.

    path       of their file, or folder
    has_names  whether there are names, or an order
    rows       name -> the number of its captions
    """

    def __init__(self, path: str, has_names: bool = True):
        self.path, self.has_names = path, has_names
        self.rows: dict[str, int] = {}
        self._texts: list[list[bytes]] = []
        self._cut, self._first_cut, self._many = 0, "", set[int]()
        self._count = 0
        self._most = budget.lines(os.path.getsize(path))

    def __len__(self) -> int:
        return len(self._texts)

    def of(self, row: int) -> list[bytes]:
        """UTF-8, at most budget.CAPTIONS of at most budget.CAPTION bytes."""
        return self._texts[row]

    def places(self, one: int, other: int) -> str:
        names = list(self.rows)
        return f"{names[one]} and {names[other]}"

    def add(self, name: str, text: str, where: str) -> None:
        """A caption of a picture."""
        row = self.rows.setdefault(os.path.normpath(NUMBER.sub("", name.strip())), len(self._texts))
        if row == len(self._texts):
            self._texts.append([])
        self._append(row, text, where)

    def add_next(self, text: str, where: str) -> None:
        """The caption of the next sample, which may be empty."""
        self._texts.append([])
        self._append(len(self._texts) - 1, text, where)

    def _append(self, row: int, text: str, where: str) -> None:
        budget.check(self.path, self._count + 1, self._most, "captions", SPLIT)
        encoded = self._encoded(text, where)
        if encoded and len(self._texts[row]) == budget.CAPTIONS:
            self._many.add(row)
        elif encoded:
            self._texts[row].append(encoded)

    def _encoded(self, text: str, where: str) -> bytes:
        """On one line, without zero bytes and spaces around it; what is too long is cut."""
        self._count += 1
        encoded = " ".join(text.replace("\0", " ").split()).encode(errors="replace")
        if len(encoded) > budget.CAPTION:
            self._cut += 1
            self._first_cut = self._first_cut or where
            encoded = encoded[: budget.CAPTION].decode(errors="ignore").rstrip().encode()
        return encoded

    @property
    def notes(self) -> tuple[str, ...]:
        """What the user should be told of those that were asked for."""
        notes = []
        if self._cut:
            what = f"{self._cut:,} of {self._count:,} captions are longer than {budget.CAPTION:,} bytes and were cut"
            notes.append(f"{self.path}: {what}; the first is in {self._first_cut}")
        if self._many:
            what = f"{len(self._many):,} of {len(self.rows):,} samples have more than {budget.CAPTIONS} captions"
            notes.append(f"{self.path}: {what}; further ones were left out")
        return tuple(notes)


class _Folder(Written):
    """A file of lines for each picture, read when it is asked for."""

    def __init__(self, path: str):
        found = []
        for parent, folders, files in os.walk(path):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            texts = (name for name in files if name.lower().endswith(SUFFIX) and not name.startswith("."))
            found += [os.path.relpath(os.path.join(parent, name), path) for name in texts]
        super().__init__(path)
        self._names = sorted(found, key=natural)
        self.rows = {name: row for row, name in enumerate(self._names)}

    def of(self, row: int) -> list[bytes]:
        texts: list[bytes] = []
        with _opened(os.path.join(self.path, self._names[row])) as lines:
            for number, line in lines.single():
                encoded = self._encoded(line, f"line {number:,} of {self._names[row]}")
                if encoded and len(texts) == budget.CAPTIONS:
                    self._many.add(row)
                    break
                texts += [encoded] if encoded else []
        return texts


def read(path: str) -> Written:
    """The captions in a file, by its suffix, or in a folder. Error if they are none, or too many."""
    if os.path.isdir(path):
        written: Written = _Folder(path)
        if not written.rows:
            raise Error(f"{path}: holds no {SUFFIX} files; give NAME{SUFFIX} for NAME.png, with a caption in each line")
        return written
    suffix = os.path.splitext(path)[1].lower()
    if suffix not in READERS:
        raise Error(f"{path}: captions are in {', '.join(READERS)}, or in a folder of {SUFFIX} files")
    written = READERS[suffix](path)
    if not any(map(written.of, range(len(written)))):
        raise Error(f"{path}: holds no captions")
    return written


def sentences(path: str) -> list[str]:
    """The lines of a text file but blank ones. Error if there are none, or if one is too long for a caption."""
    found = []
    with _opened(path) as lines:
        for number, line in lines.single():
            if len(line.encode()) > budget.CAPTION:
                raise Error(f"{path}: line {number:,} has more than {budget.CAPTION:,} bytes; shorten it")
            found += [line.strip()] if line.strip() else []
    if not found:
        raise Error(f"{path}: holds no sentences; write one in each line")
    return found


class _Lines:
    """The lines of a file. Error at one that has no end, and at what is no UTF-8; `begin` says that a row begins."""

    def __init__(self, path: str, file: TextIO):
        self._path, self._file = path, file
        self.number, self._taken = 0, 0
        self._most = budget.lines(os.fstat(file.fileno()).st_size)

    def begin(self) -> None:
        self._taken = 0

    def __iter__(self) -> Iterator[str]:
        while line := self._next():
            self.number += 1
            self._taken += len(line)
            budget.check(self._path, self.number, self._most, "lines", SPLIT)
            if self._taken > LINE:
                what = f"line {self.number:,} goes on for more than {LINE:,} characters"
                raise Error(f"{self._path}: {what}; a caption has at most {budget.CAPTION:,} bytes")
            yield line

    def _next(self) -> str:
        with decoding(self._path):
            return self._file.readline(LINE + 1)

    def single(self) -> Iterator[tuple[int, str]]:
        """Each line, with its number from 1 on, without its end."""
        for line in self:
            self.begin()
            yield self.number, line.rstrip("\r\n")


@contextlib.contextmanager
def decoding(path: str) -> Iterator[None]:
    """Error, with the file's name, where in the block it turns out to be no text."""
    try:
        yield
    except UnicodeDecodeError:
        raise Error(f"{path}: is not UTF-8 text; save it as UTF-8") from None


@contextlib.contextmanager
def _opened(path: str) -> Iterator[_Lines]:
    with open(path, encoding="utf-8-sig", newline="") as file:
        yield _Lines(path, file)


def _read_csv(path: str) -> Written:
    """The first column names the picture; columns called caption, caption1, text and the like hold captions."""
    written = Written(path)
    with _opened(path) as lines:
        first = next(iter(lines), "")
        delimiter = max(",;\t", key=first.count)
        table = csv.reader(itertools.chain([first], lines), delimiter=delimiter)
        try:
            header = next(table, [])
            columns = [at for at, name in enumerate(header) if at and COLUMN.fullmatch(name.strip().lower())]
            if not columns:
                names = ", ".join(header)[:200] or "nothing"
                raise Error(f"{path}: its header has no column caption, text or caption1 behind the first: {names}")
            lines.begin()
            for cells in filter(None, table):
                if len(cells) != len(header):
                    what = f"the row that ends in line {lines.number:,} has {len(cells):,} cells"
                    raise Error(f"{path}: {what}, and the header {len(header):,}; quote captions with {delimiter!r}")
                for at in columns:
                    written.add(cells[0], cells[at], f"line {lines.number:,}")
                lines.begin()
        except csv.Error as problem:
            raise Error(
                f"{path}: is not a table, in line {lines.number:,} ({problem}); close its quotes, write less in a cell"
            ) from None
    return written


def _read_jsonl(path: str) -> Written:
    """A line such as ENTRY for each picture; its text may be a list."""
    written = Written(path)
    with _opened(path) as lines:
        for number, line in lines.single():
            if line.strip():
                name, texts = _entry(line, f"{path}: line {number:,}")
                for text in texts:
                    written.add(name, text, f"line {number:,}")
    return written


def _entry(line: str, where: str) -> tuple[str, list[str]]:
    try:
        entry: Any = json.loads(line)
    except (ValueError, RecursionError):
        raise Error(f"{where} is not JSON; write {ENTRY}") from None
    about = entry if isinstance(entry, dict) else {}
    name, texts = about.get("file_name"), next((about[key] for key in KEYS if key in about), None)
    texts = [texts] if isinstance(texts, str) else texts
    if not isinstance(name, str) or not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise Error(f"{where} has no file_name and text; write {ENTRY}")
    return name, texts


def _read_txt(path: str) -> Written:
    """`name<TAB>caption` in each line, or a caption in each."""
    written = Written(path)
    with _opened(path) as lines:
        for number, line in lines.single():
            name, tab, text = line.partition("\t")
            if number == 1:
                written.has_names = bool(tab)
            if not written.has_names:
                written.add_next(line, f"line {number:,}")
            elif tab:
                written.add(name, text, f"line {number:,}")
            elif line.strip():
                raise Error(f"{path}: line {number:,} has no tab, as the first has; write NAME<TAB>caption")
    return written


READERS: dict[str, Callable[[str], Written]] = {".csv": _read_csv, ".jsonl": _read_jsonl, ".txt": _read_txt}
