"""Where gan-loop starts and what it leaves unfinished: nothing to do, --more, --init, --part."""

import os
import re
import shutil
import signal
import subprocess

import numpy as np
import pytest
from conftest import ROOT, TINY, wait_for

from ganutils.files import container

SOAK = pytest.mark.soak
NETWORKS = ("G.", "D.", "ema.")


def step_of(path):
    with container.read(str(path), "checkpoint") as file:
        return int(file["updates.G"])


@pytest.fixture
def other(tmp_path):
    """Other pictures of 8x8; gives the file's name."""
    images = np.random.default_rng(1).integers(0, 256, (9, 8, 8, 1), "u1")
    container.write(str(tmp_path / "other.safetensors"), "samples", {"images": images}, {"lineage": ["# others"]})
    return "other.safetensors"


def digest(ok, name):
    return ok("gan-info", "--digest", name).out


# ------------------------------------------------------------------------------------------- nothing to train


@pytest.mark.parametrize("steps", [0, 1])
def test_a_checkpoint_that_is_there_already_is_copied_as_it_is(ok, checkpoint, other, content, steps):
    result = ok("gan-loop", other, "--from", checkpoint, "--steps", steps, "-o", "copy.ckpt")
    assert result.lines == [f"{checkpoint}: at step 1 already; --steps is the total, --more N adds"]
    (old_meta, old), (new_meta, new) = content(checkpoint), content("copy.ckpt")
    assert new_meta == old_meta, "it never saw the other data"
    assert old.keys() == new.keys()
    assert all(np.array_equal(old[name], new[name]) for name in old)


# ------------------------------------------------------------------------------------------------------ --more


def test_more_counts_from_the_output(ok, fails, pictures, tmp_path):
    line = ["gan-loop", pictures, *TINY, "-q"]
    for step in (2, 4, 6):
        ok(*line, "--more", 2, "-o", "a.ckpt")
        assert step_of(tmp_path / "a.ckpt") == step
    ok(*line, "--steps", 6, "-o", "b.ckpt")
    assert digest(ok, "a.ckpt") == digest(ok, "b.ckpt")
    refused = fails(*line, "--more", 2, "--steps", 6, "-o", "a.ckpt", code=2)
    assert "--steps and --more exclude each other; give one" in refused


def test_more_counts_from_the_checkpoint_of_from_however_often_it_is_run(ok, checkpoint, pictures, tmp_path):
    line = ["gan-loop", pictures, "--from", checkpoint, "--more", 3, "-o", "b.ckpt"]
    ok("gan-loop", pictures, "--from", checkpoint, "--steps", 2, "-o", "b.ckpt")  # as if interrupted
    ok(*line)
    assert step_of(tmp_path / "b.ckpt") == 4
    assert ok(*line).lines == ["b.ckpt: at step 4 already; --steps is the total, --more N adds"]


# ------------------------------------------------------------------------------------------------------ --init


def test_a_new_run_begins_with_the_networks_of_another(ok, pictures, other, content):
    ok("gan-loop", pictures, *TINY, "--hidden", 3, "--steps", 3, "-o", "a.ckpt", "-q")
    line = ["gan-loop", other, "--init", "a.ckpt", "--lr", 0.01, "--loss", "lsgan", "--augment", "mirror"]
    ok(*line, "--steps", 0, "-o", "b.ckpt", "-q")
    (old_meta, old), (meta, new) = content("a.ckpt"), content("b.ckpt")
    changed = {name for name in old if not np.array_equal(old[name], new[name])}
    assert not [name for name in changed if name.startswith(NETWORKS)]
    assert (new["updates.G"], new["updates.D"]) == (0, 0)
    assert not any(new[name].any() for name in new if name.startswith("opt."))
    config, there = meta["config"], old_meta["config"]
    assert {name for name in config if config[name] != there[name]} == {"lr", "d_lr", "loss", "augment"}
    assert [words.split()[0] for words in meta["lineage"]] == ["#", "made", "gan-loop", "gan-loop"]
    assert "--init a.ckpt" in meta["lineage"][-1]
    assert meta["data"]["count"] == 9

    ok(*line, "--steps", 3, "-o", "once.ckpt", "-q")
    ok(*line, "--steps", 3, "-o", "b.ckpt", "-q")
    assert digest(ok, "once.ckpt") == digest(ok, "b.ckpt"), "interrupted and continued equals never interrupted"


def test_by_hand_and_in_the_loop_a_run_that_began_with_others_is_the_same(ok, checkpoint, other, content):
    begun = ok("gan-loop", other, "--init", checkpoint, "--seed", 5, "--steps", 0).out
    piped = ok("gan-train-d", other, "--from", "-", stdin=begun).out
    ok("gan-train-g", other, "--from", "-", "-o", "hand.ckpt", stdin=piped)
    ok("gan-loop", other, "--init", checkpoint, "--seed", 5, "--steps", 1, "-o", "loop.ckpt")
    assert digest(ok, "hand.ckpt") == digest(ok, "loop.ckpt")
    assert content("hand.ckpt")[0]["init"] == content("loop.ckpt")[0]["init"]


MISFITS = {
    "--width 3": "width is 2 there, 3 here; give the same",
    "--z-dim 5": "z_dim is 4 there, 5 here; give the same",
    "--arch mlp": "arch is dcgan there, mlp here, blocks is 1 there, 0 here; give the same",
    "--conditional": "classes is 0 there, 3 here; give the same",
}


@pytest.mark.parametrize("words", MISFITS)
def test_networks_that_do_not_fit_are_refused_by_what_differs(fails, checkpoint, pictures, tmp_path, words):
    line = fails("gan-loop", pictures, "--init", checkpoint, *words.split(), "-o", "x.ckpt")
    assert line == f"gan-loop: {checkpoint}: its networks do not fit: {MISFITS[words]}"
    assert not (tmp_path / "x.ckpt").exists()


def test_a_run_goes_on_only_with_the_networks_it_began_with(ok, fails, checkpoint, pictures):
    ok("gan-loop", pictures, "--init", checkpoint, "--steps", 1, "-o", "a.ckpt")
    ok("gan-loop", pictures, *TINY, "--steps", 2, "-o", "second.ckpt")
    line = fails("gan-loop", pictures, "--init", "second.ckpt", "--steps", 2, "-o", "a.ckpt")
    assert "a.ckpt: is another run: it did not begin with the networks of second.ckpt; --fresh starts over" in line
    line = fails("gan-loop", pictures, "--init", checkpoint, "--from", "a.ckpt", "-o", "b.ckpt", code=2)
    assert "--from and --init exclude each other; give one" in line
    ok("gan-loop", pictures, *TINY, "--snapshots", "shots", "--steps", 1, "-o", "c.ckpt")
    line = fails("gan-loop", pictures, "--init", "shots/step-000000.safetensors", "-o", "d.ckpt")
    assert "a snapshot holds only the generator" in line


# ------------------------------------------------------------------------------------------------------ --part

PART = ["--save-every", 2, "--part", "-q", "-o", "a.ckpt"]


def test_an_unfinished_run_never_has_the_name_of_a_finished_one(start, ok, pictures, tmp_path):
    """Stopped by Ctrl-C, then killed, then finished."""
    line, out, part = ["gan-loop", pictures, *TINY], tmp_path / "a.ckpt", tmp_path / "a.ckpt.part"
    for number, code in ((signal.SIGINT, 130), (signal.SIGKILL, -9)):
        before = step_of(part) if part.exists() else 0
        going = start(*line, "--steps", 1_000_000, *PART)
        wait_for(part)
        while step_of(part) <= before:
            pass
        os.kill(going.process.pid, number)
        assert going.wait(20).code == code
        assert not out.exists()
    steps = step_of(part) + 3
    ok(*line, "--steps", steps, *PART)
    assert step_of(out) == steps
    assert not part.exists()
    ok(*line, "--steps", steps, "-q", "-o", "clean.ckpt")
    assert digest(ok, "a.ckpt") == digest(ok, "clean.ckpt")
    bytes_before = out.read_bytes()
    ok(*line, "--steps", steps, *PART)
    assert out.read_bytes() == bytes_before


@pytest.mark.parametrize("stride", [4, pytest.param(1, marks=SOAK)])
def test_a_kill_at_any_operation_leaves_a_finished_run_or_none(run, ok, pictures, tmp_path, stride):
    line, out, part = ["gan-loop", pictures, *TINY, "--steps", 5, *PART], tmp_path / "a.ckpt", tmp_path / "a.ckpt.part"
    ok(*line)
    whole = digest(ok, "a.ckpt")
    for n in range(1, 400, stride):
        out.unlink(missing_ok=True)
        part.unlink(missing_ok=True)
        killed = run(*line, fault=("kill", n)).code
        assert not out.exists() or step_of(out) == 5, f"killed at operation {n}"
        ok(*line)
        assert not part.exists()
        assert digest(ok, "a.ckpt") == whole
        if not killed:
            break
    assert n > 8


def test_a_longer_run_keeps_the_finished_one_until_it_is_done(start, ok, pictures, tmp_path):
    line, out, part = ["gan-loop", pictures, *TINY], tmp_path / "a.ckpt", tmp_path / "a.ckpt.part"
    ok(*line, "--steps", 2, *PART)
    assert not part.exists()
    going = start(*line, "--steps", 1_000_000, *PART)
    wait_for(part)
    os.kill(going.process.pid, signal.SIGTERM)
    assert going.wait(20).code == 143
    assert step_of(out) == 2
    steps = step_of(part)
    result = ok("gan-loop", pictures, *TINY, "--steps", steps + 1, "--part", "-o", "a.ckpt")
    assert result.lines[0] == f"a.ckpt.part: continues at step {steps:,}"
    assert (step_of(out), part.exists()) == (steps + 1, False)


def test_a_part_with_enough_steps_becomes_the_output(ok, pictures, tmp_path):
    ok("gan-loop", pictures, *TINY, "--steps", 3, "-q", "-o", "a.ckpt.part")
    ok("gan-loop", pictures, *TINY, "--steps", 3, *PART)
    assert (step_of(tmp_path / "a.ckpt"), (tmp_path / "a.ckpt.part").exists()) == (3, False)


def test_part_needs_a_file(fails, pictures):
    assert "--part has no effect without -o FILE" in fails("gan-loop", pictures, "--part", code=2)


def idioms():
    """The Makefiles in docs/training.md."""
    text = (ROOT / "docs" / "training.md").read_text()
    return re.findall(r"^```make\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


@pytest.mark.skipif(not shutil.which("make"), reason="make is not installed")
@pytest.mark.parametrize("number", [0, 1], ids=["with --part", "without"])
def test_the_makefiles_of_the_docs_finish_an_interrupted_run(pictures, tmp_path, warm_commands, number):
    text = idioms()[number].replace("--steps 5000", f"{' '.join(TINY)} --steps $(STEPS) --save-every 1")
    (tmp_path / "Makefile").write_text(text)
    shutil.copy(tmp_path / pictures, tmp_path / "digits.safetensors")
    env = {**os.environ, "PATH": f"{warm_commands}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}
    words = ["make", "sheet.png"]
    going = subprocess.Popen(
        [*words, "STEPS=1000000"], cwd=tmp_path, env=env | {"PATH": f"{ROOT}/bin:{env['PATH']}"}, start_new_session=True
    )
    wait_for(tmp_path / ("digits.ckpt.safetensors.part" if number == 0 else "digits.ckpt.safetensors"))
    os.killpg(going.pid, signal.SIGINT)
    assert going.wait(60) != 0
    assert not (tmp_path / "sheet.png").exists()
    unfinished = next(tmp_path.glob("digits.ckpt.safetensors*"))
    steps = step_of(unfinished) + 2
    subprocess.run([*words, f"STEPS={steps}"], cwd=tmp_path, env=env, check=True)
    assert step_of(tmp_path / "digits.ckpt.safetensors") == steps
    assert (tmp_path / "sheet.png").exists()
    done = subprocess.run([*words, f"STEPS={steps}"], cwd=tmp_path, env=env, check=True, capture_output=True, text=True)
    assert "gan-sample" not in done.stdout
