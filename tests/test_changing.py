"""Files that another program changes in place while a command reads them."""

import os

import numpy as np
import pytest
from conftest import TINY, wait_for

import ganutils
from ganutils.files import budget, container
from ganutils.samples.samples import open_samples

MLP = [*TINY, "--arch", "mlp"]


def test_a_run_goes_on_with_the_data_it_began_with(start, ok, pictures, content, tmp_path):
    words = ["gan-loop", pictures, *MLP, "--steps", 300, "-q"]
    ok(*words, "-o", "clean.ckpt")
    running = start(*words, "-o", "out.ckpt", "--log", "run.jsonl")
    wait_for(tmp_path / "run.jsonl")
    os.truncate(tmp_path / pictures, 100)
    assert running.wait().code == 0
    (_, clean), (_, out) = content("clean.ckpt"), content("out.ckpt")
    assert all((clean[name] == out[name]).all() for name in clean)


@pytest.mark.parametrize("change", ["shorter", "other"])
def test_many_data_that_change_during_a_run_are_an_error(pictures, tmp_path, monkeypatch, change):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(budget, "IN_MEMORY", 0)
    run = ganutils.Run(pictures, arch="mlp", width=2, z_dim=4, batch=4)
    run.train(1)
    path = tmp_path / pictures
    if change == "shorter":
        os.truncate(path, path.stat().st_size - 100)
    else:
        path.write_bytes(path.read_bytes())
        os.utime(path, (1, 1))
    changed = r"data\.safetensors: another program has changed it while it was being read"
    with pytest.raises(ganutils.Error, match=changed):
        run.train(20)


def test_samples_on_disk_read_as_those_in_memory(pictures, tmp_path, monkeypatch):
    with open_samples(str(tmp_path / pictures)) as samples:
        whole = samples.array
    monkeypatch.setattr(budget, "IN_MEMORY", 0)
    with open_samples(str(tmp_path / pictures)) as samples:
        rows = samples.array
        assert not isinstance(rows, np.ndarray)
    for index in (
        3,
        slice(None),
        slice(2, 5),
        slice(5, 2),
        slice(-3, 99),
        [4, 1, 1],
        np.array([[0], [11]]),
        np.zeros(0, int),
    ):
        assert np.array_equal(rows[index], whole[index]), index
    assert (len(rows), rows.shape, rows.ndim, rows.dtype, rows.nbytes) == (
        *(12, whole.shape, 4),
        *(whole.dtype, whole.nbytes),
    )
    assert (np.asarray(rows) == whole).all()


def test_a_run_on_data_on_disk_is_one_on_data_in_memory(pictures, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def trained(name):
        run = ganutils.Run(pictures, arch="mlp", width=2, z_dim=4, batch=4)
        run.train(3)
        run.save(name)
        with container.read(name) as file:
            return file.digest()

    first = trained("a.ckpt")
    monkeypatch.setattr(budget, "IN_MEMORY", 0)
    assert trained("b.ckpt") == first


@pytest.mark.parametrize(
    ("meta", "words"),
    [
        ({"classes": ["x", "x", "y"]}, "two classes are called 'x'"),
        ({"classes": ["2", "x"]}, "two classes are called '2'"),
        ({"attributes": ["a", "a"]}, "two attributes are called 'a'"),
    ],
)
def test_names_that_mean_two_things_are_refused(fails, ok, tmp_path, meta, words):
    tensors = {
        "images": np.zeros((60, 2, 2, 1), "u1"),
        "labels": np.arange(60) % 3,
        "attributes": np.ones((60, 2), "f4"),
    }
    container.write(str(tmp_path / "x.safetensors"), "samples", tensors, meta)
    for line in (
        "gan-data x.safetensors --where x -o o.safetensors",
        "gan-label x.safetensors --like x.safetensors -o o.safetensors",
    ):
        said = f"x.safetensors: damaged: {words}; make it again with names that differ"
        assert fails(*line.split()).endswith(said), line
    ok("gan-info", "x.safetensors")


def test_an_attribute_called_as_a_class_is_asked_for_once(ok, content, tmp_path):
    images = np.zeros((60, 4, 4, 1), "u1")
    images[30:] = 200
    labels = np.arange(60) // 30
    tensors = {"images": images, "labels": labels, "attributes": np.stack([labels, 1 - labels], 1).astype("f4")}
    meta = {"classes": ["dark", "light"], "attributes": ["light", "other"]}
    container.write(str(tmp_path / "x.safetensors"), "samples", tensors, meta)
    ok("gan-label", "x.safetensors", "--like", "x.safetensors", "--features", "pixels", "-o", "o.safetensors", "-q")
    assert content("o.safetensors")[0]["attributes"] == ["dark", "light", "other"]
