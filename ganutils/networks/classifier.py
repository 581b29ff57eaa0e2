"""A small classifier of a labeled set: its features are what gan-eval measures in, its classes the modes of fakes.

Trained once for each set, seeded, and kept by content as a file of ours, kind `extractor`.
"""

from __future__ import annotations

import itertools
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

import ganutils
from ganutils import Error
from ganutils.files import budget, container, kinds
from ganutils.files.container import File
from ganutils.networks.spectra import seen

VERSION = 1  # of the network and its training: each makes features of its own
FEATURES = 64
CHANNELS = (16, 32, 64)  # of the maps, each half the size of the last; 64 for all further ones
LONGEST = budget.PIXELS  # axis of samples, or number of outputs, in a file


class Classifier(nn.Module):
    """3x3 convolutions of stride 2 down to a map of at most 4x4, then `FEATURES` units, then a logit for each class.

    It sees sounds as pictures of their spectra.
    """

    def __init__(self, shape: tuple[int, ...], classes: int):
        super().__init__()
        self.shape = shape
        self.seen, (h, w, c) = seen(shape)
        channels = [c]
        while max(h, w) > 4 or len(channels) == 1:
            channels.append(CHANNELS[min(len(channels), len(CHANNELS)) - 1])
            h, w = (h + 1) // 2, (w + 1) // 2
        pairs = list(itertools.pairwise(channels))
        self.downs = nn.ModuleList(nn.Conv2d(a, b, 3, 2, 1, bias=False) for a, b in pairs)
        self.norms = nn.ModuleList(nn.BatchNorm2d(b) for _, b in pairs)
        self.hidden = nn.Linear(h * w * channels[-1], FEATURES)
        self.head = nn.Linear(FEATURES, classes)

    def features(self, x: Tensor) -> Tensor:
        """Images [B, C, H, W] in -1..1, or sounds [B, C, T] -> [B, FEATURES]."""
        x = self.seen(x)
        for down, norm in zip(self.downs, self.norms, strict=True):
            x = F.relu(norm(down(x)))  # (B, channels, h, w)
        return F.relu(self.hidden(x.flatten(1)))

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.features(x))


def seeded(shape: tuple[int, ...], classes: int) -> Classifier:
    """A classifier with the same random weights every time."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(VERSION)
        return Classifier(shape, classes)


def write(path: str, network: Classifier, meta: dict[str, Any]) -> None:
    """Write an extractor's file; `meta` may hold `accuracy` and `classes`."""
    versions = {"ganutils": ganutils.__version__, "torch": str(torch.__version__)}
    about = {"shape": list(network.shape), "outputs": network.head.out_features, "network": VERSION}
    container.write(path, "extractor", tensors_of(network), {**about, **meta, "versions": versions})


def tensors_of(network: nn.Module) -> dict[str, Any]:
    """What a file holds of a network."""
    return {name: tensor.cpu().contiguous().numpy() for name, tensor in network.state_dict().items()}


def read(file: File) -> Classifier:
    """The classifier of an extractor's file, ready to use; Error if it is damaged or of another version."""
    shape, count = file.meta.get("shape"), file.meta.get("outputs")
    if "matcher" in file.meta:
        raise Error(f"{file.name}: tells which sentence a picture is of, and is no classifier")
    if not is_shape(shape) or not _are_lengths([count]):
        raise Error(f"{file.name}: damaged: an extractor without its shape and outputs; remove it")
    if file.meta.get("network") != VERSION:
        version = file.meta.get("network")
        raise Error(f"{file.name}: an extractor of version {version}; this ganutils reads version {VERSION}")
    with torch.device("meta"):  # shapes without memory: a hostile header cannot ask for more than its file has
        network = Classifier(tuple(shape), count)  # type: ignore[arg-type]
    load(network, file)
    return network


def is_shape(shape: Any) -> bool:
    """Whether metadata name a shape of pictures or sounds."""
    if not isinstance(shape, list) or len(shape) not in (2, 3) or not _are_lengths(shape):
        return False
    modality = kinds.modality_of_shape(tuple(shape))
    return modality is not kinds.TEXTS and modality.fits((1, *shape))


def _are_lengths(numbers: list[Any]) -> bool:
    return all(type(n) is int and 0 < n <= LONGEST for n in numbers)


def load(network: nn.Module, file: File) -> None:
    """Give a network without memory the tensors of a file, for use; Error unless they are its own."""
    expected = {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}
    if expected != {name: spec.shape for name, spec in file.specs.items()}:
        raise Error(f"{file.name}: damaged: its tensors are not those of its network; remove it")
    weights = {name: torch.from_numpy(file[name].copy()) for name in expected}
    network.load_state_dict(weights, assign=True)
    network.eval().requires_grad_(False)
