"""What a checkpoint says of itself: settings, counters, shapes. Read without torch."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from ganutils import Error, config, files, lineage
from ganutils.config import Config
from ganutils.files import File, Stream


def settings(file: File) -> Config:
    """The settings in a checkpoint; Error by the field's name if one is missing, unknown or not sensible."""
    found = file.meta.get("config")
    if not isinstance(found, dict):
        raise Error(f"{file.name}: damaged: a checkpoint without its settings")
    found = {**config.LATER, **found}
    names = {field.name for field in dataclasses.fields(Config)}
    for name in sorted(names ^ found.keys()):
        what = "missing from its settings" if name in names else "unknown in its settings; or a newer ganutils wrote it"
        raise Error(f"{file.name}: damaged: {name!r} is {what}")
    for name, setting in config.SETTINGS.items():
        problem = _problem(setting, found[name])
        if problem:
            raise Error(f"{file.name}: damaged: {name} is {found[name]!r}, {problem}")
    shape = found["shape"]
    if not config.is_shape(shape):
        raise Error(f"{file.name}: damaged: shape is {shape!r}, not [H, W, C] or [D]")
    if not isinstance(found["preset"], str):
        raise Error(f"{file.name}: damaged: preset is {found['preset']!r}, not a name")
    decay = found["decay"] and tuple(found["decay"])
    its = Config(**{**found, "shape": tuple(shape), "decay": decay})
    problem = config.contradiction(its)
    if problem:
        raise Error(f"{file.name}: damaged: {problem}")
    return its


def _problem(setting: config.Setting, value: Any) -> str | None:
    """Why `value` (from JSON) cannot be this setting, or None."""
    if setting.type is tuple:
        if value is None or (isinstance(value, list) and len(value) == 2 and config.is_decay(*value)):
            return None
        return "not [FIRST, LAST] with 0 <= FIRST < LAST"
    if setting.type is float and type(value) is int:
        value = float(value)
    if type(value) is not setting.type:
        return f"not of type {setting.type.__name__}"
    if setting.choices and not config.is_choice(setting, value):
        return f"not one of {', '.join(setting.choices)}"
    if isinstance(value, int | float) and not (setting.least or 0) <= value <= (setting.most or math.inf):
        return f"not from {setting.least} to {setting.most}"
    return None


def updates(file: files.File) -> dict[str, int]:
    """How often each network of a checkpoint was updated."""
    counts = {}
    for name in ("G", "D"):
        spec = file.specs.get(f"updates.{name}")
        if spec is None or spec.shape or spec.dtype.kind != "i" or (count := int(file[f"updates.{name}"])) < 0:
            raise Error(f"{file.name}: damaged: it has no count updates.{name}")
        counts[name] = count
    return counts


def labels_below(samples: File, classes: int) -> np.ndarray:
    """Its labels, flattened; Error if it has none, or others than 0 to `classes` - 1."""
    if "labels" not in samples:
        raise Error(f"{samples.name}: has no labels, which --conditional needs; take a source that has classes")
    labels = samples["labels"].reshape(-1)
    if len(labels) and not 0 <= labels.min() <= labels.max() < classes:
        raise Error(
            f"{samples.name}: labels go from {labels.min()} to {labels.max()}, and the run has {classes} classes"
        )
    return labels


@dataclasses.dataclass
class Series:
    """One checkpoint, or several that make a film, a frame each; and what there is to say of all."""

    first: File
    sources: Sequence[File | str]  # in the order of the film; all but the first given are opened when their turn comes
    settings: Config
    frames: list[dict[str, Any]]  # for each: step, kimg
    lineages: list[list[str]]

    @property
    def is_film(self) -> bool:
        return len(self.sources) > 1

    def labels(self, lead: tuple[int, ...], given: File | None, label: str | None) -> np.ndarray | None:
        """The classes to sample, int64 of shape `lead`; None if the checkpoint has no classes.

        `label`, a class by name or number, if given; else those that come with the latents; else all, evenly, in order.
        """
        count = self.settings.classes
        if label is not None:
            return np.full(lead, self._class(label), np.int64)
        if not count:
            return None
        if given is not None:
            if "labels" not in given:
                raise Error(f"{given.name}: latents without labels, and the checkpoint has classes; give --label")
            return labels_below(given, count).reshape(lead)
        number = math.prod(lead)
        return (np.arange(number) * count // max(number, 1)).reshape(lead)

    def _class(self, label: str) -> int:
        """The number of a class, given by its name or number; Error if there is none such."""
        count, names = self.settings.classes, self.first.meta.get("classes", [])
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
        shape = self.settings.shape
        name, dtype = ("images", np.uint8) if len(shape) == 3 else ("points", np.float32)
        found: dict[str, np.ndarray | Stream] = {
            name: Stream((*lead, *shape), np.dtype(dtype), samples),
            "latents": np.broadcast_to(latents, (*lead, latents.shape[-1])),
        }
        return found if labels is None else {**found, "labels": np.broadcast_to(labels, lead)}

    def meta(self, line: str, given: File | None) -> dict[str, Any]:
        """The metadata of that file, made by the command `line` from latents `given`, whose layout it keeps."""
        lineages = [*self.lineages, given.meta.get("lineage", [])] if given else self.lineages
        meta: dict[str, Any] = {"prior": self.settings.prior, "lineage": lineage.joined(lineages, line)}
        if "classes" in self.first.meta:
            meta["classes"] = self.first.meta["classes"]
        if given and "layout" in given.meta:
            meta["layout"] = given.meta["layout"]
        return {**meta, "frames": self.frames} if self.is_film else meta


def series(first: File, others: Sequence[str]) -> Series:
    """Those of one run in the order of their steps, whatever the shell's; of several runs as they are given.

    Error if one of them makes other samples, or takes other latents, than the first.
    """
    own = settings(first)
    found: list[tuple[File | str, Config, dict[str, Any]]] = [(first, own, _moment(first, own))]
    lineages = [first.meta.get("lineage", [])]
    for path in others:
        if path == "-":
            raise Error("standard input: of several checkpoints none can come from a pipe; save it to a file first")
        with files.read(path, "checkpoint") as file:
            its = settings(file)
            if (its.shape, its.z_dim, its.classes) != (own.shape, own.z_dim, own.classes):
                raise Error(f"{path}: makes other samples than {first.name}; they cannot be one film")
            found.append((path, its, _moment(file, its)))
            lineages.append(file.meta.get("lineage", []))
    if all(its == own for _, its, _ in found):
        found.sort(key=lambda one: one[2]["step"])
    return Series(first, [source for source, _, _ in found], own, [moment for _, _, moment in found], lineages)


def _moment(file: File, its: Config) -> dict[str, Any]:
    counts = updates(file)
    return {"step": counts["G"], "kimg": counts["D"] * its.batch / 1000}
