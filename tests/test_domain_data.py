"""Data of two domains, for translators that learn without pairs: young and old faces, looks of digits, joins."""

import shlex

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ganutils import randomness
from ganutils.files import container
from ganutils.samples import derive
from ganutils.samples.coloring import tint_of
from ganutils.samples.images import Shape, fit_pixels
from ganutils.samples.sources.faces import ATTRIBUTES

# ------------------------------------------------------------------------------------------------ ages


@pytest.fixture
def aged(made):
    """aged("--size", ...) -> tensors of a thousand aged faces by name, and of the same rows of toy:faces."""

    def both(*options):
        meta, tensors, _ = made("toy:faces:age", "--limit", 1000, *options)
        assert meta["attributes"] == [*ATTRIBUTES, "age"]
        return tensors, made("toy:faces", "--limit", 1000, *options)[1]

    return both


def test_an_aged_face_is_that_of_the_same_row(aged):
    tensors, plain = aged("--size", 32, "--derive", "sketch")
    age, others = tensors["attributes"][:, 5], tensors["attributes"][:, :5]
    same = [name != "glasses" for name in ATTRIBUTES]
    assert np.array_equal(others[:, same], plain["attributes"][:, same])
    assert abs(np.histogram(age, 4, (0, 1))[0] - 250).max() < 50
    glasses = others[:, 1]
    assert glasses[age < 0.3].mean() == pytest.approx(0.43, abs=0.07)
    assert glasses[age > 0.7].mean() == pytest.approx(0.57, abs=0.07)
    is_plain = (age < 0.5) & (glasses == plain["attributes"][:, 1])
    assert is_plain.sum() > 400
    assert np.array_equal(tensors["inputs"][is_plain], plain["inputs"][is_plain])
    assert not np.array_equal(tensors["images"][is_plain], plain["images"][is_plain])  # hair has other colors


def test_the_old_are_gray_and_the_young_never(aged):
    tensors, plain = aged()
    attributes = tensors["attributes"]
    hair = tensors["images"][:, 16, 32].astype(int)  # above the forehead
    is_gray = (np.ptp(hair, 1) < 16) & (hair.max(1) > 100)
    has_hat, age = attributes[:, 3] == 1, attributes[:, 5]
    assert is_gray[(age > 0.66) & ~has_hat].all()
    assert not is_gray[(age < 0.34) & ~has_hat].any()
    plain = plain["images"][:, 16, 32].astype(int)
    assert ((np.ptp(plain, 1) < 16) & (plain.max(1) > 100))[(age < 0.34) & ~has_hat].any(), "some of toy:faces are"


def test_wrinkles_come_with_age(aged):
    tensors, plain = aged("--derive", "sketch", "--size", 64)
    age = tensors["attributes"][:, 5]
    same = tensors["attributes"][:, 1] == plain["attributes"][:, 1]
    ink = plain["inputs"].mean((1, 2, 3)) - tensors["inputs"].mean((1, 2, 3))
    assert (ink[same & (age > 0.55)] > 1).all()
    assert ink[same & (age > 0.9)].mean() > ink[same & (age > 0.5) & (age < 0.6)].mean() + 0.5


def test_young_and_old_are_chosen_by_their_age(made):
    _, young, _ = made("toy:faces:age", "--where", "age<0.35", "--limit", 50, "--size", 16)
    _, old, _ = made("toy:faces:age", "--where", "age > 0.65 & ~hat", "--limit", 50, "--size", 16)
    assert young["attributes"].shape == old["attributes"].shape == (50, 6)
    assert young["attributes"][:, 5].max() < 0.35 and old["attributes"][:, 5].min() > 0.65
    assert not old["attributes"][:, 3].any()


# ----------------------------------------------------------------------------------------------- colors


def noise(seed, *shape):
    return np.random.default_rng(seed).integers(0, 256, shape, "u1")


@pytest.fixture
def samples(tmp_path):
    """samples("x", 3, inputs=...) -> x.safetensors, six pictures of 8x8 with so many channels, in two classes."""

    def written(name, channels=1, **tensors):
        tensors = {"images": noise(channels, 6, 8, 8, channels), "labels": np.arange(6) % 2, **tensors}
        container.write(str(tmp_path / f"{name}.safetensors"), "samples", tensors, {"classes": ["even", "odd"]})
        return f"{name}.safetensors"

    return written


@pytest.mark.parametrize("channels", [1, 3])
def test_inverted_twice_is_as_before(made, samples, tmp_path, channels):
    _, plain, _ = made(samples("x", channels))
    _, inverted, lines = made("x.safetensors", "--invert")
    assert np.array_equal(inverted["images"], 255 - plain["images"])
    assert np.array_equal(inverted["labels"], plain["labels"])
    assert lines == [f"6 pictures of 8x8x{channels}"]
    (tmp_path / "made.safetensors").rename(tmp_path / "inverted.safetensors")
    assert np.array_equal(made("inverted.safetensors", "--invert")[1]["images"], plain["images"])


def test_what_is_shaped_is_inverted_with_what_was_put_around(made, samples):
    options = ("--size", "12x6", "--fit", "pad", "--channels", 3, "--crop", 6)
    _, plain, _ = made(samples("x"), *options)
    assert (plain["images"][:, :, 0] == 255).all()
    assert np.array_equal(made("x.safetensors", *options, "--invert")[1]["images"], 255 - plain["images"])


def test_colors_are_the_pictures_and_their_targets_and_not_those_of_inputs(made, samples):
    beside = {"inputs": noise(5, 6, 4, 4, 2), "targets": noise(6, 6, 8, 8, 1)}
    _, inverted, _ = made(samples("x", **beside), "--invert")
    _, tinted, _ = made("x.safetensors", "--tint")
    for tensors in (inverted, tinted):
        assert np.array_equal(tensors["inputs"], beside["inputs"])
    assert np.array_equal(inverted["targets"], 255 - beside["targets"])
    assert tinted["targets"].shape == (6, 8, 8, 3)
    _, partners, _ = made(samples("y"), "--inputs", "x.safetensors", "--invert")
    assert np.array_equal(partners["inputs"], noise(1, 6, 8, 8, 1))
    assert np.array_equal(partners["images"], 255 - partners["inputs"])
    _, halves, _ = made("x.safetensors", "--halves", "left,right", "--invert")
    assert np.array_equal(halves["inputs"], noise(1, 6, 8, 8, 1)[:, :, :4])
    assert np.array_equal(halves["images"], 255 - noise(1, 6, 8, 8, 1)[:, :, 4:])


@pytest.mark.parametrize("how", ["gray", "small:2", "mask", "noise:9"])
def test_what_is_derived_is_of_the_picture_in_its_colors(made, samples, how):
    way = derive.parse(how)
    _, tensors, _ = made(samples("x"), "--invert", "--tint", "--derive", how)
    for row, (picture, found) in enumerate(zip(tensors["images"], tensors["inputs"], strict=True)):
        expected = derive.DERIVE[way.name].make(picture, way.number, randomness.stream(0, way.name, row))
        assert np.array_equal(found, expected)


def test_a_tint_is_a_bright_color_of_the_row_and_the_seed(made, samples):
    _, tensors, lines = made(samples("x"), samples("y"), "--tint", "--seed", 3)
    grays = np.tile(noise(1, 6, 8, 8, 1), (2, 1, 1, 1))
    colors = np.stack([tint_of(3, row) for row in range(12)])
    assert lines == ["12 pictures of 8x8x3"]
    assert np.array_equal(tensors["images"], np.rint(grays * colors[:, None, None]))
    assert (colors.max(1) == 1).all() and (colors.min(1) < 0.21).all()
    assert len(np.unique(colors.round(3), axis=0)) == 12


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    choice=st.sampled_from([(), ("--limit", 4), ("--split", "30-90%"), ("--classes", "odd,even"), ("--where", "odd")]),
    order=st.sampled_from([(), ("--shuffle",)]),
    seed=st.integers(0, 9),
)
def test_the_tint_does_not_depend_on_what_is_chosen(ok, content, samples, choice, order, seed):
    ok("gan-data", samples("x"), "--tint", "--seed", seed, *choice, *order, "-o", "some.safetensors")
    ok("gan-data", samples("x"), "--seed", seed, *choice, *order, "-o", "gray.safetensors")
    rows = [
        [*map(bytes, noise(1, 6, 8, 8, 1))].index(bytes(picture))
        for picture in content("gray.safetensors")[1]["images"]
    ]
    colors = np.stack([tint_of(seed, row) for row in rows])
    expected = np.rint(noise(1, 6, 8, 8, 1)[rows] * colors[:, None, None])
    assert np.array_equal(content("some.safetensors")[1]["images"], expected)


def test_color_pictures_are_tinted_by_their_gray(made, samples, tmp_path):
    _, tinted, _ = made(samples("x", 3), "--tint", "--channels", 3)
    made("x.safetensors", "--channels", 1)
    (tmp_path / "made.safetensors").rename(tmp_path / "gray.safetensors")
    assert np.array_equal(made("gray.safetensors", "--tint")[1]["images"], tinted["images"])


def test_faces_of_other_colors_have_the_same_sketch(made):
    _, plain, _ = made("toy:faces", "--limit", 3, "--size", 16, "--derive", "sketch")
    _, tinted, _ = made("toy:faces", "--limit", 3, "--size", 16, "--derive", "sketch", "--tint", "--invert")
    assert np.array_equal(plain["inputs"], tinted["inputs"])
    assert not np.array_equal(plain["images"], tinted["images"])


def test_points_have_no_colors(fails):
    for option in ("--invert", "--tint"):
        said = fails("gan-data", "toy:ring", option, "-o", "x.safetensors")
        assert said == "gan-data: toy:ring: holds points; only pictures can be inverted or tinted"


# -------------------------------------------------------------------------------------------- one class


def test_sets_of_digits_become_two_domains(ok, made, samples, tmp_path):
    ok("gan-data", samples("digits"), "--invert", "--class", "black", "-o", "black.safetensors")
    ok("gan-data", "digits.safetensors", "--tint", "--class", "colored", "-o", "colored.safetensors")
    meta, tensors, lines = made("black.safetensors", "colored.safetensors")
    assert meta["classes"] == ["black", "colored"]
    assert tensors["labels"].tolist() == [0] * 6 + [1] * 6
    assert np.array_equal(tensors["images"][:6], np.repeat(255 - noise(1, 6, 8, 8, 1), 3, 3))
    assert lines == ["black.safetensors: gray pictures become RGB, as the others are", "12 pictures of 8x8x3"]


def test_one_class_for_all_that_the_others_have_chosen(made, samples):
    for choice in (("--where", "odd"), ("--classes", "odd")):
        meta, tensors, _ = made(samples("x"), *choice, "--class", " ones of two ")
        assert meta["classes"] == ["ones of two"]
        assert tensors["labels"].tolist() == [0] * 3
        assert np.array_equal(tensors["images"], noise(1, 6, 8, 8, 1)[1::2])
    meta, tensors, _ = made("toy:ring", "--limit", 3, "--class", "a")
    assert (meta["classes"], tensors["labels"].tolist()) == (["a"], [0, 0, 0])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("digits --class ' '", "Invalid value for '--class': a name cannot be empty"),
        ("x --attributes . --labels a --class b", "--labels and --class exclude each other; give one"),
        ("digits --tint --channels 1", "--tint makes pictures of 3 channels; leave out --channels 1"),
    ],
)
def test_usage_errors(fails, words, said):
    assert said in fails("gan-data", *shlex.split(words), "-o", "x.safetensors", code=2)


# ------------------------------------------------------------------------------------------------ joins


@pytest.mark.parametrize("order", [["gray", "color"], ["color", "gray"]])
@pytest.mark.parametrize("form", ["{}.safetensors", "{}/"])
def test_gray_and_color_sources_become_color(ok, made, samples, order, form):
    for name, channels in (("gray", 1), ("color", 3)):
        ok("gan-data", samples(name, channels), "-o", f"{name}/")
    sources = [form.format(name) for name in order]
    meta, tensors, lines = made(*sources)
    pictures = {"gray": np.repeat(noise(1, 6, 8, 8, 1), 3, 3), "color": noise(3, 6, 8, 8, 3)}
    assert np.array_equal(tensors["images"], np.concatenate([pictures[name] for name in order]))
    assert lines[0] == f"{form.format('gray')}: gray pictures become RGB, as the others are"
    for channels in (1, 3):
        _, tensors, lines = made(*sources, "--channels", channels)
        assert tensors["images"].shape[3] == channels and len(lines) == 1
    if "/" in form:
        assert meta["classes"] == order


def test_unpaired_sketches_and_faces(ok, made, content):
    faces = ("gan-data", "toy:faces", "--size", 16, "--limit", 40)
    ok(*faces, "--derive", "sketch", "--split", "0-50%", "--swap", "--channels", 3, "-o", "sketches.safetensors")
    ok(*faces, "--split", "50-100%", "-o", "faces.safetensors")
    _, sketches = content("sketches.safetensors")
    assert sketches["images"].shape == sketches["inputs"].shape == (40, 16, 16, 3)
    assert (sketches["images"] == sketches["images"][..., :1]).all()
    meta, tensors, lines = made("sketches.safetensors", "faces.safetensors")
    assert meta["classes"] == ["sketches", "faces"]
    assert meta["attributes"] == [*ATTRIBUTES]
    assert "inputs" not in tensors and "skipped inputs, which not every source has" in lines
    assert tensors["labels"].tolist() == [0] * 40 + [1] * 40
    assert np.array_equal(tensors["images"][:40], sketches["images"])
    drawn, painted = ({*map(bytes, pictures)} for pictures in (sketches["inputs"], tensors["images"][40:]))
    assert (len(drawn), len(painted), drawn & painted) == (40, 40, set())
    first, second = (tensors["attributes"][tensors["labels"] == label] for label in (0, 1))
    assert not {*map(bytes, first)} & {*map(bytes, second)}, "poses are real numbers"


@pytest.mark.parametrize("channels", [1, 3])
def test_a_swap_gives_the_channels_to_what_becomes_the_pictures(made, samples, channels):
    beside = {"inputs": noise(7, 6, 8, 8, 4 - channels)}
    _, tensors, _ = made(samples("x", 3, **beside), "--swap", "--channels", channels)
    assert np.array_equal(tensors["inputs"], noise(3, 6, 8, 8, 3))
    expected = [fit_pixels(picture, Shape(channels=channels)) for picture in beside["inputs"]]
    assert np.array_equal(tensors["images"], np.stack(expected))


def test_a_tint_may_become_the_input_of_gray_pictures(made, samples):
    _, tensors, _ = made(samples("x"), "--tint", "--derive", "gray", "--swap", "--channels", 1)
    assert (tensors["images"].shape[3], tensors["inputs"].shape[3]) == (1, 3)
