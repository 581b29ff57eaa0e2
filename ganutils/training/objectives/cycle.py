"""Pictures to pictures between two domains, without pairs: what went there and back should be what it was.

Zhu et al. 2017, "Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial Networks" (CycleGAN).
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

from ganutils.networks.condition import NOTHING
from ganutils.training.objectives.gan import GANObjective, Judge, Seen, Terms, Translator, distance


class CycleObjective(GANObjective):
    """The loss of a GAN in each domain, plus `cycle`, `identity` and `matching` times these terms.

    Of what is seen, the first half of `real` is of domain a, and the first half of `fake`, made of it, of domain b.
    """

    @property
    def measured_of_g(self) -> tuple[str, ...]:
        return tuple(name for name, weight in self._weights.items() if weight)

    @property
    def compares_real(self) -> bool:
        return True

    @property
    def _weights(self) -> dict[str, float]:
        config = self.config
        named = {name: getattr(config, name) for name in ("cycle", "identity", "matching")}
        return {"g_loss": config.adversarial, **named}

    def discriminator(self, D: Judge, seen: Seen) -> Terms:
        """Each towards real = 1, fake = 0 in its domain (equation 1)."""
        terms = []
        for name, part in _parts(seen).items():
            terms.append(super().discriminator(D.part(name), part))
        measured = {name: _sum(one.measured[name] for one in terms) / 2 for name in self.measured_of_d}
        return Terms(_sum(one.loss for one in terms), measured)

    def generator(self, G: Translator, D: Judge, seen: Seen) -> Terms:
        """Towards what D takes for real in each domain, and back to the pictures that were given (equation 3).

        A fake goes back with noise, or it would hide in invisible dots what it does not show (Bashkirova et al. 2019,
        "Adversarial Self-Defense for Cycle-Consistent GANs", section 4.1).
        """
        there, back, config = G.part("there"), G.part("back"), self.config
        assert seen.real is not None
        a, b = seen.real.chunk(2)
        named: dict[str, Tensor] = {}
        if config.cycle:
            sent = seen.fake if seen.noise is None else seen.fake + config.noise * seen.noise
            sent_b, sent_a = sent.chunk(2)
            named["cycle"] = distance(back(sent_b), a) + distance(there(sent_a), b)
        if config.identity:
            named["identity"] = distance(there(b), b) + distance(back(a), a)  # section 5.2
        # With pixels in 0..1 and as means of the two domains they are measured, as gan-eval has it.
        measured = {name: term.detach() / 4 for name, term in named.items()}
        for name, part in _parts(seen).items():
            judged = self._judged(G, D.part(name), part)
            named = {**named, **{each: term + named.get(each, 0) for each, term in judged.items()}}
            measured |= {each: named[each].detach() / 2 for each in judged}
        return Terms(_sum(self._weights[name] * term for name, term in named.items()), measured)

    def _judged(self, G: Translator, D: Judge, seen: Seen) -> dict[str, Tensor]:
        """The terms that ask D of one domain."""
        named: dict[str, Tensor] = {}
        if self.config.adversarial:
            named["g_loss"] = super().generator(G, D, seen).loss
        if self.config.matching:
            named["matching"] = _matching(D, seen)
        return named


def _parts(seen: Seen) -> dict[str, Seen]:
    """What the discriminator of each domain sees."""
    assert seen.real is not None
    a, b = seen.real.chunk(2)
    fake_b, fake_a = seen.fake.chunk(2)
    between_a, between_b = (None, None) if seen.between is None else seen.between.chunk(2)
    return {"a": Seen(a, fake_a, NOTHING, between=between_a), "b": Seen(b, fake_b, NOTHING, between=between_b)}


def _matching(D: Judge, seen: Seen) -> Tensor:
    """The mean squared difference of the mean features of a batch to those of the real pictures, over D's layers.

    Salimans et al. 2016, "Improved Techniques for Training GANs", section 3.1; Kim et al. 2017, DiscoGAN's code.
    """
    assert seen.real is not None
    with D.precision():
        _, fake_maps = D.with_features(seen.fake, seen.condition)
        with torch.no_grad():
            _, real_maps = D.with_features(seen.real, seen.condition)
    pairs = zip(fake_maps, real_maps, strict=True)
    return torch.stack([(a.float().mean(0) - b.float().mean(0)).square().mean() for a, b in pairs]).mean()


def _sum(terms: Iterable[Tensor]) -> Tensor:
    return torch.stack([*terms]).sum()
