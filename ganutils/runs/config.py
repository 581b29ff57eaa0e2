"""What a training run is: its settings, each declared once, as a field of Config. Stored in every checkpoint.

No torch, no NumPy: a wrong value or a contradiction is reported before anything heavy is imported.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Mapping
from typing import Any

from ganutils import Error
from ganutils.runs.presets import DESCRIBED, DOMAINS, PAIRED, PRESETS, SIGNALS
from ganutils.runs.settings import UNSET, setting, settings_of
from ganutils.runs.traits import (
    ARCHS,
    AUGMENTS,
    CONDITIONS,
    LOSSES,
    OF_DOMAINS,
    OF_PAIRS,
    OPTIMIZERS,
    PRIORS,
    RESTRICTED,
)

MOST_SCALE, MOST_CHANNELS = 16, 16  # of a picture to its input, along a side; and of an input
NUMBERS = 1 << 26  # in one sample: 4,729 x 4,729 in color
MOST_SEED = (1 << 63) - 1


def _shape_problem(shape: Any) -> str | None:
    return None if is_shape(shape) else "not [H, W, C], [T, C] or [D]"


def _decay_problem(decay: Any) -> str | None:
    is_pair = isinstance(decay, list | tuple) and len(decay) == 2 and is_decay(*decay)
    return None if is_pair or decay is None else "not [FIRST, LAST] with 0 <= FIRST < LAST"


def _inputs_problem(inputs: Any) -> str | None:
    return None if inputs is None or is_input_shape(inputs) else "not [h, w, c]"


def _domains_problem(domains: Any) -> str | None:
    return None if type(domains) is int and domains in (0, 2) else "not 0 or 2"


def _preset_problem(preset: Any) -> str | None:
    return None if isinstance(preset, str) else "not a name"  # any name: what it stood for is in the other settings


@dataclasses.dataclass(frozen=True)
class Config:
    """All settings of a run. `shape` is [H, W, C] of pictures, [T, C] of sounds or [D] of points.

    inputs  [h, w, c] of the pictures that G starts from: a translator; None if it starts from latents
    """

    shape: tuple[int, ...] = setting("Shape of a sample.", option=False, check=_shape_problem)
    inputs: tuple[int, ...] | None = setting(
        "Shape of the pictures that G starts from.", None, option=False, check=_inputs_problem, earlier=None
    )
    preset: str = setting("Preset to start from.", "modern", choices=PRESETS, check=_preset_problem)
    arch: str = setting(
        "Networks: mlp, dcgan, resnet, krohn (5x5 convolutions); of sounds wave; from pictures unet, hourglass, "
        "blocks, enlarge.",
        choices=ARCHS,
    )
    width: int = setting(
        "Channels of the layer nearest the picture or sound; hidden units of an mlp.", least=1, most=4096
    )
    hidden: int = setting(
        "Width of a dense layer concatenated to the latents and to D's last feature map (dcgan); 0 = none.",
        plain=0, most=4096, earlier=0,
    )  # fmt: skip
    norm: str = setting("Normalization in D (dcgan; with inputs or --domains).", choices=("batch", "instance", "none"))
    g_norm: str = setting(
        "Normalization in G of sounds, or from pictures; own = batch (wave, unet, hourglass), instance (blocks) or "
        "none (enlarge).",
        "own", choices=("own", "batch", "instance", "none"), earlier="own",
    )  # fmt: skip
    blocks: int = setting("Residual blocks (blocks, enlarge).", most=64, earlier=0)
    patch: int = setting(
        "With inputs or --domains, D judges patches of 16, 34, 70 or 142 pixels: 1 to 4; 0 = whole pictures.",
        most=4, earlier=0,
    )  # fmt: skip
    sees: str = setting(
        "With inputs, what D sees: the picture alone, or the pair of both.",
        "picture", choices=("picture", "pair"), earlier="picture",
    )  # fmt: skip
    dropout: float = setting(
        "Share of units dropped in training (krohn; D of an mlp; G's innermost layers of a unet or hourglass).",
        0.0, most=0.95,
    )  # fmt: skip
    phase_shuffle: int = setting(
        "Points by which D moves each of its maps of a sound at most, at random (wave).", plain=0, most=16, earlier=0
    )
    emphasis: float = setting(
        "Share of each number of a sound that is taken from the next for D, and added again to what G makes (wave): "
        "high frequencies count more.",
        plain=0.0, most=0.99, earlier=0.0,
    )  # fmt: skip
    z_dim: int = setting("Length of a latent.", most=65536)
    prior: str = setting("Distribution of the latents.", choices=PRIORS)
    domains: int = setting(
        "Train translators between the two classes of DATA, without pairs.",
        0, flag="domains", check=_domains_problem, earlier=0,
    )  # fmt: skip
    classes: int = setting(
        "Condition both networks on the labels of DATA (alone, or with the word labels), its attributes or captions.",
        0, flag="conditional", flag_values=CONDITIONS, most=65536,
    )  # fmt: skip
    attributes: int = setting("Attributes that both networks see.", 0, flag="conditional", most=4096, earlier=0)
    words: int = setting("Words that both networks know.", 0, flag="conditional", most=4096, earlier=0)
    loss: str = setting("Loss of discriminator and generator.", choices=LOSSES)
    smooth: float = setting(
        "Target for real samples, e.g. 0.9 (one-sided label smoothing).", plain=1.0, least=0.5, most=1
    )
    r1: float = setting("Weight of the penalty on D's squared gradient at real samples.", 0.0, most=1e6)
    r2: float = setting("Weight of the same penalty at generated samples.", 0.0, most=1e6)
    gp: float = setting("Weight of WGAN's gradient penalty.", 0.0, most=1e6)
    adversarial: float = setting(
        "With inputs or --domains, weight of D's judgement in G's loss.", 1.0, most=1e6, earlier=1.0
    )
    l1: float = setting("With inputs, weight of the mean difference to the true picture.", 0.0, most=1e6, earlier=0.0)
    matching: float = setting(
        "With inputs or --domains, weight of the difference to real pictures in D's features.",
        0.0,
        most=1e6,
        earlier=0.0,
    )
    mismatch: float = setting(
        "With inputs, attributes or captions, share of D's fakes that are real samples beside those of others.",
        0.0, most=1, earlier=0.0,
    )  # fmt: skip
    contrast: float = setting(
        "With attributes or captions, weight of telling by D's features which of a batch are of which sample.",
        0.0, most=1e6, earlier=0.0,
    )  # fmt: skip
    kl: float = setting(
        "With attributes or captions, G sees a draw around what it makes of them; weight of its divergence from noise.",
        0.0, most=1e6, earlier=0.0,
    )  # fmt: skip
    cycle: float = setting(
        "With --domains, weight of the mean difference of a picture to what it is there and back.",
        0.0, most=1e6, earlier=0.0,
    )  # fmt: skip
    noise: float = setting(
        "With --domains, deviation of noise that is added to a fake before it goes back, so that it hides nothing.",
        0.0, most=2, earlier=0.0,
    )  # fmt: skip
    identity: float = setting(
        "With --domains, weight of the mean difference of a picture to what it becomes in its own domain.",
        0.0, most=1e6, earlier=0.0,
    )  # fmt: skip
    buffer: int = setting(
        "With --domains, earlier fakes of each that are kept; D sees one of them in place of every second new one.",
        0, most=4096, earlier=0,
    )  # fmt: skip
    jitter: float = setting(
        "With inputs or --domains, share of the side by which pictures, pairs alike, are shifted at most.",
        0.0, most=0.25, earlier=0.0,
    )  # fmt: skip
    mirror: float = setting(
        "With inputs or --domains, share of the pictures or pairs that are mirrored.", 0.0, most=1, earlier=0.0
    )
    augment: str = setting(
        "Random changes to the pictures that D sees: some of translate,cutout,color,mirror, or none.",
        "none", choices=AUGMENTS, many=True,
    )  # fmt: skip
    optimizer: str = setting("Optimizer of both networks.", "adam", choices=OPTIMIZERS, was="optimiser")
    lr: float = setting("Learning rate.", most=10)
    d_lr: float = setting("Learning rate of D; 0 = --lr.", 0.0, most=10)
    beta1: float = setting("Adam's decay rate of the first moment.", 0.5, most=0.999)
    beta2: float = setting("Decay rate of the second moment.", 0.999, most=0.99999)
    batch: int = setting("Samples in a batch.", least=1, most=1 << 16)
    d_updates: int = setting("Discriminator updates per generator update.", 1, least=1, most=1000)
    ema_kimg: float = setting(
        "Half-life of the moving average of G's weights, in thousands of images; 0 = no average.", 0.0, most=1e6
    )
    decay: tuple[int, int] | None = setting(
        "FIRST:LAST, the steps between which the learning rate falls linearly to 0.", None, check=_decay_problem
    )
    precision: str = setting(
        "Precision of forward and backward passes; auto = bf16 where the machine is fast at it, else fp32.",
        "auto", choices=("auto", "fp32", "bf16"), undecided="auto",
    )  # fmt: skip
    seed: int = setting("Random seed.", 0, most=MOST_SEED)

    def as_json(self) -> dict[str, Any]:
        return {key: list(value) if isinstance(value, tuple) else value for key, value in vars(self).items()}

    def learning_rate(self, network: str, step: int) -> float:
        """Of `network` (G or D) at generator update `step`; it falls linearly to 0 between the two steps of `decay`."""
        rate = self.d_lr if network == "D" and self.d_lr else self.lr
        if self.decay is None:
            return rate
        first, last = self.decay
        return rate * min(1.0, max(0.0, (last - step) / (last - first)))

    @property
    def augments(self) -> list[str]:
        """The augmentations of D's samples, in their order."""
        return [name for name in self.augment.split(",") if name in AUGMENTS]

    @property
    def scale(self) -> int:
        """How many times as large as their inputs samples are."""
        return self.shape[0] // self.inputs[0] if self.inputs else 1

    @property
    def norm_of_g(self) -> str:
        """The normalization in G where that is a setting: batch, instance or none."""
        return ARCHS[self.arch].own_norm if self.g_norm == "own" else self.g_norm

    @property
    def needs_d(self) -> bool:
        """Whether G's loss asks D. Without, a run trains G alone, and D stays as it began."""
        return self.adversarial > 0 or self.matching > 0 or self.contrast > 0

    @property
    def work(self) -> float:
        """About how many GFLOP a pass of both networks over a batch takes; a step takes some six times as many."""
        points = math.prod(self.shape[:-1] or self.shape)
        return 2e-9 * self.batch * (self.domains or 1) * ARCHS[self.arch].work(self.width, points)

    @property
    def needs_real_for_g(self) -> bool:
        """Whether the generator's update needs the data too: for real logits, or for what it is conditioned on."""
        is_conditional = self.classes > 0 or self.is_described or self.inputs is not None
        return LOSSES[self.loss].compares_pairs or is_conditional

    @property
    def is_described(self) -> bool:
        """Whether both networks see descriptions of the samples: attributes, or the words of captions."""
        return self.attributes > 0 or self.words > 0

    @property
    def seen_beside(self) -> str:
        """The tensor of the data that networks see beside samples and inputs: labels, attributes, captions; or ""."""
        if self.classes or self.domains:
            return "labels"
        return "attributes" if self.attributes else "captions" if self.words else ""

    def ema_beta(self, step: int) -> float:
        """Weight of the old average at generator update `step`.

        The half-life is `ema_kimg`, or a twentieth of the images so far while that is less
        (Karras et al. 2020, "Training GANs with Limited Data": EMA ramp-up).
        """
        half_life = min(self.ema_kimg * 1000, 0.05 * step * self.batch)  # images
        return 0.5 ** (self.batch / half_life) if half_life > 0 else 0.0


SETTINGS = settings_of(Config)


PLAIN = {name: setting.plain for name, setting in SETTINGS.items() if setting.plain is not UNSET}


def checked(given: Mapping[str, Any]) -> dict[str, Any]:
    """The settings `given`, as Config holds them; Error that names one that does not exist or has an invalid value."""
    for name, value in given.items():
        if name not in SETTINGS or not SETTINGS[name].option:
            names = dict.fromkeys(setting.flag or name for name, setting in SETTINGS.items() if setting.option)
            raise Error(f"there is no setting {name!r}; there are {', '.join(names)}")
        if name == "preset" and value not in PRESETS:
            raise Error(f"there is no preset {value!r}; there are {', '.join(PRESETS)}")
        if problem := SETTINGS[name].problem(value):
            raise Error(f"{name} is {value!r}, {problem}")
    return {name: SETTINGS[name].native(value) for name, value in given.items()}


def fresh(
    shape: tuple[int, ...],
    given: Mapping[str, Any],
    like: Config | None = None,
    inputs: tuple[int, ...] | None = None,
) -> Config:
    """The config of a new run on samples of `shape`: the settings `given`, else the preset's.

    like    the config to take in place of a preset where none is given
    inputs  shape of the samples' inputs, if they have some; networks that start from latents leave them aside

    Error if one of them is unknown or invalid, or if they do not go together.
    """
    if not is_shape([*shape]):
        raise Error(f"samples of {math.prod(shape):,} numbers are too large; a network takes {NUMBERS:,} at most")
    given = checked(given)
    base = vars(like) if like else {}
    name = given.get("preset", PLAIN["preset"])
    domains = given.get("domains", PRESETS[name].get("domains", base.get("domains", 0)))
    inputs = shape if domains else inputs
    preset = _preset(name, inputs, domains, given.get("arch"), shape) if "preset" in given or like is None else {}
    is_described = any(given.get(count, base.get(count)) for count in ("attributes", "words"))
    described = DESCRIBED.get(name, {}) if preset and is_described and not domains else {}
    values = {**PLAIN, **base, **preset, **described, **given}
    values.pop("shape", None)
    if "smooth" not in given and not LOSSES[values["loss"]].has_target:
        values["smooth"] = 1.0
    takes = ARCHS[values["arch"]].takes
    if "arch" not in given and "images" in takes and _modality(shape).tensor not in takes:
        values["arch"] = _arch_for(shape)  # the settings of a paper on pictures
    arch = ARCHS[values["arch"]]
    values["inputs"] = inputs if arch.translates else None
    if arch.translates and "kl" not in given:
        values["kl"] = 0.0  # it has no latents that it could draw from
    values.setdefault("width", arch.width)
    values.setdefault("blocks", arch.blocks)
    values.setdefault("patch", _patch_for(shape) if arch.translates else 0)
    values.setdefault("norm", "none" if arch.translates or _forbids_batch_norm(values) else "batch")
    config = Config(shape=shape, **values)
    problem = contradiction(config)
    if problem:
        raise Error(problem)
    return config


def _preset(
    name: str, inputs: tuple[int, ...] | None, domains: int, arch: str | None, shape: tuple[int, ...]
) -> dict[str, Any]:
    """The settings of the preset called `name`: for sounds, domains or pairs, if the networks take them."""
    if _modality(shape).tensor == "signals":
        return SIGNALS.get(name, PRESETS[name])
    if inputs is None or name not in PAIRED or (arch and not ARCHS[arch].translates):
        return PRESETS[name]
    if domains:
        return DOMAINS[name].get(arch or "", DOMAINS[name]["unet"])
    return PAIRED[name][arch or ("unet" if inputs[:2] == shape[:2] else "enlarge")]


def _patch_for(shape: tuple[int, ...]) -> int:
    """Strides of a discriminator whose patches are at most about half the side of a picture of `shape`."""
    return next((strides for strides, field in ((3, 70), (2, 34)) if 2 * field <= 1.1 * min(shape[:2])), 1)


def _modality(shape: tuple[int, ...]) -> Any:
    from ganutils.files import kinds  # NumPy, which --help does without

    return kinds.modality_of_shape(shape)


def _arch_for(shape: tuple[int, ...]) -> str:
    """An architecture that makes samples of `shape` from latents: that of the default preset if it does."""
    archs = [name for name, arch in ARCHS.items() if _modality(shape).tensor in arch.takes and not arch.translates]
    usual: str = PRESETS[PLAIN["preset"]]["arch"]
    return usual if usual in archs else archs[0]


def _forbids_batch_norm(values: Mapping[str, Any]) -> str:
    """The option that forbids batch norm in D, since its loss or penalty is about single samples or pairs; or ""."""
    for name in ("r1", "r2", "gp"):
        if values[name]:
            return f"--{name}"
    if not LOSSES[values["loss"]].batch_norm:
        return f"--loss {values['loss']}"
    return "" if "norm" in ARCHS[values["arch"]].settings else f"--arch {values['arch']}"


def contradiction(config: Config) -> str | None:
    """Which settings do not go together, in words; None if all do."""
    return next(_contradictions(config), None)


def _contradictions(config: Config) -> Iterator[str]:
    modality = _modality(config.shape)
    yield from _problems_of_domains(config)
    if modality.tensor not in ARCHS[config.arch].takes:
        yield f"--arch {config.arch} is not for {modality.noun}; use --arch {_arch_for(config.shape)}"
    yield from _problems_of_inputs(config)
    yield from _problems_of_descriptions(config)
    for name in config.augments:
        if modality.tensor not in AUGMENTS[name].takes:
            yield f"--augment {name} is not for {modality.noun}; leave {name} out"
        elif config.shape[-1] not in AUGMENTS[name].channels:
            yield f"--augment {name} needs color pictures; leave {name} out"
    if config.norm == "batch" and _forbids_batch_norm(vars(config)):
        yield f"--norm batch does not go with {_forbids_batch_norm(vars(config))}; use --norm none"
    if config.smooth != 1 and not LOSSES[config.loss].has_target:
        names = ", ".join(name for name, loss in LOSSES.items() if loss.has_target)
        yield f"--smooth does not go with --loss {config.loss}; it goes with {names}"
    for name, neutral in RESTRICTED.items():
        is_used = name in ARCHS[config.arch].settings or (name == "mismatch" and config.is_described)
        if getattr(config, name) != neutral and not is_used:
            archs = " or ".join(arch for arch, traits in ARCHS.items() if name in traits.settings)
            other = "; or with --conditional attributes or captions" if name == "mismatch" else ""
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
            yield f"--domains is for pictures, not {_modality(config.shape).noun}; leave it out"
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


def is_input_shape(shape: Any) -> bool:
    """Whether `shape` (from JSON) is that of an input: [h, w, c] of at most NUMBERS numbers, c in 1 to 16."""
    is_list = isinstance(shape, list | tuple) and len(shape) == 3 and all(type(n) is int and n > 0 for n in shape)
    return is_list and math.prod(shape) <= NUMBERS and shape[-1] <= MOST_CHANNELS


def is_shape(shape: Any) -> bool:
    """Whether `shape` (from JSON) is that of a sample: [H, W, C], [T, C] or [D], of at most NUMBERS numbers."""
    from ganutils.files.kinds import MODALITIES

    if not isinstance(shape, list) or not all(type(n) is int and n > 0 for n in shape) or math.prod(shape) > NUMBERS:
        return False
    fitting = [one for one in MODALITIES if len(one.axes) == len(shape)]
    return any(not one.channels or shape[-1] in one.channels for one in fitting)


def is_decay(first: Any, last: Any) -> bool:
    return type(first) is int and type(last) is int and 0 <= first < last


def differences(there: Config, here: Mapping[str, Any]) -> str:
    """The settings in `here` that are not those of `there`, in words; "" if none.

    A value that leaves a setting undecided goes with any other.
    """
    pairs = [(name, getattr(there, name), value) for name, value in here.items()]
    return ", ".join(
        f"{name} is {in_words(a)} there, {in_words(b)} here"
        for name, a, b in pairs
        if a != b and SETTINGS[name].undecided not in (a, b)
    )


def in_words(value: Any) -> str:
    """The value of a setting as messages show it."""
    return "none" if value is None else ":".join(map(str, value)) if isinstance(value, tuple) else f"{value}"


def decided(config: Config, given: Mapping[str, Any]) -> Config:
    """`config`, with the settings that it leaves undecided taken from those `given`."""
    undecided = {name for name, value in vars(config).items() if value == SETTINGS[name].undecided}
    return dataclasses.replace(config, **{name: given[name] for name in undecided & given.keys()})
