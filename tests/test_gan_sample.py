"""gan-sample, and the forms its result can take."""

import os

import numpy as np
import pytest
import torch
from pictures import flat
from PIL import Image

from ganutils.compute.distributed import Team
from ganutils.inference import generate


def test_samples_keep_their_latents_and_come_back_from_them(ok, checkpoint, content):
    ok("gan-sample", checkpoint, "-n", 70, "--seed", 5, "-o", "a.safetensors")
    ok("gan-sample", checkpoint, "--latents", "a.safetensors", "-o", "b.safetensors")
    (meta, a), (_, b) = content("a.safetensors"), content("b.safetensors")
    assert a["images"].shape == (70, 8, 8, 1)
    assert a["images"].dtype == np.uint8
    assert a["latents"].shape == (70, 4)
    assert meta["prior"] == "normal"
    assert all(np.array_equal(a[name], b[name]) for name in a)


def test_a_seed_gives_its_sample_whatever_the_batch(ok, checkpoint, content):
    ok("gan-sample", checkpoint, "--seeds", "0-5,9", "-o", "many.safetensors")
    ok("gan-sample", checkpoint, "--seeds", "9", "-o", "one.safetensors")
    ok("gan-sample", checkpoint, "--seed", 9, "-n", 3, "-o", "three.safetensors")
    many, one, three = (content(f"{name}.safetensors")[1] for name in ("many", "one", "three"))
    assert np.array_equal(many["latents"][6:], one["latents"])
    assert np.array_equal(three["latents"][:1], one["latents"])
    assert np.array_equal(many["images"][6:], one["images"])


def test_leading_axes_are_those_of_the_latents(ok, checkpoint, content):
    ok("gan-interp", "--seeds", "1-3", "--for", checkpoint, "--frames", 7, "-o", "walk.safetensors")
    ok("gan-sample", checkpoint, "--latents", "walk.safetensors", "-o", "film.safetensors")
    meta, film = content("film.safetensors")
    assert film["images"].shape == (7, 1, 8, 8, 1)
    assert [line.split()[0] for line in meta["lineage"]] == ["made", "gan-loop", "gan-interp", "gan-sample"]


def test_the_forms_of_a_result(ok, checkpoint, content, tmp_path):
    for name in ("s.safetensors", "s.npy", "s.png", "s/"):
        ok("gan-sample", checkpoint, "-n", 5, "-o", name)
    images = content("s.safetensors")[1]["images"]
    assert np.array_equal(np.load(tmp_path / "s.npy"), images)
    assert sorted(os.listdir(tmp_path / "s")) == [f"{row:06d}.png" for row in range(5)]
    for row in range(5):
        assert np.array_equal(np.asarray(Image.open(tmp_path / f"s/{row:06d}.png")), images[row, :, :, 0])
    sheet = np.asarray(Image.open(tmp_path / "s.png"))
    assert sheet.shape == (16, 24)
    assert np.array_equal(sheet[8:, 8:16], images[4, :, :, 0])
    assert (sheet[8:, 16:] == 0).all()
    ok("gan-sample", checkpoint, "-n", 2, "-o", "s/")
    assert sorted(os.listdir(tmp_path / "s")) == ["000000.png", "000001.png"]


def test_a_folder_of_other_things_is_never_replaced(fails, checkpoint, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    problem = "which ganutils, or this version of it, did not write; remove the folder or choose another name"
    assert f"mine/: holds thesis.txt, {problem}" in fails("gan-sample", checkpoint, "-o", "mine/")
    assert os.listdir(tmp_path / "mine") == ["thesis.txt"]
    assert ".mine.tmp" not in os.listdir(tmp_path)


def test_a_folder_with_a_picture_of_the_users_is_never_replaced(ok, fails, checkpoint, tmp_path):
    ok("gan-sample", checkpoint, "-n", 3, "-o", "mine/")
    ok("gan-sample", checkpoint, "-n", 2, "-o", "mine/")  # all ours
    own = flat(7)
    (tmp_path / "mine" / "000001.png").write_bytes(own)
    assert "mine/: holds 000001.png, which ganutils" in fails("gan-sample", checkpoint, "-o", "mine/")
    assert (tmp_path / "mine" / "000001.png").read_bytes() == own
    (tmp_path / "mine" / "000001.png").write_bytes(b"no picture")
    assert "mine/: holds 000001.png, which ganutils" in fails("gan-sample", checkpoint, "-o", "mine/")


@pytest.mark.parametrize(
    ("arguments", "words", "code"),
    [
        (["data.safetensors"], "data.safetensors: holds samples; give checkpoints", 1),
        (["nothing.ckpt"], "nothing.ckpt: no such file or directory; check the name", 1),
        (["gan.ckpt.safetensors", "--latents", "data.safetensors"], "these samples do not keep latents", 1),
        (["gan.ckpt.safetensors", "--latents", "wide.safetensors"], "have 9 numbers, and the checkpoint takes 4", 1),
        (
            ["gan.ckpt.safetensors", "gan.ckpt.safetensors", "--latents", "film.safetensors"],
            "film.safetensors: is a film; several checkpoints take one sheet",
            1,
        ),
        (["gan.ckpt.safetensors", "-"], "only a single checkpoint can come from a pipe", 1),
        (["gan.ckpt.safetensors", "-n", "3", "--seeds", "1"], "give one", 2),
        (["-", "--latents", "-"], "cannot both come from a pipe", 2),
        (["gan.ckpt.safetensors", "--seeds", "5-1"], "'5-1' is not a rising range", 2),
        (["gan.ckpt.safetensors", "--seeds", "one"], "'one' is not a list like 0,3,8-15", 2),
        (["gan.ckpt.safetensors", "--device", "abacus"], "'abacus' is not auto, cpu, cuda, cuda:N or mps", 2),
    ],
)
def test_bad_input_in_one_line(fails, ok, checkpoint, tmp_path, arguments, words, code):
    from ganutils.files import container

    container.write(str(tmp_path / "wide.safetensors"), "latents", {"latents": np.zeros((2, 9), "f4")}, {})
    container.write(str(tmp_path / "film.safetensors"), "latents", {"latents": np.zeros((2, 1, 4), "f4")}, {})
    (tmp_path / "old.png").write_bytes(b"old")
    assert words in fails("gan-sample", *arguments, "-o", "old.png", code=code)
    assert (tmp_path / "old.png").read_bytes() == b"old"


def test_a_device_that_is_not_there(fails, checkpoint):
    import torch

    name = "cuda:7" if not torch.cuda.is_available() else "cuda:99"
    assert "not on this machine" in fails("gan-sample", checkpoint, "-o", "x.png", "--device", name)


@pytest.mark.parametrize(
    ("name", "words"), [("x.jpg", "cannot write this format"), ("no/x.png", "there is no folder no")]
)
def test_a_name_that_cannot_be_written(fails, checkpoint, name, words):
    assert words in fails("gan-sample", checkpoint, "-o", name)


@pytest.mark.parametrize("team", [Team(), Team(0, 2)], ids=["alone", "with another worker"])
def test_batches_that_are_on_their_way_together_come_in_order(monkeypatch, team):
    """As on a GPU: the next batch is begun before the one before is there."""
    begun = []

    class Generator(torch.nn.Linear):
        def forward(self, z, condition):
            begun.append(len(z))
            return z * 2

    monkeypatch.setattr(generate, "pace", lambda shape, device: (3, 1))
    monkeypatch.setattr(team, "gathered", lambda array, owner: array if owner == team.rank else array * np.nan)
    z = np.arange(20, dtype=np.float32).reshape(10, 2)
    made = generate.generate(Generator(2, 2), z, None, (2,), team)
    first = next(made)
    assert begun == [3, 3][: 2 // team.count]
    samples = np.concatenate([first, *made])
    ours = np.arange(10) // 3 % team.count == 0
    assert samples.dtype == np.float32
    assert np.array_equal(samples[ours], z[ours] * 2)
    assert np.isnan(samples[~ours]).all()
