"""Several processes that train one GAN, as torchrun starts them: by gloo on the CPU."""

import os
import re
import signal
import socket

import numpy as np
import pytest
from conftest import TINY, wait_for
from hypothesis import given
from hypothesis import strategies as st

from ganutils.compute.distributed import ShardedGenerator, Team

# Adam steps by the sign of a gradient, even one that is rounding alone; at this rate only the gradients are compared.
EXACT = ["--precision", "fp32", "--lr", 1e-6]
SYNC = ["--sync-bn", "--augment", "translate,cutout", "--hidden", 3]
PLAIN = ["--arch", "resnet", "--loss", "relativistic", "--r1", 1, "--r2", 1, "--conditional", "--prior", "uniform"]


@pytest.fixture
def team(start):
    """team("gan-loop", ...) -> the two processes, started with the environment that torchrun gives."""

    def start_two(*arguments):
        with socket.socket() as found:
            found.bind(("127.0.0.1", 0))
            port = str(found.getsockname()[1])
        about = dict(MASTER_ADDR="127.0.0.1", MASTER_PORT=port, WORLD_SIZE="2")
        return [start(*arguments, **about, RANK=str(rank), LOCAL_RANK=str(rank)) for rank in range(2)]

    return start_two


@pytest.mark.parametrize("model", [SYNC, PLAIN], ids=["dcgan with --sync-bn", "resnet"])
def test_two_workers_make_the_update_of_one(team, ok, pictures, content, tmp_path, model):
    words = ["gan-loop", pictures, *TINY, *model, *EXACT, "--steps", 3, "-q"]
    ok(*words, "-o", "one.ckpt")
    assert [worker.wait() for worker in team(*words, "-o", "two.ckpt", "--log", "log.jsonl")] == [(0, b"", "")] * 2
    assert not differing(content, "one.ckpt", "two.ckpt")
    (_, one), (_, two) = content("one.ckpt"), content("two.ckpt")
    assert any(not np.array_equal(tensor, two[name]) for name, tensor in one.items()), "they were not divided at all"
    assert len((tmp_path / "log.jsonl").read_text().splitlines()) == 1


def differing(content, one, other):
    """The tensors in which two checkpoints differ by more than rounding, beside the largest number of their kind."""
    (_, first), (_, second) = content(one), content(other)
    assert first.keys() == second.keys()
    kinds = {name: re.match(r"opt\.[GD]\.\w+|\w+", name)[0] for name in first}
    largest = {kind: max(np.abs(first[n]).max() for n in first if kinds[n] == kind) for kind in set(kinds.values())}
    return {n for n in first if np.abs(first[n] - second[n]).max() > 1e-3 * largest[kinds[n]]}


def test_batch_norm_of_each_part_is_another_run(team, ok, pictures, content):
    words = ["gan-loop", pictures, *TINY, *EXACT, "--steps", 1, "-q"]
    ok(*words, "-o", "one.ckpt")
    assert [worker.wait().code for worker in team(*words, "-o", "two.ckpt")] == [0, 0]
    assert "opt.D.exp_avg.head.weight" in differing(content, "one.ckpt", "two.ckpt")


def test_a_batch_that_cannot_be_divided_is_reported(team, pictures):
    for worker in team("gan-loop", pictures, *TINY, "--batch", 5, "-o", "two.ckpt"):
        result = worker.wait()
        assert (result.code, result.lines) == (1, ["gan-loop: --batch 5 cannot be divided among 2 workers"])


def test_workers_cannot_share_a_pipe(team):
    for worker in team("gan-loop", "-", *TINY, "-o", "two.ckpt"):
        result = worker.wait()
        assert result.code == 1
        assert "the workers of torchrun cannot share a pipe; give a file" in result.lines[0]


def test_a_signal_to_one_ends_all_after_the_same_step(team, ok, pictures, tmp_path):
    words = ["gan-loop", pictures, *TINY, "--arch", "resnet", "--save-every", 2, "-q"]
    workers = team(*words, "--steps", 100_000, "-o", "two.ckpt")
    wait_for(tmp_path / "two.ckpt")
    os.kill(workers[1].process.pid, signal.SIGTERM)
    assert [worker.wait(20) for worker in workers] == [(143, b"", "")] * 2
    assert b"step" in ok("gan-info", "two.ckpt").out


def test_a_killed_worker_ends_the_job_and_it_goes_on_from_the_last_checkpoint(team, pictures, tmp_path, ok):
    words = ["gan-loop", pictures, *TINY, "--arch", "resnet", "--save-every", 1, "-o", "two.ckpt", "-q"]
    workers = team(*words, "--steps", 100_000)
    wait_for(tmp_path / "two.ckpt")
    os.kill(workers[1].process.pid, signal.SIGKILL)
    left = workers[0].wait(20)
    assert left.code == 1
    assert left.lines == [
        "gan-loop: another worker of this job has died; run the same command again to continue from the last checkpoint"
    ]
    step = int(ok("gan-info", "--json", "two.ckpt").out.split(b'"step": ')[1].split(b",")[0].split(b"}")[0])
    assert [worker.wait().code for worker in team(*words, "--steps", step + 2)] == [0, 0]


def test_gan_sample_shares_its_work_and_writes_the_same_bytes(team, ok, checkpoint, tmp_path):
    words = ["gan-sample", checkpoint, "-n", 150, "-o", "x.safetensors", "-q"]
    ok(*words)
    alone = (tmp_path / "x.safetensors").read_bytes()
    (tmp_path / "x.safetensors").unlink()
    assert [worker.wait() for worker in team(*words)] == [(0, b"", "")] * 2
    assert (tmp_path / "x.safetensors").read_bytes() == alone


@given(count=st.integers(1, 5), size=st.integers(1, 6), seed=st.integers(0, 99))
def test_the_parts_of_what_is_drawn_are_what_one_process_draws(count, size, seed):
    teams = [Team() for _ in range(count)]
    for rank, one in enumerate(teams):
        one.rank, one.count = rank, count

    parts = [ShardedGenerator(np.random.default_rng(seed), one).standard_normal((size, 3), np.float32) for one in teams]
    alone = ShardedGenerator(np.random.default_rng(seed), Team())
    assert np.array_equal(np.concatenate(parts), alone.standard_normal((size * count, 3), np.float32))
