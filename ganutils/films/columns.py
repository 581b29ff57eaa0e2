"""Pictures that stand beside others, as columns: input, output, back, target. NumPy and Pillow only."""

from __future__ import annotations

import dataclasses
import math
import os
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from ganutils import Error
from ganutils.files.kinds import BESIDE, IMAGES, SHOWN
from ganutils.films.frames import SHEET_LIMIT, Cells, Frames, check_grid, first_sound, side_by_side
from ganutils.films.layout import Look
from ganutils.samples.images import Shape, fit_pixels
from ganutils.samples.samples import stacked


class Column(NamedTuple):
    """Some channels of `frames`, below the text `head`."""

    frames: Frames
    head: str
    channels: slice = slice(None)


def arranged(inputs: Sequence[Frames], look: Look, suffix: str, show: Sequence[str] = ()) -> tuple[list[Frames], Look]:
    """The same with all that `show` names in columns, a row for each sample; and how these are drawn.

    Of several inputs, the pictures of each have a column, and what stands beside them is shown once.

    suffix  of the film or sheet: on a .png time runs from left to right; / has a PNG of each picture of a sheet
    show    some of SHOWN, in that order; empty = all that there are

    Without anything beside the pictures all is left as it is. Error if the inputs do not go together.
    """
    is_film = max(frames.count for frames in inputs) > 1
    if suffix == "/" and not is_film:
        if show:
            raise Error("--show: a folder has a PNG of each picture; leave it out, or write a .png")
        return list(inputs), look
    there = {IMAGES.tensor, *(kind for frames in inputs for kind in frames.beside)}
    for kind in show:
        if kind not in there:
            raise Error(f"{inputs[0].name}: has no {kind} to show; there are {', '.join(sorted(there))}")
    show = show or [kind for kind in SHOWN if kind in there]
    if list(show) == [IMAGES.tensor]:
        return list(inputs), look
    _check_alike(inputs)
    columns = [column for kind in show for column in _columns(inputs, kind)]
    heads = look.column_labels or [column.head for column in columns]
    if len(heads) != len(columns):
        raise Error(f"--column-labels: {len(heads)} labels for {len(columns)} columns; give one each")
    is_unrolled = is_film and suffix == ".png"
    plan = _Plan.of(inputs[0], len(columns), None if is_unrolled else look.grid)
    frames = _joined(inputs, columns, plan)
    if is_unrolled:
        rows = look.row_labels or ([*heads] * plan.samples if look.grid is None else [])
        return [frames], look._replace(column_labels=(), row_labels=rows)
    above = [label for block in range(plan.blocks) for label in ([*heads] if not block else ["", *heads])]
    return [frames], look._replace(column_labels=above, grid=None)


def _check_alike(inputs: Sequence[Frames]) -> None:
    """Error unless all have as many pictures, of the same size."""
    first = inputs[0]
    for frames in inputs[1:]:
        if (frames.cells, frames.size[:2]) != (first.cells, first.size[:2]):
            one, other = (f"{each.cells} of {each.size[1]}x{each.size[0]}" for each in (frames, first))
            raise Error(
                f"{frames.name}: its pictures are {one}, and those of {first.name} {other}; bring them to one size "
                "and number, or give --show images"
            )


def _columns(inputs: Sequence[Frames], kind: str) -> list[Column]:
    """The columns of one of SHOWN; an input's stacked pictures have one each."""
    if kind == IMAGES.tensor:
        names = [os.path.basename(frames.name).partition(".")[0] for frames in inputs]
        if len(inputs) == 1:
            names = ["output" if {"targets", "back"} & inputs[0].beside.keys() else "image"]
        return [Column(frames, name) for frames, name in zip(inputs, names, strict=True)]
    frames = next(frames for frames in inputs if kind in frames.beside)
    beside = frames.beside[kind]
    views = stacked(beside.size[2], frames.input_names) if kind == "inputs" else []
    if len(views) > 1:
        return [Column(beside, view.name, view.channels) for view in views]
    return [Column(beside, kind.removesuffix("s"))]


class _Plan(NamedTuple):
    """Where so many samples lie: `blocks` beside each other, each of so many columns, in `rows`."""

    samples: int
    columns: int
    blocks: int
    rows: int

    @classmethod
    def of(cls, frames: Frames, columns: int, grid: tuple[int, int] | None) -> _Plan:
        """In a `grid` of blocks and rows; without one, about as wide as high."""
        (h, w, _), most = frames.size, max(1, SHEET_LIMIT // columns)
        if grid:
            check_grid(frames.name, grid[0] * (columns + 1), grid[1])
            return cls(min(frames.cells, math.prod(grid)), columns, *grid)
        count = min(frames.cells, most)
        blocks = min(count, max(1, round(math.sqrt(count * h / (columns * w)))))
        return cls(count, columns, blocks, math.ceil(count / blocks))

    @property
    def layout(self) -> Cells:
        """Cells of a sheet in which those of a sample follow each other; an empty column between two blocks."""
        return [
            [cell for block in range(self.blocks) for cell in self._block(row * self.blocks + block, block > 0)]
            for row in range(self.rows)
        ]

    def _block(self, number: int, follows: bool) -> list[int | str | None]:
        first = number * self.columns
        cells = [first + column if number < self.samples else None for column in range(self.columns)]
        return [*([""] if follows else []), *cells]


def _joined(inputs: Sequence[Frames], columns: Sequence[Column], plan: _Plan) -> Frames:
    """One film of all columns: on each sheet those of the first sample, of the second, and so on."""
    first, count = inputs[0], max(frames.count for frames in inputs)
    channels = max(len(range(*column.channels.indices(column.frames.size[2]))) for column in columns)
    size = (*first.size[:2], channels)
    noted = next((frames for frames in inputs if any(frames.notes)), first)

    def pictures() -> Iterator[np.ndarray]:
        sources = _sources(inputs, columns)
        for sheets in side_by_side(sources, [plan.samples] * len(sources)):
            _check_same(inputs, sources, sheets)
            found = {id(source): sheet for source, sheet in zip(sources, sheets, strict=True)}
            shown = [_fitted(found[id(column.frames)][..., column.channels], size) for column in columns]
            yield np.stack(shown, 1).reshape(-1, *size)

    def finish() -> None:
        for frames in inputs:
            frames.finish()

    return dataclasses.replace(
        first,
        count=count,
        cells=plan.samples * len(columns),
        size=size,
        pictures=pictures(),
        notes=[noted.notes[min(number, noted.count - 1)] for number in range(count)],
        layout=plan.layout,
        finish=finish,
        beside={},
        sound=first_sound(inputs),
    )


def _sources(inputs: Sequence[Frames], columns: Sequence[Column]) -> list[Frames]:
    """What is read: that of the columns, and what stands beside the pictures of others, to be compared."""
    shown = {id(column.frames): column.frames for column in columns}
    kinds = [kind for kind in BESIDE if any(id(frames.beside.get(kind)) in shown for frames in inputs)]
    compared = [frames.beside[kind] for frames in inputs for kind in kinds if kind in frames.beside]
    return list({**shown, **{id(frames): frames for frames in compared}}.values())


def _check_same(inputs: Sequence[Frames], sources: Sequence[Frames], sheets: Sequence[np.ndarray]) -> None:
    """Error unless what stands beside the pictures, and is shown once, is the same for all inputs."""
    found = {id(source): sheet for source, sheet in zip(sources, sheets, strict=True)}
    for kind in BESIDE:
        having = [frames for frames in inputs if id(frames.beside.get(kind)) in found]
        for frames in having[1:]:
            here, there = (found[id(each.beside[kind])] for each in (frames, having[0]))
            if not np.array_equal(here, there):
                raise Error(
                    f"{frames.name}: its {kind} are not those of {having[0].name}; give files of the same ones, or "
                    "--show images"
                )


def _fitted(pictures: np.ndarray, size: tuple[int, int, int]) -> np.ndarray:
    """Pictures [N, h, w, c] in another `size`, (H, W, C), by the nearest pixels; gray becomes RGB."""
    h, w, channels = size
    shape = Shape(size=(w, h), fit="stretch", channels=channels, filter="nearest")
    return np.stack([fit_pixels(picture, shape) for picture in pictures])
