"""Scores of generated samples against real ones: what gan-eval prints."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from ganutils import Error
from ganutils.evaluation import metrics
from ganutils.evaluation.features import WIDEST, Extractor, LabeledSet
from ganutils.files import container
from ganutils.inference.generate import draw_samples
from ganutils.randomness import stream
from ganutils.runs import checkpoints
from ganutils.samples.samples import Samples, check_shape, subset

THUMBNAIL = 32  # pixels; larger pictures are averaged down to it before distances between pictures are taken
REACH = 3  # deviations around a toy's mode that are of high quality (Srivastava et al. 2017, VEEGAN, section 5)
MOST_CLASSES = 10_000

Scores = dict[str, Any]


def labeled(samples: Samples) -> LabeledSet:
    """All samples of a file, flattened to one axis, with what they are labeled by."""
    if samples.labels is None:
        return LabeledSet(samples.array, samples.attributes, samples.attribute_names)
    if len(samples.classes) > MOST_CLASSES:
        raise Error(f"{samples.name}: has {len(samples.classes):,} classes; at most {MOST_CLASSES:,} can be told apart")
    return LabeledSet(samples.array, samples.labels, samples.classes)


class Real:
    """The real samples, ready to be compared with: features, neighbourhoods and classes are computed when needed, once.

    samples, limit   at most so many of them are compared, chosen by `seed`
    """

    def __init__(self, samples: Samples, whole: LabeledSet, extractor: Extractor, limit: int, seed: int):
        self.name, self.extractor, self.seed = samples.name, extractor, seed
        self.toy = samples.toy
        rows = subset(len(whole.samples), limit, seed, "real")
        self.samples = whole.samples[rows]
        _check_finite(self.name, self.samples)
        self.labels = whole.targets[rows] if whole.targets is not None and whole.targets.ndim == 1 else None
        if len(self.samples) < metrics.LEAST:
            raise Error(f"{self.name}: {len(self.samples)} samples are too few to score; {metrics.LEAST} are needed")

    @functools.cached_property
    def features(self) -> np.ndarray:
        return self.extractor.features(self.samples)

    @functools.cached_property
    def radii(self) -> list[np.ndarray]:
        """Squared distances to the neighbours that precision, and density and coverage, look at."""
        return metrics.radii(self.features, metrics.NEAREST_PRECISION, metrics.NEAREST_DENSITY)

    @functools.cached_property
    def thumbnails(self) -> np.ndarray:
        return thumbnails(self.samples)

    @functools.cached_property
    def spacing(self) -> np.ndarray:
        """Squared distance, in pixels, of each sample to the nearest other."""
        return metrics.radii(self.thumbnails, 1)[0]

    @functools.cached_property
    def shares(self) -> np.ndarray:
        """Of the classes, as the extractor tells them: the same instrument for real and fake."""
        assert self.extractor.classify is not None
        found = self.extractor.classify(self.samples)
        return metrics.shares(found, max(len(self.extractor.classes), int(found.max()) + 1))


def thumbnails(samples: np.ndarray) -> np.ndarray:
    """[N, H, W, C] -> float32 [N, F]: pictures averaged down by a whole factor to THUMBNAIL or less; points stay."""
    if samples.ndim == 2:
        return samples
    n, h, w, c = samples.shape
    by = math.ceil(max(h, w) / THUMBNAIL)
    by = min(by, h, w)
    cells = samples[:, : h // by * by, : w // by * by].reshape(n, h // by, by, w // by, by, c)
    return (cells.mean(axis=(2, 4), dtype=np.float32) / 255).reshape(n, -1)


def fakes(path: str, real: Real, count: int | None, repeats: int, limit: int, device: str) -> Iterator[Any]:
    """First what is said of the file `path`, then `repeats` sets of its samples, none of which share a sample.

    A checkpoint draws them, `count` for each (as many as there are real ones, if None); a file of samples is dealt out.
    """
    with container.read(path, "samples", "checkpoint") as file:
        about: dict[str, Any] = {"fake": path}
        shape = real.samples.shape[1:]
        if file.kind == "checkpoint":
            settings = checkpoints.config_of(file)
            check_shape(path, settings.shape, real.name, shape)
            counts = checkpoints.updates(file)
            about |= {"step": counts["G"], "kimg": round(counts["D"] * settings.batch / 1000, 3)}
            each = count or min(len(real.samples), limit)
            whole = draw_samples(file, each * repeats, real.seed, device)[0]
        else:
            check_shape(path, Samples(file).shape, real.name, shape)
            whole = Samples(file).array
            each = min(count or limit, len(whole) // repeats)
            whole = whole[subset(len(whole), each * repeats, real.seed, "fake")]
        if each < metrics.LEAST:
            raise Error(f"{path}: {each} samples a set are too few to score; {metrics.LEAST} are needed")
        _check_finite(path, whole)
        yield about
        if repeats == 1:
            yield whole
            return
        deal = stream(real.seed, "deal").permutation(each * repeats).reshape(repeats, each)
        yield from (whole[rows] for rows in deal)


def _check_finite(name: str, samples: np.ndarray) -> None:
    if samples.dtype.kind == "f" and not np.isfinite(samples).all():
        raise Error(f"{name}: has points that are not finite numbers; nothing can be measured of them")


def score(real: Real, fake: np.ndarray) -> Scores:
    """All scores of one set of samples."""
    found = of_features(real, real.extractor.features(fake))
    found |= of_samples(real, fake)
    if real.toy:
        found |= of_toy(real.toy, real.samples, fake)
    elif real.extractor.classify:
        classes = real.extractor.classify(fake)
        names = real.extractor.classes
        found |= of_modes(real.shares, metrics.shares(classes, len(real.shares)), names)
    return found


def of_features(real: Real, fake: np.ndarray) -> Scores:
    """Scores in the extractor's features."""
    width = real.features.shape[1]
    if width > WIDEST:
        raise Error(f"features of {width:,} numbers are too many for a Fréchet distance; {WIDEST:,} are the most")
    near, five = real.radii
    kid, deviation = metrics.kernel_distance(real.features, fake, real.seed)
    name = "fid" if real.extractor.about["name"] == "inception" else "frechet_distance"
    return {
        name: metrics.frechet_distance(real.features, fake),
        "kid": kid,
        "kid_deviation": deviation,
        "precision": metrics.precision(real.features, fake, near),
        "recall": metrics.precision(fake, real.features, *metrics.radii(fake, metrics.NEAREST_PRECISION)),
        "density": metrics.density(real.features, fake, five),
        "coverage": metrics.coverage(real.features, fake, five),
        "spread": metrics.spread(real.features, fake),
    }


def of_samples(real: Real, fake: np.ndarray) -> Scores:
    """Scores that need no features: pictures in pixels of 0..1, points in their own units."""
    scale = 1 if fake.ndim == 2 else 255
    flat, other = (samples.reshape(len(samples), -1) for samples in (real.samples, fake))
    distances, which = metrics.nearest(thumbnails(fake), real.thumbnails)
    typical = float(np.sqrt(np.median(real.spacing)))
    median = float(np.sqrt(np.median(distances)))
    return {
        "sliced_wasserstein": metrics.sliced_wasserstein(flat, other, real.seed) / scale,
        "nearest_real": median,
        "nearest_real_ratio": median / typical if typical else math.nan,
        "authenticity": metrics.authenticity(distances, which, real.spacing),
    }


def of_modes(real_shares: np.ndarray, fake_shares: np.ndarray, names: Sequence[str]) -> Scores:
    """Which modes there are, from the shares of each."""
    known = np.flatnonzero(real_shares)
    missing = [int(mode) for mode in known if not metrics.covered(real_shares, fake_shares)[mode]]
    return {
        "modes": len(known),
        "modes_covered": len(known) - len(missing),
        "modes_missing": [names[mode] if mode < len(names) else str(mode) for mode in missing],
        "modes_kl": metrics.kullback_leibler(fake_shares, real_shares),
    }


def of_toy(toy: dict[str, Any], real: np.ndarray, fake: np.ndarray) -> Scores:
    """Against the exact law of a toy: in one dimension the distances from it, else its modes."""
    centers, std = toy["centers"], toy["std"]
    if centers.shape == (1, 1):
        mean, points = float(centers[0, 0]), fake[:, 0]
        return {
            "kolmogorov_smirnov": metrics.kolmogorov_smirnov(points, mean, std),
            "wasserstein": metrics.wasserstein_to_normal(points, mean, std),
        }
    mine, theirs = (metrics.nearest_modes(points, centers, REACH * std) for points in (fake, real))
    count = len(centers)
    names = [str(mode) for mode in range(count)]
    good, goods = (modes[modes >= 0] for modes in (mine, theirs))  # how good they are is one thing, how many another
    modes = of_modes(metrics.shares(goods, count), metrics.shares(good, count), names)
    return {"high_quality": float((mine >= 0).mean()), **modes}
