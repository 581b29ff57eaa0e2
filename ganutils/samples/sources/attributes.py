"""Tables of attributes: CelebA's list_attr_celeba.txt, or a CSV file whose header names them."""

from __future__ import annotations

import csv
import dataclasses
import math
import os
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from ganutils import Error
from ganutils.files.paths import natural
from ganutils.samples import predicates
from ganutils.samples.sources.source import Source

UNKNOWN = 0.5  # the value of an empty cell
WORDS = {"true": 1.0, "yes": 1.0, "false": 0.0, "no": 0.0}
DECIMAL_COMMA = re.compile(r"-?\d*,\d+")


class Table(NamedTuple):
    """What is known by file name.

    rows            file name -> row
    names, values   attributes: float32 [rows, A] in 0..1
    column, words   the column of labels, and its cells, "" where unknown; None and () if there is none
    """

    path: str
    rows: dict[str, int]
    names: tuple[str, ...]
    values: np.ndarray
    column: str | None
    words: tuple[str, ...]
    notes: tuple[str, ...]


def read_table(path: str, labels: str | None = None) -> Table:
    """Read a table: the first column names the file, the others hold 0 and 1, -1 and 1 (CelebA), or 0 to 1.

    The column `labels` holds classes in words. Other columns, such as an age or a name, are skipped with a note.
    """
    header, table = _parsed(path)
    column = None if labels is None else predicates.one_of(labels, header, f"{path}: column")
    columns: dict[str, np.ndarray] = {}
    skipped = []
    for at, name in enumerate(header, 1):
        if name != column:
            values = _column([cells[at] for cells in table])
            if isinstance(values, int):
                cells = table[values]
                skipped.append(f"{name} ({cells[at][:40] or 'empty'} in row {values + 1}, {cells[0][:40]})")
            else:
                columns[name] = values
    if not columns and column is None:
        what = "no column holds 0 and 1, -1 and 1, or numbers between"
        raise Error(f"{path}: {what}: {', '.join(skipped)}; --labels takes a column of words")
    values = np.stack([*columns.values()], 1) if columns else np.zeros((len(table), 0), np.float32)
    notes = [f"{path}: skipped columns that are not in 0..1: {', '.join(skipped)}"] if skipped else []
    unknown = np.isnan(values)
    if unknown.any():
        notes.append(f"{path}: {unknown.sum():,} empty cells count as unknown ({UNKNOWN})")
    words = () if column is None else tuple(cells[1 + header.index(column)] for cells in table)
    values = np.where(unknown, np.float32(UNKNOWN), values)
    return Table(path, _rows(path, table), tuple(columns), values, column, words, tuple(notes))


def _rows(path: str, table: list[list[str]]) -> dict[str, int]:
    rows: dict[str, int] = {}
    for row, (name, *_) in enumerate(table):
        first = rows.setdefault(os.path.normpath(name), row)
        if first != row:
            raise Error(f"{path}: rows {first + 1} and {row + 1} are both for {name}; remove one")
    return rows


def _parsed(path: str) -> tuple[list[str], list[list[str]]]:
    """The attributes' names, and the cells of each row, the file's name first."""
    try:
        with open(path, encoding="utf-8-sig", newline="") as stream:
            header, rows = _split(stream.read(1 << 30))
            table = [cells for cells in rows if cells]
    except (UnicodeDecodeError, csv.Error):
        raise Error(f"{path}: not a table of attributes; use text like list_attr_celeba.txt, or a CSV file") from None
    for number, cells in enumerate(table, 1):
        if len(cells) != len(header) + 1:
            what = f"row {number} ({cells[0][:40]}) has {len(cells) - 1} values for {len(header)} attributes"
            raise Error(f"{path}: {what}; the first column is the file's name, the header names the others")
    if not table or not header:
        raise Error(f"{path}: has no attributes; it needs a header, and rows of a file name and values")
    if len(set(header)) < len(header):
        raise Error(f"{path}: names an attribute twice in its header")
    return header, table


def _split(text: str) -> tuple[list[str], Iterator[list[str]]]:
    """The same of a file's text, not yet checked."""
    lines = text.splitlines()
    if lines and lines[0].strip().isdecimal():  # CelebA: a count, the names, rows between spaces
        return (lines[1].split() if len(lines) > 1 else []), (line.split() for line in lines[2:])
    first = lines[0] if lines else ""
    if not any(sign in first for sign in ",;\t"):
        return first.split(), (line.split() for line in lines[1:])
    delimiter = max(",;\t", key=first.count)
    reader = csv.reader(lines, delimiter=delimiter)
    names = [name.strip() for name in next(reader)][1:]
    return names, ([_cell(cell.strip(), delimiter) for cell in cells] for cells in reader)


def _cell(cell: str, delimiter: str) -> str:
    """A cell, with 0,5 as 0.5 where commas do not separate cells."""
    return cell.replace(",", ".") if delimiter != "," and DECIMAL_COMMA.fullmatch(cell) else cell


def _column(cells: list[str]) -> np.ndarray | int:
    """float32 in 0..1, NaN where a cell is empty; or the number of a cell that does not fit, if there is one."""
    try:
        values: np.ndarray = np.array(cells, np.float32)
    except ValueError:
        values = np.array([_number(cell) for cell in cells], np.float32)
    unknown = np.isnan(values)
    wrong = ~(unknown | (abs(values) <= 1))
    if unknown.all():
        return 0
    if not wrong.any() and np.nanmin(values) < 0:  # -1 and 1; 0 is "unknown"
        wrong = ~(unknown | np.isin(values, (-1, 0, 1)))
        values = ((values + 1) / 2).astype(np.float32)
    return int(wrong.argmax()) if wrong.any() else values


def _number(cell: str) -> float:
    """NaN if it is empty, infinity if it is anything else."""
    if cell.lower() in WORDS:
        return WORDS[cell.lower()]
    try:
        return float(cell or math.nan)
    except ValueError:
        return math.inf


def join(source: Source, table: Table) -> Source:
    """`source` with the attributes and labels in `table`, matched by file name; pictures without any are skipped.

    A row may name the path, its last part, or that without the suffix (PNGs made of the JPEGs in the table).
    """
    if source.names is None:
        raise Error(f"{source.name}: has no file names to match with {table.path}")
    rows = _matched(source.name, source.names, table)
    kept, noun = np.flatnonzero(rows >= 0), source.modality.noun
    notes = list(source.notes)
    if len(kept) < source.total:
        notes.append(f"{source.name}: skipped {source.total - len(kept):,} {noun} without a row in {table.path}")
    if len(kept) < len(table.rows):
        notes.append(f"{table.path}: {len(table.rows) - len(kept):,} rows without a {noun[:-1]}")
    about: dict[str, Any] = {}
    if table.column is not None:
        labeled = kept[[table.words[row] != "" for row in rows[kept]]]
        if len(labeled) < len(kept):
            notes.append(f"{source.name}: skipped {len(kept) - len(labeled):,} {noun} whose {table.column} is empty")
        if not len(labeled):
            raise Error(f"{table.path}: {table.column} is empty for every {noun[:-1]} in {source.name}")
        kept = labeled
        about["labels"], about["classes"] = _labels([table.words[row] for row in rows[kept]])
    about |= {"attributes": table.values[rows[kept]], "attribute_names": table.names} if table.names else {}
    return dataclasses.replace(source.of_rows(kept), notes=tuple(notes), **about)


def _labels(words: list[str]) -> tuple[np.ndarray, tuple[str, ...]]:
    """Labels int64 [N] and their classes, of a word for each picture."""
    classes = sorted(set(words), key=natural)
    number = {word: label for label, word in enumerate(classes)}
    return np.array([number[word] for word in words], np.int64), tuple(classes)


def _matched(source: str, names: Sequence[str], table: Table) -> np.ndarray:
    """The row of each picture, or -1; Error if no picture has one, or two pictures share one."""
    by_stem: dict[str, list[int]] = {}
    for name, row in table.rows.items():
        by_stem.setdefault(_stem(name), []).append(row)
    rows = np.array([_row(name, table, by_stem) for name in names])
    found = rows[rows >= 0]
    if not len(found):
        raise Error(f"{table.path}: none of its names ({next(iter(table.rows))}, ...) is in {source}")
    twice, count = Counter(found.tolist()).most_common(1)[0]
    if count > 1:
        first, second = (names[at] for at in np.flatnonzero(rows == twice)[:2])
        raise Error(f"{table.path}: {first} and {second} match the same row; add their folders to the table's names")
    _check_unambiguous(names, rows, table)
    return rows


def _check_unambiguous(names: Sequence[str], rows: np.ndarray, table: Table) -> None:
    """Error if a picture that has its row has another by a shorter name, which is no other picture's."""
    used = set(rows.tolist())
    for name, row in zip(names, rows.tolist(), strict=True):
        for key in (os.path.basename(name), _stem(name)) if row >= 0 else ():
            other = table.rows.get(key, row)
            if other not in used:
                first, second = sorted((row + 1, other + 1))
                raise Error(f"{table.path}: rows {first} and {second} are both for {name}; remove one")


def _row(name: str, table: Table, by_stem: dict[str, list[int]]) -> int:
    """The row of a picture, or -1; Error if two may be meant."""
    for key in (name, os.path.basename(name)):
        if key in table.rows:
            return table.rows[key]
    rows = by_stem.get(_stem(name), [-1])
    if len(rows) > 1:
        one, other = (row + 1 for row in rows[:2])
        raise Error(f"{table.path}: rows {one} and {other} both match {name}; write its path, or its name, in one")
    return rows[0]


def _stem(name: str) -> str:
    return os.path.splitext(os.path.basename(name))[0]
