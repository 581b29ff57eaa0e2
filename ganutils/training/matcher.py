"""Training a network that matches pictures and captions, once: it is kept by content, as classifiers are."""

from __future__ import annotations

import os
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from ganutils.files import container
from ganutils.inference import discriminate
from ganutils.networks.matcher import VERSION, Matcher, read, seeded, write
from ganutils.randomness import stream
from ganutils.runs.descriptions import captions_of
from ganutils.samples.samples import Samples
from ganutils.training.classifier import HELD_OUT, Progress, digest, fit, kept, shifted


def parts(count: int) -> tuple[np.ndarray, np.ndarray]:
    """The rows of `count` that are not trained on, and those that are."""
    order = stream(VERSION, "matcher").permutation(count)
    return order[: count // HELD_OUT], order[count // HELD_OUT :]


def cached(
    samples: Samples,
    vocabulary: list[str],
    root: str,
    device: torch.device,
    tell: Callable[[str], None] | None = None,
    progress: Progress | None = None,
) -> tuple[Matcher, str]:
    """The matcher of pictures and their captions, of these words, and its file: trained now, or kept under `root`."""
    assert samples.captions is not None
    path = kept(root, digest(samples.array, samples.captions, device, what=f"matcher {VERSION}"))
    if not os.path.exists(path):
        if tell:
            tell(f"training a matcher of pictures and captions on {samples.name}; kept in {path}")
        write(path, _trained(samples, vocabulary, device, progress), vocabulary)
    with container.read(path, "extractor") as file:
        return read(file).to(device), path


def _trained(samples: Samples, vocabulary: list[str], device: torch.device, progress: Progress | None) -> Matcher:
    pictures, said = samples.array, captions_of(samples, vocabulary)
    network = seeded(samples.shape, len(vocabulary)).to(device).train()

    def loss(chosen: np.ndarray, random: np.random.Generator) -> Tensor:
        x = shifted(discriminate.as_taken(pictures[chosen], device), random)
        tokens = said.chosen(chosen, random.random(len(chosen)))
        return network.loss(x, torch.from_numpy(tokens[:, : max(1, (tokens > 0).sum(1).max())]).to(device))

    fit(network, loss, parts(len(pictures))[1], progress, "matcher")
    return network.eval().requires_grad_(False)
