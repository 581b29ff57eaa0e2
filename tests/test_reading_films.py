"""Films and pictures as gan-gif and gan-data read them: GIF, MP4, WebP, APNG, and every picture in one way."""

import subprocess
import sys

import numpy as np
import pytest
from conftest import ROOT
from pictures import png_header
from PIL import Image

from ganutils.files import container

FORMATS = ("gif", "apng", "webp", "mp4")


def noise(*shape, seed=0):
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


def waves(count, h=24, w=30, channels=3):
    """Smooth frames that move, of few colors: every format can hold them, MP4 nearly."""
    t, y, x = np.mgrid[:count, :h, :w]
    levels = ((np.sin(x / 6 + t / 2) + np.cos(y / 5 - t / 3) + 2) * 3).astype(int)  # 0..11
    return np.stack([40 + levels * 15, 220 - levels * 14, 60 + levels * 3], -1).astype(np.uint8)[..., :channels]


@pytest.fixture
def films(ok, tmp_path):
    """Makes film.gif, film.apng, film.webp (lossless) and film.mp4 of frames; gives the frames."""

    def make(frames):
        container.write(str(tmp_path / "film.safetensors"), "samples", {"images": frames[:, None]}, {})
        for suffix in FORMATS:
            quality = ["--quality", 100] if suffix in ("webp", "mp4") else []
            ok("gan-gif", "film.safetensors", *quality, "-o", f"film.{suffix}")
        return frames

    return make


# -------------------------------------------------------------------------------------------- films


@pytest.mark.parametrize("channels", [1, 3])
def test_gan_gif_reads_what_it_wrote_and_gan_data_makes_samples_of_it(ok, films, content, channels):
    frames = films(waves(7, channels=channels))
    for suffix in FORMATS:
        ok("gan-gif", f"film.{suffix}", "-o", f"{suffix}.apng")
        ok("gan-data", f"{suffix}.apng", "-o", "drawn.safetensors")
        ok("gan-data", f"film.{suffix}", "-o", "frames.safetensors")
        drawn, read = (content(name)[1]["images"] for name in ("drawn.safetensors", "frames.safetensors"))
        assert np.array_equal(drawn, read)
        if suffix == "mp4":
            assert read.shape == frames.shape
            assert np.abs(read.astype(int) - frames).mean() < 6
        else:
            assert np.array_equal(read, frames)  # gray stays gray


def test_a_film_becomes_another_a_sheet_and_comes_beside_others(ok, films, tmp_path):
    frames = films(waves(5))
    assert ok("gan-gif", "film.gif", "-o", "film.mp4").err == "5 frames, 0.42 s\n"
    ok("gan-gif", "film.webp", "-o", "sheet.png")
    assert np.array_equal(np.asarray(Image.open(tmp_path / "sheet.png")), np.concatenate(frames, 1))
    for words in (["film.gif", "film.apng"], ["film.[ag]*"]):
        ok("gan-gif", *words, "-o", "both/")
        page = np.asarray(Image.open(tmp_path / "both/000003.png"))
        assert np.array_equal(page[:, :30], frames[3])
        assert np.array_equal(page[:, -30:], frames[3])


def test_frames_of_a_film_are_shaped_and_chosen_as_pictures_are(ok, films, content):
    frames = films(waves(40))
    ok("gan-data", "film.gif", "--size", 8, "--channels", 1, "--limit", 5, "--shuffle", "-o", "five.safetensors")
    assert content("five.safetensors")[1]["images"].shape == (5, 8, 8, 1)
    ok("gan-data", "film.apng", "--limit", 5, "--shuffle", "-o", "some.safetensors")
    some = content("some.safetensors")[1]["images"]
    assert all(any(np.array_equal(one, frame) for frame in frames) for one in some)
    ok("gan-data", "film.mp4", "film.gif", "-o", "two.safetensors")
    assert np.array_equal(content("two.safetensors")[1]["images"][40:], frames)


def test_a_still_gif_is_a_picture_and_so_are_those_of_a_folder(ok, films, content, tmp_path):
    frames = films(waves(3))
    Image.fromarray(frames[1]).save(tmp_path / "still.webp", lossless=True)
    ok("gan-data", "still.webp", "-o", "still.safetensors")
    assert np.array_equal(content("still.safetensors")[1]["images"], frames[1:2])
    (tmp_path / "folder").mkdir()
    for name in ("film.gif", "still.webp"):
        (tmp_path / name).rename(tmp_path / "folder" / name)
    ok("gan-data", "folder", "-o", "folder.safetensors")
    assert np.array_equal(content("folder.safetensors")[1]["images"], frames[:2])
    ok("gan-gif", "folder", "-o", "folder.apng")
    ok("gan-data", "folder.apng", "-o", "again.safetensors")
    assert np.array_equal(content("again.safetensors")[1]["images"], frames[:2])


def test_the_background_shows_through_a_film(ok, content, tmp_path):
    frames = [
        Image.fromarray(np.concatenate([noise(6, 5, 3, seed=seed), np.full((6, 5, 1), 255, "u1")], 2))
        for seed in (0, 1)
    ]
    holes = np.asarray(frames[0]).copy()
    holes[:3] = [200, 0, 0, 0]
    frames[0] = Image.fromarray(holes)
    frames[0].save(tmp_path / "film.webp", save_all=True, append_images=frames[1:], lossless=True, exact=True)
    ok("gan-data", "film.webp", "--background", "#102030", "-o", "film.safetensors")
    ok("gan-gif", "film.webp", "--background", "#102030", "-o", "film/")
    read = content("film.safetensors")[1]["images"]
    assert (read[0, :3] == [16, 32, 48]).all()
    assert np.array_equal(np.asarray(Image.open(tmp_path / "film/000000.png")), read[0])


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_damaged_film_is_an_error_of_one_line(ok, fails, films, tmp_path, suffix):
    films(noise(6, 32, 32, 3))
    path = tmp_path / f"film.{suffix}"
    whole = path.read_bytes()
    (tmp_path / "old.apng").write_bytes(b"old")
    for damaged in (whole[: len(whole) // 2], whole[:-60], whole[:40], b"%!PS not a film", b""):
        path.write_bytes(damaged)
        for words in (["gan-gif", path.name], ["gan-data", path.name, "--strict"]):
            assert f"{path.name}: " in fails(*words, "-o", "old.apng")
    assert (tmp_path / "old.apng").read_bytes() == b"old"


def test_an_mp4_that_lost_bytes_in_its_middle_is_damaged(fails, films, tmp_path):
    films(noise(6, 32, 32, 3))
    data = bytearray((tmp_path / "film.mp4").read_bytes())
    data[len(data) // 2 : len(data) // 2 + 2000] = bytes(2000)
    (tmp_path / "film.mp4").write_bytes(data)
    said = "film.mp4: damaged, or not a film that can be read"
    assert said in fails("gan-gif", "film.mp4", "-o", "x.gif")
    (tmp_path / "film.mp4").write_text("#EXTM3U\n#EXTINF:1,\nother.mp4\n#EXT-X-ENDLIST\n")  # a playlist opens others
    assert said in fails("gan-gif", "film.mp4", "-o", "x.gif")


def test_a_film_of_too_many_pixels_is_refused_before_it_is_decoded(fails, tmp_path):
    (tmp_path / "film.apng").write_bytes(png_header(100_000, 100_000))
    films = {"film.gif": 9000, "large.gif": 60_000}
    for name, side in films.items():
        frames = [Image.fromarray(noise(2, 2, seed=seed)) for seed in (0, 1)]
        frames[0].save(tmp_path / name, save_all=True, append_images=frames[1:])
        data = (tmp_path / name).read_bytes()
        (tmp_path / name).write_bytes(data[:6] + side.to_bytes(2, "little") * 2 + data[10:])
    for name in ("film.apng", *films):
        for words in (["gan-gif", name, "-o", "x.apng"], ["gan-data", name, "--strict", "-o", "x.safetensors"]):
            assert "pixels" in fails(*words)


def test_what_is_missing_or_no_file(fails, tmp_path):
    assert "none.mp4: no such file" in fails("gan-gif", "none.mp4", "-o", "x.gif").lower()
    (tmp_path / "film.mp4").mkdir()
    assert "film.mp4: no pictures found" in fails("gan-gif", "film.mp4", "-o", "x.gif")


def test_reading_a_long_film_takes_no_more_memory_than_a_short_one(ok, shell, tmp_path):
    (tmp_path / "peak.py").write_text(
        "import resource, subprocess, sys\n"
        "subprocess.run(sys.argv[1:], check=True)\n"
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)\n"
    )
    row, peaks = noise(96, 3), {}
    for count in (200, 1500):
        frames = np.zeros((count, 1, 96, 96, 3), np.uint8)
        frames[np.arange(count), 0, np.arange(count) % 96] = row
        container.write(str(tmp_path / "film.safetensors"), "samples", {"images": frames}, {})
        for suffix in ("gif", "mp4"):
            ok("gan-gif", "film.safetensors", "-o", f"film.{suffix}")
            done = shell(f"python peak.py gan-gif -q film.{suffix} -o again.{'apng' if suffix == 'gif' else 'mp4'}")
            assert done.code == 0, done.err
            peaks[suffix, count] = int(done.out) / 1000  # MB
    for suffix in ("gif", "mp4"):
        assert peaks[suffix, 1500] < peaks[suffix, 200] + 20, peaks  # 36 MB of frames more


# ----------------------------------------------------------------------------------------- pictures


def test_gan_gif_reads_pictures_as_gan_data_does(ok, content, tmp_path):
    """16-bit grays are scaled, the background shows through transparency, EXIF's orientation is honored."""
    deep = Image.fromarray(noise(8, 6).astype(np.uint16) * 257)
    deep.save(tmp_path / "1deep.png")
    turned = Image.fromarray(noise(6, 8, 3))
    exif = turned.getexif()
    exif[0x0112] = 6
    turned.save(tmp_path / "2turned.png", exif=exif)
    Image.fromarray(noise(8, 6, 4)).save(tmp_path / "3clear.png")
    Image.fromarray(noise(8, 6)).convert("LA").save(tmp_path / "4gray.png")
    names = ["1deep.png", "2turned.png", "3clear.png", "4gray.png"]
    for background in ("black", "#204060"):
        ok("gan-data", *names, "--background", background, "-o", "read.safetensors")
        ok("gan-gif", *names, "--background", background, "-o", "drawn/")
        read = content("read.safetensors")[1]["images"]
        drawn = [np.asarray(Image.open(tmp_path / f"drawn/{number:06d}.png")) for number in range(4)]
        assert np.array_equal(np.stack(drawn), read)
    ok("gan-gif", "1deep.png", "4gray.png", "--background", "gray", "-o", "gray.apng")
    ok("gan-data", "gray.apng", "-o", "gray.safetensors")
    assert content("gray.safetensors")[1]["images"].shape == (2, 8, 6, 1)


def test_a_picture_that_is_named_twice_is_a_frame_twice(ok, content, tmp_path):
    pictures = noise(2, 8, 8, 1)
    for name, picture in zip("ab", pictures, strict=True):
        Image.fromarray(picture[..., 0]).save(tmp_path / f"{name}.png")
    ok("gan-gif", "a.png", "b.png", "a.png", "-o", "film.apng")
    ok("gan-data", "film.apng", "-o", "film.safetensors")
    assert np.array_equal(content("film.safetensors")[1]["images"], pictures[[0, 0, 1]])  # in natural order


@pytest.mark.parametrize("command", ["gan-gif", "gan-data"])
def test_an_array_that_is_cut_short_or_in_fortran_order(fails, tmp_path, command):
    np.save(tmp_path / "cut.npy", noise(4, 8, 8))
    whole = (tmp_path / "cut.npy").read_bytes()
    (tmp_path / "cut.npy").write_bytes(whole[:-1])
    np.save(tmp_path / "fortran.npy", np.asfortranarray(noise(4, 8, 8)))
    assert "cut.npy: damaged, or not a plain NumPy array" in fails(command, "cut.npy", "-o", "x.png")
    assert "fortran.npy: is in Fortran order; save np.ascontiguousarray" in fails(command, "fortran.npy", "-o", "x.png")


# ---------------------------------------------------------------------------------------- the table


def test_a_format_is_one_module_and_one_row(tmp_path):
    """Written by gan-gif, by its suffix and by --format; its options are known, others are a usage error."""
    (tmp_path / "toy.py").write_text(
        "def write(out, film, encoding):\n"
        "    out.write(b'TOY %d' % encoding.quality + b''.join(frame.tobytes() for frame in film.frames))\n"
    )
    frames = noise(3, 1, 4, 5, 1)
    container.write(str(tmp_path / "film.safetensors"), "samples", {"images": frames}, {})
    code = (
        "import runpy, sys; from ganutils.films.formats import FORMATS, Format;"
        "FORMATS['.toy'] = Format('toy', ('quality',)); sys.argv = sys.argv[1:];"
        "runpy.run_path(sys.argv[0], run_name='__main__')"
    )

    def gan_gif(*words):
        line = [sys.executable, "-c", code, str(ROOT / "bin/gan-gif"), *words]
        return subprocess.run(line, cwd=tmp_path, capture_output=True, text=False)

    done = gan_gif("film.safetensors", "--quality", "7", "-o", "film.toy")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "film.toy").read_bytes() == b"TOY 7" + frames.tobytes()
    assert gan_gif("film.safetensors", "--format", "toy").stdout == b"TOY 80" + frames.tobytes()
    assert b".toy" in gan_gif("--help").stdout
    refused = gan_gif("film.safetensors", "--colors", "8", "-o", "film.toy")
    assert refused.returncode == 2
    assert b"--colors has no effect on .toy" in refused.stderr


@pytest.mark.parametrize(
    ("output", "words"),
    [
        ("x.apng", "--colors 8"),
        ("x.apng", "--quality 50"),
        ("x.webp", "--dither ordered"),
        ("x.mp4", "--gifsicle"),
        ("x.mp4", "--loop 2"),
        ("x.gif", "--quality 50"),
        ("x.png", "--fps 5"),
        ("x.png", "--bounce"),
        ("x/", "--hold 1"),
    ],
)
def test_an_option_that_the_format_ignores_is_a_usage_error(fails, tmp_path, output, words):
    container.write(str(tmp_path / "film.safetensors"), "samples", {"images": noise(3, 1, 4, 5, 1)}, {})
    said = fails("gan-gif", "film.safetensors", *words.split(), "-o", output, code=2)
    assert f"{words.split()[0]} has no effect on " in said


def test_the_table_of_formats_costs_nothing():
    code = "import sys, ganutils.films.formats as f; assert f.FORMATS; print({'numpy', 'PIL'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout == "set()\n"


# --------------------------------------------------------------------------------------------- look


@pytest.mark.parametrize(("background", "is_light"), [("#202060", False), ("#ffe0a0", True), ("#c0c0c0", True)])
def test_text_contrasts_with_any_background(ok, tmp_path, background, is_light):
    container.write(str(tmp_path / "film.safetensors"), "samples", {"images": np.full((1, 40, 40, 1), 9, "u1")}, {})
    ok("gan-gif", "film.safetensors", "--title", "III", "--background", background, "-o", "film.png")
    page = np.asarray(Image.open(tmp_path / "film.png"))
    assert page.ndim == (2 if background == "#c0c0c0" else 3)  # gray stays gray
    title = page[:16].reshape(-1, 1 if page.ndim == 2 else 3).astype(int)
    assert (title[0] == [int(background[i : i + 2], 16) for i in (1, 3, 5)][: title.shape[1]]).all()
    assert (title.max(1).min() < 20) if is_light else (title.min(1).max() > 235)


@pytest.mark.parametrize("name", ["nearest", "box", "bilinear", "hamming", "bicubic", "lanczos"])
def test_filters_are_pillows(ok, tmp_path, name):
    images = noise(1, 10, 12, 3)
    container.write(str(tmp_path / "s.safetensors"), "samples", {"images": images}, {})
    ok("gan-gif", "s.safetensors", "--scale", 2.5, "--filter", name, "-o", "s.png")
    wanted = Image.fromarray(images[0]).resize((30, 25), Image.Resampling[name.upper()])
    assert np.array_equal(np.asarray(Image.open(tmp_path / "s.png")), np.asarray(wanted))
