"""Texts once they are data: looked at, by the laws, from Python."""

import json
import shutil
import subprocess

import numpy as np
import pytest
from conftest import ROOT  # before hostile, which needs its settings
from hypothesis import given, settings
from hypothesis import strategies as st

import ganutils
from ganutils.files import budget, kinds, letters
from ganutils.samples.samples import open_samples
from ganutils.samples.sources import grammar

SIGNS = st.characters(codec="utf-8", exclude_categories=["Cs"])
ALPHABETS = st.sets(SIGNS.filter(str.isprintable), min_size=2, max_size=255).map(
    lambda s: " " + "".join(sorted(s - {" "}))
)


# ------------------------------------------------------------------------------------------ what is seen


def test_a_sheet_has_a_line_for_each_text(ok, save, png):
    save("x", letters=np.array([[1, 2, 1], [0, 0, 0], [2, 2, 2]], np.uint8), alphabet=" .M")
    ok("gan-data", "x.safetensors", "-o", "x.png")
    ok("gan-gif", "x.safetensors", "--grid", "1x3", "-o", "y.png")
    page = png("y.png").astype(int)
    dots, empty, full = np.split(page, 3)
    assert len(np.unique(empty)) == 1
    assert (full - empty).sum() > 2 * (dots - empty).sum() > 0
    assert np.array_equal(png("x.png"), page), "that is the layout without --grid, too"


def test_a_film_keeps_each_letter_in_its_place(ok, save, png):
    texts = np.array([[[1, 2, 3]], [[1, 2, 1]]], np.uint8)
    save("film", letters=texts, alphabet=" abc", frames=[{"step": 1}, {"step": 2}])
    ok("gan-gif", "film.safetensors", "-o", "film/")
    one, two = (png(f"film/{number:06}.png").astype(int) for number in (0, 1))
    assert one.shape == two.shape
    third = one.shape[1] // 3
    assert np.array_equal(one[:, : 2 * third - 4], two[:, : 2 * third - 4])
    assert not np.array_equal(one, two)
    ok("gan-gif", "film.safetensors", "-o", "sheet.png")
    assert png("sheet.png").shape == (2 * one.shape[0], one.shape[1]), "time runs downwards"
    ok("gan-gif", "film.safetensors", "--caption", "step {step}", "-o", "film.gif")


def test_long_texts_go_on_in_the_next_line_and_signs_without_a_shape_are_boxes(ok, save, png):
    alphabet = " a\U00012000\u4e00ש"
    save("x", letters=np.tile(np.arange(5, dtype=np.uint8), (1, 40)), alphabet=alphabet)
    ok("gan-gif", "x.safetensors", "-o", "x.png")
    page = png("x.png")
    assert page.shape[0] == 4 * (page.shape[0] // 4), "200 letters, 64 in a line"
    line = page[: page.shape[0] // 4]
    assert len(np.unique(line)) > 1


def test_info_shows_what_there_is(ok, made):
    made("toy:sentences", "--limit", 5)
    lines = ok("gan-info", "made.safetensors", "--preview", "p.png").out.decode().split("\n")
    assert any(line.startswith('  alphabet: 20 letters, " abc') for line in lines)
    about = json.loads(ok("gan-info", "--json", "made.safetensors").out)
    assert about["texts"]["count"] == 5
    assert len(about["texts"]["first"]) == 3
    assert all(map(grammar.is_grammatical, about["texts"]["first"]))


def test_a_quiz_and_a_report_take_texts_and_a_plot_says_what_to_do(ok, made, fails, tmp_path):
    made("toy:sentences", "--limit", 9)
    ok("gan-quiz", "made.safetensors", "made.safetensors", "-n", 3, "-o", "quiz.html")
    assert '"noun":"text"' in (tmp_path / "quiz.html").read_text().replace(" ", "")
    ok("gan-report", "made.safetensors", "-o", "report.html")
    assert fails("gan-plot", "made.safetensors", "-o", "x.png") == (
        "gan-plot: made.safetensors: is of texts; gan-gif and gan-sample -o FILE.png draw them, gan-plot their log"
    )


# ------------------------------------------------------------------------------------------ laws


@settings(max_examples=60)
@given(st.data())
def test_texts_come_back_from_letters(data):
    alphabet = data.draw(ALPHABETS.filter(letters.is_alphabet))
    texts = data.draw(st.lists(st.text(alphabet, max_size=12).map(lambda text: text.rstrip(" ")), max_size=8))
    rows = letters.encoded(texts, alphabet, 12)
    assert letters.decoded("x", rows, alphabet) == texts
    one_hot = letters.OneHot("x", rows, len(alphabet))
    assert one_hot[:].shape == one_hot.shape == (len(texts), 12, len(alphabet))
    assert np.array_equal(np.asarray(one_hot).argmax(2), rows)
    assert (np.asarray(one_hot).sum(2) == 1).all()


def test_many_texts_stay_on_disk_and_read_the_same(made, tmp_path, monkeypatch):
    made("toy:sentences", "--limit", 200)
    with open_samples(str(tmp_path / "made.safetensors")) as whole:
        expected = np.asarray(whole.array)
    monkeypatch.setattr(budget, "IN_MEMORY", 100)
    with open_samples(str(tmp_path / "made.safetensors")) as samples:
        assert not isinstance(samples.letters, np.ndarray)
        assert samples.array.shape == (200, 32, 20)
        assert np.array_equal(samples.array[np.array([7, 3, 150])], expected[[7, 3, 150]])
        assert np.array_equal(samples.array[5], expected[5])


def test_shapes_say_what_samples_are():
    assert [kinds.modality_of_shape(shape).noun for shape in ((8, 1), (8, 2), (8, 3), (8, 256), (8,), (8, 8, 3))] == (
        ["sounds", "sounds", "texts", "texts", "points", "pictures"]
    )


# ------------------------------------------------------------------------------------------ from Python


def test_texts_from_python(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    ganutils.write("x.safetensors", texts=[["one", "two "], ["", "six"]], length=5, labels=[[0, 1], [1, 0]])
    data = ganutils.read("x.safetensors")
    assert (data.letters.shape, data.alphabet, data.texts) == ((2, 2, 5), " einostwx", ["one", "two", "", "six"])
    ganutils.write("y.safetensors", texts=["tin"], meta=data.meta)
    assert ganutils.read("y.safetensors").alphabet == data.alphabet
    ganutils.write("y.txt", texts=["schön", "ab"])
    assert (tmp_path / "y.txt").read_text(encoding="utf-8") == "schön\nab\n"
    assert ganutils.read("x.safetensors").images is None


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"texts": [1, 2]}, r"texts: are int64 \[2\]; give strings"),
        ({"texts": "abc"}, r"texts: are <U3 \[\]; give strings"),
        ({"texts": []}, "texts: are"),
        ({"texts": ["a\x1b"]}, "is no alphabet, which is a text of 3 to 256"),
        ({"texts": ["aaa"]}, "is no alphabet"),
        ({"texts": ["abc"], "length": 2}, "the longest has 3 letters, and length is 2; give 3 or more"),
        ({"texts": ["abz"], "meta": {"alphabet": " ab"}}, "'z' is not in the alphabet in meta"),
        ({"texts": ["ab"], "meta": {"alphabet": "ab"}}, "is no alphabet"),
        ({"texts": ["ab" * 40_000]}, "asks for 80,000 letters in each text"),
        ({"texts": ["ab", "c"], "labels": [1]}, "does not match letters"),
        ({"points": np.zeros((2, 2)), "length": 3}, "length: is of texts"),
    ],
)
def test_python_refuses_what_is_no_text(tmp_path, given, said):
    with pytest.raises(ganutils.Error, match=said):
        ganutils.write(tmp_path / "x.safetensors", **given)
    assert not (tmp_path / "x.safetensors").exists()


@pytest.mark.skipif(not shutil.which("node"), reason="needs node")
def test_a_page_writes_the_likeliest_letters():
    random = np.random.default_rng(0)
    shares, alphabet = random.random((3, 5, 7), np.float32), " aé\U0001f600b"
    script = (ROOT / "ganutils" / "pages" / "static" / "texts.js").read_text()
    before = f"""
const written = [], context = {{ fillRect() {{}}, fillText: (text) => written.push(text) }};
const element = {{ style: {{ setProperty() {{}} }}, getContext: () => context }}, $ = () => element;
const data = {{ shape: [7, 5], alphabet: {json.dumps(alphabet)} }};"""
    after = f"paint(Float32Array.from({shares.ravel().tolist()}), 3);\nconsole.log(JSON.stringify(written));"
    done = subprocess.run(["node", "-e", f"{before}\n{script}\n{after}"], capture_output=True, check=True)
    assert json.loads(done.stdout) == letters.decoded("x", shares.argmax(1).astype(np.uint8), alphabet)
