"""Class-conditional training and sampling."""

import numpy as np
import pytest
from conftest import TINY
from PIL import Image

from ganutils.files import container
from ganutils.runs.series import class_rows


@pytest.fixture
def two_classes(tmp_path):
    """Dark pictures are of class `night`, light ones of class `day`."""
    labels = np.arange(400) % 2
    images = np.where(labels, 215, 40)[:, None, None, None] + np.random.default_rng(0).integers(-20, 20, (400, 8, 8, 1))
    tensors = {"images": images.astype("u1"), "labels": labels}
    container.write(str(tmp_path / "sky.safetensors"), "samples", tensors, {"classes": ["night", "day"]})
    return "sky.safetensors"


@pytest.mark.parametrize("arch", ["dcgan", "mlp", "resnet"])
def test_the_generator_learns_which_class_is_which(ok, two_classes, content, arch):
    size = ["--width", 8 if arch != "mlp" else 64, "--z-dim", 8, "--batch", 32, "--arch", arch]
    ok("gan-loop", two_classes, *size, "--conditional", "--precision", "fp32", "--steps", 150, "-o", "sky.ckpt", "-q")
    ok("gan-sample", "sky.ckpt", "-n", 40, "-o", "both.safetensors")
    meta, both = content("both.safetensors")
    assert meta["classes"] == ["night", "day"]
    assert both["labels"].tolist() == [0] * 20 + [1] * 20
    night, day = both["images"][:20].mean(), both["images"][20:].mean()
    assert night + 60 < day, "seeds differ by 120 or more"
    ok("gan-sample", "sky.ckpt", "-n", 20, "--label", "day", "-o", "day.safetensors")
    day = content("day.safetensors")[1]
    assert day["labels"].tolist() == [1] * 20
    assert day["images"].mean() > night + 60
    ok("gan-sample", "sky.ckpt", "--latents", "day.safetensors", "-o", "again.safetensors")
    assert np.array_equal(content("again.safetensors")[1]["images"], day["images"])


def test_a_sheet_has_a_row_for_each_class(ok, two_classes, content, tmp_path):
    ok("gan-loop", two_classes, *TINY, "--conditional", "--steps", 0, "-q", "-o", "sky.ckpt")
    ok("gan-sample", "sky.ckpt", "-q", "-o", "s.safetensors")
    assert content("s.safetensors")[0]["layout"] == [[*range(10)], [*range(10, 20)]]
    ok("gan-sample", "sky.ckpt", "-n", 5, "-q", "-o", "five.safetensors")
    assert content("five.safetensors")[0]["layout"] == [[0, 1, 2], [3, 4, None]]
    ok("gan-sample", "sky.ckpt", "-q", "-o", "s.png")
    assert Image.open(tmp_path / "s.png").size == (80, 16)
    for words in (["--label", "day"], ["-n", 2], ["-n", 1]):
        ok("gan-sample", "sky.ckpt", *words, "-q", "-o", "one.safetensors")
        assert "layout" not in content("one.safetensors")[0]


@pytest.fixture
def sky(ok, two_classes):
    """A conditional checkpoint whose two classes differ already."""
    ok("gan-loop", two_classes, *TINY, "--conditional", "--lr", 0.05, "--steps", 3, "-q", "-o", "sky.ckpt")
    return "sky.ckpt"


def test_a_walk_between_classes_begins_at_one_and_ends_at_the_other(ok, content, sky):
    ok("gan-interp", "--seeds", "3,4", "--for", sky, "--through", "day,night", "--frames", 5, "-o", "w.safetensors")
    film = content("w.safetensors")[1]
    assert film["latents"].shape == (5, 2, 4)
    assert np.array_equal(film["labels"], np.ones((5, 2), np.int64))
    ok("gan-sample", sky, "--latents", "w.safetensors", "-o", "film.safetensors")
    images = content("film.safetensors")[1]["images"].astype(int)
    for frame, label in ((0, "day"), (4, "night")):
        ok("gan-sample", sky, "--seeds", "3,4", "--label", label, "-o", "ends.safetensors")
        ends = content("ends.safetensors")[1]["images"].astype(int)
        assert abs(images[frame] - ends).max() <= 1
    assert (images[0] != images[4]).any()


def test_a_walk_between_classes_of_latents_in_a_file(ok, content, sky):
    ok("gan-sample", sky, "--seeds", "3,4", "--label", "night", "-o", "s.safetensors")
    ok("gan-interp", "s.safetensors", "--rows", 1, "--for", sky, "--through", "0,1", "--closed", "-o", "w.safetensors")
    meta, film = content("w.safetensors")
    assert film["latents"].shape == (60, 1, 4)
    assert np.array_equal(film["latents"][0, 0], content("s.safetensors")[1]["latents"][1])
    assert len(meta["lineage"]) > 2


def test_what_cannot_be_walked_between(run, ok, two_classes, sky):
    ok("gan-loop", two_classes, *TINY, "--steps", 0, "-q", "-o", "plain.ckpt")
    ok("gan-loop", two_classes, *TINY, "--z-dim", 5, "--steps", 0, "-q", "-o", "long.ckpt")
    ok("gan-sample", "long.ckpt", "-n", 2, "-o", "long.safetensors")
    for words, problem in (
        (("--seeds", 1, "--for", "plain.ckpt", "--through", "0,1"), "plain.ckpt: has no classes to walk between"),
        (("--seeds", 1, "--for", sky, "--through", "day,noon"), "sky.ckpt: has no class 'noon'"),
        (("long.safetensors", "--for", sky, "--through", "0,1"), "sky.ckpt: takes latents of 4 numbers, and those"),
    ):
        result = run("gan-interp", *words, "-o", "w.safetensors")
        assert result.code == 1
        assert problem in result.err
        assert result.err.count("\n") == 1


@pytest.mark.parametrize(("classes", "each"), [(10, 10), (3, 100), (10, 1000), (1000, 10), (200, 1), (2, 7), (1, 9)])
def test_rows_of_classes_stay_rows_whatever_their_number(classes, each):
    rows = class_rows(np.repeat(np.arange(classes), each))
    if classes == 1 or each == 1:
        assert rows == []
        return
    assert len({len(row) for row in rows}) == 1
    assert len(rows) * len(rows[0]) <= 1024
    shown = [[number for number in row if number is not None] for row in rows]
    assert all(len({number // each for number in row}) == 1 for row in shown)
    numbers = [number for row in shown for number in row]
    assert len(set(numbers)) == len(numbers) >= min(classes * each, 900)


def test_classes_that_are_wrong_are_named(ok, fails, two_classes, pictures, checkpoint, tmp_path):
    ok("gan-loop", two_classes, *TINY, "--conditional", "--steps", 0, "-o", "sky.ckpt")
    assert "has no class 'dusk'; its classes are night, day" in fails(
        "gan-sample", "sky.ckpt", "--label", "dusk", "-o", "x.png"
    )
    assert "has no classes for --label" in fails("gan-sample", checkpoint, "--label", "1", "-o", "x.png")
    ok("gan-interp", "--seeds", "1,2", "--for", "sky.ckpt", "-o", "walk.safetensors")
    line = fails("gan-sample", "sky.ckpt", "--latents", "walk.safetensors", "-o", "x.png")
    assert line == "gan-sample: walk.safetensors: has no labels, and sky.ckpt has classes; give --label"
    assert "DATA" in fails("gan-train-g", "--from", "sky.ckpt", "-o", "x.ckpt", code=2)
    assert "labels go up to 2, and the run has 2 classes" in fails(
        "gan-train-d", pictures, "--from", "sky.ckpt", "-o", "x.ckpt"
    )
    np.save(tmp_path / "plain.npy", np.zeros((5, 8, 8), "u1"))
    ok("gan-data", "plain.npy", "-o", "plain.safetensors")
    assert "has no labels, which --conditional needs" in fails(
        "gan-loop", "plain.safetensors", "--conditional", "-o", "x.ckpt"
    )


CONTINUE = [  # a conditional run with data: resumed, from a checkpoint, and by hand
    ["gan-loop", "-o", "sky.ckpt", *TINY, "--conditional", "--steps", 2],
    ["gan-loop", "--from", "sky.ckpt", "-o", "x.ckpt", "--steps", 2],
    ["gan-train-d", "--from", "sky.ckpt", "-o", "x.ckpt"],
    ["gan-train-g", "--from", "sky.ckpt", "-o", "x.ckpt"],
]
EACH = pytest.mark.parametrize("words", CONTINUE, ids=["resume", "from", "train-d", "train-g"])


@pytest.fixture
def changed(ok, two_classes, content, tmp_path):
    """changed(labels=..., classes=...) -> a file with the pictures of `two_classes`, a run on which is in sky.ckpt."""
    ok("gan-loop", two_classes, *TINY, "--conditional", "--steps", 1, "-o", "sky.ckpt", "-q")
    meta, tensors = content(two_classes)

    def write(classes=None, **others):
        named = {} if classes == [] else {"classes": classes or meta["classes"]}
        container.write(str(tmp_path / "other.safetensors"), "samples", {**tensors, **others}, named)
        return "other.safetensors"

    return write


@EACH
def test_relabeled_data_are_refused(fails, ok, changed, words, two_classes, content, tmp_path):
    labels = content(two_classes)[1]["labels"]
    labels[300] = 1 - labels[300]
    before = (tmp_path / "sky.ckpt").read_bytes()
    assert fails(words[0], changed(labels=labels), *words[1:]) == (
        f"{words[0]}: other.safetensors: has other labels than when sky.ckpt was trained on it; "
        "give the data as they were, or start a new run"
    )
    assert (tmp_path / "sky.ckpt").read_bytes() == before
    ok(words[0], changed(), *words[1:])


@EACH
def test_other_classes_of_the_same_numbers_are_refused(fails, changed, words):
    assert fails(words[0], changed(classes=["night", "dawn"]), *words[1:]) == (
        f"{words[0]}: other.safetensors: class 1 is 'dawn', and 'day' in sky.ckpt; "
        "give data with the same classes in the same order, or start a new run"
    )


@EACH
def test_what_an_older_checkpoint_or_the_data_do_not_say_is_not_compared(ok, changed, words, content, tmp_path):
    meta, tensors = content("sky.ckpt")
    data = dict(meta["data"])
    assert data.keys() == {"count", "images", "labels", "classes"}
    del meta["data"]["labels"]
    container.write(str(tmp_path / "sky.ckpt"), "checkpoint", tensors, meta)
    ok(words[0], changed(classes=[]), *words[1:])
    del data["classes"]
    assert content(words[words.index("-o") + 1])[0]["data"] == data


def test_other_data_of_the_same_classes_can_be_trained_on_from_a_checkpoint(ok, fails, changed, content):
    _, tensors = content("sky.safetensors")
    negatives = changed(images=255 - tensors["images"], labels=1 - tensors["labels"])
    ok("gan-train-d", negatives, "--from", "sky.ckpt", "-o", "x.ckpt")
    line = fails("gan-loop", "other.safetensors", *TINY, "--conditional", "--steps", 2, "-o", "sky.ckpt")
    assert line.startswith("gan-loop: sky.ckpt: is another run: the data are not the same (other pictures, labels); ")
