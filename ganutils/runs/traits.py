"""Facts about losses, architectures, augmentations, optimizers and priors, apart from their code. No torch, no NumPy.

Code elsewhere asks these tables and compares no names. `training/losses.py`, `networks`, `training/augment.py`,
`training/optimizers.py` and `randomness.py` map the same names to functions and classes.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple


def zero(target: float) -> float:
    return 0.0


def entropy(target: float) -> float:
    """Of a coin that shows heads with probability `target`, in nats: what is left of a cross entropy at best."""
    return 0.0 if target == 1 else -(target * math.log(target) + (1 - target) * math.log(1 - target))


def unbounded(target: float) -> float:
    return -math.inf


class LossTraits(NamedTuple):
    """What a loss is.

    boundary        logit above which D takes a sample for real; None where only differences of logits mean anything
    has_target      whether D is trained towards a target for real samples, which --smooth can lower
    compares_pairs  whether it compares real with generated samples, so that G's update needs real ones too
    batch_norm      whether D may have batch norm, which makes the logit of a sample depend on the rest of the batch
    least_d_loss    D's loss when it tells real from generated without doubt, as a function of the target
    """

    boundary: float | None = 0.0
    has_target: bool = False
    compares_pairs: bool = False
    batch_norm: bool = True
    least_d_loss: Callable[[float], float] = zero


LOSSES = {
    "minimax": LossTraits(has_target=True, least_d_loss=entropy),
    "nonsaturating": LossTraits(has_target=True, least_d_loss=entropy),
    "lsgan": LossTraits(boundary=0.5, has_target=True),
    "wgan": LossTraits(boundary=None, batch_norm=False, least_d_loss=unbounded),
    "hinge": LossTraits(),
    "relativistic": LossTraits(boundary=None, compares_pairs=True, batch_norm=False),
}


class ArchTraits(NamedTuple):
    """What an architecture is.

    width        default of --width
    takes        modalities it is made for, by their tensor (see files/kinds.py)
    work         about how many multiplications a pass of both networks over a sample takes, by width and points
    settings     those of RESTRICTED that it uses
    first_layer  tensor with the filters of D's first layer; None if they show nothing, as 1x1 convolutions
    translates   whether G starts from a picture, an input of the sample, in place of a latent
    enlarges     whether its pictures may be larger than its inputs
    blocks       default of --blocks
    of_blocks    what each of --blocks adds to `work`, as times width squared and points, where that is not in it
    own_norm     what --g-norm own is
    """

    width: int
    work: Callable[[int, int], float]
    takes: tuple[str, ...] = ("images",)
    settings: tuple[str, ...] = ()
    first_layer: str | None = None
    translates: bool = False
    enlarges: bool = False
    blocks: int = 0
    of_blocks: float = 0
    own_norm: str = "none"


# What networks can be conditioned on, as --conditional has it, and the setting that counts it.
CONDITIONS = {"labels": "classes", "attributes": "attributes", "captions": "words"}

OF_PAIRS = ("sees", "l1", "mismatch")
OF_DOMAINS = ("domains", "cycle", "noise", "identity", "buffer")
OF_TRANSLATORS = (
    *("g_norm", "norm", "patch", "adversarial", "matching", "jitter", "mirror"),
    *OF_PAIRS,
    *OF_DOMAINS,
)

ARCHS = {
    "mlp": ArchTraits(
        256,
        lambda width, points: 2 * width * (width + points),
        takes=("images", "points"),
        settings=("dropout", "class_loss"),
        first_layer="D.hidden1.weight",
    ),
    "dcgan": ArchTraits(
        16,
        lambda width, points: 9 * width**2 * points,
        settings=("hidden", "norm", "blocks", "class_loss"),
        first_layer="D.downs.0.weight",
        of_blocks=11,
    ),
    "resnet": ArchTraits(32, lambda width, points: 72 * width**2 * points, settings=("class_loss",)),
    "krohn": ArchTraits(
        64,
        lambda width, points: 38 * width**2 * points,
        settings=("dropout", "class_loss"),
        first_layer="D.convs.0.weight",
    ),
    "wave": ArchTraits(
        16,
        lambda width, points: 7 * width**2 * points * max(math.log(points, 4) - 3, 1),  # by the number of layers
        takes=("signals",),
        settings=("phase_shuffle", "emphasis", "g_norm"),
        first_layer="D.downs.0.weight",
        own_norm="batch",
    ),
    "letters": ArchTraits(
        64,
        lambda width, points: (20 * width + 600) * width * points,  # with the preset's dense layers
        takes=("letters",),
        settings=("hidden", "blocks", "g_norm", "choices", "ending"),
        own_norm="batch",
    ),
    "unet": ArchTraits(
        32,
        lambda width, points: 27 * width**2 * points,
        settings=("dropout", *OF_TRANSLATORS),
        first_layer="D.downs.0.weight",
        translates=True,
        own_norm="batch",
    ),
    "hourglass": ArchTraits(
        32,
        lambda width, points: 24 * width**2 * points,
        settings=("dropout", *OF_TRANSLATORS),
        first_layer="D.downs.0.weight",
        translates=True,
        own_norm="batch",
    ),
    "blocks": ArchTraits(
        16,
        lambda width, points: (196 + 18 * 6) * width**2 * points,
        settings=("blocks", *OF_TRANSLATORS),
        first_layer="D.downs.0.weight",
        translates=True,
        blocks=6,
        own_norm="instance",
    ),
    "enlarge": ArchTraits(
        32,
        lambda width, points: 32 * width**2 * points,
        settings=("blocks", *OF_TRANSLATORS),
        first_layer="D.downs.0.weight",
        translates=True,
        enlarges=True,
        blocks=8,
    ),
}
# Settings that only some architectures use, each with the value that changes nothing.
RESTRICTED: dict[str, object] = {
    "hidden": 0,
    "norm": "none",
    "dropout": 0.0,
    "phase_shuffle": 0,
    "emphasis": 0.0,
    "choices": 0,
    "ending": "softmax",
    "g_norm": "own",
    "blocks": 0,
    "patch": 0,
    "sees": "picture",
    "adversarial": 1.0,
    "l1": 0.0,
    "matching": 0.0,
    "mismatch": 0.0,
    "class_loss": 0.0,
    "jitter": 0.0,
    "mirror": 0.0,
    "domains": 0,
    "cycle": 0.0,
    "noise": 0.0,
    "identity": 0.0,
    "buffer": 0,
}


class AugmentTraits(NamedTuple):
    """What an augmentation is for: modalities by their tensor, and numbers of channels."""

    takes: tuple[str, ...] = ("images",)
    channels: tuple[int, ...] = (1, 3)


AUGMENTS = {
    "translate": AugmentTraits(),
    "cutout": AugmentTraits(),
    "color": AugmentTraits(channels=(3,)),
    "mirror": AugmentTraits(),
}


class PriorTraits(NamedTuple):
    """`reach`: nearly all numbers of a latent lie within plus or minus this."""

    reach: float


PRIORS = {"normal": PriorTraits(2.5), "uniform": PriorTraits(1.0)}
OPTIMIZERS = ("adam", "rmsprop")
