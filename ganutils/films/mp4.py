"""MP4, by the ffmpeg that imageio-ffmpeg brings; one frame in memory at a time."""

from __future__ import annotations

import contextlib
import logging
import math
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from fractions import Fraction
from typing import Any, BinaryIO

import numpy as np

from ganutils import Error
from ganutils.files import provenance
from ganutils.films.formats import Encoding
from ganutils.films.sound import Sound
from ganutils.films.timing import Film

EVEN = "pad=ceil(iw/2)*2:ceil(ih/2)*2,scale=out_color_matrix=bt709:out_range=tv"
SOUND = ["-c:a", "aac", "-b:a", "192k", "-ar", "48000"]  # each player has that rate; its blocks are 21 ms
TAGS = "setparams=range=tv:color_primaries=bt709:color_trc=bt709:colorspace=bt709"  # or players guess by the size


def write(out: BinaryIO, film: Film, encoding: Encoding) -> None:
    """H.264 in yuv420p with its index first, which every browser plays. Sides are padded to even lengths.

    The quality becomes x264's constant rate factor, from 51 down to 10; 80 gives 18, visually lossless. The sound of a
    film begins with each frame, as AAC; where sounds overlap all become softer, so that nothing is clipped.
    """
    logging.getLogger("imageio_ffmpeg").setLevel(logging.ERROR)  # frames are counted instead
    h, w, _ = film.shape
    with _seekable() as path:
        try:
            if _encode(path, film, encoding.quality) != _count_frames(path):
                raise OSError("it ended early")  # killed, perhaps: imageio ignores ffmpeg's exit status
        except (RuntimeError, ImportError):
            raise Error("MP4 needs ffmpeg: pip install imageio-ffmpeg, or install ffmpeg") from None
        except OSError as problem:
            if isinstance(problem, BrokenPipeError) or not problem.errno:
                raise Error(f"ffmpeg failed on frames of {w}x{h} pixels; try another --scale or --format") from None
            raise
        if film.sound is None:
            _copy(path, out)
            return
        with _seekable() as whole:
            _add_sound(path, whole, film, film.sound)
            _copy(whole, out)


def _copy(path: str, out: BinaryIO) -> None:
    with open(path, "rb") as encoded:
        shutil.copyfileobj(encoded, out)


@contextlib.contextmanager
def _seekable() -> Iterator[str]:
    """A path where ffmpeg can seek, to put the index first: a nameless file where /proc gives it a path."""
    if os.path.isdir("/proc/self/fd"):
        with tempfile.TemporaryFile() as film:
            yield f"/proc/{os.getpid()}/fd/{film.fileno()}"
    else:
        with tempfile.TemporaryDirectory() as folder:
            yield os.path.join(folder, "film.mp4")


def _encode(path: str, film: Film, quality: int) -> int:
    """Write the film to `path`; how many frames were sent."""
    import imageio.v3 as imageio

    sent = 0

    def counted() -> Iterator[np.ndarray]:
        nonlocal sent
        for frame in _held(film):
            yield frame
            sent += 1

    frames: Any = counted()  # imageio takes an iterator too, one frame at a time
    rate = _rate(film)
    factor = round(10 + 0.41 * (100 - quality))
    imageio.imwrite(
        path,
        frames,
        is_batch=True,
        plugin="FFMPEG",
        extension=".mp4",
        fps=float(rate),
        codec="libx264",
        pixelformat="yuv420p",
        quality=None,
        macro_block_size=1,
        ffmpeg_log_level="quiet",
        input_params=["-r", str(rate)],
        output_params=["-crf", str(factor), "-vf", f"{EVEN},{TAGS}", *_ending(film)],
    )
    return sent


def _rate(film: Film) -> Fraction:
    """Frames per second, as the file has them."""
    return Fraction(film.fps).limit_denominator(1000)


def _ending(film: Film) -> list[str]:
    """What ffmpeg is to write beside the film, and how."""
    comment = ["-metadata", f"comment={provenance.to_comment(film.lineage)}"] if film.lineage else []
    return [*comment, "-movflags", "+faststart", "-f", "mp4"]


def _held(film: Film) -> Iterator[np.ndarray]:
    """The frames, the held one as often as its time takes, and the last until its sound has been heard."""
    for number, frame in enumerate(film.frames):
        last = _after(film) if number == film.count - 1 else 0
        for _ in range(1 + (_repeats(film) if number == film.held else 0) + last):
            yield frame


def _repeats(film: Film) -> int:
    """How often the held frame is shown once more."""
    return round(film.hold * film.fps)


def _after(film: Film) -> int:
    """How often the last frame is shown once more for the sake of its sound; a hundredth of a frame is none."""
    if film.sound is None:
        return 0
    ends = _start(film, film.count - 1) + Fraction(film.sound.length, film.sound.rate) * _rate(film)
    return max(0, math.ceil(ends - _start(film, film.count) - Fraction(1, 100)))


def _start(film: Film, number: int) -> int:
    """How many frames the file has before a frame of the film, or its end."""
    return number + (_repeats(film) if number > film.held else 0)


def _add_sound(pictures: str, path: str, film: Film, sound: Sound) -> None:
    """Write the MP4 at `pictures` to `path` with its sound, each frame's from when that is shown."""
    import imageio_ffmpeg

    numbers = [round(_start(film, number) * sound.rate / _rate(film)) for number in range(film.count)]
    starts = [(film.source(frame), start) for frame, start in enumerate(numbers)]
    loudest = max(float(np.abs(block).max(initial=0)) for block in sound.mixed(starts))
    raw = ["-f", "f32le", "-ar", str(sound.rate), "-ac", str(sound.channels), "-i", "pipe:0"]
    streams = ["-map", "0:v", "-map", "1:a", "-c:v", "copy", *SOUND]
    command = [
        imageio_ffmpeg.get_ffmpeg_exe(),
        "-y",
        "-v",
        "quiet",
        "-i",
        pictures,
        *raw,
        *streams,
        *_ending(film),
        path,
    ]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as ffmpeg:
        try:
            with contextlib.suppress(BrokenPipeError), ffmpeg.stdin as out:  # type: ignore[union-attr]
                for block in sound.mixed(starts):
                    out.write((block / max(loudest, 1)).astype("<f4").tobytes())
        except BaseException:
            ffmpeg.kill()
            raise
    if ffmpeg.returncode:
        raise Error(f"ffmpeg failed on a sound of {sound.rate:,} Hz; try another --format")


def _count_frames(path: str) -> int:
    """Frames of the MP4 at `path`; 0 if it is none."""
    import imageio_ffmpeg

    try:
        return int(imageio_ffmpeg.count_frames_and_secs(path)[0])
    except RuntimeError:
        return 0
