"""What the two networks minimise, as functions of D's logits [B] (real is 1, fake is 0; sigmoid(logit) is D's belief).

A discriminator loss takes the logits of a real and of a fake batch, and what real is called (`target`, 1 unless
smoothed); a generator loss takes the same logits. The penalties at the end are added to the discriminator's.
"""

from collections.abc import Callable
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor


class Loss(NamedTuple):
    """`boundary`: the logit above which D takes a picture for real; None where only differences mean something."""

    discriminator: Callable[[Tensor, Tensor, float], Tensor]
    generator: Callable[[Tensor, Tensor], Tensor]
    boundary: float | None = 0.0


def cross_entropy(real: Tensor, fake: Tensor, target: float) -> Tensor:
    """-log D(x) - log(1 - D(G(z))): equation 1 of Goodfellow et al. 2014, as D sees it.

    With a target of 0.9 the real term is -0.9 log D(x) - 0.1 log(1 - D(x)) (Salimans et al. 2016, section 3.4).
    """
    return (target * F.softplus(-real) + (1 - target) * F.softplus(real)).mean() + F.softplus(fake).mean()


def saturating(real: Tensor, fake: Tensor) -> Tensor:
    """log(1 - D(G(z))): equation 1 of Goodfellow et al. 2014. Flat where D is sure, so G learns least when worst."""
    return -F.softplus(fake).mean()


def nonsaturating(real: Tensor, fake: Tensor) -> Tensor:
    """-log D(G(z)): the same fixed point, steep where D is sure (Goodfellow et al. 2014, section 3)."""
    return F.softplus(-fake).mean()


def least_squares_d(real: Tensor, fake: Tensor, target: float) -> Tensor:
    """1/2 (D(x) - 1)^2 + 1/2 D(G(z))^2: equation 9 of Mao et al. 2017, "Least Squares GANs"."""
    return 0.5 * (real - target).square().mean() + 0.5 * fake.square().mean()


def least_squares_g(real: Tensor, fake: Tensor) -> Tensor:
    """1/2 (D(G(z)) - 1)^2: equation 9 of Mao et al. 2017."""
    return 0.5 * (fake - 1).square().mean()


def wasserstein_d(real: Tensor, fake: Tensor, target: float) -> Tensor:
    """D(G(z)) - D(x): equation 2 of Arjovsky et al. 2017. D must be kept smooth: with `gradient_penalty`, say."""
    return fake.mean() - real.mean()


def wasserstein_g(real: Tensor, fake: Tensor) -> Tensor:
    """-D(G(z)): Arjovsky et al. 2017, algorithm 1."""
    return -fake.mean()


def hinge_d(real: Tensor, fake: Tensor, target: float) -> Tensor:
    """max(0, 1 - D(x)) + max(0, 1 + D(G(z))): Lim and Ye 2017, "Geometric GAN". G's is `wasserstein_g`."""
    return F.relu(1 - real).mean() + F.relu(1 + fake).mean()


def relativistic_d(real: Tensor, fake: Tensor, target: float) -> Tensor:
    """-log sigmoid(D(x) - D(G(z))): real shall look more real than its fake (Jolicoeur-Martineau 2019, RpGAN).

    It has no dead ends where G drops modes (Sun et al. 2020); R3GAN (Huang et al. 2024) adds R1 and R2.
    """
    return F.softplus(fake - real).mean()


def relativistic_g(real: Tensor, fake: Tensor) -> Tensor:
    """-log sigmoid(D(G(z)) - D(x)): the same pair the other way round."""
    return F.softplus(real - fake).mean()


LOSSES = {
    "minimax": Loss(cross_entropy, saturating),
    "nonsaturating": Loss(cross_entropy, nonsaturating),
    "lsgan": Loss(least_squares_d, least_squares_g, boundary=0.5),
    "wgan": Loss(wasserstein_d, wasserstein_g, boundary=None),
    "hinge": Loss(hinge_d, wasserstein_g),
    "relativistic": Loss(relativistic_d, relativistic_g, boundary=None),
}


def zero_centered(logits: Tensor, pictures: Tensor) -> Tensor:
    """1/2 E |grad_x D(x)|^2: R1 at real pictures, R2 at fake ones (Mescheder et al. 2018, equation 9)."""
    return 0.5 * _gradients(logits, pictures).square().sum(1).mean()


def gradient_penalty(logits: Tensor, pictures: Tensor) -> Tensor:
    """E (|grad_x D(x)| - 1)^2, at pictures between real and fake ones (Gulrajani et al. 2017, equation 3)."""
    return (_gradients(logits, pictures).norm(dim=1) - 1).square().mean()


def _gradients(logits: Tensor, pictures: Tensor) -> Tensor:
    """Of each logit [B] to its own picture, flattened: [B, pixels]. They can be differentiated on."""
    (gradients,) = torch.autograd.grad(logits.sum(), pictures, create_graph=True)
    return gradients.flatten(1)
