"""What is made of sentences and attributes: sampling, paths between sentences, and the scores of what was said."""

import json
import warnings

import numpy as np
import pytest
import torch
from conftest import TINY
from hypothesis import given
from hypothesis import strategies as st

import ganutils
from ganutils.evaluation import matching, metrics
from ganutils.evaluation.said import Said, said_of
from ganutils.export import networks
from ganutils.files import container
from ganutils.runs.descriptions import TEXT
from ganutils.samples import captions
from ganutils.samples.samples import open_samples
from ganutils.samples.sources import faces, portraits, shapes
from ganutils.samples.sources.claims import claims_about
from ganutils.samples.sources.sentences import Picker


@pytest.fixture
def run_on(ok, described):
    """run_on("captions") -> a checkpoint after two steps on `described`."""

    def run(kind, name="x.ckpt"):
        ok("gan-loop", described(), *TINY, "--conditional", kind, "--steps", 2, "-o", name, "-q")
        return name

    return run


def said_beside(tensors):
    return [texts[0] for texts in captions.texts("made", tensors["captions"])]


# ------------------------------------------------------------------------------------------------ gan-sample


def test_each_sentence_has_the_same_latents_and_a_row(ok, run_on, content, tmp_path):
    run_on("captions")
    words = ["--text", "a RED sombrero", "--text", "It is blue, a thing"]
    done = ok("gan-sample", "x.ckpt", *words, "-n", 3, "-o", "two.safetensors")
    assert done.err.splitlines()[0] == "unknown and ignored: sombrero"
    meta, two = content("two.safetensors")
    assert said_beside(two) == ["a RED sombrero"] * 3 + ["It is blue, a thing"] * 3
    assert np.array_equal(two["latents"][:3], two["latents"][3:])
    assert meta["layout"] == [[0, 1, 2], [3, 4, 5]]
    assert not np.array_equal(two["images"][:3], two["images"][3:])
    ok("gan-sample", "x.ckpt", "--text", "it is blue a thing", "-n", 3, "-o", "one.safetensors")
    meta, one = content("one.safetensors")
    assert np.array_equal(one["images"], two["images"][3:]) and "layout" not in meta
    (tmp_path / "two.txt").write_text("\ufeffa RED sombrero\n\n  It is blue, a thing \r\n")
    ok("gan-sample", "x.ckpt", "--text-file", "two.txt", "-n", 3, "-o", "file.safetensors")
    assert np.array_equal(content("file.safetensors")[1]["images"], two["images"])


def test_what_is_not_said_is_that_of_the_file_or_the_examples(ok, run_on, content):
    run_on("captions")
    ok("gan-sample", "x.ckpt", "--text", "red", "--text", "big blue", "-n", 2, "-o", "said.safetensors")
    ok("gan-sample", "x.ckpt", "--latents", "said.safetensors", "-o", "again.safetensors")
    ok("gan-sample", "x.ckpt", "--latents", "said.safetensors", "--text", "thing", "-o", "other.safetensors")
    ok("gan-sample", "x.ckpt", "--seeds", "0-2", "-o", "usual.safetensors")
    (meta, said), (again_meta, again), (_, other), (_, usual) = (
        content(f"{name}.safetensors") for name in ("said", "again", "other", "usual")
    )
    assert np.array_equal(again["images"], said["images"]) and np.array_equal(again["captions"], said["captions"])
    assert again_meta["layout"] == meta["layout"]
    assert said_beside(other) == ["thing"] * 4 and np.array_equal(other["latents"], said["latents"])
    assert said_beside(usual) == ["a blue thing", "a red thing", "a blue thing"]


def test_attributes_are_set_by_name_and_others_stay(ok, run_on, content):
    run_on("attributes")
    words = ["--set", "big=1, red=0.25", "--set", "old=0"]
    ok("gan-sample", "x.ckpt", *words, "-n", 2, "-o", "set.safetensors", "-q")
    meta, made = content("set.safetensors")
    assert meta["attributes"] == ["red", "big", "old"] and meta["layout"] == [[0, 1], [2, 3]]
    assert made["attributes"].tolist() == [[0.25, 1, 0], [0.25, 1, 0], [0, 0, 0], [1, 0, 0]]
    ok("gan-sample", "x.ckpt", "--latents", "set.safetensors", "--set", "red=1", "-o", "red.safetensors")
    assert content("red.safetensors")[1]["attributes"].tolist() == [[1, 1, 0], [1, 1, 0], [1, 0, 0], [1, 0, 0]]


def test_a_film_of_checkpoints_shows_each_sentence(ok, run_on, content):
    run_on("captions")
    ok("gan-sample", "x.ckpt", "x.ckpt", "--text", "red", "--text", "blue", "-n", 2, "-o", "film.safetensors")
    meta, film = content("film.safetensors")
    assert film["captions"].shape[:3] == (2, 4, 1) and meta["layout"] == [[0, 1], [2, 3]]
    assert said_beside(film) == ["red", "red", "blue", "blue"] * 2


def test_words_go_through_a_pipe_to_stage_two(pipeline, ok, run_on, content, tmp_path):
    run_on("captions", "one.ckpt")
    _, data = content("described.safetensors")
    pairs = {**data, "images": data["images"].repeat(2, 1).repeat(2, 2), "inputs": data["images"]}
    container.write(str(tmp_path / "pairs.safetensors"), "samples", pairs, {"attributes": ["red", "big", "old"]})
    stage = ["--width", 2, "--batch", 4, "--conditional", "captions", "--steps", 1, "-o", "two.ckpt", "-q"]
    ok("gan-loop", "pairs.safetensors", *stage)
    line = "gan-sample one.ckpt --text 'a red thing' --text 'blue boots' -n 2 | gan-sample two.ckpt --inputs -"
    done = pipeline(f"{line} -o big.safetensors && {line} -o big.png")
    assert done.code == 0, done.err
    assert done.err.count("unknown and ignored: boots") == 2, "once for each pipe"
    meta, big = content("big.safetensors")
    assert big["images"].shape == (4, 16, 16, 3) and meta["layout"] == [[0, 1], [2, 3]]
    assert said_beside(big) == ["a red thing"] * 2 + ["blue boots"] * 2


def test_translators_take_a_sentence_for_all_pictures(ok, fails, content, described, tmp_path):
    ok("gan-loop", described(True), "--width", 2, "--batch", 4, "--conditional", "captions", "--steps", 1, "-o", "two")
    _, data = content("described.safetensors")
    del data["captions"]
    container.write(str(tmp_path / "mute.safetensors"), "samples", data, {})
    ok("gan-sample", "two", "--inputs", "mute.safetensors", "--text", "a red thing", "-o", "red.safetensors")
    ok("gan-sample", "two", "--inputs", "described.safetensors", "--text", "a red thing", "-o", "same.safetensors")
    red, same = (content(f"{name}.safetensors")[1] for name in ("red", "same"))
    assert said_beside(red) == said_beside(same) == ["a red thing"] * 12
    assert np.array_equal(red["images"], same["images"])
    line = fails("gan-sample", "two", "--inputs", "mute.safetensors", "-o", "x.png")
    assert line.endswith(
        "mute.safetensors: has no captions, and two takes some; give --text, or samples that have them"
    )
    both = ["--inputs", "mute.safetensors", "--text", "a", "--text", "red"]
    assert "--inputs takes one sentence, or --set, for all" in fails("gan-sample", "two", *both, "-o", "x.png", code=2)


@pytest.mark.parametrize(
    ("kind", "words", "problem"),
    [
        (
            "captions",
            ["--text", "sombrero!"],
            "'sombrero!': has no word that the checkpoint knows; it knows a, thing, ",
        ),
        ("captions", ["--text", ""], "'': has no word that the checkpoint knows"),
        ("captions", ["--text", "a red\udcff"], "is not valid text"),
        ("captions", ["--text", "a" + " red" * 300], "has 1,201 bytes; give at most 1,024"),
        ("captions", ["--set", "red=1"], "x.ckpt: takes no attributes for --set; train with --conditional attributes"),
        ("attributes", ["--text", "red"], "x.ckpt: knows no words for --text; train with --conditional captions"),
        ("attributes", ["--set", "hat=1"], "x.ckpt: has no attribute 'hat'; it has red, big, old"),
        ("captions", ["--label", "3"], "x.ckpt: has no classes for --label"),
        ("captions", ["--text-file", "long.txt"], "long.txt: line 2 has more than 1,024 bytes; shorten it"),
        ("captions", ["--text-file", "huge.txt"], "huge.txt: line 1 goes on for more than 1,048,576 characters"),
        ("captions", ["--text-file", "none.txt"], "none.txt: holds no sentences; write one in each line"),
        ("captions", ["--text-file", "latin.txt"], "latin.txt: is not UTF-8 text; save it as UTF-8"),
    ],
)
def test_what_cannot_be_said_is_one_line(fails, run_on, tmp_path, kind, words, problem):
    (tmp_path / "long.txt").write_text("a red thing\n" + "é" * 513)
    (tmp_path / "huge.txt").write_text("red " * 2_500_000)
    (tmp_path / "none.txt").write_text("\n \n")
    (tmp_path / "latin.txt").write_bytes("a café".encode("latin-1"))
    run_on(kind)
    assert problem in fails("gan-sample", "x.ckpt", *words, "-n", 2, "-o", "x.png")
    assert not (tmp_path / "x.png").exists()


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["--text", "a", "--label", "3"], "--text and --label exclude each other; give one"),
        (["--text", "a", "--text-file", "x.txt"], "exclude each other; give one"),
        (["--text", "a", "--set", "red=1"], "exclude each other; give one"),
        (["--set", "red=2"], "2 is not in the range 0<=x<=1"),
        (["--set", "red"], "is not a list like smiling=1,hat=0, with each name once"),
        (["--set", "red=1,red=0"], "with each name once"),
        (["--set", ""], "Invalid value for '--set'"),
        (["--text", "a", "--text", "red", "-n", 9_000_000], "2 sentences are more than 10,000,000 samples in all"),
    ],
)
def test_what_does_not_go_together_is_a_usage_error(fails, run_on, words, problem):
    run_on("captions")
    assert problem in fails("gan-sample", "x.ckpt", *words, "-o", "x.safetensors", code=2)


def test_hostile_sentences_do_not_reach_the_terminal(ok, run_on, content):
    run_on("captions")
    text = "red \x1b[31m\u0445\u202e😀 مرحبا"
    done = ok("gan-sample", "x.ckpt", "--text", text, "-n", 1, "-o", "x.safetensors")
    assert "\x1b" not in done.err and "\u202e" not in done.err and "31m\u0445" in done.err
    assert said_beside(content("x.safetensors")[1]) == [text]


# ------------------------------------------------------------------------------------------------ gan-interp


def test_a_path_leads_from_sentence_to_sentence_and_each_latent_stays(ok, run_on, content):
    run_on("captions")
    texts = ["--text", "a red thing", "--text", "big blue", "--text", "it is red"]
    for closed in ([], ["--closed"]):
        ok("gan-interp", "--seeds", "3,4", "--for", "x.ckpt", *texts, *closed, "--frames", 9, "-o", "w.safetensors")
        _, walk = content("w.safetensors")
        assert walk["latents"].shape == (9, 2, 4) and walk["text"].shape == (9, 2, TEXT)
        assert (walk["latents"] == walk["latents"][0]).all() and (walk["text"][:, 0] == walk["text"][:, 1]).all()
        assert np.linalg.norm(walk["text"], axis=-1) == pytest.approx(TEXT**0.5, rel=1e-2)
        ok("gan-sample", "x.ckpt", "--latents", "w.safetensors", "-o", "film.safetensors")
        film = content("film.safetensors")[1]
        assert film["images"].shape == (9, 2, 8, 8, 3) and np.array_equal(film["text"], walk["text"])
        for frame, text in zip((0, 3, 6) if closed else (0, 4, 8), texts[1::2], strict=True):
            ok("gan-sample", "x.ckpt", "--seeds", "3,4", "--text", text, "-o", "there.safetensors")
            there = content("there.safetensors")[1]["images"].astype(int)
            assert np.abs(film["images"][frame] - there).max() <= 1


def test_a_path_may_begin_at_samples_and_end_in_a_film(pipeline, ok, run_on):
    run_on("captions")
    ok("gan-sample", "x.ckpt", "--text", "red", "-n", 3, "-o", "red.safetensors")
    done = pipeline(
        "gan-interp red.safetensors --rows 2 --for x.ckpt --text red --text 'blue boots' --frames 4"
        " | gan-sample x.ckpt --latents - -o w.gif"
    )
    assert done.code == 0, done.err
    assert "unknown and ignored: boots" in done.err


@pytest.mark.parametrize(
    ("words", "code", "problem"),
    [
        (["--text", "red"], 2, "a path between sentences needs --text twice or more, and --for CHECKPOINT"),
        (["--text", "red", "--text", "blue", "--through", "1,2"], 2, "exclude each other; give one"),
        (["--kind", "walk", "--text", "red", "--text", "blue"], 2, "--text has no effect with --kind walk"),
        (["--text", "red", "--text", "boots"], 1, "'boots': has no word that the checkpoint knows"),
    ],
)
def test_paths_between_what_is_no_sentence_are_one_line(fails, run_on, words, code, problem):
    run_on("captions")
    assert problem in fails("gan-interp", "--seeds", 3, "--for", "x.ckpt", *words, "-o", "w.safetensors", code=code)


def test_paths_of_other_generators_have_no_sentences(ok, fails, run_on, content, tmp_path):
    run_on("attributes", "set.ckpt")
    texts = ["--text", "red", "--text", "blue", "-o", "w.safetensors"]
    assert "set.ckpt: knows no words" in fails("gan-interp", "--seeds", 3, "--for", "set.ckpt", *texts)
    run_on("captions")
    latents = {"latents": np.ones((2, 4), np.float32), "text": np.ones((2, 5), np.float32)}
    container.write(str(tmp_path / "z.safetensors"), "latents", latents, {})
    line = fails("gan-sample", "x.ckpt", "--latents", "z.safetensors", "-o", "x.png")
    assert "z.safetensors: damaged: 'text' are not rows of 128 finite numbers" in line
    latents = {"latents": np.ones((2, 5), np.float32)}
    container.write(str(tmp_path / "z.safetensors"), "latents", latents, {})
    line = fails("gan-interp", "z.safetensors", "--for", "x.ckpt", *texts)
    assert "x.ckpt: takes latents of 4 numbers, and those given have 5" in line


# ------------------------------------------------------------------------------------- what sentences claim


@pytest.mark.parametrize(
    ("describe", "attributes_of", "names", "always"),
    [
        (shapes.describe, shapes.attributes_of, shapes.ATTRIBUTES, 19),
        (portraits.describe, faces.attributes_of, faces.ATTRIBUTES, 1),
    ],
)
@given(seed=st.integers(0, 2**32))
def test_sentences_claim_what_was_described_and_nothing_else(describe, attributes_of, names, always, seed):
    random = np.random.default_rng(seed)
    numbers = random.random((1, 20))
    if names is shapes.ATTRIBUTES:
        numbers = random.random((1, shapes.NUMBERS))
    text = describe(numbers[0], Picker(random))
    claims = claims_about(names[::-1])(text)
    true = dict(zip(names, attributes_of(numbers)[0] > 0.5, strict=True))
    assert len(claims) >= always and all(true[name] == value for name, value in claims.items()), text


def test_sentences_of_others_claim_what_is_understood():
    assert claims_about(["smiling", "hat"]) is None
    assert portraits.claims("a smiling man with a hat") == {"smiling": True, "hat": True}
    assert portraits.claims("nobody knows") == {}
    assert shapes.claims("red circle above THE small blue box!")["second_small"] is True
    assert shapes.claims("a red circle") == shapes.claims("a red circle hates a blue square") == {}


def test_only_what_is_known_counts():
    found, true = np.array([[1, 1], [0, 1]], bool), np.array([[1, 0], [1, 1]], bool)
    known = np.array([[1, 0], [1, 1]], bool)
    assert metrics.kept(found, true, False, known).tolist() == [0.5, 1.0]
    assert metrics.kept(found, true, False).tolist() == [0.5, 0.5]


# ------------------------------------------------------------------------------------------------ r-precision


def matcher_of(texts, tmp_path, of_pictures):
    """A Matcher beside a file with these captions, whose vectors of sentences are one-hot."""
    tensors = {"images": np.zeros((len(texts), 4, 4, 1), np.uint8), "captions": captions.packed([[t] for t in texts])}
    container.write(str(tmp_path / "real.safetensors"), "samples", tensors, {})
    numbers = {text: number for number, text in enumerate(dict.fromkeys(texts))}
    matcher = matching.Matcher.__new__(matching.Matcher)
    matcher._of_texts = lambda asked: np.eye(len(numbers))[[numbers[text] for text in asked]]
    matcher._of_pictures = of_pictures(np.eye(len(numbers)))
    return matcher


@pytest.mark.parametrize(
    ("of_pictures", "expected"),
    [
        (lambda vectors: lambda pictures: vectors[pictures[:, 0, 0, 0]], 1.0),
        (
            lambda vectors: lambda pictures: (vectors / 2 + np.roll(vectors, 1, 0))[pictures[:, 0, 0, 0]],
            pytest.approx(0.5, abs=0.2),
        ),
        (lambda vectors: lambda pictures: np.zeros((len(pictures), len(vectors))), 0.0),
    ],
)
def test_r_precision_is_the_share_that_is_most_like_its_own_sentence(tmp_path, of_pictures, expected):
    """Where a picture is more like one other of 200 sentences, that is among the 99 in half of the cases."""
    texts = [f"thing {number}" for number in range(200)]
    matcher = matcher_of(texts, tmp_path, of_pictures)
    pictures = np.arange(200, dtype=np.uint8)[:, None, None, None] + np.zeros((1, 4, 4, 1), np.uint8)
    with open_samples(str(tmp_path / "real.safetensors")) as matcher.samples:
        said = said_of(matcher.samples, np.arange(200), [])
        assert matcher.r_precision(pictures, said, 0) == expected
        assert matcher.r_precision(pictures, said, 0) == matcher.r_precision(pictures, said, 0)


def test_sentences_of_the_same_meaning_are_no_others():
    texts = ["a serious person", "an unsmiling face", "a happy face", "a face with a hat", "gibberish"]
    claims = [portraits.claims(text) for text in texts]
    true, known = (
        np.array([[part(claim, name) for name in faces.ATTRIBUTES] for claim in claims])
        for part in (lambda claim, name: claim.get(name, False), lambda claim, name: name in claim)
    )
    differ = matching._differ(*[Said(texts, true, known, are_claims=True)] * 2)
    assert np.array_equal(differ, differ.T) and not differ.diagonal().any()
    assert differ[0].tolist() == [False, False, True, False, True]
    assert matching._differ(*[Said(["a RED hat", "a red hat."], true[:2], known[:2])] * 2).sum() == 0


# ------------------------------------------------------------------------------------------------ gan-eval


@pytest.fixture
def real(ok):
    """A file of shapes with captions: enough to learn from."""
    ok("gan-data", "toy:shapes", "--describe", 2, "--limit", 240, "--size", 8, "-o", "real.safetensors", "-q")
    return "real.safetensors"


def scores_of(ok, *words):
    done = ok("gan-eval", *words, "--root", "root")
    return [json.loads(line) for line in done.out.decode().splitlines()]


def test_what_was_said_is_looked_for_in_samples(ok, fails, real, content, tmp_path):
    meta, tensors = content(real)
    del meta["format"], meta["kind"]
    rolled = {**tensors, "captions": np.roll(tensors["captions"], 1, 0)}
    container.write(str(tmp_path / "wrong.safetensors"), "samples", rolled, meta)
    del tensors["captions"]
    container.write(str(tmp_path / "attributes.safetensors"), "samples", tensors, meta)
    own, wrong, attributes = scores_of(ok, real, real, "wrong.safetensors", "attributes.safetensors")
    assert own["said"] == own["said_real"] == wrong["said_real"] > 0.7
    assert own["said_attributes"].keys() == set(shapes.ATTRIBUTES)
    assert own["said"] == pytest.approx(np.mean([*own["said_attributes"].values()]), rel=1e-4)
    assert wrong["said"] < 0.65 and wrong["said_whole"] < own["said_whole"]
    assert own["r_precision"] > 0.3 > wrong["r_precision"] and own["r_precision_real"] is not None
    assert own["matcher"]["name"] == "matcher" and own["notes"] == wrong["notes"]
    assert attributes["said"] == pytest.approx(own["said"], abs=0.1) and "r_precision" not in attributes
    kept = sorted((tmp_path / "root/extractors").iterdir())
    assert len(kept) == 2, "the classifier and the matcher, trained once"
    for path in kept:
        with container.read(str(path)) as file:
            is_matcher = "matcher" in file.meta
        if is_matcher:
            line = fails("gan-eval", real, real, "--features", path)
            assert "tells which sentence a picture is of, and is no classifier" in line
    assert "said" in ok("gan-eval", real, real, "--root", "root", "--table").out.decode()


def test_checkpoints_are_told_what_real_rows_say(ok, real):
    tiny = ["--width", 1, "--z-dim", 2, "--batch", 4, "--steps", 1, "-q"]
    for kind in ("captions", "attributes"):
        ok("gan-loop", real, *tiny, "--conditional", kind, "-o", f"{kind}.ckpt")
    ok("gan-loop", real, *tiny, "-o", "neither.ckpt")
    told, set_, neither = scores_of(ok, real, "captions.ckpt", "attributes.ckpt", "neither.ckpt", "--repeats", 2)
    assert 0.3 < told["said"] < 0.7 and told["r_precision"] < 0.3 and "said" in told["deviation"]
    assert 0.3 < set_["said"] < 0.7 and "r_precision" not in set_
    assert "said" not in neither and "r_precision" not in neither
    ok("gan-sample", "captions.ckpt", "-n", 40, "-o", "made.safetensors")
    ok("gan-label", "made.safetensors", "--like", real, "--root", "root", "-o", "labeled.safetensors")
    (made, labeled) = scores_of(ok, real, "made.safetensors", "labeled.safetensors")
    assert made["said"] == labeled["said"], "by the sentences, not by what was found"
    text = ok("gan-eval", "--diagnose", "captions.ckpt", real, "--root", "root").out.decode()
    assert text.startswith("captions.ckpt at step 1:")


def test_attributes_that_gan_label_found_were_not_told(ok, real, content):
    ok("gan-loop", real, "--width", 1, "--z-dim", 2, "--batch", 4, "--steps", 1, "-o", "x.ckpt", "-q")
    ok("gan-sample", "x.ckpt", "-n", 40, "-o", "made.safetensors")
    ok("gan-label", "made.safetensors", "--like", real, "--root", "root", "-o", "labeled.safetensors")
    assert content("labeled.safetensors")[0]["found"] is True
    (scores,) = scores_of(ok, real, "labeled.safetensors")
    assert "said" not in scores


def test_sentences_that_nobody_understands_count_for_all_attributes(ok, described):
    """Twelve pictures of noise: too few for a matcher."""
    (scores,) = scores_of(ok, described(), "described.safetensors")
    assert scores["said_attributes"].keys() == {"red", "big", "old"} and "r_precision" not in scores
    assert "said is about all attributes, also those that a sentence does not mention" in scores["notes"]


# ------------------------------------------------------------------------------- labels, sums, graphs, Python


def test_labels_and_sums_keep_captions(ok, run_on, content):
    run_on("captions")
    ok("gan-sample", "x.ckpt", "--text", "red", "--text", "blue", "-n", 3, "-o", "two.safetensors")
    ok("gan-arith", "two.safetensors", "4,5 - 0 + 1", "-o", "sum.safetensors")
    _, sums = content("sum.safetensors")
    assert said_beside(sums) == ["blue", "blue", "red", "red", "blue", "red", "red", *["blue"] * 9]
    ok("gan-sample", "x.ckpt", "--latents", "sum.safetensors", "-o", "made.safetensors")
    assert np.array_equal(content("made.safetensors")[1]["captions"], sums["captions"])


@pytest.mark.parametrize(
    ("kind", "name", "shape"),
    [
        pytest.param("captions", "tokens", (2, 48), marks=pytest.mark.soak),  # 20 s for a graph of 48 words
        ("attributes", "attributes", (2, 3)),
    ],
)
def test_graphs_take_what_networks_are_told(ok, fails, run_on, content, tmp_path, kind, name, shape):
    onnx, onnxruntime = pytest.importorskip("onnx"), pytest.importorskip("onnxruntime")
    run_on(kind)
    ok("gan-export", "x.ckpt", "-o", "x.onnx")
    assert "takes attributes or captions, which pages do not" in fails("gan-export", "x.ckpt", "-o", "x.html")
    model = onnx.load(str(tmp_path / "x.onnx"))
    about = {entry.key: entry.value for entry in model.metadata_props}
    ok("gan-sample", "x.ckpt", "-n", 2, "-o", "two.safetensors")
    _, two = content("two.safetensors")
    told = two.get("attributes")
    if kind == "captions":
        found = captions.tokens(said_beside(two), json.loads(about["vocabulary"]))
        told = np.zeros(shape, np.int64)
        told[:, : found.shape[1]] = found
    else:
        assert json.loads(about["names"]) == ["red", "big", "old"]
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    (images,) = session.run(None, {"latents": two["latents"], name: told})
    assert np.abs(images.transpose(0, 2, 3, 1) * 255 - two["images"]).max() < 1.01


def test_exported_networks_take_tokens(ok, run_on, content, tmp_path):
    """As networks; their graphs take long."""
    with container.read(str(tmp_path / run_on("captions"))) as file:
        exported, judge = networks.of_file(file), networks.of_file(file, discriminator=True)
    assert exported.inputs["tokens"].shape == judge.inputs["tokens"].shape == (8, 48)
    ok("gan-sample", "x.ckpt", "-n", 2, "-o", "two.safetensors")
    _, two = content("two.safetensors")
    tokens = captions.tokens(said_beside(two), json.loads(exported.about["vocabulary"]))
    images = exported.network(torch.from_numpy(two["latents"]), torch.from_numpy(tokens)).permute(0, 2, 3, 1)
    assert np.abs(images.numpy() * 255 - two["images"]).max() < 1.01
    assert judge.network(*judge.inputs.values()).shape == (8,)


def test_python_says_what_is_to_be_made(ok, run_on, content, tmp_path, monkeypatch):
    run_on("captions")
    ok("gan-sample", "x.ckpt", "--text", "red", "--text", "big blue", "-n", 2, "-o", "two.safetensors")
    _, two = content("two.safetensors")
    monkeypatch.chdir(tmp_path)
    generator = ganutils.Generator("x.ckpt", device="cpu")
    z = generator.latents(2)
    assert generator.vocabulary[:2] == ["a", "thing"] and generator.attributes == []
    assert np.array_equal(generator(z, text="red"), two["images"][:2])
    assert np.array_equal(generator(z, text=["red", "big blue"])[1], two["images"][3])
    with pytest.warns(UserWarning, match="unknown and ignored: boots"):
        generator(z, text="red boots")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        generator(z, text=["big", "red"])
    for wrong, problem in (
        ({"text": "boots"}, "'boots': has no word"),
        ({"text": ["red"] * 3}, r"text: have shape \[3\], and the samples need \[2\]"),
        ({"text": 3}, "text: give a sentence, or one for each sample"),
        ({"attributes": {"red": 1}}, "attributes: the generator takes none"),
    ):
        with pytest.raises(ganutils.Error, match=problem):
            generator(z, **wrong)


def test_python_sets_attributes(ok, run_on, content, tmp_path, monkeypatch):
    run_on("attributes")
    ok("gan-sample", "x.ckpt", "--set", "red=1,big=0.5", "-n", 2, "-o", "set.safetensors")
    _, made = content("set.safetensors")
    monkeypatch.chdir(tmp_path)
    generator = ganutils.Generator("x.ckpt", device="cpu")
    z = generator.latents(2)
    assert generator.attributes == ["red", "big", "old"]
    assert np.array_equal(generator(z, attributes={"red": 1, "big": 0.5}), made["images"])
    assert np.array_equal(generator(z, attributes=made["attributes"]), made["images"])
    for wrong, problem in (
        ({"attributes": {"hat": 1}}, "attributes: there is no 'hat'; they are red, big, old"),
        ({"attributes": {"red": 2}}, "attributes: are not all from 0 to 1"),
        ({"attributes": [1, 2]}, "and the samples need"),
        ({"text": "red"}, "text: the generator knows no words"),
    ):
        with pytest.raises(ganutils.Error, match=problem):
            generator(z, **wrong)
