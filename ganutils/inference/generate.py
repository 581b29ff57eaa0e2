"""Latents in, samples out."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor, nn

from ganutils.compute import devices
from ganutils.compute.distributed import ALONE, Team
from ganutils.files import container
from ganutils.files.container import File
from ganutils.latents.draw import choose_latents
from ganutils.networks.scaling import from_network
from ganutils.networks.weights import load_generator
from ganutils.runs.config import NUMBERS
from ganutils.runs.series import Series, open_series

BATCH = 64  # latents to a forward pass


def sample_series(
    series: Series, latents: np.ndarray, labels: np.ndarray | None, device: torch.device, team: Team = ALONE
) -> Iterator[np.ndarray]:
    """The samples of each checkpoint of `series`, in order, at the same `latents` [..., Z], a batch at a time.

    The processes of `team` take turns at the batches; all samples are right only where it `leads`.
    """
    batch = per_pass(series.config.shape)
    z, classes = latents.reshape(-1, latents.shape[-1]), None if labels is None else labels.reshape(-1)
    for source in series.sources:
        opened = container.read(source, "checkpoint") if isinstance(source, str) else contextlib.nullcontext(source)
        with opened as file:
            yield from generate(load_generator(file)[0].to(device), z, classes, batch, team)


def per_pass(shape: tuple[int, ...]) -> int:
    """Latents to a forward pass for samples of `shape`: fewer for large pictures, which a small file may claim."""
    return max(1, min(BATCH, NUMBERS // math.prod(shape)))


def generate(
    generator: nn.Module,
    latents: np.ndarray,
    labels: np.ndarray | None = None,
    batch: int = BATCH,
    team: Team = ALONE,
) -> Iterator[np.ndarray]:
    """Samples of `latents` [N, Z] and `labels` [N], `batch` at a time: uint8 [B, H, W, C], or points float32 [B, D]."""
    device = next(generator.parameters()).device

    def part(array: np.ndarray, start: int) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(array[start : start + batch])).to(device)

    with torch.inference_mode():
        for number, start in enumerate(range(0, len(latents), batch)):
            owner = number % team.count
            if number == 0 or owner == team.rank:  # all make the first, which shows the shape of the others' batches
                made = generator(part(latents, start), None if labels is None else part(labels, start))
                samples = from_network(made).cpu().numpy()
            else:
                samples = np.empty((len(latents[start : start + batch]), *samples.shape[1:]), samples.dtype)
            yield team.gathered(samples, owner)


def draw_samples(file: File, count: int, seed: int, device: str) -> tuple[np.ndarray, np.ndarray | None]:
    """`count` samples by the averaged generator, as `gan-sample -n COUNT --seed SEED` makes them, and their labels."""
    series = open_series(file, [])
    z = choose_latents(series.config, None, None, seed, count)
    labels = series.labels(z.shape[:-1], None, None)
    return np.concatenate(list(sample_series(series, z, labels, devices.find(device)))), labels
