"""gan-arith as it is typed."""

import json

import numpy as np
import pytest
from PIL import Image

from ganutils import Error
from ganutils.files import container
from ganutils.latents.expressions import as_predicate, implied_target, parse

SUM = "[smiling & ~hat] - [~smiling & ~hat] + [~smiling & hat]"


@pytest.fixture
def labeled(tmp_path):
    """Forty samples of 4x4 in labeled.safetensors whose first two latents say how far they smile and have a hat."""
    random = np.random.default_rng(0)
    latents = random.standard_normal((40, 6)).astype("f4")
    attributes = 1 / (1 + np.exp(-4 * latents[:, :2]))
    images = random.integers(0, 256, (40, 4, 4, 3)).astype("u1")
    tensors = {"images": images, "latents": latents, "attributes": attributes}
    meta = {"attributes": ["smiling", "hat"], "prior": "normal", "lineage": ["made by hand"]}
    container.write(str(tmp_path / "labeled.safetensors"), "samples", tensors, meta)
    return "labeled.safetensors"


def test_rows_are_averaged_and_summed(ok, content, labeled):
    ok("gan-arith", labeled, "3,17,30-31 - 5 + 8,12", "-o", "sum.safetensors")
    z = content(labeled)[1]["latents"].astype("f8")
    meta, found = content("sum.safetensors")
    rows = [3, 17, 30, 31, 5, 8, 12]
    means = [z[rows[:4]].mean(0), z[5], z[[8, 12]].mean(0)]
    found = found["latents"]
    assert found.shape == (7 + 3 + 9, 6)
    assert np.array_equal(found[:7], z[rows].astype("f4"))
    assert np.allclose(found[7:10], means, atol=1e-6)
    assert np.allclose(found[14], means[0] - means[1] + means[2], atol=1e-6)  # the middle of the nine
    around = np.delete(found[10:], 4, axis=0) - found[14]
    assert 0.2 < abs(around).max() <= 0.25 + 1e-6
    assert len(np.unique(around)) == 48
    assert meta["prior"] == "normal"
    assert meta["lineage"] == [
        "made by hand",
        "gan-arith labeled.safetensors '3,17,30-31 - 5 + 8,12' -o sum.safetensors",
    ]


def test_the_layout_is_the_papers_figure(ok, content, labeled):
    ok("gan-arith", labeled, "0-2 - 3-5 + 6-8", "-o", "sum.safetensors")
    minus = "\N{MINUS SIGN}"
    assert content("sum.safetensors")[0]["layout"] == [
        [0, None, 3, None, 6, None, None, None, None],
        [1, None, 4, None, 7, None, 12, 13, 14],
        [2, None, 5, None, 8, None, 15, 16, 17],
        [9, minus, 10, "+", 11, "=", 18, 19, 20],
    ]
    ok("gan-arith", "--pixels", "-o", "pixels.safetensors", "--", labeled, "- 1,2 + 6")
    assert content("pixels.safetensors")[0]["layout"] == [
        [None, 0, None, None, None, None],
        [None, 1, None, 2, None, None],
        [minus, 3, "+", 4, "=", 5],
    ]


def test_a_predicate_takes_the_surest(ok, content, labeled):
    z = content(labeled)[1]["latents"]
    messages = ok("gan-arith", labeled, SUM, "--top", 2, "-o", "sum.safetensors").lines
    found = content("sum.safetensors")[1]["latents"]
    sure = np.minimum(z[:, 0], -z[:, 1])  # smiling & ~hat: as sure as its weaker half
    rows = np.argsort(-sure)[:2]
    assert np.array_equal(found[:2], z[rows])
    assert messages[0].startswith(f"[smiling & ~hat]: rows {rows[0]} (")


def test_of_many_exemplars_five_are_shown_and_all_are_averaged(ok, content, labeled):
    z = content(labeled)[1]["latents"].astype("f8")
    smiling = np.flatnonzero(z[:, 0] > 0)
    smiling = smiling[np.argsort(-z[smiling, 0])]
    assert len(smiling) > 10
    for top, taken in ((8, smiling[:8]), (1000, smiling)):  # no more than it holds of, none twice
        ok("gan-arith", labeled, "[smiling] - 0-6", "--top", top, "-o", "all.safetensors")
        meta, found = content("all.safetensors")
        assert np.array_equal(found["latents"][:12], z[[*smiling[:5], *range(7)]].astype("f4"))
        assert np.allclose(found["latents"][12:14], [z[taken].mean(0), z[:7].mean(0)], atol=1e-6)
        assert len(found["latents"]) == 12 + 2 + 9
        assert [row[0] for row in meta["layout"]] == [None, None, 0, 1, 2, 3, 4, 12]
        ok("gan-arith", labeled, "[smiling] - 0-6", "--top", top, "--pixels", "-o", "pixels.safetensors")
        assert len(content("pixels.safetensors")[1]["images"]) == 12 + 2 + 1


def test_equally_sure_samples_are_taken_by_row(ok, content, tmp_path):
    z = np.arange(12, dtype="f4").reshape(6, 2)
    tensors = {"images": np.zeros((6, 4, 4, 1), "u1"), "latents": z, "labels": np.array([1, 0, 1, 1, 0, 1])}
    container.write(str(tmp_path / "s.safetensors"), "samples", tensors, {"classes": ["cat", "hot dog"]})
    ok("gan-arith", "s.safetensors", "[hot dog] - [cat]", "--top", 3, "-o", "sum.safetensors")
    assert np.array_equal(content("sum.safetensors")[1]["latents"][:5], z[[0, 2, 3, 1, 4]])


def test_pixels_are_summed_as_latents_are(ok, content, labeled):
    ok("gan-arith", labeled, "0,1 - 2,3 + 4", "--pixels", "-o", "sum.safetensors")
    pictures = content(labeled)[1]["images"].astype("f8")
    found = content("sum.safetensors")[1]["images"]
    assert found.shape == (5 + 3 + 1, 4, 4, 3)
    assert np.array_equal(found[:5], pictures[:5])
    total = pictures[:2].mean(0) - pictures[2:4].mean(0) + pictures[4]
    assert abs(found[8] - total.clip(0, 255)).max() <= 0.5


def test_from_samples_to_the_figure(ok, content, checkpoint, tmp_path):
    ok("gan-sample", checkpoint, "-n", 12, "-o", "s.safetensors")
    summed = ok("gan-arith", "0-2 - 3-5 + 6-8", stdin=(tmp_path / "s.safetensors").read_bytes()).out
    ok("gan-sample", checkpoint, "--latents", "-", "-o", "figure.safetensors", stdin=summed)
    assert "layout" in content("figure.safetensors")[0]
    ok("gan-arith", "s.safetensors", "0-2 - 3-5 + 6-8", "--pixels", "-o", "pixels.safetensors")
    ok("gan-gif", "figure.safetensors", "pixels.safetensors", "--column-labels", "latents,pixels", "-o", "both.png")
    assert Image.open(tmp_path / "both.png").height >= 4 * 8


def test_a_direction_is_the_difference_of_means(ok, content, labeled):
    message = ok("gan-arith", labeled, "--direction", "smiling", "-o", "way.safetensors").err
    z = content(labeled)[1]["latents"]
    smile = z[:, 0] > 0
    assert np.allclose(content("way.safetensors")[1]["latents"], z[smile].mean(0) - z[~smile].mean(0), atol=1e-6)
    assert f"from {(~smile).sum()} samples to {smile.sum()}, length " in message
    slide = ("gan-interp", labeled, "--rows", 3, "--along", "way.safetensors", "--reach", 1, "--frames", 3)
    ok(*slide, "-o", "slider.safetensors")
    film = content("slider.safetensors")[1]["latents"][:, 0]
    assert np.allclose(film[2] - film[1], z[smile].mean(0) - z[~smile].mean(0), atol=1e-5)


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["3,40"], "there is no row 40; rows go from 0 to 39"),
        (["[smilin]"], "'smilin' is not known; did you mean smiling?"),
        (["[smiling & ~smiling]"], "[smiling & ~smiling] holds for none of the 40 samples (highest: row "),
        (["[smiling] [hat]"], "expected + or - at '[hat]'"),
        (["[smiling] - "], "expected a [predicate] or rows like 3,17,40 at its end"),
        (["[smiling"], "expected a [predicate] or rows like 3,17,40 at '[smiling'"),
        (["[smiling &]"], "expected a name, ~ or ("),
        (["9-3"], "'9-3' is not a rising range"),
        (["--direction", "smiling | ~smiling"], "holds for all of the 40 samples; a direction needs some of both"),
    ],
)
def test_sums_that_cannot_be_made(fails, labeled, words, problem):
    line = fails("gan-arith", labeled, *words, "-o", "x.safetensors")
    assert line.startswith(f"gan-arith: {labeled}: ")
    assert problem in line


def test_what_samples_must_have(fails, pictures, checkpoint, ok):
    assert "these samples do not keep latents" in fails("gan-arith", pictures, "[0] - [1]", "-o", "x.safetensors")
    ok("gan-sample", checkpoint, "-o", "s.safetensors", "-q")
    line = fails("gan-arith", "s.safetensors", "[smiling]", "-o", "x.safetensors")
    assert "its samples have no labels or attributes; add some with gan-label" in line


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["s.safetensors", "1 - 2", "--direction", "hat"], "give EXPR or --direction"),
        (
            ["s.safetensors", "1 - 2", "--pixels", "--score", "c", "--like", "d"],
            "and --score exclude each other",
        ),
        (["s.safetensors", "1 - 2", "--score", "c"], "--score CKPT and --like LABELED need each other"),
    ],
)
def test_usage(fails, words, problem):
    assert problem in fails("gan-arith", *words, code=2)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (SUM, {"smiling": True, "hat": True}),
        ("[hat & ~smiling] - [~hat & ~smiling] + [~hat & smiling]", {"hat": True, "smiling": True}),
        ("[~hat] - [hat] + [hat & smiling]", {"hat": False, "smiling": True}),
        ("[hat] - [~hat] + [hat & smiling]", {"hat": True, "smiling": True}),  # no more than a hat
        ("[~(hat | smiling)]", {"hat": False, "smiling": False}),
        ("[hat & smiling] - [hat] + [~hat]", {"hat": False, "smiling": True}),  # the others smile or not, equally
        ("[hat | smiling] - [~hat] + [~hat]", {}),
        ("[hat] - [~hat]", {}),
        ("1,2 - [hat] + [hat]", {}),
    ],
)
def test_the_target_of_a_sum(text, wanted):
    assert implied_target(parse(text, ["hat", "smiling"])) == wanted


def test_a_target_is_written_as_a_predicate():
    names = {"hot dog": True, "a & b": False, "(": True}
    from ganutils.samples import predicates

    parsed = predicates.parse(as_predicate(names), names)
    assert parsed.names == tuple(names)
    cases = {name: np.array([has, not has], "f4") for name, has in names.items()}
    assert parsed.holds(cases).tolist() == [True, False]


def test_minus_can_be_typed_as_it_is_printed():
    signs = [term.sign for term in parse("- 1 + 2 \N{MINUS SIGN} [hat]", ["hat"])]
    assert signs == [-1, 1, -1]
    with pytest.raises(Error, match="a \\[predicate\\] or rows"):
        parse("", [])


@pytest.fixture
def scored(ok, content, tmp_path, pictures):
    """scored(...) -> what --score prints, of dark and bright samples of a GAN before any training."""
    model = ("--width", 8, "--z-dim", 4, "--blocks", 0, "--batch", 16)
    ok("gan-loop", pictures, *model, "--steps", 0, "-o", "gan.ckpt", "-q")
    ok("gan-sample", "gan.ckpt", "-n", 300, "--seed", 1, "-o", "own.safetensors", "-q")
    images = content("own.safetensors")[1]["images"]
    levels = images.mean((1, 2, 3))
    tensors = {"images": images, "attributes": (levels > np.median(levels))[:, None].astype("f4")}
    container.write(str(tmp_path / "like.safetensors"), "samples", tensors, {"attributes": ["bright"]})
    learning = ("--like", "like.safetensors", "--features", "gan.ckpt")
    ok("gan-sample", "gan.ckpt", "-n", 300, "-o", "s.safetensors", "-q")
    ok("gan-label", "s.safetensors", *learning, "-o", "labeled.safetensors", "-q")
    words = ("gan-arith", "labeled.safetensors")
    return lambda *more: json.loads(ok(*words, *more, "--score", "gan.ckpt", *learning, "--draws", 20).out)


def test_a_sample_alone_has_what_it_was_chosen_for(scored):
    found = scored("[bright]", "--top", 1)
    assert found["target"] == "bright"
    for kind in ("latents", "pixels"):  # the sum of one sample is that sample, in latents and in pixels
        assert found[kind] == {"target": 1, "among_samples": 1, "both": 1, "parts": {"bright": 1}}
    assert found == scored("[bright]", "--top", 1)
    other = scored("[bright]", "--top", 1, "--target", "~bright")
    assert other["latents"]["target"] == other["pixels"]["both"] == 0


def test_a_ghost_has_what_it_should_and_is_no_sample(scored):
    found = scored("[bright] - [~bright] + [bright]", "--top", 3, "--target", "bright")["pixels"]  # brighter than any
    assert found == {"target": 1, "among_samples": 0, "both": 0, "parts": {}}


def test_sums_that_cannot_be_scored(fails, scored):
    words = ("gan-arith", "labeled.safetensors")
    learning = ("--like", "like.safetensors", "--features", "gan.ckpt", "-q")
    line = fails(*words, "1,2 - 3", "--score", "gan.ckpt", *learning)
    assert "1,2 always means the same samples; a score needs [predicates]" in line
    line = fails(*words, "[bright] - [~bright]", "--score", "gan.ckpt", *learning)
    assert "does not follow from its terms; give --target" in line
    line = fails(*words, "[bright]", "--score", "gan.ckpt", *learning, "--target", "dark")
    assert "'dark' is not known; choose from bright" in line


def test_latents_whose_sum_overflows_are_refused(fails, tmp_path):
    tensors = {"images": np.zeros((2, 4, 4, 1), "u1"), "latents": np.full((2, 3), 3e38, "f4")}
    container.write(str(tmp_path / "s.safetensors"), "samples", tensors, {})
    line = fails("gan-arith", "s.safetensors", "0 + 1", "-o", "x.safetensors")
    assert "s.safetensors: its latents, or directions, are so long that the result overflows" in line
