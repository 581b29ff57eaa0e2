"""What a training run is: its settings, each declared once, as a field of Config. Stored in every checkpoint.

No torch, no NumPy: a wrong value or a contradiction is reported before anything heavy is imported.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Mapping
from typing import Any

from ganutils import Error
from ganutils.runs.presets import PRESETS
from ganutils.runs.settings import UNSET, setting, settings_of
from ganutils.runs.traits import ARCHS, AUGMENTS, LOSSES, OPTIMIZERS, PRIORS, RESTRICTED

NUMBERS = 1 << 26  # in one sample: 4,729 x 4,729 in color
MOST_SEED = (1 << 63) - 1


def _shape_problem(shape: Any) -> str | None:
    return None if is_shape(shape) else "not [H, W, C] or [D]"


def _decay_problem(decay: Any) -> str | None:
    is_pair = isinstance(decay, list | tuple) and len(decay) == 2 and is_decay(*decay)
    return None if is_pair or decay is None else "not [FIRST, LAST] with 0 <= FIRST < LAST"


def _preset_problem(preset: Any) -> str | None:
    return None if isinstance(preset, str) else "not a name"  # any name: what it stood for is in the other settings


@dataclasses.dataclass(frozen=True)
class Config:
    """All settings of a run. `shape` is [H, W, C] of pictures or [D] of points."""

    shape: tuple[int, ...] = setting("Shape of a sample.", option=False, check=_shape_problem)
    preset: str = setting("Preset to start from.", "modern", choices=PRESETS, check=_preset_problem)
    arch: str = setting("Networks: mlp, dcgan, resnet, or krohn (5x5 convolutions).", choices=ARCHS)
    width: int = setting("Channels of the layer nearest the picture; hidden units of an mlp.", least=1, most=4096)
    hidden: int = setting(
        "Width of a dense layer concatenated to the latents and to D's last feature map (dcgan); 0 = none.",
        plain=0, most=4096, earlier=0,
    )  # fmt: skip
    norm: str = setting("Normalization in D (dcgan).", choices=("batch", "none"))
    dropout: float = setting("Share of units dropped in training (krohn; D of an mlp).", 0.0, most=0.95)
    z_dim: int = setting("Length of a latent.", least=1, most=65536)
    prior: str = setting("Distribution of the latents.", choices=PRIORS)
    classes: int = setting("Train a conditional GAN on the labels of DATA.", 0, flag="conditional", most=65536)
    loss: str = setting("Loss of discriminator and generator.", choices=LOSSES)
    smooth: float = setting(
        "Target for real samples, e.g. 0.9 (one-sided label smoothing).", plain=1.0, least=0.5, most=1
    )
    r1: float = setting("Weight of the penalty on D's squared gradient at real samples.", 0.0, most=1e6)
    r2: float = setting("Weight of the same penalty at generated samples.", 0.0, most=1e6)
    gp: float = setting("Weight of WGAN's gradient penalty.", 0.0, most=1e6)
    augment: str = setting(
        "Random changes to the pictures that D sees: some of translate,cutout,color,mirror, or none.",
        "none", choices=AUGMENTS, many=True,
    )  # fmt: skip
    optimizer: str = setting("Optimizer of both networks.", "adam", choices=OPTIMIZERS, was="optimiser")
    lr: float = setting("Learning rate.", most=10)
    d_lr: float = setting("Learning rate of D; 0 = --lr.", 0.0, most=10)
    beta1: float = setting("Adam's decay rate of the first moment.", 0.5, most=0.999)
    beta2: float = setting("Decay rate of the second moment.", 0.999, most=0.99999)
    batch: int = setting("Samples in a batch.", least=2, most=1 << 16)
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
    def work(self) -> float:
        """About how many GFLOP a pass of both networks over a batch takes; a step takes some six times as many."""
        points = math.prod(self.shape[:2])
        return 2e-9 * self.batch * ARCHS[self.arch].work(self.width, points)

    @property
    def needs_real_for_g(self) -> bool:
        """Whether the generator's update needs the data too: for real logits, or for the labels of its classes."""
        return LOSSES[self.loss].compares_pairs or self.classes > 0

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
            names = [setting.flag or name for name, setting in SETTINGS.items() if setting.option]
            raise Error(f"there is no setting {name!r}; there are {', '.join(names)}")
        if name == "preset" and value not in PRESETS:
            raise Error(f"there is no preset {value!r}; there are {', '.join(PRESETS)}")
        if problem := SETTINGS[name].problem(value):
            raise Error(f"{name} is {value!r}, {problem}")
    return {name: SETTINGS[name].native(value) for name, value in given.items()}


def fresh(shape: tuple[int, ...], given: Mapping[str, Any], like: Config | None = None) -> Config:
    """The config of a new run on samples of `shape`: the settings `given`, else the preset's.

    like    the config to take in place of a preset where none is given

    Error if one of them is unknown or invalid, or if they do not go together.
    """
    if not is_shape([*shape]):
        raise Error(f"samples of {math.prod(shape):,} numbers are too large; a network takes {NUMBERS:,} at most")
    given = checked(given)
    base = vars(like) if like else {}
    preset = PRESETS[given.get("preset", PLAIN["preset"])] if "preset" in given or like is None else {}
    values = {**PLAIN, **base, **preset, **given}
    values.pop("shape", None)
    if "smooth" not in given and not LOSSES[values["loss"]].has_target:
        values["smooth"] = 1.0
    if "arch" not in given and _modality(shape).tensor not in ARCHS[values["arch"]].takes:
        values["arch"] = _archs_for(shape)[0]
    values.setdefault("width", ARCHS[values["arch"]].width)
    values.setdefault("norm", "none" if _forbids_batch_norm(values) else "batch")
    config = Config(shape=shape, **values)
    problem = contradiction(config)
    if problem:
        raise Error(problem)
    return config


def _modality(shape: tuple[int, ...]) -> Any:
    from ganutils.files import kinds  # NumPy, which --help does without

    return kinds.modality_of_shape(shape)


def _archs_for(shape: tuple[int, ...]) -> list[str]:
    """The architectures that take samples of `shape`."""
    return [name for name, arch in ARCHS.items() if _modality(shape).tensor in arch.takes]


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
    if modality.tensor not in ARCHS[config.arch].takes:
        yield f"--arch {config.arch} is not for {modality.noun}; use --arch {_archs_for(config.shape)[0]}"
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
        if getattr(config, name) != neutral and name not in ARCHS[config.arch].settings:
            archs = " or ".join(arch for arch, traits in ARCHS.items() if name in traits.settings)
            yield f"--{name} goes with --arch {archs}, not {config.arch}"


def is_shape(shape: Any) -> bool:
    """Whether `shape` (from JSON) is that of a sample: [H, W, C] or [D], of at most NUMBERS numbers."""
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
