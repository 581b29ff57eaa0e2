"""What a run says of itself when it goes wrong, and what TensorBoard is shown."""

import pytest

from ganutils.runs.config import fresh
from ganutils.training.loop import Tick
from ganutils.training.monitor import LONG, Monitor, least_d_loss

FINE = Tick(0, 0.0, 1000.0, d_loss=0.6, g_loss=1.5, d_real=0.8, d_fake=0.8, diversity=0.9, memory_mb=500.0)


def said_of(ticks, **settings):
    said = []
    watch = Monitor(fresh((8, 8, 1), settings), said.append)
    for number, tick in enumerate(ticks, 1):
        watch(tick._replace(step=50 * number))
    return said


def test_a_run_that_goes_well_is_left_in_peace():
    assert said_of([FINE] * 100) == []


def test_a_discriminator_that_has_won_is_said_once():
    won = FINE._replace(d_loss=least_d_loss(fresh((8, 8, 1), {})) + 0.001, d_real=1.0, d_fake=1.0)
    (words,) = said_of([FINE] * 5 + [won] * 50)
    assert words.startswith("step 750: D has told every picture from a generated one for 500 steps")
    assert said_of([won] * (LONG - 1) + [FINE] + [won] * (LONG - 1)) == []
    assert said_of([won._replace(d_loss=0.001)] * 20, smooth=1) != []
    assert said_of([won] * 20, smooth=1) == [], "0.326 is far from 0"


def test_a_collapse_is_said_once():
    alike = FINE._replace(diversity=0.05)
    (words,) = said_of([FINE] * 5 + [alike] * 40)
    assert "the generated pictures have been nearly all alike for 500 steps (5% of the real ones' diversity)" in words
    assert said_of([alike] * 15 + [FINE] * 20) == [], "a young generator makes one picture"
    assert len(said_of([alike] * 40)) == 1, "but not for ever"


@pytest.mark.parametrize(
    ("settings", "least"),
    [({"smooth": 1}, 0), ({"smooth": 0.9}, 0.325), ({"loss": "hinge"}, 0), ({"loss": "wgan"}, float("-inf"))],
)
def test_the_least_loss_of_a_discriminator(settings, least):
    assert least_d_loss(fresh((8, 8, 1), settings)) == pytest.approx(least, abs=1e-3)


def test_a_run_whose_discriminator_has_won_says_so_on_stderr(ok):
    ok("gan-data", "toy:gaussian", "--mean", 20, "--std", 0.1, "--limit", 200, "-o", "far.safetensors", "-q")
    frozen = ["--arch", "mlp", "--width", 8, "--z-dim", 2, "--batch", 4, "--smooth", 1, "--lr", 0, "--d-lr", 0.01]
    result = ok("gan-loop", "far.safetensors", *frozen, "--steps", 650, "-o", "gan.ckpt")
    assert sum("D has told every picture from a generated one" in line for line in result.lines) == 1


def test_tensorboard_gets_curves_and_sheets(ok, pictures, tmp_path):
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    tiny = ["--width", 2, "--z-dim", 4, "--batch", 4]
    ok("gan-loop", pictures, *tiny, "--steps", 60, "--tensorboard", "board", "-o", "gan.ckpt", "-q")
    found = accumulator.EventAccumulator(str(tmp_path / "board"))
    found.Reload()
    assert [event.step for event in found.Scalars("d_loss")] == [50, 60]
    assert {"g_loss", "kimg", "diversity", "images_per_second"} <= set(found.Tags()["scalars"])
    (sheet,) = found.Images("samples")
    assert (sheet.step, sheet.width, sheet.height) == (60, 64, 64)
