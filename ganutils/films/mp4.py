"""MP4, by the ffmpeg that imageio-ffmpeg brings; one frame in memory at a time."""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import tempfile
from collections.abc import Iterator
from fractions import Fraction
from typing import Any, BinaryIO

import numpy as np

from ganutils import Error
from ganutils.files import provenance
from ganutils.films.formats import Encoding
from ganutils.films.timing import Film

EVEN = "pad=ceil(iw/2)*2:ceil(ih/2)*2,scale=out_color_matrix=bt709:out_range=tv"
TAGS = "setparams=range=tv:color_primaries=bt709:color_trc=bt709:colorspace=bt709"  # or players guess by the size


def write(out: BinaryIO, film: Film, encoding: Encoding) -> None:
    """H.264 in yuv420p with its index first, which every browser plays. Sides are padded to even lengths.

    The quality becomes x264's constant rate factor, from 51 down to 10; 80 gives 18, visually lossless.
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
    rate = Fraction(film.fps).limit_denominator(1000)
    comment = ["-metadata", f"comment={provenance.to_comment(film.lineage)}"] if film.lineage else []
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
        output_params=["-crf", str(factor), "-vf", f"{EVEN},{TAGS}", *comment, "-movflags", "+faststart", "-f", "mp4"],
    )
    return sent


def _held(film: Film) -> Iterator[np.ndarray]:
    """The frames, the held one as often as its time takes."""
    for number, frame in enumerate(film.frames):
        repeats = round(film.hold * film.fps) if number == film.held else 0
        for _ in range(1 + repeats):
            yield frame


def _count_frames(path: str) -> int:
    """Frames of the MP4 at `path`; 0 if it is none."""
    import imageio_ffmpeg

    try:
        return int(imageio_ffmpeg.count_frames_and_secs(path)[0])
    except RuntimeError:
        return 0
