"""The batches of a run: every row once an epoch, read ahead where they do not fit into memory."""

import threading

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from ganutils.compute import distributed
from ganutils.runs.defaults import fresh
from ganutils.training import batches, replay
from ganutils.training.batches import Batches, TrainingSet


class Watched:
    """Pictures that do not fit into memory; `reads` are which rows were read, and whether by the thread that trains."""

    def __init__(self, pictures):
        self.pictures, self.nbytes, self.reads = pictures, 1 << 60, []

    def __len__(self):
        return len(self.pictures)

    def __getitem__(self, rows):
        self.reads.append((rows.tolist(), threading.current_thread() is threading.main_thread()))
        return self.pictures[rows]


@given(updates=st.lists(st.integers(0, 9), min_size=1, max_size=12))
def test_what_does_not_fit_is_read_ahead_and_is_the_same(updates):
    config = fresh((8, 8, 1), {"batch": 4, "width": 1})
    data = TrainingSet(np.random.default_rng(0).integers(0, 256, (10, 8, 8, 1), np.uint8), np.arange(10))
    watched = Watched(data.samples)
    near, far = (
        Batches(data._replace(samples=samples), config, torch.device("cpu"), distributed.ALONE)
        for samples in (data.samples, watched)
    )
    resident = Batches(data, config, torch.device("cpu"), distributed.ALONE)
    resident._on_device = {name: torch.from_numpy(array) for name, array in resident._arrays.items()}  # as on a GPU
    for update in updates:
        three = [one.take(replay.send(one.draw(update), torch.device("cpu"))) for one in (near, far, resident)]
        for other in three[1:]:
            assert torch.equal(three[0].samples, other.samples)
            assert torch.equal(three[0].condition.labels, other.condition.labels)
    far._reader.shutdown()
    assert not any(by_main for _, by_main in watched.reads)
    wanted = [batches.rows_of(config.seed, update, 4, 10).tolist() for update in (updates[0], updates[0] + 1)]
    assert [rows for rows, _ in watched.reads[:2]] == wanted  # the second before it was asked for


@given(count=st.integers(1, 30), batch=st.integers(2, 40), epochs=st.integers(1, 3))
def test_every_epoch_shows_every_row_once(count, batch, epochs):
    updates = -(-count * epochs // batch)
    rows = [int(row) for update in range(updates) for row in batches.rows_of(3, update, batch, count)]
    for epoch in range(epochs):
        assert sorted(rows[epoch * count : (epoch + 1) * count]) == list(range(count))
