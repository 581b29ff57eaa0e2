"""gan-info, and the lineage it shows."""

import json

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from ganutils import __version__
from ganutils.files import container, lineage


def test_it_says_what_a_checkpoint_is(ok, checkpoint):
    lines = ok("gan-info", checkpoint).out.decode().splitlines()
    assert lines[:2] == [f"{checkpoint}: checkpoint, format 1", "  step 1: 1 discriminator updates, 0.0 kimg"]
    assert "  ema: 8 tensors, 170 numbers" in lines
    assert f"'ganutils': '{__version__}'" in "\n".join(lines)
    assert lines[-2:] == [
        "    made by hand",
        f"    gan-loop data.safetensors --width 2 --z-dim 4 --batch 4 --steps 1 -o {checkpoint} -q",
    ]


def test_it_says_what_samples_are(ok, pictures):
    assert ok("gan-info", pictures).out.decode().splitlines() == [
        "data.safetensors: samples, format 1",
        "  images: uint8 [12, 8, 8, 1]",
        "  labels: int64 [12]",
        "  made by",
        "    made by hand",
    ]


def test_the_digest_is_of_the_content_not_of_how_it_was_made(ok, pictures, content, tmp_path):
    meta, tensors = content(pictures)
    container.write(
        str(tmp_path / "same"), "samples", tensors, {"lineage": ["another way"], "versions": {"torch": "9"}}
    )
    container.write(str(tmp_path / "meta"), "samples", tensors, {**meta, "classes": ["a", "b", "c"]})
    tensors["images"][3, 0, 0, 0] ^= 1
    container.write(str(tmp_path / "pixel"), "samples", tensors, meta)
    one, same, other, pixel = (ok("gan-info", "--digest", name).out for name in (pictures, "same", "meta", "pixel"))
    assert one == same
    assert len({one, other, pixel}) == 3


def test_a_hostile_lineage_cannot_speak_to_the_terminal(ok, pictures, content, tmp_path):
    _, tensors = content(pictures)
    container.write(str(tmp_path / "x"), "samples", tensors, {"lineage": ["\x1b]0;owned\x07"]})
    assert ok("gan-info", "x").out.endswith(b"    \\x1b]0;owned\\x07\n")


def test_absolute_paths_and_logins_are_left_out():
    line = lineage.command_line(
        ["/opt/bin/gan-data", "/home/me/a b", "-o=/x/y.png", "--root", "~/z/", "http://me:pw@host/q"]
    )
    assert line == "gan-data 'a b' -o=y.png --root z http://host/q"


@given(st.lists(st.lists(st.sampled_from("abcd"))), st.sampled_from("abcd"))
def test_a_lineage_keeps_each_line_once_in_order(lineages, line):
    found = lineage.joined(lineages, line)
    assert len(found) == len(set(found))
    assert set(found) == {line, *(one for lines in lineages for one in lines)}
    assert lineage.joined([found], line) == found


def test_json_says_it_all(ok, checkpoint, pictures):
    found = json.loads(ok("gan-info", checkpoint, "--json").out)
    assert (found["kind"], found["format"], found["step"], found["kimg"]) == ("checkpoint", 1, 1, 0.004)
    assert found["config"]["z_dim"] == 4
    assert found["updates"] == {"D": 1, "G": 1}
    assert found["tensors"]["updates.G"] == {"dtype": "int64", "shape": []}
    assert found["preset"] == "modern"
    assert found["made_by"][-1].startswith("gan-loop data.safetensors --width 2")
    samples = json.loads(ok("gan-info", pictures, "--json").out)
    assert samples["tensors"]["images"] == {"dtype": "uint8", "shape": [12, 8, 8, 1]}
    assert samples["file"] == pictures


def test_what_it_says_makes_the_file_again(shell, ok):
    shell("gan-data toy:ring --limit 40 -q | gan-loop --width 2 --z-dim 2 --batch 4 --steps 2 -q -o a.ckpt")
    lines = json.loads(ok("gan-info", "a.ckpt", "--json").out)["recipe"]
    assert lines[0] == "gan-data toy:ring --limit 40 -q |"
    digest = ok("gan-info", "--digest", "a.ckpt").out
    assert "\n".join(f"    {line}" for line in lines) in ok("gan-info", "a.ckpt").out.decode()
    done = shell("rm a.ckpt\n" + "\n".join(lines))
    assert done.code == 0, done.err
    assert ok("gan-info", "--digest", "a.ckpt").out == digest


def test_a_preview_of_samples_and_of_a_checkpoint(ok, checkpoint, pictures, tmp_path):
    ok("gan-info", pictures, "--preview", "data.png")
    ok("gan-info", checkpoint, "--preview", "fakes.png", "--json")
    with Image.open(tmp_path / "data.png") as data, Image.open(tmp_path / "fakes.png") as fakes:
        assert data.size == (4 * 8 * 4, 3 * 8 * 4)  # 12 pictures of 8x8 as 4x3, four times as large
        cells = np.asarray(data).reshape(3, 32, 4, 32)
        assert [int(cells[i // 4, 0, i % 4, 0]) for i in range(12)] == [20 * i for i in range(12)]
        assert fakes.size == (6 * 8 * 4, 6 * 8 * 4)


def test_a_preview_of_points_and_of_large_pictures(ok, tmp_path):
    ok("gan-data", "toy:ring", "--limit", 500, "-o", "ring.safetensors", "-q")
    ok("gan-info", "ring.safetensors", "--preview", "ring.png")
    container.write(str(tmp_path / "large"), "samples", {"images": np.full((3, 3000, 2000, 3), 7, "u1")}, {})
    ok("gan-info", "large", "--preview", "large.png")
    with Image.open(tmp_path / "ring.png") as ring, Image.open(tmp_path / "large.png") as large:
        assert len(np.unique(np.asarray(ring.convert("L")))) > 5
        assert max(large.size) <= 2000


def test_a_preview_is_a_png_of_something(ok, fails, pictures, tmp_path):
    assert "x.gif: a preview is a picture; give NAME.png" in fails("gan-info", pictures, "--preview", "x.gif")
    container.write(str(tmp_path / "z"), "latents", {"latents": np.zeros((2, 3), "f4")}, {"prior": "normal"})
    assert "z: latents cannot be looked at" in fails("gan-info", "z", "--preview", "z.png")
    container.write(str(tmp_path / "none"), "samples", {"images": np.zeros((0, 8, 8, 1), "u1")}, {})
    assert "none: holds no samples" in fails("gan-info", "none", "--preview", "none.png")
    fails("gan-info", pictures, "--json", "--digest", code=2)
