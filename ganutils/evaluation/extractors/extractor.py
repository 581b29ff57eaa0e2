"""What an extractor is: it turns samples into features, the numbers in which they are compared."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ganutils import Error
from ganutils.evaluation import products
from ganutils.files import kinds
from ganutils.samples.encoding import check_alike
from ganutils.samples.samples import check_shape
from ganutils.samples.stacks import Stacks

if TYPE_CHECKING:
    import torch

WIDEST = 4096  # features; the root of a wider covariance takes minutes
CHUNK = 1 << 24  # numbers that are looked at at a time
LARGE_BATCH = 64  # images to a forward pass of a large network

# How the training of a classifier is reported, as by cli.progress.teller: tell(message), and progress(total), which
# gives a bar with advance(count, status).
Teller = tuple[Callable[[str], None] | None, Callable[[int], AbstractContextManager[Any]] | None]
SILENT: Teller = (None, None)


class Extractor(NamedTuple):
    """Features, and how the results name them.

    features    samples uint8 [N, H, W, C], float32 [N, T, C] or [N, D] -> [N, F]
    about       name, hash, and the filter that resizes images on their way in
    classify    samples -> class int64 [N], or None if it knows none of the set's own
    classes     what those classes mean
    find        samples -> bool [N, A], which of its classes or attributes each has; None if it knows none
    names       of those
    """

    features: Callable[[np.ndarray], np.ndarray]
    about: dict[str, Any]
    classify: Callable[[np.ndarray], np.ndarray] | None = None
    classes: Sequence[str] = ()
    find: Callable[[np.ndarray], np.ndarray] | None = None
    names: Sequence[str] = ()


class LabeledSet(NamedTuple):
    """A set to train on.

    name            of its file
    samples         uint8 [N, H, W, C], float32 [N, T, C] or [N, D]
    targets         labels int64 [N], attributes float32 [N, A], or None
    target_names    of the labels or attributes
    sound           what the metadata say of sounds and texts (see samples/encoding.py)
    stacks          what its pictures are stacked from, if the targets are the classes of such
    """

    name: str
    samples: np.ndarray
    targets: np.ndarray | None
    target_names: Sequence[str]
    sound: Mapping[str, Any] = MappingProxyType({})
    stacks: Stacks | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one sample."""
        return self.samples.shape[1:]

    @property
    def modality(self) -> kinds.Modality:
        return kinds.modality_of_shape(self.shape)

    def check_like(self, shape: tuple[int, ...], name: str, meta: Mapping[str, Any]) -> None:
        """Error unless the samples have the `shape` and the rate that the file `name` with that `meta` is for."""
        check_shape(self.name, self.shape, name, shape)
        check_alike(name, meta, self.name, self.sound)


class Request(NamedTuple):
    """What an extractor is opened for.

    labeled   the set whose samples are to be measured; what a classifier is trained on
    root      folder for downloads and trained classifiers
    device    that networks run on: auto, cpu, ...
    weights   a file of the Inception network's weights, instead of the download
    teller    reports the training of a classifier
    goal      class whose discriminator gives features, of a checkpoint with one for each of two; None = the second
    """

    labeled: LabeledSet
    root: str
    device: str
    weights: str | None = None
    teller: Teller = SILENT
    goal: str | None = None


def about(name: str, resize: str = "none", digest: str | None = None) -> dict[str, Any]:
    """How results name an extractor."""
    return {"name": name, "hash": digest, "resize": resize}


def sha256(path: str) -> str:
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def device_of(request: Request) -> torch.device:
    """The device that networks run on, ready for it; on a GPU the metrics are computed too."""
    from ganutils.compute import devices

    device = devices.prepare(request.device, None)
    products.use(device)
    return device


def as_rgb(images: np.ndarray) -> np.ndarray:
    """[B, H, W, C] -> [B, H, W, 3]."""
    return np.ascontiguousarray(np.broadcast_to(images, (*images.shape[:-1], 3)))


def refuse_all_but_pictures(name: str, request: Request) -> None:
    if request.labeled.modality is not kinds.IMAGES:
        noun = request.labeled.modality.noun
        raise Error(f"--features {name}: is for pictures, and {request.labeled.name} holds {noun}; leave it out")


def check_finite(name: str, samples: np.ndarray) -> None:
    """Error if points or sounds are not finite; `name` is that of their file."""
    if samples.dtype.kind != "f":
        return
    size = max(1, CHUNK // math.prod(samples.shape[1:]))
    if not all(np.isfinite(samples[start : start + size]).all() for start in range(0, len(samples), size)):
        noun = kinds.modality_of_shape(samples.shape[1:]).noun
        raise Error(f"{name}: has {noun} that are not finite numbers; they cannot be scored")
