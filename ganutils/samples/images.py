"""From the bytes of a picture file to pixels of a given shape. Pillow and NumPy only.

These functions run in processes of foreign.py, which hold each picture to its allowance of time and memory.
"""

from __future__ import annotations

import contextlib
import functools
import io
import math
import os
import warnings
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

import numpy as np
from PIL import Image, TgaImagePlugin, TiffImagePlugin, WebPImagePlugin  # noqa: F401 - all but one register themselves

from ganutils.files import budget
from ganutils.files.budget import PIXELS
from ganutils.samples import foreign
from ganutils.samples.changes import Stamp, reading, regular, stamp
from ganutils.samples.foreign import UnreadableError

try:  # Pillow's libjpeg-turbo with less around it; it is not built for every processor
    import simplejpeg  # type: ignore[import-untyped]
except ImportError:
    simplejpeg = None

try:  # since Pillow 11.3
    from PIL import AvifImagePlugin

    AvifImagePlugin.DEFAULT_MAX_THREADS = 1  # every core decodes pictures of its own
    AVIF: tuple[str, ...] = ("AVIF",) if AvifImagePlugin.SUPPORTED else ()
except ImportError:
    AVIF = ()

# Formats whose decoders are sound; Pillow would try others too, such as EPS, which starts a program.
FORMATS = ("JPEG", "PNG", "GIF", "BMP", "PPM", "WEBP", "TIFF", *AVIF, "TGA")  # TGA is last: it has no signature
HEIC_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
FILE_LIMIT = 1 << 28  # bytes of a picture's file
FILTERS = {filter.name.lower(): filter for filter in Image.Resampling}
GRAY = ("1", "L", "LA", "La", "I", "I;16", "I;16L", "I;16B", "I;16N")
ORIENTATION = 0x0112  # the EXIF tag that says how the camera was held
UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


class Shape(NamedTuple):
    """The shape to give pictures.

    size            (W, H), or None = unchanged
    fit             how a picture of another aspect ratio gets this size: crop (around its center), pad (with
                    background) or stretch
    crop            (W, H) cut from the center before that, or as much of it as there is; None = nothing is cut
    channels        1 (gray), 3 (RGB), or None = 1 for gray pictures, 3 for others
    background      RGB in 0..255, behind transparent pixels and around padded pictures
    filter          resampling filter, one of FILTERS; all but nearest are antialiased
    reducing_gap    decode JPEGs at 1/2, 1/4 or 1/8 while they stay this many times larger than `size`; 0 = never
    """

    size: tuple[int, int] | None = None
    fit: str = "crop"
    crop: tuple[int, int] | None = None
    channels: int | None = None
    background: tuple[int, int, int] = (255, 255, 255)
    filter: str = "lanczos"
    reducing_gap: float = 2.0

    def changes(self, h: int, w: int, c: int) -> bool:
        """Whether pixels of shape [h, w, c] would change."""
        is_cut = self.crop is not None and (self.crop[0] < w or self.crop[1] < h)
        return is_cut or self.size not in (None, (w, h)) or self.channels not in (None, c)

    @property
    def most_bytes(self) -> int:
        """Of a picture in memory; 0 if nobody knows yet."""
        return 3 * self.size[0] * self.size[1] if self.size else 0

    @property
    def of_inputs(self) -> Shape:
        """The shape for what stands beside pictures of this shape: their box and size, and its own channels."""
        return self._replace(channels=None)

    def scaled(self, own: tuple[int, ...], full: tuple[int, ...]) -> Shape | None:
        """This shape for pictures of `own` size (h, w) beside others of `full` size; None if not whole."""
        parts = []
        for size in (self.size, self.crop and (min(self.crop[0], full[1]), min(self.crop[1], full[0]))):
            w, h = size or (full[1], full[0])
            if w * own[1] % full[1] or h * own[0] % full[0]:
                return None
            parts.append(size and (w * own[1] // full[1], h * own[0] // full[0]))
        return self._replace(size=parts[0], crop=parts[1])


Box = tuple[float, float, float, float]  # left, top, right, bottom


def decode(data: bytes, shape: Shape) -> np.ndarray:
    """uint8 [H, W, C] of the bytes of a picture file; UnreadableError says what is wrong with them.

    EXIF rotation is applied; an animation gives its first frame; 16-bit grays are scaled to 8 bits.
    """
    foreign.allow(budget.decoding(len(data)))
    if (quick := _quick(data, shape)) is not None:
        return fit(*quick)
    with opened(io.BytesIO(data)) as image:
        full = image.size
        _reduce(image, shape)
        foreign.allow_pixels(_decoded(full, image.size))
        turned = _orientation(image)
        scale = image.width / full[0], image.height / full[1]  # 1 unless the decoder reduced it
        plain = _plain(image, shape)
    if turned in UPRIGHT:
        plain = plain.transpose(UPRIGHT[turned])
        scale = scale[::-1] if turned >= 5 else scale
    return fit(plain, shape, scale)


@contextlib.contextmanager
def opened(stream: BinaryIO) -> Iterator[Image.Image]:
    """A picture file as a Pillow image, not yet decoded; UnreadableError where Pillow fails on it in the block."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns about what we refuse or repair
            with Image.open(stream, formats=_formats(stream)) as image:
                if math.prod(image.size) > PIXELS:
                    size = f"{image.width}x{image.height}"
                    raise UnreadableError(f"has {size} pixels, more than {PIXELS:,}; make it smaller")
                yield image
    except Image.DecompressionBombError:
        raise UnreadableError(f"has more than {PIXELS:,} pixels; make it smaller") from None
    except (UnreadableError, MemoryError):
        raise
    except Exception:  # on damaged bytes Pillow's decoders raise whatever they stumble over
        raise UnreadableError("is damaged, or not a picture") from None


def _formats(stream: BinaryIO) -> tuple[str, ...]:
    """The formats to try; of AVIF and HEIC, which begin alike, the one that it is. UnreadableError if it has no reader.

    The reader of HEIC is loaded when the first such picture comes.
    """
    head = stream.read(64)
    stream.seek(0)
    brands = head[8 : int.from_bytes(head[:4], "big")] if head[4:8] == b"ftyp" else b""
    if b"avif" in brands or b"avis" in brands:
        if not AVIF:
            raise UnreadableError("is an AVIF picture; pip install 'pillow>=11.3'")
        return AVIF
    if brands.startswith(HEIC_BRANDS):
        if not _has_heif():
            raise UnreadableError("is a HEIC picture; pip install pillow-heif")
        return ("HEIF",)
    return FORMATS


@functools.cache
def _has_heif() -> bool:
    try:
        import pillow_heif  # type: ignore[import-not-found]
    except ImportError:
        return False
    pillow_heif.register_heif_opener(thumbnails=False)
    return True


def read(path: str, shape: Shape, seen: Stamp | None = None) -> np.ndarray:
    """`decode` of the bytes of a file. UnreadableError too if it cannot be read, unless the system lacks resources.

    Error if it is not as it was when it was `seen`.
    """
    with reading(path, seen) as stream:
        size = os.fstat(stream.fileno()).st_size
        if size > FILE_LIMIT:
            raise UnreadableError(f"has {size:,} bytes, more than {FILE_LIMIT:,}")
        data = stream.read(FILE_LIMIT)
    return decode(data, shape)


def measure(path: str, background: tuple[int, int, int]) -> tuple[tuple[int, int, int], Stamp]:
    """(H, W, C) of what `read` gives for a picture, mostly from its header alone. UnreadableError, or OSError."""
    with regular(path) as stream, opened(stream) as image:
        w, h = image.size
        if _orientation(image) >= 5:
            w, h = h, w
        return (h, w, 1 if _is_gray(image, background) else 3), stamp(os.fstat(stream.fileno()))


def fit_pixels(pixels: np.ndarray, shape: Shape) -> np.ndarray:
    """Pixels uint8 [H, W, C] in the given shape; C = 2 and 4 are gray and RGB with alpha."""
    image = Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)
    return fit(_plain(image, shape), shape)


def fit_stacked(pixels: np.ndarray, shape: Shape) -> np.ndarray:
    """Stacked pictures uint8 [h, w, c] in the given shape, each channel for itself."""
    channels = np.split(pixels, pixels.shape[2], axis=2)
    return np.concatenate([fit_pixels(channel, shape._replace(channels=1)) for channel in channels], 2)


def fit(image: Image.Image, shape: Shape, scale: tuple[float, float] = (1, 1)) -> np.ndarray:
    """uint8 [H, W, C] of an upright image, L or RGB, which was decoded at `scale` (x, y) of the picture's size."""
    w, h = round(image.width / scale[0]), round(image.height / scale[1])
    left, top, right, bottom = _boxed((w, h), shape)
    box = (left * scale[0], top * scale[1], min(right * scale[0], image.width), min(bottom * scale[1], image.height))
    size = shape.size or (round(box[2] - box[0]), round(box[3] - box[1]))
    inner = size
    if shape.fit == "pad":
        part = min(size[0] / (right - left), size[1] / (bottom - top))
        inner = max(1, round((right - left) * part)), max(1, round((bottom - top) * part))
    outer = math.floor(box[0]), math.floor(box[1]), math.ceil(box[2]), math.ceil(box[3])
    if outer != (0, 0, *image.size):  # or the filter would see pixels that are cut off
        image = image.crop(outer)
        box = box[0] - outer[0], box[1] - outer[1], box[2] - outer[0], box[3] - outer[1]
    if box != (0, 0, *image.size) or inner != image.size:
        image = image.resize(inner, FILTERS[shape.filter], box=box)
    if inner != size:
        ground = Image.new("RGB", size, shape.background).convert(image.mode)
        ground.paste(image, ((size[0] - inner[0]) // 2, (size[1] - inner[1]) // 2))
        image = ground
    return np.asarray(image).reshape(image.height, image.width, -1)


def _boxed(full: tuple[int, int], shape: Shape) -> Box:
    """The part to keep of a picture of size `full`."""
    crop = shape.crop or full
    w, h = min(full[0], crop[0]), min(full[1], crop[1])
    left, top = round((full[0] - w) / 2), round((full[1] - h) / 2)
    if shape.size is None or shape.fit != "crop":
        return left, top, left + w, top + h
    part = min(w / shape.size[0], h / shape.size[1])
    cut_w, cut_h = shape.size[0] * part, shape.size[1] * part
    x, y = left + (w - cut_w) / 2, top + (h - cut_h) / 2
    return x, y, x + cut_w, y + cut_h


def _reduce(image: Image.Image, shape: Shape) -> None:
    """Let a JPEG be decoded at 1/2, 1/4 or 1/8, which its transform gives antialiased and almost for free."""
    if image.format in ("JPEG", "MPO"):
        w, h = image.size
        part = _part((h, w) if _orientation(image) >= 5 else (w, h), shape)
        if part > 1:
            image.draft(image.mode, (max(1, w // part), max(1, h // part)))


def _part(full: tuple[int, int], shape: Shape) -> int:
    """1, 2, 4 or 8: the largest divisor of its size at which a picture may be decoded."""
    if shape.size is None or not shape.reducing_gap:
        return 1
    left, top, right, bottom = _boxed(full, shape)
    across, down = (right - left) / shape.size[0], (bottom - top) / shape.size[1]
    most = (max(across, down) if shape.fit == "pad" else min(across, down)) / shape.reducing_gap
    return next(part for part in (8, 4, 2, 1) if part <= max(1, min(most, *full)))


def _decoded(full: tuple[int, int], reduced: tuple[int, int]) -> int:
    """How many pixels to count: a progressive JPEG has all its coefficients in memory, however small it is decoded."""
    return max(math.prod(reduced), math.prod(full) // 4)


def _quick(data: bytes, shape: Shape) -> tuple[Image.Image, Shape, tuple[float, float]] | None:
    """What `fit` takes, of an ordinary upright color JPEG; None leaves any other data to Pillow."""
    if simplejpeg is None or not data.startswith(b"\xff\xd8") or shape.channels == 1 or b"Exif" in data[: 1 << 16]:
        return None
    try:
        h, w, space, _ = simplejpeg.decode_jpeg_header(data)
        if space != "YCbCr" or h * w > PIXELS:
            return None
        part = _part((w, h), shape)
        foreign.allow_pixels(_decoded((w, h), (w // part, h // part)))
        pixels = simplejpeg.decode_jpeg(data, min_height=-(-h // part), min_width=-(-w // part), min_factor=part)
    except ValueError:
        return None
    image = Image.frombuffer("RGB", pixels.shape[1::-1], pixels, "raw", "RGB", 0, 1)
    return image, shape, (image.width / w, image.height / h)


def _orientation(image: Image.Image) -> int:
    """The EXIF orientation, 1 to 8; 1, upright, if there is none or it cannot be read."""
    if image.format in ("GIF", "BMP", "PPM") or (image.format == "JPEG" and "exif" not in image.info):
        return 1
    try:
        turned = image.getexif().get(ORIENTATION, 1)
    except (SyntaxError, ValueError, KeyError, TypeError, OSError, EOFError):
        return 1
    return turned if turned in UPRIGHT else 1


def _plain(image: Image.Image, shape: Shape) -> Image.Image:
    """The picture decoded, as L or RGB, without transparency."""
    is_gray = _is_gray(image, shape.background)
    wanted = {1: "L", 3: "RGB"}.get(shape.channels or 0, "L" if is_gray else "RGB")
    if image.mode == "F" or (image.mode == "I" and image.format == "TIFF"):
        raise UnreadableError("has pixels of 32 bits, whose range is unknown; save it with 8 or 16")
    if image.mode.startswith("I"):
        image = Image.fromarray(_eight_bits(np.asarray(image)))
    elif _is_transparent(image):
        ground = Image.new("RGBA", image.size, (*shape.background, 255))
        image = Image.alpha_composite(ground, image.convert("RGBA"))
    if image.mode == wanted:
        image.load()
        return image
    return image.convert(wanted)


def _is_transparent(image: Image.Image) -> bool:
    is_deep = image.mode.startswith("I")  # the one transparent gray of a 16-bit PNG is ignored
    return not is_deep and (image.mode in ("LA", "La", "PA", "RGBA", "RGBa") or "transparency" in image.info)


def _is_gray(image: Image.Image, background: tuple[int, int, int]) -> bool:
    """Whether it is gray when `background` shows through."""
    return image.mode in GRAY and (not _is_transparent(image) or len(set(background)) == 1)


def _eight_bits(deep: np.ndarray) -> np.ndarray:
    """uint8 of grays in 0..65535, rounded."""
    return ((np.clip(deep, 0, 65535).astype(np.uint32) * 255 + 32767) // 65535).astype(np.uint8)
