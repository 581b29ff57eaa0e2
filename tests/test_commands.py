"""What holds for every command: README, start without torch, terminals, pipes that close, disks that are full."""

import os
import pathlib
import pty
import re
import subprocess
import sys

import pytest
from conftest import BIN, ROOT, TINY

COMMANDS = sorted(path.name for path in BIN.iterdir())
TEXT = ("gan-eval", "gan-info")  # what they say is their result
LIGHT = ("gan-data", "gan-gif", "gan-info", "gan-interp")  # they start without torch
README = (ROOT / "README.md").read_text()


def python(*words, **kwargs):
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    env.pop("PYTHONUNBUFFERED", None)
    return subprocess.run([sys.executable, *words], env=env, capture_output=True, text=True, **kwargs)


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_is_installed_documented_and_executable(name):
    assert os.access(BIN / name, os.X_OK)
    assert f"`{name}`" in README


@pytest.mark.parametrize(
    "words", [["gan-interp", "z.safetensors", "-o", "w.safetensors"], ["gan-gif", "f.safetensors", "-o", "f.gif"]]
)
def test_films_never_import_torch(words, tmp_path):
    import numpy as np

    from ganutils.files import container

    container.write(
        str(tmp_path / "z.safetensors"), "latents", {"latents": np.zeros((3, 4), "f4")}, {"prior": "normal"}
    )
    container.write(str(tmp_path / "f.safetensors"), "samples", {"images": np.zeros((3, 1, 4, 4, 1), "u1")}, {})
    done = python("-X", "importtime", str(BIN / words[0]), *words[1:], cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert not re.search(r"\| +torch$", done.stderr, re.MULTILINE)
    assert (tmp_path / words[-1]).stat().st_size > 0


@pytest.mark.parametrize("name", [name for name in COMMANDS if name not in TEXT])
def test_binary_never_goes_to_a_terminal(name, tmp_path):
    ours, theirs = pty.openpty()
    done = subprocess.run(
        [sys.executable, str(BIN / name), "x", *["x"] * (name == "gan-quiz")],
        stdin=theirs,
        stdout=theirs,
        stderr=subprocess.PIPE,
        cwd=tmp_path,
    )
    os.close(theirs)
    os.close(ours)
    assert done.returncode == 2
    assert b"The result is binary: give -o FILE, or pipe it on." in done.stderr


def test_a_missing_input_at_a_terminal_is_a_usage_error(tmp_path):
    for name in ("gan-loop", "gan-train-d", "gan-sample", "gan-interp", "gan-gif", "gan-info", "gan-plot"):
        ours, theirs = pty.openpty()
        done = subprocess.run(
            [sys.executable, str(BIN / name)],
            stdin=theirs,
            capture_output=True,
            cwd=tmp_path,
        )
        os.close(theirs)
        os.close(ours)
        assert (done.returncode, done.stdout) == (2, b"")
        assert b": Missing " in done.stderr, name


PRODUCERS = {
    "gan-data": "data.npy --size 64 -q",
    "gan-loop": "data.safetensors " + " ".join(TINY) + " --steps 1 -q",
    "gan-train-d": "data.safetensors --from gan.ckpt.safetensors -q",
    "gan-train-g": "--from gan.ckpt.safetensors -q",
    "gan-sample": "gan.ckpt.safetensors -n 3000 -q",
    "gan-interp": "--seeds 1-40 --for gan.ckpt.safetensors -q",
    "gan-gif": "film.safetensors -q",
    "gan-info": "gan.ckpt.safetensors",
    "gan-eval": "data.safetensors data.safetensors --features pixels -q",
    "gan-plot": "run.jsonl -q",
    "gan-export": "gan.ckpt.safetensors -q",
    "gan-report": "notes.txt -q",
    "gan-quiz": "many.safetensors many.safetensors -n 1 -q",
    "gan-label": "many.safetensors --like many.safetensors --features gan.ckpt.safetensors -q",
    "gan-arith": "many.safetensors '0-999 - 1 + 2' -q",
}


@pytest.fixture
def produce(checkpoint, ok, tmp_path):
    import numpy as np

    np.save(tmp_path / "data.npy", np.random.default_rng(0).integers(0, 256, (50, 8, 8), "u1"))
    ok("gan-sample", checkpoint, "--seeds", 1, "-o", "one.safetensors")
    images = np.random.default_rng(1).integers(0, 256, (80, 4, 32, 32, 1), "u1")
    from ganutils.files import container

    container.write(str(tmp_path / "film.safetensors"), "samples", {"images": images}, {})
    many = {"images": images.reshape(-1, 8, 8, 1)[:1000], "latents": np.zeros((1000, 4), "f4")}
    container.write(str(tmp_path / "many.safetensors"), "samples", {**many, "labels": np.arange(1000) % 2}, {})
    (tmp_path / "notes.txt").write_text("notes\n" * 1000)
    (tmp_path / "run.jsonl").write_text('{"step": 1, "d_loss": 1.0}\n{"step": 2, "d_loss": 0.5}\n')
    return {name: f"{name} {words}" for name, words in PRODUCERS.items()}


@pytest.fixture(params=["quick", pytest.param("real", marks=pytest.mark.soak)])
def process(request, shell, pipeline):
    """process(name) -> `shell`; or `pipeline` for those commands that import torch, which takes seconds."""
    return lambda name: shell if name in LIGHT or request.param == "real" else pipeline


def test_every_command_ends_quietly_when_its_reader_does(process, produce):
    assert produce.keys() == set(COMMANDS)
    for name, line in produce.items():
        done = process(name)(f"{line} | head -c 10 >/dev/null; echo ${{PIPESTATUS[0]}}")
        assert done.err == "", name
        assert done.out.strip() in (b"141", b"0"), name  # 0: all of it went into the pipe before the reader left


def test_every_command_says_in_one_line_that_the_disk_is_full(process, produce):
    for name, line in produce.items():
        done = process(name)(f"{line} > /dev/full")
        assert done.code == 1, name
        assert len(done.err.splitlines()) == 1, done.err
        assert done.err.startswith(f"{name}: ")
        assert "no space left on device" in done.err


def test_a_full_disk_leaves_the_old_file(process, produce, tmp_path):
    for name, line in produce.items():
        if name in TEXT:
            continue
        out = {
            "gan-gif": "old.gif",
            "gan-plot": "old.png",
            "gan-quiz": "old.html",
            "gan-report": "old.html",
            "gan-export": "old.onnx",
        }.get(name, "old.safetensors")
        (tmp_path / out).write_bytes(b"old")
        before = sorted(os.listdir(tmp_path))
        done = process(name)(f"ulimit -f 1; trap '' XFSZ; {line} -o {out}" + (" --fresh" if name == "gan-loop" else ""))
        assert done.code == 1, name
        assert f"{name}: {out}: file too large" in done.err
        assert (tmp_path / out).read_bytes() == b"old"
        assert sorted(os.listdir(tmp_path)) == before


def test_an_upstream_that_dies_makes_the_downstream_fail(pipeline, produce, tmp_path):
    whole = pipeline(produce["gan-sample"] + " --seed 1").out
    (tmp_path / "part").write_bytes(whole[: len(whole) // 2])
    training = "gan-loop -o x.ckpt -q " + " ".join(TINY)
    interp = "gan-interp - --frames 5 -o x.safetensors -q"
    for line in (
        "gan-gif -o x.png",
        "gan-gif -o x/",
        "gan-data - --size 4 -o x.safetensors",
        training,
        interp,
        "gan-info",
    ):
        source = "head -c -8 gan.ckpt.safetensors" if line.startswith("gan-sample") else "cat part"
        done = pipeline(f"{source} | {line}")
        assert done.code == 1, line
        assert "standard input: ended early; what wrote it failed or was stopped" in done.err
        assert not list(tmp_path.glob("x.*"))


def test_a_name_cannot_speak_to_the_terminal(fails):
    line = fails("gan-info", "evil\x1b[2J\nname")
    assert line == "gan-info: evil\\x1b[2J\\nname: no such file or directory; check the name"


def test_only_cli_imports_click():
    for path in pathlib.Path(ROOT / "ganutils").rglob("*.py"):
        has = bool(re.search(r"^\s*(import|from) click", path.read_text(), re.MULTILINE))
        assert not has or path.parent.name == "cli", path
