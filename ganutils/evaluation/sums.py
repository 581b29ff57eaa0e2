"""How often sums of latents, and of pixels, have the attributes they should: what gan-arith --score prints."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from ganutils import Error
from ganutils.compute import devices
from ganutils.evaluation import metrics
from ganutils.evaluation.extractors.extractor import Teller, check_finite
from ganutils.evaluation.labeling import Labeler
from ganutils.evaluation.report import rounded
from ganutils.evaluation.thumbnails import thumbnails
from ganutils.files import container
from ganutils.files.container import File
from ganutils.inference.generate import sample_series
from ganutils.latents import arithmetic, interpolation
from ganutils.latents.arithmetic import LabeledLatents
from ganutils.latents.draw import check_z_dim
from ganutils.latents.expressions import Term, as_predicate, implied_target
from ganutils.runs.series import open_series
from ganutils.samples import predicates
from ganutils.samples.predicates import Predicate
from ganutils.samples.samples import open_samples, subset

COMPARED = 5000  # samples, chosen at random, that sums are compared with


def score_file(
    file: File,
    expression: str,
    checkpoint: str,
    *,
    like: str,
    features: str,
    top: int,
    draws: int,
    target: str | None,
    root: str,
    seed: int,
    device: str,
    teller: Teller,
) -> dict[str, Any]:
    """As `score`, of the samples of `file`, labeled as those of the file `like` by these `features`."""
    file.keep()
    with open_samples(like) as labeled:
        labeler = Labeler(labeled, features, root, device, teller)
    return score(file, expression, checkpoint, labeler, top, draws, target, seed, device)


def score(
    file: File,
    expression: str,
    checkpoint: str,
    labeler: Labeler,
    top: int,
    draws: int,
    target: str | None,
    seed: int,
    device: str,
) -> dict[str, Any]:
    """Shares of `draws` sums that have all of `target` (what follows from the terms, if None), and are no ghosts.

    Each draw takes the `top` exemplars of a random tenth of those that match; their latents' sum goes through the
    generator, their pixels' sum stays as it is, and `labeler` labels both.
    """
    labeled = LabeledLatents(file)
    terms = labeled.terms(expression)
    samples = arithmetic.added_samples(file)
    labeler.check_like(samples.name, samples.shape, samples.meta)
    check_finite(samples.name, samples.array)
    drawn = [
        [labeled.drawn_exemplars(term, top, seed, draw, at) for at, term in enumerate(terms)] for draw in range(draws)
    ]
    targets = _targets(terms, target, labeler)
    z = np.stack([arithmetic.add(labeled.latents, terms, exemplars)[1] for exemplars in drawn])
    z = interpolation.as_float32(interpolation.inside(z, labeled.prior), labeled.name)
    sums = np.stack([arithmetic.add(samples.array, terms, exemplars)[1] for exemplars in drawn])
    with container.read(checkpoint, "checkpoint") as trained:
        series = open_series(trained, [])
        series.check_origin(has_inputs=False)
        if series.config.classes:
            raise Error(f"{checkpoint}: has classes, but sums of latents have none; train without --conditional")
        labeler.check_like(checkpoint, series.config.shape, trained.meta)
        check_z_dim(file.name, z, series.config)
        made = np.concatenate(list(sample_series(series, series.of_latents(z), devices.prepare(device, None))))
    judge = Judge(labeler, targets, samples.array, seed)
    added = arithmetic.within_range(sums, samples.modality)
    shares = {"latents": judge.shares(made), "pixels": judge.shares(added)}
    about = {"expression": expression, "target": targets[0].text, "draws": draws, "top": top, "seed": seed}
    return rounded({**about, **shares, "checkpoint": os.path.basename(checkpoint)})


def _targets(terms: Sequence[Term], text: str | None, labeler: Labeler) -> list[Predicate]:
    """The target, then its parts where it follows from the terms."""
    names = [name for question in labeler.questions for name in question.names]
    if text is not None:
        return [predicates.parse(text, names)]
    implied = implied_target(terms)
    if not implied:
        raise Error("--score: what the sum should have does not follow from its terms; give --target")
    parts = [implied, *({name: implied[name]} for name in implied)]
    return [predicates.parse(as_predicate(part), names) for part in parts]


class Judge:
    """Finds which sums have the first of `targets`, and each of the others, and which lie among the `images` added.

    Attributes alone do not reveal a ghost: a smile that shines through is a smile. So a sum should also be an image
    like those it is made of: no farther from one of them, in pixels, than the third neighbor of that one is (the
    measure of Kynkäänniemi et al. 2019 for being in a set).
    """

    def __init__(self, labeler: Labeler, targets: Sequence[Predicate], images: np.ndarray, seed: int):
        self.labeler, self.targets = labeler, targets
        self._images = thumbnails(images[subset(len(images), COMPARED, seed, "compared")])
        k = min(metrics.NEAREST_PRECISION, len(self._images) - 1)
        self._radii = metrics.radii(self._images, k)[0]

    def shares(self, samples: np.ndarray) -> dict[str, Any]:
        """The shares of samples that have the target, that lie among the images, both; and that have each part."""
        labels = self.labeler(samples)
        values = predicates.values(labels.labels, labels.classes, labels.attributes, labels.names)
        has_target, *has_parts = (target.holds(values) for target in self.targets)
        is_among = metrics.within(self._images, thumbnails(samples), self._radii)
        shares = {"target": has_target, "among_samples": is_among, "both": has_target & is_among}
        parts = {part.text: float(has.mean()) for part, has in zip(self.targets[1:], has_parts, strict=True)}
        return {**{name: float(each.mean()) for name, each in shares.items()}, "parts": parts}
