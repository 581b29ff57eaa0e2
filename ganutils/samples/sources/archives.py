"""Pictures in folders, zip and tar files. Nothing is unpacked to disk: members are read into memory, one by one.

One level of folders gives labels: if every picture lies in a folder, and there are several, they are the classes (a
folder around everything, as many archives have, does not count).
"""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import lzma
import os
import re
import stat
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from ganutils import Error
from ganutils.files import budget
from ganutils.files.paths import natural
from ganutils.samples.changes import Stamp, listed, stamp_of
from ganutils.samples.images import EXHAUSTED, FILE_LIMIT, Shape, UnreadableError, decode, read
from ganutils.samples.sources import tars
from ganutils.samples.sources.catalog import OTHER_SUFFIXES, PICTURE_SUFFIXES
from ganutils.samples.sources.source import Request, Source

PACKED = (EOFError, OSError, ValueError, RuntimeError, zlib.error, lzma.LZMAError)

Load = Callable[[str], Any]


def open_folder(request: Request) -> list[Source]:
    return [folder(request.name)]


def open_picture(request: Request) -> list[Source]:
    return [single_pictures(request.name, [request.name])]


def single_pictures(name: str, paths: list[str]) -> Source:
    """Picture files as one source called `name`; if they lie in several folders, these are its classes."""
    source = _files(name, paths, lambda path: path)
    labels, classes = _classes([os.path.abspath(path) for path in paths])
    return dataclasses.replace(source, labels=labels, classes=classes)


def is_single(source: Source) -> bool:
    """Whether it is one picture file."""
    return source.names == [source.name]


def open_zip(request: Request) -> list[Source]:
    return [request.stack.enter_context(zipped(request.name))]


def open_tar(request: Request) -> list[Source]:
    return [request.stack.enter_context(tarred(request.name))]


class _Found(NamedTuple):
    """What lies in a folder at any depth, by paths in it: files, links to folders, and what cannot be read."""

    names: list[str]
    links: list[str]
    unread: list[str]


def folder(path: str) -> Source:
    """The pictures in a folder, at any depth, in natural order: 2.png before 10.png. Error later if they change."""

    def listing() -> _Found:
        found = _walked(path)
        return found._replace(names=sorted(filter(_is_listed, found.names), key=natural))

    found, check = listed(path, listing)
    notes = _other_formats(path, found.names)
    if found.links:
        notes = (*notes, f"{path}: skipped links to folders: {_some(found.links)}; name them as sources of their own")
    names = list(filter(_is_picture, found.names))
    source = _files(path, names, lambda name: os.path.join(path, name), notes)
    return dataclasses.replace(source, unread=tuple(found.unread), check=check)


def _is_listed(name: str) -> bool:
    return _is_picture(name, (*PICTURE_SUFFIXES, *OTHER_SUFFIXES))


def _walked(path: str) -> _Found:
    found = _Found([], [], [])

    def relative(*parts: str) -> str:
        return os.path.relpath(os.path.join(*parts), path).replace(os.sep, "/")

    def failed(problem: OSError) -> None:
        if problem.filename == path or problem.errno in EXHAUSTED:
            raise problem
        reason = (problem.strerror or "error").lower()
        found.unread.append(f"{path}: the folder {relative(problem.filename)} cannot be read ({reason})")

    for parent, folders, files in os.walk(path, onerror=failed):
        folders[:] = [name for name in folders if not name.startswith(".")]
        found.links.extend(relative(parent, name) for name in folders if os.path.islink(os.path.join(parent, name)))
        found.names.extend(relative(parent, name) for name in files)
        for name in files:
            if not _is_listed(name) and _is_broken_link(os.path.join(parent, name)):
                found.unread.append(f"{path}: {relative(parent, name)} is a link to nothing")
    return found


def _files(name: str, names: list[str], place: Callable[[str], str], notes: tuple[str, ...] = ()) -> Source:
    """Picture files, read as they are now: Error if another program changes them before."""
    source = _pictures(name, names, place, notes, _read)
    seen = np.array([stamp_of(place(one)) or (-1, -1) for one in names], np.int64)

    def load(row: int) -> tuple[str, Stamp | None]:
        size, written = seen[row].tolist()
        return place(names[row]), None if size < 0 else (size, written)

    return dataclasses.replace(source, load=load)


def _read(place: tuple[str, Stamp | None], shape: Shape) -> np.ndarray:
    path, seen = place
    return read(path, shape, seen)


def _is_broken_link(path: str) -> bool:
    return os.path.islink(path) and not os.path.exists(path)


def _some(names: list[str]) -> str:
    return ", ".join(sorted(names, key=natural)[:5]) + (", ..." if len(names) > 5 else "")


@contextlib.contextmanager
def zipped(path: str) -> Iterator[Source]:
    """The pictures in a zip file, in natural order."""
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, *PACKED) as problem:
        if isinstance(problem, OSError) and problem.filename:
            raise
        raise Error(f"{path}: damaged, or not a zip file") from None
    with archive:
        most = (budget.MEMORY + os.path.getsize(path)) // budget.MEMBER
        budget.check(path, len(archive.infolist()), most, "members", "extract it yourself, and give the folder")
        members = {info.filename: info for info in archive.infolist() if not info.is_dir()}
        links = [name for name, info in members.items() if stat.S_ISLNK(info.external_attr >> 16)]
        names, notes = _sound(path, members, links)

        def load(name: str) -> bytes:
            info = members[name]
            _check_size(info.file_size, info.compress_size)
            try:
                with archive.open(info) as stream:
                    return stream.read(FILE_LIMIT)
            except (zipfile.BadZipFile, *PACKED):
                raise UnreadableError("is damaged in the zip file, or locked with a password") from None

        yield _pictures(path, sorted(names, key=natural), load, notes)


@contextlib.contextmanager
def tarred(path: str) -> Iterator[Source]:
    """The pictures in a tar file, plain or packed by gzip, bzip2 or xz, in the order of the file."""
    size = os.path.getsize(path)
    with tars.opened(path) as archive:

        def load(name: str) -> bytes:
            _check_size(archive.files[name].size, size)
            return archive.read(name)

        names, notes = _sound(path, [*archive.files, *archive.others], archive.others)
        yield _pictures(path, names, load, notes)


def _check_size(size: int, packed: int) -> None:
    if size > FILE_LIMIT or size > budget.UNPACKED + budget.UNPACKED_RATIO * packed:
        raise UnreadableError(f"would unpack to {size:,} bytes; extract it from the archive yourself")


def _sound(path: str, names: Sequence[str] | dict[str, Any], links: list[str]) -> tuple[list[str], tuple[str, ...]]:
    """The pictures among an archive's members, and notes on skipped ones: links, and names that lead elsewhere."""
    pictures = [name for name in names if _is_picture(name)]
    sound = [name for name in pictures if not _leads_elsewhere(name)]
    notes = []
    if len(sound) < len(pictures):
        notes.append(f"{path}: skipped {len(pictures) - len(sound)} with names that are absolute or contain ..")
    linked = set(links)
    notes += _other_formats(path, names)
    kept = [name for name in sound if name not in linked]
    if len(kept) < len(sound):
        notes.append(f"{path}: skipped {len(sound) - len(kept)} that are links or not regular files")
    return kept, tuple(notes)


def _leads_elsewhere(name: str) -> bool:
    parts = name.replace("\\", "/").split("/")
    return ".." in parts or parts[0] == "" or re.match("[A-Za-z]:", parts[0]) is not None


def _is_picture(name: str, suffixes: tuple[str, ...] = PICTURE_SUFFIXES) -> bool:
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    return name.lower().endswith(suffixes) and not last.startswith(".") and not name.startswith("__MACOSX")


def _other_formats(path: str, names: Iterable[str]) -> tuple[str, ...]:
    """A note on pictures of formats that are not read, if there are any."""
    others = [name for name in names if _is_picture(name, OTHER_SUFFIXES)]
    if not others:
        return ()
    suffixes = " ".join(sorted({os.path.splitext(name)[1].lower() for name in others}))
    return (f"{path}: skipped {len(others):,} files in formats that are not read ({suffixes}); convert them to PNG",)


def _pictures(
    path: str,
    names: list[str],
    load: Load,
    notes: tuple[str, ...] = (),
    draw: Callable[[Any, Shape], np.ndarray] = decode,
) -> Source:
    if not names:
        why = f" ({'; '.join(notes)})" if notes else ""
        raise Error(f"{path}: holds no pictures{why}; give {' '.join(PICTURE_SUFFIXES)}")
    labels, classes = _classes(names)
    return Source(
        path,
        len(names),
        lambda row: load(names[row]),
        draw,
        names=names,
        labels=labels,
        classes=classes,
        notes=notes,
    )


def _classes(names: list[str]) -> tuple[np.ndarray | None, tuple[str, ...]]:
    """Each picture's label, which is its folder, and the folders; (None, ()) unless all lie in one of several."""
    paths = [name.removeprefix("./").split("/")[:-1] for name in names]
    pairs = zip(min(paths), max(paths), strict=False)  # what these two share, all share
    shared = sum(1 for _ in itertools.takewhile(lambda pair: pair[0] == pair[1], pairs))
    folders = [path[shared] if len(path) > shared else None for path in paths]
    if None in folders:
        return None, ()
    classes = sorted(set(map(str, folders)), key=natural)
    number = {name: label for label, name in enumerate(classes)}
    return np.array([number[str(name)] for name in folders], np.int64), tuple(classes)
