"""gan-quiz: the page as a visitor sees it, and the file."""

import json

import numpy as np
import pytest
from scipy.stats import binomtest

from ganutils.files import container

NASTY = '</script><img src=x onerror="fail()"> & "quoted" \u2028 \x1b[31m'

BRIGHTNESS = """async (button) => {
  const image = button.firstElementChild, context = document.createElement("canvas").getContext("2d");
  await image.decode();
  context.drawImage(image, 0, 0);
  return context.getImageData(0, 0, 1, 1).data[0];
}"""


@pytest.fixture
def pair(tmp_path):
    """real.safetensors is bright, fake.safetensors dark: twelve gray pictures of 8x8 each."""
    for name, level in (("real", 200), ("fake", 30)):
        images = np.zeros((12, 8, 8, 1), np.uint8) + np.arange(level, level + 12, dtype=np.uint8)[:, None, None, None]
        meta = {"lineage": [f"gan-data {name}"]}
        container.write(str(tmp_path / f"{name}.safetensors"), "samples", {"images": images}, meta)
    return "real.safetensors", "fake.safetensors"


def make_quiz(ok, tmp_path, pair, *more):
    ok("gan-quiz", *pair, "-n", 4, "--answers", "answers.json", "-o", "quiz.html", "-q", *more)
    return json.loads((tmp_path / "answers.json").read_text())


def play(page, sides):
    for side in sides:
        page.keyboard.press(f"Arrow{side.capitalize()}")
        page.keyboard.press("Enter")


def test_who_finds_every_real_picture_is_told_so(ok, tmp_path, pair, visit):
    answers = make_quiz(ok, tmp_path, pair, "-n", 6)
    page = visit("quiz.html")
    assert page.text_content("#progress") == "Round 1 of 6"
    play(page, [answer["real"] for answer in answers])
    assert page.text_content("#score") == "6 of 6 right (100 %)"
    assert (
        page.text_content("#meaning")
        == "With 95 % confidence you are right 54 % to 100 % of the time: you can tell them apart."
    )
    assert page.locator("#sheet li").count() == 6
    page.click("#again")
    assert page.text_content("#progress") == "Round 1 of 6"


def test_the_answers_are_true_and_the_score_counts_them(ok, tmp_path, pair, visit):
    answers = make_quiz(ok, tmp_path, pair)
    page = visit("quiz.html")
    for number, answer in enumerate(answers):
        level = page.locator(f"#{answer['real']}").evaluate(BRIGHTNESS)
        assert level == 200 + answer["real_row"]
        other = "left" if answer["real"] == "right" else "right"
        page.click(f"#{other if number < 2 else answer['real']}")
        told = "Wrong" if number < 2 else "Right"
        assert page.text_content("#verdict") == f"{told}: the {answer['real']} picture is real."
        page.click("#next")
    assert page.text_content("#score") == "2 of 4 right (50 %)"
    assert "no better than a coin, as far as 4 rounds can tell" in page.text_content("#meaning")
    verdicts = page.locator("#sheet li").all_text_contents()
    assert verdicts == ["1: wrong", "2: wrong", "3: right", "4: right"]


def test_the_interval_is_the_exact_one(ok, tmp_path, pair, visit):
    make_quiz(ok, tmp_path, pair)
    page = visit("quiz.html")
    for k, n in ((0, 1), (1, 1), (3, 7), (14, 20), (20, 20), (0, 50), (470, 1000)):
        exact = binomtest(k, n).proportion_ci(0.95, "exact")
        assert page.evaluate(f"interval({k}, {n})") == pytest.approx([exact.low, exact.high], abs=1e-6)


def test_a_title_cannot_break_out_of_the_page(ok, tmp_path, pair, visit):
    make_quiz(ok, tmp_path, pair, "--heading", NASTY)
    assert visit("quiz.html").text_content("#heading") == NASTY


def test_the_page_works_on_a_dark_phone(ok, tmp_path, pair, visit):
    make_quiz(ok, tmp_path, pair)
    page = visit("quiz.html", viewport={"width": 360, "height": 640}, color_scheme="dark", has_touch=True)
    page.tap("#left")
    assert page.is_visible("#next")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    ground = page.evaluate("getComputedStyle(document.documentElement).colorScheme")
    assert ground == "light dark"


def test_the_same_seed_gives_the_same_bytes_and_another_another_order(ok, tmp_path, pair):
    first = make_quiz(ok, tmp_path, pair)
    page = (tmp_path / "quiz.html").read_bytes()
    assert make_quiz(ok, tmp_path, pair) == first
    assert (tmp_path / "quiz.html").read_bytes() == page
    assert make_quiz(ok, tmp_path, pair, "--seed", 1) != first
    rows = {answer["real_row"] for answer in first}
    assert len(rows) == 4


def test_the_page_names_what_it_was_made_from(ok, tmp_path, pair):
    make_quiz(ok, tmp_path, pair)
    text = (tmp_path / "quiz.html").read_text()
    lineage = json.loads(text.partition('id="lineage">')[2].partition("</script>")[0])
    last = "gan-quiz real.safetensors fake.safetensors -n 4 --answers answers.json -o quiz.html -q"
    assert lineage == ["gan-data real", "gan-data fake", last]


def test_pictures_that_do_not_fit_are_refused(ok, fails, tmp_path, pair):
    real, fake = pair
    line = fails("gan-quiz", real, fake, "-n", 13, "-o", "quiz.html")
    assert line == "gan-quiz: real.safetensors: holds 12 pictures, and the quiz asks 13 times; give a smaller -n"
    ok("gan-data", "toy:faces", "--size", 16, "--limit", 12, "-o", "large.safetensors")
    line = fails("gan-quiz", real, "large.safetensors", "-n", 4, "-o", "quiz.html")
    assert line.startswith("gan-quiz: large.safetensors: samples are 16x16x3, those of real.safetensors 8x8x1")
    ok("gan-data", "toy:ring", "--limit", 12, "-o", "points.safetensors")
    line = fails("gan-quiz", "points.safetensors", fake, "-n", 4, "-o", "quiz.html")
    assert line == "gan-quiz: points.safetensors: holds points; a quiz needs pictures, sounds or texts"
    assert fails("gan-quiz", real, fake, "-o", "quiz.gif").endswith("quiz.gif: cannot write this format; use .html")
    assert not (tmp_path / "quiz.html").exists()
