"""The batches of data that the discriminator sees: each is a function of the seed and the number of the update."""

from __future__ import annotations

import functools
from collections.abc import Mapping
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
        self.data, self.config, self.team = data, config, team
        fits = devices.fits(data.samples.nbytes, device)
        self._on_device: tuple[Tensor, Tensor | None] | None = None
        if fits and device.type != "cpu":
            labels = None if data.labels is None else torch.from_numpy(data.labels).to(device)
            self._on_device = torch.from_numpy(np.asarray(data.samples)).to(device), labels
        self._reader = None if fits else ThreadPoolExecutor(1)
        self._reading: dict[int, Future[np.ndarray]] = {}  # by update

    def draw(self, update: int) -> dict[str, np.ndarray]:
        """What `take` makes the batch of `update`, counted from 0, of."""
        if self._on_device is not None:
            return {"rows": self._rows(update)}
        labels = {} if self.data.labels is None else {"labels": self.data.labels[self._rows(update)]}
        return {"batch": self._read_ahead(update), **labels}

    def take(self, drawn: Mapping[str, Tensor]) -> tuple[Tensor, Tensor | None]:
        """What D sees: images [B, C, H, W] or points [B, D]; and labels [B]."""
        if self._on_device is None:
            return to_network(drawn["batch"]), drawn.get("labels")
        samples, labels = self._on_device
        return to_network(samples[drawn["rows"]]), None if labels is None else labels[drawn["rows"]]

    def _read_ahead(self, update: int) -> np.ndarray:
        """The batch of `update` as it is in the file; a reader goes on to that of the next one."""
        if self._reader is None:
            return self._read(update)
        pair = (update, update + 1)
        self._reading = {u: self._reading.get(u) or self._reader.submit(self._read, u) for u in pair}
        return self._reading[update].result()

    def _read(self, update: int) -> np.ndarray:
        return np.asarray(self.data.samples[self._rows(update)])

    def _rows(self, update: int) -> np.ndarray:
        rows: np.ndarray = self.team.part(rows_of(self.config.seed, update, self.config.batch, len(self.data.samples)))
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
