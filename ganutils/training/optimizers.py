"""Optimizers whose state is named tensors, which checkpoints hold and frozen networks keep."""

from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import Tensor, nn

from ganutils.runs.config import Config


class Optimizer:
    """What optimizers share: one or two moments of the gradient for each parameter of a network."""

    MOMENTS: ClassVar[tuple[str, ...]]

    def __init__(self, network: nn.Module, config: Config):
        self.config = config
        self.parameters: dict[str, Tensor] = dict(network.named_parameters())
        self.moments = {
            moment: {name: _zeros_like(p) for name, p in self.parameters.items()} for moment in self.MOMENTS
        }

    def step(self, gradients: Sequence[Tensor], lr: Tensor, count: Tensor) -> None:
        """Update the parameters in place, by the learning rate `lr` [].

        count  the number of updates, this one included, float32 []
        """
        raise TypeError("each optimizer has its own step")

    def _aligned(self, gradients: Sequence[Tensor]) -> list[Tensor]:
        """`gradients` with the strides of their parameters; with others kernels would pair up the wrong elements."""
        return [_in_layout_of(p, g) for p, g in zip(self.parameters.values(), gradients, strict=True)]

    def to(self, device: torch.device) -> None:
        """Follow the parameters to `device`."""
        for tensors in self.moments.values():
            tensors.update({name: tensor.to(device) for name, tensor in tensors.items()})

    def tensors(self) -> dict[str, Tensor]:
        """Its moments, by the names that they have in a checkpoint."""
        return {f"{moment}.{name}": t for moment, tensors in self.moments.items() for name, t in tensors.items()}


class Adam(Optimizer):
    """Kingma and Ba 2015, algorithm 1, with epsilon = 1e-8.

    It calls the kernel of `torch.optim.Adam(fused=True)`, whose constructor would import the whole
    of torch._dynamo: 0.85 s, more than most updates typed by hand take.
    """

    MOMENTS = ("exp_avg", "exp_avg_sq")

    def step(self, gradients: Sequence[Tensor], lr: Tensor, count: Tensor) -> None:
        parameters = list(self.parameters.values())
        with torch.no_grad():
            torch._fused_adam_(
                parameters,
                self._aligned(gradients),
                list(self.moments["exp_avg"].values()),
                list(self.moments["exp_avg_sq"].values()),
                [],
                [count] * len(parameters),
                lr=lr,
                beta1=self.config.beta1,
                beta2=self.config.beta2,
                weight_decay=0.0,
                eps=1e-8,
                amsgrad=False,
                maximize=False,
            )


class RMSprop(Optimizer):
    """Tieleman and Hinton 2012, lecture 6.5, with epsilon = 1e-7 and gradients cut to -1..1 (Krohn et al. 2019)."""

    MOMENTS = ("exp_avg_sq",)

    def step(self, gradients: Sequence[Tensor], lr: Tensor, count: Tensor) -> None:
        lists = [list(self.parameters.values()), self._aligned(gradients), list(self.moments["exp_avg_sq"].values())]
        # On CUDA all at once, since a launch costs more than the work; on a CPU each while it is in the cache.
        groups = [lists] if lr.is_cuda else [[[tensor] for tensor in three] for three in zip(*lists, strict=True)]
        with torch.no_grad():
            down = -lr
            for parameters, slopes, squares in groups:
                cut = torch._foreach_clamp_max(slopes, 1)
                torch._foreach_clamp_min_(cut, -1)
                torch._foreach_mul_(squares, self.config.beta2)
                torch._foreach_addcmul_(squares, cut, cut, 1 - self.config.beta2)
                roots = torch._foreach_sqrt(squares)
                torch._foreach_add_(roots, 1e-7)
                torch._foreach_mul_(cut, down)
                torch._foreach_addcdiv_(parameters, cut, roots)


OPTIMIZERS: dict[str, type[Optimizer]] = {"adam": Adam, "rmsprop": RMSprop}


def _zeros_like(parameter: Tensor) -> Tensor:
    """torch.zeros_like, which on the meta device (where checkpoints are checked) imports sympy: 0.7 s."""
    return parameter.detach().clone().zero_()


def _in_layout_of(parameter: Tensor, gradient: Tensor) -> Tensor:
    if gradient.stride() == parameter.stride():
        return gradient
    return torch.empty_like(parameter).copy_(gradient)
