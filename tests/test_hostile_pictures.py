"""Pictures, films and models of strangers: what they cost, what their decoders print, what changes as they are read."""

import errno
import io
import json
import os
import pathlib
import signal
import struct
import time
import warnings
import zipfile
import zlib

import costs
import hostile
import numpy as np
import pytest
from conftest import BIN, FORKS
from pictures import flat, photo
from PIL import Image

from ganutils import Error
from ganutils.files import budget, container, folders
from ganutils.samples import foreign, pool
from ganutils.samples.foreign import UnreadableError
from ganutils.samples.pool import Job

SOAK = pytest.mark.soak


# ----------------------------------------------------------------------------------- files of strangers


def segment(mark, data):
    return b"\xff" + bytes([mark]) + struct.pack(">H", len(data) + 2) + data


def scans(count, w=8192, h=8192, components=3):
    """A progressive JPEG: each scan is a few kilobytes, and goes over all blocks."""
    out = b"\xff\xd8" + segment(0xDB, bytes([0] + [1] * 64))
    parts = b"".join(bytes([number + 1, 0x11, 0]) for number in range(components))
    out += segment(0xC2, struct.pack(">BHHB", 8, h, w, components) + parts)
    for table, symbol in ((0x00, 0), (0x10, 0xE0)):  # of DC: no change; of AC: 16,384 blocks that are empty
        out += segment(0xC4, bytes([table, 1] + [0] * 15 + [symbol]))
    blocks = w * h // 64
    every = bytes(value for number in range(components) for value in (number + 1, 0))
    out += segment(0xDA, bytes([components]) + every + bytes(3)) + bytes(blocks * components // 8 + 1)
    for number in range(count):
        out += segment(0xDA, bytes([1, number % components + 1, 0, 1, 63, 0])) + bytes(blocks // 8192 + 2)
    return out + b"\xff\xd9"


def tiff(tile, compression=8, size=8):
    """A gray TIFF of `size` pixels square in one tile, which is `tile` pixels square."""
    packer = zlib.compressobj(9, wbits=-15)
    block = packer.compress(bytes(1 << 16)) + packer.flush(zlib.Z_FULL_FLUSH)
    data = b"\x78\xda" + block * (max(1, tile**2 >> 16))  # as a quick way to many zeros
    tags = {256: size, 257: size, 258: 8, 259: compression, 262: 1, 277: 1, 322: tile, 323: tile, 325: len(data)}
    tags = {**tags, 324: 0, 325: tags.pop(325)}
    tags[324] = 8 + 2 + 12 * len(tags) + 4
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags.items())
    return b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries + bytes(4) + data


def rle(w=8192, h=8192, data=b"\xff\x00" * 300_000):
    """A BMP of runs."""
    about = struct.pack("<IiiHHIIiiII", 40, w, h, 1, 8, 1, len(data), 0, 0, 256, 0)
    return b"BM" + struct.pack("<IHHI", 1078 + len(data), 0, 0, 1078) + about + bytes(range(256)) * 4 + data


def large(suffix="PNG", mode="RGB", side=8192):
    out = io.BytesIO()
    Image.new(mode, (side, side), 7).save(out, suffix)
    return out.getvalue()


def gif(count, side=8192):
    """Frames that change a single pixel."""
    head = b"GIF89a" + struct.pack("<HHBBB", side, side, 0x80, 0, 0) + b"\0\0\0\xff\xff\xff"
    frame = b"\x21\xf9\x04\x04\x01\0\0\0\x2c" + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\x02\x02\x44\x01\x00"
    return head + frame * count + b";"


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def quick(monkeypatch):
    """Decoders get less time than a user gives them, so that a test need not wait for theirs."""
    monkeypatch.setattr(budget, "DECODING", 0.3)
    monkeypatch.setattr(budget, "DECODING_PER_BYTE", 0)
    monkeypatch.setattr(budget, "FILM_PER_BYTE", 0)


@pytest.fixture
def here_and_now(here, capsys):
    """here_and_now("gan-data", ...) -> (exit code, stderr) of a command in this process, which a test can change."""
    commands = hostile.Runner().commands

    def run(*words):
        capsys.readouterr()
        with pytest.raises(SystemExit) as end, pytest.MonkeyPatch.context() as patch:
            patch.setattr("sys.argv", list(words))
            with warnings.catch_warnings():
                commands[words[0]][words[0].replace("-", "_")].main(list(words[1:]))
                raise SystemExit(0)
        return end.value.code, capsys.readouterr().err.splitlines()

    return run


def test_a_picture_that_takes_too_long_is_named_and_skipped(here, quick, here_and_now, content):
    with zipfile.ZipFile("p.zip", "w") as archive:
        for number in range(4):
            archive.writestr(f"{number}.png", photo(number))
        archive.writestr("1a.jpg", scans(400, components=1))
        archive.writestr("2a.jpg", scans(400))
    code, said = here_and_now("gan-data", "p.zip", "--size", "8", "-o", "o.safetensors")
    assert (code, said) == (
        0,
        [
            "p.zip: 1a.jpg: takes too much time to read; skipped",
            "p.zip: 2a.jpg: takes too much time to read; skipped",
            "4 pictures of 8x8x3, 2 skipped",
        ],
    )
    assert len(content("o.safetensors")[1]["images"]) == 4
    code, said = here_and_now("gan-data", "p.zip", "--size", "8", "--strict", "-o", "p.safetensors")
    assert (code, said) == (1, ["gan-data: p.zip: 1a.jpg: takes too much time to read (--strict)"])
    assert not pathlib.Path("p.safetensors").exists()


def test_films_and_frames_that_take_too_long_are_errors(here, quick, here_and_now):
    (here / "f.gif").write_bytes(gif(400))
    (here / "f.jpg").write_bytes(scans(400))
    for words in (
        ["gan-gif", "f.gif", "-o", "o.apng"],
        ["gan-data", "f.gif", "-o", "o.safetensors"],
        ["gan-info", "f.gif", "--digest"],
        ["gan-gif", "f.jpg", "-o", "o.png"],
        ["gan-info", "f.jpg", "--digest"],
    ):
        assert here_and_now(*words) == (1, [f"{words[0]}: {words[1]}: takes too much time to read"])


def test_memory_that_its_pixels_do_not_explain_is_refused(ok, tmp_path):
    os.mkdir(tmp_path / "p")
    (tmp_path / "p/1.png").write_bytes(photo(1))
    (tmp_path / "p/2.tif").write_bytes(tiff(32768))
    (tmp_path / "p/3.png").write_bytes(photo(2))
    said = ok("gan-data", "p", "--size", 8, "-o", "o.safetensors").lines
    assert said == ["p: 2.tif: is damaged, or not a picture; skipped", "2 pictures of 8x8x3, 1 skipped"]


DATA = "gan-data F --size 8 -o o.safetensors -q"
UNCHANGED = "gan-data F -o o.safetensors -q"
LOOK = "gan-info F --digest"
COSTLY = {
    "scans": ("f.jpg", lambda: scans(1200), [DATA, "gan-gif F -o o.png -q"]),
    "gray scans": ("f.jpg", lambda: scans(4000, components=1), [LOOK]),
    "runs": ("f.bmp", rle, [DATA, LOOK]),
    "film": ("f.gif", lambda: gif(2_000), [DATA, "gan-gif F -o o.gif -q"]),
    "member": ("f.zip", lambda: zipped(4, rle(16, 16, bytes(250 << 20)), zipfile.ZIP_DEFLATED), [DATA]),
    "members": ("f.zip", lambda: zipped(300_000, b""), [DATA]),
    "pictures": ("f.zip", lambda: zipped(2, large()), [DATA, UNCHANGED]),
    "pictures with alpha": ("f.zip", lambda: zipped(1, large("WEBP", "RGBA")), [DATA, UNCHANGED]),
}
PIXELS = 8192**2


def zipped(count, content, packing=zipfile.ZIP_STORED):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", packing) as archive:
        for number in range(count):
            archive.writestr(f"{number}.png", content)
    return out.getvalue()


@SOAK
@pytest.mark.parametrize("name", COSTLY)
def test_a_small_picture_costs_little(tmp_path, name):
    """Measured: a processor's seconds, and the memory of the largest process."""
    file, make, lines = COSTLY[name]
    (tmp_path / file).write_bytes(make())
    pixels = PIXELS if "member" not in name else 0
    most = (budget.MEMORY + (tmp_path / file).stat().st_size + budget.PER_PIXEL * pixels) / 2**20
    for line in lines:
        words = [file if word == "F" else word for word in line.split()]
        streams = [tmp_path / f".{stream}" for stream in ("in", "out", "err")]
        for stream in streams:
            stream.write_bytes(b"")
        about = (str(BIN / words[0]), words[1:], str(tmp_path), tuple(map(str, streams)), None, {})
        process = FORKS.Process(target=costs.command, args=(str(tmp_path / ".cost"), budget.SECONDS, *about))
        process.start()
        process.join()
        code, seconds, memory = json.loads((tmp_path / ".cost").read_text())
        assert (code in (0, 1), seconds < budget.SECONDS, memory < most) == (True,) * 3, (line, code, seconds, memory)


# ------------------------------------------------------------------------------- processes of decoders


def work(kind, *more):
    if kind == "crash":
        os.kill(os.getpid(), signal.SIGSYS)
    if kind == "spin":
        foreign.allow(0.05)
        while True:
            pass
    if kind == "hoard":
        foreign.allow_memory(1 << 20)
        bytearray(1 << 31)  # more than an allocator keeps that was told to keep memory
    if kind == "fail":
        raise Error("in words")
    if kind == "large":
        return decoded(*more)
    return kind


def decoded(folder, pixels):
    """Counts the pixels that are decoded at once, by files that say how many there are."""
    foreign.allow_pixels(pixels)
    own = os.path.join(folder, str(os.getpid()))
    pathlib.Path(own).write_text(str(pixels))
    time.sleep(0.01)
    sizes = []
    for name in os.listdir(folder):
        try:
            sizes.append(int((pathlib.Path(folder) / name).read_text() or 0))
        except FileNotFoundError:
            continue
    os.unlink(own)
    return sum(sizes)


@pytest.mark.parametrize("processes", [1, 3])
def test_what_kills_a_decoder_costs_its_own_item_alone(processes):
    kinds = ["a", "crash", "b", "spin", "c", "spin", "crash", "hoard", "d"]
    jobs = [Job([(kind,) for kind in kinds]), Job([("crash",)]), Job([("e",), ("f",)])]
    found = []
    results = pool.in_order(guarded, jobs, processes)
    for result in results:
        found.append(str(result))
    crash, slow, full = "makes its reader crash", "takes too much time to read", "does not fit into memory"
    assert found == ["a", crash, "b", slow, "c", slow, crash, full, "d", crash, "e", "f"]


def guarded(kind):
    try:
        return work(kind)
    except MemoryError:
        return UnreadableError("does not fit into memory")


def test_an_error_in_a_decoder_is_one_here():
    with pytest.raises(Error, match="in words"):
        list(pool.in_order(work, [Job([("a",), ("fail",), ("b",)])], 2))


def test_all_processes_share_one_allowance_of_pixels(tmp_path):
    sizes = [budget.PIXELS, budget.PIXELS // 2, 1 << 18, budget.PIXELS] * 3
    jobs = [Job([("large", str(tmp_path), size)]) for size in sizes]
    at_once = list(pool.in_order(work, jobs, 6))
    assert max(at_once) <= 2 * budget.PIXELS  # what the others decode, and the first that is not finished
    assert len(at_once) == 12


def test_children_end_with_their_reader(tmp_path):
    before = children()
    results = pool.in_order(work, (Job([(str(number),)]) for number in range(100)), 3)
    assert next(results) == "0"
    started = children() - before
    assert started
    results.close()
    assert not children() & started


def children():
    path = f"/proc/self/task/{os.getpid()}/children"
    return set(pathlib.Path(path).read_text().split())


# -------------------------------------------------------------------------------------- what they print


def test_what_decoders_print_does_not_reach_the_terminal(shell, tmp_path):
    content = tiff(64, size=64).replace(b"\x78\xda", bytes(2))  # libtiff prints that it cannot unpack it
    os.mkdir(tmp_path / "p")
    (tmp_path / "p/1.tif").write_bytes(content)
    (tmp_path / "p/2.png").write_bytes(flat(7, 64, 64))
    done = shell("gan-data p -o o.safetensors")
    assert done.lines[0] == "p: 1.tif: is damaged, or not a picture; skipped"
    assert len(done.lines) == 3, done.err


# ---------------------------------------------------------------------------- files that are none, and changes


def test_a_pipe_among_pictures_blocks_nobody(fails, ok, tmp_path):
    os.mkdir(tmp_path / "p")
    (tmp_path / "p/1.png").write_bytes(flat(1))
    for name in ("p/2.png", "3.gif", "4.webp", "5.mp4"):
        os.mkfifo(tmp_path / name)
    (tmp_path / "p/3.png").write_bytes(flat(3))
    assert fails("gan-gif", "p", "-o", "o.gif") == "gan-gif: p/2.png: is not a regular file"
    assert ok("gan-data", "p", "-o", "o.safetensors").lines[0] == "p: 2.png: is not a regular file; skipped"
    for name in ("p/2.png", "3.gif", "4.webp", "5.mp4"):
        for words in (["gan-gif", name, "-o", "o.apng"], ["gan-info", name]):
            assert fails(*words) == f"{words[0]}: {name}: is not a regular file"


@pytest.fixture
def paused(start, tmp_path):
    """Starts a command whose last input is a pipe; gives it when it waits there, to be fed."""

    def begin(*words):
        os.mkfifo(tmp_path / "pipe.safetensors")
        images = np.zeros((3, 8, 8, 1), "u1")
        container.write(str(tmp_path / "more.safetensors"), "samples", {"images": images}, {})
        command = start(*words)
        feed = open(tmp_path / "pipe.safetensors", "wb")  # noqa: SIM115 - waits until the command opens it

        def go_on():
            feed.write((tmp_path / "more.safetensors").read_bytes())
            feed.close()
            return command.wait()

        return go_on

    return begin


ONE_COLOR = "{0} of {0} pictures are a single color; the first is p: {1}"


def grays(level, count=12):
    return (np.full((8, 8, 1), level, "u1") for _ in range(count))


CHANGES = {
    "replaced": lambda path: folders.write(str(path), grays(90)),
    "rewritten": lambda path: (path / "000004.png").write_bytes(flat(91)),
    "fewer": lambda path: (path / "000004.png").unlink(),
    "more": lambda path: (path / "000012.png").write_bytes(flat(92)),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_folder_that_changes_while_it_is_read_is_an_error(paused, tmp_path, change):
    folders.write(str(tmp_path / "p"), grays(10))
    go_on = paused("gan-data", "p", "pipe.safetensors", "-o", "o.safetensors")
    CHANGES[change](tmp_path / "p")
    done = go_on()
    assert done.code == 1, done.err
    assert done.err.endswith(" another program has changed it while it was being read; run the command again\n")
    assert not (tmp_path / "o.safetensors").exists()


def test_what_else_happens_in_a_folder_disturbs_nobody(paused, tmp_path):
    folders.write(str(tmp_path / "p"), grays(10))
    go_on = paused("gan-data", "p", "pipe.safetensors", "-o", "p/o.safetensors")
    (tmp_path / "p/notes.txt").write_text("hello")
    (tmp_path / "p/.hidden.png").write_bytes(flat(1))
    os.chmod(tmp_path / "p/000001.png", 0o600)
    done = go_on()
    assert (done.code, done.lines) == (0, [ONE_COLOR.format(15, "000000.png"), "15 pictures of 8x8x1"]), done


@pytest.mark.parametrize("change", CHANGES)
def test_frames_that_change_while_they_are_drawn_are_an_error(paused, tmp_path, change):
    folders.write(str(tmp_path / "p"), grays(10))
    go_on = paused("gan-gif", "p", "pipe.safetensors", "-o", "o.gif")
    CHANGES[change](tmp_path / "p")
    done = go_on()
    assert done.code == 1, done.err
    assert done.err.endswith(" another program has changed it while it was being read; run the command again\n")


def test_folders_that_cannot_be_read_are_named(here, here_and_now, monkeypatch):
    for name in ("p/open", "p/closed"):
        os.makedirs(name)
        pathlib.Path(name, "1.png").write_bytes(flat(1))
    os.symlink("nowhere", "p/broken")
    os.symlink("loop", "p/loop")
    scandir = os.scandir

    def refusing(path):
        if str(path).endswith("closed"):
            raise PermissionError(errno.EACCES, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refusing)
    code, said = here_and_now("gan-data", "p", "-o", "o.safetensors")
    assert (code, sorted(said)) == (
        0,
        [
            ONE_COLOR.format(1, "open/1.png"),
            "1 pictures of 8x8x1",
            "p: broken is a link to nothing; skipped",
            "p: loop is a link to nothing; skipped",
            "p: the folder closed cannot be read (permission denied); skipped",
        ],
    )
    code, said = here_and_now("gan-data", "p", "--strict", "-o", "p.safetensors")
    assert code == 1
    assert said[0].endswith("(--strict)")


# ----------------------------------------------------------------------------------------------- models


def model(path, nodes, **tensors):
    onnx = pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    make, real = onnx.helper, onnx.TensorProto.FLOAT
    inputs = [make.make_tensor_value_info("x", real, ["n", "c", "h", "w"])]
    held = [make.make_tensor(name, *about) for name, about in tensors.items()]
    graph = make.make_graph(nodes(make), "g", inputs, [make.make_tensor_value_info("y", real, None)], held)
    onnx.save(make.make_model(graph, opset_imports=[make.make_opsetid("", 17)], ir_version=9), str(path))


def endless(make):
    values = [("i", 7, []), ("again", 9, []), ("v", 1, None)]
    given = [make.make_tensor_value_info(*value) for value in values]
    made = [make.make_tensor_value_info("again2", 9, []), make.make_tensor_value_info("v2", 1, None)]
    nodes = [make.make_node("Identity", ["again"], ["again2"]), make.make_node("Identity", ["v"], ["v2"])]
    return [make.make_node("Loop", ["", "yes", "x"], ["y"], body=make.make_graph(nodes, "b", given, made))]


def test_a_model_that_never_ends_or_asks_for_gigabytes_is_an_error_in_words(here, here_and_now, monkeypatch):
    monkeypatch.setattr(budget, "DECODING", 1)
    images = np.random.default_rng(0).integers(0, 256, (20, 8, 8, 1), "u1")
    container.write("s.safetensors", "samples", {"images": images}, {})
    words = ["gan-eval", "s.safetensors", "s.safetensors", "-q", "--features"]

    def told(name, nodes, **tensors):
        model(f"{name}.onnx", nodes, **tensors)
        code, said = here_and_now(*words, f"{name}.onnx")
        assert (code, len(said)) == (1, 1), said
        assert said[0].startswith(f"gan-eval: {name}.onnx: ")
        assert said[0].isprintable()
        return said[0]

    assert told("loop", endless, yes=(9, [], [True])).endswith("takes too much time to read; use another model")
    sizes = (7, [4], [1, 40_000, 40_000, 1])
    fill = lambda make: [make.make_node("ConstantOfShape", ["s"], ["z"]), make.make_node("Add", ["z", "x"], ["y"])]  # noqa: E731
    assert "onnxruntime cannot run it" in told("fill", fill, s=sizes)
    spread = lambda make: [make.make_node("Expand", ["x", "s"], ["y"])]  # noqa: E731
    assert "gives 128,000 features, more than 65,536" in told("spread", spread, s=(7, [5], [2000, 1, 1, 1, 1]))
    evil = lambda make: [make.make_node("Reshape", ["x", "s"], ["y"], name="\x1b[2Jevil")]  # noqa: E731
    assert "evil" in told("evil", evil, s=(7, [2], [7, -1]))
