"""Films in files: the frames of a GIF, WebP, APNG or MP4, one in memory at a time, read by imageio.

Pillow and ffmpeg know formats that run programs or open other files, and a few bytes can ask for gigabytes. So each
file is held to the one format that its suffix names, and to a number of pixels, and read in a process of its own.
"""

from __future__ import annotations

import contextlib
import logging
import math
import os
import stat
import subprocess
import warnings
from collections.abc import Generator, Iterator

import numpy as np
from PIL import Image

from ganutils import Error
from ganutils.files import budget
from ganutils.samples import foreign
from ganutils.samples.changes import EXHAUSTED, changed, regular
from ganutils.samples.foreign import UnreadableError
from ganutils.samples.images import PIXELS
from ganutils.samples.sources import archives
from ganutils.samples.sources.catalog import FILMS, PICTURE_SUFFIXES
from ganutils.samples.sources.source import Request, Source


def open_film(request: Request) -> list[Source]:
    """Each frame is a sample; a GIF or WebP of a single frame is a picture."""
    if not is_film_file(request.name):
        return archives.open_picture(request)
    film = FilmFile(request.name)
    frames = enumerate(request.stack.enter_context(contextlib.closing(film.frames())))

    def load(row: int) -> np.ndarray:
        return next(frame for number, frame in frames if number == row)

    return [Source(film.name, film.count, load)]


def is_film_file(path: str) -> bool:
    """Whether its suffix is a film's; where stills have that suffix too, whether it has several frames."""
    suffix = _suffix(path)
    if suffix not in FILMS or suffix not in PICTURE_SUFFIXES:
        return suffix in FILMS
    try:
        with regular(path) as stream, Image.open(stream, formats=[FILMS[suffix].decoder]) as image:
            return getattr(image, "is_animated", False)
    except Exception:  # the reader of pictures says what is wrong with it
        return False


class FilmFile:
    """A film, read through once. Error unless it is whole.

    count    number of frames
    size     (H, W) of each
    is_gray  whether all are gray
    """

    def __init__(self, path: str):
        if not stat.S_ISREG(os.stat(path).st_mode):
            raise Error(f"{path}: is not a regular file")
        self.name = path
        with _naming(path):
            self.count, self.size, self.is_gray = foreign.call(_examined, path)
        if not self.count:
            raise Error(f"{path}: has no frames")

    def frames(self) -> Generator[np.ndarray]:
        """uint8 [H, W, C]: gray (C = 1) or RGB (3), with alpha (2 or 4) if the format may have it."""
        count = 0
        with _naming(self.name), contextlib.closing(foreign.each(_frames, [(self.name, self.is_gray)])) as frames:
            for frame in frames:
                if frame.shape[:2] != self.size:
                    break
                count += 1
                yield frame
        if count != self.count:
            raise changed(self.name)


@contextlib.contextmanager
def _naming(path: str) -> Iterator[None]:
    try:
        yield
    except UnreadableError as problem:
        raise Error(f"{path}: {problem}") from None


# --------------------------------------------------------------------------------------- in the child


def _examined(path: str) -> tuple[int, tuple[int, int], bool]:
    """Its number of frames, their size, and whether they are gray."""
    foreign.allow(budget.filming(os.path.getsize(path)))
    count, size, is_gray = 0, (0, 0), True
    for frame in _decoded(path, verify=True):
        h, w, _ = frame.shape
        if count and (h, w) != size:
            raise Error(f"{path}: damaged: its frames differ in size")
        count, size, is_gray = count + 1, (h, w), is_gray and _is_gray(frame)
    return count, size, is_gray


def _frames(path: str, is_gray: bool) -> Iterator[np.ndarray]:
    foreign.allow(2 * budget.filming(os.path.getsize(path)))  # to send its frames takes time, too
    for frame in _decoded(path, verify=False):
        yield np.delete(frame, (0, 2), 2) if is_gray else frame  # green is closest to MP4's luma


def _decoded(path: str, verify: bool) -> Iterator[np.ndarray]:
    """RGB or RGBA."""
    plugin, decoder = FILMS[_suffix(path)]
    absolute = os.path.abspath(path)  # so that imageio takes it for no address and no camera
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            yield from (_by_pillow if plugin == "pillow" else _by_ffmpeg)(absolute, decoder, verify)
    except (Error, MemoryError):
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise Error(f"{path}: has more than {PIXELS:,} pixels per frame; make it smaller") from None
    except Exception as problem:  # on damaged files decoders raise whatever they stumble over
        if isinstance(problem, OSError) and problem.errno in EXHAUSTED:
            raise
        raise Error(f"{path}: damaged, or not a film that can be read") from None


def _by_pillow(path: str, decoder: str, verify: bool) -> Iterator[np.ndarray]:
    import imageio.v3 as imageio

    with Image.open(path, formats=[decoder]) as image:
        if math.prod(image.size) > PIXELS:
            raise Image.DecompressionBombError
        foreign.allow_pixels(math.prod(image.size))
        count = getattr(image, "n_frames", 1)
    for frame in imageio.imiter(path, plugin="pillow", mode="RGBA", rotate=True):
        yield frame
        count -= 1
    if count:
        raise EOFError


def _by_ffmpeg(path: str, decoder: str, verify: bool) -> Iterator[np.ndarray]:
    try:
        import imageio.v3 as imageio
        from imageio_ffmpeg import get_ffmpeg_exe

        ffmpeg = get_ffmpeg_exe()
    except (ImportError, RuntimeError):
        raise Error(f"{path}: MP4 needs ffmpeg: pip install imageio-ffmpeg, or install ffmpeg") from None
    foreign.allow_pixels(PIXELS)
    foreign.allow_programs(budget.filming(os.path.getsize(path)))
    source = ["-f", decoder, "-max_pixels", str(PIXELS), "-threads", "2"]  # each has frames of its own
    every = ["-map", "0:v:0", "-fps_mode", "passthrough"]  # or ffmpeg repeats and drops frames for an even rate
    if verify:  # imageio ignores ffmpeg's exit status, and so would take what is left of a truncated film for all
        command = [ffmpeg, "-v", "quiet", "-xerror", *source, "-i", path, *every, "-f", "null", "-"]
        subprocess.run(command, stdin=subprocess.DEVNULL, check=True)
    logging.getLogger("imageio_ffmpeg").setLevel(logging.ERROR)  # it warns of turned films
    yield from imageio.imiter(path, plugin="FFMPEG", input_params=source, output_params=every)


def _is_gray(frame: np.ndarray) -> bool:
    apart = 0 if frame.shape[2] == 4 else 3  # MP4 rounds colors, and so those of grays
    r, g, b = (frame[..., channel] for channel in range(3))
    spread = np.maximum(np.maximum(r, g), b) - np.minimum(np.minimum(r, g), b)  # as np.ptp, eight times faster
    return bool(spread.max() <= apart)


def _suffix(path: str) -> str:
    return os.path.splitext(path)[1].lower()
