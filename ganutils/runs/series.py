"""One checkpoint, or several that make a film."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from ganutils import Error
from ganutils.files import container, lineage
from ganutils.files.container import File, Stream
from ganutils.runs import checkpoints
from ganutils.runs.config import Config
from ganutils.samples.samples import Samples


@dataclasses.dataclass
class Series:
    """One checkpoint, or several that make a film, a frame each; and what there is to say of all."""

    first: File
    sources: Sequence[File | str]  # in the order of the film; all but the first given are opened when their turn comes
    config: Config
    frames: list[dict[str, Any]]  # for each: step, kimg
    lineages: list[list[str]]

    @property
    def is_film(self) -> bool:
        return len(self.sources) > 1

    def labels(self, lead: tuple[int, ...], given: File | None, label: str | None) -> np.ndarray | None:
        """The classes to sample, int64 of shape `lead`; None if the checkpoint has no classes.

        `label`, a class by name or number, if given; else those that come with the latents; else all, evenly, in order.
        """
        count = self.config.classes
        if label is not None:
            return np.full(lead, self._class(label), np.int64)
        if not count:
            return None
        if given is not None:
            if "labels" not in given:
                raise Error(f"{given.name}: latents without labels, and the checkpoint has classes; give --label")
            return Samples(given).labels_of(count).reshape(lead)
        return all_classes(count, lead)

    def _class(self, label: str) -> int:
        """The number of a class, given by its name or number; Error if there is none such."""
        count, names = self.config.classes, self.first.meta.get("classes", [])
        if not count:
            raise Error(f"{self.first.name}: has no classes, so --label means nothing; train it with --conditional")
        if label in names:
            return int(names.index(label))
        if not label.isdecimal() or int(label) >= count:
            known = ", ".join(map(str, names)) or f"0 to {count - 1}"
            raise Error(f"{self.first.name}: has no class {label!r}; its classes are {known}")
        return int(label)

    def tensors(
        self, samples: Iterable[np.ndarray], latents: np.ndarray, labels: np.ndarray | None
    ) -> dict[str, np.ndarray | Stream]:
        """Those of a samples file: `samples` as they come, in the shape of their `latents`; these; and their labels."""
        lead = (*([len(self.frames)] if self.is_film else []), *latents.shape[:-1])
        shape = self.config.shape
        name, dtype = ("images", np.uint8) if len(shape) == 3 else ("points", np.float32)
        found: dict[str, np.ndarray | Stream] = {
            name: Stream((*lead, *shape), np.dtype(dtype), samples),
            "latents": np.broadcast_to(latents, (*lead, latents.shape[-1])),
        }
        return found if labels is None else {**found, "labels": np.broadcast_to(labels, lead)}

    def meta(self, line: str, given: File | None) -> dict[str, Any]:
        """The metadata of that file, made by the command `line` from latents `given`, whose layout it keeps."""
        lineages = [*self.lineages, given.meta.get("lineage", [])] if given else self.lineages
        meta: dict[str, Any] = {"prior": self.config.prior, "lineage": lineage.joined(lineages, line)}
        if "classes" in self.first.meta:
            meta["classes"] = self.first.meta["classes"]
        if given and "layout" in given.meta:
            meta["layout"] = given.meta["layout"]
        return {**meta, "frames": self.frames} if self.is_film else meta


def all_classes(count: int, lead: tuple[int, ...]) -> np.ndarray:
    """`count` classes evenly, in order: int64 of shape `lead`."""
    number = math.prod(lead)
    return (np.arange(number) * count // max(number, 1)).reshape(lead)


def open_series(first: File, others: Sequence[str]) -> Series:
    """Those of one run in the order of their steps, whatever the shell's; of several runs as they are given.

    Error if one of them makes other samples, or takes other latents, than the first.
    """
    own = checkpoints.config_of(first)
    found: list[tuple[File | str, Config, dict[str, Any]]] = [(first, own, _moment(first, own))]
    lineages = [first.meta.get("lineage", [])]
    for path in others:
        if path == "-":
            raise Error("standard input: of several checkpoints none can come from a pipe; save it to a file first")
        with container.read(path, "checkpoint") as file:
            its = checkpoints.config_of(file)
            if (its.shape, its.z_dim, its.classes) != (own.shape, own.z_dim, own.classes):
                raise Error(f"{path}: makes other samples than {first.name}; they cannot be one film")
            found.append((path, its, _moment(file, its)))
            lineages.append(file.meta.get("lineage", []))
    if all(its == own for _, its, _ in found):
        found.sort(key=lambda one: one[2]["step"])
    return Series(first, [source for source, _, _ in found], own, [moment for _, _, moment in found], lineages)


def _moment(file: File, its: Config) -> dict[str, Any]:
    counts = checkpoints.updates(file)
    return {"step": counts["G"], "kimg": counts["D"] * its.batch / 1000}
