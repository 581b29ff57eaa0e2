"""Snapshots know their run: a folder holds those of one, and so does a film."""

import os

import pytest
from conftest import LR, TINY

from ganutils.files import container


@pytest.fixture
def loop(ok, pictures):
    """loop(steps, ...) trains on `pictures`, with a snapshot of each step in shots."""
    common = ("--snapshots", "shots", "--every", 1, "-o", "gan.ckpt", "-q")
    return lambda steps, *words, data=pictures: ok("gan-loop", data, *TINY, "--steps", steps, *common, *words)


@pytest.fixture
def other_data(pictures, content, tmp_path):
    tensors = content(pictures)[1]
    container.write(str(tmp_path / "other.safetensors"), "samples", {**tensors, "images": 255 - tensors["images"]}, {})
    return "other.safetensors"


def shots(folder):
    return {path.name: path.read_bytes() for path in sorted((folder / "shots").iterdir())}


def names(folder):
    return [f"shots/{name}" for name in os.listdir(folder / "shots")]


def test_a_folder_of_snapshots_takes_no_other_run(loop, fails, pictures, tmp_path):
    loop(3)
    before = shots(tmp_path)
    words = ("gan-loop", pictures, *TINY, "--steps", 1, "--fresh", "--snapshots", "shots", "-q", "-o", "gan.ckpt")
    assert fails(*words, "--lr", 0.1) == (
        f"gan-loop: shots/step-000000.safetensors: is a snapshot of another run (lr is {LR} there, 0.1 here, "
        "d_lr is 0.004 there, 0.2 here); remove that run's snapshots, or choose another folder for --snapshots"
    )
    assert shots(tmp_path) == before


def test_the_same_run_goes_on_or_begins_again_in_its_folder(loop, ok, content, tmp_path):
    loop(3)
    loop(2, "--fresh")  # what it leaves of the first is of the same run
    loop(4)
    assert len(shots(tmp_path)) == 5
    assert len({content(name)[0]["run"] for name in names(tmp_path)}) == 1
    ok("gan-sample", *names(tmp_path), "-n", 2, "-o", "film.gif")


def test_another_run_on_other_data_or_from_them_is_told_apart(loop, ok, fails, content, pictures, other_data):
    loop(1)
    runs = [content("shots/step-000001.safetensors")[0]["run"]]
    line = ("gan-loop", other_data, *TINY, "--steps", 2, "--every", 1, "-q", "-o", "x.ckpt", "--fresh", "--snapshots")
    for number, beginning in enumerate(([], ["--from", "gan.ckpt"], ["--init", "gan.ckpt"])):
        assert "is a snapshot of another run;" in fails(*line, "shots", *beginning)
        ok(*line, f"s{number}", *beginning)
        runs.append(content(f"s{number}/step-000002.safetensors")[0]["run"])
    assert len(set(runs)) == 4
    ok("gan-loop", pictures, *line[2:], "shots", "--from", "gan.ckpt")  # the same run, to another file
    assert content("shots/step-000002.safetensors")[0]["run"] == runs[0]


def test_a_run_that_went_on_with_other_data_stays_itself_when_interrupted(loop, ok, content, other_data):
    loop(1)
    line = ("gan-loop", other_data, *TINY, "--from", "gan.ckpt", "--every", 1, "-q", "--snapshots")
    ok(*line, "whole", "--steps", 4, "-o", "whole.ckpt")
    ok(*line, "parts", "--steps", 2, "-o", "parts.ckpt")
    ok(*line, "parts", "--steps", 4, "-o", "parts.ckpt")
    for name in ("step-000002", "step-000004"):
        whole, parts = (content(f"{folder}/{name}.safetensors")[0] for folder in ("whole", "parts"))
        assert whole["run"] == parts["run"]
    assert ok("gan-info", "--digest", "whole.ckpt").out == ok("gan-info", "--digest", "parts.ckpt").out


def test_a_run_stays_itself_when_its_data_get_labels_that_it_does_not_use(loop, content, pictures, tmp_path):
    meta, tensors = content(pictures)
    labels = tensors.pop("labels")
    container.write(str(tmp_path / pictures), "samples", tensors, meta)
    loop(1)
    container.write(str(tmp_path / pictures), "samples", {**tensors, "labels": labels}, meta)
    loop(2)
    assert len({content(name)[0]["run"] for name in names(tmp_path)}) == 1


def test_a_film_is_of_one_run(loop, ok, fails, tmp_path):
    loop(2)
    os.rename(tmp_path / "shots", tmp_path / "first")
    loop(1, "--fresh", "--lr", 0.1)
    old, new = "first/step-000002.safetensors", "shots/step-000000.safetensors"
    assert fails("gan-sample", *names(tmp_path), old, "-n", 2, "-o", "film.gif").endswith(
        "; make a film of each, and join them with gan-gif --then"
    )
    assert fails("gan-sample", new, old, "-o", "film.gif").startswith(
        f"gan-sample: {old}: is a snapshot of another run than {new}; "
    )
    ok("gan-sample", "gan.ckpt", old, "-n", 2, "-o", "film.gif")
    for name, files in (("a.safetensors", names(tmp_path)), ("b.safetensors", [old])):
        ok("gan-sample", *files, "-n", 2, "-o", name)
    ok("gan-gif", "a.safetensors", "b.safetensors", "--then", "-o", "film.gif")


def test_snapshots_of_older_versions_do_not_say_their_run(loop, ok, fails, pictures, content, tmp_path):
    loop(2)
    for name in names(tmp_path):
        meta, tensors = content(name)
        del meta["run"]
        container.write(str(tmp_path / name), "checkpoint", tensors, meta)
    loop(4)
    ok("gan-sample", *names(tmp_path), "-n", 2, "-o", "film.gif")
    other = ("--fresh", "--seed", 1, "--snapshots", "shots", "--steps", 1, "-q")
    assert "(seed is 0 there, 1 here)" in fails("gan-loop", pictures, *TINY, *other, "-o", "gan.ckpt")
