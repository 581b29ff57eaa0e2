"""What a picture or film is, and the lineage that it carries in its metadata. NumPy and Pillow only."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

import numpy as np
from PIL import Image

from ganutils import Error
from ganutils.files import provenance
from ganutils.films.webp import DESCRIPTION
from ganutils.samples import foreign
from ganutils.samples.changes import regular
from ganutils.samples.foreign import UnreadableError
from ganutils.samples.images import Shape, opened, read
from ganutils.samples.sources.catalog import FILMS, PICTURE_SUFFIXES
from ganutils.samples.sources.films import FilmFile, is_film_file

COMMENT = (b"moov", b"udta", b"meta", b"ilst", b"\xa9cmt", b"data")  # where an MP4 has it: boxes in boxes
BOXES = 10_000  # of an MP4 that are looked at
HEADERS = {b"meta": 4, b"data": 8}  # bytes before what a box holds


class About(NamedTuple):
    """What the picture or film in the file `name` is: its format, (H, W), number of frames, and lineage.

    The lineage is raw, a stranger's text perhaps; `files.lineage.recipe` tells our own commands from it.
    """

    name: str
    format: str
    size: tuple[int, int]
    frames: int
    lineage: list[str]

    @property
    def kind(self) -> str:
        return "film" if self.frames > 1 else "picture"

    def digest(self) -> str:
        """SHA-256 of its pixels, without how they were made. Error if they cannot be read."""
        digest = hashlib.sha256()
        with _reading(self.name):
            for frame in (
                FilmFile(self.name).frames() if is_film_file(self.name) else [foreign.call(read, self.name, Shape())]
            ):
                digest.update(json.dumps(frame.shape).encode())
                digest.update(np.ascontiguousarray(frame).data)
        return digest.hexdigest()


def is_picture_file(path: str) -> bool:
    """Whether its suffix is that of a picture or film."""
    return path.lower().endswith((*PICTURE_SUFFIXES, *FILMS))


def about(path: str) -> About:
    """What the picture or film in a file is. Error if it is none that can be read."""
    if path.lower().endswith(".mp4"):
        film = FilmFile(path)
        return About(path, "MP4", film.size, film.count, lineage_of(path))
    with _reading(path):
        about: About = foreign.call(_about_image, path)
        return about


def _about_image(path: str) -> About:
    with regular(path) as stream, opened(stream) as image:
        lineage, count = _of_image(image), getattr(image, "n_frames", 1)
        format = "APNG" if image.format == "PNG" and count > 1 else str(image.format)
        return About(path, format, (image.height, image.width), count, lineage)


@contextlib.contextmanager
def _reading(path: str) -> Iterator[None]:
    try:
        yield
    except UnreadableError as problem:
        raise Error(f"{path}: {problem}") from None


def lineage_of(path: str) -> list[str]:
    """The lineage that a picture or film carries; none if it carries none, or cannot be read."""
    if path.lower().endswith(".mp4"):
        with open(path, "rb") as stream:
            return provenance.of_comment(_comment(stream))
    try:
        lineage: list[str] = foreign.call(lineage_of_picture, path)
        return lineage
    except UnreadableError:
        return []


def lineage_of_picture(path: str) -> list[str]:
    """As `lineage_of`, in this process, which should be a Child. UnreadableError, or OSError."""
    with regular(path) as stream, opened(stream) as image:
        return _of_image(image)


def _of_image(image: Image.Image) -> list[str]:
    if image.format == "PNG":
        return provenance.of_json(image.info.get(provenance.KEY))
    if image.format == "WEBP":
        with contextlib.suppress(Exception):  # on damaged EXIF Pillow raises whatever it stumbles over
            return provenance.of_comment(image.getexif().get(DESCRIPTION))
    return provenance.of_comment(image.info.get("comment"))


def _comment(stream: BinaryIO) -> bytes:
    """The comment of an MP4 (ISO/IEC 14496-12), or nothing. A box is its size, 4 bytes of name, and what it holds."""
    at, end, path = 0, os.fstat(stream.fileno()).st_size, list(COMMENT)
    for _ in range(BOXES):
        stream.seek(at)
        header = stream.read(16)
        size, name, start = int.from_bytes(header[:4], "big"), header[4:8], at + 8
        if size == 1:  # it follows in 8 bytes
            size, start = int.from_bytes(header[8:], "big"), at + 16
        size = end - at if size == 0 else size
        if len(header) < 8 or size < start - at or at + size > end:
            return b""
        if name != path[0]:
            at += size
            continue
        path.pop(0)
        at, end = start + HEADERS.get(name, 0), at + size
        if not path:
            stream.seek(at)
            return stream.read(max(0, min(end - at, 2 * provenance.LENGTH_LIMIT)))
    return b""
