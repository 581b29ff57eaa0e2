"""README and docs: every command in them parses, the pipelines and the Python examples run, and nothing drifts."""

import os
import re
import runpy
import shlex
import subprocess
import sys

import click
import numpy as np
import pytest
from conftest import BIN, ROOT
from PIL import Image

README = ROOT / "README.md"
PAGES = [README, *sorted((ROOT / "docs").glob("*.md")), *sorted((ROOT / "recipes").glob("*.md"))]
GUIDES = [page for page in PAGES if page.name != "commands.md"]


def blocks(page):
    """The indented and fenced blocks of a page that are not in another language than the shell's."""
    text = re.sub(r"```python\n.*?```", "", page.read_text(), flags=re.DOTALL)
    fenced = re.findall(r"^```\w*\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    return fenced + re.findall(r"(?:^    .*\n)+", text, re.MULTILINE)


def lines(block):
    """Its command lines; those that a backslash or a pipe joins are one."""
    joined = re.sub(r"\\\n\s*|\|\n\s*|\n\s*(?=\|)", lambda match: "| " if "|" in match[0] else " ", block)
    return [line.strip() for line in joined.splitlines()]


def commands(page):
    """Each gan-* command of a page, as a list of words; a synopsis with what stands in its brackets."""
    for line in (line for block in blocks(page) for line in lines(block)):
        if not re.search(r"(^|[;|&] *|do )gan-\w", line) or "──" in line:
            continue
        if re.search(r"\[-", line):  # a synopsis
            line = re.sub(r"[][]| \|(?= --)", "", line).replace(" N", " 5")
        words = shlex.shlex(line.replace(" ... ", " "), posix=True, punctuation_chars="|;&<>")
        words.whitespace_split = True
        command = []
        for word in [*words, ";"]:
            if not set(word) <= set("|;&<>"):
                command += [word] * (word != "do")
                continue
            if command and command[0].startswith("gan-"):
                yield command
            command = []


COMMANDS = sorted({tuple(words) for page in PAGES for words in commands(page)})


@pytest.fixture(scope="module")
def parsers():
    found = {path.name: runpy.run_path(str(path)) for path in BIN.glob("gan-*")}
    return {name: there[name.replace("-", "_")] for name, there in found.items()}


def test_the_examples_of_every_command_were_found():
    assert {words[0] for words in COMMANDS} == {path.name for path in BIN.glob("gan-*")}
    assert len(COMMANDS) > 100


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_command_in_the_docs_parses(parsers, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for word in words:
        if re.fullmatch(r"[\w-]+\.(txt|csv|ttf)", word):
            (tmp_path / word).touch()  # options whose file must be there
        elif "/" in word and not word.startswith(("~", "/")):
            (tmp_path / word).parent.mkdir(parents=True, exist_ok=True)
    problem = None
    try:
        parsers[words[0]].make_context(words[0], list(words[1:]))
    except click.exceptions.ClickException as refused:
        problem = refused.format_message()
    assert problem is None


def test_the_page_of_all_options_is_what_help_says():
    done = subprocess.run([sys.executable, ROOT / "docs" / "commands.py"], capture_output=True, text=True, check=True)
    assert (ROOT / "docs" / "commands.md").read_text() == done.stdout, "options have changed: run make docs"


# ------------------------------------------------------------------------------------------------- they run

SMALLER = {  # what README types, and what is enough to see that it works
    r"--steps \d+": "--steps 2",
    r"--minutes \d+": "--minutes 0.01",
    r"--decay \d+:\d+": "--decay 1:2",
    r"--updates \d+": "--updates 2",
    r"--frames \d+": "--frames 2",
    r"--width \d+": "--width 2 --batch 4",
    r"--size \d+": "--size 8",
    r"--seeds 1-8": "--seeds 1-2",
}


def section(title):
    """The commands under a heading of README, made smaller."""
    text = re.search(rf"^## {title}\n(.*?)(?=^## )", README.read_text(), re.DOTALL | re.MULTILINE)[1]
    code = "".join(re.findall(r"^    (.*\n)", text, re.MULTILINE))
    for typed, smaller in SMALLER.items():
        code = re.sub(typed, smaller, code)
    return code


@pytest.mark.parametrize(
    ("title", "results"),
    [
        ("A pipeline of five lines", ["sheet.png", "walk.gif"]),
        ("Your own pictures", ["mine.png", "sheet.png", "ganimation.gif"]),
        ("The two phases by hand", ["phases.png"]),
    ],
)
def test_the_pipelines_of_readme_work(pipeline, tmp_path, title, results):
    (tmp_path / "pictures").mkdir()
    for number in range(8):
        picture = np.random.default_rng(number).integers(0, 256, (9, 9, 3), np.uint8)
        Image.fromarray(picture).save(tmp_path / "pictures" / f"{number}.png")
    done = pipeline(f"set -e; HOME=$PWD\n{section(title)}")
    assert done.code == 0, done.err
    for result in results:
        with Image.open(tmp_path / result) as image:
            assert getattr(image, "n_frames", 1) > result.endswith(".gif")


def test_the_targets_of_make_in_readme_are_there(tmp_path):
    (tmp_path / "pictures").mkdir()
    calls = set(re.findall(r"make (?:demo|test|own PICTURES=[^`\s]+)", README.read_text()))
    assert len(calls) == 3
    for call in [*calls, "make docs", "make lint"]:
        env = {**os.environ, "HOME": str(tmp_path)}
        done = subprocess.run([*call.split(), "-n"], cwd=ROOT, env=env, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr


def test_the_examples_of_python_run(ok, tmp_path, monkeypatch, capsys):
    ok("gan-data", "digits", "--size", 32, "-o", "digits.safetensors")
    monkeypatch.chdir(tmp_path)
    space = {}
    for code in re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "python.md").read_text(), re.DOTALL):
        exec(re.sub(r"width=\d+", "width=2", re.sub(r"train\(\d+", "train(2", code)), space)
    assert capsys.readouterr().out.splitlines()[-1].startswith("digits.ckpt.safetensors: holds checkpoints")
    assert {"inverted.safetensors", "ones.png", "digits.ckpt.safetensors", "walk.gif"} <= set(os.listdir())
    assert space["images"].shape == (64, 32, 32, 1)


# ------------------------------------------------------------------------------------------------ nothing drifts


def anchors(page):
    """What links into a page can name: its headings, as GitHub writes them."""
    titles = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", [*PAGES, ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md"], ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        path, _, anchor = link.partition("#")
        if path.startswith("http"):
            continue
        target = (page.parent / path) if path else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


def test_pages_stay_short():
    assert len(README.read_bytes()) <= 8000
    for page in GUIDES:
        assert len(page.read_bytes()) <= 12_000, page.name


def test_every_page_is_linked_from_readme():
    for page in PAGES[1:]:
        assert str(page.relative_to(ROOT)) in README.read_text()


def test_the_tests_that_keep_promises_are_there():
    tests = "".join(path.read_text() for path in (ROOT / "tests").glob("*.py"))
    for name in re.findall(r"`(test_\w+?)_?(?:\.\.\.)?`", (ROOT / "docs" / "promises.md").read_text()):
        assert f"def {name}" in tests, name
    for path in re.findall(r"`(tests/\w+\.py)`", (ROOT / "docs" / "promises.md").read_text()):
        assert (ROOT / path).exists(), path
