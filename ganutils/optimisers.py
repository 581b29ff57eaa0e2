"""Adam with its state in named tensors, so that a checkpoint holds it and a frozen network's stays as it was."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn


class Adam:
    """Kingma and Ba 2015, algorithm 1, with beta2 = 0.999 and epsilon = 1e-8.

    It calls the kernel of `torch.optim.Adam(fused=True)`, whose constructor would import the whole
    of torch._dynamo: 0.85 s, more than most updates typed by hand take.
    """

    def __init__(self, network: nn.Module, beta1: float):
        self.beta1 = beta1
        self.parameters = dict(network.named_parameters())
        self.exp_avg = {name: torch.zeros_like(p) for name, p in self.parameters.items()}
        self.exp_avg_sq = {name: torch.zeros_like(p) for name, p in self.parameters.items()}

    def step(self, gradients: Sequence[Tensor], lr: float, count: int) -> None:
        """Update the parameters in place; `count` is the number of updates, this one included."""
        parameters: list[Tensor] = list(self.parameters.values())
        done = torch.tensor(float(count), device=parameters[0].device)
        with torch.no_grad():
            torch._fused_adam_(
                parameters,
                [_in_layout_of(p, g) for p, g in zip(parameters, gradients, strict=True)],
                list(self.exp_avg.values()),
                list(self.exp_avg_sq.values()),
                [],
                [done] * len(parameters),
                lr=lr,
                beta1=self.beta1,
                beta2=0.999,
                weight_decay=0.0,
                eps=1e-8,
                amsgrad=False,
                maximize=False,
            )

    def to(self, device: torch.device) -> None:
        """Follow the parameters to `device`."""
        self.exp_avg = {name: tensor.to(device) for name, tensor in self.exp_avg.items()}
        self.exp_avg_sq = {name: tensor.to(device) for name, tensor in self.exp_avg_sq.items()}

    def tensors(self) -> dict[str, Tensor]:
        """Its moments by name: what a checkpoint holds of it."""
        moments = {"exp_avg": self.exp_avg, "exp_avg_sq": self.exp_avg_sq}
        return {f"{moment}.{name}": tensor for moment, of in moments.items() for name, tensor in of.items()}


def _in_layout_of(parameter: Tensor, gradient: Tensor) -> Tensor:
    """`gradient` with the strides of `parameter`; without them the kernel pairs up the wrong elements."""
    if gradient.stride() == parameter.stride():
        return gradient
    return torch.empty_like(parameter).copy_(gradient)
