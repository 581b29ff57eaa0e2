"""How a GAN's training goes, in plain words: what the scores, the discriminator and the log show, and what to try."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import scipy.stats

from ganutils import Error
from ganutils.evaluation.scores import Scores
from ganutils.evaluation.sets import Real
from ganutils.files import container, logs
from ganutils.files.container import File
from ganutils.randomness import stream
from ganutils.runs import checkpoints
from ganutils.runs.config import Config
from ganutils.runs.traits import LOSSES

# Thresholds, measured on trainings of digits and toys.
FEW_MODES = 0.6  # of the modes that REAL has; with more, but not all, it is losing modes
LITTLE_QUALITY = 0.02  # high_quality of a toy: with less there are no modes to speak of
LITTLE_SPREAD = 0.4  # of the real samples' spread
LITTLE_RECALL, MUCH_PRECISION = 0.05, 0.5  # together: a few good samples, over and over
TOO_NEAR, FEW_AUTHENTIC = 0.5, 0.2  # nearest_real_ratio and authenticity of a generator that repeats its data
ROUGH = 0.3  # precision, or high_quality of a toy
AHEAD, BEHIND = 0.99, 0.6  # share of pairs in which D rates the real sample above the fake
JUDGED = 2048  # samples that D judges
TREND = 0.05  # a trend: a change by this part from one quarter of the log to the next

TRY = {  # what to try, best first
    "collapsed": "--loss relativistic --r1 1 --r2 1, which was made against it, or else a smaller --lr",
    "losing modes": "--loss relativistic --r1 1 --r2 1, or a larger --batch",
    "memorizing": "more data, --augment translate,cutout, or an earlier snapshot",
    "rough": "more --steps first; once its scores have stopped falling, a larger --width or the modern preset",
    "ahead": "more data, --augment translate,cutout if they are few, or a smaller --d-lr",
    "behind": "--d-updates 2 or a larger --d-lr",
}


@dataclasses.dataclass
class Evidence:
    """What a diagnosis is made from. `d_real`, `d_fake`: D's accuracy; `d_pairs`: see AHEAD; None without a D."""

    scores: Scores
    config: Config
    step: int
    d_real: float | None = None
    d_fake: float | None = None
    d_pairs: float | None = None
    log: Sequence[dict[str, Any]] = ()


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
    log = [line for log_path in log_paths for line in logs.read(log_path)]
    with container.read(path, "checkpoint") as file:
        evidence = Evidence(scores, checkpoints.config_of(file), checkpoints.updates(file)["G"], log=log)
        if any(name.startswith("D.") for name in file.specs):
            judge(evidence, file, real, device)
    return list(diagnose(path, evidence))


def judge(evidence: Evidence, file: File, real: Real, device: str) -> None:
    """Let D judge real samples and fakes, in the batches and the mode (batch statistics) in which it is trained."""
    from torch import nn

    from ganutils.compute import devices
    from ganutils.inference import discriminate
    from ganutils.inference.generate import draw_samples
    from ganutils.training.gan import load

    place = devices.find(device)
    config = evidence.config
    discriminator = load(file).to(place).D.train()
    for module in discriminator.modules():
        if isinstance(module, nn.Dropout):
            module.eval()

    def logits(samples: np.ndarray, labels: np.ndarray | None) -> np.ndarray:
        count = len(samples) // config.batch * config.batch or len(samples)  # a last small batch is left out
        order = stream(real.seed, "judge").permutation(len(samples))[:count]  # data are often sorted by class
        conditions = labels[order] if labels is not None and config.classes else None
        return discriminate.apply(discriminator, samples[order], place, conditions, config.batch)

    reals = logits(real.samples[:JUDGED], None if real.labels is None else real.labels[:JUDGED])
    fakes = logits(*draw_samples(file, min(len(real.samples), JUDGED), real.seed, device))
    boundary = LOSSES[config.loss].boundary  # None: only differences mean anything, as in training's log
    evidence.d_real = float((reals > (fakes.mean() if boundary is None else boundary)).mean())
    evidence.d_fake = float((fakes < (reals.mean() if boundary is None else boundary)).mean())
    above = scipy.stats.mannwhitneyu(reals, fakes).statistic  # pairs with the real one above; ties count half
    evidence.d_pairs = float(above / (len(reals) * len(fakes)))


# ----------------------------------------------------------------------------------------- the sentences


def diagnose(path: str, evidence: Evidence) -> Iterator[str]:
    """The paragraph, a sentence per line: the verdict with its evidence, then D, then the trend."""
    worst = _collapsed(evidence.scores) or _rough(evidence.scores)  # more steps do not help what has collapsed
    faults = [fault for fault in (worst, _memorizing(evidence.scores)) if fault]
    verdict = " and ".join(name for name, _ in faults) or "healthy"
    yield f"{path} at step {evidence.step:,}: {verdict}."
    for name, sentence in faults:
        yield f"{sentence} Try {TRY[name]}."
    if not faults:
        yield _healthy(evidence.scores)
    yield from _discriminator(evidence, bool(faults))
    yield from _trend(evidence)


def _collapsed(scores: Scores) -> tuple[str, str] | None:
    modes, covered = scores.get("modes", 0), scores.get("modes_covered", 0)
    if covered < modes and scores.get("high_quality", 1) > LITTLE_QUALITY:
        missing = ", ".join(map(str, scores["modes_missing"][:10]))
        name = "collapsed" if covered <= FEW_MODES * modes else "losing modes"
        return name, f"Only {covered} of {modes} modes are covered (missing {missing})."
    if scores["spread"] is not None and scores["spread"] < LITTLE_SPREAD:
        spread = f"{scores['spread']:.0%} as much as the real ones"
        return "collapsed", f"Its samples vary {spread}: they are nearly all alike."
    if scores["recall"] < LITTLE_RECALL and scores["precision"] > MUCH_PRECISION:
        rates = f"recall {scores['recall']:.2f} at precision {scores['precision']:.2f}"
        return "collapsed", f"It repeats a few good samples ({rates})."
    return None


def _memorizing(scores: Scores) -> tuple[str, str] | None:
    ratio, authentic = scores["nearest_real_ratio"], scores["authenticity"]
    if authentic >= FEW_AUTHENTIC or ratio is None or ratio >= TOO_NEAR:
        return None
    near = f"{ratio:.0%} of the distance that real samples keep from one another"
    return "memorizing", f"Its samples lie near single real ones ({near}; only {authentic:.0%} are authentic)."


def _rough(scores: Scores) -> tuple[str, str] | None:
    name = "high_quality" if "high_quality" in scores else "precision"
    if scores[name] >= ROUGH:
        return None
    return "rough", f"Only {scores[name]:.0%} of its samples pass for real ({name} {scores[name]:.2f})."


def _healthy(scores: Scores) -> str:
    parts = [f"{name} {scores[name]:.2f}" for name in ("precision", "recall", "coverage")]
    parts = [", ".join(parts), f"{scores['authenticity']:.0%} authentic"]
    if "modes" in scores:
        parts.insert(0, f"{scores['modes_covered']} of {scores['modes']} modes covered")
    return f"Nothing is wrong with its samples: {'; '.join(parts)}."


def _discriminator(evidence: Evidence, is_faulty: bool) -> Iterator[str]:
    pairs = evidence.d_pairs
    if pairs is None or evidence.d_real is None or evidence.d_fake is None:
        yield "The checkpoint is a snapshot without a discriminator, which is therefore not judged."
        return
    rates = f"right on {evidence.d_real:.0%} of real and {evidence.d_fake:.0%} of fake samples"
    if pairs > AHEAD:
        what = f"The discriminator is too strong ({rates}): the generator learns little from it"
        yield f"{what}. {'Try' if is_faulty else 'For better samples, try'} {TRY['ahead']}."
    elif pairs < BEHIND and is_faulty:
        yield f"The discriminator is too weak ({rates}). Try {TRY['behind']}."
    else:
        yield f"The two networks are in balance (the discriminator is {rates})."


def _trend(evidence: Evidence) -> Iterator[str]:
    """Where the last two quarters of the log lead."""
    decay = evidence.config.decay
    if decay and evidence.step >= decay[1]:
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
    if quarters := _quarters([line for line in evidence.log if "fake" not in line], "d_loss"):
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
