"""Layers that the networks share, and the sizes of their feature maps."""

from __future__ import annotations

import functools
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ganutils.runs.config import Config

SMALL_MAP, MANY_WEIGHTS = 16, 1 << 21  # 4x4 points; 256 channels x 512 x 4 x 4
FEW = 3  # channels: those of a picture
EPSILON = 1e-5  # of a variance, as in torch's norms


class InstanceNorm(nn.Module):
    """Each map of each picture gets mean 0 and variance 1 (Ulyanov et al. 2016), then its channel's gain and shift.

    So a picture does not depend on the others of its batch. A map of one point becomes 0 before them.
    """

    def __init__(self, channels: int):
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.ones(channels)), nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        if x.device.type != "cpu" or torch.compiler.is_exporting():
            # F.instance_norm would leave channels_last, and F.group_norm refuses a single point.
            return torch.group_norm(x, x.shape[1], self.weight, self.bias)
        y: Tensor = _InstanceNorm.apply(x.to(self.weight.dtype), self.weight, self.bias)
        return y.to(x.dtype)


class _InstanceNorm(torch.autograd.Function):
    """Instance norm of maps that are channels_last, which torch's kernels for a CPU take five times as long for.

    As sums over whole maps, forwards and backwards. Its gradient has one too.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        ctx.save_for_backward(x, weight)
        normal, _ = _normalized(x)
        return torch.addcmul(bias[:, None, None], normal, weight[:, None, None])

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        x, weight = ctx.saved_tensors
        normal, scale = _normalized(x)
        of_bias, of_weight = (each.sum((2, 3), keepdim=True) for each in (gradient, gradient * normal))
        points = x[0, 0].numel()
        of_normal = gradient - of_bias / points - normal * (of_weight / points)
        return of_normal * (scale * weight[:, None, None]), of_weight.sum((0, 2, 3)), of_bias.sum((0, 2, 3))


def _normalized(x: Tensor) -> tuple[Tensor, Tensor]:
    """Each map of `x` [B, C, h, w] with mean 0 and variance 1, and what it was multiplied by, [B, C, 1, 1]."""
    centered = x - x.mean((2, 3), keepdim=True)
    scale = (centered.square().mean((2, 3), keepdim=True) + EPSILON).rsqrt()
    return centered * scale, scale


def norm_of(kind: str, channels: int) -> nn.Module:
    """The normalization of maps called `kind`: batch, instance or none."""
    if kind == "none":
        return nn.Identity()
    return nn.BatchNorm2d(channels) if kind == "batch" else InstanceNorm(channels)


def padded(x: Tensor) -> Tensor:
    """Maps with even sides: odd ones get a last row or column of zeros."""
    pad = (0, x.shape[3] % 2, 0, x.shape[2] % 2)
    is_free = torch.compiler.is_exporting() and not all(
        isinstance(n, int) for n in pad
    )  # sides that a graph leaves open
    return F.pad(x, pad) if is_free or any(pad) else x


class Downsample(nn.Conv2d):
    """Convolution 4x4 of stride 2: maps [B, C, 2h, 2w] -> [B, D, h, w]."""

    def __init__(self, channels: int, out_channels: int, bias: bool):
        super().__init__(channels, out_channels, 4, 2, 1, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        h, w = x.shape[2] // 2, x.shape[3] // 2
        is_gray = self.in_channels == 1 and x.requires_grad  # oneDNN is slow at a gradient of one channel
        if not faster_as_product(x, is_gray, h * w, self.weight):
            return super().forward(x)
        weight = self.weight.permute(0, 2, 3, 1).flatten(1)  # (D, 4 * 4 * C)
        y: Tensor = F.linear(_Windows.apply(x).flatten(3), weight, self.bias)
        return y.permute(0, 3, 1, 2)


class Upsample(nn.ConvTranspose2d):
    """Transposed convolution 4x4 of stride 2: maps [B, D, h, w] -> [B, C, 2h, 2w]."""

    def __init__(self, channels: int, out_channels: int, bias: bool):
        super().__init__(channels, out_channels, 4, 2, 1, bias=bias)

    def forward(self, x: Tensor, output_size: list[int] | None = None) -> Tensor:
        is_full = not torch.is_autocast_enabled(x.device.type)  # in bf16 only gray pictures gain
        has_few = self.out_channels <= (FEW if is_full else 1)
        if not faster_as_product(x, has_few, x[0, 0].numel(), self.weight):
            return super().forward(x, output_size)
        y: Tensor = _Picture.apply(x, self.weight) if has_few and is_full else _spread(x, self.weight)
        return y if self.bias is None else y + self.bias[:, None, None]


def _spread(x: Tensor, weight: Tensor) -> Tensor:
    """The transposed convolution of Upsample, as a matrix product."""
    windows = x.permute(0, 2, 3, 1) @ weight.permute(0, 2, 3, 1).flatten(1)  # (D, 4 * 4 * C)
    y: Tensor = _Overlap.apply(windows.unflatten(3, (4, 4, -1)))
    return y


class _Picture(torch.autograd.Function):
    """_spread to few channels, with the gradient of the convolution: only forwards is the product the faster one."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor) -> Tensor:
        ctx.save_for_backward(x, weight)
        return _spread(x, weight)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor | None]:
        x, weight = ctx.saved_tensors
        needed = [*ctx.needs_input_grad, False]
        both: tuple[Tensor | None, ...] = torch.ops.aten.convolution_backward(
            gradient, x, weight, None, [2, 2], [1, 1], [1, 1], True, [0, 0], 1, needed
        )
        return both[0], both[1]


class ToLogit(nn.Conv2d):
    """Convolution of stride 1 to a single map of the same size: maps [B, C, h, w] -> [B, 1, h, w]; zeros lie around."""

    def __init__(self, channels: int, side: int):
        super().__init__(channels, 1, side)

    def forward(self, x: Tensor) -> Tensor:
        side = self.kernel_size[0]
        if not faster_as_product(x, True, x[0, 0].numel(), self.weight):
            return super().forward(F.pad(x, same(side)))
        taps = x.permute(0, 2, 3, 1) @ self.weight[0].flatten(1)  # (B, h, w, side * side): a point's part in each logit
        y: Tensor = _Met.apply(taps.unflatten(3, (side, side)))
        return y[:, None] if self.bias is None else y[:, None] + self.bias


def same(side: int) -> tuple[int, int, int, int]:
    """How many zeros around a map leave it at its size, in a convolution of stride 1 with a kernel of that side."""
    before, after = (side - 1) // 2, side // 2
    return before, after, before, after


class _Met(torch.autograd.Function):
    """The sum of the parts [B, h, w, side, side] that points have in each point around them: [B, h, w].

    In one sum over a view: as many slices would get as many gradients, each a map of zeros but for its own part.
    """

    @staticmethod
    def forward(ctx: Any, parts: Tensor) -> Tensor:
        b, h, w, side, _ = parts.shape
        ctx.side = side
        bordered = F.pad(parts.flatten(3), (0, 0, *same(side)))
        a, i, j, _ = bordered.stride()
        return bordered.as_strided((b, h, w, side, side), (a, i, j, i + side, j + 1)).sum((3, 4))

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        y: Tensor = _Around.apply(gradient, ctx.side)
        return y


class _Around(torch.autograd.Function):
    """The adjoint of _Met: for each point of maps [B, h, w] those that it has a part in: [B, h, w, side, side]."""

    @staticmethod
    def forward(ctx: Any, y: Tensor, side: int) -> Tensor:
        before, after, *_ = same(side)
        bordered = F.pad(y, (after, before, after, before))
        return bordered.unfold(1, side, 1).unfold(2, side, 1).flip(3, 4)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        return _Met.apply(gradient), None


def leaky(x: Tensor) -> Tensor:
    """The leaky ReLU of slope 0.2; x, which nothing else may need, is overwritten: new memory is slow to write to."""
    return F.leaky_relu(x, 0.2, inplace=not x._is_view())  # in place, a view costs autograd three copies


def joined(first: Tensor, second: Tensor) -> Tensor:
    """The ReLU of the channels of two maps [B, C, h, w] in one; each gets a gradient that lies as it does itself.

    That of torch.cat is a view, in which batch norm's own gradient takes ten times as long.
    """
    y: Tensor = _Joined.apply(first, second)
    return y


class _Joined(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, first: Tensor, second: Tensor) -> Tensor:
        y = torch.cat([first, second], 1).relu_()
        ctx.channels = first.shape[1]
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor]:
        (y,) = ctx.saved_tensors
        first, second = (
            torch.ops.aten.threshold_backward(slope, part, 0).contiguous(memory_format=torch.channels_last)
            for slope, part in zip(
                gradient.tensor_split([ctx.channels], 1), y.tensor_split([ctx.channels], 1), strict=True
            )
        )
        return first, second


def faster_as_product(x: Tensor, has_few: bool, points: int, weight: Tensor) -> bool:
    """Whether a convolution to or from a map of `points` points is faster as a matrix product, with the same result.

    On CPUs oneDNN is slow at the gradient of many weights over a small map (2.7 times slower than the product in
    float32, 6 times with the matrix units of bfloat16, at 256 -> 512 channels and 8x8 -> 4x4), and at few channels: at
    gray pictures and their gradients (3 times slower), and at making colored ones (twice, in float32).

    has_few  whether this is one that is slow by its few channels
    """
    is_slow = has_few or (points <= SMALL_MAP and weight.numel() >= MANY_WEIGHTS)
    return is_slow and x.device.type == "cpu" and not torch.compiler.is_exporting()  # a graph has one convolution there


class _Windows(torch.autograd.Function):
    """The 4x4 windows, two apart, of maps [B, C, 2h, 2w] with a border of zeros: [B, h, w, 4, 4, C]."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        bordered = F.pad(x.permute(0, 2, 3, 1), (0, 0, 1, 1, 1, 1))
        return bordered.unfold(1, 4, 2).unfold(2, 4, 2).permute(0, 1, 2, 4, 5, 3).contiguous()

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        y: Tensor = _Overlap.apply(gradient)
        return y


class _Overlap(torch.autograd.Function):
    """The adjoint of _Windows: windows [B, h, w, 4, 4, C] added up where they overlap, without the border."""

    @staticmethod
    def forward(ctx: Any, windows: Tensor) -> Tensor:
        b, h, w, _, _, c = windows.shape
        halves = windows.reshape(b, h, w, 2, 2, 2, 2, c)  # a window is 2x2 blocks of 2x2 points
        blocks = windows.new_zeros(b, h + 1, 2, w + 1, 2, c)
        for i in range(2):
            for j in range(2):
                blocks[:, i : i + h, :, j : j + w] += halves[:, :, :, i, :, j].permute(0, 1, 3, 2, 4, 5)
        return blocks.view(b, 2 * h + 2, 2 * w + 2, c)[:, 1:-1, 1:-1].permute(0, 3, 1, 2)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        y: Tensor = _Windows.apply(gradient)
        return y


def resize(x: Tensor, size: tuple[int, int]) -> Tensor:
    """Maps [B, C, h, w] to `size` by bilinear interpolation.

    On GPUs torch's own gradient adds up in any order; the one here has the same bits on every run.
    """
    if x.device.type == "cpu":
        return F.interpolate(x, size, mode="bilinear", align_corners=False)
    y: Tensor = _Resize.apply(x, size)
    return y


class _Resize(torch.autograd.Function):
    """Bilinear interpolation of maps [B, C, h, w] to a size."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, size: tuple[int, int]) -> Tensor:
        ctx.size = x.shape[2:]
        y: Tensor = torch.ops.aten.upsample_bilinear2d(x, size, False)  # F.interpolate would take index_put
        return y

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        return _Gather.apply(gradient, ctx.size), None


class _Gather(torch.autograd.Function):
    """The adjoint of _Resize, from maps [B, C, H, W] to the size that it began with, in float32 or better."""

    @staticmethod
    def forward(ctx: Any, y: Tensor, size: tuple[int, int]) -> Tensor:
        ctx.size = y.shape[2:]
        exact = y if y.dtype == torch.float64 else y.float()
        rows, columns = (
            _weights(small, large, exact.dtype, y.device) for small, large in zip(size, ctx.size, strict=True)
        )
        with torch.autocast(y.device.type, enabled=False):
            x = rows @ (exact @ columns.mT)
        return x.to(y.dtype).contiguous(memory_format=torch.channels_last)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        return _Resize.apply(gradient, ctx.size), None


@functools.lru_cache
def _weights(small: int, large: int, dtype: torch.dtype, device: torch.device) -> Tensor:
    """What each of `large` points takes of each of `small` ones: [small, large]."""
    return F.interpolate(torch.eye(small, dtype=torch.double)[None], large, mode="linear")[0].to(dtype).to(device)


def map_sizes(height: int, width: int) -> list[tuple[int, int]]:
    """Sizes of the feature maps, from the picture down to at most 4 x 4, halved each time (odd sizes rounded up)."""
    sizes = [(height, width)]
    while max(sizes[-1]) > 4 or len(sizes) == 1:
        sizes.append(tuple((n + 1) // 2 for n in sizes[-1]))  # type: ignore[arg-type]
    return sizes


def map_channels(config: Config) -> list[int]:
    """Channels of those maps: the picture's, then `width` doubling with each halving, up to 8 times `width`."""
    count = len(map_sizes(*config.shape[:2])) - 1
    return [config.shape[2], *(config.width * min(2**i, 8) for i in range(count))]
