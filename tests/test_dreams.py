"""gan-plot --dream: pictures that excite a unit as no real one does, the same every time, and how they come about."""

import numpy as np
import pytest
import torch
from conftest import TINY
from PIL import Image

from ganutils.files import container
from ganutils.inference import dream
from ganutils.inference.units import units_of
from ganutils.networks import classifier
from ganutils.networks.scaling import to_network
from ganutils.plots import figures
from ganutils.plots.style import pixels
from ganutils.samples.samples import open_samples
from ganutils.training.classifier import train

SIDE = 16
Y, X = np.mgrid[:SIDE, :SIDE] - SIDE / 2 + 0.5
DISC = np.where(X**2 + Y**2 < 25, 1, -1).astype(np.float32)  # light on dark
BARS = np.where(np.abs(X) > 4, 1, -1).astype(np.float32)


@pytest.fixture
def likes(ok, tmp_path):
    """The names of a checkpoint whose D has two features, DISC and BARS, and of gray pictures, like neither."""
    images = np.random.default_rng(0).integers(80, 180, (12, SIDE, SIDE, 1), np.uint8)
    container.write(str(tmp_path / "gray.safetensors"), "samples", {"images": images}, {})
    ok("gan-loop", "gray.safetensors", "--arch", "mlp", *TINY, "--steps", 0, "-o", "gan.ckpt", "-q")
    with container.read(str(tmp_path / "gan.ckpt")) as file:
        tensors = {name: file[name].copy() for name in file.specs}
        tensors["D.hidden1.weight"] = np.stack([DISC.ravel(), BARS.ravel()])
        tensors["D.hidden2.weight"] = np.eye(2, dtype=np.float32)
        container.write(str(tmp_path / "likes.ckpt"), "checkpoint", tensors, file.meta)
    return "likes.ckpt", "gray.safetensors"


@pytest.fixture(scope="module")
def sides(tmp_path_factory):
    """A classifier of pictures that are light on the left, or on the right; the names of its file and its data."""
    random, labels = np.random.default_rng(0), np.arange(80) % 2
    images = random.integers(0, 60, (80, 8, 8, 1), np.uint8)
    images[labels == 0, :, :4] += 180
    images[labels == 1, :, 4:] += 180
    network, _ = train(images, labels, torch.device("cpu"))
    folder = tmp_path_factory.mktemp("sides")
    names = str(folder / "sides.safetensors"), str(folder / "data.safetensors")
    classifier.write(names[0], network, {"classes": ["$left", "right"], "targets": "classes"})
    container.write(names[1], "samples", {"images": images, "labels": labels}, {})
    return names


@pytest.fixture
def dreamed(tmp_path):
    """dreamed("x.ckpt", [0, 1]) -> (its units, what they dream of)"""

    def dreams(name, units, **how):
        with container.read(str(tmp_path / name)) as file:
            of = units_of(file)
        return of, dream.dreams(of, units, **how)

    return dreams


def excitement(of, pictures):
    """Of pictures uint8 [N, H, W, C], by the unit."""
    with torch.no_grad():
        return of.excitement(to_network(torch.from_numpy(pictures))).numpy()


def test_a_dream_is_what_a_feature_likes_and_excites_it_more_than_any_real_picture(likes, content, dreamed):
    of, (dreams,) = dreamed(likes[0], [0, 1])
    real = excitement(of, content(likes[1])[1]["images"]).max(0)
    assert (excitement(of, dreams).diagonal() > 3 * real.clip(min=10)).all()
    for picture, liked in zip(dreams, (DISC, BARS), strict=True):
        assert np.corrcoef(picture.ravel(), liked.ravel())[0, 1] > 0.8


def test_a_dream_of_a_class_looks_like_it(sides, dreamed):
    of, (dreams,) = dreamed(sides[0], [0, 1])
    left, right = dreams[..., :4, 0].mean((1, 2)), dreams[..., 4:, 0].mean((1, 2))
    assert left[0] > right[0] + 60
    assert right[1] > left[1] + 60
    assert (np.exp(excitement(of, dreams)).diagonal() > 0.8).all()
    assert of.labels([1, 0]) == ["right", "$left"]


def test_a_dream_begins_alike_whoever_is_beside_it(likes, dreamed, monkeypatch):
    of, together = dreamed(likes[0], [0, 1], at=[0, dream.ITERATIONS])
    _, alone = dreamed(likes[0], [1], at=[0, dream.ITERATIONS])
    np.testing.assert_array_equal(together[0, 1], alone[0, 0])
    monkeypatch.setattr(dream, "NUMBERS", 1)  # large pictures ascend one by one
    one_by_one = dream.dreams(of, [0, 1], [0, dream.ITERATIONS])
    np.testing.assert_array_equal(one_by_one[:, 1], alone[:, 0])
    assert len(dream.moments(8, (64, 64, 3), 49)) == 49
    assert len(dream.moments(64, (512, 512, 3), 49)) == 2


def test_the_network_is_left_as_it_was(sides, dreamed):
    of, _ = dreamed(sides[0], [0])
    assert not any(module._forward_pre_hooks for module in of.network.modules())
    assert not any(parameter.requires_grad for parameter in of.network.parameters())


def test_the_same_dreams_are_the_same_bytes(ok, likes, tmp_path):
    words = ["gan-plot", likes[0], likes[0], "--units", "0-1", "--dream", "--data", likes[1], "-o"]
    assert ok(*words, "a.png").lines == ["2 files drawn"]
    first = (tmp_path / "a.png").read_bytes()
    ok(*words, "a.png")
    assert (tmp_path / "a.png").read_bytes() == first
    ok("gan-plot", likes[0], "--units", "0", "--dream", "-o", "alone.png")
    with Image.open(tmp_path / "a.png") as both, Image.open(tmp_path / "alone.png") as alone:
        assert both.width > 2 * alone.width


def test_a_film_shows_the_ascent(ok, sides, content):
    network, data = sides
    words = ["gan-plot", network, "--units", "0-1", "--dream", "--data", data, "-o"]
    assert ok(*words, "film.safetensors").lines == ["49 frames"]
    meta, tensors = content("film.safetensors")
    frames = tensors["images"]
    assert frames.shape[:2] == (49, 1)
    assert len({frame.tobytes() for frame in frames}) > 40
    assert "--dream" in meta["lineage"][-1]


def test_real_pictures_of_a_class_alone(ok, sides, png):
    with open_samples(sides[1]) as data:
        drawn = figures.draw([sides[0]], data, [0, 1], [])
    (axes,) = drawn.figure.axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["$left", "right"]
    left, right = (drawn.panels[0].array[..., columns, 0].mean((2, 3)) for columns in (slice(4), slice(4, 8)))
    assert left.shape == (2, 9) and (left[0] > right[0] + 100).all() and (right[1] > left[1] + 100).all()
    ok("gan-plot", sides[0], "--units", "0-1", "--data", sides[1], "-o", "units.png")
    page = pixels(drawn.figure, 150)
    assert np.array_equal(png("units.png")[: len(page), : page.shape[1], :3], page)


@pytest.mark.parametrize(
    "words",
    [["--arch", "mlp"], ["--arch", "resnet"], ["--preset", "quickdraw2019"], ["--conditional"], ["--r1", 0, "--r2", 0]],
)
def test_discriminators_of_every_kind_dream(ok, pictures, dreamed, words):
    ok("gan-loop", pictures, *words, *TINY, "--steps", 0, "-o", "x.ckpt", "-q")
    of, dreams = dreamed("x.ckpt", [0, 1])
    assert dreams.shape == (1, 2, 8, 8, 1)
    gray = excitement(of, np.full((2, 8, 8, 1), 128, np.uint8)).diagonal()
    assert (excitement(of, dreams[0]).diagonal() >= gray).all()  # equal where a unit is dead


@pytest.mark.parametrize("words", [["--sees", "pair"], ["--sees", "pair", "--patch", 1], ["--sees", "picture"]])
def test_a_discriminator_that_sees_inputs_dreams_of_them_too(ok, pairs, dreamed, words):
    ok("gan-loop", pairs(2), *words, "--width", 2, "--batch", 2, "--steps", 0, "-o", "x.ckpt", "-q")
    of, dreams = dreamed("x.ckpt", [0])
    assert (of.inputs is not None) == ("pair" in words)
    assert dreams.shape == (1, 1, 12, 10, 3)


def test_those_of_two_domains_follow_each_other(ok, domains, dreamed):
    ok("gan-loop", domains, "--domains", "--width", 1, "--batch", 2, "--steps", 0, "-o", "x.ckpt", "-q")
    of, _ = dreamed("x.ckpt", [0])
    last = excitement(of, np.zeros((1, 8, 8, 3), np.uint8)).shape[1] - 1
    of, dreams = dreamed("x.ckpt", [0, last])
    assert dreams.shape == (1, 2, 8, 8, 3)
    assert of.labels([0, last]) == ["feature 0", f"feature {last}"]
    gray = excitement(of, np.full((2, 8, 8, 3), 128, np.uint8))
    assert (excitement(of, dreams[0])[[0, 1], [0, last]] >= gray[[0, 1], [0, last]]).all()


def test_what_does_not_dream(ok, fails, likes, pictures, sides, sounds, tmp_path):
    def line(*words, code=1):
        return fails("gan-plot", *words, "-o", "x.png", code=code).removeprefix("gan-plot: ")

    assert line(likes[0], "--dream", code=2).startswith("--dream has no effect without --units")
    assert line("--losses", "hinge", "--dream", "--units", 1, code=2).startswith("--units has no effect with --losses")
    assert line(likes[0], "--units", 2, "--dream") == "likes.ckpt: there is no feature 2; features go from 0 to 1"
    assert line(sides[0], "--units", 2, "--dream").endswith("there is no class 2; classes go from 0 to 1")
    assert (
        line(likes[0], "--units", "0-99", "--dream") == "--units: 100 features do not fit on a page; choose at most 64"
    )
    assert line(sides[0]).endswith("of a classifier --units are drawn, its classes; e.g. --units 0-9 --dream")
    assert "--units needs --data" in line(sides[0], "--units", 0)
    ok("gan-loop", sounds, "--width", 1, "--batch", 2, "--steps", 0, "-o", "s.ckpt", "-q")
    assert (
        line("s.ckpt", "--units", 0, "--dream") == "s.ckpt: --dream paints pictures, but these are sounds; leave it out"
    )
    ok("gan-data", "toy:gaussian", "--limit", 50, "-o", "toy.safetensors", "-q")
    ok("gan-loop", "toy.safetensors", *TINY, "--steps", 0, "-o", "toy.ckpt", "-q")
    assert "but these are points" in line("toy.ckpt", "--units", 0, "--dream")
    ok("gan-loop", pictures, *TINY, "--steps", 0, "--snapshots", "shots", "-o", "y.ckpt", "-q")
    assert "a snapshot holds only the generator" in line("shots/step-000000.safetensors", "--units", 0, "--dream")
    assert not (tmp_path / "x.png").exists()


def test_a_picture_too_large_to_dream_of_is_refused(dreamed, sides, monkeypatch):
    monkeypatch.setattr(dream, "LARGEST", 63)
    with pytest.raises(Exception, match="--dream paints pictures of 63 numbers at most; leave it out"):
        dreamed(sides[0], [0])
