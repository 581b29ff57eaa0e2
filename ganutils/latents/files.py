"""Files of latents: ours, and the JSON that a page of gan-export saves."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from collections.abc import Iterator
from typing import Any

import numpy as np

from ganutils import Error
from ganutils.files import container
from ganutils.files.container import File

JSON_LIMIT = 1 << 22  # bytes; a page saves 16 latents


@contextlib.contextmanager
def open_latents(path: str) -> Iterator[File]:
    """A file of latents, or of samples with their latents; or NAME.json, {"latents": [[...]], "labels": [...]}."""
    if not path.lower().endswith(".json"):
        with container.read(path, "latents", "samples") as file:
            yield file
        return
    with tempfile.TemporaryDirectory() as folder:
        copy = os.path.join(folder, "latents.safetensors")
        container.write(copy, "latents", _read_json(path), {})
        with open(copy, "rb") as stream:
            yield File(stream, path)


def _read_json(path: str) -> dict[str, np.ndarray]:
    with open(path, "rb") as file:
        text = file.read(JSON_LIMIT + 1)
    if len(text) > JSON_LIMIT:
        raise Error(f"{path}: has more than {JSON_LIMIT >> 20} MB; JSON is for a few latents, give .safetensors")
    try:
        return _tensors(json.loads(text))
    except (ValueError, TypeError, OverflowError, RecursionError, KeyError):
        problem = 'is not {"latents": [[...], ...], "labels": [...]}'
        raise Error(f"{path}: {problem}, which a page of gan-export saves") from None


def _tensors(value: Any) -> dict[str, np.ndarray]:
    """ValueError, KeyError or TypeError unless it is rows of equally many finite numbers, with whole labels."""
    latents = np.array(value["latents"], np.float32)
    if latents.ndim != 2 or not np.isfinite(latents).all():
        raise ValueError
    if "labels" not in value:
        return {"latents": latents}
    labels = np.array(value["labels"])
    if labels.dtype.kind not in "iu" or labels.shape != latents.shape[:1]:
        raise ValueError
    return {"latents": latents, "labels": labels.astype(np.int64)}
