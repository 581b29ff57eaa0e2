"""Pictures in, pictures out: gan-sample --inputs, of any size, whole and in tiles; and how pairs are shown."""

import io

import numpy as np
import pytest
import torch
from PIL import Image

from ganutils import networks
from ganutils.compute.distributed import Team
from ganutils.files import container
from ganutils.inference import batches, translate
from ganutils.inference.translate import tiling
from ganutils.networks.scaling import to_network
from ganutils.runs.defaults import fresh
from ganutils.training.gan import GAN


def noise(*shape, seed=0):
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


def gan_of(shape=(16, 16, 3), inputs=(16, 16, 1), loud=3.0, **given):
    """A tiny GAN whose outputs are not all the same gray."""
    config = fresh(shape, {"width": 2, "batch": 2, **given}, inputs=inputs)
    gan = GAN(config, networks.build(config))
    with torch.no_grad():
        for parameter in gan.ema.parameters():
            parameter.mul_(loud)
    return gan


def ran(gan, inputs, **how):
    return np.concatenate(list(translate.translate(gan.ema.eval(), gan.config, inputs, **how)))


@pytest.fixture
def translator(tmp_path):
    """translator("a", **gan_of's) -> the file of its checkpoint, "a.ckpt.safetensors", in tmp_path."""

    def write(name="pix", step=0, meta=None, **given):
        gan = gan_of(**given)
        gan.updates["G"] = step
        gan.write(str(tmp_path / f"{name}.ckpt.safetensors"), {"lineage": ["trained by hand"], **(meta or {})})
        return f"{name}.ckpt.safetensors"

    return write


# ------------------------------------------------------------------------------------------ any size

NETWORKS = {
    "unet": {},
    "hourglass": {"arch": "hourglass", "shape": (16, 16, 1), "inputs": (16, 16, 4)},
    "blocks": {"arch": "blocks", "blocks": 2},
    "enlarge": {"arch": "enlarge", "blocks": 1, "shape": (16, 16, 3), "inputs": (4, 4, 3)},
    "gray, times 3": {"arch": "enlarge", "blocks": 0, "shape": (12, 12, 1), "inputs": (4, 4, 1)},
}


@pytest.mark.parametrize("size", [(13, 7), (1, 1), (40, 33)], ids=str)
@pytest.mark.parametrize("name", NETWORKS)
def test_pictures_of_any_size(name, size):
    gan = gan_of(**NETWORKS[name])
    config = gan.config
    inputs = noise(3, *size, config.inputs[2])
    made = ran(gan, inputs)
    assert made.dtype == np.uint8
    assert made.shape == (3, size[0] * config.scale, size[1] * config.scale, config.shape[2])
    assert np.array_equal(made, ran(gan, inputs))
    with torch.inference_mode():
        alone = gan.ema(None, networks.Condition(None, to_network(torch.from_numpy(inputs[:1]))))
    assert np.abs(made[:1] - ((alone + 1) * 127.5).permute(0, 2, 3, 1).numpy()).max() < 0.6


def test_dropout_is_off_and_a_batch_is_like_any_other(monkeypatch):
    gan = gan_of(dropout=0.9)
    inputs = noise(5, 16, 16, 1)
    whole = ran(gan, inputs)
    assert len(np.unique(whole)) > 20
    for size in (1, 2):
        monkeypatch.setattr(batches, "BATCH", size)
        assert np.abs(whole.astype(int) - ran(gan, inputs)).max() <= 1


def test_a_class_changes_the_picture():
    gan = gan_of(arch="enlarge", shape=(8, 8, 1), inputs=(4, 4, 1), classes=2)
    torch.nn.init.normal_(gan.ema.classes.embedding.weight)
    inputs = noise(1, 4, 4, 1).repeat(2, 0)
    first, second = ran(gan, inputs, labels=np.array([0, 1]))
    assert not np.array_equal(first, second)
    assert np.array_equal(ran(gan, inputs, labels=np.array([1, 0])), np.stack([second, first]))


def test_large_pictures_come_in_small_batches():
    sizes = {side: batches.pace((side, side, 128), torch.device("cpu"))[0] for side in (64, 256, 1024, 8192)}
    assert sizes == {64: 64, 256: 8, 1024: 1, 8192: 1}


def test_workers_take_turns_at_pictures_too(monkeypatch):
    gan, inputs = gan_of(), noise(5, 9, 9, 1)
    monkeypatch.setattr(translate, "pace", lambda shape, device: (2, 1))
    team = Team(1, 2)
    monkeypatch.setattr(team, "gathered", lambda array, owner: array if owner == 1 else array * 0)
    made = ran(gan, inputs, team=team)
    assert np.array_equal(made[2:4], ran(gan, inputs)[2:4])
    assert not made[[0, 1, 4]].any()


# --------------------------------------------------------------------------------------------- tiles


@pytest.mark.parametrize("size", [(97, 41), (33, 150)], ids=str)
@pytest.mark.parametrize(
    "given",
    [
        NETWORKS["enlarge"],
        NETWORKS["gray, times 3"],
        {"arch": "enlarge", "blocks": 3, "shape": (4, 4, 1), "inputs": (4, 4, 3)},
        NETWORKS["hourglass"],
        {"g_norm": "none"},
        {**NETWORKS["blocks"], "g_norm": "none", "loud": 9.0},
    ],
    ids=["enlarge", "times 3", "times 1", "hourglass", "unet", "blocks"],
)
def test_tiles_equal_the_whole_without_instance_norm(given, size):
    gan = gan_of(**{"loud": 4.0, **given})
    inputs = noise(2, *size, gan.config.inputs[2])
    whole = ran(gan, inputs)
    cut = tiling(gan.ema, gan.config, 16)
    assert whole.std() > 3
    assert max(len(cut.windows(length)) for length in size) > 2
    assert np.abs(whole.astype(int) - ran(gan, inputs, tile=16)).max() <= 1


def test_without_the_reach_of_the_network_seams_would_show():
    gan = gan_of(arch="enlarge", blocks=3, shape=(8, 8, 1), inputs=(4, 4, 1), loud=4.0)
    inputs = noise(1, 120, 40, 1)
    assert gan.ema.reach == 9  # seven convolutions of the blocks and before, two where it is enlarged
    gan.ema.reach = 0
    assert np.abs(ran(gan, inputs).astype(int) - ran(gan, inputs, tile=16)).max() > 20


def test_a_tile_passes_into_the_next_as_a_cosine_does():
    """With instance norm tiles differ: here each is a gray of its own."""
    cut = translate.Tiling(tile=32, margin=12, ramp=8, step=4)
    grays = iter([0.0, 0.5, -0.5])

    def made(part):
        return torch.full((2 * len(part), 2 * part.shape[1], 1), next(grays))

    drawn = translate.in_tiles(made, noise(96, 16, 3), cut, scale=2)[0].numpy().astype(int)
    assert drawn.shape == (192, 32, 1)
    assert (drawn == drawn[:, :1]).all()
    line = drawn[:, 0, 0]
    assert [line[0], line[96], line[-1]] == [128, 191, 64]
    assert (line[:48] == 128).all() and line[48] != line[64] != line[79] and (line[80:112] == 191).all()
    assert np.abs(np.diff(line)).max() <= 127 * np.pi / 2 / 32 + 1


def test_memory_does_not_grow_with_a_picture_in_tiles():
    seen = []
    gan = gan_of(**NETWORKS["enlarge"])
    gan.ema.register_forward_pre_hook(lambda module, given: seen.append(given[1].inputs.shape))
    ran(gan, noise(1, 300, 60, 3), tile=32)
    cut = tiling(gan.ema, gan.config, 32)
    assert len(seen) == len(cut.windows(300)) * len(cut.windows(60))
    assert max(max(shape[2:]) for shape in seen) <= cut.size == 32 + 2 * cut.margin
    assert {len(shape) and shape[0] for shape in seen} == {1}


# ---------------------------------------------------------------------------------------- gan-sample


def test_inputs_are_translated_and_pictures_become_targets(ok, translator, save, content, tmp_path):
    images, inputs = noise(7, 16, 16, 3), noise(7, 16, 16, 1, seed=1)
    about = {"input_names": ["sketch"], "classes": ["cat", "dog"], "attributes": ["old"], "license": "CC0"}
    pairs = save(
        "pairs", images=images, inputs=inputs, labels=np.arange(7) % 2, attributes=np.ones((7, 1), "f4"),
        meta={"lineage": ["drawn"], **about},
    )  # fmt: skip
    ok("gan-sample", translator(), "--inputs", pairs, "-o", "out.safetensors")
    meta, out = content("out.safetensors")
    assert out.keys() == {"images", "inputs", "targets", "labels", "attributes"}
    assert np.array_equal(out["images"], ran(gan_of(), inputs))
    assert np.array_equal(out["inputs"], inputs)
    assert np.array_equal(out["targets"], images)
    assert np.array_equal(out["labels"], np.arange(7) % 2)
    assert {key: meta[key] for key in about} == about
    assert "prior" not in meta
    assert [line.split()[0] for line in meta["lineage"]] == ["trained", "drawn", "gan-sample"]
    # what was made, given again: its inputs and targets are those of before
    ok("gan-sample", "pix.ckpt.safetensors", "--inputs", "out.safetensors", "-n", 3, "-o", "again.safetensors")
    again = content("again.safetensors")[1]
    assert {name: len(array) for name, array in again.items()} == dict.fromkeys(out, 3)
    assert all(np.array_equal(again[name], out[name][:3]) for name in out)


def test_pictures_alone_are_the_inputs(ok, translator, save, content, tmp_path):
    images = noise(3, 13, 7, 1)
    ok("gan-sample", translator(), "--inputs", save("photos", images=images), "-o", "out.safetensors")
    out = content("out.safetensors")[1]
    assert out.keys() == {"images", "inputs"}
    assert np.array_equal(out["inputs"], images)
    assert out["images"].shape == (3, 13, 7, 3)
    piped = ok(
        "gan-sample", "pix.ckpt.safetensors", "--inputs", "-", stdin=(tmp_path / "photos.safetensors").read_bytes()
    )
    (tmp_path / "piped.safetensors").write_bytes(piped.out)
    assert np.array_equal(content("piped.safetensors")[1]["images"], out["images"])


def test_a_photo_gives_a_picture_of_its_own_size(ok, translator, tmp_path, png):
    Image.fromarray(noise(37, 51, 3)).save(tmp_path / "photo.png")
    photo = ok("gan-data", "photo.png", "--channels", 1).out
    ok("gan-sample", translator(g_norm="instance"), "--inputs", "-", "-o", "out.png", stdin=photo)
    assert png("out.png").shape == (37, 51, 3)
    said = ok("gan-sample", "pix.ckpt.safetensors", "--inputs", "-", "--tile", 16, "-o", "tiles.png", stdin=photo)
    assert "instance norm" in said.err
    assert png("tiles.png").shape == (37, 51, 3)
    gray = translator("gray", shape=(16, 16, 1), g_norm="none")
    said = ok("gan-sample", gray, "--inputs", "-", "--tile", 16, "-o", "gray.png", stdin=photo)
    assert "instance norm" not in said.err
    assert png("gray.png").shape == (37, 51)


def test_small_pictures_become_large_ones(ok, translator, save, content):
    large, small = noise(4, 16, 16, 3), noise(4, 4, 4, 3, seed=1)
    sharp = translator("sharp", **NETWORKS["enlarge"])
    ok("gan-sample", sharp, "--inputs", save("pairs", images=large, inputs=small), "-o", "a.safetensors")
    ok("gan-sample", sharp, "--inputs", save("small", images=small), "-o", "b.safetensors")
    a, b = (content(f"{name}.safetensors")[1] for name in "ab")
    assert np.array_equal(a["images"], b["images"])
    assert a["images"].shape == a["targets"].shape == (4, 16, 16, 3)
    # targets of another size than what is made of the inputs are none
    ok("gan-sample", sharp, "--inputs", save("half", images=large, inputs=noise(4, 8, 8, 3)), "-o", "c.safetensors")
    assert content("c.safetensors")[1].keys() == {"images", "inputs"}


def test_a_film_stays_a_film_and_checkpoints_make_one(ok, fails, translator, save, content):
    film = save("film", images=noise(3, 2, 16, 16, 1), frames=[{"step": n} for n in range(3)])
    early, late = translator("early", step=1), translator("late", step=20, loud=2.0)
    ok("gan-sample", early, "--inputs", film, "-o", "out.safetensors")
    meta, out = content("out.safetensors")
    assert out["images"].shape == (3, 2, 16, 16, 3)
    assert out["inputs"].shape == (3, 2, 16, 16, 1)
    assert meta["frames"] == [{"step": n} for n in range(3)]
    ok("gan-sample", early, "--inputs", film, "-n", 1, "-o", "first.safetensors")
    assert np.array_equal(content("first.safetensors")[1]["images"], out["images"][:, :1])

    pairs = save("pairs", images=noise(4, 16, 16, 3), inputs=noise(4, 16, 16, 1, seed=1))
    ok("gan-sample", late, early, "--inputs", pairs, "-n", 3, "-o", "training.safetensors")
    meta, out = content("training.safetensors")
    assert {name: array.shape[:2] for name, array in out.items()} == dict.fromkeys(out, (2, 3))
    assert [note["step"] for note in meta["frames"]] == [1, 20]
    assert np.array_equal(out["inputs"][0], out["inputs"][1])
    for frame, loud in enumerate((3.0, 2.0)):
        assert np.array_equal(out["images"][frame], ran(gan_of(loud=loud), noise(4, 16, 16, 1, seed=1)[:3]))
    assert "film.safetensors: is a film; several checkpoints take one sheet of inputs" in fails(
        "gan-sample", early, late, "--inputs", film, "-o", "x.safetensors"
    )


def test_classes_come_from_the_file_or_the_label(ok, fails, translator, save, content):
    given = {"arch": "enlarge", "shape": (8, 8, 1), "inputs": (4, 4, 1), "classes": 2}
    checkpoint = translator(meta={"classes": ["cat", "dog"]}, **given)
    images = noise(4, 4, 4, 1)
    ok(
        "gan-sample", checkpoint, "--inputs", save("labeled", images=images, labels=np.array([0, 1, 1, 0])),
        "-n", 3, "-o", "a.safetensors",
    )  # fmt: skip
    meta, out = content("a.safetensors")
    assert out["labels"].tolist() == [0, 1, 1]
    assert meta["classes"] == ["cat", "dog"]
    plain = save("plain", images=images)
    ok("gan-sample", checkpoint, "--inputs", plain, "--label", "dog", "-o", "b.safetensors")
    assert content("b.safetensors")[1]["labels"].tolist() == [1] * 4
    assert "plain.safetensors: has no labels" in fails("gan-sample", checkpoint, "--inputs", plain, "-o", "x.npy")


@pytest.mark.parametrize(
    ("arguments", "words", "code"),
    [
        (["pix.ckpt.safetensors"], "pix.ckpt.safetensors: makes pictures from pictures, not from latents; give", 1),
        (["pix.ckpt.safetensors", "--seeds", "1-3"], "not from latents; give gan-sample --inputs", 1),
        (["gan.ckpt.safetensors", "--inputs", "color.safetensors"], "not from pictures; leave --inputs out", 1),
        (["pix.ckpt.safetensors", "--inputs", "color.safetensors"], "takes 1 channel; make such data with gan-data", 1),
        (["pix.ckpt.safetensors", "--inputs", "points.safetensors"], "points.safetensors: holds points; --inputs", 1),
        (["pix.ckpt.safetensors", "--inputs", "none.safetensors"], "none.safetensors: holds no samples", 1),
        (["pix.ckpt.safetensors", "--inputs", "z.safetensors"], "z.safetensors: holds latents; give samples", 1),
        (["pix.ckpt.safetensors", "--inputs", "a.jpg"], "a.jpg: is a picture; gan-data a.jpg | gan-sample ...", 1),
        (["pix.ckpt.safetensors", "--inputs", "nothing"], "nothing: no such file", 1),
        (["pix.ckpt.safetensors", "gan.ckpt.safetensors", "--inputs", "color.safetensors"], "starts from latents", 1),
        (["pix.ckpt.safetensors", "rgb.ckpt.safetensors", "--inputs", "color.safetensors"], "the same channels", 1),
        (
            ["stack.ckpt.safetensors", "--inputs", "color.safetensors"],
            "takes 4 channels; make such data with gan-data",
            1,
        ),
        (["rgb.ckpt.safetensors", "--inputs", "color.safetensors", "--label", "3"], "has no classes for --label", 1),
        (["pix.ckpt.safetensors", "--inputs", "a", "--seed", "3"], "--seed has no effect with --inputs", 2),
        (["pix.ckpt.safetensors", "--inputs", "a", "--seeds", "3"], "--inputs and --seeds exclude each other", 2),
        (["pix.ckpt.safetensors", "--inputs", "a", "--latents", "z"], "exclude each other", 2),
        (["pix.ckpt.safetensors", "--tile", "64"], "--tile has no effect without --inputs", 2),
        (["-", "--inputs", "-"], "cannot both come from a pipe", 2),
    ],
)
def test_bad_input_in_one_line(fails, checkpoint, translator, save, tmp_path, arguments, words, code):
    translator()
    translator("rgb", inputs=(16, 16, 3))
    translator("stack", inputs=(16, 16, 4))
    save("color", images=noise(2, 16, 16, 3))
    save("none", images=noise(0, 16, 16, 3))
    save("points", points=np.zeros((2, 2), "f4"))
    container.write(str(tmp_path / "z.safetensors"), "latents", {"latents": np.zeros((2, 4), "f4")}, {})
    assert words in fails("gan-sample", *arguments, "-o", "x.png", code=code)
    assert not (tmp_path / "x.png").exists()


def test_many_pictures_are_read_as_they_are_needed(save, tmp_path, monkeypatch):
    """As `npy.Rows`, which a file of more than IN_MEMORY bytes gives."""
    from ganutils.files import budget
    from ganutils.files.npy import Rows
    from ganutils.runs.inputs import open_inputs

    images, inputs = noise(6, 16, 16, 3), noise(6, 16, 16, 1, seed=1)
    name = save("pairs", images=images, inputs=inputs)
    monkeypatch.setattr(budget, "IN_MEMORY", 100)
    with open_inputs(str(tmp_path / name), 4) as given:
        assert isinstance(given.pixels, Rows)
        assert isinstance(given.targets, Rows)
        assert given.lead == (4,)
        assert np.array_equal(ran(gan_of(), given.pixels), ran(gan_of(), inputs[:4]))


# --------------------------------------------------------------------------------------- how it looks


def bare(drawn, height):
    """A sheet without the labels above it."""
    return drawn[-height:]


def row(*pictures):
    return np.concatenate([np.broadcast_to(one, (*one.shape[:2], 3)) for one in pictures], 1)


def test_a_sheet_has_input_output_target_side_by_side(ok, save, png):
    made, inputs, targets = noise(3, 40, 48, 3), noise(3, 10, 12, 1, seed=1), noise(3, 40, 48, 3, seed=2)
    out = save("out", images=made, inputs=inputs, targets=targets)
    big = inputs.repeat(4, 1).repeat(4, 2)
    ok("gan-gif", out, "-o", "out.png")
    drawn = png("out.png")
    rows = np.concatenate([row(big[n], made[n], targets[n]) for n in range(3)])
    assert drawn.shape[1] == 3 * 48  # the labels fit
    assert np.array_equal(bare(drawn, 120), rows)
    assert len(drawn) > 120
    labels = png("out.png")[:-120]
    assert all(labels[:, 48 * column : 48 * (column + 1)].any() for column in range(3))
    ok("gan-gif", out, "--show", "targets,images", "--gap", 2, "-o", "two.png")
    two = bare(png("two.png"), 3 * 40 + 4)
    assert np.array_equal(two[42:82, :48], targets[1])
    assert np.array_equal(two[42:82, 50:98], made[1])
    ok("gan-gif", out, "--show", "images", "--grid", "3x1", "-o", "old.png")
    assert np.array_equal(png("old.png"), row(*made))


def test_many_samples_stand_in_blocks(ok, save, png):
    made, inputs = noise(12, 48, 48, 1), noise(12, 48, 48, 1, seed=1)
    ok("gan-gif", save("out", images=made, inputs=inputs), "--grid", "3x4", "-o", "out.png")
    drawn = bare(png("out.png"), 4 * 48)
    assert drawn.shape == (192, 3 * 96 + 2 * 8)
    for number in range(12):
        y, x = number // 3 * 48, number % 3 * (96 + 8)
        assert np.array_equal(drawn[y : y + 48, x : x + 96], np.concatenate([inputs[number], made[number]], 1)[..., 0])
    assert not drawn[:, 96:104].any()
    ok("gan-gif", "out.safetensors", "-o", "square.png")
    h, w = png("square.png").shape
    assert 0.5 < h / w < 2
    ok("gan-gif", "out.safetensors", "--grid", "2x1", "--column-labels", "a,b", "--row-labels", "c", "-o", "few.png")


def test_stacked_inputs_have_a_column_each(ok, save, png):
    made, inputs = noise(1, 48, 48, 3), noise(1, 48, 48, 4, seed=1)
    out = save("out", images=made, inputs=inputs, input_names=["person", "pose"])
    ok("gan-gif", out, "--column-labels", "a,b,c", "-o", "out.png")
    assert np.array_equal(bare(png("out.png"), 48), row(inputs[0, ..., :3], inputs[0, ..., 3:], made[0]))


def test_outputs_of_several_stand_between_input_and_target(ok, fails, save, png):
    """The figures pix2pix-losses and super-resolution."""
    inputs, targets = noise(2, 12, 12, 3, seed=9), noise(2, 48, 48, 3, seed=8)
    made = {name: noise(2, 48, 48, 3, seed=seed) for seed, name in enumerate(("bicubic", "l1", "gan"))}
    files = [save("bicubic", images=made["bicubic"])]
    files += [save(name, images=made[name], inputs=inputs, targets=targets) for name in ("l1", "gan")]
    ok("gan-gif", *files, "--column-labels", "low,bicubic,L1,GAN,real", "-o", "out.png")
    big = inputs.repeat(4, 1).repeat(4, 2)
    rows = [row(big[n], *(made[name][n] for name in made), targets[n]) for n in range(2)]
    assert np.array_equal(bare(png("out.png"), 96), np.concatenate(rows))
    ok("gan-gif", *files, "--show", "images", "-o", "old.png")  # as ever: a panel for each
    assert png("old.png").shape[1] > 3 * 48
    assert "5 columns; give one each" in fails("gan-gif", *files, "--column-labels", "a,b,c", "-o", "x.png")
    other = save("other", images=made["gan"], inputs=noise(2, 12, 12, 3, seed=7), targets=targets)
    assert fails("gan-gif", "l1.safetensors", other, "-o", "x.png") == (
        "gan-gif: other.safetensors: its inputs are not those of l1.safetensors; give files of the same ones, or "
        "--show images"
    )
    more = save("more", images=noise(3, 48, 48, 3))
    assert "are 3 of 48x48, and those of l1.safetensors 2 of 48x48" in fails(
        "gan-gif", "l1.safetensors", more, "-o", "x.png"
    )
    assert "bicubic.safetensors: has no targets to show; there are images" in fails(
        "gan-gif", "bicubic.safetensors", "--show", "targets", "-o", "x.png"
    )


def test_films_of_pairs(ok, save, tmp_path, png):
    made, inputs = noise(3, 2, 48, 48, 3), noise(3, 2, 48, 48, 3, seed=1)
    out = save("out", images=made, inputs=inputs)
    ok("gan-gif", out, "-o", "out.apng")
    with Image.open(tmp_path / "out.apng") as film:
        for number in range(3):
            film.seek(number)
            shown = bare(np.asarray(film.convert("RGB")), 96)
            assert np.array_equal(shown, np.concatenate([row(inputs[number, n], made[number, n]) for n in range(2)]))
    piped = ok("gan-gif", "--format", "apng", stdin=(tmp_path / out).read_bytes()).out
    assert piped.startswith(b"\x89PNG")
    with Image.open(io.BytesIO(piped)) as film:
        film.seek(2)
        assert np.array_equal(np.asarray(film.convert("RGB")), np.asarray(_last(tmp_path / "out.apng")))
    ok("gan-gif", out, "-o", "out.png")  # time from left to right
    rows = [row(*frames[:, n]) for n in range(2) for frames in (inputs, made)]
    assert np.array_equal(png("out.png")[:, -144:], np.concatenate(rows))
    ok("gan-gif", out, out, "--then", "-o", "twice.gif")
    with Image.open(tmp_path / "twice.gif") as film:
        assert film.n_frames == 6
    ok("gan-gif", out, "-o", "frames/")
    assert len(list((tmp_path / "frames").iterdir())) == 3


def _last(path):
    with Image.open(path) as film:
        film.seek(film.n_frames - 1)
        return film.convert("RGB")


def test_gan_sample_draws_what_gan_gif_draws(ok, fails, translator, save, png, tmp_path):
    pairs = save("pairs", images=noise(4, 48, 48, 3), inputs=noise(4, 48, 48, 1, seed=1))
    checkpoint = translator()
    ok("gan-sample", checkpoint, "--inputs", pairs, "-o", "out.png")
    ok("gan-sample", checkpoint, "--inputs", pairs, "-o", "out.safetensors")
    ok("gan-gif", "out.safetensors", "-o", "gif.png")
    assert np.array_equal(png("out.png"), png("gif.png"))
    ok("gan-sample", checkpoint, "--inputs", pairs, "-o", "out/")
    ok("gan-gif", "out.safetensors", "-o", "gif/")
    assert "--show: a folder has a PNG of each picture" in fails(
        "gan-gif", "out.safetensors", "--show", "images", "-o", "gif/"
    )
    made = ran(gan_of(), noise(4, 48, 48, 1, seed=1))
    for folder in ("out", "gif"):
        assert len(list((tmp_path / folder).iterdir())) == 4
        assert np.array_equal(png(f"{folder}/000003.png"), made[3])


# --------------------------------------------------------------------------------- where else it is used


def test_from_python(translator, tmp_path):
    import ganutils

    inputs = noise(3, 2, 13, 7, 1)
    generator = ganutils.Generator(tmp_path / translator())
    assert generator.z_dim == 0
    made = generator(inputs=inputs)
    assert made.shape == (3, 2, 13, 7, 3)
    assert np.array_equal(made.reshape(6, 13, 7, 3), ran(gan_of(), inputs.reshape(6, 13, 7, 1)))
    assert np.array_equal(generator(inputs=inputs[0, ..., 0]), made[0])
    assert generator(inputs=noise(1, 90, 60, 1), tile=16).shape == (1, 90, 60, 3)
    for arguments, words in (
        ({"latents": np.zeros((2, 4))}, "starts from pictures; give inputs="),
        ({"latents": np.zeros((2, 4)), "inputs": inputs}, "give inputs alone"),
        ({"inputs": noise(2, 8, 8, 3)}, r"give \[..., h, w, 1\]"),
        ({"inputs": np.zeros((2, 8, 8, 1))}, "inputs: are float64"),
    ):
        with pytest.raises(ganutils.Error, match=words):
            generator(**arguments)
    with pytest.raises(ganutils.Error, match="starts from pictures"):
        generator.latents(3)


def test_the_sheet_of_tensorboard(ok, save, tmp_path):
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    pairs = save("pairs", images=noise(12, 16, 16, 3), inputs=noise(12, 16, 16, 1, seed=1))
    ok("gan-loop", pairs, "--width", 2, "--batch", 4, "--steps", 2, "--tensorboard", "board", "-o", "x.ckpt", "-q")
    events = accumulator.EventAccumulator(str(tmp_path / "board"))
    events.Reload()
    (image,) = events.Images("samples")
    drawn = np.asarray(Image.open(io.BytesIO(image.encoded_image_string)))
    ok("gan-sample", "x.ckpt", "--inputs", pairs, "-o", "sheet.png")
    assert np.array_equal(drawn, np.asarray(Image.open(tmp_path / "sheet.png")))


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (["gan-interp", "--seeds", "1-3", "--for", "pix.ckpt.safetensors"], "not from latents; give gan-sample --inp"),
        (["gan-info", "pix.ckpt.safetensors", "--preview", "x.png"], "not from latents; give gan-sample --inputs FILE"),
        (
            [
                *(
                    [
                        "gan-arith",
                        "z.safetensors",
                        "[odd]",
                        "--features",
                        "pixels",
                        "--like",
                        "l.safetensors",
                        "--score",
                    ]
                ),
                "pix.ckpt.safetensors",
            ],
            "not from latents; give gan-sample --inputs FILE",
        ),
        (["gan-arith", "l.safetensors", "1-2"], "these samples do not keep latents"),
    ],
)
def test_what_takes_latents_says_so(fails, translator, save, command, words):
    translator()
    given = {"images": noise(60, 16, 16, 3), "attributes": np.arange(60, dtype="f4")[:, None] % 2}
    save("l", **given, meta={"attributes": ["odd"]})
    save("z", latents=np.zeros((60, 4), "f4"), **given, meta={"attributes": ["odd"]})
    assert words in fails(*command)


def test_labels_and_reports_of_what_was_made(ok, translator, save, content, tmp_path):
    dark, light = noise(30, 16, 16, 3) // 4, 255 - noise(30, 16, 16, 3) // 4
    labeled = save("l", images=np.concatenate([dark, light]), labels=np.arange(60) // 30)
    out = save("out", images=dark[:4], inputs=noise(4, 16, 16, 1), targets=dark[:4])
    ok("gan-label", out, "--like", labeled, "--features", "pixels", "-o", "labeled.safetensors", "-q")
    tensors = content("labeled.safetensors")[1]
    assert tensors.keys() == {"images", "inputs", "targets", "labels", "attributes"}
    ok("gan-report", translator(), "labeled.safetensors", "-o", "report.html")
    assert (tmp_path / "report.html").read_text().count("data:image/png") == 1
    ok("gan-report", "pix.ckpt.safetensors", "-o", "report.html")
    ok("gan-info", "pix.ckpt.safetensors")
    ok("gan-plot", "pix.ckpt.safetensors", "-o", "filters.png")
    ok("gan-quiz", labeled, "labeled.safetensors", "-n", 3, "-o", "quiz.html")


def test_a_run_that_begins_with_the_networks_of_another(ok, fails, save, content):
    """SRGAN begins with the generator that was trained by L1 alone."""
    pairs = save("pairs", images=noise(12, 16, 16, 3), inputs=noise(12, 4, 4, 3, seed=1))
    tiny = ("--width", 2, "--blocks", 1, "--batch", 4, "--adversarial", 0, "--l1", 1)
    ok("gan-loop", pairs, *tiny, "--steps", 2, "-o", "l1.ckpt", "-q")
    ok("gan-loop", pairs, "--init", "l1.ckpt", "--adversarial", 0.01, "--steps", 0, "-o", "gan.ckpt", "-q")
    (was, before), (now, after) = content("l1.ckpt"), content("gan.ckpt")
    assert all(np.array_equal(before[name], after[name]) for name in before if name.split(".")[0] in ("G", "D", "ema"))
    assert now["config"] == {**was["config"], "adversarial": 0.01}
    ok("gan-loop", pairs, "--init", "l1.ckpt", "--adversarial", 0.01, "--steps", 2, "-o", "gan.ckpt", "-q", "--fresh")
    assert not np.array_equal(content("gan.ckpt")[1]["D.head.weight"], after["D.head.weight"])
    # G is of use to another D, which is new then
    ok("gan-loop", pairs, "--init", "l1.ckpt", "--sees", "pair", "--steps", 0, "-o", "pair.ckpt", "-q")
    pair = content("pair.ckpt")[1]
    assert pair["D.downs.0.weight"].shape[1] == 6
    assert all(np.array_equal(before[name], pair[name]) for name in before if name.split(".")[0] in ("G", "ema"))
    assert "its networks do not fit: width is 2 there, 4 here" in fails(
        "gan-loop", pairs, "--init", "l1.ckpt", "--width", 4, "--steps", 0, "-o", "wide.ckpt", "-q"
    )
