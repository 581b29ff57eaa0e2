"""The sets that gan-eval compares: the real samples, and generated ones; what scores need of both."""

from __future__ import annotations

import functools
import math
from typing import Any, NamedTuple

import numpy as np

from ganutils import Error
from ganutils.evaluation import metrics
from ganutils.evaluation.extractors.extractor import Extractor, LabeledSet
from ganutils.files import budget
from ganutils.files.kinds import IMAGES
from ganutils.randomness import stream
from ganutils.samples.images import Shape, fit_pixels
from ganutils.samples.samples import Samples, subset

THUMBNAIL = 32  # pixels; larger images are averaged down to it before distances between images are taken
REACH = 3  # deviations around a toy's mode that are of high quality (Srivastava et al. 2017, VEEGAN, section 5)
MOST_CLASSES = 10_000
MOST_NAMED = 100  # attributes that are looked for one by one
COMPARED = 1000  # pairs that tell whether outputs follow their inputs


def labeled_set(samples: Samples) -> LabeledSet:
    """All samples of a file, with their labels or, if it has none, their attributes."""
    if samples.labels is None:
        return LabeledSet(samples.name, samples.array, samples.attributes, samples.attribute_names)
    budget.check(samples.name, len(samples.classes), MOST_CLASSES, "classes", "take some with gan-data --classes")
    return LabeledSet(samples.name, samples.array, samples.labels, samples.classes)


class Answers(NamedTuple):
    """What real samples have of what the extractor finds.

    names        of classes or attributes
    columns      of `Extractor.find` that are about these
    true         bool [N, names], whether a sample has it
    are_classes  of which a sample has one
    """

    names: list[str]
    columns: list[int]
    true: np.ndarray
    are_classes: bool


class Real:
    """The real samples; what scores need of them is computed when first needed, once.

    samples, limit   at most so many of them are compared, chosen by `seed`: the `rows`
    """

    def __init__(self, samples: Samples, extractor: Extractor, limit: int, seed: int):
        self.name, self.extractor, self.seed = samples.name, extractor, seed
        self.toy, self.source = samples.toy, samples
        self.rows = rows = subset(len(samples), limit, seed, "real")
        self.samples = samples.array[rows]
        check_finite(self.name, self.samples)
        self.labels = None if samples.labels is None else samples.labels[rows]
        if len(self.samples) < metrics.LEAST:
            raise Error(f"{self.name}: {len(self.samples)} samples are too few to score; {metrics.LEAST} are needed")

    @functools.cached_property
    def features(self) -> np.ndarray:
        return self.extractor.features(self.samples)

    @functools.cached_property
    def radii(self) -> list[np.ndarray]:
        """Squared distances to the neighbors that precision, and density and coverage, look at."""
        return metrics.radii(self.features, metrics.NEAREST_PRECISION, metrics.NEAREST_DENSITY)

    @functools.cached_property
    def thumbnails(self) -> np.ndarray:
        return thumbnails(self.samples)

    @functools.cached_property
    def spacing(self) -> np.ndarray:
        """Squared distance, in pixels, of each sample to the nearest other."""
        return metrics.radii(self.thumbnails, 1)[0]

    @property
    def law(self) -> Any:
        """(mean, deviation) of a toy in one dimension, which is compared with that normal law; else None."""
        if self.toy is None or self.toy["centers"].shape != (1, 1):
            return None
        return float(self.toy["centers"][0, 0]), self.toy["std"]

    @property
    def has_toy_modes(self) -> bool:
        return self.toy is not None and self.law is None

    @property
    def has_modes(self) -> bool:
        """Whether it is known which mode a sample belongs to: to one of a toy's, or to a class."""
        return self.has_toy_modes or (self.toy is None and self.extractor.classify is not None)

    def modes_of(self, samples: np.ndarray) -> np.ndarray:
        """The mode of each sample, real or not, by the same instrument; -1 for none: int64 [N]."""
        if self.toy is not None:
            return metrics.nearest_modes(samples, self.toy["centers"], REACH * self.toy["std"])
        assert self.extractor.classify is not None
        return self.extractor.classify(samples)

    @functools.cached_property
    def mode_shares(self) -> np.ndarray:
        """How the real samples that belong to a mode are distributed over the modes."""
        modes = self.modes_of(self.samples)
        known = len(self.extractor.classes) if self.toy is None else len(self.toy["centers"])
        return metrics.shares(modes[modes >= 0], max(known, int(modes.max(initial=-1)) + 1))

    def mode_name(self, mode: int) -> str:
        return self.extractor.classes[mode] if mode < len(self.extractor.classes) else str(mode)

    @functools.cached_property
    def inputs(self) -> np.ndarray | None:
        """What each sample is to be made from, uint8 [N, h, w, c]; None if REAL holds no pairs."""
        return None if self.source.inputs is None else self.source.inputs[self.rows]

    @functools.cached_property
    def input_pictures(self) -> np.ndarray | None:
        """The inputs as pictures like the samples, as in `as_pictures`; None if they are none."""
        return None if self.inputs is None else as_pictures(self.inputs, self.samples.shape[1:])

    @functools.cached_property
    def order(self) -> np.ndarray:
        """COMPARED rows at most, in random order: neighbors in it are no neighbors in the file, which may be sorted."""
        return stream(self.seed, "others").permutation(len(self.samples))[:COMPARED]

    @functools.cached_property
    def answers(self) -> Answers | None:
        """What the extractor should find in each sample; None if it cannot find what the samples have."""
        source, found = self.source, list(self.extractor.names)
        are_classes = not set(found).isdisjoint(source.classes)
        own = source.classes if are_classes else source.attribute_names
        names = [name for name in found if name in own]
        if self.extractor.find is None or not 0 < len(names) <= MOST_NAMED:
            return None
        columns = [own.index(name) for name in names]
        if are_classes:
            assert self.labels is not None
            true = self.labels[:, None] == np.array(columns)
        else:
            assert source.attributes is not None
            true = source.attributes[self.rows][:, columns] > 0.5
        return Answers(names, [found.index(name) for name in names], true, are_classes)

    def kept(self, samples: np.ndarray) -> dict[str, float]:
        """How well the extractor finds in each of `samples` what the real one in its row has, for each name."""
        assert self.answers is not None
        assert self.extractor.find is not None
        found = self.extractor.find(samples)[:, self.answers.columns]
        shares = metrics.kept(found, self.answers.true, self.answers.are_classes)
        return dict(zip(self.answers.names, map(float, shares), strict=True))


class Fake:
    """Generated samples beside the real ones; what several scores need is computed once.

    is_paired   whether each was made from the input of the real one in its row
    """

    def __init__(self, real: Real, samples: np.ndarray, is_paired: bool = False):
        self.real, self.samples, self.is_paired = real, samples, is_paired
        self.features = real.extractor.features(samples)

    @functools.cached_property
    def kernel_distance(self) -> tuple[float, float]:
        return metrics.kernel_distance(self.real.features, self.features, self.real.seed)

    @functools.cached_property
    def nearest(self) -> tuple[np.ndarray, np.ndarray]:
        """Squared distance of each to the nearest real sample, in pixels, and which that is."""
        return metrics.nearest(thumbnails(self.samples), self.real.thumbnails)

    @functools.cached_property
    def modes(self) -> np.ndarray:
        return self.real.modes_of(self.samples)

    @functools.cached_property
    def kept(self) -> dict[str, float]:
        return self.real.kept(self.samples)

    @property
    def mode_shares(self) -> np.ndarray:
        """As `Real.mode_shares`: how good samples are is one thing, how many modes they cover another."""
        return metrics.shares(self.modes[self.modes >= 0], len(self.real.mode_shares))

    @property
    def missing_modes(self) -> list[int]:
        covered = metrics.covered(self.real.mode_shares, self.mode_shares)
        return [int(mode) for mode in np.flatnonzero(self.real.mode_shares) if not covered[mode]]


def thumbnails(samples: np.ndarray) -> np.ndarray:
    """[N, H, W, C] -> float32 [N, F]: images averaged down by a whole factor to THUMBNAIL or less; points stay."""
    if samples.ndim == 2:
        return samples
    n, h, w, c = samples.shape
    by = math.ceil(max(h, w) / THUMBNAIL)
    by = min(by, h, w)
    cells = samples[:, : h // by * by, : w // by * by].reshape(n, h // by, by, w // by, by, c)
    return (cells.mean(axis=(2, 4), dtype=np.float32) / 255).reshape(n, -1)


def as_pictures(inputs: np.ndarray, shape: tuple[int, ...]) -> np.ndarray | None:
    """Inputs uint8 [N, h, w, c] as pictures of `shape` (H, W, C), enlarged as need be (bicubic), gray as RGB or RGB as
    gray: what a translator makes that only copies. None if they have other channels than pictures.
    """
    if inputs.shape[-1] not in IMAGES.channels:
        return None
    if inputs.shape[1:] == shape:
        return inputs
    wanted = Shape(size=(shape[1], shape[0]), fit="stretch", channels=shape[2], filter="bicubic")
    return np.stack([fit_pixels(picture, wanted) for picture in inputs])


def check_finite(name: str, samples: np.ndarray) -> None:
    """Error if points are not finite; `name` is that of their file."""
    if samples.dtype.kind == "f" and not np.isfinite(samples).all():
        raise Error(f"{name}: has points that are not finite numbers; they cannot be scored")
