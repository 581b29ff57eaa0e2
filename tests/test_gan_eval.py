"""gan-eval: its scores order what is better and worse, its JSON and table, its extractors."""

import contextlib
import hashlib
import json
import subprocess
import sys

import numpy as np
import pytest
import torch
from conftest import BIN, TINY
from PIL import Image, ImageFilter

from ganutils import __version__
from ganutils.evaluation.extractors.extractor import LabeledSet, Request
from ganutils.files import container
from ganutils.inference import discriminate
from ganutils.samples.samples import open_samples

CLASSES = 4


def bars(count, seed, classes=range(CLASSES)):
    """Pictures of a bright bar, whose place is its class; gray uint8 [N, 12, 12, 1], and labels."""
    random = np.random.default_rng(seed)
    labels = random.choice(list(classes), count)
    images = random.integers(0, 40, (count, 12, 12, 1))
    for image, label, shade, at in zip(
        images, labels, random.integers(150, 250, count), random.integers(0, 3, count), strict=True
    ):
        place = slice(1 + 6 * (label // 2), 4 + 6 * (label // 2))
        image[(place, slice(at, at + 9)) if label % 2 else (slice(at, at + 9), place)] = shade
    return images.astype("u1"), labels


@pytest.fixture
def write(tmp_path):
    """write("x.safetensors", images, labels) -> its name"""

    def one(name, images, labels=None, **meta):
        key = "points" if images.dtype == np.float32 else "images"
        tensors = {key: images} | ({} if labels is None else {"labels": labels.astype(np.int64)})
        container.write(str(tmp_path / name), "samples", tensors, {"lineage": ["made by hand"], **meta})
        return name

    return one


@pytest.fixture
def real(write):
    return write("real.safetensors", *bars(400, 0), classes=["n", "e", "s", "w"])


# ------------------------------------------------------------------------------------ what scores must do


def test_equal_inputs_score_the_ideal(score, real):
    (found,) = score(real, real)
    ideal = dict(frechet_distance=0, kid=0, kid_deviation=0, precision=1, recall=1, density=1, coverage=1, spread=1)
    ideal |= dict(sliced_wasserstein=0, nearest_real=0, nearest_real_ratio=0, authenticity=0)
    ideal |= dict(modes=4, modes_covered=4, modes_missing=[], modes_kl=0)
    assert {name: found[name] for name in ideal} == ideal


def test_real_against_real_is_near_and_noise_is_far(score, real, write):
    other = write("other.safetensors", bars(400, 1)[0])
    noise = write("noise.safetensors", np.random.default_rng(0).integers(0, 256, (400, 12, 12, 1), "u1"))
    near, far = score(real, other, noise)
    assert near["frechet_distance"] < 0.02 * far["frechet_distance"]
    assert near["kid"] < 0.02 * far["kid"]
    assert near["sliced_wasserstein"] < 0.2 * far["sliced_wasserstein"]
    assert min(near["precision"], near["recall"], near["coverage"]) > 0.9
    assert max(far["precision"], far["coverage"], far["density"]) < 0.2
    assert near["modes_covered"] == 4
    assert near["modes_kl"] < 0.02
    assert 0.3 < near["authenticity"] < 0.9
    assert near["nearest_real_ratio"] == pytest.approx(1, abs=0.2)


def test_worse_with_growing_blur_and_with_dropped_classes(score, real, write):
    images, _ = bars(400, 1)
    blurred = []
    for radius in (0, 1, 2, 4):
        pictures = [Image.fromarray(image[:, :, 0]).filter(ImageFilter.GaussianBlur(radius)) for image in images]
        blurred.append(write(f"blur{radius}.safetensors", np.stack([np.asarray(p) for p in pictures])[..., None]))
    found = score(real, *blurred)
    for name in ("frechet_distance", "kid"):
        values = [one[name] for one in found]
        assert values == sorted(values), name
        assert values[-1] > 10 * values[0]
    kept = [write(f"kept{count}.safetensors", bars(400, 1, range(count))[0]) for count in (4, 3, 2, 1)]
    found = score(real, *kept)
    for name, downwards in (("frechet_distance", False), ("modes_kl", False), ("recall", True), ("coverage", True)):
        values = [one[name] for one in found]
        assert values == sorted(values, reverse=downwards), name
    assert [one["modes_covered"] for one in found] == [4, 3, 2, 1]
    assert found[2]["modes_missing"] == ["s", "w"]


# ------------------------------------------------------------------------------------------- the command


def test_the_json_says_what_was_measured_and_how(score, real, ok, root):
    ok("gan-loop", real, *TINY, "--steps", 3, "-o", "gan.ckpt", "-q")
    (found,) = score(real, "gan.ckpt", "-n", 40)
    kept = sorted((root / "extractors").glob("*.safetensors"))
    assert {"fake": "gan.ckpt", "step": 3, "kimg": 0.012, "real": real, "real_count": 400, "fake_count": 40} == {
        name: found[name] for name in ("fake", "step", "kimg", "real", "real_count", "fake_count")
    }
    features = found["features"]
    assert (features["name"], features["resize"], features["width"]) == ("classifier", "none", 64)
    assert len(features["hash"]) == 16
    assert features["accuracy"] > 0.95
    assert "fid" not in json.dumps(found).lower()
    assert found["notes"] == [
        "40 samples are few for 64 features: the Fréchet distance is too large; compare only at equal counts, "
        "or use 640 or more"
    ]
    assert found == score(real, "gan.ckpt", "-n", 40)[0]
    assert found["kid"] != score(real, "gan.ckpt", "-n", 40, "--seed", 1)[0]["kid"]
    assert sorted((root / "extractors").glob("*.safetensors")) == kept, "trained once for one set"
    # the extractor is a file of ours, which measures other sets too
    (own,) = (path for path in kept if hashlib.sha256(path.read_bytes()).hexdigest()[:16] == features["hash"])
    info = json.loads(ok("gan-info", own, "--json").out)
    assert (info["kind"], info["classes"], info["versions"]["ganutils"]) == ("extractor", list("nesw"), __version__)
    (again,) = score(real, "gan.ckpt", "-n", 40, "--features", own)
    assert again["features"]["hash"] == features["hash"]
    assert again["frechet_distance"] == found["frechet_distance"]


def test_training_a_classifier_is_announced_and_not_if_it_was_kept_or_quiet(ok, real, tmp_path):
    words = ("gan-eval", real, real, "--root")
    (line,) = ok(*words, "here").lines
    kept = next((tmp_path / "here" / "extractors").iterdir()).relative_to(tmp_path)
    assert line == f"training a classifier on 400 labeled samples of real.safetensors; kept in {kept}"
    assert ok(*words, "here").lines == []
    assert ok(*words, "there", "-q").lines == []


def test_training_a_classifier_shows_how_far_it_is():
    from ganutils.training.classifier import LEAST_UPDATES, train

    done = []

    class Bar(contextlib.nullcontext):
        def __enter__(self):
            return self

        def advance(self, count=1, status=None):
            done.append(status)

    images, labels = bars(20, 0)
    train(images, labels, torch.device("cpu"), lambda total: Bar(done.append(total)))
    assert done[0] == LEAST_UPDATES == len(done) - 1
    assert done[-1] == "classifier: update 200/200"


def test_a_checkpoint_scores_as_the_samples_gan_sample_makes_of_it(score, real, ok):
    ok("gan-loop", real, *TINY, "--steps", 2, "-o", "gan.ckpt", "-q")
    ok("gan-sample", "gan.ckpt", "-n", 30, "--seed", 5, "-o", "sheet.safetensors")
    drawn, given = score(real, "gan.ckpt", "sheet.safetensors", "-n", 30, "--seed", 5)
    same = set(given) - {"fake"}
    assert {name: drawn[name] for name in same} == {name: given[name] for name in same}


def test_several_checkpoints_are_a_curve_and_the_best_is_one(score, real, ok, root):
    ok("gan-loop", real, *TINY, "--steps", 6, "--snapshots", "shots", "--every", 3, "-o", "gan.ckpt", "-q")
    shots = [f"shots/step-00000{step}.safetensors" for step in (0, 3, 6)]
    curve = score(real, *shots, "-n", 30)
    assert [one["step"] for one in curve] == [0, 3, 6]
    (best,) = score(real, *shots, "-n", 30, "--best")
    assert best == min(curve, key=lambda one: one["frechet_distance"])
    lines = ok("gan-eval", real, *shots, "-n", 30, "--table", "--root", root, "-q").out.decode().splitlines()
    assert lines[0].split()[:4] == ["fake", "step", "kimg", "Fréchet↓"]
    assert [line.split()[:2] for line in lines[1:4]] == [[shot, step] for shot, step in zip(shots, "036", strict=True)]
    assert lines[4] == "", "other columns follow in a block of their own"
    assert lines[5].split()[0] == "fake"
    headings = " ".join(line for line in lines if line.startswith("fake "))
    assert all(heading in headings for heading in ("recall↑", "spread→1", "modes↑", "modes KL↓"))
    assert "400 samples of real.safetensors (4 modes), 30 of each fake" in lines
    assert any(line.startswith("features classifier ") for line in lines)
    assert any(line.startswith("note: 30 samples are few for 64 features") for line in lines)
    assert max(map(len, lines)) <= 100


def test_a_table_shortens_long_names_and_shows_deviations(ok, root, real, tmp_path):
    folder = tmp_path / ("a" * 60)
    folder.mkdir()
    (folder / "b.safetensors").write_bytes((tmp_path / real).read_bytes())
    words = [real, f"{folder.name}/b.safetensors", "--repeats", 2, "--table", "--root", root, "-q"]
    lines = ok("gan-eval", *words).out.decode().splitlines()
    assert lines[1].startswith(f"...{'a' * 23}/b.safetensors  ")
    assert "±" in lines[1]
    assert max(map(len, lines)) <= 100


def test_a_metric_is_a_row_in_the_table_of_scores(write, tmp_path):
    """In a process of its own, since the row would stay."""
    real = write("real.safetensors", bars(20, 0)[0])
    fakes = [write(f"{shift}.safetensors", bars(20, 1)[0] + np.uint8(shift)) for shift in (50, 0, 20)]
    row = 'Score("gap", lambda real, fake: float(abs(real.features.mean() - fake.features.mean())), "gap", LOWER)'
    code = f"""
import runpy, sys
from ganutils.evaluation import scores
from ganutils.evaluation.scores import LOWER, Score
scores.SCORES = ({row}, *scores.SCORES)
command = sys.argv[1:]
for more in ([], ["--table"], ["--best"]):
    sys.argv = [*command, *more]
    try:
        runpy.run_path(sys.argv[0], run_name="__main__")
    except SystemExit as end:
        assert not end.code, end.code
    print("end")
"""
    words = [sys.executable, "-c", code, BIN / "gan-eval", real, *fakes, "--features", "pixels", "-q"]
    done = subprocess.run([*map(str, words)], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    plain, table, best, _ = done.stdout.split("end\n")
    gaps = [json.loads(line)["gap"] for line in plain.splitlines()]
    assert gaps[0] > gaps[2] > gaps[1]
    assert table.split()[:3] == ["fake", "gap↓", "Fréchet↓"]
    assert json.loads(best)["fake"] == fakes[1], "the first score decides"


def test_repeats_give_mean_and_deviation_of_sets_that_share_no_sample(score, real, write):
    images = bars(400, 1)[0]
    fakes = write("fakes.safetensors", images)
    (found,) = score(real, fakes, "--repeats", 4)
    assert (found["repeats"], found["fake_count"]) == (4, 100)
    assert 0 < found["deviation"]["frechet_distance"] < found["frechet_distance"]
    assert found["modes_missing"] == []
    (constant,) = score(real, write("same.safetensors", np.repeat(images[:1], 40, 0)), "--repeats", 2)
    assert constant["deviation"]["spread"] == 0
    assert (constant["modes_covered"], constant["deviation"]["modes_covered"]) == (1, 0)


def test_either_side_can_come_from_a_pipe(ok, real, tmp_path, root):
    piped = (tmp_path / real).read_bytes()
    for words in (["-", real], [real, "-"]):
        (found,) = ok("gan-eval", *words, "--root", root, "-q", stdin=piped).out.splitlines()
        assert json.loads(found)["frechet_distance"] == 0


def test_conditional_checkpoints_are_drawn_with_all_classes(score, real, ok):
    ok("gan-loop", real, *TINY, "--conditional", "--steps", 2, "-o", "gan.ckpt", "-q")
    assert score(real, "gan.ckpt", "-n", 40)[0]["fake_count"] == 40


def test_the_batch_of_an_extractor_does_not_matter(real, tmp_path, root, monkeypatch):
    from ganutils.evaluation import metrics, sets
    from ganutils.evaluation.features import open_extractor

    with open_samples(str(tmp_path / real)) as file:
        labeled = sets.labeled_set(file)
        extractor = open_extractor("auto", labeled, str(root), "cpu")
        before = extractor.features(labeled.samples)
        monkeypatch.setattr(discriminate, "MANY", 7)
        after = extractor.features(labeled.samples)
    noise = np.random.default_rng(0).normal(size=before.shape)
    one, two = (metrics.frechet_distance(features, noise) for features in (before, after))
    assert one == pytest.approx(two, rel=1e-5)


def test_pictures_without_labels_are_measured_by_random_filters(score, write):
    (found,) = score(write("a.safetensors", bars(80, 0)[0]), write("b.safetensors", bars(80, 1)[0]))
    assert found["features"]["name"] == "random"
    assert "modes" not in found
    assert "REAL has no labels" in found["notes"][-1]


def test_random_filters_see_blur_and_missing_colors(score, write):
    random = np.random.default_rng(0)
    coarse = random.integers(0, 256, (300, 8, 8, 3)).repeat(2, 1).repeat(2, 2)
    images = (0.7 * coarse + 0.3 * random.integers(0, 256, (300, 16, 16, 3))).astype(np.uint8)
    real, other = write("real.safetensors", images[:150]), images[150:]
    blurred = (sum(np.roll(other.astype(float), by, 2) for by in (-1, 0, 1)) / 3).astype(np.uint8)
    gray = other.mean(3, keepdims=True).repeat(3, 3).astype(np.uint8)
    sets = {"other": other, "blurred": blurred, "gray": gray}
    names = [write(f"{name}.safetensors", pictures) for name, pictures in sets.items()]
    same, *worse = (one["frechet_distance"] for one in score(real, *names))
    assert all(distance > 3 * same for distance in worse)


def test_attributes_train_a_classifier_too(score, tmp_path):
    images, labels = bars(120, 0)
    attributes = np.stack([labels % 2, labels // 2], 1).astype("f4")
    tensors = {"images": images, "attributes": attributes}
    container.write(str(tmp_path / "a.safetensors"), "samples", tensors, {"attributes": ["lies", "late"]})
    (found,) = score("a.safetensors", "a.safetensors")
    assert found["features"]["accuracy"] > 0.8
    assert "modes" not in found


# ------------------------------------------------------------------------------------------------ toys


def test_a_toy_in_one_dimension_is_held_against_the_exact_law(score, ok, write):
    ok("gan-data", "toy:gaussian", "--limit", 2000, "-o", "toy.safetensors")
    draw = np.random.default_rng(0).normal
    good = write("good.safetensors", draw(4, 1.25, (4000, 1)).astype("f4"))
    off = write("off.safetensors", draw(5, 1.25, (4000, 1)).astype("f4"))
    near, far = score("toy.safetensors", good, off)
    assert near["kolmogorov_smirnov"] < 0.03
    assert near["wasserstein"] < 0.08
    assert far["wasserstein"] == pytest.approx(1, abs=0.1)
    assert near["features"] == {"name": "points", "hash": None, "resize": "none", "width": 1}


@pytest.mark.parametrize(("name", "modes"), [("ring", 8), ("grid", 25)])
def test_modes_and_quality_of_toy_mixtures(score, ok, write, name, modes, content):
    ok("gan-data", f"toy:{name}", "--limit", 2000, "-o", "toy.safetensors")
    meta, _ = content("toy.safetensors")
    centers, std = np.array(meta["toy"]["centres"]), meta["toy"]["std"]
    half = centers[np.random.default_rng(1).integers(modes // 2, size=1000)]
    blurred = (half + np.random.default_rng(2).normal(0, std, half.shape)).astype("f4")
    blurred[:200] += 100 * std
    whole, part = score("toy.safetensors", "toy.safetensors", write("part.safetensors", blurred))
    assert (whole["modes"], whole["modes_covered"], whole["modes_kl"]) == (modes, modes, 0)
    assert whole["high_quality"] == pytest.approx(1 - np.exp(-4.5), abs=0.01)
    assert part["modes_covered"] == modes // 2
    assert part["high_quality"] == pytest.approx(0.8 * (1 - np.exp(-4.5)), abs=0.02)
    assert part["modes_kl"] == pytest.approx(np.log(modes / (modes // 2)), abs=0.05)


# ------------------------------------------------------------------------------------------ extractors


def request(images, weights=None):
    return Request(LabeledSet("x", images, None, ()), "unused", "cpu", weights)


def test_the_features_of_a_checkpoint_are_all_layers_of_its_discriminator(score, real, ok, content, root):
    ok("gan-loop", real, "--width", 8, "--batch", 16, "--steps", 0, "-o", "gan.ckpt", "-q")
    near, far = score(real, real, "gan.ckpt", "--features", "gan.ckpt", "-n", 400)
    assert near["frechet_distance"] == 0
    assert far["frechet_distance"] > 0.1
    assert (near["features"]["name"], near["features"]["width"]) == ("gan.ckpt", (8 + 16) * 16)
    assert len(near["features"]["hash"]) == 16
    assert "modes" not in near, "a discriminator knows no classes"
    table = ok("gan-eval", real, real, "--features", "gan.ckpt", "--table", "--root", root, "-q").out.decode()
    assert f"features gan.ckpt {near['features']['hash']}, resize none" in table


def test_points_can_be_measured_by_a_discriminator(score, ok):
    ok("gan-data", "toy:ring", "--limit", 100, "-o", "ring.safetensors")
    ok("gan-loop", "ring.safetensors", "--width", 8, "--batch", 8, "--steps", 0, "-o", "ring.ckpt", "-q")
    (found,) = score("ring.safetensors", "ring.safetensors", "--features", "ring.ckpt")
    assert found["frechet_distance"] == 0
    assert found["features"]["width"] == 16
    assert found["modes_covered"] == 8


def test_an_onnx_model_by_path(score, real, write, tmp_path):
    onnx = pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    make = onnx.helper
    shape = ["n", 3, 6, 6]  # RGB at half the size: pictures are resized on their way
    nodes = [make.make_node("ReduceMean", ["x"], ["y"], axes=[2], keepdims=0)]
    inputs = [make.make_tensor_value_info("x", onnx.TensorProto.FLOAT, shape)]
    outputs = [make.make_tensor_value_info("y", onnx.TensorProto.FLOAT, ["n", 3, 6])]
    model = make.make_model(make.make_graph(nodes, "mean", inputs, outputs), opset_imports=[make.make_opsetid("", 13)])
    model.ir_version = 8
    onnx.save(model, str(tmp_path / "mean.onnx"))
    (found,) = score(real, write("b.safetensors", bars(100, 1)[0]), "--features", "mean.onnx")
    assert found["features"]["name"] == "mean.onnx"
    assert found["features"]["resize"] == "bicubic to 6x6 (Pillow)"
    assert found["features"]["width"] == 18
    from ganutils.evaluation import metrics
    from ganutils.evaluation.extractors.onnx import onnx

    images = bars(50, 2)[0]
    small = [np.asarray(Image.fromarray(one[:, :, 0]).resize((6, 6), Image.Resampling.BICUBIC)) for one in images]
    expected = np.stack(small).mean(axis=1) / 255
    features = onnx(str(tmp_path / "mean.onnx"), request(images)).features(images)
    assert features[:, :6] == pytest.approx(expected, abs=1e-6)
    assert metrics.frechet_distance(features, features) == 0


def test_inception_by_weights_and_no_other_pickle(score, fails, real, write, tmp_path, monkeypatch):
    fidelity = pytest.importorskip("torch_fidelity.feature_extractor_inceptionv3")
    safetensors = pytest.importorskip("safetensors.torch")
    import torch

    # the canonical weights cannot be had offline: the canonical network with random ones shows that they are used
    monkeypatch.setattr(fidelity.FeatureExtractorInceptionV3, "load_state_dict", lambda self, tensors: None)
    monkeypatch.setattr(fidelity, "load_state_dict_from_url", lambda *_, **__: {})
    torch.manual_seed(0)
    network = fidelity.FeatureExtractorInceptionV3("inception-v3-compat", ["2048"])
    monkeypatch.undo()
    safetensors.save_file(network.state_dict(), str(tmp_path / "inception.safetensors"))
    few = write("few.safetensors", bars(6, 1)[0])
    whole = bars(6, 0)[0]
    small = write("small.safetensors", whole)
    (found,) = score(small, few, "--features", "inception", "--weights", "inception.safetensors")
    assert {"fid", "kid"} <= found.keys()
    assert "frechet_distance" not in found
    assert found["features"]["resize"] == "bilinear to 299x299, as in TensorFlow 1"
    assert found["features"]["width"] == 2048
    with torch.no_grad():
        rgb = torch.from_numpy(whole[:2]).permute(0, 3, 1, 2).expand(-1, 3, -1, -1)
        expected = network(rgb)[0].numpy()
    from ganutils.evaluation.extractors.inception import inception

    ours = inception("inception", request(whole, str(tmp_path / "inception.safetensors"))).features(whole[:2])
    assert ours == pytest.approx(expected, rel=1e-4, abs=1e-5)
    torch.save(network.state_dict(), tmp_path / "evil.pth")
    line = fails("gan-eval", small, few, "--features", "inception", "--weights", "evil.pth", "-q")
    assert "evil.pth: is not weights-inception-2015-12-05-6726825d.pth (its SHA-256 differs) and may run code" in line


# ---------------------------------------------------------------------------------------------- errors


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["real.safetensors", "gone"], "gone: no such file"),
        (
            ["real.safetensors", "big.safetensors"],
            "big.safetensors: samples are 9x9x1, those of real.safetensors 12x12x1",
        ),
        (
            ["real.safetensors", "five.safetensors"],
            "five.safetensors: 5 samples per set are too few to score; 6 are needed",
        ),
        (["five.safetensors", "real.safetensors"], "five.safetensors: 5 samples are too few to score"),
        (
            ["real.safetensors", "real.safetensors", "--features", "real.safetensors"],
            "holds samples; give extractors or checkpoints",
        ),
        (["real.safetensors", "real.safetensors", "--features", "x.onnx"], "x.onnx"),
        (["points.safetensors", "points.safetensors", "--features", "inception"], "is for pictures"),
        (
            ["real.safetensors", "real.safetensors", "--diagnose"],
            "a checkpoint and its data, not samples and samples",
        ),
        (["real.safetensors", "points.safetensors"], "points.safetensors: samples are 2-D points, those of"),
        (["points.safetensors", "nan.safetensors"], "nan.safetensors: has points that are not finite numbers"),
        (["toy.safetensors", "points.safetensors"], "toy.safetensors: damaged: its metadata 'toy'"),
    ],
)
def test_errors_are_one_line(fails, real, write, words, said):
    write("big.safetensors", np.zeros((9, 9, 9, 1), "u1"))
    write("five.safetensors", bars(5, 0)[0])
    write("points.safetensors", np.zeros((9, 2), "f4"))
    write("nan.safetensors", np.full((9, 2), np.nan, "f4"))
    write("toy.safetensors", np.zeros((9, 2), "f4"), toy={"name": "ring", "std": 0.1})
    features = [] if "--features" in words else ["--features", "pixels"]
    assert said in fails("gan-eval", *words, *features)


@pytest.mark.parametrize(
    "words", [["--diagnose", "--best"], ["--diagnose", "--table"], ["--history", "x"], ["--repeats", "0"], ["-n", "3"]]
)
def test_options_that_do_not_go_together_are_usage_errors(fails, words):
    assert "(see gan-eval --help)" in fails("gan-eval", "a", "b", *words, code=2)


def test_a_damaged_extractor_is_refused_by_name(fails, real, content, tmp_path, ok, root):
    ok("gan-eval", real, real, "--root", root, "-q")
    path = min((root / "extractors").glob("*.safetensors"))
    with container.read(str(path)) as file:
        meta, tensors = file.meta, {name: file[name].copy() for name in file.specs}
    del tensors["head.bias"]
    container.write(str(tmp_path / "less.safetensors"), "extractor", tensors, meta)
    assert "less.safetensors: damaged: its tensors are not" in fails(
        "gan-eval", real, real, "--features", "less.safetensors"
    )
    container.write(str(tmp_path / "newer.safetensors"), "extractor", tensors, {**meta, "network": 99})
    assert "of version 99" in fails("gan-eval", real, real, "--features", "newer.safetensors")
    for shape in (None, [8, 8], [8, 8, 1 << 62], [8, 0, 1]):
        container.write(str(tmp_path / "odd.safetensors"), "extractor", tensors, {**meta, "shape": shape})
        line = fails("gan-eval", real, real, "--features", "odd.safetensors")
        assert "odd.safetensors: damaged: an extractor without its shape" in line


def test_a_kept_classifier_is_named_by_what_it_was_trained_on():
    """Each kind of device rounds in its own way, and scores are compared by the same features."""
    from ganutils.training.classifier import digest

    images, labels = bars(20, 0)
    names = {digest(images, labels, torch.device(kind)) for kind in ("cpu", "cuda", "cuda:1", "mps")}
    assert len(names) == 3
