"""Descriptions as vectors: attributes by a linear map, captions by a small recurrent network."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ganutils.runs.descriptions import TEXT

# Their weights are parameters of their own, and no layers, which architectures draw anew at the scale of theirs.


class AttributeEncoder(nn.Module):
    """Attributes [B, A] in 0..1 -> vectors [B, TEXT], of variance 1 at first."""

    def __init__(self, count: int):
        super().__init__()
        self.weight = nn.Parameter(nn.init.normal_(torch.empty(TEXT, count), 0.0, count**-0.5))

    def forward(self, attributes: Tensor) -> Tensor:
        return F.linear(2 * attributes - 1, self.weight).float()


class CaptionEncoder(nn.Module):
    """Tokens [B, L] -> vectors [B, TEXT] of mean 0 and variance 1: a vector for each word, a GRU each way over the
    sentence, and the maximum of what they say at each word. (Cho et al. 2014, equations 5 to 8; the maximum: Conneau et
    al. 2017, InferSent, section 3.2.2.)

    The maximum learns which word belongs to which: a unit may look for "red, and said of the upper one" at any place.
    The mean takes three times as long to tell a red star above a blue box from a blue star above a red box, and the
    last states are slower still.

    A sentence has the same vector however many zeros stand behind it; one without words has 0. The loop over words is
    plain: cuDNN's own neither promises the same bits each time, nor can be differentiated twice.
    """

    def __init__(self, words: int):
        super().__init__()
        half = TEXT // 2
        self.words = nn.Parameter(nn.init.normal_(torch.empty(words + 1, TEXT)))
        self.given = nn.Parameter(_drawn(2, TEXT, 3 * half))  # of both ways: reset and update, and the candidate
        self.given_bias = nn.Parameter(torch.zeros(2, 1, 3 * half))
        self.kept = nn.Parameter(_drawn(2, half, 3 * half))
        self.kept_bias = nn.Parameter(torch.zeros(2, 1, 3 * half))

    def forward(self, tokens: Tensor) -> Tensor:
        (count, length), half = tokens.shape, TEXT // 2
        both = torch.stack([tokens, tokens.flip(1)])  # (2, B, L): from the first word on, and from the last back
        are_words = (both > 0)[..., None]
        words = F.embedding(both.flatten(1), self.words)
        given = torch.baddbmm(self.given_bias, words, self.given).float().view(2, count, length, 3 * half)
        gates, candidates = given.split([2 * half, half], 3)
        state = given.new_zeros(2, count, half)
        most = torch.full_like(state, -1)  # no state is less
        # Not by slices, each of which would get a gradient as large as the whole.
        for gate, candidate, is_word in zip(gates.unbind(2), candidates.unbind(2), are_words.unbind(2), strict=True):
            kept_gates, kept = torch.baddbmm(self.kept_bias, state, self.kept).float().split([2 * half, half], 2)
            reset, update = torch.sigmoid(gate + kept_gates).chunk(2, 2)
            new = torch.tanh(torch.addcmul(candidate, reset, kept))
            state = torch.where(is_word, torch.lerp(new, state, update), state)
            most = torch.where(is_word, torch.maximum(most, state), most)
        return F.layer_norm(torch.cat([*most], 1), (TEXT,)) * are_words[0].any(1)


def _drawn(*shape: int) -> Tensor:
    """Weights as torch's own GRU draws them."""
    return nn.init.uniform_(torch.empty(*shape), -((TEXT // 2) ** -0.5), (TEXT // 2) ** -0.5)
