"""Several processes that train one GAN together, started by torchrun.

Each takes its part of every batch: a share of the samples, noise and augmentation that a single process would take.
Gradients are averaged over the parts, so the update is that of the whole batch. Rank 0 writes.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import torch
import torch.distributed as dist
from torch import Tensor

from ganutils import Error
from ganutils.compute.watching import PATIENCE, Watch, noticing_deaths
from ganutils.randomness import stream


class Team:
    """The processes of a job, of which this one has `rank`. A single process divides and sends nothing.

    group   through which tensors on the device go; None = through the host's memory, as all else does
    """

    def __init__(self, rank: int = 0, count: int = 1, group: Any = None):
        self.rank, self.count = rank, count
        self._group = group
        self._asked: tuple[Tensor, Any] | None = None  # whether one was told to stop: on its way
        self.has_stopped = False

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
            dist.all_reduce(flat, group=self._group)
        parts = flat.div_(self.count).split([tensor.numel() for tensor in tensors])
        return [part.view_as(tensor) for part, tensor in zip(parts, tensors, strict=True)]

    def whole(self, part: Tensor, axis: int = 0) -> Tensor:
        """The whole batch of which each process has its `part`, joined along `axis`."""
        if self.count == 1:
            return part
        sent = part.contiguous()
        parts = [torch.empty_like(sent) for _ in range(self.count)]
        with noticing_deaths():
            dist.all_gather(parts, sent, group=self._group)
        return torch.cat(parts, axis)

    def agreed(self, stopped: list[int]) -> bool:
        """Whether one process was told to stop when all were asked last; `stopped` then has its signal.

        Called once a step: the answer to the call before is read, which had a step's time to come. All get the same.
        """
        if self.count == 1:
            return bool(stopped)
        self.settle(stopped)
        if not self.has_stopped:
            number = torch.tensor(stopped[0] if stopped else 0)
            with noticing_deaths():
                self._asked = number, dist.all_reduce(number, dist.ReduceOp.MAX, async_op=True)
        return self.has_stopped

    def settle(self, stopped: list[int]) -> None:
        """Read the answer that is on its way."""
        if self._asked is None:
            return
        number, answer = self._asked
        with noticing_deaths():
            answer.wait()
        self._asked = None
        self.has_stopped = bool(number)  # not bool(stopped), which a signal may have changed since
        if number and not stopped:
            stopped.append(int(number))

    def gathered(self, array: np.ndarray, owner: int) -> np.ndarray:
        """The `array` of the process `owner`, at rank 0. The other processes give any array of its shape and dtype."""
        if owner and self.rank in (0, owner):
            with noticing_deaths():
                tensor = torch.from_numpy(array)
                dist.recv(tensor, owner) if self.leads else dist.send(tensor, 0)
        return array

    def firsts(self, text: str) -> str:
        """The `text` of rank 0, in each process."""
        if self.count == 1:
            return text
        size = torch.tensor(len(text.encode()))
        with noticing_deaths():
            dist.broadcast(size, 0)
            content = torch.frombuffer(bytearray(text.encode() if self.leads else int(size)), dtype=torch.uint8)
            dist.broadcast(content, 0)
        return bytes(content.numpy()).decode()

    @torch.no_grad()
    def follow(self, tensors: Iterable[Tensor]) -> None:
        """Copy the `tensors` of rank 0, in place, into those of the other processes."""
        if self.count == 1:
            return
        for tensor in tensors:
            sent = tensor.contiguous()
            with noticing_deaths():
                dist.broadcast(sent, 0, group=self._group)
            tensor.copy_(sent)


ALONE = Team()


BLOCK = 64  # samples


class ShardedGenerator:
    """Draws random numbers for a whole batch, and gives this process of `team` its part along the first axis.

    Each block of 64 samples has a stream of its own; the first one's is that of `seed` and `names` (see `stream`). So a
    process draws the blocks that its part lies in, and no others.
    """

    def __init__(self, team: Team, seed: int, *names: str | int):
        self._team, self._seed, self._names = team, seed, names
        self._blocks: dict[int, np.random.Generator] = {}

    def integers(self, low: int, high: int, shape: tuple[int, ...]) -> np.ndarray:
        return self._drawn(shape, lambda block, whole: block.integers(low, high, whole))

    def random(self, shape: tuple[int, ...], dtype: Any) -> np.ndarray:
        return self._drawn(shape, lambda block, whole: block.random(whole, dtype))

    def standard_normal(self, shape: tuple[int, ...], dtype: Any) -> np.ndarray:
        return self._drawn(shape, lambda block, whole: block.standard_normal(whole, dtype))

    def _drawn(self, shape: tuple[int, ...], draw: Callable[[np.random.Generator, tuple[int, ...]], Any]) -> np.ndarray:
        size, *rest = shape
        begin, total = self._team.rank * size, self._team.count * size
        first = begin // BLOCK * BLOCK
        blocks = [
            draw(self._block(start // BLOCK), (min(BLOCK, total - start), *rest))
            for start in range(first, begin + size, BLOCK)
        ]
        drawn: np.ndarray = blocks[0] if len(blocks) == 1 else np.concatenate(blocks)
        return drawn[begin - first :][:size]

    def _block(self, number: int) -> np.random.Generator:
        if number not in self._blocks:
            self._blocks[number] = stream(self._seed, *self._names, *(("block", number) if number else ()))
        return self._blocks[number]


@contextlib.contextmanager
def joined(device: torch.device, lost: Callable[[str], object]) -> Iterator[Team]:
    """The team of this process, from torchrun's environment variables.

    lost   takes a message, in another thread, and ends this process at once: another one has died, and the main thread
           may wait for it. A block that fails leaves the team as one that dies does: end the process then too.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) < 2:
        yield ALONE
        return
    try:
        if device.type == "cuda":
            torch.cuda.set_device(device)
        dist.init_process_group("gloo", timeout=PATIENCE)
        team = Team(dist.get_rank(), dist.get_world_size(), _own_gpus(device))
        watch = Watch(team.rank, team.count, lost)
    except (RuntimeError, ValueError) as problem:
        raise Error(f"torchrun: the workers cannot find each other: {str(problem).splitlines()[0]}") from None
    is_done = False
    try:
        yield team
        is_done = True
    finally:
        if is_done or team.has_stopped:
            watch.end()


def _own_gpus(device: torch.device) -> Any:
    """A group that talks by NCCL; None unless each process has a GPU of its own, without which NCCL fails."""
    about: Any = torch.cuda.get_device_properties(device) if device.type == "cuda" else None
    gpu = torch.tensor([0] * 16 if about is None else list(about.uuid.bytes), dtype=torch.uint8)
    gpus = [torch.empty_like(gpu) for _ in range(dist.get_world_size())]
    dist.all_gather(gpus, gpu)
    own = {bytes(gpu.numpy()) for gpu in gpus if gpu.any()}
    if len(own) < len(gpus):
        return None
    return dist.new_group(backend="nccl", timeout=PATIENCE, device_id=torch.device("cuda", torch.cuda.current_device()))
