"""Recorded updates, replayed, give the bits of those that are run. Here by a recorder for the CPU; see test_gpu."""

import contextlib
import inspect
from unittest.mock import Mock

import numpy as np
import pytest
import tape
import torch
from trainers import CPU, EACH, MODELS, differing, trainer_of

from ganutils.training import replay
from ganutils.training.loop import loop
from ganutils.training.trainer import Trainer


@EACH
def test_recorded_steps_give_the_bits_of_those_that_are_run(model):
    run, recorded = trainer_of(model), trainer_of(model)
    recorded.record(tape.capture)
    assert not differing(run, recorded)
    for _ in range(4):
        run.step()
        recorded.step()
        assert not differing(run, recorded)
        assert run.gan.updates == recorded.gan.updates
    assert run.measures() == recorded.measures()
    assert differing(run, trainer_of(model)), "they trained nothing"


@EACH
def test_recorded_runs_can_be_interrupted_and_done_by_hand(model):
    run, first = trainer_of(model), trainer_of(model)
    first.record(tape.capture)
    first.step()
    second = trainer_of(model, first)
    second.record(tape.capture)
    for _ in range(run.config.d_updates):
        second.train_d()
    second.train_g()
    second.step()
    for _ in range(3):
        run.step()
    assert not differing(run, second)


def test_a_number_in_place_of_a_tensor_is_noticed(monkeypatch):
    """The recorder of these tests is as strict as a graph: what is no tensor stays as it was when it was recorded."""
    run, recorded = trainer_of({"decay": (0, 4)}), trainer_of({"decay": (0, 4)})
    recorded.record(tape.capture)
    step = recorded.gan.optimizers["G"].step
    monkeypatch.setattr(recorded.gan.optimizers["G"], "step", lambda g, rate, count: step(g, float(rate), count))
    run.step()
    recorded.step()
    assert not differing(run, recorded)
    run.step()
    recorded.step()
    assert "G.stem.weight" in differing(run, recorded)


def waits(function):
    """The operators of `function` that read a number from the device, as .item(), float() and bool() do."""
    with tape.Operators() as ran:
        function()
    assert ran.names
    return [name for name in ran.names if "local_scalar" in name or "nonzero" in name]


@EACH
def test_no_update_waits_for_the_device(model):
    trainer = trainer_of(model)
    trainer.step()  # what is made once may wait
    for update in (trainer.train_d, trainer.train_g, trainer.step):
        assert not waits(update)
    assert waits(lambda: bool(torch.ones(1) > 0))


def test_what_cannot_be_recorded_is_run():
    """As where there is no memory for it: with the same bits, and nothing lost."""

    def fail(function):
        function()  # a part of it is done
        raise torch.OutOfMemoryError("CUDA out of memory")

    run, recorded = trainer_of(MODELS[0]), trainer_of(MODELS[0])
    recorded.record(fail)
    for _ in range(3):
        run.step()
        recorded.step()
    assert not differing(run, recorded)
    assert recorded.problem == "CUDA out of memory"


@pytest.mark.parametrize(
    ("model", "steps", "is_recorded"),
    [({}, 50, True), ({}, 49, False), ({"preset": "quickdraw2019"}, 500, False)],
    ids=["long", "short", "dropout"],
)
def test_long_runs_are_recorded_on_cuda(monkeypatch, model, steps, is_recorded):
    recorded = []
    monkeypatch.setattr(Trainer, "record", lambda self: recorded.append(self))
    trainer = trainer_of(model)
    next(loop(trainer, steps, []))
    assert not recorded, "this is a CPU"
    trainer.device = torch.device("cuda")
    trainer.expect(steps)
    assert recorded == [trainer] * is_recorded


def test_all_goes_to_the_device_in_one_copy_and_stays_what_it_was():
    arrays = {
        "z": np.random.default_rng(0).normal(size=(3, 5)).astype("f4"),
        "rate": np.array(0.1),
        "rows": np.arange(7),
        "batch": np.arange(11, dtype="u1").reshape(11, 1),
        "count": np.array(3, "f4"),
    }
    views = replay._views(replay._packed(arrays, CPU), arrays)
    assert {view.untyped_storage().data_ptr() for view in views.values()} == {views["z"].data_ptr()}
    for name, view in views.items():
        assert torch.equal(view, torch.from_numpy(arrays[name]))
        assert (view.data_ptr() - views["z"].data_ptr()) % replay.ALIGNED == 0
        assert replay.send(arrays, CPU)[name].data_ptr() == arrays[name].ctypes.data


def test_a_graph_is_captured_on_the_stream_where_it_was_warmed_up(monkeypatch):
    """By torch's functions as they are declared, though there is no GPU to call them on."""
    done, ours, main = [], Mock(), Mock()
    signature = inspect.signature(torch.cuda.graph)

    @contextlib.contextmanager
    def noted(*arguments, **others):
        done.append([*arguments, others])
        yield
        done.append("end")

    monkeypatch.setattr(torch.cuda, "Stream", lambda: ours)
    monkeypatch.setattr(torch.cuda, "current_stream", lambda: main)
    monkeypatch.setattr(torch.cuda, "stream", noted)
    monkeypatch.setattr(torch.cuda, "CUDAGraph", graph := Mock())
    monkeypatch.setattr(torch.cuda, "graph", noted)
    again = replay.as_graph(lambda: done.append("run") or len(done))
    where = {"stream": ours, "capture_error_mode": "thread_local"}
    signature.bind(graph, **where)
    assert done == [[ours, {}], *["run"] * replay.WARM_UPS, "end", [graph(), where], "run", "end"]
    ours.wait_stream.assert_called_once_with(main)  # before the first
    main.wait_stream.assert_called_once_with(ours)  # after the last
    assert again() == again()
    assert graph().replay.call_count == 2
    assert done.count("run") == replay.WARM_UPS + 1
