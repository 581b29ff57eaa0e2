"""Features of any ONNX model, through onnxruntime."""

from __future__ import annotations

import hashlib
import os
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from ganutils import Error
from ganutils.evaluation.extractors.extractor import LARGE_BATCH, Extractor, Request, about, as_rgb, refuse_points
from ganutils.files.png import as_image


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
    """
    refuse_points(path, request)
    try:
        import onnxruntime
    except ImportError:
        raise Error(f"{path}: needs onnxruntime; pip install 'ganutils[onnx]'") from None
    with open(path, "rb") as stream:
        content = stream.read()
    try:
        session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    except Exception as problem:  # its exceptions have no common class
        raise Error(f"{path}: onnxruntime cannot read it ({str(problem).splitlines()[0]})") from None
    entry = _input(path, session)
    batch = entry.batch or LARGE_BATCH

    def features(images: np.ndarray) -> np.ndarray:
        made = []
        for start in range(0, len(images), batch):
            part = _prepared(images[start : start + batch], entry)
            padding = np.repeat(part[-1:], batch - len(part), axis=0)  # a model may fix the length of a batch
            out = session.run(None, {entry.name: np.concatenate([part, padding])})[0]
            made.append(out.reshape(batch, -1)[: len(part)])
        return np.concatenate(made)

    resize = "bicubic to {}x{} (Pillow)".format(*entry.size) if entry.size else "none"
    return Extractor(features, about(os.path.basename(path), resize, hashlib.sha256(content).hexdigest()[:16]))


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
