"""Sounds in figures, pages and graphs: what is drawn is what is heard."""

import base64
import io
import json
import wave

import numpy as np
import pytest

from ganutils.files import container
from ganutils.inference.units import units_of
from ganutils.plots import figures, filters, sounds
from ganutils.samples.samples import open_samples
from ganutils.sounds import wav
from ganutils.sounds.spectrogram import Spectrogram

RATE, LENGTH = 8000, 512
CLASSES = ["low", "$high"]


@pytest.fixture(autouse=True)
def inside(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def tones(*hertz, length=LENGTH, rate=RATE, loud=0.9):
    """float32 [N, length, 1]."""
    phases = 2 * np.pi * np.outer(hertz, np.arange(length) / rate)
    return (loud * np.sin(phases)).astype(np.float32)[..., None]


def write(name, signals, rate=RATE, **more):
    """A file of sounds, with `labels` and `classes` perhaps; gives its name."""
    meta = {"sample_rate": rate, **({"classes": more.pop("classes")} if "classes" in more else {})}
    container.write(name, "samples", {"signals": signals, **more}, meta)
    return name


@pytest.fixture
def labeled():
    """Twelve tones, half of each class, in turns."""
    labels = np.arange(12) % 2
    return write("tones.safetensors", tones(*(500 + 2000 * labels)), labels=labels, classes=CLASSES)


def drawn(*names, data=None, **how):
    if data is None:
        return figures.draw(names, None, None, [], **how)
    with open_samples(data) as samples:
        return figures.draw(names, samples, None, [], **how)


def waves(figure):
    """The waves of a figure, row by row from the left, by where they stand."""
    lines = [axes for axes in figure.axes if axes.lines]
    return sorted(lines, key=lambda axes: (-round(axes.get_position().y0, 6), axes.get_position().x0))


def texts(figure):
    """The names of rows, and the titles."""
    return [text.get_text() for text in figure.texts]


def spectra(figure):
    return [axes for axes in figure.axes if axes.images]


def test_each_class_has_a_row_of_its_first_sounds(labeled):
    figure = drawn(labeled).figure
    shown = waves(figure)
    assert len(shown) == len(spectra(figure)) == 8
    assert texts(figure) == [*CLASSES, "tones"]
    with container.read(labeled) as file:
        expected = file["signals"][[0, 2, 4, 6, 1, 3, 5, 7], :, 0]
    np.testing.assert_array_equal([axes.lines[0].get_ydata() for axes in shown], expected)
    times = shown[0].lines[0].get_xdata()
    assert (times[0], times[-1]) == pytest.approx((0.0625, 63.9375)), "ms, the middles of the numbers"


@pytest.mark.parametrize(("rate", "hertz"), [(8000, 1000), (16000, 3000), (44100, 440), (400, 100)])
def test_a_spectrum_has_true_axes(rate, hertz):
    name = write("tone.safetensors", tones(hertz, length=rate // 2, rate=rate, loud=1), rate)
    (axes,) = spectra(drawn(name).figure)
    (image,) = axes.images
    left, right, low, high = image.get_extent()
    assert (left, right, low, high) == pytest.approx((0, 500, 0, rate / 2000 if rate > 400 else 200))
    assert axes.get_ylabel() == ("kHz" if rate > 400 else "Hz")
    decibels = image.get_array()
    middle = decibels[:, decibels.shape[1] // 2]
    place = 1 - (middle.argmax() + 0.5) / len(middle)
    assert place * rate / 2 == pytest.approx(hertz, abs=rate / 2 / len(middle))
    assert middle.max() == pytest.approx(0, abs=1.6), "a sine from -1 to 1; between two bins it is 1.4 dB less"


def test_files_stand_side_by_side_on_axes_of_one_scale(labeled):
    quiet = write("quiet.safetensors", tones(500, 2500, loud=0.1), labels=np.array([1, 0]), classes=CLASSES[::-1])
    figure = drawn(labeled, quiet).figure
    shown = waves(figure)
    assert texts(figure) == [*CLASSES, "tones", "quiet"]
    assert len({axes.get_ylim() for axes in shown}) == 1
    assert len(shown) == 6, "two of each class, and the one that there is"
    low = shown[2].lines[0].get_ydata()
    np.testing.assert_array_equal(low, tones(500, loud=0.1)[0, :, 0], "the class is found by its name")


def test_without_labels_some_are_drawn_evenly_spaced(labeled):
    plain = write("plain.safetensors", tones(*range(100, 140)))
    assert len(waves(drawn(plain).figure)) == 16
    figure = drawn(labeled, plain).figure
    assert texts(figure) == ["tones", "plain"], "one file has no classes"


def test_a_film_is_drawn_from_its_beginning_to_its_end():
    film = np.stack([tones(500 + 10 * t, 900) for t in range(31)])
    figure = drawn(write("film.safetensors", film)).figure
    shown = waves(figure)
    assert texts(figure) == [f"film: frame {t}" for t in (1, 11, 21, 31)]
    np.testing.assert_array_equal(shown[3].lines[0].get_ydata(), film[30, 0, :, 0])
    assert len(shown) == 8


def test_spectrograms_are_drawn_as_they_are_with_the_wave_that_they_become():
    way = Spectrogram.for_sounds("x", RATE, LENGTH, 32, 32)
    pictures = way.pictures(tones(1000, 3000))
    container.write("s.safetensors", "samples", {"images": pictures}, {"spectrogram": way.meta})
    figure = drawn("s.safetensors").figure
    first = spectra(figure)[0].images[0]
    np.testing.assert_allclose(first.get_array(), pictures[0, :, :, 0] / 255 * 80 - 80, atol=1e-4)
    assert first.get_extent() == [0, 64, 0, 4]
    np.testing.assert_allclose(waves(figure)[0].lines[0].get_ydata(), way.signals(pictures)[0, :, 0], atol=1e-6)


@pytest.mark.parametrize("length", [1, 2, 100, 20_000])
def test_both_channels_of_sounds_of_any_length(ok, length):
    signals = np.random.default_rng(0).uniform(-1, 1, (2, length, 2)).astype(np.float32)
    cell = sounds.seen("x", {"sample_rate": 8000}, (length, 2))(signals[0])
    assert cell.wave.shape == (min(length, sounds.POINTS if length > sounds.LINE else length), 2, 2)
    assert (cell.wave.min(), cell.wave.max()) == (signals[0].min(), signals[0].max())
    assert cell.decibels.shape[1] <= sounds.FRAMES
    write("two.safetensors", signals)
    ok("gan-plot", "two.safetensors", "-o", "two.svg", "-q")


def test_what_cannot_be_drawn(ok, fails, labeled, tmp_path):
    container.write("rateless.safetensors", "samples", {"signals": tones(9)}, {})
    write("nan.safetensors", np.full((2, 9, 1), np.nan, np.float32))
    ok("gan-data", "toy:ring", "--limit", 9, "-o", "ring.safetensors", "-q")

    def line(*words):
        return fails("gan-plot", *words, "-o", "x.png").removeprefix("gan-plot: ")

    assert line("rateless.safetensors").startswith("rateless.safetensors: damaged: sounds whose metadata have no 'samp")
    assert line("nan.safetensors").startswith("nan.safetensors: holds sounds with NaN")
    assert line(labeled, "ring.safetensors") == "ring.safetensors: holds points, not sounds as the others do"
    assert line(labeled, "--data", "ring.safetensors") == "ring.safetensors: holds points, not sounds as the others do"
    assert line(*[labeled] * 17) == f"{labeled}: 17 files do not fit on a page; give at most 16"
    assert line(labeled, "--filters") == f"{labeled}: holds samples; give checkpoints"
    assert "--filters looks into a discriminator" in line("ring.safetensors", "--filters")
    assert not (tmp_path / "x.png").exists()
    for words, said in (
        (["--losses", "hinge"], "--filters has no effect with --losses"),
        ([labeled, "--units", 0], "--units and --filters exclude each other; give one"),
    ):
        assert said in fails("gan-plot", *words, "--filters", "-o", "x.png", code=2)


# -------------------------------------------------------------------------------------------------- checkpoints


@pytest.fixture
def gan(ok, labeled):
    """A GAN on the tones, of two classes, after two steps, and its snapshots; gives its name."""
    model = ["--arch", "wave", "--width", 2, "--z-dim", 4, "--batch", 4, "--conditional"]
    ok("gan-loop", labeled, *model, "--steps", 2, "--snapshots", "shots", "--every", 1, "-o", "g.ckpt", "-q")
    return "g.ckpt"


def test_a_checkpoint_is_drawn_by_its_samples_beside_the_data(ok, gan, labeled, content):
    ok("gan-sample", gan, "-n", 4, "-o", "four.safetensors", "-q")
    figure = drawn(gan, data=labeled).figure
    shown = waves(figure)
    assert texts(figure) == [*CLASSES, "data", "step 2"]
    made = content("four.safetensors")[1]["signals"][:, :, 0]
    for row in (0, 1):
        lines = [axes.lines[0].get_ydata() for axes in shown[4 * row + 2 : 4 * row + 4]]
        np.testing.assert_allclose(lines, made[2 * row : 2 * row + 2], atol=1e-6)


def test_checkpoints_are_frames_of_a_film_beside_the_data(ok, gan, labeled, content):
    shots = [f"shots/step-00000{step}.safetensors" for step in range(3)]
    assert ok("gan-plot", *shots, "--data", labeled, "-o", "film.safetensors").lines == ["3 frames"]
    images = content("film.safetensors")[1]["images"]
    assert images.shape[:2] == (3, 1)
    half = images.shape[3] // 2
    assert (images[0, :, :, :half] == images[2, :, :, :half]).all()
    assert (images[0, :, :, half:] != images[2, :, :, half:]).any()


def test_filters_of_sounds_are_lines(ok, fails, gan, tmp_path):
    with container.read(gan) as file:
        found, weights = filters.first_layer(file), file["D.downs.0.weight"]
    assert found.shape == (2, 25, 1)
    largest = weights[np.square(weights).sum((1, 2)).argmax(), 0]
    np.testing.assert_allclose(found[0, :, 0], largest / np.abs(largest).max(), rtol=1e-5)
    (axes,) = drawn(gan, of_filters=True).figure.axes
    np.testing.assert_allclose(axes.lines[1].get_ydata(), found[0, :, 0], rtol=1e-5)
    ok("gan-plot", gan, gan, "--filters", "-o", "filters.png")
    assert "a snapshot holds only the generator" in fails("gan-plot", "shots/step-000000.safetensors", "--filters")


def test_sounds_that_excite_a_feature_are_drawn_as_sounds(gan, labeled):
    with open_samples(labeled) as data, container.read(gan) as file:
        best = filters.excited(units_of(file), data, [1, 0])
        figure = figures.draw([gan], data, [1, 0], []).figure
    shown = waves(figure)
    assert texts(figure)[:2] == ["feature 1", "feature 0"]
    np.testing.assert_array_equal([axes.lines[0].get_ydata() for axes in shown], best[..., 0].reshape(-1, LENGTH))


def test_a_run_is_heard_on_tensorboard(ok, labeled, tmp_path):
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    model = ["--arch", "wave", "--width", 2, "--z-dim", 4, "--batch", 4]
    ok("gan-loop", labeled, *model, "--steps", 1, "--tensorboard", "board", "-o", "g.ckpt", "-q")
    events = accumulator.EventAccumulator(str(tmp_path / "board"))
    events.Reload()
    (sound,), (sheet,) = events.Audio("samples"), events.Images("samples")
    with wave.open(io.BytesIO(sound.encoded_audio_string)) as file:
        assert (file.getframerate(), file.getnframes()) == (RATE, 8 * LENGTH)
    assert (sheet.width, sheet.height) == (1024, 1024)


# -------------------------------------------------------------------------------------------------------- pages


def numbers_of(address):
    """float [T, C] of a WAV in a data: address."""
    with wave.open(io.BytesIO(base64.b64decode(address.removeprefix("data:audio/wav;base64,")))) as file:
        assert file.getframerate() == RATE
        content = np.frombuffer(file.readframes(file.getnframes()), "<i2")
        return content.reshape(-1, file.getnchannels()) / 32767


def test_a_quiz_of_sounds_plays_both(ok, tmp_path, visit):
    signals = {name: tones(*range(hertz, hertz + 4)) for name, hertz in (("real", 300), ("fake", 2000))}
    real, fake = (write(f"{name}.safetensors", some) for name, some in signals.items())
    ok("gan-quiz", real, fake, "-n", 4, "--answers", "a.json", "-o", "quiz.html", "-q")
    page = visit("quiz.html")
    assert page.text_content("#question").startswith("One of these sounds is real")
    for answer in json.loads((tmp_path / "a.json").read_text()):
        pair = page.evaluate("[...document.querySelectorAll('#pair audio')].map((player) => player.src)")
        is_right = answer["real"] == "right"
        for address, name in zip(pair, ("fake", "real") if is_right else ("real", "fake"), strict=True):
            np.testing.assert_allclose(numbers_of(address), signals[name][answer[f"{name}_row"]], atol=1e-4)
        page.focus("#pair audio")
        page.keyboard.press("ArrowLeft")  # winds, and answers nothing
        assert page.is_hidden("#next")
        page.click(f"#{answer['real']}")
        assert page.text_content("#verdict") == f"Right: the {answer['real']} sound is real."
        page.click("#next")
    assert page.text_content("#score") == "4 of 4 right (100 %)"
    assert page.locator("#sheet audio").count() == 8
    page.wait_for_function("[...document.querySelectorAll('audio')].every((player) => player.duration === 0.064)")


def test_a_quiz_hears_spectrograms_and_sounds_of_one_length_alike(ok, fails):
    way = Spectrogram.for_sounds("x", RATE, LENGTH, 32, 32)
    meta = {"spectrogram": way.meta}
    container.write("s.safetensors", "samples", {"images": way.pictures(tones(1000, 3000))}, meta)
    sound = write("a.safetensors", tones(1000, 3000))
    ok("gan-quiz", sound, "s.safetensors", "-n", 2, "-o", "quiz.html", "-q")
    other = write("b.safetensors", tones(1000, 3000, length=99).repeat(2, 2), 16000)
    line = fails("gan-quiz", sound, other, "-n", 2, "-o", "x.html")
    assert line == (
        "gan-quiz: b.safetensors: its sounds are 99 numbers at 16,000 Hz, 0.01 s, stereo, those of a.safetensors "
        "512 numbers at 8,000 Hz, 0.06 s, mono; make both alike by gan-data"
    )
    line = fails(
        "gan-quiz", sound, write("nan.safetensors", np.full((2, 512, 1), np.nan, "f4")), "-n", 2, "-o", "x.html"
    )
    assert line.startswith("gan-quiz: nan.safetensors: holds sounds with NaN")


def test_a_report_plays_sounds(ok, fails, tmp_path, visit):
    wav.write("tone.wav", RATE, (512, 1), tones(440))
    ok("gan-report", "tone.wav", "-o", "report.html", "-q")
    page = visit("report.html")
    page.wait_for_function("document.querySelector('figure audio').duration === 0.064")
    (tmp_path / "bad.wav").write_bytes(b"RIFFnoise")
    assert fails("gan-report", "bad.wav", "-o", "x.html").startswith("gan-report: bad.wav: ")
