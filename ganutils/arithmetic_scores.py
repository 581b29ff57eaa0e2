"""How often sums of latents, and of pixels, have the attributes they should: what gan-arith --score prints."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from ganutils import Error, arithmetic, checkpoints, devices, files, latents, predicates, results, sampling, scores
from ganutils.arithmetic import Labelled, Term
from ganutils.files import File
from ganutils.labelling import Labeller


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
    wanted = _target(terms, target, labeller)
    drawn = [[whole.drawn(term, top, seed, draw, at) for at, term in enumerate(terms)] for draw in range(draws)]
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
    scores.check_shape(file.name, images.shape[1:], labeller.name, labeller.shape)
    found = {"latents": _shares(samples, wanted, labeller), "pixels": _shares(pixels, wanted, labeller)}
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


def _shares(samples: np.ndarray, wanted: Sequence[predicates.Predicate], labeller: Labeller) -> dict[str, float]:
    found = labeller(samples)
    values = predicates.values(found.labels, found.classes, found.attributes, found.names)
    return {("all" if at == 0 else one.text): float(one.holds(values).mean()) for at, one in enumerate(wanted)}
