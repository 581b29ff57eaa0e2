"""Bytes of pictures and archives, good and hostile, for the tests."""

import io
import struct
import zipfile
import zlib

import numpy as np
from PIL import Image


def photo(seed, w=40, h=30, suffix="PNG"):
    """A picture of noise, packed."""
    pixels = np.random.default_rng(seed).integers(0, 256, (h, w, 3), np.uint8)
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, suffix)
    return stream.getvalue()


def flat(level, w=8, h=8):
    """A gray PNG of one level."""
    stream = io.BytesIO()
    Image.new("L", (w, h), level).save(stream, "PNG")
    return stream.getvalue()


def png_header(w, h):
    """A PNG that claims so many pixels and has none."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", w, h, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")


def idx(array):
    """An idx-ubyte file."""
    lengths = b"".join(length.to_bytes(4, "big") for length in array.shape)
    return bytes([0, 0, 8, array.ndim]) + lengths + array.astype(np.uint8).tobytes()


def levels(tensors):
    """The gray level of each picture that `flat` made."""
    return tensors["images"][:, 0, 0, 0].tolist()


def zipped(path, files):
    """Writes a zip of {name: bytes}."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
