"""The two players where there are two sets of pictures, domains a and b, without pairs: each is two networks."""

from __future__ import annotations

import functools
from collections.abc import Callable

import torch
from torch import Tensor, nn

from ganutils.networks.condition import NOTHING, Condition
from ganutils.runs.config import Config

A, B = 0, 1  # labels of the domains


class Translators(nn.Module):
    """`there` makes pictures of domain b of those of a, `back` those of a of those of b (Zhu et al. 2017, CycleGAN).

    A label names the domain that a picture is to be of. Without labels the first half of a batch goes there, and the
    second back.
    """

    def __init__(self, config: Config, make: Callable[[Config], nn.Module]):
        super().__init__()
        self.there, self.back = make(config), make(config)
        self.step, self.reach = self.there.step, self.there.reach

    def forward(self, z: Tensor | None, condition: Condition) -> Tensor:
        inputs = condition.inputs
        assert inputs is not None
        if condition.labels is None:
            return torch.cat([make() for make in self.directions(inputs)])
        there, back = (lambda x, one=one: one(None, Condition(inputs=x)) for one in (self.there, self.back))
        return _each(inputs, condition.labels, {B: there, A: back})

    def directions(self, inputs: Tensor) -> list[Callable[[], Tensor]]:
        """What sends the first half of a batch there, and what sends the second back."""
        pairs = zip((self.there, self.back), inputs.chunk(2), strict=True)
        return [functools.partial(one, None, Condition(inputs=half)) for one, half in pairs]


class Discriminators(nn.Module):
    """`a` judges pictures of domain a, `b` those of domain b: a label names the domain that a picture is judged by."""

    def __init__(self, config: Config, make: Callable[[Config], nn.Module]):
        super().__init__()
        self.a, self.b = make(config), make(config)

    def forward(self, x: Tensor, condition: Condition = NOTHING) -> Tensor:
        assert condition.labels is not None
        return _each(x, condition.labels, {A: self.a, B: self.b})


def _each(x: Tensor, labels: Tensor, networks: dict[int, Callable[[Tensor], Tensor]]) -> Tensor:
    """What the network of its label makes of each of `x`."""
    rows = {label: (labels == label).nonzero()[:, 0] for label in networks}
    parts = [network(x[rows[label]]) for label, network in networks.items() if len(rows[label])]
    order = torch.cat(list(rows.values())).argsort()
    return torch.cat(parts)[order]
