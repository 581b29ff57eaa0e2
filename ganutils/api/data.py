"""Samples and latents as NumPy arrays, and as sheets. NumPy and Pillow only."""

from __future__ import annotations

import dataclasses
import math
import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from PIL import Image

from ganutils import Error
from ganutils.files import budget, container, kinds, letters, lineage, paths, png
from ganutils.films.film import draw_sheet
from ganutils.films.frames import of_tensor
from ganutils.films.layout import Look
from ganutils.output import write_output
from ganutils.samples.captions import packed
from ganutils.samples.captions import texts as texts_of
from ganutils.samples.samples import Samples
from ganutils.sounds import about as sounds

Path = str | os.PathLike[str]

NUMBERS = {"points": np.float32, "signals": np.float32, "latents": np.float32, "labels": np.int64}


@dataclasses.dataclass(frozen=True)
class Data:
    """The contents of a file of samples or latents; None for what it does not have.

    Arrays have the leading axes [N] of a sheet or [T, N] of a film. They are mapped from the file, not read into
    memory, so the file must not be cut short meanwhile; writing to one leaves the file alone.

    images      uint8 [..., H, W, C] with C = 1 or 3
    inputs      uint8 [..., h, w, c] with c in 1..16, which the images were, or are to be, made from
    back        uint8 [..., H, W, C], which the images become on the way back to the inputs' domain
    targets     uint8 [..., H, W, C], which the images should have become
    points      float32 [..., D]
    signals     float32 [..., T, C] in -1..1 with C = 1 or 2
    letters     uint8 [..., T], texts as numbers of letters of the `alphabet`
    latents     float32 [..., Z]
    labels      int64 [...], numbers of `classes`
    classes     names
    attributes  float32 [...] in 0..1, by name
    captions    sentences that say what each sample is, a list of them for each, those of a film frame by frame
    meta        the file's metadata, raw: its texts, lineage too, are whoever wrote the file's
    """

    images: np.ndarray | None
    inputs: np.ndarray | None
    back: np.ndarray | None
    targets: np.ndarray | None
    points: np.ndarray | None
    signals: np.ndarray | None
    letters: np.ndarray | None
    latents: np.ndarray | None
    labels: np.ndarray | None
    classes: list[str]
    attributes: dict[str, np.ndarray]
    captions: list[list[str]]
    meta: dict[str, Any]

    @property
    def sample_rate(self) -> int | None:
        """How many numbers of a sound make a second; None of what is no sound."""
        return None if self.signals is None else self.meta[sounds.RATE]

    @property
    def alphabet(self) -> str | None:
        """The letters that texts are written in; None of what is no text."""
        return None if self.letters is None else self.meta[letters.ALPHABET]

    @property
    def texts(self) -> list[str]:
        """Texts, those of a film frame by frame; Error if one has a letter that is not of the alphabet."""
        return [] if self.letters is None else letters.decoded("letters", self.letters, str(self.alphabet))


def read(path: Path) -> Data:
    """The contents of a file of samples or latents. Error if it is neither, or damaged."""
    with container.read(os.fspath(path), "samples", "latents") as file:
        samples = Samples(file)
        labels = None if samples.labels is None else samples.labels.reshape(samples.lead)
        columns = np.moveaxis(file["attributes"], -1, 0) if "attributes" in file else ()
        if samples.are_sounds:
            sounds.rate_of(file.name, file.meta)  # Error unless they have one
        mapped = ("images", *kinds.BESIDE, "points", "signals", "letters", "latents")
        arrays = {name: file.mapped(name) for name in mapped if name in file.specs}
        return Data(
            images=arrays.get("images"),
            inputs=arrays.get("inputs"),
            back=arrays.get("back"),
            targets=arrays.get("targets"),
            points=arrays.get("points"),
            signals=arrays.get("signals"),
            letters=arrays.get("letters"),
            latents=arrays.get("latents"),
            labels=labels,
            classes=samples.classes,
            attributes=dict(zip(samples.attribute_names, columns, strict=True)),
            captions=[] if samples.captions is None else texts_of(file.name, samples.captions[:]),
            meta=file.meta,
        )


def write(
    path: Path,
    *,
    images: Any = None,
    inputs: Any = None,
    back: Any = None,
    targets: Any = None,
    points: Any = None,
    signals: Any = None,
    sample_rate: int | None = None,
    texts: Any = None,
    length: int | None = None,
    latents: Any = None,
    labels: Any = None,
    classes: Sequence[str] | None = None,
    attributes: Mapping[str, Any] | None = None,
    captions: Sequence[str | Sequence[str]] | None = None,
    meta: Mapping[str, Any] | None = None,
) -> None:
    """Write samples, or latents alone, in the format that the suffix of `path` names, as the commands' -o.

    Arrays are as in `Data`; gray ones may leave out their last axis, and so may a sheet of mono sounds, [N, T]. Sounds
    need a `sample_rate` in Hz, here or in `meta`, which is metadata to keep, such as that of the Data which the arrays
    came from. Texts are strings, [N] or [F, N], of `length` letters (those of the longest, if None) in the alphabet in
    `meta`, or in that of their own signs. Error, and nothing is written, if the arrays do not go together.
    """
    path = os.fspath(path)
    paths.check_output(path)
    of_others = {"input_names": inputs, sounds.RATE: signals, sounds.SPECTROGRAM: images, letters.ALPHABET: texts}
    dropped = ("classes", "attributes", *(key for key, array in of_others.items() if array is None))
    kept = {key: value for key, value in (meta or {}).items() if key not in dropped}
    about = {**kept, "lineage": lineage.joined([kept.get("lineage", [])], "# ganutils.write, in Python")}
    if signals is None and sample_rate is not None:
        raise Error("sample_rate: is of sounds; give signals")
    if signals is not None:
        signals = as_signals(signals)
        about[sounds.RATE] = _rate(about.get(sounds.RATE) if sample_rate is None else sample_rate)
    if length is not None and texts is None:
        raise Error("length: is of texts; give some")
    given = {"points": points, "signals": signals, "latents": latents, "labels": labels}
    tensors = {name: _numbers(name, array) for name, array in given.items() if array is not None}
    if images is not None:
        tensors["images"] = as_images(images)
    if texts is not None:
        tensors["letters"], about[letters.ALPHABET] = as_letters(texts, about.get(letters.ALPHABET), length)
    for name, pictures in (("inputs", inputs), ("back", back), ("targets", targets)):
        if pictures is not None:
            tensors[name] = as_images(pictures, name)
    if attributes:
        tensors["attributes"] = np.stack([np.asarray(values, np.float32) for values in attributes.values()], -1)
        about["attributes"] = list(attributes)
    if labels is not None and classes:
        about["classes"] = list(classes)
    kind = "latents" if "latents" in tensors and tensors.keys() <= {"latents", "captions"} else "samples"
    if captions:
        tensors["captions"] = _captions(captions, tensors)
    kinds.check_shapes(
        path, kind, {name: kinds.Spec(array.dtype, array.shape, 0, 0) for name, array in tensors.items()}
    )
    write_output(path, kind, tensors, about)


def sheet(images: Any, grid: tuple[int, int] | None = None, scale: float = 1, gap: int = 0) -> Image.Image:
    """`images` on one page: a Pillow image, which notebooks show.

    images  uint8 [N, H, W, C], or a film [T, N, H, W, C], whose time runs from left to right; gray ones may leave out C
    grid    columns and rows; None = the squarest
    scale   of each; small pictures are enlarged as squares
    gap     pixels between them
    """
    look = Look(grid=grid, scale=scale, gap=gap)
    return png.as_image(draw_sheet([of_tensor("images", as_images(images), {})], look)[0])


def as_images(images: Any, tensor: str = "images") -> np.ndarray:
    """uint8 [..., H, W, C] of what was given for a tensor; Error if it is something else."""
    array = np.asarray(images)
    array = array[..., None] if array.ndim == 3 else array
    channels = kinds.BESIDE.get(tensor, kinds.IMAGES.channels)
    if array.dtype != np.uint8 or array.ndim < 4 or array.shape[-1] not in channels:
        wanted = f"uint8 of shape [N, H, W], [N, H, W, C] or [T, N, H, W, C] with C = {kinds.numbers(channels)}"
        raise Error(f"{tensor}: are {array.dtype} {list(array.shape)}; give {wanted}")
    return array


def as_signals(signals: Any) -> np.ndarray:
    """float32 [..., T, C] of what was given as sounds; Error if it is something else, or lies outside -1..1."""
    array = np.asarray(signals)
    array = array[..., None] if array.ndim == 2 else array
    if array.dtype.kind != "f" or array.ndim < 3 or array.shape[-1] not in kinds.SIGNALS.channels:
        wanted = "floats of shape [N, T], [N, T, C] or [F, N, T, C] with C = 1 or 2"
        raise Error(f"signals: are {array.dtype} {list(array.shape)}; give {wanted}")
    if not (np.abs(array) <= 1).all():  # as NaN is not
        raise Error("signals: have numbers that are NaN or outside -1..1; scale or clip them")
    return array.astype(np.float32)


def as_letters(texts: Any, alphabet: Any = None, length: int | None = None) -> tuple[np.ndarray, str]:
    """uint8 [..., T] of what was given as texts, and the alphabet: this one, or that of their signs. Error if they
    cannot be written so.
    """
    array = np.asarray(texts)
    if array.dtype.kind != "U" or not array.ndim or not array.size:
        raise Error(f"texts: are {array.dtype} {list(array.shape)}; give strings, [N] or [F, N]")
    rows = [text.rstrip(letters.BLANK) for text in array.ravel().tolist()]
    signs = {sign for text in rows for sign in text} - {letters.BLANK}
    alphabet = letters.BLANK + "".join(sorted(signs)) if alphabet is None else alphabet
    if not letters.is_alphabet(alphabet):
        raise Error(f"texts: {alphabet!r:.80} is no alphabet, which is {letters.RULE}")
    if unknown := sorted(signs - {*alphabet}):
        raise Error(f"texts: {unknown[0]!r} is not in the alphabet in meta; leave it out of them, or the alphabet")
    longest = max(1, *map(len, rows))
    if length is not None and length < longest:
        raise Error(f"texts: the longest has {longest:,} letters, and length is {length}; give {longest:,} or more")
    return letters.encoded(rows, alphabet, length or longest).reshape(*array.shape, -1), alphabet


def _rate(rate: Any) -> int:
    """A sample rate that was given, in Hz; Error if it is none."""
    low, high = budget.RATES
    if isinstance(rate, bool | np.bool_) or not isinstance(rate, int | np.integer) or not low <= rate <= high:
        said = "sounds need one" if rate is None else f"is {rate!r}"
        raise Error(f"sample_rate: {said}; give a whole number in Hz, {low} to {high:,}")
    return int(rate)


def _captions(captions: Sequence[str | Sequence[str]], tensors: Mapping[str, np.ndarray]) -> np.ndarray:
    """uint8 [..., K, L], with the leading axes of the samples or latents among `tensors`; Error if those are others."""
    rows = packed([[each] if isinstance(each, str) else each for each in captions])
    modality = kinds.modality(tensors) if kinds.modality(tensors).tensor in tensors else kinds.LATENTS
    lead = modality.split(tensors[modality.tensor].shape)[0] if modality.tensor in tensors else (len(rows),)
    if math.prod(lead) != len(rows):
        raise Error(f"captions: are of {len(rows):,} samples, and there are {math.prod(lead):,}; give a list for each")
    return rows.reshape(*lead, *rows.shape[1:])


def _numbers(name: str, array: Any) -> np.ndarray:
    """`array` in the type that files have; Error if that is another kind of number."""
    array, dtype = np.asarray(array), NUMBERS[name]
    if not np.can_cast(array.dtype, dtype, "same_kind"):
        raise Error(f"{name}: are {array.dtype}; give {np.dtype(dtype)}")
    return array.astype(dtype)
