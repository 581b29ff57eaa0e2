"""Losses of both networks, as functions of D's logits [B]: real is 1, fake is 0, sigmoid(logit) is D's belief.

Those of patches are [B, h, w]. A discriminator loss takes the logits of a real and of a fake batch, and the target for
real samples (1 unless smoothed); a generator loss takes the same logits. The penalties at the end are added to the
discriminator's loss. Facts about each loss are in `runs/traits.py`.
"""

from collections.abc import Callable
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor


class Loss(NamedTuple):
    discriminator: Callable[[Tensor, Tensor, float], Tensor]
    generator: Callable[[Tensor, Tensor], Tensor]


def cross_entropy(real: Tensor, fake: Tensor, target: float) -> Tensor:
    """-log D(x) - log(1 - D(G(z))): equation 1 of Goodfellow et al. 2014, for D.

    With a target of 0.9 the real term is -0.9 log D(x) - 0.1 log(1 - D(x)) (Salimans et al. 2016, section 3.4).
    """
    return (target * F.softplus(-real) + (1 - target) * F.softplus(real)).mean() + F.softplus(fake).mean()


def saturating(real: Tensor, fake: Tensor) -> Tensor:
    """log(1 - D(G(z))): equation 1 of Goodfellow et al. 2014. Flat where D is sure, so G learns least when worst."""
    return -F.softplus(fake).mean()


def nonsaturating(real: Tensor, fake: Tensor) -> Tensor:
    """-log D(G(z)): the same fixed point, but steep where D is sure (Goodfellow et al. 2014, section 3)."""
    return F.softplus(-fake).mean()


def least_squares_d(real: Tensor, fake: Tensor, target: float) -> Tensor:
    """1/2 (D(x) - 1)^2 + 1/2 D(G(z))^2: equation 9 of Mao et al. 2017, "Least Squares GANs"."""
    return 0.5 * (real - target).square().mean() + 0.5 * fake.square().mean()


def least_squares_g(real: Tensor, fake: Tensor) -> Tensor:
    """1/2 (D(G(z)) - 1)^2: equation 9 of Mao et al. 2017."""
    return 0.5 * (fake - 1).square().mean()


def wasserstein_d(real: Tensor, fake: Tensor, target: float) -> Tensor:
    """D(G(z)) - D(x): equation 2 of Arjovsky et al. 2017. D must be kept smooth, e.g. by `gradient_penalty`."""
    return fake.mean() - real.mean()


def wasserstein_g(real: Tensor, fake: Tensor) -> Tensor:
    """-D(G(z)): Arjovsky et al. 2017, algorithm 1."""
    return -fake.mean()


def hinge_d(real: Tensor, fake: Tensor, target: float) -> Tensor:
    """max(0, 1 - D(x)) + max(0, 1 + D(G(z))): Lim and Ye 2017, "Geometric GAN". G's is `wasserstein_g`."""
    return F.relu(1 - real).mean() + F.relu(1 + fake).mean()


def relativistic_d(real: Tensor, fake: Tensor, target: float) -> Tensor:
    """-log sigmoid(D(x) - D(G(z))): real samples should look more real than fakes (Jolicoeur-Martineau 2019, RpGAN).

    It has no dead ends where G drops modes (Sun et al. 2020); R3GAN (Huang et al. 2024) adds R1 and R2.
    """
    return F.softplus(fake - real).mean()


def relativistic_g(real: Tensor, fake: Tensor) -> Tensor:
    """-log sigmoid(D(G(z)) - D(x)): the same pair the other way around."""
    return F.softplus(real - fake).mean()


LOSSES = {
    "minimax": Loss(cross_entropy, saturating),
    "nonsaturating": Loss(cross_entropy, nonsaturating),
    "lsgan": Loss(least_squares_d, least_squares_g),
    "wgan": Loss(wasserstein_d, wasserstein_g),
    "hinge": Loss(hinge_d, wasserstein_g),
    "relativistic": Loss(relativistic_d, relativistic_g),
}


SAME = 1e-3  # of -1..1: samples that differ by less look the same


def zero_centered(logits: Tensor, samples: Tensor) -> Tensor:
    """1/2 |grad_x D(x)|^2 of each: [B]. Its mean is R1 at real samples, R2 at fake ones (Mescheder et al. 2018,
    equation 9).
    """
    return 0.5 * _gradients(logits, samples).square().sum(1)


def gradient_penalty(logits: Tensor, samples: Tensor) -> Tensor:
    """E (|grad_x D(x)| - 1)^2, at samples between real and fake ones (Gulrajani et al. 2017, equation 3)."""
    return (_gradients(logits, samples).norm(dim=1) - 1).square().mean()


def class_entropy(logits: Tensor) -> Tensor:
    """E H[p(y | x)] in nats, of the classes that logits [B, K] tell: how unsure they are (Springenberg 2016,
    "Unsupervised and Semi-supervised Learning with Categorical Generative Adversarial Networks", section 3).
    """
    return -(logits.softmax(1) * logits.log_softmax(1)).sum(1).mean()


def mode_seeking(z: Tensor, made: Tensor, opposite: Tensor) -> Tensor:
    """E |z - (-z)| / |G(z) - G(-z)|, of mean differences: large where latents change nothing (Mao et al. 2019, MSGAN,
    equation 4 as its code has it; there the second latent is another draw).
    """
    distance = (made - opposite).abs().flatten(1).mean(1)
    return (2 * z.abs().mean(1) / (distance + SAME)).mean()


def _gradients(logits: Tensor, samples: Tensor) -> Tensor:
    """The gradient of each logit [B] with respect to its own sample: [B, pixels], itself differentiable.

    Of patches [B, h, w] it is that of their mean, so that a penalty does not grow with the picture.
    """
    each = logits if logits.dim() == 1 else logits.flatten(1).mean(1)
    (gradients,) = torch.autograd.grad(each.sum(), samples, create_graph=True)
    return gradients.flatten(1)
