"""What a generator of texts makes, as users meet it: lines, sheets, films, walks, pages, from the shell and Python."""

import json

import numpy as np
import pytest
from conftest import TINY

import ganutils
from ganutils.files import container, letters
from ganutils.samples.sources import grammar


@pytest.fixture
def sentences(ok):
    """Forty sentences of at most 20 letters; gives the file's name."""
    ok("gan-data", "toy:sentences", "--limit", 400, "-o", "all.safetensors")
    ok("gan-data", "all.safetensors", "--length", 20, "--limit", 40, "-o", "sentences.safetensors")
    return "sentences.safetensors"


@pytest.fixture
def writer(sentences, ok):
    """A tiny generator of sentences after a step; gives the file's name."""
    ok("gan-loop", sentences, *TINY, "--steps", 1, "-o", "texts.ckpt", "-q")
    return "texts.ckpt"


def test_samples_are_texts_in_the_alphabet_of_the_data(writer, ok, content, tmp_path):
    assert content(writer)[0]["alphabet"] == grammar.ALPHABET
    ok("gan-sample", writer, "-n", 7, "-o", "made.safetensors")
    meta, tensors = content("made.safetensors")
    assert (tensors["letters"].dtype, tensors["letters"].shape) == (np.uint8, (7, 20))
    assert meta["alphabet"] == grammar.ALPHABET
    assert int(tensors["letters"].max()) < len(grammar.ALPHABET)
    ok("gan-sample", writer, "-n", 7, "-o", "made.txt")
    lines = (tmp_path / "made.txt").read_text().split("\n")
    assert lines == [*letters.decoded("x", tensors["letters"], meta["alphabet"]), ""]
    ok("gan-sample", writer, "--latents", "made.safetensors", "-o", "again.txt")
    assert (tmp_path / "again.txt").read_text().split("\n") == lines


def test_sheets_films_and_walks(writer, sentences, ok, png, tmp_path):
    ok("gan-loop", sentences, *TINY, "--steps", 3, "--snapshots", "shots", "--every", 1, "-o", "more.ckpt", "-q")
    shots = sorted(f"shots/{path.name}" for path in (tmp_path / "shots").iterdir())
    ok("gan-sample", *shots, "-n", 2, "-o", "film.gif")
    ok("gan-sample", *shots, "-n", 2, "-o", "film.png")
    ok("gan-sample", writer, "-n", 2, "-o", "sheet.png")
    h, w = png("sheet.png").shape
    assert png("film.png").shape == (len(shots) * h // 2, 2 * w), "two texts in a column; beside each other over time"
    ok("gan-interp", "--seeds", "1,2", "--for", writer, "--frames", 4, "-o", "walk.safetensors")
    ok("gan-sample", writer, "--latents", "walk.safetensors", "-o", "walk.txt")
    assert len((tmp_path / "walk.txt").read_text().splitlines()) == 4
    ok("gan-info", writer, "--preview", "preview.png")
    assert png("preview.png").shape[0] > h


def test_classes_of_texts_have_a_column_each(sentences, ok, content):
    ok("gan-loop", sentences, *TINY, "--conditional", "--steps", 1, "-o", "c.ckpt", "-q")
    ok("gan-sample", "c.ckpt", "-n", 6, "-o", "six.safetensors")
    meta, tensors = content("six.safetensors")
    assert (meta["layout"], tensors["labels"].tolist()) == ([[0, 3], [1, 4], [2, 5]], [0, 0, 0, 1, 1, 1])


def test_scores_and_a_diagnosis_of_a_checkpoint(writer, sentences, ok):
    found = json.loads(ok("gan-eval", sentences, writer, "-q").out)
    assert found["grammatical"] < 0.2
    assert found["js3"] > 1.5 * found["js3_real"]
    assert {"step", "distinct", "copied", "frechet_distance"} <= found.keys()
    lines = ok("gan-eval", "--diagnose", writer, sentences, "-q").out.decode().splitlines()
    assert lines[0].startswith("texts.ckpt at step 1: ")
    ok("gan-eval", sentences, sentences, "--features", writer, "-q")


def test_runs_and_series_keep_to_one_alphabet(writer, ok, fails):
    ok("gan-data", "toy:sentences", "--limit", 40, "--length", 24, "-o", "longer.safetensors")
    message = fails("gan-loop", "longer.safetensors", "--from", writer, "--steps", 2, "-o", "x.ckpt")
    assert message.endswith("made for 20 letters of 20; make data in that alphabet, with gan-data --length")


def test_another_alphabet_of_as_many_letters_is_refused(writer, fails, save, ok):
    other = grammar.ALPHABET.replace("y", "z")
    save("other", letters=np.ones((40, 20), np.uint8), alphabet=other)
    message = fails("gan-loop", "other.safetensors", "--from", writer, "--steps", 2, "-o", "x.ckpt")
    assert "other.safetensors: its texts have another alphabet than those of texts.ckpt" in message
    ok("gan-loop", "other.safetensors", *TINY, "--steps", 1, "-o", "other.ckpt", "-q")
    message = fails("gan-sample", writer, "other.ckpt", "-n", 2, "-o", "x.gif")
    assert message.startswith("gan-sample: other.ckpt: its texts have another alphabet than those of texts.ckpt")
    assert "another alphabet" in fails("gan-eval", "other.safetensors", writer)


@pytest.mark.parametrize("alphabet", [None, " ab", "x" + grammar.ALPHABET[1:]])
def test_a_checkpoint_with_another_alphabet_is_damaged(writer, fails, tmp_path, alphabet):
    with container.read(str(tmp_path / writer)) as file:
        tensors = {name: file[name].copy() for name in file.specs}
        meta = {key: value for key, value in file.meta.items() if key not in ("format", "kind")}
    container.write(str(tmp_path / "bad.ckpt"), "checkpoint", tensors, {**meta, "alphabet": alphabet})
    assert fails("gan-sample", "bad.ckpt", "-o", "x.txt").startswith("gan-sample: bad.ckpt: damaged: ")


def test_other_commands_say_what_to_do(writer, sentences, fails, ok):
    ok("gan-sample", writer, "-n", 9, "-o", "made.safetensors")
    assert "holds no pictures or sounds" in fails("gan-arith", "made.safetensors", "0 - 1", "--pixels", "-o", "x.png")
    ok("gan-arith", "made.safetensors", "0 - 1 + 2", "-o", "sum.safetensors")
    ok("gan-sample", writer, "--latents", "sum.safetensors", "-o", "sum.png")
    for words in ([writer], [writer, "--units", "0", "--data", sentences], [writer, "--filters"]):
        assert fails("gan-plot", *words, "-o", "x.png").endswith("draw them, gan-plot their log")
    assert "texts are not sounds" in fails("gan-sample", writer, "-o", "x.wav")
    assert "--augment mirror is not for texts" in fails("gan-loop", sentences, "--augment", "mirror", "-o", "x.ckpt")
    assert "--arch dcgan is not for texts" in fails("gan-loop", sentences, "--arch", "dcgan", "-o", "x.ckpt")


def test_texts_in_python_are_strings(writer, sentences, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    generator = ganutils.Generator(writer)
    assert generator.alphabet == grammar.ALPHABET
    made = generator(generator.latents(6))
    assert (made.shape, made.dtype.kind) == ((6,), "U")
    assert generator(generator.latents(6).reshape(2, 3, -1)).tolist() == made.reshape(2, 3).tolist()
    ganutils.write("made.safetensors", texts=made, meta={"alphabet": generator.alphabet}, length=20)
    assert ganutils.read("made.safetensors").texts == made.tolist()
    run = ganutils.Run(np.array(["one", "two", "ten"] * 5), width=2, batch=4, z_dim=2)
    run.train(1)
    assert run.config.shape == (3, 6)
    assert {*"".join(run.generator(run.generator.latents(5)))} <= {*" enotw"}


def test_points_are_not_drawn_beside_texts(sentences, ok, fails):
    ok("gan-data", "toy:ring", "--limit", 9, "-o", "ring.safetensors")
    message = fails("gan-plot", "ring.safetensors", "--data", sentences, "-o", "x.png")
    assert message == "gan-plot: sentences.safetensors: holds texts, and points are drawn; give --data points"
