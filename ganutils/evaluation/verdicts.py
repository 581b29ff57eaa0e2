"""What may be wrong with a training, a row of VERDICTS each: how the evidence shows it, and what to try.

A row looks at the scores, and at the settings, the size of the data and the log that may explain them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from ganutils.evaluation.evidence import ENOUGH, Evidence
from ganutils.evaluation.metrics import NEAREST_DENSITY
from ganutils.evaluation.scores import Scores
from ganutils.runs.config import Config
from ganutils.runs.presets import PAIRED
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
UNRELATED = 1.04  # others_distance of results that have nothing to do with the input; 1.07 (facades) to 4 of others
UNIFORM = 0.15  # spread of results that are nearly alike for all inputs; 0.25 and more of others
BLURRED = 0.65  # sharpness of what L1 alone makes of photos; with a discriminator it is 0.8 and more
BY_HEART = 1.5  # times L1 in training: that on pictures that were not trained on, if too few were
HOT = 10  # times the usual learning rate, or more
LARGE_LOSS = 100.0  # and large difference of D's logits; both stay around 10 in a run that works
TOO_FEW = "too few {noun}"
TINY_SET = 100  # samples, always too few
WITH_AUGMENT = 5  # so many times fewer do (Zhao et al. 2020, "Differentiable Augmentation", figure 1)


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
    times = evidence.lr / evidence.usual_lr
    if times >= HOT:
        return f"{resembles}, and a learning rate of {evidence.lr:g} is {times:,.0f} times the usual."
    return ""


def _too_early(evidence: Evidence) -> str:
    if not evidence.is_young or evidence.was_diverse:
        return ""
    symptoms = (_copying, _ignoring, _collapsed, _losing_modes, _blurred, _rough, _low_coverage)
    symptom = next(filter(None, (find(evidence) for find in symptoms)), "")
    trained = f"{evidence.step:,} steps ({evidence.kimg:,.1f} thousand {evidence.noun} shown to D)"
    return f"After {trained} this says little yet: {symptom[0].lower()}{symptom[1:]}" if symptom else ""


def _too_few(evidence: Evidence) -> str:
    count = evidence.trained_on
    if count is None:
        return ""
    share = WITH_AUGMENT if evidence.config.augments else 1  # in a translator's config there are none
    is_ahead = evidence.d_pairs is not None and evidence.d_pairs > AHEAD
    knows_them = is_ahead and not (evidence.is_young and _rough(evidence))  # first fakes are easily told by any D
    repeats_them = not evidence.translates and evidence.scores["authenticity"] < FEW_AUTHENTIC
    if count < TINY_SET / share:
        effect = "which the discriminator soon knows by heart, and the generator can only repeat"
    elif count < evidence.enough / share and (knows_them or repeats_them):
        effect = "which the generator repeats" if repeats_them else "which the discriminator knows by heart"
    else:
        return ""
    return f"It was trained on {count:,} {evidence.noun}, {effect}."


def _memorizing(evidence: Evidence) -> str:
    """A translator's results should lie near real pictures, their own; what it learned by heart helps on no others."""
    if evidence.translates:
        here, there = evidence.scores.get("l1"), evidence.series("l1")[-4:]
        if here is None or not there or here < BY_HEART * np.mean(there):
            return ""
        return f"On REAL its results are {here:.3f} from the true pictures (L1), in training {np.mean(there):.3f}."
    ratio, authentic = evidence.scores["nearest_real_ratio"], evidence.scores["authenticity"]
    near = NEAR if _too_few(evidence) else TOO_NEAR
    if authentic >= FEW_AUTHENTIC or ratio is None or ratio >= near:
        return ""
    distance = f"{ratio:.0%} of the distance that real samples keep from one another"
    return f"Its samples lie near single real ones ({distance}; only {authentic:.0%} are authentic)."


def _copying(evidence: Evidence) -> str:
    distance = evidence.scores.get("input_distance")
    if distance is None or distance >= COPIED:
        return ""
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


def _blurred(evidence: Evidence) -> str:
    sharpness = evidence.scores.get("sharpness")
    if sharpness is None or sharpness >= BLURRED:
        return ""
    return f"Its results are blurred (sharpness {sharpness:.2f} of the true pictures')."


def _collapsed(evidence: Evidence) -> str:
    scores = evidence.scores
    if evidence.translates:  # it is deterministic: see _ignoring
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


# ------------------------------------------------------------------------------------------------- what to try


def _cool_down(evidence: Evidence) -> str:
    option = "--d-lr" if evidence.config.d_lr > evidence.config.lr else "--lr"
    usual = evidence.usual_lr
    return f"a new run with {option} {usual if evidence.lr > usual else evidence.lr / 5:g}"


def _for_pairs(evidence: Evidence) -> list[str]:
    """What ties results to their own true pictures more strongly than the settings of the run."""
    config = evidence.config
    least: float = PAIRED["modern"][config.arch]["l1"]
    options = [f"--l1 {max(2 * config.l1, least):g}"]
    if config.sees == "picture" and config.needs_d:
        options.append("--sees pair")
    elif not config.mismatch and config.needs_d:
        options.append("--mismatch 0.5 (real pictures beside wrong inputs are fakes too)")
    return options


def _against_copying(evidence: Evidence) -> str:
    config = evidence.config
    options = [f"--lr {evidence.usual_lr:g}"] if 0 < config.lr < evidence.usual_lr else []
    options += _for_pairs(evidence)[:1]
    if config.arch == "unet":
        options.append("--arch hourglass (no skips to copy through)")
    return f"{_more_steps(evidence)}a new run with {_or(options)}"


def _against_ignoring(evidence: Evidence) -> str:
    return f"{_more_steps(evidence)}a new run with {_or([*_for_pairs(evidence), f'--lr {evidence.config.lr / 2:g}'])}"


def _more_steps(evidence: Evidence) -> str:
    return "" if evidence.has_decayed else "more --steps while its scores still improve; then "


def _against_blur(evidence: Evidence) -> str:
    config = evidence.config
    if not config.needs_d:
        return (
            "a new run with --adversarial 1 and --init this one: L1 alone is smallest for the mean of all that could be"
        )
    options = [f"--adversarial {2 * config.adversarial or 1:g}", f"--l1 {config.l1 / 2:g}" if config.l1 else ""]
    return f"{_more_steps(evidence)}a new run with {_or([*filter(None, options), f'--width {2 * config.width}'])}"


def _train_on(evidence: Evidence) -> str:
    decay = evidence.config.decay
    return f"--steps {max(evidence.steps_needed, decay[1] if decay else 0)} or more, and diagnose again"


def _more_data(evidence: Evidence) -> str:
    noun, real_count = evidence.noun, evidence.scores["real_count"]
    fewer = evidence.enough // WITH_AUGMENT
    shifts = _shifts(evidence)
    if real_count > 2 * (evidence.trained_on or 0):
        more = f"a new run on all of REAL, which has {real_count:,} {noun} or more"
    else:
        more = f"{fewer if evidence.config.augments else evidence.enough:,} {noun} or more"
    if shifts:
        return f"{more}, or {_or(shifts)}"
    return more + (f", or --augment {evidence.augments}, with which {fewer:,} do" if evidence.augments else "")


def _shifts(evidence: Evidence) -> list[str]:
    """The settings that make more of a translator's pairs, if it does without them."""
    off = [name for name in ("jitter", "mirror") if evidence.translates and not getattr(evidence.config, name)]
    return [f"--{name} {PAIRED['modern'][evidence.config.arch][name]:g}" for name in off]


def _against_memory(evidence: Evidence) -> str:
    if _too_few(evidence):
        return "an earlier snapshot"
    augment = [f"--augment {evidence.augments}"] if evidence.augments else []
    return _or(["more data", *augment, *_shifts(evidence), "an earlier snapshot"])


def _against_collapse(evidence: Evidence) -> str:
    """R1 and R2 with the relativistic loss: Huang et al. 2024, "The GAN is dead; long live the GAN!"."""
    config = evidence.config
    if evidence.translates:
        return f"a new run with {_or([*_for_pairs(evidence), f'--width {2 * config.width}'])}"
    options = [] if _is_cured(config) else ["--loss relativistic --r1 1 --r2 1, which was made against it"]
    return f"a new run with {_or([*options, f'--lr {config.lr / 2:g}', f'--batch {2 * config.batch}'])}"


def _is_cured(config: Config) -> bool:
    return config.loss == "relativistic" and config.r1 > 0 and config.r2 > 0


def _for_quality(evidence: Evidence) -> str:
    config = evidence.config
    if evidence.has_decayed:
        return f"a new run with a later --decay and more --steps, or --width {2 * config.width}"
    larger = f"a new run with --width {2 * config.width}"
    preset = "" if config.preset == "modern" else " or --preset modern"
    return f"more --steps first; once its scores have stopped falling, {larger}{preset}"


def _for_coverage(evidence: Evidence) -> str:
    cure = _against_collapse(evidence)
    return cure if evidence.has_decayed else f"more --steps while its scores still fall; then {cure}"


def hold_back_d(evidence: Evidence) -> str:
    """What to try if D is too strong."""
    config = evidence.config
    options = ["more data"]
    if evidence.augments and (evidence.trained_on or 0) < 10 * ENOUGH:
        options.append(f"--augment {evidence.augments}")
    if config.smooth == 1 and LOSSES[config.loss].has_target:
        options.append("--smooth 0.9")
    if config.d_updates > 1 and not config.gp:
        options.append("--d-updates 1")
    return _or([*options, f"--d-lr {(config.d_lr or config.lr) / 2:g}"])


def push_d(evidence: Evidence) -> str:
    """What to try if D is too weak."""
    config = evidence.config
    return f"--d-updates {config.d_updates + 1} or --d-lr {2 * (config.d_lr or config.lr):g}"


def _or(options: Sequence[str]) -> str:
    return listed(options, "or")


def listed(words: Sequence[str], joint: str) -> str:
    """a, b and c, if `joint` is "and"."""
    return f" {joint} ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))


# Verdicts that explain others.
EARLY = ("diverged", "too early")
USELESS = (*EARLY, "copies its input", "ignores its input", "collapsed")
VERDICTS = (  # worst first
    Verdict("diverged", _diverged, _cool_down),
    Verdict("too early", _too_early, _train_on, unless=EARLY[:1]),
    Verdict("copies its input", _copying, _against_copying, unless=EARLY),
    Verdict("ignores its input", _ignoring, _against_ignoring, unless=(*EARLY, "copies its input")),
    Verdict("collapsed", _collapsed, _against_collapse, unless=EARLY),
    Verdict(TOO_FEW, _too_few, _more_data, unless=("diverged",)),
    Verdict("losing modes", _losing_modes, _against_collapse, unless=(*USELESS, TOO_FEW)),
    Verdict("blurred", _blurred, _against_blur, unless=(*USELESS, TOO_FEW)),
    Verdict("rough", _rough, _for_quality, unless=(*USELESS, TOO_FEW, "losing modes", "blurred")),
    Verdict("low coverage", _low_coverage, _for_coverage, unless=(*USELESS, TOO_FEW, "losing modes", "rough")),
    Verdict("memorizing", _memorizing, _against_memory, unless=("diverged", *USELESS[2:])),
)
