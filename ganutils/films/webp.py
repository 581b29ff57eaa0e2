"""WebP, by Pillow; one frame in memory at a time."""

from __future__ import annotations

from io import BytesIO
from typing import BinaryIO

from PIL import Image

from ganutils.files import png
from ganutils.films.timing import Film


class _Film(Image.Image):
    """Frames as a Pillow image with frames of its own: its writer of WebP seeks to one after another and keeps none."""

    format = None

    def __init__(self, clip: Film):
        super().__init__()
        self._frames = clip.frames
        self._at = -1
        self.n_frames = clip.count
        self.seek(0)

    def tell(self) -> int:
        return max(self._at, 0)

    def seek(self, frame: int) -> None:
        if frame == self._at + 1:  # forwards only; Pillow's return to the start, when all is done, asks for nothing
            self._at = frame
            image = png.as_image(next(self._frames)).convert("RGB")
            self.im, self._mode, self._size = image.im, image.mode, image.size


def write(out: BinaryIO, clip: Film, quality: int) -> None:
    """Quality 1 to 99, or 100: without loss. Frames that libwebp finds equal are merged; the times stay right."""
    how = {"lossless": True, "quality": 60, "method": 2} if quality == 100 else {"quality": quality, "method": 4}
    whole = BytesIO()
    _Film(clip).save(whole, "WEBP", save_all=True, duration=clip.delays(1000), loop=clip.loop, **how)
    out.write(whole.getbuffer())
