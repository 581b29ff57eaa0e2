"""gan-interp as it is typed."""

import subprocess
import sys

import numpy as np
import pytest

from ganutils.files import container
from ganutils.latents.draw import draw_latents


@pytest.fixture
def ten(tmp_path):
    """Ten latents of length 6 in ten.safetensors."""
    container.write(str(tmp_path / "ten.safetensors"), "latents", {"latents": draw_latents(0, 10, 6, "normal")}, {})
    return "ten.safetensors"


def test_a_walk_through_rows(ok, content, ten):
    assert "61 frames" in ok("gan-interp", ten, "--rows", "2,7,0", "-o", "walk.safetensors").err
    meta, film = content("walk.safetensors")
    rows = content(ten)[1]["latents"]
    assert film["latents"].shape == (61, 1, 6)
    assert np.array_equal(film["latents"][::30, 0], rows[[2, 7, 0]])
    assert meta["prior"] == "normal"
    assert meta["lineage"] == ["gan-interp ten.safetensors --rows 2,7,0 -o walk.safetensors"]
    assert "layout" not in meta


def test_seeds_are_those_of_gan_sample(ok, content, checkpoint):
    ok("gan-interp", "--seeds", "3,9", "--for", checkpoint, "--frames", 4, "--closed", "-o", "w.safetensors")
    ok("gan-sample", checkpoint, "--seeds", "3,9", "-o", "s.safetensors")
    walk, samples = content("w.safetensors")[1]["latents"], content("s.safetensors")[1]["latents"]
    assert walk.shape == (4, 1, 4)
    assert np.array_equal(walk[[0, 2], 0], samples)


def test_many_walks_at_once_keep_their_grid_to_the_picture(ok, content, checkpoint, tmp_path):
    many = ("gan-interp", "--seeds", "0-11", "--for", checkpoint, "--grid", "3x2", "--frames", 5)
    ok(*many, "-o", "walks.safetensors")
    meta, film = content("walks.safetensors")
    assert film["latents"].shape == (5, 6, 4)
    assert meta["layout"] == [[0, 1, 2], [3, 4, 5]]
    seeded = np.concatenate([draw_latents(seed, 1, 4, "normal") for seed in range(12)])
    assert np.array_equal(film["latents"][0], seeded[:6])
    assert np.array_equal(film["latents"][-1], seeded[6:])
    ok("gan-sample", checkpoint, "--latents", "walks.safetensors", "-o", "film.safetensors")
    assert content("film.safetensors")[0]["layout"] == meta["layout"]
    ok("gan-gif", "film.safetensors", "-o", "film/")
    from PIL import Image

    assert Image.open(tmp_path / "film/000000.png").size == (24, 16)


def test_sheets_are_walked_side_by_side(ok, content, tmp_path):
    sheets = draw_latents(0, 12, 6, "normal").reshape(3, 4, 6)
    container.write(str(tmp_path / "sheets.safetensors"), "latents", {"latents": sheets}, {})
    ok("gan-interp", "sheets.safetensors", "--dwell", 2, "-o", "w.safetensors")
    film = content("w.safetensors")[1]["latents"]
    assert film.shape == (61 + 3 * 2, 4, 6)
    assert np.array_equal(film[[0, 1, 2]], sheets[[0, 0, 0]])


@pytest.mark.parametrize(
    ("words", "shape"),
    [
        (["--kind", "grid", "--rows", "0-3", "--grid", "5x3"], (15, 6)),
        (["--kind", "grid", "--rows", "0-3", "--method", "spline"], (64, 6)),
        (["--kind", "circle", "--frames", 9], (9, 10, 6)),
        (["--kind", "jitter", "--reach", 0.5, "--seed", 3], (60, 10, 6)),
        (["--along", "0-2,5", "--rows", "1,2", "--reach", 3], (60, 8, 6)),
        (["--along", "ten.safetensors", "--rows", "1", "--ease", "cosine"], (60, 10, 6)),
    ],
)
def test_other_paths(ok, content, ten, words, shape):
    ok("gan-interp", ten, *words, "-o", "path.safetensors")
    meta, film = content("path.safetensors")
    assert film["latents"].shape == shape
    assert ("layout" in meta) == (words[1] == "grid")


def test_a_uniform_prior_is_known_from_the_file(ok, content, tmp_path):
    z = draw_latents(0, 8, 50, "uniform")
    container.write(str(tmp_path / "u.safetensors"), "latents", {"latents": z}, {"prior": "uniform"})
    ok("gan-interp", "u.safetensors", "--frames", 29, "-o", "lerp.safetensors")
    ok("gan-interp", "u.safetensors", "--method", "spline", "--closed", "-o", "spline.safetensors")
    lerp = content("lerp.safetensors")[1]["latents"]
    assert np.allclose(lerp[2, 0], (z[0] + z[1]) / 2)
    assert np.abs(content("spline.safetensors")[1]["latents"]).max() <= 1
    assert content("spline.safetensors")[0]["prior"] == "uniform"


def test_the_same_words_give_the_same_bytes(ok, ten):
    words = ("gan-interp", ten, "--kind", "jitter")
    assert ok(*words).out == ok(*words).out
    assert ok(*words, "--seed", 1).out != ok(*words).out


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["ten.safetensors", "--rows", "3"], 1, "ten.safetensors: a path needs at least two latents, and this is 1"),
        (["ten.safetensors", "--rows", "3,10"], 1, "ten.safetensors: there is no row 10; rows go from 0 to 9"),
        (["ten.safetensors", "--grid", "4x1"], 1, "ten.safetensors: 10 latents do not fill sheets of 4x1"),
        (["ten.safetensors", "--grid", "5x2"], 1, "needs at least two sheets"),
        (["ten.safetensors", "--kind", "grid"], 1, "lies between four latents, and this is 10"),
        (["ten.safetensors", "--along", "2,6"], 1, "there is no axis 6; these latents have 0 to 5"),
        (["ten.safetensors", "--along", "none.safetensors"], 1, "none.safetensors: no such file"),
        (["ten.safetensors", "--along", "short.safetensors"], 1, "short.safetensors: holds 2 directions of 3 numbers"),
        (["data.safetensors"], 1, "data.safetensors: these samples do not keep latents"),
        (["ten.safetensors", "--kind", "axis"], 2, "--kind axis needs --along"),
        (["ten.safetensors", "--kind", "circle", "--closed"], 2, "--closed has no effect with --kind circle"),
        (["ten.safetensors", "--seed", "1"], 2, "--seed has no effect with --kind walk"),
        (["--seeds", "1,2"], 2, "needs --for"),
        (["ten.safetensors", "-o", "walk.gif"], 1, "walk.gif: latents are not pictures"),
        (["ten.safetensors", "-o", "walk.doc"], 1, "walk.doc: cannot write this format"),
    ],
)
def test_paths_that_cannot_be_made(fails, pictures, ten, tmp_path, words, code, says):
    container.write(str(tmp_path / "short.safetensors"), "latents", {"latents": draw_latents(0, 2, 3, "normal")}, {})
    before = sorted(tmp_path.iterdir())
    assert says in fails("gan-interp", *words, code=code)
    assert [path for path in sorted(tmp_path.iterdir()) if not path.name.startswith(".")] == before


def test_directions_that_overflow_are_refused_in_one_line(fails, ten, tmp_path):
    container.write(str(tmp_path / "long.safetensors"), "latents", {"latents": np.full((1, 6), 3e38, "f4")}, {})
    line = fails("gan-interp", ten, "--along", "long.safetensors", "--reach", 3, "-o", "x.safetensors")
    assert "ten.safetensors: its latents, or directions, are so long that the result overflows; shorten them" in line


def test_help_does_not_import_numpy():
    code = "import sys, ganutils.latents.kinds; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
