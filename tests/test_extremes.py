"""Numbers and texts at the far ends of what can be typed, or stored in a file: each ends in words, or in a result."""

import json

import numpy as np
import pytest
from conftest import TINY
from PIL import Image

import ganutils
from ganutils import Error
from ganutils.files import container
from ganutils.plots.curves import curves


def put_points(path, *numbers):
    container.write(str(path), "samples", {"points": np.array(numbers, "f4").reshape(len(numbers), -1)}, {})


@pytest.mark.parametrize("number", [np.nan, -3.4e38])
@pytest.mark.parametrize("axes", [1, 2])
def test_points_that_no_plot_can_show_are_refused_by_name(fails, tmp_path, number, axes):
    put_points(tmp_path / "good.safetensors", *[[0.5] * axes] * 9)
    put_points(tmp_path / "bad.safetensors", *[[0.5] * axes] * 8, [number] * axes)
    problem = "bad.safetensors: has points that are NaN, infinite or beyond 1e+30, which cannot be drawn"
    assert fails("gan-plot", "bad.safetensors", "-o", "o.png") == f"gan-plot: {problem}"
    assert fails("gan-plot", "good.safetensors", "--data", "bad.safetensors", "-o", "o.png") == f"gan-plot: {problem}"
    assert fails("gan-info", "bad.safetensors", "--preview", "o.png") == f"gan-info: {problem}"


@pytest.mark.parametrize("number", [0, -1e30])
def test_points_that_are_all_the_same_are_drawn_however_large(ok, tmp_path, number):
    put_points(tmp_path / "same.safetensors", *[[number]] * 9)
    ok("gan-plot", "same.safetensors", "-o", "plot.png")
    ok("gan-info", "same.safetensors", "--preview", "preview.png")
    for name in ("plot.png", "preview.png"):
        with Image.open(tmp_path / name) as picture:
            assert len(picture.convert("RGB").getcolors(1 << 24)) > 10, "an empty page"


@pytest.mark.parametrize("number", [10**400, float("nan"), float("inf"), -1e400])
@pytest.mark.parametrize("field", ["std", "centres"])
def test_a_toy_of_absurd_numbers_is_damaged(fails, tmp_path, field, number):
    toy = {"name": "gaussian", "std": 1.0, "centres": [[0.0]], field: [[number]] if field == "centres" else number}
    points = np.zeros((9, 1), "f4")
    container.write(str(tmp_path / "toy.safetensors"), "samples", {"points": points}, {"toy": toy})
    line = fails("gan-plot", "toy.safetensors", "--data", "toy.safetensors", "-o", "o.png")
    assert line == "gan-plot: toy.safetensors: damaged: its metadata 'toy' lacks a name, std or centres"


def put_log(path, **fields):
    path.write_text("".join(json.dumps({"step": step, "d_loss": 1.0, **fields}) + "\n" for step in (1, 2)))


@pytest.mark.parametrize("number", [-(10**400), 1e308])
def test_numbers_of_a_log_that_no_plot_can_show_are_left_out(ok, tmp_path, number):
    put_log(tmp_path / "run.jsonl", g_loss=number)
    put_log(tmp_path / "without.jsonl")
    pictures = []
    for name in ("run", "without"):
        ok("gan-plot", f"{name}.jsonl", "-o", "o.png")
        with Image.open(tmp_path / "o.png") as picture:
            pictures.append(np.asarray(picture))
    assert np.array_equal(*pictures)


@pytest.mark.parametrize("text", ["$", "x$\\frac$", "$$", "a_$^2$_b", "\\", "_hidden", "100 % \x1b[2J\n", "\udcff"])
def test_names_and_titles_are_text_and_no_formulas(ok, tmp_path, monkeypatch, text):
    monkeypatch.chdir(tmp_path)
    name = text.replace("/", "")
    put_log(tmp_path / f"{name}.jsonl")
    put_log(tmp_path / "other.jsonl")
    put_points(tmp_path / "points.safetensors", 1, 2, 3)
    ok("gan-plot", f"{name}.jsonl", "other.jsonl", "-o", "o.png")
    ok("gan-plot", "points.safetensors", "--titles", f'"{text}"', "-o", "o.png")
    legend = curves([f"{name}.jsonl", "other.jsonl"]).axes[0].get_legend()
    shown = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    assert [one.get_text() for one in legend.get_texts()] == [f"{shown}, discriminator", "other, discriminator"]


@pytest.mark.parametrize("count", [-1, 2**62])
def test_counts_that_no_run_reaches_are_damage(fails, checkpoint, content, tmp_path, count):
    meta, tensors = content(checkpoint)
    container.write(str(tmp_path / "far.ckpt"), "checkpoint", {**tensors, "updates.G": np.array(count)}, meta)
    for words in (
        ["gan-sample", "far.ckpt", "-o", "o.npy"],
        ["gan-train-d", "data.safetensors", "--from", "far.ckpt", "-o", "o.ckpt"],
        ["gan-train-g", "--from", "far.ckpt", "-o", "o.ckpt"],
        ["gan-loop", "data.safetensors", "--from", "far.ckpt", "--more", 1, "-o", "o.ckpt"],
        ["gan-plot", "far.ckpt", "-o", "o.png"],
    ):
        line = fails(*words)
        assert line == f"{words[0]}: far.ckpt: damaged: it has no count updates.G from 0 to 1,000,000,000,000"


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -1, 10**400, "1", None])
def test_settings_beyond_their_limits_are_refused_wherever_they_come_from(fails, checkpoint, content, tmp_path, number):
    with pytest.raises(Error, match=r"^lr is .+, not "):
        ganutils.Run(np.zeros((9, 8, 8, 1), "u1"), lr=number)
    meta, tensors = content(checkpoint)
    container.write(
        str(tmp_path / "odd.ckpt"), "checkpoint", tensors, {**meta, "config": {**meta["config"], "lr": number}}
    )
    assert fails("gan-sample", "odd.ckpt", "-o", "o.npy").startswith("gan-sample: odd.ckpt: damaged: lr is ")


@pytest.fixture
def film(tmp_path):
    images = np.arange(3 * 8 * 8, dtype="u1").reshape(3, 1, 8, 8, 1)
    container.write(str(tmp_path / "film.safetensors"), "samples", {"images": images}, {})
    return "film.safetensors"


@pytest.mark.parametrize("suffix", ["apng", "gif", "webp"])
@pytest.mark.parametrize(("fps", "hold"), [(0.01, 0), (12, 64.99), (12, 600), (0.02, 600)])
def test_a_frame_may_stay_for_minutes(ok, tmp_path, film, suffix, fps, hold):
    ok("gan-gif", film, "--fps", fps, "--hold", hold, "-o", f"o.{suffix}")
    with Image.open(tmp_path / f"o.{suffix}") as drawn:
        times = []
        for at in range(3):
            drawn.seek(at)
            drawn.load()
            times.append(drawn.info["duration"])
    assert sum(times) == pytest.approx(1000 * (3 / fps + hold), abs=50)


@pytest.mark.parametrize("suffix", ["apng", "gif", "webp", "mp4"])
def test_a_frame_that_stays_longer_than_films_can_say_is_refused(fails, tmp_path, film, suffix):
    line = fails("gan-gif", film, "--fps", 0.01, "--hold", 600, "-o", f"o.{suffix}")
    assert line == "gan-gif: a frame of 700 s is too long; give a smaller --hold or a larger --fps"
    assert not (tmp_path / f"o.{suffix}").exists()


@pytest.mark.parametrize("text", ["a\nb", "a\r\nb", "\r", '"a\nb"'])
def test_a_line_break_in_labels_is_a_space(ok, film, tmp_path, text):
    frames = []
    for label in (text, " ".join(text.replace('"', "").split())):
        ok("gan-gif", film, "--row-labels", label, "-o", "o.gif")
        with Image.open(tmp_path / "o.gif") as picture:
            frames.append(np.asarray(picture.convert("RGB")))
    assert np.array_equal(*frames)


@pytest.mark.parametrize("caption", ["{frame:99999999}", "{frame:.99999999f}", "{frame:0>1000}"])
def test_a_caption_wider_than_any_frame_is_refused_at_once(fails, film, caption):
    assert "is wider than any frame" in fails("gan-gif", film, "--caption", caption, "-o", "o.gif")


def test_what_a_checkpoint_cannot_say_is_refused_before_training(fails, tmp_path):
    """70,000 classes, and samples of a hundred million numbers, made checkpoints that nothing could read."""
    names = [f"{number}" for number in range(70_000)]
    tensors = {"images": np.zeros((4, 8, 8, 1), "u1"), "labels": np.arange(4)}
    container.write(str(tmp_path / "many.safetensors"), "samples", tensors, {"classes": names})
    line = fails("gan-loop", "many.safetensors", *TINY, "--conditional", "--steps", 1, "-o", "o.ckpt")
    assert "classes" in line
    assert not (tmp_path / "o.ckpt").exists()


@pytest.mark.parametrize("name", ["x" * 300, ","])
def test_no_file_is_written_that_could_not_be_read(fails, tmp_path, name):
    """Each of the two can be read, and both together have too many names."""
    tensors = {"images": np.zeros((4, 8, 8, 1), "u1"), "labels": np.arange(4)}
    for part in "ab":
        names = [f"{part}{number}{name * (20 if name == ',' else 1)}" for number in range(30_000)]
        container.write(str(tmp_path / f"{part}.safetensors"), "samples", tensors, {"classes": names})
    line = fails("gan-data", "a.safetensors", "b.safetensors", "-o", "o.safetensors")
    assert line.startswith("gan-data: o.safetensors: names and notes of ")
    assert line.endswith(" bytes are more than a file holds; use fewer classes, attributes or frames")
    assert not (tmp_path / "o.safetensors").exists()


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("gan-gif f --grid 9999x9999 -o o.gif", "'9999x9999' has more than 262,144 places"),
        ("gan-data f --size 99999 -o o.npy", "'99999' has more than 67,108,864 pixels"),
        ("gan-gif f --background rgb(999,0,0) -o o.gif", "'rgb(999,0,0)' is not a color"),
        ("gan-interp f --rows 0-999998,0,1 -o o.npy", "or the list is longer than a million"),
        (f"gan-interp f --rows {'9' * 5000} -o o.npy", "is not a list like 0,3,8-15"),
        ("gan-plot --losses hinge,wgan,hinge -o o.png", "'hinge,wgan,hinge' has a name twice"),
        ("gan-sample f --device cuda:99999999999 -o o.png", "is not auto, cpu, cuda, cuda:N or mps"),
    ],
)
def test_lists_and_sizes_have_an_end(fails, line, problem):
    assert problem in fails(*line.split(), code=2)


@pytest.mark.parametrize("expression", ["9" * 5000, "+".join("0" * 101), "+".join(["0-999999"] * 120), "0-999999,0"])
def test_sums_have_an_end(fails, tmp_path, expression):
    container.write(str(tmp_path / "z.safetensors"), "latents", {"latents": np.ones((3, 2), "f4")}, {})
    assert fails("gan-arith", "z.safetensors", expression, "-o", "o.npy").startswith("gan-arith: z.safetensors: ")


def test_a_frame_too_large_for_its_format_is_refused(fails, film):
    line = fails("gan-gif", film, "--row-labels", "e" * 3500, "-o", "o.webp")
    assert line.endswith("pixels are too large for .webp; use --grid, --scale or another format")
