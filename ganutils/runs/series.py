"""One checkpoint, or several that make a film."""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from ganutils import Error
from ganutils.files import container, kinds, lineage, spool
from ganutils.files.container import File, Stream
from ganutils.runs import checkpoints, descriptions, snapshots
from ganutils.runs.config import Config, differences
from ganutils.runs.descriptions import VECTORS, Arrays, Descriptions, Told
from ganutils.runs.inputs import Inputs
from ganutils.runs.wishes import NO_WISHES, Wishes
from ganutils.samples import encoding
from ganutils.samples.samples import Samples

SHEET, CLASS, ROW = 1024, 10, 32  # samples of a sheet in all, of each class at least, and in a row


class Origin(NamedTuple):
    """What samples are made from.

    numbers  latents float32 [N, Z], or pictures uint8 [N, h, w, c]
    lead     the leading axes of the samples, of N in all
    shape    of a sample
    beside   the tensors [N, ...] that are stored with them, by name; `labels` are those sampled
    given    the file that the numbers come from, if any
    meta     metadata that are stored with them
    has_back whether each sample stands beside what it becomes on the way back
    told     their descriptions, as networks take them
    """

    numbers: np.ndarray
    lead: tuple[int, ...]
    shape: tuple[int, ...]
    beside: Mapping[str, np.ndarray]
    given: File | None
    meta: Mapping[str, Any]
    has_back: bool = False
    told: Arrays = MappingProxyType({})


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

    def check_origin(self, has_inputs: bool) -> None:
        """Error unless these generators start from pictures, if there are some, or from latents otherwise."""
        if not has_inputs:
            checkpoints.check_latents(self.first.name, self.config)
        elif self.config.inputs is None:
            raise Error(f"{self.first.name}: makes samples from latents, not from pictures; leave --inputs out")

    def labels(
        self,
        lead: tuple[int, ...],
        given: File | None,
        label: str | None,
        rows: slice | np.ndarray = slice(None),
    ) -> np.ndarray | None:
        """The classes to sample, int64 of shape `lead`; None if the checkpoint has no classes.

        These are `label`, a class by name or number, if given; else those of `rows` in the file `given`; else all
        classes evenly, in order.
        """
        count = self.config.classes
        if label is not None:
            if not count:
                raise Error(f"{self.first.name}: has no classes for --label; train with --conditional to have them")
            return np.full(lead, self._class(label), np.int64)
        if not count:
            return None
        if given is not None:
            if "labels" not in given:
                raise Error(f"{given.name}: has no labels, and {self.first.name} has classes; give --label")
            return Samples(given).labels_of(count)[rows].reshape(lead)
        return all_classes(count, lead)

    @functools.cached_property
    def descriptions(self) -> Descriptions:
        """What the networks of the first one know of descriptions."""
        return descriptions.of_checkpoint(self.first.name, self.first.meta, self.config)

    def _told(self, lead: tuple[int, ...], given: File | None) -> Told:
        """The descriptions to sample, of as many samples as `lead` has; nothing if the checkpoint takes none.

        These are those in the file `given`, if it has some; else the checkpoint's examples in turn.
        """
        if given is not None and self.config.words and VECTORS in given:
            return descriptions.of_vectors(given)
        if given is not None and self.config.seen_beside in given:
            return self.descriptions.of_rows(Samples(given), slice(None), self.first.name)
        return self.descriptions.of_examples(lead)

    def told_as(self, file: File) -> Told:
        """What is said of each sample in `file`. Error if it says nothing that the checkpoint takes."""
        if not (self.config.is_described or self.config.classes):
            what = "takes no captions, attributes or labels for --as; train with --conditional to have them"
            raise Error(f"{self.first.name}: {what}")
        samples = Samples(file)
        samples.check_any()
        return self.descriptions.of_rows(samples, slice(None), self.first.name)

    def _told_beside(self, inputs: Inputs, wishes: Wishes) -> Told:
        """The descriptions of what is made of `inputs`: of `wishes`, or else of the rows of their file."""

        def of_rows() -> Told:
            seen = self.config.seen_beside
            if self.config.is_described and seen not in inputs.file:
                takes = ", ".join(self.descriptions.attributes) or "some"
                option = "--set with all of them" if self.config.attributes else "--text"
                what = f"has no {seen}, and {self.first.name} takes {takes}"
                raise Error(f"{inputs.name}: {what}; give {option}, or samples that have them")
            return self.descriptions.of_rows(inputs.samples, inputs.rows, self.first.name)

        return wishes.told(self.descriptions, inputs.lead, of_rows) if wishes else of_rows()

    @property
    def _class_names(self) -> list[str]:
        return checkpoints.class_names(self.first.meta, self.config)

    def _class(self, wanted: str) -> int:
        """The number of a class, or domain, given by its name or number; Error if there is no such one."""
        return checkpoints.class_number(self.first.name, self._class_names, wanted)

    def _domains(self, inputs: Inputs, to: str | None) -> np.ndarray:
        """The domain that each of `inputs` is to be of: `to`, its name or number, if given; see `Inputs.domains`."""
        if to is None:
            return inputs.domains(self._class_names)
        return np.full(inputs.lead, self._class(to), np.int64)

    def of_latents(
        self,
        latents: np.ndarray,
        given: File | None = None,
        label: str | None = None,
        told: Told | None = None,
        wishes: Wishes = NO_WISHES,
    ) -> Origin:
        """Samples of `latents` [..., Z], which come from the file `given` if there is one; see `labels` and, for what
        they are `told` where neither that nor `wishes` say it, `_told`. All latents are taken for each of the wishes.
        """
        lead = latents.shape[:-1]
        if self.is_film and given and len(lead) > 1:
            raise Error(f"{given.name}: is a film; several checkpoints take one sheet of latents")
        groups = None
        if wishes:
            told = wishes.told(self.descriptions, lead, functools.partial(self._told, lead, given))
            groups = np.repeat(np.arange(len(wishes)), lead[-1]) if len(lead) == 1 else None
            latents = np.concatenate([latents] * len(wishes), -2) if len(wishes) > 1 else latents
            lead = latents.shape[:-1]
        labels = self.labels(lead, given, label)
        flat = latents.reshape(-1, latents.shape[-1])
        told = self._told(lead, given) if told is None else told
        groups = labels if groups is None else groups
        beside = {"latents": flat, **told.beside} | ({} if labels is None else {"labels": labels.reshape(-1)})
        meta: dict[str, Any] = {"prior": self.config.prior}
        if self.config.attributes:
            meta["attributes"] = [*self.descriptions.attributes]
        if given and "layout" in given.meta and len(wishes) < 2:
            meta["layout"] = given.meta["layout"]
        elif groups is not None and kinds.modality_of_shape(self.config.shape) is not kinds.POINTS:
            rows = class_rows(groups)
            are_wide = kinds.modality_of_shape(self.config.shape) is kinds.TEXTS
            meta |= {"layout": [*map(list, zip(*rows, strict=True))] if are_wide else rows} if rows else {}
        return Origin(flat, lead, self.config.shape, beside, given, meta, told=told.given)

    def of_inputs(
        self,
        inputs: Inputs,
        label: str | None = None,
        to: str | None = None,
        has_back: bool = False,
        wishes: Wishes = NO_WISHES,
    ) -> Origin:
        """Samples of the pictures `inputs`; see `labels` and `_domains`, and `wishes` is at most one. Error if the
        checkpoints do not take them.
        """
        inputs.suit(self.config, self.first.name)
        if self.is_film and len(inputs.lead) > 1:
            raise Error(f"{inputs.name}: is a film; several checkpoints take one sheet of inputs")
        if self.config.domains:
            if label is not None:
                names = " and ".join(self._class_names)
                raise Error(f"{self.first.name}: translates between {names}; give one of them with --to, not --label")
            labels: np.ndarray | None = self._domains(inputs, to)
        else:
            for option, is_given in (("--to", to is not None), ("--back", has_back)):
                if is_given:
                    what = f"has no two domains for {option}; train with --domains to have them"
                    raise Error(f"{self.first.name}: {what}")
            labels = self.labels(inputs.lead, inputs.file, label, inputs.rows)
        told = self._told_beside(inputs, wishes)
        beside, meta = inputs.beside(self.config, labels), inputs.meta(self.config, self.is_film)
        if wishes:
            beside |= told.beside
            meta |= {"attributes": [*self.descriptions.attributes]} if wishes.attributes else {}
        shape = inputs.made_shape(self.config)
        return Origin(inputs.pixels, inputs.lead, shape, beside, inputs.file, meta, has_back, told.given)

    def tensors(self, samples: Iterator[np.ndarray], origin: Origin) -> dict[str, np.ndarray | Stream]:
        """The tensors of a samples file: `samples` as they are made, and what is kept of their `origin` beside them.

        Those that are made stand beside what they become on the way back, if `origin` has it so: [B, 2, ...].
        """
        lead = (*([len(self.frames)] if self.is_film else []), *origin.lead)
        modality = kinds.modality_of_shape(origin.shape)
        beside = {
            name: Stream((*lead, *array.shape[1:]), array.dtype, self._repeated(array))
            for name, array in origin.beside.items()
        }
        names = (modality.tensor, "back") if origin.has_back else (modality.tensor,)
        parts = spool.parted(samples, len(names)) if origin.has_back else [samples]
        shape = (*lead, *kinds.kept(origin.shape))
        made = {name: Stream(shape, modality.dtype, part) for name, part in zip(names, parts, strict=True)}
        return {**made, **beside}

    def _repeated(self, array: np.ndarray) -> Iterator[np.ndarray]:
        """The rows of an array, some at a time, for each frame."""
        most = max(1, container.CHUNK // max(1, math.prod(array.shape[1:])))
        for _ in self.frames:
            yield from (array[start : start + most] for start in range(0, len(array), most))

    def meta(self, line: str, origin: Origin) -> dict[str, Any]:
        """Metadata of that file, which the command `line` makes."""
        given = origin.given
        lineages = [*self.lineages, given.meta.get("lineage", [])] if given else self.lineages
        sound = encoding.kept(self.first.meta) if origin.shape == self.config.shape else {}  # larger ones have another
        meta: dict[str, Any] = {**origin.meta, **sound, "lineage": lineage.joined(lineages, line)}
        if "classes" in self.first.meta:
            meta["classes"] = self.first.meta["classes"]
        return {**meta, "frames": self.frames} if self.is_film else meta


def all_classes(count: int, lead: tuple[int, ...]) -> np.ndarray:
    """`count` classes evenly, in order: int64 of shape `lead`."""
    number = math.prod(lead)
    return (np.arange(number) * count // max(number, 1)).reshape(lead)


def class_rows(labels: np.ndarray) -> list[list[int | None]]:
    """A layout of a sheet whose `labels`, of classes or sentences, are in order: a row for each, more if it has many.

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
    of_first = descriptions.of_checkpoint(first.name, first.meta, config)
    runs: dict[str, str] = {}
    snapshots.check_same_run(runs, first)
    for path in others:
        if path == "-":
            raise Error("standard input: only a single checkpoint can come from a pipe; save it to a file first")
        with container.read(path, "checkpoint") as file:
            configs.append(checkpoints.config_of(file))
            _check_same_samples(path, configs[-1], first.name, config)
            encoding.check_alike(path, file.meta, first.name, first.meta)
            known = descriptions.of_checkpoint(path, file.meta, configs[-1])
            if (known.attributes, known.vocabulary) != (of_first.attributes, of_first.vocabulary):
                what = "attributes" if config.attributes or configs[-1].attributes else "words"
                raise Error(f"{path}: takes other {what} than {first.name}; give checkpoints of the same ones")
            if config.domains and checkpoints.class_names(file.meta, config) != checkpoints.class_names(
                first.meta, config
            ):
                raise Error(f"{path}: its domains are not those of {first.name}; give checkpoints of the same ones")
            frames.append(checkpoints.progress(file, configs[-1]))
            lineages.append(file.meta.get("lineage", []))
            snapshots.check_same_run(runs, file)
    order = list(range(len(sources)))
    if not any(differences(config, vars(other)) for other in configs):
        order.sort(key=lambda number: frames[number]["step"])
    return Series(first, [sources[n] for n in order], config, [frames[n] for n in order], lineages)


def _check_same_samples(path: str, config: Config, name: str, first: Config) -> None:
    """Error unless a generator of `config` takes and makes what one of `first` does."""
    if (config.inputs is None) != (first.inputs is None):
        start = "latents" if config.inputs is None else "pictures"
        raise Error(f"{path}: starts from {start}, unlike {name}; give checkpoints of one kind")
    if config.inputs and first.inputs:
        here, there = (
            (one.inputs[-1], one.shape[-1], one.scale, one.classes, one.domains)  # type: ignore[index]
            for one in (config, first)
        )
        if here != there:
            alike = "channels of both pictures, enlargement, and classes or domains"
            raise Error(f"{path}: makes other pictures than {name}; give checkpoints of the same {alike}")
        return
    if (config.shape, config.z_dim, config.classes) != (first.shape, first.z_dim, first.classes):
        raise Error(f"{path}: makes other samples than {name}; give checkpoints of the same shape, --z-dim and classes")
