"""Pairs: inputs beside pictures, by halves, by name, derived and drawn; and that pairs stay pairs."""

import io
import tarfile
import zipfile

import numpy as np
import pytest
from conftest import REAL
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pictures import flat, photo
from PIL import Image

import ganutils
from ganutils.files import container
from ganutils.samples import derive
from ganutils.samples.samples import Samples, stacked

FEW = settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
SIDE = 16


def png(pixels):
    out = io.BytesIO()
    Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels).save(out, "PNG")
    return out.getvalue()


def write(folder, files):
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)


def noise(seed, c=3, h=SIDE, w=SIDE):
    return np.random.default_rng(seed).integers(0, 256, (h, w, c), "u1")


@pytest.fixture
def pairs(tmp_path):
    """Nine pairs in every form: folders `photos` and `drawings`, `both` in one picture, samples; labels 0, 1, 2."""
    photos, drawings = (np.stack([noise(number + start) for number in range(9)]) for start in (0, 100))
    for number in range(9):
        place = f"{number % 3}/{number}"
        write(tmp_path / "photos", {f"{place}.png": png(photos[number])})
        write(tmp_path / "drawings", {f"{place}.png": png(drawings[number])})
        write(tmp_path / "both", {f"{place}.png": png(np.concatenate([drawings[number], photos[number]], 1))})
    order = [0, 3, 6, 1, 4, 7, 2, 5, 8]  # of the folders
    photos, drawings = photos[order], drawings[order]
    container.write(str(tmp_path / "photos.safetensors"), "samples", {"images": photos}, {})
    container.write(str(tmp_path / "drawings.safetensors"), "samples", {"images": drawings}, {})
    return photos, drawings


FORMS = {
    "halves": ("both", "--halves", "left,right"),
    "folders": ("photos", "--inputs", "drawings"),
    "samples": ("photos", "--inputs", "drawings.safetensors"),
    "a pipe": ("photos", "--inputs", "-"),
}


# ------------------------------------------------------------------------------------------------ forms


@pytest.mark.parametrize("form", FORMS)
def test_every_form_gives_the_same_pairs(made, pairs, tmp_path, form):
    meta, tensors, lines = made(*FORMS[form], stdin=(tmp_path / "drawings.safetensors").read_bytes())
    assert np.array_equal(tensors["images"], pairs[0])
    assert np.array_equal(tensors["inputs"], pairs[1])
    assert meta["input_names"] == [{"halves": "left", "a pipe": "samples"}.get(form, "drawings")]
    assert lines == ["9 pictures of 16x16x3 with inputs of 16x16x3"]
    assert meta["classes"] == ["0", "1", "2"]


@FEW
@given(
    form=st.sampled_from(["halves", "folders", "samples"]),
    choice=st.sampled_from([(), ("--shuffle",), ("--limit", 4), ("--split", "30-90%"), ("--where", "1 | 2")]),
    shuffle=st.booleans(),
    seed=st.integers(0, 99),
)
def test_pairs_stay_pairs_whatever_is_chosen(ok, content, pairs, form, choice, shuffle, seed):
    more = ("--shuffle",) if shuffle and choice != ("--shuffle",) else ()
    ok("gan-data", *FORMS[form], *choice, *more, "--seed", seed, "-o", "x.safetensors")
    _, tensors = content("x.safetensors")
    rows = [[*map(bytes, pairs[0])].index(bytes(picture)) for picture in tensors["images"]]
    assert len(set(rows)) == len(rows) > 1
    assert np.array_equal(tensors["inputs"], pairs[1][rows])
    assert tensors["labels"].tolist() == (np.arange(9) // 3)[rows].tolist() or "1 | 2" in choice


def test_pairs_that_were_written_are_kept_by_a_pipe_a_choice_and_a_join(made, pairs, content, ok):
    ok("gan-data", *FORMS["folders"], "-o", "pairs.safetensors")
    meta, tensors, _ = made("pairs.safetensors", "pairs.safetensors", "--limit", 7, "--shuffle")
    rows = [[*map(bytes, pairs[0])].index(bytes(picture)) for picture in tensors["images"]]
    assert np.array_equal(tensors["inputs"], pairs[1][rows])
    assert meta["input_names"] == ["drawings"]
    assert [line for line in meta["lineage"] if "--inputs drawings" in line]


def test_partners_are_found_by_name_and_the_lone_are_named(made, fails, tmp_path):
    write(tmp_path / "photos", {f"{n}.png": flat(n) for n in range(1, 5)})
    write(tmp_path / "drawings", {"2.jpg": flat(52), "1.png": flat(51), "4.x.png": flat(9), "30.png": flat(9)})
    _, tensors, lines = made("photos", "--inputs", "drawings")
    assert tensors["images"][:, 0, 0, 0].tolist() == [1, 2]
    assert tensors["inputs"][:, 0, 0, 0].tolist() == [51, 52]
    assert lines[:6] == [
        "photos: 3.png: has no partner in drawings; skipped",
        "photos: 4.png: has no partner in drawings; skipped",
        "2 of 4 pictures of photos have no partner in drawings",
        "drawings: 4.x.png: has no partner in photos; skipped",
        "drawings: 30.png: has no partner in photos; skipped",
        "2 of 4 pictures of drawings have no partner in photos",
    ]
    assert "3.png: has no partner in drawings (--strict)" in fails(
        "gan-data", "photos", "--inputs", "drawings", "--strict", "-o", "x.safetensors"
    )


def test_of_many_lone_pictures_twenty_are_named(made, tmp_path):
    write(tmp_path / "photos", {f"{n}.png": flat(n) for n in range(40)})
    write(tmp_path / "drawings", {"7.png": flat(1)})
    lines = made("photos", "--inputs", "drawings")[2]
    assert sum("has no partner" in line for line in lines) == 20
    assert "39 of 40 pictures of photos have no partner in drawings" in lines


def test_other_folders_are_other_names_unless_nothing_else_fits(made, tmp_path):
    write(tmp_path / "photos", {"a/1.png": flat(1), "b/1.png": flat(2), "b/2.png": flat(3)})
    write(tmp_path / "drawings", {"a/1.png": flat(51), "c/2.png": flat(53)})
    assert made("photos", "--inputs", "drawings")[1]["images"].shape[0] == 1  # c/2 is of another folder
    write(tmp_path / "flat", {"2.png": flat(52)})
    _, tensors, _ = made("photos", "--inputs", "flat")
    assert (tensors["images"][0, 0, 0, 0], tensors["inputs"][0, 0, 0, 0]) == (3, 52)


@pytest.mark.parametrize(
    ("ours", "theirs", "said"),
    [
        (
            ["1.png"],
            ["1.jpg", "1.bmp"],
            "drawings: 1.bmp and drawings: 1.jpg could both be the partner of photos: 1.png",
        ),
        (
            ["1.jpg", "1.bmp"],
            ["1.png", "3.png"],
            "photos: 1.bmp and photos: 1.jpg could both be the partner of drawings",
        ),
        (["a/1.png", "b/1.png"], ["1.png", "x.png"], "a/1.png and photos: b/1.png could both be the partner"),
        (["1.png", "2.png"], ["3.png", "4.png"], "drawings has no partner for photos: 1.png, nor for any other"),
    ],
)
def test_which_is_the_partner_must_be_clear(fails, tmp_path, ours, theirs, said):
    for folder, names in (("photos", ours), ("drawings", theirs)):
        write(tmp_path / folder, {name: flat(3) for name in names})
    assert said in fails("gan-data", "photos", "--inputs", "drawings", "-o", "x.safetensors")


def test_a_single_picture_has_the_single_other_as_its_partner(made, tmp_path):
    write(tmp_path, {"me.png": photo(1, 8, 8), "drawn.png": flat(3)})
    assert made("me.png", "--inputs", "drawn.png")[1]["inputs"].shape == (1, 8, 8, 1)


def test_an_archive_in_another_order_and_broken_pictures_on_both_sides(made, tmp_path):
    names = [f"{number}.png" for number in (10, 3, 2, 1, 7)]
    with tarfile.open(tmp_path / "drawings.tar.gz", "w:gz") as archive:
        for name in names:
            data = b"broken" if name == "3.png" else flat(100 + int(name[:-4]))
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    with zipfile.ZipFile(tmp_path / "photos.zip", "w") as archive:
        for name in names:
            archive.writestr(name, b"broken" if name == "7.png" else flat(int(name[:-4])))
    _, tensors, lines = made("photos.zip", "--inputs", "drawings.tar.gz")
    assert tensors["images"][:, 0, 0, 0].tolist() == [1, 2, 10]
    assert tensors["inputs"][:, 0, 0, 0].tolist() == [101, 102, 110]
    assert "drawings.tar.gz: 3.png: is damaged, or not a picture; skipped" in lines
    assert lines[-1] == "3 pictures of 8x8x1 with inputs of 8x8x1, 2 skipped"


def test_stacked_inputs(made, fails, tmp_path, pairs):
    write(tmp_path / "gray", {f"{n % 3}/{n}.png": png(noise(50 + n, 1)) for n in range(9)})
    meta, tensors, _ = made("photos", "--inputs", "drawings", "--inputs", "gray")
    assert meta["input_names"] == ["drawings", "gray"]
    assert tensors["inputs"].shape == (9, SIDE, SIDE, 4)
    assert np.array_equal(tensors["inputs"][..., :3], pairs[1])
    assert np.array_equal(tensors["inputs"][1, :, :, 3:], noise(53, 1))
    assert made("made.safetensors", "--size", 8)[1]["inputs"].shape == (9, 8, 8, 4)
    write(tmp_path / "large", {f"{n % 3}/{n}.png": flat(1, 32, 32) for n in range(9)})
    line = fails("gan-data", "photos", "--inputs", "drawings", "--inputs", "large", "-o", "x.safetensors")
    assert "pictures of large are 32x32, those of drawings 16x16; give all one --size" in line
    line = fails("gan-data", "photos", *(["--inputs", "drawings"] * 6), "-o", "x.safetensors")
    assert "18 channels are more than 16" in line


def test_films_are_paired_frame_by_frame(made, tmp_path):
    for name, start in (("a.apng", 0), ("b.apng", 100)):
        frames = [Image.new("L", (8, 8), start + 10 * number) for number in range(5)]
        frames[0].save(tmp_path / name, "PNG", save_all=True, append_images=frames[1:])
    _, tensors, _ = made("a.apng", "--inputs", "b.apng", "--film")
    assert tensors["images"].shape == tensors["inputs"].shape == (5, 1, 8, 8, 1)
    assert np.array_equal(tensors["inputs"], tensors["images"] + 100)
    assert made("made.safetensors")[1]["images"].shape == (5, 8, 8, 1)


# ------------------------------------------------------------------------------------------------ shape


def test_both_pictures_of_a_pair_are_cut_alike(made, tmp_path):
    left, right = noise(1, 3, 40, 60), noise(2, 3, 40, 60)
    write(tmp_path / "both", {"1.png": png(np.concatenate([left, right], 1))})
    write(tmp_path / "l", {"1.png": png(left)})
    write(tmp_path / "r", {"1.png": png(right)})
    for options in (("--size", 16), ("--crop", "30x20"), ("--crop", 30, "--size", "20x10", "--fit", "pad")):
        _, halves, _ = made("both", "--halves", "left,right", *options)
        alone = made("l", *options)[1]["images"], made("r", *options)[1]["images"]
        assert np.array_equal(halves["inputs"], alone[0])
        assert np.array_equal(halves["images"], alone[1])


@pytest.mark.parametrize(("halves", "input", "picture"), [("top,bottom", 1, 3), ("bottom,top", 3, 1)])
def test_halves_above_each_other_of_an_odd_number_of_rows(made, tmp_path, halves, input, picture):
    rows = np.array([1, 1, 2, 3, 3], np.uint8)[:, None, None] + np.zeros((5, 4, 1), np.uint8)
    write(tmp_path / "both", {"1.png": png(rows), "2.png": png(rows[:1])})
    _, tensors, lines = made("both", "--halves", halves)
    assert tensors["images"].shape == (1, 2, 4, 1)
    assert (tensors["inputs"] == input).all() and (tensors["images"] == picture).all()
    assert "both: 2.png: is 4x1, too narrow to be two pictures; skipped" in lines


def test_channels_are_the_pictures_and_inputs_keep_theirs(made, tmp_path, pairs):
    for form in ("halves", "folders"):
        _, tensors, _ = made(*FORMS[form], "--channels", 1)
        assert (tensors["images"].shape[3], tensors["inputs"].shape[3]) == (1, 3)
    assert made("made.safetensors", "--size", 8, "--channels", 3)[1]["inputs"].shape == (9, 8, 8, 3)


def test_small_inputs_stay_small(made, fails, pairs):
    made("photos", "--derive", "small:4")
    _, tensors, _ = made("made.safetensors", "--crop", 12, "--size", 8)
    assert (tensors["images"].shape, tensors["inputs"].shape) == ((9, 8, 8, 3), (9, 2, 2, 3))
    said = "holds inputs of 2x2 beside pictures of 8x8; they would not get whole sizes; choose another"
    assert said in fails("gan-data", "made.safetensors", "--size", 6, "-o", "x.safetensors")
    assert "pictures are 16x16, which it does not divide" in fails(
        "gan-data", "photos", "--derive", "small:3", "-o", "x.safetensors"
    )


# ----------------------------------------------------------------------------------------------- derive


def test_every_way_is_the_function_of_the_shaped_picture(made, pairs):
    for text in ("gray", "edges", "edges:0.4", "blur:1.5", "mask", "mask:0.25", "flat:3", "small:2"):
        way = derive.parse(text)
        meta, tensors, _ = made("photos", "--size", 12, "--derive", text)
        expected = [derive.DERIVE[way.name].make(picture, way.number, None) for picture in tensors["images"]]
        assert np.array_equal(tensors["inputs"], np.stack(expected)), text
        assert str(way) in (text, f"{text}:0.1", f"{text}:0.5")
        assert meta["input_names"] == [str(way)]


def test_the_noise_is_of_the_row_and_the_seed(made, tmp_path, pairs):
    def noised(*options):
        _, tensors, _ = made("photos", "--derive", "noise:20", *options)
        return dict(zip(map(bytes, tensors["images"]), map(bytes, tensors["inputs"]), strict=True))

    whole = noised()
    assert noised("--shuffle", "--limit", 4).items() < whole.items()
    assert not noised("--seed", 1).items() & whole.items()
    difference = made("photos", "--derive", "noise:20")[1]
    assert 15 < np.std(difference["inputs"].astype(int) - difference["images"]) < 20  # less where it is cut off


def test_edges_are_thin_black_lines_where_the_picture_changes():
    square = np.zeros((64, 64, 3), np.uint8)
    square[16:48, 16:48] = (255, 0, 0)
    found = derive.edges(square, 0.2, None)
    assert found.shape == (64, 64, 1) and set(np.unique(found)) == {0, 255}
    black = found[..., 0] == 0
    assert 100 < black.sum() < 160  # four sides of about 32
    rows, columns = np.nonzero(black)
    assert all(
        min(abs(row - 15.5), abs(row - 47.5), abs(column - 15.5), abs(column - 47.5)) <= 1.5
        for row, column in zip(rows, columns, strict=True)
    )
    assert (derive.edges(square // 50, 0.2, None) == 255).all()
    assert (derive.edges(np.full((8, 8, 1), 77, np.uint8), 0.01, None) == 255).all()
    assert derive.edges(noise(1, 3, 1, 1), 0.2, None).shape == (1, 1, 1)


def test_edges_are_those_of_scikit_image():
    feature = pytest.importorskip("skimage.feature")
    y, x = np.mgrid[:64, :64]
    picture = (128 + 100 * np.sin(x / 9) * np.cos(y / 7)).astype(np.uint8)[..., None]
    picture[20:40, 30:50] //= 3
    for threshold in (0.05, 0.2, 0.3):  # far from the slopes of the waves
        ours = derive.edges(picture, threshold, None)[..., 0] == 0
        high = 8 * threshold / np.sqrt(2 * np.pi)  # in its sobel's units
        theirs = feature.canny(picture[..., 0] / 255, 1.0, high / 2, high, mode="nearest")
        assert near(theirs)[ours].mean() > 0.97
        assert near(ours)[theirs].mean() > 0.9


def near(mask):
    """Where there is one, or beside it."""
    return np.max([np.roll(mask, (down, across), (0, 1)) for down in (-1, 0, 1) for across in (-1, 0, 1)], 0)


def test_edges_are_of_the_channel_that_changes_and_of_no_other():
    picture = np.full((32, 32, 3), 90, np.uint8)
    picture[:, 16:, 2] = 130
    step = derive.edges(picture, 0.1, None)
    assert np.array_equal(step, derive.edges(picture[..., 2:], 0.1, None)) and (step == 0).any()
    assert (derive.edges(picture, 0.2, None) == 255).all(), "it is 0.16 high"


@pytest.mark.parametrize("text", ["", "x", "edges:", "edges:x", "edges:2", "gray:1", "small", "small:1.5", "flat:1"])
@pytest.mark.parametrize("more", ["", ":", ":nan"])
def test_ways_that_are_none_are_said_to_be_none(text, more):
    with pytest.raises(ValueError, match=r"is not"):
        derive.parse(text + more)


def test_sketches_show_the_same_face(made, fails, pairs):
    _, black, _ = made("toy:faces", "--limit", 40, "--derive", "sketch", "--size", 32)
    _, color, _ = made("toy:faces", "--limit", 40, "--derive", "sketch:color", "--size", 32)
    _, plain, _ = made("toy:faces", "--limit", 40, "--size", 32)
    assert black["inputs"].shape == (40, 32, 32, 1)
    assert np.array_equal(black["images"], plain["images"])
    assert np.array_equal(black["attributes"], plain["attributes"])
    assert black["inputs"].mean() > 180  # paper
    pen = color["inputs"].astype(int)
    assert (pen.max(3) - pen.min(3)).max() > 60
    ground = np.abs(pen[:, 0, :4].mean(1) - color["images"][:, 0, :4].mean(1)).mean()
    assert ground < 40  # the frame around the paper has the ground's color
    line = fails("gan-data", "photos", "--derive", "sketch", "-o", "x.safetensors")
    assert line == "gan-data: photos: cannot be drawn as a sketch, as toy:faces can; --derive edges is for pictures"


# ------------------------------------------------------------------------------------------------- swap


def test_swapped_twice_is_as_before(made, pairs, tmp_path):
    made(*FORMS["folders"])
    meta, tensors, _ = made("made.safetensors", "--swap", "--shuffle")
    assert meta["input_names"] == ["images"]
    rows = [[*map(bytes, pairs[1])].index(bytes(picture)) for picture in tensors["images"]]
    assert np.array_equal(tensors["inputs"], pairs[0][rows])
    assert tensors["labels"].tolist() == (np.arange(9) // 3)[rows].tolist()


def test_what_belongs_to_the_pictures_alone_goes_with_a_swap(made, tmp_path):
    images = {name: noise(0)[None] for name in ("images", "inputs", "targets")}
    tensors = {**images, "latents": np.zeros((1, 3), np.float32)}
    container.write(str(tmp_path / "x.safetensors"), "samples", tensors, {})
    assert made("x.safetensors")[1].keys() == {"images", "inputs", "targets", "latents"}
    assert made("x.safetensors", "--size", 8)[1]["targets"].shape == (1, 8, 8, 3)
    assert made("x.safetensors", "--swap")[1].keys() == {"images", "inputs"}


# ----------------------------------------------------------------------------------------------- errors


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["toy:ring", "--derive", "edges"], "toy:ring: holds points; only pictures have inputs"),
        (["toy:ring", "--halves", "left,right"], "toy:ring: holds points; only pictures have inputs"),
        (["toy:ring", "--inputs", "photos"], "toy:ring: holds points; only pictures have inputs"),
        (["photos", "--inputs", "toy:ring"], "toy:ring: holds points; only pictures have inputs"),
        (["photos", "--swap"], "photos: has no inputs for --swap; make some with --inputs, --halves or --derive"),
        (["photos", "--derive", "small:4", "--swap"], "has inputs of 4x4x3 beside pictures of 16x16; --swap takes"),
        (["photos", "--inputs", "nowhere"], "nowhere: no such file or folder, nor a data set"),
        (["photos", "--inputs", "toy:faces"], "toy:faces has 10,000 pictures, and photos 9; without file names"),
    ],
)
def test_bad_input_is_one_line_that_says_what_to_do(fails, pairs, words, said):
    assert said in fails("gan-data", *words, "-o", "x.safetensors")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("photos --halves left,right --derive edges", "--halves and --derive exclude each other; give one"),
        ("photos --halves left,right --inputs photos", "--inputs and --halves exclude each other; give one"),
        ("photos --inputs photos --derive gray", "--inputs and --derive exclude each other; give one"),
        ("photos --halves left", "'left' is not one of 'right,left', 'left,right', 'top,bottom', 'bottom,top'"),
        ("photos --derive small:x", "'small:x' is not small:K, K a whole number from 2 to 64"),
        ("- --inputs -", "only one source can come from a pipe; give files for the others"),
    ],
)
def test_usage_errors(fails, words, said):
    assert said in fails("gan-data", *words.split(), "-o", "x.safetensors", code=2)


def test_inputs_that_not_every_source_has_are_left_out_and_told(made, pairs):
    made(*FORMS["folders"])
    meta, tensors, lines = made("made.safetensors", "photos")
    assert "inputs" not in tensors and "input_names" not in meta
    assert "skipped inputs, which not every source has" in lines


@pytest.mark.parametrize(
    ("tensor", "array", "said"),
    [
        ("inputs", np.zeros((3, 4, 4, 1), np.uint8), "inputs is uint8 [3, 4, 4, 1], which does not match images"),
        ("inputs", np.zeros((2, 4, 4, 17), np.uint8), "inputs are [4, 4, 17], not [H, W, C] with C = 1 to 16"),
        ("inputs", np.zeros((2, 4, 4, 1), np.float32), "inputs is float32 [2, 4, 4, 1], which does not match images"),
        ("targets", np.zeros((2, 4, 4, 2), np.uint8), "targets are [4, 4, 2], not [H, W, C] with C = 1 or 3"),
    ],
)
def test_files_whose_inputs_do_not_fit_are_damaged(fails, tmp_path, tensor, array, said):
    tensors = {"images": np.zeros((2, 8, 8, 1), np.uint8), tensor: array}
    container.write(str(tmp_path / "x.safetensors"), "samples", tensors, {})
    assert said in fails("gan-data", "x.safetensors", "-o", "y.safetensors")
    assert said in fails("gan-info", "x.safetensors")


# ------------------------------------------------------------------------------------------------- toys


def test_hats_are_of_the_faces_that_wear_them(made):
    meta, tensors, _ = made("toy:hats", "--limit", 60)
    assert tensors["images"].shape == tensors["inputs"].shape == (60, 64, 64, 3)
    assert meta["classes"] == ["blue", "red", "green", "brown"]
    assert meta["attributes"] == ["smiling", "glasses", "moustache", "pose"]
    assert (tensors["images"][:, :8] == 255).all() and (tensors["images"][:, -8:] == 255).all()
    felt = np.stack([picture[(picture < 250).any(2)].mean(0) for picture in tensors["images"]])
    on_head = tensors["inputs"][:, 6:14, 28:36].mean((1, 2))
    found = np.argmin(np.abs(felt[:, None] - on_head[None]).sum(2), 1)
    assert np.abs(felt - felt[found]).mean() < 12, "a hat has the color that it has on the head"
    assert felt[tensors["labels"] == 1].argmax(1).tolist() == [0] * (tensors["labels"] == 1).sum()


def test_people_in_poses(made):
    meta, tensors, _ = made("toy:people", "--limit", 30, "--size", 48)
    assert meta["input_names"] == ["standing", "skeleton"]
    assert tensors["images"].shape == (30, 48, 48, 3)
    standing, skeleton = tensors["inputs"][..., :3], tensors["inputs"][..., 3]
    assert np.array_equal(standing[:, 0, 0], tensors["images"][:, 0, 0]), "one ground"
    bones = skeleton < 100
    body = (np.abs(tensors["images"].astype(int) - tensors["images"][:, :1, :1]) > 12).any(3)
    assert body[bones].mean() > 0.9, "bones are inside of the body"
    stands = (np.abs(standing.astype(int) - standing[:, :1, :1]) > 12).any(3)
    assert stands[bones].mean() < 0.8, "and it is another pose"
    arms_up = tensors["attributes"][:, 2:].any(1)
    heights = np.array([np.flatnonzero(mask.any(1))[0] for mask in bones])
    assert heights[arms_up].mean() < heights[~arms_up].mean()


def test_a_walk_is_a_film_of_each_person(made):
    _, tensors, _ = made("toy:people:walk", "--limit", 48, "--film", "--size", 32)
    assert tensors["images"].shape == (48, 1, 32, 32, 3)
    assert tensors["inputs"].shape == (48, 1, 32, 32, 4)
    standing = tensors["inputs"][:, 0, ..., :3]
    assert (standing[:24] == standing[0]).all() and (standing[24:] == standing[24]).all()
    assert (standing[0] != standing[24]).any()
    skeletons = tensors["inputs"][:, 0, ..., 3]
    assert len(np.unique(skeletons[:24].reshape(24, -1), axis=0)) == 24
    people, _ = made("toy:people", "--limit", 2, "--size", 32)[1]["inputs"][..., :3]
    assert np.array_equal(people, standing[0]), "those of toy:people"


# ---------------------------------------------------------------------------------- what else knows them


def test_gan_info_shows_them(ok, made, tmp_path):
    made("toy:people", "--limit", 4, "--size", 16)
    said = ok("gan-info", "made.safetensors", "--preview", "p.png").out.decode()
    assert "  input_names: standing, skeleton\n" in said
    assert "  inputs: uint8 [4, 16, 16, 4]\n" in said
    with Image.open(tmp_path / "p.png") as preview:
        assert preview.width == 4 * 16 * 3 * 2 or preview.width % (16 * 3) == 0


def test_stacked_pictures_are_told_apart():
    def split(channels, names):
        return [(view.name, *view.channels.indices(channels)[:2]) for view in stacked(channels, names)]

    assert split(4, ["people", "skeletons"]) == [("people", 0, 3), ("skeletons", 3, 4)]
    assert split(3, ["edges"]) == [("edges", 0, 3)]
    assert split(2, ["a", "b"]) == [("a", 0, 1), ("b", 1, 2)]
    assert split(16, []) == [*(("inputs", 3 * n, 3 * n + 3) for n in range(5)), ("inputs", 15, 16)]
    for channels in range(1, 17):
        for count in range(18):
            views = stacked(channels, ["x"] * count)
            assert [channel for view in views for channel in range(16)[view.channels]] == [*range(channels)]


def test_the_preview_of_inputs_that_are_smaller(ok, made, pairs, tmp_path):
    made("photos", "--derive", "small:4")
    ok("gan-info", "made.safetensors", "--preview", "p.png", "--json")
    with Image.open(tmp_path / "p.png") as preview:
        drawn = np.asarray(preview)
    assert len(np.unique(drawn[:4, :4].reshape(-1, 3), axis=0)) == 1, "enlarged as squares"


def test_other_inputs_are_other_data(made, pairs, tmp_path, ok):
    made("photos", "--derive", "gray")
    with container.read(str(tmp_path / "made.safetensors"), "samples") as file:
        known = Samples(file).identity
    made("made.safetensors", "--derive", "edges")
    with container.read(str(tmp_path / "made.safetensors"), "samples") as file:
        assert Samples(file).other_than(known) == ["inputs"]
    digests = set()
    for how in ("edges", "gray", "mask"):
        made("photos", "--derive", how)
        digests.add(ok("gan-info", "--digest", "made.safetensors").out)
    assert len(digests) == 3


def test_a_run_does_not_go_on_with_other_inputs(made, pairs, ok, fails):
    tiny = ("made.safetensors", "--width", 1, "--batch", 2, "-o", "a.ckpt", "-q")
    made("photos", "--derive", "gray")
    ok("gan-loop", *tiny, "--steps", 1)
    made("photos", "--derive", "edges")
    assert "the data are not the same (other inputs)" in fails("gan-loop", *tiny, "--steps", 2)


def test_python_reads_and_writes_them(made, pairs, tmp_path):
    made(*FORMS["folders"])
    data = ganutils.read(tmp_path / "made.safetensors")
    assert np.array_equal(data.inputs, pairs[1]) and data.targets is None
    path = tmp_path / "again.safetensors"
    ganutils.write(path, images=data.images, inputs=data.inputs[..., 0], targets=data.images, meta=data.meta)
    again = ganutils.read(path)
    assert again.inputs.shape == (9, SIDE, SIDE, 1) and np.array_equal(again.targets, data.images)
    assert again.meta["input_names"] == ["drawings"]
    ganutils.write(path, images=data.images, meta=data.meta)
    assert "input_names" not in ganutils.read(path).meta
    with pytest.raises(ganutils.Error, match=r"inputs: are uint8 \[9, 16, 16, 17\]; give uint8 .* C = 1 to 16"):
        ganutils.write(path, images=data.images, inputs=np.zeros((9, 16, 16, 17), np.uint8))
    with pytest.raises(ganutils.Error, match=r"inputs beside points"):
        ganutils.write(path, points=np.zeros((9, 2)), inputs=data.inputs)


def test_real_facades(made):
    folder = REAL / "pairs/facades/val"
    if not folder.exists():
        pytest.skip(f"no real data at {folder}; GANUTILS_TEST_DATA names their folder")
    _, tensors, lines = made(folder, "--halves", "right,left", "--size", 32)
    assert lines == ["50 pictures of 32x32x3 with inputs of 32x32x3"]
    saturation = [np.ptp(tensors[name].astype(int), axis=3).mean() for name in ("inputs", "images")]
    assert saturation[0] > 4 * saturation[1], "label maps are the inputs"
