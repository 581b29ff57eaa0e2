"""What a unit dreams of: a smooth picture that excites it, found by gradient ascent on its pixels.

Mordvintsev, Olah, Tyka 2015, Inceptionism: small pictures first, then larger ones, moved at each step. Olah,
Mordvintsev, Schubert 2017, Feature Visualization, on what keeps such pictures from being noise. Yin et al. 2020,
DeepInversion, equation 4: batch norms remember what real pictures are like.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Collection, Iterator, Sequence
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ganutils import Error
from ganutils.inference.units import Units
from ganutils.networks.condition import Condition
from ganutils.networks.scaling import from_network
from ganutils.randomness import normal, stream

OCTAVES = (4, 2, 1.4)  # times smaller than the picture is what ascends: single pixels of it would be noise
STEPS = 64  # in each octave
ITERATIONS = len(OCTAVES) * STEPS
LR = 0.05  # of Adam, where pixels go from -1 to 1
NOISE = 0.1  # deviation around gray, which it begins with
JITTER = 2  # pixels by which the picture is moved at most, so that nothing hangs on where exactly an edge is
VARIATION = 0.3  # weight of the total variation, where a unit's gradient has length 1 at each pixel
MEMORIES = 0.1  # of how far maps are from those that batch norms remember: digits stay strokes on black
NUMBERS = 1 << 18  # of pictures that ascend together: a few hundred MB of maps
LARGEST = 1 << 20  # numbers of one picture
FILM = 1 << 27  # bytes of all moments: those of large pictures are fewer


def moments(units: int, shape: tuple[int, ...], most: int) -> list[int]:
    """Iterations from 0 to the last, evenly spaced: `most`, or fewer if so many pictures of `shape` would be large."""
    count = max(2, min(most, FILM // (units * math.prod(shape))))
    return [round(number) for number in np.linspace(0, ITERATIONS, count)]


def dreams(of: Units, units: Sequence[int], at: Collection[int] = (ITERATIONS,)) -> np.ndarray:
    """The pictures that excite `units`, after each of the iterations `at`: uint8 [T, U, H, W, C].

    Error if there is no such unit, or if its network sees other samples than pictures.
    """
    if len(of.shape) != 3:
        kind = "sounds" if len(of.shape) == 2 else "points"
        raise Error(f"{of.name}: --dream paints pictures, but these are {kind}; leave it out")
    if math.prod(of.shape) > LARGEST:
        raise Error(f"{of.name}: --dream paints pictures of {LARGEST:,} numbers at most; leave it out")
    with torch.no_grad():
        of.check(units, _excitement(of, torch.zeros(1, _channels(of), *of.shape[:2])).shape[1])
    size = max(1, NUMBERS // math.prod(of.shape))
    parts = (units[start : start + size] for start in range(0, len(units), size))
    return np.concatenate([_ascended(of, part, at) for part in parts], 1)


def _ascended(of: Units, units: Sequence[int], at: Collection[int]) -> np.ndarray:
    """As `dreams`, of units that ascend together."""
    smallest = _channels(of), *(math.ceil(side / OCTAVES[0]) for side in of.shape[:2])
    noise = [normal(stream(0, "dream", unit), smallest) for unit in units]
    x, column = NOISE * torch.from_numpy(np.stack(noise)), torch.tensor(units)[:, None]
    shown: list[Tensor] = []
    for octave in range(len(OCTAVES)):
        x, seen = _climbed(of, x, column, octave, at)
        shown += seen
    shown += [x] if ITERATIONS in at else []
    return torch.stack([from_network(one[:, : of.shape[2]]) for one in shown]).numpy()


def _climbed(of: Units, x: Tensor, column: Tensor, octave: int, at: Collection[int]) -> tuple[Tensor, list[Tensor]]:
    """Pictures [B, C, H, W] after an octave, from pictures x of any size; and those before its iterations `at`.

    column  int64 [B, 1], the unit of each
    """
    h, w = of.shape[:2]
    small = _resized(x, [math.ceil(side / OCTAVES[octave]) for side in (h, w)]).requires_grad_()
    optimizer, seen = torch.optim.Adam([small], LR), []
    with _memories(of.network) as far:
        for iteration in range(octave * STEPS, (octave + 1) * STEPS):
            x = _resized(small, [h, w])
            if iteration in at:
                seen.append(x.detach())
            far.clear()
            excitement = _excitement(of, _moved(x, iteration)).gather(1, column)
            unlikely = VARIATION * _variation(x) + MEMORIES * h * w * sum(far, torch.zeros(1))
            (up,) = torch.autograd.grad(excitement.sum(), x, retain_graph=True)
            (down,) = torch.autograd.grad(unlikely.sum(), x)
            # Units differ in what they are multiplied by, and pictures in size: so each gradient gets one length.
            length = up.square().mean((1, 2, 3), keepdim=True).sqrt().clamp_min(1e-20)
            (small.grad,) = torch.autograd.grad(x, small, down - up / length)
            optimizer.step()
            with torch.no_grad():
                small.clamp_(-1, 1)
    return _resized(small.detach(), [h, w]), seen


def _resized(x: Tensor, size: list[int]) -> Tensor:
    return F.interpolate(x, size=size, mode="bilinear")


def _channels(of: Units) -> int:
    """Of pictures and of the inputs that are seen beside them, which are dreamed, too."""
    return of.shape[2] + (of.inputs[2] if of.inputs else 0)


def _excitement(of: Units, x: Tensor) -> Tensor:
    """Of all units, [B, units], by pictures x [B, C, H, W] with their inputs, if the network sees some, as channels."""
    if not of.inputs:
        return of.excitement(x)
    picture, inputs = x[:, : of.shape[2]], x[:, of.shape[2] :]
    return of.excitement(picture, Condition(inputs=F.interpolate(inputs, of.inputs[:2], mode="area")))


def _moved(x: Tensor, iteration: int) -> Tensor:
    """Pictures by up to JITTER pixels elsewhere, the border repeated."""
    dy, dx = stream(0, "jitter", iteration).integers(0, 2 * JITTER + 1, 2)
    return F.pad(x, [JITTER] * 4, mode="replicate")[:, :, dy : dy + x.shape[2], dx : dx + x.shape[3]]


def _variation(x: Tensor) -> Tensor:
    """The total variation of each picture (Mahendran and Vedaldi 2015, equation 4): [B]."""
    wider = F.pad(x, [0, 1, 0, 1], mode="replicate")
    down, right = wider.diff(dim=2)[..., :-1], wider.diff(dim=3)[:, :, :-1]
    return (down.square() + right.square() + 1e-4).sqrt().sum((1, 2, 3))  # not 0, where a root has no slope


@contextlib.contextmanager
def _memories(network: nn.Module) -> Iterator[list[Tensor]]:
    """A list to which each pass adds, for each batch norm, how far maps are from their means and deviations: [B]."""
    far: list[Tensor] = []

    def compare(norm: Any, given: tuple[Tensor, ...]) -> None:
        maps = given[0]
        deviation = (norm.running_var + norm.eps).sqrt()
        variance = maps.var((2, 3), correction=0) + norm.eps
        mean = (maps.mean((2, 3)) - norm.running_mean) / deviation
        far.append((mean.square() + (variance.sqrt() / deviation - 1).square()).mean(1))

    hooks = [m.register_forward_pre_hook(compare) for m in network.modules() if isinstance(m, nn.BatchNorm2d)]
    try:
        yield far
    finally:
        for hook in hooks:
            hook.remove()
