"""gan-export: graphs that give what gan-sample gives, and pages as a visitor uses them."""

import json
import os
import re
import shutil
import subprocess
import sys

import numpy as np
import pytest
from conftest import BIN, ROOT, TINY

from ganutils.files import container

onnxruntime = pytest.importorskip("onnxruntime")
pytest.importorskip("onnxscript")

NASTY = '</script><b>"quoted"</b>'
MODELS = [
    ["--conditional", "--hidden", "3"],
    *(
        pytest.param(model, marks=pytest.mark.soak)
        for model in (
            ["--arch", "mlp"],
            ["--arch", "resnet", "--conditional"],
            ["--arch", "krohn", "--conditional"],
            ["--preset", "dcgan2016"],
            ["--preset", "quickdraw2019"],
            ["--preset", "wgan-gp2017"],
        )
    ),
]


def run_graph(path, **inputs):
    session = onnxruntime.InferenceSession(path.read_bytes(), providers=["CPUExecutionProvider"])
    return session.run(None, inputs)[0]


def meta_of(path):
    import onnx

    return {entry.key: entry.value for entry in onnx.load(str(path)).metadata_props}


@pytest.mark.parametrize("model", MODELS)
def test_a_graph_gives_the_samples_of_gan_sample_for_any_batch(ok, pictures, content, tmp_path, model):
    ok("gan-loop", pictures, *TINY, *model, "--steps", 2, "-o", "g.ckpt", "-q")
    ok("gan-sample", "g.ckpt", "-n", 5, "-o", "five.safetensors", "-q")
    ok("gan-export", "g.ckpt", "-o", "g.onnx", "-q")
    _, samples = content("five.safetensors")
    inputs = {name: samples[name] for name in ("latents", "labels") if name in samples}
    images = run_graph(tmp_path / "g.onnx", **inputs).transpose(0, 2, 3, 1)
    assert images.min() >= 0 and images.max() <= 1
    assert np.abs(255 * images - samples["images"]).max() <= 0.51  # gan-sample rounds


TRANSLATORS = [
    ["--arch", "unet"],
    pytest.param(["--arch", "hourglass", "--g-norm", "none", "--conditional"], marks=pytest.mark.soak),
    pytest.param(["--arch", "enlarge", "--patch", "0"], marks=pytest.mark.soak),
]


@pytest.fixture
def pairs(tmp_path):
    """Twelve pairs, gray to color, with labels, in pairs.safetensors; gives the file's name."""
    random = np.random.default_rng(0)
    images, inputs = (random.integers(0, 256, (12, 8, 8, c), np.uint8) for c in (3, 1))
    tensors = {"images": images, "inputs": inputs, "labels": np.arange(12) % 3}
    container.write(str(tmp_path / "pairs.safetensors"), "samples", tensors, {"classes": ["a", NASTY, "c"]})
    return "pairs.safetensors"


@pytest.mark.parametrize("model", TRANSLATORS)
def test_a_graph_translates_pictures_of_any_size(ok, pairs, content, tmp_path, model):
    ok("gan-loop", pairs, "--width", 2, "--batch", 4, *model, "--steps", 2, "-o", "g.ckpt", "-q")
    for given in (pairs, "odd.safetensors"):
        ok("gan-data", pairs, "--size", "13x7", "-o", "odd.safetensors", "-q")
        ok("gan-sample", "g.ckpt", "--inputs", given, "-o", "made.safetensors", "-q")
        ok("gan-export", "g.ckpt", "-o", "g.onnx", "-q") if given == pairs else None
        _, made = content("made.safetensors")
        inputs = {"inputs": made["inputs"].transpose(0, 3, 1, 2) / np.float32(255)}
        inputs |= {"labels": made["labels"]} if "--conditional" in model else {}
        images = run_graph(tmp_path / "g.onnx", **inputs).transpose(0, 2, 3, 1)
        assert images.shape == made["images"].shape
        assert np.abs(255 * images - made["images"]).max() <= 0.51
    assert meta_of(tmp_path / "g.onnx")["inputs"] == "[8, 8, 1]"


@pytest.mark.parametrize("model", TRANSLATORS)
def test_a_discriminator_of_pairs_takes_both(ok, pairs, content, tmp_path, model):
    import torch

    from ganutils.networks.condition import Condition
    from ganutils.networks.weights import load_discriminator

    ok("gan-loop", pairs, "--width", 2, "--batch", 4, *model, "--sees", "pair", "--steps", 2, "-o", "g.ckpt", "-q")
    ok("gan-export", "g.ckpt", "--discriminator", "-o", "d.onnx", "-q")
    tensors = content(pairs)[1]
    both = {name: tensors[name].transpose(0, 3, 1, 2) / np.float32(255) for name in ("images", "inputs")}
    labels = {"labels": tensors["labels"]} if "--conditional" in model else {}
    x, inputs = (torch.from_numpy(both[name] * 2 - 1) for name in ("images", "inputs"))
    with container.read(str(tmp_path / "g.ckpt")) as file:
        ours = load_discriminator(file)[0](x, Condition(*map(torch.from_numpy, labels.values()), inputs=inputs))
    assert run_graph(tmp_path / "d.onnx", **both, **labels) == pytest.approx(ours.numpy(), abs=1e-3)


def test_points_come_in_their_own_units(ok, content, tmp_path):
    ok("gan-data", "toy:ring", "--limit", 50, "-o", "ring.safetensors")
    ok("gan-loop", "ring.safetensors", *TINY, "--steps", 2, "-o", "g.ckpt", "-q")
    ok("gan-sample", "g.ckpt", "-n", 5, "-o", "five.safetensors")
    said = ok("gan-export", "g.ckpt", "-o", "g.onnx").lines
    assert said == ["latents -> points"]
    _, samples = content("five.safetensors")
    assert run_graph(tmp_path / "g.onnx", latents=samples["latents"]) == pytest.approx(samples["points"], abs=1e-4)


@pytest.fixture
def sounds(ok, tmp_path):
    """A GAN on stereo sounds of two classes, after two steps, in g.ckpt; gives the name of its data."""
    signals = np.random.default_rng(0).uniform(-1, 1, (12, 250, 2)).astype(np.float32)
    meta = {"sample_rate": 8000, "classes": ["a", NASTY]}
    tensors = {"signals": signals, "labels": np.arange(12) % 2}
    container.write(str(tmp_path / "sounds.safetensors"), "samples", tensors, meta)
    model = ("--arch", "wave", *TINY, "--phase-shuffle", 2, "--conditional")
    ok("gan-loop", "sounds.safetensors", *model, "--steps", 2, "-o", "g.ckpt", "-q")
    return "sounds.safetensors"


def test_graphs_of_sounds(ok, sounds, content, tmp_path):
    import torch

    from ganutils.networks.condition import Condition
    from ganutils.networks.weights import load_discriminator

    ok("gan-sample", "g.ckpt", "-n", 5, "-o", "five.safetensors", "-q")
    assert ok("gan-export", "g.ckpt", "-o", "g.onnx").lines == ["latents, labels -> signals"]
    assert ok("gan-export", "g.ckpt", "--discriminator", "-o", "d.onnx").lines == ["signals, labels -> logits"]
    _, samples = content("five.safetensors")
    made = run_graph(tmp_path / "g.onnx", **{name: samples[name] for name in ("latents", "labels")})
    assert made.transpose(0, 2, 1) == pytest.approx(samples["signals"], abs=1e-4)
    assert meta_of(tmp_path / "g.onnx")["sample_rate"] == "8000"
    with container.read(str(tmp_path / "g.ckpt")) as file:
        given = Condition(torch.from_numpy(samples["labels"]))
        ours = load_discriminator(file)[0](torch.from_numpy(made), given)
    assert run_graph(tmp_path / "d.onnx", signals=made, labels=samples["labels"]) == pytest.approx(ours, abs=1e-3)


def test_a_discriminator_gives_the_logits_of_ours(ok, pictures, content, tmp_path):
    import torch

    from ganutils.networks.weights import load_discriminator

    ok("gan-loop", pictures, *TINY, "--steps", 2, "-o", "g.ckpt", "-q")
    ok("gan-export", "g.ckpt", "--discriminator", "-o", "d.onnx", "-q")
    images = content(pictures)[1]["images"].transpose(0, 3, 1, 2) / np.float32(255)
    with container.read(str(tmp_path / "g.ckpt")) as file:
        ours = load_discriminator(file)[0](torch.from_numpy(images * 2 - 1))
    assert run_graph(tmp_path / "d.onnx", images=images) == pytest.approx(ours.numpy(), abs=1e-3)


def test_the_same_checkpoint_gives_the_same_bytes_which_name_no_path(ok, checkpoint, tmp_path):
    first, second = tmp_path / "one.onnx", tmp_path / "two.onnx"
    ok("gan-export", checkpoint, "-o", first.name, "-q")
    words = [sys.executable, str(BIN / "gan-export"), checkpoint, "-o", second.name, "-q"]
    subprocess.run(words, cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(BIN.parent)}, check=True)
    assert first.read_bytes() == second.read_bytes()
    assert str(BIN.parent).encode() not in first.read_bytes()
    assert b"site-packages" not in first.read_bytes()
    meta = meta_of(first)
    assert (meta["kind"], meta["step"], meta["arch"], meta["z_dim"]) == ("generator", "1", "dcgan", "4")
    assert len(meta["sha256"]) == 64


def test_the_python_of_the_docs_runs(ok, pictures, tmp_path):
    ok("gan-loop", pictures, *TINY, "--conditional", "--steps", 1, "-o", "g.ckpt", "-q")
    ok("gan-export", "g.ckpt", "-o", "digits.onnx", "-q")
    code = re.search(r"```python\n(.*?)```", (ROOT / "docs" / "export.md").read_text(), re.DOTALL)[1]
    lines = [sys.executable, "-c", f"{code}\nprint(image.shape)"]
    assert subprocess.check_output(lines, cwd=tmp_path, text=True) == "(1, 8, 8)\n"


def test_what_cannot_be_exported_says_why(ok, fails, pictures, checkpoint, tmp_path):
    ok("gan-loop", pictures, *TINY, "--steps", 1, "--snapshots", "shots", "--every", 1, "-o", "g.ckpt", "-q")
    line = fails("gan-export", "shots/step-000001.safetensors", "--discriminator", "-o", "d.onnx")
    assert "a snapshot holds only the generator" in line
    line = fails("gan-export", pictures, "-o", "d.onnx")
    assert line == "gan-export: data.safetensors: holds samples; give checkpoints or extractors"
    assert fails("gan-export", checkpoint, "-o", "g.pb").endswith("g.pb: cannot write this format; use .onnx .html")
    assert "--along has no effect" in fails("gan-export", checkpoint, "--along", "x", "-o", "g.onnx", code=2)
    assert "--discriminator has no effect" in fails("gan-export", checkpoint, "--discriminator", "-o", "g.html", code=2)
    ok("gan-data", "toy:ring", "--limit", 9, "-o", "ring.safetensors")
    ok("gan-loop", "ring.safetensors", *TINY, "--steps", 1, "-o", "ring.ckpt", "-q")
    line = fails("gan-export", "ring.ckpt", "--along", "0", "-o", "g.html", code=2)
    assert line == "gan-export: --along has no effect on points (see gan-export --help)"
    assert not list(tmp_path.glob("*.onnx"))


def test_without_its_packages_the_message_says_what_to_install(start, checkpoint, tmp_path):
    (tmp_path / "hidden").mkdir()
    (tmp_path / "hidden" / "onnxscript.py").write_text("raise ImportError('hidden')")
    words = [sys.executable, str(BIN / "gan-export"), checkpoint, "-o", "g.onnx"]
    env = {**os.environ, "PYTHONPATH": f"{tmp_path / 'hidden'}:{BIN.parent}"}
    done = subprocess.run(words, cwd=tmp_path, env=env, capture_output=True, text=True)
    needs = "needs onnx, onnxscript and onnxruntime; run: pip install 'ganutils[export]'"
    assert (done.returncode, done.stderr) == (1, f"gan-export: {checkpoint}: {needs}\n")


def test_a_damaged_runtime_is_refused(fails, checkpoint, web_runtime, tmp_path):
    shutil.copytree(web_runtime, tmp_path / "web")
    with open(tmp_path / "web" / "ort.wasm.bundle.min.mjs", "ab") as file:
        file.write(b"\n")
    line = fails("gan-export", checkpoint, "--runtime", "web", "-o", "g.html")
    assert line.startswith("gan-export: web: its ort.wasm.bundle.min.mjs is not that of onnxruntime-web ")
    (tmp_path / "package.tgz").write_bytes(b"no archive")
    line = fails("gan-export", checkpoint, "--runtime", "package.tgz", "-o", "g.html")
    assert line == "gan-export: package.tgz: damaged, cut short, or not a tar file"
    assert not (tmp_path / "g.html").exists()


# ------------------------------------------------------------------------------------------------------ pages


PIXELS = """(canvas) => {
  const context = canvas.getContext("2d");
  return [...context.getImageData(0, 0, canvas.width, canvas.height).data].filter((_, i) => i % 4 === 0);
}"""


@pytest.fixture
def open_page(visit):
    def ready(name, **how):
        page = visit(name, **how)
        page.wait_for_selector("#status:empty", state="attached", timeout=60_000)
        return page

    return ready


def export_page(ok, web_runtime, source, *more):
    ok("gan-export", source, "--runtime", web_runtime, "-o", "page.html", "-q", *more)


def settle(page):
    """Until what was asked for is drawn."""
    page.wait_for_selector("body[aria-busy=false]")


def test_what_a_page_shows_is_what_gan_sample_makes_of_the_latents_it_saves(
    ok,
    pictures,
    tmp_path,
    content,
    web_runtime,
    open_page,
):
    ok(
        "gan-loop",
        pictures,
        "--width",
        8,
        "--z-dim",
        4,
        "--batch",
        4,
        "--conditional",
        "--steps",
        3,
        "-o",
        "g.ckpt",
        "-q",
    )
    container.write(
        str(tmp_path / "smile.safetensors"), "latents", {"latents": np.ones((1, 4), "f4")}, {"names": [NASTY]}
    )
    export_page(ok, web_runtime, "g.ckpt", "--along", "smile.safetensors", "--heading", NASTY)
    page = open_page("page.html")
    assert page.text_content("#heading") == NASTY
    assert page.text_content("#named .slider span") == NASTY
    assert page.locator("#main input").count() == 4  # as many as the latents have numbers
    before = page.locator("#picture").evaluate(PIXELS)
    page.click("#classes >> text=2")
    page.locator("#named input").fill("1.5")
    page.locator("#main input").first.fill("-2.1")
    settle(page)
    shown = page.locator("#picture").evaluate(PIXELS)
    assert shown != before
    with page.expect_download() as download:
        page.click("#latents")
    download.value.save_as(tmp_path / "latents.json")
    ok("gan-sample", "g.ckpt", "--latents", "latents.json", "-o", "one.safetensors", "-q")
    _, samples = content("one.safetensors")
    assert samples["labels"].tolist() == [2]
    assert np.abs(samples["images"].reshape(-1).astype(float) - shown).mean() <= 1
    page.click("#grid")
    page.click("#reset")
    settle(page)
    assert page.locator("#picture").evaluate("canvas => [canvas.width, canvas.height]") == [32, 32]
    page.click("#play")
    page.click("#play")
    settle(page)
    assert page.locator("#play").get_attribute("aria-pressed") == "false"
    with page.expect_download() as download:
        page.click("#save")
    assert download.value.suggested_filename == "samples.png"


def test_a_page_of_sounds_plays_what_gan_sample_makes_of_the_latents_it_saves(
    ok, sounds, tmp_path, content, web_runtime, open_page
):
    export_page(ok, web_runtime, "g.ckpt")
    page = open_page("page.html")
    assert page.text_content("#heading") == "Sounds of a generator"
    assert page.evaluate("audio") is None, "nothing plays by itself"
    before = page.locator("#picture").evaluate(PIXELS)
    page.click("#classes button >> nth=1")
    settle(page)
    assert page.locator("#picture").evaluate(PIXELS) != before
    page.click("#hear")
    page.wait_for_function("audio.state === 'running'")
    with page.expect_download() as download:
        page.click("#latents")
    download.value.save_as(tmp_path / "latents.json")
    ok("gan-sample", "g.ckpt", "--latents", "latents.json", "-o", "one.safetensors", "-q")
    (expected,) = content("one.safetensors")[1]["signals"]
    played = "[source.buffer.sampleRate, ...[0, 1].map((c) => [...source.buffer.getChannelData(c)])]"
    rate, *channels = page.evaluate(played)
    assert rate == 8000
    assert np.transpose(channels) == pytest.approx(expected, abs=0.01)  # weights of a page are float16
    page.click("#grid")
    settle(page)
    box = page.locator("#picture").bounding_box()
    page.locator("#picture").click(position={"x": 0.3 * box["width"], "y": 0.3 * box["height"]})
    first = page.evaluate("[source.buffer.getChannelData(1)[7], sounds[(2 * 5 + 1) * 250 + 7]]")
    assert first[0] == first[1], "the sixth of the sixteen"


def test_a_classifier_of_sounds_is_a_graph_and_no_page(ok, fails, tmp_path, web_runtime):
    import torch

    from ganutils.networks import classifier

    network = classifier.seeded((300, 1), 3).eval()
    classifier.write(str(tmp_path / "c.safetensors"), network, {"classes": ["a", "b", "c"]})
    ok("gan-export", "c.safetensors", "-o", "c.onnx", "-q")
    sounds = np.random.default_rng(0).uniform(-1, 1, (5, 1, 300)).astype(np.float32)
    with torch.inference_mode():
        shares = network(torch.from_numpy(sounds)).softmax(1)
    assert run_graph(tmp_path / "c.onnx", signals=sounds) == pytest.approx(shares.numpy(), abs=1e-4)
    line = fails("gan-export", "c.safetensors", "--runtime", web_runtime, "-o", "c.html")
    assert line == "gan-export: c.safetensors: classifies sounds, which nobody can draw; export it as .onnx"


def test_rates_that_browsers_do_not_play_get_no_page(ok, fails, tmp_path, web_runtime):
    signals = np.zeros((8, 64, 1), np.float32)
    container.write(str(tmp_path / "s.safetensors"), "samples", {"signals": signals}, {"sample_rate": 4000})
    ok("gan-loop", "s.safetensors", "--arch", "wave", *TINY, "--steps", 0, "-o", "g.ckpt", "-q")
    line = fails("gan-export", "g.ckpt", "--runtime", web_runtime, "-o", "g.html")
    assert line == "gan-export: g.ckpt: browsers play 8,000 to 96,000 Hz, not 4,000; export it as .onnx"


def test_a_page_of_points_shows_them_over_the_discriminator(ok, tmp_path, web_runtime, open_page):
    ok("gan-data", "toy:ring", "--limit", 200, "-o", "ring.safetensors")
    ok("gan-loop", "ring.safetensors", "--width", 16, "--steps", 2, "-o", "g.ckpt", "-q")
    export_page(ok, web_runtime, "g.ckpt")
    page = open_page("page.html", color_scheme="dark", viewport={"width": 360, "height": 640})
    told = page.text_content("#where")
    assert told.startswith("The large point: ")
    page.locator("#main input").first.fill("-3")
    settle(page)
    assert page.text_content("#where") != told
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_a_page_of_a_classifier_answers_while_one_draws(ok, tmp_path, web_runtime, open_page):
    images = np.zeros((60, 16, 16, 1), np.uint8)
    images[::2, 2:14, 7:9] = 255  # upright strokes
    images[1::2, 7:9, 2:14] = 255  # and flat ones
    tensors = {"images": images, "labels": np.arange(60) % 2}
    container.write(str(tmp_path / "s.safetensors"), "samples", tensors, {"classes": ["upright", "flat"]})
    ok("gan-eval", "s.safetensors", "s.safetensors", "--root", "kept", "-q")
    kept = next((tmp_path / "kept" / "extractors").iterdir())
    export_page(ok, web_runtime, kept.relative_to(tmp_path))
    page = open_page("page.html")
    assert page.locator("#answers li span:first-child").all_text_contents() == ["upright", "flat"]

    def draw_stroke(*ends):
        box = page.locator("#drawing").bounding_box()
        (x0, y0), (x1, y1) = ((box["x"] + u * box["width"], box["y"] + v * box["height"]) for u, v in ends)
        page.mouse.move(x0, y0)
        page.mouse.down()
        page.mouse.move(x1, y1, steps=5)
        page.mouse.up()
        settle(page)
        return page.text_content("#answers .best span:first-child")

    assert draw_stroke((0.5, 0.2), (0.5, 0.8)) == "upright"
    page.click("#clear")
    assert draw_stroke((0.2, 0.5), (0.8, 0.5)) == "flat"
    page.click("#undo")
    page.click("#undo")
    settle(page)
    assert page.text_content("#answers .best span:first-child") == "upright"


def test_a_page_translates_while_one_draws(ok, pairs, content, tmp_path, web_runtime, open_page):
    random = np.random.default_rng(0)
    drawn = np.full((9, 16, 24, 1), 255, np.uint8)
    drawn[:, 4:9, 3:14] = random.integers(0, 2, (9, 5, 11, 1), np.uint8) * 255
    images = random.integers(0, 256, (9, 16, 24, 3), np.uint8)
    tensors = {"images": images, "inputs": drawn, "labels": np.arange(9) % 2}
    container.write(str(tmp_path / "drawn.safetensors"), "samples", tensors, {"classes": ["a", NASTY]})
    model = ("--arch", "enlarge", "--blocks", 1, "--conditional", "--width", 4, "--batch", 4)
    ok("gan-loop", "drawn.safetensors", *model, "--steps", 2, "-o", "g.ckpt", "-q")
    export_page(ok, web_runtime, "g.ckpt", "--inputs", "drawn.safetensors", "--heading", NASTY)
    page = open_page("page.html", color_scheme="dark", viewport={"width": 360, "height": 640})
    assert page.text_content("#heading") == NASTY
    colors = [one.get_attribute("title") for one in page.locator("#palette button").all()]
    assert colors == ["#ffffff", "#000000"]
    assert page.locator("#examples button").count() == 8
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    empty = page.locator("#picture").evaluate(PIXELS)

    page.locator("#examples button").nth(3).click()
    page.click("#classes button >> nth=1")
    settle(page)
    ok("gan-sample", "g.ckpt", "--inputs", "drawn.safetensors", "--label", NASTY, "-o", "made.safetensors")
    made = content("made.safetensors")[1]["images"][3, :, :, 0]
    shown = np.array(page.locator("#picture").evaluate(PIXELS)).reshape(made.shape)
    assert np.abs(shown - made.astype(int)).mean() <= 1

    page.click("#clear")
    settle(page)
    page.click("#classes button >> nth=0")
    settle(page)
    assert page.locator("#picture").evaluate(PIXELS) == empty
    page.click("#box")
    page.locator("#drawing").scroll_into_view_if_needed()
    box = page.locator("#drawing").bounding_box()
    page.mouse.move(box["x"] + 10, box["y"] + 10)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 0.5 * box["height"], steps=3)
    page.mouse.up()
    settle(page)
    assert page.locator("#picture").evaluate(PIXELS) != empty
    page.click("#undo")
    settle(page)
    assert page.locator("#picture").evaluate(PIXELS) == empty

    ok("gan-data", "drawn.safetensors", "--limit", 1, "--size", "30x20", "-o", "photo.png")
    page.locator("#open").set_input_files(tmp_path / "photo.png")
    page.wait_for_selector("#picture[width='30']")
    settle(page)
    assert page.locator("#picture").evaluate("canvas => [canvas.width, canvas.height]") == [30, 20]
    with page.expect_download() as download:
        page.click("#save")
    assert download.value.suggested_filename == "picture.png"


def test_a_page_of_one_direction(ok, domains, content, tmp_path, web_runtime, open_page):
    ok("gan-loop", domains, "--domains", "--width", 2, "--batch", 2, "--steps", 2, "-o", "g.ckpt", "-q")
    ok("gan-sample", "g.ckpt", "--inputs", domains, "-n", 2, "--to", "dark", "-o", "made.safetensors")
    made = content("made.safetensors")[1]["images"][1]
    export_page(ok, web_runtime, "g.ckpt", "--inputs", domains, "--to", "dark")
    page = open_page("page.html")
    page.locator("#examples button").nth(1).click()
    settle(page)
    assert not page.locator("#classes button").count()
    assert page.locator("#picture").evaluate("canvas => [canvas.width, canvas.height]") == [8, 8]
    first = "canvas => [...canvas.getContext('2d').getImageData(0, 0, 8, 8).data].filter((_, n) => n % 4 < 3)"
    shown = np.array(page.locator("#picture").evaluate(first)).reshape(made.shape)
    assert np.abs(shown - made.astype(int)).mean() <= 1


def test_what_no_page_can_show_of_translators(ok, fails, pairs, checkpoint, tmp_path):
    from test_translate import gan_of

    gan_of(shape=(8, 8, 3), inputs=(8, 8, 4)).write(str(tmp_path / "stack.ckpt"), {})
    gan_of(shape=(8, 8, 3), inputs=(8, 8, 1)).write(str(tmp_path / "g.ckpt"), {})
    (tmp_path / "web").mkdir()
    page = ("-o", "g.html")
    assert "--along has no effect" in fails("gan-export", "g.ckpt", "--along", "0", *page, code=2)
    assert "--inputs has no effect" in fails("gan-export", checkpoint, "--inputs", pairs, *page, code=2)
    assert "--inputs has no effect" in fails("gan-export", "g.ckpt", "--inputs", pairs, "-o", "g.onnx", code=2)


def test_colors_to_draw_with_are_those_of_the_examples():
    from ganutils.export.demo import PLAIN, palette

    labels = np.array([[0, 0, 170], [0, 0, 255], [255, 85, 0], [3, 3, 172]], np.uint8)[[0, 0, 0, 1, 1, 2, 3, 0, 0]]
    assert palette(labels.reshape(1, 3, 3, 3)) == ["#0000aa", "#0000ff", "#ff5500"]
    assert palette(np.zeros((2, 3, 3, 1), np.uint8)) == ["#000000"]
    assert palette(np.zeros((0, 3, 3, 1), np.uint8)) == PLAIN


def test_latents_as_json_that_are_none_are_one_line(fails, checkpoint, tmp_path):
    for text in (
        "[]",
        '{"latents": [[1, 2], [3]]}',
        '{"latents": [[1e999, 0, 0, 0]]}',
        "{" * 10_000,
        '{"latents": "x"}',
    ):
        (tmp_path / "z.json").write_text(text)
        line = fails("gan-sample", checkpoint, "--latents", "z.json", "-o", "x.png")
        assert (
            line
            == 'gan-sample: z.json: is not {"latents": [[...], ...], "labels": [...]}, which a page of gan-export saves'
        )
    (tmp_path / "z.json").write_text(json.dumps({"latents": [[0.0] * 5]}))
    assert "latents have 5 numbers" in fails("gan-sample", checkpoint, "--latents", "z.json", "-o", "x.png")
