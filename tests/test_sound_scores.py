"""gan-eval, gan-label, gan-arith and --diagnose on sounds: what scores see, what is refused, formants and noise."""

import json

import numpy as np
import pytest
import scipy.signal
import torch
from conftest import TINY
from hypothesis import given, settings
from hypothesis import strategies as st

from ganutils import Error
from ganutils.evaluation import formants, noise
from ganutils.evaluation.sets import Labels
from ganutils.evaluation.thumbnails import thumbnails
from ganutils.files import container
from ganutils.inference import discriminate
from ganutils.networks import spectra
from ganutils.samples.samples import open_samples
from ganutils.sounds.spectrogram import Spectrogram

RATE, LENGTH = 8000, 256
HERTZ = {"low": 500, "middle": 1500, "high": 3000}


def tones(count, seed, classes=range(3)):
    """Tones that fade, of a random phase and loudness, whose pitch is their class: float32 [N, 256, 1], and labels."""
    random = np.random.default_rng(seed)
    labels = np.resize([*classes], count)
    hertz = np.array([*HERTZ.values()])[labels] * random.uniform(0.9, 1.1, count)
    phases, loudness = random.uniform(0, 2 * np.pi, count), random.uniform(0.3, 0.9, count)
    times = np.arange(LENGTH) / RATE
    sounds = loudness[:, None] * np.sin(2 * np.pi * hertz[:, None] * times + phases[:, None]) * np.exp(-times / 0.02)
    return sounds.astype("f4")[..., None], labels


@pytest.fixture
def write(tmp_path):
    """write("x.safetensors", sounds, labels, rate=..., ...) -> its name"""

    def one(name, samples, labels=None, rate=RATE, **meta):
        key = "images" if samples.dtype == np.uint8 else "signals"
        tensors = {key: samples} | ({} if labels is None else {"labels": labels.astype(np.int64)})
        rates = {"sample_rate": rate} if key == "signals" else {}
        container.write(str(tmp_path / name), "samples", tensors, {"lineage": ["by hand"], **rates, **meta})
        return name

    return one


@pytest.fixture
def real(write):
    return write("real.safetensors", *tones(150, 0), classes=[*HERTZ])


# ------------------------------------------------------------------------------------ what scores must do


def test_equal_sounds_score_the_ideal_others_are_near_and_noise_is_far(score, real, write):
    other = write("other.safetensors", *tones(150, 1), classes=[*HERTZ])
    away, same, near = score(real, real, other, "--baseline")
    ideal = dict(
        frechet_distance=0, kid=0, precision=1, recall=1, density=1, coverage=1, spread=1, sliced_wasserstein=0
    )
    ideal |= dict(nearest_real=0, nearest_real_ratio=0, authenticity=0, modes=3, modes_covered=3, modes_kl=0)
    assert {name: same[name] for name in ideal} == ideal
    assert near["features"]["name"] == "classifier"
    assert near["features"]["accuracy"] > 0.9
    assert near["label_accuracy"] > 0.95
    assert 0.2 < near["authenticity"] < 0.9
    assert near["nearest_real_ratio"] == pytest.approx(1, abs=0.2)
    assert away["fake"] == "noise of real.safetensors"
    assert away["frechet_distance"] > 10 * near["frechet_distance"]
    assert away["sliced_wasserstein"] > 3 * near["sliced_wasserstein"]
    assert away["nearest_real_ratio"] > 2
    assert not {"label_accuracy", "psnr", "formants"} & away.keys()


def test_labels_are_right_as_far_as_the_classifier_agrees(score, real, write):
    sounds, labels = tones(120, 2)
    half = np.where(np.arange(120) < 60, labels, (labels + 1) % 3)
    names = {
        "half": write("half.safetensors", sounds, half, classes=[*HERTZ]),
        "turned": write("turned.safetensors", sounds, 2 - labels, classes=[*HERTZ][::-1]),
        "numbers": write("numbers.safetensors", sounds, labels),
        "beyond": write("beyond.safetensors", sounds, labels + 7 * (labels == 2)),
        "others": write("others.safetensors", sounds, labels, classes=["a", "b", "c"]),
        "none": write("none.safetensors", sounds),
    }
    found = dict(zip(names, score(real, *names.values()), strict=True))
    assert found["half"]["label_accuracy"] == pytest.approx(0.5, abs=0.03)
    assert min(found[name]["label_accuracy"] for name in ("turned", "numbers", "beyond")) > 0.95
    assert found["others"]["label_accuracy"] is None, "the classifier knows none of these"
    assert "label_accuracy" not in found["none"]
    (repeated,) = score(real, names["turned"], "--repeats", 2)
    assert repeated["label_accuracy"] > 0.95
    assert repeated["deviation"]["label_accuracy"] < 0.05


def test_conditional_checkpoints_of_sounds_are_scored_by_what_they_were_asked_for(score, ok, real):
    ok("gan-loop", real, *TINY, "--conditional", "--steps", 1, "-o", "gan.ckpt", "-q")
    (found,) = score(real, "gan.ckpt", "-n", 30)
    assert (found["step"], found["fake_count"]) == (1, 30)
    assert 0 <= found["label_accuracy"] <= 1


def test_pictures_with_labels_are_scored_by_them_too(score, write):
    labels = np.arange(60) % 2
    images = np.where(labels, 200, 30).astype("u1")[:, None, None, None] + np.zeros((60, 6, 6, 1), "u1")
    real = write("pictures.safetensors", images, labels)
    wrong = write("wrong.safetensors", images, 1 - labels)
    right, none = score(real, real, wrong)
    assert (right["label_accuracy"], none["label_accuracy"]) == (1, 0)


def test_labels_among_other_classes_are_found_by_name_or_number():
    numbers = np.array([0, 1, 2, 9])
    assert Labels(numbers, ["a", "b", "c"]).among(["c", "a"]).tolist() == [1, -1, 0, -1]
    assert Labels(numbers, ()).among(["c", "a"]).tolist() == [0, 1, -1, -1]
    assert Labels(numbers, ()).among([]).tolist() == [-1, -1, -1, -1]


def test_sounds_without_labels_are_measured_by_random_filters(score, write):
    real, other = (write(f"{seed}.safetensors", tones(60, seed)[0]) for seed in (0, 1))
    noise_, near = score(real, other, "--baseline")
    assert near["features"]["name"] == "random"
    assert noise_["frechet_distance"] > 10 * near["frechet_distance"]
    assert near["notes"][-1] == "REAL has no labels: the features are of random filters, which see less"


def test_a_discriminator_of_sounds_gives_features(score, ok, real, content):
    ok("gan-loop", real, "--width", 2, "--batch", 4, "--steps", 0, "-o", "gan.ckpt", "-q")
    (found,) = score(real, real, "--features", "gan.ckpt")
    _, tensors = content("gan.ckpt")
    channels = sum(len(tensor) for name, tensor in tensors.items() if name.startswith("D.downs.") and "weight" in name)
    assert found["frechet_distance"] == 0
    assert found["features"]["width"] == 16 * channels


def test_a_kept_extractor_measures_sounds_of_its_rate_alone(score, fails, real, write, tmp_path, root, ok):
    ok("gan-eval", real, real, "--root", "kept", "-q")
    (path,) = (tmp_path / "kept" / "extractors").iterdir()
    with container.read(str(path)) as file:
        meta, tensors = file.meta, {name: file[name].copy() for name in file.specs}
    assert (meta["shape"], meta["sample_rate"], meta["network"]) == ([LENGTH, 1], RATE, 1)
    (found,) = score(real, real, "--features", path)
    assert found["frechet_distance"] == 0
    assert found["label_accuracy"] > 0.95
    faster = write("faster.safetensors", *tones(60, 0), rate=16000)
    line = fails("gan-eval", faster, faster, "--features", path)
    assert line.endswith(
        "its sounds have 8,000 Hz, those of faster.safetensors 16,000; make both alike with gan-data --rate"
    )
    for shape in ([LENGTH, 3], [LENGTH, 0], [1 << 62, 1]):
        container.write(str(tmp_path / "odd.safetensors"), "extractor", tensors, {**meta, "shape": shape})
        assert "damaged: an extractor without its shape" in fails(
            "gan-eval", real, real, "--features", "odd.safetensors"
        )


@pytest.mark.parametrize("features", ["inception", "pixels", "model.onnx"])
def test_features_of_pictures_are_refused(fails, real, features):
    line = fails("gan-eval", real, real, "--features", features)
    assert line == f"gan-eval: --features {features}: is for pictures, and real.safetensors holds sounds; leave it out"


def test_what_does_not_fit_is_said_in_a_line(fails, real, write):
    sounds, labels = tones(60, 0)
    broken = sounds.copy()
    broken[7, 3] = np.nan
    files = {  # no classifier is trained before any of this is said
        "nan": (broken, labels, RATE),
        "faster": (sounds, labels, 16000),
        "longer": (np.repeat(sounds, 2, 1), labels, RATE),
        "stereo": (np.repeat(sounds, 2, 2), labels, RATE),
        "odd": (sounds, labels, "8 kHz"),
    }
    names = {name: write(f"{name}.safetensors", *given) for name, given in files.items()}
    lines = {
        ("nan", "real"): "nan.safetensors: has sounds that are not finite numbers; they cannot be scored",
        ("real", "faster"): "faster.safetensors: its sounds have 16,000 Hz, those of real.safetensors 8,000; make both",
        ("real", "longer"): "longer.safetensors: samples are 512x1, those of real.safetensors 256x1",
        ("real", "stereo"): "stereo.safetensors: samples are 256x2, those of real.safetensors 256x1",
        ("odd", "odd"): "odd.safetensors: damaged: sounds whose metadata have no 'sample_rate' in Hz",
    }
    for (first, second), line in lines.items():
        said = fails("gan-eval", names.get(first, real), names.get(second, real), "-q", "--root", "kept")
        assert said.startswith(f"gan-eval: {line}")


# ------------------------------------------------------------------------------------------- how sounds are seen


@settings(max_examples=50)
@given(st.integers(1, 3000), st.integers(1, 2))
def test_spectra_of_any_sound_have_the_shape_they_say_and_lie_within_their_range(length, channels):
    network = spectra.Spectra((length, channels))
    loud = torch.full((2, channels, length), 3e38)
    loud[1] = 0
    seen = network(loud)
    h, w, c = network.shape
    assert seen.shape == (2, c, h, w)
    assert 1 <= h <= spectra.HEIGHT
    assert 1 <= w <= spectra.WIDTH
    assert seen.min() == pytest.approx(-1, abs=1e-5)
    assert torch.isfinite(seen).all()
    assert seen[1].max() == pytest.approx(-1, abs=1e-5), "silence is black"


def test_spectra_show_a_tone_at_its_pitch_and_level():
    times = torch.arange(4096) / RATE
    sounds = torch.stack([level * torch.sin(2 * torch.pi * 1000 * times) for level in (1, 0.1)])[:, None]
    seen = spectra.Spectra((4096, 1))(sounds)[:, 0]  # (2, 64, 32)
    middle = seen[:, :, 4:28].mean(2)
    assert middle.argmax(1).tolist() == [16, 16], "a quarter of 4 kHz"
    assert float(middle[0, 16] - middle[1, 16]) * 30 == pytest.approx(20, abs=0.5), "decibels; -1..1 are 60"


def test_thumbnails_of_sounds_ignore_phases_and_see_pitch():
    low, labels = tones(90, 0)
    small = thumbnails(low)
    assert small.dtype == np.float32
    assert small.min() >= 0
    assert small.max() <= 1
    assert np.array_equal(thumbnails(-low), small)
    center = small[labels == 0].mean(0), small[labels == 2].mean(0)
    nearer = [((small - one) ** 2).sum(1) for one in center]
    assert (nearer[0] < nearer[1])[labels == 0].all()
    assert (nearer[0] > nearer[1])[labels == 2].all()
    for shape in ((3, 1, 1), (3, 2, 2), (3, 7, 1), (3, 5000, 2)):
        odd = np.random.default_rng(0).uniform(-1, 1, shape).astype("f4")
        assert thumbnails(odd).shape[1] <= 32 * 32 * shape[2]
        assert np.isfinite(thumbnails(odd * np.float32(1e38))).all()


def test_long_sounds_go_through_networks_a_few_at_a_time():
    assert discriminate.fitting(256, (4096, 1)) == 256
    assert discriminate.fitting(256, (1_000_000, 2)) == 2
    assert discriminate.fitting(256, (1 << 26, 1)) == 1
    assert discriminate.fitting(256, (8192, 8192, 3)) == 256


# ------------------------------------------------------------------------------------------------ noise


@settings(max_examples=20)
@given(st.integers(0, 99), st.integers(1, 2), st.sampled_from([64, 101]))
def test_noise_has_the_mean_power_of_each_frequency_and_channel(seed, channels, length):
    random = np.random.default_rng(seed)
    taps = random.standard_normal((5, channels))
    white = random.standard_normal((400, length, channels))
    sounds = 0.02 * sum(taps[i] * np.roll(white, i, 1) for i in range(5)).astype("f4")
    made = noise.like(sounds, None, seed)
    assert made.dtype == np.float32
    assert made.shape == sounds.shape
    powers = [(abs(np.fft.rfft(each, axis=1)) ** 2).mean(0)[1:-1] for each in (sounds, made)]
    assert powers[1] == pytest.approx(powers[0], rel=0.4)  # of 400 each
    assert powers[1].sum() == pytest.approx(powers[0].sum(), rel=0.1)
    assert abs(np.corrcoef(sounds.ravel(), made.ravel())[0, 1]) < 0.1


def test_noise_of_spectrograms_is_as_loud_as_they_are():
    random = np.random.default_rng(0)
    sounds = scipy.signal.lfilter([1], [1, -0.9], random.normal(0, 0.05, (50, 1024, 1)), axis=1).astype("f4")
    spectrogram = Spectrogram.for_sounds("x", RATE, 1024, 32, 32)
    pictures = spectrogram.pictures(sounds)
    made = noise.like(pictures, spectrogram, 0)
    assert (made.dtype, made.shape) == (np.uint8, pictures.shape)
    rows = [each.mean(axis=(0, 2, 3))[2:-2] for each in (pictures, made)]
    assert rows[1] == pytest.approx(rows[0], abs=8)  # levels; 3.2 are a decibel


# ---------------------------------------------------------------------------------------------- formants


@settings(max_examples=100)
@given(st.floats(250, 900), st.floats(1.5, 3), st.floats(50, 120), st.floats(50, 120))
def test_formants_of_all_pole_filters_are_their_poles(first, ratio, first_width, second_width):
    second = first * ratio
    widths = {first: first_width, second: second_width, 3000: 120, 3600: 150}
    filter_ = np.ones(1)
    for hertz, width in widths.items():
        radius = np.exp(-np.pi * width / RATE)
        filter_ = np.convolve(filter_, [1, -2 * radius * np.cos(2 * np.pi * hertz / RATE), radius**2])
    _, response = scipy.signal.freqz([1, 0], filter_, worN=np.linspace(0, np.pi, 513))
    tilt = abs(1 - formants.EMPHASIS * np.exp(-1j * np.linspace(0, np.pi, 513))) ** 2  # of a voice
    (found,) = formants.formants(abs(response[None]) ** 2 / tilt, RATE)
    assert found == pytest.approx([first, second], rel=0.01)
    white = np.random.default_rng(0).standard_normal((1, 4096))
    voiced = scipy.signal.lfilter([1], np.convolve(filter_, [1, -formants.EMPHASIS]), white)
    power = formants.power_of_sounds((0.5 * voiced / abs(voiced).max()).astype("f4")[..., None], RATE)
    assert formants.formants(power, RATE)[0] == pytest.approx([first, second], rel=0.1)


@pytest.mark.parametrize("rate", [8000, 16000, 44100])
def test_vowels_have_their_formants_and_wrong_labels_do_not(score, ok, rate, write, content):
    ok("gan-data", "toy:vowels", "--limit", 60, "--rate", rate, "--length", "300ms", "-o", "vowels.safetensors", "-q")
    meta, tensors = content("vowels.safetensors")
    about = {key: meta[key] for key in ("toy", "classes")}
    wrong = write("wrong.safetensors", tensors["signals"], (tensors["labels"] + 1) % 5, rate, **about)
    real = write("unlabeled.safetensors", tensors["signals"], None, rate, **about)  # no classifier is trained
    (right,) = score(real, "vowels.safetensors")
    assert right["formants"] >= 0.95
    assert right["formants_real"] is None
    (found,) = score(real, wrong)
    assert found["formants"] == 0


def test_formants_show_in_spectrograms_which_have_a_baseline_too(score, ok, fails, write, content):
    ok("gan-data", "toy:vowels", "--limit", 60, "-o", "vowels.safetensors", "-q")
    ok("gan-data", "vowels.safetensors", "--spectrogram", "32x128", "-o", "pictures.safetensors", "-q")
    ok("gan-data", "vowels.safetensors", "--length", 4095, "--spectrogram", "32x128", "-o", "shorter.safetensors", "-q")
    meta, tensors = content("pictures.safetensors")
    about = {key: meta[key] for key in ("toy", "classes", "spectrogram")}
    real = write("real.safetensors", tensors["images"], None, **about)  # no classifier is trained
    away, same = score(real, "pictures.safetensors", "--baseline")
    assert same["formants"] >= 0.95
    assert same["frechet_distance"] == 0
    assert away["fake"] == "noise of real.safetensors"
    assert away["frechet_distance"] > 0.1
    line = fails("gan-eval", real, "shorter.safetensors")
    assert line.startswith(
        "gan-eval: shorter.safetensors: its spectrograms are of another kind than those of real.safe"
    )


@pytest.mark.parametrize("given", [5, {}, {"a": [700]}, {"a": ["x", "y"]}, {"a": [1e300, 2]}, {"a": [True, 5]}, [1, 2]])
def test_formants_that_are_none_are_damage(write, given, tmp_path):
    name = write("x.safetensors", *tones(6, 0), toy={"name": "vowels", "formants": given})
    message = "x.safetensors: damaged: its metadata 'toy' have formants that are no frequencies in Hz"
    with open_samples(str(tmp_path / name)) as samples, pytest.raises(Error, match=message):
        formants.formants_of(samples)


def test_other_metadata_of_toys_are_nothing_to_sounds(write, tmp_path):
    for toy in (None, [1], "vowels", {"name": "drums"}, {"centres": 5}):
        name = write("x.safetensors", *tones(6, 0), toy=toy)
        with open_samples(str(tmp_path / name)) as samples:
            assert formants.formants_of(samples) is None
            assert samples.toy is None


def test_silence_and_the_shortest_sounds_have_no_formants():
    for sounds in (np.zeros((2, 4000, 1)), np.ones((2, 1, 2)), np.ones((2, 3, 1))):
        power = formants.power_of_sounds(sounds.astype("f4"), RATE)
        assert np.isnan(formants.formants(power, RATE)).all()


# --------------------------------------------------------------------------------- labels, sums, diagnosis


@pytest.fixture
def drawn(ok, real, tmp_path):
    """Tones with latents, as a generator might have made, in drawn.safetensors; an untrained one is gan.ckpt."""
    ok("gan-loop", real, *TINY, "--steps", 0, "-o", "gan.ckpt", "-q")
    latents = np.random.default_rng(0).normal(size=(60, 4)).astype("f4")
    tensors = {"signals": tones(60, 3)[0], "latents": latents}
    container.write(str(tmp_path / "drawn.safetensors"), "samples", tensors, {"sample_rate": RATE, "prior": "normal"})
    return "drawn.safetensors"


def test_sounds_get_labels_and_their_sums_have_what_they_should(ok, content, real, drawn, root):
    lines = ok("gan-label", drawn, "--like", real, "--root", root, "-o", "labeled.safetensors").lines
    assert all("not usable" not in line for line in lines[-3:])
    meta, tensors = content("labeled.safetensors")
    assert meta["classes"] == meta["attributes"] == [*HERTZ]
    assert meta["sample_rate"] == RATE
    assert (tensors["labels"] == tones(60, 3)[1]).mean() > 0.95
    ok("gan-arith", "labeled.safetensors", "0,1 - 2 + [high]", "--pixels", "-o", "sum.safetensors", "-q")
    meta, sums = content("sum.safetensors")
    assert meta["sample_rate"] == RATE
    assert sums["signals"].dtype == np.float32
    assert np.array_equal(sums["signals"][:3], tensors["signals"][:3])
    means = sums["signals"][-4:-1]
    assert sums["signals"][-1] == pytest.approx(np.clip(means[0] - means[1] + means[2], -1, 1), abs=1e-6)
    words = ["labeled.safetensors", "[low] - [high] + [middle]", "--target", "low", "--draws", 5]
    scores = json.loads(ok("gan-arith", *words, "--score", "gan.ckpt", "--like", real, "--root", root, "-q").out)
    assert scores["latents"]["target"] in (0, 0.2, 0.4, 0.6, 0.8, 1)
    assert scores["latents"]["both"] == 0, "noise lies among no tones"


def test_sounds_that_cannot_be_labeled_are_refused(fails, real, drawn, write):
    faster = write("faster.safetensors", *tones(60, 0), rate=16000)
    assert "its sounds have 8,000 Hz" in fails("gan-label", drawn, "--like", faster, "-o", "x.safetensors")
    broken = write("broken.safetensors", np.full((60, LENGTH, 1), np.inf, "f4"))
    line = fails("gan-label", broken, "--like", real, "-o", "x.safetensors", "-q", "--root", "kept")
    assert line == "gan-label: broken.safetensors: has sounds that are not finite numbers; they cannot be scored"
    (line,) = [fails("gan-label", drawn, "--like", real, "--features", "pixels", "-o", "x.safetensors")]
    assert "is for pictures" in line


def test_a_diagnosis_speaks_of_sounds(ok, real, root):
    ok("gan-loop", real, *TINY, "--steps", 2, "-o", "gan.ckpt", "-q")
    lines = ok("gan-eval", "--diagnose", "gan.ckpt", real, "--root", root, "-q").out.decode().splitlines()
    assert lines[0] == "gan.ckpt at step 2: too early."
    assert "thousand sounds shown to D" in lines[1]
    assert "picture" not in " ".join(lines)
