"""Sounds as results: WAVs, one or a folder, and what gan-info says of them."""

import errno
import json
import os
import random
import wave

import hypothesis
import hypothesis.strategies as st
import numpy as np
import pytest
from conftest import TINY
from hostile import mutated
from hypothesis.extra.numpy import arrays
from sounding import RATE, noise, sixteen

from ganutils import Error, info
from ganutils.files import container, folders, riff
from ganutils.sounds import wav
from ganutils.sounds.spectrogram import Spectrogram


@pytest.fixture
def spectrograms(tmp_path):
    """Eight gray pictures of 8x8 that are spectrograms of 60 numbers each; their file, pictures, and what they are."""
    spectrogram = Spectrogram(RATE, bins=8, frames=8, hop=8, length=60)
    images = spectrogram.pictures(noise(8, 60, 1))
    meta = {"spectrogram": spectrogram.meta}
    container.write(str(tmp_path / "s.safetensors"), "samples", {"images": images}, meta)
    return "s.safetensors", images, spectrogram


# ----------------------------------------------------------------------------------------------- WAVs


@pytest.mark.parametrize("lead", [(3,), (2, 3)])
@pytest.mark.parametrize("channels", [1, 2])
def test_a_wav_has_all_sounds_one_after_another(ok, saved, heard, lead, channels):
    signals = noise(*lead, 500, channels)
    signals[(0,) * len(lead)][:4] = [[1], [-1], [0], [2**-16]]
    film = ["--film"] if len(lead) > 1 else []
    ok("gan-data", saved("s", signals), *film, "-o", "s.wav")
    rate, numbers = heard("s.wav")
    assert rate == RATE
    assert np.array_equal(numbers, sixteen(signals).reshape(-1, channels))


def test_a_folder_has_a_wav_of_each_sound(ok, fails, saved, heard, tmp_path):
    signals = noise(3, 100, 2)
    ok("gan-data", saved("s", signals), "-o", "s/")
    assert sorted(os.listdir(tmp_path / "s")) == ["000000.wav", "000001.wav", "000002.wav"]
    for number in range(3):
        assert np.array_equal(heard(f"s/{number:06d}.wav")[1], sixteen(signals[number]))
    ok("gan-gif", saved("film", noise(2, 1, 100, 1)), "-o", "s/")  # of ours: PNGs in their place
    assert sorted(os.listdir(tmp_path / "s")) == ["000000.png", "000001.png"]
    ok("gan-data", "s.safetensors", "--limit", 1, "-o", "s/")
    assert os.listdir(tmp_path / "s") == ["000000.wav"]
    with wave.open(str(tmp_path / "s/000001.wav"), "wb") as own:
        own.setparams((1, 2, RATE, 0, "NONE", ""))
    assert "s/: holds 000001.wav, which ganutils, or this version of it, did not write" in fails(
        "gan-data", "s.safetensors", "-o", "s/"
    )
    assert sorted(os.listdir(tmp_path / "s")) == ["000000.wav", "000001.wav"]


def test_a_wav_says_how_it_was_made_and_its_digest_does_not_depend_on_it(ok, saved, tmp_path):
    ok("gan-data", saved("s", noise(2, 100, 1)), "-o", "s.wav")
    ok("gan-data", "s.safetensors", "-o", "other name.wav")
    assert ok("gan-info", "s.wav").out.decode().splitlines() == [
        "s.wav: sound, WAV",
        "  sound: 200 numbers at 8,000 Hz, 0.03 s, mono, 16 bits",
        "  made by",
        "    # 'made by hand'",
        "    gan-data s.safetensors -o s.wav",
    ]
    about = json.loads(ok("gan-info", "--json", "s.wav").out)
    assert (about["kind"], about["format"], about["sample_rate"]) == ("sound", "WAV", RATE)
    assert (about["length"], about["channels"], about["bits"]) == (200, 1, 16)
    assert about["made_by"] == ["made by hand", "gan-data s.safetensors -o s.wav"]
    assert (tmp_path / "s.wav").read_bytes() != (tmp_path / "other name.wav").read_bytes()
    digests = ok("gan-info", "--digest", "s.wav", "other name.wav").out.decode().split()
    assert digests[0] == digests[2]
    ok("gan-data", saved("t", noise(2, 100, 1, seed=1)), "-o", "t.wav")
    assert ok("gan-info", "--digest", "t.wav").out.decode().strip() != digests[0]


def test_a_pipe_gets_what_the_file_gets(ok, shell, saved, tmp_path):
    name = saved("s", noise(2, 100, 2))
    ok("gan-data", name, "-q", "-o", "s.wav")
    assert shell(f"mkfifo p.wav; cat p.wav >q.wav & gan-data - -q -o p.wav <{name}; wait").code == 0
    digests = ok("gan-info", "--digest", "s.wav", "q.wav").out.decode().split()
    assert digests[0] == digests[2]


def test_spectrograms_become_sounds(ok, spectrograms, heard, tmp_path):
    name, images, spectrogram = spectrograms
    wanted = sixteen(spectrogram.signals(images)).astype(int)
    ok("gan-data", name, "-o", "s.wav")
    rate, numbers = heard("s.wav")
    assert rate == RATE
    assert np.abs(numbers.reshape(8, 60, 1) - wanted).max() <= 1
    ok("gan-data", name, "-o", "s/")
    assert len(os.listdir(tmp_path / "s")) == 8
    assert np.abs(heard("s/000007.wav")[1] - wanted[7]).max() <= 1


def test_a_generator_of_spectrograms_is_heard(ok, spectrograms, heard, content, tmp_path):
    name, _, spectrogram = spectrograms
    ok("gan-loop", name, *TINY, "--steps", 1, "-o", "s.ckpt", "-q")
    for out in ("x.safetensors", "x.wav", "x/", "x.png"):
        ok("gan-sample", "s.ckpt", "-n", 3, "-o", out)
    meta, tensors = content("x.safetensors")
    assert meta["spectrogram"] == spectrogram.meta
    wanted = sixteen(spectrogram.signals(tensors["images"])).astype(int)
    assert np.abs(heard("x.wav")[1].reshape(3, 60, 1) - wanted).max() <= 1
    assert sorted(os.listdir(tmp_path / "x")) == ["000000.wav", "000001.wav", "000002.wav"]
    ok("gan-interp", "--seeds", "0-1", "--for", "s.ckpt", "--frames", 3, "-o", "z.safetensors")
    ok("gan-sample", "s.ckpt", "--latents", "z.safetensors", "-o", "walk.mp4")
    assert "frames: 3, with sound" in ok("gan-info", "walk.mp4").out.decode()
    said = ok("gan-sample", "s.ckpt", "--latents", "z.safetensors", "-o", "walk.gif").err
    assert said == ".gif has no sound; write .mp4 to hear this film\n"
    assert not ok("gan-sample", "s.ckpt", "--latents", "z.safetensors", "-q", "-o", "walk.gif").err


def test_a_run_goes_on_with_spectrograms_of_its_kind_alone(ok, fails, spectrograms, tmp_path):
    name, images, spectrogram = spectrograms
    ok("gan-loop", name, *TINY, "--steps", 1, "-o", "s.ckpt", "-q")
    meta = {"spectrogram": spectrogram._replace(length=62).meta}
    container.write(str(tmp_path / "longer.safetensors"), "samples", {"images": images}, meta)
    assert fails("gan-train-g", "longer.safetensors", "--from", "s.ckpt", "-o", "t.ckpt") == (
        "gan-train-g: longer.safetensors: its spectrograms are of another kind than those of s.ckpt; make both alike "
        "with gan-data --spectrogram"
    )
    container.write(str(tmp_path / "plain.safetensors"), "samples", {"images": images}, {})
    assert fails("gan-train-g", "plain.safetensors", "--from", "s.ckpt", "-o", "t.ckpt") == (
        "gan-train-g: plain.safetensors: has no spectrograms, which s.ckpt makes; see gan-data --spectrogram"
    )


def test_a_generator_of_sounds_is_heard_and_seen_a_row_for_each_class(ok, saved, heard, content, png):
    name = saved("s", noise(9, 64, 2), {"labels": np.arange(9) % 3})
    ok("gan-loop", name, *TINY, "--conditional", "--steps", 1, "-o", "s.ckpt", "-q")
    for out in ("x.safetensors", "x.wav", "x.png"):
        ok("gan-sample", "s.ckpt", "-n", 12, "-o", out)
    meta, tensors = content("x.safetensors")
    assert meta["sample_rate"] == RATE
    rate, numbers = heard("x.wav")
    assert rate == RATE
    assert np.array_equal(numbers, sixteen(tensors["signals"]).reshape(-1, 2))
    assert png("x.png").shape == (3 * 128, 4 * 128, 3)
    ok("gan-info", "s.ckpt", "--preview", "p.png")


def test_what_is_written_is_what_was_read(ok, saved, tmp_path):
    ok("gan-data", saved("s", noise(3, 100, 2)), "-o", "s/")
    ok("gan-data", "s", "-o", "again/")
    digests = [ok("gan-info", "--digest", f"{folder}/000002.wav").out for folder in ("s", "again")]
    assert digests[0] == digests[1]


@pytest.mark.parametrize(
    ("tensors", "says"),
    [
        (
            {"images": np.zeros((2, 8, 8, 1), "u1")},
            "x.wav: these pictures are no sounds; write .png, or make pictures of sounds with gan-data --spectrogram",
        ),
        ({"points": np.zeros((2, 3), "f4")}, "x.wav: points are not sounds; write them as .safetensors or .npy"),
    ],
)
def test_what_makes_no_sound_is_said_and_the_old_file_kept(fails, tmp_path, tensors, says):
    container.write(str(tmp_path / "x.safetensors"), "samples", tensors, {})
    (tmp_path / "x.wav").write_bytes(b"old")
    assert fails("gan-data", "x.safetensors", "-q", "-o", "x.wav") == f"gan-data: {says}"
    assert (tmp_path / "x.wav").read_bytes() == b"old"


def test_latents_are_no_sounds(fails, checkpoint):
    said = fails("gan-interp", "--seeds", "1-2", "--for", checkpoint, "-q", "-o", "x.wav")
    assert said == "gan-interp: x.wav: latents are not sounds; write them as .safetensors or .npy"


def test_more_than_a_wav_can_hold_is_said_before_any_is_written(tmp_path):
    with pytest.raises(
        Error, match=r"x.wav: 178,957 s of sound are more than the 4 GB of a WAV; write fewer, or a .npy"
    ):
        wav.write(str(tmp_path / "x.wav"), 12000, (1 << 31, 1), iter(()))
    assert not os.listdir(tmp_path)


@hypothesis.given(arrays("f4", (20, 2), elements=st.floats(-3, 3, width=32)))
def test_numbers_beyond_the_limits_are_clipped(numbers):
    assert np.array_equal(np.frombuffer(wav.pcm(numbers), "<i2").reshape(20, 2), sixteen(numbers))


def test_a_full_disk_leaves_the_old_sound(shell, saved, tmp_path):
    name = saved("s", noise(2, 300_000, 1))
    (tmp_path / "s.wav").write_bytes(b"old")
    done = shell(f"ulimit -f 500; trap '' XFSZ; gan-data {name} -q -o s.wav; gan-data {name} -q -o s/")
    assert done.code == 1
    assert done.err.count("\n") == 2
    assert "gan-data: s.wav: file too large" in done.err
    assert (tmp_path / "s.wav").read_bytes() == b"old"
    assert sorted(os.listdir(tmp_path)) == ["s.safetensors", "s.wav"]


# ------------------------------------------------------------------------------------------ WAVs of others


def stranger(rate=44100, channels=2, bits=24, format=1, size=600, claims=None, extra=b""):
    """A WAV of another program: with a longer header, of other numbers, of which it may claim more than there are."""
    form = (
        np.array([0xFFFE, channels], "<u2").tobytes() + np.array([rate, rate * channels * bits // 8], "<u4").tobytes()
    )
    form += np.array([channels * bits // 8, bits, 22, bits], "<u2").tobytes() + bytes(4)
    form += np.array([format], "<u2").tobytes() + bytes(14)
    chunks = b"fmt " + len(form).to_bytes(4, "little") + form + extra
    claimed = (size if claims is None else claims).to_bytes(4, "little")
    return b"RIFF" + b"\xff" * 4 + b"WAVE" + chunks + b"data" + claimed + bytes(size)


def test_gan_info_reads_the_wavs_of_others(ok, tmp_path):
    (tmp_path / "a.wav").write_bytes(stranger())
    assert "sound: 100 numbers at 44,100 Hz, 0.00 s, stereo, 24 bits" in ok("gan-info", "a.wav").out.decode()
    (tmp_path / "b.wav").write_bytes(stranger(claims=(1 << 32) - 1, channels=8, bits=16, extra=b"odd \1\0\0\0x\0"))
    assert "sound: 37 numbers at 44,100 Hz, 0.00 s, 8 channels, 16 bits" in ok("gan-info", "b.wav").out.decode()
    assert len(ok("gan-info", "--digest", "b.wav").out) == 65


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "x.wav: is no WAV file; give a WAV file"),
        (b"RIFF    WAVE", "x.wav: is damaged: it has no sound; give a WAV file"),
        (stranger(rate=0), "x.wav: is damaged: its header says nothing of its sound; give a WAV file"),
        (stranger(bits=0), "x.wav: is damaged: its header says nothing of its sound; give a WAV file"),
    ],
)
def test_what_is_no_wav_is_said(fails, tmp_path, content, says):
    (tmp_path / "x.wav").write_bytes(content)
    assert fails("gan-info", "x.wav") == f"gan-info: {says}"


def test_mutated_wavs_are_read_or_refused(tmp_path):
    originals, r = [stranger(), riff.header(RATE, 1, 8, ["gan-data x"]) + bytes(8)], random.Random(0)
    for number in range(300):
        (tmp_path / "x.wav").write_bytes(mutated(originals[number % 2], r))
        try:
            file = wav.open_wav(str(tmp_path / "x.wav"))
        except Error:
            continue
        assert file.seconds >= 0
        assert len(file.digest()) == 64


# ------------------------------------------------------------------------------------------ words, and bad input


def test_gan_info_says_what_sounds_are(ok, saved, spectrograms):
    lines = ok("gan-info", saved("x", noise(3, 4096, 2))).out.decode().splitlines()
    assert lines[1:4] == [
        "  sounds: 4,096 numbers at 8,000 Hz, 0.51 s, stereo",
        "  sample_rate: 8,000 Hz",
        "  signals: float32 [3, 4096, 2]",
    ]
    assert ok("gan-info", spectrograms[0]).out.decode().splitlines()[1] == (
        "  spectrogram: 8 moments of 8 frequencies, of sounds of 60 numbers at 8,000 Hz, 0.01 s, mono; "
        "black -80 dB, white 0 dB"
    )


@pytest.mark.parametrize("rate", [None, "8000"])
def test_a_rate_that_is_none_is_said(ok, fails, saved, rate):
    name = saved("x", noise(3, 1, 50, 1), sample_rate=rate)
    says = "x.safetensors: damaged: sounds whose metadata have no 'sample_rate' in Hz, 1 to 1,048,576"
    for out in ("x.mp4", "x.png"):
        assert fails("gan-gif", name, "-o", out) == f"gan-gif: {says}"
    ok("gan-info", name)
    ok("gan-info", name, "--preview", "x.png")


@pytest.mark.parametrize("change", [{"frames": 9}, {"length": 1 << 60}])
def test_metadata_of_spectrograms_that_lie_are_said(ok, fails, spectrograms, tmp_path, change):
    _, images, spectrogram = spectrograms
    about = {"spectrogram": {**spectrogram.meta, **change}}
    container.write(str(tmp_path / "x.safetensors"), "samples", {"images": images}, about)
    (tmp_path / "old.wav").write_bytes(b"old")
    assert "x.safetensors: damaged" in fails("gan-gif", "x.safetensors", "-o", "x.png")
    fails("gan-data", "x.safetensors", "-q", "-o", "old.wav")
    assert (tmp_path / "old.wav").read_bytes() == b"old"
    ok("gan-info", "x.safetensors")


def test_spectrograms_of_anything_are_described():
    """As strangers may write them."""
    about = Spectrogram(RATE, 8, 8, 8, 60).meta
    for value in (
        {},
        [],
        "x",
        None,
        1,
        {**about, "length": 10**400},
        {**about, "sample_rate": 0},
        {**about, "top": []},
    ):
        assert isinstance(info._of_metadata("spectrogram", value), str)
        assert isinstance(info._of_metadata("sample_rate", value), str)


@pytest.mark.parametrize("bad", [np.nan, -np.inf])
def test_numbers_that_are_none_are_said(fails, saved, tmp_path, bad):
    signals = noise(3, 1, 50, 1)
    signals[1, 0, 7] = bad
    name = saved("x", signals)
    says = "x.safetensors: holds sounds with NaN or infinite numbers, which nobody can hear; make them again"
    (tmp_path / "x.mp4").write_bytes(b"old")
    for words in (["gan-gif", name, "-o", "x.mp4"], ["gan-gif", name, "-o", "x.png"]):
        assert fails(*words) == f"gan-gif: {says}"
    assert fails("gan-info", name, "--preview", "x.png") == f"gan-info: {says}"
    assert (tmp_path / "x.mp4").read_bytes() == b"old"
    assert sorted(name for name in os.listdir(tmp_path) if name[0] != "." or name.endswith(".tmp")) == [
        "x.mp4",
        "x.safetensors",
    ]


def test_no_sounds_are_said(fails, saved):
    for shape in ((0, 50, 1), (3, 0, 50, 1)):
        assert "x.safetensors: holds no sounds; nothing to show" in fails(
            "gan-gif", saved("x", np.zeros(shape, "f4")), "-o", "x.png"
        )


def test_a_pipe_that_breaks_off_makes_no_sound(shell, saved, tmp_path):
    name = saved("x", noise(40, 1, 2048, 1))
    (tmp_path / "x.mp4").write_bytes(b"old")
    done = shell(f"head -c 100000 {name} | gan-gif -q -o x.mp4")
    assert (done.code, done.err.count("\n")) == (1, 1)
    assert "ended early" in done.err
    assert (tmp_path / "x.mp4").read_bytes() == b"old"


def test_a_folder_of_sounds_is_whole_or_not_at_all(tmp_path):
    folders.write(f"{tmp_path}/x/", iter(noise(2, 10, 1)), [], wav.writer(RATE))

    def breaks():
        yield noise(10, 1)
        raise OSError(errno.ENOSPC, "disk")

    with pytest.raises(OSError, match="disk"):
        folders.write(f"{tmp_path}/x/", breaks(), [], wav.writer(RATE))
    assert sorted(os.listdir(tmp_path / "x")) == ["000000.wav", "000001.wav"]
    assert os.listdir(tmp_path) == ["x"]
