"""Pictures to pictures between two domains, without pairs: what went there and back should be what it was.

Zhu et al. 2017, "Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial Networks" (CycleGAN).
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from ganutils.networks.condition import NOTHING, Condition
from ganutils.training.objectives.gan import GANObjective, Judge, Seen, Terms, Translator, distance


class CycleObjective(GANObjective):
    """The loss of a GAN in each domain, plus `cycle`, `identity` and `matching` times these terms.

    Of what is seen, the first half of `real` is of domain a, and the first half of `fake`, made of it, of domain b.
    What is measured of a part is its share of the mean of both.
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

    def parts_of_fakes(self, G: Translator, z: Tensor | None, condition: Condition) -> list[Callable[[], Tensor]]:
        """One for each direction."""
        parts: list[Callable[[], Tensor]] = G.network.directions(condition.inputs)  # type: ignore[operator]
        return parts

    def parts_of_d(self, D: Judge, seen: Seen) -> list[Callable[[], Terms]]:
        """One for each domain."""
        assert seen.real is not None
        a, b = seen.real.chunk(2)
        fake_b, fake_a = seen.fake.chunk(2)
        between_a, between_b = (None, None) if seen.between is None else seen.between.chunk(2)
        return [
            functools.partial(self.discriminator, D.part("a"), Seen(a, fake_a, NOTHING, between=between_a)),
            functools.partial(self.discriminator, D.part("b"), Seen(b, fake_b, NOTHING, between=between_b)),
        ]

    def parts_of_g(self, G: Translator, D: Judge, seen: Sequence[Seen]) -> list[Callable[[], Terms]]:
        """One for each direction; each asks one generator, whose batch norm counts what it sees."""
        first, second = seen
        assert first.real is not None
        a, b = first.real.chunk(2)
        noise_b, noise_a = (None, None) if first.noise is None else first.noise.chunk(2)
        of_b, of_a = Seen(b, first.fake, NOTHING, noise=noise_b), Seen(a, second.fake, NOTHING, noise=noise_a)
        return [
            functools.partial(self.direction, G.part("back"), D.part("b"), of_b, a),
            functools.partial(self.direction, G.part("there"), D.part("a"), of_a, b),
        ]

    def discriminator(self, D: Judge, seen: Seen) -> Terms:
        """Towards real = 1, fake = 0 in one domain (equation 1)."""
        terms = super().discriminator(D, seen)
        return Terms(terms.loss, {name: value / 2 for name, value in terms.measured.items()})

    def direction(self, home: Translator, D: Judge, seen: Seen, given: Tensor) -> Terms:
        """Towards what D takes for real in its domain, and `home`, which leads out of it, back to the pictures that
        were given (equation 3).

        A fake goes back with noise, or it would hide in invisible dots what it does not show (Bashkirova et al. 2019,
        "Adversarial Self-Defense for Cycle-Consistent GANs", section 4.1).
        """
        config = self.config
        named: dict[str, Tensor] = {}
        if config.cycle:
            sent = seen.fake if seen.noise is None else seen.fake + config.noise * seen.noise
            named["cycle"] = distance(home(sent), given)
        if config.identity:
            named["identity"] = distance(home(given), given)  # section 5.2
        # With pixels in 0..1 and as means of the two domains they are measured, as gan-eval has it.
        measured = {name: term.detach() / 4 for name, term in named.items()}
        if config.adversarial:
            named["g_loss"] = self.generator(home, D, seen).loss
        if config.matching:
            named["matching"] = _matching(D, seen)
        measured |= {name: term.detach() / 2 for name, term in named.items() if name not in measured}
        return Terms(torch.stack([self._weights[name] * term for name, term in named.items()]).sum(), measured)


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
