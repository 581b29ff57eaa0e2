"""What a run warns of when it goes wrong, and what it shows TensorBoard."""

import pytest
from conftest import TINY

from ganutils.runs.defaults import fresh
from ganutils.training.loop import Tick
from ganutils.training.monitor import LONG, Monitor, least_d_loss

PLAIN = {"r1": 0, "r2": 0}  # a D with batch norm
FINE = Tick(0, 0.0, 1000.0, d_loss=0.6, g_loss=1.5, d_real=0.8, d_fake=0.8, diversity=0.9, memory_mb=500.0)


def warnings_of(ticks, **given):
    warnings = []
    monitor = Monitor(fresh((8, 8, 1), given), warnings.append)
    for number, tick in enumerate(ticks, 1):
        monitor(tick._replace(step=50 * number))
    return warnings


def test_a_run_that_goes_well_gets_no_warning():
    assert warnings_of([FINE] * 100) == []


def test_a_discriminator_that_has_won_is_reported_once():
    won = FINE._replace(d_loss=least_d_loss(fresh((8, 8, 1), {})) + 0.001, d_real=1.0, d_fake=1.0)
    (words,) = warnings_of([FINE] * 5 + [won] * 50, **PLAIN)
    assert words == (
        "step 750: D has told every real sample from a generated one for 500 steps, without doubt, so G learns next to "
        "nothing; try --smooth 0.9, --r1 1, or more data"
    )
    assert warnings_of([won] * (LONG - 1) + [FINE] + [won] * (LONG - 1)) == []
    smoothed = won._replace(d_loss=0.326)
    assert warnings_of([smoothed] * 20, smooth=1) == [], "0.326 is far from 0"
    assert len(warnings_of([smoothed] * 20, smooth=0.9)) == 1


@pytest.mark.parametrize(
    ("given", "tried"),
    [
        ({**PLAIN, "smooth": 0.9}, "--r1 1"),
        ({"r1": 0.2, "r2": 0.1, "smooth": 1}, "--smooth 0.9, --r1 0.6 --r2 0.3"),
        ({"r1": 2, "r2": 0, "loss": "relativistic"}, "--r1 6"),
    ],
)
def test_what_is_tried_against_a_discriminator_that_has_won_is_not_so_already(given, tried):
    won = FINE._replace(d_loss=least_d_loss(fresh((8, 8, 1), given)), d_real=1.0, d_fake=1.0)
    (words,) = warnings_of([won] * 20, **given)
    assert words.endswith(f"; try {tried}, or more data")


def test_a_collapse_is_reported_once():
    alike = FINE._replace(diversity=0.05)
    (words,) = warnings_of([FINE] * 5 + [alike] * 40)
    assert words == (
        "step 750: G has collapsed: its samples have been nearly alike for 500 steps, with 5% of the real samples' "
        "diversity; start over with --loss relativistic --r1 1 --r2 1, a lower --lr, or a larger --batch"
    )
    assert warnings_of([alike] * 15 + [FINE] * 20) == [], "a young generator makes one picture"
    assert len(warnings_of([alike] * 40)) == 1, "but not forever"
    (words,) = warnings_of([FINE] * 5 + [alike] * 40, loss="relativistic", r1=1, r2=1)
    assert words.endswith("diversity; start over with a lower --lr, or a larger --batch")


@pytest.mark.parametrize(
    ("given", "least"),
    [
        ({"smooth": 1}, 0),
        ({"smooth": 0.9}, 0.325),
        ({"loss": "lsgan", "smooth": 0.9}, 0),
        ({"loss": "hinge"}, 0),
        ({"loss": "relativistic"}, 0),
        ({"loss": "wgan"}, float("-inf")),
    ],
)
def test_the_least_loss_of_a_discriminator(given, least):
    assert least_d_loss(fresh((8, 8, 1), given)) == pytest.approx(least, abs=1e-3)


def test_a_run_whose_discriminator_has_won_says_so_on_stderr(ok):
    """Its generator stands still, far from the data: D has won long before the step at which it is looked at."""
    ok("gan-data", "toy:gaussian", "--mean", 20, "--std", 0.1, "--limit", 200, "-o", "far.safetensors", "-q")
    frozen = ["--arch", "mlp", "--width", 8, "--z-dim", 2, "--batch", 4, "--smooth", 1, "--lr", 0, "--d-lr", 0.02]
    plain = ["--r1", 0, "--r2", 0, "--beta1", 0.5]
    result = ok("gan-loop", "far.safetensors", *frozen, *plain, "--precision", "fp32", "--steps", 800, "-o", "gan.ckpt")
    assert sum("D has told every real sample from a generated one" in line for line in result.lines) == 1


def test_tensorboard_gets_curves_and_sheets(ok, pictures, tmp_path):
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    ok("gan-loop", pictures, *TINY, "--steps", 60, "--tensorboard", "board", "-o", "gan.ckpt", "-q")
    events = accumulator.EventAccumulator(str(tmp_path / "board"))
    events.Reload()
    assert [event.step for event in events.Scalars("d_loss")] == [50, 60]
    assert {"g_loss", "kimg", "diversity", "images_per_second"} <= set(events.Tags()["scalars"])
    (sheet,) = events.Images("samples")
    assert (sheet.step, sheet.width, sheet.height) == (60, 64, 64)
