"""Latents in, samples out."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor, nn

from ganutils.compute.distributed import ALONE, Team
from ganutils.files import container
from ganutils.files.container import File
from ganutils.latents.draw import choose_latents
from ganutils.networks.weights import load_generator
from ganutils.runs.config import NUMBERS
from ganutils.runs.series import Series, open_series

BATCH = 64  # latents to a forward pass


def film(
    series: Series, latents: np.ndarray, labels: np.ndarray | None, device: torch.device, team: Team = ALONE
) -> Iterator[np.ndarray]:
    """The samples of each checkpoint of `series`, in order, at the same `latents` [..., Z], a batch at a time.

    The processes of `team` take turns at the batches; all samples are right only where it `leads`.
    """
    most = max(1, min(BATCH, NUMBERS // math.prod(series.config.shape)))  # a small file may claim large pictures
    z, classes = latents.reshape(-1, latents.shape[-1]), None if labels is None else labels.reshape(-1)
    for source in series.sources:
        with (
            container.read(source, "checkpoint") if isinstance(source, str) else contextlib.nullcontext(source) as file
        ):
            yield from generate(load_generator(file)[0].to(device), z, classes, most, team)


def generate(
    generator: nn.Module,
    latents: np.ndarray,
    labels: np.ndarray | None = None,
    most: int = BATCH,
    team: Team = ALONE,
) -> Iterator[np.ndarray]:
    """Samples of `latents` [N, Z] and `labels` [N], `most` at a time: uint8 [B, H, W, C], or points float32 [B, D]."""
    device = next(generator.parameters()).device

    def batch(array: np.ndarray, start: int) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(array[start : start + most])).to(device)

    with torch.inference_mode():
        for number, start in enumerate(range(0, len(latents), most)):
            owner = number % team.count
            if number == 0 or owner == team.rank:  # all make the first, which shows the shape of the others' batches
                samples = generator(batch(latents, start), None if labels is None else batch(labels, start))
                made = (to_bytes(samples) if samples.dim() == 4 else samples).cpu().numpy()
            else:
                made = np.empty((len(latents[start : start + most]), *made.shape[1:]), made.dtype)
            yield team.gathered(made, owner)


def to_bytes(pictures: Tensor) -> Tensor:
    """[B, C, H, W] in -1..1 -> uint8 [B, H, W, C]."""
    return ((pictures + 1) * 127.5).round().clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1).contiguous()


def draw_samples(file: File, count: int, seed: int, device: str) -> tuple[np.ndarray, np.ndarray | None]:
    """`count` samples by the averaged generator, as `gan-sample -n COUNT --seed SEED` makes them, and their labels."""
    from ganutils.compute import devices

    series = open_series(file, [])
    z = choose_latents(series.config, None, None, seed, count)
    labels = series.labels(z.shape[:-1], None, None)
    return np.concatenate(list(film(series, z, labels, devices.find(device)))), labels
