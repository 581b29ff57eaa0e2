"""The loop over the batches of what a generator makes: on CUDA ahead of their way to the host, shared by a team."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterator, Mapping

import numpy as np
import torch
from torch import Tensor

from ganutils.compute import devices
from ganutils.compute.distributed import Team
from ganutils.compute.fetching import Fetched
from ganutils.files import kinds
from ganutils.runs.config import NUMBERS

BATCH, LARGE_BATCH = 64, 1024  # samples to a forward pass, and on CUDA


def sent(array: np.ndarray, device: torch.device) -> Tensor:
    """An array of any strides on `device`."""
    return devices.send(np.ascontiguousarray(array), device)


def given(told: Mapping[str, np.ndarray], rows: slice, device: torch.device) -> dict[str, Tensor]:
    """What `rows` of descriptions are in a Condition."""
    return {name: sent(array[rows], device) for name, array in told.items()}


def in_batches(
    made: Callable[[slice], Tensor], count: int, shape: tuple[int, ...], paced: tuple[int, int], team: Team
) -> Iterator[np.ndarray]:
    """`count` samples of `shape` in order, a batch at a time; `made` makes those with the numbers of a slice.

    paced  samples in a batch, and how many batches may be on their way: CUDA makes one batch while the one before is
           on its way to the host
    team   takes turns at the batches; all samples are right only where it `leads`
    """
    batch, ahead = paced
    dtype = kinds.modality_of_shape(shape[-3:]).dtype  # of four axes are pictures there and back
    flying: deque[tuple[int, int, Fetched | None]] = deque()

    @torch.inference_mode()
    def begun(start: int) -> Fetched:
        return Fetched({"samples": made(slice(start, min(start + batch, count)))}, kept=True)

    def landed(owner: int, start: int, fetched: Fetched | None) -> np.ndarray:
        size = min(batch, count - start)
        samples = np.empty((size, *kinds.kept(shape)), dtype) if fetched is None else fetched.arrays()["samples"]
        samples = samples.copy() if ahead else samples  # pinned memory is there to be used again
        return team.gathered(samples, owner)

    for number, start in enumerate(range(0, count, batch)):
        owner = number % team.count
        flying.append((owner, start, begun(start) if owner == team.rank else None))
        if len(flying) > ahead:
            yield landed(*flying.popleft())
    while flying:
        yield landed(*flying.popleft())


def pace(shape: tuple[int, ...], device: torch.device) -> tuple[int, int]:
    """Samples to a forward pass, and how many batches may be on their way meanwhile, for samples of `shape`.

    Fewer for large pictures, which a small file may claim.
    """
    batch, ahead = (LARGE_BATCH, 1) if device.type == "cuda" else (BATCH, 0)
    return max(1, min(batch, NUMBERS // math.prod(shape))), ahead
