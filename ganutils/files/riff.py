"""How a WAV file begins, and what one says of itself (Microsoft and IBM 1991, Multimedia Programming Interface)."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator, Sequence
from typing import IO, NamedTuple

from ganutils.files import provenance

LIMIT = (1 << 32) - 1  # bytes that it may have behind its first eight
PCM, FLOAT, EXTENSIBLE = 1, 3, 0xFFFE  # formats of the numbers; the last says which one further on
CHUNKS = 10_000  # of a file that are looked at


class Wav(NamedTuple):
    """What a WAV file holds.

    format     of its numbers: PCM, FLOAT or another
    rate       how many numbers of a channel make a second
    bits       of a number
    start      where the numbers begin, and
    size       how many bytes of them there are, whatever the header says
    lineage    the commands that made it, or what a stranger has put there
    """

    format: int
    channels: int
    rate: int
    bits: int
    start: int
    size: int
    lineage: list[str]


def header(rate: int, channels: int, size: int, lineage: Sequence[str]) -> bytes:
    """What stands before `size` bytes of 16-bit numbers; its lineage, even an empty one, marks the file as ours."""
    comment = provenance.to_comment(lineage).encode() + b"\0"
    chunks = _chunk(b"fmt ", struct.pack("<HHIIHH", PCM, channels, rate, 2 * channels * rate, 2 * channels, 16))
    chunks += _chunk(b"LIST", b"INFO" + _chunk(b"ICMT", comment))
    return (
        b"RIFF" + struct.pack("<I", 4 + len(chunks) + 8 + size) + b"WAVE" + chunks + b"data" + struct.pack("<I", size)
    )


def _chunk(name: bytes, content: bytes) -> bytes:
    return name + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2)


def read(stream: IO[bytes]) -> Wav:
    """What an open file holds, which must be a regular one; ValueError if that is no sound."""
    end = os.fstat(stream.fileno()).st_size
    stream.seek(0)
    start = stream.read(12)
    if start[:4] != b"RIFF" or start[8:] != b"WAVE":
        raise ValueError("is no WAV file")
    form: tuple[int, ...] = ()
    data, lineage = (0, 0), list[str]()
    for name, at, size in _chunks(stream, 12, end):
        if name == b"fmt ":
            form = _form(stream.read(min(size, 40)))
        elif name == b"data" and not data[0]:
            data = at, min(size, end - at)
        elif name == b"LIST" and stream.read(4) == b"INFO":
            for inner, _, length in _chunks(stream, at + 4, min(at + size, end)):
                if inner == b"ICMT":
                    lineage = provenance.of_comment(stream.read(min(length, 2 * provenance.LENGTH_LIMIT)).rstrip(b"\0"))
    if not form or not data[0]:
        raise ValueError("is damaged: it has no sound")
    format, channels, rate, bits = form
    if not (channels and rate and bits):
        raise ValueError("is damaged: its header says nothing of its sound")
    return Wav(format, channels, rate, bits, *data, lineage)


def _chunks(stream: IO[bytes], at: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Name, place and size of each chunk from `at` on; the stream stands at its content."""
    for _ in range(CHUNKS):
        stream.seek(at)
        start = stream.read(8)
        if len(start) < 8 or at + 8 > end:
            return
        size = int.from_bytes(start[4:], "little")
        yield start[:4], at + 8, size
        at += 8 + size + size % 2


def _form(content: bytes) -> tuple[int, ...]:
    """Format, channels, rate and bits; nothing if they are not all there."""
    if len(content) < 16:
        return ()
    format, channels, rate, _, _, bits = struct.unpack("<HHIIHH", content[:16])
    if format == EXTENSIBLE and len(content) >= 26:
        format = int.from_bytes(content[24:26], "little")
    return format, channels, rate, bits


def is_ours(stream: IO[bytes]) -> bool:
    """Whether an open file is a WAV that begins with our `header`."""
    stream.seek(0)
    start = stream.read(56 + len(provenance.KEY))
    return start[:4] + start[8:16] + start[44:52] + start[56:] == b"RIFFWAVEfmt INFOICMT" + provenance.KEY.encode()
