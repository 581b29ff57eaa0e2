"""How a GAN's training goes, in plain words: what the scores, the discriminator and the log show, and what to try."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from ganutils import Error
from ganutils.evaluation.advice import hold_back_d, listed, push_d
from ganutils.evaluation.evidence import Evidence, gather
from ganutils.evaluation.scores import Scores
from ganutils.evaluation.sets import Real
from ganutils.evaluation.verdicts import AHEAD, BEHIND, TOO_FEW, verdicts
from ganutils.files import container, logs

TREND = 0.05  # a trend: a change by this part from one quarter of the log to the next
FEW_REAL = 200  # samples; scores against fewer are uncertain


def sort_arguments(first: str, second: str) -> tuple[str, list[str]]:
    """The data and, in a list, the checkpoint, in whichever order they were given."""
    kinds = []
    for path in (first, second):
        if path == "-":
            raise Error("standard input: --diagnose reads its files more than once; give them by name")
        with container.read(path) as file:
            kinds.append(file.kind)
    if sorted(kinds) != ["checkpoint", "samples"]:
        raise Error(f"{first}, {second}: --diagnose takes a checkpoint and its data, not {' and '.join(kinds)}")
    return (second, [first]) if kinds[0] == "checkpoint" else (first, [second])


def paragraph(scores: Scores, real: Real, path: str, log_paths: Sequence[str], device: str) -> list[str]:
    """The diagnosis of the checkpoint `path` with these `scores` against `real`."""
    return list(diagnose(path, gather(scores, real, path, log_paths, device)))


def diagnose(path: str, evidence: Evidence) -> Iterator[str]:
    """The paragraph, a sentence per line: the verdicts with their evidence, then D, then the trend."""
    faults = verdicts(evidence)
    names = [name for name, _, _ in faults]
    yield f"{path} at step {evidence.step:,}: {listed(names, 'and') or 'healthy'}."
    for _, sentence, advice in faults:
        yield f"{sentence} Try {advice}."
    if not faults:
        yield _healthy(evidence.scores)
    if evidence.scores["real_count"] < FEW_REAL:
        yield f"REAL has only {evidence.scores['real_count']} samples, so the scores are uncertain."
    if "diverged" not in names:
        yield from _discriminator(evidence, names)
        yield from _trend(evidence)


def _healthy(scores: Scores) -> str:
    if "l1" in scores:
        named = {"SSIM": "ssim", "sharpness": "sharpness", "kept": "kept"}
        parts = [f"{word} {scores[name]:.2f}" for word, name in named.items() if scores.get(name) is not None]
        return f"Nothing is wrong with its results: L1 {scores['l1']:.3f}, {', '.join(parts)}."
    if "cycle_l1" in scores:
        parts = [
            f"{name} {scores[name]:.2f}" for name in ("arrived", "kept", "precision") if scores.get(name) is not None
        ]
        return f"Nothing is wrong with its results: {', '.join(parts)}, cycle L1 {scores['cycle_l1']:.3f}."
    parts = [f"{name} {scores[name]:.2f}" for name in ("precision", "recall", "coverage")]
    shares = {"authentic": "authenticity", "grammatical": "grammatical", "different": "distinct"}
    parts = [", ".join(parts), *(f"{scores[name]:.0%} {word}" for word, name in shares.items() if name in scores)]
    if "modes" in scores:
        parts.insert(0, f"{scores['modes_covered']} of {scores['modes']} modes covered")
    return f"Nothing is wrong with its samples: {'; '.join(parts)}."


def _discriminator(evidence: Evidence, faults: Sequence[str]) -> Iterator[str]:
    pairs = evidence.d_pairs
    if not evidence.config.needs_d:
        yield "It trains without a discriminator (--adversarial 0)."
        return
    if pairs is None or evidence.d_real is None or evidence.d_fake is None:
        yield "The checkpoint is a snapshot without a discriminator, which is therefore not judged."
        return
    rates = f"right on {evidence.d_real:.0%} of real and {evidence.d_fake:.0%} of fake samples"
    if not {"too early", TOO_FEW.format(noun=evidence.noun)}.isdisjoint(faults):  # the advice stands there
        yield f"The discriminator is {rates}."
    elif pairs > AHEAD:
        what = f"The discriminator is too strong ({rates}): the generator learns little from it"
        yield f"{what}. {'Try' if faults else 'For better samples, try'} {hold_back_d(evidence)}."
    elif pairs < BEHIND and faults:
        yield f"The discriminator is too weak ({rates}). Try {push_d(evidence)}."
    else:
        yield f"The two networks are in balance (the discriminator is {rates})."


def _trend(evidence: Evidence) -> Iterator[str]:
    """Where the last two quarters of the log lead."""
    decay = evidence.config.decay
    if decay and evidence.has_decayed:
        yield f"The learning rate has been 0 since step {decay[1]:,} (--decay), so more --steps change nothing."
        return
    scores = [line for line in evidence.log if "fake" in line]
    for field in ("fid", "frechet_distance"):
        if quarters := _quarters(scores, field):
            before, now, count = quarters
            change = f"Fréchet distance from {before:.3g} to {now:.3g} over its last {count} scores"
            if now < (1 - TREND) * before:
                yield f"It is still improving ({change}): raise --steps."
            elif now > (1 + TREND) * before:
                yield f"It is getting worse ({change}): an earlier snapshot is better; gan-eval --best finds it."
            else:
                yield f"It has stopped improving ({change})."
            return
    trained = [line for line in evidence.log if "fake" not in line]
    if not evidence.config.needs_d and (quarters := _quarters(trained, "l1")):
        before, now, _ = quarters
        change = "still falling: raise --steps" if now < (1 - TREND) * before else "no longer falling"
        yield f"Its L1 went from {before:.3g} to {now:.3g} in the last half of the log, {change}."
    elif quarters := _quarters(trained, "d_loss"):
        before, now, _ = quarters
        change = "still falling: D is pulling ahead" if now < (1 - TREND) * before else "no longer falling"
        yield f"D's loss went from {before:.3g} to {now:.3g} in the last half of the log, {change}."
    yield "To see whether it still improves, score its snapshots (gan-eval DATA SNAPSHOTS...) and give --history."


def _quarters(lines: Sequence[dict[str, Any]], field: str) -> tuple[float, float, int] | None:
    """The means of `field` over the third and the last quarter of a log, and how many lines these are; None if few."""
    steps, values = logs.series(list(lines), field)
    if len(steps) < 4:
        return None
    quarter = len(values) // 4
    return float(np.mean(values[-2 * quarter : -quarter])), float(np.mean(values[-quarter:])), 2 * quarter
