"""gan-plot: what it draws, what it skips, what it refuses."""

import io
import json

import numpy as np
import pytest
import torch
from conftest import TINY
from PIL import Image

from ganutils.files import container, logs
from ganutils.inference.generate import draw_samples
from ganutils.inference.units import units_of
from ganutils.networks.weights import load_generator
from ganutils.plots import figures
from ganutils.plots.curves import PANELS, curves
from ganutils.plots.filters import excited, first_layer
from ganutils.plots.style import COLORS
from ganutils.samples.samples import open_samples
from ganutils.training.gan import load


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
    figure = curves(paths)
    return {
        axes.get_title(loc="left"): {line.get_label(): tuple(map(list, line.get_data())) for line in axes.lines}
        for axes in figure.axes
    }


def test_a_run_of_gan_loop_is_drawn(ok, pictures, tmp_path):
    ok("gan-loop", pictures, *TINY, "--steps", 100, "--log", "run.jsonl", "-o", "x.ckpt", "-q")
    assert ok("gan-plot", "run.jsonl", "-o", "curves.png").lines == ["1 file drawn"]
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


def test_every_field_of_a_run_has_its_panel(log, tmp_path):
    from ganutils.training.loop import Tick

    fields = {field for panel in PANELS for field in panel.fields}
    assert set(Tick._fields) - fields == {"step", "kimg", "memory_mb"}
    panels = drawn(str(tmp_path / log("run.jsonl", *ticks(3, diversity=0.7))))
    assert panels["diversity (real = 1)"]["_child0"] == ([50, 100, 150], [0.7, 0.7, 0.7])


def test_a_legend_shows_each_dash_more_than_once(log, tmp_path):
    figure = curves([str(tmp_path / log(name, *ticks(3))) for name in "abcd"])
    figure.draw_without_rendering()
    handles = [handle for axes in figure.axes for handle in axes.get_legend().legend_handles]
    patterns = {handle._dash_pattern[1] and tuple(handle._dash_pattern[1]) for handle in handles}
    assert len(patterns) == 4
    for handle in handles:
        _, pattern = handle._dash_pattern  # both in points
        assert pattern is None or np.ptp(handle.get_xdata()) >= 1.5 * sum(pattern)


def test_several_runs_differ_in_name_color_and_dash(log, tmp_path):
    paths = [str(tmp_path / log(name, *ticks(3))) for name in ("dcgan.jsonl", "lsgan.jsonl")]
    figure = curves(paths)
    loss, speed = figure.axes
    labels = [line.get_label() for line in loss.lines]
    assert labels == [f"{run}, {network}" for run in ("dcgan", "lsgan") for network in ("discriminator", "generator")]
    looks = {(line.get_color(), line.get_linestyle()) for line in loss.lines}
    assert len(looks) == 4
    assert len({line.get_linestyle() for line in speed.lines}) == 2, "they differ in gray too"


@pytest.mark.parametrize("name", ["_a", "__", "$x", "a"])
def test_every_run_is_in_the_legend_whatever_its_name(log, tmp_path, name):
    paths = [str(tmp_path / log(f"{run}.jsonl", *ticks(3))) for run in (name, "b")]
    for axes in curves(paths).axes:
        shown = [text.get_text().split(",")[0] for text in axes.get_legend().get_texts()]
        assert sorted(set(shown)) == sorted({name, "b"})


def test_the_colors_differ_in_gray():
    rgb = np.array([[int(color[i : i + 2], 16) for i in (1, 3, 5)] for color in COLORS])
    gray = rgb @ [0.299, 0.587, 0.114]
    assert (np.diff(gray[:3]) > 20).all()


def test_missing_extra_and_odd_fields_are_skipped(log, tmp_path, ok):
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
def test_the_same_log_gives_the_same_bytes_in_every_format(ok, log, tmp_path, suffix, begins):
    log("run.jsonl", *ticks(3))
    ok("gan-plot", "run.jsonl", "-o", f"a.{suffix}", "-q")
    first = (tmp_path / f"a.{suffix}").read_bytes()
    ok("gan-plot", "run.jsonl", "-o", f"a.{suffix}", "-q")
    assert first.startswith(begins)
    assert first == (tmp_path / f"a.{suffix}").read_bytes()


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
        (
            '{"step": 1, "speed": 3}\n',
            "bad.jsonl: has nothing to draw over steps; fields that can be drawn are d_loss",
        ),
        ("[" * 100_000 + "\n", "bad.jsonl: line 1 is not"),
    ],
)
def test_what_is_no_log_is_refused_by_its_line(fails, tmp_path, text, said):
    (tmp_path / "bad.jsonl").write_text(text)
    assert said in fails("gan-plot", "bad.jsonl", "-o", "x.png")
    assert not (tmp_path / "x.png").exists()


def test_other_formats_are_refused_before_anything_is_read(fails):
    line = fails("gan-plot", "gone.jsonl", "-o", "x.txt")
    assert line.startswith("gan-plot: x.txt: cannot write this format; use .png .pdf .svg")


def test_curves_and_functions_are_no_films(fails, log, tmp_path):
    log("run.jsonl", *ticks(3))
    for words in (["run.jsonl"], ["--losses", "hinge"]):
        assert "x.gif: cannot write this format" in fails("gan-plot", *words, "-o", "x.gif")


# ------------------------------------------------------------------------------------- toy densities


@pytest.fixture
def toy(ok):
    """A GAN on toy:gaussian after four steps, with whole snapshots; gives the names of its first and last snapshot."""
    ok("gan-data", "toy:gaussian", "--mean", 0, "--limit", 500, "-o", "toy.safetensors", "-q")
    words = ["--preset", "goodfellow2014", "--z-dim", 1, "--width", 4, "--batch", 8, "--steps", 4, "--whole"]
    ok("gan-loop", "toy.safetensors", *words, "--snapshots", "shots", "--every", 4, "-o", "x.ckpt", "-q")
    return "shots/step-000000.safetensors", "shots/step-000004.safetensors"


def panels_of(tmp_path, monkeypatch, names, data="toy.safetensors", units=None):
    monkeypatch.chdir(tmp_path)
    with open_samples(data) as samples:
        return figures.draw(names, samples, units, [])


def test_the_densities_are_those_of_the_law_and_of_the_generator(toy, tmp_path, monkeypatch):
    drawn = panels_of(tmp_path, monkeypatch, toy[::-1])
    assert [panel.title for panel in drawn.panels] == ["step 0", "step 4"], "in the order of training"
    axes, below = drawn.figure.axes[0], drawn.figure.axes[2]
    lines = {line.get_label(): np.array(line.get_data()) for line in axes.lines}
    x, law = lines["data"]
    np.testing.assert_allclose(law, np.exp(-0.5 * (x / 1.25) ** 2) / (1.25 * np.sqrt(2 * np.pi)), rtol=1e-5)
    x, density = lines["generator"]
    with container.read(toy[0]) as file:
        made = draw_samples(file, 4096, 0, "cpu")[0][:, 0]
    inside = ((made > x[0]) & (made < x[-1])).mean()
    assert density.sum() * (x[1] - x[0]) == pytest.approx(inside, abs=0.02)
    assert abs((x * density).sum() / density.sum() - made[(made > x[0]) & (made < x[-1])].mean()) < 0.05
    x, belief = lines["D(x)"]
    with container.read(toy[0]) as file, torch.no_grad():
        exact = torch.sigmoid(load(file).D.eval()(torch.tensor(x, dtype=torch.float32)[:, None]))
    np.testing.assert_allclose(belief, exact, atol=1e-6)
    assert [text.get_text() for text in below.get_yticklabels()] == ["z", "x"]


def test_the_map_goes_from_z_to_what_the_generator_makes_of_it(toy, tmp_path, monkeypatch):
    z, x = panels_of(tmp_path, monkeypatch, toy).panels[1].arrows
    assert (z[0], z[-1]) == (-1, 1)
    with container.read(toy[1]) as file:
        generator = load_generator(file)[0]
    np.testing.assert_allclose(x, generator(torch.from_numpy(z)[:, None])[:, 0], atol=1e-6)


def test_where_d_judges_only_pairs_its_belief_is_not_drawn(ok, toy, tmp_path, monkeypatch):
    words = ["--loss", "relativistic", "--width", 4, "--steps", 1]
    ok("gan-loop", "toy.safetensors", *words, "--snapshots", "some", "-o", "pairs.ckpt", "-q")
    for name in ("pairs.ckpt", "some/step-000000.safetensors"):  # a snapshot has no D
        (panel,) = panels_of(tmp_path, monkeypatch, [name]).panels
        assert panel.belief is None
        assert panel.arrows is None, "latents of 64 numbers have no map to draw"


def test_several_checkpoints_are_a_page_or_a_film(ok, toy, tmp_path):
    ok("gan-plot", *toy, "--data", "toy.safetensors", "--titles", "before,after", "-o", "page.png")
    assert ok("gan-plot", *toy, "--data", "toy.safetensors", "-o", "film.gif").lines == ["2 frames"]
    ok("gan-plot", *toy, "--data", "toy.safetensors", "-o", "film.safetensors")
    with Image.open(tmp_path / "page.png") as page, Image.open(tmp_path / "film.gif") as film:
        assert film.n_frames == 2
        assert page.width > 1.5 * film.width * 0.9
    with container.read(str(tmp_path / "film.safetensors")) as film:
        images = film["images"]
    assert images.shape[:2] == (2, 1)
    assert images.shape[4] == 3
    assert images.shape[2] % 2 == images.shape[3] % 2 == 0
    assert (images[0] != images[1]).any()


def test_points_in_two_dimensions_are_a_scatter_beside_the_data(ok, tmp_path, monkeypatch):
    ok("gan-data", "toy:ring", "--limit", 80, "-o", "ring.safetensors", "-q")
    ok("gan-loop", "ring.safetensors", "--width", 4, "--steps", 1, "-o", "ring.ckpt", "-q")
    ok("gan-sample", "ring.ckpt", "-n", 50, "-o", "made.safetensors")
    drawn = panels_of(tmp_path, monkeypatch, ["made.safetensors"], "ring.safetensors")
    data, made = drawn.figure.axes[0].collections
    with container.read("made.safetensors") as file:
        np.testing.assert_allclose(made.get_offsets(), file["points"])
    assert len(data.get_offsets()) == 80
    ok("gan-plot", "ring.ckpt", "made.safetensors", "-o", "both.png")


# --------------------------------------------------------------------------------- losses and features


def test_the_losses_are_the_trainer_s_and_their_gradients_are_derivatives():
    from ganutils.plots.losses import curve
    from ganutils.training.losses import LOSSES

    logits = torch.linspace(-4, 4, 81, dtype=torch.float64)
    for name, loss in LOSSES.items():
        values, slopes = curve(loss, logits)
        numeric = (values[2:] - values[:-2]) / (logits[2:] - logits[:-2])
        torch.testing.assert_close(slopes[1:-1], numeric, atol=2e-3, rtol=0, msg=name)
    saturating = curve(LOSSES["minimax"], logits)[1]
    torch.testing.assert_close(saturating, -torch.sigmoid(logits))  # d/dl log(1 - sigmoid(l))
    assert abs(curve(LOSSES["nonsaturating"], logits)[1][0]) > 50 * abs(saturating[0])


def test_functions_are_drawn_without_files(ok, fails, tmp_path):
    ok("gan-plot", "--losses", "minimax,nonsaturating", "-o", "losses.png")
    ok("gan-plot", "--losses", "wgan,lsgan", "-o", "losses.pdf")
    assert (tmp_path / "losses.pdf").read_bytes().startswith(b"%PDF")
    assert "--losses draws functions" in fails("gan-plot", "x.ckpt", "--losses", "wgan", "-o", "x.png", code=2)


@pytest.mark.parametrize("arch", ["dcgan", "mlp", "krohn"])
def test_filters_are_the_weights_of_the_first_layer(ok, pictures, tmp_path, arch):
    ok("gan-loop", pictures, "--arch", arch, "--width", 3, "--steps", 0, "-o", "x.ckpt", "-q")
    with container.read(str(tmp_path / "x.ckpt")) as file:
        found = first_layer(file)
        weights = next(p for p in load(file).D.parameters() if p.dim() > 1).detach().numpy()
    side = {"dcgan": 4, "mlp": 8, "krohn": 5}[arch]
    assert found.shape == (3, side, side, 1)
    assert np.abs(found).max((1, 2, 3)) == pytest.approx(1)
    flat = weights.reshape(3, -1)
    largest = flat[np.square(flat).sum(1).argmax()]
    np.testing.assert_allclose(found[0].ravel(), largest / np.abs(largest).max(), rtol=1e-5)
    ok("gan-plot", "x.ckpt", "x.ckpt", "-o", "filters.png")


@pytest.mark.parametrize("penalty", [0, 1], ids=["batch norm", "no norm"])
def test_the_pictures_shown_are_those_that_excite_a_feature_most(ok, pictures, tmp_path, penalty):
    ok("gan-loop", pictures, *TINY, "--r1", penalty, "--r2", penalty, "--steps", 1, "-o", "gan.ckpt", "-q")
    with open_samples(str(tmp_path / pictures)) as data, container.read(str(tmp_path / "gan.ckpt")) as file:
        best = excited(units_of(file), data, [1, 0])
        D, images = load(file).D.eval(), torch.from_numpy(data.array.copy())
        x = images.permute(0, 3, 1, 2).float() / 127.5 - 1
        for down, norm in zip(D.downs, D.norms, strict=True):  # the pictures are 8x8, so all sides are even
            x = torch.nn.functional.leaky_relu(norm(down(x)), 0.2)
        order = x.amax((2, 3))[:, 1].argsort(descending=True, stable=True)[:9]
    assert best.shape == (2, 9, 8, 8, 1)
    np.testing.assert_array_equal(best[0], images[order])
    ok("gan-plot", "gan.ckpt", "--units", "0-1", "--data", pictures, "-o", "features.png")


def test_what_cannot_be_drawn(ok, fails, pictures, checkpoint, toy):
    def line(*words):
        return fails("gan-plot", *words, "-o", "x.png")

    assert "data.safetensors: is not a log, a checkpoint, points or sounds; gan-gif draws pictures" in line(pictures)
    assert "--units needs --data" in line(checkpoint, "--units", "0")
    assert "there is no feature 99; features go from 0 to" in line(checkpoint, "--units", "99", "--data", pictures)
    assert "--titles: 1 titles for 2 files; give one for each" in line(*toy, "--titles", "one")
    problem = "toy.safetensors: samples are 1-D points, those of gan.ckpt.safetensors 8x8x1"
    assert problem in line(checkpoint, "--units", "0", "--data", "toy.safetensors")
    ok("gan-loop", pictures, "--arch", "resnet", "--width", 2, "--steps", 0, "--snapshots", "s", "-o", "r.ckpt", "-q")
    assert "the first layer of --arch resnet is 1x1" in line("r.ckpt")
    ok("gan-loop", pictures, "--width", 2, "--steps", 0, "--snapshots", "t", "-o", "d.ckpt", "-q")
    assert "a snapshot holds only the generator" in line("t/step-000000.safetensors")
