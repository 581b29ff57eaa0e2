"""Commands on a GPU: pytest -m gpu."""

import json
import os
import signal

import numpy as np
import pytest
import torch
from conftest import TINY, wait_for
from test_workers import EXACT, differing, pair

from ganutils.files import container

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU, or it is hidden (see conftest.py)"),
]
CUDA = ["--device", "cuda"]
LINE = ["gan-loop", "data.safetensors", *TINY, *CUDA, "-q"]


def test_samples_are_the_same_twice_and_on_the_cpu_but_for_rounding(ok, checkpoint, content):
    words = ["gan-sample", checkpoint, "-n", 3000, "-q"]
    for name, device in (("a", "cuda"), ("b", "cuda"), ("c", "cpu")):
        ok(*words, "--device", device, "-o", f"{name}.safetensors")
    a, b, c = (content(f"{name}.safetensors")[1]["images"] for name in "abc")
    assert np.array_equal(a, b)
    assert np.abs(a.astype(int) - c).max() <= 1


def test_scores_are_those_of_the_cpu(ok, checkpoint, pictures):
    """In the features of a discriminator, which no machine trains anew."""
    words = ["gan-eval", pictures, checkpoint, "-n", 600, "--features", checkpoint, "--root", "here"]
    there, here = (json.loads(ok(*words, "--device", device).out) for device in ("cuda", "cpu"))
    numbers = [name for name, value in here.items() if isinstance(value, float)]
    assert len(numbers) > 5
    for name in numbers:
        assert there[name] == pytest.approx(here[name], rel=1e-3, abs=1e-3), name


def test_too_large_a_batch_is_told_in_one_line(run, pictures):
    result = run(*LINE, "--batch", 1 << 20, "--width", 2048, "-o", "x.ckpt")
    said = "gan-loop: out of memory; use a smaller --batch, --width, --size or --tile, or fewer samples"
    assert (result.code, result.lines) == (1, [said])


def test_a_signal_writes_the_checkpoint(start, pictures, tmp_path):
    going = start(*LINE, "--steps", 10_000_000, "--save-every", 100, "-o", "x.ckpt")
    wait_for(tmp_path / "x.ckpt")
    os.kill(going.process.pid, signal.SIGTERM)
    assert going.wait(30) == (143, b"", "")
    with container.read(str(tmp_path / "x.ckpt")) as file:
        assert int(file["updates.G"]) >= 100


def test_what_is_written_while_training_goes_on_is_as_it_was(ok, pictures, content):
    ok(*LINE, "--steps", 60, "--snapshots", "shots", "--every", 20, "--whole", "-o", "all.ckpt")
    for step in (0, 20, 40, 60):
        ok(*LINE, "--steps", step, "-o", "alone.ckpt", "--fresh")
        there, here = content(f"shots/step-{step:06d}.safetensors")[1], content("alone.ckpt")[1]
        assert all(np.array_equal(there[name], array) for name, array in here.items())


def test_two_workers_on_one_gpu_make_the_update_of_one(start, ok, pictures, content):
    words = [*LINE, *EXACT, "--arch", "resnet", "--steps", 3]
    ok(*words, "-o", "one.ckpt")
    two = [*words, "-o", "two.ckpt"]
    assert [worker.wait() for worker in pair(start, two, two)] == [(0, b"", "")] * 2
    assert not differing(content, "one.ckpt", "two.ckpt")


def test_a_killed_worker_ends_the_other_on_a_gpu(start, pictures, tmp_path):
    words = [*LINE, "--steps", 10_000_000, "--save-every", 20, "-o", "two.ckpt"]
    workers = pair(start, words, words)
    wait_for(tmp_path / "two.ckpt")
    workers[1].process.kill()
    left = workers[0].wait(60)
    assert left.code == 1
    assert "another worker of this job has died" in left.err
