"""gan-label as it is typed."""

import json

import numpy as np
import pytest
from conftest import TINY

from ganutils.files import container


@pytest.fixture
def faces(ok):
    """240 drawn faces of 16x16 in faces.safetensors."""
    ok("gan-data", "toy:faces", "--limit", 240, "--size", 16, "-o", "faces.safetensors", "-q")
    return "faces.safetensors"


@pytest.fixture
def label(ok, tmp_path):
    """label(...) -> what gan-label prints; classifiers are kept in tmp_path/root."""
    return lambda *words: ok("gan-label", *words, "--root", tmp_path / "root")


@pytest.fixture
def by_discriminator(ok, label):
    """by_discriminator(SAMPLES, LIKE) -> what gan-label prints, with the features of an untrained discriminator."""

    def run(samples, like):
        ok("gan-loop", like, "--width", 8, "--batch", 16, "--steps", 0, "-o", "gan.ckpt.safetensors", "-q")
        return label(samples, "--like", like, "--features", "gan.ckpt.safetensors", "-o", "labeled.safetensors")

    return run


def patches(count, seed):
    """Pictures with a bright patch in one of three places (their label), or in two (an attribute of its own)."""
    random = np.random.default_rng(seed)
    images = random.integers(0, 90, (count, 8, 8, 1)).astype("u1")
    labels, extra = random.integers(0, 3, count), random.random(count) < 0.15
    for image, label, has in zip(images, labels, extra, strict=True):
        image[2:4, 2 * label : 2 * label + 2] = 255
        image[6:, 4:] = 255 if has else image[6:, 4:]
    return images, labels, extra


def write(path, images, **more):
    meta = more.pop("meta", {})
    container.write(str(path), "samples", {"images": images, **more}, {"lineage": [f"made {path.name}"], **meta})


def test_attributes_come_as_probabilities_with_everything_else_kept(ok, label, content, tmp_path, faces):
    ok("gan-data", "toy:faces", "--limit", 300, "--size", 16, "--seed", 1, "-o", "new.safetensors", "-q")
    words = ("new.safetensors", "--like", faces, "-o")
    lines = label(*words, "labeled.safetensors", "--report", "report.json").lines
    meta, labeled = content("labeled.safetensors")
    _, true = content("new.safetensors")
    assert meta["attributes"] == ["smiling", "glasses", "moustache", "hat", "pose"]
    assert np.array_equal(labeled["images"], true["images"])
    assert 0 <= labeled["attributes"].min() <= labeled["attributes"].max() <= 1
    accuracy = ((labeled["attributes"] > 0.5) == (true["attributes"] > 0.5)).mean(axis=0)
    assert accuracy[3] > 0.9  # 240 pictures are enough to recognize a hat
    assert meta["lineage"][-1].startswith("gan-label new.safetensors --like faces.safetensors")
    report = {line["name"]: line for line in json.loads((tmp_path / "report.json").read_text())["attributes"]}
    assert report["hat"]["auc"] > 0.95
    assert report["hat"]["held_out"] == 48
    assert 0 < report["hat"]["held_out_positive"] < 48
    assert report["hat"]["usable"]
    assert lines[0].startswith("training a classifier on 144 labeled samples of faces.safetensors; kept in ")
    assert [line.split()[0] for line in lines[1:]] == meta["attributes"]
    again = label(*words, "again.safetensors").lines  # by the network that was kept
    assert again == lines[1:]
    assert np.array_equal(content("again.safetensors")[1]["attributes"], labeled["attributes"])
    assert len(list((tmp_path / "root" / "extractors").iterdir())) == 1


def test_labels_come_as_classes_and_their_probabilities(by_discriminator, content, tmp_path):
    images, labels, _ = patches(400, 0)
    write(tmp_path / "like.safetensors", images, labels=labels, meta={"classes": ["left", "middle", "right"]})
    more, true, _ = patches(6, 1)
    write(tmp_path / "film.safetensors", more.reshape(2, 3, 8, 8, 1), latents=np.zeros((2, 3, 4), "f4"))
    by_discriminator("film.safetensors", "like.safetensors")
    meta, labeled = content("labeled.safetensors")
    assert labeled["labels"].tolist() == true.reshape(2, 3).tolist()
    assert meta["classes"] == meta["attributes"] == ["left", "middle", "right"]
    assert np.allclose(labeled["attributes"].sum(axis=-1), 1)
    assert (labeled["attributes"].argmax(axis=-1) == labeled["labels"]).all()
    assert labeled["latents"].shape == (2, 3, 4)


def test_probabilities_of_a_rare_attribute_agree_with_how_rare_it_is(by_discriminator, content, tmp_path):
    images, _, has = patches(1000, 0)
    noise = np.random.default_rng(5).random(1000) < 0.2  # one in five is labeled wrong
    write(tmp_path / "like.safetensors", images, attributes=(has ^ noise)[:, None].astype("f4"))
    more, _, true = patches(400, 1)
    write(tmp_path / "new.safetensors", more)
    by_discriminator("new.safetensors", "like.safetensors")
    probability = content("labeled.safetensors")[1]["attributes"][:, 0]
    assert 0.65 < probability[true].mean() < 0.95  # 0.8
    assert 0.1 < probability[~true].mean() < 0.35  # 0.2


@pytest.mark.parametrize("arch", ["mlp", "resnet", "krohn"])
def test_every_discriminator_gives_features(ok, label, content, tmp_path, arch):
    images, labels, _ = patches(200, 0)
    write(tmp_path / "like.safetensors", images, labels=labels)
    ok("gan-loop", "like.safetensors", "--arch", arch, "--width", 16, "--steps", 0, "-o", "gan.ckpt.safetensors", "-q")
    label("like.safetensors", "--like", "like.safetensors", "--features", "gan.ckpt.safetensors", "-o", "l.safetensors")
    assert (content("l.safetensors")[1]["labels"] == labels).mean() > 0.8  # by chance a third of them


def test_what_is_not_usable_is_reported_with_the_reason(by_discriminator, tmp_path):
    images, _, has = patches(300, 0)
    coin, all_same = np.random.default_rng(9).random(300) < 0.5, np.ones(300)
    rare = np.arange(300) % 100 == 0
    attributes = np.stack([has, coin, all_same, rare], axis=1).astype("f4")
    meta = {"attributes": ["patch", "coin", "same", "rare"]}
    write(tmp_path / "like.safetensors", images, attributes=attributes, meta=meta)
    patch, coin, same, rare = by_discriminator("like.safetensors", "like.safetensors").lines
    assert "not usable" not in patch
    assert "not usable, AUC is low" in coin
    assert "not usable, (nearly) all samples are the same" in same
    assert "not usable" in rare


def test_an_attribute_that_nearly_all_samples_have_is_not_usable(by_discriminator, tmp_path):
    images, _, _ = patches(300, 0)
    has = np.arange(300) % 25 > 0
    write(tmp_path / "like.safetensors", images, attributes=has[:, None].astype("f4"), meta={"attributes": ["common"]})
    (line,) = by_discriminator("like.safetensors", "like.safetensors").lines
    assert "not usable, only " in line
    assert "of 60 held-out samples lack it" in line


@pytest.mark.parametrize("features", ["auto", "pixels"])
def test_features_have_the_same_names_as_in_gan_eval(label, content, tmp_path, features):
    images, labels, _ = patches(200, 0)
    write(tmp_path / "like.safetensors", images, labels=labels)
    label("like.safetensors", "--like", "like.safetensors", "--features", features, "-o", "l.safetensors")
    assert (content("l.safetensors")[1]["labels"] == labels).mean() > 0.9


def test_features_of_a_kept_extractor(label, content, tmp_path):
    images, labels, _ = patches(200, 0)
    write(tmp_path / "like.safetensors", images, labels=labels)
    words = ("like.safetensors", "--like", "like.safetensors", "-q")
    label(*words, "-o", "l.safetensors")
    (extractor,) = (tmp_path / "root" / "extractors").iterdir()
    label(*words, "--features", extractor, "-o", "again.safetensors")
    one, other = (content(name)[1]["attributes"] for name in ("l.safetensors", "again.safetensors"))
    assert np.array_equal(one, other)


def test_points_need_the_features_of_a_checkpoint(ok, fails, label, content, tmp_path):
    points = np.random.default_rng(0).normal(size=(400, 2)).astype("f4")
    labels = (points[:, 0] > 0).astype(np.int64)
    container.write(str(tmp_path / "like.safetensors"), "samples", {"points": points, "labels": labels}, {})
    words = ("like.safetensors", "--like", "like.safetensors", "-o", "l.safetensors")
    assert "like.safetensors: holds points, whose few numbers teach too little" in fails("gan-label", *words)
    ok("gan-loop", "like.safetensors", "--width", 64, "--steps", 0, "-o", "gan.ckpt", "-q")
    label(*words, "--features", "gan.ckpt")
    assert (content("l.safetensors")[1]["labels"] == labels).mean() > 0.8


def test_what_goes_wrong(ok, fails, pictures, checkpoint, tmp_path, faces):
    line = fails("gan-label", pictures, "--like", pictures, "-o", "x.safetensors")
    assert "12 labeled samples are too few to learn from; 50 are needed" in line
    ok("gan-sample", checkpoint, "-n", 60, "-o", "s.safetensors", "-q")
    line = fails("gan-label", pictures, "--like", "s.safetensors", "-o", "x.safetensors")
    assert "has no labels or attributes" in line
    write(tmp_path / "l.safetensors", np.zeros((60, 8, 8, 1), "u1"), labels=np.arange(60) % 2)
    line = fails("gan-label", faces, "--like", "l.safetensors", "-o", "x.safetensors")
    assert "faces.safetensors: samples are 16x16x3, those of l.safetensors 8x8x1; make both alike" in line
    line = fails("gan-label", faces, "--like", faces, "--features", checkpoint, "-o", "x.safetensors")
    assert "make both alike" in line
    ok("gan-loop", pictures, *TINY, "--steps", 1, "--snapshots", "shots", "--every", 1, "-o", "g.ckpt.safetensors")
    snapshot = "shots/step-000001.safetensors"
    line = fails("gan-label", faces, "--like", faces, "--features", snapshot, "-o", "x.safetensors")
    assert "a snapshot holds only the generator" in line
    assert "both come from a pipe" in fails("gan-label", "--like", "-", code=2)
    assert not (tmp_path / "x.safetensors").exists()


def test_samples_may_come_through_a_pipe_before_the_labeler_is_trained(run, ok, tmp_path):
    ok("gan-data", "toy:faces", "--limit", 100, "--size", 16, "-o", "faces.safetensors")
    ok("gan-loop", "faces.safetensors", "--width", 2, "--z-dim", 4, "--batch", 4, "--steps", 1, "-o", "gan.ckpt", "-q")
    samples = ok("gan-sample", "gan.ckpt", "-n", 8, "-q").out
    words = ["gan-label", "--like", "faces.safetensors", "--root", "root", "--report", "report.json"]
    result = run(*words, "-o", "labeled.safetensors", stdin=samples)
    assert result.code == 0, result.err
    assert (tmp_path / "report.json").exists() and (tmp_path / "labeled.safetensors").exists()
