"""The two players of a GAN: D tells real from generated samples, G is trained towards what D takes for real."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import NamedTuple, Self

import torch
from torch import Tensor, nn

from ganutils.networks.condition import Condition
from ganutils.runs import traits
from ganutils.runs.config import Config
from ganutils.training.draws import BETWEEN, FAKE, REAL
from ganutils.training.losses import LOSSES, gradient_penalty, zero_centered

Shown = tuple[Tensor, Condition]


class Seen(NamedTuple):
    """What D is shown in an update.

    real       samples, as augmented; None if G's update does without
    fake       generated ones, as augmented
    condition  of both
    wrong      float32 [B, c, h, w], inputs of other samples; None if D sees none
    noise      float32 [B, C, H, W], standard normal, for fakes that go back; None without it
    between    [B, 1, ...], how far from a fake to a real sample the gradient penalty looks; None without it
    shifts     int64 [B, kinds, maps], by how many points D moves its maps of each kind (see draws.py); None without
    """

    real: Tensor | None
    fake: Tensor
    condition: Condition
    wrong: Tensor | None = None
    noise: Tensor | None = None
    between: Tensor | None = None
    shifts: Tensor | None = None

    def given_with(self, kind: int) -> Condition:
        """What D is given with samples of a kind: REAL, FAKE or BETWEEN."""
        return self.condition if self.shifts is None else self.condition._replace(shifts=self.shifts[:, kind])


class Terms(NamedTuple):
    """The loss, and what the log says of the update, by name."""

    loss: Tensor
    measured: dict[str, Tensor]


class Player:
    """The network of a player, which computes in `precision`.

    One `with precision()` for each pass: what autocast keeps in it is stale after an update.
    """

    def __init__(self, network: nn.Module, precision: Callable[[], AbstractContextManager[object]]):
        self.network, self.precision = network, precision

    def part(self, name: str) -> Self:
        """The one of its networks called `name`."""
        return type(self)(getattr(self.network, name), self.precision)


class Translator(Player):
    """A generator that starts from pictures."""

    def __call__(self, inputs: Tensor) -> Tensor:
        """Pictures [B, C, H, W]."""
        with self.precision():
            made: Tensor = self.network(None, Condition(inputs=inputs))
        return made.float()


class Judge(Player):
    """A discriminator."""

    def __call__(self, x: Tensor, condition: Condition) -> Tensor:
        """Logits [B], or those of patches [B, h, w]."""
        logits: Tensor = self.network(x, condition)
        return logits

    def with_features(self, x: Tensor, condition: Condition) -> tuple[Tensor, list[Tensor]]:
        """The logits, and the output of each layer: maps [B, channels, h, w]."""
        maps = list(self.network.layers(x, condition))  # type: ignore[operator]
        return self.network.judged(maps[-1], condition), maps  # type: ignore[operator]


class GANObjective:
    """The losses and penalties that the settings name; see `training/losses.py`."""

    def __init__(self, config: Config):
        self.config, self.traits, self.loss = config, traits.LOSSES[config.loss], LOSSES[config.loss]

    @property
    def measured_of_d(self) -> tuple[str, ...]:
        """The names of what an update of D measures; none if D is not trained."""
        return ("d_loss", "d_real", "d_fake") if self.config.needs_d else ()

    @property
    def measured_of_g(self) -> tuple[str, ...]:
        """The names of what an update of G measures."""
        return ("g_loss",)

    @property
    def compares_real(self) -> bool:
        """Whether G's loss compares with real samples."""
        return self.traits.compares_pairs

    def discriminator(self, D: Judge, seen: Seen) -> Terms:
        """Towards real = 1, fake = 0."""
        config = self.config
        assert seen.real is not None
        real = seen.real.detach().requires_grad_() if config.r1 else seen.real
        fake = seen.fake.detach().requires_grad_() if config.r2 else seen.fake
        with D.precision():
            real_logits, fake_logits = self._logits(D, (real, seen.given_with(REAL)), (fake, seen.given_with(FAKE)))
        loss = self.loss.discriminator(real_logits, fake_logits, config.smooth)
        rates = self._accuracy(real_logits.detach(), fake_logits.detach())
        measured = dict(zip(self.measured_of_d, (loss.detach(), *rates), strict=True))
        if config.r1:
            loss = loss + config.r1 * zero_centered(real_logits, real)
        if config.r2:
            loss = loss + config.r2 * zero_centered(fake_logits, fake)
        if config.gp:
            assert seen.between is not None
            between = torch.lerp(fake.detach(), real.detach(), seen.between).requires_grad_()
            with D.precision():
                logits = D(between, seen.given_with(BETWEEN))
            loss = loss + config.gp * gradient_penalty(logits, between)
        return Terms(loss, measured)

    def generator(self, G: Translator, D: Judge, seen: Seen) -> Terms:
        """Towards D(G(z)) = 1."""
        with D.precision():
            fake_logits = D(seen.fake, seen.given_with(FAKE))
            real_logits = fake_logits
            if self.traits.compares_pairs:
                assert seen.real is not None
                with torch.no_grad():
                    real_logits = D(seen.real, seen.given_with(REAL))
        loss = self.loss.generator(real_logits, fake_logits)
        return Terms(loss, {"g_loss": loss.detach()})

    def _logits(self, D: Judge, real: Shown, fake: Shown) -> tuple[Tensor, Tensor]:
        """Of both, from one pass, which is faster; two where a picture's logit depends on its batch, or on chance."""
        if self.config.norm == "batch" or self.config.dropout:
            return D(*real), D(*fake)
        (real_samples, of_real), (fake_samples, of_fake) = real, fake
        pairs = zip(of_real, of_fake, strict=True)
        both = Condition(*(None if a is None or b is None else torch.cat([a, b]) for a, b in pairs))
        real_logits, fake_logits = D(torch.cat([real_samples, fake_samples]), both).chunk(2)
        return real_logits, fake_logits

    def _accuracy(self, real: Tensor, fake: Tensor) -> tuple[Tensor, Tensor]:
        """The share of samples on the right side of the boundary; without one, of the mean logit of the other kind."""
        boundary = self.traits.boundary
        d_real = (real > (fake.mean() if boundary is None else boundary)).float().mean()
        return d_real, (fake < (real.mean() if boundary is None else boundary)).float().mean()


def distance(a: Tensor, b: Tensor) -> Tensor:
    """The mean difference of two maps, whose gradient lies as they do; that of torch's mean would not."""
    return (a - b).abs().sum() / a.numel()
