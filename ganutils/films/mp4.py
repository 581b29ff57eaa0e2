"""MP4, by imageio-ffmpeg and the ffmpeg it brings; one frame in memory at a time."""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import tempfile
from collections.abc import Iterator
from fractions import Fraction
from typing import BinaryIO

import numpy as np

from ganutils import Error
from ganutils.films.timing import Film


@contextlib.contextmanager
def _seekable() -> Iterator[str]:
    """Where ffmpeg may seek, and so put the index first: a file without a name where /proc gives it one."""
    if os.path.isdir("/proc/self/fd"):
        with tempfile.TemporaryFile() as film:
            yield f"/proc/{os.getpid()}/fd/{film.fileno()}"
    else:
        with tempfile.TemporaryDirectory() as folder:
            yield os.path.join(folder, "film.mp4")


def _frames_in(path: str) -> int:
    """Frames of a film; 0 if it is none."""
    import imageio_ffmpeg

    try:
        frames: int = imageio_ffmpeg.count_frames_and_secs(path)[0]
    except RuntimeError:
        return 0
    return frames


def write(out: BinaryIO, clip: Film, quality: int) -> None:
    """H.264 in yuv420p with its index first, which every browser plays. Sides are made even; a hold is repeated frames.

    quality   1 to 100: x264's constant rate factor from 51 down to 10; 80 gives 18, which the eye takes for lossless
    """
    import imageio_ffmpeg

    h, w, c = clip.shape
    rate = Fraction(clip.fps).limit_denominator(1000)
    factor = round(10 + 0.41 * (100 - quality))
    even = "pad=ceil(iw/2)*2:ceil(ih/2)*2,scale=out_color_matrix=bt709:out_range=tv"
    said = "setparams=range=tv:color_primaries=bt709:color_trc=bt709:colorspace=bt709"  # or players guess by the size
    logging.getLogger("imageio_ffmpeg").setLevel(logging.ERROR)  # what it warns of is found by counting
    with _seekable() as path:
        try:
            writer = imageio_ffmpeg.write_frames(
                path,
                (w, h),
                pix_fmt_in="gray" if c == 1 else "rgb24",
                fps=float(rate),
                codec="libx264",
                quality=None,
                macro_block_size=1,
                ffmpeg_log_level="quiet",
                input_params=["-r", str(rate)],
                output_params=["-crf", str(factor), "-vf", f"{even},{said}", "-movflags", "+faststart", "-f", "mp4"],
            )
            with contextlib.closing(writer):
                writer.send(None)
                sent = 0
                for number, frame in enumerate(clip.frames):
                    for _ in range(1 + round(clip.hold * clip.fps) * (number == clip.held)):
                        writer.send(np.ascontiguousarray(frame))
                        sent += 1
            if not os.path.getsize(path) or _frames_in(path) != sent:
                raise OSError("it ended early")  # killed, say; the writer does not look at how it ended
        except (RuntimeError, ImportError):
            raise Error("MP4 needs ffmpeg: pip install imageio-ffmpeg, or install ffmpeg") from None
        except OSError as problem:
            if isinstance(problem, BrokenPipeError) or not problem.errno:
                raise Error(f"ffmpeg could not make a film of {w}x{h} pixels; try another --scale or form") from None
            raise
        with open(path, "rb") as film:
            shutil.copyfileobj(film, out)
