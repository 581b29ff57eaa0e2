"""What needs a GPU: pytest -m gpu."""

import contextlib

import numpy as np
import pytest
import test_laws
import torch
from conftest import TINY
from trainers import EACH, differing, trainer_of

from ganutils.compute import devices
from ganutils.files import container

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU, or it is hidden (see conftest.py)"),
]
CUDA = torch.device("cuda")
STEPS = 60  # so many that they are recorded


@pytest.fixture(autouse=True)
def arithmetic():
    """As commands set it."""
    with devices.lent():
        yield


@contextlib.contextmanager
def never_waiting():
    """An error at what waits for the GPU."""
    torch.cuda.synchronize()
    torch.cuda.set_sync_debug_mode("error")
    try:
        yield
    finally:
        torch.cuda.set_sync_debug_mode("default")


# ------------------------------------------------------------------------------------------------ the recorded step


@EACH
def test_recorded_updates_give_the_bits_of_those_that_are_run(model):
    run, recorded = (trainer_of(model, device=CUDA) for _ in range(2))
    recorded.record()
    for update in ("step", "step", "train_d", "train_g", "train_g", "step"):
        getattr(run, update)()
        getattr(recorded, update)()
        assert not differing(run, recorded), update
    assert recorded.problem == ""
    assert run.measures() == recorded.measures()


@EACH
@pytest.mark.parametrize("is_recorded", [False, True], ids=["run", "recorded"])
def test_no_update_waits_for_the_gpu(model, is_recorded):
    trainer = trainer_of(model, device=CUDA)
    if is_recorded:
        trainer.record()
    updates = (trainer.train_d, trainer.train_g, trainer.step)
    for update in updates:
        update()  # what is made once may wait
    with never_waiting():
        for _ in range(3):
            for update in updates:
                update()
    with pytest.raises(RuntimeError), never_waiting():
        torch.ones(1, device=CUDA).item()


@EACH
def test_data_that_do_not_fit_give_the_same_run(monkeypatch, model):
    near = trainer_of(model, device=CUDA)
    monkeypatch.setattr(devices, "fits", lambda size, device: False)
    far = trainer_of(model, device=CUDA)
    for trainer in (near, far):
        trainer.record()
        for _ in range(3):
            trainer.step()
    assert not differing(near, far)


@EACH
def test_a_step_is_that_of_the_cpu(model):
    """But for rounding: the gradients of the first update, which the moments hold."""
    on_cpu, on_gpu = (trainer_of({**model, "precision": "fp32"}, device=device) for device in ("cpu", "cuda"))
    for trainer in (on_cpu, on_gpu):
        trainer.train_d()
    first = on_gpu.gan.optimizers["D"].tensors()
    for name, moment in on_cpu.gan.optimizers["D"].tensors().items():
        scale = float(moment.abs().max())
        torch.testing.assert_close(first[name].cpu(), moment, rtol=0, atol=1e-3 * scale + 1e-12, msg=name)


# ------------------------------------------------------------------------------------------------------- the laws


@pytest.fixture
def on_gpu(ok):
    """ok("gan-loop", ...), on the GPU."""

    def run(name, *words, **how):
        place = ["--device", "cuda"] if name in ("gan-loop", "gan-train-d", "gan-train-g") else []
        return ok(name, *words, *place, **how)

    return run


@test_laws.EACH
def test_the_same_command_gives_the_same_tensors(on_gpu, pictures, number, model):
    for name in ("a.ckpt", "b.ckpt"):
        on_gpu("gan-loop", pictures, *TINY, *model, "--steps", STEPS, "-o", name, "-q")
    assert test_laws.digest(on_gpu, "a.ckpt") == test_laws.digest(on_gpu, "b.ckpt")


@test_laws.EACH
def test_interrupted_and_continued_equals_never_interrupted(on_gpu, pictures, number, model):
    """Recorded throughout; and recorded at first, then in a few steps that are not."""
    test_laws.train_once_and_in_two_goes(on_gpu, pictures, model, steps=STEPS, stop=STEPS - 3)
    assert test_laws.digest(on_gpu, "once.ckpt") == test_laws.digest(on_gpu, "twice.ckpt")


@test_laws.EACH
def test_two_phases_by_hand_equal_the_loop(on_gpu, pictures, content, number, model):
    test_laws.train_in_a_loop_and_by_hand(on_gpu, pictures, model, d_updates=1 + number % 2, steps=2)
    assert test_laws.differing(content, "loop.ckpt", "hand.ckpt") == set()


def test_a_checkpoint_of_a_gpu_goes_on_on_the_cpu_and_says_so(on_gpu, ok, pictures, tmp_path):
    on_gpu("gan-loop", pictures, *TINY, "--steps", 2, "-o", "a.ckpt", "-q")
    said = ok("gan-loop", pictures, *TINY, "--steps", 4, "-o", "a.ckpt", "--device", "cpu").err
    assert "device cuda there, cpu here" in said
    with container.read(str(tmp_path / "a.ckpt")) as file:
        assert int(file["updates.G"]) == 4
        assert all(np.isfinite(file[name]).all() for name in file.specs)
