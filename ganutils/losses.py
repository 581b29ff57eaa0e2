"""What the two networks minimise, as functions of D's logits [B] (real is 1, fake is 0; sigmoid(logit) is D's belief).

A discriminator loss takes the logits of a real and of a fake batch, a generator loss those of a fake batch.
"""

from collections.abc import Callable
from typing import NamedTuple

import torch.nn.functional as F
from torch import Tensor


class Loss(NamedTuple):
    discriminator: Callable[[Tensor, Tensor], Tensor]
    generator: Callable[[Tensor], Tensor]


def cross_entropy(real: Tensor, fake: Tensor) -> Tensor:
    """-log D(x) - log(1 - D(G(z))): equation 1 of Goodfellow et al. 2014, as D sees it."""
    return F.softplus(-real).mean() + F.softplus(fake).mean()


def saturating(fake: Tensor) -> Tensor:
    """log(1 - D(G(z))): equation 1 of Goodfellow et al. 2014. Flat where D is sure, so G learns least when worst."""
    return -F.softplus(fake).mean()


def nonsaturating(fake: Tensor) -> Tensor:
    """-log D(G(z)): the same fixed point, steep where D is sure (Goodfellow et al. 2014, section 3)."""
    return F.softplus(-fake).mean()


def least_squares_d(real: Tensor, fake: Tensor) -> Tensor:
    """1/2 (D(x) - 1)^2 + 1/2 D(G(z))^2: equation 9 of Mao et al. 2017, "Least Squares GANs"."""
    return 0.5 * (real - 1).square().mean() + 0.5 * fake.square().mean()


def least_squares_g(fake: Tensor) -> Tensor:
    """1/2 (D(G(z)) - 1)^2: equation 9 of Mao et al. 2017."""
    return 0.5 * (fake - 1).square().mean()


LOSSES = {
    "minimax": Loss(cross_entropy, saturating),
    "nonsaturating": Loss(cross_entropy, nonsaturating),
    "lsgan": Loss(least_squares_d, least_squares_g),
}
