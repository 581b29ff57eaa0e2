"""Frames and a look become one file: a film, a sheet, or a folder of frames."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from ganutils import Error
from ganutils.files import atomic, folders, paths, png
from ganutils.films.formats import FORMATS, Encoding, formats_with_sound
from ganutils.films.frames import Frames, first_sound, side_by_side, unrolled
from ganutils.films.layout import Look, Page
from ganutils.films.text import fill
from ganutils.films.timing import Timing, film_of


def write_film(
    path: str,
    suffix: str,
    inputs: Sequence[Frames],
    look: Look = Look(),  # noqa: B008  (it cannot change)
    timing: Timing = Timing(),  # noqa: B008
    encoding: Encoding = Encoding(),  # noqa: B008
    progress: Callable[[int], Any] | None = None,
    lineage: Sequence[str] = (),
    tell: Callable[[str], None] = lambda message: None,
) -> str:
    """Draw the inputs side by side into `path`, in a format of formats.film_formats; a summary in a few words.

    A .png is one sheet, time from left to right; / is a PNG per frame, or a PNG per sample of a sheet. What is heard is
    the first of the inputs that has a sound.
    progress   takes the number of frames; gives a context with advance()
    lineage    the commands that make it, for its metadata
    tell       takes what to say of a film that loses its sound
    """
    if suffix == ".png":
        return _write_sheet(path, inputs, look, lineage)
    count = max(frames.count for frames in inputs)
    if suffix == "/" and count == 1:
        return _write_samples(path, inputs, lineage)
    if count < 2:
        raise Error(f"{inputs[0].name}: is a sheet, but a film needs at least two frames; write a .png")
    captions = _captions(inputs, look.caption, count)
    page = Page(inputs, look, captions)
    with progress(count) if progress else contextlib.nullcontext() as bar:
        sound = first_sound(inputs)
        film = film_of(page.shape, count, _draw(page, inputs, captions, bar), timing, lineage, sound)
        if suffix == "/":
            return f"{folders.write(path, _to_the_end(film.frames, inputs), lineage):,} frames"
        if sound and FORMATS[suffix].has_sound:
            sound.listen(max(shown for frames, shown in zip(inputs, page.shown, strict=True) if frames.sound is sound))
        elif sound:
            tell(f"{suffix} has no sound; write {paths.in_words(formats_with_sound())} to hear this film")
            film = dataclasses.replace(film, sound=None)
        with atomic.replacing(path) as out:
            FORMATS[suffix].write(out, film, encoding)
            _finish(inputs)
    return f"{film.count:,} frames, {film.seconds:.2f} s{', with sound' if film.sound else ''}"


def _draw(page: Page, inputs: Sequence[Frames], captions: Sequence[str], bar: Any) -> Iterator[np.ndarray]:
    for sheets, caption in zip(side_by_side(inputs, page.shown), captions, strict=True):
        yield page.draw(sheets, caption)
        if bar:
            bar.advance()


def _write_samples(path: str, inputs: Sequence[Frames], lineage: Sequence[str]) -> str:
    """One PNG per sample of a sheet."""
    if len(inputs) > 1:
        raise Error(f"{path}: one PNG per sample needs a single input; give one file")
    samples = (sample for sheet in inputs[0].sheets(inputs[0].cells) for sample in sheet)
    return f"{folders.write(path, _to_the_end(samples, inputs), lineage):,} pictures"


def _to_the_end(frames: Iterable[np.ndarray], inputs: Sequence[Frames]) -> Iterator[np.ndarray]:
    yield from frames
    _finish(inputs)


def _finish(inputs: Sequence[Frames]) -> None:
    """Read pipes to their end before the result takes its name: if their writer failed, there is no result."""
    for frames in inputs:
        frames.finish()


def _captions(inputs: Sequence[Frames], template: str, count: int) -> list[str]:
    """The caption of each frame, from the notes of the first input that has any."""
    if not template:
        return [""] * count
    noted = next((frames for frames in inputs if any(frames.notes)), inputs[0])
    notes = [noted.notes[min(t, noted.count - 1)] for t in range(count)]
    return [fill(template, {**note, "frame": t + 1, "frames": count}) for t, note in enumerate(notes)]


def _write_sheet(path: str, inputs: Sequence[Frames], look: Look, lineage: Sequence[str]) -> str:
    page, summary = draw_sheet(inputs, look)
    with atomic.replacing(path) as out:
        png.write(out, page, lineage)
        _finish(inputs)
    return summary


def draw_sheet(inputs: Sequence[Frames], look: Look) -> tuple[np.ndarray, str]:
    """All on one page, time from left to right: uint8 [H, W, C]; and a summary in a few words."""
    under = [_own_captions(frames, inputs, look.caption) for frames in inputs]
    captions = list(dict.fromkeys(caption for texts in under for caption in texts))
    caption = captions[0] if captions else ""
    if len(captions) < 2 or look.grid:  # in a grid time runs on over the rows, so columns are of no one frame
        caption = f"{caption} to {captions[-1]}" if len(captions) > 1 else caption
        under = []
    else:
        caption = ""
    sheets = [unrolled(frames, look.grid) for frames in inputs]
    page = Page(sheets, look._replace(grid=None), [caption], under)
    drawn = page.draw(next(side_by_side(sheets, page.shown)), caption)
    shown = sum(len(panel.numbers) for panel in page.panels)
    return drawn, f"{shown:,} of {sum(sheet.cells for sheet in sheets):,} pictures"


def _own_captions(frames: Frames, inputs: Sequence[Frames], template: str) -> list[str]:
    """A caption for each frame of a film; none for a film that says nothing of its frames where others do."""
    if any(other.notes and any(other.notes) for other in inputs) and not any(frames.notes):
        return []
    return _captions([frames], template, frames.count) if template else []
