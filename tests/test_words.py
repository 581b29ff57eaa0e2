"""Networks conditioned on attributes or on the words of captions: training, checkpoints, and what is sampled."""

import json

import numpy as np
import pytest
import torch
from conftest import TINY
from trainers import trainer_of

import ganutils
from ganutils.files import container
from ganutils.networks.encoders import TEXT
from ganutils.runs.defaults import fresh
from ganutils.runs.descriptions import Captions, Descriptions
from ganutils.samples import captions

SHAPE = (8, 8, 3)


# -------------------------------------------------------------------------------------------- settings


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (
            ["--conditional", "captions", "--arch", "enlarge", "--mode-seeking", 1],
            "--arch enlarge starts from pictures and takes no latents; leave --mode-seeking out",
        ),
        (
            ["--contrast", 1],
            "--contrast goes with --conditional attributes or captions; give that too, or leave it out",
        ),
        (["--kl", 1], "--kl goes with --conditional attributes or captions; give that too, or leave it out"),
        (["--conditional", "captions", "--kl", 1, "--prior", "uniform"], "give --prior normal"),
        (["--conditional", "captions", "--kl", 1, "--z-dim", 1], "give --z-dim 2 or more"),
        (
            ["--conditional", "captions", "--arch", "enlarge", "--kl", 1],
            "--kl draws from latents, and --arch enlarge takes none; leave it out",
        ),
        (["--conditional"], "described.safetensors: has no labels, which --conditional needs"),
        (["--mismatch", 0.5], "--mismatch goes with --arch unet or hourglass or blocks or enlarge, not dcgan; or with"),
    ],
)
def test_settings_that_contradict_each_other_are_one_line(fails, described, words, problem):
    line = fails("gan-loop", described("enlarge" in words), "--width", 2, *words, "-o", "x.ckpt")
    assert problem in line


@pytest.mark.parametrize(
    ("inputs", "words", "kl"),
    [(False, [], "1.0"), (False, ["--prior", "uniform"], "0.0"), (False, ["--z-dim", 1], "0.0"), (True, [], "0.0")],
)
def test_modern_draws_around_words_where_it_can_and_mirrors_nothing(ok, described, inputs, words, kl):
    told = ["--conditional", "captions", *words, "--dry-run"]
    shown = ok("gan-loop", described(inputs), "--width", 2, *told).out.decode()
    lines = dict(line.split()[:2] for line in shown.splitlines() if line.startswith("  "))
    assert (lines["kl"], lines["mirror"], lines["contrast"]) == (kl, "0.0", "1.0")


def test_domains_are_told_apart_without_descriptions():
    with pytest.raises(ganutils.Error, match="--conditional does not go with --domains, whose two classes"):
        fresh(SHAPE, {"domains": 2, "words": 9})
    with pytest.raises(ganutils.Error, match="--conditional takes one of labels, attributes, captions; give one"):
        fresh(SHAPE, {"classes": 2, "words": 9})


def test_a_file_may_follow_conditional(ok, described, pictures, tmp_path):
    """As it always could: what follows is taken for its value only if it is one of three words."""
    first = ok("gan-loop", "--conditional", pictures, *TINY, "--steps", 0, "--dry-run").out.decode()
    lines = dict(line.split()[:2] for line in first.splitlines() if line.startswith("  "))
    assert (lines["classes"], lines["attributes"], lines["words"]) == ("3", "0", "0")
    shown = ok("gan-loop", "--conditional", "captions", described(), *TINY, "--steps", 0, "--dry-run").out.decode()
    lines = dict(line.split()[:2] for line in shown.splitlines() if line.startswith("  "))
    assert (lines["classes"], lines["words"], lines["contrast"]) == ("0", "7", "1.0")
    assert next(line for line in shown.splitlines() if line.startswith("  words")).endswith("7  (given)")


# --------------------------------------------------------------------------------- training and sampling

SKY = {"night": "a dark sky at night", "day": "a bright sky by day"}


@pytest.fixture
def sky(tmp_path):
    """Dark pictures that are said to be of night, light ones of day; with an attribute."""
    are_days = np.arange(400) % 2
    noise = np.random.default_rng(0).integers(-20, 20, (400, 8, 8, 1))
    images = (np.where(are_days, 215, 40)[:, None, None, None] + noise).astype("u1")
    said = captions.packed([[[*SKY.values()][is_day]] for is_day in are_days])
    tensors = {"images": images, "captions": said, "attributes": are_days[:, None].astype(np.float32)}
    container.write(str(tmp_path / "sky.safetensors"), "samples", tensors, {"attributes": ["bright"]})
    return "sky.safetensors"


@pytest.mark.parametrize(("kind", "steps", "more"), [("captions", 60, ["--kl", 0]), ("attributes", 150, [])])
def test_the_generator_learns_what_is_said(ok, sky, content, kind, steps, more):
    size = ["--width", 8, "--z-dim", 8, "--batch", 16, "--precision", "fp32", *more]
    ok("gan-loop", sky, *size, "--conditional", kind, "--steps", steps, "-o", "sky.ckpt", "-q")
    ok("gan-sample", "sky.ckpt", "-n", 40, "-o", "both.safetensors")
    meta, both = content("both.safetensors")
    if kind == "captions":
        said = [texts[0] for texts in captions.texts("both", both["captions"])]
        are_days = np.array([text == SKY["day"] for text in said])
        assert set(said) == set(SKY.values())
    else:
        are_days = both["attributes"][:, 0] > 0.5
        assert meta["attributes"] == ["bright"]
    assert 10 < are_days.sum() < 30
    assert both["images"][~are_days].mean() + 60 < both["images"][are_days].mean(), "seeds differ by 120 or more"
    ok("gan-sample", "sky.ckpt", "--latents", "both.safetensors", "-o", "again.safetensors")
    assert np.array_equal(content("again.safetensors")[1]["images"], both["images"])


def test_a_checkpoint_has_the_vocabulary_and_examples_and_its_log_the_terms(ok, run_on, content, tmp_path):
    run_on("captions", "--kl", "0.5", "--log", "log.jsonl", "--snapshots", "shots", "--every", 1)
    meta, tensors = content("x.ckpt")
    assert meta["vocabulary"] == ["a", "thing", "big", "is", "it", "blue", "red"]
    assert meta["examples"] == [f"a {'red' if n & 1 else 'blue'} thing" for n in range(12)]
    assert tensors["G.classes.encoder.words"].shape == (8, TEXT)
    logged = json.loads((tmp_path / "log.jsonl").read_text().splitlines()[-1])
    assert {"contrast", "contrast_real", "kl", "mismatch"} <= logged.keys()
    ok(
        "gan-sample",
        "shots/step-000001.safetensors",
        "shots/step-000002.safetensors",
        "-n",
        3,
        "-o",
        "film.safetensors",
    )
    film = content("film.safetensors")[1]
    assert film["images"].shape == (2, 3, 8, 8, 3) and film["captions"].shape[:3] == (2, 3, 1)
    ok("gan-plot", "log.jsonl", "-o", "log.png")
    ok("gan-info", "x.ckpt", "--preview", "p.png")


def test_attributes_are_found_by_their_names(fails, run_on, score, content, tmp_path):
    run_on("attributes")
    _, tensors = content("described.safetensors")
    assert content("x.ckpt")[0]["examples"][:3] == [[0, 0, 0], [1, 0, 0], [0, 1, 0]]
    turned = {**tensors, "attributes": tensors["attributes"][:, ::-1].copy()}
    container.write(str(tmp_path / "turned.safetensors"), "samples", turned, {"attributes": ["old", "big", "red"]})
    scores = [
        score(f"{name}.safetensors", "x.ckpt", "--features", "pixels", "-n", 6)[0] for name in ("described", "turned")
    ]
    assert scores[0] == {**scores[1], "real": "described.safetensors"}
    other = {**turned, "images": 255 - tensors["images"]}
    container.write(str(tmp_path / "other.safetensors"), "samples", other, {"attributes": ["old", "big", "hat"]})
    line = fails("gan-train-d", "other.safetensors", "--from", "x.ckpt", "-o", "y.ckpt")
    assert line == (
        "gan-train-d: other.safetensors: has no attribute 'red', and x.ckpt takes red, big, old; use data that have "
        "them, or gan-label"
    )


def test_a_run_does_not_go_on_with_other_words(ok, fails, run_on, content, tmp_path):
    run_on("captions")
    meta, tensors = content("described.safetensors")
    before = (tmp_path / "x.ckpt").read_bytes()
    other = {**tensors, "captions": captions.packed([["a green cube"]] * 12)}
    container.write(str(tmp_path / "described.safetensors"), "samples", other, meta)
    same = ["described.safetensors", *TINY, "--conditional", "captions", "--steps", 3, "-o", "x.ckpt"]
    assert "has other captions than when x.ckpt was trained on it" in fails("gan-loop", *same)
    line = fails(
        "gan-loop", "described.safetensors", *TINY, "--conditional", "attributes", "--from", "x.ckpt", "-o", "y"
    )
    assert "its settings are fixed: attributes is 0 there, 3 here, words is 7 there, 0 here" in line
    del tensors["captions"]
    container.write(str(tmp_path / "described.safetensors"), "samples", tensors, meta)
    line = fails("gan-train-d", "described.safetensors", "--from", "x.ckpt", "-o", "y.ckpt")
    assert "has no captions" in line
    assert (tmp_path / "x.ckpt").read_bytes() == before
    tensors["captions"] = captions.packed([["a red thing"], *[[]] * 11])
    container.write(str(tmp_path / "described.safetensors"), "samples", tensors, meta)
    line = fails("gan-loop", "described.safetensors", *TINY, "--conditional", "captions", "-o", "y.ckpt")
    assert "sample 1 has no caption" in line


def test_new_runs_may_begin_with_the_networks_and_the_vocabulary_of_another(ok, run_on, content, tmp_path):
    run_on("captions")
    meta, tensors = content("described.safetensors")
    other = {**tensors, "captions": captions.packed([["a big red dog", "blue"]] * 12)}
    container.write(str(tmp_path / "dogs.safetensors"), "samples", other, meta)
    ok("gan-loop", "dogs.safetensors", "--init", "x.ckpt", "--steps", 1, "-o", "y.ckpt")
    assert content("y.ckpt")[0]["vocabulary"] == content("x.ckpt")[0]["vocabulary"]
    assert content("y.ckpt")[0]["examples"][0] == "a big red dog"


@pytest.mark.parametrize("kind", ["captions", "attributes"])
def test_two_stages_pass_on_what_was_said(pipeline, ok, fails, run_on, score, content, kind, described, tmp_path):
    run_on(kind, name="one.ckpt")
    stage = ["--width", 2, "--batch", 4, "--preset", "stackgan2017", "--conditional", kind, "--steps", 1]
    _, data = content(described(True))
    enlarged = {**data, "images": data["images"].repeat(2, 1).repeat(2, 2), "inputs": data["images"]}
    container.write(str(tmp_path / "pairs.safetensors"), "samples", enlarged, {"attributes": ["red", "big", "old"]})
    ok("gan-loop", "pairs.safetensors", *stage, "-o", "two.ckpt", "-q")
    done = pipeline("gan-sample one.ckpt -n 5 -q | gan-sample two.ckpt --inputs - -o big.safetensors -q")
    assert done.code == 0, done.err
    _, big = content("big.safetensors")
    assert big["images"].shape == (5, 16, 16, 3) and big["inputs"].shape == (5, 8, 8, 3)
    if kind == "captions":
        assert captions.texts("big", big["captions"])[:2] == [["a blue thing"], ["a red thing"]]
    else:
        assert big["attributes"].tolist()[:2] == [[0, 0, 0], [1, 0, 0]]
    (scores,) = score("pairs.safetensors", "two.ckpt", "--features", "pixels")
    assert scores["fake_count"] == 12 and 0 < scores["ssim"] < 1, "each is compared with what it should be"
    said = ok("gan-eval", "pairs.safetensors", "two.ckpt", "--diagnose", "--features", "pixels").out.decode()
    assert said.startswith("two.ckpt at step 1: ")
    del enlarged["captions"], enlarged["attributes"]
    container.write(str(tmp_path / "mute.safetensors"), "samples", enlarged, {})
    line = fails("gan-sample", "two.ckpt", "--inputs", "mute.safetensors", "-o", "x.png")
    assert f"mute.safetensors: has no {kind}, and two.ckpt takes" in line


def test_scores_and_diagnoses_are_of_samples_with_the_words_of_real_ones(ok, run_on, score, content, tmp_path):
    run_on("captions", "--kl", 0)
    meta, tensors = content("described.safetensors")
    one = {**tensors, "captions": captions.packed([["a red thing"]] * 12)}
    container.write(str(tmp_path / "one.safetensors"), "samples", one, meta)
    many, few = (
        score(f"{name}.safetensors", "x.ckpt", "--features", "pixels", "-n", 30)[0] for name in ("described", "one")
    )
    assert (many["fake_count"], many["step"]) == (few["fake_count"], few["step"]) == (30, 2)
    assert few["spread"] < many["spread"], "where all are said to be one thing, samples differ by their latents alone"
    said = ok("gan-eval", "described.safetensors", "x.ckpt", "--features", "pixels", "--diagnose").out.decode()
    assert said.startswith("x.ckpt at step 2: too early") and "REAL has only 12 samples" in said


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("vocabulary", None),
        ("vocabulary", ["a"]),
        ("vocabulary", ["a"] * 7),
        ("vocabulary", [1, 2, 3, 4, 5, 6, 7]),
        ("examples", []),
        ("examples", [3]),
        ("examples", ["x" * 2000]),
        ("examples", ["a"] * 1000),
    ],
)
def test_damaged_words_are_reported(fails, run_on, content, tmp_path, key, value):
    meta, tensors = content(run_on("captions"))
    container.write(str(tmp_path / "x.ckpt"), "checkpoint", tensors, {**meta, key: value})
    assert "x.ckpt: damaged: its metadata" in fails("gan-sample", "x.ckpt", "-n", 2, "-o", "x.png")


def test_python_trains_and_samples_them(described, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run = ganutils.Run(described(), conditional="captions", width=1, z_dim=2, batch=4, device="cpu")
    run.train(1)
    assert run.generator(run.generator.latents(3)).shape == (3, 8, 8, 3)
    run.save("x.ckpt")
    generator = ganutils.Generator("x.ckpt", device="cpu")
    assert np.array_equal(generator(generator.latents(3)), run.generator(run.generator.latents(3)))
    with pytest.raises(ganutils.Error, match="conditional is 'words', not one of labels, attributes, captions"):
        ganutils.Run(described(), conditional="words", width=1)


def test_unknown_words_are_named_and_a_sentence_of_them_is_an_error():
    known = Descriptions(vocabulary=["a", "red", "hat"], examples=["a hat"])
    assert known.unknown(["a RED sombrero", "a hat, a sombrero & boots"]) == ["sombrero", "boots"]
    assert known.told(["a red sombrero"]).given["tokens"].tolist() == [[1, 2]]
    with pytest.raises(ganutils.Error, match=r"'boots!': has no word that the checkpoint knows; it knows a, red, hat"):
        known.unknown(["a hat", "boots!"])


def test_captions_that_occur_twice_are_kept_once():
    kept = Captions(np.array([[1], [2]], np.int16), np.array([[0, 1], [1, 0]], np.int32), np.array([2, 1]))
    assert kept.chosen(np.array([0, 0, 1, 1]), np.array([0.0, 0.99, 0.0, 0.99])).tolist() == [[1], [2], [2], [2]]


def test_penalties_and_bf16_train_encoders():
    trainer = trainer_of({"words": 5, "r1": 1.0, "r2": 1.0, "norm": "none", "gp": 1.0, "precision": "bf16"})
    before = {name: tensor.clone() for name, tensor in trainer.gan.tensors().items() if "encoder" in name}
    trainer.step()
    assert all(not torch.equal(tensor, trainer.gan.tensors()[name]) for name, tensor in before.items())
