"""A GAN in training: its two networks, the generator's average, the optimisers and counters; and its checkpoint."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

import ganutils
from ganutils import Error, checkpoints, devices, files, networks
from ganutils.config import Config
from ganutils.optimisers import OPTIMISERS

Tensors = dict[str, Tensor]


class GAN:
    """Everything that training reads and writes. `updates` counts those of each network; `step` is the generator's."""

    def __init__(self, settings: Config, pair: tuple[nn.Module, nn.Module]):
        self.config = settings
        self.G, self.D = (network.to(memory_format=torch.channels_last) for network in pair)
        self.ema = copy.deepcopy(self.G).eval().requires_grad_(False)
        optimiser = OPTIMISERS[settings.optimiser]
        self.optimisers = {"G": optimiser(self.G, settings), "D": optimiser(self.D, settings)}
        self.updates = {"G": 0, "D": 0}

    def to(self, device: torch.device) -> GAN:
        """Move everything to `device`; returns itself."""
        for network in (self.G, self.D, self.ema):
            network.to(device)
        for optimiser in self.optimisers.values():
            optimiser.to(device)
        return self

    @property
    def step(self) -> int:
        return self.updates["G"]

    def average(self) -> None:
        """Move the averaged generator towards the generator; batch norm's statistics are copied."""
        beta = self.config.ema_beta(self.step)
        with torch.no_grad():
            for average, weight in zip(self.ema.parameters(), self.G.parameters(), strict=True):
                average.lerp_(weight, 1 - beta)
            for copied, statistic in zip(self.ema.buffers(), self.G.buffers(), strict=True):
                copied.copy_(statistic)

    def tensors(self) -> Tensors:
        """All of its state but the counters, by the names it has in a checkpoint."""
        parts = {
            "G": self.G.state_dict(),
            "D": self.D.state_dict(),
            "ema": self.ema.state_dict(),
            "opt.G": self.optimisers["G"].tensors(),
            "opt.D": self.optimisers["D"].tensors(),
        }
        return {f"{part}.{name}": tensor for part, tensors in parts.items() for name, tensor in tensors.items()}

    def write(self, path: str, meta: dict[str, Any]) -> None:
        """Write a checkpoint: all that is needed to go on as if never stopped."""
        self._write(path, self.tensors(), meta)

    def write_snapshot(self, path: str, meta: dict[str, Any]) -> None:
        """Write a small checkpoint of the averaged generator, to be sampled but not trained."""
        self._write(path, {f"ema.{name}": tensor for name, tensor in self.ema.state_dict().items()}, meta)

    def _write(self, path: str, tensors: Tensors, meta: dict[str, Any]) -> None:
        device = next(self.G.parameters()).device
        versions = {"ganutils": ganutils.__version__, **devices.described(device)}
        counters = {f"updates.{name}": torch.tensor(count) for name, count in self.updates.items()}
        arrays = {name: t.detach().cpu().contiguous().numpy() for name, t in {**tensors, **counters}.items()}
        for name, array in arrays.items():
            if not np.isfinite(array).all():
                what = f"{path}: not written: {name} is not finite at step {self.step:,}"
                raise Error(f"{what}; the run has diverged: lower --lr or try another --loss")
        files.write(path, "checkpoint", arrays, {"config": self.config.as_json(), "versions": versions, **meta})


def load(file: files.File) -> GAN:
    """The GAN of a checkpoint; Error if it is a snapshot, or if a tensor is missing, unknown or of another shape."""
    settings = checkpoints.settings(file)
    if not any(name.startswith("D.") for name in file.specs):
        raise Error(f"{file.name}: a snapshot holds only the generator; it can be sampled but not trained")
    with torch.device("meta"):  # shapes without memory, so that a hostile file cannot ask for more than it has
        expected = GAN(settings, networks.construct(settings)).tensors()
    _check(file, expected)
    gan = GAN(settings, networks.construct(settings))
    gan.updates = checkpoints.updates(file)
    _fill(gan.tensors(), _from(file, expected))
    return gan


def load_generator(file: files.File) -> tuple[nn.Module, Config]:
    """The averaged generator of a checkpoint or snapshot, ready to sample, and its settings."""
    settings = checkpoints.settings(file)
    return _one(file, settings, 0, "ema."), settings


def load_discriminator(file: files.File) -> tuple[nn.Module, Config]:
    """The discriminator of a checkpoint, ready to give features, and its settings; Error if it is a snapshot."""
    settings = checkpoints.settings(file)
    if not any(name.startswith("D.") for name in file.specs):
        raise Error(f"{file.name}: a snapshot holds only the generator; give the checkpoint of the whole run")
    return _one(file, settings, 1, "D."), settings


def _one(file: files.File, settings: Config, which: int, prefix: str) -> nn.Module:
    """One network of a checkpoint, fixed: the generator (0) or the discriminator (1), from tensors named `prefix`..."""
    with torch.device("meta"):
        expected = {f"{prefix}{name}": t for name, t in networks.construct(settings)[which].state_dict().items()}
    _check(file, expected, only=prefix)
    network = networks.construct(settings)[which].to(memory_format=torch.channels_last).eval().requires_grad_(False)
    _fill({f"{prefix}{name}": tensor for name, tensor in network.state_dict().items()}, _from(file, expected))
    return network


def begin(settings: Config, file: files.File | None) -> GAN:
    """The GAN of the checkpoint `file`, or a new one."""
    return GAN(settings, networks.build(settings)) if file is None else load(file)


def _check(file: files.File, expected: Tensors, only: str = "") -> None:
    """Raise Error unless the tensors of `file` (those whose names begin with `only`) are the `expected` ones."""
    found = {name for name in file.specs if name.startswith(only) and not name.startswith("updates.")}
    for name in sorted(found ^ expected.keys()):
        what = "missing" if name in expected else "unknown"
        raise Error(f"{file.name}: damaged: tensor {name} is {what}")
    for name, tensor in expected.items():
        spec = file.specs[name]
        dtype = "i" if tensor.dtype == torch.int64 else "f"
        if spec.shape != tuple(tensor.shape) or spec.dtype.kind != dtype:
            raise Error(f"{file.name}: damaged: {name} is {spec.dtype} {list(spec.shape)}, not {list(tensor.shape)}")


def _from(file: files.File, names: Iterable[str]) -> Tensors:
    """Those tensors; Error if one of them is not finite, which only a damaged or hostile file can be."""
    tensors = {name: torch.from_numpy(file[name]) for name in names}
    for name, tensor in tensors.items():
        if not torch.isfinite(tensor).all():
            raise Error(f"{file.name}: damaged: {name} holds what is not a finite number")
    return tensors


def _fill(targets: Tensors, sources: Tensors) -> None:
    with torch.no_grad():
        for name, target in targets.items():
            target.copy_(sources[name])
