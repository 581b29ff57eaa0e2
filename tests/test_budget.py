"""What small files of strangers cost: processor time and memory, measured from outside (docs/promises.md).

A new case is a row of CASES: what makes the file `F`, and the commands that read it.
"""

import bz2
import gzip
import io
import json
import shutil
import tarfile

import costs
import numpy as np
import pytest
import recordings
import soundfile
from conftest import BIN, FORKS, ROOT

from ganutils import info
from ganutils.files import budget

GOLDEN = ROOT / "tests" / "data" / "format-1"
SHAPED = {"U8": 1, "F32": 4, "I64": 8}


def ours(shapes=None, meta=None, kind="samples", data=b""):
    """A file of ours whose header claims tensors {name: (type, shape)}, and whose data are `data`, or zeros."""
    header, at = {"__metadata__": {"ganutils": json.dumps({"format": 1, "kind": kind, **(meta or {})})}}, 0
    for name, (dtype, shape) in (shapes or {}).items():
        size = SHAPED[dtype]
        for length in shape if 0 not in shape else [0]:
            size *= length
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [at, at + size]}
        at += size
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + (data or bytes(at))


def like(name, **changes):
    """A file of format 1 with other metadata; of a checkpoint, `changes` of its config."""
    content = (GOLDEN / f"{name}.safetensors").read_bytes()
    end = 8 + int.from_bytes(content[:8], "little")
    header = json.loads(content[8:end])
    own = json.loads(header["__metadata__"]["ganutils"])
    own.get("config", own).update(changes)
    header["__metadata__"]["ganutils"] = json.dumps(own)
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + content[end:]


def npy(shape, dtype="|u1", data=b""):
    header = f"{{'descr': '{dtype}', 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + data


def tar(*members, pack=lambda content: content):
    """A tar file of members (name, content, changes of its TarInfo)."""
    out = io.BytesIO()
    for name, content, *changes in members:
        info = tarfile.TarInfo(name)
        info.size = len(content)
        for key, value in changes[0].items() if changes else ():
            setattr(info, key, value)
        out.write(info.tobuf(tarfile.GNU_FORMAT, "utf-8", "surrogateescape") + content + bytes(-len(content) % 512))
    return pack(out.getvalue() + bytes(1024))


def pax(record, content=b"no picture"):
    """A tar file of one member, whose pax header is `record`."""
    return tar(("x", record, {"type": tarfile.XHDTYPE}), ("0.png", content))


def negative_size():
    content = bytearray(tar(("0.png", b"no picture"), ("1.png", b"no picture")))
    content[124:136] = b"\xff" * 10 + b"\xfc\x00"  # -1024
    content[148:156] = b" " * 8
    content[148:156] = b"%06o\0 " % sum(content[:512])
    return bytes(content)


def fast(content):
    return gzip.compress(content, 1)


def backwards():
    """Members that each come twice, so that those read first lie last."""
    names = [f"{n}.png" for n in range(400)]
    return tar(*((name, bytes(1 << 17)) for name in names + names[::-1]), pack=fast)


def toy(centers):
    about = {"name": "x", "std": 1.0, "centres": [[n * 0.001] for n in range(centers)]}
    return ours({"points": ("F32", [100, 1])}, {"toy": about}, data=np.arange(100, dtype="f4").tobytes())


def log(*lines):
    return "".join(json.dumps(line) + "\n" for line in lines).encode()


def labeled(most, **meta):
    labels = np.linspace(0, most, 3000).astype("<i8")
    shapes = {"labels": ("I64", [3000]), "images": ("U8", [3000, 1, 1, 1])}
    return ours(shapes, meta, data=labels.tobytes() + bytes(3000))


def one_picture(**meta):
    return ours({"images": ("U8", [1, 8, 8, 1])}, meta)


def strokes(*drawings):
    return log(*({"word": "cat", "drawing": drawing} for drawing in drawings))


def silent_flac():
    out = io.BytesIO()
    soundfile.write(out, np.zeros(1 << 24, "i2"), 8000, format="FLAC")
    return out.getvalue()


def long_spectrogram():
    about = {"sample_rate": 8000, "bins": 1024, "frames": 1024, "hop": 1024, "length": 1 << 20}
    return ours({"images": ("U8", [1, 1024, 1024, 1])}, {"spectrogram": about})


S, TAR, GZ, NPY, NDJSON, LOG = "s.safetensors", "t.tar", "t.tar.gz", "a.npy", "d.ndjson", "l.jsonl"
INFO = ["gan-info F", "gan-info F --digest", "gan-info F --preview p.png"]
DATA, SOME = "gan-data F -o o.safetensors", "gan-data F --where 0 -o o.safetensors"
GIF, SHEET = "gan-gif F -o o.gif", "gan-gif F -o o.png"
PLOT, SCORES, LABEL = (
    "gan-plot F -o o.png",
    "gan-eval F F --features pixels",
    "gan-label F --like F --features pixels -o o.npy",
)
G, D = "gan-train-g train.safetensors --from F -o o.ckpt", "gan-train-d train.safetensors --from F -o o.ckpt"
MANY = 3_000_000

# What it is: the name of the file F, what makes its bytes (a pair: and then so many zeros), the commands that read it.
CASES = {
    "films of no samples": (S, lambda: ours({"images": ("U8", [1 << 40, 0, 8, 8, 1])}), [*INFO, DATA, GIF]),
    "fewer films of none": (S, lambda: ours({"images": ("U8", [1 << 20, 0, 8, 8, 1])}), [*INFO, DATA, GIF]),
    "a million lengths": (S, lambda: ours({"images": ("U8", [0] + [2] * 999_000)}), [INFO[0]]),
    "a hundred axes": (S, lambda: ours({"images": ("U8", [1] * 100)}), [*INFO, SHEET]),
    "lengths that overflow": (S, lambda: ours({"images": ("U8", [0, 1 << 62, 1 << 62, 8, 1])}), [*INFO, SHEET]),
    "pax of digits": (TAR, lambda: pax(b"1" * 200_000), [DATA]),
    "pax of fewer digits": (
        TAR,
        lambda: tar(*[("x", b"1" * 60_000, {"type": tarfile.XHDTYPE}), ("0.png", b"")] * 9),
        [DATA],
    ),
    "pax of many records": (GZ, lambda: fast(pax(b"5 a=\n" * MANY)), [DATA]),
    "pax of a negative size": (TAR, lambda: pax(b"14 size=-1024\n"), [DATA]),
    "a negative size": (TAR, negative_size, [DATA]),
    "a sparse map": (TAR, lambda: pax(b"22 GNU.sparse.major=1\n22 GNU.sparse.minor=0\n", b"1" * MANY), [DATA]),
    "a sparse pax": (
        TAR,
        lambda: pax(b"22 GNU.sparse.minor=1\n6000023 GNU.sparse.map=" + b"1," * MANY + b"1\n"),
        [DATA],
    ),
    "members twice": (GZ, backwards, [DATA]),
    "members": (GZ, lambda: tar(*((f"{n}.png", b"") for n in range(60_000)), pack=fast), [DATA]),
    "long names": (GZ, lambda: tar(*((f"{n}/" + "x" * 60_000 + ".png", b"") for n in range(3000)), pack=fast), [DATA]),
    "a gigabyte of nothing": (
        "t.tar.bz2",
        lambda: bz2.compress(tar(("0.png", b"", {"size": 1 << 30})) + bytes(1 << 24)),
        [DATA],
    ),
    "a gigabyte of silence": (
        "x.wav",
        lambda: (recordings.header(1 << 30), 1 << 30),
        [DATA, f"{DATA} --length 1s --rate 4000", f"{DATA} --trim 40", f"{DATA} --length 1048576 --spectrogram 1024"],
    ),
    "half an hour of silence": ("x.flac", silent_flac, [DATA, f"{DATA} --length 99", f"{DATA} --trim 40"]),
    "a rate of a million": (
        "x.wav",
        lambda: (recordings.header(1 << 28, rate=1_048_575), 1 << 28),
        [f"{DATA} --rate 8001", f"{DATA} --rate 8001 --length 9999", f"{DATA} --length 400s --rate 8000"],
    ),
    "a rate of one": ("x.wav", lambda: recordings.header(99999, rate=1) + bytes(99999), [f"{DATA} --rate 1000003"]),
    "a thousand channels": (
        "x.wav",
        lambda: (recordings.header(1 << 30, channels=1024), 1 << 30),
        [f"{DATA} --trim 9"],
    ),
    "a spectrogram": (S, long_spectrogram, [INFO[0], DATA]),
    "many frames": (NPY, lambda: (npy((200_000_000, 8, 8)), 12_800_000_000), [GIF]),
    "large frames": (NPY, lambda: (npy((2, 30000, 30000, 3)), 5_400_000_000), [GIF, SHEET, DATA]),
    "negative lengths": (NPY, lambda: npy((-1, -1, 8)), [GIF, DATA]),
    "an npy of many axes": (NPY, lambda: npy((1,) * 103, data=b"1"), [GIF, DATA]),
    "an npy of no bytes": (NPY, lambda: npy((1 << 40, 8, 8), "|S0"), [GIF, DATA]),
    "an npy of brackets": (NPY, lambda: b"\x93NUMPY\x02\x00" + (1 << 31).to_bytes(4, "little") + b"(" * MANY, [DATA]),
    "much in an idx.gz": (
        "x-images-idx3-ubyte.gz",
        lambda: fast(b"\0\0\10\3" + (300_000).to_bytes(4, "big") + b"\0\0\0\40" * 2 + bytes(300_000 << 10)),
        [DATA],
    ),
    "a long word": (S, lambda: one_picture(lineage=[f"gan-data '{'a' * MANY}'"]), [*INFO, DATA, SHEET]),
    "a long word of no end": (S, lambda: one_picture(lineage=[f"gan-data {'a' * MANY}'"]), [*INFO, DATA, SHEET]),
    "labels": (S, lambda: labeled(65535), [DATA, SOME, SCORES, LABEL, f"gan-data F {S} --where 0 -o o.safetensors"]),
    "names of classes": (S, lambda: labeled(2, classes=[*map(str, range(900_000))]), [INFO[0], DATA, SOME, LABEL]),
    "a long name of a class": (S, lambda: labeled(2, classes=["a" * MANY, "b", "c"]), [DATA, LABEL, SCORES]),
    "names of attributes": (
        S,
        lambda: ours({"images": ("U8", [9, 1, 1, 1]), "attributes": ("F32", [9, 90_000])}),
        [DATA, SOME],
    ),
    "tiny samples": (S, lambda: ours({"images": ("U8", [MANY // 6, 1, 1, 1])}), [f"{DATA} --shuffle"]),
    "many names in a predicate": (S, lambda: labeled(2), [SOME.replace(" 0 ", f" {'|'.join(['0'] * 3000)} ")]),
    "a batch": (S, lambda: like("dcgan", batch=1 << 20), [*INFO, G, D]),
    "centers of a toy": (S, lambda: toy(50_000), [PLOT, PLOT.replace("F", "F --data F"), "gan-eval F F"]),
    "signs": (S, lambda: like("samples", layout=[["+"] * 600] * 600), [INFO[0], GIF, SHEET]),
    "long signs": (S, lambda: like("samples", layout=[["+" * 5000] * 20] * 20), [GIF, SHEET]),
    "a grid": (S, lambda: like("samples"), [GIF + " --grid 999x999", SHEET + " --grid 9999x9999"]),
    "one sample everywhere": (S, lambda: like("samples", layout=[[0] * 500] * 500), [SHEET + " --scale 60"]),
    "steps again and again": (
        LOG,
        lambda: log(*({"step": min(n, 30_000), "d_loss": 1} for n in range(60_000))),
        [PLOT],
    ),
    "long strokes": (NDJSON, lambda: strokes([[[*range(49_000)], [n * n % 255 for n in range(49_000)]]]), [DATA]),
    "dots": (NDJSON, lambda: strokes([[[n], [n]] for n in range(99_000)]), [DATA]),
    "lines": (NDJSON, lambda: b"a\n" * 500_000, [DATA]),
    "a word of a drawing": (NDJSON, lambda: b'{"word": "' + b"a" * MANY + b'"}\n', [DATA]),
}


@pytest.fixture
def cost(tmp_path):
    """cost("gan-info", "x") -> (exit code, stderr, seconds, MB)."""

    def measured(*words):
        streams = [tmp_path / f".{name}" for name in ("in", "out", "err")]
        for stream in streams:
            stream.write_bytes(b"")
        about = (str(BIN / words[0]), list(words[1:]), str(tmp_path), tuple(map(str, streams)), None, {})
        process = FORKS.Process(target=costs.command, args=(str(tmp_path / ".cost"), budget.SECONDS, *about))
        process.start()
        process.join()
        return *json.loads((tmp_path / ".cost").read_text()), streams[2].read_text()

    return measured


@pytest.mark.parametrize("name", CASES)
def test_a_small_file_costs_little(tmp_path, cost, name):
    shutil.copytree(GOLDEN, tmp_path, dirs_exist_ok=True)
    file, make, lines = CASES[name]
    made = make()
    content, zeros = made if isinstance(made, tuple) else (made, 0)
    with open(tmp_path / file, "wb") as out:
        out.write(content)
        out.truncate(len(content) + zeros)  # on disk they take no room
    for line in lines:
        code, seconds, memory, said = cost(*(file if word == "F" else word for word in line.split()))
        assert code in (0, 1, 2), (line, said)
        assert not ("internal error" in said or "out of memory" in said), (line, said)
        assert seconds < budget.SECONDS, line
        assert memory < (budget.MEMORY + len(content)) / 1e6, line


def test_the_measure_sees_what_is_used_and_thrown_away(cost, tmp_path):
    np.save(tmp_path / "x.npy", np.zeros((1, 5000, 5000, 1), "u1"))
    *_, little, _ = cost("gan-info", "x.npy")
    *_, seconds, much, _ = cost("gan-gif", "x.npy", "-o", "o.png")
    assert little < 20 < 25 < much
    assert seconds > 0.05


def test_a_preview_shows_fewer_samples_of_a_large_generator():
    assert [info._shown(shape) for shape in ((64, 64, 3), (2048, 2048, 1), (8192, 8192, 1), (1,), (1 << 26,))] == [
        *(36, 16, 1),
        *(4096, 1),
    ]
