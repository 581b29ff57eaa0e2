"""gan-data on real pictures, where they are at hand."""

import numpy as np
import pytest
from conftest import REAL


def real(name):
    """A file or folder of real pictures; the test is skipped where there is none."""
    path = REAL / name
    if not path.exists():
        pytest.skip(f"no real data at {path}; GANUTILS_TEST_DATA names their folder")
    return path


def test_real_mnist(made):
    meta, tensors, lines = made(real("mnist/train-images-idx3-ubyte.gz"))
    assert tensors["images"].shape == (60000, 28, 28, 1)
    assert np.bincount(tensors["labels"]).tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert meta["classes"] == list("0123456789")
    assert lines == ["60,000 pictures of 28x28x1"]


def test_real_mnist_by_name_from_the_root_without_torch(made, tmp_path, monkeypatch):
    (tmp_path / "torch.py").write_text("raise ImportError('torch is not to be imported here')")
    meta, tensors, _ = made("mnist", "--root", real("mnist").parent, "--split", "test", "--classes", "7,3")
    assert len(tensors["images"]) == 1028 + 1010
    assert meta["classes"] == ["7", "3"]
    assert np.bincount(tensors["labels"]).tolist() == [1028, 1010]
    assert "CC BY-SA" in meta["license"]


def test_real_drawings(made):
    apples, cats = real("quickdraw/apple.npy"), real("quickdraw/cat.npy")
    meta, tensors, lines = made(apples, cats)
    assert lines == ["6,000 pictures of 28x28x1"]
    assert meta["classes"] == ["apple", "cat"]
    assert np.array_equal(tensors["images"][3000:, ..., 0], np.load(cats).reshape(-1, 28, 28))
    assert np.array_equal(tensors["labels"], np.repeat([0, 1], 3000))


def test_real_strokes(made):
    meta, tensors, lines = made(real("quickdraw/simplified_mixed.ndjson"), "--size", "48")
    assert lines == ["1,715 pictures of 48x48x1"]
    assert len(meta["classes"]) == 343
    assert set(np.bincount(tensors["labels"])) == {5}
    assert 0.05 < tensors["images"].mean() / 255 < 0.4
    assert len(np.unique(tensors["images"])) > 10, "lines are antialiased"


def test_real_faces_with_their_attributes(made):
    faces, table = real("faces/img_align_celeba.zip"), real("faces/list_attr_celeba.txt")
    only = ["--attributes", table, "--where", "Eyeglasses & ~Male", "--crop", "89", "--size", "32"]
    meta, tensors, lines = made(faces, *only)
    rows = [line.split() for line in table.read_text().splitlines()[2:]]
    names = table.read_text().splitlines()[1].split()
    glasses, male = (names.index(name) + 1 for name in ("Eyeglasses", "Male"))
    wanted = [row for row in rows if row[glasses] == "1" and row[male] == "-1"]
    assert lines == [f"{len(wanted)} pictures of 32x32x3"]
    assert meta["attributes"] == names
    assert np.array_equal(tensors["attributes"], (np.array([row[1:] for row in wanted], np.float32) + 1) / 2)


def test_real_celeba_by_name(made, tmp_path):
    (tmp_path / "celeba").mkdir()
    for name in ("img_align_celeba.zip", "list_attr_celeba.txt"):
        (tmp_path / "celeba" / name).symlink_to(real(f"faces/{name}"))
    parts = "".join(f"{n:06d}.jpg {n % 3}\n" for n in range(1, 10001))
    (tmp_path / "celeba/list_eval_partition.txt").write_text(parts)
    meta, tensors, _ = made("celeba", "--root", ".", "--split", "valid", "--limit", 20, "--size", "16")
    assert tensors["attributes"].shape == (20, 40)
    assert "non-commercial" in meta["license"]


def test_real_facades(made):
    meta, tensors, lines = made(real("unpaired/facades_photo2label"), "--size", "32")
    assert lines == ["200 pictures of 32x32x3"]
    assert meta["classes"] == ["testA", "testB", "trainA", "trainB"]
    assert np.bincount(tensors["labels"]).tolist() == [10, 10, 90, 90]
    assert meta["resampling"] == "lanczos"
