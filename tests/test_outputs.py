"""Where a result can go: what is refused before any work, and what the standard streams do to it."""

import os

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
