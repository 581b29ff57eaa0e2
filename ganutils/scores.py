"""Scores of generated samples against real ones: what gan-eval prints."""

from __future__ import annotations

import functools
import math
import os
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from ganutils import Error, checkpoints, files, latents, metrics, runs
from ganutils.extractors import WIDEST, Extractor, Labelled
from ganutils.files import File
from ganutils.randomness import stream

THUMBNAIL = 32  # pixels; larger pictures are averaged down to it before distances between pictures are taken
REACH = 3  # deviations around a toy's mode that are of high quality (Srivastava et al. 2017, VEEGAN, section 5)
ENOUGH = 10  # samples for each feature; with fewer the Fréchet distance is noticeably too large
SMALLER = ("frechet_distance", "fid")  # the score that tells the best

Scores = dict[str, Any]


def labelled(file: File) -> Labelled:
    """All samples of a file, flattened to one axis, with what they are labelled by."""
    samples = runs.array(file)
    names = file.meta.get("classes") or file.meta.get("attributes") or ()
    targets = None
    if "labels" in file:
        targets = file["labels"].reshape(-1)
        if targets.min() < 0:
            raise Error(f"{file.name}: damaged: its labels go down to {targets.min()}")
        if targets.max() >= 10_000:
            raise Error(f"{file.name}: has labels up to {targets.max()}; more than 10,000 classes cannot be told apart")
    elif "attributes" in file:
        targets = np.ascontiguousarray(file["attributes"].reshape(len(samples), -1))
    return Labelled(samples, targets, [str(name) for name in names])


class Real:
    """The real samples, ready to be compared with: features, neighbourhoods and classes are computed when needed, once.

    file, limit     at most so many of its samples are compared, chosen by `seed`
    """

    def __init__(self, file: File, whole: Labelled, extractor: Extractor, limit: int, seed: int):
        self.name, self.extractor, self.seed = file.name, extractor, seed
        self.toy = toy_of(file)
        self.samples = subset(whole.samples, limit, seed, "real")
        if len(self.samples) < metrics.LEAST:
            raise Error(f"{file.name}: {len(self.samples)} samples are too few to score; {metrics.LEAST} are needed")

    @functools.cached_property
    def features(self) -> np.ndarray:
        return self.extractor.features(self.samples)

    @functools.cached_property
    def radii(self) -> tuple[np.ndarray, np.ndarray]:
        """Squared distances to the neighbours that precision, and density and coverage, look at."""
        return tuple(metrics.radii(self.features, k) for k in (metrics.NEAREST_PRECISION, metrics.NEAREST_DENSITY))  # type: ignore[return-value]

    @functools.cached_property
    def thumbnails(self) -> np.ndarray:
        return thumbnails(self.samples)

    @functools.cached_property
    def spacing(self) -> np.ndarray:
        """Squared distance, in pixels, of each sample to the nearest other."""
        return metrics.radii(self.thumbnails, 1)

    @functools.cached_property
    def shares(self) -> np.ndarray:
        """Of the classes, as the extractor tells them: the same instrument for real and fake."""
        assert self.extractor.classify is not None
        found = self.extractor.classify(self.samples)
        return metrics.shares(found, max(len(self.extractor.classes), int(found.max()) + 1))


def toy_of(file: File) -> dict[str, Any] | None:
    """What a toy set was drawn from: name, std, centres float64 [modes, D]; None if it is no toy."""
    toy = file.meta.get("toy")
    if toy is None or "points" not in file:
        return None
    try:
        found = {"name": toy["name"], "std": float(toy["std"]), "centres": np.array(toy["centres"], np.float64)}
    except (KeyError, TypeError, ValueError):
        found = {}
    if not found or found["centres"].shape[1:] != runs.sample_shape(file) or not found["std"] > 0:
        raise Error(f"{file.name}: damaged: its metadata 'toy' does not say name, std and centres")
    return found


def subset(samples: np.ndarray, limit: int, seed: int, name: str) -> np.ndarray:
    """At most `limit` rows, chosen by `seed`, in their order."""
    if len(samples) <= limit:
        return samples
    return samples[np.sort(stream(seed, name).permutation(len(samples))[:limit])]


def thumbnails(samples: np.ndarray) -> np.ndarray:
    """[N, H, W, C] -> float32 [N, F]: pictures averaged down by a whole factor to THUMBNAIL or less; points stay."""
    if samples.ndim == 2:
        return samples
    n, h, w, c = samples.shape
    by = math.ceil(max(h, w) / THUMBNAIL)
    by = min(by, h, w)
    cells = samples[:, : h // by * by, : w // by * by].reshape(n, h // by, by, w // by, by, c)
    return (cells.mean(axis=(2, 4), dtype=np.float32) / 255).reshape(n, -1)


# --------------------------------------------------------------------------------------------- fakes


def fakes(path: str, real: Real, count: int | None, repeats: int, limit: int, device: str) -> Iterator[Any]:
    """First what is said of the file `path`, then `repeats` sets of its samples, none of which share a sample.

    A checkpoint draws them, `count` for each (as many as there are real ones, if None); a file of samples is dealt out.
    """
    with files.read(path, "samples", "checkpoint") as file:
        about: dict[str, Any] = {"fake": path}
        shape = real.samples.shape[1:]
        if file.kind == "checkpoint":
            settings = checkpoints.settings(file)
            _check_shape(path, settings.shape, real.name, shape)
            counts = checkpoints.updates(file)
            about |= {"step": counts["G"], "kimg": round(counts["D"] * settings.batch / 1000, 3)}
            each = count or min(len(real.samples), limit)
            whole = drawn(file, each * repeats, real.seed, device)
        else:
            _check_shape(path, runs.sample_shape(file), real.name, shape)
            frames = file.meta.get("frames")
            whole = runs.array(file)
            each = min(count or limit, len(whole) // repeats)
            if each * repeats < len(whole) or frames:
                whole = subset(whole, each * repeats, real.seed, "fake")
        if each < metrics.LEAST:
            raise Error(f"{path}: {each} samples a set are too few to score; {metrics.LEAST} are needed")
        yield about
        if repeats == 1:
            yield whole
            return
        deal = stream(real.seed, "deal").permutation(each * repeats).reshape(repeats, each)
        yield from (whole[rows] for rows in deal)


def _check_shape(path: str, shape: tuple[int, ...], name: str, wanted: tuple[int, ...]) -> None:
    if tuple(shape) != tuple(wanted):
        here, there = ("x".join(map(str, each)) for each in (shape, wanted))
        raise Error(f"{path}: samples are {here}, those of {name} {there}; make both alike with gan-data")


def drawn(file: File, count: int, seed: int, device: str) -> np.ndarray:
    """The first `count` samples of `seed` by the averaged generator: what `gan-sample -n COUNT --seed SEED` makes."""
    from ganutils import devices, sampling

    series = checkpoints.series(file, [])
    z = latents.wanted(series.settings, None, None, seed, count)
    return np.concatenate(list(sampling.film(series, z, devices.named(device))))


# -------------------------------------------------------------------------------------------- scoring


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
    near, five = real.radii
    width = real.features.shape[1]
    if width > WIDEST:
        raise Error(f"features of {width:,} numbers are too many for a Fréchet distance; {WIDEST:,} are the most")
    kid, deviation = metrics.kernel_distance(real.features, fake, real.seed)
    name = "fid" if real.extractor.about["name"] == "inception" else "frechet_distance"
    return {
        name: metrics.frechet_distance(real.features, fake),
        "kid": kid,
        "kid_deviation": deviation,
        "precision": metrics.precision(real.features, fake, near),
        "recall": metrics.precision(fake, real.features, metrics.radii(fake, metrics.NEAREST_PRECISION)),
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
    centres, std = toy["centres"], toy["std"]
    if centres.shape == (1, 1):
        mean, points = float(centres[0, 0]), fake[:, 0]
        return {
            "kolmogorov_smirnov": metrics.kolmogorov_smirnov(points, mean, std),
            "wasserstein": metrics.wasserstein_to_normal(points, mean, std),
        }
    mine, theirs = (metrics.nearest_modes(points, centres, REACH * std) for points in (fake, real))
    count = len(centres)
    names = [str(mode) for mode in range(count)]
    modes = of_modes(metrics.shares(theirs, count), metrics.shares(mine, count), names)
    return {"high_quality": float((mine >= 0).mean()), **modes}


# -------------------------------------------------------------------------------------------- results


def result(real: Real, path: str, count: int | None, repeats: int, limit: int, device: str) -> Scores:
    """What is printed of one FAKE: its scores (means, if repeated), what they were measured with, notes."""
    sets = fakes(path, real, count, repeats, limit, device)
    about = next(sets)
    found, size = [], 0
    for fake in sets:
        found.append(score(real, fake))
        size = len(fake)
    counts = {"real_count": len(real.samples), "fake_count": size, "repeats": repeats, "seed": real.seed}
    features = {**real.extractor.about, "width": real.features.shape[1]}
    whole = {**about, **mean(found), "real": os.path.basename(real.name), **counts, "features": features}
    if repeats > 1:
        whole["deviation"] = deviations(found)
    notes = list(remarks(real, size))
    return rounded({**whole, "notes": notes})


def mean(found: list[Scores]) -> Scores:
    """The mean of each score; of lists, what is in all of them."""
    if len(found) == 1:
        return found[0]
    whole: Scores = {}
    for name, first in found[0].items():
        values = [one[name] for one in found]
        if isinstance(first, list):
            whole[name] = [item for item in first if all(item in value for value in values)]
        else:
            whole[name] = float(np.mean(values))
    return whole


def deviations(found: list[Scores]) -> Scores:
    """The standard deviation of each score over the sets."""
    names = [name for name, value in found[0].items() if not isinstance(value, list)]
    return {name: float(np.std([one[name] for one in found], ddof=1)) for name in names}


def remarks(real: Real, size: int) -> Iterator[str]:
    """What a reader of the scores should know."""
    width, about = real.features.shape[1], real.extractor.about
    least = min(size, len(real.samples))
    if least < ENOUGH * width:
        what = f"{least:,} samples are few for {width:,} features: the Fréchet distance is too large"
        yield f"{what}; compare only at equal counts, or give {ENOUGH * width:,} and more"
    if about["name"] == "random":
        yield "REAL has no labels: the features are a random network's, which see less; try --features inception"
    right = about.get("accuracy")
    if right is not None and right < 0.9 and real.extractor.classify:
        yield f"the classifier tells only {right:.0%} of held-out pictures rightly: modes are uncertain"


def rounded(value: Any) -> Any:
    """Floats to six figures, what is not finite to None: valid JSON, and the same on machines that round otherwise."""
    if isinstance(value, dict):
        return {key: rounded(one) for key, one in value.items()}
    if isinstance(value, list):
        return [rounded(one) for one in value]
    if isinstance(value, float):
        return float(f"{value:.6g}") if math.isfinite(value) else None
    return value


def best(results: Sequence[Scores]) -> Scores:
    """The one with the smallest Fréchet distance."""
    name = next(name for name in SMALLER if name in results[0])
    return min(results, key=lambda one: one[name])


def table(results: Sequence[Scores]) -> Iterator[str]:
    """A line each, for people."""
    first = results[0]
    words = {"fake", "real", "features", "deviation", "notes", "repeats", "seed", "real_count", "modes_missing"}
    names = [name for name in first if name not in words]
    heads = ["fake", *(HEADS.get(name, name) for name in names)]
    rows = [[str(one["fake"]), *(_cell(one, name) for name in names)] for one in results]
    widths = [max(map(len, column)) for column in zip(heads, *rows, strict=True)]
    for cells in [heads, *rows]:
        yield "  ".join([cells[0].ljust(widths[0]), *(c.rjust(w) for c, w in zip(cells[1:], widths[1:], strict=True))])
    about = first["features"]
    hashed = f" {about['hash']}" if about["hash"] else ""
    yield f"{first['real_count']:,} of {first['real']}; features {about['name']}{hashed}, resize {about['resize']}"
    yield from dict.fromkeys(f"note: {note}" for one in results for note in one["notes"])


HEADS = {
    "frechet_distance": "frechet",
    "kid_deviation": "±",
    "sliced_wasserstein": "sliced W",
    "nearest_real": "nearest",
    "nearest_real_ratio": "ratio",
    "authenticity": "authentic",
    "fake_count": "count",
    "modes_covered": "covered",
    "modes_kl": "KL",
    "kolmogorov_smirnov": "KS",
}


def _cell(result: Scores, name: str) -> str:
    value = result.get(name)
    if value is None:
        return "-"
    text = f"{value:.4g}" if isinstance(value, float) else f"{value}"
    deviation = result.get("deviation", {}).get(name)
    return text if deviation is None else f"{text}±{deviation:.2g}"
