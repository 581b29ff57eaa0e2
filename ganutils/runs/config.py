"""What a training run is: its settings, their limits, and the presets. Stored in every checkpoint.

Light (no torch, no NumPy), so that a contradiction or a wrong value is said before anything heavy is imported.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import Any, NamedTuple

from ganutils import Error
from ganutils.runs.presets import PRESETS
from ganutils.runs.traits import ARCHS, LOSSES, SMOOTHED, WIDTHS

PRIORS = ("normal", "uniform")
AUGMENTS = ("translate", "cutout", "color")
PRECISIONS = ("auto", "fp32", "bf16")
NUMBERS = 1 << 26  # in one sample: 4,729 x 4,729 in colour


@dataclasses.dataclass(frozen=True)
class Config:
    """The settings of a run. `SETTINGS` says what each means; `shape` is [H, W, C] of pictures or [D] of points."""

    shape: tuple[int, ...]
    preset: str
    arch: str
    width: int
    hidden: int
    norm: str
    dropout: float
    z_dim: int
    prior: str
    classes: int
    loss: str
    smooth: float
    r1: float
    r2: float
    gp: float
    augment: str
    optimiser: str
    lr: float
    d_lr: float
    beta1: float
    beta2: float
    batch: int
    d_updates: int
    ema_kimg: float
    decay: tuple[int, int] | None
    precision: str
    seed: int

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
    def needs_real_for_g(self) -> bool:
        """Whether the generator's update looks at the data too: at real logits, or for the labels of its classes."""
        return self.loss == "relativistic" or self.classes > 0

    def ema_beta(self, step: int) -> float:
        """Weight of the old average at generator update `step`.

        The half-life is `ema_kimg`, or a twentieth of the images so far while that is less
        (Karras et al. 2020, "Training GANs with Limited Data": EMA ramp-up).
        """
        half_life = min(self.ema_kimg * 1000, 0.05 * step * self.batch)  # images
        return 0.5 ** (self.batch / half_life) if half_life > 0 else 0.0


class Setting(NamedTuple):
    """What a setting means, its type and its limits; the options of the training commands are made from it."""

    help: str
    type: type
    choices: tuple[str, ...] = ()
    least: float | None = None
    most: float | None = None
    many: bool = False  # several of the choices, in their order, with commas; or none


SETTINGS = {
    "arch": Setting("Networks: mlp, dcgan, resnet, or krohn (5x5 convolutions).", str, ARCHS),
    "width": Setting("Channels of the layer nearest the picture, or hidden units (mlp).", int, (), 1, 4096),
    "hidden": Setting("Units of a dense layer beside the latents, and beside the last map (dcgan).", int, (), 0, 4096),
    "norm": Setting("Normalisation in the discriminator of dcgan.", str, ("batch", "none")),
    "dropout": Setting("Share of units dropped in training (krohn; D of an mlp).", float, (), 0, 0.95),
    "z_dim": Setting("Length of a latent.", int, (), 1, 65536),
    "prior": Setting("Distribution of the latents.", str, PRIORS),
    "classes": Setting("Number of classes; set by --conditional.", int, (), 0, 65536),
    "loss": Setting("The two losses.", str, LOSSES),
    "smooth": Setting("What real is called in place of 1, as 0.9 (one-sided label smoothing).", float, (), 0.5, 1),
    "r1": Setting("Weight of the squared gradient of D at real pictures.", float, (), 0, 1e6),
    "r2": Setting("The same at generated pictures.", float, (), 0, 1e6),
    "gp": Setting("Weight of WGAN's gradient penalty.", float, (), 0, 1e6),
    "augment": Setting("What D sees pictures through: of translate,cutout,color; or none.", str, AUGMENTS, many=True),
    "optimiser": Setting("Of both networks.", str, ("adam", "rmsprop")),
    "lr": Setting("Learning rate.", float, (), 0, 10),
    "d_lr": Setting("The discriminator's, if another; 0 = the same.", float, (), 0, 10),
    "beta1": Setting("Adam's decay of the first moment.", float, (), 0, 0.999),
    "beta2": Setting("Adam's decay of the second moment; rmsprop's of its one.", float, (), 0, 0.99999),
    "batch": Setting("Pictures in a batch.", int, (), 2, 1 << 20),
    "d_updates": Setting("Discriminator updates for each generator update.", int, (), 1, 1000),
    "ema_kimg": Setting("Half-life, in thousands of images, of the generator's average; 0 = off.", float, (), 0, 1e6),
    "decay": Setting("FIRST:LAST, the generator updates between which the rate falls linearly to 0.", tuple),
    "precision": Setting("Of the forward and backward passes; auto = bf16 where it is fast.", str, PRECISIONS),
    "seed": Setting("Seed of everything random.", int, (), 0, (1 << 63) - 1),
}
# Settings that came after format 1, each with what checkpoints that lack it were made with: files open for ever.
LATER: dict[str, Any] = {"hidden": 0}
# What a preset does not say.
PLAIN: dict[str, Any] = dict(
    hidden=0,
    dropout=0.0,
    classes=0,
    smooth=1.0,
    r1=0.0,
    r2=0.0,
    gp=0.0,
    augment="none",
    optimiser="adam",
    d_lr=0.0,
    beta1=0.5,
    beta2=0.999,
    d_updates=1,
    ema_kimg=0.0,
    decay=None,
    precision="auto",
    seed=0,
)


def fresh(shape: tuple[int, ...], given: Mapping[str, Any]) -> Config:
    """The settings of a new run on samples of `shape`: those `given`, else the preset's."""
    preset = given.get("preset", "modern")
    settings = {**PLAIN, **PRESETS[preset], **given, "preset": preset}
    if "smooth" not in given and settings["loss"] not in SMOOTHED:
        settings["smooth"] = 1.0
    if len(shape) == 1 and "arch" not in given:
        settings["arch"] = "mlp"  # points have no neighbours to convolve
    settings.setdefault("width", WIDTHS[settings["arch"]])
    settings.setdefault("norm", "none" if _sees_single_pictures(settings) else "batch")
    config = Config(shape=shape, **settings)
    problem = contradiction(config)
    if problem:
        raise Error(problem)
    return config


def _sees_single_pictures(settings: Mapping[str, Any]) -> bool:
    """Whether D's loss is about one picture, or a pair, so that batch norm, which mixes the batch, spoils it."""
    penalised = settings["r1"] or settings["r2"] or settings["gp"]
    return bool(penalised) or settings["loss"] in ("wgan", "relativistic") or settings["arch"] != "dcgan"


def contradiction(config: Config) -> str | None:
    """What in the settings does not go together, in words; None if all does."""
    if len(config.shape) == 1 and config.arch != "mlp":
        return f"--arch {config.arch} is for pictures, and the data are points; use --arch mlp"
    if len(config.shape) == 1 and config.augment != "none":
        return f"--augment {config.augment} is for pictures, and the data are points; leave it out"
    if config.norm == "batch" and _sees_single_pictures(vars(config)):
        return "--norm batch does not go with r1, r2, gp, wgan or relativistic, nor with other networks than dcgan"
    if config.smooth != 1 and config.loss not in SMOOTHED:
        return f"--smooth goes with {', '.join(SMOOTHED)}; {config.loss} has no labels"
    if "color" in config.augment and config.shape[-1] == 1:
        return "--augment color is for colour pictures; gray ones have translate and cutout"
    if config.hidden and config.arch != "dcgan":
        return "--hidden goes with --arch dcgan"
    if config.dropout and config.arch not in ("krohn", "mlp"):
        return "--dropout goes with --arch krohn or mlp"
    return None


def is_shape(shape: Any) -> bool:
    """Whether `shape` (from JSON) is [H, W, C] or [D] of samples that can be had."""
    if not isinstance(shape, list) or not all(type(n) is int and n > 0 for n in shape):
        return False
    return math.prod(shape) <= NUMBERS and (len(shape) == 1 or (len(shape) == 3 and shape[2] in (1, 3)))


def is_decay(first: Any, last: Any) -> bool:
    return type(first) is int and type(last) is int and 0 <= first < last


def differences(there: Config, here: Mapping[str, Any]) -> str:
    """The settings in `here` that are not those of `there`, in words; empty if none."""
    pairs = [(name, getattr(there, name), value) for name, value in here.items()]
    return ", ".join(f"{name} is {_words(a)} there, {_words(b)} here" for name, a, b in pairs if a != b)


def _words(value: Any) -> str:
    return ":".join(map(str, value)) if isinstance(value, tuple) and len(value) == 2 else f"{value}"


def is_choice(setting: Setting, value: Any) -> bool:
    if not setting.many:
        return value in setting.choices
    return value == "none" or value == ",".join(name for name in setting.choices if name in value.split(","))
