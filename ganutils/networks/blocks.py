"""A generator that starts from a picture, and changes it in residual blocks at a quarter of its size."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ganutils.networks.condition import Condition
from ganutils.networks.conditioning import Conditioning
from ganutils.networks.layers import norm_of
from ganutils.runs.config import Config

HALVINGS = 2


class Blocks(nn.Module):
    """7x7, two 3x3 of stride 2, residual blocks, twice doubled and 3x3, 7x7 (Johnson et al. 2016, "Perceptual Losses";
    Zhu et al. 2017, CycleGAN, section 4 and appendix 7.2).

    Borders are reflected. Maps are enlarged by the nearest point before a convolution, not by a transposed one, which
    leaves a checkerboard (Odena et al. 2016). Pictures of any size; what is doubled is cut to the size it had.
    """

    def __init__(self, config: Config):
        super().__init__()
        assert config.inputs is not None
        kind = config.norm_of_g
        wide = [config.width * 2**i for i in range(HALVINGS + 1)]
        self.first = Convolution(config.inputs[2], wide[0], 7, kind)
        self.downs = nn.ModuleList(Convolution(a, 2 * a, 3, kind, stride=2) for a in wide[:-1])
        self.classes = Conditioning(config, wide[-1])
        self.blocks = nn.ModuleList(Block(wide[-1], kind) for _ in range(config.blocks))
        self.ups = nn.ModuleList(Convolution(2 * a, a, 3, kind) for a in reversed(wide[:-1]))
        self.last = Convolution(wide[0], config.shape[2], 7, "none")
        self.step = 2**HALVINGS  # see Hourglass
        self.reach = 2 * 3 + 2 * (self.step - 1) + self.step * (2 * config.blocks + 1)

    def forward(self, z: Tensor | None, condition: Condition) -> Tensor:
        x = condition.inputs
        assert x is not None
        x, sizes = F.relu(self.first(x)), []
        for down in self.downs:
            sizes.append(x.shape[2:])
            x = F.relu(down(x))
        x = self.classes.shifted(x, condition)
        for block in self.blocks:
            x = block(x)
        for up, (h, w) in zip(self.ups, reversed(sizes), strict=True):
            x = F.relu(up(F.interpolate(x, scale_factor=2)[:, :, :h, :w]))
        return torch.tanh(self.last(x).float())


class Block(nn.Module):
    """x + norm(conv(relu(norm(conv(x)))))"""

    def __init__(self, width: int, kind: str):
        super().__init__()
        self.convs = nn.ModuleList(Convolution(width, width, 3, kind) for _ in range(2))

    def forward(self, x: Tensor) -> Tensor:
        first, second = self.convs
        y: Tensor = x + second(F.relu(first(x)))
        return y


class Convolution(nn.Module):
    """A convolution with reflected borders, and a normalization: maps [B, C, h, w] -> [B, D, h / stride, …]."""

    def __init__(self, channels: int, out_channels: int, side: int, kind: str, stride: int = 1):
        super().__init__()
        self.conv = nn.Conv2d(channels, out_channels, side, stride, bias=kind == "none")
        self.norm = norm_of(kind, out_channels)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.norm(self.conv(reflected(x, self.conv.kernel_size[0] // 2)))
        return y


def reflected(x: Tensor, by: int) -> Tensor:
    """Maps with `by` more points on each side, mirrored at the border; copies of it where a map is no larger than that.

    On GPUs torch's own gradient adds up in any order; the one here has the same bits on every run.
    """
    if min(x.shape[2:]) <= by:
        return F.pad(x, [by] * 4, "replicate")
    if torch.compiler.is_exporting():  # a graph has one node there
        return F.pad(x, [by] * 4, "reflect")
    y: Tensor = _Reflected.apply(x, by)
    return y


class _Reflected(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, by: int) -> Tensor:
        ctx.by = by
        return F.pad(x, [by] * 4, "reflect")

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        for axis in (2, 3):
            gradient = _folded(gradient, axis, ctx.by)
        return gradient, None


def _folded(gradient: Tensor, axis: int, by: int) -> Tensor:
    """The gradient of a map whose borders of `by` points along `axis` mirror what is beside the outermost ones."""
    length = gradient.shape[axis] - 2 * by
    inner = gradient.narrow(axis, by, length).clone()
    inner.narrow(axis, 1, by).add_(gradient.narrow(axis, 0, by).flip(axis))
    inner.narrow(axis, length - 1 - by, by).add_(gradient.narrow(axis, length + by, by).flip(axis))
    return inner
