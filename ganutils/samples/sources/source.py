"""What every source gets, and gives: samples that are read when they are needed."""

from __future__ import annotations

import contextlib
import dataclasses
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np

from ganutils.files import paths
from ganutils.files.kinds import IMAGES, POINTS, SIGNALS, TEXTS, Modality
from ganutils.samples.captions import Captions, Chosen
from ganutils.samples.images import Shape, fit_pixels
from ganutils.samples.signals import Clip, Length, fit_signals
from ganutils.samples.sources.catalog import Row
from ganutils.samples.sources.downloads import Progress


class SourceOptions(NamedTuple):
    """What the user asks of sources.

    root             folder for downloads
    split            the part of a data set that comes in parts, by name; (from, to) in percent is for `select`
    attributes       a table of attributes, for pictures in files
    toys, seed       how many toys to draw, None = as many as their row says; and which
    mean, std, modes of the toys
    progress         total -> a bar, for downloads
    labels           the column of `attributes` that holds each picture's class in words
    captions         a file or folder of captions, for pictures in files
    describe         how many captions to write of each sample that was drawn; None = none
    length           of sounds and texts; None = as long as they are
    """

    root: str
    split: tuple[float, float] | str | None
    attributes: str | None
    toys: int | None
    seed: int
    mean: float | None
    std: float | None
    modes: int | None
    progress: Progress
    labels: str | None = None
    captions: str | None = None
    describe: int | None = None
    length: Length | None = None

    @property
    def named_split(self) -> str | None:
        return self.split if isinstance(self.split, str) else None

    @property
    def settings(self) -> dict[str, float]:
        """The toys' settings that were given."""
        given = {"mean": self.mean, "std": self.std, "modes": self.modes}
        return {name: value for name, value in given.items() if value is not None}


class Request(NamedTuple):
    """What an opener gets: one source, as it was typed.

    name      what was typed
    row       its row in the catalog
    options   those of the command
    stack     closes what the opener opens, once the samples have been read
    """

    name: str
    row: Row
    options: SourceOptions
    stack: contextlib.ExitStack

    @property
    def detail(self) -> str:
        """What follows the colon."""
        return self.name.partition(":")[2]

    @property
    def root(self) -> str:
        return paths.at_home(self.options.root)

    @property
    def split(self) -> str:
        """The split to read, or all."""
        return self.options.named_split or self.row.splits[0]

    @property
    def parts(self) -> tuple[str, ...]:
        """The split to read, of a data set in two parts."""
        return ("train", "test") if self.split == "all" else (self.split,)

    @property
    def settings(self) -> dict[str, float]:
        """The row's settings: those given, else their defaults."""
        given = self.options.settings
        return {name: given.get(name, default) for name, default in self.row.settings.items()}

    @property
    def toys(self) -> int:
        """How many toys to draw."""
        return self.options.toys or self.row.toys

    @property
    def meta(self) -> dict[str, Any]:
        """Metadata that the row knows."""
        return {"license": self.row.license}


class Pixels(Protocol):
    """Pictures uint8 [N, H, W, C], sounds float32 [N, T, C], or texts uint8 [N, T], in memory or in a file."""

    @property
    def shape(self) -> tuple[int, ...]: ...
    def __getitem__(self, rows: Any) -> np.ndarray: ...


Drawn = np.ndarray | dict[str, np.ndarray]  # a picture, or one for each of several tensors
Look = Shape | Clip  # what to make of pictures, or of sounds


@dataclasses.dataclass(frozen=True)
class Source:
    """Samples that are read when they are needed.

    name             what the user typed
    total            number of samples
    load             row -> what `draw` takes; called in the main process, with rows in ascending order; raises
                     UnreadableError
    modality         what they are
    draw             (loaded, Shape) -> uint8 [H, W, C], or by the names of tensors `images` and those of `beside`; of
                     sounds (loaded, Clip) -> signals.Shaped; a function of a module, since other processes call it;
                     raises UnreadableError
    pixels           uint8 [total, H, W, C], or float32 [total, T, C], if the source has them: copied as they are if
                     no other shape is asked for; of texts always, uint8 [total, T]
    alphabet         of its texts
    rate             Hz of its sounds, unless another is asked for; 0 where each has its own
    beside           uint8 [total, h, w, c] of the tensors beside the pictures, in the order of
                     `kinds.BESIDE`; None where they have to be drawn
    input_names      what the inputs show, one for each picture that is stacked in them
    sketch           (loaded, Shape, whether in color) -> uint8 [H, W, C], the same sample drawn with a pen
    points           float32 [total, D], instead of pictures
    names            each picture's file name
    labels, classes  int64 [total], and what they mean
    attributes       float32 [total, A] in 0..1, named by `attribute_names`
    latents          float32 [total, Z] that the samples were made from
    captions         uint8 [total, K, L]
    describe         (row, random) -> a caption of it, where the source can say what it drew
    meta             metadata, such as `license` and `lineage`
    notes            what the user should be told about it
    check            Error if it was changed while it was being read; called when all samples have been loaded
    unread           what could not be read beside single samples, such as folders: skipped, or with --strict an error
    """

    name: str
    total: int
    load: Callable[[int], Any]
    draw: Callable[[Any, Any], Drawn] = fit_pixels
    modality: Modality = IMAGES
    pixels: Pixels | None = None
    alphabet: str = ""
    rate: int = 0
    beside: Mapping[str, Pixels | None] = dataclasses.field(default_factory=dict)
    input_names: tuple[str, ...] = ()
    sketch: Callable[[Any, Shape, bool], np.ndarray] | None = None
    points: np.ndarray | None = None
    names: Sequence[str] | None = None
    labels: np.ndarray | None = None
    classes: tuple[str, ...] = ()
    attributes: np.ndarray | None = None
    attribute_names: tuple[str, ...] = ()
    latents: np.ndarray | None = None
    captions: Captions | None = None
    describe: Callable[[int, np.random.Generator], str] | None = None
    meta: dict[str, Any] = dataclasses.field(default_factory=dict)
    notes: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    check: Callable[[], None] = lambda: None

    def pixels_of(self, tensor: str) -> Pixels | None:
        """Of the samples, or of what is beside them; None where they have to be drawn."""
        return self.pixels if tensor == self.modality.tensor else self.beside.get(tensor)

    @property
    def stem(self) -> str:
        """Its name without folder and suffix."""
        return os.path.basename(os.path.abspath(self.name)).split(".")[0] or self.name

    def of_rows(self, rows: np.ndarray) -> Source:
        """Only the samples at `rows`, which are in ascending order."""

        def part(values: np.ndarray | None) -> np.ndarray | None:
            return None if values is None else values[rows]

        return dataclasses.replace(
            self,
            total=len(rows),
            load=lambda row: self.load(int(rows[row])),
            pixels=None,
            beside=dict.fromkeys(self.beside),
            names=None if self.names is None else [self.names[row] for row in rows],
            points=part(self.points),
            labels=part(self.labels),
            attributes=part(self.attributes),
            latents=part(self.latents),
            captions=None if self.captions is None else Chosen(self.captions, rows),
            describe=None,
        )


def of_pixels(name: str, pixels: Pixels, **about: Any) -> Source:
    """A source of uint8 [N, H, W, C]."""
    return Source(name, pixels.shape[0], lambda row: pixels[row], pixels=pixels, **about)


def of_points(name: str, points: np.ndarray, **about: Any) -> Source:
    """A source of float32 [N, D]."""
    return Source(name, len(points), lambda row: points[row], modality=POINTS, points=points, **about)


def of_signals(name: str, signals: Pixels, rate: int, **about: Any) -> Source:
    """A source of float32 [N, T, C], at a rate in Hz."""
    load = lambda row: (signals[row], rate)  # noqa: E731
    return Source(name, signals.shape[0], load, fit_signals, modality=SIGNALS, pixels=signals, rate=rate, **about)


def of_texts(name: str, letters: Pixels, alphabet: str, **about: Any) -> Source:
    """A source of uint8 [N, T], numbers of letters of an alphabet."""
    load = lambda row: letters[row]  # noqa: E731
    return Source(name, letters.shape[0], load, modality=TEXTS, pixels=letters, alphabet=alphabet, **about)
