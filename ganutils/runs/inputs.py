"""The pictures that a translator is given to sample, and what is kept of their file beside what it makes of them."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator, Sequence
from typing import Any, cast

import numpy as np

from ganutils import Error
from ganutils.files import container
from ganutils.files.container import File
from ganutils.files.kinds import IMAGES
from ganutils.files.npy import InColor, Rows
from ganutils.runs.config import NUMBERS, Config
from ganutils.samples.samples import Samples, in_words
from ganutils.samples.sources.catalog import PICTURE_SUFFIXES

CARRIED = ("attributes", "input_names", "license")  # metadata that hold for what is made too


class Inputs:
    """Of a samples file its `inputs`, or its pictures if it has none. Those of pairs are targets of what is made.

    lead     the leading axes
    rows     the numbers of the samples, int64 [N], or all of them
    pixels   uint8 [N, h, w, c]
    targets  uint8 [N, H, W, C], what they should become, or None
    """

    def __init__(self, file: File, count: int | None = None):
        """The first `count` of a sheet, or of each sheet of a film; None = all. Error if there are no pictures."""
        self.file, self.name, self.samples = file, file.name, Samples(file)
        if not self.samples.are_images:
            raise Error(f"{file.name}: holds points; --inputs takes pictures")
        self.samples.check_any()
        *films, most = self.samples.lead
        self.lead = (*films, most if count is None else min(count, most))
        self.is_whole = self.lead == self.samples.lead
        numbers = np.arange(len(self.samples)).reshape(self.samples.lead)[..., : self.lead[-1]]
        self.rows: slice | np.ndarray = slice(None) if self.is_whole else numbers.ravel()
        images, inputs, targets = self.samples.array, self.samples.inputs, self.samples.targets
        self.pixels = self._chosen(images if inputs is None else inputs)
        beside = images if inputs is not None and targets is None else targets
        self.targets = None if beside is None else self._chosen(beside)

    def _chosen(self, pixels: np.ndarray) -> np.ndarray:
        """The pixels of `rows`, still on disk if they are the first ones of a sheet."""
        if isinstance(pixels, Rows) and len(self.lead) == 1:
            first: Any = pixels.reshaped(self.lead[0], *pixels.shape[1:])
            return first
        return pixels[self.rows] if not self.is_whole else pixels

    def suit(self, config: Config, name: str) -> None:
        """Make them what a generator of `config`, of the checkpoint `name`, takes: gray ones become color for color.

        Error unless it takes them.
        """
        assert config.inputs is not None
        if (self.pixels.shape[3], config.inputs[2]) == (1, 3):
            self.pixels = cast(np.ndarray, InColor(self.pixels))
        (_, h, w, c), wanted = self.pixels.shape, config.inputs[2]
        if c != wanted:
            what = f"its {'inputs' if 'inputs' in self.file else 'pictures'} have {_channels(c)}"
            option = "inputs" if wanted not in IMAGES.channels else "derive" if "inputs" in self.file else "channels"
            how = f"gan-data --{option} {wanted}" if option == "channels" else f"gan-data --{option}"
            raise Error(f"{self.name}: {what}, and {name} takes {_channels(wanted)}; make such data with {how}")
        made = (h * config.scale, w * config.scale, config.shape[2])
        if math.prod(made) > NUMBERS:
            raise Error(f"{self.name}: pictures of {in_words(made)} would be too large; give smaller ones")

    def made_shape(self, config: Config) -> tuple[int, int, int]:
        """(H, W, C) of what a generator of `config` makes of them."""
        _, h, w, _ = self.pixels.shape
        return h * config.scale, w * config.scale, config.shape[2]

    def domains(self, names: Sequence[str]) -> np.ndarray:
        """The domain that each is to be of, 0 or 1 for one of the two `names`: int64 of shape `lead`.

        A picture of one of these goes to the other, any other picture to the second. Where the samples have inputs,
        their classes are not those of the inputs but of what is to be made of these.
        """
        labels = self._labels()
        if labels is None:
            return np.ones(self.lead, np.int64)
        there = names[0] if self.samples.input_shape else names[1]
        goes = np.array([name != there for name in self.samples.classes], np.int64)
        return goes[labels].reshape(self.lead)

    def beside(self, config: Config, labels: np.ndarray | None) -> dict[str, np.ndarray]:
        """What stands beside what is made: tensors of N samples. `labels` are those sampled, if there are classes.

        Targets of another shape than what a generator of `config` makes are left out.
        """
        tensors = {"inputs": self.pixels}
        if self.targets is not None and self.targets.shape[1:] == self.made_shape(config):
            tensors["targets"] = self.targets
        labels = labels.reshape(-1) if labels is not None else self._labels()
        if labels is not None:
            tensors["labels"] = labels
        if self.samples.attributes is not None:
            tensors["attributes"] = self.samples.attributes[self.rows]
        if self.samples.captions is not None:
            tensors["captions"] = self.samples.captions[self.rows]
        return tensors

    def _labels(self) -> np.ndarray | None:
        return None if self.samples.labels is None else self.samples.labels[self.rows]

    def meta(self, config: Config, is_film: bool) -> dict[str, Any]:
        """Metadata of the file that hold for what is made; `is_film`: of several checkpoints."""
        kept = [*CARRIED, *(["classes"] if not (config.classes or config.domains) else [])]
        kept += ["layout"] if self.is_whole else []
        kept += ["frames"] if not is_film else []
        return {key: self.file.meta[key] for key in kept if key in self.file.meta}


def _channels(count: int) -> str:
    return "1 channel" if count == 1 else f"{count} channels"


@contextlib.contextmanager
def open_inputs(path: str, count: int | None = None) -> Iterator[Inputs]:
    """The pictures in a samples file, `count` at most; `-` is stdin. Error if it is a picture itself."""
    if path.lower().endswith(PICTURE_SUFFIXES):
        raise Error(f"{path}: is a picture; gan-data {path} | gan-sample ... --inputs - takes it")
    with container.read(path, "samples") as file:
        file.spool()  # a pipe has the pictures that are kept before those that are translated
        yield Inputs(file, count)
