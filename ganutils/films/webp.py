"""WebP, by Pillow; one frame in memory at a time, and the encoded film."""

from __future__ import annotations

from io import BytesIO
from typing import BinaryIO

from PIL import Image

from ganutils import Error
from ganutils.files import png, provenance
from ganutils.films.formats import Encoding
from ganutils.films.timing import Film

DESCRIPTION = 0x010E  # EXIF's ImageDescription
SIDE_LIMIT = 16383  # pixels of a frame's side


class _Film(Image.Image):
    """A film as a Pillow image of many frames: Pillow's WebP writer seeks to one after another and keeps none."""

    format = None

    def __init__(self, film: Film):
        super().__init__()
        self._frames = film.frames
        self._at = -1
        self.n_frames = film.count
        self.seek(0)

    def tell(self) -> int:
        return max(self._at, 0)

    def seek(self, frame: int) -> None:
        if frame == self._at + 1:  # forward only: Pillow returns to the start when it is done, and reads nothing there
            self._at = frame
            image = png.as_image(next(self._frames)).convert("RGB")
            self.im, self._mode, self._size = image.im, image.mode, image.size


def write(out: BinaryIO, film: Film, encoding: Encoding) -> None:
    """Quality 1 to 99, or 100 for lossless. libwebp merges equal neighbors; the times stay right."""
    h, w, _ = film.shape
    if max(h, w) > SIDE_LIMIT:
        raise Error(f"frames of {w:,}x{h:,} pixels are too large for .webp; use --grid, --scale or another format")
    settings = {"quality": encoding.quality, "method": 4}
    if encoding.quality == 100:
        settings = {"lossless": True, "quality": 60, "method": 2}  # there, quality is effort
    exif = Image.Exif()
    if film.lineage:
        exif[DESCRIPTION] = provenance.to_comment(film.lineage)
    encoded = BytesIO()
    times = {"duration": film.delays(1000), "loop": film.loop}
    _Film(film).save(encoded, "WEBP", save_all=True, exif=exif, **times, **settings)
    out.write(encoded.getbuffer())
