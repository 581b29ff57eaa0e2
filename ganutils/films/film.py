"""Reels and a look become one file: a film, a sheet, or a folder of frames."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from ganutils import Error
from ganutils.files import atomic, folders, png
from ganutils.films import apng, gif, mp4, webp
from ganutils.films.frames import Frames, side_by_side, unrolled
from ganutils.films.layout import Look, Page
from ganutils.films.text import fill
from ganutils.films.timing import Timing, film_of


class Encoding(NamedTuple):
    """colors, dither, gifsicle: of GIF, see gifs.write; quality: of WebP and MP4, 1 to 100."""

    colors: int = 256
    dither: str = "none"
    gifsicle: bool = False
    quality: int = 80


WRITERS: dict[str, Callable[..., None]] = {
    ".gif": lambda out, clip, coding: gif.write(out, clip, coding.colors, coding.dither, coding.gifsicle),
    ".webp": lambda out, clip, coding: webp.write(out, clip, coding.quality),
    ".apng": lambda out, clip, coding: apng.write(out, clip),
    ".mp4": lambda out, clip, coding: mp4.write(out, clip, coding.quality),
}


def write_film(
    path: str,
    form: str,
    found: Sequence[Frames],
    look: Look = Look(),  # noqa: B008  (it cannot change)
    timing: Timing = Timing(),  # noqa: B008
    coding: Encoding = Encoding(),  # noqa: B008
    progress: Callable[[int], Any] | None = None,
) -> str:
    """Draw the reels side by side into `path`, as a `form` of paths.SUFFIXES; say in a few words what it is.

    A .png is one sheet, time from left to right; / is a PNG a frame, or a PNG a picture of a sheet.
    progress   gives, for a number of frames, a context with advance()
    """
    if form == ".png":
        return _write_sheet(path, found, look)
    count = max(reel.count for reel in found)
    if form == "/" and count == 1:
        (sheet, *others) = found
        if others:
            raise Error(f"{path}: one PNG a sample is made of one file; give one")
        done = folders.write(path, _to_the_end((one for frame in sheet.frames(sheet.cells) for one in frame), found))
        return f"{done:,} pictures"
    if count < 2:
        raise Error(f"{found[0].name}: a film needs two frames or more, and this is a sheet; write a .png")
    says = _says(found, look.caption, count)
    page = Page(found, look, says)
    with progress(count) if progress else contextlib.nullcontext() as bar:
        clip = film_of(page.shape, count, _drawn(page, found, says, bar), timing)
        if form == "/":
            return f"{folders.write(path, _to_the_end(clip.frames, found)):,} frames"
        with atomic.replacing(path) as out:
            WRITERS[form](out, clip, coding)
            _finish(found)
    return f"{clip.count:,} frames, {clip.seconds:.2f} s"


def _drawn(page: Page, found: Sequence[Frames], says: Sequence[str], bar: Any) -> Iterator[Any]:
    for frames, say in zip(side_by_side(found, [panel.shown for panel in page.panels]), says, strict=True):
        yield page.drawn(frames, say)
        if bar:
            bar.advance()


def _to_the_end(frames: Iterable[Any], found: Sequence[Frames]) -> Iterator[Any]:
    yield from frames
    _finish(found)


def _finish(found: Sequence[Frames]) -> None:
    """See what is read through before the result takes its name: if its writer failed, there is no result."""
    for reel in found:
        reel.finish()


def _says(found: Sequence[Frames], caption: str, count: int) -> list[str]:
    """The caption of each frame, from the notes of the first file that has any."""
    if not caption:
        return [""] * count
    noted = next((reel for reel in found if any(reel.notes)), found[0])
    notes = [noted.notes[min(t, noted.count - 1)] for t in range(count)]
    return [fill(caption, {**note, "frame": t + 1, "frames": count}) for t, note in enumerate(notes)]


def _write_sheet(path: str, found: Sequence[Frames], look: Look) -> str:
    page, said = draw_sheet(found, look)
    with atomic.replacing(path) as out:
        png.write(out, page)
        _finish(found)
    return said


def draw_sheet(found: Sequence[Frames], look: Look) -> tuple[np.ndarray, str]:
    """All on one page, time from left to right: uint8 [H, W, C]; and in a few words how many of them."""
    says = _says(found, look.caption, max(reel.count for reel in found))
    if len(found) == 1 and found[0].count > 1 and not look.grid and look.caption and not look.column_labels:
        look, says = look._replace(column_labels=says, caption=""), [""]  # each frame is a column: so is what it says
    sheets = [unrolled(reel, look.grid) for reel in found]
    page = Page(sheets, look._replace(grid=None), says[-1:])
    frames = next(iter(side_by_side(sheets, [panel.shown for panel in page.panels])))
    shown = sum(len({cell.what for cell in panel.cells if isinstance(cell.what, int)}) for panel in page.panels)
    return page.drawn(frames, says[-1]), f"{shown:,} of {sum(sheet.cells for sheet in sheets):,} pictures"
