"""The sets that gan-eval compares: the real samples, and the generated ones of each FAKE."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from ganutils import Error
from ganutils.evaluation import metrics
from ganutils.evaluation.extractors.extractor import Extractor, LabeledSet
from ganutils.files import budget, container
from ganutils.randomness import stream
from ganutils.runs import checkpoints
from ganutils.samples.samples import Samples, check_shape, subset

THUMBNAIL = 32  # pixels; larger images are averaged down to it before distances between images are taken
REACH = 3  # deviations around a toy's mode that are of high quality (Srivastava et al. 2017, VEEGAN, section 5)
MOST_CLASSES = 10_000


def labeled_set(samples: Samples) -> LabeledSet:
    """All samples of a file, with their labels or, if it has none, their attributes."""
    if samples.labels is None:
        return LabeledSet(samples.name, samples.array, samples.attributes, samples.attribute_names)
    budget.check(samples.name, len(samples.classes), MOST_CLASSES, "classes", "take some with gan-data --classes")
    return LabeledSet(samples.name, samples.array, samples.labels, samples.classes)


class Real:
    """The real samples; what scores need of them is computed when first needed, once.

    samples, limit   at most so many of them are compared, chosen by `seed`
    """

    def __init__(self, samples: Samples, extractor: Extractor, limit: int, seed: int):
        self.name, self.extractor, self.seed = samples.name, extractor, seed
        self.toy = samples.toy
        rows = subset(len(samples), limit, seed, "real")
        self.samples = samples.array[rows]
        _check_finite(self.name, self.samples)
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


class Fake:
    """Generated samples beside the real ones; what several scores need is computed once."""

    def __init__(self, real: Real, samples: np.ndarray):
        self.real, self.samples = real, samples
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


def check_fake(path: str, real: Samples) -> None:
    """Error unless the file `path` has, or makes, samples like the `real` ones. A pipe is looked at when it is read."""
    if path != "-":
        with container.read(path, "samples", "checkpoint") as file:
            if file.kind == "checkpoint":
                check_shape(path, checkpoints.config_of(file).shape, real.name, real.shape)
            else:
                check_shape(path, Samples(file).shape, real.name, real.shape)
                Samples(file).check_any()


def fakes(path: str, real: Real, count: int | None, repeats: int, limit: int, device: str) -> Iterator[Any]:
    """First what the results say of the file `path`, then `repeats` sets of its samples that share no sample.

    A checkpoint draws them, `count` for each (as many as there are real ones, if None); a file of samples is dealt out.
    """
    with container.read(path, "samples", "checkpoint") as file:
        about: dict[str, Any] = {"fake": path}
        shape = real.samples.shape[1:]
        if file.kind == "checkpoint":
            from ganutils.inference.generate import draw_samples

            config = checkpoints.config_of(file)
            check_shape(path, config.shape, real.name, shape)
            updates = checkpoints.updates(file)
            about |= {"step": updates["G"], "kimg": round(updates["D"] * config.batch / 1000, 3)}
            each = count or min(len(real.samples), limit)
            samples = draw_samples(file, each * repeats, real.seed, device)[0]
        else:
            check_shape(path, Samples(file).shape, real.name, shape)
            samples = Samples(file).array
            each = min(count or limit, len(samples) // repeats)
            samples = samples[subset(len(samples), each * repeats, real.seed, "fake")]
        if each < metrics.LEAST:
            raise Error(f"{path}: {each} samples per set are too few to score; {metrics.LEAST} are needed")
        _check_finite(path, samples)
        yield about
        if repeats == 1:
            yield samples
            return
        deal = stream(real.seed, "deal").permutation(each * repeats).reshape(repeats, each)
        yield from (samples[rows] for rows in deal)


def _check_finite(name: str, samples: np.ndarray) -> None:
    if samples.dtype.kind == "f" and not np.isfinite(samples).all():
        raise Error(f"{name}: has points that are not finite numbers; they cannot be scored")
