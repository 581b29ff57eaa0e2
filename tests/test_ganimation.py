"""Snapshots of a run, and the film of them."""

import os

import numpy as np
import pytest
from conftest import TINY
from PIL import Image

from ganutils.runs.schedules import denser_early


def steps(folder):
    return sorted(int(name[5:-12]) for name in os.listdir(folder))


def test_snapshots_are_denser_early_and_change_nothing(ok, pictures, tmp_path):
    ok("gan-loop", pictures, *TINY, "--steps", 50, "-o", "plain.ckpt")
    ok("gan-loop", pictures, *TINY, "--steps", 50, "--snapshots", "shots", "--frames", 6, "-o", "shot.ckpt")
    assert steps(tmp_path / "shots") == [0, 2, 8, 18, 32, 50]
    assert ok("gan-info", "--digest", "plain.ckpt").out == ok("gan-info", "--digest", "shot.ckpt").out


def test_the_first_frame_shows_the_noise_of_an_untrained_generator(ok, tmp_path):
    ok("gan-data", "toy:faces", "--limit", 20, "--size", 32, "-o", "faces.safetensors", "-q")
    wide = ["--width", 16, "--batch", 16, "--steps", 0, "-q"]
    for prior in ("normal", "uniform"):
        ok("gan-loop", "faces.safetensors", *wide, "--prior", prior, "--fresh", "--snapshots", prior, "-o", "x.ckpt")
        ok("gan-sample", f"{prior}/step-000000.safetensors", "-n", 16, "-o", "first.npy", "-q")
        assert np.load(tmp_path / "first.npy").std(0).mean() > 3, "levels of 255; plain gray has half a level"


def test_a_run_in_two_parts_leaves_the_snapshots_of_one(ok, pictures, tmp_path):
    for part in (1, 2):
        os.symlink("data.safetensors", tmp_path / f"data{part}.safetensors")
    loop = ("gan-loop", pictures, *TINY, "--frames", 5)
    ok(*loop, "--steps", 16, "--snapshots", "once", "-o", "once.ckpt")
    assert steps(tmp_path / "once") == [0, 1, 4, 9, 16]
    ok(*loop, "--steps", 36, "--snapshots", "once", "-o", "once.ckpt")  # extended: what is ahead, further apart
    assert steps(tmp_path / "once") == [0, 1, 4, 9, 16, 20, 36]


@pytest.mark.parametrize(("frames", "total"), [(60, 5000), (60, 30), (2, 1), (7, 0)])
def test_the_spread_reaches_from_the_start_to_the_end(frames, total):
    moments = sorted(denser_early(frames, total))
    assert moments[0] == 0
    assert moments[-1] == total
    assert len(moments) <= frames
    gaps = np.diff(moments)
    assert len(gaps) < 2 or gaps[0] <= gaps[-1]
    if total == 5000:
        assert len(moments) == 60
        assert sum(moment <= total / 4 for moment in moments) >= 30


def test_every_or_frames_and_a_folder_for_them(fails, pictures):
    loop = ("gan-loop", pictures, *TINY, "--steps", 1)
    assert "exclude each other" in fails(*loop, "--snapshots", "s", "--every", 2, "--frames", 3, code=2)
    assert "--frames has no effect without --snapshots" in fails(*loop, "--frames", 3, code=2)


def test_a_ganimation_is_in_step_order_whatever_the_order_of_the_names(ok, pictures, content, tmp_path):
    ok("gan-loop", pictures, *TINY, "--steps", 12, "--snapshots", "shots", "--every", 4, "-o", "gan.ckpt")
    names = [f"shots/{name}" for name in os.listdir(tmp_path / "shots")]
    ok("gan-sample", "gan.ckpt", "-n", 4, "-o", "z.safetensors")
    films = []
    for order in (sorted(names), sorted(names, reverse=True)):
        ok("gan-sample", *order, "--latents", "z.safetensors", "-o", "film.safetensors")
        films.append(content("film.safetensors"))
    for meta, tensors in films:
        assert [frame["step"] for frame in meta["frames"]] == [0, 4, 8, 12]
        assert np.array_equal(tensors["images"], films[0][1]["images"])
    assert np.array_equal(films[0][1]["images"][-1], content("z.safetensors")[1]["images"])
    ok("gan-gif", "film.safetensors", "--caption", "step {step} · {kimg:.1f} kimg", "--hold", 2, "-o", "film.gif")
    with Image.open(tmp_path / "film.gif") as film:
        assert film.n_frames == 4
        film.seek(3)
        assert film.info["duration"] > 2000
    said = ok("gan-gif", "film.safetensors", "--caption", "{step}", "-o", "film.png").err  # a label for each column
    assert said == "16 of 16 pictures\n"


def test_checkpoints_of_several_runs_stay_in_their_order(ok, pictures, content):
    ok("gan-loop", pictures, *TINY, "--steps", 2, "-o", "two.ckpt")
    ok("gan-loop", pictures, *TINY, "--steps", 1, "--lr", 0.1, "-o", "one.ckpt")
    ok("gan-sample", "two.ckpt", "one.ckpt", "-o", "film.safetensors")
    assert [frame["step"] for frame in content("film.safetensors")[0]["frames"]] == [2, 1]
