"""gan-eval --diagnose: verdicts on constructed evidence, and on checkpoints that need no training."""

import dataclasses

import numpy as np
import pytest
from conftest import TINY

from ganutils.evaluation import diagnosis
from ganutils.evaluation.diagnosis import Evidence
from ganutils.evaluation.features import open_extractor
from ganutils.evaluation.scores import score
from ganutils.evaluation.sets import Real, labeled_set
from ganutils.files import container
from ganutils.runs.config import fresh
from ganutils.samples.samples import open_samples


def evidence(**scores):
    fine = dict(precision=0.7, recall=0.6, coverage=0.8, spread=0.95, nearest_real_ratio=1.0, authenticity=0.6)
    return Evidence({**fine, **scores}, fresh((8, 8, 1), {}), 900, d_real=0.8, d_fake=0.75, d_pairs=0.9)


def text_of(evidence):
    return " ".join(diagnosis.diagnose("x", evidence))


def test_each_fault_is_named_with_its_evidence_and_what_to_try():
    assert text_of(evidence()).startswith("x at step 900: healthy.")
    near = text_of(evidence(authenticity=0.02, nearest_real_ratio=0.1))
    assert "memorizing. Its samples lie near single real ones (10% of" in near
    assert "2% are authentic" in near
    few = text_of(evidence(modes=10, modes_covered=8, modes_missing=["3", "5"]))
    assert "losing modes. Only 8 of 10 modes are covered (missing 3, 5)" in few
    assert "collapsed. It repeats a few good samples" in text_of(evidence(recall=0.01, precision=0.9))
    assert "collapsed. Its samples vary 10% as much as the real ones" in text_of(evidence(spread=0.1))
    strong = evidence(precision=0.1)
    strong.d_real, strong.d_fake, strong.d_pairs = 1.0, 1.0, 1.0
    assert "rough. Only 10% of its samples pass for real" in text_of(strong)
    assert "discriminator is too strong (right on 100% of real and 100% of fake samples)" in text_of(strong)
    strong.d_pairs = 0.5
    assert "discriminator is too weak" in text_of(strong)


def test_what_is_to_be_tried_can_be_typed():
    from ganutils.runs.config import SETTINGS

    words = " ".join(diagnosis.TRY.values()).replace(",", " ").split()
    options = {word.strip("-").replace("-", "_") for word in words if word.startswith("--")}
    assert options - {"steps"} <= SETTINGS.keys()
    assert options >= {"loss", "r1", "augment", "d_updates"}


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
        return lambda samples: text_of(dataclasses.replace(evidence(), scores=score(real, samples)))

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
    assert "Try --loss relativistic --r1 1 --r2 1" in collapsed
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
        assert diagnosed(*words).startswith("gan.ckpt at step 0: healthy.")
    assert "The two networks are in balance" in diagnosed("gan.ckpt", "own.safetensors")


def test_a_generator_that_makes_one_picture_has_collapsed(ok, pictures, content, tmp_path, diagnosed):
    ok("gan-loop", pictures, *TINY, "--steps", 1, "-o", "gan.ckpt", "-q")
    meta, tensors = content("gan.ckpt")
    for name in tensors:
        if name.startswith("ema.") and tensors[name].dtype == np.float32:
            tensors[name] = np.zeros_like(tensors[name])
    container.write(str(tmp_path / "one.ckpt"), "checkpoint", tensors, meta)
    assert diagnosed("one.ckpt", pictures, "-n", 60).startswith("one.ckpt at step 1: collapsed")


def test_a_snapshot_has_no_discriminator_to_judge(ok, pictures, diagnosed):
    ok("gan-loop", pictures, *TINY, "--steps", 0, "--snapshots", "shots", "-o", "gan.ckpt", "-q")
    assert "a snapshot without a discriminator" in diagnosed("shots/step-000000.safetensors", pictures, "-n", 60)


def test_the_diagnosis_reads_logs(ok, pictures, diagnosed):
    ok("gan-loop", pictures, *TINY, "--steps", 200, "--log", "run.jsonl", "-o", "gan.ckpt", "-q")
    text = diagnosed("gan.ckpt", pictures, "-n", 50, "--history", "run.jsonl")
    assert "D's loss went from" in text
    assert "gan-eval DATA SNAPSHOTS..." in text
