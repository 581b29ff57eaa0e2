"""Captions: in files and Python, and the words in them."""

import json
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

import ganutils
from ganutils.samples import captions

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=200)
EVIL = "a\x1b[2J\n\x9b31m\u202e \U0001f600"


def pictures(count):
    return np.random.default_rng(count).integers(0, 256, (count, 8, 8, 1), "u1")


@pytest.fixture
def captioned(save):
    """captioned("x", [["a"], ["b", "c"]]) -> "x.safetensors", of pictures with these captions."""
    return lambda name, texts, **about: save(
        name, images=pictures(len(texts)), captions=captions.packed(texts), **about
    )


# ------------------------------------------------------------------------------------------- in files


@given(st.lists(st.lists(TEXTS, max_size=4), max_size=5))
def test_any_text_comes_back(texts):
    packed = captions.packed(texts)
    assert packed.dtype == np.uint8 and packed.shape[0] == len(texts)
    assert captions.texts("x", packed) == [[text for text in each if text] for each in texts]
    joined = captions.Joined([packed, captions.packed([["a longer one"] * 9])])
    assert captions.texts("x", joined[np.arange(len(texts))]) == captions.texts("x", packed)


@pytest.mark.parametrize(
    ("texts", "problem"),
    [
        ([["a"] * 65], "captions: a sample has 65; give at most 64"),
        ([["é" * 513]], "has 1,026 bytes; give at most 1,024"),
        ([["a\0b"]], "captions: 'a\\x00b' has a zero byte in it; leave it out"),
        ([["\ud800"]], "captions: '\\ud800' is not valid text"),
    ],
)
def test_what_no_file_holds_is_refused(tmp_path, texts, problem):
    with pytest.raises(ganutils.Error) as refused:
        ganutils.write(tmp_path / "x.safetensors", images=pictures(1), captions=texts)
    assert problem in str(refused.value)
    assert not list(tmp_path.iterdir())


def test_captions_in_python(tmp_path):
    path = tmp_path / "x.safetensors"
    ganutils.write(path, images=pictures(3), captions=["a cat", ["ü", EVIL], []])
    assert ganutils.read(path).captions == [["a cat"], ["ü", EVIL], []]
    ganutils.write(path, images=pictures(3)[:, None], captions=["a", "b", "c"])  # a film
    assert ganutils.read(path).captions == [["a"], ["b"], ["c"]]
    ganutils.write(path, latents=np.zeros((1, 4)), captions=["a"])
    assert (ganutils.read(path).meta["kind"], ganutils.read(path).captions) == ("latents", [["a"]])
    ganutils.write(path, points=np.zeros((1, 2)))
    assert ganutils.read(path).captions == []
    with pytest.raises(ganutils.Error, match="are of 2 samples, and there are 1; give a list for each"):
        ganutils.write(path, points=np.zeros((1, 2)), captions=["a", "b"])


@pytest.mark.parametrize(
    ("shape", "problem"),
    [
        ((2, 65, 1), "damaged: captions are [65, 1], not 1 to 64 of 1 to 1,024 bytes each"),
        ((2, 1, 1025), "damaged: captions are [1, 1025]"),
        ((2, 0, 9), "damaged: captions are [0, 9]"),
        ((3, 1, 9), "damaged: captions is uint8 [3, 1, 9], which does not match images [2, 8, 8, 1]"),
    ],
)
def test_captions_of_another_shape_are_refused(fails, save, shape, problem):
    assert problem in fails("gan-info", save("x", images=pictures(2), captions=np.zeros(shape, "u1")))


@pytest.mark.parametrize(("text", "problem"), [(b"\xff", "is not UTF-8 text"), (b"a\0b", "has a zero byte in it")])
def test_damaged_captions_are_named(save, tmp_path, text, problem):
    file = save("x", images=pictures(1), captions=np.frombuffer(text, "u1").reshape(1, 1, -1).copy())
    with pytest.raises(ganutils.Error, match=f"x.safetensors: damaged: one of its captions {problem}"):
        ganutils.read(tmp_path / file)


def test_captions_are_selected_and_joined_with_their_pictures(made, captioned):
    texts = [["dark"], ["light", "bright"], ["gray"], ["a much longer caption"], []]
    first = captioned("a", texts[:3], labels=np.arange(3), classes=["a", "b", "c"])
    second = captioned("b", texts[3:])
    _, ordered, _ = made(first, second)
    _, tensors, lines = made(first, second, "--shuffle")
    assert lines == ["5 pictures of 8x8x1"]
    assert captions.texts("x", ordered["captions"]) == texts
    order = [[one.tobytes() for one in ordered["images"]].index(one.tobytes()) for one in tensors["images"]]
    assert order != sorted(order)
    assert captions.texts("x", tensors["captions"]) == [texts[row] for row in order]
    _, tensors, _ = made(first, "--classes", "c,b", "--film", "--size", 4, "--derive", "gray")
    assert tensors["captions"].shape == (2, 1, 2, 6)
    assert captions.texts("x", tensors["captions"]) == [["light", "bright"], ["gray"]]
    _, tensors, lines = made(first, "toy:faces", "--limit", 4, "--channels", 1, "--size", 8)
    assert "captions" not in tensors
    assert "skipped captions, which not every source has" in lines


def test_a_run_is_not_continued_with_other_captions(ok, fails, captioned):
    tiny = ["--width", 1, "--z-dim", 2, "--batch", 2, "-o", "x.ckpt"]
    ok("gan-loop", captioned("a", [["dark"], ["light"]]), *tiny, "--steps", 1)
    line = fails("gan-loop", captioned("b", [["dark"], ["red"]]), *tiny, "--steps", 2)
    assert "other captions" in line


# ----------------------------------------------------------------------------------------------- toys

COLORS = {"red": (214, 52, 48), "green": (58, 164, 82), "blue": (48, 104, 210), "yellow": (242, 196, 40)}
COLORS["purple"] = (146, 72, 178)
SAME = {"violet": "purple", "disc": "circle", "box": "square", "little": "small", "tiny": "small", "big": "large"}
SAME |= {"to the left of": "left of", "on the left of": "left of", "to the right of": "right of"}
SAME |= {"on the right of": "right of", "over": "above", "on top of": "above", "under": "below", "beneath": "below"}
SHAPE = r"(?:(small|large) )?(red|green|blue|yellow|purple) (circle|square|triangle|star)"


def told(text):
    """What a caption says: (size or "", color, shape) of the first and the second, and whether one is above."""
    text = text.lower()
    for word, usual in SAME.items():
        text = re.sub(rf"\b{word}\b", usual, text)
    ones = re.findall(SHAPE, text)
    assert len(ones) == 2, text
    relation = re.search(r"\b(above|below|left of|right of)\b", text)
    if relation:
        is_swapped = (relation[0] in ("below", "right of")) != (" with " in text)
        return *(ones[::-1] if is_swapped else ones), relation[0] in ("above", "below")
    marks = re.findall("at the top|at the bottom|on the left|on the right", text)
    assert len(marks) == 2, text
    is_swapped = marks[0] in ("at the bottom", "on the right")
    return *(ones[::-1] if is_swapped else ones), marks[0].startswith("at")


def test_toy_shapes_are_what_their_captions_and_attributes_say(made):
    meta, tensors, _ = made("toy:shapes", "--limit", 200, "--describe", 3, "--size", 48)
    assert len(meta["attributes"]) == tensors["attributes"].shape[1] == 21
    assert tensors["captions"].shape[:2] == (200, 3)
    forms, texts = set(), captions.texts("x", tensors["captions"])
    for picture, values, each in zip(tensors["images"], tensors["attributes"], texts, strict=True):
        attributes = dict(zip(meta["attributes"], values, strict=True))
        for text in each:
            *ones, is_vertical = told(text)
            assert is_vertical == attributes["vertical"], text
            for which, (size, color, shape) in zip(("first", "second"), ones, strict=True):
                assert attributes[f"{which}_{color}"] == attributes[f"{which}_{shape}"] == 1, text
                assert not size or (size == "small") == attributes[f"{which}_small"], text
                assert sum(attributes[f"{which}_{name}"] for name in COLORS) == 1
            forms.add(re.sub(SHAPE, "X", text))
        halves = np.split(picture, 2, axis=0 if attributes["vertical"] else 1)
        for which, half in zip(("first", "second"), halves, strict=True):
            pixels = half.reshape(-1, 3).astype(int)
            ink = pixels[np.ptp(pixels, 1) > 60]  # the ground is pale
            near = {name: abs(ink - 0.95 * np.array(color)).mean() for name, color in COLORS.items()}
            assert attributes[f"{which}_{min(near, key=near.get)}"] == 1
            assert (len(ink) < 112) == attributes[f"{which}_small"], len(ink)
    assert len(forms) > 20


NOT = r"\b(no|not wear|not have|without|with no)( an?| \w+,| \w+ or| or|,)* "
SAID = {  # how captions mention an attribute, and deny it
    "smiling": (r"smil|happy|cheerful|serious", NOT + r"smile\b|not smil|serious|unsmiling"),
    "glasses": (r"glasses|spectacles", NOT + "(eye)?(glasses|spectacles)"),
    "moustache": (r"stache|clean", NOT + r"m\w*stache|clean"),
    "hat": (r"\bhat|bareheaded", NOT + "hat|bareheaded"),
}


def test_captions_of_faces_are_true_and_varied(made):
    meta, tensors, _ = made("toy:faces", "--limit", 400, "--describe", 2, "--size", 8)
    mentioned, texts = dict.fromkeys(SAID, 0), captions.texts("x", tensors["captions"])
    for values, each in zip(tensors["attributes"], texts, strict=True):
        attributes = dict(zip(meta["attributes"], values, strict=True))
        for name, (said, denied) in SAID.items():
            for text in filter(re.compile(said, re.IGNORECASE).search, each):
                assert bool(re.search(denied, text.lower())) != bool(attributes[name]), (name, text)
                mentioned[name] += 1
    assert all(mentioned[name] > 700 for name in ("smiling", "glasses", "hat"))
    assert 300 < mentioned["moustache"] < 500
    assert len({text for each in texts for text in each}) > 500


@pytest.mark.parametrize("toy", ["toy:faces", "toy:shapes"])
def test_captions_follow_from_the_seed_and_the_place(made, toy):
    _, many, _ = made(toy, "--limit", 40, "--describe", 4, "--size", 8)
    _, few, _ = made(toy, "--limit", 9, "--describe", 2, "--size", 8)
    assert np.array_equal(many["captions"][:9, :2], few["captions"])
    _, other, _ = made(toy, "--limit", 9, "--describe", 2, "--size", 8, "--seed", 1)
    assert not np.array_equal(other["captions"], few["captions"])


@pytest.mark.parametrize("source", ["toy:faces:age", "digits", "toy:ring", "pics"])
def test_only_what_can_be_described_is(fails, tmp_path, source):
    (tmp_path / "pics").mkdir()
    Image.new("L", (4, 4)).save(tmp_path / "pics" / "a.png")
    line = fails("gan-data", source, "--describe", 1, "-o", "x.safetensors")
    problem = f"{source}: cannot be described, as toy:faces and toy:shapes can; --captions takes your own"
    assert line == f"gan-data: {problem}"


# ----------------------------------------------------------------------------------- files of captions

FILES = {
    "t.csv": 'file,text,caption 1,other\na/0.png,"a, b","c\nd",1\na/0.png,third,,1\nb/0.png,q,,\nzz.png,s,,2\n',
    "t2.csv": "\ufefffile;Caption\na/0.jpg;a, b\na/0.jpg;c d\na/0.jpg;third\nb/0.png;q\nzz;s\n",
    "t.jsonl": '{"file_name": "a/0.png", "text": ["a, b", "c d", "third"]}\n\n'
    '{"file_name": "b/0.png", "caption": "q"}\n{"file_name": "zz.png", "caption": ""}',
    "t.txt": "a/0.png#0\ta, b\r\na/0.png#1\t c  d\r\n\r\na/0.png#2\tthird\r\nb/0.png\tq\nzz.png\t\n",
    "texts/a/0.txt": "a, b\nc d\n\nthird",
    "texts/b/0.TXT": "q\n",
    "texts/zz.txt": "s",
}


@pytest.fixture
def put(tmp_path):
    """put("t.csv", "file,text") -> its name, in tmp_path."""

    def write(name, content):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
        return name

    return write


@pytest.fixture
def folder(tmp_path):
    """Pictures a/0.png, a/1.png, b/0.png and b/1.png of shades 0, 1, 2, 3, in pics."""
    for number in range(4):
        (tmp_path / "pics" / "ab"[number // 2]).mkdir(parents=True, exist_ok=True)
        shades = np.array([[number, 99]], "u1")
        Image.fromarray(shades).save(tmp_path / "pics" / "ab"[number // 2] / f"{number % 2}.png")
    return "pics"


def told_of(tensors):
    """The captions of each picture, by its shade."""
    shades = tensors["images"][:, 0, 0, 0].tolist()
    return dict(zip(shades, captions.texts("x", tensors["captions"]), strict=True))


@pytest.mark.parametrize("form", ["t.csv", "t2.csv", "t.jsonl", "t.txt", "texts"])
def test_captions_by_the_names_of_pictures(made, fails, folder, put, form):
    for name, content in FILES.items():
        put(name, content)
    _, tensors, lines = made(folder, "--captions", form)
    assert told_of(tensors) == {0: ["a, b", "c d", "third"], 2: ["q"]}
    assert f"pics: 2 of 4 samples have no caption in {form}; the first is a/1.png; skipped" in lines
    assert f"{form}: 1 of 3 names are of no picture" in lines
    line = fails("gan-data", folder, "--captions", form, "--strict", "-o", "x.npy")
    assert line == f"gan-data: pics: 2 of 4 samples have no caption in {form}; the first is a/1.png (--strict)"


def test_captions_in_order(made, fails, folder, put, captioned):
    put("o.txt", "a\nb b\n\nd")
    _, tensors, lines = made(folder, "--captions", "o.txt")
    assert told_of(tensors) == {0: ["a"], 1: ["b b"], 3: ["d"]}
    assert "pics: 1 of 4 samples have no caption in o.txt; the first is b/0.png; skipped" in lines
    _, tensors, _ = made(captioned("x", [["old"], ["old"]]), captioned("y", [["old"]] * 2), "--captions", "o.txt")
    assert captions.texts("x", tensors["captions"]) == [["a"], ["b b"], ["d"]]
    _, tensors, _ = made("toy:ring", "--limit", 4, "--captions", put("p.txt", "a\nb\nc\nd\n"))
    assert captions.texts("x", tensors["captions"]) == [["a"], ["b"], ["c"], ["d"]]
    line = fails("gan-data", "toy:ring", "--limit", 5, "--captions", "p.txt", "-o", "x.npy")
    how = "give a line for each in order, or NAME<TAB>caption"
    assert line == f"gan-data: p.txt: has 4 lines, and there are 5 samples; {how}"


def test_captions_beside_the_pictures_and_attributes(made, folder, put):
    put("pics/a/0.txt", "here")
    put("pics/b/0.txt", "there\nand there")
    put("t.csv", "file,dark\na/0.png,1\nb/1.png,0\nb/0.png,0.5\n")
    meta, tensors, _ = made(folder, "--captions", "pics", "--attributes", "t.csv", "--shuffle", "--size", "2x1")
    assert told_of(tensors) == {0: ["here"], 2: ["there", "and there"]}
    shades = tensors["images"][:, 0, 0, 0].tolist()
    assert dict(zip(shades, tensors["attributes"][:, 0].tolist(), strict=True)) == {0: 1, 2: 0.5}
    assert meta["classes"] == ["a", "b"]


def test_what_is_too_long_is_cut_and_counted(made, folder, put):
    put("o.txt", f"{'é' * 600}\n\x1b[2J\0\u202e\U0001f600 \t x\na\u2028b\n{'a ' * 600}\n")
    _, tensors, lines = made(folder, "--captions", "o.txt")
    assert told_of(tensors) == {
        0: ["é" * 512],
        1: ["\x1b[2J \u202e\U0001f600 x"],
        2: ["a b"],
        3: [("a " * 512).strip()],
    }
    assert "o.txt: 2 of 4 captions are longer than 1,024 bytes and were cut; the first is in line 1" in lines
    put("m.csv", "file,text\n" + "a/0.png,x\n" * 70 + "a/1.png,y\n" * 64)
    _, tensors, lines = made(folder, "--captions", "m.csv")
    assert tensors["captions"].shape == (2, 64, 1)
    assert "m.csv: 1 of 2 samples have more than 64 captions; further ones were left out" in lines


ENTRY = 'write {"file_name": "1.png", "text": "a cat"}'
LINE = "goes on for more than 1,048,576 characters; a caption has at most 1,024 bytes"


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("x.txt", b"x" * 10_000_000, f"line 1 {LINE}"),
        ("x.jsonl", b'{"file_name": "' + b"x" * 10_000_000, f"line 1 {LINE}"),
        ("x.csv", b'file,text\na/0.png,"' + b"x" * 9_000_000, f"line 2 {LINE}"),
        ("x.csv", b'file,text\na/0.png,"' + b"x\n" * 90_000, "is not a table, in line 65,538 (field larger than"),
        ("x.csv", b'file,text\n"' + b'","\n' * 600_000, "goes on for more than 1,048,576 characters"),
        ("x.csv", b"file,text\n" + b"\n" * 1_000_000, "x.csv: asks for 702"),
        ("x.csv", b"file" + b",text" * 9000 + b"\n" + (b"a" + b"," * 9000 + b"\n") * 90, "captions, more than"),
        ("x.csv", b"file,text\na/0.png\n", "the row that ends in line 2 has 1 cells, and the header 2; quote captions"),
        ("x.csv", b"file,words\na/0.png,a\n", "its header has no column caption, text or caption1 behind the first"),
        ("x.csv", b"", "its header has no column caption, text or caption1 behind the first: nothing"),
        ("x.csv", b"file,text\nz.png,a\n", "none of its names (z.png, ...) is in pics"),
        ("x.csv", b"file,text\n0.png,a\n", "a/0.png and b/0.png match the same row; add their folders"),
        ("x.csv", b"file,text\nc/0.png,a\nd/0.png,b\n", "c/0.png and d/0.png both match a/0.png"),
        ("x.txt", b"a\n\xff\n", "x.txt: is not UTF-8 text; save it as UTF-8"),
        ("x.txt", b"\xff\xfea\0\n\0", "x.txt: is not UTF-8 text; save it as UTF-8"),
        ("x.txt", b"", "x.txt: holds no captions"),
        ("x.txt", b" \n\n\0\n\n", "x.txt: holds no captions"),
        ("x.txt", b"a/0.png\tx\nb/0.png y\n", "line 2 has no tab, as the first has; write NAME<TAB>caption"),
        ("x.jsonl", b"[" * 100_000, f"line 1 is not JSON; {ENTRY}"),
        ("x.jsonl", b"\nnull\n", f"line 2 has no file_name and text; {ENTRY}"),
        ("x.jsonl", b'{"file_name": "a/0.png", "text": [1]}', f"line 1 has no file_name and text; {ENTRY}"),
        ("x.jsonl", b'{"file_name": 7, "text": "a"}', f"line 1 has no file_name and text; {ENTRY}"),
        ("x.xml", b"<a/>", "x.xml: captions are in .csv, .jsonl, .txt, or in a folder of .txt files"),
        ("none/x.md", b"a", "none: holds no .txt files; give NAME.txt for NAME.png, with a caption in each line"),
        ("none/0.txt", b"a\n", "a/0.png and b/0.png match the same row"),
        ("none/a/0.txt", b" ", "none: has no caption of any sample of pics"),
        ("none/a/0.txt", b"\xff", "none/a/0.txt: is not UTF-8 text; save it as UTF-8"),
    ],
)
def test_bad_files_of_captions_are_named_in_one_line(fails, folder, put, tmp_path, name, content, problem):
    put(name, content)
    line = fails("gan-data", folder, "--captions", name.split("/")[0], "-o", "x.npy")
    assert problem in line and len(line) < 300
    assert not (tmp_path / "x.npy").exists()


def test_captions_of_pictures_need_their_names(fails, put, folder):
    put("t.csv", "file,text\na.png,b\n")
    line = fails("gan-data", "toy:faces", "--captions", "t.csv", "-o", "x.npy")
    how = "give a .txt file with a line for each sample"
    assert line == f"gan-data: toy:faces: has no file names to match with t.csv; {how}"
    line = fails("gan-data", "toy:faces", "--captions", "t.csv", "--describe", 1, "-o", "x.npy", code=2)
    assert "--captions and --describe exclude each other; give one" in line


def test_gan_info_shows_some_captions(run, ok, captioned):
    file = captioned("x", [["a cat", EVIL], ["x" * 100], [], ["last"]])
    result = ok("gan-info", file)
    quoted = r'"a\x1b[2J\n\u009b31m\u202e ' + '\U0001f600"'
    assert f'  captions: 4, "a cat", {quoted}, "{"x" * 80}...", ...\n' in result.out.decode()
    about = json.loads(ok("gan-info", file, "--json").out)
    assert about["captions"] == {"count": 4, "first": ["a cat", EVIL, "x" * 100]}


# ---------------------------------------------------------------------------------------------- words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("A small, RED circle -- above", ["a", "small", "red", "circle", "above"]),
        ("it's 'here', l\u2019été", ["it's", "here", "l'été"]),
        ("हिन्दी 赤い丸 ﬁn", ["हिन्दी", "赤い丸", "fin"]),
        ("\u202eabc\u2069 \U0001f600\x1b[2J", ["abc", "2j"]),
        ("... !", []),
        ("a " * 100, ["a"] * 48),
    ],
)
def test_words(text, words):
    assert captions.words(text) == words


@given(TEXTS)
def test_words_are_words(text):
    words = captions.words(text)
    assert captions.words(" ".join(words)) == words


def test_the_vocabulary_is_ordered_and_limited():
    assert captions.vocabulary(["b a", "a c", "d"]) == ["a", "b", "c", "d"]
    many = [f"w{number} twice{number // 2}" for number in range(10_001)]
    known = captions.vocabulary(many)
    assert len(known) == 4096 and not any(word.startswith("w") for word in known)
    assert len(captions.vocabulary(many[:3000])) == 4096


def test_tokens_are_numbers_of_words():
    known = captions.vocabulary(["a red circle", "a blue circle"])
    assert known == ["a", "circle", "blue", "red"]
    assert captions.tokens(["A blue star!", "", "circle"], known).tolist() == [[1, 3], [0, 0], [2, 0]]
    assert captions.tokens([], known).shape == (0, 1)
    assert captions.unknown("a green star, a Green cat", known) == ["green", "star", "cat"]
