"""WebP and APNG by Pillow, MP4 by imageio-ffmpeg and the ffmpeg it brings; one frame in memory at a time."""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import struct
import tempfile
import zlib
from collections.abc import Iterator
from fractions import Fraction
from io import BytesIO
from typing import BinaryIO

import numpy as np
from PIL import Image

from ganutils import Error, pictures
from ganutils.clips import Clip, changed

# --------------------------------------------------------------------------------------------- WebP


class _Film(Image.Image):
    """Frames as a Pillow image with frames of its own: its writer of WebP seeks to one after another and keeps none."""

    format = None

    def __init__(self, clip: Clip):
        super().__init__()
        self._frames = clip.frames
        self._at = -1
        self.n_frames = clip.count
        self.seek(0)

    def tell(self) -> int:
        return max(self._at, 0)

    def seek(self, frame: int) -> None:
        if frame == self._at + 1:  # forwards only; Pillow's return to the start, when all is done, asks for nothing
            self._at = frame
            image = pictures.as_image(next(self._frames)).convert("RGB")
            self.im, self._mode, self._size = image.im, image.mode, image.size


def write_webp(out: BinaryIO, clip: Clip, quality: int) -> None:
    """Quality 1 to 99, or 100: without loss. Frames that libwebp finds equal are merged; the times stay right."""
    how = {"lossless": True, "quality": 60, "method": 2} if quality == 100 else {"quality": quality, "method": 4}
    whole = BytesIO()
    _Film(clip).save(whole, "WEBP", save_all=True, duration=clip.delays(1000), loop=clip.loop, **how)
    out.write(whole.getbuffer())


# --------------------------------------------------------------------------------------------- APNG


def write_apng(out: BinaryIO, clip: Clip) -> None:
    """Without loss; each frame is the part that changed. Format: W3C PNG, third edition, section 11.3.4."""
    out.write(b"\x89PNG\r\n\x1a\n")
    unit = 1000 if clip.hold < 60 else 10  # delays are fractions of 16 bits
    before: np.ndarray | None = None
    sequence = 0
    for frame, delay in zip(clip.frames, clip.delays(unit), strict=True):
        y0, y1, x0, x1 = (0, clip.shape[0], 0, clip.shape[1]) if before is None else changed(before, frame)
        chunks = list(_chunks(frame[y0:y1, x0:x1]))
        if before is None:
            _chunk(out, b"IHDR", next(data for kind, data in chunks if kind == b"IHDR"))
            _chunk(out, b"acTL", struct.pack(">II", clip.count, clip.loop))
        place = struct.pack(">IIIIIHHBB", sequence, x1 - x0, y1 - y0, x0, y0, delay, unit, 0, 0)
        _chunk(out, b"fcTL", place)
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
    """Kind and data of the chunks of its PNG."""
    png = BytesIO()
    pictures.write_png(png, picture)
    data = png.getvalue()
    at = 8
    while at < len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        yield data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        at += length + 12


def _chunk(out: BinaryIO, kind: bytes, data: bytes) -> None:
    out.write(struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)))


# ---------------------------------------------------------------------------------------------- MP4


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


def write_mp4(out: BinaryIO, clip: Clip, quality: int) -> None:
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
