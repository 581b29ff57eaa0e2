"""Features of any ONNX model, through onnxruntime."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from ganutils import Error
from ganutils.evaluation.extractors.extractor import (
    LARGE_BATCH,
    Extractor,
    Request,
    about,
    as_rgb,
    refuse_all_but_pictures,
)
from ganutils.files import budget
from ganutils.files.png import as_image
from ganutils.samples import foreign
from ganutils.samples.foreign import UnreadableError

SLOWER = 10  # times as long as the first image another may take
MOST_FEATURES = 1 << 16  # of an image


class Input(NamedTuple):
    """What a model's first input takes. `size` (W, H) and `batch` are None where the model leaves them open."""

    name: str
    is_bytes: bool
    channels_last: bool
    size: tuple[int, int] | None
    channels: Any
    batch: int | None


def onnx(path: str, request: Request) -> Extractor:
    """Any ONNX model: its first input takes images, its first output, flattened, are the features.

    A float input is given 0..1, a uint8 input bytes; images as [N, C, H, W], or [N, H, W, C] if the input's last
    axis is 1 or 3. Where it fixes H and W, images are resized. It must do its own normalization.

    It runs in a process of its own. Error if that needs budget.MODEL bytes more than four times the file's size, or if
    an image takes ten times as long as the first, which may take as long as a picture may take to be decoded.
    """
    refuse_all_but_pictures(path, request)
    if importlib.util.find_spec("onnxruntime") is None:
        raise Error(f"{path}: needs onnxruntime; pip install 'ganutils[onnx]'")
    model = _Model(path)

    def features(images: np.ndarray) -> np.ndarray:
        parts = [images[:1], *(images[at : at + LARGE_BATCH] for at in range(1, len(images), LARGE_BATCH))]
        return np.concatenate([model.ask(_run, part) for part in parts if len(part)])

    entry, digest = model.ask(_open, path)
    resize = "bicubic to {}x{} (Pillow)".format(*entry.size) if entry.size else "none"
    return Extractor(features, about(os.path.basename(path), resize, digest))


class _Model:
    """A model in a process of its own, for as long as somebody refers to it."""

    def __init__(self, path: str):
        self._path, self._child = path, foreign.Child()

    def ask(self, function: Callable[..., Any], *arguments: Any) -> Any:
        self._child.give(function, [arguments])
        try:
            return self._child.take()
        except UnreadableError as problem:
            raise Error(f"{self._path}: {problem}; use another model") from None

    def __del__(self) -> None:
        self._child.close()


# --------------------------------------------------------------------------------------- in the child


_running: _Session | None = None


class _Session:
    """An onnxruntime session that is held to its allowance of time and memory."""

    def __init__(self, path: str):
        import onnxruntime

        self._path = path
        with open(path, "rb") as stream:
            content = stream.read()
        self.digest = hashlib.sha256(content).hexdigest()[:16]
        self._first = 0.0  # seconds of a processor for the first image
        self._seconds = budget.decoding(len(content))
        self._memory = budget.MODEL + 4 * len(content)
        self._allow(self._seconds)
        try:
            self._session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
        except Exception as problem:  # its exceptions have no common class
            raise Error(f"{path}: onnxruntime cannot read it ({_reason(problem)})") from None
        self.entry = _input(path, self._session)

    def run(self, images: np.ndarray) -> np.ndarray:
        self._allow(self._seconds + SLOWER * self._first * len(images))
        begun = time.process_time()
        batch = self.entry.batch or len(images)  # a model may fix the length of a batch
        parts = [images[start : start + batch] for start in range(0, len(images), batch)]
        made = np.concatenate([self._features(part, batch) for part in parts])
        self._first = self._first or time.process_time() - begun
        return made

    def _features(self, images: np.ndarray, batch: int) -> np.ndarray:
        part = _prepared(images, self.entry)
        padding = np.repeat(part[-1:], batch - len(part), axis=0)
        try:
            out = self._session.run(None, {self.entry.name: np.concatenate([part, padding])})[0]
        except Exception as problem:
            raise Error(f"{self._path}: onnxruntime cannot run it ({_reason(problem)})") from None
        if not isinstance(out, np.ndarray) or out.dtype.kind not in "fiu" or out.size % batch or not out.size:
            raise Error(f"{self._path}: does not give numbers for each picture in its first output")
        if out.size > MOST_FEATURES * batch:
            count = out.size // batch
            raise Error(f"{self._path}: gives {count:,} features, more than {MOST_FEATURES:,}; use another model")
        return out.reshape(batch, -1)[: len(part)]

    def _allow(self, seconds: float) -> None:
        foreign.allow(seconds)
        foreign.allow_memory(self._memory)


def _open(path: str) -> tuple[Input, str]:
    """What the model takes, and its hash."""
    global _running
    _running = _Session(path)
    return _running.entry, _running.digest


def _run(images: np.ndarray) -> np.ndarray:
    assert _running is not None
    return _running.run(images)


def _reason(problem: Exception) -> str:
    return next(iter(str(problem).splitlines()), "") or type(problem).__name__


def _input(path: str, session: Any) -> Input:
    entry = session.get_inputs()[0]
    if len(entry.shape) != 4 or entry.type not in ("tensor(float)", "tensor(uint8)"):
        raise Error(f"{path}: takes {entry.type} {entry.shape}; it must take float or uint8 pictures [N, C, H, W]")
    channels_last = entry.shape[3] in (1, 3)
    h, w, c = (entry.shape[i] for i in ((1, 2, 3) if channels_last else (2, 3, 1)))
    size = (w, h) if isinstance(h, int) and isinstance(w, int) else None
    batch = entry.shape[0] if isinstance(entry.shape[0], int) else None
    return Input(entry.name, entry.type == "tensor(uint8)", channels_last, size, c, batch)


def _prepared(images: np.ndarray, entry: Input) -> np.ndarray:
    """uint8 [B, H, W, C] -> what the model takes."""
    images = as_rgb(images) if entry.channels == 3 else images
    if entry.size and images.shape[2:0:-1] != entry.size:
        images = np.stack([_resized(image, entry.size) for image in images])
    images = images if entry.is_bytes else images / np.float32(255)
    return np.ascontiguousarray(images if entry.channels_last else images.transpose(0, 3, 1, 2))


def _resized(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """[H, W, C] resized with an antialiasing filter to `size` (W, H)."""
    resized = np.asarray(as_image(image).resize(size, Image.Resampling.BICUBIC))
    return resized.reshape(size[1], size[0], image.shape[-1])
