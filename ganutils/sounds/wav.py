"""Sounds as WAV files of 16 bits."""

from __future__ import annotations

import functools
import hashlib
import json
import os
import stat
from collections.abc import Iterable, Sequence
from typing import IO, NamedTuple

import numpy as np

from ganutils import Error
from ganutils.files import atomic, riff
from ganutils.files.container import CHUNK
from ganutils.files.folders import Writer
from ganutils.files.riff import Wav

FULL = 1 << 15  # what 1 would be in 16 bits, were it not one more than there is
ROOM = 1 << 18  # bytes for what stands before the numbers: lineage, too


def write(
    path: str, rate: int, shape: tuple[int, int], sounds: Iterable[np.ndarray], lineage: Sequence[str] = ()
) -> None:
    """Write sounds float32 [n, T, C], which come some at a time, one after another: whole or not at all.

    rate     of all, in Hz
    shape    how many numbers there are in all, and C
    lineage  the commands that made them, for gan-info

    Error if they are more than a WAV can hold.
    """
    count, channels = shape
    size = 2 * count * channels
    if size > riff.LIMIT - ROOM:
        raise Error(f"{path}: {count / rate:,.0f} s of sound are more than the 4 GB of a WAV; write fewer, or a .npy")
    with atomic.replacing(path) as out:
        out.write(riff.header(rate, channels, size, lineage))
        for some in sounds:
            out.write(pcm(some))


def writer(rate: int) -> Writer:
    """Of a folder that has a file for each sound [T, C]."""
    return Writer(".wav", functools.partial(_write_one, rate))


def _write_one(rate: int, out: IO[bytes], sound: np.ndarray, lineage: Sequence[str]) -> None:
    out.write(riff.header(rate, sound.shape[1], 2 * sound.size, lineage) + pcm(sound))


def sixteen_bits(sounds: np.ndarray) -> np.ndarray:
    """int16 of numbers in -1..1: the nearest, those beyond clipped. FULL of them make 1."""
    return np.clip(np.rint(sounds * FULL), -FULL, FULL - 1).astype(np.int16)


def pcm(sounds: np.ndarray) -> bytes:
    """Numbers in -1..1 as the nearest of 16 bits, those beyond clipped, as gan-data reads them; C channels in turns."""
    return sixteen_bits(sounds).astype("<i2").tobytes()


class WavFile(NamedTuple):
    """What the WAV file `name` is. Its lineage is raw, as that of films.about.About."""

    name: str
    about: Wav

    @property
    def lineage(self) -> list[str]:
        return self.about.lineage

    @property
    def seconds(self) -> float:
        return self.length / self.about.rate

    @property
    def length(self) -> int:
        """Numbers of each channel."""
        return 8 * self.about.size // (self.about.channels * self.about.bits)

    def digest(self) -> str:
        """SHA-256 of its sound, without how it was made."""
        about = self.about
        digest = hashlib.sha256(json.dumps([about.format, about.channels, about.rate, about.bits]).encode())
        with open(self.name, "rb") as stream:
            stream.seek(about.start)
            left = about.size
            while left and (part := stream.read(min(CHUNK, left))):
                digest.update(part)
                left -= len(part)
        return digest.hexdigest()


def open_wav(path: str) -> WavFile:
    """What a WAV file is. Error if it is none."""
    if not stat.S_ISREG(os.stat(path).st_mode):
        raise Error(f"{path}: is not a regular file")
    with open(path, "rb") as stream:
        try:
            return WavFile(path, riff.read(stream))
        except ValueError as problem:
            raise Error(f"{path}: {problem}; give a WAV file") from None
