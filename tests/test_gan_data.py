"""gan-data as users run it: folders and archives, choosing, toys, and what is forgiven."""

import gzip
import io
import json
import os
import random
import signal
import stat
import sys
import tarfile
import time
import zipfile

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pictures import flat, idx, levels, photo, png_header, zipped
from PIL import Image

FEW = settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])


# -------------------------------------------------------------------------------- folders and archives


def tarred(path, files):
    with tarfile.open(
        path, "w:" + {"tar": "", "xz": "xz", "bz2": "bz2"}.get(path.name.split(".")[-1], "gz")
    ) as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))


CLASSES = {
    "cat/2.png": flat(2),
    "cat/10.png": flat(10),
    "dog/deep/1.png": flat(21),
    "dog/.hidden.png": b"",
    "x.txt": b"",
}


@pytest.mark.parametrize(
    "name", ["pics", "pics.zip", "pics.tar", "pics.tar.gz", "pics.tgz", "pics.tar.xz", "pics.tar.bz2"]
)
@pytest.mark.parametrize("around", ["", "all/of/them/"])
def test_class_folders_become_labels(made, folder, tmp_path, name, around):
    files = {around + member: data for member, data in CLASSES.items()}
    if name == "pics":
        folder(files)
    else:
        (zipped if name.endswith("zip") else tarred)(tmp_path / name, files)
    meta, tensors, lines = made(name)
    assert levels(tensors) == [2, 10, 21]
    assert tensors["labels"].tolist() == [0, 0, 1]
    assert meta["classes"] == ["cat", "dog"]
    assert lines == [
        f"3 of 3 pictures are a single color; the first is {name}: {around}cat/2.png",
        "3 pictures of 8x8x1",
    ]


def test_pictures_beside_folders_have_no_labels(made, folder):
    meta, tensors, _ = made(folder({"a/1.png": flat(1), "b/2.png": flat(2), "3.png": flat(3)}))
    assert "labels" not in tensors
    assert "classes" not in meta


def test_gray_among_colors_becomes_rgb(made, folder):
    _, tensors, _ = made(folder({"1.png": flat(7), "2.png": photo(0, 8, 8), "3.png": flat(9)}))
    assert tensors["images"].shape == (3, 8, 8, 3)
    assert tensors["images"][[0, 2]].reshape(2, -1).tolist() == [[7] * 192, [9] * 192]


def test_different_sizes_need_a_size(made, folder, fails):
    folder({"1.png": flat(1, 8, 8), "2.png": flat(2, 9, 8)})
    assert "2.png: is 9x8, but the first is 8x8; give all one --size" in fails(
        "gan-data", "pics", "-o", "x.safetensors"
    )
    assert made("pics", "--size", "6x4")[1]["images"].shape == (2, 4, 6, 1)


@FEW
@given(count=st.integers(1, 150), data=st.data())
def test_order_is_kept_however_many_there_are(ok, content, tmp_path, count, data):
    shown = data.draw(st.lists(st.integers(0, 255), min_size=count, max_size=count))
    zipped(tmp_path / "many.zip", {f"{row}.png": flat(level, 2, 2) for row, level in enumerate(shown)})
    ok("gan-data", "many.zip", "-o", "many.safetensors")
    assert levels(content("many.safetensors")[1]) == shown


def test_one_core_or_all_give_the_same_bytes(ok, tmp_path):
    zipped(tmp_path / "many.zip", {f"{row}.jpg": photo(row, 40, 30, "JPEG") for row in range(200)})
    command = ["gan-data", "many.zip", "--size", "16", "--shuffle", "--limit", 150, "--seed", 3]
    by_all = ok(*command).out
    before = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(before)})
        import subprocess

        from conftest import BIN, ROOT

        words = [sys.executable, BIN / "gan-data", *map(str, command[1:])]
        by_one = subprocess.run(words, cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True)
    finally:
        os.sched_setaffinity(0, before)
    assert by_one.stdout == by_all


# ------------------------------------------------------------------------------------------- forgiving


def test_a_broken_picture_is_skipped_named_and_counted(made, folder, fails):
    folder({"1.png": photo(1), "2.png": photo(2)[:40], "3.png": photo(3), "4.png": photo(4)})
    _, tensors, lines = made("pics")
    assert len(tensors["images"]) == 3
    assert lines == ["pics: 2.png: is damaged, or not a picture; skipped", "3 pictures of 40x30x3, 1 skipped"]
    assert "2.png: is damaged" in fails("gan-data", "pics", "--strict", "-o", "strict.safetensors")


def test_labels_and_attributes_of_the_skipped_go_with_them(made, folder, tmp_path):
    folder({"a/1.png": flat(1), "a/2.png": b"", "b/3.png": flat(3), "b/4.png": flat(4)})
    (tmp_path / "t.csv").write_text("name,x\n1.png,0\n2.png,1\n3.png,0.25\n4.png,1\n")
    _, tensors, _ = made("pics", "--attributes", "t.csv", "--shuffle")
    order = np.argsort(levels(tensors))
    assert tensors["labels"][order].tolist() == [0, 1, 1]
    assert tensors["attributes"][order, 0].tolist() == [0, 0.25, 1]


def test_more_than_half_skipped_is_an_error_and_the_old_file_stays(folder, run, tmp_path):
    folder({f"{n}.png": b"junk" for n in range(60)} | {"a.png": flat(1)})
    (tmp_path / "old.safetensors").write_bytes(b"old")
    result = run("gan-data", "pics", "-o", "old.safetensors")
    assert result.code == 1
    assert result.lines[-1] == "gan-data: 60 of 61 pictures cannot be read; check that these are the right files"
    assert result.lines[-2] == "... and 40 more"
    assert (tmp_path / "old.safetensors").read_bytes() == b"old"
    assert sorted(os.listdir(tmp_path)) == sorted(["old.safetensors", "pics", ".0.in", ".0.out", ".0.err"])


def test_bombs_never_reach_the_memory(folder, made, tmp_path):
    folder({"1.png": flat(1), "2.png": flat(2), "3.png": flat(3), "big.png": png_header(60_000, 60_000)})
    assert any("big.png: has" in line for line in made("pics")[2])
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for n in range(3):
            archive.writestr(f"{n}.png", flat(n))
        archive.writestr("bomb.png", bytes(20 << 20))
    assert any("would unpack to 20,971,520 bytes" in line for line in made("bomb.zip")[2])


def test_a_tar_header_that_asks_for_gigabytes_is_refused(fails, tmp_path):
    header = tarfile.TarInfo("x")
    header.type, header.size = tarfile.XHDTYPE, 8 << 30
    (tmp_path / "pax.tar.gz").write_bytes(gzip.compress(header.tobuf(tarfile.GNU_FORMAT) + bytes(1 << 20)))
    assert "pax.tar.gz: damaged" in fails("gan-data", "pax.tar.gz", "-o", "x.safetensors")


def test_members_that_lead_elsewhere_are_left_out_and_nothing_is_unpacked(made, tmp_path):
    (tmp_path / "secret.png").write_bytes(flat(99))
    good = {"a.png": flat(1), "b.png": flat(2)}
    bad = {"../up.png": flat(3), "/root.png": flat(4), "C:/windows.png": flat(5), "x/../../y.png": flat(6)}
    zipped(tmp_path / "evil.zip", good | bad)
    with zipfile.ZipFile(tmp_path / "evil.zip", "a") as archive:
        link = zipfile.ZipInfo("link.png")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "secret.png")
    tarred(tmp_path / "evil.tar", good | bad)
    with tarfile.open(tmp_path / "evil.tar", "a") as archive:
        for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE):
            member = tarfile.TarInfo(f"link{kind.decode()}.png")
            member.type, member.linkname = kind, "secret.png"
            archive.addfile(member)
    for name, links in (("evil.zip", 1), ("evil.tar", 3)):
        _, tensors, lines = made(name)
        assert levels(tensors) == [1, 2]
        assert f"{name}: skipped 4 with names that are absolute or contain .." in lines
        assert f"{name}: skipped {links} that are links or not regular files" in lines
    assert not any((tmp_path / name).exists() for name in ("up.png", "link.png", "y.png", "a.png"))


def mutated(chance, data):
    """`data` with some bytes changed, lost or added."""
    data = bytearray(data)
    at = chance.randrange(min(len(data), chance.choice([64, len(data)])))
    kind = chance.choice(["change", "cut", "add", "fill"])
    if kind == "cut":
        return bytes(data[:at])
    if kind == "add":
        data[at:at] = chance.randbytes(chance.randrange(1, 50))
    elif kind == "fill":
        data[at : at + 50] = b"\xff" * 50
    else:
        for _ in range(chance.choice([1, 3, 30])):
            data[chance.randrange(len(data))] = chance.randrange(256)
    return bytes(data)


def test_a_thousand_mutated_pictures_and_no_traceback(run, tmp_path):
    chance = random.Random(0)
    kinds = {"JPEG": "jpg", "PNG": "png", "GIF": "gif", "BMP": "bmp", "WEBP": "webp", "TIFF": "tif", "PPM": "ppm"}
    whole = {suffix: photo(1, 60, 50, kind) for kind, suffix in kinds.items()}
    files = {f"good/{n}.png": photo(n) for n in range(1000)}  # so that half of all is readable
    for n in range(1000):
        suffix = chance.choice(list(whole))
        files[f"bad/{n}.{suffix}"] = mutated(chance, whole[suffix])
    zipped(tmp_path / "mutated.zip", files)
    result = run("gan-data", "mutated.zip", "--size", "16", "-o", "x.safetensors")
    assert result.code == 0, result.err
    assert "Traceback" not in result.err
    assert all("mutated.zip: bad/" in line or line.startswith("... and ") for line in result.lines[:-1]), result.err
    assert "skipped" in result.lines[-1]


@settings(FEW, max_examples=4)
@given(st.integers(0, 1 << 32))
def test_mutated_archives_and_tables_are_read_or_refused_in_one_line(run, tmp_path, seed):
    chance = random.Random(seed)
    files = {f"{n}.png": flat(n) for n in range(5)}
    zipped(tmp_path / "a.zip", files)
    tarred(tmp_path / "a.tar.gz", files)
    np.save(tmp_path / "a.npy", np.zeros((4, 8, 8), np.uint8))
    (tmp_path / "a-images-idx3-ubyte").write_bytes(idx(np.zeros((4, 8, 8))))
    (tmp_path / "a.csv").write_text("name,x,y\n" + "".join(f"{n}.png,1,0\n" for n in range(5)))
    for name in ("a.zip", "a.tar.gz", "a.npy", "a-images-idx3-ubyte", "a.csv"):
        path = tmp_path / name
        path.write_bytes(mutated(chance, path.read_bytes()))
    zipped(tmp_path / "b.zip", files)
    for words in (["a.zip"], ["a.tar.gz"], ["a.npy"], ["a-images-idx3-ubyte"], ["b.zip", "--attributes", "a.csv"]):
        result = run("gan-data", *words, "--size", "8", "-o", "x.safetensors")
        assert result.code in (0, 1)
        assert "internal error" not in result.err and "Traceback" not in result.err, result.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["mnits"], "did you mean mnist"),
        (["no-such-folder"], "no such file or folder, nor a data set"),
        (["toy:face"], "did you mean toy:faces"),
        (["model.pt"], "pickled code"),
        (["data.npz"], "pickled code"),
        (["notes.doc"], "its suffix does not say what it is; give FOLDER, FILE.zip"),
        (["empty"], "holds no pictures"),
        (["bad.zip"], "bad.zip: damaged, or not a zip file"),
        (["bad.npy"], "bad.npy: damaged, or not a plain NumPy array"),
        (["object.npy"], "object.npy: damaged, or not a plain NumPy array"),
        (["float.npy"], "is float64 of shape (3, 4)"),
        (["bad-images-idx3-ubyte"], "damaged, or not an idx3-ubyte file"),
        (["bad.safetensors"], "empty; its writer failed"),
        (["empty.ndjson"], "empty"),
        (["quickdraw:aple"], "did you mean apple"),
        (["toy:grid", "--modes", "7"], "7 modes are not a square; use 4 or 9"),
        (
            ["toy:ring", "toy:faces", "--limit", "9"],
            "toy:ring holds points, and toy:faces holds pictures; write them to two files",
        ),
        (["one.png", "--split", "test"], "one.png: has no splits of its own; --split 0-90% takes a part"),
        (["one.png", "--classes", "3"], "has no labels"),
        (["one.png", "--where", "Smiling"], "'Smiling' is not known; there are none"),
        (["one.png", "--attributes", "other.csv"], "none of its names (z.png, ...) is in one.png"),
        (["one.png", "--attributes", "notes.txt"], "notes.txt: has no attributes"),
        (["toy:faces", "--where", "smilling"], "did you mean smiling?"),
        (["toy:faces", "--where", "smiling & ~smiling"], "matches none of 10,000 samples"),
        (["lsun:bedroom", "--root", "empty"], "no folder bedroom_train_lmdb"),
    ],
)
def test_bad_input_is_one_line_that_says_what_to_do(fails, tmp_path, words, said):
    for name in (
        "model.pt",
        "data.npz",
        "notes.txt",
        "notes.doc",
        "bad.zip",
        "bad.npy",
        "bad-images-idx3-ubyte",
        "bad.safetensors",
    ):
        (tmp_path / name).write_bytes(b"")
    (tmp_path / "empty.ndjson").write_bytes(b"\n")
    (tmp_path / "empty").mkdir()
    (tmp_path / "one.png").write_bytes(flat(1))
    (tmp_path / "other.csv").write_text("name,x\nz.png,1\n")
    np.save(tmp_path / "float.npy", np.zeros((3, 4)))
    np.save(tmp_path / "object.npy", np.array([{}]), allow_pickle=True)
    assert said in fails("gan-data", *words, "-o", "x.safetensors")


@pytest.mark.parametrize(
    "words",
    [
        ["--size", "0"],
        ["--size", "8x"],
        ["--fit", "shrink"],
        ["--channels", "4"],
        ["--background", "blak"],
        ["--split", "90-10%"],
        ["--classes", "a,,b"],
        ["--limit", "0"],
        ["--std", "-1"],
    ],
)
def test_usage_errors(fails, words):
    assert "--help" in fails("gan-data", "toy:faces", *words, "-o", "x.safetensors", code=2)


def test_interrupted_it_ends_at_once_and_leaves_nothing(start, tmp_path):
    large = photo(0, 300, 300, "JPEG")
    zipped(tmp_path / "many.zip", {f"{n}.jpg": large for n in range(4000)})
    started = start("gan-data", "many.zip", "--size", "64", "-o", "x.safetensors")
    time.sleep(1)
    os.kill(started.process.pid, signal.SIGINT)
    result = started.wait(10)
    assert (result.code, result.lines[-1]) == (130, "gan-data: interrupted")
    assert len(result.lines) <= 2  # click ends the line that ^C stands on
    assert sorted(name for name in os.listdir(tmp_path) if "safetensors" in name) == []


# -------------------------------------------------------------------------------------------- choosing


@pytest.fixture
def numbers(tmp_path):
    """60 pictures of levels 0..59 in numbers.npy; gives the file's name."""
    np.save(tmp_path / "numbers.npy", np.arange(60, dtype=np.uint8)[:, None, None].repeat(4, 1).repeat(4, 2))
    return "numbers.npy"


@FEW
@given(limit=st.integers(1, 70), seed=st.integers(0, 99), shuffle=st.booleans(), size=st.sampled_from([4, 2]))
def test_limit_and_shuffle(ok, content, numbers, limit, seed, shuffle, size):
    words = ["--limit", limit, "--seed", seed, "--size", size] + ["--shuffle"] * shuffle
    ok("gan-data", numbers, *words, "-o", "some.safetensors")
    found = levels(content("some.safetensors")[1])
    assert len(set(found)) == len(found) == min(limit, 60)
    assert shuffle or found == sorted(found)
    if shuffle and limit > 20:
        assert found != sorted(found)


@FEW
@given(cut=st.integers(1, 99), seed=st.integers(0, 9))
def test_parts_that_do_not_overlap_share_nothing_and_make_the_whole(ok, content, numbers, cut, seed):
    ok("gan-data", numbers, "--split", f"0-{cut}%", "--seed", seed, "-o", "a.safetensors")
    ok("gan-data", numbers, "--split", f"{cut}-100%", "--seed", seed, "-o", "b.safetensors")
    first, second = (levels(content(name)[1]) for name in ("a.safetensors", "b.safetensors"))
    assert sorted(first + second) == list(range(60))
    assert abs(len(first) - 60 * cut / 100) <= 0.5


def test_labels_of_several_sources_are_kept_apart_and_same_names_are_one(made, folder, tmp_path, numbers):
    folder({"cat/1.png": flat(1, 4, 4), "dog/2.png": flat(2, 4, 4)})
    zipped(tmp_path / "more.zip", {"dog/3.png": flat(3, 4, 4), "owl/4.png": flat(4, 4, 4)})
    meta, tensors, _ = made("pics", "more.zip", numbers)
    assert meta["classes"] == ["cat", "dog", "owl", "numbers"]
    assert tensors["labels"][:5].tolist() == [0, 1, 1, 2, 3]
    assert levels(tensors)[:5] == [1, 2, 3, 4, 0]
    _, tensors, _ = made("pics", "more.zip", "--where", "dog | owl")
    assert levels(tensors) == [2, 3, 4]
    meta, tensors, _ = made("pics", "more.zip", "--classes", "owl,Dog")
    assert (meta["classes"], tensors["labels"].tolist()) == (["owl", "dog"], [1, 1, 0])


def test_two_folders_of_one_name_are_two_classes(made, tmp_path):
    for parent in ("summer", "winter"):
        (tmp_path / parent / "photos").mkdir(parents=True)
        (tmp_path / parent / "photos/1.png").write_bytes(flat(1))
    assert made("summer/photos", "winter/photos")[0]["classes"] == ["summer/photos", "winter/photos"]


# ------------------------------------------------------------------------------------------------ toys


def test_toy_gaussian(made):
    meta, tensors, lines = made("toy:gaussian", "--mean", "-2", "--std", "0.5", "--limit", 20_000)
    points = tensors["points"]
    assert (points.shape, points.dtype) == ((20_000, 1), np.float32)
    assert abs(points.mean() + 2) < 0.02 and abs(points.std() - 0.5) < 0.02
    assert meta["toy"] == {"name": "gaussian", "centres": [[-2.0]], "std": 0.5}
    assert lines == ["20,000 points in 1-D"]


@pytest.mark.parametrize(("name", "modes", "typed"), [("ring", 8, []), ("grid", 25, []), ("grid", 9, ["--modes", 9])])
def test_toy_mixtures(made, name, modes, typed):
    meta, tensors, _ = made(f"toy:{name}", *typed)
    centers = np.array(meta["toy"]["centres"])
    assert centers.shape == (modes, 2)
    apart = tensors["points"] - centers[tensors["labels"]]
    assert abs(apart.std() / meta["toy"]["std"] - 1) < 0.03
    assert np.bincount(tensors["labels"]).max() - np.bincount(tensors["labels"]).min() <= 1
    nearest = ((tensors["points"][:, None] - centers) ** 2).sum(2).argmin(1)
    assert np.array_equal(nearest, tensors["labels"])


def test_toy_faces_show_their_attributes(made):
    """Each attribute changes the pixels it should, and what is the same face at another size looks the same."""
    meta, tensors, _ = made("toy:faces", "--limit", 2000, "--size", "32")
    assert meta["attributes"] == ["smiling", "glasses", "moustache", "hat", "pose"]
    attributes, images = tensors["attributes"], tensors["images"].astype(float) / 255
    assert set(np.unique(attributes[:, :4])) == {0, 1}
    assert abs(attributes.mean(0) - 0.5).max() < 0.05
    where = {"smiling": slice(20, 26), "glasses": slice(13, 19), "moustache": slice(18, 23), "hat": slice(4, 12)}
    for at, (name, rows) in enumerate(where.items()):
        apart = abs(images[attributes[:, at] == 1].mean(0) - images[attributes[:, at] == 0].mean(0)).mean((1, 2))
        assert apart[rows].max() > 3 * np.delete(apart, range(rows.start - 2, rows.stop + 2)).mean(), name
    large = made("toy:faces", "--limit", 20, "--size", "96")[1]
    assert np.array_equal(large["attributes"], attributes[:20])
    smaller = large["images"].reshape(20, 32, 3, 32, 3, 3).mean((2, 4)) / 255
    assert abs(smaller - images[:20]).mean() < 0.02


def test_toy_faces_that_are_chosen_are_as_many_as_asked(made):
    _, tensors, _ = made(
        "toy:faces", "--where", "smiling & glasses & ~hat", "--limit", 50, "--channels", 1, "--size", 24
    )
    assert tensors["images"].shape == (50, 24, 24, 1)
    assert tensors["attributes"][:, [0, 1, 3]].tolist() == [[1, 1, 0]] * 50


# --------------------------------------------------------------------------------------- other things


def test_what_it_leaves_out_of_the_metadata_and_puts_in(made, folder):
    meta, _, _ = made(folder({"1.png": flat(1)}))
    assert set(meta) == {"format", "kind", "lineage"}
    assert json.dumps(meta["lineage"]) == '["gan-data pics -o made.safetensors"]'


def test_other_forms_and_a_pipe(ok, shell, numbers, tmp_path):
    ok("gan-data", numbers, "-o", "again.npy")
    assert np.array_equal(np.load(tmp_path / "again.npy")[..., 0], np.load(tmp_path / numbers))
    ok("gan-data", numbers, "--limit", 3, "-o", "three/")
    assert len(os.listdir(tmp_path / "three")) == 3
    ok("gan-data", "three", "--size", 16, "-o", "sheet.png")
    assert Image.open(tmp_path / "sheet.png").size == (32, 32)
    done = shell("gan-data numbers.npy --size 8 | gan-data - --limit 5 | gan-info")
    assert "images: uint8 [5, 8, 8, 1]" in done.out.decode(), done.err


def test_sources_from_files_need_no_torch(shell, numbers, folder, tmp_path):
    folder({"1.png": flat(1)})
    (tmp_path / "stop").mkdir()
    for module in ("torch", "torchvision"):
        (tmp_path / "stop" / f"{module}.py").write_text(f"raise SystemExit('{module} was imported')")
    for source in (numbers, "pics", "toy:faces --limit 3", "toy:ring"):
        done = shell(f'PYTHONPATH="$PYTHONPATH:stop" python -P {"$(command -v gan-data)"} {source} -o x.safetensors')
        assert done.code == 0, done.err
