"""What is made of sentences and attributes: samples, paths between sentences, sums, graphs, and all of it in Python."""

import json
import warnings

import numpy as np
import pytest
import torch
from conftest import TINY

import ganutils
from ganutils.export import networks
from ganutils.files import container
from ganutils.runs.descriptions import TEXT
from ganutils.samples import captions


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


def test_each_sample_of_a_file_is_said_anew(pipeline, ok, run_on, content):
    """A latent of its own for each, and its first caption, or its attributes, or its class."""
    run_on("captions")
    _, data = content("described.safetensors")
    ok("gan-sample", "x.ckpt", "--as", "described.safetensors", "--seed", 3, "-o", "like.safetensors")
    _, like = content("like.safetensors")
    first = [texts[0] for texts in captions.texts("data", data["captions"])]
    assert said_beside(like) == first and len(set(first)) > 1
    ok("gan-sample", "x.ckpt", "--seed", 3, "-n", len(first), "-o", "usual.safetensors")
    assert np.array_equal(content("usual.safetensors")[1]["latents"], like["latents"])
    done = pipeline("gan-data described.safetensors --limit 3 | gan-sample x.ckpt --as - -o three.safetensors")
    assert done.code == 0, done.err
    assert len(content("three.safetensors")[1]["images"]) == 3
    run_on("attributes", name="y.ckpt")
    ok("gan-sample", "y.ckpt", "--as", "described.safetensors", "-o", "attributes.safetensors")
    assert np.array_equal(content("attributes.safetensors")[1]["attributes"], data["attributes"])


def test_samples_are_of_the_classes_of_others(ok, fails, run_on, domains, content, tmp_path):
    ok("gan-loop", domains, *TINY, "--conditional", "--steps", 0, "-o", "classes.ckpt", "-q")
    ok("gan-sample", "classes.ckpt", "--as", domains, "-o", "like.safetensors")
    assert content("like.safetensors")[1]["labels"].tolist() == content(domains)[1]["labels"].tolist()
    run_on("captions")
    line = fails("gan-sample", "x.ckpt", "--as", domains, "-o", "no.png")
    assert line.startswith("gan-sample: domains.safetensors: has no captions, and x.ckpt takes some")
    ok("gan-loop", domains, *TINY, "--steps", 0, "-o", "plain.ckpt", "-q")
    line = fails("gan-sample", "plain.ckpt", "--as", domains, "-o", "no.png")
    assert "plain.ckpt: takes no captions, attributes or labels for --as; train with --conditional" in line
    assert not (tmp_path / "no.png").exists()


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
    run_on("captions", name="one.ckpt")
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


def test_translators_take_a_sentence_for_all_pictures(ok, fails, content, run_on, tmp_path):
    run_on("captions", inputs=True, name="two")
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
        (["--text", "a", "--as", "x.ckpt"], "--text and --as exclude each other; give one"),
        (["--as", "x.ckpt", "-n", 3], "-n and --as exclude each other; give one"),
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
    run_on("attributes", name="set.ckpt")
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
