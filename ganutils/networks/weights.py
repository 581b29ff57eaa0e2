"""The networks of a checkpoint."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import torch
from torch import Tensor, nn

from ganutils import Error, networks
from ganutils.files.container import File
from ganutils.runs import checkpoints
from ganutils.runs.config import Config

Tensors = dict[str, Tensor]


def load_generator(file: File) -> tuple[nn.Module, Config]:
    """The averaged generator of a checkpoint or snapshot, ready to sample, and its config."""
    config = checkpoints.config_of(file)
    return _load(file, "ema.", lambda: networks.construct(config)[0]), config


def load_discriminator(file: File) -> tuple[nn.Module, Config]:
    """The discriminator of a checkpoint, ready to give features, and its config; Error if it is a snapshot."""
    config = checkpoints.config_of(file)
    if not checkpoints.has_discriminator(file):
        raise Error(f"{file.name}: a snapshot holds only the generator; give the checkpoint of the whole run")
    return _load(file, "D.", lambda: networks.construct(config)[1]), config


def _load(file: File, prefix: str, construct: Callable[[], nn.Module]) -> nn.Module:
    """What `construct` makes, fixed, with the tensors of a checkpoint whose names begin with `prefix`."""
    with torch.device("meta"):  # shapes without memory, so that a hostile file cannot ask for more than it has
        expected = {f"{prefix}{name}": tensor for name, tensor in construct().state_dict().items()}
    check(file, expected, only=prefix)
    network = construct().to(memory_format=torch.channels_last).eval().requires_grad_(False)
    fill({f"{prefix}{name}": tensor for name, tensor in network.state_dict().items()}, tensors_of(file, expected))
    return network


def check(file: File, expected: Tensors, only: str = "") -> None:
    """Error unless the tensors of `file` whose names begin with `only` have the names and shapes of `expected`."""
    names = {name for name in file.specs if name.startswith(only) and not name.startswith("updates.")}
    for name in sorted(names ^ expected.keys()):
        what = "missing" if name in expected else "unknown"
        raise Error(f"{file.name}: damaged: tensor {name} is {what}")
    for name, tensor in expected.items():
        spec = file.specs[name]
        dtype = {torch.int64: "i", torch.uint8: "u"}.get(tensor.dtype, "f")
        if spec.shape != tuple(tensor.shape) or spec.dtype.kind != dtype:
            raise Error(f"{file.name}: damaged: {name} is {spec.dtype} {list(spec.shape)}, not {list(tensor.shape)}")


def tensors_of(file: File, names: Iterable[str]) -> Tensors:
    """The tensors called `names`; Error if a number is not finite, which happens only in a damaged or hostile file."""
    tensors = {name: torch.from_numpy(file[name]) for name in names}
    for name, tensor in tensors.items():
        if not torch.isfinite(tensor).all():
            raise Error(f"{file.name}: damaged: {name} holds numbers that are not finite")
    return tensors


def fill(targets: Tensors, sources: Tensors) -> None:
    """Copy each of `targets` from the one of its name in `sources`."""
    with torch.no_grad():
        for name, target in targets.items():
            target.copy_(sources[name])
