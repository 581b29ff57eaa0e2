"""Two domains are trained side by side, a thread for each direction: with the bits of one after the other."""

import json
import os
import signal
import threading

import pytest
import torch
from conftest import wait_for
from trainers import differing, trainer_of

from ganutils import Error
from ganutils.compute.side_by_side import SideBySide, in_turn

DOMAINS = {"domains": 2, "z_dim": 0, "width": 3}
MODELS = [
    {"arch": "unet"},
    {"arch": "unet", "precision": "bf16", "norm": "batch", "identity": 1.0, "buffer": 5},
    {"arch": "blocks", "blocks": 1, "identity": 1.0, "matching": 1.0, "d_updates": 2},
    {"preset": "discogan2017", "norm": "none", "loss": "wgan", "gp": 1.0},
    {"arch": "unet", "cycle": 0.0},
]


@pytest.fixture
def threads():
    """Sets this process's number of threads, until the test has ended."""
    before = torch.get_num_threads()
    yield torch.set_num_threads
    torch.set_num_threads(before)


def where():
    """The thread, and with how many it computes."""
    return threading.current_thread().name, torch.get_num_threads()


def test_each_function_has_its_thread_and_its_share(threads):
    each = SideBySide()
    threads(5)
    first = each([where, where])
    assert [share for _, share in first] == [2, 2]
    assert len({name for name, _ in first} | {where()[0]}) == 3
    assert each([where, where]) == first
    threads(2)
    assert [share for _, share in each([where, where])] == [1, 1]
    assert torch.get_num_threads() == 2


def test_threads_that_begin_later_have_the_callers_number(threads):
    threads(4)
    SideBySide()([where, where])
    later = []
    thread = threading.Thread(target=lambda: later.append(where()[1]))
    thread.start()
    thread.join()
    assert later == [4]


def test_one_function_or_one_thread_is_one_after_the_other(threads):
    threads(4)
    assert SideBySide()([where]) == [where()]
    threads(1)
    assert SideBySide()([where, where]) == [where()] * 2


def test_what_the_first_raises_arrives_when_all_have_ended(threads):
    ended = threading.Event()

    def fail():
        raise Error("broken.safetensors: broken")

    def work():
        ended.wait(0.2)
        ended.set()

    threads(2)
    with pytest.raises(Error, match=r"^broken\.safetensors: broken$"):
        SideBySide()([fail, work])
    assert ended.is_set()


@pytest.mark.parametrize("model", MODELS, ids=lambda model: ",".join(model))
def test_side_by_side_gives_the_bits_of_one_after_the_other(threads, model):
    """Where a function's share is the one thread that the other way has."""
    beside, after = trainer_of(DOMAINS | model), trainer_of(DOMAINS | model)
    after._phases.each = in_turn
    for _ in range(3):
        threads(2)
        beside.step()
        threads(1)
        after.step()
        assert not differing(beside, after)
    assert beside.measures() == after.measures()
    assert beside._phases.each._threads


def test_dropout_draws_in_one_thread():
    assert trainer_of({**DOMAINS, "arch": "unet", "dropout": 0.5})._phases.each is in_turn


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_the_step_and_the_run_can_go_on(start, ok, domains, tmp_path, number, code):
    words = ["gan-loop", domains, "--domains", "--width", 2, "--batch", 2, "--threads", 2, "-q", "-o"]
    going = start(*words, "a.ckpt", "--steps", 1_000_000, "--save-every", 2)
    wait_for(tmp_path / "a.ckpt")
    os.kill(going.process.pid, number)
    assert going.wait(20) == (code, b"", "")
    steps = json.loads(ok("gan-info", "--json", "a.ckpt").out)["updates"]["G"]
    ok(*words, "a.ckpt", "--steps", steps + 2)
    ok(*words, "b.ckpt", "--steps", steps + 2)
    assert ok("gan-info", "--digest", "a.ckpt").out == ok("gan-info", "--digest", "b.ckpt").out


def test_a_second_ctrl_c_stops_at_once(start, domains, tmp_path):
    (tmp_path / "shots").mkdir()
    words = ["--domains", "--width", 64, "--batch", 6, "--d-updates", 1000, "--threads", 2, "--snapshots", "shots"]
    going = start("gan-loop", domains, *words, "--steps", 10, "-q", "-o", "a.ckpt")
    wait_for(tmp_path / "shots" / "step-000000.safetensors")
    for _ in range(2):
        assert going.process.is_alive()
        os.kill(going.process.pid, signal.SIGINT)
        going.process.join(0.3)
    assert going.wait(20) == (130, b"", "")
    assert not (tmp_path / "a.ckpt").exists()
