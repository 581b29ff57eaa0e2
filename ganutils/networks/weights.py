"""The networks of a checkpoint."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from ganutils import Error, networks
from ganutils.files.container import File
from ganutils.runs import checkpoints
from ganutils.runs.config import Config

Tensors = dict[str, Tensor]


def load_generator(file: File) -> tuple[nn.Module, Config]:
    """The averaged generator of a checkpoint or snapshot, ready to sample, and its settings."""
    settings = checkpoints.config_of(file)
    return _one(file, settings, 0, "ema."), settings


def load_discriminator(file: File) -> tuple[nn.Module, Config]:
    """The discriminator of a checkpoint, ready to give features, and its settings; Error if it is a snapshot."""
    settings = checkpoints.config_of(file)
    if not any(name.startswith("D.") for name in file.specs):
        raise Error(f"{file.name}: a snapshot holds only the generator; give the checkpoint of the whole run")
    return _one(file, settings, 1, "D."), settings


def _one(file: File, settings: Config, which: int, prefix: str) -> nn.Module:
    """One network of a checkpoint, fixed: the generator (0) or the discriminator (1), from tensors named `prefix`..."""
    with torch.device("meta"):
        expected = {f"{prefix}{name}": t for name, t in networks.construct(settings)[which].state_dict().items()}
    check(file, expected, only=prefix)
    network = networks.construct(settings)[which].to(memory_format=torch.channels_last).eval().requires_grad_(False)
    fill({f"{prefix}{name}": tensor for name, tensor in network.state_dict().items()}, tensors_of(file, expected))
    return network


def check(file: File, expected: Tensors, only: str = "") -> None:
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


def tensors_of(file: File, names: Iterable[str]) -> Tensors:
    """Those tensors; Error if one of them is not finite, which only a damaged or hostile file can be."""
    tensors = {name: torch.from_numpy(file[name]) for name in names}
    for name, tensor in tensors.items():
        if not torch.isfinite(tensor).all():
            raise Error(f"{file.name}: damaged: {name} holds what is not a finite number")
    return tensors


def fill(targets: Tensors, sources: Tensors) -> None:
    with torch.no_grad():
        for name, target in targets.items():
            target.copy_(sources[name])
