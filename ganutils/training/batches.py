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
from ganutils.compute.distributed import ShardedGenerator, Team
from ganutils.networks.condition import Condition
from ganutils.networks.scaling import to_network
from ganutils.randomness import stream
from ganutils.runs import descriptions
from ganutils.runs.config import Config
from ganutils.runs.descriptions import Captions, Descriptions
from ganutils.samples.samples import Samples

Arrays = dict[str, np.ndarray]


class Batch(NamedTuple):
    """Images [B, C, H, W] or points [B, D], their condition, and a wrong one, if D sees some: with the descriptions of
    other samples or, without descriptions, with their inputs.

    Of two domains the first half is of the first one. The pictures themselves are the inputs.
    """

    samples: Tensor
    condition: Condition
    wrong: Condition | None = None


class Batches:
    """The batches of `data` on `device`; of each, the part of this process of `team`.

    Samples that fit into the memory of a GPU are kept there, as uint8. Where they do not fit into memory, a thread
    reads the next batch from the file during the update, since a disk can take longer than that.
    """

    def __init__(self, data: TrainingSet, config: Config, device: torch.device, team: Team):
        self.data, self.config, self.team = data, config, team
        self._arrays = data.tensors
        fits = devices.fits(sum(array.nbytes for array in self._arrays.values()), device)
        self._on_device: dict[str, Tensor] = {}
        if fits and device.type != "cpu":
            self._on_device = {
                name: torch.from_numpy(np.asarray(array)).to(device) for name, array in self._arrays.items()
            }
        self._reader = None if fits else ThreadPoolExecutor(1)
        self._reading: dict[int, Future[Arrays]] = {}  # by update

    def draw(self, update: int) -> Arrays:
        """What `take` makes the batch of `update`, counted from 0, of."""
        batch = {"rows": self._rows(update)} if self._on_device else self._read_ahead(update)
        return {**batch, **self._told(update), **self._wrong(update), **self._moves(update)}

    def take(self, drawn: Mapping[str, Tensor]) -> Batch:
        """What the networks see of a batch."""
        batch = {**drawn, **{name: tensor[drawn["rows"]] for name, tensor in self._on_device.items()}}
        if "wrong rows" in drawn:
            batch["wrong inputs"] = self._on_device["inputs"][drawn["wrong rows"]]
        samples = batch["samples"]
        if self.config.domains:
            pictures = to_network(moved(samples, drawn))
            return Batch(pictures, Condition(inputs=pictures))
        given = {name: batch[name] for name in Condition._fields if name in batch}
        wrong = {name: batch[f"wrong {name}"] for name in Condition._fields if f"wrong {name}" in batch}
        for one in (given, wrong):
            if "inputs" in one:
                one["inputs"] = to_network(moved(one["inputs"], drawn))
        condition = Condition(**given)
        pictures = to_network(moved(samples, drawn, self.config.scale))
        return Batch(pictures, condition, condition._replace(**wrong) if wrong else None)

    def _told(self, update: int) -> Arrays:
        """The descriptions of the batch of `update`: of a sample's captions one, by the seed and the update."""
        random = ShardedGenerator(self.team, self.config.seed, "captions", update)
        at = random.random((self.config.batch // self.team.count,), np.float64) if self.config.words else None
        return self.data.told(self._rows(update), at) if self.config.is_described else {}

    def _wrong(self, update: int) -> Arrays:
        """What is not of the batch of `update` and D is to see beside it, if anything: descriptions or inputs of the
        batch after it, or other classes.
        """
        if not self.config.mismatch:
            return {}
        if self.config.is_described:
            return {f"wrong {name}": array for name, array in self._told(update + 1).items()}
        if not self.config.inputs:
            return {"wrong labels": self._other_labels(update)}
        rows = self._rows(update + 1)
        return {"wrong rows": rows} if self._on_device else {"wrong inputs": np.asarray(self._arrays["inputs"][rows])}

    def _other_labels(self, update: int) -> np.ndarray:
        """For each sample of the batch of `update` a class that it is not of."""
        assert self.data.labels is not None
        labels, classes = self.data.labels[self._rows(update)], self.config.classes
        random = ShardedGenerator(self.team, self.config.seed, "wrong labels", update)
        return (labels + random.integers(1, classes, labels.shape)) % classes

    def _moves(self, update: int) -> Arrays:
        """How the pairs of a batch are shifted, in pixels of the inputs, and which are mirrored."""
        config, moves = self.config, Arrays()
        if not config.inputs or not (config.jitter or config.mirror):
            return moves
        random = ShardedGenerator(self.team, config.seed, "jitter", update)
        shape = (config.batch // self.team.count, config.domains or 1, 1)
        for name, side in zip(("down", "right"), config.inputs[:2], strict=True):
            most = int(config.jitter * side)
            moves[name] = by_domain(random.integers(-most, most + 1, shape))
        moves["mirrored"] = by_domain(random.random(shape, np.float32)) < config.mirror
        return moves

    def _read_ahead(self, update: int) -> Arrays:
        """The batch of `update` as it is in the file; a reader goes on to that of the next one."""
        if self._reader is None:
            return self._read(update)
        pair = (update, update + 1)
        self._reading = {u: self._reading.get(u) or self._reader.submit(self._read, u) for u in pair}
        return self._reading[update].result()

    def _read(self, update: int) -> Arrays:
        rows = self._rows(update)
        return {name: np.asarray(array[rows]) for name, array in self._arrays.items()}

    def _rows(self, update: int) -> np.ndarray:
        seed, batch, part = self.config.seed, self.config.batch, self.team.part
        if self.data.domains is None:
            rows: np.ndarray = part(rows_of(seed, update, batch, len(self.data.samples)))
            return rows
        each = enumerate(self.data.domains)
        return np.concatenate([rows[part(rows_of(seed, update, batch, len(rows), n))] for n, rows in each])


def moved(pictures: Tensor, moves: Mapping[str, Tensor], scale: int = 1) -> Tensor:
    """Pictures uint8 [B, H, W, C], each shifted and mirrored as `moves` say; what comes in is reflected at the border.

    moves  down, right int64 [B, 1] in pixels of the inputs, mirrored bool [B, 1]; or none of these
    scale  how many times as large as inputs these pictures are
    """
    if "mirrored" not in moves:
        return pictures
    b, h, w, c = pictures.shape
    rows = _reflected(torch.arange(h, device=pictures.device) + moves["down"] * scale, h)  # (B, H)
    columns = _reflected(torch.arange(w, device=pictures.device) + moves["right"] * scale, w)
    columns = torch.where(moves["mirrored"], columns.flip(1), columns)
    numbers = torch.arange(b, device=pictures.device)[:, None, None]
    pixels = (numbers * h + rows[:, :, None]) * w + columns[:, None, :]  # by one index: three take twice as long
    return pictures.reshape(-1, c).index_select(0, pixels.flatten()).view(b, h, w, c)


def _reflected(places: Tensor, length: int) -> Tensor:
    """Places beyond either end of 0 to length - 1, by less than that, as those before it."""
    last = length - 1
    return (last - (last - places.abs()).abs()).clamp(0, last)


def by_domain(drawn: np.ndarray) -> np.ndarray:
    """What was drawn [batch, domains, ...], in the order of a batch: [domains * batch, ...].

    So the part of a process is its part of each domain.
    """
    return drawn.swapaxes(0, 1).reshape(-1, *drawn.shape[2:])


def rows_of(seed: int, update: int, batch: int, count: int, *domain: int) -> np.ndarray:
    """The rows, of `count`, that update `update` (from 0) trains on: int64 [batch]. Each epoch shows every row once.

    Each `domain` has an order of its own.
    """
    positions = np.arange(update * batch, (update + 1) * batch)
    epochs = positions // count
    orders = ((_order(seed, int(epoch), count, *domain), epochs == epoch) for epoch in np.unique(epochs))
    return np.concatenate([order[positions[here] % count] for order, here in orders])


@functools.lru_cache(maxsize=4)
def _order(seed: int, epoch: int, count: int, *domain: int) -> np.ndarray:
    return stream(seed, "order", epoch, *domain).permutation(count)


class TrainingSet(NamedTuple):
    """Samples uint8 [N, H, W, C] or float32 [N, D], in memory or on disk; for a conditional run labels int64 [N],
    attributes float32 [N, A] or captions; for one whose generator starts from them inputs uint8 [N, h, w, c]; or the
    rows of each of two domains.
    """

    samples: np.ndarray
    labels: np.ndarray | None = None
    inputs: np.ndarray | None = None
    domains: tuple[np.ndarray, np.ndarray] | None = None
    attributes: np.ndarray | None = None
    captions: Captions | None = None

    @property
    def tensors(self) -> dict[str, np.ndarray]:
        """What there is of each sample but its description, by name."""
        beside = {"labels": self.labels, "inputs": self.inputs}
        return {"samples": self.samples, **{name: array for name, array in beside.items() if array is not None}}

    def told(self, rows: np.ndarray, at: np.ndarray | None = None) -> Arrays:
        """The descriptions of `rows` as a network takes them, if there are some: of captions the first, or the one that
        `at`, in 0..1, falls on.
        """
        if self.attributes is not None:
            return {"attributes": self.attributes[rows]}
        if self.captions is None:
            return {}
        return {"tokens": self.captions.chosen(rows, np.zeros(len(rows)) if at is None else at)}


def training_set(samples: Samples, config: Config, known: Descriptions = descriptions.NONE) -> TrainingSet:
    """What a run of `config`, whose networks know these descriptions, trains on."""
    if config.domains:
        return TrainingSet(samples.array, domains=samples.domains())
    labels = None
    if config.classes:
        labels = samples.labels_of(config.classes)
    elif config.class_loss:
        labels = samples.labels_of(config.d_classes, "--class-loss")
    return TrainingSet(
        samples.array,
        labels,
        samples.inputs if config.inputs else None,
        attributes=descriptions.attributes_of(samples, known.attributes, "the run") if config.attributes else None,
        captions=descriptions.captions_of(samples, known.vocabulary) if config.words else None,
    )
