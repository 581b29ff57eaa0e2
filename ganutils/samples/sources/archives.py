"""Pictures, or sounds, in folders, zip and tar files. Nothing is unpacked to disk: members are read one by one.

One level of folders gives labels: if every file lies in a folder, and there are several, they are the classes (a
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
from ganutils.files.kinds import IMAGES, SIGNALS, Modality
from ganutils.files.paths import natural
from ganutils.samples.changes import EXHAUSTED, Stamp, listed, stamp_of
from ganutils.samples.images import FILE_LIMIT, Shape, UnreadableError, decode, read
from ganutils.samples.sources import sounds, tars
from ganutils.samples.sources.catalog import OTHER_SOUNDS, OTHER_SUFFIXES, PICTURE_SUFFIXES, SOUND_SUFFIXES
from ganutils.samples.sources.source import Request, Source

PACKED = (EOFError, OSError, ValueError, RuntimeError, zlib.error, lzma.LZMAError)

Load = Callable[[str], Any]


def _read(place: tuple[str, Stamp | None], shape: Shape) -> np.ndarray:
    path, seen = place
    return read(path, shape, seen)


class Sort(NamedTuple):
    """What is looked for.

    suffixes  of files that are read
    others    of files that are not, which must not go unnoticed
    advice    what to do with these
    read      (path and stamp, look) -> what a Source's `draw` gives
    decode    (bytes of a file, look) -> the same
    """

    modality: Modality
    suffixes: tuple[str, ...]
    others: tuple[str, ...]
    advice: str
    read: Callable[[Any, Any], Any]
    decode: Callable[[Any, Any], Any]

    def has(self, name: str) -> bool:
        return _ends(name, self.suffixes)


PICTURES = Sort(IMAGES, PICTURE_SUFFIXES, OTHER_SUFFIXES, "convert them to PNG", _read, decode)
SOUNDS = Sort(SIGNALS, SOUND_SUFFIXES, OTHER_SOUNDS, "convert them to WAV", sounds.read, sounds.decode)
SORTS = {sort.modality: sort for sort in (PICTURES, SOUNDS)}
LISTED = tuple(suffix for sort in SORTS.values() for suffix in (*sort.suffixes, *sort.others))


def open_folder(request: Request) -> list[Source]:
    return [folder(request.name)]


def open_picture(request: Request) -> list[Source]:
    return [singles(request.name, [request.name], PICTURES)]


def open_sound(request: Request) -> list[Source]:
    return [singles(request.name, [request.name], SOUNDS)]


def singles(name: str, paths: list[str], sort: Sort) -> Source:
    """Files as one source called `name`; if they lie in several folders, these are its classes."""
    source = _files(name, paths, lambda path: path, sort)
    labels, classes = _classes([os.path.abspath(path) for path in paths])
    return dataclasses.replace(source, labels=labels, classes=classes)


def is_single(source: Source) -> bool:
    """Whether it is one file of a picture or sound."""
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
    """The pictures, or sounds, in a folder, at any depth, in natural order: 2.png before 10.png. Error later if they
    change.
    """

    def listing() -> _Found:
        found = _walked(path)
        return found._replace(names=sorted(filter(_is_listed, found.names), key=natural))

    found, check = listed(path, listing)
    sort, notes = _sort_of(path, found.names)
    if found.links:
        notes = (*notes, f"{path}: skipped links to folders: {_some(found.links)}; name them as sources of their own")
    names = list(filter(sort.has, found.names))
    source = _files(path, names, lambda name: os.path.join(path, name), sort, notes)
    return dataclasses.replace(source, unread=tuple(found.unread), check=check)


def _is_listed(name: str) -> bool:
    return _ends(name, LISTED)


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


def _files(name: str, names: list[str], place: Callable[[str], str], sort: Sort, notes: tuple[str, ...] = ()) -> Source:
    """Files, read as they are now: Error if another program changes them before."""
    source = _of(sort, name, names, place, notes)
    seen = np.array([stamp_of(place(one)) or (-1, -1) for one in names], np.int64)

    def load(row: int) -> tuple[str, Stamp | None]:
        size, written = seen[row].tolist()
        return place(names[row]), None if size < 0 else (size, written)

    return dataclasses.replace(source, load=load, draw=sort.read)


def _is_broken_link(path: str) -> bool:
    return os.path.islink(path) and not os.path.exists(path)


def _some(names: list[str]) -> str:
    return ", ".join(sorted(names, key=natural)[:5]) + (", ..." if len(names) > 5 else "")


@contextlib.contextmanager
def zipped(path: str) -> Iterator[Source]:
    """The pictures, or sounds, in a zip file, in natural order."""
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
        sort, names, notes = _safe(path, members, links)

        def load(name: str) -> bytes:
            info = members[name]
            _check_size(info.file_size, info.compress_size)
            try:
                with archive.open(info) as stream:
                    return stream.read(FILE_LIMIT)
            except (zipfile.BadZipFile, *PACKED):
                raise UnreadableError("is damaged in the zip file, or locked with a password") from None

        yield _of(sort, path, sorted(names, key=natural), load, notes)


@contextlib.contextmanager
def tarred(path: str) -> Iterator[Source]:
    """The pictures, or sounds, in a tar file, plain or packed by gzip, bzip2 or xz, in the order of the file."""
    size = os.path.getsize(path)
    with tars.opened(path) as archive:

        def load(name: str) -> bytes:
            _check_size(archive.files[name].size, size)
            return archive.read(name)

        sort, names, notes = _safe(path, [*archive.files, *archive.others], archive.others)
        yield _of(sort, path, names, load, notes)


def _check_size(size: int, packed: int) -> None:
    if size > FILE_LIMIT or size > budget.UNPACKED + budget.UNPACKED_RATIO * packed:
        raise UnreadableError(f"would unpack to {size:,} bytes; extract it from the archive yourself")


def _safe(
    path: str, names: Sequence[str] | dict[str, Any], links: list[str]
) -> tuple[Sort, list[str], tuple[str, ...]]:
    """What an archive holds, which of its members these are, and notes on skipped ones: links, and names that lead
    elsewhere.
    """
    sort, others = _sort_of(path, names)
    every = list(filter(sort.has, names))
    safe = [name for name in every if not _leads_elsewhere(name)]
    notes = []
    if len(safe) < len(every):
        notes.append(f"{path}: skipped {len(every) - len(safe)} with names that are absolute or contain ..")
    linked = set(links)
    notes += others
    kept = [name for name in safe if name not in linked]
    if len(kept) < len(safe):
        notes.append(f"{path}: skipped {len(safe) - len(kept)} that are links or not regular files")
    return sort, kept, tuple(notes)


def _leads_elsewhere(name: str) -> bool:
    parts = name.replace("\\", "/").split("/")
    return ".." in parts or parts[0] == "" or re.match("[A-Za-z]:", parts[0]) is not None


def _ends(name: str, suffixes: tuple[str, ...]) -> bool:
    """Whether it is a file of one of these kinds, and no hidden one."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    return name.lower().endswith(suffixes) and not last.startswith(".") and not name.startswith("__MACOSX")


def _sort_of(path: str, names: Iterable[str]) -> tuple[Sort, tuple[str, ...]]:
    """Whether these are pictures or sounds, and a note on those in formats that are not read. Error if both."""
    names = list(names)
    found = [(sort, few) for sort in SORTS.values() if (few := list(itertools.islice(filter(sort.has, names), 1)))]
    if len(found) > 1:
        which = " and ".join(f"{sort.modality.noun} ({few[0]})" for sort, few in found)
        raise Error(f"{path}: holds {which}; put them into two folders or archives, or name the files of one kind")
    sorts = [sort for sort, _ in found] or list(SORTS.values())
    return sorts[0], tuple(note for sort in sorts for note in _other_formats(path, names, sort))


def _other_formats(path: str, names: Iterable[str], sort: Sort) -> tuple[str, ...]:
    """A note on files of formats that are not read, if there are any."""
    others = [name for name in names if _ends(name, sort.others)]
    if not others:
        return ()
    suffixes = " ".join(sorted({os.path.splitext(name)[1].lower() for name in others}))
    return (f"{path}: skipped {len(others):,} files in formats that are not read ({suffixes}); {sort.advice}",)


def _of(sort: Sort, path: str, names: list[str], load: Load, notes: tuple[str, ...] = ()) -> Source:
    if not names:
        why = f" ({'; '.join(notes)})" if notes else ""
        suffixes = f"{' '.join(PICTURE_SUFFIXES)}, or {' '.join(SOUND_SUFFIXES)}"
        raise Error(f"{path}: holds no pictures or sounds{why}; give {suffixes}")
    if sort is SOUNDS:
        sounds.library()
    labels, classes = _classes(names)
    return Source(
        path,
        len(names),
        lambda row: load(names[row]),
        sort.decode,
        modality=sort.modality,
        names=names,
        labels=labels,
        classes=classes,
        notes=notes,
    )


def _classes(names: list[str]) -> tuple[np.ndarray | None, tuple[str, ...]]:
    """Each file's label, which is its folder, and the folders; (None, ()) unless all lie in one of several."""
    paths = [name.removeprefix("./").split("/")[:-1] for name in names]
    pairs = zip(min(paths), max(paths), strict=False)  # what these two share, all share
    shared = sum(1 for _ in itertools.takewhile(lambda pair: pair[0] == pair[1], pairs))
    folders = [path[shared] if len(path) > shared else None for path in paths]
    if None in folders:
        return None, ()
    classes = sorted(set(map(str, folders)), key=natural)
    number = {name: label for label, name in enumerate(classes)}
    return np.array([number[str(name)] for name in folders], np.int64), tuple(classes)
