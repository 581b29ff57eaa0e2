"""Where a result can go: what is refused before any work, and what the standard streams do to it."""

import json
import os
import shutil

import pytest
from conftest import TINY

PICTURES = "gan-data data.safetensors -q"
LOOP = f"gan-loop data.safetensors {' '.join(TINY)} -q --steps 2"


@pytest.fixture
def elsewhere(pictures, tmp_path):
    """What the names in REFUSED mean."""
    (tmp_path / "dir").mkdir()
    (tmp_path / "file").write_text("text")
    (tmp_path / "protected").write_text("text")
    (tmp_path / "protected").chmod(0o444)
    (tmp_path / "a.ckpt.part").write_text("text")
    (tmp_path / "a.ckpt.part").chmod(0o444)


REFUSED = {
    "-o ''": "the name of an output is empty; give one, or - for stdout",
    "-o nowhere/x": "nowhere/x: there is no folder nowhere; create it first",
    "-o dir": "dir: is a folder; give the name of a file",
    "-o file/x": "file/x: there is no folder file; create it first",
    "-o protected": "protected: is read-only; allow it with chmod u+w, or choose another name",
    f"-o {'x' * 256}": f"{'x' * 256}: its name is longer than 255 bytes; choose a shorter one",
}
OF_TRAINING = {
    "--fresh -o dir/": (
        2,
        "dir/: a checkpoint is written there; give NAME.ckpt.safetensors (see gan-loop --help)",
    ),
    "-o a.ckpt --part": (1, "a.ckpt.part: is read-only; allow it with chmod u+w, or choose another name"),
    f"-o {'x' * 255} --part": (1, f"{'x' * 255}.part: its name is longer than 255 bytes; choose a shorter one"),
    "-o b.ckpt --log ''": (1, "the name of an output is empty; give one, or - for stdout"),
    "-o b.ckpt --log nowhere/x": (1, "nowhere/x: there is no folder nowhere; create it first"),
    "-o b.ckpt --log dir": (1, "dir: is a folder; give the name of a file"),
    "-o b.ckpt --snapshots file": (1, "file: is no folder; choose another name"),
    "-o b.ckpt --snapshots ''": (1, "the name of a folder is empty; give one"),
    "-o b.ckpt --tensorboard file/x": (1, "file/x: {0}/file is no folder; choose another name"),
}
OF_PICTURES = {
    "-o /": "/: is the current folder or holds it, and cannot be replaced; choose another name",
    "-o //": "//: is the current folder or holds it, and cannot be replaced; choose another name",
    "-o ./": "./: is the current folder or holds it, and cannot be replaced; choose another name",
    "-o file/": "file/: is a file; choose another name for the folder",
    "-o nowhere/x/": "nowhere/x/: there is no folder nowhere; create it first",
}


def listed(folder):
    return sorted(name for name in os.listdir(folder) if not name.startswith("."))


@pytest.mark.parametrize(
    ("line", "code", "what"),
    [
        *((f"{LOOP} {words}", 1, what) for words, what in REFUSED.items()),
        *((f"{LOOP} {words}", *what) for words, what in OF_TRAINING.items()),
        *((f"{PICTURES} {words}", 1, what) for words, what in OF_PICTURES.items()),
    ],
)
def test_a_name_that_cannot_be_written_is_refused_before_any_work(fails, elsewhere, tmp_path, line, code, what):
    before = listed(tmp_path)
    words = [word.strip("'") for word in line.split()]
    assert fails(*words, code=code) == f"{words[0]}: {what.format(tmp_path)}"
    assert listed(tmp_path) == before
    assert (tmp_path / "protected").read_text() == "text"


EMPTY = [
    "gan-data data.safetensors -o ''",
    "gan-gif data.safetensors -o ''",
    "gan-interp --seeds 1-2 --for gan.ckpt.safetensors -o ''",
    "gan-sample gan.ckpt.safetensors -o ''",
    "gan-train-d data.safetensors -o ''",
    "gan-plot --losses minimax -o ''",
    "gan-info data.safetensors --preview ''",
    "gan-label data.safetensors --like data.safetensors -o x.safetensors --report ''",
]


@pytest.mark.parametrize("line", EMPTY)
def test_an_empty_name_as_of_an_unset_variable_is_refused_everywhere(fails, pictures, line):
    words = [word.strip("'") for word in line.split()]
    assert fails(*words) == f"{words[0]}: {REFUSED[chr(45) + 'o ' + chr(39) * 2]}"


# ------------------------------------------------------------------------------------- files that are none, and are


def test_a_file_in_shared_memory_is_a_file_and_training_resumes_there(ok, pictures, tmp_path):
    folder = f"/dev/shm/ganutils-{os.getpid()}"
    try:
        os.mkdir(folder)
    except OSError:
        pytest.skip("no /dev/shm")
    line = ["gan-loop", pictures, *TINY, "-o", f"{folder}/a.ckpt", "--steps"]
    try:
        ok(*line, 1)
        assert ok(*line, 2).lines[0] == f"{folder}/a.ckpt: continues at step 1"
        assert os.listdir(folder) == ["a.ckpt"]
        ok("gan-sample", f"{folder}/a.ckpt", "-n", 1, "-q", "-o", f"{folder}/out/")
        assert os.listdir(f"{folder}/out") == ["000000.png"]
    finally:
        shutil.rmtree(folder)


def test_an_open_descriptor_is_written_from_where_it_stands(pipeline, ok, checkpoint, tmp_path):
    """With >> too, and after other commands."""
    os.symlink("/dev/stdout", tmp_path / "link")
    for name in ("/dev/stdout", "/dev/fd/1", "/proc/self/fd/1", "link"):
        (tmp_path / "all").write_bytes(b"before\n")
        assert pipeline(f"(gan-sample {checkpoint} -n 1 -o {name}; echo after) >>all").code == 0
        written = (tmp_path / "all").read_bytes()
        assert written.startswith(b"before\n"), name
        assert written.endswith(b"after\n"), name
        (tmp_path / "one").write_bytes(written[len(b"before\n") : -len(b"after\n")])
        assert ok("gan-info", "one").code == 0, name


# -------------------------------------------------------------------------------------------------- standard streams


RESERVED = """
import os
from ganutils.cli import streams
streams.prepare()
with open("data", "wb", buffering=0) as data:
    data.write(b"data")
    for number in (1, 2):
        try:
            os.write(number, b"chatter of a library")
        except OSError:
            pass
    print("a message", file=__import__("sys").stderr)
"""


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", ">&- 2>&-", "<&- >&- 2>&-"])
def test_no_file_takes_the_place_of_a_standard_stream_that_is_closed(shell, tmp_path, closed):
    (tmp_path / "open.py").write_text(RESERVED)
    assert shell(f"python open.py {closed}").code == 0
    assert (tmp_path / "data").read_bytes() == b"data"


def test_a_result_needs_stdout_and_nothing_needs_stderr(shell, pictures, tmp_path):
    line = f"gan-data {pictures} -o"
    done = shell(f"{line} a.npy; {line} b.npy <&- >&- 2>&-; {line} c.npy 2>/dev/full")
    assert done == (0, b"", "12 pictures of 8x8x1\n")
    contents = {(tmp_path / name).read_bytes() for name in ("a.npy", "b.npy", "c.npy")}
    assert len(contents) == 1
    closed = "standard output: is closed; redirect it to a file or a pipe\n"
    done = shell(f"{line} - -q >&- || gan-info {pictures} >&-")
    assert (done.code, done.err) == (1, f"gan-data: {closed}gan-info: {closed}")


def test_a_stream_of_another_encoding_gets_escapes(shell, pictures, tmp_path):
    os.rename(tmp_path / pictures, tmp_path / "é→😀.safetensors")
    done = shell("PYTHONIOENCODING=latin-1 gan-info --json é→😀.safetensors")
    assert (done.code, done.err) == (0, "")
    assert json.loads(done.out.decode("latin-1"))["file"] == "é→😀.safetensors"
    for encoding in ("latin-1", "ascii"):
        done = shell(f"PYTHONIOENCODING={encoding} gan-info →.npy 2>&1")
        assert done.code == 1
        said = "gan-info: {}.npy: no such file or directory; check the name\n"
        assert done.out.decode() in (said.format("\\u2192"), said.format("→"))  # in ASCII's place click writes UTF-8


# ------------------------------------------------------------------------------------------------- no home, no folder


def test_a_current_folder_that_is_gone_has_a_name(shell, tmp_path):
    lost = "the current folder is gone; change to one that exists"
    (tmp_path / "gone").mkdir()
    done = shell("cd gone; rmdir ../gone; gan-data x.npy -o y.npy; gan-info x.npy")
    assert done.err == f"gan-data: {lost}\ngan-info: x.npy: {lost}\n"


def test_without_a_home_nothing_is_kept_in_a_folder_called_tilde(run, tmp_path):
    result = run("gan-data", "mnist", "-o", "x.safetensors", HOME="")
    what = "there is no home folder, as HOME is not set; set it, or give --root FOLDER"
    assert (result.code, result.lines) == (1, [f"gan-data: ~/.cache/ganutils: {what}"])
    assert not (tmp_path / "~").exists()
