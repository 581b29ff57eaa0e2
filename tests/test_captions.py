"""Captions: in files and Python, and the words in them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import ganutils
from ganutils.samples import captions

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=200)
EVIL = "a\x1b[2J\n\x9b31m\u202e \U0001f600"


def pictures(count):
    return np.random.default_rng(count).integers(0, 256, (count, 8, 8, 1), "u1")


@pytest.fixture
def captioned(save):
    """captioned("x", [["a"], ["b", "c"]]) -> "x.safetensors", of pictures with these captions."""
    return lambda name, texts, **about: save(
        name, images=pictures(len(texts)), captions=captions.packed(texts), **about
    )


# ------------------------------------------------------------------------------------------- in files


@given(st.lists(st.lists(TEXTS, max_size=4), max_size=5))
def test_any_text_comes_back(texts):
    packed = captions.packed(texts)
    assert packed.dtype == np.uint8 and packed.shape[0] == len(texts)
    assert captions.texts("x", packed) == [[text for text in each if text] for each in texts]
    joined = captions.Joined([packed, captions.packed([["a longer one"] * 9])])
    assert captions.texts("x", joined[np.arange(len(texts))]) == captions.texts("x", packed)


@pytest.mark.parametrize(
    ("texts", "problem"),
    [
        ([["a"] * 65], "captions: a sample has 65; give at most 64"),
        ([["é" * 513]], "has 1,026 bytes; give at most 1,024"),
        ([["a\0b"]], "captions: 'a\\x00b' has a zero byte in it; leave it out"),
        ([["\ud800"]], "captions: '\\ud800' is not valid text"),
    ],
)
def test_what_no_file_holds_is_refused(tmp_path, texts, problem):
    with pytest.raises(ganutils.Error) as refused:
        ganutils.write(tmp_path / "x.safetensors", images=pictures(1), captions=texts)
    assert problem in str(refused.value)
    assert not list(tmp_path.iterdir())


def test_captions_in_python(tmp_path):
    path = tmp_path / "x.safetensors"
    ganutils.write(path, images=pictures(3), captions=["a cat", ["ü", EVIL], []])
    assert ganutils.read(path).captions == [["a cat"], ["ü", EVIL], []]
    ganutils.write(path, images=pictures(3)[:, None], captions=["a", "b", "c"])  # a film
    assert ganutils.read(path).captions == [["a"], ["b"], ["c"]]
    ganutils.write(path, latents=np.zeros((1, 4)), captions=["a"])
    assert (ganutils.read(path).meta["kind"], ganutils.read(path).captions) == ("latents", [["a"]])
    ganutils.write(path, points=np.zeros((1, 2)))
    assert ganutils.read(path).captions == []
    with pytest.raises(ganutils.Error, match="are of 2 samples, and there are 1; give a list for each"):
        ganutils.write(path, points=np.zeros((1, 2)), captions=["a", "b"])


@pytest.mark.parametrize(
    ("shape", "problem"),
    [
        ((2, 65, 1), "damaged: captions are [65, 1], not 1 to 64 of 1 to 1,024 bytes each"),
        ((2, 1, 1025), "damaged: captions are [1, 1025]"),
        ((2, 0, 9), "damaged: captions are [0, 9]"),
        ((3, 1, 9), "damaged: captions is uint8 [3, 1, 9], which does not match images [2, 8, 8, 1]"),
    ],
)
def test_captions_of_another_shape_are_refused(fails, save, shape, problem):
    assert problem in fails("gan-info", save("x", images=pictures(2), captions=np.zeros(shape, "u1")))


@pytest.mark.parametrize(("text", "problem"), [(b"\xff", "is not UTF-8 text"), (b"a\0b", "has a zero byte in it")])
def test_damaged_captions_are_named(save, tmp_path, text, problem):
    file = save("x", images=pictures(1), captions=np.frombuffer(text, "u1").reshape(1, 1, -1).copy())
    with pytest.raises(ganutils.Error, match=f"x.safetensors: damaged: one of its captions {problem}"):
        ganutils.read(tmp_path / file)


def test_captions_are_selected_and_joined_with_their_pictures(made, captioned):
    texts = [["dark"], ["light", "bright"], ["gray"], ["a much longer caption"], []]
    first = captioned("a", texts[:3], labels=np.arange(3), classes=["a", "b", "c"])
    second = captioned("b", texts[3:])
    _, ordered, _ = made(first, second)
    _, tensors, lines = made(first, second, "--shuffle")
    assert lines == ["5 pictures of 8x8x1"]
    assert captions.texts("x", ordered["captions"]) == texts
    order = [[one.tobytes() for one in ordered["images"]].index(one.tobytes()) for one in tensors["images"]]
    assert order != sorted(order)
    assert captions.texts("x", tensors["captions"]) == [texts[row] for row in order]
    _, tensors, _ = made(first, "--classes", "c,b", "--film", "--size", 4, "--derive", "gray")
    assert tensors["captions"].shape == (2, 1, 2, 6)
    assert captions.texts("x", tensors["captions"]) == [["light", "bright"], ["gray"]]
    _, tensors, lines = made(first, "toy:faces", "--limit", 4, "--channels", 1, "--size", 8)
    assert "captions" not in tensors
    assert "skipped captions, which not every source has" in lines


def test_a_run_is_not_continued_with_other_captions(ok, fails, captioned):
    tiny = ["--width", 1, "--z-dim", 2, "--batch", 2, "-o", "x.ckpt"]
    ok("gan-loop", captioned("a", [["dark"], ["light"]]), *tiny, "--steps", 1)
    line = fails("gan-loop", captioned("b", [["dark"], ["red"]]), *tiny, "--steps", 2)
    assert "other captions" in line


# ---------------------------------------------------------------------------------------------- words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("A small, RED circle -- above", ["a", "small", "red", "circle", "above"]),
        ("it's 'here', l\u2019été", ["it's", "here", "l'été"]),
        ("हिन्दी 赤い丸 ﬁn", ["हिन्दी", "赤い丸", "fin"]),
        ("\u202eabc\u2069 \U0001f600\x1b[2J", ["abc", "2j"]),
        ("... !", []),
        ("a " * 100, ["a"] * 48),
    ],
)
def test_words(text, words):
    assert captions.words(text) == words


@given(TEXTS)
def test_words_are_words(text):
    words = captions.words(text)
    assert captions.words(" ".join(words)) == words


def test_the_vocabulary_is_ordered_and_limited():
    assert captions.vocabulary(["b a", "a c", "d"]) == ["a", "b", "c", "d"]
    many = [f"w{number} twice{number // 2}" for number in range(10_001)]
    known = captions.vocabulary(many)
    assert len(known) == 4096 and not any(word.startswith("w") for word in known)
    assert len(captions.vocabulary(many[:3000])) == 4096


def test_tokens_are_numbers_of_words():
    known = captions.vocabulary(["a red circle", "a blue circle"])
    assert known == ["a", "circle", "blue", "red"]
    assert captions.tokens(["A blue star!", "", "circle"], known).tolist() == [[1, 3], [0, 0], [2, 0]]
    assert captions.tokens([], known).shape == (0, 1)
    assert captions.unknown("a green star, a Green cat", known) == ["green", "star", "cat"]
