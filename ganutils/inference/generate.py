"""Latents in, samples out."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from ganutils.compute import devices
from ganutils.compute.distributed import ALONE, Team
from ganutils.files import container
from ganutils.files.container import File
from ganutils.inference.batches import given, in_batches, pace, sent
from ganutils.inference.translate import translate
from ganutils.latents.draw import choose_latents
from ganutils.networks.condition import Condition
from ganutils.networks.scaling import from_network
from ganutils.networks.weights import load_generator
from ganutils.runs.descriptions import Arrays, Told
from ganutils.runs.series import Origin, Series, open_series


def sample_series(
    series: Series, origin: Origin, device: torch.device, team: Team = ALONE, tile: int = 0
) -> Iterator[np.ndarray]:
    """The samples of each checkpoint of `series`, in order, from the same `origin`, a batch at a time.

    Where `origin` has it so, each with what it becomes on the way back: [B, 2, ...]. The processes of `team` take turns
    at the batches; all samples are right only where it `leads`. For `tile` see `translate`.
    """
    labels = origin.beside["labels"] if series.config.classes or series.config.domains else None
    told = origin.told
    for source in series.sources:
        opened = container.read(source, "checkpoint") if isinstance(source, str) else contextlib.nullcontext(source)
        with opened as file:
            generator, config = load_generator(file)
        generator = generator.to(device)
        if config.inputs:
            yield from translate(generator, config, origin.numbers, labels, tile, team, origin.has_back, told)
        else:
            yield from generate(generator, origin.numbers, labels, config.shape, team, told)


def generate(
    generator: nn.Module,
    latents: np.ndarray,
    labels: np.ndarray | None,
    shape: tuple[int, ...],
    team: Team = ALONE,
    told: Arrays = MappingProxyType({}),
) -> Iterator[np.ndarray]:
    """Samples of `shape`, of `latents` [N, Z] and `labels` [N], in batches: uint8 [B, H, W, C], float32 [B, T, C] or
    [B, D], or of texts uint8 [B, T].

    told  descriptions of each, as a network takes them (see runs/descriptions.py)
    """
    device = next(generator.parameters()).device

    def made(rows: slice) -> Tensor:
        z, classes = (None if array is None else sent(array[rows], device) for array in (latents, labels))
        return from_network(generator(z, Condition(classes, **given(told, rows, device))))

    return in_batches(made, len(latents), shape, pace(shape, device), team)


class Drawn(NamedTuple):
    """Samples [N, ...], and what they were drawn with: labels int64 [N], and descriptions as a network takes them."""

    samples: np.ndarray
    labels: np.ndarray | None
    told: Arrays


def draw_samples(file: File, count: int, seed: int, device: str, told: Told | None = None) -> Drawn:
    """`count` samples by the averaged generator, as `gan-sample -n COUNT --seed SEED` makes them.

    told  their descriptions, for a generator that takes some; None = the checkpoint's examples in turn
    """
    series = open_series(file, [])
    series.check_origin(has_inputs=False)
    place = devices.prepare(device, None, series.config.work)
    origin = series.of_latents(choose_latents(series.config, None, None, seed, count), told=told)
    samples = np.concatenate(list(sample_series(series, origin, place)))
    return Drawn(samples, origin.beside.get("labels"), origin.told)
