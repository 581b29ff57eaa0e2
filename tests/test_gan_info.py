"""gan-info, and the lineage it shows."""

from hypothesis import given
from hypothesis import strategies as st

from ganutils import __version__, files, lineage


def test_it_says_what_a_checkpoint_is(ok, checkpoint):
    lines = ok("gan-info", checkpoint).out.decode().splitlines()
    assert lines[:2] == [f"{checkpoint}: checkpoint, format 1", "  step 1: 1 discriminator updates, 0.0 kimg"]
    assert "  ema: 8 tensors, 170 numbers" in lines
    assert f"  versions: {{'ganutils': '{__version__}'" in "\n".join(lines)
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
    files.write(str(tmp_path / "same"), "samples", tensors, {"lineage": ["another way"], "versions": {"torch": "9"}})
    files.write(str(tmp_path / "meta"), "samples", tensors, {**meta, "classes": ["a", "b", "c"]})
    tensors["images"][3, 0, 0, 0] ^= 1
    files.write(str(tmp_path / "pixel"), "samples", tensors, meta)
    one, same, other, pixel = (ok("gan-info", "--digest", name).out for name in (pictures, "same", "meta", "pixel"))
    assert one == same
    assert len({one, other, pixel}) == 3


def test_a_hostile_lineage_cannot_speak_to_the_terminal(ok, pictures, content, tmp_path):
    _, tensors = content(pictures)
    files.write(str(tmp_path / "x"), "samples", tensors, {"lineage": ["\x1b]0;owned\x07"]})
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
