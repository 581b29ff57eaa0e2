"""The batches of data that the discriminator sees: each is a function of the seed and the number of the update."""

from __future__ import annotations

import functools
from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from ganutils.compute import devices
from ganutils.compute.distributed import Team
from ganutils.networks.scaling import to_network
from ganutils.randomness import stream
from ganutils.runs.config import Config
from ganutils.samples.samples import Samples


class Batches:
    """The batches of `data` on `device`; of each, the part of this process of `team`.

    Samples that fit into the memory of a GPU are kept there, as uint8. Where they do not fit into memory, a thread
    reads the next batch from the file during the update, since a disk can take longer than that.
    """

    def __init__(self, data: TrainingSet, config: Config, device: torch.device, team: Team):
        self.samples, self.config, self.device, self.team = data.samples, config, device, team
        fits = devices.fits(data.samples.nbytes, device)
        is_kept = fits and device.type != "cpu"
        self._on_device = torch.from_numpy(np.asarray(data.samples)).to(device) if is_kept else None
        self._labels = None if data.labels is None else torch.from_numpy(data.labels).to(device)
        self._reader = None if fits else ThreadPoolExecutor(1)
        self._reading: dict[int, Future[np.ndarray]] = {}  # by update

    def __call__(self, update: int) -> tuple[Tensor, Tensor | None]:
        """What D sees at its update `update`, counted from 0: images [B, C, H, W] or points [B, D]; and labels [B]."""
        rows = self._rows(update)
        if self._on_device is None:
            batch = devices.send(self._read_ahead(update), self.device)
        else:
            batch = self._on_device[devices.send(rows, self.device)]
        labels = None if self._labels is None else self._labels[devices.send(rows, self.device)]
        return to_network(batch), labels

    def _read_ahead(self, update: int) -> np.ndarray:
        """The batch of `update` as it is in the file; a reader goes on to that of the next one."""
        if self._reader is None:
            return self._read(update)
        pair = (update, update + 1)
        self._reading = {u: self._reading.get(u) or self._reader.submit(self._read, u) for u in pair}
        return self._reading[update].result()

    def _read(self, update: int) -> np.ndarray:
        return np.asarray(self.samples[self._rows(update)])

    def _rows(self, update: int) -> np.ndarray:
        rows: np.ndarray = self.team.part(rows_of(self.config.seed, update, self.config.batch, len(self.samples)))
        return rows


def rows_of(seed: int, update: int, batch: int, count: int) -> np.ndarray:
    """The rows, of `count`, that update `update` (from 0) trains on: int64 [batch]. Each epoch shows every row once."""
    positions = np.arange(update * batch, (update + 1) * batch)
    epochs = positions // count
    return np.concatenate([_order(seed, int(e), count)[positions[epochs == e] % count] for e in np.unique(epochs)])


@functools.lru_cache(maxsize=2)
def _order(seed: int, epoch: int, count: int) -> np.ndarray:
    return stream(seed, "order", epoch).permutation(count)


class TrainingSet(NamedTuple):
    """Samples uint8 [N, H, W, C] or float32 [N, D], in memory or on disk; labels int64 [N] for a conditional run."""

    samples: np.ndarray
    labels: np.ndarray | None = None


def training_set(samples: Samples, config: Config) -> TrainingSet:
    """What a run of `config` trains on."""
    return TrainingSet(samples.array, samples.labels_of(config.classes) if config.classes else None)
