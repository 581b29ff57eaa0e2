"""Opening the sources that the user typed; catalog.py says which there are."""

from __future__ import annotations

import contextlib
import dataclasses
import importlib
import os
from collections.abc import Iterator, Sequence

from ganutils import Error
from ganutils.samples.sources import archives, attributes, catalog
from ganutils.samples.sources.source import Request, Source, SourceOptions


@contextlib.contextmanager
def open_sources(names: Sequence[str], options: SourceOptions) -> Iterator[list[Source]]:
    """The sources that `names` stand for, one or more each, for as long as the block lasts."""
    rows = [catalog.row_of(name) for name in names]
    table = attributes.read_table(options.attributes, options.labels) if options.attributes else None
    with contextlib.ExitStack() as stack:
        requests = [Request(name, row, options, stack) for name, row in zip(names, rows, strict=True)]
        sources = _with_one_set([source for request in requests for source in _opened(request)])
        if table is not None:
            sources = [attributes.join(source, table) for source in sources]
            sources[0] = dataclasses.replace(sources[0], notes=(*table.notes, *sources[0].notes))
        yield sources


@contextlib.contextmanager
def open_inputs(names: Sequence[str], options: SourceOptions) -> Iterator[list[list[Source]]]:
    """The sources of inputs that `names` stand for, a list for each: of the split asked for, where they have it."""
    with contextlib.ExitStack() as stack:
        inputs = []
        for name in names:
            split = options.split if catalog.row_of(name).splits else None
            plain = options._replace(attributes=None, labels=None, split=split)
            inputs.append(stack.enter_context(open_sources([name], plain)))
        yield inputs


def _opened(request: Request) -> list[Source]:
    split, splits = request.options.named_split, request.row.splits
    if split is not None and split not in splits:
        there = f"no split {split!r}, only {', '.join(splits)}" if splits else "no splits of its own"
        raise Error(f"{request.name}: has {there}; --split 0-90% takes a part")
    module, function = request.row.opener.split(".")
    sources: list[Source] = getattr(importlib.import_module(f"{__package__}.{module}"), function)(request)
    if catalog.named(request.name) and _hides(request):
        note = f"{request.name}: is the built-in data set; ./{request.name} names the file or folder here"
        sources[0] = dataclasses.replace(sources[0], notes=(note, *sources[0].notes))
    return sources


def _hides(request: Request) -> bool:
    """Whether a file or folder has the name of this data set, and is not where its downloads lie."""
    if not os.path.exists(request.name):
        return False
    download = os.path.join(request.root, request.name)
    return not (os.path.exists(download) and os.path.samefile(download, request.name))


def _with_one_set(sources: list[Source]) -> list[Source]:
    """The sources, with pictures that were named one by one as a single one, in the place of the first; so sounds."""
    for modality, sort in archives.SORTS.items():
        single = [at for at, one in enumerate(sources) if one.modality is modality and archives.is_single(one)]
        if len(single) > 1:
            together = archives.singles(modality.noun, [sources[at].name for at in single], sort)
            sources = [
                together if at == single[0] else source for at, source in enumerate(sources) if at not in single[1:]
            ]
    return sources
