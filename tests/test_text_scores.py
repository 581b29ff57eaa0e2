"""gan-eval and gan-label on texts: what is counted, against what is known; shuffled texts; and what is left out."""

import collections
import itertools
import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ganutils.evaluation import metrics, texts
from ganutils.files import container, letters

OF_PICTURES = {"sliced_wasserstein", "nearest_real", "authenticity", "psnr", "modes"}


@pytest.fixture
def write(tmp_path):
    """write("x.safetensors", ["a cat", ...], ...) -> its name; of toy sentences, if their alphabet is not given."""

    def one(name, lines, alphabet=" abcdeghilmnoprstuwy", length=32, toy="sentences", **meta):
        rows = {"letters": letters.encoded(lines, alphabet, length)}
        about = {"alphabet": alphabet, **({"toy": {"name": toy}} if toy else {}), **meta}
        container.write(str(tmp_path / name), "samples", rows, about)
        return name

    return one


@pytest.fixture
def score(ok):
    """score("real", "fake", ...) -> the JSON objects it prints"""
    return lambda *words: [json.loads(line) for line in ok("gan-eval", *words, "-q").out.splitlines()]


@pytest.fixture
def toy(made):
    """A file of 400 sentences."""
    made("toy:sentences", "--limit", 400)
    return "made.safetensors"


# ------------------------------------------------------------------------------------------ what is counted


def test_sentences_are_parsed_and_counted(write, score):
    real = write("real.safetensors", ["a cat sits", "the dogs run", "two owls see a cat", "one boy naps at home"] * 3)
    lines = ["a cat sits"] * 2 + [
        "the dogs run",
        "the dog run",
        "",
        "dogs",
        "an owl sits",
        "all boys sit in town",
    ]
    (found,) = score(real, write("fake.safetensors", lines))
    assert found["grammatical"] == 5 / 8
    assert found["distinct"] == 7 / 8
    assert found["copied"] == 3 / 8
    assert found["distinct_real"] == pytest.approx(4 / 12, rel=1e-5)
    assert not OF_PICTURES & found.keys()
    assert (found["features"]["name"], found["features"]["width"]) == ("pairs of letters", 400)


def test_other_texts_have_no_grammar(write, score):
    lines = ["one", "two", "six", "ten", "net", "toe"]
    (found,) = score(write("a.safetensors", lines, " einostwx", 3, None), "a.safetensors")
    assert "grammatical" not in found
    assert (found["js3"], found["copied"], found["distinct"]) == (0, 1, 1)


def test_toy_sentences_lie_between_their_halves_and_shuffled_ones(toy, ok, score):
    ok("gan-data", "toy:sentences", "--limit", 400, "--seed", 1, "-o", "more.safetensors")
    by_letter, by_word, fake = score(toy, "more.safetensors", "--baseline")
    assert [by_letter["fake"], by_word["fake"]] == [
        "shuffled letters of made.safetensors",
        "shuffled words of made.safetensors",
    ]
    assert fake["grammatical"] == 1
    assert by_letter["grammatical"] < 0.01
    assert by_word["grammatical"] < 0.2
    assert fake["js3"] < 0.3 * by_word["js3"] < 0.1 * by_letter["js3"]
    assert fake["js3"] < 4 * fake["js3_real"], "halves are of the same kind"
    assert by_letter["frechet_distance"] > 10 * fake["frechet_distance"]
    lines = ok("gan-eval", toy, "more.safetensors", "--baseline", "--table", "-q").out.decode().splitlines()
    assert [name for name in ("grammar↑", "JS3↓", "distinct↑", "copied") if name in lines[0]] == lines[0].split()[2:6]


def test_best_and_repeats(toy, write, score):
    write("bad.safetensors", ["a cat a cat a cat"] * 50)
    (found,) = score(toy, "bad.safetensors", toy, "--best")
    assert found["fake"] == toy
    (found,) = score(toy, toy, "--repeats", 3)
    assert found["grammatical"] == 1
    assert found["deviation"]["grammatical"] == 0
    assert 0 < found["deviation"]["js3"] < found["js3"] < 0.1


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({"alphabet": " abcdeghilmnoprstuwz"}, "its texts have another alphabet than those of made.safetensors"),
        ({"length": 20}, "samples are 20 letters of 20, those of made.safetensors 32 letters of 20"),
    ],
)
def test_other_texts_are_refused(toy, write, fails, other, said):
    write("other.safetensors", ["a cat"] * 9, **other)
    message = fails("gan-eval", toy, "other.safetensors")
    assert message.startswith("gan-eval: other.safetensors: ")
    assert said in message


def test_what_is_not_for_texts_is_refused(toy, pictures, fails):
    message = "is for pictures, and made.safetensors holds texts; leave it out"
    assert message in fails("gan-eval", toy, toy, "--features", "pixels")
    assert "samples are" in fails("gan-eval", toy, pictures)
    assert "these samples do not keep latents" in fails("gan-arith", toy, "0 - 1", "--pixels", "-o", "x.safetensors")


def test_labels_of_texts_are_found_by_their_letters(ok, content):
    for name, count, seed in (("a", 900, 0), ("b", 300, 1)):
        ok("gan-data", "toy:sentences", "--limit", count, "--seed", seed, "-o", f"{name}.safetensors")
    true = content("b.safetensors")[1]["labels"]
    ok("gan-label", "b.safetensors", "--like", "a.safetensors", "-o", "c.safetensors")
    meta, tensors = content("c.safetensors")
    assert (tensors["labels"] == true).mean() > 0.75
    assert meta["alphabet"].startswith(" abc")


# ------------------------------------------------------------------------------------------ against plain Python

LINES = st.lists(st.text("ab ", max_size=7).map(lambda text: text.rstrip(" ")), min_size=1, max_size=6)


def plain_ngrams(lines, n):
    padded = (" " * (n - 1) + line + " " * (n - 1) for line in lines if line)
    return collections.Counter(text[at : at + n] for text in padded for at in range(len(text) - n + 1))


def plain_divergence(x, y):
    p, q = plain_ngrams(x, 3), plain_ngrams(y, 3)
    if not p or not q:
        return 1.0
    p, q = ({key: count / sum(each.values()) for key, count in each.items()} for each in (p, q))
    middle = {key: (p.get(key, 0) + q.get(key, 0)) / 2 for key in {*p, *q}}
    return sum(share * math.log2(share / middle[key]) / 2 for each in (p, q) for key, share in each.items())


@settings(max_examples=80)
@given(LINES, LINES)
def test_the_divergence_is_what_its_definition_says(x, y):
    one, other = (letters.OneHot("x", letters.encoded(lines, " ab", 7), 3) for lines in (x, y))
    assert texts.divergence(one, other) == pytest.approx(plain_divergence(x, y), abs=1e-9)
    assert texts.divergence(one, other) == pytest.approx(texts.divergence(other, one), abs=1e-12)
    assert texts.divergence(np.asarray(one), np.asarray(other)) == texts.divergence(one, other)


@settings(max_examples=60)
@given(LINES)
def test_pairs_of_letters_are_counted(lines):
    counts = texts.pairs_of_letters(letters.OneHot("x", letters.encoded(lines, " ab", 7), 3))
    pairs = ["".join(pair) for pair in itertools.product(" ab", repeat=2)]
    assert counts.tolist() == [[plain_ngrams([line], 2)[pair] for pair in pairs] for line in lines]
    assert texts.pairs_of_letters(np.eye(256, dtype=np.uint8)[None]).shape == (1, 509)


@settings(max_examples=60)
@given(LINES, st.integers(0, 99))
def test_shuffled_texts_have_the_same_letters_and_words(lines, seed):
    one = letters.OneHot("x", letters.encoded(lines, " ab", 7), 3)
    mixed = letters.decoded("x", texts.letters_of(texts.shuffled(one, seed)), " ab")
    for line, other in zip(lines, mixed, strict=True):
        assert sorted(line.replace(" ", "")) == sorted(other.replace(" ", ""))
        assert len(other) <= len(line), "nothing stands behind the end"
    mixed = letters.decoded("x", texts.letters_of(texts.shuffled_words(one, " ab", seed)), " ab")
    for line, other in zip(lines, mixed, strict=True):
        assert sorted(line.split()) == sorted(other.split())


def test_divergence_of_distributions():
    assert metrics.jensen_shannon(np.array([1, 0]), np.array([0, 7])) == 1
    assert metrics.jensen_shannon(np.array([1, 3]), np.array([2, 6])) == 0
    assert metrics.jensen_shannon(np.array([0, 0]), np.array([2, 6])) == 1
