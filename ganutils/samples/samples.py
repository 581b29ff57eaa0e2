"""What a samples file holds: modality, shape, labels, classes, attributes, identity. Nothing else asks a file."""

from __future__ import annotations

import contextlib
import functools
import itertools
import math
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, cast

import numpy as np

from ganutils import Error
from ganutils.files import budget, container, kinds, letters
from ganutils.files.container import File
from ganutils.randomness import stream
from ganutils.samples import encoding, identity, predicates
from ganutils.samples.stacks import Stacks
from ganutils.sounds import about
from ganutils.sounds.spectrogram import Spectrogram

MOST_CLASSES = 65536
DOMAINS, FEWEST = 2, 2  # of classes that translators go between, and of pictures in each
JOIN = "give gan-data two folders or files, which become two classes"
SOME = 5  # names in a message


class View(NamedTuple):
    """Pictures of 1 or 3 channels, called `name`: some of the channels of a tensor."""

    name: str
    tensor: str
    channels: slice = slice(None)


class Samples:
    """The samples, or latents, of an open file.

    modality   what they are: pictures, sounds, texts, points or latents
    lead       the leading axes: (N,) is a sheet, (T, N) a film
    shape      of one sample: (H, W, C), (T, C), (D,), or (T, A) of texts in an alphabet of A letters
    """

    def __init__(self, file: File):
        self.file, self.name, self.meta = file, file.name, file.meta
        self.modality = kinds.LATENTS if file.kind == "latents" else kinds.modality(file.specs)
        self.lead, self.shape = self.modality.split(file.specs[self.modality.tensor].shape)
        if self.are_texts:
            self.shape = (*self.shape, len(self.alphabet))

    def __len__(self) -> int:
        return math.prod(self.lead)

    @property
    def are_images(self) -> bool:
        return self.modality is kinds.IMAGES

    @property
    def are_sounds(self) -> bool:
        return self.modality is kinds.SIGNALS

    @property
    def are_texts(self) -> bool:
        return self.modality is kinds.TEXTS

    @property
    def alphabet(self) -> str:
        """The letters that texts are written in; Error if the metadata do not say."""
        return letters.alphabet_of(self.name, self.meta)

    @functools.cached_property
    def letters(self) -> np.ndarray:
        """Texts as numbers of letters: uint8 [N, T]; many stay on disk. Error if empty."""
        self.check_any()
        return self._rows(self.modality.tensor, self.shape[:1])

    @property
    def sample_rate(self) -> int:
        """How many numbers of a sound make a second; Error if the metadata do not say."""
        return about.rate_of(self.name, self.meta)

    @property
    def spectrogram(self) -> Spectrogram | None:
        """How its pictures show sounds; None if they do not. Error if the metadata are damaged."""
        return Spectrogram.of(self.name, self.meta, self.shape) if self.are_images else None

    @property
    def are_heard(self) -> bool:
        """Whether they are sounds, or pictures that show some."""
        return self.are_sounds or self.spectrogram is not None

    @functools.cached_property
    def array(self) -> np.ndarray:
        """The samples with their leading axes flattened: uint8 [N, H, W, C], float32 [N, T, C] or [N, D].
        Error if empty.

        Many pictures and sounds stay on disk, as `npy.Rows`, which read as an array does. So do texts, as
        `letters.OneHot` of [N, T, A].
        """
        self.check_any()
        if self.are_texts:
            return cast(np.ndarray, letters.OneHot(self.name, self.letters, self.shape[1]))
        is_large = self.are_images or self.are_sounds
        return self._rows(self.modality.tensor, self.shape) if is_large else self._flat(self.modality.tensor)

    def _rows(self, tensor: str, shape: tuple[int, ...]) -> np.ndarray:
        """Pictures, sounds, texts or captions of `shape`, [N, *shape], in memory or on disk."""
        if math.prod((len(self), *shape)) > budget.IN_MEMORY:
            rows = self.file.on_disk(tensor, (len(self), *shape))
            if rows is not None:
                return cast(np.ndarray, rows)
        return self._flat(tensor)

    @functools.cached_property
    def inputs(self) -> np.ndarray | None:
        """The pictures that the samples were, or are to be, made from: uint8 [N, h, w, c], c in 1..16; or None."""
        return None if self.input_shape is None else self._rows("inputs", self.input_shape)

    @functools.cached_property
    def targets(self) -> np.ndarray | None:
        """The pictures that the samples should have become: uint8 [N, H, W, C], or None."""
        shape = self._shape_beside("targets")
        return None if shape is None else self._rows("targets", shape)

    @functools.cached_property
    def back(self) -> np.ndarray | None:
        """The pictures that the samples become on the way back to what they were made from: uint8 [N, ...], or None."""
        shape = self._shape_beside("back")
        return None if shape is None else self._rows("back", shape)

    @functools.cached_property
    def captions(self) -> np.ndarray | None:
        """What the samples are, in sentences: uint8 [N, K, L], which `captions.texts` reads; or None."""
        if kinds.CAPTIONS not in self.file:
            return None
        return self._rows(kinds.CAPTIONS, self.file.specs[kinds.CAPTIONS].shape[-2:])

    @property
    def input_shape(self) -> tuple[int, ...] | None:
        """(h, w, c) of the inputs; None if there are none."""
        return self._shape_beside("inputs")

    @property
    def beside(self) -> dict[str, tuple[int, ...]]:
        """The shapes (h, w, c) of what stands beside the pictures, by tensor."""
        return {name: self.file.specs[name].shape[len(self.lead) :] for name in kinds.BESIDE if name in self.file}

    @property
    def views(self) -> list[View]:
        """What there is to see of each picture: what is stacked in its inputs, itself, its way back, its target."""
        inputs = stacked(self.input_shape[2], self.meta.get("input_names", ())) if self.input_shape else []
        return [*inputs, *(View(name, name) for name in kinds.SHOWN[1:] if name in self.file)]

    def _shape_beside(self, tensor: str) -> tuple[int, ...] | None:
        return self.beside.get(tensor)

    def _flat(self, tensor: str) -> np.ndarray:
        array = self.file[tensor]
        return array.reshape(len(self), *array.shape[len(self.lead) :])

    @functools.cached_property
    def labels(self) -> np.ndarray | None:
        """int64 [N] in 0..65535, or None; Error if they are out of that range."""
        if "labels" not in self.file:
            return None
        labels = self._flat("labels")
        if len(labels) and not 0 <= labels.min() <= labels.max() < MOST_CLASSES:
            low, high = labels.min(), labels.max()
            raise Error(f"{self.name}: labels go from {low} to {high}; they must be in 0 to {MOST_CLASSES - 1:,}")
        return labels

    @functools.cached_property
    def classes(self) -> list[str]:
        """What the labels mean: the names in the metadata, or numbers; empty if there are no labels.

        Error if two have the same name.
        """
        if self.labels is None:
            return []
        names = self.meta.get("classes") or []
        budget.check(self.name, len(names), MOST_CLASSES, "classes")
        numbers = map(str, range(len(names), int(self.labels.max(initial=-1)) + 1))
        return self._distinct("classes", [*names, *numbers])

    @functools.cached_property
    def stacks(self) -> Stacks | None:
        """What its pictures are stacked from; None if they are not. Error if the metadata are damaged."""
        return Stacks.of(self.name, self.meta, self.shape, self.classes)

    @property
    def attributes(self) -> np.ndarray | None:
        """float32 [N, A] in 0..1, or None if there are none."""
        return self._flat("attributes") if self.attribute_names else None

    @property
    def latents(self) -> np.ndarray | None:
        """float32 [N, Z] that the samples were made from, or None."""
        return self._flat("latents") if "latents" in self.file else None

    @property
    def attribute_names(self) -> list[str]:
        """One for each attribute: the names in the metadata, or numbers. Error if two have the same name."""
        count = self.file.specs["attributes"].shape[-1] if "attributes" in self.file else 0
        if not count:
            return []
        names = self.meta.get("attributes") or [*map(str, range(count))]
        if len(names) != count:
            raise Error(f"{self.name}: damaged: it has {count} attributes and {len(names)} names for them")
        return self._distinct("attributes", [*names])

    def _distinct(self, what: str, names: list[str]) -> list[str]:
        if len(set(names)) < len(names):
            twice = next(name for name, count in Counter(names).items() if count > 1)
            raise Error(f"{self.name}: damaged: two {what} are called {twice!r}; make it again with names that differ")
        return names

    def values(self) -> predicates.Values:
        """The values [N] in 0..1 of each class and attribute, for predicates; empty if there are none."""
        return predicates.values(self.labels, self.classes, self.attributes, self.attribute_names)

    def labels_of(self, classes: int, option: str = "--conditional") -> np.ndarray:
        """Labels [N] for a run with that many classes, by `option`; Error if there are none, or larger ones."""
        if self.labels is None:
            raise Error(f"{self.name}: has no labels, which {option} needs; use a source that has classes")
        if int(self.labels.max(initial=-1)) >= classes:
            raise Error(f"{self.name}: labels go up to {self.labels.max()}, and the run has {classes} classes")
        return self.labels

    def domains(self) -> tuple[np.ndarray, np.ndarray]:
        """The rows of each of two domains, int64 [n], [m]; Error unless there are two classes, of two pictures each."""
        if self.labels is None:
            raise Error(f"{self.name}: has no labels, which --domains needs; {JOIN}")
        if len(self.classes) != DOMAINS:
            names = ", ".join(self.classes[:SOME]) + ", …" * (len(self.classes) > SOME)
            what, advice = f"{len(self.classes)} classes ({names})", "choose them with gan-data --classes"
            if len(self.classes) < DOMAINS:
                what, advice = f"a single class ({names})", JOIN
            raise Error(f"{self.name}: has {what}, and --domains takes {DOMAINS}; {advice}")
        first, second = (np.flatnonzero(self.labels == label) for label in range(DOMAINS))
        for rows, name in ((first, self.classes[0]), (second, self.classes[1])):
            if len(rows) < FEWEST:
                raise Error(
                    f"{self.name}: class {name!r} has {len(rows)} picture{'s' * (len(rows) != 1)}; --domains needs "
                    f"{FEWEST} or more of each"
                )
        return first, second

    @property
    def toy(self) -> dict[str, Any] | None:
        """What a toy set of points was drawn from: name, std, centers float64 [modes, D]; None for other samples."""
        toy = self.meta.get("toy")
        if toy is None or self.modality is not kinds.POINTS:
            return None
        centers = toy.get("centres") if isinstance(toy, dict) else None
        budget.check(self.name, len(centers) if isinstance(centers, list) else 0, budget.CENTERS, "centers of a toy")
        try:
            drawn = {"name": toy["name"], "std": float(toy["std"]), "centers": np.array(toy["centres"], np.float64)}
        except (KeyError, TypeError, ValueError, OverflowError):
            drawn = {}
        is_whole = bool(drawn) and drawn["centers"].shape[1:] == self.shape and np.isfinite(drawn["centers"]).all()
        if not is_whole or not 0 < drawn["std"] < math.inf:
            raise Error(f"{self.name}: damaged: its metadata 'toy' lacks a name, std or centres")
        return drawn

    @functools.cached_property
    def identity(self) -> dict[str, Any]:
        """What tells these data from others, in a checkpoint: `count`, and hashes of all they hold. Error if empty."""
        return identity.of_file(self.file, len(self.array))

    def other_than(self, known: Any) -> list[str]:
        """In what these data differ from those whose identity a checkpoint has as `known`, in the words of that module.

        What one of them does not have is not compared: labels that were added later, or what an older version left out.
        """
        if not isinstance(known, dict):
            return []
        older = {"hash": identity.sampled(self.array)} if "hash" in known else {}
        here = {**self.identity, **older}
        return [key for key in identity.WORDS if key in known and key in here and known[key] != here[key]]

    def check_inputs(self, shape: tuple[int, ...], name: str) -> None:
        """Error unless the samples have inputs of `shape`, as those that the checkpoint `name` was made for."""
        if self.input_shape != shape:
            there = f"its inputs are {in_words(self.input_shape)}" if self.input_shape else "it has no inputs"
            raise Error(
                f"{self.name}: {there}, and {name} was made for inputs of {in_words(shape)}; "
                "make such data with gan-data"
            )

    def check_any(self) -> None:
        """Error if there are no samples."""
        if not len(self):
            raise Error(f"{self.name}: holds no samples")

    def check_shape(self, shape: tuple[int, ...], name: str) -> None:
        """Error unless these samples have the `shape` of those in the file `name`."""
        check_shape(self.name, self.shape, name, shape)

    def check_like(self, other: Samples) -> None:
        """Error unless these samples have the shape of `other` ones, and their rate or alphabet."""
        self.check_shape(other.shape, other.name)
        encoding.check_alike(self.name, self.meta, other.name, other.meta)


def stacked(channels: int, names: Sequence[str]) -> list[View]:
    """The pictures that are stacked in inputs: RGB ones first, since nobody knows."""
    is_named = len(names) <= channels <= 3 * len(names) and (channels - len(names)) % 2 == 0
    names = names if is_named else ["inputs"] * (channels // 3 + channels % 3)
    rgb = (channels - len(names)) // 2
    lengths = [3] * rgb + [1] * (len(names) - rgb)
    starts = itertools.accumulate(lengths, initial=0)
    return [
        View(name, "inputs", slice(start, start + length))
        for name, start, length in zip(names, starts, lengths, strict=False)
    ]


@contextlib.contextmanager
def open_samples(path: str) -> Iterator[Samples]:
    """The samples in a samples file; `-` is stdin."""
    with container.read(path, "samples") as file:
        yield Samples(file)


def check_shape(path: str, shape: tuple[int, ...], name: str, wanted: tuple[int, ...]) -> None:
    """Error unless samples of `shape`, in the file `path`, have the shape `wanted`, of those in the file `name`."""
    if tuple(shape) != tuple(wanted):
        raise Error(
            f"{path}: samples are {in_words(shape)}, those of {name} {in_words(wanted)}; make both alike with gan-data"
        )


def in_words(shape: tuple[int, ...]) -> str:
    """The shape of a sample as people write it: (H, W, C) as WxHxC, (D,) as D-D points."""
    return kinds.modality_of_shape(shape).one.format(*shape)


def subset(count: int, limit: int, seed: int, name: str) -> slice | np.ndarray:
    """At most `limit` of `count` rows, chosen by `seed` and a purpose, `name`, in ascending order."""
    return slice(None) if count <= limit else np.sort(stream(seed, name).permutation(count)[:limit])
