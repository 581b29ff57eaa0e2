"""Where samples come from. Each source is a few lines of its own; `opened` knows them by what the user typed."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import re
from collections.abc import Iterator
from typing import NamedTuple

from ganutils import Error
from ganutils.samples import predicates
from ganutils.samples.images import SUFFIXES
from ganutils.samples.sources import archives, arrays, attributes, faces, named, quickdraw, toys
from ganutils.samples.sources.downloads import Progress
from ganutils.samples.sources.source import Source

TOYS = ("faces", *toys.SETTINGS)
TAR = re.compile(r"\.(tar|tar\.gz|tgz|tar\.bz2|tbz2?|tar\.xz|txz)$", re.IGNORECASE)
PICKLES = (".pt", ".pth", ".npz", ".pkl", ".pickle")


class SourceOptions(NamedTuple):
    """What sources may want to know.

    root             folder of downloads
    split            the part of a data set that has parts of its own, by name
    attributes       a table of attributes, for pictures in files
    toys, seed       how many toys to draw, and which
    mean, std, modes of the toys
    progress         total -> a bar, for downloads
    """

    root: str
    split: tuple[float, float] | str | None
    attributes: str | None
    toys: int
    seed: int
    mean: float | None
    std: float | None
    modes: int | None
    progress: Progress

    @property
    def part(self) -> str | None:
        """The split, if it has a name."""
        return self.split if isinstance(self.split, str) else None

    @property
    def toy(self) -> dict[str, float]:
        """The toys' settings that were typed."""
        typed = {"mean": self.mean, "std": self.std, "modes": self.modes}
        return {name: value for name, value in typed.items() if value is not None}


@contextlib.contextmanager
def open_sources(names: tuple[str, ...], settings: SourceOptions) -> Iterator[list[Source]]:
    """The sources that `names` stand for, one or more each, for as long as the block lasts."""
    if settings.toy and not any(name.startswith("toy:") for name in names):
        raise Error(f"--{next(iter(settings.toy))} is for toy:gaussian, toy:ring and toy:grid; leave it out here")
    table = attributes.read_table(settings.attributes) if settings.attributes else None
    with contextlib.ExitStack() as stack:
        found = [source for name in names for source in stack.enter_context(_opened(name, settings))]
        if table is not None:
            found = [attributes.join(source, table) for source in found]
            found[0] = dataclasses.replace(found[0], notes=(*table.notes, *found[0].notes))
        yield found


@contextlib.contextmanager
def _opened(name: str, settings: SourceOptions) -> Iterator[list[Source]]:
    kind, _, detail = name.partition(":")
    if kind in named.NAMED:
        with named.open_named(kind, detail, settings.root, settings.part or "train") as found:
            yield found
    elif kind == "quickdraw" and detail:
        _check_no_split(name, settings)
        yield quickdraw.bitmaps(detail, settings.root, settings.progress)
    elif kind == "toy":
        _check_no_split(name, settings)
        yield [_toy(detail, settings)]
    elif _is_idx_folder(name):
        yield [arrays.idx(_idx_in(name, part)) for part in _parts(settings.part)]
    else:
        _check_no_split(name, settings)
        with _file(name) as source:
            yield [source]


def _toy(name: str, settings: SourceOptions) -> Source:
    if name not in TOYS:
        raise Error(f"toy:{name}: is not known; known are {', '.join(f'toy:{one}' for one in TOYS)}")
    if name == "faces":
        if settings.toy:
            raise Error(f"toy:faces: has no --{next(iter(settings.toy))}")
        return faces.source(settings.toys, settings.seed)
    return toys.points(name, settings.toys, settings.seed, settings.toy)


def _check_no_split(name: str, settings: SourceOptions) -> None:
    if settings.part is not None:
        raise Error(f"{name}: has no split {settings.part!r} of its own; --split 0-90% takes a part")


@contextlib.contextmanager
def _file(path: str) -> Iterator[Source]:
    """A file or folder, by what it is called."""
    if path != "-" and not os.path.exists(path):
        raise Error(f"{path}: no such file or folder, nor a data set; {_hint(path)}")
    lower = path.lower()
    if path == "-" or lower.endswith(".safetensors"):
        with arrays.samples(path) as source:
            yield source
    elif os.path.isdir(path):
        yield archives.folder(path)
    elif lower.endswith(".npy"):
        yield arrays.npy(path)
    elif lower.endswith(".ndjson"):
        yield quickdraw.strokes(path)
    elif re.search(r"idx\d-ubyte(\.gz)?$", lower):
        yield arrays.idx(path)
    elif lower.endswith(".zip"):
        with archives.zipped(path) as source:
            yield source
    elif TAR.search(lower):
        with archives.tarred(path) as source:
            yield source
    elif lower.endswith(SUFFIXES):
        yield archives.picture(path)
    elif lower.endswith(PICKLES):
        raise Error(f"{path}: may hold pickled code, which is never run here; save an array with np.save as .npy")
    else:
        known = "folder, .zip, .tar[.gz], .npy, .ndjson, idx3-ubyte[.gz], .safetensors or picture"
        raise Error(f"{path}: its name does not say what it is; a {known} is wanted")


def _hint(path: str) -> str:
    names = (*named.NAMED, "quickdraw:apple", *(f"toy:{one}" for one in TOYS))
    return predicates.nearest(path, names)


def _parts(split: str | None) -> tuple[str, ...]:
    parts: dict[str | None, tuple[str, ...]] = {
        None: ("train",),
        "train": ("train",),
        "test": ("test",),
        "all": ("train", "test"),
    }
    if split not in parts:
        raise Error(f"--split {split}: idx files have train, test and all")
    return parts[split]


def _is_idx_folder(path: str) -> bool:
    return os.path.isdir(path) and any(arrays.IDX_IMAGES.match(name) for name in os.listdir(path))


def _idx_in(folder: str, part: str) -> str:
    """The pictures of a part among the idx files in a folder."""
    wanted = ("t10k", "test") if part == "test" else ("train",)
    names = sorted(name for name in os.listdir(folder) if arrays.IDX_IMAGES.match(name))
    found = [name for name in names if any(word in name for word in wanted)]
    if len(found) != 1:
        raise Error(f"{folder}: has {len(found)} idx files of {part} pictures; name the one to take")
    return os.path.join(folder, found[0])
