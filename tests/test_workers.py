"""Several processes that train one GAN, as torchrun starts them: by gloo on the CPU."""

import os
import re
import signal
import socket
import time

import numpy as np
import pytest
import torch
from conftest import FORKS, TINY, wait_for
from hypothesis import given
from hypothesis import strategies as st

from ganutils import Error
from ganutils.compute import devices, distributed, watching
from ganutils.compute.distributed import ShardedGenerator, Team, joined
from ganutils.randomness import stream

# Adam steps by the sign of a gradient, even one that is rounding alone; at this rate only the gradients are compared.
EXACT = ["--precision", "fp32", "--lr", 1e-6]
SYNC = ["--sync-bn", "--augment", "translate,cutout", "--hidden", 3, "--r1", 0, "--r2", 0]  # also in D
PLAIN = ["--arch", "resnet", "--loss", "relativistic", "--r1", 1, "--r2", 1, "--conditional", "--prior", "uniform"]


@pytest.fixture
def team(start):
    """team("gan-loop", ...) -> the two processes, started with the environment that torchrun gives."""
    return lambda *arguments: pair(start, arguments, arguments)


def pair(start, *lines):
    """Processes of one job, each with a command line of its own."""
    about = dict(MASTER_ADDR="127.0.0.1", MASTER_PORT=free_port(), WORLD_SIZE=str(len(lines)))
    return [start(*line, **about, RANK=str(rank), LOCAL_RANK=str(rank)) for rank, line in enumerate(lines)]


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return str(found.getsockname()[1])


@pytest.mark.parametrize("model", [SYNC, PLAIN], ids=["dcgan with --sync-bn", "resnet"])
def test_two_workers_make_the_update_of_one(team, ok, pictures, content, tmp_path, model):
    words = ["gan-loop", pictures, *TINY, *model, *EXACT, "--steps", 3, "-q"]
    ok(*words, "-o", "one.ckpt")
    assert [worker.wait() for worker in team(*words, "-o", "two.ckpt", "--log", "log.jsonl")] == [(0, b"", "")] * 2
    assert not differing(content, "one.ckpt", "two.ckpt")
    (_, one), (_, two) = content("one.ckpt"), content("two.ckpt")
    assert any(not np.array_equal(tensor, two[name]) for name, tensor in one.items()), "they were not divided at all"
    assert len((tmp_path / "log.jsonl").read_text().splitlines()) == 1


def test_two_workers_make_the_update_of_one_on_pairs(team, ok, pairs, content):
    words = [
        "gan-loop",
        pairs(),
        "--width",
        2,
        "--batch",
        4,
        "--mismatch",
        0.5,
        *EXACT,
        "--steps",
        3,
        "--sync-bn",
        "-q",
    ]
    ok(*words, "-o", "one.ckpt")
    assert [worker.wait() for worker in team(*words, "-o", "two.ckpt")] == [(0, b"", "")] * 2
    assert not differing(content, "one.ckpt", "two.ckpt")


def test_two_workers_make_the_update_of_one_on_captions(team, ok, described, content):
    """Each compares its samples with the descriptions of the whole batch."""
    words = ["gan-loop", described(), *TINY, "--conditional", "captions", "--norm", "none", "--kl", 1, *EXACT]
    ok(*words, "--sync-bn", "--steps", 3, "-q", "-o", "one.ckpt")
    workers = team(*words, "--sync-bn", "--steps", 3, "-q", "-o", "two.ckpt")
    assert [worker.wait() for worker in workers] == [(0, b"", "")] * 2
    assert not differing(content, "one.ckpt", "two.ckpt")


def test_two_workers_make_the_update_of_one_on_sounds(team, ok, sounds, content):
    words = [
        "gan-loop",
        sounds,
        "--width",
        2,
        "--batch",
        4,
        "--gp",
        1,
        "--phase-shuffle",
        2,
        "--conditional",
        *EXACT,
        "--sync-bn",
    ]
    words += ["--steps", 3, "-q"]
    ok(*words, "-o", "one.ckpt")
    assert [worker.wait() for worker in team(*words, "-o", "two.ckpt")] == [(0, b"", "")] * 2
    assert not differing(content, "one.ckpt", "two.ckpt")


def test_two_workers_make_the_update_of_one_on_texts(team, ok, texts, content):
    words = ["gan-loop", texts, "--width", 2, "--hidden", 3, "--batch", 4, "--gp", 1, "--conditional", *EXACT]
    words += ["--sync-bn", "--ending", "softmax", "--steps", 3, "-q"]
    ok(*words, "-o", "one.ckpt")
    assert [worker.wait() for worker in team(*words, "-o", "two.ckpt")] == [(0, b"", "")] * 2
    assert not differing(content, "one.ckpt", "two.ckpt")


def differing(content, one, other):
    """The tensors in which two checkpoints differ by more than rounding, beside the largest number of their kind."""
    (_, first), (_, second) = content(one), content(other)
    assert first.keys() == second.keys()
    kinds = {name: re.match(r"opt\.[GD]\.\w+|\w+", name)[0] for name in first}
    largest = {kind: max(np.abs(first[n]).max() for n in first if kinds[n] == kind) for kind in set(kinds.values())}
    return {n for n in first if np.abs(first[n] - second[n]).max() > 1e-3 * largest[kinds[n]]}


def test_batch_norm_of_each_part_is_another_run(team, ok, pictures, content):
    words = ["gan-loop", pictures, *TINY, "--r1", 0, "--r2", 0, *EXACT, "--steps", 1, "-q"]
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


def test_gan_sample_shares_the_way_there_and_back(team, ok, domains, tmp_path):
    ok("gan-loop", domains, "--domains", "--width", 2, "--batch", 2, "--steps", 1, "-o", "g.ckpt", "-q")
    ok("gan-data", *[domains] * 14, "-o", "many.safetensors", "-q")
    words = ["gan-sample", "g.ckpt", "--inputs", "many.safetensors", "--back", "-o", "x.safetensors", "-q"]
    ok(*words)
    alone = (tmp_path / "x.safetensors").read_bytes()
    (tmp_path / "x.safetensors").unlink()
    assert [worker.wait() for worker in team(*words)] == [(0, b"", "")] * 2
    assert (tmp_path / "x.safetensors").read_bytes() == alone


@given(count=st.integers(1, 5), size=st.integers(1, 150), seed=st.integers(0, 99))
def test_the_parts_of_what_is_drawn_are_what_one_process_draws(count, size, seed):
    teams = [Team(rank, count) for rank in range(count)]

    def drawn(one, size):
        random = ShardedGenerator(one, seed, "noise")
        return [
            random.standard_normal((size, 3), np.float32),
            random.integers(0, 9, (size, 2, 1)),
            random.random((size,), np.float64),
        ]

    parts, whole = [drawn(one, size) for one in teams], drawn(Team(), size * count)
    for part, one in zip(zip(*parts, strict=True), whole, strict=True):
        assert np.array_equal(np.concatenate(part), one)


def test_a_worker_draws_the_numbers_of_its_own_part_alone(monkeypatch):
    asked = []

    def noted(*names):
        asked.append(names)
        return stream(*names)

    monkeypatch.setattr(distributed, "stream", noted)
    for rank in (0, 5):
        ShardedGenerator(Team(rank, 8), 3, "noise", 7).random((64, 2), np.float32)
    assert asked == [(3, "noise", 7), (3, "noise", 7, "block", 5)]


def test_only_the_first_worker_says_that_there_is_nothing_to_do(team, ok, pictures):
    words = ["gan-loop", pictures, *TINY, "--steps", 1, "-o", "two.ckpt"]
    ok(*words, "-q")
    said = "two.ckpt: at step 1 already; --steps is the total, --more N adds"
    assert [worker.wait().lines for worker in team(*words)] == [[f"{said}"], []]
    plans = [worker.wait().out for worker in team(*words[:-2], "--dry-run", "-o", "three.ckpt")]
    assert b"step" in plans[0]
    assert not plans[1]


def test_workers_begin_with_the_state_of_the_first(start, ok, pictures, tmp_path, content):
    """On two machines each has a disk of its own, and only the first has written the checkpoint."""
    words = ["gan-loop", pictures, *TINY, *EXACT, "--arch", "resnet", "-q"]
    ok(*words, "--steps", 2, "-o", "one.ckpt")
    ok(*words, "--steps", 2, "-o", "first.ckpt")
    workers = pair(start, [*words, "--steps", 4, "-o", "first.ckpt"], [*words, "--steps", 4, "-o", "other.ckpt"])
    assert [worker.wait() for worker in workers] == [(0, b"", "")] * 2
    ok(*words, "--steps", 4, "-o", "one.ckpt")
    assert not differing(content, "one.ckpt", "first.ckpt")
    assert not (tmp_path / "other.ckpt").exists()


def test_workers_that_were_given_different_runs_are_refused(start, pictures):
    words = ["gan-loop", pictures, *TINY, "-q", "-o", "two.ckpt"]
    ours, others = (worker.wait() for worker in pair(start, words, [*words, "--lr", 0.1, "--seed", 3]))
    assert others.lines == [
        "gan-loop: worker 1 was given another run than the first: d_lr, lr, seed; give all the same"
    ]
    assert (ours.code, others.code) == (1, 1)
    assert "another worker of this job has died" in ours.lines[0]


def hung(port, rank):
    """A worker whose main thread waits for ever, as NCCL does when a neighbor dies; the other one is killed."""
    os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT=port, WORLD_SIZE="2", RANK=str(rank))
    watching.GRACE = 0.01
    with joined(torch.device("cpu"), lambda message: os._exit(7 * (message == watching.GONE))):
        if rank:
            os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(1000)


def test_a_worker_that_waits_for_a_dead_one_ends_too():
    port = free_port()
    workers = [FORKS.Process(target=hung, args=(port, rank)) for rank in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert [worker.exitcode for worker in workers] == [7, -signal.SIGKILL]


@pytest.mark.parametrize(
    ("problem", "said"),
    [
        (RuntimeError("[gloo/transport/tcp/pair.cc:561] Connection closed by peer [127.0.0.1]:2442."), watching.GONE),
        (RuntimeError("[gloo/unbound_buffer.cc:78] Timed out waiting 3000ms for recv"), watching.SILENT),
        (torch.distributed.DistBackendError("NCCL error: remote process exited"), watching.GONE),
    ],
)
def test_what_says_that_a_worker_has_died_is_told_in_words(problem, said):
    with pytest.raises(Error, match=said), watching.noticing_deaths():
        raise problem


@pytest.mark.parametrize(
    "problem",
    [
        RuntimeError("DefaultCPUAllocator: can't allocate memory"),
        torch.OutOfMemoryError("CUDA out of memory"),
        torch.distributed.DistBackendError("ncclUnhandledCudaError: Cuda failure 2 'out of memory'"),
    ],
)
def test_other_errors_are_not_taken_for_a_death(problem):
    with pytest.raises(RuntimeError) as found, watching.noticing_deaths():
        raise problem
    assert found.value is problem


def test_a_run_says_that_it_had_another_number_of_workers(team, ok, pictures):
    words = ["gan-loop", pictures, *TINY, "--arch", "resnet", "-o", "two.ckpt"]
    assert [worker.wait().code for worker in team(*words, "--steps", 1, "-q")] == [0, 0]
    (said,) = (line for line in ok(*words, "--steps", 2).lines if "there" in line)
    assert said == "two.ckpt: workers 2 there, 1 here: may differ in the last bits from a run that never moved"
    assert not any("there" in line for line in ok(*words, "--steps", 3).lines)


def test_a_run_says_that_it_moved_to_another_gpu(monkeypatch):
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: "T4")
    here = torch.device("cuda")
    meta = {"config": {"precision": "fp32"}, "versions": {**devices.describe(here), "gpu": "A100"}}
    assert "gpu A100 there, T4 here" in devices.differences(meta, here, "fp32")
    assert "gpu" not in devices.differences(meta, torch.device("cpu"), "fp32")
