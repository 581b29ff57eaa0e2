"""Where everything lies on a frame: cells, signs, labels, title, caption. NumPy and Pillow only."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from PIL import Image

from ganutils import Error
from ganutils.files import png
from ganutils.films.frames import BLACK, Cells, Color, Frames
from ganutils.films.text import Font, plain

SHEET_LIMIT = 1024  # samples on a frame without a grid: what a screen can show
PIXEL_ART = 64  # pixels: samples up to this size are enlarged as squares, larger ones smoothly
BETWEEN = 8  # pixels between inputs side by side
SIDE_LIMIT = 1 << 15  # pixels of a frame's side


class Look(NamedTuple):
    """How a frame is drawn.

    grid         (columns, rows), which show the first samples; None = the file's own layout, or the squarest
    gap          pixels between samples
    scale        of the samples
    filter       that scales them, a name of Pillow's; None = nearest for a whole `scale` of samples up to 64 pixels,
                 else lanczos
    title, caption                texts above and below; the caption is a template, see text.fill
    column_labels, row_labels     of the grid; with several inputs, the columns are the inputs
    background   RGB of what lies behind the samples; texts are black or white, whichever contrasts
    font         a .ttf or .otf file; None = Pillow's own
    text_size    height of the letters in pixels; None = by the frame's width
    """

    grid: tuple[int, int] | None = None
    gap: int = 0
    scale: float = 1.0
    filter: str | None = None
    title: str = ""
    caption: str = ""
    column_labels: Sequence[str] = ()
    row_labels: Sequence[str] = ()
    background: Color = BLACK
    font: str | None = None
    text_size: int | None = None


class Cell(NamedTuple):
    """A place on a frame, in pixels, and what is there: the number of a sample, or a sign."""

    x: int
    y: int
    w: int
    h: int
    content: int | str


class Panel:
    """The samples of one input: cells, relative to the panel's own corner."""

    def __init__(self, frames: Frames, look: Look):
        sample_h, sample_w, self.channels = frames.size
        self.size = max(1, round(sample_w * look.scale)), max(1, round(sample_h * look.scale))
        rows = _rows(frames, look.grid)
        types = [{type(row[i]) for row in rows} for i in range(len(rows[0]))]
        w, h = self.size
        widths = [(w + 1) // 2 if str in kinds and int not in kinds else w for kinds in types]  # signs: half
        starts = [0, *itertools.accumulate(width + look.gap for width in widths)]
        self.columns = list(zip(starts, widths, strict=False))
        self.rows = [(i * (h + look.gap), h) for i in range(len(rows))]
        self.w, self.h = starts[-1] - look.gap, sum(self.rows[-1])
        self.cells = [
            Cell(x, y, width, height, content)
            for (y, height), row in zip(self.rows, rows, strict=True)
            for (x, width), content in zip(self.columns, row, strict=True)
            if content is not None
        ]
        self.numbers = {cell.content for cell in self.cells if isinstance(cell.content, int)}
        is_pixel_art = look.scale == int(look.scale) and max(sample_h, sample_w) <= PIXEL_ART
        self.filter = look.filter or ("nearest" if is_pixel_art else "lanczos")

    def scaled(self, sheet: np.ndarray, channels: int) -> np.ndarray:
        """Its samples [N, H, W, C] at their size on the frame, and with `channels`."""
        w, h = self.size
        if channels > self.channels:
            sheet = sheet.repeat(channels, 3)
        if sheet.shape[1:3] == (h, w):
            return sheet
        if self.filter == "nearest" and h % sheet.shape[1] == 0 == w % sheet.shape[2]:
            return sheet.repeat(h // sheet.shape[1], 1).repeat(w // sheet.shape[2], 2)
        filter = Image.Resampling[self.filter.upper()]
        return np.stack([np.asarray(png.as_image(one).resize((w, h), filter)).reshape(h, w, -1) for one in sheet])


def grid_of(count: int) -> tuple[int, int]:
    """Columns and rows of the squarest grid that holds `count` and has no empty row."""
    columns = math.ceil(math.sqrt(count))
    return columns, math.ceil(count / columns)


def _rows(frames: Frames, grid: tuple[int, int] | None) -> Cells:
    """The cells of a frame, row by row."""
    if frames.layout and not grid:
        return frames.layout
    columns, rows = grid or grid_of(min(frames.cells, SHEET_LIMIT))
    numbers: list[int | str | None] = [n if n < frames.cells else None for n in range(columns * rows)]
    return [numbers[row * columns : (row + 1) * columns] for row in range(rows)]


class Page:
    """The plan of all frames of a film: `inputs` side by side, with one of `captions` below.

    Its size is that of the samples and of the texts around them; it is the same for all frames.
    """

    def __init__(self, inputs: Sequence[Frames], look: Look, captions: Sequence[str]):
        self.look = look
        self.panels = [Panel(frames, look) for frames in inputs]
        self.shown = [1 + max(panel.numbers, default=0) for panel in self.panels]  # samples of a sheet to read
        starts = [0, *itertools.accumulate(panel.w + BETWEEN for panel in self.panels)]
        inner_w, inner_h = starts[-1] - BETWEEN, max(panel.h for panel in self.panels)
        title, captions = plain(look.title), [caption for caption in dict.fromkeys(captions) if caption]
        signs = [plain(c.content) for panel in self.panels for c in panel.cells if isinstance(c.content, str)]
        size = look.text_size or min(max(round(inner_w / 24), 12), 28)
        self.font = font = Font(size, look.font, [title, *captions, *look.row_labels, *look.column_labels, *signs])
        pad = size // 2
        labels_w = max((font.width(label) + 2 * pad for label in look.row_labels), default=0)
        self.text_w = max(labels_w + inner_w, 16 * font.size)  # a longer text is broken into lines
        title_lines = font.lines(title, self.text_w)
        caption_lines = [font.lines(caption, self.text_w) for caption in captions]
        texts = [line for lines in [title_lines, *caption_lines] for line in lines]
        w = max(labels_w + inner_w, *(font.width(line) + pad for line in texts), 0)
        top = len(title_lines) * font.line + font.line * bool(look.column_labels)
        self.caption_y = top + inner_h + (pad // 2 if caption_lines else 0)
        h = self.caption_y + font.line * max(map(len, caption_lines), default=0) + (pad // 2 if caption_lines else 0)
        if max(w, h) > SIDE_LIMIT:
            raise Error(f"{inputs[0].name}: frames of {w:,}x{h:,} pixels are too large; give a --grid or --scale")

        is_gray = len(set(look.background)) == 1 and all(panel.channels == 1 for panel in self.panels)
        self.background = np.array(look.background[: 1 if is_gray else 3], np.int16)
        self.ink = _contrast(look.background)
        self.base = np.empty((h, w, len(self.background)), np.uint8)
        self.base[:] = self.background
        left = labels_w + (w - labels_w - inner_w) // 2
        self.corners = [
            (left + start, top + (inner_h - panel.h) // 2) for start, panel in zip(starts, self.panels, strict=False)
        ]
        for number, line in enumerate(title_lines):
            self._write(self.base, line, w / 2, (number + 0.5) * font.line)
        self._label(pad, top)
        for panel, (x, y) in zip(self.panels, self.corners, strict=True):
            for cell in panel.cells:
                if isinstance(cell.content, str):
                    self._write(self.base, plain(cell.content), x + cell.x + cell.w / 2, y + cell.y + cell.h / 2)

    @property
    def shape(self) -> tuple[int, int, int]:
        h, w, c = self.base.shape
        return h, w, c

    def _label(self, pad: int, top: int) -> None:
        """Columns (or inputs) above, rows on the left; Error if there are not as many labels."""
        (left, upper), first = self.corners[0], self.panels[0]
        columns = [(left + start, size) for start, size in first.columns]
        if len(self.panels) > 1:
            columns = [(x, panel.w) for (x, _), panel in zip(self.corners, self.panels, strict=True)]
        for option, labels, places in (
            ("row", self.look.row_labels, first.rows),
            ("column", self.look.column_labels, columns),
        ):
            if labels and len(labels) != len(places):
                noun = "files" if option == "column" and len(self.panels) > 1 else f"{option}s"
                raise Error(f"--{option}-labels: {len(labels)} labels for {len(places)} {noun}; give one each")
        for label, (start, size) in zip(self.look.column_labels, columns, strict=False):
            self._write(self.base, label, start + size / 2, top - self.font.line / 2)
        for label, (start, size) in zip(self.look.row_labels, first.rows, strict=False):
            self._write(self.base, label, left - pad - self.font.width(label) / 2, upper + start + size / 2)

    def _write(self, page: np.ndarray, text: str, x: float, y: float) -> None:
        """One line around (x, y), blended into the background; what would lie outside is left out."""
        ink = self.font.draw(text).astype(np.int16)
        x0, y0 = max(round(x - ink.shape[1] / 2), 0), max(round(y - ink.shape[0] / 2), 0)
        part = page[y0 : y0 + ink.shape[0], x0 : x0 + ink.shape[1]]
        ink = ink[: part.shape[0], : part.shape[1], None]
        part[:] = self.background + (self.ink - self.background) * ink // 255  # wraps: full ink is 253, as it ever was

    def draw(self, sheets: Sequence[np.ndarray], caption: str) -> np.ndarray:
        """One frame, uint8 [H, W, C], of a sheet [N, H, W, C] of each input."""
        page = self.base.copy()
        for panel, (left, top), sheet in zip(self.panels, self.corners, sheets, strict=True):
            samples = panel.scaled(sheet, page.shape[2])
            for x, y, w, h, content in panel.cells:
                if isinstance(content, int):
                    page[top + y : top + y + h, left + x : left + x + w] = samples[content]
        for number, line in enumerate(self.font.lines(caption, self.text_w) if caption else []):
            self._write(page, line, page.shape[1] / 2, self.caption_y + (number + 0.5) * self.font.line)
        return page


def _contrast(background: Color) -> int:
    """Black or white, whichever is further from the background's luma (ITU-R BT.601)."""
    r, g, b = background
    return 255 if 0.299 * r + 0.587 * g + 0.114 * b < 128 else 0
