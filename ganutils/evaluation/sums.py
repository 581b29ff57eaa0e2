"""How often sums of latents, and of pixels, have the attributes they should: what gan-arith --score prints."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from ganutils import Error
from ganutils.compute import devices
from ganutils.evaluation import metrics, scores
from ganutils.evaluation.labeling import Labeler
from ganutils.evaluation.report import rounded
from ganutils.files import container
from ganutils.files.container import File
from ganutils.inference.generate import film
from ganutils.latents import arithmetic
from ganutils.latents.arithmetic import LabeledLatents
from ganutils.latents.draw import check_z_dim
from ganutils.latents.expressions import Term, target, written
from ganutils.runs.series import open_series
from ganutils.samples import predicates
from ganutils.samples.predicates import Predicate
from ganutils.samples.samples import check_shape, subset

COMPARED = 5000  # samples, chosen at random, that sums are compared with


def score(
    file: File,
    expression: str,
    checkpoint: str,
    labeller: Labeler,
    top: int,
    draws: int,
    target: str | None,
    seed: int,
    device: str,
) -> dict[str, Any]:
    """Shares of `draws` sums that have all of `target` (what follows from the terms, if None), and are no ghosts.

    Each draw takes the `top` exemplars of a random tenth of those that fit; their latents' sum goes through the
    generator, their pixels' sum stays as it is, and `labeller` tells what both have.
    """
    whole = LabeledLatents(file)
    terms = whole.terms(expression)
    images = arithmetic.images(file)
    check_shape(file.name, images.shape[1:], labeller.name, labeller.shape)
    drawn = [[whole.drawn(term, top, seed, draw, at) for at, term in enumerate(terms)] for draw in range(draws)]
    wanted = _target(terms, target, labeller)
    z = np.stack([arithmetic.summed(whole.latents, terms, exemplars)[1] for exemplars in drawn])
    z = arithmetic.inside(z, whole.prior).astype(np.float32)
    pixels = np.stack([arithmetic.to_bytes(arithmetic.summed(images, terms, exemplars)[1]) for exemplars in drawn])
    with container.read(checkpoint, "checkpoint") as trained:
        series = open_series(trained, [])
        if series.config.classes:
            raise Error(f"{checkpoint}: has classes, which a sum of latents has not; train without --conditional")
        check_shape(checkpoint, series.config.shape, labeller.name, labeller.shape)
        check_z_dim(file.name, z, series.config)
        samples = np.concatenate(list(film(series, z, None, devices.find(device))))
    judge = Judge(labeller, wanted, images, seed)
    found = {"latents": judge.shares(samples), "pixels": judge.shares(pixels)}
    about = {"expression": expression, "target": wanted[0].text, "draws": draws, "top": top, "seed": seed}
    return rounded({**about, **found, "checkpoint": os.path.basename(checkpoint)})


def _target(terms: Sequence[Term], text: str | None, labeller: Labeler) -> list[Predicate]:
    """The target, then its parts where it follows from the terms."""
    names = [name for question in labeller.questions for name in question.names]
    if text is not None:
        return [predicates.parse(text, names)]
    has = target(terms)
    if not has:
        raise Error("--score: what the sum should have does not follow from its terms; give --target")
    return [predicates.parse(written(part), names) for part in [has, *({name: has[name]} for name in has)]]


class Judge:
    """Tells which sums have all that is `wanted` (its first; then its parts), and which lie among the `images` added.

    Attributes alone do not tell a ghost: a smile that shines through is a smile. So a sum should also be a picture such
    as those it is made of: no farther from one of them, in pixels, than the third neighbour of that one is (the
    measure of Kynkäänniemi et al. 2019 for being in a set).
    """

    def __init__(self, labeller: Labeler, wanted: Sequence[Predicate], images: np.ndarray, seed: int):
        self.labeller, self.wanted = labeller, wanted
        self._images = scores.thumbnails(images[subset(len(images), COMPARED, seed, "compared")])
        k = min(metrics.NEAREST_PRECISION, len(self._images) - 1)
        self._radii = metrics.radii(self._images, k)[0]

    def shares(self, samples: np.ndarray) -> dict[str, Any]:
        """The shares of samples that have what is wanted, that lie among the images, both; and that have each part."""
        found = self.labeller(samples)
        values = predicates.values(found.labels, found.classes, found.attributes, found.names)
        has, *parts = (one.holds(values) for one in self.wanted)
        is_among = metrics.within(self._images, scores.thumbnails(samples), self._radii)
        shares = {"target": has, "among_samples": is_among, "both": has & is_among}
        whole: dict[str, Any] = {name: float(each.mean()) for name, each in shares.items()}
        texts = [one.text for one in self.wanted[1:]]
        return {**whole, "parts": {text: float(each.mean()) for text, each in zip(texts, parts, strict=True)}}
