"""Batch norm over the whole batch of several processes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import torch
from torch import Tensor, nn


class Team(Protocol):
    """What is asked of a `compute.distributed.Team`."""

    rank: int
    count: int

    def mean(self, tensors: Sequence[Tensor]) -> list[Tensor]:
        """The mean of each tensor over the processes."""


class _Mean(torch.autograd.Function):
    """The mean over the processes, forwards and backwards."""

    @staticmethod
    def forward(ctx: Any, values: Tensor, team: Team) -> Tensor:
        ctx.team = team
        return team.mean([values.clone()])[0]

    @staticmethod
    def backward(ctx: Any, gradients: Tensor) -> tuple[Tensor, None]:
        return _Mean.apply(gradients, ctx.team), None


class SharedBatchNorm(nn.modules.batchnorm._BatchNorm):
    """Batch norm by the mean and variance of the whole batch, over all processes (torch's own has no CPU version).

    In float32, and the variance around the mean: as E[x^2] - mean^2 it would be noise, even negative, where the mean is
    large.
    """

    team: Team

    def _check_input_dim(self, x: Tensor) -> None:
        """Maps [B, C, H, W] and units [B, C] are both accepted."""

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return super().forward(x)
        shape = (1, -1, *[1] * (x.dim() - 2))
        mean, variance = self._statistics(x.float())
        if self.track_running_stats:
            self._track(mean, variance, x.numel() // x.shape[1] * self.team.count)
        scale = self.weight * (variance + self.eps).rsqrt()
        return ((x.float() - mean.view(shape)) * scale.view(shape) + self.bias.view(shape)).to(x.dtype)

    def _statistics(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and variance of the whole batch, [C] each, merged from those of the parts, which are equally large.

        Each part's are gathered in one message (Chan et al. 1979, equation 2.1).
        """
        rest = [axis for axis in range(x.dim()) if axis != 1]
        variance, mean = torch.var_mean(x, rest, correction=0)
        own = x.new_zeros(self.team.count, 1, 1)
        own[self.team.rank] = self.team.count
        means, variances = _Mean.apply(own * torch.stack([mean, variance]), self.team).unbind(1)  # (parts, C) each
        mean = means.mean(0)
        return mean, (variances + (means - mean).square()).mean(0)

    @torch.no_grad()
    def _track(self, mean: Tensor, variance: Tensor, count: int) -> None:
        """Move the running statistics towards those of a batch of `count` numbers a channel."""
        unbiased = variance * count / (count - 1)
        for running, now in ((self.running_mean, mean), (self.running_var, unbiased)):
            running.lerp_(now, self.momentum)  # type: ignore[union-attr, arg-type]
        self.num_batches_tracked.add_(1)  # type: ignore[union-attr]


def share_batch_norm(network: nn.Module, team: Team) -> None:
    """Make the batch norms of `network` shared by `team`; their parameters and buffers stay the same tensors."""
    for module in network.modules():
        if type(module) in (nn.BatchNorm1d, nn.BatchNorm2d):
            module.__class__ = SharedBatchNorm
            vars(module)["team"] = team
