"""What sentences claim, and the scores of what was said: what is found in samples, and which sentence they are of."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ganutils.evaluation import matching, metrics
from ganutils.evaluation.said import Said, said_of
from ganutils.files import container
from ganutils.samples import captions
from ganutils.samples.samples import open_samples
from ganutils.samples.sources import faces, portraits, shapes
from ganutils.samples.sources.claims import claims_about
from ganutils.samples.sources.sentences import Picker

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


def test_what_was_said_is_looked_for_in_samples(ok, fails, score, extractor_of, real, content, root, tmp_path):
    meta, tensors = content(real)
    del meta["format"], meta["kind"]
    rolled = {**tensors, "captions": np.roll(tensors["captions"], 1, 0)}
    container.write(str(tmp_path / "wrong.safetensors"), "samples", rolled, meta)
    del tensors["captions"]
    container.write(str(tmp_path / "attributes.safetensors"), "samples", tensors, meta)
    own, wrong, attributes = score(real, real, "wrong.safetensors", "attributes.safetensors")
    assert own["said"] == own["said_real"] == wrong["said_real"] > 0.7
    assert own["said_attributes"].keys() == set(shapes.ATTRIBUTES)
    assert own["said"] == pytest.approx(np.mean([*own["said_attributes"].values()]), rel=1e-4)
    assert wrong["said"] < 0.65 and wrong["said_whole"] < own["said_whole"]
    assert own["sharpness"] == wrong["sharpness"] == 1
    assert own["r_precision"] > 0.3 > wrong["r_precision"] and own["r_precision_real"] is not None
    assert own["matcher"]["name"] == "matcher" and own["notes"] == wrong["notes"]
    assert attributes["said"] == pytest.approx(own["said"], abs=0.1) and "r_precision" not in attributes
    kept = sorted((root / "extractors").iterdir())
    assert "said" in ok("gan-eval", real, real, "--root", root, "--table").out.decode()
    assert sorted((root / "extractors").iterdir()) == kept, "the classifier and the matcher are trained once"
    line = fails("gan-eval", real, real, "--features", extractor_of(own["matcher"]))
    assert "tells which sentence a picture is of, and is no classifier" in line


def test_checkpoints_are_told_what_real_rows_say(ok, score, real, root):
    tiny = ["--width", 1, "--z-dim", 2, "--batch", 4, "--steps", 1, "-q"]
    for kind in ("captions", "attributes"):
        ok("gan-loop", real, *tiny, "--conditional", kind, "-o", f"{kind}.ckpt")
    ok("gan-loop", real, *tiny, "-o", "neither.ckpt")
    told, set_, neither = score(real, "captions.ckpt", "attributes.ckpt", "neither.ckpt", "--repeats", 2)
    assert 0.3 < told["said"] < 0.7 and told["r_precision"] < 0.3 and "said" in told["deviation"]
    assert 0.3 < set_["said"] < 0.7 and "r_precision" not in set_
    assert "said" not in neither and "r_precision" not in neither
    ok("gan-sample", "captions.ckpt", "-n", 40, "-o", "made.safetensors")
    ok("gan-label", "made.safetensors", "--like", real, "--root", root, "-o", "labeled.safetensors")
    (made, labeled) = score(real, "made.safetensors", "labeled.safetensors")
    assert made["said"] == labeled["said"], "by the sentences, not by what was found"
    text = ok("gan-eval", "--diagnose", "captions.ckpt", real, "--root", root).out.decode()
    assert text.startswith("captions.ckpt at step 1:")


def test_attributes_that_gan_label_found_were_not_told(ok, score, real, content, root):
    ok("gan-loop", real, "--width", 1, "--z-dim", 2, "--batch", 4, "--steps", 1, "-o", "x.ckpt", "-q")
    ok("gan-sample", "x.ckpt", "-n", 40, "-o", "made.safetensors")
    ok("gan-label", "made.safetensors", "--like", real, "--root", root, "-o", "labeled.safetensors")
    assert content("labeled.safetensors")[0]["found"] is True
    (scores,) = score(real, "labeled.safetensors")
    assert "said" not in scores


def test_sentences_that_nobody_understands_count_for_all_attributes(score, described):
    """Twelve pictures of noise: too few for a matcher."""
    (scores,) = score(described(), "described.safetensors")
    assert scores["said_attributes"].keys() == {"red", "big", "old"} and "r_precision" not in scores
    assert "said is about all attributes, also those that a sentence does not mention" in scores["notes"]
