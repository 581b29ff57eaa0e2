"""How a GAN's training goes, in plain words: what the scores, the discriminator and the log say, and what to try."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import scipy.stats

from ganutils import Error
from ganutils.evaluation.scores import Real, Scores
from ganutils.files import container, logs
from ganutils.files.container import File
from ganutils.inference.generate import draw_samples
from ganutils.randomness import stream
from ganutils.runs import checkpoints
from ganutils.runs.config import Config

# From where on something is said. Measured on digits and toys; tests/test_gan_eval.py has the runs on both sides.
FEW_MODES = 0.6  # of the modes that REAL has; with more, but not all, it is losing modes
LITTLE_QUALITY = 0.02  # high_quality of a toy: with less there are no modes to speak of
LITTLE_SPREAD = 0.4  # of the real samples' spread
LITTLE_RECALL, MUCH_PRECISION = 0.05, 0.5  # together: a few good samples, over and over
TOO_NEAR, FEW_AUTHENTIC = 0.5, 0.2  # nearest_real_ratio and authenticity of a generator that repeats its data
ROUGH = 0.3  # precision, or high_quality of a toy
AHEAD, BEHIND = 0.99, 0.6  # share of pairs in which D puts the real sample above the fake
JUDGED = 2048  # samples that D judges
MOVED = 0.05  # a trend: by this part from one quarter of the log to the next

TRY = {  # what to try, best first
    "collapsed": "--loss relativistic --r1 1 --r2 1, which was made against it, or else a smaller --lr",
    "losing modes": "--loss relativistic --r1 1 --r2 1, or a larger --batch",
    "memorising": "more data, --augment translate,cutout, or an earlier snapshot",
    "rough": "more --steps first; once its scores have stopped falling, a larger --width or the modern preset",
    "ahead": "more data, --augment translate,cutout if they are few, or a smaller --d-lr",
    "behind": "--d-updates 2 or a larger --d-lr",
}


@dataclasses.dataclass
class Evidence:
    """What a diagnosis is made from. `d_real`, `d_fake`: D's accuracy; `d_pairs`: see AHEAD; None without a D."""

    scores: Scores
    settings: Config
    step: int
    d_real: float | None = None
    d_fake: float | None = None
    d_pairs: float | None = None
    lines: Sequence[dict[str, Any]] = ()


def sort_arguments(first: str, second: str) -> tuple[str, list[str]]:
    """The data and, in a list, the checkpoint, in whichever order they were given."""
    kinds = []
    for path in (first, second):
        if path == "-":
            raise Error("standard input: --diagnose reads its files more than once; give them by name")
        with container.read(path) as file:
            kinds.append(file.kind)
    if sorted(kinds) != ["checkpoint", "samples"]:
        raise Error(
            f"{first}, {second}: --diagnose takes a checkpoint and its data, and these are {' and '.join(kinds)}"
        )
    return (second, [first]) if kinds[0] == "checkpoint" else (first, [second])


def paragraph(found: Scores, real: Real, path: str, log_paths: Sequence[str], device: str) -> list[str]:
    """The diagnosis of the checkpoint `path`, of which `found` are the scores against `real`."""
    lines = [line for log in log_paths for line in logs.read(log)]
    with container.read(path, "checkpoint") as file:
        evidence = Evidence(found, checkpoints.config_of(file), checkpoints.updates(file)["G"], lines=lines)
        if any(name.startswith("D.") for name in file.specs):
            judge(evidence, file, real, device)
    return list(diagnose(path, evidence))


def judge(evidence: Evidence, file: File, real: Real, device: str) -> None:
    """Let D judge real samples and fakes, in the batches and the mode (batch statistics) in which it is trained."""
    import torch
    from torch import nn

    from ganutils.compute import devices
    from ganutils.training import losses
    from ganutils.training.gan import load

    place = devices.find(device)
    settings = evidence.settings
    discriminator = load(file).to(place).D.train()
    for module in discriminator.modules():
        if isinstance(module, nn.Dropout):
            module.eval()

    def logits(samples: np.ndarray, labels: np.ndarray | None) -> np.ndarray:
        order = stream(real.seed, "judge").permutation(len(samples))  # data are often sorted by class
        count = max(len(samples) - len(samples) % settings.batch, 1)  # a last small batch is left out
        found = []
        for start in range(0, count, settings.batch):
            rows = order[start : start + settings.batch]
            x = torch.from_numpy(np.ascontiguousarray(samples[rows])).to(place)
            x = x.permute(0, 3, 1, 2).float() / 127.5 - 1 if x.dim() == 4 else x
            y = torch.from_numpy(labels[rows]).to(place) if labels is not None and settings.classes else None
            found.append(discriminator(x, y).float().cpu().numpy())
        return np.concatenate(found)

    with torch.no_grad():
        reals = logits(real.samples[:JUDGED], None if real.labels is None else real.labels[:JUDGED])
        fakes = logits(*draw_samples(file, min(len(real.samples), JUDGED), real.seed, device))
    boundary = losses.LOSSES[settings.loss].boundary  # None: only differences mean anything, as in training's log
    evidence.d_real = float((reals > (fakes.mean() if boundary is None else boundary)).mean())
    evidence.d_fake = float((fakes < (reals.mean() if boundary is None else boundary)).mean())
    above = scipy.stats.mannwhitneyu(reals, fakes).statistic  # pairs with the real one above; ties count half
    evidence.d_pairs = float(above / (len(reals) * len(fakes)))


# ----------------------------------------------------------------------------------------- the sentences


def diagnose(path: str, evidence: Evidence) -> Iterator[str]:
    """The paragraph: the verdict with its evidence, then D, then where it is going; a sentence a line."""
    worst = _collapsed(evidence) or _rough(evidence)  # what has collapsed is not helped by more steps
    faults = [fault for fault in (worst, _memorising(evidence)) if fault]
    verdict = " and ".join(name for name, _ in faults) or "healthy"
    yield f"{path} at step {evidence.step:,}: {verdict}."
    for name, sentence in faults:
        yield f"{sentence} Try {TRY[name]}."
    if not faults:
        yield _fine(evidence.scores)
    yield from _discriminator(evidence, bool(faults))
    yield from _trend(evidence)


def _collapsed(evidence: Evidence) -> tuple[str, str] | None:
    found = evidence.scores
    modes, covered = found.get("modes", 0), found.get("modes_covered", 0)
    if covered < modes and found.get("high_quality", 1) > LITTLE_QUALITY:
        missing = ", ".join(map(str, found["modes_missing"][:10]))
        name = "collapsed" if covered <= FEW_MODES * modes else "losing modes"
        return name, f"Only {covered} of {modes} modes are covered (missing {missing})."
    if found["spread"] is not None and found["spread"] < LITTLE_SPREAD:
        return (
            "collapsed",
            f"Its samples vary {found['spread']:.0%} as much as the real ones: they are nearly all alike.",
        )
    if found["recall"] < LITTLE_RECALL and found["precision"] > MUCH_PRECISION:
        rates = f"recall {found['recall']:.2f} at precision {found['precision']:.2f}"
        return "collapsed", f"A few good samples come over and over ({rates})."
    return None


def _memorising(evidence: Evidence) -> tuple[str, str] | None:
    ratio, authentic = evidence.scores["nearest_real_ratio"], evidence.scores["authenticity"]
    if authentic >= FEW_AUTHENTIC or ratio is None or ratio >= TOO_NEAR:
        return None
    near = f"{ratio:.0%} of the distance that real samples keep from one another"
    return "memorising", f"Its samples lie near single real ones ({near}; only {authentic:.0%} are authentic)."


def _rough(evidence: Evidence) -> tuple[str, str] | None:
    found = evidence.scores
    name = "high_quality" if "high_quality" in found else "precision"
    if found[name] >= ROUGH:
        return None
    return "rough", f"Only {found[name]:.0%} of its samples pass for real ({name} {found[name]:.2f})."


def _fine(found: Scores) -> str:
    parts = [f"precision {found['precision']:.2f}, recall {found['recall']:.2f}, coverage {found['coverage']:.2f}"]
    if "modes" in found:
        parts.insert(0, f"{found['modes_covered']} of {found['modes']} modes covered")
    parts.append(f"{found['authenticity']:.0%} authentic")
    return f"Nothing is wrong with its samples: {'; '.join(parts)}."


def _discriminator(evidence: Evidence, faulty: bool) -> Iterator[str]:
    pairs = evidence.d_pairs
    if pairs is None or evidence.d_real is None or evidence.d_fake is None:
        yield "The checkpoint is a snapshot without a discriminator, so nothing is said of that."
        return
    rates = f"right on {evidence.d_real:.0%} of real and {evidence.d_fake:.0%} of fake samples"
    if pairs > AHEAD:
        what = f"The discriminator is too strong ({rates}): the generator learns little from it"
        yield f"{what}. {'Try' if faulty else 'If the samples should become better, try'} {TRY['ahead']}."
    elif pairs < BEHIND and faulty:
        yield f"The discriminator is too weak ({rates}). Try {TRY['behind']}."
    else:
        yield f"The two networks are in balance (the discriminator is {rates})."


def _trend(evidence: Evidence) -> Iterator[str]:
    decay = evidence.settings.decay
    if decay and evidence.step >= decay[1]:
        yield f"The learning rate has been 0 since step {decay[1]:,} (--decay), so that more --steps change nothing."
        return
    for field in ("fid", "frechet_distance"):
        steps, values = logs.series([line for line in evidence.lines if "fake" in line], field)
        if len(steps) >= 4:
            quarter = len(values) // 4
            before, now = (float(np.mean(part)) for part in (values[-2 * quarter : -quarter], values[-quarter:]))
            went = f"from {before:.3g} to {now:.3g} over its last {2 * quarter} scores"
            if now < (1 - MOVED) * before:
                yield f"It is still improving (Fréchet distance {went}): raise --steps."
            elif now > (1 + MOVED) * before:
                yield f"It is getting worse (Fréchet distance {went}): an earlier snapshot is better; --best finds it."
            else:
                yield f"It has stopped improving (Fréchet distance {went})."
            return
    steps, values = logs.series([line for line in evidence.lines if "fake" not in line], "d_loss")
    if len(steps) >= 4:
        quarter = len(values) // 4
        before, now = (float(np.mean(part)) for part in (values[-2 * quarter : -quarter], values[-quarter:]))
        fell = "still falling: D is drawing ahead" if now < (1 - MOVED) * before else "not falling any more"
        yield f"D's loss went from {before:.3g} to {now:.3g} in the last half of the log, {fell}."
    yield "Whether it still improves, scores tell: give those of its snapshots (gan-eval DATA SNAPSHOTS...) with --log."
