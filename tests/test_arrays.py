"""gan-data on arrays: .npy, idx, samples of our own, and what others write."""

import gzip
import os

import numpy as np
import pytest
from pictures import idx


@pytest.mark.parametrize("shape", [(5, 784), (5, 6, 7), (5, 6, 7, 1), (5, 6, 7, 3)])
def test_npy_bitmaps(made, tmp_path, shape):
    array = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    np.save(tmp_path / "a.npy", array)
    expected = array.reshape(5, 28, 28, 1) if len(shape) == 2 else array.reshape(5, 6, 7, -1)
    assert np.array_equal(made("a.npy")[1]["images"], expected)
    assert np.array_equal(made("a.npy", "--shuffle")[1]["images"][:, 0, 0, 0].sum(), expected[:, 0, 0, 0].sum())


@pytest.mark.parametrize("packing", ["", ".gz"])
def test_idx_pairs(made, tmp_path, packing):
    pack = gzip.compress if packing else bytes
    images, labels = np.random.default_rng(0).integers(0, 256, (6, 5, 4)), np.array([0, 1, 2, 0, 1, 2])
    (tmp_path / f"train-images-idx3-ubyte{packing}").write_bytes(pack(idx(images)))
    (tmp_path / f"train-labels-idx1-ubyte{packing}").write_bytes(pack(idx(labels)))
    meta, tensors, _ = made(f"train-images-idx3-ubyte{packing}")
    assert np.array_equal(tensors["images"][..., 0], images)
    assert np.array_equal(tensors["labels"], labels)
    assert meta["classes"] == ["0", "1", "2"]
    os.unlink(tmp_path / f"train-labels-idx1-ubyte{packing}")
    _, tensors, lines = made(f"train-images-idx3-ubyte{packing}")
    assert "labels" not in tensors and "has no labels beside it" in lines[0]


def test_emnist_is_turned_upright(made, tmp_path):
    raw = tmp_path / "EMNIST/raw"
    raw.mkdir(parents=True)
    (raw / "emnist-balanced-train-images-idx3-ubyte").write_bytes(idx(np.arange(32).reshape(2, 4, 4)))
    (raw / "emnist-balanced-train-labels-idx1-ubyte").write_bytes(idx(np.array([10, 46])))
    meta, tensors, _ = made("emnist", "--root", ".")
    assert np.array_equal(tensors["images"][0, :, :, 0], np.arange(16).reshape(4, 4).T)
    assert [meta["classes"][label] for label in tensors["labels"]] == ["A", "t"]


def test_samples_of_ours_are_filtered_resized_and_joined(made, ok, content, tmp_path):
    ok("gan-data", "toy:faces", "--limit", 40, "--size", 16, "-o", "faces.safetensors")
    ok("gan-data", "toy:faces", "--limit", 30, "--size", 16, "--seed", 1, "-o", "more.safetensors")
    _, whole = content("faces.safetensors")
    meta, tensors, _ = made("faces.safetensors", "--where", "hat & ~glasses")
    wanted = (whole["attributes"][:, 3] == 1) & (whole["attributes"][:, 1] == 0)
    assert np.array_equal(tensors["images"], whole["images"][wanted])
    assert np.array_equal(tensors["attributes"], whole["attributes"][wanted])
    assert len(meta["lineage"]) == 2
    meta, tensors, _ = made("faces.safetensors", "more.safetensors", "--size", "8", "--channels", "1")
    assert tensors["images"].shape == (70, 8, 8, 1)
    assert tensors["attributes"].shape == (70, 5)
    assert meta["classes"] == ["faces", "more"]
    piped = (tmp_path / "faces.safetensors").read_bytes()
    assert np.array_equal(made("-", stdin=piped)[1]["images"], whole["images"])


def test_a_film_of_samples_becomes_one_row_of_them(made, tmp_path):
    from ganutils.files import container

    film = np.arange(2 * 3 * 4, dtype=np.uint8).reshape(2, 3, 2, 2, 1)
    latents = np.arange(12, dtype=np.float32).reshape(2, 3, 2)
    container.write(str(tmp_path / "film.safetensors"), "samples", {"images": film, "latents": latents}, {})
    _, tensors, _ = made("film.safetensors")
    assert np.array_equal(tensors["images"], film.reshape(6, 2, 2, 1))
    assert np.array_equal(tensors["latents"], latents.reshape(6, 2))


# ---------------------------------------------------------------------------------------------- arrays of others


PLAIN = np.random.default_rng(0).integers(0, 256, (5, 6, 7, 3), np.uint8)


@pytest.mark.parametrize(
    ("array", "pixels", "told"),
    [
        (PLAIN.transpose(0, 3, 1, 2), PLAIN, None),
        (PLAIN[..., :1].transpose(0, 3, 1, 2), PLAIN[..., :1], None),
        (PLAIN.astype("f4") / 255, PLAIN, "float32 values are taken as 0..1"),
        ((PLAIN / 127.5 - 1).astype(">f8"), PLAIN, "float64 values are taken as -1..1"),
        (PLAIN.astype("f2"), PLAIN, "float16 values are taken as 0..255"),
        (PLAIN.astype("i8"), PLAIN, "int64 values are taken as 0..255"),
        (PLAIN.astype("u2") * 257, PLAIN, "uint16 values are taken as 0..65535"),
        (PLAIN.astype("u2"), PLAIN, "uint16 values are taken as 0..255"),
        (PLAIN > 127, np.where(PLAIN > 127, 255, 0), None),
        (PLAIN[:, :3, :5], PLAIN[:, :3, :5], "shape (5, 3, 5, 3) is taken as (N,H,W,C)"),
        ((PLAIN / 255).transpose(0, 3, 1, 2), PLAIN, "float64 values are taken as 0..1"),
    ],
)
def test_npy_of_any_usual_order_and_range(made, tmp_path, array, pixels, told):
    np.save(tmp_path / "a.npy", np.ascontiguousarray(array))
    n, h, w, c = pixels.shape
    _, tensors, lines = made("a.npy")
    assert np.array_equal(tensors["images"], pixels)
    assert lines == [*([f"a.npy: {told}"] if told else []), f"{n} pictures of {w}x{h}x{c}"]
    assert np.array_equal(made("a.npy", "--limit", 2, "--shuffle", "--channels", 3)[1]["images"].shape, (2, h, w, 3))


def test_drawings_with_an_axis_too_many_are_not_one_row_of_pixels(made, tmp_path):
    drawings = np.random.default_rng(0).integers(0, 256, (5, 1, 784), np.uint8)
    np.save(tmp_path / "a.npy", drawings)
    _, tensors, lines = made("a.npy")
    assert np.array_equal(tensors["images"], drawings.reshape(5, 28, 28, 1))
    assert lines == ["5 pictures of 28x28x1"]


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (np.nan, "a.npy: picture 3 holds NaN or infinity; remove it"),
        (-np.inf, "a.npy: picture 3 holds NaN or infinity; remove it"),
        (300, "a.npy: values go from 0 to 300; scale them to 0..1, -1..1 or 0..255"),
    ],
)
def test_npy_of_other_numbers_is_refused(fails, tmp_path, value, said):
    array = np.zeros((5, 4, 4), np.float32)
    array[3, 1, 1] = value
    np.save(tmp_path / "a.npy", array)
    assert said in fails("gan-data", "a.npy", "-o", "x.npy")


@pytest.mark.parametrize("place", ["fashion-mnist", "FashionMNIST/raw", "Fashion_MNIST"])
def test_classes_of_fashion_mnist_are_named_by_its_folder(made, tmp_path, place):
    folder = tmp_path / "sets" / place
    folder.mkdir(parents=True)
    for pack, suffix in ((bytes, ""), (gzip.compress, ".gz")):  # torchvision keeps both
        (folder / f"train-images-idx3-ubyte{suffix}").write_bytes(pack(idx(np.arange(80).reshape(5, 4, 4))))
        (folder / f"train-labels-idx1-ubyte{suffix}").write_bytes(pack(idx(np.array([0, 1, 2, 9, 2]))))
    source = "sets/" + place.removesuffix("/raw")
    meta, tensors, _ = made(source)
    assert [meta["classes"][label] for label in tensors["labels"]] == [
        "T-shirt",
        "Trouser",
        "Pullover",
        "Ankle boot",
        "Pullover",
    ]
    assert made(f"sets/{place}/train-images-idx3-ubyte")[0]["classes"] == meta["classes"]
    os.rename(tmp_path / "sets", tmp_path / "moved")
    (tmp_path / "moved" / place).rename(tmp_path / "other")
    assert made("other")[0]["classes"] == list("0123456789")
