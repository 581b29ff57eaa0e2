"""Pictures to pictures, with pairs: D's judgement, and how far G is from the true picture, in pixels and features.

Isola et al. 2017, "Image-to-Image Translation with Conditional Adversarial Networks" (pix2pix), equations 1 to 4.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ganutils.training.objectives.gan import GANObjective, Judge, Seen, Terms, Translator, distance


class PairedObjective(GANObjective):
    """`adversarial` times the loss of a GAN, plus `l1` and `matching` times the differences to the true picture, plus
    `contrast` times what it lacks of its description.
    """

    @property
    def measured_of_g(self) -> tuple[str, ...]:
        config = self.config
        judged = ("g_loss",) * (config.adversarial > 0)
        return (*judged, "l1", *("matching",) * (config.matching > 0), *("contrast",) * (config.contrast > 0))

    @property
    def compares_real(self) -> bool:
        return True

    def generator(self, G: Translator, D: Judge, seen: Seen) -> Terms:
        """Towards what D takes for real, and towards the true picture (equation 4)."""
        config = self.config
        assert seen.real is not None
        named = self._judged(D, seen) if config.needs_d else {}
        named["l1"] = distance(seen.fake, seen.real)
        weights = {"g_loss": config.adversarial} | {
            name: getattr(config, name) for name in ("l1", "matching", "contrast")
        }
        loss = torch.stack([weights[name] * term for name, term in named.items() if weights[name]]).sum()
        measured = {name: named[name].detach() for name in self.measured_of_g}
        return Terms(loss, {**measured, "l1": measured["l1"] / 2})  # with pixels in 0..1, as gan-eval has it

    def _judged(self, D: Judge, seen: Seen) -> dict[str, Tensor]:
        """The terms that ask D: its loss, and the mean difference of its features to those of the true picture."""
        config = self.config
        needs_real = self.traits.compares_pairs or config.matching > 0
        assert seen.real is not None
        with D.precision():
            condition = D.encoded(seen.condition)
            fake_logits, fake_maps = D.with_features(seen.fake, condition)
            with torch.no_grad():
                real_logits, real_maps = D.with_features(seen.real, condition) if needs_real else (fake_logits, [])
        named = {"g_loss": self.loss.generator(real_logits, fake_logits)} if config.adversarial else {}
        if config.matching:
            # Wang et al. 2018, pix2pixHD, equation 4.
            pairs = zip(fake_maps, real_maps, strict=True)
            named["matching"] = torch.stack([distance(a.float(), b.float()) for a, b in pairs]).mean()
        if config.contrast:
            named["contrast"] = self._contrast(D, fake_maps[-1], condition)
        return named
