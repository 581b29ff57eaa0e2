"""Several processes that train one GAN together, started by torchrun.

Each takes its part of every batch: a share of the samples, noise and augmentation that a single process would take.
Gradients are averaged over the parts, so the update is that of the whole batch. Rank 0 writes.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
import torch.distributed as dist
from torch import Tensor

from ganutils import Error

GONE = "another worker of this job has died; run the same command again to continue from the last checkpoint"


class Team:
    """The processes of a job, of which this one has `rank`. A single process divides and sends nothing."""

    def __init__(self, rank: int = 0, count: int = 1):
        self.rank, self.count = rank, count
        self._host: Any = None if count == 1 else dist.new_group(backend="gloo")  # sends what is in the host's memory

    @property
    def leads(self) -> bool:
        """Whether this process writes and prints."""
        return self.rank == 0

    def part(self, rows: Any) -> Any:
        """This process's part of a whole batch, along the first axis."""
        size = len(rows) // self.count
        return rows if self.count == 1 else rows[self.rank * size : (self.rank + 1) * size]

    def mean(self, tensors: Sequence[Tensor]) -> list[Tensor]:
        """The mean of each tensor over the processes; all are sent as one."""
        if self.count == 1:
            return list(tensors)
        flat = torch.cat([tensor.reshape(-1) for tensor in tensors])
        with noticing_deaths():
            dist.all_reduce(flat)
        parts = (flat / self.count).split([tensor.numel() for tensor in tensors])
        return [part.view_as(tensor) for part, tensor in zip(parts, tensors, strict=True)]

    def agreed(self, stopped: list[int]) -> bool:
        """Whether one process was told to stop, so that all stop after the same step; `stopped` then has its signal."""
        if self.count == 1:
            return bool(stopped)
        number = torch.tensor(stopped[0] if stopped else 0)
        with noticing_deaths():
            dist.all_reduce(number, dist.ReduceOp.MAX, group=self._host)
        if number and not stopped:
            stopped.append(int(number))
        return bool(number)  # not bool(stopped), which a signal may have changed since

    def gathered(self, array: np.ndarray, owner: int) -> np.ndarray:
        """The `array` of the process `owner`, at rank 0. The other processes give any array of its shape and dtype."""
        if owner and self.rank in (0, owner):
            with noticing_deaths():
                tensor = torch.from_numpy(array)
                dist.recv(tensor, owner, group=self._host) if self.leads else dist.send(tensor, 0, group=self._host)
        return array


ALONE = Team()


class ShardedGenerator:
    """Draws random numbers for a whole batch, and gives this process of `team` its part along the first axis."""

    def __init__(self, generator: np.random.Generator, team: Team):
        self._generator, self._team = generator, team

    def _shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        return (shape[0] * self._team.count, *shape[1:])

    def integers(self, low: int, high: int, shape: tuple[int, ...]) -> np.ndarray:
        return self._team.part(self._generator.integers(low, high, self._shape(shape)))

    def random(self, shape: tuple[int, ...], dtype: Any) -> np.ndarray:
        return self._team.part(self._generator.random(self._shape(shape), dtype))

    def standard_normal(self, shape: tuple[int, ...], dtype: Any) -> np.ndarray:
        return self._team.part(self._generator.standard_normal(self._shape(shape), dtype))


@contextlib.contextmanager
def joined(device: torch.device) -> Iterator[Team]:
    """The team of this process, from torchrun's environment variables; it talks by NCCL on CUDA, else by gloo."""
    if int(os.environ.get("WORLD_SIZE", "1")) < 2:
        yield ALONE
        return
    try:
        dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
    except (RuntimeError, ValueError) as problem:
        raise Error(f"torchrun: the workers cannot find each other: {str(problem).splitlines()[0]}") from None
    try:
        yield Team(dist.get_rank(), dist.get_world_size())
    finally:
        dist.destroy_process_group()


@contextlib.contextmanager
def noticing_deaths() -> Iterator[None]:
    """Error if another process has died, which gloo and NCCL report as RuntimeError."""
    try:
        yield
    except RuntimeError:
        raise Error(GONE) from None
