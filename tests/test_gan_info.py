"""gan-info, and the lineage it shows."""

import json
import shlex
import tempfile
import time

import numpy as np
import pytest
from conftest import BIN
from hypothesis import given, settings
from hypothesis import strategies as st
from pictures import flat
from PIL import Image, PngImagePlugin

from ganutils import __version__
from ganutils.files import container, lineage, provenance
from ganutils.films import about


def test_it_says_what_a_checkpoint_is(ok, checkpoint):
    lines = ok("gan-info", checkpoint).out.decode().splitlines()
    assert lines[:2] == [f"{checkpoint}: checkpoint, format 1", "  step 1: 1 discriminator updates, 0.0 kimg"]
    assert "  ema: 14 tensors, 229 numbers" in lines
    assert f", ganutils {__version__}, " in "\n".join(lines)
    assert lines[-2:] == [
        "    # 'made by hand'",
        f"    gan-loop data.safetensors --width 2 --z-dim 4 --batch 4 --steps 1 -o {checkpoint} -q",
    ]


def test_it_says_what_samples_are(ok, pictures):
    assert ok("gan-info", pictures).out.decode().splitlines() == [
        "data.safetensors: samples, format 1",
        "  images: uint8 [12, 8, 8, 1]",
        "  labels: int64 [12]",
        "  made by",
        "    # 'made by hand'",
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
    assert ok("gan-info", "x").out.endswith(b"    # '\\x1b]0;owned\\x07'\n")


def test_metadata_is_shown_in_words(ok, tmp_path):
    images = {"images": np.zeros((2, 3, 4, 4, 1), "u1")}
    frames, layout = [{"step": 0, "kimg": 0.5}, {"step": 50, "kimg": 3.25}], [[0, "+", 1], [2, None, 0]]
    meta = {"frames": frames, "layout": layout, "classes": [str(n) for n in range(30)], "made": {"a": [1, None]}}
    container.write(str(tmp_path / "film"), "samples", images, meta)
    ok("gan-data", "toy:grid", "--limit", 9, "-q", "-o", "toy.safetensors")
    assert ok("gan-info", "film").out.decode().splitlines()[1:-1] == [
        "  classes: 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, ... (30)",
        "  frames: 2; kimg 0.5 to 3.25, step 0 to 50",
        "  layout: 2 rows of 3 cells per frame",
        "  made: a 1, none",
    ]
    assert "  toy: grid: 25 Gaussians in 2-D, std 0.05\n" in ok("gan-info", "toy.safetensors").out.decode()


def test_metadata_of_a_stranger_is_shown_too(ok, tmp_path):
    meta = {"frames": [], "layout": 7, "toy": {"centres": []}, "data": [[[[1]]]], "versions": None}
    container.write(str(tmp_path / "odd"), "samples", {"images": np.zeros((1, 4, 4, 1), "u1")}, meta)
    lines = ok("gan-info", "odd").out.decode().splitlines()
    assert lines[1:-1] == ["  data: ...", "  frames: ", "  layout: 7", "  toy: centres ", "  versions: none"]


def test_several_files(ok, fails, checkpoint, pictures):
    names = [pictures, checkpoint]
    digests = [ok("gan-info", "--digest", name).out.decode().strip() for name in names]
    expected = [f"{digest}  {name}" for digest, name in zip(digests, names, strict=True)]
    assert ok("gan-info", "--digest", *names).out.decode().splitlines() == expected
    assert ok("gan-info", *names).out == b"".join(ok("gan-info", name).out for name in names)
    lines = ok("gan-info", "--json", *names).out.splitlines()
    assert [json.loads(line)["file"] for line in lines] == names
    assert "--preview takes one FILE" in fails("gan-info", *names, "--preview", "x.png", code=2)


# ------------------------------------------------------------------------------------------- lineage


def test_absolute_paths_and_logins_are_left_out():
    line = lineage.command_line(
        ["/opt/bin/gan-data", "/home/me/a b", "-o=/x/y.png", "--root", "~/z/", "http://me:p@w@host/q", "/dev/stdin"]
    )
    assert line == "gan-data 'a b' -o=y.png --root z/ http://host/q /dev/stdin"
    line = lineage.command_line(["gan-gif", "-o/home/me/y.png", "-qo/me/z.gif", "--output=/a=b/y/", "-o~/y", "-ofile"])
    assert line == "gan-gif -oy.png -qoz.gif --output=y/ -oy -ofile"


def test_a_path_never_reads_as_a_data_set_or_an_option(ok, content, tmp_path):
    """A folder called celeba is not CelebA."""
    (tmp_path / "celeba").mkdir()
    for name in ("celeba/1.png", "-q.png"):
        (tmp_path / name).write_bytes(flat(1))
    for name in ("celeba", "celeba/1.png", "-q.png"):
        ok("gan-data", tmp_path / name, "-o", "x.safetensors")
        (line,) = content("x.safetensors")[0]["lineage"]
        assert line.split()[1] == {"celeba": "./celeba", "celeba/1.png": "1.png", "-q.png": "./-q.png"}[name]
    ok("gan-data", "./celeba", "-o", "x.safetensors")
    assert content("x.safetensors")[0]["lineage"][0].startswith("gan-data ./celeba ")


SOURCES = ["gan-data a -o a.safetensors", "gan-data 'b c'"]  # the second writes to a pipe
ROUND = ["gan-train-d a.safetensors --from x", "gan-train-g a.safetensors --from - -o x"]


def unrolled(lines):
    """What a shell runs: loops unrolled."""
    done = [[]]
    counts = []
    for line in lines:
        if line.startswith("for "):
            counts.append(int(line.split("seq ")[1].split(")")[0]))
            done.append([])
        elif line == "done":
            body = done.pop()
            done[-1] += body * counts.pop()
        else:
            done[-1].append(line)
    return done[0]


@given(st.lists(st.sampled_from(["gan-data -o x", "gan-loop -o x", "gan-eval", "by hand"]), max_size=40))
def test_no_command_of_a_lineage_is_lost(lines):
    kept = []
    for line in lines:
        kept = lineage.joined([kept], line)
    assert unrolled(kept) == lines


@settings(max_examples=20)
@given(st.lists(st.sampled_from(["gan-data -o x", "gan-loop -o x", "gan-eval", "gan-gif"]), min_size=1, max_size=5))
def test_a_loop_of_commands_does_not_grow_a_lineage(block):
    kept = []
    for number in range(300):
        kept = lineage.joined([kept], block[number % len(block)])
        assert len(kept) <= (12 if block[-1].endswith("x") else 120)
    assert unrolled(kept) == (block * 300)[:300]


def test_rounds_of_both_phases_make_a_loop():
    """Of N rounds, all are in the recipe."""
    found = lineage.joined([SOURCES[:1]], "gan-loop a.safetensors --steps 0 -o x")
    for _ in range(5):
        for line in ROUND:
            found = lineage.joined([SOURCES[:1], found], line)
    assert lineage.recipe(found) == [
        SOURCES[0],
        "gan-loop a.safetensors --steps 0 -o x",
        "for i in $(seq 5); do",
        f"  {ROUND[0]} |",
        f"  {ROUND[1]}",
        "done",
    ]


def test_a_history_that_inputs_share_is_kept_once():
    loop = "gan-loop a.safetensors -o x"
    rounds = lineage.joined([SOURCES[:1]], loop)
    earlier = rounds
    for _ in range(3):
        earlier, rounds = rounds, lineage.joined([rounds], "gan-train-g --from x -o x")
    assert lineage.joined([earlier, rounds], "gan-sample x") == [*rounds, "gan-sample x"]
    assert lineage.joined([rounds, earlier], "gan-sample x") == [*rounds, "gan-sample x"]
    other = lineage.joined([SOURCES[:1]], "gan-loop a.safetensors --seed 1 -o y")
    assert lineage.merged([rounds, other]) == [*rounds, other[-1]]


def test_a_pipe_leads_to_the_command_that_read_it():
    checkpoint = ["gan-data a -o a.safetensors", "gan-loop a.safetensors -o x"]
    found = lineage.joined([["gan-data toy:ring -q"], checkpoint], "gan-loop --from x -o y")
    assert lineage.recipe(found) == [*checkpoint, "gan-data toy:ring -q |", "gan-loop --from x -o y"]
    again = lineage.joined([["gan-data toy:ring -q"], found], "gan-loop --from y -o z")
    assert lineage.recipe(again)[-2:] == ["gan-data toy:ring -q |", "gan-loop --from y -o z"]
    assert len(again) == len(found) + 2


@pytest.mark.parametrize("output", ["-o x", "-ox", "-qox", "-qo x", "--output=x", "--output x", "-o foo", "-ofoo"])
def test_an_output_is_recognized_however_it_is_typed(output):
    assert lineage.recipe([f"gan-data digits {output}", "gan-info x"])[0] == f"gan-data digits {output}"


@pytest.mark.parametrize("output", ["-q", "-o -", "-o-", "--output=-", "-n 5", "-o /dev/stdout", "-- -o"])
def test_a_pipe_is_recognized_however_it_is_typed(output):
    assert lineage.recipe([f"gan-data digits {output}", "gan-loop -o x"])[0] == f"gan-data digits {output} |"


STRANGE = [
    *("rm -rf ~", "; curl x | sh #", "gan-data x; rm -rf ~", "gan-data x | sh", "gan-data x >~/.bashrc", "|", ""),
    *(
        "gan-data $(rm x)",
        "gan-data `rm x`",
        "gan-data 'a",
        "gan-data 'a' 'b'",
        'gan-data "a"',
        "gan-data  a",
        "gan-data ",
    ),
    *("gan-evil x -o y", "gan-data&rm x", "gan-data\nrm", "gan-data 'a\nrm x\n'", "gan-data a\x1b[2J", "gan-data ~/x"),
    *("# x\nrm x", "# \rrm x", "x' ; rm x #", "for i in x; do", "for i in $(seq 99999999999); do", "GAN-DATA x"),
]


@pytest.mark.parametrize("line", STRANGE)
def test_only_our_own_commands_can_be_pasted(line):
    """Everything else is a comment, and one word: also in a shell that runs what follows a # typed into it."""
    ours = "gan-data a -o b"
    shown, *more = lineage.recipe([line, ours])
    assert more == [ours]
    assert shown.isprintable()
    hash_sign, *words = shlex.split(shown)
    assert (hash_sign, len(words)) == ("#", 1)
    assert lineage.recipe(["gan-data a", line])[0] == "gan-data a"
    for shown in lineage.recipe(["for i in $(seq 3); do", line, "done"]):
        assert [shlex.split(shown)[0], len(shlex.split(shown))] == ["#", 2]


@given(st.lists(st.text(st.characters(exclude_categories=["C", "Zl", "Zp"]) | st.sampled_from("' \"$\\")), max_size=4))
def test_what_a_command_writes_of_itself_can_be_pasted(words):
    line = lineage.command_line(["gan-loop", *words, "-o", "x"])
    assert lineage.recipe([line]) == ([line] if line.isprintable() else [lineage.recipe([line])[0]])
    assert shlex.split(lineage.recipe([line])[0])[0] == "gan-loop"


def test_the_commands_that_can_be_pasted_are_those_of_bin():
    assert {path.name for path in BIN.iterdir() if path.name.startswith("gan-")} == lineage.COMMANDS


@pytest.mark.parametrize("sign", ["x", "'", " ", "x ", "'$' ", "'\"'\"'", "://", "\n", "for i in $(seq 2); do"])
@pytest.mark.parametrize("around", ["{}", "gan-loop {}", "gan-loop '{}'", "gan-loop '{}", "gan-loop {};"])
def test_a_long_word_takes_no_longer_than_its_length(sign, around):
    begun = time.process_time()
    line = around.format(sign * (1_000_000 // len(sign)))
    lineage.recipe(lineage.joined([[line, line[:-1]]], "gan-loop -o x"))
    provenance.to_json([line] * 2)
    provenance.to_json([line[:99]] * 100_000)
    lineage.without_logins(line)
    assert time.process_time() - begun < 10


@pytest.mark.parametrize("lines", [["done"], ["for i in $(seq 3); do"], ["for i in $(seq 3); do"] * 50 + ["done"] * 50])
def test_loops_of_a_stranger(lines):
    found = lineage.joined([lines], "gan-data -o b")
    assert lineage.recipe(found)[-1] == "gan-data -o b"
    assert all(line.startswith("# ") for line in lineage.recipe(found)[:-1])


def test_a_run_that_was_resumed_by_the_same_line_is_one(ok, pictures, content):
    for _ in range(3):
        ok("gan-loop", pictures, "--width", 2, "--z-dim", 2, "--batch", 4, "--steps", 1, "-q", "-o", "a.ckpt")
    line = f"gan-loop {pictures} --width 2 --z-dim 2 --batch 4 --steps 1 -q -o a.ckpt"
    assert content("a.ckpt")[0]["lineage"] == ["made by hand", line]


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


def test_what_it_says_makes_the_file_again(pipeline, ok):
    run = "gan-loop --width 2 --z-dim 2 --batch 4 --steps 0 -q -o a.ckpt"
    rounds = "gan-train-d r.safetensors --from a.ckpt -q | gan-train-g --from - -q -o a.ckpt"
    made = pipeline(f"gan-data toy:ring --limit 40 -q -o r.safetensors; gan-data - <r.safetensors -q | {run}")
    assert made.code == 0, made.err
    for _ in range(3):
        done = pipeline(rounds)
        assert done.code == 0, done.err
    lines = json.loads(ok("gan-info", "a.ckpt", "--json").out)["recipe"]
    assert lines[0] == "gan-data toy:ring --limit 40 -q -o r.safetensors"
    assert "for i in $(seq 3); do" in lines
    digest = ok("gan-info", "--digest", "a.ckpt").out
    assert "\n".join(f"    {line}" for line in lines) in ok("gan-info", "a.ckpt").out.decode()
    done = pipeline("rm a.ckpt\n" + "\n".join(lines).replace("gan-data - -q", "gan-data r.safetensors -q"))
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
    assert "z: latents have no preview" in fails("gan-info", "z", "--preview", "z.png")
    container.write(str(tmp_path / "none"), "samples", {"images": np.zeros((0, 8, 8, 1), "u1")}, {})
    assert "none: holds no samples" in fails("gan-info", "none", "--preview", "none.png")
    fails("gan-info", pictures, "--json", "--digest", code=2)


# --------------------------------------------------------------------------------- pictures and films


@pytest.mark.parametrize("name", ["x.gif", "x.webp", "x.apng", "x.mp4", "x.png", "x/"])
def test_pictures_and_films_say_how_they_were_made(ok, tmp_path, name):
    np.save(tmp_path / "frames.npy", np.random.default_rng(0).integers(0, 256, (4, 18, 16, 3), np.uint8))
    ok("gan-gif", "frames.npy", "--gap", 0, "-q", "-o", name)
    line = f"gan-gif frames.npy --gap 0 -q -o {name}"
    path = f"{name}000002.png" if name == "x/" else name
    kind, format = ("picture", "PNG") if "x." not in name or name == "x.png" else ("film", name[2:].upper())
    lines = ok("gan-info", path).out.decode().splitlines()
    assert lines[0] == f"{path}: {kind}, {format}"
    assert lines[-2:] == ["  made by", f"    {line}"]
    what = json.loads(ok("gan-info", "--json", path).out)
    assert (what["kind"], what["format"], what["made_by"], what["recipe"]) == (kind, format, [line], [line])
    width, height = {"x.png": (32, 36)}.get(name, (16, 18))
    assert (what["width"], what["height"], what["frames"]) == (width, height, 4 if kind == "film" else 1)
    first = (tmp_path / path).read_bytes()
    ok("gan-gif", "frames.npy", "--gap", 0, "-q", "-o", name)
    assert (tmp_path / path).read_bytes() == first


def test_what_is_made_of_pictures_keeps_how_they_were_made(ok, tmp_path):
    ok("gan-data", "digits", "--limit", 3, "-q", "-o", f"{tmp_path}/pics/")
    for source, result in (("pics", "a.gif"), ("a.gif", "b.mp4"), ("b.mp4", "c.webp"), ("c.webp", "d.png")):
        ok("gan-gif", source, "-q", "-o", result)
    steps = ["pics -q -o a.gif", "a.gif -q -o b.mp4", "b.mp4 -q -o c.webp", "c.webp -q -o d.png"]
    expected = ["gan-data digits --limit 3 -q -o pics/", *(f"gan-gif {step}" for step in steps)]
    assert json.loads(ok("gan-info", "--json", "d.png").out)["made_by"] == expected


def test_a_plot_says_what_it_was_made_of(ok, tmp_path):
    ok("gan-data", "toy:ring", "--limit", 50, "-q", "-o", "ring.safetensors")
    for name in ("ring.png", "preview.png"):
        words = ["gan-plot", "ring.safetensors", "-q", "-o"] if name == "ring.png" else ["gan-info", "ring.safetensors"]
        words += [name] if name == "ring.png" else ["--preview", name]
        ok(*words)
        made = json.loads(ok("gan-info", "--json", name).out)["made_by"]
        assert made == ["gan-data toy:ring --limit 50 -q -o ring.safetensors", " ".join(words)]


def test_the_lineage_of_a_strangers_picture_is_text_and_no_more(ok, fails, tmp_path):
    pixels = Image.fromarray(np.zeros((4, 4), "u1"))
    bad = [
        json.dumps(["\x1b]0;owned\x07", "rm -rf ~", "gan-data digits -o x"]),
        "[" * 30_000,
        json.dumps(["gan-data digits -o " + "x" * provenance.LENGTH_LIMIT]),
        json.dumps({"a": 1}),
        json.dumps([1, None]),
    ]
    for number, text in enumerate(bad):
        info = PngImagePlugin.PngInfo()
        info.add_text("ganutils", text)
        pixels.save(tmp_path / f"{number}.png", pnginfo=info)
        pixels.save(tmp_path / f"{number}.gif", comment=f"ganutils {text}".encode())
    for suffix in ("png", "gif"):
        lines = ok("gan-info", f"0.{suffix}").out.decode().splitlines()
        assert lines[-3:] == ["    # '\\x1b]0;owned\\x07'", "    # 'rm -rf ~'", "    gan-data digits -o x"]
        for number in range(1, len(bad)):
            assert "made by" not in ok("gan-info", f"{number}.{suffix}").out.decode()
    (tmp_path / "no.png").write_bytes(b"no picture")
    assert "no.png: is damaged, or not a picture" in fails("gan-info", "no.png")
    assert "0.gif: is a picture already" in fails("gan-info", "0.gif", "--preview", "x.png")


@given(st.lists(st.text(max_size=30)), st.integers(0, 3))
def test_a_lineage_comes_back_from_the_text_of_a_picture(lines, many):
    lines = [line for line in lines if line.isprintable()]
    assert provenance.of_json(provenance.to_json(lines)) == lines
    assert provenance.of_comment(provenance.to_comment(lines).encode()) == lines
    long = [*lines, *["gan-sample " + "x" * 30_000] * many, "gan-gif x"]
    text = provenance.to_json(long)
    assert len(text) <= provenance.LENGTH_LIMIT
    kept = provenance.of_json(text)
    assert kept == long or (kept[0] == provenance.LEFT_OUT and long[-len(kept) + 1 :] == kept[1:])


@given(st.binary(max_size=200), st.integers(0, 400))
def test_a_damaged_mp4_has_no_comment_or_its_own(cut, at):
    def box(name, held):
        return (8 + len(held)).to_bytes(4, "big") + name + held

    inner = box(b"data", bytes(8) + b'ganutils ["gan-sample -o y"]')
    for name, head in ((b"\xa9cmt", b""), (b"ilst", b""), (b"meta", bytes(4)), (b"udta", b""), (b"moov", b"")):
        inner = box(b"free", b"....") + box(name, head + inner) if name != b"meta" else box(name, head + inner)
    with tempfile.NamedTemporaryFile(suffix=".mp4") as film:
        film.write(inner)
        film.flush()
        assert about.lineage_of(film.name) == ["gan-sample -o y"]
        film.seek(min(at, len(inner)))
        film.write(cut)
        film.truncate()
        film.flush()
        assert about.lineage_of(film.name) in ([], ["gan-sample -o y"])
