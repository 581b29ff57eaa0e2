"""Descriptions of samples, attributes or captions, as conditional runs see them: names, vocabulary and examples, which
lie in the checkpoint's metadata, and what becomes of sentences and rows for its networks.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from ganutils import Error
from ganutils.files.container import File
from ganutils.runs import checkpoints
from ganutils.runs.config import Config
from ganutils.samples import captions
from ganutils.samples.samples import Samples

EXAMPLES = 16  # descriptions that a checkpoint keeps, to be sampled with where none are given
TEXT = 128  # numbers of the vector that an encoder makes of one
VECTORS = "text"  # the tensor of latents, and of samples made from them, that holds such vectors
CHUNK = 1 << 16  # samples whose captions are read at a time

Arrays = Mapping[str, np.ndarray]


class Told(NamedTuple):
    """Descriptions of N samples.

    given   what a network takes of them, by the names that a Condition has: attributes float32 [N, A], tokens int64
            [N, L] or text float32 [N, E]; nothing for a network without descriptions
    beside  what is stored with samples: attributes, or captions uint8 [N, 1, L]
    """

    given: Arrays
    beside: Arrays

    def at(self, rows: np.ndarray) -> Told:
        """Those of these rows."""
        given, beside = ({name: array[rows] for name, array in part.items()} for part in self)
        return Told(given, beside)


NOTHING = Told({}, {})


@dataclasses.dataclass(frozen=True)
class Descriptions:
    """What networks know of descriptions; all is empty for those without any.

    attributes  their names
    vocabulary  the words
    examples    rows of attributes, or captions
    """

    attributes: Sequence[str] = ()
    vocabulary: Sequence[str] = ()
    examples: Sequence[Any] = ()

    @property
    def meta(self) -> dict[str, Any]:
        """Metadata of a checkpoint."""
        return {name: [*value] for name, value in vars(self).items() if value}

    def told(self, texts: Sequence[str]) -> Told:
        """Of a caption for each sample; words that are not in the vocabulary are ignored."""
        return Told(
            {"tokens": captions.tokens(texts, self.vocabulary)},
            {"captions": captions.packed([[text] for text in texts])},
        )

    def unknown(self, texts: Sequence[str]) -> list[str]:
        """The words of these that are not in the vocabulary, each once. Error if a sentence has no others."""
        unknown: dict[str, None] = {}
        for text in texts:
            found = captions.unknown(text, self.vocabulary)
            if len(found) == len(set(captions.words(text))):
                some = ", ".join(self.vocabulary[:EXAMPLES])
                raise Error(f"{text[:80]!r}: has no word that the checkpoint knows; it knows {some}, …")
            unknown |= dict.fromkeys(found)
        return [*unknown]

    def check(self, samples: Samples, name: str) -> None:
        """Error unless `samples` have what networks of the checkpoint `name` take."""
        if self.attributes:
            attributes_of(samples, self.attributes, name)
        elif self.vocabulary:
            _kept_captions(samples, name)

    def of_rows(self, samples: Samples, rows: slice | np.ndarray, name: str) -> Told:
        """Of rows of `samples`: their attributes, by name, or the first caption of each. Error if they have none, or
        not all of the attributes that the checkpoint `name` takes.
        """
        if self.attributes:
            return with_attributes(attributes_of(samples, self.attributes, name)[rows])
        if self.vocabulary:
            kept = _kept_captions(samples, name)
            return self.told([texts[0] if texts else "" for texts in captions.texts(samples.name, kept[rows])])
        return NOTHING

    def of_examples(self, lead: tuple[int, ...]) -> Told:
        """The examples in turn, along the last of the axes `lead`."""
        if not self.examples:
            return NOTHING
        chosen = np.broadcast_to(np.arange(lead[-1]) % len(self.examples), lead).ravel()
        known = with_attributes(np.array(self.examples, np.float32)) if self.attributes else self.told(self.examples)
        return known.at(chosen)


NONE = Descriptions()


def with_attributes(attributes: np.ndarray) -> Told:
    return Told({"attributes": attributes}, {"attributes": attributes})


# ------------------------------------------------------------------------------- of data, and of checkpoints


def of_samples(samples: Samples, kind: str, name: str = "", known: Descriptions = NONE) -> Descriptions:
    """Those of a new run on `samples`, whose condition is of that kind: attributes or captions.

    name, known  of the checkpoint whose networks the run begins with: it has the names and the vocabulary of that
    Error if the samples have none
    """
    samples.check_any()
    rows = np.unique(np.linspace(0, len(samples) - 1, EXAMPLES).round().astype(np.int64))
    if kind == "attributes":
        names = known.attributes or samples.attribute_names
        if not names:
            what = "has no attributes, which --conditional attributes needs"
            raise Error(f"{samples.name}: {what}; use a source that has some, or gan-label")
        values = attributes_of(samples, names, name)[rows]
        return Descriptions(attributes=names, examples=[[float(value) for value in row] for row in values])
    kept = _kept_captions(samples, "")
    vocabulary = known.vocabulary or captions.vocabulary(_texts(samples))
    if not vocabulary:
        raise Error(f"{samples.name}: its captions have no words")
    examples = [texts[0] for texts in captions.texts(samples.name, kept[rows]) if texts]
    return Descriptions(vocabulary=vocabulary, examples=examples)


def attributes_of(samples: Samples, names: Sequence[str], name: str) -> np.ndarray:
    """The attributes of `samples` that have these `names`, in their order: float32 [N, A]. Error if the checkpoint
    `name` takes one that they have not, or if they are not from 0 to 1.
    """
    there = samples.attribute_names
    lacking = [each for each in names if each not in there]
    if lacking:
        what = f"has no attribute {lacking[0]!r}" if there else "has no attributes"
        raise Error(
            f"{samples.name}: {what}, and {name} takes {', '.join(names)}; use data that have them, or gan-label"
        )
    assert samples.attributes is not None
    attributes = samples.attributes[:, [there.index(each) for each in names]]
    if not ((attributes >= 0) & (attributes <= 1)).all():
        raise Error(f"{samples.name}: its attributes are not all from 0 to 1")
    return attributes


def _kept_captions(samples: Samples, name: str) -> np.ndarray:
    """uint8 [N, K, L]; Error, with the `name` of the checkpoint that takes them, if there are none."""
    if samples.captions is None:
        need = f"and {name} takes some" if name else "which --conditional captions needs"
        raise Error(f"{samples.name}: has no captions, {need}; see gan-data --captions and --describe")
    return samples.captions


def of_checkpoint(name: str, meta: Mapping[str, Any], config: Config) -> Descriptions:
    """Those in the metadata of a checkpoint of `config`; Error, with the file's `name`, if they are not whole."""
    if not config.is_described:
        return NONE
    key, count = ("attributes", config.attributes) if config.attributes else ("vocabulary", config.words)
    names, examples = meta.get(key), meta.get("examples")
    if not isinstance(names, list) or not all(isinstance(one, str) for one in names) or not _are(count, names):
        raise Error(f"{name}: damaged: its metadata {key!r} are not {count} texts")
    is_fitting = _is_row(count) if config.attributes else _is_caption
    if not isinstance(examples, list) or not 0 < len(examples) <= EXAMPLES or not all(map(is_fitting, examples)):
        raise Error(f"{name}: damaged: its metadata 'examples' are not 1 to {EXAMPLES} descriptions")
    return Descriptions(**{key: names}, examples=examples)


def _are(count: int, names: Sequence[str]) -> bool:
    """Whether there are so many names, no two alike."""
    return len(names) == len(set(names)) == count


def told_like(file: File, samples: Samples, rows: slice | np.ndarray, count: int) -> Told | None:
    """The descriptions of `rows` of these samples in turn, `count` in all, for the networks of a checkpoint; None if
    these take none, or the samples have none.
    """
    config = checkpoints.config_of(file)
    if not config.is_described or config.seen_beside not in samples.file:
        return None
    numbers = np.arange(len(samples))[rows]
    known = of_checkpoint(file.name, file.meta, config)
    return known.of_rows(samples, numbers[np.arange(count) % len(numbers)], file.name)


def _is_row(count: int) -> Any:
    def is_row(example: Any) -> bool:
        is_list = isinstance(example, list) and len(example) == count
        return is_list and all(type(value) in (int, float) and 0 <= value <= 1 for value in example)

    return is_row


def _is_caption(example: Any) -> bool:
    try:
        return isinstance(example, str) and bool(captions.packed([[example]]).any())
    except Error:
        return False


def of_vectors(file: File) -> Told:
    """Those in a file of latents that a path between sentences has made: vectors float32 [..., TEXT]."""
    vectors = file[VECTORS]
    if vectors.shape[-1] != TEXT or not np.isfinite(vectors).all():
        raise Error(f"{file.name}: damaged: {VECTORS!r} are not rows of {TEXT} finite numbers; make them again")
    flat = {VECTORS: vectors.reshape(-1, TEXT)}
    return Told(flat, flat)


# -------------------------------------------------------------------------------------------- for training


class Captions(NamedTuple):
    """The captions of samples as tokens, each that occurs kept once.

    tokens   int16 [U, L], of each different one
    numbers  int32 [N, K], which of these a sample has, from the left on
    counts   int64 [N], how many that are
    """

    tokens: np.ndarray
    numbers: np.ndarray
    counts: np.ndarray

    def __len__(self) -> int:
        return len(self.counts)

    def chosen(self, rows: np.ndarray, at: np.ndarray) -> np.ndarray:
        """Of each of `rows` the caption that `at`, in 0..1, falls on: int64 [B, L]."""
        places = (at * self.counts[rows]).astype(np.int64)
        return self.tokens[self.numbers[rows, places]].astype(np.int64)


def captions_of(samples: Samples, vocabulary: Sequence[str]) -> Captions:
    """All captions of `samples`. Error if a sample has none, or if the vocabulary has no word of any."""
    known: dict[str, int] = {}
    numbers = np.zeros((len(samples), _kept_captions(samples, "the run").shape[1]), np.int32)
    counts = np.zeros(len(samples), np.int64)
    for row, texts in enumerate(_rows(samples)):
        if not texts:
            raise Error(f"{samples.name}: sample {row} has no caption; leave it out, as gan-data --captions does")
        counts[row] = len(texts)
        numbers[row, : len(texts)] = [known.setdefault(text, len(known)) for text in texts]
    tokens = captions.tokens([*known], vocabulary).astype(np.int16)
    if not tokens.any():
        raise Error(f"{samples.name}: no word of its captions is one that the checkpoint knows; start a new run")
    return Captions(tokens, numbers, counts)


def _rows(samples: Samples) -> Iterator[list[str]]:
    """The captions of each sample."""
    assert samples.captions is not None
    for start in range(0, len(samples), CHUNK):
        yield from captions.texts(samples.name, samples.captions[start : start + CHUNK])


def _texts(samples: Samples) -> Iterator[str]:
    return (text for texts in _rows(samples) for text in texts)
