"""gan-plot: what it draws, what it passes over, what it refuses."""

import io
import json

import numpy as np
import pytest
from PIL import Image

from ganutils import logs, plots


@pytest.fixture
def log(tmp_path):
    """log("a.jsonl", {"step": 1, ...}, ...) -> its name"""

    def write(name, *lines):
        (tmp_path / name).write_text("".join(json.dumps(line) + "\n" for line in lines))
        return name

    return write


def ticks(count, **more):
    return [
        {"step": 50 * n, "kimg": 3.2 * n, "images_per_second": 900 + n, "d_loss": 1 / n, "g_loss": n / 10, **more}
        for n in range(1, count + 1)
    ]


def drawn(*paths):
    """{title: {label: (steps, values)}} of the figure."""
    figure = plots.curves(paths)
    return {
        axes.get_title(loc="left"): {line.get_label(): tuple(map(list, line.get_data())) for line in axes.lines}
        for axes in figure.axes
    }


def test_a_run_of_gan_loop_is_drawn(ok, pictures, tmp_path):
    from conftest import TINY

    ok("gan-loop", pictures, *TINY, "--steps", 100, "--log", "run.jsonl", "-o", "x.ckpt", "-q")
    assert ok("gan-plot", "run.jsonl", "-o", "curves.png").lines == ["1 log drawn"]
    with Image.open(tmp_path / "curves.png") as picture:
        assert picture.width > 1000
        assert len(np.unique(np.asarray(picture.convert("L")))) > 10
    lines = [json.loads(line) for line in (tmp_path / "run.jsonl").read_text().splitlines()]
    panels = drawn(str(tmp_path / "run.jsonl"))
    assert {"loss", "discriminator's accuracy", "images/s"} <= panels.keys()
    steps, losses = panels["loss"]["discriminator"]
    assert steps == [line["step"] for line in lines] == [50, 100]
    assert losses == [line["d_loss"] for line in lines]


def test_scores_of_snapshots_are_curves_beside_the_run(log, tmp_path):
    scores = [{"fake": f"s{step}", "step": step, "frechet_distance": 100 / step, "recall": 0.5} for step in (100, 50)]
    paths = [str(tmp_path / log("run.jsonl", *ticks(3))), str(tmp_path / log("scores.jsonl", *scores))]
    panels = drawn(*paths)
    assert panels["Fréchet distance"]["_child0"] == ([50, 100], [2, 1])
    assert panels["precision and recall"] == {"recall": ([50, 100], [0.5, 0.5])}
    assert list(panels["loss"]) == ["discriminator", "generator"]


def test_several_runs_are_told_apart_by_name_colour_and_dash(log, tmp_path):
    paths = [str(tmp_path / log(name, *ticks(3))) for name in ("dcgan.jsonl", "lsgan.jsonl")]
    figure = plots.curves(paths)
    loss, speed = figure.axes
    labels = [line.get_label() for line in loss.lines]
    assert labels == [f"{run}, {network}" for run in ("dcgan", "lsgan") for network in ("discriminator", "generator")]
    looks = {(line.get_color(), line.get_linestyle()) for line in loss.lines}
    assert len(looks) == 4
    assert len({line.get_linestyle() for line in speed.lines}) == 2, "told apart in gray too"


def test_the_colours_differ_in_gray():
    rgb = np.array([[int(colour[i : i + 2], 16) for i in (1, 3, 5)] for colour in plots.COLOURS])
    gray = rgb @ [0.299, 0.587, 0.114]
    assert (np.diff(gray[:3]) > 20).all()


def test_missing_extra_and_odd_fields_are_passed_over(log, tmp_path, ok):
    lines = [{"step": 1, "d_loss": 1}, {"step": 2, "note": "x"}, {"d_loss": 9}, {"step": 3, "d_loss": None}]
    lines += [{"step": 4, "d_loss": float("nan")}, {"step": 5, "d_loss": 0.5, "new": [1]}, {"step": 6, "d_loss": True}]
    assert drawn(str(tmp_path / log("odd.jsonl", *lines))) == {"loss": {"discriminator": ([1, 5], [1, 0.5])}}
    ok("gan-plot", "odd.jsonl", "-o", "odd.png")


def test_a_continued_run_is_one_curve_and_a_half_written_line_is_left_out(tmp_path):
    lines = [{"step": s, "d_loss": v} for s, v in ((1, 1), (2, 2), (3, 3), (2, 20), (3, 30))]
    text = "".join(json.dumps(line) + "\n" for line in lines)
    (tmp_path / "run.jsonl").write_text(text + '{"step": 4, "d_l')
    assert logs.series(logs.read(str(tmp_path / "run.jsonl")), "d_loss") == ([1, 2, 3], [1, 20, 30])


@pytest.mark.parametrize(("suffix", "begins"), [("png", b"\x89PNG"), ("pdf", b"%PDF"), ("svg", b"<?xml")])
def test_the_same_log_gives_the_same_bytes_in_every_form(ok, log, tmp_path, suffix, begins):
    log("run.jsonl", *ticks(3))
    ok("gan-plot", "run.jsonl", "-o", f"a.{suffix}", "-q")
    ok("gan-plot", "run.jsonl", "-o", f"b.{suffix}", "-q")
    first = (tmp_path / f"a.{suffix}").read_bytes()
    assert first.startswith(begins)
    assert first == (tmp_path / f"b.{suffix}").read_bytes()


def test_from_a_pipe_to_a_pipe(ok, log, tmp_path):
    text = (tmp_path / log("run.jsonl", *ticks(3))).read_bytes()
    out = ok("gan-plot", "--dpi", 50, stdin=text).out
    with Image.open(io.BytesIO(out)) as picture:
        assert picture.format == "PNG"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"step": 1, "d_loss": 1}\nstep 2\n{"step": 3}\n', "bad.jsonl: line 2 is not a JSON object"),
        ("[1, 2]\n", "bad.jsonl: line 1 is not a JSON object"),
        ("\x00\xff", "bad.jsonl: line 1 is not"),
        ("", "bad.jsonl: holds no lines"),
        ('{"step": 1, "speed": 3}\n', "bad.jsonl: has nothing to draw over steps; known fields are d_loss, g_loss"),
        ("[" * 100_000 + "\n", "bad.jsonl: line 1 is not"),
    ],
)
def test_what_is_no_log_is_refused_by_its_line(fails, tmp_path, text, said):
    (tmp_path / "bad.jsonl").write_text(text)
    assert said in fails("gan-plot", "bad.jsonl", "-o", "x.png")
    assert not (tmp_path / "x.png").exists()


def test_other_forms_are_refused_before_anything_is_read(fails):
    line = fails("gan-plot", "gone.jsonl", "-o", "x.gif")
    assert line == "gan-plot: x.gif: its suffix does not say what to write; known are .png .pdf .svg"
