"""Training between two domains: what it says, and what cannot be trained."""

import json
import re

import numpy as np
import pytest
from test_translate import noise

NAMES = ["dark", "light"]


def test_a_plan_and_the_first_and_last_lines(ok, domains):
    words = ["gan-loop", domains, "--domains", "--width", 2, "--batch", 2, "--steps", 1, "-o", "g.ckpt"]
    plan = ok(*words, "--dry-run").out.decode()
    assert re.search(r"domains +2  \(given\)", plan)
    lines = ok(*words, "--log", "log.jsonl").lines
    assert lines[0].startswith("domains.safetensors: 11 pictures of 8x8x3; unet of width 2 (G ")
    assert lines[-1] == "next: gan-sample g.ckpt --inputs DATA -o sheet.png"


@pytest.fixture
def bad(save):
    """Files of samples that are no two domains, and some that are, by name."""
    images, both = noise(12, 8, 8, 3), np.arange(12) // 6
    save("two", images=images, labels=both, classes=NAMES)
    save("turned", images=images, labels=both, classes=NAMES[::-1])
    save("none", images=images)
    save("one", images=images, labels=both * 0, classes=["dark"])
    save("three", images=images, labels=np.arange(12) % 3, classes=["a", "b", "c"])
    save("single", images=images, labels=(np.arange(12) == 11).astype(np.int64), classes=NAMES)
    save("points", points=np.zeros((12, 2), "f4"), labels=both, classes=NAMES)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ["none.safetensors", "--domains"],
            "none.safetensors: has no labels, which --domains needs; give gan-data two folders or files, "
            "which become two classes"
        ),
        (
            ["one.safetensors", "--domains"],
            "one.safetensors: has a single class (dark), and --domains takes 2; give gan-data two folders or "
            "files, which become two classes"
        ),
        (
            ["three.safetensors", "--domains"],
            "three.safetensors: has 3 classes (a, b, c), and --domains takes 2; choose them with gan-data "
            "--classes"
        ),
        (
            ["three.safetensors", "--preset", "cyclegan2017"],
            "three.safetensors: has 3 classes (a, b, c), and --domains takes 2; choose them with gan-data "
            "--classes"
        ),
        (
            ["single.safetensors", "--domains"],
            "single.safetensors: class 'light' has 1 picture; --domains needs 2 or more of each"
        ),
        (["points.safetensors", "--domains"], "--domains is for pictures, not points; leave it out"),
        (
            ["two.safetensors", "--domains", "--arch", "dcgan"],
            "--domains goes with --arch unet, hourglass, blocks, not dcgan"
        ),
        (
            ["two.safetensors", "--domains", "--preset", "stackgan2017"],
            "--domains goes with --arch unet, hourglass, blocks, not dcgan"
        ),
        (
            ["two.safetensors", "--domains", "--arch", "enlarge"],
            "--domains goes with --arch unet, hourglass, blocks, not enlarge",
        ),
        (["two.safetensors", "--domains", "--l1", "1"], "--l1 is for pairs, not for --domains; leave it out"),
        (
            ["two.safetensors", "--domains", "--mismatch", "0.5"],
            "--mismatch is for pairs, not for --domains; leave it out"
        ),
        (["two.safetensors", "--domains", "--sees", "pair"], "--sees is for pairs, not for --domains; leave it out"),
        (
            ["two.safetensors", "--domains", "--conditional"],
            "--conditional does not go with --domains, whose two classes are the domains; leave one of them out"
        ),
        (
            ["two.safetensors", "--domains", "--batch", "4", "--buffer", "3"],
            "--buffer 3 is less than --batch 4; give at least that many, or 0"
        ),
        (
            ["two.safetensors", "--domains", "--adversarial", "0"],
            "--adversarial 0 and --matching 0 leave nothing that tells the domains apart; give one of them"
        ),
        (["two.safetensors", "--cycle", "3"], "--cycle goes with --domains; give that too, or leave it out"),
        (["two.safetensors", "--identity", "3"], "--identity goes with --domains; give that too, or leave it out"),
        (["two.safetensors", "--buffer", "30"], "--buffer goes with --domains; give that too, or leave it out"),
        (
            ["turned.safetensors", "--from", "two.ckpt"],
            "turned.safetensors: class 0 is 'light', and 'dark' in two.ckpt; give data with the same classes "
            "in the same order, or start a new run"
        ),
    ],
)  # fmt: skip
def test_bad_input_of_training_is_one_line(ok, fails, bad, tmp_path, words, said):
    if "--from" in words:
        ok("gan-loop", "two.safetensors", "--domains", "--width", 2, "--batch", 2, "--steps", 1, "-o", "two.ckpt", "-q")
    width = [] if "--from" in words else ["--width", 2]
    line = fails("gan-loop", *words, *width, "--steps", 2, "-o", "x.ckpt")
    assert line == f"gan-loop: {said}"
    assert not (tmp_path / "x.ckpt").exists()


def test_the_log_has_the_terms_of_domains(ok, domains, tmp_path):
    words = ["--identity", 1, "--width", 2, "--batch", 2, "--steps", 2, "--log", "log.jsonl", "-q"]
    ok("gan-loop", domains, "--domains", *words, "-o", "g.ckpt")
    (line,) = map(json.loads, (tmp_path / "log.jsonl").read_text().splitlines())
    assert {"cycle", "identity", "g_loss", "d_loss"} <= line.keys()
    assert "l1" not in line
