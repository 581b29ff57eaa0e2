"""Where everything lies on a frame: cells, signs, labels, title, caption. NumPy and Pillow only."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from PIL import Image

from ganutils import Error
from ganutils.files import png
from ganutils.films.frames import Cells, Frames
from ganutils.films.text import Font, plain

SHEET_LIMIT = 1024  # pictures on a frame whose grid is not given: what a screen can show
PIXEL_ART = 64  # pixels: pictures up to this size are enlarged as squares, larger ones smoothly
BETWEEN = 8  # pixels between files side by side
SIDE_LIMIT = 1 << 15  # pixels of a frame's side
COLORS = {"black": (0, 255), "white": (255, 0)}  # paper and ink


class Look(NamedTuple):
    """How a frame is drawn.

    grid     (columns, rows), which show the first so many pictures; None = the file's own layout, or the squarest
    gap      pixels between pictures
    scale    of the pictures
    filter   nearest, smooth, or None: nearest for a whole `scale` of pictures up to 64 pixels, smooth otherwise
    title, caption                text above and below; the caption is a template, see captions.filled
    column_labels, row_labels     of the grid; with several files the columns are the files
    paper    black or white: what lies behind the pictures
    font     a .ttf or .otf file; None = Pillow's own
    text     height of the letters in pixels; None = by the frame's width
    """

    grid: tuple[int, int] | None = None
    gap: int = 0
    scale: float = 1.0
    filter: str | None = None
    title: str = ""
    caption: str = ""
    column_labels: Sequence[str] = ()
    row_labels: Sequence[str] = ()
    paper: str = "black"
    font: str | None = None
    text: int | None = None


class Cell(NamedTuple):
    """A place on a frame, in pixels, and what is there: the number of a picture, or a sign."""

    x: int
    y: int
    w: int
    h: int
    what: int | str


class Panel:
    """The pictures of one file: cells relative to its own corner."""

    def __init__(self, reel: Frames, look: Look):
        self.reel = reel
        own_h, own_w, self.channels = reel.size
        self.size = max(1, round(own_w * look.scale)), max(1, round(own_h * look.scale))
        rows = _rows(reel, look.grid)
        kinds = [{type(row[i]) for row in rows} for i in range(len(rows[0]))]
        w, h = self.size
        widths = [(w + 1) // 2 if str in kind and int not in kind else w for kind in kinds]  # of signs: half
        starts = [0, *itertools.accumulate(width + look.gap for width in widths)]
        self.columns = list(zip(starts, widths, strict=False))
        self.rows = [(i * (h + look.gap), h) for i in range(len(rows))]
        self.w, self.h = starts[-1] - look.gap, sum(self.rows[-1])
        self.cells = [
            Cell(x, y, width, height, what)
            for (y, height), row in zip(self.rows, rows, strict=True)
            for (x, width), what in zip(self.columns, row, strict=True)
            if what is not None
        ]
        self.shown = 1 + max((cell.what for cell in self.cells if isinstance(cell.what, int)), default=0)
        is_whole = look.scale == int(look.scale) and look.filter is None and max(own_h, own_w) <= PIXEL_ART
        self.is_nearest = is_whole or look.filter == "nearest"

    def scaled(self, frame: np.ndarray, channels: int) -> np.ndarray:
        """Its pictures [N, H, W, C] at their size on the frame, and with `channels`."""
        w, h = self.size
        if channels > self.channels:
            frame = frame.repeat(channels, 3)
        if frame.shape[1:3] == (h, w):
            return frame
        if self.is_nearest and h % frame.shape[1] == 0 == w % frame.shape[2]:
            return frame.repeat(h // frame.shape[1], 1).repeat(w // frame.shape[2], 2)
        how = Image.Resampling.NEAREST if self.is_nearest else Image.Resampling.LANCZOS
        return np.stack([np.asarray(png.as_image(one).resize((w, h), how)).reshape(h, w, -1) for one in frame])


def _rows(reel: Frames, grid: tuple[int, int] | None) -> Cells:
    """The cells of a frame, row by row."""
    if reel.layout and not grid:
        return reel.layout
    columns, rows = grid or png.grid_of(min(reel.cells, SHEET_LIMIT))
    numbers: list[int | str | None] = [n if n < reel.cells else None for n in range(columns * rows)]
    return [numbers[row * columns : (row + 1) * columns] for row in range(rows)]


class Page:
    """A frame's plan, made once for a film of `reels` side by side whose captions are `says`.

    Its size is that of the pictures and of the texts around them; it is the same for all frames.
    """

    def __init__(self, reels: Sequence[Frames], look: Look, says: Sequence[str]):
        self.look = look
        self.paper, self.ink = COLORS[look.paper]
        self.panels = [Panel(reel, look) for reel in reels]
        starts = [0, *itertools.accumulate(panel.w + BETWEEN for panel in self.panels)]
        inner_w, inner_h = starts[-1] - BETWEEN, max(panel.h for panel in self.panels)
        title, says = plain(look.title), [say for say in dict.fromkeys(says) if say]
        signs = [plain(c.what) for panel in self.panels for c in panel.cells if isinstance(c.what, str)]
        size = look.text or min(max(round(inner_w / 24), 12), 28)
        self.font = font = Font(size, look.font, [title, *says, *look.row_labels, *look.column_labels, *signs])
        pad = size // 2
        row_w = max((font.width(label) + 2 * pad for label in look.row_labels), default=0)
        self.room = max(row_w + inner_w, 16 * font.size)  # a longer text is broken into lines
        titles, told = font.lines(title, self.room), [font.lines(say, self.room) for say in says]
        w = max(row_w + inner_w, *(font.width(line) + pad for lines in [titles, *told] for line in lines), 0)
        top = len(titles) * font.line + font.line * bool(look.column_labels)
        self.caption_y = top + inner_h + (pad // 2 if told else 0)
        h = self.caption_y + font.line * max(map(len, told), default=0) + (pad // 2 if told else 0)
        if max(w, h) > SIDE_LIMIT:
            raise Error(f"{reels[0].name}: frames of {w:,}x{h:,} pixels; give a --grid or a smaller --scale")

        self.base = np.full((h, w, max(panel.channels for panel in self.panels)), self.paper, np.uint8)
        left = row_w + (w - row_w - inner_w) // 2
        self.corners = [
            (left + start, top + (inner_h - panel.h) // 2) for start, panel in zip(starts, self.panels, strict=False)
        ]
        for number, line in enumerate(titles):
            self._write(self.base, line, w / 2, (number + 0.5) * font.line)
        self._label(pad, top)
        for panel, (x, y) in zip(self.panels, self.corners, strict=True):
            for cell in panel.cells:
                if isinstance(cell.what, str):
                    self._write(self.base, plain(cell.what), x + cell.x + cell.w / 2, y + cell.y + cell.h / 2)

    @property
    def shape(self) -> tuple[int, int, int]:
        h, w, c = self.base.shape
        return h, w, c

    def _label(self, pad: int, top: int) -> None:
        """Columns (or files) above, rows on the left; Error if there are not as many labels."""
        (left, upper), first = self.corners[0], self.panels[0]
        columns = [(left + start, size) for start, size in first.columns]
        if len(self.panels) > 1:
            columns = [(x, panel.w) for (x, _), panel in zip(self.corners, self.panels, strict=True)]
        for what, labels, there in (
            ("row", self.look.row_labels, first.rows),
            ("column", self.look.column_labels, columns),
        ):
            if labels and len(labels) != len(there):
                kind = "files" if what == "column" and len(self.panels) > 1 else f"{what}s"
                raise Error(f"--{what}-labels: {len(labels)} labels for {len(there)} {kind}")
        for label, (start, size) in zip(self.look.column_labels, columns, strict=False):
            self._write(self.base, label, start + size / 2, top - self.font.line / 2)
        for label, (start, size) in zip(self.look.row_labels, first.rows, strict=False):
            self._write(self.base, label, left - pad - self.font.width(label) / 2, upper + start + size / 2)

    def _write(self, page: np.ndarray, text: str, x: float, y: float) -> None:
        """One line around (x, y), mixed into the paper; what would lie outside is left out."""
        ink = self.font.drawn(text).astype(np.int16)
        x0, y0 = max(round(x - ink.shape[1] / 2), 0), max(round(y - ink.shape[0] / 2), 0)
        part = page[y0 : y0 + ink.shape[0], x0 : x0 + ink.shape[1]]
        ink = ink[: part.shape[0], : part.shape[1], None]
        part[:] = self.paper + (self.ink - self.paper) * ink // 255

    def drawn(self, frames: Sequence[np.ndarray], say: str) -> np.ndarray:
        """One frame, uint8 [H, W, C], of the pictures [N, H, W, C] of each reel."""
        page = self.base.copy()
        for panel, (left, top), frame in zip(self.panels, self.corners, frames, strict=True):
            scaled = panel.scaled(frame, page.shape[2])
            for x, y, w, h, what in panel.cells:
                if isinstance(what, int):
                    page[top + y : top + y + h, left + x : left + x + w] = scaled[what]
        for number, line in enumerate(self.font.lines(say, self.room) if say else []):
            self._write(page, line, page.shape[1] / 2, self.caption_y + (number + 0.5) * self.font.line)
        return page
