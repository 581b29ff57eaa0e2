"""A small classifier of a labelled set: the features that gan-eval measures in, and what tells the classes of fakes.

Trained once for each set, seeded, and kept by content as a file of ours, kind `extractor`.
"""

from __future__ import annotations

import hashlib
import itertools
import math
import os
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import ganutils
from ganutils import Error, files
from ganutils.randomness import stream

VERSION = 1  # of the network and its training: another makes other features
FEATURES = 64
CHANNELS = (16, 32, 64)  # of the maps, halved in size each time; the last for all further ones
BATCH = 128
EPOCHS, LEAST_UPDATES, MOST_UPDATES = 20, 200, 1200
HELD_OUT = 10  # one in so many pictures is not trained on but tells the accuracy
FORWARD = 256  # pictures to a forward pass
LONGEST = 1 << 20  # axis of pictures, or number of outputs, that a file may speak of


class Classifier(nn.Module):
    """3x3 convolutions of stride 2 down to a map of at most 4x4, then `FEATURES` units, then one logit a class."""

    def __init__(self, shape: tuple[int, ...], classes: int):
        super().__init__()
        self.shape = shape
        h, w, c = shape
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
        """Pictures [B, C, H, W] in -1..1 -> [B, FEATURES]."""
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


def inputs(images: np.ndarray, device: torch.device) -> Tensor:
    """uint8 [B, H, W, C] -> float32 [B, C, H, W] in -1..1."""
    return torch.from_numpy(np.ascontiguousarray(images)).to(device).permute(0, 3, 1, 2).float() / 127.5 - 1


def mapped(images: np.ndarray, function: Callable[[Tensor], Tensor], device: torch.device) -> np.ndarray:
    """`function` of all `images`, some at a time, as float32 [N, F]."""
    with torch.inference_mode():
        starts = range(0, len(images), FORWARD)
        return np.concatenate([function(inputs(images[s : s + FORWARD], device)).float().cpu().numpy() for s in starts])


# ------------------------------------------------------------------------------------------- training


def train(images: np.ndarray, targets: np.ndarray, device: torch.device) -> tuple[Classifier, float]:
    """A classifier of `images` uint8 [N, H, W, C], and its accuracy on those held out.

    targets     int64 [N] of classes 0, 1, ..., or float32 [N, A] of attributes in 0..1
    """
    order = stream(VERSION, "classifier").permutation(len(images))
    held, rows = order[: len(order) // HELD_OUT], order[len(order) // HELD_OUT :]
    network = seeded(images.shape[1:], outputs(targets)).to(device).train()
    updates = min(max(EPOCHS * len(rows) // BATCH, LEAST_UPDATES), MOST_UPDATES)
    optimiser = torch.optim.AdamW(network.parameters(), weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 3e-3, updates)
    for update in range(updates):
        random = stream(VERSION, "batch", update)
        chosen = rows[random.integers(len(rows), size=BATCH)]
        x = shifted(inputs(images[chosen], device), random)
        loss = loss_of(network(x), torch.from_numpy(targets[chosen]).to(device))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    network.eval().requires_grad_(False)
    return network, accuracy(mapped(images[held], network, device), targets[held]) if len(held) else math.nan


def shifted(x: Tensor, random: np.random.Generator) -> Tensor:
    """A batch moved by up to a twelfth of its height and width, the border repeated: worth a percent of accuracy."""
    reach = [n // 12 for n in x.shape[2:]]
    dy, dx = (int(random.integers(-n, n + 1)) for n in reach)
    padded = F.pad(x, (reach[1], reach[1], reach[0], reach[0]), mode="replicate")
    return padded[:, :, reach[0] + dy :, reach[1] + dx :][:, :, : x.shape[2], : x.shape[3]]


def outputs(targets: np.ndarray) -> int:
    """How many logits `targets` need."""
    return targets.shape[1] if targets.ndim > 1 else int(targets.max()) + 1


def loss_of(logits: Tensor, targets: Tensor) -> Tensor:
    """Cross entropy, of classes (smoothed a little: saturated logits make poor features) or of attributes."""
    if targets.dim() > 1:
        return F.binary_cross_entropy_with_logits(logits, targets)
    return F.cross_entropy(logits, targets, label_smoothing=0.1)


def accuracy(logits: np.ndarray, targets: np.ndarray) -> float:
    """Share of classes, or of single attributes, that are told rightly."""
    right = (logits > 0) == (targets > 0.5) if targets.ndim > 1 else logits.argmax(axis=1) == targets
    return float(right.mean())


# ---------------------------------------------------------------------------------------------- files


def digest(images: np.ndarray, targets: np.ndarray) -> str:
    """SHA-256 of a labelled set and of all that decides what is trained on it."""
    found = hashlib.sha256(f"classifier {VERSION}, torch {torch.__version__}".encode())
    for array in (images, targets):
        found.update(f"{array.dtype.str} {array.shape}".encode())
        for start in range(0, len(array), 4096):
            found.update(np.ascontiguousarray(array[start : start + 4096]).data)
    return found.hexdigest()


def write(path: str, network: Classifier, meta: dict[str, Any]) -> None:
    """Write an extractor's file; `meta` may hold `accuracy` and `classes`."""
    versions = {"ganutils": ganutils.__version__, "torch": str(torch.__version__)}
    own = {"shape": list(network.shape), "outputs": network.head.out_features, "network": VERSION}
    arrays = {name: tensor.cpu().contiguous().numpy() for name, tensor in network.state_dict().items()}
    files.write(path, "extractor", arrays, {**own, **meta, "versions": versions})


def read(file: files.File) -> Classifier:
    """The classifier of an extractor's file, ready to use; Error if it is damaged or of another version."""
    shape, count = file.meta.get("shape"), file.meta.get("outputs")
    lengths = [*shape, count] if isinstance(shape, list) else []
    if len(lengths) != 4 or not all(type(n) is int and 0 < n <= LONGEST for n in lengths):
        raise Error(f"{file.name}: damaged: an extractor without its shape and outputs; remove it")
    if file.meta.get("network") != VERSION:
        raise Error(f"{file.name}: an extractor of version {file.meta.get('network')}, and {VERSION} is known here")
    with torch.device("meta"):  # shapes without memory: a hostile header cannot ask for more than its file has
        network = Classifier(tuple(shape), count)  # type: ignore[arg-type]
    expected = {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}
    if expected != {name: spec.shape for name, spec in file.specs.items()}:
        raise Error(f"{file.name}: damaged: its tensors are not those of its network; remove it")
    weights = {name: torch.from_numpy(file[name].copy()) for name in expected}
    network.load_state_dict(weights, assign=True)
    return network.eval().requires_grad_(False)


def cached(
    images: np.ndarray, targets: np.ndarray, classes: list[str], root: str, device: torch.device
) -> tuple[Classifier, dict[str, Any], str]:
    """The classifier of a labelled set, its metadata and its file: trained now, or found under `root`."""
    folder = os.path.join(os.path.expanduser(root), "extractors")
    path = os.path.join(folder, f"{digest(images, targets)[:32]}.safetensors")
    if not os.path.exists(path):
        os.makedirs(folder, exist_ok=True)
        network, right = train(images, targets, device)
        rounded = None if math.isnan(right) else round(right, 4)
        write(path, network, {"accuracy": rounded, "classes": classes})
    with files.read(path, "extractor") as file:
        return read(file).to(device), dict(file.meta), path
