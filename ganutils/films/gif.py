"""GIF: one palette for the whole film, exact total time, one frame in memory. NumPy and Pillow only.

Pillow compresses each frame. Its own writer of films keeps all frames in memory, rounds delays down and takes a palette
per frame, which flickers. The format: CompuServe, "Graphics Interchange Format, Version 89a".
"""

from __future__ import annotations

import math
import shutil
import struct
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from typing import BinaryIO

import numpy as np
from PIL import GifImagePlugin, Image

from ganutils import Error
from ganutils.files import png, provenance
from ganutils.files.spool import Spool
from ganutils.films.formats import Encoding
from ganutils.films.timing import Film, changed

FPS_LIMIT = 50  # browsers show delays under 2/100 s at 10 frames per second
SAMPLE = 1 << 15  # pixels that the palette is made from
ROUNDS = 5  # of k-means on them
CHUNK = 256  # pixels at a time: their distances to 256 colors fit a cache, and are no work for a second thread
# Bayer's 4x4 thresholds, about -0.5..0.5: a fixed pattern, so that still parts do not flicker.
BAYER = (np.array([[0, 8, 2, 10], [12, 4, 14, 6], [3, 11, 1, 9], [15, 7, 13, 5]]) - 7.5) / 16


def write(out: BinaryIO, film: Film, encoding: Encoding) -> None:
    """Grays, and up to `encoding.colors` colors, are kept exactly; more are mapped to that many."""
    if film.fps > FPS_LIMIT:
        raise Error(f"{film.fps:g} frames per second: browsers slow down a GIF above {FPS_LIMIT}; write .mp4 or .webp")
    if not encoding.gifsicle:
        _write(out, film, encoding)
        return
    if not shutil.which("gifsicle"):
        raise Error("gifsicle is not installed; install it, or leave out --gifsicle")
    with tempfile.TemporaryFile() as large, tempfile.TemporaryFile() as small:
        _write(large, film, encoding)
        large.seek(0)
        command = ["gifsicle", "-O3", "--no-warnings"]
        status = subprocess.run(command, stdin=large, stdout=small, stderr=subprocess.DEVNULL).returncode
        if status:
            raise Error(f"gifsicle failed with status {status}; leave out --gifsicle")
        small.seek(0)
        shutil.copyfileobj(small, out)


def _write(out: BinaryIO, film: Film, encoding: Encoding) -> None:
    h, w, c = film.shape
    indexed: Iterator[np.ndarray]
    if c == 1 and encoding.colors == 256:
        palette, indexed = np.arange(256, dtype=np.uint8)[:, None].repeat(3, 1), (f[:, :, 0] for f in film.frames)
    else:
        palette, indexed = _mapped(film, encoding.colors, encoding.dither)
    bits = max(1, math.ceil(math.log2(len(palette))))
    table = palette.tobytes() + bytes(3 * ((1 << bits) - len(palette)))
    out.write(b"GIF89a" + struct.pack("<HHBBB", w, h, 0xF0 | (bits - 1), 0, 0) + table)
    if film.loop != 1:  # the number counts repeats
        out.write(b"!\xff\x0bNETSCAPE2.0\x03\x01" + struct.pack("<HB", max(film.loop - 1, 0), 0))
    if film.lineage:
        out.write(_comment(provenance.to_comment(film.lineage).encode()))
    before = None
    for frame, delay in zip(indexed, film.delays(100), strict=True):
        x, y, part, transparent = _change(before, frame, 1 << bits)
        extra = {} if transparent is None else {"transparency": transparent}
        for block in GifImagePlugin.getdata(Image.fromarray(part), (x, y), duration=10 * delay, **extra):
            out.write(block)
        before = frame
    out.write(b";")


def _comment(text: bytes) -> bytes:
    """A comment extension: blocks of at most 255 bytes."""
    blocks = (text[at : at + 255] for at in range(0, len(text), 255))
    return b"!\xfe" + b"".join(bytes([len(block)]) + block for block in blocks) + b"\0"


def _change(before: np.ndarray | None, frame: np.ndarray, size: int) -> tuple[int, int, np.ndarray, int | None]:
    """The part of a frame that changed: its corner, its indices, and the one among `size` that means "as before".

    A frame in which nothing changed becomes a single pixel, and so remains a frame.
    """
    if before is None:
        return 0, 0, frame, None
    y0, y1, x0, x1 = changed(before, frame)
    part = np.ascontiguousarray(frame[y0:y1, x0:x1])
    same = part == before[y0:y1, x0:x1]
    if same.mean() < 0.3:  # little to gain
        return x0, y0, part, None
    unused = np.flatnonzero(np.bincount(part.reshape(-1), minlength=size)[:size] == 0)
    if not len(unused):
        return x0, y0, part, None
    return x0, y0, np.where(same, unused[0], part).astype(np.uint8), int(unused[0])


def _mapped(film: Film, colors: int, dither: str) -> tuple[np.ndarray, Iterator[np.ndarray]]:
    """One palette [n, 3] for the whole film, and its frames as indices [H, W] into it.

    The palette is made from pixels spread over space and time; meanwhile the frames wait in a spool.
    """
    waiting = Spool()
    every = math.ceil(film.count / 32)
    step = max(1, math.ceil(film.count / every) * film.shape[0] * film.shape[1] // SAMPLE)
    sample: list[np.ndarray] = []
    exact: set[tuple[int, int, int]] | None = set()  # the colors, while they are few enough
    for number, frame in enumerate(film.frames):
        waiting.append(frame)
        if exact is not None:
            counts = png.as_image(_rgb(frame)).getcolors(colors)
            exact = None if counts is None else exact | {color for _, color in counts}  # type: ignore[misc]
            exact = None if exact is None or len(exact) > colors else exact
        if number % every == 0:
            sample.append(_rgb(frame).reshape(-1, 3)[(number * 7) % step :: step])
    if exact is not None:
        palette = np.array(sorted(exact), np.uint8)
        indices = _exact(palette)
    else:
        palette = _palette(np.concatenate(sample), colors)
        indices = _nearest(palette, dither)
    return palette, (indices(_rgb(waiting[number])) for number in range(film.count))


def _rgb(frame: np.ndarray) -> np.ndarray:
    return frame.repeat(3, 2) if frame.shape[2] == 1 else frame


def _palette(pixels: np.ndarray, colors: int) -> np.ndarray:
    """`colors` that stand for pixels [n, 3]: median cut (Heckbert 1982), then a few rounds of k-means."""
    image = Image.fromarray(pixels[:, None])
    cut = image.quantize(colors, Image.Quantize.MEDIANCUT).getpalette()
    centers = np.array(cut, np.float32).reshape(-1, 3)[:colors]
    x = np.concatenate([pixels, np.ones((len(pixels), 1), np.uint8)], 1).astype(np.float32)
    for _ in range(ROUNDS):
        near = _nearest_centers(x, centers)
        count = np.bincount(near, minlength=len(centers))[:, None]
        total = np.stack([np.bincount(near, x[:, c], len(centers)) for c in range(3)], axis=1)
        centers = np.where(count > 0, total / np.maximum(count, 1), centers).astype(np.float32)
    return np.unique(centers.round().astype(np.uint8), axis=0)


def _nearest_centers(x: np.ndarray, centers: np.ndarray) -> np.ndarray:
    """Of pixels [n, 3] beside a column of ones, the number of the nearest center: the largest x·c - c²/2."""
    weights = np.concatenate([centers.T, -(centers**2).sum(1)[None] / 2])
    near = [np.argmax(x[start : start + CHUNK] @ weights, axis=1) for start in range(0, len(x), CHUNK)]
    return np.concatenate(near)


def _exact(palette: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """Frames [H, W, 3] whose colors are all in `palette`, which is sorted -> indices."""
    weights = np.array([1 << 16, 1 << 8, 1], np.int32)
    keys = palette @ weights
    return lambda frame: np.searchsorted(keys, frame @ weights).astype(np.uint8)


def _nearest(palette: np.ndarray, dither: str) -> Callable[[np.ndarray], np.ndarray]:
    """Frames [H, W, 3] -> indices of the nearest color in `palette`."""
    holder = Image.new("P", (1, 1))
    holder.putpalette(palette.tobytes())
    diffusion = Image.Dither.FLOYDSTEINBERG if dither == "floyd-steinberg" else Image.Dither.NONE
    gaps = np.linalg.norm(palette[:, None].astype(float) - palette, axis=2) + np.diag(np.full(len(palette), np.inf))
    spread = gaps.min(1).mean() / 3**0.5  # about the distance from one color to the next, in each channel

    def indices(frame: np.ndarray) -> np.ndarray:
        if dither == "ordered":
            h, w, _ = frame.shape
            pattern = np.tile(BAYER * spread, (h // 4 + 1, w // 4 + 1))[:h, :w, None]
            frame = np.clip(frame + pattern, 0, 255).astype(np.uint8)
        return np.asarray(Image.fromarray(frame).quantize(palette=holder, dither=diffusion))

    return indices
