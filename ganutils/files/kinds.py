"""What kinds of files there are, what tensors each holds, and what samples can be (their modality)."""

from __future__ import annotations

from collections.abc import Container, Mapping
from typing import Any, NamedTuple

import numpy as np

from ganutils import Error

KINDS = ("samples", "latents", "checkpoint", "extractor")


class Spec(NamedTuple):
    """Where a tensor lies in a file's data region (bytes), and how to read it."""

    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    start: int
    end: int


class Modality(NamedTuple):
    """What samples are.

    tensor     the name of the tensor that holds them
    axes       what the last axes of that tensor are, a letter each: those of one sample
    dtype      of its numbers
    channels   the lengths that the last axis may have; empty = any
    noun       what messages call them
    """

    tensor: str
    axes: str
    dtype: np.dtype[Any]
    channels: tuple[int, ...]
    noun: str

    def split(self, shape: tuple[int, ...]) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """The leading axes of a tensor of `shape`, and the shape of one sample."""
        return shape[: -len(self.axes)], shape[-len(self.axes) :]


IMAGES = Modality("images", "HWC", np.dtype("u1"), (1, 3), "pictures")
POINTS = Modality("points", "D", np.dtype("<f4"), (), "points")
MODALITIES = (POINTS, IMAGES)  # where a file holds both, the first is its samples
LATENTS = Modality("latents", "Z", np.dtype("<f4"), (), "latents")
MAIN = (*MODALITIES[::-1], LATENTS)  # what a file of one array holds: the first of these that is there


def modality(tensors: Container[str]) -> Modality:
    """What the samples are that `tensors`, by their names, hold; pictures if none of them is known."""
    return next((one for one in MODALITIES if one.tensor in tensors), IMAGES)


def modality_of_shape(shape: tuple[int, ...]) -> Modality:
    """What samples of `shape` are: (H, W, C) pictures, (D,) points."""
    return next(one for one in MODALITIES if len(one.axes) == len(shape))


def plural(kind: str) -> str:
    return kind if kind.endswith("s") else f"{kind}s"


def check_shapes(name: str, kind: str, specs: Mapping[str, Spec]) -> None:
    """Raise Error, naming the file, unless the tensors of samples and latents have the shapes of docs/format.md."""
    if kind not in ("samples", "latents"):
        return
    main = LATENTS if kind == "latents" else modality(specs)
    if main.tensor not in specs:
        raise Error(f"{name}: has no tensor {main.tensor!r}, which {kind} need")
    shape = specs[main.tensor].shape
    lead, sample = main.split(shape)
    if not lead or 0 in sample or (main.channels and sample[-1] not in main.channels):
        counts = " or ".join(map(str, main.channels))
        wanted = f"[..., {', '.join(main.axes)}]" + (f" with {main.axes[-1]} = {counts}" if counts else "")
        raise Error(f"{name}: {main.tensor} have shape {list(shape)}; {wanted} is wanted")
    dtypes = {IMAGES.tensor: IMAGES.dtype, "labels": np.dtype("<i8")}
    axes = {IMAGES.tensor: 3, "labels": 0}
    for tensor, spec in specs.items():
        own_lead = spec.shape[: len(spec.shape) - axes.get(tensor, 1)]
        if spec.dtype != dtypes.get(tensor, np.dtype("<f4")) or own_lead != lead:
            raise Error(
                f"{name}: {tensor} of {spec.dtype} {list(spec.shape)} do not go with {main.tensor} {list(shape)}"
            )
