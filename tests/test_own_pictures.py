"""One's own pictures: what is wrong with them is told, and single ones can be given."""

import io
import os

import numpy as np
import pytest
from pictures import flat, levels, photo, zipped
from PIL import Image


def test_pictures_of_a_single_color_are_counted(made, folder):
    folder({"1.png": photo(1, 8, 8), "2.png": flat(0), "3.png": flat(7)})
    lines = ["2 of 3 pictures are a single color; the first is pics: 2.png", "3 pictures of 8x8x3"]
    assert made("pics")[2] == lines
    assert made("pics", "--size", "4")[2] == [lines[0], "3 pictures of 4x4x3"]
    assert (
        made("made.safetensors")[2][0] == "2 of 3 pictures are a single color; the first is made.safetensors: picture 1"
    )


def test_very_long_pictures_are_told_unless_their_shape_was_asked_for(made, folder):
    folder({"1.png": photo(1, 41, 10)})
    told = "pictures are 41x10, more than 4:1; check the source, or give --size or --crop"
    assert made("pics")[2] == [told, "1 pictures of 41x10x3"]
    assert made("pics", "--size", "41x10")[2] == ["1 pictures of 41x10x3"]
    folder({"1.png": photo(1, 40, 10)})
    assert made("pics")[2] == ["1 pictures of 40x10x3"]


def test_a_folder_that_cannot_be_read_is_named(made, fails, folder, tmp_path):
    """One whose path is longer than the system allows, since no permission stops root."""
    folder({"1.png": photo(1)})
    parent = os.open(tmp_path / "pics", os.O_RDONLY)
    for _ in range(20):
        os.mkdir("d" * 250, dir_fd=parent)
        child = os.open("d" * 250, os.O_RDONLY, dir_fd=parent)
        os.close(parent)
        parent = child
    os.close(parent)
    told = made("pics")[2][0]
    assert told.startswith("pics: the folder ddd") and told.endswith("cannot be read (file name too long); skipped")
    assert "cannot be read (file name too long) (--strict)" in fails("gan-data", "pics", "--strict", "-o", "x.npy")


def test_folders_behind_links_and_formats_that_are_not_read_are_named(made, folder, tmp_path):
    folder({"1.png": photo(1), "a.PSD": b"", "b.svg": b"", ".c.svg": b""})
    (tmp_path / "pics/linked").symlink_to(tmp_path)
    assert made("pics")[2][:2] == [
        "pics: skipped 2 files in formats that are not read (.psd .svg); convert them to PNG",
        "pics: skipped links to folders: linked; name them as sources of their own",
    ]
    zipped(tmp_path / "a.zip", {"1.png": photo(1), "2.jxl": b""})
    assert made("a.zip")[2][0] == "a.zip: skipped 1 files in formats that are not read (.jxl); convert them to PNG"


def test_heic_is_skipped_with_advice_where_no_reader_is_installed(shell, folder, tmp_path):
    (tmp_path / "stop").mkdir()
    (tmp_path / "stop/pillow_heif.py").write_text("raise ImportError")
    folder({"1.png": photo(1), "2.HEIC": b"\0\0\0\x18ftypheic" + bytes(100)})
    done = shell('PYTHONPATH="$PYTHONPATH:stop" gan-data pics -o x.safetensors')
    assert done.lines == [
        "pics: 2.HEIC: is a HEIC picture; pip install pillow-heif; skipped",
        "1 pictures of 40x30x3, 1 skipped",
    ]


def test_heic_is_read_by_pillow_heif(made, folder):
    heif = pytest.importorskip("pillow_heif", reason="HEIC needs pillow-heif; pip install it to test it")
    heif.register_heif_opener()
    stream = io.BytesIO()
    Image.new("RGB", (64, 48), (200, 30, 30)).save(stream, "HEIF")
    _, tensors, _ = made(folder({"1.heic": stream.getvalue()}))
    assert tensors["images"].shape == (1, 48, 64, 3)
    assert abs(tensors["images"][0, 20, 20].astype(int) - [200, 30, 30]).max() < 8


# ----------------------------------------------------------------------------------- single pictures, local names


def test_pictures_named_one_by_one_are_one_set(made, folder, tmp_path):
    folder({"a/2.png": flat(2), "a/10.png": flat(10), "b/1.png": flat(1), "3.png": flat(3)})
    meta, tensors, _ = made("pics/a/2.png", "pics/a/10.png")
    assert levels(tensors) == [2, 10] and "labels" not in tensors
    meta, tensors, _ = made("pics/a/2.png", "pics/3.png")
    assert levels(tensors) == [2, 3] and "labels" not in tensors
    meta, tensors, _ = made("pics/a/2.png", "pics/a/10.png", tmp_path / "pics/b/1.png")
    assert (meta["classes"], tensors["labels"].tolist()) == (["a", "b"], [0, 0, 1])
    np.save(tmp_path / "x.npy", np.full((2, 8, 8), 5, np.uint8))
    meta, tensors, _ = made("pics/a/2.png", "x.npy", "pics/a/10.png")
    assert levels(tensors) == [2, 10, 5, 5]
    assert (meta["classes"], tensors["labels"].tolist()) == (["pictures", "x"], [0, 0, 1, 1])


def test_a_single_picture_that_is_broken_is_named_once(made, fails, folder):
    folder({"1.png": photo(1), "2.png": photo(2), "3.png": b""})
    names = [f"pics/{n}.png" for n in (1, 2, 3)]
    assert made(*names)[2][0] == "pictures: pics/3.png: is damaged, or not a picture; skipped"
    line = fails("gan-data", "pics/3.png", "--strict", "-o", "x.npy")
    assert line == "gan-data: pics/3.png: is damaged, or not a picture (--strict)"


def test_a_folder_named_like_a_built_in_set_does_not_lose_in_silence(made, tmp_path):
    (tmp_path / "digits").mkdir()
    (tmp_path / "digits/1.png").write_bytes(photo(1))
    assert made("digits")[2] == [
        "digits: is the built-in data set; ./digits names the file or folder here",
        "5,000 pictures of 28x28x1",
    ]
    assert made("./digits")[2] == ["1 pictures of 40x30x3"]
