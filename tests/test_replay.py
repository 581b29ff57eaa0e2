"""Recorded updates, replayed, give the bits of those that are run. Here by a recorder for the CPU; see test_gpu."""

import numpy as np
import pytest
import tape
import torch

from ganutils.compute.distributed import ALONE
from ganutils.runs.config import fresh
from ganutils.training import replay
from ganutils.training.batches import TrainingSet
from ganutils.training.gan import begin
from ganutils.training.loop import loop
from ganutils.training.trainer import Trainer

CPU = torch.device("cpu")
TINY = {"width": 2, "z_dim": 4, "batch": 4, "precision": "fp32"}
MODELS = [
    {"d_updates": 2, "decay": (1, 4)},
    {"loss": "minimax", "prior": "uniform", "augment": "translate,cutout,color", "classes": 3},
    {"arch": "resnet", "loss": "relativistic", "r1": 1.0, "r2": 1.0, "augment": "translate", "classes": 3},
    {"preset": "wgan-gp2017", "d_updates": 2, "augment": "mirror"},
    {"optimizer": "rmsprop", "hidden": 3, "precision": "bf16", "ema_kimg": 0.0},
    {"arch": "krohn", "dropout": 0.0},
]
EACH = pytest.mark.parametrize("model", MODELS, ids=lambda model: ",".join(model))


def trainer_of(model, origin=None):
    """A Trainer on twelve pictures of 9x8 in color, which goes on where `origin` is."""
    pictures = np.random.default_rng(0).integers(0, 256, (12, 9, 8, 3), np.uint8)
    config = fresh((9, 8, 3), {**TINY, **model})
    gan = begin(config, None)
    if origin:
        with torch.no_grad():
            for tensor, there in zip(gan.tensors().values(), origin.gan.tensors().values(), strict=True):
                tensor.copy_(there)
        gan.updates = dict(origin.gan.updates)
    return Trainer(gan, TrainingSet(pictures, np.arange(12) % 3 if config.classes else None), CPU)


def differing(one, other):
    """The names of the tensors in which two GANs differ."""
    pairs = zip(one.gan.tensors().items(), other.gan.tensors().values(), strict=True)
    return [name for (name, tensor), there in pairs if not torch.equal(tensor, there)]


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


def test_what_cannot_be_recorded_is_run(monkeypatch):
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


@pytest.mark.parametrize(
    ("model", "steps", "team", "is_recorded"),
    [({}, 50, ALONE, True), ({}, 49, ALONE, False), ({"preset": "quickdraw2019"}, 500, ALONE, False)],
    ids=["long", "short", "dropout"],
)
def test_long_runs_are_recorded_on_cuda(monkeypatch, model, steps, team, is_recorded):
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
        assert view.data_ptr() % 16 == 0
        assert replay.send(arrays, CPU)[name].data_ptr() == arrays[name].ctypes.data
