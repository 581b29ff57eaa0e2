"""What may be wrong with a training, a row of VERDICTS each: how the evidence shows it, and what to try.

A row looks at the scores, and at the settings, the size of the data and the log that may explain them.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from ganutils.evaluation.advice import (
    WITH_AUGMENT,
    against_blur,
    against_collapse,
    against_copying,
    against_hiding,
    against_ignoring,
    against_inversion,
    cool_down,
    either,
    for_coverage,
    for_quality,
    more_data,
    shifts,
    train_on,
)
from ganutils.evaluation.evidence import Evidence
from ganutils.evaluation.metrics import NEAREST_DENSITY
from ganutils.evaluation.scores import Scores
from ganutils.runs.traits import LOSSES

# Thresholds, measured on trainings of digits, toys, faces and facades.
FEW_MODES = 0.6  # of the modes that REAL has; with more, but not all, it is losing modes
SURE = 0.8  # accuracy of a classifier; one with less finds modes missing that are not
LITTLE_QUALITY = 0.02  # high_quality of a toy: with less there are no modes to speak of
LITTLE_SPREAD = 0.4  # of the real samples' spread
LITTLE_RECALL, MUCH_PRECISION = 0.05, 0.5  # together: a few good samples, over and over
LOW_RECALL, LOW_COVERAGE = 0.15, 0.3  # coverage: of what the real law itself would reach
TOO_NEAR, FEW_AUTHENTIC = 0.5, 0.2  # nearest_real_ratio and authenticity of a generator that repeats its data
NEAR = 0.9  # nearest_real_ratio of one that repeats a small set; of fresh samples it is 1
ROUGH, THIN = 0.3, 0.15  # precision, or high_quality of a toy; density
HOPELESS = 0.05  # precision, or high_quality, of samples that resemble no real one
AHEAD, BEHIND = 0.99, 0.6  # share of pairs in which D rates the real sample above the fake
COPIED = 0.2  # input_distance of a translator that changes nearly nothing; 0.5 to 1 of others
LITTLE_ARRIVED = 0.3  # arrived of one that leaves pictures in their class
UNCHANGED = 0.05  # the same between classes, which may be alike but for a hat
INVERTED, FORCED = -0.5, -0.25  # correlation of negatives with what was given; that of real pictures which are such too
# cycle_l1_blurred over cycle_l1, and their difference, of pictures that are hidden in noise; 1.0 to 1.1 of others, 1.3
# of a run that begins to (drawn faces to sketches, --cycle 40, 2,850 steps)
HIDDEN, SEEN = 1.5, 0.02
UNRELATED = 1.04  # others_distance of results that have nothing to do with the input; 1.07 (facades) to 4 of others
UNIFORM = 0.15  # spread of results that are nearly alike for all inputs; 0.25 and more of others
BLURRED = 0.65  # sharpness of what L1 alone makes of photos; with a discriminator it is 0.8 and more
BY_HEART = 1.5  # times L1 in training: that on pictures that were not trained on, if too few were
HOT = 10  # times the usual learning rate, or more
LARGE_LOSS = 100.0  # and large difference of D's logits; both stay around 10 in a run that works
TOO_FEW = "too few {noun}"
TINY_SET = 100  # samples, always too few


class Verdict(NamedTuple):
    """One thing that may be wrong.

    name     as it is printed; {noun} stands for what the samples are
    find     the sentence that shows it in the evidence; "" if it is not so
    advise   what to try, after "Try"
    unless   verdicts that explain it
    """

    name: str
    find: Callable[[Evidence], str]
    advise: Callable[[Evidence], str]
    unless: tuple[str, ...] = ()


def verdicts(evidence: Evidence) -> list[tuple[str, str, str]]:
    """Name, sentence and advice of each verdict that holds, worst first; none for a healthy run."""
    found: dict[str, tuple[str, str, str]] = {}
    for verdict in VERDICTS:
        if found.keys().isdisjoint(verdict.unless) and (sentence := verdict.find(evidence)):
            name = verdict.name.format(noun=evidence.noun)
            found[verdict.name] = (name, sentence, verdict.advise(evidence))
    return list(found.values())


# ------------------------------------------------------------------------------------- how the evidence shows it


def _diverged(evidence: Evidence) -> str:
    name, quality = evidence.quality
    if quality >= HOPELESS:
        return ""
    resembles = f"Its samples resemble no real one ({name} {quality:.2f})"
    losses = {"D": evidence.series("d_loss"), "G": evidence.series("g_loss")}
    last = {network: abs(np.mean(values[-4:])) for network, values in losses.items() if values}
    is_bounded = LOSSES[evidence.config.loss].least_d_loss(1.0) > -math.inf
    if is_bounded and max(last.values(), default=0) > LARGE_LOSS:
        return f"{resembles}, and its losses are huge ({', '.join(f'{n} {loss:,.0f}' for n, loss in last.items())})."
    if is_bounded and evidence.d_margin is not None and evidence.d_margin > LARGE_LOSS:
        return f"{resembles}, and the discriminator's logits are huge ({evidence.d_margin:,.0f})."
    _, rate, usual = evidence.hottest
    if rate >= HOT * usual:
        return f"{resembles}, and a learning rate of {rate:g} is {rate / usual:,.0f} times the usual."
    return ""


def _too_early(evidence: Evidence) -> str:
    if not evidence.is_young or evidence.was_diverse:
        return ""
    symptoms = (_copying, _inverted, _ignoring, _collapsed, _losing_modes, _blurred, _rough, _low_coverage)
    symptom = next(filter(None, (find(evidence) for find in symptoms)), "")
    trained = f"{evidence.step:,} steps ({evidence.kimg:,.1f} thousand {evidence.noun} shown to D)"
    return f"After {trained} this says little yet: {symptom[0].lower()}{symptom[1:]}" if symptom else ""


def _too_few(evidence: Evidence) -> str:
    count = evidence.trained_on
    if count is None:
        return ""
    share = WITH_AUGMENT if evidence.config.augments else 1  # in a translator's config there are none
    is_ahead = evidence.d_pairs is not None and evidence.d_pairs > AHEAD
    knows_them = is_ahead and not evidence.is_young  # first fakes are easily told by any D
    repeats_them = not evidence.has_pairs and evidence.scores.get("authenticity", 1) < FEW_AUTHENTIC
    if count < TINY_SET / share:
        effect = "which the discriminator soon knows by heart, and the generator can only repeat"
    elif count < evidence.enough / share and (knows_them or repeats_them):
        effect = "which the generator repeats" if repeats_them else "which the discriminator knows by heart"
    else:
        return ""
    return f"It was trained on {count:,} {evidence.noun}, {effect}."


def _memorizing(evidence: Evidence) -> str:
    """A translator's results should lie near real pictures, their own; what it learned by heart helps on no others."""
    if evidence.has_pairs:
        here, there = evidence.scores.get("l1"), evidence.series("l1")[-4:]
        if here is None or not there or here < BY_HEART * np.mean(there):
            return ""
        return f"On REAL its results are {here:.3f} from the true pictures (L1), in training {np.mean(there):.3f}."
    ratio, authentic = evidence.scores.get("nearest_real_ratio"), evidence.scores.get("authenticity", 1)
    near = NEAR if _too_few(evidence) else TOO_NEAR
    if authentic >= FEW_AUTHENTIC or ratio is None or ratio >= near:
        return ""
    distance = f"{ratio:.0%} of the distance that real samples keep from one another"
    return f"Its samples lie near single real ones ({distance}; only {authentic:.0%} are authentic)."


def _copying(evidence: Evidence) -> str:
    distance, arrived = evidence.scores.get("input_distance"), evidence.scores.get("arrived")
    if distance is None or distance >= COPIED:
        return ""
    if not evidence.has_pairs:
        if distance >= UNCHANGED and (arrived is None or arrived >= LITTLE_ARRIVED):
            return ""
        reach = "" if arrived is None else f", and {arrived:.0%} of them are taken for the class they should be of"
        return f"Its results are nearly what it is given: {distance:.0%} as far from it as other real pictures{reach}."
    return f"Its results are nearly its inputs: only {distance:.0%} as far from them as the true pictures are."


def _ignoring(evidence: Evidence) -> str:
    others, spread = evidence.scores.get("others_distance"), evidence.scores["spread"]
    if others is None:
        return ""
    if spread is not None and spread < UNIFORM:
        return f"Whatever the input, its results are nearly alike: they vary {spread:.0%} as much as the true pictures."
    if others < UNRELATED:
        distance = f"they are {others:.2f} times as far from those of other inputs"
        return f"Its results have little to do with their own true pictures: {distance}."
    return ""


def _inverted(evidence: Evidence) -> str:
    """A cycle of two negatives is as good as none; unless real pictures of one class are negatives of the other's."""
    made, real = (evidence.scores.get(f"{name}_correlation") for name in ("input", "expected"))
    if made is None or made > INVERTED or (real is not None and real < FORCED):
        return ""
    other = "" if real is None else f"; that of real pictures {real:.2f}"
    return f"Its results are like negatives of what it is given (correlation {made:.2f}{other})."


def _hiding(evidence: Evidence) -> str:
    """Chu et al. 2017, "CycleGAN, a Master of Steganography"."""
    back, blurred = evidence.scores.get("cycle_l1"), evidence.scores.get("cycle_l1_blurred")
    if back is None or blurred is None or blurred < HIDDEN * back or blurred - back < SEEN:
        return ""
    changes = f"a slight blur of its results makes the way back {blurred / max(back, 1e-3):.1f} times as wrong"
    return f"It hides what it is given in noise: {changes} (cycle L1 {back:.3f}, then {blurred:.3f})."


def _blurred(evidence: Evidence) -> str:
    sharpness = evidence.scores.get("sharpness")
    if sharpness is None or sharpness >= BLURRED:
        return ""
    return f"Its results are blurred (sharpness {sharpness:.2f} of the true pictures')."


def _collapsed(evidence: Evidence) -> str:
    scores = evidence.scores
    if evidence.has_pairs:  # see _ignoring
        return ""
    if (covered := _missing_modes(scores)) and scores["modes_covered"] <= FEW_MODES * scores["modes"]:
        return covered
    if scores["spread"] is not None and scores["spread"] < LITTLE_SPREAD:
        return f"Its samples vary {scores['spread']:.0%} as much as the real ones: they are nearly all alike."
    if scores["recall"] < LITTLE_RECALL and scores["precision"] > MUCH_PRECISION:
        rates = f"recall {scores['recall']:.2f} at precision {scores['precision']:.2f}"
        return f"It repeats a few good samples ({rates})."
    return ""


def _losing_modes(evidence: Evidence) -> str:
    return _missing_modes(evidence.scores)


def _missing_modes(scores: Scores) -> str:
    modes, covered = scores.get("modes", 0), scores.get("modes_covered", 0)
    accuracy = scores.get("features", {}).get("accuracy")
    if covered == modes or scores.get("high_quality", 1) <= LITTLE_QUALITY or (accuracy or 1) < SURE:
        return ""
    return f"Only {covered} of {modes} modes are covered (missing {', '.join(map(str, scores['modes_missing'][:10]))})."


def _rough(evidence: Evidence) -> str:
    name, quality = evidence.quality
    if quality < ROUGH:
        return f"Only {quality:.0%} of its samples pass for real ({name} {quality:.2f})."
    density = evidence.scores["density"]
    return f"Few of its samples lie where the real ones are dense (density {density:.2f})." if density < THIN else ""


def _low_coverage(evidence: Evidence) -> str:
    scores = evidence.scores
    if evidence.translates:  # all of REAL is there, since each input has its result
        return ""
    possible = possible_coverage(scores["real_count"], scores["fake_count"])
    low = {"coverage": scores["coverage"] < LOW_COVERAGE * possible, "recall": scores["recall"] < LOW_RECALL}
    names = [name for name, is_low in low.items() if is_low]
    if not names:
        return ""
    return f"Its samples leave out much of what REAL has ({', '.join(f'{name} {scores[name]:.2f}' for name in names)})."


def possible_coverage(real_count: int, fake_count: int) -> float:
    """The expected coverage of samples of the real law itself (Naeem et al. 2020, equation 9)."""
    numbers = range(1, NEAREST_DENSITY + 1)
    return 1 - math.prod(max(real_count - n, 0) / max(fake_count + real_count - n, 1) for n in numbers)


def _against_memory(evidence: Evidence) -> str:
    if _too_few(evidence):
        return "an earlier snapshot"
    augment = [f"--augment {evidence.augments}"] if evidence.augments else []
    return either(["more data", *augment, *shifts(evidence), "an earlier snapshot"])


# Verdicts that explain others.
EARLY = ("diverged", "too early")
USELESS = (*EARLY, "copies its input", "ignores its input", "collapsed")
VERDICTS = (  # worst first
    Verdict("diverged", _diverged, cool_down),
    Verdict("too early", _too_early, train_on, unless=EARLY[:1]),
    Verdict("copies its input", _copying, against_copying, unless=EARLY),
    Verdict("inverted colors", _inverted, against_inversion, unless=EARLY),
    Verdict("ignores its input", _ignoring, against_ignoring, unless=(*EARLY, "copies its input")),
    Verdict("collapsed", _collapsed, against_collapse, unless=EARLY),
    Verdict(TOO_FEW, _too_few, more_data, unless=("diverged",)),
    Verdict("hides the picture in noise", _hiding, against_hiding, unless=USELESS),
    Verdict("losing modes", _losing_modes, against_collapse, unless=(*USELESS, TOO_FEW)),
    Verdict("blurred", _blurred, against_blur, unless=(*USELESS, TOO_FEW)),
    Verdict("rough", _rough, for_quality, unless=(*USELESS, TOO_FEW, "losing modes", "blurred")),
    Verdict("low coverage", _low_coverage, for_coverage, unless=(*USELESS, TOO_FEW, "losing modes", "rough")),
    Verdict("memorizing", _memorizing, _against_memory, unless=("diverged", *USELESS[2:])),
)
