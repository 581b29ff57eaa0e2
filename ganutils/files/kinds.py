"""The kinds of files, the tensors of each, and what samples can be: their modality."""

from __future__ import annotations

import math
from collections.abc import Container, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from ganutils import Error
from ganutils.files import budget

KINDS = ("samples", "latents", "checkpoint", "extractor")


def numbers(known: Sequence[int]) -> str:
    """Those that there may be, in words: 1 or 3, 1 to 16."""
    return f"{known[0]} to {known[-1]}" if len(known) > 2 else " or ".join(map(str, known))


class Spec(NamedTuple):
    """Where a tensor lies in a file's data region (bytes), and how to read it."""

    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    start: int
    end: int


class Modality(NamedTuple):
    """What samples are.

    tensor     name of the tensor that holds them
    axes       the axes of one sample, which are the last ones of that tensor, a letter each
    dtype      of its numbers
    channels   lengths that the last axis may have; empty = any
    noun       what messages call samples
    one        the shape of a sample in words, a template
    many       samples of a shape in words, a template
    """

    tensor: str
    axes: str
    dtype: np.dtype[Any]
    channels: tuple[int, ...]
    noun: str
    one: str
    many: str

    def split(self, shape: tuple[int, ...]) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """The leading axes of a tensor of `shape`, and the shape of one sample."""
        return shape[: -len(self.axes)], shape[-len(self.axes) :]

    def fits(self, shape: tuple[int, ...]) -> bool:
        """Whether a tensor of `shape` can hold such samples."""
        lead, sample = self.split(shape)
        return bool(lead) and 0 not in sample and (not self.channels or sample[-1] in self.channels)

    @property
    def axes_in_words(self) -> str:
        """Such as [..., H, W, C] with C = 1 or 3."""
        counts = numbers(self.channels)
        return f"[..., {', '.join(self.axes)}]" + (f" with {self.axes[-1]} = {counts}" if counts else "")


IMAGES = Modality("images", "HWC", np.dtype("u1"), (1, 3), "pictures", "{1}x{0}x{2}", "pictures of {1}x{0}x{2}")
POINTS = Modality("points", "D", np.dtype("<f4"), (), "points", "{0}-D points", "points in {0}-D")
SIGNALS = Modality("signals", "TC", np.dtype("<f4"), (1, 2), "sounds", "{0}x{1}", "sounds of {0}x{1}")
TEXTS = Modality("letters", "T", np.dtype("u1"), (), "texts", "{0} letters of {1}", "texts of {0} letters")
MODALITIES = (POINTS, SIGNALS, TEXTS, IMAGES)  # if a file holds both, the first is its samples
LATENTS = Modality("latents", "Z", np.dtype("<f4"), (), "latents", "{0} numbers", "latents of {0} numbers")
MAIN = (*MODALITIES[::-1], LATENTS)  # what a file of a single array holds: the first of these that exists
# Pictures beside pictures: those they were, or are to be, made from; what they become on the way back to these; and
# those that they should have become. With the channels that each may have.
BESIDE = {"inputs": tuple(range(1, 17)), "back": IMAGES.channels, "targets": IMAGES.channels}
SHOWN = ("inputs", IMAGES.tensor, "back", "targets")  # the order in which they are shown
CAPTIONS = "captions"  # beside samples or latents: [..., K, L], K texts of L bytes each, with zeros behind them
# Axes behind the leading ones, and types, of the tensors of samples; others are float32 with one axis.
TENSORS = (
    {"labels": (0, np.dtype("<i8")), CAPTIONS: (2, np.dtype("u1"))}
    | {one.tensor: (len(one.axes), one.dtype) for one in MAIN}
    | {name: (len(IMAGES.axes), IMAGES.dtype) for name in BESIDE}
)


def modality(tensors: Container[str]) -> Modality:
    """What the samples in a file with these `tensors`, by name, are; pictures if no name is known."""
    return next((one for one in MODALITIES if one.tensor in tensors), IMAGES)


def modality_of_shape(shape: tuple[int, ...]) -> Modality:
    """What samples of `shape` are: pictures for (H, W, C), sounds or texts for (T, C), points for (D,).

    What has more channels than a sound is a text, which networks see with a channel for each letter of its alphabet.
    """
    if len(shape) == 2:
        return SIGNALS if shape[-1] in SIGNALS.channels else TEXTS
    return POINTS if len(shape) == 1 else IMAGES


def kept(shape: tuple[int, ...]) -> tuple[int, ...]:
    """The axes of a sample of `shape` as files keep it: a text (T, A) is T numbers of letters."""
    return shape[:1] if modality_of_shape(shape[-3:]) is TEXTS else shape


def plural(kind: str) -> str:
    return kind if kind.endswith("s") else f"{kind}s"


def check_sample(name: str, shape: tuple[int, ...]) -> None:
    """Error, with the file's `name`, if a sample of `shape`, [H, W, C], [T, C], [T] or [D], is larger than allowed."""
    budget.check(name, math.prod(shape[:2]), budget.PIXELS, "pixels in each sample", "make them smaller")


def check_shapes(name: str, kind: str, specs: Mapping[str, Spec]) -> None:
    """Error, with the file's `name`, unless the tensors of samples and latents have the shapes in docs/format.md."""
    if kind not in ("samples", "latents"):
        return
    main = LATENTS if kind == "latents" else modality(specs)
    if main.tensor not in specs:
        raise Error(f"{name}: has no tensor {main.tensor!r}, which {kind} need")
    shape = specs[main.tensor].shape
    if not main.fits(shape):
        raise Error(f"{name}: {main.tensor} has shape {list(shape)}, not {main.axes_in_words}")
    lead, sample = main.split(shape)
    check_sample(name, sample)
    if main is TEXTS:
        budget.check(name, sample[0], budget.LETTERS, "letters in each text", "make them shorter")
    for tensor, spec in specs.items():
        axes, dtype = TENSORS.get(tensor, (1, np.dtype("<f4")))
        if spec.dtype != dtype or spec.shape[: len(spec.shape) - axes] != lead:
            mismatch = f"{tensor} is {spec.dtype} {list(spec.shape)}, which does not match {main.tensor} {list(shape)}"
            raise Error(f"{name}: damaged: {mismatch}")
        if tensor in BESIDE:
            _check_beside(name, tensor, spec.shape[-axes:], main)
        if tensor == CAPTIONS:
            _check_captions(name, spec.shape[-axes:])


def _check_beside(name: str, tensor: str, sample: tuple[int, ...], main: Modality) -> None:
    """Error unless pictures of the shape `sample`, one of BESIDE, can stand beside samples of the modality `main`."""
    if main is not IMAGES:
        raise Error(f"{name}: damaged: it has {tensor} beside {main.noun}; only pictures have them")
    if 0 in sample or sample[-1] not in BESIDE[tensor]:
        channels = numbers(BESIDE[tensor])
        raise Error(f"{name}: damaged: {tensor} are {list(sample)}, not [H, W, C] with C = {channels}")
    check_sample(name, sample)


def _check_captions(name: str, shape: tuple[int, ...]) -> None:
    """Error unless a sample can have captions of `shape`, [K, L]."""
    if 0 in shape or shape[0] > budget.CAPTIONS or shape[1] > budget.CAPTION:
        limits = f"1 to {budget.CAPTIONS} of 1 to {budget.CAPTION:,} bytes each"
        raise Error(f"{name}: damaged: captions are {list(shape)}, not {limits}")
