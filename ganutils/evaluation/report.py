"""The scores of a FAKE as gan-eval prints them: repeated, with what they were measured by, as JSON or a table."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from ganutils.evaluation.scores import Real, Scores, fakes, score

ENOUGH = 10  # samples for each feature; with fewer the Fréchet distance is noticeably too large
SMALLER = ("frechet_distance", "fid")  # the score that tells the best


def evaluate(real: Real, path: str, count: int | None, repeats: int, limit: int, device: str) -> Scores:
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
    return rounded({**whole, "notes": list(notes(real, size))})


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
            whole[name] = first if values == [first] * len(values) else float(np.mean(values))
    return whole


def deviations(found: list[Scores]) -> Scores:
    """The standard deviation of each score over the sets."""
    names = [name for name, value in found[0].items() if not isinstance(value, list)]
    values = {name: [one[name] for one in found] for name in names}
    return {name: 0.0 if min(each) == max(each) else float(np.std(each, ddof=1)) for name, each in values.items()}


def notes(real: Real, size: int) -> Iterator[str]:
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
