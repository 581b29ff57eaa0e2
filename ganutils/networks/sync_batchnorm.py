"""Batch norm over the whole batch of several processes."""

from __future__ import annotations

from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn


class _Mean(torch.autograd.Function):
    """The mean over the processes, forwards and backwards."""

    @staticmethod
    def forward(ctx: Any, values: Tensor) -> Tensor:
        values = values.clone()
        dist.all_reduce(values)
        return values / dist.get_world_size()

    @staticmethod
    def backward(ctx: Any, gradients: Tensor) -> Tensor:
        return _Mean.apply(gradients)


class SharedBatchNorm(nn.modules.batchnorm._BatchNorm):
    """Batch norm by the mean and variance of the whole batch, over all processes (torch's own has no CPU version).

    In float32, and the variance around the mean: as E[x^2] - mean^2 it would be noise, even negative, where the mean is
    large.
    """

    def _check_input_dim(self, x: Tensor) -> None:
        """Maps [B, C, H, W] and units [B, C] are both accepted."""

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return super().forward(x)
        rest = [axis for axis in range(x.dim()) if axis != 1]
        shape = (1, -1, *[1] * (x.dim() - 2))
        mean = _Mean.apply(x.float().mean(rest))
        centered = x.float() - mean.view(shape)
        variance = _Mean.apply(centered.square().mean(rest))
        if self.track_running_stats:
            self._track(mean, variance, x.numel() // x.shape[1] * dist.get_world_size())
        scale = self.weight * (variance + self.eps).rsqrt()
        return (centered * scale.view(shape) + self.bias.view(shape)).to(x.dtype)

    @torch.no_grad()
    def _track(self, mean: Tensor, variance: Tensor, count: int) -> None:
        """Move the running statistics towards those of a batch of `count` numbers a channel."""
        unbiased = variance * count / (count - 1)
        for running, now in ((self.running_mean, mean), (self.running_var, unbiased)):
            running.lerp_(now, self.momentum)  # type: ignore[union-attr, arg-type]
        self.num_batches_tracked.add_(1)  # type: ignore[union-attr]


def share_batch_norm(network: nn.Module) -> None:
    """Make the batch norms of `network` shared; their parameters and buffers stay the same tensors."""
    for module in network.modules():
        if type(module) in (nn.BatchNorm1d, nn.BatchNorm2d):
            module.__class__ = SharedBatchNorm
