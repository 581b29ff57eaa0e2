"""How often sums of latents, and of pixels, have the attributes they should: what gan-arith --score prints."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from ganutils import (
    Error,
    arithmetic,
    checkpoints,
    devices,
    files,
    latents,
    metrics,
    predicates,
    results,
    sampling,
    scores,
)
from ganutils.arithmetic import Labelled, Term
from ganutils.files import File
from ganutils.labelling import Labeller

REAL = 5000  # labelled samples that sums are compared with


def score(
    file: File,
    expression: str,
    checkpoint: str,
    labeller: Labeller,
    top: int,
    draws: int,
    target: str | None,
    seed: int,
    device: str,
) -> dict[str, Any]:
    """Shares of `draws` sums that have all of `target` (what follows from the terms, if None), and each part of it.

    Each draw takes the `top` exemplars of a random tenth of those that fit; their latents' sum goes through the
    generator, their pixels' sum stays as it is, and `labeller` tells what both have.
    """
    whole = Labelled(file)
    terms = whole.terms(expression)
    images = arithmetic.images(file)
    scores.check_shape(file.name, images.shape[1:], labeller.name, labeller.shape)
    drawn = [[whole.drawn(term, top, seed, draw, at) for at, term in enumerate(terms)] for draw in range(draws)]
    wanted = _target(terms, target, labeller)
    z = np.stack([arithmetic.summed(whole.latents, terms, exemplars)[1] for exemplars in drawn])
    z = arithmetic.inside(z, whole.prior).astype(np.float32)
    pixels = np.stack([arithmetic.to_bytes(arithmetic.summed(images, terms, exemplars)[1]) for exemplars in drawn])
    with files.read(checkpoint, "checkpoint") as trained:
        series = checkpoints.series(trained, [])
        if series.settings.classes:
            raise Error(f"{checkpoint}: has classes, which a sum of latents has not; train without --conditional")
        scores.check_shape(checkpoint, series.settings.shape, labeller.name, labeller.shape)
        latents.check_length(file.name, z, series.settings)
        samples = np.concatenate(list(sampling.film(series, z, None, devices.named(device))))
    judge = Judge(labeller, wanted, seed)
    exemplars = np.unique(np.concatenate([rows for draw in drawn for rows in draw]))
    found = {
        "latents": judge.shares(samples),
        "pixels": judge.shares(pixels),
        "exemplars_real": float(judge.real(labeller.features(images[exemplars])).mean()),
    }
    about = {"expression": expression, "target": wanted[0].text, "draws": draws, "top": top, "seed": seed}
    return results.rounded({**about, **found, "checkpoint": os.path.basename(checkpoint)})


def _target(terms: Sequence[Term], text: str | None, labeller: Labeller) -> list[predicates.Predicate]:
    """The target, then its parts where it follows from the terms."""
    names = [name for question in labeller.questions for name in question.names]
    if text is not None:
        return [predicates.parse(text, names)]
    has = arithmetic.target(terms)
    if not has:
        raise Error("--score: what the sum should have does not follow from its terms; give --target")
    return [predicates.parse(arithmetic.written(part), names) for part in [has, *({name: has[name]} for name in has)]]


class Judge:
    """Tells which sums have all that is `wanted` (its first; then its parts), and which lie among the real samples.

    Attributes alone do not tell a ghost: a smile that was pasted is a smile. So what lies farther from every labelled
    sample than its third neighbour does, in the labeller's features, is no real one (Kynkäänniemi et al. 2019).
    """

    def __init__(self, labeller: Labeller, wanted: Sequence[predicates.Predicate], seed: int):
        self.labeller, self.wanted = labeller, wanted
        rows = scores.subset(len(labeller.samples), REAL, seed, "real")
        self._real = labeller.features(labeller.samples[rows])
        self._radii = metrics.radii(self._real, metrics.NEAREST_PRECISION)[0]

    def real(self, features: np.ndarray) -> np.ndarray:
        """Which samples lie among the real ones: bool [N]."""
        return metrics.within(self._real, features, self._radii)

    def shares(self, samples: np.ndarray) -> dict[str, Any]:
        """The shares of samples that have what is wanted, each part of it, that are as real ones, and both."""
        features = self.labeller.features(samples)
        found = self.labeller.told(features)
        values = predicates.values(found.labels, found.classes, found.attributes, found.names)
        has, *parts = ((one.text, one.holds(values)) for one in self.wanted)
        is_real = self.real(features)
        shares = {"target": has[1], "real": is_real, "target_and_real": has[1] & is_real}
        whole: dict[str, Any] = {name: float(each.mean()) for name, each in shares.items()}
        return {**whole, "parts": {text: float(each.mean()) for text, each in parts}}
