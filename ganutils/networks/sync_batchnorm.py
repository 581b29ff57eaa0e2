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
    """Batch norm by the mean and variance of the whole batch, over all processes (torch's own has no CPU version)."""

    def _check_input_dim(self, x: Tensor) -> None:
        """Maps [B, C, H, W] and units [B, C] are both taken."""

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return super().forward(x)
        wide = x.float()
        rest = [axis for axis in range(x.dim()) if axis != 1]
        moments = torch.stack([wide.mean(rest), wide.square().mean(rest)])
        mean, square = _Mean.apply(moments)
        variance = square - mean.square()
        if self.track_running_stats:
            count = x.numel() // x.shape[1] * dist.get_world_size()
            with torch.no_grad():
                for kept, now in ((self.running_mean, mean), (self.running_var, variance * count / (count - 1))):
                    kept.lerp_(now, self.momentum)  # type: ignore[union-attr, arg-type]
                self.num_batches_tracked.add_(1)  # type: ignore[union-attr]
        scale = self.weight * (variance + self.eps).rsqrt()
        shift = self.bias - mean * scale
        scale, shift = (values.view(-1, *[1] * (x.dim() - 2)).to(x.dtype) for values in (scale, shift))
        return x * scale + shift


def share_batch_norm(network: nn.Module) -> None:
    """Make the batch norms of `network` shared; their parameters and buffers stay the tensors they are."""
    for module in network.modules():
        if type(module) in (nn.BatchNorm1d, nn.BatchNorm2d):
            module.__class__ = SharedBatchNorm
