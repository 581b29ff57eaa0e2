"""gan-report: the page of a run, and of two side by side."""

import json

import pytest
from conftest import TINY
from PIL import Image

NASTY = "<img src=x onerror=fail()> & more.txt"


@pytest.fixture
def run_of(ok, pictures, tmp_path):
    """run_of("a", ...) trains a.ckpt with its log, and scores it."""

    def train(name, *model):
        files = ["--log", f"{name}.jsonl", "-o", f"{name}.ckpt"]
        ok("gan-loop", pictures, *TINY, "--steps", 60, *files, "-q", *model)
        scores = ok("gan-eval", pictures, f"{name}.ckpt", "--features", "pixels", "-n", 8, "-q").out
        (tmp_path / f"{name}.scores.jsonl").write_bytes(scores)
        return [f"{name}.ckpt", f"{name}.jsonl", f"{name}.scores.jsonl"]

    return train


def headings(page):
    return page.locator("h2").all_text_contents()


def rows(page, section):
    table = page.locator(f"section:has(h2:text-is('{section}')) table")
    return [row.locator("th, td").all_text_contents() for row in table.locator("tr").all()]


def test_two_runs_stand_side_by_side(ok, run_of, pictures, tmp_path, visit):
    files = [*run_of("a"), *run_of("b", "--loss", "hinge")]
    ok("gan-sample", "a.ckpt", "-n", 4, "-o", "four.png", "-q")
    (tmp_path / NASTY).write_text("too <early> & faint")
    said = ok("gan-report", *files, "four.png", pictures, NASTY, "--heading", "A & <b>", "-o", "report.html").lines
    assert said == ["9 files reported"]
    page = visit("report.html")
    assert page.text_content("h1") == page.title() == "A & <b>"
    sections = ["What differs", "Settings", "Training", "Scores", NASTY, "Samples", "Figures", "Made by"]
    assert headings(page) == sections
    assert rows(page, "What differs") == [["", "a", "b"], ["loss", "nonsaturating", "hinge"]]
    assert [row[0] for row in rows(page, "Scores")] == ["", "a.ckpt", "b.ckpt"]
    assert page.text_content("pre") == "too <early> & faint"
    assert page.locator("figcaption").all_text_contents() == ["Training", "a.ckpt", "b.ckpt", pictures, "four.png"]
    widths = page.evaluate("[...document.images].map((image) => image.naturalWidth)")
    assert min(widths) > 0
    recipe = page.locator("pre").last.text_content().splitlines()
    assert recipe[0] == "# 'made by hand'"  # no command of ours
    assert recipe[-1].startswith("gan-report a.ckpt a.jsonl ")


def test_one_run_alone_has_its_settings_and_no_differences(ok, run_of, visit):
    ok("gan-report", *run_of("a"), "-o", "report.html")
    page = visit("report.html")
    assert headings(page) == ["Settings", "Training", "Scores", "Samples", "Made by"]
    settings = {row[0]: row[1] for row in rows(page, "Settings")[1:]}
    assert (settings["step"], settings["width"], settings["shape"]) == ("60", "2", "8x8x1")


def test_the_same_files_give_the_same_bytes(ok, run_of, tmp_path):
    files = run_of("a")
    ok("gan-report", *files, "-o", "report.html")
    first = (tmp_path / "report.html").read_bytes()
    ok("gan-report", *files, "-o", "report.html")
    assert (tmp_path / "report.html").read_bytes() == first


def test_what_a_report_has_no_place_for_is_one_line(fails, tmp_path, checkpoint):
    (tmp_path / "broken.png").write_bytes(b"no picture")
    assert fails("gan-report", "broken.png", "-o", "r.html").startswith("gan-report: broken.png: ")
    (tmp_path / "log.jsonl").write_text(json.dumps({"step": 1}) + "\nno json\n{}\n")
    assert fails("gan-report", "log.jsonl", "-o", "r.html").startswith("gan-report: log.jsonl: line 2 is not a JSON")
    line = fails("gan-report", "missing.png", "-o", "r.html")
    assert line == "gan-report: missing.png: no such file or directory; check the name"
    Image.new("L", (8, 8)).save(tmp_path / "good.png")
    assert fails("gan-report", "good.png", "-o", "r.pdf").endswith("r.pdf: cannot write this format; use .html")
    assert not list(tmp_path.glob("r.*"))
