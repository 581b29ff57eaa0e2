"""R-precision: whether a picture is more like its own sentence than like 99 others (Xu et al. 2018, AttnGAN, 5.2)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from ganutils import Error
from ganutils.evaluation.extractors.extractor import Request, about, device_of, sha256
from ganutils.evaluation.said import Said, said_of
from ganutils.randomness import stream
from ganutils.samples import captions
from ganutils.samples.samples import Samples, subset

OTHERS = 99  # sentences beside the own one
POOL = 1000  # sentences that they are chosen from, at most
LEAST = 100  # pictures with captions to learn from
CHUNK = 1000  # pictures that are compared at a time


class Matcher:
    """Compares pictures with sentences: a network that was trained on the pictures of a set and their captions.

    about     how results name it
    held_out  rows of the set that it has not seen
    """

    def __init__(self, samples: Samples, request: Request):
        """Trained now, or kept from before; see `can_learn`."""
        import torch

        from ganutils.inference import discriminate
        from ganutils.training import matcher

        self.samples, device = samples, device_of(request)
        self._vocabulary = captions.vocabulary(text for each in _captions(samples) for text in each)
        if not self._vocabulary:
            raise Error(f"{samples.name}: its captions have no words")
        network, path = matcher.cached(samples, self._vocabulary, request.root, device, *request.teller)
        self.about = about("matcher", digest=sha256(path)[:16])
        self.held_out = np.sort(matcher.parts(len(samples))[0])

        def of_texts(texts: Sequence[str]) -> np.ndarray:
            with torch.inference_mode():
                tokens = (torch.from_numpy(self._tokens(texts[at : at + CHUNK])) for at in range(0, len(texts), CHUNK))
                return np.concatenate([network.of_tokens(each.to(device)).cpu().numpy() for each in tokens])

        self._of_texts: Callable[[Sequence[str]], np.ndarray] = of_texts
        self._of_pictures = lambda pictures: discriminate.apply(network.of_pictures, pictures, device)

    def _tokens(self, texts: Sequence[str]) -> np.ndarray:
        return captions.tokens(texts, self._vocabulary)

    def r_precision(self, pictures: np.ndarray, said: Said, seed: int) -> float:
        """The share of `pictures` that are liker to their own sentence than to OTHERS of the set, which mean something
        else as far as is known: claim the opposite of something that it claims, or are of other words.
        """
        assert said.texts is not None
        rows = np.arange(len(self.samples))[subset(len(self.samples), POOL, seed, "sentences")]
        pool = said_of(self.samples, rows, self.samples.attribute_names)
        assert pool.texts is not None
        others, random = self._of_texts(pool.texts), stream(seed, "others in words")
        hits: list[np.ndarray] = []
        for start in range(0, len(pictures), CHUNK):
            part = said.at(np.arange(start, min(start + CHUNK, len(pictures))))
            assert part.texts is not None
            found, own = self._of_pictures(pictures[start : start + CHUNK]), self._of_texts(part.texts)
            order = np.where(_differ(part, pool), random.random((len(found), len(rows)), np.float32), np.inf)
            count = min(OTHERS, len(rows) - 1)
            chosen = np.argpartition(order, count, axis=1)[:, :count]
            is_other = np.isfinite(np.take_along_axis(order, chosen, 1))
            likeness = np.where(is_other, np.take_along_axis(found @ others.T, chosen, 1), -np.inf)
            is_first = np.less(likeness, (found * own).sum(1, keepdims=True)).all(1)
            hits.append(is_first[is_other.any(axis=1)])
        all_hits = np.concatenate(hits)
        return float(all_hits.mean()) if len(all_hits) else float("nan")


def _differ(said: Said, pool: Said) -> np.ndarray:
    """Which sentences of `pool` mean something else than each of those `said`: bool [N, P]."""
    assert said.texts is not None and pool.texts is not None
    words: dict[tuple[str, ...], int] = {}
    numbers = [
        np.array([words.setdefault(tuple(captions.words(text)), len(words)) for text in texts])
        for texts in (said.texts, pool.texts)
    ]
    differ = np.not_equal(numbers[0][:, None], numbers[1])
    if not said.are_claims:
        return differ
    here, there = (
        [(each.known & (each.true == value)).astype(np.float32) for value in (True, False)] for each in (said, pool)
    )
    opposite = here[0] @ there[1].T + here[1] @ there[0].T > 0
    are_clear = said.known.any(axis=1, keepdims=True) & pool.known.any(axis=1)
    return np.where(are_clear, opposite, differ)


def can_learn(samples: Samples) -> bool:
    """Whether there are pictures enough with captions, one of each at least."""
    if not samples.are_images or samples.captions is None or len(samples) < LEAST:
        return False
    parts = (samples.captions[at : at + CHUNK] for at in range(0, len(samples), CHUNK))
    return all(bool(part[:, :, 0].any(1).all()) for part in parts)


def _captions(samples: Samples) -> Iterable[list[str]]:
    assert samples.captions is not None
    for start in range(0, len(samples), CHUNK):
        yield from captions.texts(samples.name, samples.captions[start : start + CHUNK])


def open_matcher(samples: Samples, *request: Any) -> Matcher:
    """The matcher of `samples`; `request` as for `features.open_extractor`."""
    from ganutils.evaluation.sets import labeled_set

    return Matcher(samples, Request(labeled_set(samples), *request))
