"""gan-eval on translators between two classes: what its scores are of hand-made ones, and what it refuses."""

import json

import numpy as np
import pytest
from conftest import TINY
from hypothesis import given
from hypothesis import strategies as st

from ganutils.evaluation import metrics, palettes
from ganutils.evaluation.extractors.extractor import Extractor
from ganutils.evaluation.scores import score as scores_of
from ganutils.evaluation.sets import Fake, Given, Real
from ganutils.evaluation.translators import Direction
from ganutils.files import container
from ganutils.samples.samples import open_samples

PIXELS = ["--features", "pixels"]
DARK, LIGHT = (60, 50, 40), (220, 210, 200)
NAMES = ["dark", "light", "blue"]


def rooms(count=90, seed=0):
    """Pictures of a gray 8x8, dark or light, or blue, by their label; every other one, at random, with a red spot."""
    random = np.random.default_rng(seed)
    labels = np.arange(count) % 3
    images = np.array([DARK, LIGHT, (20, 20, 230)])[labels][:, None, None] + random.integers(-20, 20, (count, 8, 8, 3))
    has = random.random(count) < 0.5
    images[has, 2:6, 2:6] = (250, 0, 0)
    about = dict(attributes=np.stack([has, labels == 1], 1).astype("f4"), names=["spot", "lit"])
    return dict(images=images.astype("u1"), labels=labels, classes=NAMES, **about)


def flat(count=30, seed=0):
    """Pairs: maps of three colors in blocks of 2x2, and what they are of, darker."""
    random = np.random.default_rng(seed)
    colors = np.array([(250, 0, 0), (0, 250, 0), (0, 0, 250)])[random.integers(0, 3, (count, 4, 4))]
    inputs = colors.repeat(2, axis=1).repeat(2, axis=2)
    return dict(inputs=inputs.astype("u1"), images=(inputs // 2 + random.integers(0, 9, inputs.shape)).astype("u1"))


@pytest.fixture
def write(tmp_path):
    """write("x.safetensors", images=..., labels=..., classes=..., attributes=..., names=...) -> its name"""

    def one(name, **tensors):
        meta = {
            key: tensors.pop(was) for key, was in (("classes", "classes"), ("attributes", "names")) if was in tensors
        }
        container.write(str(tmp_path / name), "samples", tensors, {"lineage": ["made by hand"], **meta})
        return name

    return one


@pytest.fixture
def score(score):
    """As `score`, by pixels where no features are named."""
    return lambda *words: score(*words, *([] if "--features" in words else PIXELS))


@pytest.fixture
def real(write):
    return write("real.safetensors", **rooms())


def two_of(data):
    """The dark and the light ones."""
    rows = data["labels"] < 2
    return {**data, **{name: data[name][rows] for name in ("images", "labels", "attributes")}, "classes": NAMES[:2]}


def zero(tensors, *prefixes):
    for name in tensors:
        if name.startswith(prefixes):
            tensors[name] = np.zeros_like(tensors[name])


def bias_of(color):
    """What a tanh makes that color of."""
    return np.arctanh(np.array(color) / 127.5 - 1).astype("f4")


@pytest.fixture
def untrained(ok, write, content):
    """untrained("--arch", "blocks") -> (meta, tensors) of a new translator between dark and light."""

    def one(*words):
        write("two.safetensors", **two_of(rooms()))
        words = ["--arch", "blocks", "--blocks", 0, "--g-norm", "none", "--width", 6, *words]
        ok("gan-loop", "two.safetensors", "--domains", *words, "--steps", 0, "-o", "new.ckpt", "-q")
        return content("new.ckpt")

    return one


@pytest.fixture
def painter(untrained, tmp_path):
    """painter("x.ckpt", LIGHT, DARK): whatever it is given it makes that color, there and back; gives its name."""

    def one(name, there, back, steps=0, **classes):
        meta, tensors = untrained()
        zero(tensors, "ema.")
        tensors["ema.there.last.conv.bias"], tensors["ema.back.last.conv.bias"] = bias_of(there), bias_of(back)
        tensors["updates.G"] = tensors["updates.D"] = np.array(steps)
        meta["data"]["count"] = 5000
        container.write(str(tmp_path / name), "checkpoint", tensors, {**meta, **classes})
        return name

    return one


@pytest.fixture
def copier(untrained, tmp_path):
    """copier("x.ckpt", -1): it makes negatives of blocks of 4x4 pixels, there and back; 1: the same again, fainter."""

    def one(name, sign):
        meta, tensors = untrained()
        zero(tensors, "ema.")
        for way in ("there", "back"):
            parts = [
                f"ema.{way}.{part}.conv.weight" for part in ("first", "downs.0", "downs.1", "ups.0", "ups.1", "last")
            ]
            for part in parts:
                middle = tensors[part].shape[-1] // 2
                kernel = tensors[part][:, :, middle, middle]
                kernel[:6, :6] = np.eye(6)[: len(kernel), : kernel.shape[1]]
            middle = (slice(None), slice(None), 3, 3)
            tensors[parts[0]][middle] = np.concatenate([np.eye(3), -np.eye(3)])
            tensors[parts[-1]][middle] = sign * np.concatenate([np.eye(3), -np.eye(3)], axis=1)
        tensors["updates.G"] = tensors["updates.D"] = np.array(9000)
        meta["data"]["count"] = 5000
        container.write(str(tmp_path / name), "checkpoint", tensors, meta)
        return name

    return one


def of_class(number, data=None):
    data = data or rooms()
    return data["images"][data["labels"] == number]


def painted(count, color):
    return np.broadcast_to(np.array(color, "u1"), (count, 8, 8, 3))


# ------------------------------------------------------------------------------------- between classes, without pairs


def test_pictures_of_the_other_class_are_translated_and_scored_against_those_of_the_class(score, real, painter):
    there = painter("there.ckpt", LIGHT, DARK)
    baseline, found = score(real, there, "--features", "auto", "--baseline")
    assert (found["real_count"], found["fake_count"], found["to"]) == (30, 30, "light")
    assert found["arrived"] == 1
    assert found["kept_attributes"] == {"spot": 0.5}, "what tells the classes apart is no subject"
    assert found["cycle_l1"] == pytest.approx(metrics.l1(of_class(0), painted(30, DARK)), abs=0.004)
    assert found["cycle_l1_blurred"] == pytest.approx(found["cycle_l1"], abs=0.004), "a single color stays as it is"
    assert found["spread"] == pytest.approx(0, abs=1e-3)
    assert {"modes", "l1", "ssim", "recovered"}.isdisjoint(found)
    assert (found["features"]["name"], found["finder"]["name"]) == ("classifier", "classifier")
    assert found["features"]["hash"] != found["finder"]["hash"]
    assert (baseline["fake"], baseline["arrived"]) == ("dark of real.safetensors", 0)
    assert baseline["kept"] > 0.9
    assert "cycle_l1" not in baseline


@pytest.mark.parametrize("to", ["dark", "0"])
def test_to_chooses_the_way_by_name_or_number(score, real, painter, to):
    (found,) = score(real, painter("x.ckpt", LIGHT, DARK), "--to", to)
    assert found["to"] == "dark"
    assert found["cycle_l1"] == pytest.approx(metrics.l1(of_class(1), painted(30, LIGHT)), abs=0.004)
    assert found["nearest_real"] < 1.5, "they are dark"


def test_a_file_of_its_results_scores_the_same(score, real, painter, write):
    made = write("made.safetensors", images=painted(30, LIGHT).copy())
    by_checkpoint, by_file = score(real, painter("x.ckpt", LIGHT, DARK), made)
    names = ["frechet_distance", "precision", "spread", "authenticity", "real_count", "fake_count"]
    for name in names:
        assert by_checkpoint[name] == pytest.approx(by_file[name], rel=0.1, abs=0.1)
    assert "cycle_l1" not in by_file
    (alone,) = score(real, made)
    assert (alone["real_count"], "to" in alone) == (90, False), "against all of REAL, where no direction is known"


def test_the_given_pictures_are_dealt_out_as_samples_are(score, real, painter):
    checkpoint = painter("x.ckpt", LIGHT, DARK)
    (few,) = score(real, checkpoint, "-n", 7)
    assert (few["real_count"], few["fake_count"]) == (30, 7)
    (sets,) = score(real, checkpoint, "--repeats", 3, "--features", "auto")
    (limited,) = score(real, checkpoint, "--limit", 9)
    assert (limited["real_count"], limited["fake_count"]) == (9, 9)
    assert (sets["fake_count"], sets["repeats"]) == (10, 3)
    assert sets["deviation"]["cycle_l1"] > 0, "no picture is in two sets"
    assert sets["kept_attributes"] == {"spot": 0.5}
    assert sets["cycle_l1"] == pytest.approx(metrics.l1(of_class(0), painted(30, DARK)), abs=0.004)


def test_a_classifier_in_a_file_tells_what_is_kept_and_arrived(score, real, write, painter, extractor_of):
    data = rooms()
    has = {"light": (data["labels"] == 1).astype("f4"), "spot": data["attributes"][:, 0]}
    labeled = write("a.safetensors", images=data["images"], attributes=np.stack([*has.values()], 1), names=[*has])
    (itself,) = score(labeled, labeled, "--features", "auto")
    kept = extractor_of(itself["features"])
    (found,) = score(real, painter("x.ckpt", LIGHT, DARK), "--features", kept)
    assert found["kept_attributes"] == {"spot": 0.5}
    assert found["arrived"] > 0.9
    assert "finder" not in found


def test_snapshots_are_curves_and_the_table_has_the_columns(ok, score, real, untrained, tmp_path):
    from ganutils.plots.curves import curves

    untrained()
    words = ["--width", 2, "--batch", 4, "--steps", 2, "--snapshots", "shots", "--every", 1, "--log", "run.jsonl"]
    ok("gan-loop", "two.safetensors", "--domains", *words, "--identity", 1, "-o", "x.ckpt", "-q")
    shots = sorted(map(str, (tmp_path / "shots").glob("*.safetensors")))
    found = score(real, *shots, "--features", "auto")
    assert [one["step"] for one in found] == [0, 1, 2]
    assert len({one["cycle_l1"] for one in found}) > 1
    (tmp_path / "scores.jsonl").write_text("".join(json.dumps(one) + "\n" for one in found))
    titles = {axis.get_title(loc="left") for axis in curves([str(tmp_path / "scores.jsonl")]).axes}
    assert {"difference there and back (L1)", "arrived in the class, attributes kept"} <= titles
    ok("gan-plot", "run.jsonl", "scores.jsonl", "-o", "curves.png")
    (best,) = score(real, *shots, "--best")
    assert best["frechet_distance"] == min(one["frechet_distance"] for one in score(real, *shots))
    table = ok("gan-eval", real, *shots, "--table", *PIXELS, "-q").out.decode()
    assert "cycle L1↓" in table
    assert "\n30 samples of real.safetensors, to light, 30 of each fake\n" in table


# ---------------------------------------------------------------------------------------------------- with pairs


def test_inputs_of_pairs_are_translated_and_compared_with_the_true_pictures(score, write, painter):
    data = flat()
    real = write("pairs.safetensors", **data)
    found, back = score(real, painter("x.ckpt", LIGHT, DARK), painter("y.ckpt", DARK, LIGHT))
    assert found["l1"] == pytest.approx(metrics.l1(data["images"], painted(30, LIGHT)), abs=0.004)
    assert found["cycle_l1"] == pytest.approx(metrics.l1(data["inputs"], painted(30, DARK)), abs=0.004)
    assert back["cycle_l1"] == pytest.approx(metrics.l1(data["inputs"], painted(30, LIGHT)), abs=0.004)
    assert "arrived" not in found
    (there,) = score(real, "x.ckpt", "--to", "dark")
    assert there["l1"] == pytest.approx(back["l1"], abs=0.01)


def test_gray_inputs_are_taken_as_color_by_translators_of_color(score, ok, write, painter):
    data = flat()
    data["inputs"] = data["inputs"].mean(axis=3, keepdims=True).astype("u1")
    gray = write("gray.safetensors", **data)
    (found,) = score(gray, painter("x.ckpt", LIGHT, DARK))
    assert found["cycle_l1"] == pytest.approx(
        metrics.l1(data["inputs"].repeat(3, axis=3), painted(30, DARK)), abs=0.004
    )
    color = write("color.safetensors", images=data["images"], inputs=data["inputs"].repeat(3, axis=3))
    ok("gan-loop", color, "--width", 2, "--batch", 4, "--steps", 1, "-o", "pairs.ckpt", "-q")
    names = ("l1", "ssim", "frechet_distance")
    (by_gray,), (by_color,) = (score(data, "pairs.ckpt") for data in (gray, color))
    assert {name: by_gray[name] for name in names} == {name: by_color[name] for name in names}
    text = ok("gan-eval", "--diagnose", "pairs.ckpt", gray, *PIXELS, "-q").out.decode()
    assert "discriminator is" in text


# ----------------------------------------------------------------------------------------------------- recovered


def test_a_way_back_by_another_recovers_the_colors_that_it_paints(score, write, painter):
    """Whatever was made, it makes red of it: right where red was given."""
    data = flat()
    real = write("pairs.safetensors", **data)
    share = float((data["inputs"][..., 0] == 250).mean())
    painter("x.ckpt", LIGHT, DARK)
    red = painter("red.ckpt", (9, 9, 9), (240, 10, 10))
    made = write("made.safetensors", images=data["images"], inputs=data["inputs"])
    by_checkpoint, by_file = score(real, "x.ckpt", made, "--recover", red)
    assert by_checkpoint["recovered"] == by_file["recovered"] == pytest.approx(share, rel=1e-5)
    assert by_checkpoint["recovered_real"] == pytest.approx(share, rel=1e-5)
    (black,) = score(real, made, "--recover", red, "--to", "dark")
    assert black["recovered"] not in (share, None), "the other way back paints near black, which red is not nearest to"


def test_between_classes_too_if_what_is_given_is_flat(score, write, painter):
    images = of_class(1).copy()
    images[:] = (250, 0, 0)
    images[:, :2] = (0, 0, 250)
    many = np.random.default_rng(0).integers(0, 99, images.shape, "u1")
    data = two_of(rooms())
    maps = {**data, "images": np.concatenate([many, images]), "labels": np.repeat([0, 1], 30)}
    real = write("maps.safetensors", **maps)
    blue = painter("blue.ckpt", (10, 10, 240), DARK)
    there, back = (score(real, "blue.ckpt", "--recover", blue, "--to", to)[0] for to in ("light", "dark"))
    assert back["recovered"] == 0.25
    assert "recovered_real" not in back
    assert "recovered" not in there, "the dark ones are of many colors"


@given(st.integers(1, 16), st.integers(0, 99))
def test_a_palette_has_the_colors_of_flat_pictures(count, seed):
    random = np.random.default_rng(seed)
    colors = random.permutation(np.stack(np.meshgrid(*[[0, 80, 160, 240]] * 3), -1).reshape(-1, 3))[:count]
    which = np.concatenate([np.arange(count), random.integers(0, count, 400 - count)]).reshape(4, 10, 10)
    pictures = (colors[which] + random.integers(-4, 5, (4, 10, 10, 3))).clip(0, 255).astype("u1")
    found = palettes.palette(pictures, seed)
    assert len(found) == count
    distances = abs(found[:, None] - colors).max(axis=2)
    assert sorted(distances.argmin(axis=1)) == [*range(count)]
    assert palettes.recovered(pictures, colors[which].astype("u1"), found) == 1
    other = (which + 1) % count
    assert palettes.recovered(colors[other].astype("u1"), pictures, found) == (count == 1)


def test_photos_have_no_palette_and_gray_maps_do():
    random = np.random.default_rng(0)
    assert palettes.palette(random.integers(0, 256, (9, 32, 32, 3), "u1"), 0) is None
    assert palettes.palette(random.integers(0, 256, (9, 32, 32, 1), "u1"), 0) is None
    assert palettes.palette(random.integers(0, 256, (9, 32, 32, 4), "u1"), 0) is None
    lines = (random.random((9, 32, 32, 1)) < 0.1).astype("u1") * 255
    assert palettes.palette(lines, 0).tolist() == [[0], [255]]
    assert palettes.recovered(*[lines.repeat(3, axis=3)] * 2, palettes.palette(lines, 0)) == 1


# ------------------------------------------------------------------------------------------- the measures themselves


@given(st.integers(2, 12), st.integers(2, 12), st.sampled_from([1, 3]), st.integers(0, 99))
def test_a_negative_has_the_correlation_minus_one(h, w, c, seed):
    x = np.random.default_rng(seed).integers(0, 256, (3, h, w, c), "u1")
    if (np.ptp(x.reshape(3, h * w, c).sum(axis=2), axis=1) > 0).all():
        assert metrics.correlation(x, x) == pytest.approx(1)
        assert metrics.correlation(x, 255 - x) == pytest.approx(-1)
        assert metrics.correlation(x, x[:, ::-1].repeat(3 // c, axis=3)) <= 1
    assert np.isnan(metrics.correlation(x, np.zeros_like(x)))


@pytest.fixture
def against(write, tmp_path):
    """The Real of lights, for pictures given that are dark."""
    write("two.safetensors", **two_of(rooms()))
    with open_samples(str(tmp_path / "two.safetensors")) as samples:
        extractor = Extractor(lambda images: images.reshape(len(images), -1).astype("f4"), {"name": "pixels"})
        yield Real(samples, extractor, 1000, 0, Direction("dark", "light"))


def test_a_picture_that_is_hidden_in_noise_does_not_survive_a_blur(against):
    """Black or white blocks, shown as shades; or told by the phase of a checkerboard that nobody sees."""
    bits = np.random.default_rng(0).integers(0, 2, (30, 2, 2, 1), "u1").repeat(4, axis=1).repeat(4, axis=2).repeat(3, 3)
    board = (np.indices((8, 8)).sum(axis=0) % 2).astype("u1")[:, :, None]
    shown = Given(bits * 255, np.flatnonzero(against.source.labels == 0))
    hidden = Fake(against, 200 + 2 * (bits ^ board), shown, lambda made: ((made - 200) // 2 ^ board) * np.uint8(255))
    honest = Fake(against, 100 + bits * 50, shown, lambda made: (made > 125) * np.uint8(255))
    found, other = scores_of(against, hidden), scores_of(against, honest)
    assert found["cycle_l1"] == other["cycle_l1"] == 0
    assert found["cycle_l1_blurred"] > 0.3
    assert other["cycle_l1_blurred"] < 0.1


def test_what_comes_back_as_it_was_has_no_difference(against):
    given_rows = np.flatnonzero(against.source.labels == 0)
    shown = Given(against.source.array[given_rows], given_rows)
    found = scores_of(against, Fake(against, 255 - shown.pictures, shown, lambda made: 255 - made))
    assert found["cycle_l1"] == 0
    assert found["input_correlation"] == pytest.approx(-1)
    copied = scores_of(against, Fake(against, shown.pictures, shown, lambda made: made))
    assert (copied["input_distance"], copied["input_correlation"]) == (0, pytest.approx(1))


# --------------------------------------------------------------------------------------------------------- diagnosis


@pytest.fixture
def blocks(write):
    """Dark and light pictures of 12x12 in blocks of 4x4, around the same middle."""
    random = np.random.default_rng(0)
    cells = random.integers(90, 165, (80, 2, 2, 1)) + random.integers(-6, 7, (80, 2, 2, 3))
    labels = np.arange(80) % 2
    images = (cells + 12 * labels[:, None, None, None] - 6).repeat(4, axis=1).repeat(4, axis=2)
    return write("blocks.safetensors", images=images.astype("u1"), labels=labels, classes=NAMES[:2])


def test_negatives_and_copies_are_told(ok, blocks, copier):
    def verdict(*words):
        return ok("gan-eval", "--diagnose", blocks, *words, *PIXELS, "-q").out.decode()

    inverted = verdict(copier("negative.ckpt", -1))
    assert inverted.startswith("negative.ckpt at step 9,000: inverted colors")
    assert "Its results are like negatives of what it is given (correlation -1.00; that of real pictures" in inverted
    assert "Try a new run with --identity 5, which keeps colors." in inverted
    assert "copies its input.\nIts results are nearly what it is given: " in verdict(copier("same.ckpt", 1))


def test_one_color_of_all_has_collapsed_and_each_class_has_a_judge_of_its_own(ok, content, tmp_path, real, painter):
    painter("one.ckpt", LIGHT, DARK, steps=9000)
    meta, tensors = content("one.ckpt")
    zero(tensors, "D.")
    (bias,) = [
        name for name in tensors if name.startswith("D.b.") and name.endswith("bias") and tensors[name].size == 1
    ]
    tensors[bias] = np.ones_like(tensors[bias])  # judges all to be real
    container.write(str(tmp_path / "one.ckpt"), "checkpoint", tensors, meta)

    def verdict(to):
        return ok("gan-eval", "--diagnose", "one.ckpt", real, "--to", to, *PIXELS, "-q").out.decode()

    assert "collapsed.\nIts samples vary 0% as much as the real ones: they are nearly all alike." in verdict("light")
    assert "Try a new run with --cycle 20" in verdict("light")
    assert "right on 100% of real and 0% of fake samples" in verdict("light")
    assert "right on 0% of real and 100% of fake samples" in verdict("dark")


# ---------------------------------------------------------------------------------- features of its discriminators


def test_features_are_those_of_the_discriminator_of_the_class(score, content, tmp_path, real, write, untrained):
    meta, tensors = untrained()
    zero(tensors, "D.b.")
    container.write(str(tmp_path / "x.ckpt"), "checkpoint", tensors, meta)
    fake = write("fake.safetensors", images=of_class(2))
    distances = {
        to: score(real, fake, "--features", "x.ckpt", *to)[0]["frechet_distance"]
        for to in ((), ("--to", "light"), ("--to", "dark"), ("--to", "0"))
    }
    assert distances[()] == distances["--to", "light"] == 0, "it sees nothing"
    assert distances["--to", "dark"] == distances["--to", "0"] > 0


# ------------------------------------------------------------------------------------------------------------ errors


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("real x --to red", "x.ckpt: has no class 'red'; its classes are dark, light"),
        ("real x --to 2", "x.ckpt: has no class '2'; its classes are dark, light"),
        ("real real --to light", "--to light: no FAKE is a checkpoint between two classes (gan-loop --domains); leave"),
        ("points points --to 1", "--to 1: no FAKE is a checkpoint between two classes (gan-loop --domains); leave"),
        ("points x", "x.ckpt: samples are 8x8x3, those of points.safetensors 2-D points; make both"),
        ("other x", "other.safetensors: has no class 'dark'; its classes are day, light, blue"),
        ("bare x", "bare.safetensors: has neither inputs nor labels; give pairs, or pictures of 'dark' and 'light'"),
        ("few x", "few.safetensors: 5 pictures of class 'light' are too few to score; 6 are needed"),
        ("few x --to dark", "few.safetensors: 5 pictures of class 'light' are too few to score; 6 are needed"),
        ("real x --repeats 6", "real.safetensors: 5 pictures of class 'dark' per set are too few to score; 6 are"),
        ("pairs x -n 9", "x.ckpt: each of its samples is compared with the one of pairs.safetensors in the same row; "),
        ("pairs x --repeats 2", "in the same row; leave out --repeats, or choose rows with --limit"),
        ("maps x", "x.ckpt: takes inputs of 3 channels, those of maps.safetensors have 4; make them as those it was"),
        ("large x", "x.ckpt: samples are 16x16x3, those of large.safetensors 8x8x3; make both alike with gan-data"),
        ("real x y", "y.ckpt: translates between 'cat' and 'dog', x.ckpt between 'dark' and 'light'; score them one"),
        ("real x --recover y", "y.ckpt: translates between 'cat' and 'dog', x.ckpt between 'dark' and 'light'; score"),
        ("bare bare --recover x", "bare.safetensors: has no inputs that --recover x.ckpt could lead to; leave"),
        ("pairs pairs --recover gan", "gan.ckpt: makes samples from latents; --recover takes a translator"),
        ("large large --recover x", "x.ckpt: samples are 8x8x3, those of large.safetensors 16x16x3; make both alike"),
        ("maps maps --recover x", "x.ckpt: samples are 8x8x3, those of maps.safetensors 8x8x4; make both alike"),
        ("real real --recover -", "standard input: --recover takes a checkpoint by its name, not from a pipe; save it"),
        ("real real --recover real", "real.safetensors: holds samples"),
        ("bare bare --baseline", "bare.safetensors: has no inputs to score; leave out --baseline, or give pairs"),
        ("real bad", "bad.ckpt: damaged: it translates between two classes, and names others"),
    ],
)  # fmt: skip
def test_what_cannot_be_scored_is_one_line(fails, ok, write, painter, words, said):
    data, pairs = rooms(), flat()
    write("real.safetensors", **data)
    write("bare.safetensors", images=data["images"])
    write("other.safetensors", images=data["images"], labels=data["labels"], classes=["day", "light", "blue"])
    write("points.safetensors", points=np.zeros((20, 2), "f4"))
    write("few.safetensors", images=data["images"][:16], labels=data["labels"][:16], classes=NAMES)
    write("pairs.safetensors", **pairs)
    write("maps.safetensors", images=pairs["images"], inputs=pairs["inputs"][..., [0, 0, 0, 0]])
    write("large.safetensors", images=pairs["images"], inputs=pairs["inputs"].repeat(2, axis=1).repeat(2, axis=2))
    names = words.split()
    classes = {"x": NAMES[:2], "y": ["cat", "dog"], "bad": ["a", "a"]}
    for name in classes.keys() & {*names}:
        painter(f"{name}.ckpt", LIGHT, DARK, classes=classes[name])
    if "gan" in names:
        ok("gan-loop", "bare.safetensors", *TINY, "--steps", 0, "-o", "gan.ckpt", "-q")
    suffixes = dict.fromkeys(("x", "y", "bad", "gan"), ".ckpt")
    suffixes |= dict.fromkeys(("real", "bare", "other", "points", "few", "pairs", "maps", "large"), ".safetensors")
    typed = [one + suffixes.get(one, "") for one in names]
    assert said in fails("gan-eval", *typed, *PIXELS)


def test_a_checkpoint_between_classes_cannot_come_from_a_pipe(fails, real, painter, tmp_path):
    piped = (tmp_path / painter("x.ckpt", LIGHT, DARK)).read_bytes()
    line = fails("gan-eval", real, "-", *PIXELS, stdin=piped)
    assert line.endswith("a checkpoint between two classes is scored by its name, not from a pipe; save it")
