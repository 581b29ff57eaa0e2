"""ganutils from Python: the promised names. docs/python.md's examples are run by test_docs."""

import os
import signal
import subprocess
import sys
import threading

import numpy as np
import pytest
from conftest import ROOT, TINY
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

import ganutils
from ganutils.files import container

SETTINGS = {"width": 2, "z_dim": 4, "batch": 4}  # those of TINY


@pytest.fixture(autouse=True)
def inside(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def digest(path):
    with container.read(path) as file:
        return file.digest()


def modules_after(lines):
    """The names of the modules that Python has imported when it has run `lines`."""
    code = f"import sys\n{lines}\nprint(*sys.modules)"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return set(subprocess.check_output([sys.executable, "-c", code], env=environment, text=True, timeout=60).split())


def test_importing_ganutils_is_light_and_reading_needs_no_torch(pictures):
    assert not {"numpy", "torch", "PIL"} & modules_after("import ganutils; dir(ganutils)")
    reading = f"import ganutils; ganutils.sheet(ganutils.read({pictures!r}).images)"
    assert not {"torch", "click"} & modules_after(reading)


def test_the_promised_names_are_there_and_others_are_not():
    assert ganutils.__all__ == ["Data", "Error", "Generator", "Run", "read", "sheet", "write"]
    assert all(getattr(ganutils, name) for name in ganutils.__all__)
    with pytest.raises(AttributeError, match="'ganutils' has no attribute 'reed'"):
        _ = ganutils.reed


# ---------------------------------------------------------------------------------------- reading and writing


@given(data=st.data())
def test_what_is_written_is_read_again(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("api") / "a.safetensors"
    lead = data.draw(st.sampled_from([(3,), (2, 3)]))
    c = data.draw(st.sampled_from([1, 3]))
    images = data.draw(arrays.arrays(np.uint8, (*lead, 2, 4, c)))
    labels = data.draw(arrays.arrays(np.int64, lead, elements=st.integers(0, 1)))
    bright = data.draw(arrays.arrays(np.float32, lead, elements=st.floats(0, 1, width=32)))
    latents = data.draw(arrays.arrays(np.float32, (*lead, 5), elements=st.floats(-9, 9, width=32)))
    ganutils.write(
        path, images=images, labels=labels, classes=["cat", "dog"], attributes={"bright": bright}, latents=latents
    )
    found = ganutils.read(path)
    for name, array in (("images", images), ("labels", labels), ("latents", latents)):
        assert np.array_equal(getattr(found, name), array)
    assert (found.points, found.classes) == (None, ["cat", "dog"])
    assert list(found.attributes) == ["bright"]
    assert np.array_equal(found.attributes["bright"], bright)


def test_points_and_latents_are_written_as_such(tmp_path):
    ganutils.write("points.safetensors", points=np.arange(6.0).reshape(3, 2))
    ganutils.write("z.safetensors", latents=np.ones((4, 1, 5)), meta={"prior": "uniform"})
    points, z = ganutils.read("points.safetensors"), ganutils.read("z.safetensors")
    assert (points.points.dtype, points.points.tolist()) == (np.float32, [[0, 1], [2, 3], [4, 5]])
    assert (z.latents.shape, z.meta["kind"], z.meta["prior"]) == ((4, 1, 5), "latents", "uniform")


@pytest.mark.parametrize(("lead", "channels"), [((3,), 1), ((3,), 2), ((2, 3), 1)])
def test_sounds_are_written_with_their_rate(lead, channels):
    signals = np.random.default_rng(0).uniform(-1, 1, (*lead, 20, channels))
    ganutils.write("a.safetensors", signals=signals, sample_rate=8000, labels=np.zeros(lead, int), classes=["kick"])
    found = ganutils.read("a.safetensors")
    assert (found.signals.dtype, found.sample_rate, found.classes) == (np.float32, 8000, ["kick"])
    assert np.array_equal(found.signals, signals.astype(np.float32))
    ganutils.write("b.safetensors", signals=found.signals, meta=found.meta)
    assert ganutils.read("b.safetensors").sample_rate == 8000
    ganutils.write("points.safetensors", points=np.zeros((3, 2)), meta=found.meta)
    assert "sample_rate" not in ganutils.read("points.safetensors").meta
    assert ganutils.read("points.safetensors").sample_rate is None


def test_a_mono_sheet_may_leave_out_its_last_axis():
    ganutils.write("a.safetensors", signals=np.zeros((3, 20)), sample_rate=np.int64(8000))
    assert ganutils.read("a.safetensors").signals.shape == (3, 20, 1)


def test_sounds_without_a_rate_are_damaged():
    container.write("a.safetensors", "samples", {"signals": np.zeros((3, 20, 1), "f4")}, {})
    with pytest.raises(ganutils.Error, match=r"a.safetensors: damaged: sounds whose metadata have no 'sample_rate'"):
        ganutils.read("a.safetensors")


def test_metadata_are_kept_and_the_lineage_grows(pictures):
    data = ganutils.read(pictures)
    ganutils.write("copy.safetensors", images=data.images, labels=data.labels, meta={**data.meta, "license": "mine"})
    copy = ganutils.read("copy.safetensors")
    assert (copy.meta["license"], copy.classes) == ("mine", ["0", "1", "2"])
    assert copy.meta["lineage"] == ["made by hand", "# ganutils.write, in Python"]


def test_the_suffix_chooses_the_format(ok, pictures):
    images = ganutils.read(pictures).images
    ganutils.write("a.png", images=images)
    ganutils.write("a.npy", images=images)
    ganutils.write("a.gif", images=images.reshape(3, 4, 8, 8, 1))
    ganutils.write("a/", images=images)
    ok("gan-gif", pictures, "-o", "b.png", "-q")
    assert np.array_equal(Image.open("a.png"), Image.open("b.png"))
    assert np.array_equal(np.load("a.npy"), images)
    assert Image.open("a.gif").n_frames == 3
    assert len(os.listdir("a")) == len(images)


def test_writing_to_what_was_read_leaves_the_file_alone(pictures):
    before = digest(pictures)
    ganutils.read(pictures).images[:] = 0
    assert digest(pictures) == before


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"images": np.zeros((2, 4, 4, 1))}, r"images: are float64 \[2, 4, 4, 1\]; give uint8 of shape \[N, H, W\]"),
        ({"images": np.zeros((2, 4, 4, 2), "u1")}, r"images: are uint8 \[2, 4, 4, 2\]; give"),
        ({"points": np.zeros((2, 1)), "labels": [0.5, 1]}, "labels: are float64; give int64"),
        ({"points": np.zeros((2, 1)), "labels": [0, 1, 1]}, "labels"),
        ({"labels": [0]}, "a.safetensors: "),
        ({"signals": np.zeros((2, 9))}, "sample_rate: sounds need one; give a whole number in Hz, 1 to 1,048,576"),
        ({"signals": np.zeros((2, 9)), "sample_rate": 8e3}, "sample_rate: is 8000.0; give a whole number"),
        ({"signals": np.zeros((2, 9)), "sample_rate": 0}, "sample_rate: is 0; give"),
        ({"signals": np.zeros((2, 9), "i2"), "sample_rate": 8000}, r"signals: are int16 \[2, 9, 1\]; give floats of"),
        ({"signals": np.zeros((2, 9, 3)), "sample_rate": 8000}, r"signals: are float64 \[2, 9, 3\]; give floats of"),
        ({"signals": np.full((2, 9), np.nan), "sample_rate": 8000}, "signals: have numbers that are NaN or outside -1"),
        ({"signals": np.full((2, 9), 1.5), "sample_rate": 8000}, "signals: have numbers that are NaN or outside -1..1"),
        ({"points": np.zeros((2, 2)), "sample_rate": 8000}, "sample_rate: is of sounds; give signals"),
    ],
)
def test_arrays_that_cannot_be_written_are_errors(tmp_path, arrays, message):
    with pytest.raises(ganutils.Error, match=message):
        ganutils.write("a.safetensors", **arrays)
    assert os.listdir(tmp_path) == []


def test_a_sheet_is_the_page_that_the_commands_draw(ok, pictures):
    images = ganutils.read(pictures).images
    ok("gan-gif", pictures, "--grid", "4x3", "--scale", 2, "--gap", 1, "-o", "a.png", "-q")
    page = ganutils.sheet(images, grid=(4, 3), scale=2, gap=1)
    assert np.array_equal(page, Image.open("a.png"))
    assert page._repr_png_().startswith(b"\x89PNG")
    assert np.array_equal(ganutils.sheet(images[..., 0]), ganutils.sheet(images))


# --------------------------------------------------------------------------------------------------- training


@pytest.mark.parametrize(
    ("settings", "options"),
    [
        ({}, []),
        ({"conditional": True, "d_lr": 0.01, "d_updates": 2}, ["--conditional", "--d-lr", 0.01, "--d-updates", 2]),
        ({"decay": (1, 3), "augment": "translate,cutout"}, ["--decay", "1:3", "--augment", "translate,cutout"]),
        ({"preset": "wgan-gp2017", "seed": 7}, ["--preset", "wgan-gp2017", "--seed", 7]),
    ],
)
def test_a_run_gives_the_checkpoint_of_gan_loop(ok, pictures, settings, options):
    run = ganutils.Run(pictures, **SETTINGS, **settings)
    log = run.train(3)
    run.save("python.ckpt")
    ok("gan-loop", pictures, *TINY, *options, "--steps", 3, "-o", "loop.ckpt", "--log", "run.jsonl", "-q")
    assert digest("python.ckpt") == digest("loop.ckpt")
    assert (run.step, run.config.width, [line["step"] for line in log]) == (3, 2, [3])


def test_a_run_goes_on_by_hand_and_from_a_checkpoint(ok, pictures):
    run = ganutils.Run(pictures, **SETTINGS, d_updates=2)
    run.train(1)
    run.save("one.ckpt")
    run = ganutils.Run(pictures, checkpoint="one.ckpt")
    run.train_d()
    run.train_g()
    run.train(1)
    run.save("three.ckpt")
    ok("gan-loop", pictures, *TINY, "--d-updates", 2, "--steps", 3, "-o", "loop.ckpt", "-q")
    assert digest("three.ckpt") == digest("loop.ckpt")


def test_an_array_trains_as_the_file_that_holds_it(ok, tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (12, 8, 8), np.uint8)
    ganutils.write("images.safetensors", images=images)
    for name, data in (("array.ckpt", images), ("file.ckpt", tmp_path / "images.safetensors")):
        run = ganutils.Run(data, **SETTINGS)
        run.train(2)
        run.save(name)
    assert digest("array.ckpt") == digest("file.ckpt")
    points = ganutils.Run(np.zeros((12, 2)), arch="mlp", **SETTINGS)
    assert points.generator(points.generator.latents(3)).shape == (3, 2)


def test_an_array_of_sounds_trains_a_generator_of_sounds(ok, tmp_path):
    signals = np.random.default_rng(0).uniform(-1, 1, (12, 100, 1)).astype(np.float32)
    ganutils.write("sounds.safetensors", signals=signals, sample_rate=8000)
    run = ganutils.Run(signals, sample_rate=8000, **SETTINGS)
    run.train(2)
    run.save("array.ckpt")
    ok("gan-loop", "sounds.safetensors", *TINY, "--steps", 2, "-o", "file.ckpt", "-q")
    assert digest("array.ckpt") == digest("file.ckpt")
    ok("gan-sample", "file.ckpt", "-n", 6, "-o", "six.safetensors")
    generator = ganutils.Generator("file.ckpt")
    made = generator(generator.latents(6).reshape(2, 3, 4))
    assert (made.dtype, made.shape, generator.shape) == (np.float32, (2, 3, 100, 1), (100, 1))
    np.testing.assert_allclose(made.reshape(6, 100, 1), ganutils.read("six.safetensors").signals, atol=1e-6)
    assert generator.sample_rate == run.generator.sample_rate == 8000
    ganutils.write("six.wav", signals=made[0], sample_rate=generator.sample_rate)
    assert (tmp_path / "six.wav").read_bytes().startswith(b"RIFF")


def test_arrays_that_cannot_be_trained_on_say_why(pictures):
    with pytest.raises(ganutils.Error, match=r"data: is float64 \[9, 8, 8\]; give sounds as floats \[N, T, C\]"):
        ganutils.Run(np.zeros((9, 8, 8)))
    with pytest.raises(ganutils.Error, match="sample_rate: sounds need one"):
        ganutils.Run(np.zeros((9, 64, 1)))
    with pytest.raises(ganutils.Error, match="sample_rate: is of an array of sounds"):
        ganutils.Run(pictures, sample_rate=8000)


def test_progress_is_told(pictures):
    told = []
    ganutils.Run(pictures, **SETTINGS).train(60, tell=told.append)
    assert [line.step for line in told] == [50, 60]
    assert str(told[0]).startswith("step 50")


def test_an_interrupt_ends_after_a_whole_step(ok, pictures):
    run = ganutils.Run(pictures, **SETTINGS)
    timer = threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        run.train(1_000_000)
    done = run.step
    assert 0 < done < 1_000_000
    run.train(2)
    run.save("python.ckpt")
    ok("gan-loop", pictures, *TINY, "--steps", done + 2, "-o", "loop.ckpt", "-q")
    assert digest("python.ckpt") == digest("loop.ckpt")


def test_training_and_sampling_leave_the_arithmetic_of_the_caller_alone(pictures):
    run = ganutils.Run(pictures, **SETTINGS)
    run.train(1)
    run.train_d()
    run.generator(run.generator.latents(2))
    run.save("gan.ckpt")
    ganutils.Generator("gan.ckpt")
    smallest = np.float32(1e-45)
    assert smallest + np.float32(0) > 0


def test_a_run_trains_in_a_thread(pictures):
    run = ganutils.Run(pictures, **SETTINGS)
    thread = threading.Thread(target=run.train, args=(2,))
    thread.start()
    thread.join()
    assert run.step == 2


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"widht": 2}, "there is no setting 'widht'"),
        ({"width": 0}, "width is 0, not from 1 to 4096"),
        ({"preset": "modem"}, "there is no preset 'modem'"),
        ({"loss": "wgan", "smooth": 0.9}, "--smooth"),
        ({"decay": (5, 1)}, "decay is"),
    ],
)
def test_settings_that_cannot_be_are_errors(pictures, settings, message):
    with pytest.raises(ganutils.Error, match=message):
        ganutils.Run(pictures, **settings)


# --------------------------------------------------------------------------------------------------- sampling


def test_a_generator_gives_the_samples_of_gan_sample(ok, checkpoint):
    generator = ganutils.Generator(checkpoint)
    ok("gan-sample", checkpoint, "-n", 70, "--seed", 3, "-o", "samples.safetensors")
    samples = ganutils.read("samples.safetensors")
    z = generator.latents(70, seed=3)
    assert np.array_equal(z, samples.latents)
    assert np.array_equal(generator(z), samples.images)
    assert (generator.z_dim, generator.shape, generator.classes, generator.step) == (4, (8, 8, 1), [], 1)
    film = generator(z.reshape(7, 10, 4))
    assert film.shape == (7, 10, 8, 8, 1)
    assert np.array_equal(film.reshape(70, 8, 8, 1), samples.images)


def test_the_generator_of_a_run_is_a_copy_of_it_as_it_is(pictures):
    run = ganutils.Run(pictures, **SETTINGS)
    run.train(1)
    before = run.generator
    z = before.latents(4)
    images = before(z)
    run.save("gan.ckpt")
    run.train(20)
    assert np.array_equal(before(z), images)
    assert np.array_equal(ganutils.Generator("gan.ckpt")(z), images)
    assert not np.array_equal(run.generator(z), images)
    assert (before.step, run.generator.step) == (1, 21)


def test_a_conditional_generator_takes_labels(ok, tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (12, 8, 8, 1), np.uint8)
    ganutils.write("data.safetensors", images=images, labels=np.arange(12) % 2, classes=["cat", "dog"])
    run = ganutils.Run("data.safetensors", conditional=True, **SETTINGS)
    run.train(20)
    run.save("gan.ckpt")
    generator = ganutils.Generator("gan.ckpt")
    z = generator.latents(6)
    ok("gan-sample", "gan.ckpt", "-n", 6, "-o", "all.safetensors")
    ok("gan-sample", "gan.ckpt", "-n", 6, "--label", "dog", "-o", "dogs.safetensors")
    dogs = ganutils.read("dogs.safetensors").images
    assert generator.classes == run.generator.classes == ["cat", "dog"]
    assert np.array_equal(generator(z), ganutils.read("all.safetensors").images)
    assert np.array_equal(generator(z, "dog"), dogs)
    assert np.array_equal(generator(z, 1), dogs)
    assert np.array_equal(generator(z, [1] * 6), dogs)
    with pytest.raises(ganutils.Error, match="labels: there is no class 'cow'; the classes are cat, dog"):
        generator(z, "cow")
    with pytest.raises(ganutils.Error, match="labels: go from 2 to 2; the classes are 0 to 1"):
        generator(z, 2)


def test_what_a_generator_cannot_take_is_an_error(checkpoint, pictures):
    generator = ganutils.Generator(checkpoint)
    with pytest.raises(ganutils.Error, match=r"latents: have shape \[3, 5\]; give \[..., 4\], as .latents\(\) does"):
        generator(np.zeros((3, 5)))
    with pytest.raises(ganutils.Error, match="labels: the generator has no classes; train one with conditional=True"):
        generator(generator.latents(3), 0)
    with pytest.raises(ganutils.Error, match=f"{pictures}: holds samples"):
        ganutils.Generator(pictures)
