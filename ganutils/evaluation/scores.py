"""The scores of generated samples against real ones: a row of SCORES each, which gan-eval prints in this order."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from ganutils import Error
from ganutils.evaluation import metrics, texts
from ganutils.evaluation.extractors.extractor import WIDEST
from ganutils.evaluation.sets import Fake, Real
from ganutils.files import letters

Scores = dict[str, Any]
OTHERS = 4  # targets that each result is compared with beside its own
SLIGHT = 0.7  # pixels: deviation of a blur that leaves what is seen, and no noise in which a picture could be hidden

LOWER, HIGHER, ONE, NEITHER = "↓", "↑", "→1", ""  # which way is better, as column headings show it


class Score(NamedTuple):
    """One score.

    name      its key in the results
    measure   a number, a list of names, or numbers by name
    heading   of its column in gan-eval --table; empty = it has none
    better    LOWER, HIGHER, near ONE, or NEITHER
    needs     whether the samples have what it needs
    """

    name: str
    measure: Callable[[Real, Fake], Any]
    heading: str = ""
    better: str = NEITHER
    needs: Callable[[Real, Fake], bool] = lambda real, fake: True


# ------------------------------------------------------------------------------- in the extractor's features


def _frechet_distance(real: Real, fake: Fake) -> float:
    width = real.features.shape[1]
    if width > WIDEST:
        raise Error(f"features of {width:,} numbers are too many for a Fréchet distance; {WIDEST:,} are the most")
    return metrics.frechet_distance(real.features, fake.features)


def _precision(real: Real, fake: Fake) -> float:
    return metrics.precision(real.features, fake.features, real.radii[0])


def _recall(real: Real, fake: Fake) -> float:
    return metrics.precision(fake.features, real.features, *metrics.radii(fake.features, metrics.NEAREST_PRECISION))


def _density(real: Real, fake: Fake) -> float:
    return metrics.density(real.features, fake.features, real.radii[1])


def _coverage(real: Real, fake: Fake) -> float:
    return metrics.coverage(real.features, fake.features, real.radii[1])


def _spread(real: Real, fake: Fake) -> float:
    return metrics.spread(real.features, fake.features)


def _feature_distance(real: Real, fake: Fake) -> float:
    return metrics.feature_distance(real.features, fake.features)


# ---------------------------------------------------- of the samples: pixels in 0..1, of sounds their spectra's; points


def _sliced_wasserstein(real: Real, fake: Fake) -> float:
    if real.source.are_sounds:
        return metrics.sliced_wasserstein(real.thumbnails, fake.thumbnails, real.seed)
    x, y = (samples.reshape(len(samples), -1) for samples in (real.samples, fake.samples))
    return metrics.sliced_wasserstein(x, y, real.seed) / (1 if fake.samples.ndim == 2 else 255)


def _nearest_real(real: Real, fake: Fake) -> float:
    """Median distance to the nearest real sample."""
    return float(np.sqrt(np.median(fake.nearest[0])))


def _nearest_real_ratio(real: Real, fake: Fake) -> float:
    """The same over the distance that real samples keep from one another."""
    spacing = float(np.sqrt(np.median(real.spacing)))
    return _nearest_real(real, fake) / spacing if spacing else math.nan


def _authenticity(real: Real, fake: Fake) -> float:
    return metrics.authenticity(*fake.nearest, real.spacing)


# ------------------------------------------------------------------ of pictures, each against the one that it should be


def _sharpness(real: Real, fake: Fake) -> float:
    return _ratio(metrics.gradient(fake.samples), metrics.gradient(real.samples))


def _saturation(real: Real, fake: Fake) -> float:
    return _ratio(metrics.saturation(fake.samples), metrics.saturation(real.samples))


def _kept(real: Real, fake: Fake) -> float:
    known = [share for share in fake.kept.values() if not math.isnan(share)]
    return float(np.mean(known)) if known else math.nan


def _input_distance(real: Real, fake: Fake) -> float:
    """How far results are from what was given, over how far the true or any real pictures are: near 0 for copies."""
    given = fake.given_pictures
    assert given is not None
    return _ratio(metrics.l1(fake.samples, given), metrics.l1(fake.expected, given))


def _others_distance(real: Real, fake: Fake) -> float:
    """How far results are from the targets of other inputs, over how far from their own: near 1 if inputs are ignored.

    NaN if all inputs are the same.
    """
    assert real.inputs is not None
    if (real.inputs[1:] == real.inputs[:1]).all():
        return math.nan
    made, rows = fake.samples[real.order], (np.roll(real.order, by) for by in range(1, 1 + OTHERS))
    others = [metrics.l1(made, real.samples[each]) for each in rows]
    return _ratio(float(np.mean(others)), metrics.l1(made, real.samples[real.order]))


def _ratio(fake: float, real: float) -> float:
    return fake / real if real else math.nan


# ----------------------------------------------------------------------------------- of translators between classes


def _arrived(real: Real, fake: Fake) -> float:
    """The share that the extractor takes for pictures of the class that they should be of."""
    assert real.extractor.find is not None
    assert real.direction is not None
    column = [*real.extractor.names].index(real.direction.goal)
    return float(real.extractor.find(fake.samples)[:, column].mean())


def _cycle_l1_blurred(real: Real, fake: Fake) -> float:
    """As `cycle_l1`, with a slight blur on the way: larger by far if a picture is hidden in noise (Chu et al. 2017)."""
    return fake.cycle_l1(lambda samples: metrics.blurred(samples, SLIGHT))


def _input_correlation(real: Real, fake: Fake) -> float:
    assert fake.given_pictures is not None
    return metrics.correlation(fake.samples, fake.given_pictures)


def _expected_correlation(real: Real, fake: Fake) -> float:
    assert fake.given_pictures is not None
    return metrics.correlation(fake.expected, fake.given_pictures)


def _recovered(real: Real, fake: Fake) -> float:
    """By a translator that leads back, as Isola et al. 2017 score labels to photos by a network (section 4.2)."""
    assert fake.given is not None
    return real.recovered_from(fake.samples, fake.given)


# ------------------------------------------------------------------------------------ of samples that have labels


def _label_accuracy(real: Real, fake: Fake) -> float:
    """The share that the extractor takes for what they are to be; NaN if it knows none of their classes."""
    assert real.extractor.find is not None
    assert fake.labels is not None
    numbers = fake.labels.among(real.extractor.names)
    rows = np.flatnonzero(numbers >= 0)
    return (
        float(real.extractor.find(fake.samples[rows])[range(len(rows)), numbers[rows]].mean())
        if len(rows)
        else math.nan
    )


def _formants(real: Real, fake: Fake) -> float:
    assert real.formants is not None
    assert fake.labels is not None
    return real.formants.share(fake.samples, fake.labels.among(real.formants.classes))


# --------------------------------------------------------------------------------- against a toy's law, and in modes


def _kolmogorov_smirnov(real: Real, fake: Fake) -> float:
    return metrics.kolmogorov_smirnov(fake.samples[:, 0], *real.law)


def _wasserstein(real: Real, fake: Fake) -> float:
    return metrics.wasserstein_to_normal(fake.samples[:, 0], *real.law)


def _high_quality(real: Real, fake: Fake) -> float:
    return float((fake.modes >= 0).mean())


def _modes(real: Real, fake: Fake) -> int:
    return int((real.mode_shares > 0).sum())


def _modes_reached(real: Real, fake: Fake) -> int:
    """Those with a single sample or more, as papers on StackedMNIST count them."""
    return int(((real.mode_shares > 0) & (fake.mode_shares > 0)).sum())


def _modes_covered(real: Real, fake: Fake) -> int:
    return _modes(real, fake) - len(fake.missing_modes)


def _modes_missing(real: Real, fake: Fake) -> list[str]:
    return [real.mode_name(mode) for mode in fake.missing_modes]


def _modes_kl(real: Real, fake: Fake) -> float:
    return metrics.kullback_leibler(fake.mode_shares, real.mode_shares)


def _modes_kl_uniform(real: Real, fake: Fake) -> float:
    """The same from classes that are all as frequent, as some papers on StackedMNIST have it."""
    return metrics.kullback_leibler(fake.mode_shares, np.full(len(real.mode_shares), 1 / len(real.mode_shares)))


# ------------------------------------------------------------------------------------------------- of texts


def _grammatical(real: Real, fake: Fake) -> float:
    """The share of sentences that the toy's exact grammar has."""
    assert real.parser is not None
    found = letters.decoded(real.name, texts.letters_of(fake.samples), real.source.alphabet)
    return float(np.mean([real.parser(text) for text in found]))


def _js3(real: Real, fake: Fake) -> float:
    return texts.divergence(real.samples, fake.samples)


def _copied(real: Real, fake: Fake) -> float:
    return texts.copied(fake.samples, real.source)


# ------------------------------------------------------------------------------------------------- the table


def _seen(real: Real, fake: Fake) -> bool:
    return not real.source.are_texts


def _texts(real: Real, fake: Fake) -> bool:
    return real.source.are_texts


def _parsed(real: Real, fake: Fake) -> bool:
    return real.parser is not None


def _inception(real: Real, fake: Fake) -> bool:
    return bool(real.extractor.about["name"] == "inception")


def _other_features(real: Real, fake: Fake) -> bool:
    return not _inception(real, fake)


def _law(real: Real, fake: Fake) -> bool:
    return real.law is not None


def _toy_modes(real: Real, fake: Fake) -> bool:
    return real.has_toy_modes


def _known_modes(real: Real, fake: Fake) -> bool:
    return real.has_modes


def _stacked_modes(real: Real, fake: Fake) -> bool:
    return real.has_modes and real.source.stacks is not None


def _labeled(real: Real, fake: Fake) -> bool:
    return fake.labels is not None and not {*real.extractor.names}.isdisjoint(real.source.classes)


def _labeled_vowels(real: Real, fake: Fake) -> bool:
    return fake.labels is not None and real.formants is not None


def _pairs(real: Real, fake: Fake) -> bool:
    return fake.is_paired


def _pairs_or_told(real: Real, fake: Fake) -> bool:
    return fake.is_paired or (fake.said is not None and real.source.are_images)


def _pairs_in_color(real: Real, fake: Fake) -> bool:
    return fake.is_paired and fake.samples.shape[-1] > 1


def _of_pictures(real: Real, fake: Fake) -> bool:
    return fake.given_pictures is not None


def _known_answers(real: Real, fake: Fake) -> bool:
    return fake.given is not None and real.answers is not None


def _told_attributes(real: Real, fake: Fake) -> bool:
    return fake.said is not None and real.attribute_finder is not None and bool(fake.said.known.any())


def _told_sentences(real: Real, fake: Fake) -> bool:
    return fake.said is not None and fake.said.texts is not None and real.matcher is not None


def _goal_is_known(real: Real, fake: Fake) -> bool:
    return real.goes_between and real.direction is not None and real.direction.goal in real.extractor.names


def _both_ways(real: Real, fake: Fake) -> bool:
    return fake.returns


def _both_ways_of_pictures(real: Real, fake: Fake) -> bool:
    return fake.returns and fake.given_pictures is not None


def _way_back(real: Real, fake: Fake) -> bool:
    return fake.given is not None and real.way_back is not None and real.palette is not None


def _way_back_of_pairs(real: Real, fake: Fake) -> bool:
    return fake.is_paired and _way_back(real, fake)


SCORES: tuple[Score, ...] = (
    Score("fid", _frechet_distance, "FID", LOWER, _inception),
    Score("frechet_distance", _frechet_distance, "Fréchet", LOWER, _other_features),
    Score("grammatical", _grammatical, "grammar", HIGHER, _parsed),
    Score("js3", _js3, "JS3", LOWER, _texts),
    Score("js3_real", lambda real, fake: real.js3, needs=_texts),
    Score("distinct", lambda real, fake: texts.distinct(fake.samples), "distinct", HIGHER, _texts),
    Score("distinct_real", lambda real, fake: texts.distinct(real.samples), needs=_texts),
    Score("copied", _copied, "copied", needs=_texts),
    Score("kid", lambda real, fake: fake.kernel_distance[0], "KID", LOWER),
    Score("kid_deviation", lambda real, fake: fake.kernel_distance[1]),
    Score("l1", lambda real, fake: metrics.l1(fake.samples, real.samples), "L1", LOWER, _pairs),
    Score("psnr", lambda real, fake: metrics.psnr(fake.samples, real.samples), "PSNR", HIGHER, _pairs),
    Score("ssim", lambda real, fake: metrics.ssim(fake.samples, real.samples), "SSIM", HIGHER, _pairs),
    Score("feature_distance", _feature_distance, "features", LOWER, _pairs),
    Score("sharpness", _sharpness, "sharpness", ONE, _pairs_or_told),
    Score("saturation", _saturation, "saturation", ONE, _pairs_in_color),
    Score("arrived", _arrived, "arrived", HIGHER, _goal_is_known),
    Score("kept", _kept, "kept", HIGHER, _known_answers),
    Score("kept_attributes", lambda real, fake: fake.kept, needs=_known_answers),
    Score("label_accuracy", _label_accuracy, "labels", HIGHER, _labeled),
    Score("formants", _formants, "formants", HIGHER, _labeled_vowels),
    Score("formants_real", lambda real, fake: real.formants_share, needs=_labeled_vowels),
    Score("said", lambda real, fake: fake.found.mean, "said", HIGHER, _told_attributes),
    Score("said_attributes", lambda real, fake: fake.found.attributes, needs=_told_attributes),
    Score("said_whole", lambda real, fake: fake.found.whole, "whole", HIGHER, _told_attributes),
    Score("said_real", lambda real, fake: real.found.mean, needs=_told_attributes),
    Score("r_precision", lambda real, fake: fake.r_precision, "R-prec.", HIGHER, _told_sentences),
    Score("r_precision_real", lambda real, fake: real.r_precision, needs=_told_sentences),
    Score("cycle_l1", lambda real, fake: fake.cycle_l1(), "cycle L1", LOWER, _both_ways),
    Score("cycle_l1_blurred", _cycle_l1_blurred, needs=_both_ways),
    Score("recovered", _recovered, "recovered", HIGHER, _way_back),
    Score("recovered_real", lambda real, fake: real.recovered, needs=_way_back_of_pairs),
    Score("input_correlation", _input_correlation, needs=_both_ways_of_pictures),
    Score("expected_correlation", _expected_correlation, needs=_both_ways_of_pictures),
    Score("input_distance", _input_distance, needs=_of_pictures),
    Score("others_distance", _others_distance, needs=_pairs),
    Score("precision", _precision, "precision", HIGHER),
    Score("recall", _recall, "recall", HIGHER),
    Score("density", _density, "density", HIGHER),
    Score("coverage", _coverage, "coverage", HIGHER),
    Score("spread", _spread, "spread", ONE),
    Score("sliced_wasserstein", _sliced_wasserstein, "sliced W", LOWER, _seen),
    Score("nearest_real", _nearest_real, needs=_seen),
    Score("nearest_real_ratio", _nearest_real_ratio, "nearest", ONE, _seen),
    Score("authenticity", _authenticity, "authentic", HIGHER, _seen),
    Score("kolmogorov_smirnov", _kolmogorov_smirnov, "KS", LOWER, _law),
    Score("wasserstein", _wasserstein, "Wasserstein", LOWER, _law),
    Score("high_quality", _high_quality, "quality", HIGHER, _toy_modes),
    Score("modes", _modes, needs=_known_modes),
    Score("modes_reached", _modes_reached, "reached", HIGHER, _known_modes),
    Score("modes_covered", _modes_covered, "modes", HIGHER, _known_modes),
    Score("modes_missing", _modes_missing, needs=_known_modes),
    Score("modes_kl", _modes_kl, "modes KL", LOWER, _known_modes),
    Score("modes_kl_uniform", _modes_kl_uniform, needs=_stacked_modes),
)


def score(real: Real, fake: Fake) -> Scores:
    """All scores of one set of samples."""
    return {each.name: each.measure(real, fake) for each in SCORES if each.needs(real, fake)}
