"""Where everything lies on a frame: cells, signs, labels, title, caption. NumPy and Pillow only."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from PIL import Image

from ganutils import Error
from ganutils.files import budget, png
from ganutils.films.frames import BLACK, SHEET_LIMIT, Cells, Color, Frames, check_grid
from ganutils.films.text import Font, plain

PIXEL_ART = 64  # pixels: samples up to this size are enlarged as squares, larger ones smoothly
ASPECT = 2.5  # columns to rows of a full rectangle that is chosen before a square with empty places
BETWEEN = 8  # pixels between inputs side by side
SIDE_LIMIT = 1 << 15  # pixels of a frame's side


class Look(NamedTuple):
    """How a frame is drawn.

    grid         (columns, rows), which show the first samples; None = the file's own layout, or grid_of
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
        self.gap, self._contents = look.gap, _rows(frames, look.grid)
        self.place()
        contents = [content for row in self._contents for content in row]
        self.numbers = {content for content in contents if isinstance(content, int)}
        self.signs = [plain(content) for content in contents if content and isinstance(content, str)]
        is_pixel_art = look.scale == int(look.scale) and max(sample_h, sample_w) <= PIXEL_ART
        self.filter = look.filter or ("nearest" if is_pixel_art else "lanczos")

    def place(self, widths: Sequence[int] = (), height: int = 0) -> None:
        """Put samples into columns of at least these `widths` and rows of at least this `height`, which labels need."""
        h = self.size[1]
        own = [self._width(column) for column in zip(*self._contents, strict=True)]
        slots = [max(pair) for pair in itertools.zip_longest(own, widths, fillvalue=0)]
        starts = [0, *itertools.accumulate(slot + self.gap for slot in slots)]
        self.columns = [
            (start + (slot - size) // 2, size) for start, slot, size in zip(starts, slots, own, strict=False)
        ]
        self.slots, pitch = slots, max(h, height)
        self.rows = [(i * (pitch + self.gap) + (pitch - h) // 2, h) for i in range(len(self._contents))]
        self.w, self.h = starts[-1] - self.gap, len(self.rows) * (pitch + self.gap) - self.gap

    def _width(self, column: Sequence[int | str | None]) -> int:
        """Of a column: half a sample's if it has signs alone, a gap if these are empty."""
        types = {type(content) for content in column}
        if str not in types or int in types:
            return self.size[0]
        return (self.size[0] + 1) // 2 if any(column) else BETWEEN

    @property
    def cells(self) -> list[Cell]:
        return [
            Cell(x, y, width, height, content)
            for (y, height), row in zip(self.rows, self._contents, strict=True)
            for (x, width), content in zip(self.columns, row, strict=True)
            if content not in (None, "")
        ]

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
    """Columns and rows for `count` samples: the squarest full rectangle, else a square with empty places."""
    squarest = math.ceil(math.sqrt(count))
    full = (columns for columns in range(squarest, count + 1) if count % columns == 0)
    columns = next((columns for columns in full if columns <= ASPECT * (count // columns)), squarest)
    return columns, math.ceil(count / columns)


def _rows(frames: Frames, grid: tuple[int, int] | None) -> Cells:
    """The cells of a frame, row by row; Error if they are too many."""
    layout = None if grid else frames.layout
    columns, rows = (len(layout[0]), len(layout)) if layout else grid or grid_of(min(frames.cells, SHEET_LIMIT))
    check_grid(frames.name, columns, rows)
    if layout:
        return layout
    numbers: list[int | str | None] = [n if n < frames.cells else None for n in range(columns * rows)]
    return [numbers[row * columns : (row + 1) * columns] for row in range(rows)]


class Page:
    """The plan of all frames of a film: `inputs` side by side, with one of `captions` below.

    Its size is that of the samples and of the texts around them; it is the same for all frames.

    under   texts below the columns of each input
    """

    def __init__(
        self, inputs: Sequence[Frames], look: Look, captions: Sequence[str], under: Sequence[Sequence[str]] = ()
    ):
        self.look = look
        self.panels = [Panel(frames, look) for frames in inputs]
        self.shown = [1 + max(panel.numbers, default=0) for panel in self.panels]  # samples of a sheet to read
        self._check_labels()
        heads = look.column_labels if len(inputs) > 1 else ()
        above = [() if heads else look.column_labels for _ in inputs]
        under = under or [() for _ in inputs]
        title, captions = plain(look.title), [caption for caption in dict.fromkeys(captions) if caption]
        size = look.text_size or min(max(round(self._inner_w(()) / 24), 12), 28)
        labels = [*look.row_labels, *look.column_labels, *itertools.chain(*under)]
        signs = itertools.chain(*(panel.signs for panel in self.panels))
        self.font = font = Font(size, look.font, [title, *captions, *labels, *signs])
        self.pad = pad = size // 2
        for panel, *texts in zip(self.panels, above, under, strict=True):
            widths = [max(map(self._needed, column)) for column in itertools.zip_longest(*texts, fillvalue="")]
            panel.place(widths, font.line if look.row_labels else 0)

        labels_w = max((font.width(label) + 2 * pad for label in look.row_labels), default=0)
        inner_w, inner_h = self._inner_w(heads), max(panel.h for panel in self.panels)
        self.text_w = max(labels_w + inner_w, 16 * font.size)  # a longer text is broken into lines
        title_lines = font.lines(title, self.text_w)
        caption_lines = [font.lines(caption, self.text_w) for caption in captions]
        slots = self._slots(heads)
        head_lines = self._fitted(heads, slots)
        above_lines, under_lines = (
            [self._fitted(texts, panel.slots) for texts, panel in zip(all_texts, self.panels, strict=True)]
            for all_texts in (above, under)
        )
        head_y = font.line * len(title_lines)
        above_y = head_y + font.line * max(map(len, head_lines), default=0)
        top = above_y + font.line * _most(above_lines)
        under_y = top + inner_h + (pad // 2 if _most(under_lines) else 0)
        self.caption_y = under_y + font.line * _most(under_lines) + (pad // 2 if caption_lines else 0)
        h = self.caption_y + font.line * max(map(len, caption_lines), default=0)
        h += pad // 2 if caption_lines or _most(under_lines) else 0
        widths = [font.width(line) + pad for line in itertools.chain(title_lines, *caption_lines)]
        w = max(labels_w + inner_w, *widths, 0)
        if max(w, h) > SIDE_LIMIT or w * h > budget.PIXELS:
            raise Error(f"{inputs[0].name}: frames of {w:,}x{h:,} pixels are too large; give a --grid or --scale")

        self._ground(h, w)
        left = labels_w + (w - labels_w - inner_w) // 2
        starts = [left, *itertools.accumulate((slot + BETWEEN for slot in slots), initial=left)][1:]
        self.corners = [
            (start + (slot - panel.w) // 2, top + (inner_h - panel.h) // 2)
            for start, slot, panel in zip(starts, slots, self.panels, strict=False)
        ]
        self._write_lines(title_lines, w / 2, 0)
        for start, slot, lines in zip(starts, slots, head_lines, strict=False):
            self._write_lines(lines, start + slot / 2, above_y - font.line * len(lines))
        for panel, (x, _), over, below in zip(self.panels, self.corners, above_lines, under_lines, strict=True):
            for (start, width), lines in zip(panel.columns, over, strict=False):
                self._write_lines(lines, x + start + width / 2, top - font.line * len(lines))
            for (start, width), lines in zip(panel.columns, below, strict=False):
                self._write_lines(lines, x + start + width / 2, under_y)
        self._write_row_labels()
        self._write_signs()

    @property
    def shape(self) -> tuple[int, int, int]:
        h, w, c = self.base.shape
        return h, w, c

    def _check_labels(self) -> None:
        """Error unless there are as many labels as rows, and as columns, or inputs if there are several."""
        first, look = self.panels[0], self.look
        several = len(self.panels) > 1
        above = ("files", len(self.panels)) if several else ("columns", len(first.columns))
        for option, labels, (noun, places) in (
            ("row", look.row_labels, ("rows", len(first.rows))),
            ("column", look.column_labels, above),
        ):
            if labels and len(labels) != places:
                raise Error(f"--{option}-labels: {len(labels)} labels for {places} {noun}; give one each")

    def _needed(self, text: str) -> int:
        """The width of a column that this text fits into when it is broken between words; 0 for none."""
        return max((self.font.width(word) + self.pad for word in text.split()), default=0)

    def _slots(self, heads: Sequence[str]) -> list[int]:
        """The width of each input's place."""
        needed = [self._needed(head) for head in heads] or [0] * len(self.panels)
        return [max(panel.w, least) for panel, least in zip(self.panels, needed, strict=True)]

    def _inner_w(self, heads: Sequence[str]) -> int:
        slots = self._slots(heads)
        return sum(slots) + BETWEEN * (len(slots) - 1)

    def _fitted(self, texts: Sequence[str], widths: Sequence[int]) -> list[list[str]]:
        """The lines of each text."""
        return [self.font.lines(text, width - self.pad // 2) for text, width in zip(texts, widths, strict=False)]

    def _ground(self, h: int, w: int) -> None:
        """The empty page, gray if everything on it is."""
        background = self.look.background
        is_gray = len(set(background)) == 1 and all(panel.channels == 1 for panel in self.panels)
        self.background = np.array(background[: 1 if is_gray else 3], np.int32)
        self.ink = _contrast(background)
        self.base = np.empty((h, w, len(self.background)), np.uint8)
        self.base[:] = self.background

    def _write_row_labels(self) -> None:
        left, top = self.corners[0]
        for label, (start, size) in zip(self.look.row_labels, self.panels[0].rows, strict=False):
            self._write(self.base, label, left - self.pad - self.font.width(label) / 2, top + start + size / 2)

    def _write_signs(self) -> None:
        for panel, (x, y) in zip(self.panels, self.corners, strict=True):
            for cell in panel.cells:
                if isinstance(cell.content, str):
                    self._write(self.base, plain(cell.content), x + cell.x + cell.w / 2, y + cell.y + cell.h / 2)

    def _write_lines(self, lines: Sequence[str], x: float, y: float) -> None:
        """Lines around x, downwards from y."""
        for number, line in enumerate(lines):
            self._write(self.base, line, x, y + (number + 0.5) * self.font.line)

    def _write(self, page: np.ndarray, text: str, x: float, y: float) -> None:
        """One line around (x, y), blended into the background; what would lie outside is left out."""
        ink = self.font.draw(text).astype(np.int32)
        x0, y0 = max(round(x - ink.shape[1] / 2), 0), max(round(y - ink.shape[0] / 2), 0)
        part = page[y0 : y0 + ink.shape[0], x0 : x0 + ink.shape[1]]
        ink = ink[: part.shape[0], : part.shape[1], None]
        part[:] = self.background + (self.ink - self.background) * ink // 255

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


def _most(lines: Sequence[Sequence[Sequence[str]]]) -> int:
    """The number of lines of the longest text of all inputs."""
    return max((len(text) for texts in lines for text in texts), default=0)


def _contrast(background: Color) -> int:
    """Black or white, whichever is further from the background's luma (ITU-R BT.601)."""
    r, g, b = background
    return 255 if 0.299 * r + 0.587 * g + 0.114 * b < 128 else 0
