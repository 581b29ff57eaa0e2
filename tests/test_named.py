"""Data sets by name whose files torchvision or LMDB read, from files made here in their real formats."""

import importlib
import pickle
import subprocess
import sys
import types

import numpy as np
import pytest
from conftest import ROOT
from pictures import photo

from ganutils import Error
from ganutils.samples.images import Shape, decode
from ganutils.samples.sources import catalog
from ganutils.samples.sources.opening import open_sources
from ganutils.samples.sources.source import SourceOptions, of_pixels


def opened(name, root, split=None):
    return open_sources([name], SourceOptions(str(root), split, None, 10, 0, None, None, None, None))


def test_cifar10(tmp_path, monkeypatch):
    folder = tmp_path / "cifar-10-batches-py"
    folder.mkdir()
    rng = np.random.default_rng(0)
    batches = [rng.integers(0, 256, (2, 3072), np.uint8) for _ in range(6)]
    names = [f"data_batch_{n}" for n in range(1, 6)] + ["test_batch"]
    for name, batch in zip(names, batches, strict=True):
        (folder / name).write_bytes(pickle.dumps({"data": batch, "labels": [3, 9]}))
    (folder / "batches.meta").write_bytes(pickle.dumps({"label_names": list(catalog.THINGS)}))
    monkeypatch.setattr("torchvision.datasets.cifar.check_integrity", lambda *_: True)
    with opened("cifar10", tmp_path, "all") as (train, test):
        assert (train.total, test.total) == (10, 2)
        assert np.array_equal(train.pixels[0:1][0].transpose(2, 0, 1).reshape(-1), batches[0][0])
        assert train.labels.tolist() == [3, 9] * 5
        assert train.classes[3] == "cat"


def test_svhn(tmp_path, monkeypatch):
    io = pytest.importorskip("scipy.io")
    pixels = np.random.default_rng(0).integers(0, 256, (32, 32, 3, 4), np.uint8)
    io.savemat(tmp_path / "test_32x32.mat", {"X": pixels, "y": np.array([[1], [10], [3], [4]])})
    monkeypatch.setattr("torchvision.datasets.utils.check_md5", lambda *_: True)
    monkeypatch.setattr("torchvision.datasets.svhn.check_integrity", lambda *_: True)
    with opened("svhn", tmp_path, "test") as (source,):
        assert np.array_equal(source.pixels[1:2][0], pixels[..., 1])
        assert source.labels.tolist() == [1, 0, 3, 4]


def test_lsun(tmp_path):
    lmdb = pytest.importorskip("lmdb", reason="LSUN lies in LMDB folders; pip install lmdb to test them")
    (tmp_path / "lsun").mkdir()
    with (
        lmdb.open(str(tmp_path / "lsun/bedroom_train_lmdb"), map_size=1 << 24) as database,
        database.begin(write=True) as out,
    ):
        for n in range(3):
            out.put(f"key{n}".encode(), photo(n, 20, 10, "WEBP"))
    with opened("lsun:bedroom", tmp_path) as (source,):
        assert (source.total, source.names) == (3, ["key0", "key1", "key2"])
        assert np.array_equal(source.draw(source.load(2), Shape()), decode(photo(2, 20, 10, "WEBP"), Shape()))
    content = (tmp_path / "lsun/bedroom_train_lmdb/data.mdb").read_bytes()
    for damage in (content[:5000], content[:8192] + b"\xff" * 8192, b"no database"):
        (tmp_path / "lsun/bedroom_train_lmdb/data.mdb").write_bytes(damage)
        with pytest.raises(Error, match="bedroom_train_lmdb: "), opened("lsun:bedroom", tmp_path):
            pass
    with (
        pytest.raises(Error, match="did you mean bedroom"),
        opened("lsun:bedrom", tmp_path),
    ):
        pass


@pytest.mark.parametrize(
    ("name", "split", "message"),
    [
        ("mnist", "valid", "mnist: has no split 'valid', only train, test, all; --split 0-90% takes a part"),
        ("digits", "test", "digits: has no split 'test', only train, all; --split 0-90% takes a part"),
        ("toy:ring", "test", "toy:ring: has no splits of its own; --split 0-90% takes a part"),
        ("mnist:3", None, "mnist:3: no such file or folder, nor a data set; did you mean mnist or"),
        ("lsun", None, "lsun: no such file or folder, nor a data set; did you mean lsun:NAME"),
    ],
)
def test_what_a_set_does_not_have(tmp_path, name, split, message):
    with pytest.raises(Error) as problem, opened(name, tmp_path, split):
        pass
    assert str(problem.value).startswith(message)


def test_every_row_of_the_catalog_names_a_function():
    rows = [*catalog.NAMES.values(), *(row for _, row in catalog.FILES)]
    for row in rows:
        module, function = row.opener.split(".")
        assert callable(getattr(importlib.import_module(f"ganutils.samples.sources.{module}"), function)), row


def test_help_shows_every_source_and_imports_no_numpy(run):
    """One row in the catalog is all that a new source needs, also for --help."""
    shown = run("gan-data", "--help").out.decode()
    usages = [row.usage for row in (*catalog.NAMES.values(), *(row for _, row in catalog.FILES))]
    assert [usage for usage in usages if usage not in shown] == []
    code = (
        "import sys; from ganutils.samples.sources import catalog; catalog.usage(); assert 'numpy' not in sys.modules"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0


def test_a_source_is_one_file_and_one_row(tmp_path, monkeypatch):
    """What CONTRIBUTING promises."""
    module = types.ModuleType("ganutils.samples.sources.fives")
    module.open_fives = lambda request: [of_pixels(request.name, np.full((5, 4, 4, 1), 5, "u1"), meta=request.meta)]
    monkeypatch.setitem(sys.modules, module.__name__, module)
    row = catalog.Row("fives:NAME", "fives of a kind", "fives.open_fives", license="CC0")
    monkeypatch.setitem(catalog.NAMES, "fives", row)
    with opened("fives:small", tmp_path) as (source,):
        assert (source.total, source.meta) == (5, {"license": "CC0"})
    assert "fives:NAME                          fives of a kind" in catalog.usage()
    with pytest.raises(Error, match=r"did you mean fives:NAME\?"), opened("fives", tmp_path):
        pass


def test_a_download_that_fails_says_where_files_may_be_put(tmp_path, monkeypatch):
    def offline(*_, **__):
        raise OSError("no network")

    monkeypatch.setattr("urllib.request.urlopen", offline)
    with pytest.raises(Error, match="put its files under"), opened("mnist", tmp_path):
        pass
