"""Data sets by name whose files torchvision or LMDB read, from files made here in their real formats."""

import pickle

import numpy as np
import pytest
from pictures import photo

from ganutils import Error
from ganutils.samples.sources import named


def test_cifar10(tmp_path, monkeypatch):
    folder = tmp_path / "cifar-10-batches-py"
    folder.mkdir()
    rng = np.random.default_rng(0)
    batches = [rng.integers(0, 256, (2, 3072), np.uint8) for _ in range(6)]
    names = [f"data_batch_{n}" for n in range(1, 6)] + ["test_batch"]
    for name, batch in zip(names, batches, strict=True):
        (folder / name).write_bytes(pickle.dumps({"data": batch, "labels": [3, 9]}))
    (folder / "batches.meta").write_bytes(pickle.dumps({"label_names": list(named.THINGS)}))
    monkeypatch.setattr("torchvision.datasets.cifar.check_integrity", lambda *_: True)
    with named.open_named("cifar10", "", str(tmp_path), "all") as (train, test):
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
    with named.open_named("svhn", "", str(tmp_path), "test") as (source,):
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
    with named.open_named("lsun", "bedroom", str(tmp_path), "train") as (source,):
        assert (source.total, source.names) == (3, ["key0", "key1", "key2"])
        assert source.load(2) == photo(2, 20, 10, "WEBP")
    with (
        pytest.raises(Error, match="did you mean bedroom"),
        named.open_named("lsun", "bedrom", str(tmp_path), "train"),
    ):
        pass


@pytest.mark.parametrize(
    ("name", "detail", "split", "said"),
    [
        ("mnist", "", "valid", "has no split 'valid'"),
        ("mnist", "3", "train", "has no parts"),
        ("digits", "", "test", "90-100%"),
    ],
)
def test_what_a_set_does_not_have(tmp_path, name, detail, split, said):
    with pytest.raises(Error, match=said), named.open_named(name, detail, str(tmp_path), split):
        pass


def test_a_download_that_fails_says_where_files_may_be_put(tmp_path, monkeypatch):
    def offline(*_, **__):
        raise OSError("no network")

    monkeypatch.setattr("urllib.request.urlopen", offline)
    with pytest.raises(Error, match="put its files under"), named.open_named("mnist", "", str(tmp_path), "train"):
        pass
