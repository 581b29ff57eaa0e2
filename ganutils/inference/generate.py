"""Latents in, samples out."""

from __future__ import annotations

import contextlib
import math
from collections import deque
from collections.abc import Iterator

import numpy as np
import torch
from torch import nn

from ganutils.compute import devices
from ganutils.compute.distributed import ALONE, Team
from ganutils.compute.fetching import Fetched
from ganutils.files import container
from ganutils.files.container import File
from ganutils.latents.draw import choose_latents
from ganutils.networks.condition import Condition
from ganutils.networks.scaling import from_network
from ganutils.networks.weights import load_generator
from ganutils.runs.config import NUMBERS
from ganutils.runs.series import Series, open_series

BATCH, LARGE_BATCH = 64, 1024  # latents to a forward pass, and on CUDA


def sample_series(
    series: Series, latents: np.ndarray, labels: np.ndarray | None, device: torch.device, team: Team = ALONE
) -> Iterator[np.ndarray]:
    """The samples of each checkpoint of `series`, in order, at the same `latents` [..., Z], a batch at a time.

    The processes of `team` take turns at the batches; all samples are right only where it `leads`.
    """
    z, classes = latents.reshape(-1, latents.shape[-1]), None if labels is None else labels.reshape(-1)
    for source in series.sources:
        opened = container.read(source, "checkpoint") if isinstance(source, str) else contextlib.nullcontext(source)
        with opened as file:
            yield from generate(load_generator(file)[0].to(device), z, classes, series.config.shape, team)


def generate(
    generator: nn.Module,
    latents: np.ndarray,
    labels: np.ndarray | None,
    shape: tuple[int, ...],
    team: Team = ALONE,
) -> Iterator[np.ndarray]:
    """Samples of `shape`, of `latents` [N, Z] and `labels` [N], in batches: uint8 [B, H, W, C], or float32 [B, D].

    CUDA makes one batch while the one before is on its way to the host.
    """
    device = next(generator.parameters()).device
    batch, ahead = pace(shape, device)
    dtype = np.uint8 if len(shape) > 1 else np.float32
    flying: deque[tuple[int, int, Fetched | None]] = deque()

    def sent(array: np.ndarray) -> torch.Tensor:
        return devices.send(np.ascontiguousarray(array), device)

    def made(start: int) -> Fetched:
        z, classes = (None if array is None else sent(array[start : start + batch]) for array in (latents, labels))
        with torch.inference_mode():
            samples = generator(z, Condition(classes))
            return Fetched({"samples": from_network(samples)}, kept=True)

    def landed(owner: int, start: int, fetched: Fetched | None) -> np.ndarray:
        size = min(batch, len(latents) - start)
        samples = np.empty((size, *shape), dtype) if fetched is None else fetched.arrays()["samples"]
        samples = samples.copy() if ahead else samples  # pinned memory is there to be used again
        return team.gathered(samples, owner)

    for number, start in enumerate(range(0, len(latents), batch)):
        owner = number % team.count
        flying.append((owner, start, made(start) if owner == team.rank else None))
        if len(flying) > ahead:
            yield landed(*flying.popleft())
    while flying:
        yield landed(*flying.popleft())


def pace(shape: tuple[int, ...], device: torch.device) -> tuple[int, int]:
    """Latents to a forward pass, and how many batches may be on their way meanwhile, for samples of `shape`.

    Fewer latents for large pictures, which a small file may claim.
    """
    batch, ahead = (LARGE_BATCH, 1) if device.type == "cuda" else (BATCH, 0)
    return max(1, min(batch, NUMBERS // math.prod(shape))), ahead


def draw_samples(file: File, count: int, seed: int, device: str) -> tuple[np.ndarray, np.ndarray | None]:
    """`count` samples by the averaged generator, as `gan-sample -n COUNT --seed SEED` makes them, and their labels."""
    series = open_series(file, [])
    place = devices.prepare(device, None, series.config.work)
    z = choose_latents(series.config, None, None, seed, count)
    labels = series.labels(z.shape[:-1], None, None)
    return np.concatenate(list(sample_series(series, z, labels, place))), labels
