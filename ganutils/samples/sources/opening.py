"""Opening the sources that the user typed; catalog.py says which there are."""

from __future__ import annotations

import contextlib
import dataclasses
import importlib
from collections.abc import Iterator, Sequence

from ganutils import Error
from ganutils.samples.sources import attributes, catalog
from ganutils.samples.sources.catalog import Row
from ganutils.samples.sources.source import Request, Source, SourceOptions


@contextlib.contextmanager
def open_sources(names: Sequence[str], options: SourceOptions) -> Iterator[list[Source]]:
    """The sources that `names` stand for, one or more each, for as long as the block lasts."""
    rows = [catalog.row_of(name) for name in names]
    _check_settings(rows, options)
    table = attributes.read_table(options.attributes) if options.attributes else None
    with contextlib.ExitStack() as stack:
        requests = [Request(name, row, options, stack) for name, row in zip(names, rows, strict=True)]
        sources = [source for request in requests for source in _opened(request)]
        if table is not None:
            sources = [attributes.join(source, table) for source in sources]
            sources[0] = dataclasses.replace(sources[0], notes=(*table.notes, *sources[0].notes))
        yield sources


def _opened(request: Request) -> list[Source]:
    split, splits = request.options.named_split, request.row.splits
    if split is not None and split not in splits:
        there = f"no split {split!r}, only {', '.join(splits)}" if splits else "no splits of its own"
        raise Error(f"{request.name}: has {there}; --split 0-90% takes a part")
    module, function = request.row.opener.split(".")
    sources: list[Source] = getattr(importlib.import_module(f"{__package__}.{module}"), function)(request)
    return sources


def _check_settings(rows: Sequence[Row], options: SourceOptions) -> None:
    """Error if an option was given that none of the sources has."""
    for setting in options.settings:
        if not any(setting in row.settings for row in rows):
            raise Error(f"--{setting} is for {', '.join(catalog.takers(setting))}; leave it out here")
