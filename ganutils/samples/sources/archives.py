"""Pictures in folders, zip and tar files. Nothing is unpacked to disk: members are read into memory, one by one.

One level of folders gives labels: if every picture lies in a folder, and there are several, they are the classes (a
folder around everything, as many archives have, does not count).
"""

from __future__ import annotations

import bz2
import contextlib
import dataclasses
import gzip
import io
import itertools
import lzma
import os
import re
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from ganutils import Error
from ganutils.files import budget
from ganutils.files.paths import natural
from ganutils.samples.images import EXHAUSTED, FILE_LIMIT, Shape, UnreadableError, decode, read
from ganutils.samples.sources.catalog import OTHER_SUFFIXES, PICTURE_SUFFIXES
from ganutils.samples.sources.source import Request, Source

PACKED = (EOFError, OSError, ValueError, RuntimeError, zlib.error, lzma.LZMAError)
OPENERS: dict[bytes, Any] = {b"\x1f\x8b": gzip.open, b"BZh": bz2.open, b"\xfd7zXZ": lzma.open}

Load = Callable[[str], Any]


def open_folder(request: Request) -> list[Source]:
    return [folder(request.name)]


def open_picture(request: Request) -> list[Source]:
    return [single_pictures(request.name, [request.name])]


def single_pictures(name: str, paths: list[str]) -> Source:
    """Picture files as one source called `name`; if they lie in several folders, these are its classes."""
    source = _pictures(name, paths, lambda path: path, draw=read)
    labels, classes = _classes([os.path.abspath(path) for path in paths])
    return dataclasses.replace(source, labels=labels, classes=classes)


def is_single(source: Source) -> bool:
    """Whether it is one picture file."""
    return source.names == [source.name]


def open_zip(request: Request) -> list[Source]:
    return [request.stack.enter_context(zipped(request.name))]


def open_tar(request: Request) -> list[Source]:
    return [request.stack.enter_context(tarred(request.name))]


def folder(path: str) -> Source:
    """The pictures in a folder, at any depth, in natural order: 2.png before 10.png."""
    names: list[str] = []
    links: list[str] = []
    unread: list[str] = []

    def relative(*parts: str) -> str:
        return os.path.relpath(os.path.join(*parts), path).replace(os.sep, "/")

    def failed(problem: OSError) -> None:
        if problem.filename == path or problem.errno in EXHAUSTED:
            raise problem
        reason = (problem.strerror or "error").lower()
        unread.append(f"{path}: the folder {relative(problem.filename)} cannot be read ({reason})")

    for parent, folders, found in os.walk(path, onerror=failed):
        folders[:] = [name for name in folders if not name.startswith(".")]
        links += (relative(parent, name) for name in folders if os.path.islink(os.path.join(parent, name)))
        names += (relative(parent, name) for name in found)
    notes = _other_formats(path, names)
    if links:
        notes = (*notes, f"{path}: skipped links to folders: {_some(links)}; name them as sources of their own")
    names = sorted(filter(_is_picture, names), key=natural)
    source = _pictures(path, names, lambda name: os.path.join(path, name), notes, read)
    return dataclasses.replace(source, unread=tuple(unread))


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
    members: dict[str, tarfile.TarInfo] = {}
    links: list[str] = []
    with open(path, "rb") as raw:
        magic = raw.read(6)
        raw.seek(0)
        opener = next((opener for key, opener in OPENERS.items() if magic.startswith(key)), None)
        packed = opener(raw) if opener else raw
        try:
            archive = tarfile.open(fileobj=_Careful(packed), mode="r:")  # noqa: SIM115 - closed with `raw`
            for member in archive:
                if member.offset_data + member.size > 1100 * size + FILE_LIMIT:
                    raise Error(f"{path}: would unpack to far too many bytes; it is damaged or hostile")
                if member.isreg() and not member.issparse():
                    members[member.name] = member
                elif not member.isdir():
                    links.append(member.name)
        except (tarfile.TarError, *PACKED):
            raise Error(f"{path}: damaged, cut short, or not a tar file") from None

        def load(name: str) -> bytes:
            _check_size(members[name].size, size)
            try:
                stream = archive.extractfile(members[name])
                return stream.read() if stream else b""
            except (tarfile.TarError, *PACKED):
                raise UnreadableError("is damaged in the tar file") from None

        names, notes = _sound(path, [*members, *links], links)
        yield _pictures(path, names, load, notes)


class _Careful(io.RawIOBase):
    """A stream that refuses to read absurd lengths, which a tar header may ask for."""

    def __init__(self, stream: Any):
        self._stream = stream

    def read(self, size: int = -1) -> bytes:
        if not 0 <= size <= FILE_LIMIT:
            raise OSError("absurd length")
        return self._stream.read(size)

    def seek(self, position: int, whence: int = 0) -> int:
        return self._stream.seek(position, whence)

    def tell(self) -> int:
        return self._stream.tell()


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
