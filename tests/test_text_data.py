"""Texts in and out, as users meet them: lines, the toy's sentences, sheets and films; and what strangers' files do."""

import itertools
import random

import numpy as np
import pytest
from hostile import Runner

import ganutils
from ganutils.files import budget, letters
from ganutils.samples.sources import grammar

SOAK = pytest.mark.soak


@pytest.fixture
def file(tmp_path):
    """file("x.txt", "a\\nb") writes it as UTF-8, or as it is if it is bytes; gives its name."""

    def write(name, content):
        (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
        return name

    return write


@pytest.fixture
def written(tmp_path):
    """written("x.txt") -> its lines."""
    return lambda name: (tmp_path / name).read_text(encoding="utf-8").split("\n")[:-1]


def texts_in(meta, tensors):
    return letters.decoded("it", tensors["letters"], meta["alphabet"])


# ------------------------------------------------------------------------------------------ lines in and out


def test_lines_become_texts_and_lines_again(made, ok, file, written):
    lines = ["hello there", "a  b", "", "  schön ", "x"]
    meta, tensors, said = made(file("a.txt", "\n".join(lines)))
    assert said == ["4 texts of 11 letters"]
    assert (tensors["letters"].dtype, tensors["letters"].shape) == (np.uint8, (4, 11))
    assert meta["alphabet"] == " " + "".join(sorted({*"hellothereabschönx"}))
    assert texts_in(meta, tensors) == ["hello there", "a b", "schön", "x"]
    ok("gan-data", "made.safetensors", "-o", "again.txt")
    assert written("again.txt") == ["hello there", "a b", "schön", "x"]
    assert made("again.txt")[1]["letters"].tolist() == tensors["letters"].tolist()


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_end_as_any_system_ends_them(made, file, end):
    meta, tensors, _ = made(file("a.txt", b"\xef\xbb\xbf" + f"one{end}two{end}".encode()))
    assert texts_in(meta, tensors) == ["one", "two"]


def test_length_is_what_was_asked_for_and_longer_lines_are_counted(made, fails, file):
    file("a.txt", "ab\nabcd\nabc\nabcdef\n")
    meta, tensors, said = made("a.txt", "--length", 3)
    assert texts_in(meta, tensors) == ["ab", "abc"]
    assert said == [
        "a.txt: skipped 2 lines of more than 3 signs, the first line 2; --length takes longer ones",
        "2 texts of 3 letters",
    ]
    assert meta["alphabet"] == " abc", "letters of what was skipped are not in it"
    assert made("a.txt", "--length", 9)[1]["letters"].shape == (4, 9)
    assert "skipped 4 lines of more than 1 sign" in fails("gan-data", "a.txt", "--length", 1, "-o", "x.safetensors")
    made("a.txt")
    meta, tensors, said = made("made.safetensors", "--length", 3)
    assert said[-1] == "2 texts of 3 letters, 2 skipped"
    assert "none of its texts has at most 1 letters" in fails("gan-data", "made.safetensors", "--length", 1)


def test_a_line_may_be_as_long_as_is_asked_for(made, file):
    long = "ab" * 500
    assert made(file("a.txt", f"ab\n{long}\n"))[2][0].startswith("a.txt: skipped 1 line of more than 128 signs")
    meta, tensors, _ = made("a.txt", "--length", 1000)
    assert texts_in(meta, tensors) == ["ab", long]


def test_several_files_get_one_alphabet_and_their_names_as_classes(made, file):
    file("a.txt", "ab\nba\n")
    file("b.txt", "bcd\n")
    meta, tensors, _ = made("a.txt", "b.txt")
    assert (meta["alphabet"], meta["classes"]) == (" abcd", ["a", "b"])
    assert (texts_in(meta, tensors), tensors["labels"].tolist()) == (["ab", "ba", "bcd"], [0, 0, 1])
    assert made("made.safetensors", "--shuffle", "--film", "--limit", 2)[1]["letters"].shape == (2, 1, 3)
    made("a.txt", "b.txt")
    meta, tensors, _ = made("made.safetensors", "--where", "b")
    assert (texts_in(meta, tensors), meta["alphabet"]) == (["bcd"], " abcd"), "so that it fits what was trained on all"


def test_captions_may_stand_beside_texts(made, file):
    file("a.txt", "ab\nba\n")
    file("said.txt", "the first\nthe second\n")
    _, tensors, _ = made("a.txt", "--captions", "said.txt")
    assert [bytes(one).rstrip(b"\0").decode() for one in tensors["captions"][:, 0]] == ["the first", "the second"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--size", 8], "--size is for pictures"),
        (["--crop", 8], "--crop is for pictures"),
        (["--channels", 1], "--channels is for pictures and sounds"),
        (["--rate", 8000], "--rate is for sounds"),
        (["--trim", 3], "--trim is for sounds"),
        (["--spectrogram", 16], "--spectrogram is for sounds"),
        (["--length", "0.5s"], "give --length in letters"),
        (["--length", 65537], "give --length in letters, up to 65,536"),
        (["--invert"], "only pictures can be inverted"),
        (["--halves", "right,left"], "only pictures have inputs"),
        (["--derive", "edges"], "only pictures have inputs"),
        (["--inputs", "a.txt"], "only pictures have inputs"),
        (["--swap"], "has no inputs"),
        (["--describe", 2], "cannot be described"),
    ],
)
def test_options_for_others_are_refused(fails, file, options, said):
    message = fails("gan-data", file("a.txt", "ab\n"), *options, "-o", "x.safetensors")
    assert message.startswith("gan-data: a.txt: ")
    assert said in message


def test_texts_do_not_mix_with_others(fails, file, pictures):
    message = fails("gan-data", file("a.txt", "ab\n"), pictures, "-o", "x.safetensors")
    assert message == "gan-data: a.txt holds texts, and data.safetensors holds pictures; write them to two files"


@pytest.mark.parametrize("name", ["x.wav", "x/"])
def test_texts_are_not_written_as_others(fails, file, name):
    what = "sounds" if name == "x.wav" else "pictures or sounds"
    message = fails("gan-data", file("a.txt", "ab\n"), "-o", name)
    assert message == f"gan-data: {name}: texts are not {what}; write them as .safetensors, .npy, .txt or .png"


@pytest.mark.parametrize("source", ["digits", "toy:ring", "toy:drums"])
def test_what_is_no_text_is_not_written_as_lines(fails, tmp_path, source):
    assert "are not texts; write them as" in fails("gan-data", source, "--limit", 2, "-o", "x.txt")
    assert not (tmp_path / "x.txt").exists()


def test_an_array_of_letters(ok, file, tmp_path):
    ok("gan-data", file("a.txt", "ba\nab\n"), "-o", "x.npy")
    assert np.load(tmp_path / "x.npy").tolist() == [[2, 1], [1, 2]]


# ------------------------------------------------------------------------------------------ strangers' files

FAULTY = {
    "binary": (b"\xff\xfe\x00\x01", "is not UTF-8 text"),
    "utf-16": ("héllo\n" * 9).encode("utf-16"),
    "latin": ("h\xe9llo\n" * 9).encode("latin-1"),
    "empty": (b"", "has no texts to learn from"),
    "blank": (b" \n\t\n\n", "has no texts to learn from"),
    "one sign": (b"aaa\na\n", "has no texts to learn from"),
    "hidden": ("\u202e\u200b\n\x1b\n").encode(),
    "one line": (b"x" * 10_000_000, "skipped 1 line of more than 128 signs"),
    "no end": (b"ab " * 400_000, "skipped 1 line of more than 128 signs"),
}


@pytest.mark.parametrize("name", FAULTY)
def test_a_file_without_texts_ends_in_a_line(fails, file, tmp_path, name):
    content, said = FAULTY[name] if isinstance(FAULTY[name], tuple) else (FAULTY[name], "")
    message = fails("gan-data", file("a.txt", content), "-o", "x.safetensors")
    assert message.startswith("gan-data: a.txt: ")
    assert said in message
    assert not (tmp_path / "x.safetensors").exists()


def test_escapes_and_marks_of_direction_are_left_out(made, ok, file, written):
    lines = ["\x1b[31mred\x1b[0m alarm\x07", "\u202eabc", "\u200bde\u00a0f\x00", "שלום", "\U0001f600 hi", "e\u0301"]
    meta, tensors, said = made(file("a.txt", "\n".join(lines)))
    assert texts_in(meta, tensors) == ["[31mred[0m alarm", "abc", "de f", "שלום", "\U0001f600 hi", "é"]
    assert said[0] == "a.txt: left out signs that cannot be shown, in 3 lines"
    ok("gan-data", "made.safetensors", "-o", "x.txt")
    assert all(line.isprintable() for line in written("x.txt"))
    shown = ok("gan-info", "made.safetensors").out.decode()
    assert 'texts: 6, "[31mred[0m alarm", "abc", "de f", ...' in shown
    assert all(line.isprintable() for line in shown.split("\n"))


def test_lines_with_rare_signs_are_left_out_where_there_are_too_many(made, file):
    common = "".join(map(chr, range(0x4E00, 0x4E00 + 255)))
    meta, tensors, said = made(file("a.txt", f"{common}\n{common}\nab\n"), "--length", 300)
    assert meta["alphabet"] == " " + common
    assert texts_in(meta, tensors) == [common] * 2
    assert said[0] == "a.txt: skipped 1 line with rarer signs than the 256 that an alphabet has room for"


def test_two_files_with_too_many_signs_in_all(fails, file):
    for name, first in (("a.txt", 0x4E00), ("b.txt", 0x5E00)):
        file(name, "".join(map(chr, range(first, first + 200))))
    message = fails("gan-data", "a.txt", "b.txt", "--length", 200, "-o", "x.safetensors")
    assert message == (
        "gan-data: a.txt and b.txt: have 401 different signs, and an alphabet has room for 256; write them to two files"
    )


def test_blanks_behind_short_lines_are_not_gigabytes(fails, file):
    file("a.txt", "ab\n" * 200_000)
    message = fails("gan-data", "a.txt", "--length", 60_000, "-o", "x.safetensors")
    assert "letters with blanks behind, more than" in message


@pytest.mark.parametrize(
    "alphabet", [None, "", " a", "abc", " aab", " a\x1b", " a\u202e", 7, [" ", "a", "b"], " " * 300]
)
def test_texts_without_an_alphabet_are_damaged(save, fails, ok, alphabet):
    meta = {} if alphabet is None else {"alphabet": alphabet}
    save("bad", letters=np.zeros((3, 4), np.uint8), meta=meta)
    for command in (["gan-data", "bad.safetensors", "-o", "x.txt"], ["gan-gif", "bad.safetensors", "-o", "x.png"]):
        assert "damaged: texts whose metadata have no 'alphabet'" in fails(*command)
    assert ok("gan-info", "bad.safetensors").lines == []


def test_a_letter_that_is_not_of_the_alphabet(save, fails, tmp_path):
    save("bad", letters=np.array([[0, 1], [2, 3]], np.uint8), alphabet=" ab")
    for command in (
        ["gan-data", "bad.safetensors", "-o", "x.txt"],
        ["gan-gif", "bad.safetensors", "-o", "x.png"],
        ["gan-info", "bad.safetensors", "--preview", "x.png"],
    ):
        what = "bad.safetensors: damaged: it has letter 3 in an alphabet of 3; make it again"
        assert fails(*command) == f"{command[0]}: {what}"
    assert not [*tmp_path.glob("x.*")]
    with pytest.raises(ganutils.Error, match="letter 3 in an alphabet of 3"):
        _ = ganutils.read(tmp_path / "bad.safetensors").texts


def test_a_text_cannot_claim_to_be_endless(save, fails):
    save("bad", letters=np.zeros((1, budget.LETTERS + 1), np.uint8), alphabet=" ab")
    assert "asks for 65,537 letters in each text" in fails("gan-gif", "bad.safetensors", "-o", "x.png")


@pytest.mark.parametrize("count", [40, pytest.param(4_000, marks=SOAK)])
def test_any_bytes_end_in_texts_or_in_words(tmp_path, monkeypatch, count):
    monkeypatch.chdir(tmp_path)
    r, runner = random.Random(count), Runner()
    pieces = [b"hello\n", b"\xff", b"\r", b"\n", b"\x1b[2J", "é\u0301".encode(), "\u202e".encode(), b"\0", b"ab " * 99]
    for _ in range(count):
        (tmp_path / "a.txt").write_bytes(b"".join(r.choice(pieces) for _ in range(r.randrange(30))))
        runner.run("gan-data", "a.txt", "-o", "x.txt", "-q", *r.choice([[], ["--length", str(r.randrange(1, 400))]]))
        if (tmp_path / "x.txt").exists():
            text = (tmp_path / "x.txt").read_bytes().decode()
            assert all(line.isprintable() for line in text.split("\n"))
    assert not runner.faults, "\n".join(runner.faults)


# ------------------------------------------------------------------------------------------ the toy


def all_sentences():
    """All of them, written out from the words alone."""

    def phrases(number):
        for article, adjective, noun in itertools.product(
            grammar.ARTICLES[number], ("", *grammar.ADJECTIVES), grammar.NOUNS[number]
        ):
            rest = f"{adjective} {noun}".strip()
            yield f"{'an' if article == 'a' and rest[0] in 'aeiou' else article} {rest}"

    for number, verb in itertools.product((0, 1), range(3)):
        for subject in phrases(number):
            alone, seeing = grammar.INTRANSITIVE[number][verb], grammar.TRANSITIVE[number][verb]
            yield from (f"{subject} {alone} {place}".strip() for place in ("", *grammar.PLACES))
            yield from (f"{subject} {seeing} {thing}" for thing in (*phrases(0), *phrases(1)))


def test_the_parser_takes_the_language_and_nothing_else():
    language = {*all_sentences()}
    assert (len(language), max(map(len, language))) == (69_300, 29)
    assert all(map(grammar.is_grammatical, language))
    r, some = random.Random(0), sorted(language)
    for text in r.sample(some, 3000):
        words, at = text.split(" "), r.randrange(len(text))
        changed = text[:at] + r.choice(grammar.ALPHABET) + text[at + 1 :]
        r.shuffle(words)
        for other in (changed, text[:at] + text[at + 1 :], text + " ", " ".join(words), " ".join(words[1:]), text * 2):
            assert grammar.is_grammatical(other) == (other in language), other
    for text in (
        "",
        " ",
        "a",
        "the",
        "an",
        "a big",
        "the  cat naps",
        "a owl sits",
        "an cat sits",
        "two cats sits",
    ):
        assert not grammar.is_grammatical(text)


def test_toy_sentences_are_grammatical_and_follow_from_the_seed(made):
    meta, tensors, said = made("toy:sentences", "--limit", 300)
    texts = texts_in(meta, tensors)
    assert said == ["300 texts of 32 letters"]
    assert all(map(grammar.is_grammatical, texts))
    assert meta["classes"] == ["singular", "plural"]
    plural = [text.split()[0] in ("two", "all") for text in texts]
    known = [text.split()[0] in ("two", "all", "one", "a", "an") for text in texts]
    assert tensors["labels"][known].tolist() == np.array(plural)[known].astype(int).tolist()
    assert len({*texts}) > 250
    assert made("toy:sentences", "--limit", 200)[1]["letters"].tolist() == tensors["letters"][:200].tolist()
    assert made("toy:sentences", "--limit", 300, "--seed", 1)[1]["letters"].tolist() != tensors["letters"].tolist()
    meta, tensors, _ = made("toy:sentences", "--limit", 30, "--where", "plural")
    assert (len(tensors["letters"]), {*tensors["labels"].tolist()}) == (30, {1})
