"""Sounds in gan-data, as users run it: files of every kind, rates and lengths, and what is refused."""

import io
import pathlib
import random
import sys
import zipfile

import numpy as np
import pytest
from conftest import BIN  # noqa: F401 - before hostile, which needs its settings
from hostile import Runner, mutated
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pictures import flat
from recordings import floats, header, loudest, sine, wav

from ganutils import Error
from ganutils.files import budget, container
from ganutils.samples import samples, signals
from ganutils.samples.foreign import UnreadableError
from ganutils.samples.signals import Clip, Length
from ganutils.samples.sources import sounds

SOAK = pytest.mark.soak
FEW = settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def alone(monkeypatch):
    """Python's own reader, as where soundfile is not installed."""
    monkeypatch.setitem(sys.modules, "soundfile", None)


def signal_of(tensors, row=0):
    return tensors["signals"][row, :, 0]


# ----------------------------------------------------------------------------------------------- files


def test_a_wav_of_16_bits_comes_as_it_is(made, takes):
    sound = np.rint(sine(440) * 32768) / 32768
    meta, tensors, lines = made(takes({"1.wav": wav(sound), "2.wav": wav(-sound)}))
    assert lines == ["2 sounds of 4000x1"]
    assert tensors["signals"].dtype == np.float32
    assert np.array_equal(tensors["signals"][..., 0], np.array([sound, -sound], "f4"))
    assert (meta["sample_rate"], "labels" in tensors) == (8000, False)


@pytest.mark.parametrize("width", [1, 2, 3, 4])
def test_both_readers_read_the_same(alone, width):
    sound = sine(440)
    plain = sounds.decode(wav(np.stack([sound, 0 * sound], 1), width=width), Clip())
    assert np.abs(plain["signals"][:, 0] - sound).max() <= 2.0 ** (1 - 8 * width) + 1e-7
    assert not plain["signals"][:, 1].any()
    with pytest.MonkeyPatch.context() as patch:
        patch.delitem(sys.modules, "soundfile")
        whole = sounds.decode(wav(np.stack([sound, 0 * sound], 1), width=width), Clip())
    assert np.array_equal(plain["signals"], whole["signals"])


def test_without_soundfile_it_says_what_to_install(alone):
    for data in (floats(sine(440)), header(8, tag=6, bits=8) + bytes(8), b"fLaC" + bytes(99)):
        with pytest.raises(UnreadableError, match=r"pip install 'ganutils\[sounds\]'"):
            sounds.decode(data, Clip())


@pytest.mark.parametrize("suffix", ["flac", "ogg", "mp3", "aiff", "opus"])
def test_other_formats_are_read(made, takes, suffix):
    soundfile = pytest.importorskip("soundfile")
    packed = io.BytesIO()
    how = {"format": "OGG", "subtype": "OPUS"} if suffix == "opus" else {"format": suffix.upper()}
    soundfile.write(packed, sine(440, 16000, 8000), 16000, **how)
    meta, tensors, _ = made(takes({f"x.{suffix}": packed.getvalue()}), "--length", 8000)
    assert (meta["sample_rate"], tensors["signals"].shape) == (16000, (1, 8000, 1))
    assert loudest(signal_of(tensors), 16000) == pytest.approx(440, abs=1)


def test_class_folders_are_labels_in_natural_order_whatever_holds_them(made, takes, tmp_path):
    files = {f"{name}/{number}.wav": wav(sine(440, level=level / 100)) for name, number, level in LEVELS}
    (tmp_path / "list.csv").write_text("file,loud,kind\n" + "".join(f"{name},1,{name[-5]}\n" for name in files))
    with zipfile.ZipFile(tmp_path / "takes.zip", "w") as archive:
        for name, data in files.items():
            archive.writestr(f"pack/{name}", data)
    for source in (takes(files), "takes.zip"):
        meta, tensors, lines = made(source)
        assert (meta["classes"], tensors["labels"].tolist()) == (["kick", "snare"], [0, 0, 0, 1, 1])
        assert np.round(tensors["signals"].max((1, 2)).astype(float), 2).tolist() == [0.1, 0.2, 0.3, 0.4, 0.5]
        assert lines == ["5 sounds of 4000x1"]
    meta, tensors, _ = made("takes", "--attributes", "list.csv", "--labels", "kind", "--where", "loud")
    assert (meta["attributes"], meta["classes"]) == (["loud"], ["0", "1", "2"])
    meta, tensors, _ = made("takes", "--classes", "snare,kick", "--shuffle", "--limit", 4, "--film")
    assert tensors["signals"].shape == (4, 1, 4000, 1)
    assert meta["classes"] == ["snare", "kick"]
    meta, tensors, _ = made("takes/snare/1.wav", "takes/kick/2.wav")
    assert (meta["classes"], tensors["labels"].tolist()) == (["kick", "snare"], [1, 0])


LEVELS = [("snare", 10, 50), ("kick", 10, 30), ("kick", 2, 20), ("kick", 1, 10), ("snare", 1, 40)]


def test_bad_files_are_named_and_skipped(made, fails, takes):
    good = {f"{number}.wav": wav(sine(440)) for number in range(9)}
    bad = {
        "empty.wav": wav([]),
        "none.wav": b"",
        "eight.wav": wav(np.zeros((4000, 8)) + 0.1),
        "nan.wav": floats([*sine(440)[:3999], np.nan]),
        "large.wav": floats(sine(440, level=300)),
        "text.wav": b"no sound",
        "rate.wav": header(8, rate=4_000_000_000) + bytes(8),
    }
    *_, lines = made(takes(good | bad))
    assert lines == [
        "takes: eight.wav: has 8 channels; --channels 1 mixes them; skipped",
        "takes: empty.wav: has no sound in it; skipped",
        "takes: large.wav: goes up to 300; sounds are within -1..1, so scale it; skipped",
        "takes: nan.wav: has NaN or infinity in it; skipped",
        "takes: none.wav: is damaged, or not a sound; skipped",
        "takes: rate.wav: is damaged, or not a sound; skipped",
        "takes: text.wav: is damaged, or not a sound; skipped",
        "9 sounds of 4000x1, 7 skipped",
    ]
    strict = fails("gan-data", "takes", "--strict", "-o", "x.safetensors")
    assert strict == "gan-data: takes: eight.wav: has 8 channels; --channels 1 mixes them (--strict)"
    assert "16 sounds" not in made("takes", "--channels", 1)[2][-1]
    few = fails("gan-data", takes(bad, "bad"), "-q", "-o", "x.safetensors")
    assert few == "gan-data: 7 of 7 sounds cannot be read; check that these are the right files"


def test_a_header_that_lies_about_its_length_is_read_as_what_is_there(made, takes, alone):
    whole = (np.rint(sine(440) * 32768)).astype("<i2").tobytes()
    longer, shorter = header(2**32 - 10) + whole + b"x", header(2000) + whole
    name = takes({"1.wav": longer, "2.wav": shorter})
    _, tensors, _ = made(name, "--length", 4000)
    assert np.array_equal(signal_of(tensors), np.frombuffer(whole, "<i2") / np.float32(32768))
    assert np.array_equal(signal_of(tensors, 1)[:1000], signal_of(tensors)[:1000])
    assert not signal_of(tensors, 1)[1000:].any()
    for data, count in ((longer, 4000), (shorter, 1000)):
        assert len(sounds.decode(data, Clip())["signals"]) == count


def test_pictures_and_sounds_are_not_one_set(fails, takes, tmp_path):
    name = takes({"a/1.wav": wav(sine(440)), "b/cover.png": flat(3)})
    assert fails("gan-data", name, "-o", "x.safetensors") == (
        "gan-data: takes: holds pictures (b/cover.png) and sounds (a/1.wav); put them into two folders or archives, "
        "or name the files of one kind"
    )
    two = fails("gan-data", "takes/a/1.wav", "takes/b/cover.png", "-o", "x.safetensors")
    assert two.startswith("gan-data: takes/a/1.wav holds sounds, and takes/b/cover.png holds pictures;")
    tape = fails("gan-data", takes({"x.m4a": b"x"}, "tapes"), "-o", "x.safetensors")
    assert "tapes: holds no pictures or sounds (tapes: skipped 1 files in formats that are not read (.m4a)" in tape


# ---------------------------------------------------------------------------------------- rate, length


@pytest.mark.parametrize(("rate", "target"), [(192_000, 16_000), (44_100, 8_000), (8_000, 22_050), (11_025, 11_000)])
def test_another_rate_keeps_what_is_heard(made, takes, rate, target):
    name = takes({"x.wav": wav(sine(1000, rate, rate // 2), rate, 3)})
    meta, tensors, lines = made(name, "--rate", target)
    assert (meta["sample_rate"], lines) == (target, [f"1 sounds of {target // 2}x1"])
    assert loudest(signal_of(tensors), target) == pytest.approx(1000, abs=0.5)
    middle = slice(target // 10, -target // 10)
    assert np.abs(signal_of(tensors)[middle] - sine(1000, target, target // 2)[middle]).max() < 0.005


def test_what_is_above_half_the_rate_is_left_out(made, takes):
    name = takes({"x.wav": wav(sine(6000, 16000, 8000) + sine(500, 16000, 8000, 0.3), 16000)})
    _, tensors, _ = made(name, "--rate", 8000)
    assert np.abs(signal_of(tensors)[200:-200] - sine(500, 8000, 4000, 0.3)[200:-200]).max() < 0.005


def test_lengths_cut_and_pad_and_silence_is_trimmed(made, fails, takes):
    quiet = np.concatenate([0.0005 * sine(50, length=999), sine(440, length=2000), np.zeros(5000)])
    name = takes({"1.wav": wav(sine(440, length=3000)), "2.wav": wav(quiet)})
    assert fails("gan-data", name, "-o", "x.safetensors") == (
        "gan-data: takes: 2.wav: has 7,999 numbers, but the first has 3,000; give all one --length, e.g. 3000"
    )
    for length, count in ((5000, 5000), ("0.5s", 4000), ("250ms", 2000)):
        _, tensors, _ = made(name, "--length", length)
        assert tensors["signals"].shape == (2, count, 1)
        assert not signal_of(tensors)[3000:].any()
    _, trimmed, _ = made(name, "--trim", 40, "--length", 2000)
    assert np.abs(signal_of(trimmed, 1) - sine(440, length=2001)[1:]).max() < 0.03, "it begins with its sound"
    assert "x.safetensors: is not" not in fails("gan-data", name, "--length", "0", "-o", "x.safetensors", code=2)


@FEW
@given(
    st.lists(st.integers(0, 30000), min_size=3, max_size=60),
    st.integers(1, 90),
    st.integers(0, 40),
    st.sampled_from([None, 3000, 8000, 11025]),
    st.sampled_from([None, 30.0]),
)
def test_only_what_is_needed_of_a_file_decides(numbers, length, silent, rate, trim):
    """A sound that is read from a file as far as it is needed is the one that is cut from all of it."""
    sound = np.concatenate([np.zeros(silent), np.array(numbers) / 32768, np.zeros(silent)])
    if not sound.any():
        return
    clip = Clip(rate=rate, length=Length(length), trim=trim)
    whole = sounds.decode(wav(sound), clip._replace(length=None))["signals"]
    whole = np.pad(whole, ((0, length), (0, 0)))[:length]
    assert np.abs(sounds.decode(wav(sound), clip)["signals"] - whole).max() < 1e-6
    assert np.abs(signals.shaped(sound[:, None], 8000, clip)["signals"] - whole).max() < 1e-6


def test_stereo(made, fails, takes):
    left, right = sine(440), sine(660)
    name = takes({"a.wav": wav(np.stack([left, right], 1)), "b.wav": wav(left)})
    _, both, lines = made(name)
    assert (both["signals"].shape, lines) == ((2, 4000, 2), ["2 sounds of 4000x2"])
    assert np.array_equal(both["signals"][1, :, 0], both["signals"][1, :, 1])
    _, mixed, _ = made(name, "--channels", 1)
    assert np.abs(signal_of(mixed) - (left + right) / 2).max() < 1e-4
    _, twice, _ = made("takes/b.wav", "--channels", 2)
    assert twice["signals"].shape == (1, 4000, 2)
    *_, lines = made("takes/b.wav", takes({"c.wav": wav(np.stack([left, right], 1))}, "two"))
    assert lines[0] == "takes/b.wav: mono sounds become stereo, as the others are"
    *_, lines = made(name, "--spectrogram", 64)
    assert lines[0] == "takes: stereo sounds are mixed, since a spectrogram is of one channel"


def test_rates_must_agree(fails, made, takes):
    name = takes({"a.wav": wav(sine(440)), "b.wav": wav(sine(440), 16000)})
    assert fails("gan-data", name, "-o", "x.safetensors") == (
        "gan-data: takes: b.wav: has 16,000 Hz, but the first has 8,000; give all one --rate, e.g. 8000"
    )
    assert made(name, "--rate", 8000, "--length", "0.25s")[1]["signals"].shape == (2, 2000, 1)


def test_loud_and_silent_ones(made, takes):
    files = {"a.wav": floats(sine(440, level=1.5)), "b.wav": wav(np.zeros(4000)), "c.wav": wav(sine(440))}
    _, tensors, lines = made(takes(files))
    assert (tensors["signals"].max(), tensors["signals"].min()) == (1, -1)
    assert lines == ["1 of 3 sounds are silent; the first is takes: b.wav", "3 sounds of 4000x1"]
    assert made("takes", "--trim", 40, "--length", 99)[2][0] == "takes: b.wav: is silent; skipped"


# ------------------------------------------------------------------------------------ samples, joined


def test_sounds_of_ours_are_selected_joined_and_cut_again(made, fails, takes, tmp_path, content, run):
    made("toy:drums", "--limit", 12)
    (tmp_path / "made.safetensors").rename(tmp_path / "d.safetensors")
    _, before = content("d.safetensors")
    meta, tensors, _ = made("d.safetensors", "--where", "kick | tom", "--limit", 3)
    assert (meta["sample_rate"], len(tensors["signals"])) == (8000, 3)
    assert all(any(np.array_equal(one, other) for other in before["signals"]) for one in tensors["signals"])
    meta, tensors, _ = made("d.safetensors", "toy:drums", "--limit", 9, "--seed", 3)
    assert meta["classes"] == ["kick", "snare", "hat", "tom"]
    meta, tensors, _ = made("d.safetensors", "--rate", 4000, "--length", "0.1s")
    assert (meta["sample_rate"], tensors["signals"].shape) == (4000, (12, 400, 1))
    name = takes({"a.wav": wav(sine(440, length=4096), 16000)})
    assert "a.wav: has 16,000 Hz, but the first has 8,000" in fails("gan-data", "d.safetensors", name, "-o", "x.npy")
    piped = run(
        "gan-data", "-", "--spectrogram", 64, "-o", "p.safetensors", stdin=(tmp_path / "d.safetensors").read_bytes()
    )
    assert (piped.code, piped.lines) == (0, ["12 pictures of 64x64x1"])
    assert np.array_equal(
        content("p.safetensors")[1]["images"], made("d.safetensors", "--spectrogram", 64)[1]["images"]
    )


def test_sounds_that_are_no_numbers_are_refused_where_they_are_read(fails, save, tmp_path):
    broken = np.zeros((8, 512, 1), "f4")
    broken[3, 7] = np.nan
    name = save("bad", signals=broken, sample_rate=8000)
    assert fails("gan-data", name, "-o", "x.safetensors") == (
        "gan-data: bad.safetensors: has sounds that are not finite numbers; give what they were made from"
    )
    assert fails("gan-data", name, "--spectrogram", 32, "-o", "x.safetensors").endswith("give what they were made from")
    with (
        samples.open_samples(str(tmp_path / name)) as opened,
        pytest.raises(Error, match="has sounds that are not fin"),
    ):
        _ = opened.identity  # which every training begins with
    points = save("points", points=broken[:, :, 0])
    assert "points.safetensors: has points that are not finite" in fails("gan-loop", points, "-o", "x.ckpt")
    assert "'sample_rate'" in fails("gan-data", save("bad", signals=broken), "-o", "x.safetensors")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("toy:drums --size 8", "toy:drums: holds sounds, and --size is for pictures; leave it out"),
        ("toy:drums --channels 3", "toy:drums: holds sounds, and --channels 3 is for pictures; leave it out"),
        ("toy:drums --background red", "toy:drums: holds sounds, and --background is for pictures; leave it out"),
        ("toy:drums --invert", "toy:drums: holds sounds; only pictures can be inverted or tinted"),
        ("toy:drums --derive edges", "toy:drums: holds sounds; only pictures have inputs"),
        ("toy:faces --inputs toy:drums", "toy:drums: holds sounds; only pictures have inputs"),
        ("toy:faces --trim 0", "toy:faces: holds pictures, and --trim is for sounds; leave it out"),
        ("toy:faces --channels 2", "toy:faces: holds pictures, and --channels 2 is for sounds; leave it out"),
        ("toy:ring --spectrogram 64", "toy:ring: holds points, and --spectrogram is for sounds; leave it out"),
        ("toy:drums toy:ring", "toy:drums holds sounds, and toy:ring holds points; write them to two files"),
        ("toy:drums --length 9000s", "toy:drums: --length asks for 72,000,000 numbers at 8,000 Hz, more than"),
        (
            "toy:drums --limit 4 --spectrogram 9x9",
            "toy:drums: sounds of 4,096 numbers are too long for 9 frames of 9 bins",
        ),
        ("toy:drums --length 9 --spectrogram 10x9", "toy:drums: 10 frames are more than the 9 numbers of a sound"),
    ],
)
def test_options_that_are_for_something_else_are_refused(fails, words, said):
    assert said in fails("gan-data", *words.split(), "-o", "x.safetensors")


# ----------------------------------------------------------------------------------------------- costs


@pytest.mark.parametrize("count", [40, pytest.param(5000, marks=SOAK)])
def test_mutated_sounds_end_in_words(tmp_path, monkeypatch, count):
    monkeypatch.chdir(tmp_path)
    soundfile = pytest.importorskip("soundfile")
    packed = {"w.wav": wav(sine(440, length=300)), "f.wav": floats(sine(440, length=300))}
    for suffix in ("flac", "ogg", "mp3", "aiff"):
        out = io.BytesIO()
        soundfile.write(out, sine(440, length=300), 8000, format=suffix.upper())
        packed[f"x.{suffix}"] = out.getvalue()
    runner, r = Runner(), random.Random(0)
    for _ in range(count):
        name = r.choice([*packed])
        pathlib.Path(name).write_bytes(mutated(packed[name], r))
        options = r.choice([[], ["--length", "200"], ["--trim", "20"], ["--rate", "4000", "--length", "50ms"]])
        runner.run("gan-data", name, *options, "-q", "-o", "o.safetensors")
        pathlib.Path("o.safetensors").unlink(missing_ok=True)
    assert not runner.faults, "\n".join(runner.faults)
    assert runner.outcomes["Error"] > 5 < runner.outcomes["done"]


@FEW
@given(st.binary(max_size=80), st.integers(0, 44))
def test_no_header_of_a_wav_stops_either_reader(data, kept):
    content = header(80)[:kept] + data
    for is_alone in (True, False):
        with pytest.MonkeyPatch.context() as patch:
            if is_alone:
                patch.setitem(sys.modules, "soundfile", None)
            try:
                shaped = sounds.decode(content, Clip(length=Length(50)))
            except UnreadableError:
                continue
            assert shaped["signals"].shape[0] == 50
            assert np.abs(shaped["signals"]).max() <= 1


def test_a_long_file_asks_for_a_length(made, fails, takes, tmp_path):
    name = takes({"x.wav": header(1 << 30)})
    with open(tmp_path / name / "x.wav", "r+b") as file:
        file.truncate(44 + (1 << 30))
    assert "x.wav: is longer than 4,194,304 numbers; give a --length" in fails_loudly(fails, name)
    _, tensors, _ = made(name, "--length", "1s", "--rate", 4000)
    assert tensors["signals"].shape == (1, 4000, 1)
    assert budget.SOUND == 4_194_304


def fails_loudly(fails, name):
    return fails("gan-data", name, "--strict", "-o", "x.safetensors")


def test_the_output_is_left_alone_when_it_fails(run, tmp_path, takes):
    container.write(str(tmp_path / "x.safetensors"), "samples", {"points": np.zeros((1, 1), "f4")}, {})
    before = (tmp_path / "x.safetensors").read_bytes()
    name = takes({"a.wav": wav(sine(440)), "b.wav": wav(sine(440, length=99))})
    assert run("gan-data", name, "-o", "x.safetensors").code == 1
    assert (tmp_path / "x.safetensors").read_bytes() == before
