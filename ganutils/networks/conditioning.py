"""How a condition gets into a network: as a vector that is added to it, put beside it, or projected on."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from ganutils.networks.condition import Condition
from ganutils.networks.encoders import AttributeEncoder, CaptionEncoder
from ganutils.runs.config import Config
from ganutils.runs.descriptions import TEXT


class Conditioning(nn.Module):
    """A vector of `length` numbers for each condition: a learned one for each class, or a linear map of what an encoder
    makes of attributes or words. Without any of these it has no parameters and changes nothing.

    In networks it is called `classes`, as it was when it knew classes alone: so checkpoints have it.
    """

    def __init__(self, config: Config, length: int, mapped: int | None = None):
        """`mapped`: what the map gives, if that is not `length`; 0 = there is no map."""
        super().__init__()
        mapped = length if mapped is None else mapped
        self.embedding = nn.Embedding(config.classes, length) if config.classes else None
        self.encoder = encoder_of(config)
        self.map = nn.Linear(TEXT, mapped, bias=False) if config.is_described and mapped else None

    def encoded(self, condition: Condition) -> Condition:
        """With the `text` of its description in place of that, so that several passes need not read it again."""
        if self.encoder is None or condition.text is not None:
            return condition
        given = condition.attributes if condition.tokens is None else condition.tokens
        return condition if given is None else Condition(condition.labels, condition.inputs, text=self.encoder(given))

    def vectors(self, condition: Condition) -> Tensor | None:
        """Of each condition: [B, length]; None if there is none."""
        if self.embedding is not None:
            return None if condition.labels is None else self.embedding(condition.labels)
        text = self.encoded(condition).text
        return None if self.map is None or text is None else self.map(text)

    def shifted(self, maps: Tensor, condition: Condition) -> Tensor:
        """Maps [B, C, h, w] with the vectors of their conditions added at every point."""
        vectors = self.vectors(condition)
        return maps if vectors is None else maps + vectors[:, :, None, None]

    def projected(self, logits: Tensor, features: Tensor, condition: Condition) -> Tensor:
        """Logits [B] plus the product of features [B, F] with the vectors of their conditions, kept of order 1.

        Or those of patches: logits [B, h, w] of features [B, F, h, w]. (Miyato and Koyama 2018, equation 3.)
        """
        vectors = self.vectors(condition)
        if vectors is None:
            return logits
        vectors = vectors.view(*vectors.shape, *[1] * (features.dim() - 2))  # len() would be no free batch in a graph
        return logits + (vectors * features).sum(1) / features.shape[1] ** 0.5


class OfLatents(Conditioning):
    """Latents [B, Z], and conditions with them: [B, length]. Vectors of classes are added; what an encoder makes of a
    description is put in front, or, with --kl, a draw around it in place of the first half.

    That is mu + sigma * eps (Zhang et al. 2017, StackGAN, section 3.2), and eps is that half: the same latent and
    description give the same sample.
    """

    def __init__(self, config: Config):
        draws = config.z_dim // 2 if config.kl else 0
        super().__init__(config, config.z_dim, 2 * draws)  # mu, and the logarithm of sigma squared
        self.draws = draws
        self.length = config.z_dim + (TEXT if config.is_described and not self.draws else 0)

    def joined(self, z: Tensor, condition: Condition) -> Tensor:
        if self.encoder is None:
            vectors = self.vectors(condition)
            return z if vectors is None else z + vectors
        text = self.encoded(condition).text
        if text is None:
            raise ValueError("a generator with an encoder needs a description")
        if self.map is None:
            return torch.cat([text, z], 1)
        mu, log_variance = self.map(text).float().chunk(2, 1)
        return torch.cat([mu + torch.exp(log_variance / 2) * z[:, : self.draws], z[:, self.draws :]], 1)

    def divergence(self, condition: Condition) -> Tensor:
        """KL(N(mu, sigma^2) || N(0, 1)), the mean over the batch and its numbers (StackGAN, equation 2)."""
        text = self.encoded(condition).text
        assert text is not None and self.map is not None
        mu, log_variance = self.map(text).float().chunk(2, 1)
        return (mu.square() + torch.exp(log_variance) - 1 - log_variance).mean() / 2


class OfFeatures(Conditioning):
    """Features [B, F] of D, or those of patches, and conditions: projected, and with --contrast matched.

    With `d_classes` a sample's class is told by them, not given.
    """

    def __init__(self, config: Config, length: int):
        super().__init__(config, length)
        self.match = nn.Linear(length, TEXT) if config.contrast else None
        self.kinds = nn.Linear(length, config.d_classes) if config.d_classes else None

    def projected(self, logits: Tensor, features: Tensor, condition: Condition) -> Tensor:
        if self.kinds is None:
            return super().projected(logits, features, condition)
        # A sample is real if it is a real one of any class (Salimans et al. 2016, "Improved Techniques for Training
        # GANs", section 5, but for the mean in place of the sum, with which D begins at 0).
        return logits + torch.logsumexp(self.told(features), 1) - math.log(self.kinds.out_features)

    def told(self, features: Tensor) -> Tensor:
        """Logits of the classes: [B, K]."""
        assert self.kinds is not None
        logits: Tensor = self.kinds(features)
        return logits.float()

    def matched(self, features: Tensor) -> Tensor:
        """What is compared with the `text` of conditions: [B, TEXT]."""
        assert self.match is not None
        matched: Tensor = self.match(features.flatten(2).mean(2) if features.dim() > 2 else features)
        return matched.float()


def encoder_of(config: Config) -> nn.Module | None:
    """What makes vectors of attributes or words; None for a network without."""
    if config.words:
        return CaptionEncoder(config.words)
    return AttributeEncoder(config.attributes) if config.attributes else None
