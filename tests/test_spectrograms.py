"""Spectrograms in gan-data: what they show, how they become sounds again, and what is refused."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from recordings import sine, wav

from ganutils import Error
from ganutils.sounds.spectrogram import Spectrogram

FEW = settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])


def test_a_full_sine_is_white_in_its_bin_and_silence_is_black(made, takes):
    name = takes({"x.wav": wav(sine(1000, level=1, length=4096)), "y.wav": wav(np.zeros(4096))})
    meta, tensors, lines = made(name, "--spectrogram", 64)
    about = {"sample_rate": 8000, "bins": 64, "frames": 64, "hop": 64, "length": 4096, "floor": -80.0, "top": 0.0}
    assert meta["spectrogram"] == about
    assert "sample_rate" not in meta
    assert lines[-1] == "2 pictures of 64x64x1"
    tone = tensors["images"][0, :, 5:-5, 0]
    bin = 1000 // (8000 // 128)
    assert (tone[63 - bin] == 255).all()
    assert (tone.argmax(0) == 63 - bin).all(), "low frequencies are at the bottom"
    assert tone[:40].max() < 30
    assert not tensors["images"][1].any()


def test_a_tenth_is_twenty_decibels(made, takes):
    _, tensors, _ = made(takes({"x.wav": wav(sine(1000, level=0.1, length=4096))}), "--spectrogram", 64)
    assert tensors["images"][0, 63 - 16, 20, 0] == round(255 * 60 / 80)


@pytest.mark.parametrize(("toy", "size"), [("drums", "64"), ("vowels", "64"), ("vowels", "50x90")])
def test_spectrograms_come_back(made, toy, size):
    _, tensors, _ = made(f"toy:{toy}", "--limit", 10)
    meta, pictures, _ = made(f"toy:{toy}", "--limit", 10, "--spectrogram", size)
    shape = pictures["images"].shape[1:]
    spectrogram = Spectrogram.of("x", meta, shape)
    back = spectrogram.signals(pictures["images"])
    assert back.shape == tensors["signals"].shape
    assert np.abs(back).max() <= 1
    wanted, found = (
        spectrogram.magnitudes(one).astype(float) for one in (pictures["images"], spectrogram.pictures(back))
    )
    apart = np.linalg.norm(found - wanted, axis=(1, 2)) / np.linalg.norm(wanted, axis=(1, 2))
    assert apart.mean() <= 0.2
    assert np.array_equal(back[:3], spectrogram.signals(pictures["images"][:3])), "each for itself"


def test_what_is_silent_comes_back_silent():
    spectrogram = Spectrogram.for_sounds("x", 8000, 1000, 16, 64)
    assert not spectrogram.signals(np.zeros((2, 16, 64, 1), "u1")).any()


@FEW
@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 900), st.randoms())
def test_any_size_and_length_comes_back(bins, frames, length, r):
    try:
        spectrogram = Spectrogram.for_sounds("x", 8000, length, bins, frames)
    except Error:
        assert frames > length or -(-length // frames) > bins
        return
    assert Spectrogram.of("x", {"spectrogram": spectrogram.meta}, (bins, frames, 1)) == spectrogram
    sound = np.random.default_rng(r.randrange(1 << 30)).uniform(-1, 1, (2, length, 1)).astype("f4")
    pictures = spectrogram.pictures(sound)
    assert (pictures.shape, pictures.dtype) == ((2, bins, frames, 1), np.uint8)
    assert spectrogram.signals(pictures).shape == sound.shape


def test_metadata_that_do_not_fit_are_damage(fails, save):
    right = Spectrogram.for_sounds("x", 8000, 512, 8, 64).meta
    pictures = np.zeros((2, 8, 64, 1), "u1")
    whole = ["sample_rate", "bins", "frames", "hop", "length"]
    wrong = [
        *({**right, key: value} for key in whole for value in (0, -1, 8.0, 1.5, "8", None, True, 10**30)),
        *({**right, key: value} for key in ("floor", "top") for value in ("8", None, True, 1e300, float("nan"))),
        *({key: value for key, value in right.items() if key != gone} for gone in whole),
        *([], "x", 3, {**right, "more": 1}, {**right, "top": -90.0}, {**right, "length": 400}, {**right, "hop": 7}),
    ]
    for about in wrong:
        with pytest.raises(Error, match="damaged"):
            Spectrogram.of("x", {"spectrogram": about}, (8, 64, 1))
    said = fails("gan-data", save("bad", images=pictures, spectrogram={**right, "hop": 7}), "-o", "x.safetensors")
    assert said.startswith("gan-data: bad.safetensors: damaged: its metadata 'spectrogram' do not fit its pictures")


def test_pictures_stay_spectrograms_until_they_are_changed(made, tmp_path):
    made("toy:vowels", "--limit", 10, "--spectrogram", 64)
    (tmp_path / "made.safetensors").rename(tmp_path / "s.safetensors")
    for words in ("--classes a,i --shuffle --split 0-50% --film", "--size 64", "--derive edges"):
        meta, *_ = made("s.safetensors", *words.split())
        assert ("spectrogram" in meta, meta["toy"]["name"]) == (True, "vowels"), words
    for words in ("--size 64x32", "--crop 32 --size 64", "--invert", "--channels 3"):
        assert "spectrogram" not in made("s.safetensors", *words.split())[0], words
    assert "spectrogram" in made("s.safetensors", "s.safetensors")[0]
    made("toy:vowels", "--limit", 10, "--spectrogram", 64, "--length", 4000)
    (tmp_path / "made.safetensors").rename(tmp_path / "t.safetensors")
    meta, _, lines = made("s.safetensors", "t.safetensors")
    assert "spectrogram" not in meta
    assert lines[0] == "not all pictures are spectrograms of one kind, so they cannot be made sounds again"
