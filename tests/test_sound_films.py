"""Pictures of sounds, and films that one can hear."""

import hypothesis
import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis.extra.numpy import arrays
from sounding import RATE, noise

from ganutils.files import container
from ganutils.films.sound import BLOCK, Sound, Track
from ganutils.sounds import pictures
from ganutils.sounds.hearing import Hearing

AAC = 1024 / 48000  # seconds of one of its blocks


def test_a_picture_shows_the_wave_above_its_spectrogram():
    t = np.arange(4096) / RATE
    signals = np.stack([np.sin(2 * np.pi * 1000 * t), np.where(t < 0.256, 0.5, 0), 0 * t]).astype("f4")[..., None]
    sine, step, silence = pictures.draw(signals).astype(int)
    assert sine.shape == (128, 128, 3)
    wave_of, rest = pictures.WAVE, slice(pictures.WAVE, pictures.WAVE + pictures.ROWS)
    blue = (np.array([sine, step, silence])[:, : wave_of - 1, :126] == pictures.INK).all(-1)
    assert blue[0].all()  # from -1 to 1
    rows = [np.flatnonzero(blue[1][:, column]) for column in range(126)]
    assert {len(row) for row in rows[:62] + rows[64:]} == {1}
    assert rows[5][0] < rows[100][0] == np.flatnonzero(blue[2][:, 50])[0] == 22  # half way up, and the middle
    bright = sine[rest, :126].sum(2)
    row = bright[:, 60].argmax()
    assert abs((pictures.ROWS - 1 - row) / pictures.ROWS * 4000 - 1000) < 50
    assert bright[row, 60] > 700 > 100 > bright[row - 20, 60]
    assert silence[rest, :126].max() == 0
    assert (silence[:, 126:] == pictures.PAPER).all()


def test_channels_lie_below_each_other():
    signals = np.zeros((1, 1000, 2), "f4")
    signals[:, ::2, 0], signals[:, 1::2, 0] = 1, -1
    picture = pictures.draw(signals)[0, : pictures.WAVE, :126]
    counts = (picture == pictures.INK).all(-1).sum(1)
    assert (counts[:22] == 126).all()  # the left channel, up to the gap
    assert sorted(counts[23:]) == [0] * (len(counts) - 24) + [126]  # silence on the right
    mono, other = pictures.draw(signals[..., :1]), pictures.draw(signals[..., ::-1])
    assert np.array_equal(pictures.draw(np.repeat(signals[..., :1], 2, 2))[0, 46:], mono[0, 46:])
    assert np.array_equal(other[0, 46:], pictures.draw(signals)[0, 46:])


@hypothesis.given(
    st.tuples(st.integers(1, 3), st.integers(1, 700), st.integers(1, 2)).flatmap(
        lambda shape: arrays("f4", shape, elements=st.floats(-1, 1, width=32))
    )
)
@hypothesis.settings(max_examples=50)
def test_sounds_of_any_length_are_drawn(signals):
    drawn = pictures.draw(signals)
    assert drawn.shape == (len(signals), 128, 128, 3)
    assert np.array_equal(drawn[:1], pictures.draw(signals[:1]))


def test_a_click_anywhere_in_a_long_sound_is_seen():
    signals = np.zeros((3, 200_000, 1), "f4")
    for number, place in enumerate((0, 123_457, 199_999)):
        signals[number, place] = 1
    for drawn, place in zip(pictures.draw(signals), (0, 123_457, 199_999), strict=True):
        column = place * 126 // 200_000
        assert (drawn[0, max(column - 1, 0) : column + 1] == pictures.INK).all(-1).any()
        assert drawn[60, max(column - 1, 0) : column + 2].max() > 0
        assert not drawn[60, :126].sum(1).all()


def test_sheets_previews_and_films_show_these_pictures(ok, sounds, png, tmp_path):
    signals = noise(4, 300, 1)
    drawn = pictures.draw(signals)
    sheet = np.concatenate([np.concatenate(drawn[:2], 1), np.concatenate(drawn[2:], 1)])
    name = sounds("s", signals)
    ok("gan-gif", name, "-o", "s.png")
    ok("gan-data", name, "-o", "d.png")
    ok("gan-info", name, "--preview", "p.png")
    assert np.array_equal(png("s.png"), sheet)
    assert np.array_equal(png("d.png"), sheet)
    assert png("p.png").shape == (3 * 256, 3 * 256, 3)  # enlarged
    film = sounds("film", signals[:, None])
    ok("gan-gif", film, "-o", "film.png")
    assert np.array_equal(png("film.png"), np.concatenate(drawn, 1))
    ok("gan-gif", film, "-o", "frames/")
    assert np.array_equal(png("frames/000002.png"), drawn[2])
    piped = ok("gan-gif", "--format", "apng", "--bounce", stdin=(tmp_path / film).read_bytes())
    assert piped.lines[-1] == "6 frames, 0.50 s"  # such short ones at 12 frames per second


# ------------------------------------------------------------------------------------------ films


def clicks(count, length=2048):
    """A film of `count` frames, each a sound that begins with a click."""
    signals = np.zeros((count, 1, length, 1), "f4")
    signals[:, :, :4] = 0.9
    return signals


def onsets(rate, numbers):
    """Seconds at which clicks begin."""
    loud = np.flatnonzero(np.abs(numbers[:, 0].astype(int)) > 6000) / rate
    return loud[np.diff(loud, prepend=-1) > 0.02]


@pytest.mark.parametrize(
    ("options", "starts"),
    [
        ([], [0, 0.256, 0.512, 0.768]),  # at the pace of its sounds
        (["--fps", 10], [0, 0.1, 0.2, 0.3]),  # they overlap
        (["--fps", 1, "--hold", 1], [0, 1, 2, 3]),  # silence between
        (["--fps", 4, "--hold", 0.5, "--bounce"], [0, 0.25, 0.5, 0.75, 1.5, 1.75]),
        (["film.safetensors", "--then"], [n * 0.256 for n in range(8)]),
        (["pictures.safetensors", "--then", "--fps", 5], [0, 0.2, 0.4, 0.6]),
    ],
)
def test_each_sound_begins_with_its_frame(ok, sounds, heard, tmp_path, options, starts):
    film = sounds("film", clicks(4))
    images = {"images": np.zeros((3, 1, 128, 128, 3), "u1")}
    container.write(str(tmp_path / "pictures.safetensors"), "samples", images, {})
    said = ok("gan-gif", film, *options, "-o", "film.mp4").err
    assert said.endswith(" s, with sound\n")
    found = onsets(*heard("film.mp4"))
    assert len(found) == len(starts)
    assert np.abs(found - starts).max() < AAC


def test_a_frame_sounds_as_the_mean_of_what_it_shows(ok, sounds, heard):
    signals = np.zeros((2, 2, 4000, 1), "f4")
    t = np.arange(4000) / RATE
    signals[:, 0, :, 0], signals[:, 1, :, 0] = 0.8 * np.sin(2 * np.pi * 500 * t), 0.8 * np.sin(2 * np.pi * 1500 * t)
    film = sounds("film", signals)

    def levels():
        """Of 500 and 1,500 Hz."""
        rate, numbers = heard("film.mp4")
        part = numbers[4800 : 4800 + 9600, 0] / 32768
        times = np.arange(len(part)) / rate
        return [abs((part * np.exp(-2j * np.pi * hertz * times)).mean()) * 2 for hertz in (500, 1500)]

    ok("gan-gif", film, "-o", "film.mp4")
    assert np.allclose(levels(), 0.4, atol=0.05)
    ok("gan-gif", film, "--grid", "1x1", "-o", "film.mp4")
    assert np.allclose(levels(), [0.8, 0], atol=0.05)


def test_sounds_that_overlap_are_not_clipped(ok, sounds, heard):
    t = np.arange(4000) / RATE
    signals = np.broadcast_to(0.9 * np.sin(2 * np.pi * 400 * t)[:, None].astype("f4"), (10, 1, 4000, 1))
    ok("gan-gif", sounds("film", signals), "--fps", 20, "-o", "film.mp4")  # 400 Hz fits 20 times into a frame
    rate, numbers = heard("film.mp4")
    inner = numbers[rate * 30 // 100 : rate * 45 // 100, 0] / 32768
    spectrum = np.abs(np.fft.rfft(inner * np.hanning(len(inner))))
    assert 0.9 < np.abs(inner).max() <= 1
    assert spectrum[3 * spectrum.argmax()] < 0.01 * spectrum.max()  # no edges
    assert abs(len(numbers) / rate - (9 / 20 + 0.5)) < 2 * AAC  # and the last is heard to its end


def test_stereo_stays_stereo(ok, sounds, heard):
    signals = np.repeat(clicks(3), 2, -1) * np.array([1, 0], "f4")
    ok("gan-gif", sounds("film", signals), "-o", "film.mp4")
    _, numbers = heard("film.mp4")
    assert numbers.shape[1] == 2
    assert np.abs(numbers[:, 0].astype(int)).max() > 20_000 > 500 > np.abs(numbers[:, 1].astype(int)).max()


def test_other_formats_say_that_they_have_no_sound(ok, sounds):
    film = sounds("film", clicks(4))
    for suffix in ("gif", "webp", "apng"):
        said = ok("gan-gif", film, "-o", f"film.{suffix}").lines
        assert said == [f".{suffix} has no sound; write .mp4 to hear this film", "4 frames, 1.02 s"]
        assert not ok("gan-gif", film, "-q", "-o", f"film.{suffix}").err
    for out in ("film.png", "film/"):
        assert len(ok("gan-gif", film, "-o", out).lines) == 1


def test_sounds_of_two_rates_are_not_joined(fails, ok, sounds, tmp_path):
    one, other = sounds("one", clicks(3)), sounds("other", clicks(3), sample_rate=16000)
    assert fails("gan-gif", one, other, "--then", "-q", "-o", "film.mp4") == (
        "gan-gif: other.safetensors: its sounds have another rate or number of channels than those of one.safetensors; "
        "bring them to one with gan-data --rate and --channels"
    )
    assert not (tmp_path / "film.mp4").exists()
    ok("gan-gif", one, other, "--then", "-q", "-o", "film.gif")


def test_pictures_alone_make_a_film_without_sound(ok, tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (3, 1, 16, 16, 1), np.uint8)
    container.write(str(tmp_path / "film.safetensors"), "samples", {"images": images}, {})
    assert ok("gan-gif", "film.safetensors", "-o", "film.mp4").err == "3 frames, 0.25 s\n"
    assert "frames: 3\n" in ok("gan-info", "film.mp4").out.decode()
    assert b"mp4a" not in (tmp_path / "film.mp4").read_bytes()


@hypothesis.given(
    st.lists(st.integers(0, 40), min_size=1, max_size=8),
    st.integers(1, 30),
    st.integers(1, 3),
    st.integers(1, 3),
)
def test_sounds_are_added_where_they_begin(gaps, length, cells, size):
    """Against the plain sum."""
    signals = noise(len(gaps), cells, length, 2, seed=length)
    track = Track("x", Hearing(RATE, lambda some: some, (length, 2)), len(gaps), cells)
    sound, starts = Sound([(len(gaps), track)]), np.cumsum([0, *gaps[1:]])
    sound.listen(2)
    flat = signals.reshape(-1, length, 2)
    passed = [*track.passing(flat[at : at + size] for at in range(0, len(flat), size))]
    assert np.array_equal(np.concatenate(passed), flat)
    wanted = np.zeros((starts[-1] + length, 2))
    for start, sheet in zip(starts, signals[:, :2], strict=True):
        wanted[start : start + length] += sheet.mean(0)
    mixed = np.concatenate(list(sound.mixed(list(enumerate(starts)))))
    assert np.allclose(mixed, wanted, atol=1e-5)


def test_an_hour_of_silence_takes_no_memory():
    track = Track("x", Hearing(RATE, lambda some: some, (10, 1)), 2, 1)
    sound = Sound([(2, track)])
    sound.listen(1)
    list(track.passing([noise(2, 10, 1)]))
    lengths = [len(block) for block in sound.mixed([(0, 0), (1, 3600 * RATE)])]
    assert sum(lengths) == 3600 * RATE + 10
    assert max(lengths) <= BLOCK
