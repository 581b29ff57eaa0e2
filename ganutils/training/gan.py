"""A GAN in training: two networks, the generator's average, optimizers and counters; and its checkpoint."""

from __future__ import annotations

import copy
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

import ganutils
from ganutils import Error, networks
from ganutils.compute import devices
from ganutils.compute.fetching import Fetched
from ganutils.files import container
from ganutils.files.container import File
from ganutils.networks.weights import Tensors, check, fill, tensors_of
from ganutils.runs import checkpoints
from ganutils.runs.config import Config, differences
from ganutils.training.optimizers import OPTIMIZERS

# Settings that decide which tensors there are.
SHAPING = (
    *(
        "shape",
        "inputs",
        "arch",
        "width",
        "hidden",
        "norm",
        "g_norm",
        "blocks",
        "patch",
        "sees",
        "z_dim",
        "classes",
        "d_classes",
        "attributes",
        "words",
        "contrast",
        "kl",
        "domains",
    ),
)


class GAN:
    """Everything that training reads and writes. `updates` counts those of each network; `step` is the generator's.

    history  uint8 [domains, buffer, H, W, C]: earlier fakes of each domain
    """

    def __init__(self, config: Config, pair: tuple[nn.Module, nn.Module]):
        self.config = config
        self.G, self.D = (network.to(memory_format=torch.channels_last) for network in pair)
        self.ema = copy.deepcopy(self.G).eval().requires_grad_(False)
        optimizer = OPTIMIZERS[config.optimizer]
        self.optimizers = {"G": optimizer(self.G, config), "D": optimizer(self.D, config)}
        self.updates = {"G": 0, "D": 0}
        self.history = torch.zeros((config.domains, config.buffer, *config.shape), dtype=torch.uint8)

    def to(self, device: torch.device) -> GAN:
        """Move everything to `device`; returns itself."""
        for network in (self.G, self.D, self.ema):
            network.to(device)
        for optimizer in self.optimizers.values():
            optimizer.to(device)
        self.history = self.history.to(device)
        return self

    @property
    def step(self) -> int:
        """Generator updates so far."""
        return self.updates["G"]

    def average(self, weight: Tensor) -> None:
        """Move the averaged generator by `weight` [] towards the generator; batch norm's statistics are copied."""
        averages: list[Tensor] = list(self.ema.parameters())
        weights: list[Any] = [weight] * len(averages)
        with torch.no_grad():
            torch._foreach_lerp_(averages, list(self.G.parameters()), weights)
            pairs = list(zip(self.ema.buffers(), self.G.buffers(), strict=True))
            for dtype in {statistic.dtype for _, statistic in pairs}:  # of one type they are copied by one launch
                copies, statistics = zip(*(pair for pair in pairs if pair[1].dtype == dtype), strict=True)
                torch._foreach_copy_(copies, statistics)

    def tensors(self) -> Tensors:
        """All state but the counters, by the names that it has in a checkpoint."""
        parts = {
            "G": self.G.state_dict(),
            "D": self.D.state_dict(),
            "ema": self.ema.state_dict(),
            "opt.G": self.optimizers["G"].tensors(),
            "opt.D": self.optimizers["D"].tensors(),
        }
        all_of = {f"{part}.{name}": tensor for part, tensors in parts.items() for name, tensor in tensors.items()}
        return all_of | ({"history": self.history} if self.config.buffer else {})

    def write(self, path: str, meta: dict[str, Any]) -> None:
        """Write a checkpoint: all that is needed to continue as if never stopped."""
        self.kept().write(path, meta)

    def kept(self, whole: bool = True) -> Kept:
        """A checkpoint as of now, to be written; without `whole` a snapshot, which can be sampled but not trained."""
        snapshot = {f"ema.{name}": tensor for name, tensor in self.ema.state_dict().items()}
        counters = {f"updates.{name}": torch.tensor(count) for name, count in self.updates.items()}
        device = next(self.G.parameters()).device
        versions = {"ganutils": ganutils.__version__, **devices.describe(device)}
        tensors = Fetched({**(self.tensors() if whole else snapshot), **counters})
        return Kept(tensors, {"config": self.config.as_json(), "versions": versions}, self.step)


class Kept(NamedTuple):
    """What a checkpoint holds, as it was after `step`: training may go on while it is written."""

    tensors: Fetched
    about: dict[str, Any]
    step: int

    def write(self, path: str, meta: dict[str, Any]) -> None:
        """Write it with the metadata `meta`; Error if a tensor is not finite."""
        arrays = self.tensors.arrays()
        for name, array in arrays.items():
            if not np.isfinite(array).all():
                what = f"{path}: not written: {name} is not finite at step {self.step:,}"
                raise Error(f"{what}, the run has diverged; lower --lr or try another --loss")
        container.write(path, "checkpoint", arrays, {**self.about, **meta})


def load(file: File) -> GAN:
    """The GAN of a checkpoint; Error if it is a snapshot, or if a tensor is missing, unknown or of another shape."""
    config = checkpoints.config_of(file)
    if not checkpoints.has_discriminator(file):
        raise Error(f"{file.name}: a snapshot holds only the generator; it can be sampled but not trained")
    with torch.device("meta"):  # shapes without memory, so that a hostile file cannot ask for more than it has
        expected = GAN(config, networks.construct(config)).tensors()
    check(file, expected)
    gan = GAN(config, networks.construct(config))
    gan.updates = checkpoints.updates(file)
    fill(gan.tensors(), tensors_of(file, expected))
    return gan


def begin(config: Config, file: File | None, init: File | None = None) -> GAN:
    """A new GAN of `config`, or that of the checkpoint `file`, of which `config` decides what it left undecided.

    init   checkpoint whose networks, and their average, a new GAN begins with; Error if they do not fit
    """
    gan = GAN(config, networks.build(config)) if file is None else load(file)
    gan.config = config
    if init is not None:
        _take_networks(gan, init)
    return gan


def _take_networks(gan: GAN, file: File) -> None:
    """Copy the three networks of the checkpoint `file` into those of `gan`.

    A translator may leave D as it is, if that does not fit: what G learned from pairs alone is of use to any D.
    """
    source = load(file)
    for part in ("G", "D", "ema"):
        there, here = (getattr(one, part).state_dict() for one in (source, gan))
        names = sorted(there.keys() | here.keys())
        misfits = [n for n in names if n not in there or n not in here or there[n].shape != here[n].shape]
        if misfits and not (part == "D" and gan.config.inputs):
            misfit = _misfit(source.config, gan.config, part, misfits[0])
            raise Error(f"{file.name}: its networks do not fit: {misfit}")
        if not misfits:
            fill(here, there)


def _misfit(there: Config, here: Config, part: str, name: str) -> str:
    """What makes the networks of two configs differ: the settings, or else a tensor."""
    settings = differences(there, {setting: getattr(here, setting) for setting in SHAPING})
    return f"{settings}; give the same" if settings else f"they differ in {part}.{name}"
