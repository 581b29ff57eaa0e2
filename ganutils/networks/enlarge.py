"""A generator that enlarges pictures: super resolution."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from ganutils.networks.condition import Condition
from ganutils.networks.conditioning import Conditioning
from ganutils.networks.layers import norm_of
from ganutils.runs.config import Config


class Enlarge(nn.Module):
    """Residual blocks of 3x3 convolutions at the input's size, then pixel shuffle; its output is what bicubic
    enlargement lacks. (Ledig et al. 2017, SRGAN, figure 4; without batch norm: Lim et al. 2017, EDSR.)

    Pictures of any size become `scale` times as large.
    """

    def __init__(self, config: Config):
        super().__init__()
        assert config.inputs is not None
        self.scale, self.channels = config.scale, config.shape[2]
        width, kind = config.width, config.norm_of_g
        self.first = nn.Conv2d(config.inputs[2], width, 3, padding=1)
        self.classes = Conditioning(config, width)
        self.blocks = nn.ModuleList(Block(width, kind) for _ in range(config.blocks))
        self.ups = nn.ModuleList(Shuffle(width, factor) for factor in factors(self.scale))
        self.last = nn.Conv2d(width, config.shape[2], 3, padding=1)
        self.step = 1  # see Hourglass
        self.reach = _reach(self.scale, config.blocks)

    def forward(self, z: Tensor | None, condition: Condition) -> Tensor:
        inputs = condition.inputs
        assert inputs is not None
        first = self.classes.shifted(F.leaky_relu(self.first(inputs), 0.2), condition)
        x = first
        for block in self.blocks:
            x = block(x)
        x = x + first
        for up in self.ups:
            x = F.leaky_relu(up(x), 0.2)
        return (self.last(x).float() + self._base(inputs)).clamp(-1, 1)

    def _base(self, inputs: Tensor) -> Tensor:
        """The inputs, bicubically enlarged, with the channels of the output."""
        c = inputs.shape[1]
        base = inputs if c == self.channels else inputs.mean(1, keepdim=True).expand(-1, self.channels, -1, -1)
        if self.scale == 1:
            return base
        return F.interpolate(base.float(), scale_factor=self.scale, mode="bicubic", align_corners=False)


class Block(nn.Module):
    """x + conv(act(conv(x))), at first nearly x."""

    def __init__(self, width: int, kind: str):
        super().__init__()
        self.convs = nn.ModuleList(nn.Conv2d(width, width, 3, padding=1, bias=kind == "none") for _ in range(2))
        self.norms = nn.ModuleList(norm_of(kind, width) for _ in range(2))

    def forward(self, x: Tensor) -> Tensor:
        y = F.leaky_relu(self.norms[0](self.convs[0](x)), 0.2)
        return x + self.norms[1](self.convs[1](y))


class Shuffle(nn.Module):
    """A convolution and a pixel shuffle: maps [B, C, h, w] -> [B, C, factor * h, factor * w] (Shi et al. 2016)."""

    def __init__(self, width: int, factor: int):
        super().__init__()
        self.factor = factor
        self.conv = nn.Conv2d(width, width * factor**2, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return F.pixel_shuffle(self.conv(x), self.factor)


def _reach(scale: int, blocks: int) -> int:
    """Pixels of the input around one that the pixels made of it depend on; bicubic enlargement takes two."""
    pixels = 1  # of the output
    for factor in reversed(factors(scale)):
        pixels = -(-pixels // factor) + 1
    return max(2, pixels + 2 * blocks + 1)


def factors(scale: int) -> list[int]:
    """The prime factors of `scale`, ascending: how often maps are enlarged by each."""
    found, factor = [], 2
    while scale > 1:
        while scale % factor == 0:
            found.append(factor)
            scale //= factor
        factor += 1
    return found


def enlarge_weights(module: nn.Module) -> None:
    """He's for leaky units (He et al. 2015), a tenth of it where a block ends; the points that a shuffle puts side by
    side begin alike (Aitken et al. 2017, ICNR), or the picture would begin with a checkerboard.
    """
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight, 0.2)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
    elif isinstance(module, Shuffle):
        weight = module.conv.weight.data
        weight.copy_(weight[:: module.factor**2].repeat_interleave(module.factor**2, 0))
    elif isinstance(module, Block):
        module.convs[1].weight.data.mul_(0.1)  # type: ignore[operator]
    elif isinstance(module, Enlarge):
        module.last.weight.data.mul_(0.1)
