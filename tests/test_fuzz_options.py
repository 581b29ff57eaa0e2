"""Whatever options a command gets, it ends in a result or in words, changes no input and leaves nothing behind."""

import json
import random
import shlex

import fuzzing
import numpy as np
import pytest
import recordings
from conftest import TINY
from PIL import Image

from ganutils.files import container
from ganutils.samples import captions

RUNS = [(0, 100), (1, 100), *(pytest.param(seed, 1000, marks=pytest.mark.soak) for seed in range(2, 22))]


@pytest.fixture
def inputs(tmp_path, ok):
    """A folder of small files of every kind."""
    images = np.random.default_rng(0).integers(0, 256, (60, 8, 8, 1), "u1")
    labels, attributes = np.arange(60) % 3, np.eye(3, dtype="f4")[np.arange(60) % 3]
    meta = {"classes": ["0", "1", "2"], "attributes": ["a", "b", "c"]}
    folder = tmp_path / "inputs"
    (folder / "folder").mkdir(parents=True)

    def put(name, tensors, kind="samples", **meta):
        container.write(str(folder / name), kind, tensors, meta)

    latents = np.random.default_rng(1).normal(size=(60, 4)).astype("f4")
    put("data.safetensors", {"images": images, "labels": labels, "attributes": attributes}, **meta)
    put("sheet.safetensors", {"images": images, "latents": latents, "labels": labels, "attributes": attributes}, **meta)
    described = "inputs/described.safetensors"
    said = captions.packed([["a big one", "small"][: 1 + n % 2] for n in range(60)])
    put("described.safetensors", {"images": images, "attributes": attributes, "captions": said}, **meta)
    put("latents.safetensors", {"latents": latents}, "latents")
    put("film.safetensors", {"images": images[:12, None]})
    put(
        "pairs.safetensors",
        {"images": images, "inputs": 255 - images[:, ::-1], "labels": labels},
        classes=meta["classes"],
    )
    domains = np.arange(60) % 2
    put(
        "domains.safetensors",
        {"images": images, "labels": domains, "attributes": attributes},
        **{**meta, "classes": ["a", "b"]},
    )
    signals = np.random.default_rng(2).uniform(-1, 1, (6, 2, 40, 1)).astype("f4")
    put("sounds.safetensors", {"signals": signals, "labels": np.arange(12).reshape(6, 2) % 3}, sample_rate=8000)
    words = np.arange(60, dtype=np.uint8).reshape(12, 5) % 7
    put("texts.safetensors", {"letters": words, "labels": np.arange(12) % 2}, alphabet=" abcdef")
    put("points.safetensors", {"points": np.linspace(-1, 1, 60, dtype="f4")[:, None]})
    np.save(folder / "array.npy", images)
    (folder / "empty").touch()
    (folder / "noise").write_bytes(images.tobytes())
    for number, image in enumerate(images[:4, :, :, 0]):
        Image.fromarray(image).save(folder / "folder" / f"{number}.png")
    (folder / "takes").mkdir()
    for number in (1, 2):
        (folder / "takes" / f"{number}.wav").write_bytes(recordings.wav(recordings.sine(300 * number, length=400)))
    (folder / "table.csv").write_text("file,a,b\n" + "".join(f"{number}.png,{number % 2},1\n" for number in range(4)))
    (folder / "captions.csv").write_text("file,text\n" + "".join(f"{number}.png,a {number}\n" for number in range(4)))
    lines = [json.dumps({"step": step, "kimg": step / 10, "d_loss": 1.0, "g_loss": 0.5}) for step in (1, 2, 3)]
    (folder / "lines.txt").write_text("one\ntwo\nthree\n")
    (folder / "run.jsonl").write_text("\n".join(lines) + "\n")
    for words in (
        ["gan-gif", "inputs/film.safetensors", "-o", "inputs/film.gif"],
        ["gan-loop", "inputs/data.safetensors", *TINY, "--steps", 1, "-o", "inputs/gan.ckpt"],
        ["gan-loop", "inputs/data.safetensors", *TINY, "--conditional", "--steps", 1, "-o", "inputs/classes.ckpt"],
        ["gan-loop", "inputs/pairs.safetensors", "--width", 2, "--batch", 4, "--steps", 1, "-o", "inputs/pix.ckpt"],
        ["gan-loop", "inputs/domains.safetensors", "--domains", "--width", 2, "--steps", 1, "-o", "inputs/cycle.ckpt"],
        ["gan-loop", described, *TINY, "--conditional", "captions", "--steps", 1, "-o", "inputs/words.ckpt"],
        ["gan-loop", "inputs/points.safetensors", *TINY, "--steps", 1, "-o", "inputs/points.ckpt"],
    ):
        ok(*words)
    return folder


@pytest.fixture
def faults(inputs, tmp_path):
    """faults(cases) -> what went wrong with each of them that did not go well."""

    def run_all(cases):
        with fuzzing.Runner(inputs, tmp_path / "work") as runner:
            found = ((one, runner.problem(one)) for one in cases)
            return [f"{shlex.join(one.words)} <{one.stdin}\n{wrong}" for one, wrong in found if wrong]

    return run_all


def test_there_are_lines_for_each_command():
    assert {line.split()[0] for line in fuzzing.LINES} == set(fuzzing.commands())


@pytest.mark.parametrize(("seed", "count"), RUNS)
def test_random_options_end_in_a_result_or_in_words(faults, seed, count):
    known, r = fuzzing.commands(), random.Random(seed)
    found = faults(fuzzing.case(known, r) for _ in range(count))
    assert not found, "\n\n".join(found)


def test_the_fuzzer_sees_what_goes_wrong(inputs, tmp_path, monkeypatch):
    script = "from ganutils.cli.command import command\n@command()\ndef gan_x():\n    {}\ngan_x()\n"
    monkeypatch.setattr(fuzzing, "BIN", tmp_path)
    with fuzzing.Runner(inputs, tmp_path / "work") as runner:
        for statement, problem in (
            ("raise KeyError", "internal error"),
            ("open('litter', 'w')", "litter was left behind"),
            ("open('data.safetensors', 'w')", "data.safetensors changed"),
            ("import os; os.remove('run.jsonl')", "run.jsonl was removed"),
            ("import sys; sys.exit(3)", "exit code 3"),
            ("import sys; sys.exit(1)", "without a word"),
            ("import os; os.abort()", "exit code -6"),
            ("bytearray(1 << 42)", "out of memory"),
            ("import sys; print('\\x1b[2J', file=sys.stderr)", "not printable"),
        ):
            (tmp_path / "gan-x").write_text(script.format(statement))
            assert problem in (runner.problem(fuzzing.Case(["gan-x"], [], "empty")) or runner.said)
