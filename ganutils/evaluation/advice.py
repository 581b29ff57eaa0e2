"""What to try against what is wrong with a training, as its settings allow."""

from __future__ import annotations

from collections.abc import Sequence

from ganutils.evaluation.evidence import ENOUGH, Evidence
from ganutils.runs import remedies

WITH_AUGMENT = 5  # so many times fewer samples do (Zhao et al. 2020, "Differentiable Augmentation", figure 1)
IDENTITY = 5.0  # its weight in the code of Zhu et al. 2017


def cool_down(evidence: Evidence) -> str:
    option, rate, usual = evidence.hottest
    return f"a new run with {option} {usual if rate > usual else rate / 5:g}"


def for_pairs(evidence: Evidence) -> list[str]:
    """What ties results to what is given, or to their own true pictures, more strongly than the settings of the run."""
    config = evidence.config
    if config.domains:
        return [f"--cycle {max(2 * config.cycle, evidence.usual.cycle):g}"]
    options = [f"--l1 {max(2 * config.l1, evidence.usual.l1):g}"]
    if config.sees == "picture" and config.needs_d:
        options.append("--sees pair")
    elif not config.mismatch and config.needs_d:
        options.append("--mismatch 0.5 (real pictures beside wrong inputs are fakes too)")
    return options


def against_copying(evidence: Evidence) -> str:
    config = evidence.config
    options = [f"--lr {evidence.usual_lr:g}"] if 0 < config.lr < evidence.usual_lr else []
    if config.domains:
        options += ["--identity 0"] if config.identity else []
        options.append(f"--adversarial {2 * config.adversarial or 1:g}")
    else:
        options += for_pairs(evidence)[:1]
    if config.arch == "unet":
        options.append("--arch hourglass (no skips to copy through)")
    return f"{more_steps(evidence)}a new run with {either(options)}"


def against_inversion(evidence: Evidence) -> str:
    """Zhu et al. 2017, section 5.2: what is of a class already should stay as it is, so colors do."""
    weight = evidence.config.identity
    return f"a new run with --identity {2 * weight or IDENTITY:g}, which keeps colors"


def against_hiding(evidence: Evidence) -> str:
    """Noise that covers what is hidden, less reward for a perfect way back, and fewer paths for details."""
    config = evidence.config
    options = [f"--noise {2 * config.noise or evidence.usual.noise:g}", f"--cycle {config.cycle / 2:g}"]
    if config.arch == "unet":
        options.append("--arch hourglass (no skips for details)")
    return f"a new run with {either(options)}"


def against_ignoring(evidence: Evidence) -> str:
    return f"{more_steps(evidence)}a new run with {either([*for_pairs(evidence), f'--lr {evidence.config.lr / 2:g}'])}"


def more_steps(evidence: Evidence) -> str:
    return "" if evidence.has_decayed else "more --steps while its scores still improve; then "


def against_blur(evidence: Evidence) -> str:
    config = evidence.config
    if not config.needs_d:
        return (
            "a new run with --adversarial 1 and --init this one: L1 alone is smallest for the mean of all that could be"
        )
    options = [f"--adversarial {2 * config.adversarial or 1:g}", f"--l1 {config.l1 / 2:g}" if config.l1 else ""]
    return f"{more_steps(evidence)}a new run with {either([*filter(None, options), f'--width {2 * config.width}'])}"


def train_on(evidence: Evidence) -> str:
    decay = evidence.config.decay
    return f"--steps {max(evidence.steps_needed, decay[1] if decay else 0)} or more, and diagnose again"


def more_data(evidence: Evidence) -> str:
    noun, real_count = evidence.noun, evidence.scores["real_count"]
    fewer = evidence.enough // WITH_AUGMENT
    off = shifts(evidence)
    if real_count > 2 * (evidence.trained_on or 0):
        more = f"a new run on all of REAL, which has {real_count:,} {noun} or more"
    else:
        more = f"{fewer if evidence.config.augments else evidence.enough:,} {noun} or more"
    if off:
        return f"{more}, or {either(off)}"
    return more + (f", or --augment {evidence.augments}, with which {fewer:,} do" if evidence.augments else "")


def shifts(evidence: Evidence) -> list[str]:
    """The settings that make more of a translator's pairs, if it does without them."""
    off = [name for name in ("jitter", "mirror") if evidence.translates and not getattr(evidence.config, name)]
    return [f"--{name} {getattr(evidence.usual, name):g}" for name in off]


def against_collapse(evidence: Evidence) -> str:
    config = evidence.config
    if evidence.translates:
        return f"a new run with {either([*for_pairs(evidence), f'--width {2 * config.width}'])}"
    options = [f"{cure}, which was made against it" for cure in remedies.against_collapse(config)]
    return f"a new run with {either([*options, f'--lr {config.lr / 2:g}', f'--batch {2 * config.batch}'])}"


def for_quality(evidence: Evidence) -> str:
    config = evidence.config
    if evidence.has_decayed:
        return f"a new run with a later --decay and more --steps, or --width {2 * config.width}"
    larger = f"a new run with --width {2 * config.width}"
    preset = "" if config.preset == "modern" else " or --preset modern"
    return f"more --steps first; once its scores have stopped falling, {larger}{preset}"


def for_coverage(evidence: Evidence) -> str:
    cure = against_collapse(evidence)
    return cure if evidence.has_decayed else f"more --steps while its scores still fall; then {cure}"


def hold_back_d(evidence: Evidence) -> str:
    """What to try if D is too strong."""
    config = evidence.config
    options = ["more data"]
    if evidence.augments and (evidence.trained_on or 0) < 10 * ENOUGH:
        options.append(f"--augment {evidence.augments}")
    options += remedies.against_winning(config)
    if config.d_updates > 1 and not config.gp:
        options.append("--d-updates 1")
    return either([*options, f"--d-lr {(config.d_lr or config.lr) / 2:g}"])


def push_d(evidence: Evidence) -> str:
    """What to try if D is too weak."""
    config = evidence.config
    return f"--d-updates {config.d_updates + 1} or --d-lr {2 * (config.d_lr or config.lr):g}"


def either(options: Sequence[str]) -> str:
    return listed(options, "or")


def listed(words: Sequence[str], joint: str) -> str:
    """a, b and c, if `joint` is "and"."""
    return f" {joint} ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))
