"""The recipes: every figure at SCALE=tiny by make and sh themselves, with the commands forked from a warm server."""

import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import time
import wave

import numpy as np
import pytest
from conftest import BIN, ROOT
from PIL import Image

from ganutils.files import container

RECIPES = ROOT / "recipes"
MAKEFILE = "".join(path.read_text() for path in [RECIPES / "Makefile", *RECIPES.glob("*.mk")])
FIGURES = ["toy-gaussian", "toy-ring", "losses", "mnist", "epochs", "lsgan", "quickdraw", "walk", "filters", "dream"]
PAIRED = ["pix2pix", "pix2pix-losses", "super-resolution", "product", "pose", "colorize"]
BETWEEN = ["cycle", "disco", "ageing", "recolor"]  # two sets without pairs
FILES = {  # of each target, with the least number of pictures a film has
    "toy-gaussian.png": 1,
    "toy-gaussian.gif": 2,
    "toy-ring.png": 1,
    "toy-ring.gif": 2,
    "losses.png": 1,
    "all-losses.png": 1,
    "saturating.png": 1,
    "saturating-curves.png": 1,
    "mnist.png": 1,
    "mnist-classes.png": 1,
    "mnist.gif": 2,
    "epochs.png": 1,
    "lsgan.png": 1,
    "quickdraw.gif": 2,
    "quickdraw.png": 1,
    "walk-nine.png": 1,
    "walk-closed.gif": 8,
    "walk-lerp-slerp.png": 1,
    "filters.png": 1,
    "features.png": 1,
    "dream.png": 1,
    "dream-classes.png": 1,
    "dream.gif": 49,
}
PAIRS = {
    "pix2pix.png": 1,
    "pix2pix.gif": 2,
    "pix2pix-facades.png": 1,
    "pix2pix-losses.png": 1,
    "pix2pix-losses-facades.png": 1,
    "super-resolution.png": 1,
    "product.png": 1,
    "pose.gif": 24,
    "colorize.png": 1,
}
SCORED = {  # of each file of scores, what was scored; of some the inputs too
    "pix2pix-losses": ["sketch-l1", "sketch-gan", "sketch-both"],
    "pix2pix-losses-facades": ["facade-l1", "facade-gan", "facade-both"],
    "super-resolution": ["small-held", "small-l1", "small-gan"],
    "product": ["hats"],
    "colorize": ["gray-held", "gray"],
}
DOMAINS = {"cycle.png": 1, "cycle.gif": 2, "disco.png": 1, "ages.png": 1, "ageing.png": 1, "recolor.png": 1}
OF_DOMAINS = {  # in each line of each file of scores
    "cycle": [{"l1", "kept", "cycle_l1"}],
    "disco": [{"l1", "kept", "cycle_l1"}],
    "ageing": [{"kept", "cycle_l1"}, {"arrived", "cycle_l1"}],
    "recolor": [{"l1", "kept", "cycle_l1"}, {"arrived", "cycle_l1"}],
}
FACES = {"faces/smiling.png": 1, "faces/glasses.png": 1, "faces/moustache.png": 1, "faces/smiling.gif": 60}

pytestmark = pytest.mark.skipif(not shutil.which("make"), reason="make is not installed")


@pytest.fixture(scope="module")
def figures(tmp_path_factory, warm_commands):
    """figures("make", ...) -> what it printed, run in recipes/ with the commands warm; it must do well."""
    folder = tmp_path_factory.mktemp("recipes")
    images = np.random.default_rng(0).integers(0, 256, (100, 28, 28, 1), "u1")
    container.write(str(folder / "data.safetensors"), "samples", {"images": images, "labels": np.arange(100) % 10}, {})
    env = {**os.environ, "PYTHONPATH": str(ROOT), "HOME": str(folder), "OUT": str(folder / "out")}
    env |= {"SCALE": "tiny", "OFFLINE": "1", "PATH": f"{warm_commands}:{env['PATH']}"}
    env["MNIST"] = env["QUICKDRAW"] = str(folder / "data.safetensors")  # the digits take seconds to read
    env.pop("MAKEFLAGS", None)

    def run(*words, code=0, **more):
        done = subprocess.run(words, cwd=RECIPES, env={**env, **more}, capture_output=True, text=True, timeout=300)
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    run.out, run.data = folder / "out", env["QUICKDRAW"]
    return run


def states(folder: pathlib.Path):
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}


def nothing_is_made_again(figures, words, out):
    """gan-loop alone is asked, and leaves its checkpoints as they are."""
    before = states(out)
    printed = figures(*words)
    assert set(re.findall(r"^gan-(\S+)", printed, re.MULTILINE)) == {"loop"}
    assert states(out) == before


def test_every_figure_is_made_in_parallel_and_a_second_run_does_nothing(figures):
    figures("make", "-j2", *FIGURES)
    for name, frames in FILES.items():
        with Image.open(figures.out / name) as picture:
            assert picture.width > 50, name
            assert getattr(picture, "n_frames", 1) >= frames, name
    for name in ("toy-gaussian.mp4", "walk-closed.mp4"):
        assert (figures.out / name).read_bytes()[4:8] == b"ftyp"
    assert not [path for path in figures.out.rglob("*") if path.name.endswith((".tmp", ".part"))]

    before = states(figures.out)
    printed = figures("make", "-j2", *FIGURES)
    assert set(re.findall(r"^gan-(\S+)", printed, re.MULTILINE)) == {"loop"}, "which says that it is done already"
    assert states(figures.out) == before

    os.utime(figures.out / "mnist-lsgan.score")
    printed = figures("make", "lsgan")
    assert re.findall(r"^gan-(?!loop)\S+", printed, re.MULTILINE) == ["gan-gif"]


def test_the_faces_are_made_and_a_second_run_does_nothing(figures):
    figures("make", "faces")
    for name, frames in FACES.items():
        with Image.open(figures.out / name) as picture:
            assert getattr(picture, "n_frames", 1) >= frames, name
    before = states(figures.out)
    figures("make", "faces")
    assert states(figures.out) == before


@pytest.fixture
def facades(tmp_path):
    """A folder of pairs beside each other, as CMP's facades: 12 in train/, 8 in val/."""
    folder = tmp_path / "facades of a town"
    for part, count in (("train", 12), ("val", 8)):
        (folder / part).mkdir(parents=True)
        for number in range(count):
            pair = Image.new("RGB", (40, 20), (20 * number, 99, 200))
            pair.paste((0, 0, 20 * number), (20, 0, 40, 20))
            pair.save(folder / part / f"{number}.jpg")
    return folder


def test_pictures_are_made_from_pictures_and_a_second_run_does_nothing(figures, tmp_path, facades):
    words = ["make", "-j2", *PAIRED, f"FACADES={facades}", f"OUT={tmp_path / 'out'}"]
    figures(*words)
    for name, frames in PAIRS.items():
        with Image.open(tmp_path / "out" / name) as picture:
            assert picture.width > 50, name
            assert getattr(picture, "n_frames", 1) >= frames, name
    for name, scored in SCORED.items():
        lines = (tmp_path / "out" / f"{name}.jsonl").read_text().splitlines()
        scores = [json.loads(line) for line in lines]
        assert [os.path.basename(each["fake"]).partition(".")[0] for each in scores] == scored
        assert all({"psnr", "ssim", "saturation", "frechet_distance"} <= set(each) for each in scores)
    before = states(tmp_path / "out")
    printed = figures(*words)
    assert set(re.findall(r"^gan-(\S+)", printed, re.MULTILINE)) == {"loop"}
    assert states(tmp_path / "out") == before


def test_pictures_of_one_set_become_those_of_another_and_a_second_run_does_nothing(figures, tmp_path):
    words = ["make", "-j2", *BETWEEN, f"OUT={tmp_path / 'out'}"]
    figures(*words)
    for name, frames in DOMAINS.items():
        with Image.open(tmp_path / "out" / name) as picture:
            assert picture.width > 50, name
            assert getattr(picture, "n_frames", 1) >= frames, name
    for name, expected in OF_DOMAINS.items():
        lines = (tmp_path / "out" / f"{name}.jsonl").read_text().splitlines()
        assert all(some <= set(json.loads(line)) for some, line in zip(expected, lines, strict=True)), name
    before = states(tmp_path / "out")
    printed = figures(*words)
    assert set(re.findall(r"^gan-(\S+)", printed, re.MULTILINE)) == {"loop"}
    assert states(tmp_path / "out") == before


def test_sounds_are_made_and_heard_and_a_second_run_does_nothing(figures, tmp_path):
    out = tmp_path / "out"
    words = ["make", "-j2", "sounds", "vowels", f"OUT={out}"]
    figures(*words)
    for name in ("sounds.png", "vowels.png"):
        with Image.open(out / name) as picture:
            assert picture.width > 50, name
    for name, count in {"sounds.wav": 8, "sounds-waves.wav": 8, "vowels.wav": 3}.items():
        with wave.open(str(out / name)) as sound:
            assert (sound.getframerate(), sound.getnframes()) == (8000, 256 * count), name
    assert "with sound" in figures("gan-info", str(out / "vowels.mp4"))
    for name, fakes in {"sounds": 4, "vowels": 2}.items():
        scores = [json.loads(line) for line in (out / f"{name}.jsonl").read_text().splitlines()]
        assert ["noise" in each["fake"] for each in scores] == [True, False] * (fakes // 2), name
        assert all("label_accuracy" in each for each in scores[1::2]), name
    nothing_is_made_again(figures, words, out)


def test_sentences_are_written_and_scored_and_a_second_run_does_nothing(figures, tmp_path):
    out = tmp_path / "out"
    words = ["make", "-j2", "sentences", f"OUT={out}"]
    figures(*words)
    assert len((out / "sentences.txt").read_text().splitlines()) == 64
    for name, frames in {"sentences.png": 1, "sentences.gif": 2}.items():
        with Image.open(out / name) as picture:
            assert getattr(picture, "n_frames", 1) >= frames, name
    scores = [json.loads(line) for line in (out / "sentences.jsonl").read_text().splitlines()]
    assert ["shuffled" in each["fake"] for each in scores] == [True, True, False]
    assert all({"grammatical", "js3", "distinct", "copied"} <= each.keys() for each in scores)
    nothing_is_made_again(figures, words, out)


def test_pictures_are_made_of_words_and_a_second_run_does_nothing(figures, tmp_path):
    out = tmp_path / "out"
    words = ["make", "-j2", "words", "stages", f"OUT={out}"]
    figures(*words)
    for name, frames in {"words.png": 1, "words.gif": 4, "stages.png": 1}.items():
        with Image.open(out / name) as picture:
            assert picture.width > 50, name
            assert getattr(picture, "n_frames", 1) >= frames, name
    for name, scored in {"words": ["words"], "stages": ["stages-bicubic", "stages-large"]}.items():
        scores = [json.loads(line) for line in (out / f"{name}.jsonl").read_text().splitlines()]
        assert [os.path.basename(each["fake"]).partition(".")[0] for each in scores] == scored
        assert all({"said", "sharpness", "frechet_distance"} <= set(each) for each in scores), name
    with (
        container.read(str(out / "stages-large.safetensors")) as large,
        container.read(str(out / "stages-held.safetensors")) as held,
    ):
        assert np.array_equal(large["captions"][:, 0], held["captions"][:, 0, : large["captions"].shape[2]])
    nothing_is_made_again(figures, words, out)


def test_photos_of_faces_grow_older(figures, tmp_path):
    photos = tmp_path / "faces.zip"
    photos.touch()
    said = figures("env", "-u", "OUT", "make", "-n", "ageing", f"CELEBA={photos}", "ATTRIBUTES=list.txt", "CROP=54")
    for split, where in (("0-90%", "Young"), ("90-100%", "~Young")):
        found = f'gan-data "{photos}" --attributes "list.txt" --crop 54 --split {split} .*--where \'{where}\''
        assert re.search(found, said), found


def test_facades_are_made_only_of_those_that_are_given(figures, tmp_path):
    targets = ["pix2pix", "pix2pix-losses"]
    assert "facade" not in figures("make", "-n", *targets, "OUT=elsewhere")
    said = figures("make", f"{tmp_path}/pix2pix-facades.png", "FACADES=nowhere", f"OUT={tmp_path}", code=2)
    assert "nowhere/train" in said
    assert "photo on the left" in said


def test_photos_of_faces_are_made_sharp_and_colored_in_a_folder_of_their_own(figures, tmp_path):
    photos, without = tmp_path / "faces.zip", ["env", "-u", "OUT", "make", "-n", "super-resolution", "colorize"]
    photos.touch()
    said = figures(*without, f"CELEBA={photos}", "CROP=54")
    assert f'gan-data "{photos}" --crop 54 --split 0-90% --limit' in said
    assert f'gan-data "{photos}" --crop 54 --split 90-100% --limit' in said
    assert "-o out/tiny-offline-celeba/face-held.safetensors" in said
    assert 'gan-data celeba --root "there" --crop 108' in figures(*without, "ROOT=there")
    assert "toy:faces" in figures(*without)


def test_the_pages_are_made(figures, web_runtime):
    figures("make", "pages", RUNTIME=str(web_runtime))
    for name in ("digits", "faces", "recognize", "quiz"):
        assert (figures.out / f"{name}.html").read_text().startswith("<!doctype html>"), name
    assert '"name":"smiling"' in (figures.out / "faces.html").read_text()


def test_an_interrupted_training_goes_on_and_its_figures_wait(figures, tmp_path):
    """Ctrl-C at make: the checkpoint stays, and the next make ends it."""
    words = [
        "make",
        f"OUT={tmp_path}",
        f"MNIST={figures.data}",
        "DCGAN=--width 2 --batch 4 --steps 100000",
        f"{tmp_path}/mnist-dcgan.sheet.safetensors",
    ]
    env = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "OFFLINE": "1",
        "SCALE": "tiny",
        "PATH": f"{BIN}:{os.environ['PATH']}",
    }
    making = subprocess.Popen(words, cwd=RECIPES, env=env, stderr=subprocess.PIPE, text=True, start_new_session=True)
    first = tmp_path / "mnist-shots" / "step-000000.safetensors"
    while not first.exists():
        assert making.poll() is None, making.stderr.read()
        time.sleep(0.05)
    os.killpg(making.pid, signal.SIGINT)
    assert making.wait(60) != 0
    checkpoint = tmp_path / "mnist-dcgan.ckpt.safetensors"
    step = int(re.search(r"step (\d+)", figures("gan-info", str(checkpoint)))[1])
    assert 0 <= step < 100000
    assert not (tmp_path / "mnist-dcgan.sheet.safetensors").exists()
    words[3] = words[3].replace("100000", str(step + 2))
    figures(*words)
    assert f"step {step + 2}" in figures("gan-info", str(checkpoint))
    assert (tmp_path / "mnist-dcgan.sheet.safetensors").exists()


@pytest.mark.parametrize("name", ["mnist", "quickdraw"])
def test_a_recipe_to_be_read_aloud(figures, tmp_path, name):
    script = (RECIPES / f"{name}.sh").read_text()
    assert len(script.splitlines()) <= 30
    assert "pipefail" in script
    figures(f"./{name}.sh", OUT=str(tmp_path), MNIST=figures.data)
    for made in ("data.png", "film.gif"):
        with Image.open(tmp_path / made) as picture:
            assert picture.width > 50


def test_own_pictures(figures, tmp_path):
    (tmp_path / "mine").mkdir()
    for number in range(12):
        Image.new("RGB", (20, 16), (20 * number, 99, 200)).save(tmp_path / "mine" / f"{number}.jpg")
    figures("make", "own", f"PICTURES={tmp_path / 'mine'}", "SIZE=16", f"OUT={tmp_path}")
    assert {"data.png", "sheet.png", "ganimation.gif", "walk.gif", "report.txt"} <= set(os.listdir(tmp_path / "own"))
    assert "Fréchet" in (tmp_path / "own" / "report.txt").read_text()
    assert "PICTURES=folder" in figures("make", "own", f"OUT={tmp_path / 'other'}", code=2)


# ---------------------------------------------------------------------------------------- spaces in names


def test_results_go_into_a_folder_whose_name_has_spaces(figures, tmp_path):
    out = tmp_path / "my  own out"
    targets = ["toy-ring", "mnist", "walk", "quickdraw", "demo"]
    figures("make", "-j2", *targets, OUT=str(out))
    for name in ("toy-ring.gif", "mnist-classes.png", "walk-nine.png", "quickdraw.gif", "ganimation.gif"):
        with Image.open(out / name) as picture:
            assert picture.width > 50, name
    before = states(out)
    figures("make", *targets, f"OUT={out}")
    assert states(out) == before
    assert [path.name for path in tmp_path.iterdir()] == ["my  own out"]


@pytest.fixture
def checkout(tmp_path, warm_commands):
    """A checkout in a folder whose path has spaces, as make needs it."""
    folder = tmp_path / "my code" / "gan utils"
    shutil.copytree(RECIPES, folder / "recipes", ignore=shutil.ignore_patterns("out"))
    shutil.copy(ROOT / "Makefile", folder)
    shutil.copytree(warm_commands, folder / "bin")
    (folder / "setup.py").touch()
    return folder


def test_all_targets_work_in_a_checkout_whose_path_has_spaces(figures, checkout):
    (checkout / ".venv").mkdir()
    (checkout / ".venv" / ".done").touch()
    env = ["env", "-u", "OUT", "-C", str(checkout)]
    printed = figures(*env, "make", "demo")
    assert "To use the commands in this shell, type: . .venv/bin/activate" in printed
    assert {"sheet.png", "ganimation.gif", "walk.gif"} <= set(os.listdir(checkout / "demo"))
    figures(*env, "make", "demo", "OUT=other demo")
    assert {"sheet.png", "ganimation.gif", "walk.gif"} <= set(os.listdir(checkout / "other demo"))

    for folder in (checkout / "my pictures", checkout.parent / "more of them"):
        folder.mkdir()
        for number in range(12):
            Image.new("RGB", (20, 16), (20 * number, 99, 200)).save(folder / f"{number}.jpg")
    made = {"data.png", "sheet.png", "ganimation.gif", "walk.gif", "report.txt"}
    figures(*env, "make", "own", "PICTURES=my pictures", "SIZE=16")
    assert made <= set(os.listdir(checkout / "own"))
    where = checkout.parent / "its results"
    figures(*env, "make", "own", f"PICTURES={checkout.parent / 'more of them'}", "SIZE=16", f"OUT={where}")
    assert made <= set(os.listdir(where / "own"))
    figures(*env, "make", "-C", "recipes", "own", "PICTURES=../my pictures", "SIZE=16", "OUT=../third time")
    assert made <= set(os.listdir(checkout / "third time" / "own"))


def test_commands_work_from_a_venv_whose_path_has_spaces(figures, checkout, tmp_path):
    """There pip writes a #! line that no kernel understands."""
    stub = tmp_path / "stub" / "python3"
    stub.parent.mkdir()
    stub.write_text("#!/bin/sh\nmkdir -p .venv/bin; printf '#!/bin/sh\\n' >.venv/bin/pip; chmod +x .venv/bin/pip\n")
    stub.chmod(0o755)
    figures("env", "-C", str(checkout), "make", ".venv/.done", PATH=f"{stub.parent}:{os.environ['PATH']}")
    for script in (checkout / "bin").iterdir():
        assert (checkout / ".venv" / "bin" / script.name).samefile(script)


def test_what_cannot_be_downloaded_is_named(figures, tmp_path):
    said = figures("make", "mnist", f"OUT={tmp_path}", "MNIST=nowhere", code=2)
    assert "nowhere" in said
    assert "train-images-idx3-ubyte.gz" in said
    assert "OFFLINE=1" in said


def test_the_list_names_every_target_and_how_long_it_takes(figures):
    names = re.findall(r"^  (\S+)", figures("make", "list"), re.MULTILINE)
    assert {*FIGURES, *PAIRED, *BETWEEN, "own", "demo"} <= set(names)
    assert set(names) == set(re.findall(r"^## (\S+)", MAKEFILE, re.MULTILINE))


def test_recipes_call_only_our_commands():
    text = MAKEFILE + "".join(path.read_text() for path in RECIPES.glob("*.sh"))
    assert "python" not in text.lower()


def test_every_training_may_be_interrupted():
    trained = re.findall(r"^\$\(OUT\)/(\S+)\.ckpt\.safetensors:.* FORCE$", MAKEFILE, re.MULTILINE)
    assert set(trained) == set(
        re.search(r"^RUNS := ((?:.*\\\n)*.*)", MAKEFILE, re.MULTILINE)[1].replace("\\", "").split()
    )


def test_a_scale_that_is_none_is_refused(figures):
    assert "use tiny, small or full" in figures("make", "figures", "SCALE=huge", code=2)


def test_offline_the_digits_stand_in_for_downloads(figures, tmp_path):
    words = ["mnist.safetensors", "quickdraw.safetensors"]
    without = ["env", "-u", "MNIST", "-u", "QUICKDRAW", f"OUT={tmp_path}", "make", "-n"]
    assert figures(*without, *(f"{tmp_path}/{word}" for word in words)).count('gan-data "digits"') == 2
