"""Tables of attributes: CelebA's list_attr_celeba.txt, or a CSV file whose header names them."""

from __future__ import annotations

import csv
import dataclasses
import os
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from ganutils import Error
from ganutils.samples.sources.source import Source


class Table(NamedTuple):
    """Attributes by file name: `values` float32 [rows, A] in 0..1, named by `names`."""

    path: str
    names: tuple[str, ...]
    rows: dict[str, int]
    values: np.ndarray
    notes: tuple[str, ...]


def read_table(path: str) -> Table:
    """Read a table: the first column names the file, the others hold 0 and 1, -1 and 1 (CelebA), or 0 to 1.

    Other columns, such as an age or a name, are skipped with a note.
    """
    header, table = _parsed(path)
    columns, names, skipped = [], [], []
    for at, name in enumerate(header, 1):
        values = _column([cells[at] for cells in table])
        if values is None:
            skipped.append(name)
        else:
            columns.append(values)
            names.append(name)
    if not columns:
        raise Error(f"{path}: no column holds 0 and 1, -1 and 1, or numbers between")
    notes = (f"{path}: skipped columns that are not in 0..1: {', '.join(skipped)}",) if skipped else ()
    rows = {cells[0]: row for row, cells in enumerate(table)}
    return Table(path, tuple(names), rows, np.stack(columns, axis=1), notes)


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
        raise Error(f"{path}: has no attributes; it needs a header, and rows of a file name and numbers")
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
    reader = csv.reader(lines, delimiter=max(",;\t", key=first.count))
    return [name.strip() for name in next(reader)][1:], ([cell.strip() for cell in cells] for cells in reader)


def _column(cells: list[str]) -> np.ndarray | None:
    """float32 in 0..1, or None if the cells are anything else."""
    words = {"true": "1", "yes": "1", "false": "0", "no": "0"}
    cells = [words.get(cell.lower(), cell) for cell in cells] if cells[0].lower() in words else cells
    try:
        values: np.ndarray = np.array(cells, np.float32)
    except ValueError:
        return None
    if not np.isfinite(values).all() or values.min() < -1 or values.max() > 1:
        return None
    if values.min() < 0:  # -1 and 1; 0 is "unknown"
        if not np.isin(values, (-1, 0, 1)).all():
            return None
        values = ((values + 1) / 2).astype(np.float32)
    return values


def join(source: Source, table: Table) -> Source:
    """`source` with the attributes in `table`, matched by file name; pictures without a row are skipped.

    A row may name the path, its last part, or that without the suffix (PNGs made of the JPEGs in the table).
    """
    names = source.names
    if names is None:
        raise Error(f"{source.name}: has no file names to match with {table.path}")
    by_stem = {os.path.splitext(os.path.basename(name))[0]: row for name, row in table.rows.items()}
    rows = np.array([_row(name, table, by_stem) for name in names])
    kept = np.flatnonzero(rows >= 0)
    if not len(kept):
        raise Error(f"{table.path}: none of its names ({next(iter(table.rows))}, ...) is in {source.name}")
    twice, count = Counter(rows[kept].tolist()).most_common(1)[0]
    if count > 1:
        first, second = (names[at] for at in np.flatnonzero(rows == twice)[:2])
        raise Error(f"{table.path}: {first} and {second} match the same row; add their folders to the table's names")
    notes = list(source.notes)
    if len(kept) < len(names):
        notes.append(f"{source.name}: skipped {len(names) - len(kept):,} pictures without a row in {table.path}")
    if len(kept) < len(table.rows):
        notes.append(f"{table.path}: {len(table.rows) - len(kept):,} rows without a picture")
    about = {"attributes": table.values[rows[kept]], "attribute_names": table.names, "notes": tuple(notes)}
    return dataclasses.replace(source.of_rows(kept), **about)


def _row(name: str, table: Table, by_stem: dict[str, int]) -> int:
    """The row of a picture, or -1."""
    last = os.path.basename(name)
    for key in (name, last):
        if key in table.rows:
            return table.rows[key]
    return by_stem.get(os.path.splitext(last)[0], -1)
