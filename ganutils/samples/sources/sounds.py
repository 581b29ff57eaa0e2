"""Sound files: WAV by Python's `wave`, and with `soundfile` (libsndfile) WAV of every kind, FLAC, OGG, MP3 and more.

Only as much of a file is read as becomes a sound, so that a long one costs no more than a short one. These functions
run in processes of foreign.py, which hold each file to its allowance of time and memory.
"""

from __future__ import annotations

import contextlib
import io
import math
import os
import wave
from collections.abc import Iterator
from typing import Any, BinaryIO, NamedTuple, Protocol

import numpy as np

from ganutils.files import budget
from ganutils.files.budget import RATES
from ganutils.samples import foreign
from ganutils.samples.changes import Stamp, reading
from ganutils.samples.foreign import UnreadableError
from ganutils.samples.signals import EMPTY, NO_NUMBER, SILENT, Clip, Shaped, shaped, silence

BLOCK = 1 << 16  # numbers that are looked at at once, for silence
EXTRA = "pip install 'ganutils[sounds]'"
FORMATS = ("WAV", "WAVEX", "FLAC", "OGG", "MP3", "AIFF", "AU", "CAF", "W64", "RF64")  # libsndfile knows stranger ones
MOST_CHANNELS = 1024  # libsndfile's


class Recording(Protocol):
    """An open sound file. `read` gives float32 [n, channels], fewer than asked for at its end."""

    @property
    def rate(self) -> int: ...
    @property
    def channels(self) -> int: ...
    def seek(self, frame: int) -> None: ...
    def read(self, frames: int) -> np.ndarray: ...


def read(place: tuple[str, Stamp | None], clip: Clip) -> Shaped:
    """The sound in a file that was seen before, as `clip` asks; UnreadableError says what is wrong with it.

    Error if it is not as it was.
    """
    path, seen = place
    with reading(path, seen) as stream:
        return _shaped(stream, os.fstat(stream.fileno()).st_size, clip)


def decode(data: bytes, clip: Clip) -> Shaped:
    """The sound in the bytes of a file, as `clip` asks; UnreadableError says what is wrong with it."""
    return _shaped(io.BytesIO(data), len(data), clip)


def _shaped(stream: BinaryIO, size: int, clip: Clip) -> Shaped:
    with _opened(stream) as recording:
        rate, channels = recording.rate, recording.channels
        if not RATES[0] <= rate <= RATES[1] or not 0 < channels <= MOST_CHANNELS:
            raise UnreadableError(f"claims {channels:,} channels of {rate:,} Hz; it is damaged, or not a sound")
        needed = clip.needs(rate)
        most = (budget.SOUND if math.isinf(needed) else budget.HEARD) // channels
        if math.inf > needed > most:
            raise UnreadableError(f"would need {needed:,} of its numbers, more than {most:,}; give a shorter --length")
        numbers = int(min(needed, most)) * channels
        foreign.allow(max(budget.decoding(size), budget.deriving(numbers)))
        foreign.allow_pixels(numbers)
        start, end = (0, math.inf) if clip.trim is None else _loud(recording, clip.trim)
        recording.seek(start)
        signals = recording.read(int(min(needed, end - start, most + 1)))
    if len(signals) > most:
        raise UnreadableError(f"is longer than {most:,} numbers; give a --length")
    return shaped(signals, rate, clip._replace(trim=None))


def _loud(recording: Recording, decibels: float) -> tuple[int, int]:
    """Between which frames it is not silent; UnreadableError if it is everywhere. A block is in memory at once."""
    size = max(1, BLOCK // recording.channels)
    blocks = []
    while len(block := recording.read(size)):
        blocks.append(float(np.abs(block).max()))
    peaks = np.array(blocks)
    least = silence(float(peaks.max(initial=0)), decibels)
    places = np.flatnonzero(peaks >= least)
    if not len(places):
        raise UnreadableError((SILENT if np.isfinite(peaks).all() else NO_NUMBER) if blocks else EMPTY)

    def loud_in(number: int) -> np.ndarray:
        recording.seek(number * size)
        return number * size + np.flatnonzero(np.abs(recording.read(size)).max(1) >= least)

    return int(loud_in(places[0])[0]), int(loud_in(places[-1])[-1]) + 1


# ------------------------------------------------------------------------------------------- readers


def library() -> Any:
    """The module soundfile, or None; to be called before processes start that would import it one by one."""
    try:
        import soundfile
    except (ImportError, OSError):  # the latter without libsndfile
        return None
    return soundfile


@contextlib.contextmanager
def _opened(stream: BinaryIO) -> Iterator[Recording]:
    """By soundfile, or where it is not installed by `wave`. UnreadableError where they fail on it in the block."""
    soundfile = library()
    try:
        if soundfile is None:
            with _plain(stream) as file:
                yield _Wav(file)
            return
        place = stream if isinstance(stream, io.BytesIO) else stream.fileno()
        with soundfile.SoundFile(place, closefd=False) as file:
            if file.format not in FORMATS:
                raise UnreadableError(f"is of the format {file.format}, which is not read; convert it to WAV")
            yield _Any(file)
    except (UnreadableError, MemoryError, OSError):
        raise
    except Exception:  # on damaged bytes they raise whatever they stumble over
        raise UnreadableError("is damaged, or not a sound") from None


class _Any(NamedTuple):
    """What soundfile reads."""

    file: Any

    @property
    def rate(self) -> int:
        return int(self.file.samplerate)

    @property
    def channels(self) -> int:
        return int(self.file.channels)

    def seek(self, frame: int) -> None:
        if frame != self.file.tell():
            self.file.seek(frame)

    def read(self, frames: int) -> np.ndarray:
        return np.asarray(self.file.read(frames, "float32", always_2d=True))


def _plain(stream: BinaryIO) -> wave.Wave_read:
    """A WAV file of whole numbers; UnreadableError says what others need."""
    head = stream.read(12)
    stream.seek(0)
    if head[:4] != b"RIFF" or head[8:] != b"WAVE":
        raise UnreadableError(f"is no WAV file; {EXTRA} for others")
    try:
        return wave.open(stream)
    except wave.Error as problem:
        if "format" in str(problem):
            raise UnreadableError(f"is a WAV file of a kind that Python does not read; {EXTRA}") from None
        raise


class _Wav(NamedTuple):
    """What `wave` reads: whole numbers of 1 to 4 bytes."""

    file: wave.Wave_read

    @property
    def rate(self) -> int:
        return self.file.getframerate()

    @property
    def channels(self) -> int:
        return self.file.getnchannels()

    def seek(self, frame: int) -> None:
        if frame != self.file.tell():
            self.file.setpos(frame)

    def read(self, frames: int) -> np.ndarray:
        width, channels = self.file.getsampwidth(), self.channels
        data = np.frombuffer(self.file.readframes(frames), np.uint8)
        parts = data[: len(data) // (width * channels) * width * channels].reshape(-1, channels, width)
        wide = np.zeros((*parts.shape[:2], 4), np.uint8)
        wide[..., 4 - width :] = parts ^ 128 if width == 1 else parts  # a single byte is counted from -128
        return (wide.view("<i4")[..., 0] / np.float64(1 << 31)).astype(np.float32)
