"""Training a classifier of a labeled set, once: it is kept by content."""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ganutils.files import container, paths
from ganutils.inference import discriminate
from ganutils.networks.classifier import VERSION, Classifier, read, seeded, write
from ganutils.randomness import stream

BATCH = 128
EPOCHS, LEAST_UPDATES, MOST_UPDATES = 20, 200, 1200
LOUDNESS, HISS = (-0.6, 0.0), (-4.0, -2.0)  # powers of ten, by which sounds and the noise in them are multiplied
HELD_OUT = 10  # one in so many samples is not trained on but measures the accuracy
Progress = Callable[[int], AbstractContextManager[Any]]  # total -> a bar with advance(count, status)


def train(
    samples: np.ndarray,
    targets: np.ndarray,
    device: torch.device,
    progress: Progress | None = None,
    patience: int = 1,
) -> tuple[Classifier, float]:
    """A classifier of images uint8 [N, H, W, C], or of sounds float32 [N, T, C], and its accuracy on held-out ones; NaN
    if there are too few.

    targets     int64 [N] of classes 0, 1, ..., or float32 [N, A] of attributes in 0..1
    progress    takes the number of updates; gives a context with advance()
    patience    times the usual updates
    """
    order = stream(VERSION, "classifier").permutation(len(samples))
    held_out, rows = order[: len(order) // HELD_OUT], order[len(order) // HELD_OUT :]
    network = seeded(samples.shape[1:], outputs(targets)).to(device).train()
    _fit(network, samples, targets, rows, device, progress, patience)
    network.eval().requires_grad_(False)
    if not len(held_out):
        return network, math.nan
    return network, accuracy(discriminate.apply(network, samples[held_out], device), targets[held_out])


def _fit(
    network: Classifier,
    samples: np.ndarray,
    targets: np.ndarray,
    rows: np.ndarray,
    device: torch.device,
    progress: Progress | None,
    patience: int,
) -> None:
    batch, change = discriminate.fitting(BATCH, samples.shape[1:]), muffled if samples.ndim == 3 else shifted

    def loss(chosen: np.ndarray, random: np.random.Generator) -> Tensor:
        x = change(discriminate.as_taken(samples[chosen], device), random)
        return loss_of(network(x), torch.from_numpy(targets[chosen]).to(device))

    fit(network, loss, rows, progress, "classifier", batch, patience)


def fit(
    network: nn.Module,
    loss: Callable[[np.ndarray, np.random.Generator], Tensor],
    rows: np.ndarray,
    progress: Progress | None,
    name: str,
    batch: int = BATCH,
    patience: int = 1,
) -> None:
    """Train a small network by a loss of batches of `rows`, which may draw at random; progress calls it `name`."""
    updates = patience * min(max(EPOCHS * len(rows) // BATCH, LEAST_UPDATES), MOST_UPDATES)
    optimizer = torch.optim.AdamW(network.parameters(), weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 3e-3, updates)
    with progress(updates) if progress else nullcontext() as bar:
        for update in range(updates):
            random = stream(VERSION, "batch", update)
            chosen = rows[random.integers(len(rows), size=batch)]
            optimizer.zero_grad()
            loss(chosen, random).backward()
            optimizer.step()
            schedule.step()
            if bar:
                bar.advance(status=f"{name}: update {update + 1:,}/{updates:,}")


def shifted(x: Tensor, random: np.random.Generator) -> Tensor:
    """A batch moved by up to a twelfth of its height and width, the border repeated: worth a percent of accuracy."""
    reach = [n // 12 for n in x.shape[2:]]
    dy, dx = (int(random.integers(-n, n + 1)) for n in reach)
    padded = F.pad(x, (reach[1], reach[1], reach[0], reach[0]), mode="replicate")
    return padded[:, :, reach[0] + dy :, reach[1] + dx :][:, :, : x.shape[2], : x.shape[3]]


def muffled(x: Tensor, random: np.random.Generator) -> Tensor:
    """A batch of sounds moved by up to a twelfth of their length, silence before or after; each less loud, and with
    noise of its own, so that neither decides what it is taken for.
    """
    reach = x.shape[2] // 12
    at = reach + int(random.integers(-reach, reach + 1))
    loudness, hiss = (10 ** random.uniform(low, high, (len(x), 1, 1)) for low, high in (LOUDNESS, HISS))
    noise = hiss * random.standard_normal(tuple(x.shape), np.float32)
    moved = F.pad(x, (reach, reach))[:, :, at : at + x.shape[2]]
    return moved * torch.from_numpy(loudness).to(moved) + torch.from_numpy(noise).to(moved)


def outputs(targets: np.ndarray) -> int:
    """How many logits `targets` need."""
    return targets.shape[1] if targets.ndim > 1 else int(targets.max()) + 1


def loss_of(logits: Tensor, targets: Tensor) -> Tensor:
    """Cross entropy, of classes (smoothed a little: saturated logits make poor features) or of attributes."""
    if targets.dim() > 1:
        return F.binary_cross_entropy_with_logits(logits, targets)
    return F.cross_entropy(logits, targets, label_smoothing=0.1)


def accuracy(logits: np.ndarray, targets: np.ndarray) -> float:
    """Share of classes, or of single attributes, that are predicted correctly."""
    is_correct = (logits > 0) == (targets > 0.5) if targets.ndim > 1 else logits.argmax(axis=1) == targets
    return float(is_correct.mean())


def digest(
    samples: np.ndarray,
    targets: np.ndarray,
    device: torch.device,
    sound: Mapping[str, Any] = MappingProxyType({}),
    what: str = f"classifier {VERSION}",
) -> str:
    """SHA-256 of a labeled set and of everything that decides `what` is trained on it; of what `sound` says of it too.

    That is the kind of device too: each rounds in its own way, and scores are compared by the same features.
    """
    hashed = hashlib.sha256(f"{what}, torch {torch.__version__}, {device.type} in fp32".encode())
    if sound:
        hashed.update(json.dumps(dict(sound), sort_keys=True).encode())
    for array in (samples, targets):
        hashed.update(f"{array.dtype.str} {array.shape}".encode())
        for start in range(0, len(array), 4096):
            hashed.update(np.ascontiguousarray(array[start : start + 4096]).data)
    return hashed.hexdigest()


def kept(root: str, digest: str) -> str:
    """The file in which the network of that digest is kept under `root`; its folder is there."""
    folder = os.path.join(paths.at_home(root), "extractors")
    os.makedirs(folder, exist_ok=True)
    return os.path.join(folder, f"{digest[:32]}.safetensors")


def cached(
    samples: np.ndarray,
    targets: np.ndarray,
    classes: list[str],
    root: str,
    device: torch.device,
    name: str = "the data",
    tell: Callable[[str], None] | None = None,
    progress: Progress | None = None,
    sound: Mapping[str, Any] = MappingProxyType({}),
    patience: int = 1,
) -> tuple[Classifier, dict[str, Any], str]:
    """The classifier of a labeled set, its metadata and its file: trained now, or kept under `root` from before.

    name        of the set
    sound       what its metadata say of sounds, which is kept too
    tell        takes a message before a training, which may last half a minute
    progress, patience    see `train`
    """
    what = f"classifier {VERSION}" + (f", {patience} times as long" if patience > 1 else "")
    path = kept(root, digest(samples, targets, device, sound, what))
    if not os.path.exists(path):
        if tell:
            tell(f"training a classifier on {len(samples):,} labeled samples of {name}; kept in {path}")
        network, measured = train(samples, targets, device, progress, patience)
        rounded = None if math.isnan(measured) else round(measured, 4)
        kind = "attributes" if targets.ndim > 1 else "classes"
        write(path, network, {**sound, "accuracy": rounded, "classes": classes, "targets": kind})
    with container.read(path, "extractor") as file:
        return read(file).to(device), dict(file.meta), path
