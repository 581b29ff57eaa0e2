"""Which settings of a run do not go together, in words, before anything heavy is imported."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ganutils.runs.config import MOST_SCALE, PLAIN, Config
from ganutils.runs.presets import PRESETS
from ganutils.runs.traits import ARCHS, AUGMENTS, CONDITIONS, LOSSES, OF_DOMAINS, OF_PAIRS, RESTRICTED


def contradiction(config: Config) -> str | None:
    """Which settings do not go together, in words; None if all do."""
    return next(_contradictions(config), None)


def _contradictions(config: Config) -> Iterator[str]:
    modality = modality_of(config.shape)
    yield from _problems_of_domains(config)
    if modality.tensor not in ARCHS[config.arch].takes:
        yield f"--arch {config.arch} is not for {modality.noun}; use --arch {arch_for(config.shape)}"
    yield from _problems_of_inputs(config)
    yield from _problems_of_descriptions(config)
    for name in config.augments:
        if modality.tensor not in AUGMENTS[name].takes:
            yield f"--augment {name} is not for {modality.noun}; leave {name} out"
        elif config.shape[-1] not in AUGMENTS[name].channels:
            yield f"--augment {name} needs color pictures; leave {name} out"
    if config.norm == "batch" and forbids_batch_norm(vars(config)):
        yield f"--norm batch does not go with {forbids_batch_norm(vars(config))}; use --norm none"
    if config.smooth != 1 and not LOSSES[config.loss].has_target:
        names = ", ".join(name for name, loss in LOSSES.items() if loss.has_target)
        yield f"--smooth does not go with --loss {config.loss}; it goes with {names}"
    if config.class_loss and config.d_classes < 2:
        what = "is for data with labels, of two classes or more, without --conditional"
        yield f"--class-loss {what}, and goes with --init only if D of that tells as many; leave it out"
    has_others = config.is_described or config.classes > 1
    for name, neutral in RESTRICTED.items():
        is_used = name in ARCHS[config.arch].settings or (name == "mismatch" and has_others)
        if getattr(config, name) != neutral and not is_used:
            archs = " or ".join(arch for arch, traits in ARCHS.items() if name in traits.settings)
            other = "; or with --conditional, and two classes or more" if name == "mismatch" else ""
            yield f"--{name.replace('_', '-')} goes with --arch {archs}, not {config.arch}{other}"


def _problems_of_inputs(config: Config) -> Iterator[str]:
    """What of the settings does not go with the inputs of a translator, or with their absence."""
    arch, inputs = ARCHS[config.arch], config.inputs
    if not arch.translates or inputs is None:
        if arch.translates:
            yield (
                f"--arch {config.arch} starts from pictures, and the data have no inputs; see gan-data --inputs, or "
                "give --domains for two classes"
            )
        if inputs is not None:
            yield f"--arch {config.arch} takes no inputs"
        if not config.z_dim:
            yield "--z-dim 0 is for data with inputs; give 1 or more"
        if config.batch < 2:
            yield "--batch 1 is for data with inputs; give 2 or more"
        return
    if config.z_dim or config.prior != "normal":
        what = "--z-dim" if config.z_dim else "--prior"
        yield f"--arch {config.arch} starts from pictures and takes no latents; leave {what} out"
    if config.mode_seeking:
        yield f"--arch {config.arch} starts from pictures and takes no latents; leave --mode-seeking out"
    (h, w, c), (height, width, channels) = inputs, config.shape
    if arch.enlarges:
        if height % h or height // h * w != width or height // h > MOST_SCALE:
            yield (
                f"--arch {config.arch} makes pictures 1 to {MOST_SCALE} times as large as their inputs, not "
                f"{width}x{height} of {w}x{h}; see gan-data --derive small:4"
            )
        elif c != channels and 1 not in (c, channels):
            yield f"--arch {config.arch} does not take inputs of {c} channels; use --arch unet"
    elif (h, w) != (height, width):
        yield f"--arch {config.arch} makes pictures as large as their inputs, not {width}x{height} of {w}x{h}"
    if config.batch < 2 and "batch" in (config.norm, config.norm_of_g):
        yield "--batch 1 does not go with batch norm; use --norm none and --g-norm none or instance"
    if config.augments:
        yield "--augment changes pictures without their inputs; use --jitter and --mirror"
    if not config.needs_d and config.domains:
        yield "--adversarial 0 and --matching 0 leave nothing that tells the domains apart; give one of them"
    if not config.needs_d and not config.l1:
        yield "--adversarial 0 and --l1 0 leave G nothing to learn; give one of them"


def _problems_of_domains(config: Config) -> Iterator[str]:
    """What of the settings does not go with domains, or with their absence."""
    between = [name for name, arch in ARCHS.items() if arch.translates and not arch.enlarges]
    if config.domains and config.arch not in between:
        if len(config.shape) < 3:
            yield f"--domains is for pictures, not {modality_of(config.shape).noun}; leave it out"
        yield f"--domains goes with --arch {', '.join(between)}, not {config.arch}"
    for name in OF_PAIRS if config.domains else OF_DOMAINS:
        if getattr(config, name) != RESTRICTED[name]:
            what = "is for pairs, not for --domains;" if config.domains else "goes with --domains; give that too, or"
            yield f"--{name} {what} leave it out"
    if config.domains and (config.classes or config.is_described):
        yield "--conditional does not go with --domains, whose two classes are the domains; leave one of them out"
    if 0 < config.buffer < config.batch:
        yield f"--buffer {config.buffer} is less than --batch {config.batch}; give at least that many, or 0"


def _problems_of_descriptions(config: Config) -> Iterator[str]:
    """What of the settings does not go with attributes or captions, or with their absence."""
    if sum(getattr(config, name) > 0 for name in CONDITIONS.values()) > 1:
        yield f"--conditional takes one of {', '.join(CONDITIONS)}; give one of them"
    if not config.is_described:
        for name in ("contrast", "kl"):
            if getattr(config, name):
                yield f"--{name} goes with --conditional attributes or captions; give that too, or leave it out"
    if config.contrast and config.batch < 2:
        yield "--contrast compares the samples of a batch; give --batch 2 or more"
    if config.kl and config.inputs:
        yield f"--kl draws from latents, and --arch {config.arch} takes none; leave it out"
    elif config.kl and (config.prior != "normal" or config.z_dim < 2):
        how = "--prior normal" if config.prior != "normal" else "--z-dim 2 or more"
        yield f"--kl takes half of the latent for what it draws; give {how}"


def modality_of(shape: tuple[int, ...]) -> Any:
    from ganutils.files import kinds  # NumPy, which --help does without

    return kinds.modality_of_shape(shape)


def arch_for(shape: tuple[int, ...]) -> str:
    """An architecture that makes samples of `shape` from latents: that of the default preset if it does."""
    archs = [name for name, arch in ARCHS.items() if modality_of(shape).tensor in arch.takes and not arch.translates]
    usual: str = PRESETS[PLAIN["preset"]]["arch"]
    return usual if usual in archs else archs[0]


def forbids_batch_norm(values: Mapping[str, Any]) -> str:
    """The options that forbid batch norm in D, since their loss or penalty is about single samples or pairs; or ""."""
    if "norm" not in ARCHS[values["arch"]].settings:
        return f"--arch {values['arch']}"
    if not LOSSES[values["loss"]].batch_norm:
        return f"--loss {values['loss']}"
    return " ".join(f"--{name} {values[name]:g}" for name in ("r1", "r2", "gp") if values[name])
