"""One checkpoint, or several that make a film."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from ganutils import Error
from ganutils.files import container, kinds, lineage
from ganutils.files.container import File, Stream
from ganutils.runs import checkpoints, snapshots
from ganutils.runs.config import Config, differences
from ganutils.samples.samples import Samples

SHEET, CLASS, ROW = 1024, 10, 32  # samples of a sheet in all, of each class at least, and in a row


@dataclasses.dataclass
class Series:
    """One checkpoint, or several that make a film, one frame each.

    first     the first one given, open
    sources   all, in the order of the film; those given by their path are opened when their turn comes
    config    of `first`; the others make samples of the same shape from the same latents
    frames    `step` and `kimg` of each
    lineages  of all
    """

    first: File
    sources: Sequence[File | str]
    config: Config
    frames: list[dict[str, Any]]
    lineages: list[list[str]]

    @property
    def is_film(self) -> bool:
        return len(self.sources) > 1

    def labels(self, lead: tuple[int, ...], given: File | None, label: str | None) -> np.ndarray | None:
        """The classes to sample, int64 of shape `lead`; None if the checkpoint has no classes.

        These are `label`, a class by name or number, if given; else those that come with the latents `given`; else all
        classes evenly, in order.
        """
        count = self.config.classes
        if label is not None:
            return np.full(lead, self._class(label), np.int64)
        if not count:
            return None
        if given is not None:
            if "labels" not in given:
                raise Error(f"{given.name}: has no labels, and {self.first.name} has classes; give --label")
            return Samples(given).labels_of(count).reshape(lead)
        return all_classes(count, lead)

    def _class(self, label: str) -> int:
        """The number of a class, given by its name or number; Error if there is no such class."""
        count, names = self.config.classes, self.first.meta.get("classes", [])
        if not count:
            raise Error(f"{self.first.name}: has no classes for --label; train with --conditional to have them")
        if label in names:
            return int(names.index(label))
        if not label.isdecimal() or int(label) >= count:
            classes = ", ".join(map(str, names)) or f"0 to {count - 1}"
            raise Error(f"{self.first.name}: has no class {label!r}; its classes are {classes}")
        return int(label)

    def tensors(
        self, samples: Iterable[np.ndarray], latents: np.ndarray, labels: np.ndarray | None
    ) -> dict[str, np.ndarray | Stream]:
        """The tensors of a samples file: `samples` as they are made of `latents`, these, and their labels."""
        lead = (*([len(self.frames)] if self.is_film else []), *latents.shape[:-1])
        modality = kinds.modality_of_shape(self.config.shape)
        tensors: dict[str, np.ndarray | Stream] = {
            modality.tensor: Stream((*lead, *self.config.shape), modality.dtype, samples),
            "latents": np.broadcast_to(latents, (*lead, latents.shape[-1])),
        }
        return tensors if labels is None else {**tensors, "labels": np.broadcast_to(labels, lead)}

    def meta(self, line: str, given: File | None, labels: np.ndarray | None) -> dict[str, Any]:
        """Metadata of that file, which the command `line` makes.

        Its layout is that of the latents `given`; else pictures of several classes have a row for each.
        """
        lineages = [*self.lineages, given.meta.get("lineage", [])] if given else self.lineages
        meta: dict[str, Any] = {"prior": self.config.prior, "lineage": lineage.joined(lineages, line)}
        if "classes" in self.first.meta:
            meta["classes"] = self.first.meta["classes"]
        if given and "layout" in given.meta:
            meta["layout"] = given.meta["layout"]
        elif labels is not None and kinds.modality_of_shape(self.config.shape) is kinds.IMAGES:
            meta |= {"layout": rows} if (rows := class_rows(labels)) else {}
        return {**meta, "frames": self.frames} if self.is_film else meta


def all_classes(count: int, lead: tuple[int, ...]) -> np.ndarray:
    """`count` classes evenly, in order: int64 of shape `lead`."""
    number = math.prod(lead)
    return (np.arange(number) * count // max(number, 1)).reshape(lead)


def class_rows(labels: np.ndarray) -> list[list[int | None]]:
    """A layout of a sheet whose `labels` are in order: a row for each class, more if it has many samples.

    A sheet holds about SHEET samples, of each class at least CLASS. No rows for one class, or one sample of each.
    """
    if labels.ndim > 1 or (np.diff(labels) < 0).any():
        return []
    groups = np.split(np.arange(len(labels)), np.flatnonzero(np.diff(labels)) + 1)
    most = max(CLASS, SHEET // len(groups))
    most -= most % ROW if most > ROW else 0  # whole rows
    columns = min(ROW, most, max(map(len, groups)))
    if len(groups) == 1 or columns == 1:
        return []
    padded = [[*group[:most].tolist(), *[None] * (-len(group[:most]) % columns)] for group in groups]
    rows = [places[start : start + columns] for places in padded for start in range(0, len(places), columns)]
    return rows[: SHEET // columns]


def open_series(first: File, others: Sequence[str]) -> Series:
    """The checkpoint `first` and those of the paths `others`.

    Checkpoints of one run come in the order of their steps, whatever the shell's; those of several runs as given.
    Error if one of them makes other samples, or takes other latents, than the first; or if they are snapshots of two
    runs, whose steps would mix.
    """
    config = checkpoints.config_of(first)
    sources: list[File | str] = [first, *others]
    configs = [config]
    frames, lineages = [checkpoints.progress(first, config)], [first.meta.get("lineage", [])]
    runs: dict[str, str] = {}
    snapshots.check_same_run(runs, first)
    for path in others:
        if path == "-":
            raise Error("standard input: only a single checkpoint can come from a pipe; save it to a file first")
        with container.read(path, "checkpoint") as file:
            configs.append(checkpoints.config_of(file))
            _check_same_samples(path, configs[-1], first.name, config)
            frames.append(checkpoints.progress(file, configs[-1]))
            lineages.append(file.meta.get("lineage", []))
            snapshots.check_same_run(runs, file)
    order = list(range(len(sources)))
    if not any(differences(config, vars(other)) for other in configs):
        order.sort(key=lambda number: frames[number]["step"])
    return Series(first, [sources[n] for n in order], config, [frames[n] for n in order], lineages)


def _check_same_samples(path: str, config: Config, name: str, first: Config) -> None:
    """Error unless a generator of `config` takes and makes what one of `first` does."""
    if (config.shape, config.z_dim, config.classes) != (first.shape, first.z_dim, first.classes):
        raise Error(f"{path}: makes other samples than {name}; give checkpoints of the same shape, --z-dim and classes")
