"""Translators between two domains, as users meet them: which picture goes where, and back; and what goes wrong."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from test_translate import gan_of, noise, ran

from ganutils.files import container
from ganutils.files.npy import InColor
from ganutils.files.spool import parted
from ganutils.inference.translate import translate

NAMES = ["dark", "light"]


def cycle_of(shape=(16, 16, 3), **given):
    """A tiny pair of translators."""
    return gan_of(shape=shape, domains=2, **given)


@pytest.fixture
def cycle(tmp_path):
    """cycle("a", **cycle_of's) -> the file of a checkpoint of the domains dark and light, "a.ckpt", in tmp_path."""

    def write(name="cycle", step=0, classes=NAMES, **given):
        gan = cycle_of(**given)
        gan.updates["G"] = step
        gan.write(
            str(tmp_path / f"{name}.ckpt"),
            {"lineage": ["trained by hand"], **({"classes": classes} if classes else {})},
        )
        return f"{name}.ckpt"

    return write


def made_of(inputs, labels, **given):
    """What the translators into the domains of `labels` make of `inputs`, each alone."""
    gan = cycle_of(**given)
    networks = (gan.ema.back.eval(), gan.ema.there.eval())
    pairs = zip(inputs, labels, strict=True)
    made = [list(translate(networks[label], gan.config, picture[None])) for picture, label in pairs]
    return np.concatenate([chunk for chunks in made for chunk in chunks])


def near(x, y):
    """The batch that a picture is in may change how its numbers are rounded."""
    return x.shape == y.shape and np.abs(x.astype(int) - y).max() <= 1


# ---------------------------------------------------------------------------------------- gan-sample


def test_every_picture_goes_to_the_other_domain_by_its_name(ok, cycle, save, content):
    images, labels = noise(7, 16, 16, 3), np.array([0, 1, 2, 2, 1, 0, 0])
    photos = save(
        "photos", images=images, labels=labels, attributes=np.ones((7, 1), "f4"),
        classes=["light", "cloudy", "dark"], license="CC0",
    )  # fmt: skip
    ok("gan-sample", cycle(), "--inputs", photos, "-o", "out.safetensors")
    meta, out = content("out.safetensors")
    assert out.keys() == {"images", "inputs", "labels", "attributes"}
    assert out["labels"].tolist() == [0, 1, 1, 1, 1, 0, 0]  # of the results: cloudy becomes light
    assert (meta["classes"], meta["license"]) == (NAMES, "CC0")
    assert np.array_equal(out["inputs"], images)
    assert near(out["images"], made_of(images, out["labels"]))
    ok("gan-sample", "cycle.ckpt", "--inputs", photos, "--back", "-o", "back.safetensors")
    both = content("back.safetensors")[1]
    assert near(both.pop("back"), made_of(out["images"], 1 - out["labels"]))
    assert both.keys() == out.keys()
    assert all(np.array_equal(both[name], out[name]) for name in out)
    # given again, the labels are those of the results, and so of what their inputs become
    ok("gan-sample", "cycle.ckpt", "--inputs", "out.safetensors", "-o", "again.safetensors")
    again = content("again.safetensors")[1]
    assert np.array_equal(again["labels"], out["labels"])
    assert near(again["images"], out["images"])


@pytest.mark.parametrize(
    ("to", "label"), [([], 1), (["--to", "light"], 1), (["--to", "dark"], 0), (["--to", 0], 0), (["--to", 1], 1)]
)
def test_pictures_without_classes_become_the_second_or_any(ok, cycle, save, content, to, label):
    photos = save("photos", images=noise(3, 16, 16, 3))
    ok("gan-sample", cycle(), "--inputs", photos, *to, "-n", 2, "-o", "out.safetensors")
    out = content("out.safetensors")[1]
    assert out["labels"].tolist() == [label] * 2
    assert near(out["images"], made_of(noise(3, 16, 16, 3)[:2], [label] * 2))


def test_all_become_the_one_that_was_asked_for(ok, domains, content, cycle):
    ok("gan-sample", cycle(shape=(8, 8, 3)), "--inputs", domains, "--to", "dark", "-o", "out.safetensors")
    assert content("out.safetensors")[1]["labels"].tolist() == [0] * 11


def test_domains_without_names_have_numbers(ok, cycle, save, content):
    checkpoint = cycle(classes=None)
    photos = save("a", images=noise(2, 16, 16, 3), labels=np.arange(2))
    ok("gan-sample", checkpoint, "--inputs", photos, "-o", "o.safetensors")
    assert content("o.safetensors")[1]["labels"].tolist() == [1, 0]


@pytest.mark.parametrize("size", [(13, 7), (1, 1), (21, 40)], ids=str)
@pytest.mark.parametrize("arch", [{}, {"arch": "blocks", "blocks": 1}, {"arch": "hourglass"}], ids=str)
def test_there_and_back_at_any_size(size, arch):
    gan, inputs = cycle_of(**arch), noise(3, *size, 3)
    labels = np.array([1, 0, 1])
    both = ran(gan, inputs, labels=labels, has_back=True)
    assert both.shape == (3, 2, *size, 3)
    assert np.array_equal(both[:, 0], ran(gan, inputs, labels=labels))
    assert near(both[:, 1], ran(gan, both[:, 0], labels=1 - labels))


def test_there_and_back_in_tiles():
    gan, inputs, labels = cycle_of(g_norm="none"), noise(2, 70, 97, 3), np.array([1, 0])
    whole, tiled = (ran(gan, inputs, labels=labels, has_back=True, tile=tile) for tile in (0, 16))
    assert near(whole[:, 0], tiled[:, 0])
    assert near(tiled[:, 1], ran(gan, tiled[:, 0], labels=1 - labels))


@given(st.lists(st.integers(0, 1), max_size=30), st.lists(st.integers(1, 4), max_size=8))
def test_parts_can_be_read_in_any_order(turns, sizes):
    numbers = itertools.count()
    chunks = [np.array([[[next(numbers)], [100 + next(numbers)]] for _ in range(size)], np.uint8) for size in sizes]
    parts, found = parted(iter(chunks), 2), ([], [])
    for turn in turns:
        if (chunk := next(parts[turn], None)) is not None:
            found[turn].append(chunk)
    for number, part in enumerate(parts):
        found[number].extend(part)
        assert [chunk.tolist() for chunk in found[number]] == [chunk[:, number].tolist() for chunk in chunks]


def test_films_of_inputs_and_of_training(ok, fails, cycle, save, content, tmp_path):
    film = save("film", images=noise(3, 2, 16, 16, 3), frames=[{"step": n} for n in range(3)])
    early, late = cycle("early", step=1), cycle("late", step=20, loud=2.0)
    ok("gan-sample", early, "--inputs", film, "--to", "dark", "--back", "-o", "out.safetensors")
    meta, out = content("out.safetensors")
    assert out["images"].shape == out["back"].shape == (3, 2, 16, 16, 3)
    assert (out["labels"] == 0).all()
    assert [note["step"] for note in meta["frames"]] == [0, 1, 2]

    held = save("held", images=noise(4, 16, 16, 3), labels=np.array([0, 1, 0, 1]), classes=NAMES)
    ok("gan-sample", late, early, "--inputs", held, "-n", 3, "--back", "-o", "training.safetensors")
    meta, out = content("training.safetensors")
    assert {array.shape[:2] for array in out.values()} == {(2, 3)}
    assert [note["step"] for note in meta["frames"]] == [1, 20]
    for frame, loud in enumerate((3.0, 2.0)):
        assert near(out["images"][frame], made_of(noise(4, 16, 16, 3)[:3], [1, 0, 1], loud=loud))
        assert near(out["back"][frame], made_of(out["images"][frame], [0, 1, 0], loud=loud))
    ok("gan-gif", "training.safetensors", "-o", "a.gif")
    ok("gan-sample", late, early, "--inputs", held, "-n", 3, "--back", "-o", "b.gif")
    assert [Image.open(tmp_path / name).n_frames for name in ("a.gif", "b.gif")] == [2, 2]
    assert (tmp_path / "a.gif").read_bytes()[-200:] == (tmp_path / "b.gif").read_bytes()[-200:]
    assert "its domains are not those of early.ckpt; give checkpoints of the same ones" in fails(
        "gan-sample", early, cycle("turned", classes=NAMES[::-1]), "--inputs", held, "-o", "x.gif"
    )


def test_a_pipe_has_the_way_back_before_the_results(pipeline, cycle, save, content):
    cycle()
    save("held", images=noise(70, 16, 16, 3), labels=np.arange(70) % 2, classes=NAMES)
    line = "gan-sample cycle.ckpt --inputs - --back -q <held.safetensors"
    assert (
        pipeline(f"{line} | gan-data - -o out.safetensors -q && {line} | gan-gif --grid 2x3 -o sheet.png -q").code == 0
    )
    out = content("out.safetensors")[1]
    assert near(out["back"], made_of(out["images"], 1 - out["labels"]))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["cycle.ckpt", "--to", "gray"], "cycle.ckpt: has no class 'gray'; its classes are dark, light"),
        (["cycle.ckpt", "--to", "2"], "cycle.ckpt: has no class '2'; its classes are dark, light"),
        (["plain.ckpt", "--to", "dark"], "plain.ckpt: has no class 'dark'; its classes are 0 to 1"),
        (
            ["cycle.ckpt", "--label", "dark"],
            "cycle.ckpt: translates between dark and light; give one of them with --to, not --label",
        ),
        (["pix.ckpt", "--to", "dark"], "pix.ckpt: has no two domains for --to; train with --domains to have them"),
        (["pix.ckpt", "--back"], "pix.ckpt: has no two domains for --back; train with --domains to have them"),
        (
            ["cycle.ckpt", "pix.ckpt"],
            "pix.ckpt: makes other pictures than cycle.ckpt; give checkpoints of the same channels of both "
            "pictures, enlargement, and classes or domains",
        ),
        (
            ["gray.ckpt"],
            "photos.safetensors: its pictures have 3 channels, and gray.ckpt takes 1 channel; make such data "
            "with gan-data --channels 1",
        ),
    ],
)
def test_what_cannot_be_sampled_is_one_line(fails, cycle, save, tmp_path, words, said):
    cycle()
    cycle("plain", classes=None)
    cycle("gray", shape=(16, 16, 1))
    gan_of(inputs=(16, 16, 3)).write(str(tmp_path / "pix.ckpt"), {})
    photos = save("photos", images=noise(2, 16, 16, 3))
    assert fails("gan-sample", *words, "--inputs", photos, "-o", "x.png") == f"gan-sample: {said}"
    assert not (tmp_path / "x.png").exists()


# ------------------------------------------------------------------------------------------ gray as color


def test_gray_pictures_are_color_to_translators_of_color(ok, cycle, save, content, tmp_path):
    gray = noise(3, 9, 12, 1)
    photos = save("gray", images=gray)
    gan_of(inputs=(16, 16, 3)).write(str(tmp_path / "pix.ckpt"), {})
    for checkpoint, expected in ((cycle(), cycle_of), ("pix.ckpt", lambda: gan_of(inputs=(16, 16, 3)))):
        ok("gan-sample", checkpoint, "--inputs", photos, "-o", "out.safetensors")
        out = content("out.safetensors")[1]
        assert np.array_equal(out["inputs"], gray.repeat(3, 3))
        labels = np.ones(3, int) if checkpoint == "cycle.ckpt" else None
        assert near(out["images"], ran(expected(), gray.repeat(3, 3), labels=labels))
    import ganutils

    generator = ganutils.Generator(tmp_path / "pix.ckpt")
    assert np.array_equal(generator(inputs=gray), out["images"])
    assert np.array_equal(generator(inputs=gray[..., 0]), out["images"])


def test_gray_pictures_on_disk_too(save, tmp_path, monkeypatch):
    from ganutils.files import budget
    from ganutils.runs.inputs import open_inputs

    gray = noise(5, 16, 16, 1)
    name = save("gray", images=gray)
    monkeypatch.setattr(budget, "IN_MEMORY", 100)
    with open_inputs(str(tmp_path / name), 4) as inputs:
        inputs.suit(cycle_of().config, "cycle.ckpt")
        assert isinstance(inputs.pixels, InColor)
        assert np.array_equal(inputs.pixels[1:3], gray[1:3].repeat(3, 3))
        assert near(
            ran(cycle_of(), inputs.pixels, labels=np.ones(4, int)),
            ran(cycle_of(), gray[:4].repeat(3, 3), labels=np.ones(4, int)),
        )


# ----------------------------------------------------------------------------------------- what is shown


def test_columns_are_input_output_back_and_target(ok, fails, save, cycle, png):
    sets = {name: noise(2, 48, 48, 3, seed=seed) for seed, name in enumerate(("inputs", "images", "back", "targets"))}
    four = save("four", **sets)
    ok("gan-gif", four, "--show", "targets,back", "--column-labels", ",", "--grid", "1x2", "-o", "two.png")
    drawn = png("two.png")
    assert np.array_equal(drawn[:, :48], np.concatenate(sets["targets"]))
    assert np.array_equal(drawn[:, 48:96], np.concatenate(sets["back"]))
    ok("gan-gif", four, "-o", "all.png")
    ok("gan-gif", four, "--column-labels", "input,output,back,target", "-o", "same.png")
    assert np.array_equal(png("all.png"), png("same.png"))
    del sets["targets"]
    three = save("three", **sets)
    ok("gan-gif", three, "-o", "all.png")
    ok("gan-gif", three, "--column-labels", "input,output,back", "-o", "same.png")
    assert np.array_equal(png("all.png"), png("same.png"))
    assert "three.safetensors: has no targets to show; there are back, images, inputs" in fails(
        "gan-gif", three, "--show", "targets", "-o", "x.png"
    )
    ok("gan-info", three, "--preview", "preview.png")
    # a single picture has its way back beside it if that was asked for, and else stands alone
    ok("gan-sample", cycle(), "--inputs", three, "-n", 1, "--back", "-o", "one.png")
    assert png("one.png").shape[1] == 4 * 48  # its picture is the target
    ok("gan-sample", "cycle.ckpt", "--inputs", three, "-n", 1, "-o", "one.png")
    assert png("one.png").shape[:2] == (48, 48)


def test_gan_sample_draws_what_gan_gif_draws(ok, cycle, save, png):
    photos = save("photos", images=noise(5, 48, 48, 3))
    ok("gan-sample", cycle(), "--inputs", photos, "--back", "-o", "out.png")
    ok("gan-sample", "cycle.ckpt", "--inputs", photos, "--back", "-o", "out.safetensors")
    ok("gan-gif", "out.safetensors", "-o", "gif.png")
    assert np.array_equal(png("out.png"), png("gif.png"))


def test_gan_data_keeps_the_way_back(ok, fails, made, save, content):
    sets = {name: noise(6, 8, 8, 3, seed=seed) for seed, name in enumerate(("inputs", "images", "back"))}
    first = save("first", **sets)
    _, tensors, _ = made(first, first, "--limit", 7, "--shuffle")
    order = [sets["images"].tolist().index(picture) for picture in tensors["images"].tolist()]
    assert all(np.array_equal(tensors[name], sets[name][order]) for name in sets)
    assert made(first, "--size", 4)[1]["back"].shape == (6, 4, 4, 3)
    assert made(first, "--swap")[1].keys() == {"images", "inputs"}
    _, tensors, lines = made(first, save("second", images=sets["images"], inputs=sets["inputs"]))
    assert "skipped back, which not every source has" in " ".join(lines)
    assert tensors.keys() == {"images", "inputs", "labels"}
    bad = save("bad", images=sets["images"], back=noise(6, 8, 8, 2))
    assert "bad.safetensors: damaged: back are [8, 8, 2], not [H, W, C] with C = 1 or 3" in fails("gan-info", bad)


# ------------------------------------------------------------------------------------------- elsewhere


def test_from_python(cycle, tmp_path, save):
    import ganutils

    generator = ganutils.Generator(tmp_path / cycle())
    assert generator.classes == NAMES
    inputs = noise(2, 3, 13, 7, 3)
    made = {to: generator(inputs=inputs, to=to) for to in NAMES}
    flat = inputs.reshape(6, 13, 7, 3)
    for label, to in enumerate(NAMES):
        assert near(made[to].reshape(6, 13, 7, 3), made_of(flat, [label] * 6))
        assert np.array_equal(generator(inputs=inputs, to=label), made[to])
    assert np.array_equal(generator(inputs=inputs), made["light"])
    assert near(generator(inputs=inputs[0], to=[1, 0, 1])[1], made["dark"][0, 1])
    for words, said in (
        ({"to": "gray"}, "to: there is no class 'gray'; the classes are dark, light"),
        ({"to": 2}, "to: go from 2 to 2; the classes are 0 to 1"),
        ({"labels": 1}, "labels: the generator translates between dark and light; give one of them as to="),
    ):
        with pytest.raises(ganutils.Error, match=said):
            generator(inputs=inputs, **words)
    gan_of().write(str(tmp_path / "pix.ckpt"), {})
    with pytest.raises(ganutils.Error, match="to: the generator has no two domains; train one with domains=True"):
        ganutils.Generator(tmp_path / "pix.ckpt")(inputs=inputs[..., :1], to="dark")
    sets = {name: noise(2, 8, 8, 3, seed=seed) for seed, name in enumerate(("inputs", "images", "back"))}
    ganutils.write(tmp_path / "three.safetensors", **sets)
    data = ganutils.read(tmp_path / "three.safetensors")
    assert all(np.array_equal(getattr(data, name), sets[name]) for name in sets)


def test_a_run_from_python_is_that_of_gan_loop(ok, domains, tmp_path):
    import ganutils

    run = ganutils.Run(tmp_path / domains, domains=True, width=2, batch=2)
    run.train(2)
    run.save(tmp_path / "python.ckpt")
    ok("gan-loop", domains, "--domains", "--width", 2, "--batch", 2, "--steps", 2, "-o", "loop.ckpt", "-q")
    one, two = ok("gan-info", "--digest", "python.ckpt", "loop.ckpt").out.split()[::2]
    assert one == two
    assert run.generator.classes == NAMES


def test_a_graph_goes_one_way(ok, fails, domains, content, tmp_path):
    onnx = pytest.importorskip("onnx")
    from test_gan_export import meta_of, run_graph

    assert onnx
    ok("gan-loop", domains, "--domains", "--width", 2, "--batch", 2, "--steps", 2, "-o", "g.ckpt", "-q")
    ok("gan-data", domains, "--size", "13x7", "-o", "odd.safetensors", "-q")
    for to, words in (("light", []), ("dark", ["--to", "dark"])):
        said = ok("gan-export", "g.ckpt", *words, "-o", "g.onnx").lines
        assert said == ["inputs -> images"]
        for pictures in (domains, "odd.safetensors"):
            ok("gan-sample", "g.ckpt", "--inputs", pictures, "--to", to, "-o", "made.safetensors", "-q")
            tensors = content("made.safetensors")[1]
            inputs = tensors["inputs"].transpose(0, 3, 1, 2) / np.float32(255)
            images = run_graph(tmp_path / "g.onnx", inputs=inputs).transpose(0, 2, 3, 1)
            assert np.abs(255 * images - tensors["images"]).max() <= 0.51
        about = meta_of(tmp_path / "g.onnx")
        assert (about["kind"], about["to"]) == ("generator", to)
        assert {about["from"], to} == {*NAMES}
    assert "g.ckpt: has no class 'gray'; its classes are dark, light" in fails(
        "gan-export", "g.ckpt", "--to", "gray", "-o", "x.onnx"
    )


def test_a_discriminator_judges_one_domain(ok, domains, content, tmp_path):
    pytest.importorskip("onnx")
    import torch
    from test_gan_export import meta_of, run_graph

    from ganutils.networks.condition import Condition
    from ganutils.networks.weights import load_discriminator

    ok("gan-loop", domains, "--domains", "--width", 2, "--batch", 2, "--steps", 2, "-o", "g.ckpt", "-q")
    images = content(domains)[1]["images"].transpose(0, 3, 1, 2) / np.float32(255)
    with container.read(str(tmp_path / "g.ckpt")) as file:
        network = load_discriminator(file)[0]
    for label, name in enumerate(NAMES):
        ok("gan-export", "g.ckpt", "--discriminator", "--to", name, "-o", "d.onnx", "-q")
        ours = network(torch.from_numpy(images) * 2 - 1, Condition(torch.full((len(images),), label)))
        assert run_graph(tmp_path / "d.onnx", images=images) == pytest.approx(ours.numpy(), abs=1e-3)
        assert meta_of(tmp_path / "d.onnx")["of"] == name


def test_to_has_no_effect_on_other_networks(fails, checkpoint):
    assert "--to has no effect on a generator without two domains" in fails(
        "gan-export", checkpoint, "--to", "a", "-o", "x.onnx", code=2
    )


def test_filters_and_features_are_of_both_discriminators(ok, fails, domains, content, tmp_path):
    from ganutils.plots import filters

    ok("gan-loop", domains, "--domains", "--width", 2, "--batch", 2, "--steps", 1, "-o", "g.ckpt", "-q")
    with container.read(str(tmp_path / "g.ckpt")) as file:
        drawn = filters.first_layer(file)
        weights = [file[f"D.{part}.downs.0.weight"] for part in "ab"]
    assert len(drawn) == sum(map(len, weights))
    for part, half in zip(weights, np.split(drawn, 2), strict=True):
        largest = part[np.argmax((part**2).sum((1, 2, 3)))].transpose(1, 2, 0)
        assert half[0] == pytest.approx(largest / np.abs(largest).max())
    ok("gan-plot", "g.ckpt", "-o", "filters.png")
    said = fails("gan-plot", "g.ckpt", "--units", 99, "--data", domains, "-o", "x.png")
    last = int(said.removeprefix("gan-plot: g.ckpt: there is no feature 99; features go from 0 to "))
    assert last % 2
    ok("gan-plot", "g.ckpt", "--units", f"0,{last}", "--data", domains, "-o", "units.png")


def test_the_sheet_of_tensorboard_shows_both_ways(ok, domains, tmp_path, png):
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    ok(
        "gan-loop", domains, "--domains", "--width", 2, "--batch", 2, "--steps", 2, "--tensorboard", "board",
        "-o", "x.ckpt", "-q",
    )  # fmt: skip
    events = accumulator.EventAccumulator(str(tmp_path / "board"))
    events.Reload()
    (image,) = events.Images("samples")
    (tmp_path / "board.png").write_bytes(image.encoded_image_string)
    ok("gan-sample", "x.ckpt", "--inputs", domains, "--back", "-o", "sheet.png")
    assert near(png("board.png"), png("sheet.png"))
    assert events.Scalars("cycle")


def test_what_takes_latents_says_so(fails, cycle, domains):
    line = "cycle.ckpt: makes pictures from pictures, not from latents; give gan-sample --inputs FILE"
    cycle()
    for words in (
        ["gan-interp", "--seeds", "1-3", "--for", "cycle.ckpt"],
        ["gan-info", "cycle.ckpt", "--preview", "x.png"],
        ["gan-sample", "cycle.ckpt", "-o", "x.png"],
    ):
        assert fails(*words) == f"{words[0]}: {line}"


def test_what_was_made_is_labeled_reported_and_asked_about(ok, cycle, domains, save, content, tmp_path):
    ok("gan-sample", cycle(shape=(8, 8, 3)), "--inputs", domains, "--back", "-o", "out.safetensors", "-q")
    ok("gan-report", "cycle.ckpt", "out.safetensors", "-o", "report.html")
    assert (tmp_path / "report.html").read_text().count("data:image/png") == 1
    ok("gan-quiz", domains, "out.safetensors", "-n", 3, "-o", "quiz.html")
    ok("gan-info", "cycle.ckpt")
    like = save("like", images=noise(60, 8, 8, 3), labels=np.arange(60) % 2)
    ok("gan-label", "out.safetensors", "--like", like, "--features", "pixels", "-o", "labeled.safetensors", "-q")
    assert np.array_equal(content("labeled.safetensors")[1]["back"], content("out.safetensors")[1]["back"])
