"""The two players of a GAN: D tells real from generated samples, G is trained towards what D takes for real."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import NamedTuple, Self

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ganutils.compute.distributed import ALONE, Team
from ganutils.networks.condition import Condition
from ganutils.networks.matcher import info_nce
from ganutils.runs import traits
from ganutils.runs.config import Config
from ganutils.training.draws import BETWEEN, FAKE, REAL
from ganutils.training.losses import LOSSES, class_entropy, gradient_penalty, mode_seeking, zero_centered

TEMPERATURE = 0.1  # of the softmax over cosines (XMC-GAN, appendix)
Shown = tuple[Tensor, Condition]


class Seen(NamedTuple):
    """What D is shown in an update.

    real       samples, as augmented; None if G's update does without
    fake       generated ones, as augmented
    condition  of both
    wrong      that of other samples, beside which real ones count as fakes; None if D sees none
    noise      float32 [B, C, H, W], standard normal, for fakes that go back; None without it
    between    [B, 1, ...], how far from a fake to a real sample the gradient penalty looks; None without it
    shifts     int64 [B, kinds, maps], by how many points D moves its maps of each kind (see draws.py); None without
    apart      latents [B, Z], and fakes [B, ...] of them and of their opposites, -z, for the same conditions, neither
               augmented; None unless modes are sought
    """

    real: Tensor | None
    fake: Tensor
    condition: Condition
    wrong: Condition | None = None
    noise: Tensor | None = None
    between: Tensor | None = None
    shifts: Tensor | None = None
    apart: tuple[Tensor, Tensor, Tensor] | None = None

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
    """A generator; most of what is asked of it is for one that starts from pictures."""

    def divergence(self, condition: Condition) -> Tensor:
        """Of what it draws around descriptions, from noise: see `networks.conditioning.OfLatents`."""
        with self.precision():
            divergence: Tensor = self.network.classes.divergence(condition)  # type: ignore[operator, union-attr]
        return divergence.float()

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

    def encoded(self, condition: Condition) -> Condition:
        """With its description read, once for several passes."""
        is_described = condition.attributes is not None or condition.tokens is not None
        encoded: Condition = self.network.classes.encoded(condition) if is_described else condition  # type: ignore
        return encoded

    def last(self, x: Tensor, condition: Condition) -> Tensor:
        """The output of the last layer: maps [B, channels, h, w], or [B, units]."""
        *_, last = self.network.layers(x, condition)  # type: ignore[operator]
        return last

    def judged(self, last: Tensor, condition: Condition) -> Tensor:
        """The logits of samples whose last layer's output is `last`."""
        logits: Tensor = self.network.judged(last, condition)  # type: ignore[operator]
        return logits

    def matched(self, last: Tensor) -> Tensor:
        """What of such samples is compared with descriptions: [B, E]."""
        matched: Tensor = self.network.classes.matched(self.network.features(last))  # type: ignore[operator, union-attr]
        return matched

    def told(self, last: Tensor) -> Tensor:
        """The logits of the classes of such samples: [B, K]."""
        told: Tensor = self.network.classes.told(self.network.features(last))  # type: ignore[operator, union-attr]
        return told

    def with_features(self, x: Tensor, condition: Condition) -> tuple[Tensor, list[Tensor]]:
        """The logits, and the output of each layer: maps [B, channels, h, w]."""
        maps = list(self.network.layers(x, condition))  # type: ignore[operator]
        return self.network.judged(maps[-1], condition), maps  # type: ignore[operator]


class GANObjective:
    """The losses and penalties that the settings name; see `training/losses.py`."""

    def __init__(self, config: Config, team: Team = ALONE):
        self.config, self.team = config, team
        self.traits, self.loss = traits.LOSSES[config.loss], LOSSES[config.loss]

    @property
    def measured_of_d(self) -> tuple[str, ...]:
        """The names of what an update of D measures; none if D is not trained."""
        config = self.config
        extra = {"mismatch": config.mismatch, "class_loss": config.class_loss, "contrast_real": config.contrast}
        return ("d_loss", "d_real", "d_fake", *filter(extra.get, extra)) if config.needs_d else ()

    @property
    def measured_of_g(self) -> tuple[str, ...]:
        """The names of what an update of G measures."""
        config = self.config
        extra = {"class_entropy": config.class_loss, "contrast": config.contrast}
        extra |= {"mode_seeking": config.mode_seeking, "kl": config.kl}
        return ("g_loss", *filter(extra.get, extra))

    @property
    def compares_real(self) -> bool:
        """Whether G's loss compares with real samples."""
        return self.traits.compares_pairs

    def parts_of_fakes(self, G: Translator, z: Tensor | None, condition: Condition) -> list[Callable[[], Tensor]]:
        """What makes fakes of a batch; if several functions, each makes a part and they do not need each other."""
        return [functools.partial(G.network, z, condition)]

    def parts_of_d(self, D: Judge, seen: Seen) -> list[Callable[[], Terms]]:
        """What makes the loss of D; if several functions, they do not need each other and their terms are added up."""
        return [functools.partial(self.discriminator, D, seen)]

    def parts_of_g(self, G: Translator, D: Judge, seen: Sequence[Seen]) -> list[Callable[[], Terms]]:
        """As `parts_of_d`, for G. Each of `seen` has a part of the fakes, and all of the rest."""
        return [functools.partial(self.generator, G, D, one) for one in seen]

    def discriminator(self, D: Judge, seen: Seen) -> Terms:
        """Towards real = 1, fake = 0; a share of the fakes, `mismatch`, are real samples beside conditions of others.

        (Reed et al. 2016, "Generative Adversarial Text to Image Synthesis", algorithm 1: a matching-aware D.)
        """
        config, samples = self.config, seen.real
        assert samples is not None
        with D.precision():
            seen = seen._replace(condition=D.encoded(seen.condition))
        judged = self._judged_both(D, (samples, seen.given_with(REAL)), (seen.fake, seen.given_with(FAKE)))
        last, real_logits, fake_logits, penalty = judged
        loss = self.loss.discriminator(real_logits, fake_logits, config.smooth)
        rates = self._accuracy(real_logits.detach(), fake_logits.detach())
        measured = dict(zip(("d_loss", "d_real", "d_fake"), (loss.detach(), *rates), strict=True))
        if config.mismatch:
            assert seen.wrong is not None
            with D.precision():
                # A description or class is seen behind the last layer only, inputs before the first.
                wrong_last = last if config.is_described or not config.inputs else D.last(samples, seen.wrong)
                wrong_logits = D.judged(wrong_last, D.encoded(seen.wrong))
            among = self.loss.discriminator(real_logits, wrong_logits, config.smooth)
            loss = (1 - config.mismatch) * loss + config.mismatch * among
            measured["mismatch"] = self._accuracy(real_logits.detach(), wrong_logits.detach())[1]
        if config.class_loss:
            with D.precision():
                told = F.cross_entropy(D.told(last), seen.condition.labels)  # type: ignore[arg-type]
            loss, measured["class_loss"] = loss + config.class_loss * told, told.detach()
        if config.contrast:
            contrast = self._contrast(D, last, seen.condition)
            loss = loss + config.contrast * contrast
            measured["contrast_real"] = contrast.detach()
        loss = loss + penalty
        if config.gp:
            assert seen.between is not None
            between = torch.lerp(seen.fake, samples, seen.between).requires_grad_()
            with D.precision():
                logits = D(between, seen.given_with(BETWEEN))
            loss = loss + config.gp * gradient_penalty(logits, between)
        return Terms(loss, measured)

    def generator(self, G: Translator, D: Judge, seen: Seen) -> Terms:
        """Towards D(G(z)) = 1, and towards samples of whose class D is sure, or that it tells by their descriptions."""
        config, given = self.config, seen.condition
        with D.precision():
            seen = seen._replace(condition=D.encoded(seen.condition))
            last = D.last(seen.fake, seen.given_with(FAKE))
            fake_logits = D.judged(last, seen.condition)
            real_logits = fake_logits
            if self.traits.compares_pairs:
                assert seen.real is not None
                with torch.no_grad():
                    real_logits = D(seen.real, seen.given_with(REAL))
        loss = self.loss.generator(real_logits, fake_logits)
        measured = {"g_loss": loss.detach()}
        if config.class_loss:
            with D.precision():
                entropy = class_entropy(D.told(last))
            loss, measured["class_entropy"] = loss + config.class_loss * entropy, entropy.detach()
        if config.contrast:
            contrast = self._contrast(D, last, seen.condition)
            loss, measured["contrast"] = loss + config.contrast * contrast, contrast.detach()
        if config.mode_seeking:
            assert seen.apart is not None
            seeking = mode_seeking(*seen.apart)
            loss, measured["mode_seeking"] = loss + config.mode_seeking * seeking, seeking.detach()
        if config.kl:
            kl = G.divergence(given)
            loss, measured["kl"] = loss + config.kl * kl, kl.detach()
        return Terms(loss, measured)

    def _judged_both(self, D: Judge, real: Shown, fake: Shown) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """What D's last layer makes of real samples, the logits of both kinds, and R1 plus R2; 0 without these.

        From one pass, which is faster; two where a sample's logit depends on its batch, or on chance, or where only one
        kind is penalized, since the gradient of a pass is that of all in it.
        """
        config, weights = self.config, (self.config.r1, self.config.r2)
        if config.norm == "batch" or config.dropout or any(weights) != all(weights):
            last, real_logits, r1 = _penalized(D, *real, weights[0] > 0)
            _, fake_logits, r2 = _penalized(D, *fake, weights[1] > 0)
        else:
            pairs = zip(real[1], fake[1], strict=True)
            given = Condition(*(None if a is None or b is None else torch.cat([a, b]) for a, b in pairs))
            both = _penalized(D, torch.cat([real[0], fake[0]]), given, all(weights))
            (last, _), (real_logits, fake_logits), (r1, r2) = (one.chunk(2) for one in both)
        return last, real_logits, fake_logits, config.r1 * r1.mean() + config.r2 * r2.mean()

    def _contrast(self, D: Judge, last: Tensor, condition: Condition) -> Tensor:
        """How far D is from telling, by the features of samples, which of a batch's descriptions is of which.

        Of cosines (Zhang et al. 2021, XMC-GAN, equations 6 to 8). Each process sees the whole batch, and gives the
        gradient of its part, which counts as often as there are processes: their mean is that of the whole.
        """
        assert condition.text is not None
        with D.precision():
            matched = D.matched(last)
        samples, texts = (self._whole(F.normalize(one.float())) for one in (matched, condition.text))
        loss = info_nce(samples @ texts.T / TEMPERATURE)
        return loss + (self.team.count - 1) * (loss - loss.detach())

    def _whole(self, part: Tensor) -> Tensor:
        """The whole batch of which this process has a `part`, which alone carries its graph."""
        if self.team.count == 1:
            return part
        whole = self.team.whole(part.detach())
        start = self.team.rank * len(part)
        return torch.cat([whole[:start], part, whole[start + len(part) :]])

    def _accuracy(self, real: Tensor, fake: Tensor) -> tuple[Tensor, Tensor]:
        """The share of samples on the right side of the boundary; without one, of the mean logit of the other kind."""
        boundary = self.traits.boundary
        d_real = (real > (fake.mean() if boundary is None else boundary)).float().mean()
        return d_real, (fake < (real.mean() if boundary is None else boundary)).float().mean()


def _penalized(D: Judge, samples: Tensor, given: Condition, is_penalized: bool) -> tuple[Tensor, Tensor, Tensor]:
    """What D's last layer makes of samples, their logits, and the penalty at each: [B], zeros if there is none."""
    samples = samples.detach().requires_grad_(is_penalized)
    with D.precision():
        last = D.last(samples, given)
        logits = D.judged(last, given)
    penalty = zero_centered(logits, samples) if is_penalized else logits.new_zeros(len(samples))
    return last, logits, penalty


def distance(a: Tensor, b: Tensor) -> Tensor:
    """The mean difference of two maps, whose gradient lies as they do; that of torch's mean would not."""
    return (a - b).abs().sum() / a.numel()
