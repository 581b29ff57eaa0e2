"""gan-loop, gan-train-d, gan-train-g: continuing, refusing, snapshots, the log, signals."""

import json
import os
import signal

import numpy as np
import pytest
from conftest import BIN, LR, TINY, wait_for

from ganutils.files import container


def test_a_finished_run_says_so_at_once(ok, checkpoint, pictures, tmp_path):
    before = (tmp_path / checkpoint).read_bytes()
    result = ok("gan-loop", pictures, *TINY, "--steps", 1, "-o", checkpoint)
    assert result.err == f"{checkpoint}: at step 1 already; --steps is the total, --more N adds\n"
    assert (tmp_path / checkpoint).read_bytes() == before


def test_a_run_of_other_settings_or_data_is_refused_by_name(ok, fails, checkpoint, pictures, tmp_path):
    before = (tmp_path / checkpoint).read_bytes()
    line = fails("gan-loop", pictures, *TINY, "--lr", 0.1, "--decay", "3:9", "--steps", 2, "-o", checkpoint)
    assert line == (
        f"gan-loop: {checkpoint}: is another run: lr is {LR} there, 0.1 here, d_lr is 0.004 there, 0.2 here, "
        "decay is none there, 3:9 here; --fresh starts over, or choose another -o"
    )
    np.save(tmp_path / "other.npy", np.zeros((5, 8, 8), "u1"))
    ok("gan-data", "other.npy", "-o", "other.safetensors")
    line = fails("gan-loop", "other.safetensors", *TINY, "--steps", 2, "-o", checkpoint)
    assert "the data are not the same (other number of samples, pictures)" in line
    assert (tmp_path / checkpoint).read_bytes() == before
    ok("gan-loop", "other.safetensors", *TINY, "--lr", 0.1, "--steps", 2, "-o", checkpoint, "--fresh")


def test_a_setting_that_contradicts_the_checkpoint_is_refused(fails, ok, checkpoint, pictures):
    for command in ("gan-train-d", "gan-train-g", "gan-loop"):
        line = fails(command, pictures, "--from", checkpoint, "--lr", 0.5, "-o", "x.ckpt")
        assert f"{command}: {checkpoint}: its settings are fixed: lr is {LR} there, 0.5 here" in line
    ok("gan-train-d", pictures, "--from", checkpoint, "--lr", LR, "-o", "x.ckpt")


def test_data_of_another_shape_are_refused(fails, checkpoint, ok, tmp_path):
    np.save(tmp_path / "wide.npy", np.zeros((5, 8, 16), "u1"))
    ok("gan-data", "wide.npy", "-o", "wide.safetensors")
    line = fails("gan-train-d", "wide.safetensors", "--from", checkpoint, "-o", "x.ckpt")
    assert line.startswith(f"gan-train-d: wide.safetensors: samples are 16x8x1, and {checkpoint} was made for 8x8x1; ")


def test_snapshots_are_small_and_sampled_but_not_trained(ok, fails, pictures, tmp_path, content):
    ok("gan-loop", pictures, *TINY, "--steps", 6, "--snapshots", "shots", "--every", 2, "-o", "gan.ckpt")
    names = [f"step-{step:06d}.safetensors" for step in (0, 2, 4, 6)]
    assert sorted(os.listdir(tmp_path / "shots")) == names
    meta, tensors = content("shots/step-000004.safetensors")
    assert {name.split(".")[0] for name in tensors} == {"ema", "updates"}
    assert tensors["updates.G"] == 4
    shots = [f"shots/{name}" for name in names]
    ok("gan-sample", *shots, "-n", 3, "-o", "film.safetensors")
    meta, film = content("film.safetensors")
    assert film["images"].shape == (4, 3, 8, 8, 1)
    assert meta["frames"][2] == {"kimg": 0.016, "step": 4}
    ok("gan-sample", "gan.ckpt", "-n", 3, "-o", "last.safetensors")
    assert np.array_equal(content("last.safetensors")[1]["images"], film["images"][-1])
    line = fails("gan-train-d", pictures, "--from", shots[1], "-o", "x.ckpt")
    assert "a snapshot holds only the generator" in line


def test_the_log_has_a_line_a_tick(ok, pictures, tmp_path):
    ok("gan-loop", pictures, *TINY, "--steps", 120, "--log", "log.jsonl", "-o", "gan.ckpt", "-q")
    lines = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [50, 100, 120]
    assert [line["kimg"] for line in lines] == [0.2, 0.4, 0.48]
    assert all(
        line.keys()
        == {"step", "kimg", "images_per_second", "d_loss", "g_loss", "d_real", "d_fake", "diversity", "memory_mb"}
        for line in lines
    )
    assert all(line["images_per_second"] > 0 and line["d_loss"] > 0 for line in lines)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_the_step_and_writes_the_checkpoint(start, ok, pictures, tmp_path, number, code):
    going = start("gan-loop", pictures, *TINY, "--steps", 1_000_000, "--save-every", 5, "-o", "gan.ckpt", "-q")
    wait_for(tmp_path / "gan.ckpt")
    os.kill(going.process.pid, number)
    assert going.wait(10) == (code, b"", "")
    with container.read(str(tmp_path / "gan.ckpt"), "checkpoint") as file:
        steps = int(file["updates.G"])
    ok("gan-loop", pictures, *TINY, "--steps", steps, "-o", "clean.ckpt", "-q")
    assert ok("gan-info", "--digest", "gan.ckpt").out == ok("gan-info", "--digest", "clean.ckpt").out


def test_a_kill_loses_nothing_that_was_saved(start, ok, pictures, tmp_path):
    going = start("gan-loop", pictures, *TINY, "--steps", 1_000_000, "--save-every", 3, "-o", "gan.ckpt", "-q")
    wait_for(tmp_path / "gan.ckpt")
    going.process.kill()
    going.process.join()
    with container.read(str(tmp_path / "gan.ckpt"), "checkpoint") as file:
        steps = int(file["updates.G"])
    assert steps >= 3
    assert steps % 3 == 0
    ok("gan-loop", pictures, *TINY, "--steps", steps + 5, "-o", "gan.ckpt", "-q")
    ok("gan-loop", pictures, *TINY, "--steps", steps + 5, "-o", "clean.ckpt", "-q")
    assert ok("gan-info", "--digest", "gan.ckpt").out == ok("gan-info", "--digest", "clean.ckpt").out


def test_a_run_that_diverges_says_when_and_keeps_the_last_good_checkpoint(ok, fails, pictures, tmp_path, content):
    model = [*TINY, "--loss", "lsgan", "--arch", "mlp"]
    ok("gan-loop", pictures, *model, "--steps", 2, "-o", "gan.ckpt", "-q")
    meta, tensors = content("gan.ckpt")
    tensors["D.head.weight"][:] = 3e38
    container.write(str(tmp_path / "gan.ckpt"), "checkpoint", tensors, meta)
    before = (tmp_path / "gan.ckpt").read_bytes()
    line = fails("gan-loop", pictures, *model, "--steps", 60, "-o", "gan.ckpt", "-q")
    assert "at its update 3" in line
    assert (tmp_path / "gan.ckpt").read_bytes() == before


def test_training_learns_a_one_dimensional_gaussian(ok, tmp_path):
    """Goodfellow's toy: points of N(4, 1.25); a small MLP finds about where they are. (Seeds differ by 0.1.)"""
    points = np.random.default_rng(0).normal(4, 1.25, (2000, 1)).astype("f4")
    container.write(str(tmp_path / "toy.safetensors"), "samples", {"points": points}, {})
    model = ["--width", 32, "--z-dim", 4, "--batch", 64, "--lr", 0.002, "--precision", "fp32"]
    ok("gan-loop", "toy.safetensors", *model, "--steps", 600, "-o", "toy.ckpt", "-q")
    ok("gan-sample", "toy.ckpt", "-n", 2000, "-o", "fakes.npy")
    fakes = np.load(tmp_path / "fakes.npy")
    assert fakes.shape == (2000, 1)
    assert abs(fakes.mean() - 4) < 1
    assert 0.4 < fakes.std() < 3


def test_the_precision_of_a_run_is_kept_and_both_train(ok, pictures, content):
    for precision in ("fp32", "bf16"):
        ok("gan-loop", pictures, *TINY, "--precision", precision, "--steps", 2, "-o", f"{precision}.ckpt", "-q")
    (meta, fp32), (_, bf16) = content("fp32.ckpt"), content("bf16.ckpt")
    assert meta["config"]["precision"] == "fp32"
    name = "G.stem.weight"
    assert not np.array_equal(fp32[name], bf16[name])
    assert np.abs(fp32[name] - bf16[name]).max() < 0.02


@pytest.mark.parametrize("typed", [[], ["--precision", "auto"]])
def test_precision_auto_is_decided_when_a_run_starts_and_kept(ok, pictures, content, tmp_path, typed):
    ok("gan-loop", pictures, *TINY, *typed, "--steps", 1, "-o", "a.ckpt")
    decided = content("a.ckpt")[0]["config"]["precision"]
    assert decided in ("fp32", "bf16")
    meta, tensors = content("a.ckpt")
    other = {"fp32": "bf16", "bf16": "fp32"}[decided]  # as on another machine
    meta["config"]["precision"] = other
    container.write(str(tmp_path / "a.ckpt"), "checkpoint", tensors, meta)
    assert "differ" not in ok("gan-loop", pictures, *TINY, *typed, "--steps", 2, "-o", "a.ckpt").err
    ok("gan-train-d", pictures, "--from", "a.ckpt", *typed, "-o", "b.ckpt")
    assert [content(name)[0]["config"]["precision"] for name in ("a.ckpt", "b.ckpt")] == [other, other]


def test_an_older_checkpoint_that_left_the_precision_to_the_machine_says_what_it_is_now(
    ok, fails, checkpoint, pictures, content, tmp_path
):
    meta, tensors = content(checkpoint)
    meta["config"]["precision"] = "auto"
    container.write(str(tmp_path / checkpoint), "checkpoint", tensors, meta)
    for typed, name in (([], "a.ckpt"), (["--precision", "fp32"], "b.ckpt"), (["--precision", "bf16"], "c.ckpt")):
        ok("gan-train-d", pictures, "--from", checkpoint, *typed, "-o", name)
        assert content(name)[0]["config"]["precision"] in (typed[1:] or ("fp32", "bf16"))
    result = ok("gan-loop", pictures, *TINY, "--precision", "fp32", "--steps", 2, "-o", checkpoint)
    assert result.lines[1] == (
        f"{checkpoint}: precision auto there, fp32 here: may differ in the last bits from a run that never moved"
    )
    assert content(checkpoint)[0]["config"]["precision"] == "fp32"
    line = fails("gan-loop", pictures, *TINY, "--precision", "bf16", "--steps", 3, "-o", checkpoint)
    assert "is another run: precision is fp32 there, bf16 here" in line


ABSOLUTE = """
import runpy, sys
from ganutils.runs import traits
traits.LOSSES["absolute"] = traits.LossTraits(boundary=0.5, has_target=True)
from ganutils.training import losses
losses.LOSSES["absolute"] = losses.Loss(
    lambda real, fake, target: (real - target).abs().mean() + fake.abs().mean(),
    lambda real, fake: (fake - 1).abs().mean(),
)
script = sys.argv.pop(1)
runpy.run_path(script, run_name="__main__")
"""


def test_a_loss_is_added_by_two_functions_and_a_row(shell, ok, fails, pictures, content, tmp_path):
    (tmp_path / "absolute.py").write_text(ABSOLUTE)
    words = [pictures, *TINY, "--smooth", "0.9", "--steps", "2", "-q", "-o"]
    done = shell(f"python absolute.py {BIN}/gan-loop --loss absolute {' '.join(words)} new.ckpt")
    assert (done.code, done.err) == (0, "")
    ok("gan-loop", "--loss", "lsgan", *words, "old.ckpt")
    (meta, new), (_, old) = content("new.ckpt"), content("old.ckpt")
    assert (meta["config"]["loss"], meta["config"]["smooth"]) == ("absolute", 0.9)
    for name in ("opt.G.exp_avg.stem.weight", "opt.D.exp_avg.head.weight"):
        assert not np.array_equal(new[name], old[name])
    assert "'absolute' is not one of 'minimax'" in fails("gan-loop", pictures, "--loss", "absolute", code=2)


DAMAGES = {
    "lr": (lambda meta: meta["config"].pop("lr"), "'lr' is missing from its settings"),
    "color": (lambda meta: meta["config"].update(color=1), "'color' is no known setting"),
    "twice": (lambda meta: meta["config"].update(optimiser="adam"), "'optimiser' is no known setting"),
    "text": (lambda meta: meta["config"].update(batch="64"), "batch is '64', not of type int"),
    "true": (lambda meta: meta["config"].update(seed=True), "seed is True, not of type int"),
    "loss": (lambda meta: meta["config"].update(loss="pixie dust"), "loss is 'pixie dust', not one of"),
    "huge": (lambda meta: meta["config"].update(width=10**9), "width is 1000000000, not from 1 to 4096"),
    "wide": (
        lambda meta: meta["config"].update(width=4096, z_dim=65536),
        "G.stem.weight is float32 [32, 4], not [65536, 65536]",
    ),
    "nan": (lambda meta: meta["config"].update(lr=float("nan")), "lr is nan, not from"),
    "shape": (lambda meta: meta["config"].update(shape=[8, -8, 1]), "shape is [8, -8, 1]"),
    "decay": (lambda meta: meta["config"].update(decay=[5, 2]), "decay is [5, 2], not [FIRST, LAST]"),
    "none": (lambda meta: meta.pop("config"), "a checkpoint without its settings"),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_a_changed_field_is_refused_by_its_name(fails, checkpoint, pictures, content, tmp_path, name):
    change, words = DAMAGES[name]
    meta, tensors = content(checkpoint)
    change(meta)
    container.write(str(tmp_path / "bad.ckpt"), "checkpoint", tensors, meta)
    line = fails("gan-train-d", pictures, "--from", "bad.ckpt", "-o", "x.ckpt")
    assert line.startswith("gan-train-d: bad.ckpt: damaged: ")
    assert words in line
    assert not (tmp_path / "x.ckpt").exists()


@pytest.mark.parametrize(
    "name", ["G.stem.weight", "D.head.bias", "ema.norms.0.running_mean", "opt.D.exp_avg.head.bias"]
)
def test_a_missing_tensor_is_refused_by_its_name(fails, checkpoint, pictures, content, tmp_path, name):
    meta, tensors = content(checkpoint)
    tensors["stranger"] = tensors.pop(name)
    container.write(str(tmp_path / "bad.ckpt"), "checkpoint", tensors, meta)
    line = fails("gan-train-d", pictures, "--from", "bad.ckpt", "-o", "x.ckpt")
    assert name in line or "stranger" in line


def test_neither_data_nor_checkpoint_is_a_usage_error(fails):
    assert "needs DATA" in fails("gan-train-g", "-o", "x.ckpt", code=2)


def test_data_and_checkpoint_cannot_both_be_piped(fails, checkpoint, pictures, tmp_path):
    line = fails("gan-train-d", "-", "--from", "-", "-o", "x", stdin=(tmp_path / pictures).read_bytes())
    assert "cannot be both" in line


def test_a_zero_that_is_typed_beats_the_preset(ok, pictures, content):
    ok("gan-loop", pictures, *TINY, "--ema-kimg", 0, "--lr", 0, "--steps", 0, "-o", "gan.ckpt", "-q")
    config = content("gan.ckpt")[0]["config"]
    assert (config["preset"], config["ema_kimg"], config["lr"]) == ("modern", 0, 0)


def test_whole_snapshots_can_be_trained_on(ok, pictures, fails):
    words = [*TINY, "--snapshots", "shots", "--every", 2, "-q"]
    ok("gan-loop", pictures, *words, "--whole", "--steps", 4, "-o", "a.ckpt")
    ok("gan-loop", pictures, "--from", "shots/step-000002.safetensors", "--steps", 4, "-o", "b.ckpt", "-q")
    assert ok("gan-info", "a.ckpt", "--digest").out == ok("gan-info", "b.ckpt", "--digest").out
    assert "--whole has no effect without --snapshots" in fails("gan-loop", pictures, "--whole", "-o", "c.ckpt", code=2)
