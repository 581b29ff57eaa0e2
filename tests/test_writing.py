"""What is written while training goes on: whole, in order, as it was at its step; and what happens if it fails."""

import os
import signal
import threading

import pytest
from conftest import TINY
from test_reliability import every_operation, inputs, temporaries  # noqa: F401  (a fixture)

from ganutils.files import container
from ganutils.training.writer import Writer

MLP = [*TINY, "--arch", "mlp", "-q"]
OFTEN = f"gan-loop data.safetensors {' '.join(MLP)} --steps 2 --save-every 1 --fresh -o out.ckpt"


def test_what_is_written_while_training_goes_on_is_as_it_was(ok, pictures, content):
    words = ["gan-loop", pictures, *TINY, "--fresh", "-q"]
    ok(*words, "--steps", 4, "--snapshots", "shots", "--every", 1, "--whole", "-o", "all.ckpt")
    for step in range(5):
        ok(*words, "--steps", step, "-o", "alone.ckpt")
        there, here = content(f"shots/step-{step:06d}.safetensors")[1], content("alone.ckpt")[1]
        assert {name: array.tobytes() for name, array in there.items()} == {n: a.tobytes() for n, a in here.items()}


def readable(path):
    with container.read(str(path)) as file:
        return int(file["updates.G"])


@pytest.mark.parametrize("what", ["fail", "kill"])
def test_whatever_goes_wrong_while_training_goes_on_a_whole_checkpoint_is_there(run, inputs, what):  # noqa: F811
    for n, old, result in every_operation(run, inputs, OFTEN, "out.ckpt", what):
        is_new = (inputs / "out.ckpt").read_bytes() != old
        assert not is_new or readable(inputs / "out.ckpt") in (1, 2), f"after operation {n}"
        if what == "kill":
            assert result.code == -signal.SIGKILL
        else:
            assert result.code == len(result.lines), (n, result)
            assert not temporaries(inputs), f"after operation {n}"


def test_a_snapshot_that_cannot_be_written_ends_the_training(fails, pictures, tmp_path):
    os.makedirs(tmp_path / "shots" / ".step-000002.safetensors.tmp")  # where it is written first
    words = ["gan-loop", pictures, *MLP, "--steps", 10_000_000, "--snapshots", "shots", "--every", 1]
    said = fails(*words, "-o", "out.ckpt")
    assert said == "gan-loop: shots/step-000002.safetensors: is a directory; give a file"
    assert readable(tmp_path / "shots" / "step-000001.safetensors") == 1


def test_writes_are_made_in_order_and_awaited():
    done, free = [], threading.Event()
    with Writer() as writer:
        writer.start(lambda: (free.wait(60), done.append(1)))
        writer.check()
        assert not done
        free.set()
        writer.start(lambda: done.append(2))
        writer.start(lambda: done.append(3))
    assert done == [1, 2, 3]


@pytest.mark.parametrize("call", ["start", "finish", "check", "leave"])
def test_what_a_write_fails_with_is_raised_by_what_is_called_next(call):
    def fail():
        raise OSError("disk")

    with pytest.raises(OSError, match="disk"), Writer() as writer:
        writer.start(fail)
        if call == "check":
            while True:
                writer.check()
        elif call != "leave":
            getattr(writer, call)(*[print] * (call == "start"))


def test_an_error_of_the_training_is_not_hidden_by_that_of_a_write():
    with pytest.raises(ValueError, match="training"), Writer() as writer:
        writer.start(lambda: 1 / 0)
        raise ValueError("training")
