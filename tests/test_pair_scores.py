"""gan-eval on pairs: what its scores are of built examples, what it compares with what, and what it refuses."""

import json

import numpy as np
import pytest
import scipy.ndimage
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from ganutils.evaluation import metrics
from ganutils.evaluation.sets import as_pictures
from ganutils.files import container

FEATURES = ["--features", "pixels"]


def scenes(count=40, side=12, seed=0, channels=3):
    """Colored pictures of rectangles on a ground, uint8 [N, side, side, channels]."""
    random = np.random.default_rng(seed)
    pictures = np.empty((count, side, side, channels), "u1")
    for picture in pictures:
        picture[:] = random.integers(0, 256, channels)
        for _ in range(3):
            (top, bottom), (left, right) = (np.sort(random.integers(0, side + 1, 2)) for _ in range(2))
            picture[top:bottom, left:right] = random.integers(0, 256, channels)
    return pictures


def gray(pictures):
    return pictures.mean(axis=3, keepdims=True).astype("u1")


def blurred(pictures, sigma=1.5):
    return scipy.ndimage.gaussian_filter(pictures.astype("f8"), (0, sigma, sigma, 0)).round().astype("u1")


@pytest.fixture
def write(tmp_path):
    """write("x.safetensors", images, inputs, labels=..., attributes=...) -> its name"""

    def one(name, images, inputs=None, **more):
        meta = {key: more.pop(key) for key in ("classes", "attribute_names") if key in more}
        meta = {key.replace("_names", "s"): value for key, value in meta.items()}
        tensors = {"images": images, **({} if inputs is None else {"inputs": inputs}), **more}
        container.write(str(tmp_path / name), "samples", tensors, {"lineage": ["made by hand"], **meta})
        return name

    return one


@pytest.fixture
def score(score):
    """As `score`, by pixels where no features are named."""
    return lambda *words: score(*words, *([] if "--features" in words else FEATURES))


# ------------------------------------------------------------------------------------------------ the measures

sides, some_channels = st.integers(1, 40), st.sampled_from([1, 3])


def noisy(random, h, w, c, count=2):
    x = random.integers(0, 256, (count, h, w, c), "u1")
    x = blurred(x, random.uniform(0, 2))  # structures of any size
    y = np.clip(x + random.normal(0, random.uniform(0, 60), x.shape), 0, 255).astype("u1")
    return x, y


@given(st.integers(11, 40), st.integers(11, 40), some_channels, st.integers(0, 99))
def test_ssim_and_psnr_are_those_of_scikit_image(h, w, c, seed):
    theirs = pytest.importorskip("skimage.metrics")
    x, y = noisy(np.random.default_rng(seed), h, w, c)
    how = dict(gaussian_weights=True, sigma=1.5, use_sample_covariance=False, data_range=255, channel_axis=2)
    expected = [theirs.structural_similarity(a, b, **how) for a, b in zip(x, y, strict=True)]
    assert metrics.ssim(x, y) == pytest.approx(np.mean(expected), abs=1e-9)
    if all((a != b).any() for a, b in zip(x, y, strict=True)):
        expected = [theirs.peak_signal_noise_ratio(a, b) for a, b in zip(x, y, strict=True)]
        assert metrics.psnr(x, y) == pytest.approx(np.mean(expected), abs=1e-9)


@given(sides, sides, some_channels, st.integers(0, 99))
def test_of_any_size_a_picture_is_like_itself_and_all_are_in_their_range(h, w, c, seed):
    x, y = noisy(np.random.default_rng(seed), h, w, c)
    assert (metrics.l1(x, x), metrics.ssim(x, x), metrics.psnr(x, x)) == (0, 1, np.inf)
    assert -1 <= metrics.ssim(x, y) <= 1
    assert metrics.ssim(x, y) == pytest.approx(metrics.ssim(y, x), abs=1e-12)
    assert 0 <= metrics.l1(x, y) <= 1
    assert metrics.psnr(x, y) >= 0
    assert metrics.gradient(x) >= 0
    assert metrics.saturation(x[..., :1]) == 0


def test_exact_values_of_the_simplest_pictures():
    black, white = np.zeros((2, 12, 12, 3), "u1"), np.full((2, 12, 12, 3), 255, "u1")
    assert (metrics.l1(black, white), metrics.psnr(black, white)) == (1, 0)
    c1 = (0.01 * 255) ** 2
    assert metrics.ssim(black, white) == pytest.approx(c1 / (255**2 + c1))  # flat: only the luminance differs
    assert metrics.psnr(black, black + np.uint8(1)) == pytest.approx(20 * np.log10(255))
    red = black.copy()
    red[..., 0] = 200
    assert (metrics.saturation(red), metrics.saturation(white)) == (200, 0)
    stripes = black.copy()
    stripes[:, ::2] = 10
    assert metrics.gradient(stripes) == pytest.approx(10 / 2)  # down it is 10 everywhere, to the right 0
    assert (metrics.gradient(white), metrics.gradient(white[:, :1, :1])) == (0, 0)


def test_one_picture_that_is_exact_does_not_hide_the_others():
    x = scenes(4)
    y = x.copy()
    y[1:] ^= 8
    assert 30 < metrics.psnr(x, y) < 60


def test_whatever_the_block_the_measures_are_the_same(monkeypatch):
    x = scenes(7)
    y = blurred(x)
    measures = (metrics.l1, metrics.psnr, metrics.ssim, lambda x, y: metrics.gradient(y) + metrics.saturation(y))
    before = [measure(x, y) for measure in measures]
    monkeypatch.setattr(metrics, "NUMBERS", 2000)  # two pictures at a time
    monkeypatch.setattr(metrics, "BLOCK", 3)
    assert [measure(x, y) for measure in measures] == pytest.approx(before, rel=1e-12)


def test_the_distance_of_features_looks_at_their_direction_alone(monkeypatch):
    random = np.random.default_rng(0)
    x, y = random.normal(size=(2, 9, 5)).astype("f4")
    cosines = (x * y).sum(1) / np.linalg.norm(x, axis=1) / np.linalg.norm(y, axis=1)
    assert metrics.feature_distance(x, y) == pytest.approx((2 - 2 * cosines).mean(), rel=1e-5)
    assert metrics.feature_distance(x, 3 * x) == pytest.approx(0, abs=1e-12)
    assert metrics.feature_distance(np.eye(2), np.eye(2)[::-1]) == pytest.approx(2)
    assert metrics.feature_distance(np.zeros((2, 3)), np.zeros((2, 3))) == 0
    monkeypatch.setattr(metrics, "BLOCK", 4)
    assert metrics.feature_distance(x, y) == pytest.approx((2 - 2 * cosines).mean(), rel=1e-5)


def test_what_is_kept_is_counted_for_having_and_for_lacking_alike():
    true = np.array([[1, 0, 1], [0, 0, 1], [0, 0, 1], [0, 0, 1]], bool)
    found = np.array([[0, 0, 1], [0, 0, 1], [0, 1, 0], [1, 0, 1]], bool)
    assert metrics.kept(found, true, exclusive=False) == pytest.approx([(0 + 2 / 3) / 2, 3 / 4, 3 / 4])
    assert metrics.kept(true, true, exclusive=False).tolist() == [1, 1, 1]
    np.testing.assert_array_equal(metrics.kept(found, true, exclusive=True), [0, np.nan, 3 / 4])


# ------------------------------------------------------------------------------------- what is compared with what


def test_an_identical_pair_scores_the_ideal(score, write):
    images = scenes()
    (found,) = score(write("pairs.safetensors", images, gray(images)), "pairs.safetensors")
    ideal = dict(l1=0, psnr=None, ssim=1, feature_distance=0, sharpness=1, saturation=1, frechet_distance=0)
    ideal |= dict(input_distance=1, others_distance=None, precision=1, recall=1, spread=1)
    assert {name: found[name] for name in ideal} == ideal


def test_results_are_compared_row_by_row_with_their_own_targets(score, write):
    images = scenes()
    real = write("pairs.safetensors", images, gray(images))
    soft = write("soft.safetensors", blurred(images), gray(images))
    faded = write("faded.safetensors", (images // 2 + gray(images) // 2).astype("u1"), gray(images))
    others = write("others.safetensors", np.roll(images, 1, axis=0), gray(images))
    soft, faded, others = score(real, soft, faded, others)
    assert soft["l1"] == pytest.approx(metrics.l1(images, blurred(images)), rel=1e-5)
    assert soft["ssim"] == pytest.approx(metrics.ssim(images, blurred(images)), rel=1e-5)
    assert soft["psnr"] == pytest.approx(metrics.psnr(images, blurred(images)), rel=1e-5)
    assert 0.3 < soft["sharpness"] < 0.8
    assert faded["saturation"] == pytest.approx(0.5, abs=0.02)
    assert faded["input_distance"] == pytest.approx(0.5, abs=0.05)
    assert others["others_distance"] == pytest.approx(1, abs=0.15)
    assert soft["others_distance"] > 3
    assert others["frechet_distance"] == 0, "as a set they are the real ones"
    assert others["l1"] > 3 * soft["l1"]


def test_the_rows_that_limit_chooses_are_those_of_both(score, write):
    images = scenes()
    made = blurred(images)
    real, fake = write("a.safetensors", images, gray(images)), write("b.safetensors", made, gray(images))
    (found,) = score(real, fake, "--limit", 10, "--seed", 3)
    assert (found["real_count"], found["fake_count"]) == (10, 10)
    each = [metrics.l1(images[at : at + 1], made[at : at + 1]) for at in range(40)]
    assert min(each) < found["l1"] < max(each)
    (itself,) = score(real, real, "--limit", 10, "--seed", 3)
    assert itself["l1"] == 0


def test_gray_pictures_have_no_saturation_and_inputs_of_any_channels_do(score, write):
    images = scenes(channels=1)
    maps = np.repeat(images, 5, axis=3)
    (found,) = score(write("pairs.safetensors", images, maps), "pairs.safetensors")
    assert found["ssim"] == 1
    assert "saturation" not in found
    assert "input_distance" not in found, "five channels are no picture"
    assert "kept" not in found


def test_a_fake_without_inputs_is_scored_as_a_set(score, write):
    images = scenes()
    real = write("pairs.safetensors", images, gray(images))
    (found,) = score(real, write("fake.safetensors", blurred(images)), "--repeats", 2)
    assert found["repeats"] == 2
    assert {"l1", "ssim", "sharpness", "input_distance"}.isdisjoint(found)
    (found,) = score(write("plain.safetensors", images), real)
    assert found["frechet_distance"] == 0
    assert "l1" not in found


def test_tiny_pictures_are_scored_too(score, write):
    images = scenes(side=5)
    (found,) = score(
        write("pairs.safetensors", images, gray(images)), write("b.safetensors", blurred(images), gray(images))
    )
    assert 0 < found["ssim"] < 1


def test_the_inputs_themselves_are_a_baseline(score, write, ok):
    images = scenes(side=12)
    small = images.reshape(-1, 3, 4, 3, 4, 3).mean(axis=(2, 4)).astype("u1")
    real = write("pairs.safetensors", images, small)
    enlarged = np.stack([Image.fromarray(one).resize((12, 12), Image.Resampling.BICUBIC) for one in small])
    inputs, itself = score(real, real, "--baseline")
    assert (inputs["fake"], itself["fake"]) == ("inputs of pairs.safetensors", real)
    assert inputs["psnr"] == pytest.approx(metrics.psnr(images, enlarged), rel=1e-5)
    assert inputs["input_distance"] == 0
    (same,) = score(real, write("bicubic.safetensors", enlarged, small))
    assert {**same, "fake": ""} == {**inputs, "fake": ""}
    lines = ok("gan-eval", real, real, "--baseline", "--table", *FEATURES).out.decode().splitlines()
    assert [line.split("  ")[0] for line in lines[:3]] == ["fake", "inputs of pairs.safetensors", real]


def test_inputs_become_pictures_of_the_channels_and_size_of_the_others():
    images = scenes(3)
    assert as_pictures(images, (12, 12, 3)) is images
    lines = gray(images)
    np.testing.assert_array_equal(as_pictures(lines, (12, 12, 3)), np.repeat(lines, 3, axis=3))
    assert as_pictures(images, (32, 48, 1)).shape == (3, 32, 48, 1)
    assert as_pictures(np.repeat(lines, 4, axis=3), (12, 12, 3)) is None


def test_a_table_has_their_columns_and_the_best_is_still_that_of_the_frechet_distance(score, ok, write):
    images = scenes()
    real = write("pairs.safetensors", images, gray(images))
    soft = write("soft.safetensors", blurred(images, 0.5), gray(images))
    others = write("others.safetensors", np.roll(images, 1, axis=0), gray(images))
    lines = ok("gan-eval", real, soft, others, "--table", *FEATURES).out.decode().splitlines()
    assert lines[0].split() == [
        "fake", "Fréchet↓", "KID↓", "L1↓", "PSNR↑", "SSIM↑", "features↓", "sharpness→1"
    ]  # fmt: skip
    assert lines[4].split()[:2] == ["fake", "saturation→1"]
    assert max(map(len, lines)) <= 100
    assert score(real, soft, others, "--best")[0]["fake"] == others


# ------------------------------------------------------------------------------------------------- translators


@pytest.fixture
def translator(ok, write):
    """A tiny U-Net after one step on pairs.safetensors, with snapshots in shots/; gives the names of both."""
    images = scenes(30)
    real = write("pairs.safetensors", images, gray(images), labels=np.arange(30) % 2)
    words = ["--width", 2, "--batch", 4, "--steps", 2, "--snapshots", "shots", "--every", 1]
    ok("gan-loop", real, *words, "--log", "run.jsonl", "-o", "unet.ckpt", "-q")
    return real, "unet.ckpt"


def test_a_checkpoint_translates_the_inputs_of_the_rows_that_are_compared(score, ok, translator):
    real, checkpoint = translator
    ok("gan-sample", checkpoint, "--inputs", real, "-o", "made.safetensors", "-q")
    for words in ([], ["--limit", 8, "--seed", 2]):
        by_checkpoint, by_file = score(real, checkpoint, "made.safetensors", *words)
        assert (by_checkpoint.pop("step"), by_checkpoint.pop("kimg")) == (2, 0.008)
        assert {**by_checkpoint, "fake": ""} == {**by_file, "fake": ""}
    assert by_file["fake_count"] == 8


def test_results_can_be_scored_on_their_way(pipeline, score, translator):
    real, checkpoint = translator
    line = f"gan-sample {checkpoint} --inputs {real} -q | gan-eval {real} - --features pixels -q"
    assert json.loads(pipeline(line).out)["ssim"] == score(real, checkpoint)[0]["ssim"]


def test_scores_of_snapshots_are_curves(score, ok, translator, tmp_path):
    from ganutils.plots.curves import curves

    shots = sorted(map(str, (tmp_path / "shots").glob("*.safetensors")))
    found = score(translator[0], *shots)
    assert [one["step"] for one in found] == [0, 1, 2]
    (tmp_path / "scores.jsonl").write_text("".join(json.dumps(one) + "\n" for one in found))
    ok("gan-plot", "run.jsonl", "scores.jsonl", "-o", "curves.png")
    axes = {axis.get_title(loc="left"): axis for axis in curves([str(tmp_path / "scores.jsonl")]).axes}
    assert {"PSNR (dB)", "SSIM", "difference in features", "sharpness and saturation (real = 1)"} <= axes.keys()
    (line,) = axes["difference to the true picture (L1)"].lines
    assert [list(values) for values in line.get_data()] == [[0, 1, 2], [one["l1"] for one in found]]


def test_the_l1_of_training_is_that_of_scores(score, ok, write, tmp_path):
    """White pictures of black inputs: at first G makes a middle gray, and both say so."""
    real = write("pairs.safetensors", np.full((8, 8, 8, 1), 255, "u1"), np.zeros((8, 8, 8, 1), "u1"))
    words = ["--width", 2, "--batch", 4, "--steps", 1, "--lr", 0, "--mirror", 0, "--jitter", 0]
    ok("gan-loop", real, *words, "--log", "run.jsonl", "-o", "x.ckpt", "-q")
    logged = json.loads((tmp_path / "run.jsonl").read_text())
    assert logged["l1"] == pytest.approx(score(real, "x.ckpt")[0]["l1"], abs=0.01)


# ------------------------------------------------------------------------------------------------------- kept


def faces(count, seed=0):
    """Pictures with a bar or a disk, or both, or neither, and which they have: uint8 [N, 16, 16, 1], bool [N, 2]."""
    random = np.random.default_rng(seed)
    has = random.random((count, 2)) < [0.5, 0.3]
    images = random.integers(60, 120, (count, 1, 1, 1)) + random.integers(0, 12, (count, 16, 16, 1))
    images[:, 2:5, 2:14] += 100 * has[:, :1, None, None]
    images[:, 8:14, 4:12] += 100 * has[:, 1:, None, None]
    return images.astype("u1"), has


def test_attributes_that_a_classifier_of_the_real_ones_finds_again_are_kept(score, write, extractor_of):
    images, has = faces(400)
    inputs = 255 - images
    about = dict(attributes=has.astype("f4"), attribute_names=["bar", "disk"])
    real = write("pairs.safetensors", images, inputs, **about)
    without = images.copy()
    without[:, 8:14, 4:12] = images[:, :1, :1]  # no picture has the disk
    itself, fake = score(real, real, write("fake.safetensors", without, inputs), "--features", "auto", "--limit", 300)
    assert itself["kept"] > 0.95
    assert itself["kept_attributes"].keys() == {"bar", "disk"}
    assert fake["kept_attributes"]["bar"] > 0.9
    assert fake["kept_attributes"]["disk"] == pytest.approx(0.5, abs=0.05), "though seven of ten have none"
    assert fake["kept"] == pytest.approx(np.mean([*fake["kept_attributes"].values()]), rel=1e-5)
    # a classifier that was kept measures others alike, by the names that both have
    kept = extractor_of(itself["features"])
    about = dict(attributes=has[:99, ::-1].astype("f4"), attribute_names=["disk", "mast"])
    other = write("other.safetensors", images[:99], inputs[:99], **about)
    (found,) = score(other, other, "--features", kept)
    assert found["kept_attributes"] == {"disk": pytest.approx(1, abs=0.05)}


def test_classes_are_kept_too(score, write):
    images, has = faces(400)
    labels = has @ [1, 2]
    real = write("pairs.safetensors", images, 255 - images, labels=labels, classes=["none", "bar", "disk", "both"])
    only_bars = np.repeat(images[labels == 1][:1], 400, axis=0)
    itself, fake = score(real, real, write("fake.safetensors", only_bars, 255 - images), "--features", "auto")
    assert itself["kept"] > 0.95
    assert fake["kept_attributes"] == {"none": 0, "bar": 1, "disk": 0, "both": 0}
    assert fake["kept"] == 0.25


def test_a_classifier_that_cannot_tell_is_noted(score, write):
    random = np.random.default_rng(0)
    images, chance = scenes(300, channels=1), random.random((300, 1)).round().astype("f4")
    real = write("pairs.safetensors", images, images, attributes=chance, attribute_names=["luck"])
    (found,) = score(real, real, "--features", "auto")
    assert any("of held-out pictures: kept is uncertain" in note for note in found["notes"])


# ----------------------------------------------------------------------------------------------------- errors


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ["pairs", "other"],
            "other.safetensors: was not made from the inputs of pairs.safetensors, row by row; ",
        ),
        (["pairs", "swapped"], "swapped.safetensors: was not made from the inputs of pairs.safetensors, row by row; m"),
        (["pairs", "fewer"], "with gan-sample CHECKPOINT --inputs pairs.safetensors"),
        (["pairs", "shallow"], "shallow.safetensors: was not made from the inputs of pairs.safetensors"),
        (["pairs", "larger"], "larger.safetensors: samples are 20x20x3, those of pairs.safetensors 12x12x3; make both"),
        (["pairs", "pairs", "--repeats", 2], "in the same row; leave out --repeats, or choose rows with --limit"),
        (["pairs", "pairs", "-n", 9], "pairs.safetensors: each of its samples is compared with the one of pairs"),
        (["plain", "plain", "--baseline"], "plain.safetensors: has no inputs to score; leave out --baseline, or"),
        (
            ["maps", "maps", "--baseline"],
            "maps.safetensors: has inputs of 4 channels, which are no pictures",
        ),
    ],
)
def test_what_cannot_be_compared_is_one_line(fails, write, words, said):
    images = scenes(12)
    inputs = gray(images)
    write("pairs.safetensors", images, inputs)
    write("other.safetensors", images, 255 - inputs)
    write("swapped.safetensors", images, np.concatenate([inputs[1::-1], inputs[2:]]))
    write("fewer.safetensors", images[:9], inputs[:9])
    write("shallow.safetensors", images, np.repeat(inputs, 3, axis=3))
    write("larger.safetensors", scenes(12, side=20), inputs)
    write("plain.safetensors", images)
    write("maps.safetensors", images, np.repeat(inputs, 4, axis=3))
    words = [f"{word}.safetensors" if word in ("pairs", "plain", "maps") or at == 1 else word
             for at, word in enumerate(words)]  # fmt: skip
    assert said in fails("gan-eval", *words, *FEATURES)


def test_a_translator_needs_inputs_that_fit_and_makes_one_result_of_each(fails, write, translator):
    _, checkpoint = translator
    images = scenes(12)
    said = {
        write(
            "plain.safetensors", images
        ): f"{checkpoint}: translates pictures, and plain.safetensors has no inputs; gi",
        write(
            "color.safetensors", images, images
        ): f"{checkpoint}: takes inputs of 1 channel, those of color.safetenso",
        write("large.safetensors", images, np.zeros((12, 24, 24, 1), "u1")): "samples are 24x24x3, those of large.safe",
    }
    for real, words in said.items():
        assert words in fails("gan-eval", real, checkpoint, *FEATURES)
    for option in ("-n", "--repeats"):
        line = fails("gan-eval", "pairs.safetensors", checkpoint, option, 7, *FEATURES)
        assert line.endswith(f"in the same row; leave out {option}, or choose rows with --limit")


def test_best_and_baseline_exclude_each_other(fails):
    assert "--best and --baseline exclude each other" in fails("gan-eval", "a", "b", "--best", "--baseline", code=2)
    assert "--baseline has no effect with --diagnose" in fails("gan-eval", "a", "b", "--diagnose", "--baseline", code=2)


def test_a_pipe_can_bring_either_side(ok, write, tmp_path):
    images = scenes(12)
    real = write("pairs.safetensors", images, gray(images))
    for words in (["-", real], [real, "-"]):
        out = ok("gan-eval", *words, *FEATURES, "-q", stdin=(tmp_path / real).read_bytes()).out
        assert json.loads(out)["ssim"] == 1
