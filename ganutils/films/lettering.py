"""Pictures of texts: lines of letters of one width, so that in a film each letter keeps its place."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence

import numpy as np

from ganutils import Error
from ganutils.files import letters
from ganutils.films.text import Font, dejavu

SIZE = 15  # pixels: height of a letter
ACROSS = 64  # letters in a line; a longer text goes on in the next
MARGIN = 10  # pixels on the left and right of a text
INK, PAPER = 235, 24  # gray


class Lettering:
    """How texts of `length` letters of an alphabet are drawn; messages call their file `name`."""

    def __init__(self, name: str, alphabet: str, length: int):
        self._name, self._glyphs = name, glyphs(alphabet)
        self._columns = min(length, ACROSS)
        self._rows = math.ceil(length / self._columns)
        _, h, w = self._glyphs.shape
        self.size = (self._rows * h, self._columns * w + 2 * MARGIN, 1)

    def draw(self, texts: np.ndarray) -> np.ndarray:
        """uint8 [n, H, W, 1] of texts [n, T]. Error if a letter is not of the alphabet."""
        letters.check(self._name, texts, len(self._glyphs))
        n, h, w = len(texts), self.size[0], self.size[1] - 2 * MARGIN
        whole = np.pad(texts, ((0, 0), (0, self._rows * self._columns - texts.shape[1])))
        placed = self._glyphs[whole.reshape(n, self._rows, self._columns)]  # (n, rows, columns, h, w)
        lines = placed.transpose(0, 1, 3, 2, 4).reshape(n, h, w)
        return np.pad(lines, ((0, 0), (0, 0), (MARGIN, MARGIN)), constant_values=PAPER)[..., None]

    def layout(self, cells: int) -> list[list[int | None]]:
        """Rows of so many texts, about as wide as high; one column is read first, then the next."""
        columns = max(1, round(math.sqrt(cells * self.size[0] / self.size[1])))
        rows = math.ceil(cells / columns)
        numbers = [[row + column * rows for column in range(columns)] for row in range(rows)]
        return [[number if number < cells else None for number in row] for row in numbers]


@functools.lru_cache(maxsize=4)
def glyphs(alphabet: str) -> np.ndarray:
    """uint8 [A, h, w] of letters in cells of one size; a box for one that no font has."""
    fonts = [dejavu("DejaVuSansMono"), dejavu("DejaVuSans"), None]
    found = [_ink(letter, fonts) for letter in alphabet]
    width = max(ink.shape[1] for ink in found)
    cells = np.stack([_centered(ink, width) for ink in found]).astype(np.int32)
    return (PAPER + (INK - PAPER) * cells // 255).astype(np.uint8)


def _ink(letter: str, fonts: Sequence[str | None]) -> np.ndarray:
    """uint8 [h, w], coverage by ink of a letter in the first of `fonts` that has it."""
    for path in fonts:
        try:
            return Font(SIZE, path, [letter]).draw(letter)
        except Error:
            continue
    box = np.zeros((round(1.4 * SIZE), SIZE // 2 + 2), np.uint8)
    box[4:-5, 1:-1] = 160
    box[5:-6, 2:-2] = 0
    return box


def _centered(ink: np.ndarray, width: int) -> np.ndarray:
    left = (width - ink.shape[1]) // 2
    return np.pad(ink, ((0, 0), (left, width - ink.shape[1] - left)))
