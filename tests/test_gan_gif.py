"""gan-gif as it is typed: films and sheets from anybody's frames, and what it says when they are not right."""

import os
import re

import numpy as np
import pytest
from conftest import REAL
from PIL import Image

from ganutils.files import container


@pytest.fixture
def save(tmp_path):
    """save("film", [T, N, H, W, C], frames=[...]) -> "film.safetensors", in tmp_path."""

    def write(name, images, **meta):
        container.write(str(tmp_path / f"{name}.safetensors"), "samples", {"images": images}, meta)
        return f"{name}.safetensors"

    return write


@pytest.fixture
def decoded(tmp_path):
    """decoded("x.gif") -> frames uint8 [T, H, W, 3], their milliseconds."""

    def read(name):
        frames, times = [], []
        with Image.open(tmp_path / name) as image:
            for number in range(image.n_frames):
                image.seek(number)
                image.load()
                frames.append(np.asarray(image.convert("RGB")))
                times.append(image.info["duration"])
        return np.stack(frames), times

    return read


@pytest.fixture
def png(tmp_path):
    return lambda name: np.asarray(Image.open(tmp_path / name))


def noise(*shape, seed=0):
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


def sheet(frame, columns):
    """[N, H, W, C] -> [rows H, columns W, C], written plainly."""
    rows = [np.concatenate(frame[i : i + columns], 1) for i in range(0, len(frame), columns)]
    return np.concatenate(rows, 0)


# --------------------------------------------------------------------------------------------- films


def test_a_film_is_drawn_frame_by_frame(ok, save, decoded):
    images = noise(7, 4, 6, 5, 1)
    said = ok("gan-gif", save("film", images), "--fps", 10, "--hold", 1.5, "-o", "film.gif").err
    assert said == "7 frames, 2.20 s\n"
    frames, times = decoded("film.gif")
    assert np.array_equal(frames, np.stack([sheet(frame, 2) for frame in images]).repeat(3, 3))
    assert times == [100] * 6 + [1600]


@pytest.mark.parametrize("suffix", ["gif", "webp", "apng", "mp4", "png"])
def test_a_pipe_gets_what_the_file_gets(ok, save, tmp_path, suffix):
    film = save("film", noise(5, 1, 16, 16, 3))
    ok("gan-gif", film, "-o", f"film.{suffix}")
    piped = ok("gan-gif", "--format", suffix, stdin=(tmp_path / film).read_bytes()).out
    (tmp_path / f"piped.{suffix}").write_bytes(piped)
    digests = [ok("gan-info", "--digest", f"{name}.{suffix}").out for name in ("film", "piped")]
    assert digests[0] == digests[1]
    magic = {"gif": b"GIF89a", "webp": b"RIFF", "mp4": b"\0\0\0", "apng": b"\x89PNG", "png": b"\x89PNG"}[suffix]
    assert piped.startswith(magic)
    assert (b"acTL" in piped) == (suffix == "apng")


def test_every_format_comes_from_gan_sample_too(ok, checkpoint, decoded):
    ok("gan-interp", "--seeds", "1-3", "--for", checkpoint, "--frames", 9, "-o", "walk.safetensors")
    for suffix in ("gif", "apng", "webp", "mp4", "safetensors"):
        ok("gan-sample", checkpoint, "--latents", "walk.safetensors", "-o", f"walk.{suffix}")
    assert np.array_equal(decoded("walk.gif")[0], decoded("walk.apng")[0])
    ok("gan-gif", "walk.safetensors", "-o", "again.gif")
    assert np.array_equal(decoded("again.gif")[0], decoded("walk.gif")[0])


def test_bounce(ok, save, decoded):
    images = noise(4, 1, 8, 8, 1)
    ok("gan-gif", save("film", images), "--bounce", "-o", "film.gif")
    assert np.array_equal(decoded("film.gif")[0][..., :1], images[[0, 1, 2, 3, 2, 1], 0])


def test_side_by_side_and_one_after_another(ok, save, decoded, fails):
    long, short = noise(5, 1, 8, 8, 1), noise(3, 1, 8, 8, 1, seed=1)
    names = save("long", long), save("short", short)
    ok("gan-gif", *names, "-o", "beside.gif")
    frames = decoded("beside.gif")[0][..., :1]
    assert frames.shape[2] > 16  # with some background between
    assert np.array_equal(frames[:, :, :8], long[:, 0])
    assert np.array_equal(frames[:, :, -8:], short[[0, 1, 2, 2, 2], 0])  # the shorter stays on its last
    ok("gan-gif", *names, "--then", "-o", "then.gif")
    assert np.array_equal(decoded("then.gif")[0][..., :1], np.concatenate([long, short])[:, 0])
    other = save("other", noise(2, 1, 9, 8, 1))
    assert fails("gan-gif", names[0], other, "--then") == (
        "gan-gif: other.safetensors: its frames are 1 of 8x9x1, but those of long.safetensors are 1 of 8x8x1; "
        "bring them to one size"
    )


def test_gray_beside_color_stays_gray(ok, save, decoded):
    gray, color = noise(2, 1, 8, 8, 1), np.full((2, 1, 8, 8, 3), [9, 99, 199], np.uint8)
    ok("gan-gif", save("a", gray), save("b", color), "-o", "c.apng")
    frames = decoded("c.apng")[0]
    assert np.array_equal(frames[:, :, :8], gray[:, 0].repeat(3, 3))
    assert np.array_equal(frames[:, :, -8:], color[:, 0])


# ----------------------------------------------------------------------------------- anybody's frames


def test_a_folder_and_a_glob_in_natural_order(ok, tmp_path, decoded):
    images = noise(12, 9, 7, 1)
    (tmp_path / "frames").mkdir()
    for number, image in enumerate(images):
        Image.fromarray(image[:, :, 0]).save(tmp_path / f"frames/step{number}.png")
    (tmp_path / "frames/notes.txt").write_text("not a picture")
    for words in (
        ["frames"],
        ["frames/*.png"],
        [f"frames/step{n}.png" for n in (10, 2, 0, 1, 3, 4, 5, 6, 7, 8, 9, 11)],
    ):
        ok("gan-gif", *words, "-o", "film.gif")
        assert np.array_equal(decoded("film.gif")[0][..., :1], images)
    ok("gan-gif", "frames", "-o", "sheet.png")
    assert np.asarray(Image.open(tmp_path / "sheet.png")).shape == (27, 28)  # as a sheet it is square


@pytest.mark.parametrize("kind", [np.uint8, np.float32, np.float64])
def test_arrays(ok, tmp_path, decoded, kind):
    images = noise(4, 6, 5, 3)
    np.save(tmp_path / "a.npy", images if kind is np.uint8 else (images / 255).astype(kind))
    ok("gan-gif", "a.npy", "-o", "a.apng")
    assert np.array_equal(decoded("a.apng")[0], images)
    np.save(tmp_path / "gray.npy", images[..., 0])
    ok("gan-gif", "gray.npy", "-o", "gray.gif")
    assert np.array_equal(decoded("gray.gif")[0], images[..., :1].repeat(3, 3))


def test_real_photos(ok, tmp_path, decoded):
    if not REAL.exists():
        pytest.skip("the real pictures are not here")
    found = sorted((REAL / "pairs/facades/val").glob("*.jpg"))[:6]
    ok("gan-gif", *found, "--scale", 0.5, "-o", "facades.gif")
    frames, _ = decoded("facades.gif")
    assert frames.shape == (6, 128, 256, 3)
    wanted = np.asarray(Image.open(found[0]).convert("RGB").resize((256, 128), Image.Resampling.LANCZOS))
    assert 10 * np.log10(255**2 / ((frames[0].astype(float) - wanted) ** 2).mean()) > 24


# -------------------------------------------------------------------------------------------- layout


def test_grid_gap_and_scale(ok, save, png):
    images = noise(6, 4, 4, 1)
    ok("gan-gif", save("s", images), "--grid", "2x2", "--gap", 3, "--scale", 2, "--background", "white", "-o", "s.png")
    drawn = png("s.png")
    assert drawn.shape == (19, 19)
    big = images.repeat(2, 1).repeat(2, 2)[..., 0]
    for number, (y, x) in enumerate([(0, 0), (0, 11), (11, 0), (11, 11)]):
        assert np.array_equal(drawn[y : y + 8, x : x + 8], big[number])
    assert (drawn[8:11] == 255).all()
    assert (drawn[:, 8:11] == 255).all()


def test_pixel_art_is_enlarged_as_squares_and_photos_smoothly(ok, save, png):
    small, large = noise(1, 8, 8, 1), noise(1, 80, 80, 1)
    ok("gan-gif", save("small", small), "--scale", 3, "-o", "small.png")
    ok("gan-gif", save("large", large), "--scale", 2, "-o", "large.png")
    ok("gan-gif", "small.safetensors", "--scale", 3, "--filter", "lanczos", "-o", "smooth.png")
    ok("gan-gif", "large.safetensors", "--scale", 2, "--filter", "nearest", "-o", "nearest.png")
    ok("gan-gif", "large.safetensors", "--scale", 0.5, "-o", "half.png")
    assert np.array_equal(png("small.png"), small[0, :, :, 0].repeat(3, 0).repeat(3, 1))
    assert np.array_equal(png("nearest.png"), large[0, :, :, 0].repeat(2, 0).repeat(2, 1))
    assert png("large.png").shape == (160, 160)
    assert not np.array_equal(png("large.png"), png("nearest.png"))
    assert not np.array_equal(png("smooth.png"), png("small.png"))
    assert png("half.png").std() < 0.7 * large.std()  # an average, not every other pixel


def test_a_film_as_a_sheet_runs_from_left_to_right(ok, save, png):
    images = noise(5, 2, 4, 4, 1)
    ok("gan-gif", save("film", images), "-o", "film.png")
    assert np.array_equal(png("film.png"), np.concatenate([np.concatenate(images[:, n], 1) for n in (0, 1)])[..., 0])
    ok("gan-gif", "film.safetensors", "--grid", "3x4", "-o", "grid.png")
    drawn = png("grid.png")
    assert np.array_equal(drawn[:4], np.concatenate(images[:3, 0], 1)[..., 0])
    assert np.array_equal(drawn[12:, :4], images[4, 1, :, :, 0])


def test_each_column_of_a_sheet_has_the_caption_of_its_own_frame(ok, save, png):
    def letters(rows):
        lines = np.flatnonzero(rows.any(1))
        return rows[lines[0] : lines[-1] + 1]

    film = save("film", noise(3, 2, 16, 16, 1), frames=[{"step": step} for step in (0, 200, 12000)])
    ok("gan-gif", film, "--caption", "step {step}", "-o", "below.png")
    ok("gan-gif", film, "--column-labels", "step 0,step 200,step 12000", "-o", "above.png")
    below, above = png("below.png"), png("above.png")
    assert np.array_equal(letters(below[32:]), letters(above[:-32]))
    plain = save("plain", noise(3, 2, 16, 16, 1))
    ok("gan-gif", film, plain, "--caption", "step {step}", "-o", "two.png")  # the other says nothing of its frames
    assert np.array_equal(letters(png("two.png")[32:, : below.shape[1]]), letters(below[32:]))
    ok("gan-gif", film, "--caption", "Ours", "-o", "ours.png")  # of all frames: once
    assert png("ours.png").shape[0] < below.shape[0]
    ok("gan-gif", film, "--caption", "step {step}", "--grid", "2x3", "-o", "grid.png")
    ok("gan-gif", film, "--caption", "step 0 to step 12000", "--grid", "2x3", "-o", "said.png")
    assert np.array_equal(png("grid.png"), png("said.png"))


def test_text_lies_around_the_pictures_and_never_on_them(ok, save, decoded):
    images = noise(3, 4, 32, 32, 1)
    notes = [{"step": step, "kimg": step * 0.064} for step in (0, 1000, 12000)]
    film = save("film", images, frames=notes)
    words = ["--title", "Ours", "--row-labels", "one,two", "--column-labels", '"a, b",c']
    ok("gan-gif", film, "--caption", "step {step:,} · {kimg:.1f} kimg", *words, "-o", "film.gif")
    frames, _ = decoded("film.gif")
    assert (frames == frames[..., :1]).all()  # gray stays gray
    gray = frames[..., 0]
    plain = np.stack([sheet(frame, 2) for frame in images])[..., 0]
    places = [
        (y, x)
        for y in range(gray.shape[1] - 63)
        for x in range(gray.shape[2] - 63)
        if gray[0, y, x] == plain[0, 0, 0] and np.array_equal(gray[0, y : y + 64, x : x + 64], plain[0])
    ]
    ((y, x),) = places
    assert np.array_equal(gray[:, y : y + 64, x : x + 64], plain)
    above, below, left = gray[:, :y], gray[:, y + 64 :], gray[:, y : y + 64, :x]
    for text in (above, below, left):
        assert text.max() > 200
    assert np.array_equal(above[0], above[2])
    assert not np.array_equal(below[0], below[1])
    for margin in (below[..., 0], below[..., -1], gray[:, 0], gray[:, -1]):
        assert (margin == 0).all()  # nothing is cut off


def test_a_long_caption_is_broken_and_all_frames_keep_one_size(ok, save, decoded):
    notes = [{"what": "short"}, {"what": "a much longer remark than the little picture is wide " * 2}]
    ok("gan-gif", save("film", noise(2, 1, 16, 16, 1), frames=notes), "--caption", "{what}", "-o", "film.gif")
    frames, _ = decoded("film.gif")
    assert frames.shape[2] < 300
    assert frames.shape[1] > 60


def test_the_layout_of_a_file_is_drawn_as_given(ok, save, png):
    images = noise(3, 32, 32, 1)
    ok("gan-gif", save("sum", images, layout=[[0, "\u2212", 2], [None, "+", 1]]), "-o", "sum.png")
    drawn = png("sum.png")
    assert drawn.shape == (64, 80)  # a column of signs is half as wide
    assert np.array_equal(drawn[:32, :32], images[0, :, :, 0])
    assert np.array_equal(drawn[:32, 48:], images[2, :, :, 0])
    assert np.array_equal(drawn[32:, 48:], images[1, :, :, 0])
    assert (drawn[32:, :32] == 0).all()
    minus, plus = drawn[:32, 32:48], drawn[32:, 32:48]
    assert minus.max() > 200
    assert plus.max() > 200
    assert np.ptp(np.nonzero(minus > 100)[0]) < np.ptp(np.nonzero(plus > 100)[0])  # flat, and not flat
    ok("gan-gif", "sum.safetensors", "--grid", "3x1", "-o", "grid.png")
    assert np.array_equal(png("grid.png"), sheet(images, 3)[..., 0])


def test_one_png_a_frame(ok, save, png, tmp_path):
    images = noise(3, 4, 8, 8, 1)
    ok("gan-gif", save("film", images), "--caption", "{frame}/{frames}", "-o", "drawn/")
    assert sorted(os.listdir(tmp_path / "drawn")) == ["000000.png", "000001.png", "000002.png"]
    assert np.array_equal(png("drawn/000001.png")[:16, -16:].shape, (16, 16))
    assert not np.array_equal(png("drawn/000000.png")[16:], png("drawn/000001.png")[16:])


# --------------------------------------------------------------------------------------------- memory


@pytest.mark.parametrize("suffix", ["gif", "apng"])
def test_a_long_film_through_a_pipe_takes_no_more_memory_than_a_short_one(shell, tmp_path, suffix):
    (tmp_path / "feed.py").write_text(
        "import sys, numpy as np\n"
        "from ganutils.files import container\n"
        "frame = np.random.default_rng(0).integers(0, 256, (1, 1, 128, 128, 3), np.uint8)\n"
        "frame[..., 40:, :, :] = 7\n"
        "count = int(sys.argv[1])\n"
        "chunks = (np.roll(frame, t, 3) for t in range(count))\n"
        "images = container.Stream((count, 1, 128, 128, 3), np.dtype('u1'), chunks)\n"
        "container.write('-', 'samples', {'images': images}, {})\n"
    )
    (tmp_path / "peak.py").write_text(
        "import resource, subprocess, sys\n"
        "subprocess.run(sys.argv[1:], check=True)\n"
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)\n"
    )

    def peak(count):
        done = shell(f"python feed.py {count} | python peak.py gan-gif -q --format {suffix} -o film.{suffix}")
        assert done.code == 0, done.err
        return int(done.out) / 1000  # MB

    few, many = peak(400), peak(2000)  # 20 and 98 MB of frames: the first wait in memory, the second on disk
    assert many < 400
    assert many < few + 80
    with Image.open(tmp_path / f"film.{suffix}") as film:
        assert film.n_frames == 2000


# ------------------------------------------------------------------------------------------ bad input


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["sheet.safetensors"], 1, "sheet.safetensors: is a sheet, but a film needs at least two frames"),
        (["film.safetensors", "--fps", 60], 1, "60 frames per second: browsers slow down a GIF above 50"),
        (["film.safetensors", "--caption", "{step}"], 1, "no field {step} here; use frame, frames"),
        (["film.safetensors", "--row-labels", "a,b"], 1, "--row-labels: 2 labels for 1 rows"),
        (["film.safetensors", "film.safetensors", "--column-labels", "a"], 1, "--column-labels: 1 labels for 2 files"),
        (["film.safetensors", "--scale", 64, "--grid", "90x90"], 1, "film.safetensors: frames of 46,080x46,080 pixels"),
        (["mixed"], 1, "mixed/2.png: is 9x8, but mixed/1.png is 8x8; give frames of one size"),
        (["broken"], 1, "broken/2.png: is damaged, or not a picture"),
        (["cut"], 1, "cut/2.png: is damaged, or not a picture"),
        (["empty"], 1, "empty: no pictures found"),
        (["none*.png"], 1, "none*.png: no pictures found"),
        (["none.png"], 1, "none.png: no such file"),
        (
            ["minus.npy"],
            1,
            "minus.npy: frame 1 has values from -1 to 1; floats must be in 0..1; (x + 1) / 2 maps -1..1",
        ),
        (["large.npy"], 1, "large.npy: frame 0 has values from 0 to 255; floats must be in 0..1"),
        (["nan.npy"], 1, "nan.npy: frame 1 has values from nan to nan"),
        (["text.npy"], 1, "text.npy: damaged, or not a plain NumPy array"),
        (["objects.npy"], 1, "objects.npy: damaged, or not a plain NumPy array"),
        (["points.safetensors"], 1, "points.safetensors: points are not pictures"),
        (["notes.safetensors"], 1, "notes.safetensors: damaged: 'frames' in its metadata is not a list of 3 objects"),
        (["lost.safetensors"], 1, "lost.safetensors: damaged: 3 in its layout is not a sample from 0 to 2"),
        (["ragged.safetensors"], 1, "ragged.safetensors: damaged: 'layout' in its metadata is not rows of equal"),
        (["film.safetensors", "--format", "avi"], 2, "'avi' is not one of"),
        (
            ["film.safetensors", "--font", "film.safetensors", "--title", "x"],
            1,
            "film.safetensors: is not a readable font",
        ),
    ],
)
def test_what_cannot_be_drawn_is_said_and_the_old_file_kept(fails, save, tmp_path, words, code, says):
    film = noise(3, 1, 8, 8, 1)
    save("film", film)
    save("sheet", film[:, 0])
    save("notes", film, frames=[{}])
    save("lost", film[:, 0], layout=[[0, 3]])
    save("ragged", film[:, 0], layout=[[0, 1], [2]])
    container.write(str(tmp_path / "points.safetensors"), "samples", {"points": np.zeros((5, 2), "f4")}, {})
    for name, sizes in {"mixed": (8, 9), "broken": (8, 8), "cut": (8, 8), "empty": ()}.items():
        (tmp_path / name).mkdir()
        for number, width in enumerate(sizes, 1):
            Image.fromarray(noise(8, width)).save(tmp_path / name / f"{number}.png")
    (tmp_path / "broken/2.png").write_bytes(b"not a picture")
    whole = (tmp_path / "cut/2.png").read_bytes()
    (tmp_path / "cut/2.png").write_bytes(whole[: len(whole) // 2])
    floats = np.zeros((3, 4, 4), "f4")
    floats[1] = np.linspace(-1, 1, 16).reshape(4, 4)
    np.save(tmp_path / "minus.npy", floats)
    np.save(tmp_path / "large.npy", np.linspace(0, 255, 48).reshape(1, 6, 8).repeat(2, 0))
    np.save(tmp_path / "nan.npy", np.where(floats == floats[1, 0, 0], np.nan, np.zeros(()))[[0, 1, 2]])
    np.save(tmp_path / "objects.npy", np.array([{}]), allow_pickle=True)
    (tmp_path / "text.npy").write_text("not an array")
    (tmp_path / "old.gif").write_bytes(b"old")
    assert says in fails("gan-gif", *words, "-o", "old.gif", code=code)
    assert (tmp_path / "old.gif").read_bytes() == b"old"
    assert not [path for path in tmp_path.iterdir() if path.name.endswith(".tmp")]


@pytest.mark.parametrize("suffix", ["gif", "mp4", "webp", "apng", "png"])
def test_a_pipe_that_breaks_off_makes_no_film(shell, save, tmp_path, suffix):
    film = save("film", noise(30, 1, 16, 16, 3))
    (tmp_path / f"old.{suffix}").write_bytes(b"old")
    done = shell(f"head -c 12000 {film} | gan-gif -o old.{suffix}")
    assert done.code == 1
    assert done.err == "gan-gif: standard input: ended early; what wrote it failed or was stopped\n"
    assert (tmp_path / f"old.{suffix}").read_bytes() == b"old"


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("film.avi", "cannot write this format"),
        ("no/film.gif", "there is no folder no"),
        ("film.npy", "cannot write this format"),
    ],
)
def test_targets_that_cannot_be_written(run, save, name, says):
    result = run("gan-gif", save("film", noise(3, 1, 8, 8, 1)), "-o", name)
    assert result.code in (1, 2)
    assert says in result.err
    assert len(result.lines) == 1


def test_it_imports_no_torch(shell, save):
    film = save("film", noise(3, 1, 8, 8, 3))
    for suffix in ("gif", "mp4", "webp", "apng", "png"):
        done = shell(f"PYTHONPROFILEIMPORTTIME=1 gan-gif {film} --caption '{{frame}}' -o film.{suffix}")
        assert done.code == 0, done.err
        assert "ganutils.films" in done.err
        assert not re.search(r"\| +torch", done.err)
