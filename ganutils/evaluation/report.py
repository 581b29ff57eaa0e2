"""The scores of a FAKE as gan-eval prints them: repeated, with what they were measured by, as JSON or a table."""

from __future__ import annotations

import math
import os
import textwrap
from collections.abc import Callable, Container, Iterator, Sequence
from typing import Any

import numpy as np

from ganutils.evaluation import noise, scores, texts
from ganutils.evaluation.comparison import How
from ganutils.evaluation.fakes import fakes, given_sets
from ganutils.evaluation.scores import Scores
from ganutils.evaluation.sets import Fake, Real

ENOUGH = 10  # samples for each feature; with fewer the Fréchet distance is noticeably too large
WIDTH = 100  # characters of a line of the table
LONGEST_NAME = 40  # characters of a FAKE's name in it


def each(real: Real, paths: Sequence[str], how: How) -> Iterator[Scores]:
    """What gan-eval prints of the files `paths`; before it, if asked for, that of the baseline."""
    if how.baseline and real.source.are_texts:
        yield from of_shuffled(real)
    elif how.baseline:
        yield baseline(real, how.limit)
    for path in paths:
        yield evaluate(real, path, how)


def evaluate(real: Real, path: str, how: How) -> Scores:
    """What gan-eval prints of one FAKE: its scores (means, if repeated), what they were measured with, notes."""
    sets = fakes(path, real, how.count, how.repeats, how.limit, how.device)
    return _reported(real, next(sets), sets)


def baseline(real: Real, limit: int) -> Scores:
    """The same of what translators are given itself: what one scores that does nothing; or of noise like the sounds."""
    if not real.are_made_of_others:
        made = noise.like(real.samples, real.source.spectrogram, real.seed)
        return _reported(real, {"fake": f"noise of {real.name}"}, iter([Fake(real, made)]))
    given = next(given_sets(real, None, 1, limit))
    pictures = given.pictures if real.goes_between else real.input_pictures
    assert pictures is not None
    name = real.direction.start if real.direction and real.goes_between else "inputs"
    return _reported(real, {"fake": f"{name} of {real.name}"}, iter([Fake(real, pictures, given)]))


def of_shuffled(real: Real) -> Iterator[Scores]:
    """The same of REAL's texts with their letters, and with their words, in any order."""
    made = {"letters": texts.shuffled(real.samples, real.seed)}
    made["words"] = texts.shuffled_words(real.samples, real.source.alphabet, real.seed)
    for what, samples in made.items():
        yield _reported(real, {"fake": f"shuffled {what} of {real.name}"}, iter([Fake(real, samples)]))


def _reported(real: Real, about: Scores, sets: Iterator[Fake]) -> Scores:
    results, size, told = [], 0, dict[str, None]()
    for fake in sets:
        results.append(scores.score(real, fake))
        size = len(fake.samples)
        if "said" in results[-1] and fake.said is not None and fake.said.note:
            told[fake.said.note] = None
    repeats = len(results)
    counts = {"real_count": len(real.samples), "fake_count": size, "repeats": repeats, "seed": real.seed}
    features = {**real.extractor.about, "width": real.features.shape[1]}
    to = {"to": real.direction.goal} if real.direction else {}
    result = {**about, **to, **mean(results), "real": os.path.basename(real.name), **counts, "features": features}
    if "kept" in result and real.finder is not real.extractor:
        result["finder"] = real.finder.about
    if "said" in result and real.attribute_finder not in (None, real.extractor):
        assert real.attribute_finder is not None
        result["attribute_finder"] = real.attribute_finder.about
    if "r_precision" in result:
        assert real.matcher is not None
        result["matcher"] = real.matcher.about
    if repeats > 1:
        result["deviation"] = deviations(results)
    return rounded({**result, "notes": [*notes(real, size, result.keys()), *told]})


def mean(results: list[Scores]) -> Scores:
    """The mean of each score; of lists, what is in all of them."""
    if len(results) == 1:
        return results[0]
    means: Scores = {}
    for name, first in results[0].items():
        values = [result[name] for result in results]
        if isinstance(first, list):
            means[name] = [item for item in first if all(item in value for value in values)]
        elif isinstance(first, dict):
            means[name] = mean(values)
        else:
            means[name] = first if values == [first] * len(values) else float(np.mean(values))
    return means


def deviations(results: list[Scores]) -> Scores:
    """The standard deviation of each score over the sets."""
    names = [name for name, value in results[0].items() if not isinstance(value, list | dict)]
    values = {name: [result[name] for result in results] for name in names}
    return {name: 0.0 if min(each) == max(each) else float(np.std(each, ddof=1)) for name, each in values.items()}


def notes(real: Real, size: int, measured: Container[str]) -> Iterator[str]:
    """What a reader of the scores `measured` should know."""
    width, about = real.features.shape[1], real.extractor.about
    least = min(size, len(real.samples))
    if least < ENOUGH * width:
        few = f"{least:,} samples are few for {width:,} features: the Fréchet distance is too large"
        yield f"{few}; compare only at equal counts, or use {ENOUGH * width:,} or more"
    if about["name"] == "random":
        other = "; try --features inception" if real.source.are_images else ""
        yield f"REAL has no labels: the features are of random filters, which see less{other}"
    noun = real.source.modality.noun
    judged = {"modes are": about} if real.has_modes else {}
    judged |= {"arrived is": about} if real.goes_between and real.extractor.classify else {}
    judged |= {"kept is": real.finder.about} if "kept" in measured and not real.has_modes else {}
    judged |= {"labels are": about} if "label_accuracy" in measured and not real.has_modes else {}
    if "said" in measured and real.attribute_finder is not None:
        judged["said is"] = real.attribute_finder.about
    for what, judge in judged.items():
        accuracy = judge.get("accuracy")
        if accuracy is not None and accuracy < 0.9:
            yield f"the classifier is right on only {accuracy:.0%} of held-out {noun}: {what} uncertain"


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
    """The best by the first score there is: by the Fréchet distance."""
    first = next(score for score in scores.SCORES if score.name in results[0])
    choose = max if first.better == scores.HIGHER else min
    return choose(results, key=lambda result: result[first.name])


# ------------------------------------------------------------------------------------------------- a table


def table(results: Sequence[Scores]) -> Iterator[str]:
    """For people: a line for each FAKE, in as many blocks of columns as fit; then what it was measured with."""
    names = ["fake", *(_shortened(str(result["fake"])) for result in results)]
    headings = {"step": "step", "kimg": "kimg"}
    headings |= {score.name: score.heading + score.better for score in scores.SCORES if score.heading}
    shown = [name for name in headings if any(name in result for result in results)]
    columns = [[headings[name], *(_cell(result, name) for result in results)] for name in shown]
    for number, block in enumerate(_blocks(columns, WIDTH - max(map(len, names)))):
        yield from [""] * (number > 0)
        padded = [_padded(names, str.ljust), *(_padded(column, str.rjust) for column in block)]
        yield from ("  ".join(line) for line in zip(*padded, strict=True))
    yield from _footer(results)


def _blocks(columns: list[list[str]], width: int) -> Iterator[list[list[str]]]:
    """As many columns at a time as fit into `width`, each with two spaces before it; at least one."""
    block: list[list[str]] = []
    used = 0
    for column in columns:
        needed = 2 + max(map(len, column))
        if block and used + needed > width:
            yield block
            block, used = [], 0
        block.append(column)
        used += needed
    yield block


def _padded(cells: Sequence[str], pad: Callable[[str, int], str]) -> list[str]:
    return [pad(cell, max(map(len, cells))) for cell in cells]


def _footer(results: Sequence[Scores]) -> Iterator[str]:
    first = results[0]
    about, counts = first["features"], sorted({result["fake_count"] for result in results})
    fake_count = f"{counts[0]:,}" if len(counts) == 1 else f"{counts[0]:,} to {counts[-1]:,}"
    modes = f" ({first['modes']} modes)" if "modes" in first else ""
    hashed = f" {about['hash']}" if about["hash"] else ""
    to = f", to {first['to']}" if "to" in first else ""
    yield f"{first['real_count']:,} samples of {first['real']}{modes}{to}, {fake_count} of each fake"
    yield f"features {about['name']}{hashed}, resize {about['resize']}"
    for note in dict.fromkeys(note for result in results for note in result["notes"]):
        yield from textwrap.wrap(f"note: {note}", WIDTH)


def _shortened(name: str) -> str:
    return name if len(name) <= LONGEST_NAME else f"...{name[3 - LONGEST_NAME :]}"


def _cell(result: Scores, name: str) -> str:
    value = result.get(name)
    if value is None:
        return "-"
    text = f"{value:.4g}" if isinstance(value, float) else f"{value}"
    deviation = result.get("deviation", {}).get(name)
    return text if deviation is None else f"{text}±{deviation:.2g}"
