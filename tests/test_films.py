"""The writers of films: timing, frames and palettes, decoded again by Pillow and ffmpeg."""

import io
import re
import subprocess

import imageio_ffmpeg
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from ganutils import Error
from ganutils.files import spool
from ganutils.films import apng, formats, gif, mp4, webp
from ganutils.films import text as text_module
from ganutils.films.formats import Encoding
from ganutils.films.frames import of_tensor
from ganutils.films.layout import Look, Page, grid_of
from ganutils.films.text import Font, fill
from ganutils.films.timing import Timing, film_of


def film_of_frames(frames, **timing):
    frames = np.asarray(frames, np.uint8)
    return film_of(frames.shape[1:], len(frames), iter(frames), Timing(**timing))


def moving(count, h, w, c, seed=0):
    """A film whose frames differ in a part only, as films do, and in which one frame comes twice."""
    draw = np.random.default_rng(seed)
    frames = np.repeat(draw.integers(0, 256, (1, h, w, c), np.uint8), count, 0)
    for t in range(1, count):
        frames[t] = frames[t - 1]
        frames[t, t % h :, : 1 + t % w] = draw.integers(0, 256, frames[t, t % h :, : 1 + t % w].shape)
    frames[count // 2] = frames[count // 2 - 1]
    return frames


def decoded(data):
    """Frames uint8 [T, H, W, 3], how long each is shown in milliseconds, and Pillow's info."""
    with Image.open(io.BytesIO(data)) as image:
        frames, times = [], []
        for number in range(getattr(image, "n_frames", 1)):
            image.seek(number)
            image.load()
            frames.append(np.asarray(image.convert("RGB")))
            times.append(image.info["duration"])
        return np.stack(frames), times, image.info


def written(module, frames, encoding=Encoding(), **timing):  # noqa: B008
    out = io.BytesIO()
    module.write(out, film_of_frames(frames, **timing), encoding)
    return out.getvalue()


def as_gif(frames, colors=256, dither="none", gifsicle=False, **timing):
    return written(gif, frames, Encoding(colors, dither, gifsicle), **timing)


# -------------------------------------------------------------------------------------------- timing


@given(
    count=st.integers(2, 300), fps=st.floats(0.01, 240), hold=st.floats(0, 60), unit=st.sampled_from([10, 100, 1000])
)
def test_the_sum_of_the_delays_is_the_length_of_the_moving(count, fps, hold, unit):
    shown = film_of((1, 1, 1), count, iter(()), Timing(fps, hold))
    delays = shown.delays(unit)
    assert len(delays) == count
    if unit / fps >= 1:
        assert abs(sum(delays) - unit * (count / fps + hold)) <= 0.5 + 1e-6
        assert max(delays[:-1]) - min(delays[:-1]) <= 1


@given(fps=st.floats(0.01, gif.FPS_LIMIT), count=st.integers(2, 300))
def test_no_delay_of_a_gif_is_so_short_that_browsers_slow_it_down(fps, count):
    assert min(film_of((1, 1, 1), count, iter(()), Timing(fps)).delays(100)) >= 2


def test_120_frames_at_30_fps_last_4_seconds():
    frames, times, info = decoded(as_gif(moving(120, 8, 8, 1), fps=30))
    assert len(frames) == 120
    assert sum(times) == 4000
    assert info["loop"] == 0


def test_a_gif_too_fast_for_browsers_is_refused():
    with pytest.raises(Error, match="browsers slow down a GIF above 50"):
        as_gif(moving(3, 4, 4, 1), fps=60)


@given(count=st.integers(2, 9))
def test_a_bounce_comes_back_and_leaves_out_both_ends(count):
    frames = moving(count, 5, 4, 1)
    bounced = film_of_frames(frames, bounce=True, hold=1.0)
    shown = np.stack(list(bounced.frames))
    assert bounced.count == len(shown) == 2 * count - 2
    assert np.array_equal(shown, np.concatenate([frames, frames[-2:0:-1]]))
    assert bounced.delays(100)[count - 1] > 100


def test_frames_that_wait_come_back_from_disk_as_they_were(monkeypatch):
    monkeypatch.setattr(spool, "MEMORY", 100)
    frames = moving(9, 8, 8, 3)
    waiting = spool.Spool()
    for frame in frames:
        waiting.append(frame)
    assert all(np.array_equal(waiting[number], frames[number]) for number in (8, 0, 4))


# ------------------------------------------------------------------------------------------- writers


@given(count=st.integers(2, 8), h=st.integers(1, 20), w=st.integers(1, 20), seed=st.integers(0, 99))
@settings(max_examples=40)
def test_a_gray_gif_is_the_frames_themselves(count, h, w, seed):
    frames = moving(count, h, w, 1, seed)
    shown, times, _ = decoded(as_gif(frames, fps=10, hold=0.5))
    assert np.array_equal(shown, frames.repeat(3, 3))
    assert times == [100] * (count - 1) + [600]


@pytest.mark.parametrize("channels", [1, 3])
def test_an_apng_is_the_frames_themselves(channels):
    frames = moving(12, 9, 14, channels)
    shown, times, info = decoded(written(apng, frames, fps=30, hold=1, loop=3))
    assert np.array_equal(shown, frames.repeat(3 // channels, 3))
    assert round(sum(times)) == 1400
    assert info["loop"] == 3


def test_a_webp_without_loss_is_the_frames_themselves_for_the_right_time():
    frames = moving(12, 20, 16, 3)
    shown, times, info = decoded(written(webp, frames, Encoding(quality=100), fps=30, hold=1, loop=2))
    distinct = [t for t in range(12) if t == 0 or not np.array_equal(frames[t], frames[t - 1])]
    assert np.array_equal(shown, frames[distinct])  # equal neighbors are one frame, shown as long as both
    assert sum(times) == 1400
    assert info["loop"] == 2


def test_few_colors_stay_exact():
    draw = np.random.default_rng(0)
    few = draw.integers(0, 256, (200, 3), np.uint8)
    few[1] = few[0] + [0, 0, 1]  # neighbors: a lookup in steps would take one for the other
    frames = few[draw.integers(0, 200, (6, 16, 16))]
    assert np.array_equal(decoded(as_gif(frames))[0], frames)


def test_many_colors_get_one_good_palette():
    y, x = np.mgrid[:64, :64]
    frames = np.stack([np.stack([x * 4, y * 4, (x + y + 8 * t) % 256], -1) for t in range(16)]).astype(np.uint8)
    data = as_gif(frames)
    shown = decoded(data)[0]
    error = ((shown.astype(float) - frames) ** 2).mean()
    assert 10 * np.log10(255**2 / error) > 28
    still = np.repeat(frames[:1], 6, 0)
    still[:, 40:] = frames[:6, 40:]
    shown = decoded(as_gif(still))[0]
    assert all(np.array_equal(frame[:40], shown[0, :40]) for frame in shown)  # what stands still does not flicker


def test_each_pixel_of_the_palettes_sample_goes_to_the_nearest_center():
    draw = np.random.default_rng(0)
    pixels = draw.integers(0, 256, (1000, 3), np.uint8).astype(np.float32)
    centers = draw.uniform(0, 255, (200, 3)).astype(np.float32)
    distances = np.linalg.norm(pixels[:, None].astype(float) - centers, axis=2)
    near = gif._nearest_centers(np.concatenate([pixels, np.ones((1000, 1), np.float32)], 1), centers)
    assert np.allclose(distances[np.arange(1000), near], distances.min(1), atol=1e-3)


@pytest.mark.parametrize("dither", formats.DITHERS)
@pytest.mark.parametrize("colors", [2, 16, 255])
def test_no_more_colors_than_asked_for(colors, dither):
    for channels in (1, 3):
        frames = moving(4, 32, 32, channels)
        shown = decoded(as_gif(frames, colors, dither))[0]
        assert len(np.unique(shown.reshape(-1, 3), axis=0)) <= colors


def test_ordered_dither_stands_still_and_is_right_on_average():
    ramp = np.linspace(0, 255, 64).astype(np.uint8)[None, :, None].repeat(64, 0).repeat(3, 2)
    noise = np.random.default_rng(0).integers(0, 256, (5, 8, 64, 3), np.uint8)
    frames = np.stack([np.concatenate([ramp, part]) for part in noise])
    plain, mixed = (decoded(as_gif(frames, 8, dither))[0][:, :64].astype(float) for dither in ("none", "ordered"))
    assert all(np.array_equal(frame, mixed[0]) for frame in mixed)

    def blurred_error(shown):
        return np.abs((shown[0] - ramp).reshape(8, 8, 8, 8, 3).mean((1, 3))).mean()

    assert blurred_error(mixed) < blurred_error(plain)


def test_loop_says_how_often_a_film_is_shown():
    frames = moving(3, 4, 4, 1)
    assert b"NETSCAPE2.0" not in as_gif(frames, loop=1)
    assert decoded(as_gif(frames, loop=4))[2]["loop"] == 3  # a GIF counts repeats


def test_gifsicle_changes_the_bytes_and_not_the_film():
    import shutil

    if not shutil.which("gifsicle"):
        pytest.skip("gifsicle is not installed")
    frames = moving(9, 40, 40, 1)
    plain, small = (decoded(as_gif(frames, fps=10, gifsicle=used)) for used in (False, True))
    assert sum(plain[1]) == sum(small[1])
    shown = [frames[np.repeat(np.arange(len(times)), np.array(times) // 10)] for frames, times, _ in (plain, small)]
    assert np.array_equal(*shown)  # at every hundredth of a second; equal frames may have become one


def test_gifsicle_that_is_missing_is_said(monkeypatch):
    monkeypatch.setattr(gif.shutil, "which", lambda name: None)
    with pytest.raises(Error, match="gifsicle is not installed; install it, or leave out --gifsicle"):
        as_gif(moving(3, 4, 4, 1), gifsicle=True)


@pytest.mark.parametrize("channels", [1, 3])
def test_an_mp4_plays_in_a_browser(tmp_path, channels):
    y, x = np.mgrid[:33, :47]
    frames = np.stack([np.stack([2 * x + 3 * y + 4 * t, 255 - 5 * x, 7 * y], -1) for t in range(20)]) % 256
    frames = frames.astype(np.uint8)[..., :channels]
    path = tmp_path / "film.mp4"
    path.write_bytes(written(mp4, frames, Encoding(quality=95), fps=12.5, hold=0.4))
    probed = subprocess.run([imageio_ffmpeg.get_ffmpeg_exe(), "-i", str(path)], capture_output=True).stderr.decode()
    assert re.search(r"Video: h264 .*yuv420p\(tv, bt709, progressive\), 48x34.*12\.50? fps", probed), probed
    assert "Duration: 00:00:02.00" in probed
    data = path.read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")  # the index first: it starts before it has all come
    reader = imageio_ffmpeg.read_frames(str(path))
    next(reader)
    shown = [np.frombuffer(frame, np.uint8).reshape(34, 48, 3) for frame in reader]
    assert len(shown) == 25
    error = ((np.stack(shown)[:20, :33, :47].astype(float) - frames) ** 2).mean()
    assert 10 * np.log10(255**2 / error) > (30 if channels == 1 else 24)
    assert np.abs(shown[20].astype(int) - shown[24]).max() < 20  # held


def test_an_mp4_that_ffmpeg_cannot_make_is_said_in_one_line():
    frames = iter([np.zeros((2, 40_000, 1), np.uint8)] * 2)
    with pytest.raises(Error, match="ffmpeg failed on frames of 40000x2 pixels"):
        mp4.write(io.BytesIO(), film_of((2, 40_000, 1), 2, frames, Timing()), Encoding())


def test_an_mp4_whose_encoder_was_killed_is_no_success(tmp_path, monkeypatch):
    """Its exit is not looked at by the library: the frames are counted. Here its film is cut short, or none at all."""
    import imageio_ffmpeg

    short = tmp_path / "ffmpeg"
    short.write_text(f'#!/bin/sh\nexec "{imageio_ffmpeg.get_ffmpeg_exe()}" -t 0.05 "$@"\n')
    killed = tmp_path / "killed"
    killed.write_text(
        '#!/bin/sh\nfor path; do :; done\n[ "$path" = - ] || echo film >"$path"\ncat >/dev/null\nkill -9 $$\n'
    )
    frames = moving(4, 8, 8, 1)
    for fake in (short, killed):
        fake.chmod(0o755)
        monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", str(fake))
        with pytest.raises(Error, match="ffmpeg failed on frames"):
            written(mp4, frames)


# -------------------------------------------------------------------------------------------- text


def test_a_caption_takes_names_and_nothing_else():
    assert fill("step {step:,} · {kimg:.1f} kimg", {"step": 1200, "kimg": 76.8}) == "step 1,200 · 76.8 kimg"
    assert fill("{{braces}}\n and\x1b[1m", {}) == "{braces} and [1m"
    for template in ("{loss}", "{step.__class__}", "{step[0]}", "{step!r}", "{step:{step}}", "{}", "{0}"):
        with pytest.raises(Error, match=r"there is no field .* use kimg, step"):
            fill(template, {"step": 1, "kimg": 2.0})
    for template in ("{step", "step}", "{step:q}", "{step:999999999999999999999}"):
        with pytest.raises(Error, match="--caption"):
            fill(template, {"step": 1})


@given(st.text(st.characters(codec="latin-1", categories=["L", "N", "P"]), min_size=1, max_size=20))
@settings(max_examples=30)
def test_text_is_as_wide_as_it_says_and_leaves_ink(text):
    try:
        font = Font(14, None, [text])
    except Error as problem:
        assert "--font" in str(problem)
        return
    ink = font.draw(text)
    assert ink.shape[0] == font.line
    assert abs(ink.shape[1] - font.width(text)) <= 3
    assert ink.max() > 100


def test_letters_that_no_font_has_are_said(monkeypatch):
    monkeypatch.setattr(text_module, "dejavu", lambda: None)
    text = "1 \u2212 2 + 3 = \u2026"
    assert Font(12, None, [text]).draw(text).any()
    with pytest.raises(Error, match=r"no '\u4e2d'; give another with --font FILE\.ttf"):
        Font(12, None, ["a\u4e2d"])
    with pytest.raises(Error, match=r"none\.ttf: is not a readable font"):
        Font(12, "none.ttf", [])


def test_lines_are_broken_between_words():
    font = Font(12, None, [])
    lines = font.lines("one two three four five six seven", 80)
    assert len(lines) > 2
    assert " ".join(lines) == "one two three four five six seven"
    assert all(font.width(line) <= 80 for line in lines)


@pytest.mark.parametrize(
    ("count", "grid"),
    {1: (1, 1), 2: (2, 1), 3: (2, 2), 7: (3, 3), 8: (4, 2), 12: (4, 3), 14: (4, 4), 32: (8, 4), 64: (8, 8)}.items(),
)
def test_samples_fill_a_rectangle_where_one_is_not_too_long(count, grid):
    assert grid_of(count) == grid


def test_full_ink_is_white_and_black():
    for background in ((0, 0, 0), (255, 255, 255), (9, 200, 80)):
        look = Look(title="WWW", background=background)
        drawn = Page([of_tensor("x", np.zeros((1, 64, 64, 1), "u1"), {})], look, []).base
        text = drawn[: drawn.shape[0] - 64].reshape(-1, drawn.shape[2]).astype(int)
        ink = 255 if background[0] < 128 and background != (9, 200, 80) else 0
        assert np.abs(text - ink).min(0).max() == 0


def test_labels_never_lie_on_one_another():
    labels = ["wwwwwwww", "one two three", "i", "", "WWWWWWWWWW", "step 12,000"]
    frames = of_tensor("x", np.zeros((12, 4, 4, 1), "u1"), {})
    page = Page([frames], Look(grid=(6, 2), column_labels=labels, row_labels=["g", "h"]), [], [labels])
    (left, top), panel = page.corners[0], page.panels[0]
    starts = [left + sum(panel.slots[:number]) for number in range(1, 6)]
    above, below = page.base[:top, left:, 0], page.base[top + panel.h :, left:, 0]
    for ink in (above, below):
        assert ink.max() == 255
        assert not ink[:, [start - left for start in starts]].any()  # nothing is written between two columns
        assert not ink[:, [0, -1]].any()
    (y0, h), (y1, _) = panel.rows
    assert y1 - y0 >= page.font.line > h


def test_names_of_films_never_lie_on_one_another():
    film = of_tensor("x", np.zeros((1, 4, 4, 1), "u1"), {})
    page = Page([film, film], Look(column_labels=["a long name of it", "Another-One"]), [])
    columns = page.base[..., 0].any(0)
    runs = np.flatnonzero(np.diff(np.r_[0, columns, 0]))
    gaps = runs[2::2] - runs[1:-1:2]
    assert gaps.max() >= 8
