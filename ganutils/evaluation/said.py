"""What generated samples were told to be, and which of it is found in them, attribute by attribute."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from ganutils.evaluation import metrics
from ganutils.evaluation.answers import MOST_NAMED
from ganutils.evaluation.extractors.extractor import Extractor
from ganutils.samples import captions
from ganutils.samples.samples import Samples
from ganutils.samples.sources.claims import claims_about

FOUND = "found"  # metadata of a file whose attributes are what gan-label found in it


@dataclasses.dataclass(frozen=True)
class Said:
    """What N samples were told, in terms of the attributes of REAL.

    texts       a sentence each; None if they were told attributes alone
    true        bool [N, A], what is said of each attribute
    known       bool [N, A], whether anything is
    are_claims  whether that is what the sentences say, and not what they may say
    """

    texts: Sequence[str] | None
    true: np.ndarray
    known: np.ndarray
    are_claims: bool = False

    @property
    def note(self) -> str:
        """What the user should know of it."""
        lost = int((~self.known.any(1)).sum())
        if self.are_claims:
            what = f"{lost:,} of {len(self.known):,} sentences are not understood"
            return f"{what}: said is about the others" if lost else ""
        is_more = self.texts is not None and self.known.any()
        return "said is about all attributes, also those that a sentence does not mention" if is_more else ""

    def at(self, rows: np.ndarray) -> Said:
        texts = None if self.texts is None else [self.texts[row] for row in rows.tolist()]
        return dataclasses.replace(self, texts=texts, true=self.true[rows], known=self.known[rows])

    def found(self, samples: np.ndarray, finder: Extractor, names: Sequence[str]) -> Found:
        """What the `finder` finds of it, for attributes of these `names`."""
        assert finder.find is not None
        own = [name for name in finder.names if name in names]
        columns = [names.index(name) for name in own]
        there = finder.find(samples)[:, [[*finder.names].index(name) for name in own]]
        true, known = self.true[:, columns], self.known[:, columns]
        shares = dict(zip(own, map(float, metrics.kept(there, true, False, known)), strict=True))
        rows = known.any(1)
        whole = float(((there == true) | ~known)[rows].all(1).mean()) if rows.any() else float("nan")
        return Found({name: share for name, share in shares.items() if not np.isnan(share)}, whole)


@dataclasses.dataclass(frozen=True)
class Found:
    """How well each attribute is found, and the share of samples in which all is that was said of them."""

    attributes: dict[str, float]
    whole: float

    @property
    def mean(self) -> float:
        return float(np.mean([*self.attributes.values()])) if self.attributes else float("nan")


def finds_attributes(finder: Extractor, names: Sequence[str]) -> bool:
    """Whether it finds some of these attributes in samples, and not too many to name."""
    return finder.find is not None and 0 < len({*finder.names} & {*names}) <= MOST_NAMED


def said_of(samples: Samples, rows: np.ndarray, names: Sequence[str], by: Sequence[str] | None = None) -> Said:
    """What rows of `samples` are told, in terms of attributes of these `names`.

    by   the attributes that they are told; None = their first captions tell it
    """
    texts: list[str] | None = None
    if by is None:
        assert samples.captions is not None
        texts = [each[0] if each else "" for each in captions.texts(samples.name, samples.captions[rows])]
        claims = claims_about(names)
        if claims is not None:
            return _claimed(texts, [claims(text) for text in texts], names)
    true = np.zeros((len(rows), len(names)), bool)
    known = np.zeros_like(true)
    told = samples.attribute_names if by is None else [name for name in by if name in samples.attribute_names]
    for at, name in enumerate(names):
        if name in told:
            assert samples.attributes is not None
            true[:, at] = samples.attributes[rows, samples.attribute_names.index(name)] > 0.5
            known[:, at] = True
    return Said(texts, true, known)


def _claimed(texts: Sequence[str], claims: Sequence[dict[str, bool]], names: Sequence[str]) -> Said:
    """What these sentences claim."""
    true = np.array([[claim.get(name, False) for name in names] for claim in claims], bool)
    known = np.array([[name in claim for name in names] for claim in claims], bool)
    return Said(texts, true, known, are_claims=True)


def said_in(samples: Samples, rows: np.ndarray, names: Sequence[str]) -> Said | None:
    """What `rows` of a file of samples were told: its captions, else its attributes, unless gan-label found these."""
    if samples.captions is not None:
        return said_of(samples, rows, names)
    if samples.attributes is None or samples.meta.get(FOUND):
        return None
    return said_of(samples, rows, names, samples.attribute_names)
