"""What is counted in texts: letters that follow each other, whole texts, sentences; and shuffled texts, to compare."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ganutils.evaluation import metrics
from ganutils.files.letters import BLANK, OneHot, decoded, encoded
from ganutils.randomness import stream
from ganutils.samples.samples import Samples
from ganutils.samples.sources import grammar

N = 3  # letters of an n-gram that is compared
WIDEST, PRIME = 512, 509  # features at most; cells that pairs of letters go to where there are more
CHUNK = 1 << 16  # texts that are looked at at a time


def parser_of(samples: Samples) -> Callable[[str], bool] | None:
    """What tells whether a text is of the exact grammar that the samples are of; None if they are of none."""
    toy = samples.meta.get("toy")
    is_known = samples.are_texts and isinstance(toy, dict) and toy.get("name") == grammar.NAME
    return grammar.is_grammatical if is_known else None


def letters_of(samples: Any) -> np.ndarray:
    """uint8 [N, T] of texts [N, T, A]."""
    return samples.letters if isinstance(samples, OneHot) else np.asarray(samples).argmax(-1).astype(np.uint8)


def at(samples: Samples, rows: slice | np.ndarray) -> Any:
    """The samples at these rows; of texts as networks see them, made when they are needed."""
    if not samples.are_texts:
        return samples.array[rows]
    return OneHot(samples.name, np.asarray(samples.letters[rows]), samples.shape[1])


def as_seen(source: Samples, samples: np.ndarray) -> Any:
    """What a generator made, like the samples of `source`: of texts as networks see them, made when they are needed."""
    return OneHot("the generator", samples, source.shape[1]) if source.are_texts else samples


# ---------------------------------------------------------------------------------------------- n-grams


def ngrams(letters: np.ndarray, n: int, base: int) -> tuple[np.ndarray, np.ndarray]:
    """The n-grams of texts [N, T] with blanks before and behind, as numbers of that base; and which text each is of."""
    length = letters.shape[1]
    ends = np.where(letters.any(1), length - (letters[:, ::-1] != 0).argmax(1), 0)
    padded = np.pad(letters, ((0, 0), (n - 1, n - 1))).astype(np.int64)
    starts = np.arange(length + n - 1)
    numbers = sum(padded[:, starts + place] * base ** (n - 1 - place) for place in range(n))
    is_there = (starts < ends[:, None] + n - 1) & (ends > 0)[:, None]
    return np.asarray(numbers)[is_there], np.nonzero(is_there)[0]


def divergence(x: Any, y: Any) -> float:
    """Between the frequencies of n-grams in two sets of texts, in bits: 0 if they are alike, 1 if they share none.

    Gulrajani et al. 2017, "Improved Training of Wasserstein GANs", on discrete data, as their gan_language.py has it.
    """
    one, other = (ngrams(letters_of(texts), N, texts.shape[-1])[0] for texts in (x, y))
    known, places = np.unique(np.concatenate([one, other]), return_inverse=True)
    counts = (np.bincount(part, minlength=len(known)) for part in np.split(places, [len(one)]))
    return metrics.jensen_shannon(*counts)


def pairs_of_letters(samples: Any) -> np.ndarray:
    """The features of texts [N, T, A]: how often each pair of letters comes, float32 [N, F], F at most WIDEST."""
    letters, base = letters_of(samples), samples.shape[-1]
    numbers, rows = ngrams(letters, 2, base)
    width = base * base if base * base <= WIDEST else PRIME
    counts = np.bincount(rows * width + numbers % width, minlength=len(letters) * width)
    return counts.reshape(len(letters), width).astype(np.float32)


# ------------------------------------------------------------------------------------------ whole texts


def distinct(samples: Any) -> float:
    """The share of different texts: 1 if none comes twice."""
    return len(_whole(letters_of(samples))) / len(samples)


def copied(samples: Any, source: Samples) -> float:
    """The share that a file has too, all of it."""
    letters = letters_of(samples)
    texts = _whole(letters)
    there = {text for part in _parts(source) for text in texts & _whole(part)}
    return sum(text in there for text in map(bytes, letters)) / len(letters)


def _whole(letters: np.ndarray) -> set[bytes]:
    return set(map(bytes, letters))


def _parts(source: Samples) -> Iterator[np.ndarray]:
    for start in range(0, len(source), CHUNK):
        yield np.asarray(source.letters[start : start + CHUNK])


# ------------------------------------------------------------------------------------------ shuffled


def shuffled(samples: Any, seed: int) -> Any:
    """The letters of each text in any order."""
    letters = letters_of(samples)
    order = stream(seed, "shuffled letters").random(letters.shape, np.float32)
    behind = np.cumsum(letters[:, ::-1] != 0, 1)[:, ::-1] == 0  # blanks there stay there
    return OneHot("shuffled", np.take_along_axis(letters, (order + behind).argsort(1), 1), samples.shape[-1])


def shuffled_words(samples: Any, alphabet: str, seed: int) -> Any:
    """The words of each text in any order."""
    letters, random = letters_of(samples), stream(seed, "shuffled words")
    texts = [text.split(BLANK) for text in decoded("shuffled", letters, alphabet)]
    mixed = [BLANK.join(words[at] for at in random.permutation(len(words))) for words in texts]
    return OneHot("shuffled", encoded(mixed, alphabet, letters.shape[1]), len(alphabet))
