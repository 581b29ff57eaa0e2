"""What a training run is: its settings, each declared once, as a field of Config. Stored in every checkpoint.

No torch, no NumPy: a wrong value is reported before anything heavy is imported. Which settings go together stands in
`contradictions.py`, what a new run takes in `defaults.py`.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

from ganutils import Error
from ganutils.runs.presets import PRESETS
from ganutils.runs.settings import UNSET, setting, settings_of
from ganutils.runs.traits import (
    ARCHS,
    AUGMENTS,
    CONDITIONS,
    LOSSES,
    OPTIMIZERS,
    PRIORS,
)

MOST_SCALE, MOST_CHANNELS = 16, 16  # of a picture to its input, along a side; and of an input
NUMBERS = 1 << 26  # in one sample: 4,729 x 4,729 in color
MOST_SEED = (1 << 63) - 1


def _shape_problem(shape: Any) -> str | None:
    return None if is_shape(shape) else "not [H, W, C], [T, C], [T, A] or [D]"


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
    """All settings of a run. `shape` is [H, W, C] of pictures, [T, C] of sounds, [T, A] of texts or [D] of points.

    inputs  [h, w, c] of the pictures that G starts from: a translator; None if it starts from latents
    """

    shape: tuple[int, ...] = setting("Shape of a sample.", option=False, check=_shape_problem)
    inputs: tuple[int, ...] | None = setting(
        "Shape of the pictures that G starts from.", None, option=False, check=_inputs_problem, earlier=None
    )
    preset: str = setting("Preset to start from.", "modern", choices=PRESETS, check=_preset_problem)
    arch: str = setting(
        "Networks: mlp, dcgan, resnet, krohn (5x5 convolutions); of sounds wave; of texts letters; from pictures unet, "
        "hourglass, blocks, enlarge.",
        choices=ARCHS,
    )
    width: int = setting(
        "Channels of the layer nearest the picture, sound or text; hidden units of an mlp.", least=1, most=4096
    )
    hidden: int = setting(
        "Width of a dense layer concatenated to the latents and to D's last feature map (dcgan), or of two between a "
        "latent and all places, and back (letters); 0 = none.",
        plain=0, most=4096, earlier=0,
    )  # fmt: skip
    norm: str = setting("Normalization in D (dcgan; with inputs or --domains).", choices=("batch", "instance", "none"))
    g_norm: str = setting(
        "Normalization in G of sounds or texts, or from pictures; own = batch (wave, letters, unet, hourglass), "
        "instance (blocks) or none (enlarge).",
        "own", choices=("own", "batch", "instance", "none"), earlier="own",
    )  # fmt: skip
    blocks: int = setting(
        "Residual blocks: of letters, blocks, enlarge; of dcgan's G, for each map behind the first.", most=64, earlier=0
    )
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
    ending: str = setting(
        "How G of texts ends (letters): with the softmax's chances of each letter, or straight, where D sees the "
        "likeliest letters and the gradient is the softmax's.",
        "softmax", choices=("softmax", "straight"), earlier="softmax",
    )  # fmt: skip
    choices: int = setting(
        "Choices, of 16 options each, that G of texts makes of a latent before it spells (letters); 0 = none.",
        plain=0, most=256, earlier=0,
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
    d_classes: int = setting("Classes that D tells apart.", 0, option=False, most=65536, earlier=0)
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
        "With inputs or --conditional, share of D's fakes that are real samples beside those of others.",
        0.0, most=1, earlier=0.0,
    )  # fmt: skip
    class_loss: float = setting(
        "With labels and without --conditional, weight of telling their classes by D, which has a logit for each, and "
        "of its doubt about those of G's samples.",
        0.0, most=1e6, earlier=0.0,
    )  # fmt: skip
    contrast: float = setting(
        "With attributes or captions, weight of telling by D's features which of a batch are of which sample.",
        0.0, most=1e6, earlier=0.0,
    )  # fmt: skip
    kl: float = setting(
        "With attributes or captions, G sees a draw around what it makes of them; weight of its divergence from noise.",
        0.0, most=1e6, earlier=0.0,
    )  # fmt: skip
    mode_seeking: float = setting(
        "Weight of how little opposite latents change what G makes of a condition.", 0.0, most=1e6, earlier=0.0
    )
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
    lr: float = setting("Learning rate; that of modern pictures falls as --width grows.", most=10)
    d_lr: float = setting("Learning rate of D; 0 = --lr. A preset's own follows --lr.", 0.0, most=10)
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
        arch = ARCHS[self.arch]
        work = arch.work(self.width, points) + arch.of_blocks * self.blocks * self.width**2 * points
        return 2e-9 * self.batch * (self.domains or 1) * work

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
        """The tensor of the data that training takes beside samples and inputs: labels, attributes, captions; or ""."""
        if self.classes or self.domains or self.class_loss:
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


def is_input_shape(shape: Any) -> bool:
    """Whether `shape` (from JSON) is that of an input: [h, w, c] of at most NUMBERS numbers, c in 1 to 16."""
    is_list = isinstance(shape, list | tuple) and len(shape) == 3 and all(type(n) is int and n > 0 for n in shape)
    return is_list and math.prod(shape) <= NUMBERS and shape[-1] <= MOST_CHANNELS


def is_shape(shape: Any) -> bool:
    """Whether `shape` (from JSON) is that of a sample: [H, W, C], [T, C], [T, A] or [D], of at most NUMBERS numbers."""
    from ganutils.files import kinds, letters

    if not isinstance(shape, list) or not all(type(n) is int and n > 0 for n in shape) or math.prod(shape) > NUMBERS:
        return False
    if not 1 <= len(shape) <= 3:
        return False
    modality = kinds.modality_of_shape(tuple(shape))
    is_text = modality is kinds.TEXTS
    return shape[-1] <= letters.MOST if is_text else not modality.channels or shape[-1] in modality.channels


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
