"""Files from strangers: no traceback, no hang, no code run, nothing written elsewhere (docs/promises.md)."""

import ast
import json
import os
import random
import resource
import shutil
import socket
import zipfile

import numpy as np
import pytest
from conftest import BIN, ROOT, TINY
from hostile import Runner, archives, change_json, mended_png, mutated, pictures

from ganutils import Error
from ganutils.files import container
from ganutils.samples.captions import packed

SOAK = pytest.mark.soak
GOLDEN = ROOT / "tests" / "data" / "format-1"
MEMORY = 200  # MB that a small file may cost
T = [*TINY, "-q", "--steps", "1"]


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def runner():
    return Runner()


def rss():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024  # MB


LOOKS = [
    ["gan-info", "F"],
    ["gan-info", "F", "--json"],
    ["gan-info", "F", "--digest"],
    ["gan-info", "F", "--preview", "p.png"],
]
SAMPLES = [
    *LOOKS,
    ["gan-data", "F", "--size", "4", "-o", "o.safetensors", "-q"],
    ["gan-data", "F", "--limit", "3", "--classes", "a", "-o", "o.safetensors", "-q"],
    ["gan-data", "F", "train.safetensors", "--where", "a | x", "-o", "o/", "-q"],
    ["gan-gif", "F", "-o", "o.gif", "-q", "--caption", "{step} {frame}"],
    ["gan-gif", "F", "-o", "o.png", "-q"],
    ["gan-data", "F", "-o", "o.txt", "-q"],
    ["gan-eval", "F", "train.safetensors", "--features", "pixels", "-q"],
    ["gan-eval", "points.safetensors", "F", "-q"],
    ["gan-loop", "F", *T, "--conditional", "-o", "o.ckpt", "--fresh"],
    ["gan-interp", "F", "-o", "o.safetensors", "--frames", "3", "-q"],
    ["gan-sample", "mlp.safetensors", "--latents", "F", "-o", "o.safetensors", "-q"],
    ["gan-sample", "unet.safetensors", "--inputs", "F", "--tile", "16", "-o", "o.png", "-q"],
]
PAIRS = [
    *SAMPLES,
    ["gan-data", "F", "--size", "8", "--shuffle", "-o", "o.safetensors", "-q"],
    ["gan-gif", "F", "pairs.safetensors", "--show", "targets,images,inputs", "-o", "o.gif", "-q"],
    ["gan-data", "F", "--swap", "-o", "o.safetensors", "-q"],
    ["gan-data", "F", "pairs.safetensors", "--film", "-o", "o.safetensors", "-q"],
    ["gan-data", "pairs.safetensors", "--inputs", "F", "--inputs", "F", "--size", "4", "-o", "o.safetensors", "-q"],
]
LATENTS = [
    *LOOKS,
    ["gan-interp", "F", "-o", "o.safetensors", "--frames", "3", "-q"],
    ["gan-interp", "F", "--kind", "circle", "--frames", "3", "-o", "o.npy", "-q"],
    ["gan-interp", "latents.safetensors", "--along", "F", "--frames", "3", "-o", "o.npy", "-q"],
    ["gan-sample", "resnet.safetensors", "--latents", "F", "-o", "o.gif", "-q"],
    ["gan-data", "F", "-o", "o.npy", "-q"],
]
CHECKPOINTS = [
    *LOOKS,
    ["gan-sample", "F", "-n", "3", "-o", "o.png", "-q"],
    ["gan-sample", "F", "krohn.safetensors", "-n", "2", "-o", "o.gif", "-q"],
    ["gan-train-d", "DATA", "--from", "F", "-o", "o.ckpt", "-q"],
    ["gan-train-g", "DATA", "--from", "F", "-o", "o.ckpt", "-q"],
    ["gan-loop", "DATA", "--from", "F", "-o", "o.ckpt", "--fresh", "--steps", "2", "-q"],
    ["gan-interp", "--seeds", "1-3", "--for", "F", "--frames", "2", "-o", "o.safetensors", "-q"],
    ["gan-eval", "DATA", "F", "-n", "5", "-q", "--features", "pixels"],
]
TRANSLATORS = [
    *LOOKS,
    ["gan-sample", "F", "-n", "3", "-o", "o.png", "-q"],
    ["gan-sample", "F", "--inputs", "train.safetensors", "--tile", "16", "-o", "o.png", "-q"],
    ["gan-sample", "F", "hourglass.safetensors", "--inputs", "train.safetensors", "-n", "2", "-o", "o.gif", "-q"],
    ["gan-interp", "--seeds", "1-3", "--for", "F", "--frames", "2", "-o", "o.safetensors", "-q"],
]
CYCLES = [
    *TRANSLATORS,
    ["gan-sample", "F", "--inputs", "train.safetensors", "--back", "-o", "o.safetensors", "-q"],
    [
        "gan-sample",
        "F",
        "blocks.safetensors",
        "--inputs",
        "pairs.safetensors",
        "--to",
        "a",
        "--back",
        "-o",
        "o.gif",
        "-q",
    ],
    ["gan-loop", "DATA", "--from", "F", "-o", "o.ckpt", "--fresh", "--steps", "2", "-q"],
]
EXTRACTORS = [*LOOKS, ["gan-eval", "train.safetensors", "train.safetensors", "--features", "F", "-q"]]
USES = {
    **dict.fromkeys(("samples", "train", "points", "signals", "texts"), SAMPLES),
    **dict.fromkeys(("dcgan", "resnet", "krohn", "mlp", "wave", "letters", "snapshot"), CHECKPOINTS),
    **dict.fromkeys(("unet", "enlarge"), TRANSLATORS),
    "blocks": CYCLES,
    "pairs": PAIRS,
    "latents": LATENTS,
    "extractor": EXTRACTORS,
}


@pytest.mark.parametrize("count", [400, pytest.param(20_000, marks=SOAK)])
def test_mutated_files_of_ours_end_in_words(here, runner, count):
    shutil.copytree(GOLDEN, here, dirs_exist_ok=True)
    originals = {name: (GOLDEN / f"{name}.safetensors").read_bytes() for name in USES}
    for name, uses in USES.items():
        use(runner, name, uses[-1], originals[name])  # what is imported is not counted as memory
    r = random.Random(count)
    runner.faults.clear()
    for number in range(count):
        name = list(USES)[number % len(USES)]
        before = rss()
        use(runner, name, r.choice(USES[name]), mutated(originals[name], r))
        assert rss() - before < MEMORY, name  # of one file; a process that reads thousands keeps some of each
    assert not runner.faults, "\n".join(runner.faults)
    assert not [name for name in os.listdir(here) if name.endswith(".tmp")]
    assert min(runner.outcomes.get(outcome, 0) for outcome in ("done", "Error")) > count / 50  # both ways were taken


def use(runner, name, words, content):
    with open("bad.safetensors", "wb") as out:
        out.write(content)
    others = {"mlp": "points", "wave": "signals", "letters": "texts"}
    data = f"{others.get(name, 'train')}.safetensors"
    runner.run(*({"F": "bad.safetensors", "DATA": data}.get(word, word) for word in words))


@pytest.mark.parametrize("count", [300, pytest.param(10_000, marks=SOAK)])
def test_mutated_pictures_end_in_words(here, runner, count):
    originals, r = pictures(), random.Random(count)
    os.mkdir("good")
    for number in range(12):
        (here / "good" / f"{number}.png").write_bytes(originals["RGB.png"])
    runner.faults.clear()
    for start in range(0, count, 10):
        shutil.rmtree("bad", ignore_errors=True)
        os.mkdir("bad")
        for number in range(start, start + 10):
            name = list(originals)[number % len(originals)]
            content = mutated(originals[name], r)
            content = mended_png(content) if name.endswith("png") and r.random() < 0.6 else content
            (here / "bad" / f"{number}{name}").write_bytes(content)
        fit = r.choice(["crop", "pad", "stretch"])
        runner.run("gan-data", "bad", "good", "--size", "8", "--fit", fit, "-o", "o.safetensors", "-q")
        runner.run("gan-gif", f"bad/{r.choice(os.listdir('bad'))}", "good/0.png", "-o", "o.gif", "-q")
    assert not runner.faults, "\n".join(runner.faults)


@pytest.mark.parametrize("count", [80, pytest.param(4_000, marks=SOAK)])
def test_mutated_films_end_in_words(here, runner, count):
    r, images = random.Random(count), np.random.default_rng(0).integers(0, 256, (5, 1, 20, 16, 3), "u1")
    container.write("film.safetensors", "samples", {"images": images}, {})
    runner.faults.clear()
    suffixes = ("gif", "webp", "apng", "mp4")
    for suffix in suffixes:
        runner.run("gan-gif", "film.safetensors", "-o", f"good.{suffix}", "-q")
    originals = {suffix: (here / f"good.{suffix}").read_bytes() for suffix in suffixes}
    for number in range(count):
        suffix = suffixes[number % 4 if number % 20 < 4 else number % 3]  # starting ffmpeg is slow: fewer of MP4
        content = mutated(originals[suffix], r)
        content = mended_png(content) if suffix == "apng" and r.random() < 0.6 else content
        (here / f"bad.{suffix}").write_bytes(content)
        runner.run("gan-gif", f"bad.{suffix}", "-o", "o.apng", "-q")
        runner.run("gan-data", f"bad.{suffix}", "-o", "o.safetensors", "-q")
    assert not runner.faults, "\n".join(runner.faults)


@pytest.mark.parametrize("count", [150, pytest.param(4_000, marks=SOAK)])
def test_mutated_arrays_tables_strokes_logs_and_archives_end_in_words(here, runner, count):
    rng, r, png = np.random.default_rng(0), random.Random(count), pictures()["RGB.png"]
    os.mkdir("good")
    for number in range(4):
        (here / "good" / f"{number}.png").write_bytes(png)
    np.save("bits.npy", rng.integers(0, 256, (4, 8, 8), "u1"))
    np.save("floats.npy", rng.random((3, 6, 6, 3)).astype("f4"))
    archives(here / "archives", png)
    drawing = {"word": "cat", "drawing": [[[0, 9, 200], [3, 80, 9]], [[1, 2], [3, 4]]]}
    (here / "d.ndjson").write_text(f"{json.dumps(drawing)}\n" * 5)
    (here / "t.csv").write_text("file,Smiling,Male\n" + "".join(f"{i}.png,{i % 2},1\n" for i in range(4)))
    (here / "c.csv").write_text("file,caption\n" + "".join(f'{i}.png,"a {i}, b"\n' for i in range(4)))
    (here / "c.jsonl").write_text(
        "".join(json.dumps({"file_name": f"{i}.png", "text": ["a", "é"]}) + "\n" for i in range(4))
    )
    (here / "c.txt").write_text("".join(f"{i}.png#{j}\ta {j}\n" for i in range(4) for j in range(2)))
    (here / "l.jsonl").write_text(
        "".join(json.dumps({"step": i * 50, "d_loss": 0.5, "fid": 3}) + "\n" for i in range(5))
    )
    (here / "x-images-idx3-ubyte").write_bytes(bytes([0, 0, 8, 3, 0, 0, 0, 5, 0, 0, 0, 8, 0, 0, 0, 8]) + bytes(320))
    uses = {
        "bits.npy": ["gan-data", "bits.npy", "-o", "o.safetensors", "-q"],
        "floats.npy": ["gan-gif", "floats.npy", "-o", "o.gif", "-q"],
        "d.ndjson": ["gan-data", "d.ndjson", "--size", "8", "-o", "o.safetensors", "-q"],
        "t.csv": ["gan-data", "good", "--attributes", "t.csv", "-o", "o.safetensors", "-q"],
        "c.csv": ["gan-data", "good", "--captions", "c.csv", "-o", "o.safetensors", "-q"],
        "c.jsonl": ["gan-data", "good", "--captions", "c.jsonl", "-o", "o.safetensors", "-q"],
        "c.txt": ["gan-data", "good", "--captions", "c.txt", "-o", "o.safetensors", "-q"],
        "x-images-idx3-ubyte": ["gan-data", "x-images-idx3-ubyte", "-o", "o.safetensors", "-q"],
        "archives/up.zip": ["gan-data", "archives/up.zip", "--size", "8", "-o", "o.safetensors", "-q"],
        "archives/up.tar": ["gan-data", "archives/up.tar", "--size", "8", "-o", "o.safetensors", "-q"],
        "l.jsonl": ["gan-plot", "l.jsonl", "-o", "o.svg", "-q"],
    }
    originals = {name: (here / name).read_bytes() for name in uses}
    runner.faults.clear()
    for number in range(count):
        name = list(uses)[number % len(uses)]
        content = mutated(originals[name], r)
        if name.endswith("json") and r.random() < 0.6:
            lines = [json.loads(line) for line in originals[name].splitlines()]
            change_json(lines[0], r)
            content = "".join(f"{json.dumps(line)}\n" for line in lines).encode()
        (here / name).write_bytes(content)
        runner.run(*uses[name])
        (here / name).write_bytes(originals[name])
    assert not runner.faults, "\n".join(runner.faults)


def test_a_naive_reader_would_not_pass():
    """The mutations do reach: a reader that believes the header fails in many ways."""

    def read(data):
        start = 8 + int.from_bytes(data[:8], "little")
        entry = json.loads(data[8:start])["images"]
        first, last = entry["data_offsets"]
        return np.frombuffer(data[start:][first:last], "u1").reshape(entry["shape"])

    found, r, content = set(), random.Random(0), (GOLDEN / "samples.safetensors").read_bytes()
    assert read(content).shape == (2, 4, 5, 4, 1)
    for _ in range(200):
        try:
            read(mutated(content, r))
        except Exception as problem:
            found.add(type(problem).__name__)
    assert len(found) >= 4, found


def test_hostile_archives_write_nothing_and_say_what_was_left_out(here, run):
    names = archives(here / "archives", pictures()["RGB.png"])
    here.joinpath("archives").chmod(0o555)
    before = sorted(os.listdir("/tmp")), sorted(os.listdir(here.parent))
    for name in names:
        result = run("gan-data", f"archives/{name}", "--size", 8, "-o", "o.safetensors")
        assert result.code in (0, 1), (name, result.err)
        assert "internal error" not in result.err
        assert all(line.isprintable() for line in result.lines), name
        assert result.code == 1 or "pictures of 8x8" in result.lines[-1], name
    assert not [name for name in os.listdir("/tmp") if name not in before[0] and ("up" in name or "absolute" in name)]
    assert sorted(os.listdir(here.parent)) == before[1]
    assert sorted(os.listdir("archives")) == names


def test_a_header_of_any_shape_costs_little_memory(here, run):
    """In a process each, under a limit: the file's size and 200 MB more than the command takes by itself."""

    def put(own):
        text = json.dumps({"__metadata__": {"ganutils": own}}).encode()
        (here / "x").write_bytes(len(text).to_bytes(8, "little") + text)

    most = container.MARKS_LIMIT // 2 - 20
    for inner in (
        "[" * 100_000 + "]" * 100_000,
        "[" + ",".join(f'{{"{n}":1.5}}' for n in range(most)) + "]",
        "[" + ",".join("{}" for n in range(3 * most)) + "]",
        '"' + "\U0001f600" * 3_000_000 + '"',
    ):
        put(f'{{"format": 1, "kind": "latents", "x": {inner}}}')
        before = rss()
        with pytest.raises(Error), container.read("x"):
            pass
        assert rss() - before < MEMORY + (here / "x").stat().st_size / 1e6


@pytest.fixture(scope="module")
def pickles(tmp_path_factory):
    """Files that run code when they are unpickled: a .pt, a .npz, a .npy and a .pth; `owned` lies beside them then."""
    import torch

    folder = tmp_path_factory.mktemp("pickles")

    class Payload:
        def __reduce__(self):
            return os.mkdir, (str(folder / "owned"),)

    torch.save(Payload(), folder / "evil.pt")
    shutil.copy(folder / "evil.pt", folder / "evil.pth")
    np.savez(folder / "evil.npz", np.array(Payload(), object))
    np.save(folder / "evil.npy", np.array([Payload()], object))
    return folder


OFFERS = [
    "gan-data F -o o.safetensors",
    "gan-data t.npy --attributes F -o o.safetensors",
    "gan-loop F -o o.ckpt",
    "gan-loop data.safetensors --from F -o o.ckpt",
    "gan-loop data.safetensors -o F",
    "gan-train-d data.safetensors --from F -o o.ckpt",
    "gan-train-g --from F -o o.ckpt",
    "gan-sample F -o o.png",
    "gan-sample gan.ckpt.safetensors --latents F -o o.png",
    "gan-interp F -o o.safetensors",
    "gan-interp --seeds 1,2 --for F -o o.safetensors",
    "gan-gif F -o o.gif",
    "gan-gif t.npy --title x --font F -o o.gif",
    "gan-eval data.safetensors F",
    "gan-eval F data.safetensors",
    "gan-eval data.safetensors data.safetensors --features F",
    "gan-eval data.safetensors data.safetensors --features inception --weights F",
    "gan-export F -o o.onnx",
    "gan-report F -o o.html",
    "gan-quiz F data.safetensors -n 1 -o o.html",
    "gan-quiz data.safetensors F -n 1 -o o.html",
    "gan-label F --like data.safetensors -o o.safetensors",
    "gan-label data.safetensors --like F -o o.safetensors",
    "gan-arith F 3 -o o.safetensors",
    "gan-arith F --direction x -o o.safetensors",
    "gan-plot F -o o.png",
    "gan-info F",
]


SUFFIXES = ["pt", "npz", "npy", "pth"]  # in CI each goes to a quarter of the places, so that each place gets one
PLACES = [
    *((suffix, OFFERS[at::4]) for at, suffix in enumerate(SUFFIXES)),
    *(pytest.param(suffix, OFFERS, marks=SOAK) for suffix in SUFFIXES),
]


@pytest.mark.parametrize(("suffix", "lines"), PLACES)
def test_pickles_are_refused_by_name_and_never_run(fails, checkpoint, tmp_path, pickles, suffix, lines):
    np.save(tmp_path / "t.npy", np.zeros((3, 8, 8), "u1"))
    name = f"evil.{suffix}"
    shutil.copy(pickles / name, tmp_path / name)
    before = (tmp_path / name).read_bytes()
    assert {line.split()[0] for line in OFFERS} == {path.name for path in BIN.iterdir()}
    for line in lines:
        said = fails(*(name if word == "F" else word for word in line.split()))
        assert name in said, line
        assert "internal error" not in said, said
    assert (tmp_path / name).read_bytes() == before
    assert not (pickles / "owned").exists()


def test_the_pickles_would_have_run(pickles):
    import pickle

    with zipfile.ZipFile(pickles / "evil.pt") as archive:
        payload = next(archive.read(name) for name in archive.namelist() if name.endswith("data.pkl"))
    pickle.loads(payload)
    assert (pickles / "owned").is_dir()
    (pickles / "owned").rmdir()


FORBIDDEN = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "marshal", "shelve"}


def code_that_runs_code(tree):
    """What in a module could run code that lies in data: (line, what)."""
    for node in ast.walk(tree):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or "", *(alias.name for alias in node.names)]
        for name in names:
            if name.split(".")[0] in FORBIDDEN:
                yield node.lineno, f"import {name}"
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            given = {word.arg: ast.unparse(word.value) for word in node.keywords}
            if called in ("eval", "exec", "compile", "__import__", "os.system", "os.popen"):
                yield node.lineno, called
            if called in ("torch.load", "torch.save", "torch.jit.load", "yaml.load"):
                yield node.lineno, called
            if called.endswith(("np.load", "numpy.load")) and given.get("allow_pickle") != "False":
                yield node.lineno, f"{called} without allow_pickle=False"
            if given.get("allow_pickle", "False") != "False" or given.get("weights_only", "True") != "True":
                yield node.lineno, f"{called} of pickles"
            if given.get("shell", "False") != "False":
                yield node.lineno, f"{called} by a shell"


def test_nothing_in_the_commands_and_the_library_can_run_code_of_a_file():
    modules = [*BIN.iterdir(), *(ROOT / "ganutils").rglob("*.py")]
    assert len(modules) > 50
    found = [(path.name, *what) for path in modules for what in code_that_runs_code(ast.parse(path.read_text()))]
    assert not found


@pytest.mark.parametrize(
    "code",
    [
        "import pickle",
        "from joblib import load",
        "eval('1')",
        "exec(text)",
        "np.load(path)",
        "np.load(path, allow_pickle=True)",
        "np.lib.format.read_array(f, allow_pickle=True)",
        "torch.load(path)",
        "hub.load(path, weights_only=False)",
        "subprocess.run(line, shell=True)",
    ],
)
def test_the_check_sees_each_of_them(code):
    assert list(code_that_runs_code(ast.parse(code)))


EVIL = "a\x1b[2J\n\x9b31m\u202e"


def test_names_from_a_stranger_never_reach_the_terminal_raw(here, run):
    images = np.arange(4 * 8 * 8, dtype="u1").reshape(4, 8, 8, 1)
    tensors = {"images": images, "labels": np.array([0, 1, 0, 1]), "attributes": np.ones((4, 1), "f4")}
    tensors["captions"] = packed([[EVIL]] * 4)
    (here / "c.txt").write_text(f"{EVIL}.png\t{EVIL}\n".replace("\n\x9b", "\x9b"))
    meta = {"classes": [EVIL, "b"], "attributes": [EVIL], "license": EVIL, "lineage": [EVIL], EVIL: EVIL}
    container.write("x.safetensors", "samples", tensors, meta)
    shutil.copy("x.safetensors", f"{EVIL}.safetensors")
    os.makedirs(f"folder/{EVIL}")
    os.makedirs("folder/\udcff")  # bytes that are no text
    for name in (EVIL, "\udcff"):
        (here / "folder" / name / f"{name}.png").write_bytes(b"no picture")
        (here / "folder" / name / "good.png").write_bytes(pictures()["RGB.png"])
    for words in (
        ["gan-info", f"{EVIL}.safetensors"],
        ["gan-info", "x.safetensors", "--json"],
        ["gan-data", "x.safetensors", "--where", "nothing", "-o", "o.safetensors"],
        ["gan-data", "folder", "-o", "o.safetensors"],
        ["gan-data", "folder", "--captions", "c.txt", "-o", "o.safetensors"],
        ["gan-data", "x.safetensors", "--attributes", "x.safetensors", "-o", "o.safetensors"],
        ["gan-eval", "x.safetensors", f"{EVIL}.safetensors", "--features", "pixels"],
        ["gan-eval", "x.safetensors", "x.safetensors", "--features", "pixels", "--table"],
        ["gan-loop", f"{EVIL}.safetensors", *T, "--conditional", "-o", f"{EVIL}.ckpt"],
        ["gan-sample", f"{EVIL}.ckpt", "--label", "nothing", "-o", "o.png"],
        ["gan-gif", "x.safetensors", "--caption", "{nothing}", "-o", "o.gif"],
        ["gan-plot", f"{EVIL}.jsonl", "-o", "o.png"],
        ["gan-gif", "\udcff.npy", "-o", "o.gif"],
    ):
        result = run(*words)
        said = result.err + result.out.decode()
        assert "internal error" not in said, words
        assert all(c.isprintable() or c == "\n" for c in said), (words, said)
        if "--json" in words:
            assert json.loads(result.out)["classes"] == [EVIL, "b"]


def test_the_network_is_blocked_here_and_in_the_commands(run, shell, monkeypatch, tmp_path):
    import offline

    with pytest.raises(offline.NetworkError):
        socket.create_connection(("192.0.2.1", 80), 1)
    with pytest.raises(offline.NetworkError):
        socket.getaddrinfo("example.org", 80)
    result = run("gan-data", "quickdraw:apple", "--root", "root", "-o", "o.safetensors")
    assert result.code == 1
    assert "NetworkError" in result.err
    done = shell("gan-data quickdraw:apple --root root -o o.safetensors")
    assert "NetworkError" in done.err
