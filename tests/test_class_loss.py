"""Training on labeled samples without --conditional: D tells their classes, and G makes samples that it can tell."""

import json
import math

import numpy as np
import pytest
import torch
from conftest import TINY

from ganutils import networks
from ganutils.files import container
from ganutils.networks.condition import Condition
from ganutils.runs.defaults import fresh
from ganutils.training.objectives.gan import GANObjective, Judge, Seen, Translator


@pytest.fixture
def labeled(tmp_path):
    """labeled("NAME", COUNT, CLASSES) -> a file of gray pictures of 8x8, the lighter the later their class."""

    def write(name, count, classes):
        labels = np.arange(count) % classes
        light = (
            np.random.default_rng(0).integers(0, 40, (count, 8, 8, 1)) + labels[:, None, None, None] * 200 // classes
        )
        meta = {"classes": [f"kind {label}" for label in range(classes)]}
        container.write(str(tmp_path / name), "samples", {"images": light.astype("u1"), "labels": labels}, meta)
        return name

    return write


@pytest.fixture
def sky(labeled, ok):
    """A checkpoint of two classes that D tells."""
    ok("gan-loop", labeled("sky.safetensors", 200, 2), *TINY, "--steps", 3, "-q", "-o", "sky.ckpt")
    return "sky.ckpt"


@pytest.fixture
def told(content):
    """told("CKPT") -> the weight of the classes, and how many D tells."""

    def read(name):
        config = content(name)[0]["config"]
        return config["class_loss"], config["d_classes"]

    return read


@pytest.fixture
def write(tmp_path):
    """write("NAME", tensors, classes) -> the name of that file of samples."""

    def samples(name, tensors, classes=None):
        container.write(str(tmp_path / name), "samples", tensors, {"classes": classes} if classes else {})
        return name

    return samples


@pytest.mark.parametrize(
    ("count", "classes", "words", "weight", "number"),
    [
        (200, 2, [], 0.3, 2),
        (199, 2, [], 0.0, 0),  # less than a hundred of each
        (100, 1, [], 0.0, 0),
        (200, 2, ["--class-loss", 0], 0.0, 0),
        (200, 2, ["--conditional"], 0.0, 0),
        (200, 2, ["--preset", "dcgan2016"], 0.0, 0),
        (200, 2, ["--loss", "lsgan"], 0.0, 0),  # D's output has two numbers to meet
        (199, 2, ["--class-loss", 2], 2.0, 2),
        (200, 2, ["--preset", "dcgan2016", "--class-loss", 1], 1.0, 2),
    ],
)
def test_enough_labeled_pictures_are_told_apart_by_default(ok, labeled, told, count, classes, words, weight, number):
    ok("gan-loop", labeled("x.safetensors", count, classes), *TINY, *words, "--steps", 1, "-q", "-o", "x.ckpt")
    assert told("x.ckpt") == (weight, number)


def test_the_losses_are_those_of_a_classifier_whose_normalizer_tells_real_from_fake():
    config = fresh((8, 8, 1), {"width": 2, "z_dim": 4, "class_loss": 0.5, "r1": 0.0, "r2": 0.0}, labels=3)
    G, D = networks.build(config)
    random = torch.Generator().manual_seed(0)
    real, fake = (torch.randn((4, 1, 8, 8), generator=random) for _ in range(2))
    labels = torch.tensor([0, 2, 1, 2])
    for weight in D.classes.kinds.parameters():
        torch.nn.init.normal_(weight, generator=random)
    judge, objective = Judge(D, torch.enable_grad), GANObjective(config)

    features = [D.features(judge.last(x, Condition())).detach().numpy() for x in (real, fake)]
    kinds, head = ([p.detach().numpy() for p in part.parameters()] for part in (D.classes.kinds, D.head))
    told = [x @ kinds[0].T + kinds[1] for x in features]
    logits = [x @ head[0][0] + head[1] + np.log(np.exp(y).mean(1)) for x, y in zip(features, told, strict=True)]
    chances = [np.exp(y) / np.exp(y).sum(1, keepdims=True) for y in told]
    of_d, of_g = (-np.log(1 / (1 + np.exp(-x))).mean() for x in (logits[0], -logits[1]))
    cross_entropy = -np.log(chances[0][range(4), labels.numpy()]).mean()
    entropy = -(chances[1] * np.log(chances[1])).sum(1).mean()

    shown = Seen(real, fake, Condition(labels=labels))
    terms = objective.discriminator(judge, shown)
    assert float(terms.measured["class_loss"]) == pytest.approx(cross_entropy, rel=1e-4)
    assert terms.loss.item() == pytest.approx(of_d + of_g + 0.5 * cross_entropy, rel=1e-4)
    terms = objective.generator(
        Translator(G, torch.enable_grad), judge, shown._replace(real=None, condition=Condition())
    )
    assert float(terms.measured["class_entropy"]) == pytest.approx(entropy, rel=1e-4)
    towards_real = -np.log(1 / (1 + np.exp(-logits[1]))).mean()
    assert terms.loss.item() == pytest.approx(towards_real + 0.5 * entropy, rel=1e-4)


def test_d_begins_as_one_that_tells_no_classes():
    given = {"width": 2, "z_dim": 4, "r1": 1.0, "r2": 1.0}
    (_, one), (_, other) = (networks.build(fresh((8, 8, 1), given, labels=labels)) for labels in (0, 1000))
    assert not hasattr(one.classes.kinds, "weight")
    for name, weight in one.state_dict().items():
        other.state_dict()[name].copy_(weight)
    pictures = torch.rand((5, 1, 8, 8), generator=torch.Generator().manual_seed(0))
    assert torch.allclose(one(pictures), other(pictures), atol=0.1), "not 6.9, the logarithm of 1,000"


def test_what_d_learns_of_the_classes_is_logged(ok, labeled, tmp_path):
    data = labeled("x.safetensors", 400, 2)
    words = ["--width", 4, "--z-dim", 8, "--batch", 32, "--steps", 300, "--log", "x.jsonl"]
    ok("gan-loop", data, *words, "-q", "-o", "x.ckpt")
    first, *_, last = map(json.loads, (tmp_path / "x.jsonl").read_text().splitlines())
    assert last["class_loss"] < 0.4 < math.log(2)
    assert 0 <= last["class_entropy"] < math.log(2)
    assert first.keys() == last.keys()
    ok("gan-plot", "x.jsonl", "-q", "-o", "x.png")


def test_samples_have_no_labels_since_g_knows_of_none(ok, fails, sky, content):
    ok("gan-sample", sky, "-n", 3, "-q", "-o", "made.safetensors")
    meta, tensors = content("made.safetensors")
    assert "labels" not in tensors
    assert "classes" not in meta
    assert fails("gan-sample", sky, "--label", "kind 1") == (
        "gan-sample: sky.ckpt: has no classes for --label; train with --conditional to have them"
    )


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ("sky.safetensors", ["--conditional"]),
        ("one.safetensors", []),
        ("bare.safetensors", []),
        ("sky.safetensors", ["--init", "bare.ckpt"]),
    ],
)
def test_a_weight_without_classes_to_tell_is_refused(ok, fails, labeled, write, content, data, words):
    labeled("sky.safetensors", 200, 2)
    labeled("one.safetensors", 200, 1)
    write("bare.safetensors", {"images": content("sky.safetensors")[1]["images"]})
    ok("gan-loop", "bare.safetensors", *TINY, "--steps", 0, "-q", "-o", "bare.ckpt")
    assert fails("gan-loop", data, *TINY, *words, "--class-loss", 1, "-o", "x.ckpt") == (
        "gan-loop: --class-loss is for data with labels, of two classes or more, without --conditional, and goes with "
        "--init only if D of that tells as many; leave it out"
    )


def test_a_run_that_tells_classes_goes_on_with_the_same_ones(ok, fails, write, sky, content):
    meta, tensors = content("sky.safetensors")
    write("other.safetensors", {**tensors, "labels": 1 - tensors["labels"]}, meta["classes"])
    write("names.safetensors", {**tensors, "images": tensors["images"] // 2}, ["a", "b"])
    write("bare.safetensors", {"images": tensors["images"] // 2})
    refused = {
        "other.safetensors": "has other labels than when sky.ckpt was trained on it; "
        "give the data as they were, or start a new run",
        "names.safetensors": "class 0 is 'a', and 'kind 0' in sky.ckpt; "
        "give data with the same classes in the same order, or start a new run",
        "bare.safetensors": "has no labels, which --class-loss needs; use a source that has classes",
    }
    for data, what in refused.items():
        assert fails("gan-train-d", data, "--from", sky, "-o", "d.ckpt") == f"gan-train-d: {data}: {what}"
    ok("gan-train-d", "sky.safetensors", "--from", sky, "-q", "-o", "d.ckpt")
    ok("gan-train-g", "--from", "d.ckpt", "-q", "-o", "g.ckpt")
    assert content("g.ckpt")[0]["config"] == content(sky)[0]["config"]


@pytest.mark.parametrize(("count", "classes", "weight"), [(200, 2, 0.3), (300, 3, 0.0), (200, 1, 0.0)])
def test_its_networks_can_begin_a_run_on_other_data(ok, labeled, told, sky, count, classes, weight):
    data = labeled("next.safetensors", count, classes)
    ok("gan-loop", data, "--init", sky, "--steps", 1, "-q", "-o", "next.ckpt")
    assert told("next.ckpt") == (weight, 2)
