"""The container: what is promised of it in docs/format.md."""

import json
import os
import stat
import subprocess
import sys
import threading

import numpy as np
import pytest
import safetensors.numpy
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from ganutils import Error
from ganutils.files import atomic, container, folders, paths
from ganutils.files.container import File, Stream

ARRAYS = st.dictionaries(
    st.text("abcG.é", min_size=1, max_size=6),
    st.sampled_from(["u1", "<i8", "<f4"]).flatmap(
        lambda dtype: hnp.arrays(dtype, hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4))
    ),
    max_size=5,
)


def same(a, b):
    return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()


@given(arrays=ARRAYS, note=st.text(max_size=5))
@settings(max_examples=60)
def test_what_is_written_is_read_by_us_and_by_safetensors(tmp_path_factory, arrays, note):
    path = str(tmp_path_factory.mktemp("f") / "x.safetensors")
    container.write(path, "checkpoint", arrays, {"note": note})
    with container.read(path, "checkpoint") as file:
        assert file.meta == {"format": 1, "kind": "checkpoint", "note": note}
        assert file.specs.keys() == arrays.keys()
        assert all(same(file[name], array) for name, array in arrays.items())
        in_place = file.digest()
    theirs = safetensors.numpy.load_file(path)
    assert theirs.keys() == arrays.keys()
    assert all(same(theirs[name], array) for name, array in arrays.items())
    with open(path, "rb") as raw:
        piped = subprocess.Popen(["cat"], stdin=raw, stdout=subprocess.PIPE)
        file = File(piped.stdout, "a pipe")
        assert file.digest() == in_place
        file.finish()
        assert piped.wait() == 0


def test_bytes_are_those_of_the_format(tmp_path):
    """Golden bytes: a change of them is a change of the format."""
    path = tmp_path / "x.safetensors"
    tensors = {"images": np.arange(4, dtype="u1").reshape(1, 2, 2, 1), "labels": np.array([7])}
    container.write(str(path), "samples", tensors, {"lineage": ["b", "a"]})
    header = (
        rb'{"__metadata__":{"ganutils":"{\"format\": 1, \"kind\": \"samples\", \"lineage\": [\"b\", \"a\"]}"},'
        rb'"images":{"data_offsets":[8,12],"dtype":"U8","shape":[1,2,2,1]},'
        rb'"labels":{"data_offsets":[0,8],"dtype":"I64","shape":[1]}}'
    )
    header += b" " * (-len(header) % 8)
    assert path.read_bytes() == len(header).to_bytes(8, "little") + header + bytes([7, *[0] * 7, 0, 1, 2, 3])


def test_a_stream_gives_the_bytes_of_the_array(tmp_path):
    whole = np.arange(60, dtype="u1").reshape(5, 2, 2, 3)
    stream = Stream(whole.shape, whole.dtype, (whole[i : i + 2] for i in range(0, 5, 2)))
    container.write(str(tmp_path / "a"), "samples", {"images": whole}, {})
    container.write(str(tmp_path / "b"), "samples", {"images": stream}, {})
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    short = Stream(whole.shape, whole.dtype, [whole[:4]])
    with pytest.raises(ValueError, match="too few"):
        container.write(str(tmp_path / "b"), "samples", {"images": short}, {})
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert sorted(os.listdir(tmp_path)) == ["a", "b"]


def test_modes_are_honest(tmp_path):
    old = os.umask(0o027)
    try:
        container.write(str(tmp_path / "new"), "samples", {}, {})
        assert stat.S_IMODE(os.stat(tmp_path / "new").st_mode) == 0o640
        os.chmod(tmp_path / "new", 0o600)
        container.write(str(tmp_path / "new"), "samples", {}, {"again": 1})
        assert stat.S_IMODE(os.stat(tmp_path / "new").st_mode) == 0o600
    finally:
        os.umask(old)


def test_what_a_killed_writer_left_lends_its_mode_to_nobody(tmp_path):
    for name in ("file", "folder"):
        (tmp_path / f".{name}.tmp").touch() if name == "file" else (tmp_path / f".{name}.tmp").mkdir()
        (tmp_path / f".{name}.tmp").chmod(0o777)
    old = os.umask(0o077)
    try:
        container.write(str(tmp_path / "file"), "samples", {}, {})
        folders.write(f"{tmp_path}/folder/", [np.zeros((2, 2, 1), "u1")])
    finally:
        os.umask(old)
    assert stat.S_IMODE(os.stat(tmp_path / "file").st_mode) == 0o600
    assert stat.S_IMODE(os.stat(tmp_path / "folder").st_mode) == 0o700
    folders.write(f"{tmp_path}/folder/", [np.zeros((2, 2, 1), "u1")])
    assert stat.S_IMODE(os.stat(tmp_path / "folder").st_mode) == 0o700, "kept, as a file's"


@pytest.mark.parametrize("length", [250, 251, 255])
def test_a_name_may_be_as_long_as_a_name_can_be(tmp_path, length):
    path = tmp_path / ("x" * length)
    container.write(str(path), "samples", {}, {})
    assert os.listdir(tmp_path) == [path.name]
    path.unlink()
    folders.write(f"{path}/", [np.zeros((2, 2, 1), "u1")])
    folders.write(f"{path}/", [np.zeros((2, 2, 1), "u1")])
    assert os.listdir(tmp_path) == [path.name]


STRAIGHT = [
    "-",
    "/dev/null",
    "/dev/stdout",
    "/dev/stderr",
    "/dev/fd/1",
    "/proc/self/fd/0",
    "fifo",
    "to-stdout",
    "to-null",
]
ORDINARY = [
    "missing",
    "file",
    "no/missing",
    "to-file",
    "to-itself",
    "/dev/shm/missing",
    "/dev/fd",
    "/proc/version",
    "1",
]


@pytest.mark.parametrize("name", [*STRAIGHT, *ORDINARY])
def test_what_is_written_straight_is_told_by_its_type(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    os.mkfifo("fifo")
    (tmp_path / "file").touch()
    for link, to in {"stdout": "/dev/stdout", "null": "/dev/null", "file": "file", "itself": "to-itself"}.items():
        os.symlink(to, f"to-{link}")
    assert paths.is_pipe(name) == (name in STRAIGHT)


def test_a_link_stays_a_link(tmp_path):
    os.mkdir(tmp_path / "there")
    os.symlink("there/file", tmp_path / "link")
    container.write(str(tmp_path / "link"), "samples", {}, {})
    assert os.readlink(tmp_path / "link") == "there/file"
    assert os.listdir(tmp_path / "there") == ["file"]


def test_a_fifo_is_written_straight_through(tmp_path):
    os.mkfifo(tmp_path / "fifo")
    got = []
    reader = threading.Thread(target=lambda: got.append((tmp_path / "fifo").read_bytes()))
    reader.start()
    container.write(str(tmp_path / "fifo"), "samples", {}, {})
    reader.join(10)
    container.write(str(tmp_path / "file"), "samples", {}, {})
    assert got == [(tmp_path / "file").read_bytes()]
    assert stat.S_ISFIFO(os.stat(tmp_path / "fifo").st_mode)


@pytest.mark.parametrize("fault", [KeyboardInterrupt, SystemExit, OSError, ValueError])
def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path, fault):
    (tmp_path / "file").write_bytes(b"old")
    with pytest.raises(fault), atomic.replacing(str(tmp_path / "file")) as out:
        out.write(b"new, but not all of it")
        raise fault
    assert (tmp_path / "file").read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["file"]


def test_a_killed_writer_leaves_one_temporary_file_that_the_next_takes_over(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"old")
    killed = (
        "import os, signal\nfrom ganutils.files import atomic\n"
        f"with atomic.replacing({str(path)!r}) as out:\n out.write(b'half'); out.flush(); os.kill(os.getpid(), 9)"
    )
    for _ in range(3):
        assert subprocess.run([sys.executable, "-c", killed]).returncode == -9
        assert path.read_bytes() == b"old"
        assert len(os.listdir(tmp_path)) == 2
    with atomic.replacing(str(path)) as out:
        out.write(b"new")
    assert path.read_bytes() == b"new"
    assert os.listdir(tmp_path) == ["file"]


def test_two_writers_never_mix(tmp_path):
    path = str(tmp_path / "file")

    def write(letter):
        for _ in range(20):
            with atomic.replacing(path) as out:
                for _ in range(50):
                    out.write(letter * 1000)
                    out.flush()

    writers = [threading.Thread(target=write, args=(letter,)) for letter in (b"a", b"b", b"c")]
    for writer in writers:
        writer.start()
    seen = set()
    while any(writer.is_alive() for writer in writers):
        if os.path.exists(path):
            with open(path, "rb") as file:
                content = file.read()
            seen.add((len(content), len(set(content))))
    assert seen == {(50_000, 1)}
    assert os.listdir(tmp_path) == ["file"]


def damaged(path, meta=None, header=None, data=b"\0" * 4, kind="samples"):
    own = {"format": 1, "kind": kind} if meta is None else meta
    full = {"__metadata__": {"ganutils": json.dumps(own)}} if own != "none" else {}
    text = json.dumps({**full, **(header or {})}).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + data)
    return str(path)


IMAGE = {"dtype": "U8", "shape": [1, 2, 2, 1], "data_offsets": [0, 4]}
DAMAGE = {
    "foreign": (dict(meta="none", header={"images": IMAGE}), "not from ganutils"),
    "newer": (dict(meta={"format": 2, "kind": "samples"}, header={"images": IMAGE}), "newer ganutils"),
    "unknown kind": (dict(meta={"format": 1, "kind": "music"}), "unknown kind 'music'"),
    "metadata of another type": (dict(meta=[1]), "header"),
    "unknown type": (dict(header={"images": {**IMAGE, "dtype": "BF16"}}), "type BF16"),
    "shape and bytes differ": (dict(header={"images": {**IMAGE, "shape": [1, 2, 3, 1]}}), "damaged"),
    "negative shape": (dict(header={"images": {**IMAGE, "shape": [-1, -2, 2, 1]}}), "damaged"),
    "not a number": (dict(header={"images": {**IMAGE, "shape": [True, 2, 2, 1]}}), "damaged"),
    "petabytes": (
        dict(header={"images": {**IMAGE, "shape": [1 << 50, 1, 1, 1], "data_offsets": [0, 1 << 50]}}),
        "damaged",
    ),
    "a hole": (dict(header={"images": {**IMAGE, "data_offsets": [4, 8]}}, data=b"\0" * 8), "damaged"),
    "cut short": (dict(header={"images": IMAGE}, data=b"\0"), "damaged"),
    "too long": (dict(header={"images": IMAGE}, data=b"\0" * 9), "damaged"),
    "no images": (dict(header={}, data=b""), "no tensor 'images'"),
    "two channels": (dict(header={"images": {**IMAGE, "shape": [1, 2, 1, 2]}}), "C = 1 or 3"),
    "entry of another type": (dict(header={"images": 7}), "header"),
    "entry without a shape": (dict(header={"images": {"dtype": "U8", "data_offsets": [0, 4]}}), "header"),
    "labels of another number": (
        dict(
            header={"images": IMAGE, "labels": {"dtype": "I64", "shape": [2], "data_offsets": [4, 20]}},
            data=b"\0" * 20,
        ),
        "does not match images",
    ),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_each_kind_of_damage_has_its_words(tmp_path, name):
    recipe, words = DAMAGE[name]
    path = damaged(tmp_path / "bad.safetensors", **recipe)
    with pytest.raises(Error, match=words) as raised, container.read(path, "samples"):
        pass
    assert "bad.safetensors" in str(raised.value)


@given(data=st.data())
@settings(max_examples=200)
def test_no_mutation_of_a_file_is_worse_than_an_error(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("m") / "x.safetensors"
    container.write(
        str(path), "samples", {"images": np.zeros((3, 2, 2, 1), "u1"), "labels": np.arange(3)}, {"classes": ["a"]}
    )
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(content[: data.draw(st.integers(0, len(content)))])
    try:
        with container.read(str(path), "samples") as file:
            assert file["images"].nbytes <= len(content)
            file.digest()
    except Error as problem:
        assert str(path) in str(problem)


def test_a_pipe_that_ends_early_is_an_error(tmp_path):
    container.write(str(tmp_path / "x"), "samples", {"images": np.zeros((3, 2, 2, 1), "u1")}, {})
    whole = (tmp_path / "x").read_bytes()
    for content, words in ((whole[:-1], "ended early"), (whole + b"x", "goes on after its end")):
        piped = subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        piped.stdin.write(content)
        piped.stdin.close()
        file = File(piped.stdout, "standard input")
        with pytest.raises(Error, match=words):
            file.finish()
        piped.wait()


# ------------------------------------------------------------------------------- files with nothing in them


EMPTY = {
    "none": {"images": np.zeros((0, 8, 8, 1), "u1"), "labels": np.zeros(0, "i8"), "attributes": np.zeros((0, 2), "f4")},
    "film": {"images": np.zeros((3, 0, 8, 8, 1), "u1"), "labels": np.zeros((3, 0), "i8")},
    "points": {"points": np.zeros((0, 2), "f4"), "labels": np.zeros(0, "i8")},
}


@pytest.mark.parametrize("name", EMPTY)
@pytest.mark.parametrize(
    "words",
    [
        ["gan-data", "F", "-o", "o.safetensors"],
        ["gan-data", "F", "--where", "0", "-o", "o.safetensors"],
        ["gan-data", "many.safetensors", "F", "-o", "o.safetensors"],
        ["gan-quiz", "many.safetensors", "F", "-n", "1", "-o", "o.html"],
        ["gan-label", "many.safetensors", "--like", "F", "-o", "o.safetensors"],
        ["gan-eval", "F", "F"],
        ["gan-eval", "many.safetensors", "F"],
        ["gan-loop", "F", "--width", "2", "--steps", "1", "-o", "o.ckpt"],
        ["gan-loop", "F", "--width", "2", "--steps", "1", "-o", "o.ckpt", "--conditional"],
    ],
)
def test_no_samples_are_refused_in_words(fails, tmp_path, name, words):
    pixels = np.random.default_rng(0).integers(0, 256, (60, 8, 8, 1)).astype("u1")
    many = {"points": pixels[:, 0, :2, 0].astype("f4")} if name == "points" else {"images": pixels}
    container.write(str(tmp_path / "many.safetensors"), "samples", {**many, "labels": np.arange(60) % 2}, {})
    container.write(str(tmp_path / "empty.safetensors"), "samples", EMPTY[name], {})
    line = fails(*("empty.safetensors" if word == "F" else word for word in words))
    assert line == f"{words[0]}: empty.safetensors: holds no samples"


def test_attributes_of_no_columns_are_none(ok, fails, content, tmp_path):
    tensors = {"images": np.zeros((60, 8, 8, 1), "u1"), "attributes": np.zeros((60, 0), "f4")}
    container.write(str(tmp_path / "x.safetensors"), "samples", tensors, {})
    ok("gan-data", "x.safetensors", "-o", "o.safetensors", "-q")
    assert content("o.safetensors")[1].keys() == {"images"}
    assert "there are none" in fails("gan-data", "x.safetensors", "--where", "a", "-o", "o.safetensors")
    line = fails("gan-label", "x.safetensors", "--like", "x.safetensors", "-o", "o.safetensors")
    assert "x.safetensors: has no labels or attributes" in line


@pytest.mark.parametrize("shape", [(0, 4), (2, 0, 4), (3, 0)])
def test_no_latents_are_refused_in_words(fails, checkpoint, tmp_path, shape):
    tensors = {"images": np.zeros((*shape[:-1], 8, 8, 1), "u1"), "latents": np.zeros(shape, "f4")}
    container.write(str(tmp_path / "x.safetensors"), "samples", tensors, {})
    for words in (["gan-interp"], ["gan-sample", checkpoint, "--latents"], ["gan-arith"]):
        expression = ["[0] - [1]"] if words == ["gan-arith"] else []
        line = fails(*words, "x.safetensors", *expression, "-o", "o.safetensors")
        assert line == f"{words[0]}: x.safetensors: holds no latents"
