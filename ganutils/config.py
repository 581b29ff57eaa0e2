"""What a training run is: its settings, their limits, and the presets. Stored in every checkpoint.

Light (no torch, no NumPy), so that a contradiction or a wrong value is said before anything heavy is imported.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, NamedTuple

from ganutils import Error

ARCHS = ("mlp", "dcgan")
PRIORS = ("normal", "uniform")
LOSSES = ("minimax", "nonsaturating", "lsgan")
PRECISIONS = ("auto", "fp32", "bf16")
WIDTHS = {"mlp": 256, "dcgan": 32}  # where neither --width nor the preset says


@dataclasses.dataclass(frozen=True)
class Config:
    """The settings of a run. `SETTINGS` says what each means; `shape` is [H, W, C] of pictures or [D] of points."""

    shape: tuple[int, ...]
    preset: str
    arch: str
    width: int
    z_dim: int
    prior: str
    loss: str
    lr: float
    beta1: float
    batch: int
    d_updates: int
    ema_kimg: float
    decay: tuple[int, int] | None
    precision: str
    seed: int

    def as_json(self) -> dict[str, Any]:
        return {key: list(value) if isinstance(value, tuple) else value for key, value in vars(self).items()}

    def learning_rate(self, step: int) -> float:
        """At generator update `step`: `lr`, falling linearly to 0 between the two steps of `decay`."""
        if self.decay is None:
            return self.lr
        first, last = self.decay
        return self.lr * min(1.0, max(0.0, (last - step) / (last - first)))

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


SETTINGS = {
    "arch": Setting("Networks: mlp (fully connected) or dcgan (convolutions).", str, ARCHS),
    "width": Setting("Channels of the layer nearest the picture, or hidden units (mlp).", int, (), 1, 4096),
    "z_dim": Setting("Length of a latent.", int, (), 1, 65536),
    "prior": Setting("Distribution of the latents.", str, PRIORS),
    "loss": Setting("The two losses.", str, LOSSES),
    "lr": Setting("Adam's learning rate, of both networks.", float, (), 0, 10),
    "beta1": Setting("Adam's decay of the first moment.", float, (), 0, 0.999),
    "batch": Setting("Pictures in a batch.", int, (), 2, 1 << 20),
    "d_updates": Setting("Discriminator updates for each generator update.", int, (), 1, 1000),
    "ema_kimg": Setting("Half-life, in thousands of images, of the generator's average; 0 = off.", float, (), 0, 1e6),
    "decay": Setting("FIRST:LAST, the generator updates between which the rate falls linearly to 0.", tuple),
    "precision": Setting("Of the forward and backward passes; auto = bf16 where it is fast.", str, PRECISIONS),
    "seed": Setting("Seed of everything random.", int, (), 0, (1 << 63) - 1),
}

PRESETS: dict[str, dict[str, Any]] = {
    # The best quality for the compute on small sets: a narrow DCGAN and a hot learning rate.
    "modern": dict(
        arch="dcgan",
        z_dim=64,
        prior="normal",
        loss="nonsaturating",
        lr=2e-3,
        beta1=0.5,
        batch=64,
        d_updates=1,
        ema_kimg=9.0,
        decay=None,
        precision="auto",
        seed=0,
    ),
    # Radford, Metz, Chintala 2016, "Unsupervised Representation Learning with DCGANs", section 4.
    "dcgan2016": dict(
        arch="dcgan",
        width=128,
        z_dim=100,
        prior="uniform",
        loss="nonsaturating",
        lr=2e-4,
        beta1=0.5,
        batch=128,
        d_updates=1,
        ema_kimg=0.0,
        decay=None,
        precision="auto",
        seed=0,
    ),
}


def fresh(shape: tuple[int, ...], given: Mapping[str, Any]) -> Config:
    """The settings of a new run on samples of `shape`: those `given`, else the preset's."""
    preset = given.get("preset", "modern")
    settings = {**PRESETS[preset], **given}
    if len(shape) == 1 and "arch" not in given:
        settings["arch"] = "mlp"  # points have no neighbours to convolve
    if len(shape) == 1 and settings["arch"] != "mlp":
        raise Error(f"--arch {settings['arch']} is for pictures, and the data are points; use --arch mlp")
    settings.setdefault("width", WIDTHS[settings["arch"]])
    settings["preset"] = preset
    return Config(shape=shape, **settings)


def is_decay(first: Any, last: Any) -> bool:
    return type(first) is int and type(last) is int and 0 <= first < last


def differences(there: Config, here: Mapping[str, Any]) -> str:
    """The settings in `here` that are not those of `there`, in words; empty if none."""
    pairs = [(name, getattr(there, name), value) for name, value in here.items()]
    return ", ".join(f"{name} is {_words(a)} there, {_words(b)} here" for name, a, b in pairs if a != b)


def _words(value: Any) -> str:
    return ":".join(map(str, value)) if isinstance(value, tuple) and len(value) == 2 else f"{value}"
