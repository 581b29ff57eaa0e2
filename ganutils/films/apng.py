"""APNG, by Pillow; one frame in memory at a time."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from io import BytesIO
from typing import BinaryIO

import numpy as np

from ganutils.files import png, provenance
from ganutils.films.formats import Encoding
from ganutils.films.timing import Film, changed


def write(out: BinaryIO, film: Film, encoding: Encoding) -> None:
    """Lossless; of each frame the part that changed. The format: W3C PNG, third edition, section 11.3.4."""
    out.write(b"\x89PNG\r\n\x1a\n")
    unit = 1000 if 1 / film.fps + film.hold < 65 else 10  # a delay is a fraction of two 16-bit numbers
    before: np.ndarray | None = None
    sequence = 0
    for frame, delay in zip(film.frames, film.delays(unit), strict=True):
        y0, y1, x0, x1 = (0, film.shape[0], 0, film.shape[1]) if before is None else changed(before, frame)
        chunks = list(_chunks(frame[y0:y1, x0:x1]))
        if before is None:
            _chunk(out, b"IHDR", next(data for kind, data in chunks if kind == b"IHDR"))
            _chunk(out, b"tEXt", f"{provenance.KEY}\0{provenance.to_json(film.lineage)}".encode())
            _chunk(out, b"acTL", struct.pack(">II", film.count, film.loop))
        _chunk(out, b"fcTL", struct.pack(">IIIIIHHBB", sequence, x1 - x0, y1 - y0, x0, y0, delay, unit, 0, 0))
        sequence += 1
        for data in (data for kind, data in chunks if kind == b"IDAT"):
            if before is None:
                _chunk(out, b"IDAT", data)
            else:
                _chunk(out, b"fdAT", struct.pack(">I", sequence) + data)
                sequence += 1
        before = frame
    _chunk(out, b"IEND", b"")


def _chunks(picture: np.ndarray) -> Iterator[tuple[bytes, bytes]]:
    """Kind and data of each chunk of its PNG."""
    encoded = BytesIO()
    png.write(encoded, picture)
    data = encoded.getvalue()
    at = 8
    while at < len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        yield data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        at += length + 12


def _chunk(out: BinaryIO, kind: bytes, data: bytes) -> None:
    out.write(struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)))
