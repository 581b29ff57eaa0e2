"""The commands as users run them.

`run` starts one command in a process of its own, forked from a server that has imported torch already, so that a test
pays 0.05 s for it and not 3 s. `shell` starts bash, for real pipes.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import multiprocessing
import os
import pathlib
import signal
import subprocess
import sys
import time
from typing import Any, NamedTuple

import child
import hypothesis
import numpy as np
import offline
import pytest
import warm
from PIL import Image

from ganutils.files import container, letters
from ganutils.runs.defaults import fresh
from ganutils.samples import captions

pytest_plugins = ["browser", "sounding"]

ROOT = pathlib.Path(__file__).parent.parent
BIN = ROOT / "bin"
REAL = pathlib.Path(os.environ.get("GANUTILS_TEST_DATA") or ROOT.parent / "shared" / "data")  # real pictures, if there
TINY = ["--width", "2", "--z-dim", "4", "--batch", "4"]  # networks that train in milliseconds
LR = f"{fresh((8, 8, 1), {}).lr:g}"  # the default learning rate for `pictures`

# The same examples at every run: what CI says of a change is about that change. GANUTILS_EXPLORE=1 looks for new ones.
hypothesis.settings.register_profile("same", derandomize=True, deadline=None)
hypothesis.settings.register_profile("explore", deadline=None)
hypothesis.settings.load_profile("explore" if os.environ.get("GANUTILS_EXPLORE") else "same")

signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background is born deaf to it, and its children
os.environ.setdefault("OMP_NUM_THREADS", "1")  # tiny networks; threads of several tests only wait for each other
os.environ["OMP_WAIT_POLICY"] = "PASSIVE"  # and where there are more, they must not spin while they wait
warm.force_precision()  # for the tests that train in this process
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(warm.MODULES)


def pytest_configure(config: pytest.Config) -> None:
    """Hide the GPU but from what is meant for it: elsewhere it costs each command a second, and rounds differently."""
    if config.getoption("markexpr") != "gpu":
        os.environ["CUDA_VISIBLE_DEVICES"] = ""


@pytest.fixture(autouse=True)
def _denormals():
    """What computes in this process makes denormals zero; hypothesis could make no small numbers any more."""
    yield
    if torch := sys.modules.get("torch"):
        torch.set_flush_denormal(False)


def wait_for(path: pathlib.Path, seconds: float = 60) -> None:
    """Until it is there; it must come in time."""
    until = time.monotonic() + seconds
    while not path.exists() and time.monotonic() < until:
        time.sleep(0.01)
    assert path.exists()


class Result(NamedTuple):
    code: int
    out: bytes
    err: str

    @property
    def lines(self) -> list[str]:
        """What it said on stderr."""
        return self.err.splitlines()


class Started:
    """A command that runs; `wait` for its Result."""

    def __init__(
        self,
        folder: pathlib.Path,
        number: int,
        name: str,
        arguments: tuple[Any, ...],
        stdin: bytes,
        fault: Any,
        environment: dict[str, str],
    ):
        self.streams = [folder / f".{number}.{stream}" for stream in ("in", "out", "err")]
        for stream, content in zip(self.streams, (stdin, b"", b""), strict=True):
            stream.write_bytes(content)
        words = [str(argument) for argument in arguments]
        streams = tuple(map(str, self.streams))
        about = (str(folder), streams, fault, environment)
        self.process = FORKS.Process(target=child.command, args=(str(BIN / name), words, *about))
        self.process.start()

    def wait(self, seconds: float = 120) -> Result:
        self.process.join(seconds)
        if self.process.exitcode is None:
            self.process.kill()
            pytest.fail(f"still running after {seconds} s; it said {self.streams[2].read_text()!r}")
        return Result(self.process.exitcode, self.streams[1].read_bytes(), self.streams[2].read_text())


@pytest.fixture
def start(tmp_path):
    """start("gan-loop", ..., RANK="0") -> Started, in tmp_path, with what is named in its environment.

    fault=("fail", 3): its third operation on files fails.
    """
    numbers = itertools.count()

    def start_one(name: str, *arguments: Any, stdin: bytes = b"", fault: Any = None, **environment: str) -> Started:
        return Started(tmp_path, next(numbers), name, arguments, stdin, fault, environment)

    return start_one


@pytest.fixture
def run(start):
    """run("gan-data", "digits", ..., stdin=b"") -> Result(code, out, err), in tmp_path."""
    return lambda *arguments, **how: start(*arguments, **how).wait()


@pytest.fixture
def ok(run):
    """As `run`, and the command must do well."""

    def run_well(*arguments: Any, stdin: bytes = b"") -> Result:
        result = run(*arguments, stdin=stdin)
        assert result.code == 0, result.err
        return result

    return run_well


@pytest.fixture
def fails(run):
    """fails("gan-x", ...) -> its one line on stderr; it must exit 1 (or `code`) and write nothing on stdout."""

    def run_badly(*arguments: Any, stdin: bytes = b"", code: int = 1) -> str:
        result = run(*arguments, stdin=stdin)
        assert (result.code, result.out) == (code, b""), result
        assert len(result.lines) == 1, result.err
        assert result.err.startswith(f"{arguments[0]}: "), result.err
        return result.lines[0]

    return run_badly


@pytest.fixture(scope="session")
def warm_commands(tmp_path_factory):
    """A folder for PATH, of commands that are forked from a server (see warm.py); it lives as long as the tests."""
    folder = tmp_path_factory.mktemp("warm")
    warm.write_shims(folder / "bin", BIN, str(folder / "server"))
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    server = subprocess.Popen([sys.executable, warm.__file__, str(folder / "server")], env=env)
    while not (folder / "server").exists():
        assert server.poll() is None, "the server of the commands did not start"
        time.sleep(0.05)
    yield folder / "bin"
    server.terminate()


@pytest.fixture
def pipeline(tmp_path, warm_commands):
    """As `shell`, but the commands are forked from a server: real pipes, quick starts."""

    def run_shell(line: str) -> Result:
        env = {**os.environ, "PATH": f"{warm_commands}:{os.environ['PATH']}"}
        done = subprocess.run(
            ["bash", "-c", f"set -o pipefail; {line}"], cwd=tmp_path, env=env, capture_output=True, timeout=120
        )
        return Result(done.returncode, done.stdout, done.stderr.decode())

    return run_shell


@pytest.fixture
def shell(tmp_path):
    """shell("gan-data digits | gan-info") -> Result, by bash with pipefail, in tmp_path."""

    def run_shell(line: str, seconds: float = 120) -> Result:
        path = f"{BIN}:{os.path.dirname(sys.executable)}:{os.environ['PATH']}"
        env = {**os.environ, "PATH": path, "PYTHONPATH": f"{ROOT}:{offline.FOR_OTHERS}"}
        env.pop("PYTHONUNBUFFERED", None)  # it hides faults at a closed stdout
        env["PYTHONDONTWRITEBYTECODE"] = (
            "1"  # on a full disk Python 3.11 cuts its .pyc files short, and trips over them
        )
        words = ["bash", "-c", f"set -o pipefail; {line}"]
        done = subprocess.run(words, cwd=tmp_path, env=env, capture_output=True, timeout=seconds)
        return Result(done.returncode, done.stdout, done.stderr.decode())

    return run_shell


@pytest.fixture
def pictures(tmp_path):
    """Twelve gray pictures of 8x8 in data.safetensors, dark to light, with labels; gives the file's name."""
    images = (np.arange(12, dtype=np.uint8)[:, None, None, None] * 20 + np.zeros((12, 8, 8, 1), np.uint8)).astype("u1")
    images[:, 2:5, 3:6] += 10
    tensors = {"images": images, "labels": np.arange(12) % 3}
    container.write(str(tmp_path / "data.safetensors"), "samples", tensors, {"lineage": ["made by hand"]})
    return "data.safetensors"


@pytest.fixture
def made(ok, content):
    """made("SOURCE", ...) -> (meta, tensors, lines on stderr) of gan-data."""

    def make(*arguments, stdin=b""):
        result = ok("gan-data", *arguments, "-o", "made.safetensors", stdin=stdin)
        return *content("made.safetensors"), result.lines

    return make


@pytest.fixture
def pairs(tmp_path):
    """pairs(scale=2) -> a file of nine pictures of 10x12 in color, in three classes, with inputs half as large."""

    def written(scale: int = 1, channels: int = 3, name: str = "pairs.safetensors") -> str:
        random = np.random.default_rng(0)
        sizes = {"images": (12, 10, 3), "inputs": (12 // scale, 10 // scale, channels)}
        tensors = {tensor: random.integers(0, 256, (9, *size), np.uint8) for tensor, size in sizes.items()}
        container.write(str(tmp_path / name), "samples", {**tensors, "labels": np.arange(9) % 3}, {})
        return name

    return written


@pytest.fixture
def described(tmp_path):
    """described(inputs=True) -> a file of twelve pictures of 8x8 in color with attributes and captions, and inputs."""

    def written(inputs: bool = False, name: str = "described.safetensors") -> str:
        pictures = np.random.default_rng(0).integers(0, 256, (12, 8, 8, 3), np.uint8)
        attributes = (np.arange(12)[:, None] >> np.arange(3) & 1).astype(np.float32)
        sentences = [[f"a {'red' if n & 1 else 'blue'} thing", *["It is big!"] * (n % 3 > 0)] for n in range(12)]
        tensors = {"images": pictures, "attributes": attributes, "captions": captions.packed(sentences)}
        tensors |= {"inputs": pictures[:, ::2, ::2, :1]} if inputs else {}
        container.write(str(tmp_path / name), "samples", tensors, {"attributes": ["red", "big", "old"]})
        return name

    return written


@pytest.fixture
def run_on(ok, described):
    """run_on("captions") -> "x.ckpt", a checkpoint after two steps on `described`."""

    def run(kind: str, *more: Any, inputs: bool = False, name: str = "x.ckpt") -> str:
        tiny = ["--width", 2, "--batch", 4] if inputs else TINY
        ok("gan-loop", described(inputs), *tiny, "--conditional", kind, *more, "--steps", 2, "-o", name, "-q")
        return name

    return run


@pytest.fixture
def domains(tmp_path):
    """A file of eleven pictures of 8x8 in color, dark and light ones: two classes."""
    random, labels = np.random.default_rng(0), np.arange(11) // 6
    images = (random.integers(0, 100, (11, 8, 8, 3)) + 150 * labels[:, None, None, None]).astype(np.uint8)
    meta = {"classes": ["dark", "light"]}
    container.write(str(tmp_path / "domains.safetensors"), "samples", {"images": images, "labels": labels}, meta)
    return "domains.safetensors"


@pytest.fixture
def sounds(tmp_path):
    """Twelve sounds of 90 numbers at 8 kHz, low and high ones: two classes; gives the file's name."""
    labels, times = np.arange(12) % 2, np.arange(90) / 8000
    hertz = np.where(labels, 1000, 300) + 10 * np.arange(12)
    signals = 0.5 * np.sin(2 * np.pi * hertz[:, None] * times)[..., None]
    meta = {"sample_rate": 8000, "classes": ["low", "high"]}
    tensors = {"signals": signals.astype(np.float32), "labels": labels}
    container.write(str(tmp_path / "sounds.safetensors"), "samples", tensors, meta)
    return "sounds.safetensors"


@pytest.fixture
def texts(tmp_path):
    """Twelve texts of up to six letters, of two classes; gives the file's name."""
    rows = [f"{word} {end}" for word in ("one", "two") for end in ("a", "be", "ad", "de", "ab", "b")]
    alphabet = " " + "".join(sorted({*"".join(rows)} - {" "}))
    tensors = {"letters": letters.encoded(rows, alphabet, 6), "labels": np.repeat([0, 1], 6)}
    container.write(
        str(tmp_path / "texts.safetensors"), "samples", tensors, {"alphabet": alphabet, "classes": ["one", "two"]}
    )
    return "texts.safetensors"


@pytest.fixture(scope="session")
def root(tmp_path_factory):
    """Where classifiers are kept, so that each is trained once for all tests."""
    return tmp_path_factory.mktemp("root")


@pytest.fixture
def score(ok, root):
    """score("real", "fake", ..., "--best") -> the JSON objects that gan-eval prints"""

    def scored(*words: Any) -> list[dict[str, Any]]:
        return [json.loads(line) for line in ok("gan-eval", *words, "--root", root, "-q").out.splitlines()]

    return scored


@pytest.fixture
def extractor_of(root):
    """extractor_of(scores["features"]) -> the file of the network that they were measured with"""

    def found(about: dict[str, Any]) -> pathlib.Path:
        files = {hashlib.sha256(path.read_bytes()).hexdigest()[:16]: path for path in (root / "extractors").iterdir()}
        return files[about["hash"]]

    return found


@pytest.fixture
def save(tmp_path):
    """save("pairs", images=..., inputs=..., meta...) -> "pairs.safetensors", in tmp_path."""

    def write(name, **given):
        tensors = {key: array for key, array in given.items() if isinstance(array, np.ndarray)}
        meta = given.get("meta", {key: value for key, value in given.items() if key not in tensors})
        container.write(str(tmp_path / f"{name}.safetensors"), "samples", tensors, meta)
        return f"{name}.safetensors"

    return write


@pytest.fixture
def png(tmp_path):
    """png("x.png") -> the pixels of that file in tmp_path."""
    return lambda name: np.asarray(Image.open(tmp_path / name))


@pytest.fixture
def checkpoint(pictures, ok):
    """A tiny GAN after one step on `pictures`; gives the file's name."""
    ok("gan-loop", pictures, *TINY, "--steps", 1, "-o", "gan.ckpt.safetensors", "-q")
    return "gan.ckpt.safetensors"


@pytest.fixture
def content(tmp_path):
    """content("x.safetensors") -> (meta, {name: array}), of a file in tmp_path."""

    def read(name: str) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        with container.read(str(tmp_path / name)) as file:
            return file.meta, {name: file[name].copy() for name in file.specs}

    return read


@pytest.fixture
def folder(tmp_path):
    """folder({"a/1.png": bytes}) writes a folder `pics`, gives its name."""

    def write(files):
        for name, data in files.items():
            path = tmp_path / "pics" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        return "pics"

    return write
