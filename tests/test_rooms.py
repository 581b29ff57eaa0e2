"""The architecture: who imports whom among the packages is what CONTRIBUTING.md says, and goes in no circle."""

import ast
import graphlib
import re

import pytest
from conftest import ROOT

PACKAGE = ROOT / "ganutils"


def room(module):
    """The package or module right below ganutils that a dotted name leads to; None for ganutils itself."""
    first = module.removeprefix("ganutils").lstrip(".").split(".")[0]
    return first if (PACKAGE / first).is_dir() or (PACKAGE / f"{first}.py").exists() else None


def imported(path):
    """The rooms that a module imports from, wherever in it the import stands."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "ganutils":
            modules = [node.module] if "." in node.module else [f"ganutils.{name.name}" for name in node.names]
        elif isinstance(node, ast.Import):
            modules = [name.name for name in node.names if name.name.startswith("ganutils.")]
        else:
            continue
        yield from filter(None, map(room, modules))


def arrows_of_the_code():
    arrows = {}
    for path in PACKAGE.rglob("*.py"):
        own = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
        arrows.setdefault(own, set()).update(other for other in imported(path) if other != own)
    return {name: others for name, others in arrows.items() if others}


def arrows_of_the_map():
    lines = re.findall(r"^    (\w+) -> (.*)$", (ROOT / "CONTRIBUTING.md").read_text(), re.MULTILINE)
    return {name: set(others.split()) for name, others in lines}


def test_the_imports_are_those_of_the_map():
    assert arrows_of_the_code() == arrows_of_the_map()


def test_there_is_no_circle():
    graphlib.TopologicalSorter(arrows_of_the_map()).prepare()
    with pytest.raises(graphlib.CycleError):  # as it would be if files knew samples
        graphlib.TopologicalSorter({**arrows_of_the_map(), "files": {"samples"}}).prepare()


def test_every_package_is_on_the_map():
    packages = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    rows = re.findall(r"^\| `(\w+)`", (ROOT / "CONTRIBUTING.md").read_text(), re.MULTILINE)
    assert packages <= set(rows)
