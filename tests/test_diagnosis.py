"""gan-eval --diagnose: verdicts on constructed evidence, and on checkpoints that need no training."""

import dataclasses
import re

import numpy as np
import pytest
from conftest import LR, TINY

from ganutils.evaluation import diagnosis
from ganutils.evaluation.evidence import Evidence
from ganutils.evaluation.features import open_extractor
from ganutils.evaluation.scores import score
from ganutils.evaluation.sets import Fake, Real, labeled_set
from ganutils.evaluation.verdicts import VERDICTS
from ganutils.files import container
from ganutils.runs.defaults import fresh
from ganutils.runs.traits import LOSSES
from ganutils.samples.samples import open_samples

USUAL = float(LR)
PLAIN = dict(r1=0.0, r2=0.0)  # a D with batch norm
MISSING = dict(modes=10, modes_covered=8, modes_missing=["3", "5"])
GONE = dict(modes=10, modes_covered=3, modes_missing=list("3456789"))
NOTHING = dict(precision=0.0, recall=0.0, coverage=0.0, density=0.0, spread=0.0, authenticity=1.0)
NEAR = dict(authenticity=0.02, nearest_real_ratio=0.67)
WON = dict(d_real=1.0, d_fake=1.0, d_pairs=1.0)
FITTING = dict(l1=0.05, ssim=0.8, sharpness=1.0, input_distance=0.9, others_distance=2.0)


def evidence(shape=(8, 8, 1), given=None, scores=None, log=(), step=900, inputs=None, **more):
    """That of a healthy run, except for what is given."""
    fine = dict(precision=0.7, recall=0.6, density=0.8, coverage=0.8, spread=0.95, nearest_real_ratio=1.0)
    fine |= dict(authenticity=0.6, real_count=2000, fake_count=2000, features={"accuracy": 0.98})
    judged = dict(trained_on=5000, d_real=0.8, d_fake=0.75, d_pairs=0.9, d_margin=2.0)
    config = fresh(shape, given or {}, inputs=inputs)
    return Evidence({**fine, **(scores or {})}, config, step, log=log, **{**judged, **more})


def pairs(given=None, scores=None, side=8, **more):
    """What to give `evidence` for a translator of gray pictures of that side to color ones, healthy except for that."""
    return dict(
        shape=(8, 8, 3),
        inputs=(side, side, 1),
        given={"l1": 30.0, **(given or {})},
        scores={**FITTING, **(scores or {})},
        **more,
    )


def domains(given=None, scores=None, **more):
    """The same for a translator between two classes of color pictures."""
    fitting = dict(arrived=0.95, kept=0.9, cycle_l1=0.03, cycle_l1_blurred=0.035, input_distance=0.7)
    fitting |= dict(input_correlation=0.6, expected_correlation=0.1)
    return dict(
        shape=(8, 8, 3), given={"domains": 2, **(given or {})}, scores={**fitting, **(scores or {})}, step=4000, **more
    )


def text_of(evidence):
    return " ".join(diagnosis.diagnose("x", evidence))


def ticks(field, *values):
    return [{"step": 50 * at, field: value} for at, value in enumerate(values, 1)]


# verdict, evidence, what the paragraph says
CASES = {
    "healthy": ("healthy", {}, "Nothing is wrong with its samples: precision 0.70, recall 0.60, coverage 0.80;"),
    "healthy and young": ("healthy", dict(step=100), "in balance"),
    "a young run": (
        "too early",
        dict(step=200, scores=MISSING),
        "After 200 steps (12.8 thousand pictures shown to D) this says little yet: only 8 of 10 modes are covered "
        "(missing 3, 5). Try --steps 500 or more, and diagnose again.",
    ),
    "a slow one": ("too early", dict(step=600, given={"preset": "dcgan2016"}, scores=GONE), "--steps 700 or more"),
    "small batches": ("too early", dict(step=900, given={"batch": 4}, scores={"spread": 0.1}), "--steps 2500 or more"),
    "before its decay": ("too early", dict(step=200, given={"decay": (0, 5000)}, scores=GONE), "--steps 5000 or more"),
    "young, and its rate is 0": (
        "collapsed",
        dict(step=200, given={"decay": (0, 200)}, scores=GONE),
        "The learning rate has been 0 since step 200",
    ),
    "young, and varied once": (
        "collapsed",
        dict(step=300, scores=GONE, log=ticks("diversity", 0.6, 0.5, 0.1, 0.1)),
        "Only 3 of 10",
    ),
    "modes gone": (
        "collapsed",
        dict(scores=GONE),
        "Try a new run with --loss relativistic --r1 1 --r2 1, which was made against it, "
        f"--lr {USUAL / 2:g} or --batch 128.",
    ),
    "collapsed with the cure": (
        "collapsed",
        dict(given={"loss": "relativistic", "r1": 1.0, "r2": 1.0}, scores=GONE),
        f"Try a new run with --lr {USUAL / 2:g} or --batch 128.",
    ),
    "all alike": ("collapsed", dict(scores={"spread": 0.1}), "Its samples vary 10% as much as the real ones"),
    "a few good ones": (
        "collapsed",
        dict(scores={"recall": 0.01, "precision": 0.9}),
        "It repeats a few good samples (recall 0.01 at precision 0.90).",
    ),
    "two modes lost": ("losing modes", dict(scores=MISSING), "Only 8 of 10 modes are covered (missing 3, 5)."),
    "modes that the classifier does not know": ("healthy", dict(scores={**MISSING, "features": {"accuracy": 0.5}}), ""),
    "huge losses": (
        "diverged",
        dict(step=150, scores=NOTHING, log=ticks("d_loss", 3, 200, 140) + ticks("g_loss", 5, 1700, 2700)),
        f"its losses are huge (D 114, G 1,468). Try a new run with --lr {USUAL / 5:g}.",
    ),
    "huge logits": ("diverged", dict(scores=NOTHING, d_margin=450.0), "the discriminator's logits are huge (450)."),
    "lr 1": (
        "diverged",
        dict(given={"lr": 1.0}, scores=NOTHING),
        f"a learning rate of 1 is {1 / USUAL:,.0f} times the usual. Try a new run with --lr {USUAL:g}.",
    ),
    "lr 1 with batch norm": (
        "diverged",
        dict(given={"lr": 1.0, **PLAIN}, scores=NOTHING),
        "a learning rate of 1 is 500 times the usual. Try a new run with --lr 0.002.",
    ),
    "lr 1 with least squares, whose usual rate is lower": (
        "diverged",
        dict(given={"lr": 1.0, "loss": "lsgan"}, scores=NOTHING),
        "a learning rate of 1 is 1,000 times the usual. Try a new run with --lr 0.001.",
    ),
    "lr 1 of wide networks, whose usual rate is lower": (
        "diverged",
        dict(given={"lr": 1.0, "width": 64}, scores=NOTHING),
        "a learning rate of 1 is 2,000 times the usual. Try a new run with --lr 0.0005.",
    ),
    "d_lr 1": ("diverged", dict(given={"d_lr": 1.0}, scores=NOTHING), f"Try a new run with --d-lr {2 * USUAL:g}."),
    "the logits of WGAN have no bounds": (
        "rough",
        dict(given={"preset": "wgan-gp2017"}, step=9000, scores={"precision": 0.02}, d_margin=450.0),
        "Only 2% of its samples pass for real",
    ),
    "20 pictures": (
        "too few pictures and memorizing",
        dict(trained_on=20, scores={**NEAR, **MISSING, "real_count": 20}),
        "It was trained on 20 pictures, which the discriminator soon knows by heart, and the generator can only "
        "repeat. Try 1,000 pictures or more, or --augment translate,cutout, with which 200 do. "
        "Its samples lie near single real ones (67% of the distance that real samples keep from one another; only 2% "
        "are authentic). Try an earlier snapshot. REAL has only 20 samples, so the scores are uncertain.",
    ),
    "20 pictures of more": (
        "too few pictures",
        dict(trained_on=20),
        "Try a new run on all of REAL, which has 2,000 pictures or more, or --augment",
    ),
    "20 points": (
        "too few points",
        dict(shape=(2,), given={"arch": "mlp"}, trained_on=20, scores={"real_count": 20}),
        "Try 1,000 points or more.",
    ),
    "300 that D knows": ("too few pictures", dict(trained_on=300, **WON), "which the discriminator knows by heart."),
    "300 that D does not know": ("healthy", dict(trained_on=300), ""),
    "300 augmented": ("healthy", dict(given={"augment": "translate,cutout"}, trained_on=300, **WON), "too strong"),
    "120 in color": (
        "too few pictures and memorizing",
        dict(shape=(8, 8, 3), given={"augment": "color"}, trained_on=120, scores={**NEAR, "real_count": 120}),
        "which the generator repeats. Try 600 pictures or more.",
    ),
    "an unknown number": ("healthy", dict(trained_on=None), ""),
    "near its data": (
        "memorizing",
        dict(scores={"authenticity": 0.02, "nearest_real_ratio": 0.1}),
        "Try more data, --augment translate,cutout or an earlier snapshot.",
    ),
    "rough": ("rough", dict(scores={"precision": 0.1}), "Only 10% of its samples pass for real (precision 0.10)."),
    "rough at rate 0": (
        "rough",
        dict(given={"decay": (0, 800)}, scores={"precision": 0.1}),
        "Try a new run with a later --decay and more --steps, or --width 32.",
    ),
    "thin": ("rough", dict(scores={"density": 0.1}), "dense (density 0.10)"),
    "low coverage": (
        "low coverage",
        dict(scores={"coverage": 0.15}),
        "Its samples leave out much of what REAL has (coverage 0.15). Try more --steps while its scores still fall; "
        "then a new run with --loss relativistic",
    ),
    "low recall": ("low coverage", dict(scores={"recall": 0.1}), "(recall 0.10)"),
    "as much as 100 can cover": ("healthy", dict(scores={"coverage": 0.15, "fake_count": 100}), ""),
    "D ahead": (
        "rough",
        dict(given={"lr": 0.002, **PLAIN, "smooth": 0.9}, scores={"precision": 0.1}, **WON),
        "The discriminator is too strong (right on 100% of real and 100% of fake samples): the generator learns "
        "little from it. Try more data, --augment translate,cutout, --r1 1 or --d-lr 0.002.",
    ),
    "D ahead, though it is kept smooth": (
        "healthy",
        dict(given={"lr": 0.002, "r1": 0.2, "r2": 0.1, "smooth": 0.9}, **WON),
        "For better samples, try more data, --augment translate,cutout, --r1 0.6 --r2 0.3 or --d-lr 0.002.",
    ),
    "D ahead, of a paper": (
        "healthy",
        dict(given={"preset": "lsgan2017", "d_updates": 2}, **WON),
        "try more data, --augment translate,cutout, --smooth 0.9, --r1 1, --d-updates 1 or --d-lr 0.0005.",
    ),
    "D behind": (
        "rough",
        dict(scores={"precision": 0.1}, d_pairs=0.5),
        "The discriminator is too weak (right on 80% of real and 75% of fake samples). Try --d-updates 2 or --d-lr 0.",
    ),
    "a translator": (
        "healthy",
        pairs(scores={"kept": 0.95, **NEAR, "recall": 0.01, "coverage": 0.1}),
        "Nothing is wrong with its results: L1 0.050, SSIM 0.80, sharpness 1.00, kept 0.95. The two networks are",
    ),
    "one whose inputs are no pictures, or all the same": (
        "healthy",
        pairs(scores={"input_distance": None, "others_distance": None, "spread": 0.01}),
        "",
    ),
    "a copy": (
        "copies its input",
        pairs(scores={"input_distance": 0.03, "others_distance": 1.0}),
        "Its results are nearly its inputs: only 3% as far from them as the true pictures are. Try more --steps while "
        "its scores still improve; then a new run with --l1 60 or --arch hourglass (no skips to copy through).",
    ),
    "a copy, enlarged, by a slow run": (
        "copies its input",
        pairs(given={"lr": 2e-4}, scores={"input_distance": 0.1}, side=4, step=9000),
        "then a new run with --lr 0.0005 or --l1 60.",
    ),
    "a copy, at rate 0": (
        "copies its input",
        pairs(given={"decay": (0, 800)}, scores={"input_distance": 0.1}),
        "Try a new run with --l1 60 or --arch hourglass",
    ),
    "a copy so far": (
        "too early",
        pairs(scores={"input_distance": 0.1}, step=200),
        "After 200 steps (3.2 thousand pictures shown to D) this says little yet: its results are nearly its inputs",
    ),
    "alike whatever the input": (
        "ignores its input",
        pairs(scores={"spread": 0.05, "others_distance": 1.01}),
        "Whatever the input, its results are nearly alike: they vary 5% as much as the true pictures. Try more --steps "
        "while its scores still improve; then a new run with --l1 60, --mismatch 0.5 (real pictures beside wrong "
        "inputs are fakes too) or --lr 0.00025.",
    ),
    "different, but not as they should": (
        "ignores its input",
        pairs(given={"l1": 0.0, "sees": "picture"}, scores={"others_distance": 1.01}),
        "Its results have little to do with their own true pictures: they are 1.01 times as far from those of other "
        "inputs. Try more --steps while its scores still improve; then a new run with --l1 50, --sees pair or --lr",
    ),
    "L1 alone": (
        "blurred",
        pairs(given={"adversarial": 0.0}, scores={"sharpness": 0.4, "precision": 0.01}, d_pairs=None),
        "Its results are blurred (sharpness 0.40 of the true pictures'). Try a new run with --adversarial 1 and --init "
        "this one: L1 alone is smallest for the mean of all that could be. It trains without a discriminator",
    ),
    "blurred with D": ("blurred", pairs(scores={"sharpness": 0.6}), "--adversarial 2, --l1 15 or --width 64."),
    "rough results": ("rough", pairs(scores={"precision": 0.1}), "Only 10% of its samples pass for real"),
    "classes that are not kept": (
        "losing modes",
        pairs(scores=MISSING),
        "Only 8 of 10 modes are covered (missing 3, 5). Try a new run with --l1 60, --mismatch 0.5 (real",
    ),
    "200 pairs that D knows": (
        "too few pictures",
        pairs(given={"jitter": 0.0}, trained_on=200, scores={"real_count": 200}, **WON),
        "which the discriminator knows by heart. Try 400 pictures or more, or --jitter 0.06.",
    ),
    "500 pairs that D knows": ("healthy", pairs(trained_on=500, **WON), "For better samples, try more data, --smooth"),
    "pairs learned by heart": (
        "memorizing",
        pairs(given={"jitter": 0.0, "mirror": 0.0}, scores={"l1": 0.16}, log=ticks("l1", 0.2, 0.1, 0.1, 0.1, 0.1)),
        "On REAL its results are 0.160 from the true pictures (L1), in training 0.100. Try more data, --jitter 0.06, "
        "--mirror 0.5 or an earlier snapshot.",
    ),
    "pairs as well as in training": ("healthy", pairs(log=ticks("l1", 0.2, 0.1, 0.05, 0.045)), ""),
    "between classes": (
        "healthy",
        domains(scores={"recall": 0.3, "coverage": 0.1}),
        "Nothing is wrong with its results: arrived 0.95, kept 0.90, precision 0.70, cycle L1 0.030. The two networks",
    ),
    "negatives": (
        "inverted colors",
        domains(scores={"input_correlation": -0.9}),
        "Its results are like negatives of what it is given (correlation -0.90; that of real pictures 0.10). Try a new "
        "run with --identity 5, which keeps colors.",
    ),
    "negatives, though it has to keep colors": (
        "inverted colors",
        domains(given={"identity": 5.0}, scores={"input_correlation": -0.9}),
        "Try a new run with --identity 10, which",
    ),
    "real negatives": ("healthy", domains(scores={"input_correlation": -0.9, "expected_correlation": -0.6}), ""),
    "pictures left in their class": (
        "copies its input",
        domains(scores={"input_distance": 0.1, "arrived": 0.1}),
        "Its results are nearly what it is given: 10% as far from it as other real pictures, and 10% of them are taken "
        "for the class they should be of. Try more --steps while its scores still improve; then a new run with "
        "--adversarial 2 or --arch hourglass (no skips to copy through).",
    ),
    "nearly the same, by a run that keeps colors": (
        "copies its input",
        domains(given={"identity": 5.0, "arch": "blocks"}, scores={"input_distance": 0.02, "arrived": None}),
        "2% as far from it as other real pictures. Try more --steps while its scores still improve; then a new run "
        "with --identity 0 or --adversarial 2.",
    ),
    "classes that differ little": ("healthy", domains(scores={"input_distance": 0.1}), ""),
    "hidden": (
        "hides the picture in noise",
        domains(scores={"cycle_l1_blurred": 0.12}),
        "It hides what it is given in noise: a slight blur of its results makes the way back 4.0 times as wrong (cycle "
        "L1 0.030, then 0.120). Try a new run with --noise 0.2, --cycle 5 or --arch hourglass (no skips "
        "for details).",
    ),
    "a way back that is nearly perfect": (
        "healthy",
        domains(scores={"cycle_l1": 0.001, "cycle_l1_blurred": 0.008}),
        "cycle L1 0.001",
    ),
    "alike, whatever is given": (
        "collapsed",
        domains(scores={"spread": 0.1}),
        "they are nearly all alike. Try a new run with --cycle 20 or --width 32.",
    ),
    "few of each class": (
        "too few pictures",
        domains(given={"jitter": 0.0}, trained_on=500, scores={"real_count": 250}, **WON),
        "which the discriminator knows by heart. Try 800 pictures or more, or --jitter 0.06.",
    ),
    "near real ones of the class": (
        "memorizing",
        domains(scores={**NEAR, "nearest_real_ratio": 0.1}),
        "Try more data or",
    ),
    "too early between classes": (
        "too early",
        {**domains(scores={"input_correlation": -0.9}), "step": 200},
        "this says little yet: its results are like negatives",
    ),
    "pairs by one that goes between classes": (
        "ignores its input",
        domains(scores={**FITTING, "others_distance": 1.0}),
        "Try more --steps while its scores still improve; then a new run with --cycle 20 or --lr 0.0002.",
    ),
    "a translator of lr 1": (
        "diverged",
        pairs(given={"lr": 1.0}, scores=NOTHING),
        "a learning rate of 1 is 2,000 times the usual. Try a new run with --lr 0.0005.",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_each_fault_is_named_with_its_evidence_and_what_to_try(case):
    verdict, given, words = CASES[case]
    text = text_of(evidence(**given))
    assert text.startswith(f"x at step {given.get('step', 900):,}: {verdict}.")
    assert words in text


def test_each_verdict_is_provoked():
    found = " ".join(verdict for verdict, _, _ in CASES.values())
    assert {verdict.name for verdict in VERDICTS if verdict.name.format(noun="pictures") not in found} == set()


@pytest.mark.parametrize("case", CASES)
def test_what_is_to_be_tried_can_be_typed(case):
    """Each option exists, and goes with the settings of the run."""
    run = evidence(**CASES[case][1])
    for option, value in re.findall(r"--([a-z][a-z0-9-]*) ([\w.,]*[\w])", text_of(run)):
        names = {*LOSSES, "translate,cutout", "modern", "pair", "hourglass"}
        if option == "steps" or not (value[0].isdigit() or value in names):
            continue
        name = option.replace("-", "_")
        value = type(getattr(run.config, name))(value)
        given = {**CASES[case][1].get("given", {}), name: value}
        assert getattr(fresh(run.config.shape, given, inputs=run.config.inputs), name) == value


@pytest.mark.parametrize(
    ("values", "words"), [([9, 8, 4, 3], "still improving"), ([4, 4, 4, 4], "stopped"), ([3, 3, 3, 6], "getting worse")]
)
def test_trends_are_read_from_the_scores_of_snapshots(values, words):
    found = evidence()
    found.log = [{"fake": "s", "step": step, "frechet_distance": value} for step, value in enumerate(values)]
    assert words in text_of(found)
    found.config = dataclasses.replace(found.config, decay=(100, 900))
    assert "rate has been 0 since step 900" in text_of(found)


# ------------------------------------------------------------------------- samples as a generator might make them


@pytest.fixture
def against(tmp_path):
    """against("real.safetensors") -> verdict(samples), the paragraph on a generator that makes these samples."""

    def open_real(path):
        with open_samples(str(tmp_path / path)) as file:
            extractor = open_extractor("auto", labeled_set(file), str(tmp_path / "root"), "cpu")
            real = Real(file, extractor, 10_000, 0)

        def verdict(samples):
            counts = dict(real_count=len(real.samples), fake_count=len(samples))
            return text_of(evidence(scores={**score(real, Fake(real, samples)), **counts, "features": extractor.about}))

        return verdict

    return open_real


def test_one_digit_over_and_over_has_collapsed_and_fresh_ones_are_healthy(ok, content, against):
    ok("gan-data", "digits", "--size", 12, "--shuffle", "--limit", 1000, "-o", "all.safetensors")
    ok("gan-data", "all.safetensors", "--limit", 500, "-o", "digits.safetensors")
    everything, real = (content(name)[1] for name in ("all.safetensors", "digits.safetensors"))
    seen = {image.tobytes() for image in real["images"]}
    is_fresh = np.array([image.tobytes() not in seen for image in everything["images"]])
    images = everything["images"][is_fresh]
    verdict = against("digits.safetensors")
    assert "healthy. Nothing is wrong with its samples: 10 of 10 modes covered" in verdict(images)
    collapsed = verdict(np.repeat(images[:1], 200, axis=0))
    assert "collapsed. Only 1 of 10 modes are covered" in collapsed
    assert "Try a new run with --loss relativistic --r1 1 --r2 1" in collapsed
    assert "memorizing. Its samples lie near single real ones (0% of" in verdict(real["images"])


def test_points_of_one_mode_of_a_ring_have_collapsed_and_fresh_ones_are_healthy(ok, content, against):
    for seed in (0, 1):
        ok("gan-data", "toy:ring", "--limit", 1000, "--seed", seed, "-o", f"{seed}.safetensors")
    points, verdict = content("1.safetensors")[1]["points"], against("0.safetensors")
    assert "healthy. Nothing is wrong with its samples: 8 of 8 modes covered" in verdict(points)
    is_right = points[:, 0] > 3 * np.abs(points[:, 1])
    assert "collapsed. Only 1 of 8 modes are covered (missing 1, 2, 3, 4, 5, 6, 7)" in verdict(points[is_right])
    assert "losing modes. Only 7 of 8 modes are covered (missing 0)" in verdict(points[~is_right])


# --------------------------------------------------------------------------------------------- the command


@pytest.fixture
def diagnosed(ok, tmp_path):
    """diagnosed(...) -> what gan-eval --diagnose prints."""
    return lambda *words: ok("gan-eval", "--diagnose", *words, "--root", tmp_path / "root", "-q").out.decode()


def test_a_generator_is_healthy_against_samples_of_its_own(ok, pictures, diagnosed):
    """Before any training, so that nothing depends on how a processor rounds."""
    ok("gan-loop", pictures, "--width", 8, "--batch", 16, "--steps", 0, "-o", "gan.ckpt", "-q")
    ok("gan-sample", "gan.ckpt", "-n", 200, "--seed", 1, "-o", "own.safetensors", "-q")
    for words in (["own.safetensors", "gan.ckpt"], ["gan.ckpt", "own.safetensors"]):
        assert diagnosed(*words).startswith("gan.ckpt at step 0: too few pictures.\nIt was trained on 12 pictures,")


def test_a_generator_that_makes_one_picture_has_collapsed(ok, pictures, content, tmp_path, diagnosed):
    ok("gan-loop", pictures, *TINY, "--steps", 1, "-o", "gan.ckpt", "-q")
    meta, tensors = content("gan.ckpt")
    meta["data"]["count"] = 5000
    tensors["updates.G"] = tensors["updates.D"] = np.array(5000)
    for name in tensors:
        if name.startswith("ema.") and tensors[name].dtype == np.float32:
            tensors[name] = np.zeros_like(tensors[name])
    container.write(str(tmp_path / "one.ckpt"), "checkpoint", tensors, meta)
    assert diagnosed("one.ckpt", pictures, "-n", 60).startswith("one.ckpt at step 5,000: collapsed.")


@pytest.mark.parametrize(
    ("side", "said"),
    [
        (12, "ignores its input.\nWhatever the input, its results are nearly alike"),
        (3, "copies its input.\nIts results"),
    ],
)
def test_a_translator_that_learned_nothing(ok, content, tmp_path, diagnosed, side, said):
    """A U-Net of zeros makes gray of everything, and `enlarge` adds nothing to what it enlarged."""
    random = np.random.default_rng(0)
    small = random.integers(0, 256, (60, 3, 3, 3), "u1")
    pixels = random.integers(0, 100, (60, 12, 12, 3)) + np.repeat(np.repeat(small, 4, axis=1), 4, axis=2) // 2
    tensors = {"images": pixels.astype("u1"), "inputs": small if side == 3 else 255 - pixels.astype("u1")}
    container.write(str(tmp_path / "pairs.safetensors"), "samples", tensors, {"lineage": ["made by hand"]})
    ok("gan-loop", "pairs.safetensors", "--width", 2, "--batch", 4, "--steps", 0, "-o", "new.ckpt", "-q")
    meta, tensors = content("new.ckpt")
    meta["data"]["count"] = 5000
    tensors["updates.G"] = tensors["updates.D"] = np.array(5000)
    for name in tensors:
        if name.startswith("ema.") and tensors[name].dtype == np.float32:
            tensors[name] = np.zeros_like(tensors[name])
    container.write(str(tmp_path / "zero.ckpt"), "checkpoint", tensors, meta)
    text = diagnosed("zero.ckpt", "pairs.safetensors", "--features", "pixels")
    assert text.startswith(f"zero.ckpt at step 5,000: {said}")
    assert "(the discriminator is right on" in text or "The discriminator is" in text


def test_a_snapshot_has_no_discriminator_to_judge(ok, pictures, diagnosed):
    ok("gan-loop", pictures, *TINY, "--steps", 0, "--snapshots", "shots", "-o", "gan.ckpt", "-q")
    assert "a snapshot without a discriminator" in diagnosed("shots/step-000000.safetensors", pictures, "-n", 60)


def test_the_diagnosis_reads_logs(ok, pictures, diagnosed):
    ok("gan-loop", pictures, *TINY, "--steps", 200, "--log", "run.jsonl", "-o", "gan.ckpt", "-q")
    text = diagnosed("gan.ckpt", pictures, "-n", 50, "--history", "run.jsonl")
    assert "D's loss went from" in text
    assert "gan-eval DATA SNAPSHOTS..." in text


# ---------------------------------------------------------- trained, with a margin that no processor's rounding bridges


@pytest.fixture
def digits(ok):
    """300 digits of 12x12 without labels, so that no classifier is trained; gives the file's name."""
    ok("gan-data", "digits", "--size", 12, "--shuffle", "--limit", 300, "-o", "digits.safetensors", "-q")
    return "digits.safetensors"


def test_a_run_of_a_few_steps_is_too_early_to_tell(ok, digits, diagnosed):
    ok("gan-loop", digits, "--width", 4, "--batch", 16, "--steps", 20, "-o", "gan.ckpt", "-q")
    text = diagnosed("gan.ckpt", digits, "--features", "pixels")
    assert text.startswith("gan.ckpt at step 20: too early.")
    assert "Try --steps 700 or more, and diagnose again." in text


def test_a_high_learning_rate_has_diverged(ok, digits, diagnosed):
    ok("gan-loop", digits, "--width", 4, "--batch", 16, "--lr", 1, "--steps", 50, "-o", "gan.ckpt", "-q")
    text = diagnosed("gan.ckpt", digits, "--features", "pixels")
    assert text.startswith("gan.ckpt at step 50: diverged.")
    assert f"Try a new run with --lr {fresh((12, 12, 1), {}).lr:g}." in text


def test_a_run_on_20_pictures_has_too_few(ok, digits, diagnosed):
    ok("gan-data", digits, "--limit", 20, "-o", "few.safetensors", "-q")
    ok("gan-loop", "few.safetensors", "--width", 4, "--batch", 4, "--steps", 50, "-o", "gan.ckpt", "-q")
    for data in ("few.safetensors", digits):
        text = diagnosed("gan.ckpt", data, "--features", "pixels")
        assert "too few pictures" in text.splitlines()[0]
        assert "It was trained on 20 pictures" in text
