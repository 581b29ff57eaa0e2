"""The sets that gan-eval compares: the real samples, and generated ones; what scores need of both."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from ganutils import Error
from ganutils.evaluation import metrics, palettes, texts
from ganutils.evaluation.answers import Answers, answers_of
from ganutils.evaluation.extractors.extractor import Extractor, LabeledSet
from ganutils.evaluation.formants import formants_of
from ganutils.evaluation.matching import Matcher
from ganutils.evaluation.said import Found, Said, said_of
from ganutils.evaluation.thumbnails import thumbnails
from ganutils.evaluation.translators import Direction, Given, WayBack, rows_of
from ganutils.files import budget
from ganutils.files.kinds import IMAGES
from ganutils.files.npy import in_color
from ganutils.randomness import stream
from ganutils.samples import encoding
from ganutils.samples.images import Shape, fit_pixels
from ganutils.samples.samples import Samples, subset

REACH = 3  # deviations around a toy's mode that are of high quality (Srivastava et al. 2017, VEEGAN, section 5)
MOST_CLASSES = 10_000
COMPARED = 1000  # pairs that tell whether outputs follow their inputs


def labeled_set(samples: Samples) -> LabeledSet:
    """All samples of a file, with their labels or, if it has none, their attributes."""
    if samples.labels is None:
        return attributed_set(samples)
    budget.check(samples.name, len(samples.classes), MOST_CLASSES, "classes", "take some with gan-data --classes")
    known = encoding.kept(samples.meta)
    return LabeledSet(samples.name, samples.array, samples.labels, samples.classes, known, samples.stacks)


def attributed_set(samples: Samples) -> LabeledSet:
    """All samples of a file, with their attributes."""
    known = encoding.kept(samples.meta)
    return LabeledSet(samples.name, samples.array, samples.attributes, samples.attribute_names, known)


class Labels(NamedTuple):
    """What samples are to be: `numbers` int64 [N] of the classes called `names`; by number, if there are no names."""

    numbers: np.ndarray
    names: Sequence[str]

    def at(self, rows: slice | np.ndarray) -> Labels:
        return self._replace(numbers=self.numbers[rows])

    def among(self, classes: Sequence[str]) -> np.ndarray:
        """The same in other `classes`: int64 [N]; -1 if it is none of them."""
        number_of = {name: number for number, name in enumerate(classes)}
        numbers = np.array([*(number_of.get(name, -1) for name in self.names or classes), -1])
        return numbers[np.minimum(self.numbers, len(numbers) - 1)]


class Real:
    """The real samples; what scores need of them is computed when first needed, once.

    samples, limit   at most so many of them are compared, chosen by `seed`: the `rows`
    direction        which way translators between two classes go. Without inputs only those of its goal are compared,
                     and translators are given the others
    finder           finds what translators should keep: `extractor`, unless another is set
    way_back         a translator that leads from such samples back to what they were made from
    parser           tells whether a text is of REAL's grammar, if it has one
    attribute_finder finds the attributes that samples were told to have, if something does
    matcher          tells which sentence a sample is of, if something does
    """

    attribute_finder: Extractor | None = None
    matcher: Matcher | None = None

    def __init__(
        self,
        samples: Samples,
        extractor: Extractor,
        limit: int,
        seed: int,
        direction: Direction | None = None,
        way_back: WayBack | None = None,
    ):
        self.name, self.extractor, self.seed = samples.name, extractor, seed
        self.toy, self.source = samples.toy, samples
        self.direction, self.finder, self.way_back = direction, extractor, way_back
        self.formants, self.rows = formants_of(samples), self._rows(limit)
        self.samples = texts.at(samples, self.rows)
        self.parser = texts.parser_of(samples)
        self.labels = None if samples.labels is None else samples.labels[self.rows]
        if len(self.samples) < metrics.LEAST:
            raise Error(f"{self.name}: {len(self.samples)} samples are too few to score; {metrics.LEAST} are needed")

    def _rows(self, limit: int) -> slice | np.ndarray:
        if not self.goes_between:
            return subset(len(self.source), limit, self.seed, "real")
        assert self.direction is not None
        rows = rows_of(self.source, self.direction.goal)
        return rows[subset(len(rows), limit, self.seed, "real")]

    @property
    def goes_between(self) -> bool:
        """Whether samples are of one of its classes, made of pictures of another."""
        return self.direction is not None and self.source.input_shape is None

    @functools.cached_property
    def starts(self) -> np.ndarray:
        """The rows of the pictures that they are made of then: int64."""
        assert self.direction is not None
        return rows_of(self.source, self.direction.start)

    def given_at(self, rows: np.ndarray) -> Given:
        return Given(self.source.array[rows], rows)

    @property
    def given_inputs(self) -> Given:
        """What the samples of pairs are made from."""
        assert self.inputs is not None
        return Given(self.inputs, self.rows)

    @functools.cached_property
    def formants_share(self) -> float:
        """The share of the samples that have the formants of their class."""
        assert self.formants is not None
        if self.labels is None:
            return math.nan
        return self.formants.share(self.samples, Labels(self.labels, self.source.classes).among(self.formants.classes))

    @functools.cached_property
    def features(self) -> np.ndarray:
        return self.extractor.features(self.samples)

    @functools.cached_property
    def radii(self) -> list[np.ndarray]:
        """Squared distances to the neighbors that precision, and density and coverage, look at."""
        return metrics.radii(self.features, metrics.NEAREST_PRECISION, metrics.NEAREST_DENSITY)

    @functools.cached_property
    def thumbnails(self) -> np.ndarray:
        return thumbnails(self.samples)

    @functools.cached_property
    def spacing(self) -> np.ndarray:
        """Squared distance, in pixels, of each sample to the nearest other."""
        return metrics.radii(self.thumbnails, 1)[0]

    @functools.cached_property
    def js3(self) -> float:
        """The divergence of one half of the texts from the other: what is left between sets of the same kind."""
        order = stream(self.seed, "halves").permutation(len(self.samples))
        one, other = (self.samples[rows] for rows in np.array_split(order, 2))
        return texts.divergence(one, other)

    @property
    def law(self) -> Any:
        """(mean, deviation) of a toy in one dimension, which is compared with that normal law; else None."""
        if self.toy is None or self.toy["centers"].shape != (1, 1):
            return None
        return float(self.toy["centers"][0, 0]), self.toy["std"]

    @property
    def are_made_of_others(self) -> bool:
        """Whether translators make such samples of pictures that REAL has too."""
        return self.goes_between or self.source.input_shape is not None

    @property
    def has_toy_modes(self) -> bool:
        return self.toy is not None and self.law is None

    @property
    def has_modes(self) -> bool:
        """Whether it is known which mode a sample belongs to: to one of a toy's, or to a class."""
        if self.goes_between:  # all are of one class: see the score `arrived`
            return False
        return self.has_toy_modes or (self.toy is None and self.extractor.classify is not None)

    def modes_of(self, samples: np.ndarray) -> np.ndarray:
        """The mode of each sample, real or not, by the same instrument; -1 for none: int64 [N]."""
        if self.toy is not None:
            return metrics.nearest_modes(samples, self.toy["centers"], REACH * self.toy["std"])
        assert self.extractor.classify is not None
        return self.extractor.classify(samples)

    @functools.cached_property
    def mode_shares(self) -> np.ndarray:
        """How the real samples that belong to a mode are distributed over the modes."""
        modes = self.modes_of(self.samples)
        known = len(self.extractor.classes) if self.toy is None else len(self.toy["centers"])
        return metrics.shares(modes[modes >= 0], max(known, int(modes.max(initial=-1)) + 1))

    def mode_name(self, mode: int) -> str:
        return self.extractor.classes[mode] if mode < len(self.extractor.classes) else str(mode)

    @functools.cached_property
    def inputs(self) -> np.ndarray | None:
        """What each sample is to be made from, uint8 [N, h, w, c]; None if REAL holds no pairs."""
        return None if self.source.inputs is None else self.source.inputs[self.rows]

    @functools.cached_property
    def input_pictures(self) -> np.ndarray | None:
        """The inputs as pictures like the samples, as in `as_pictures`; None if they are none."""
        return None if self.inputs is None else as_pictures(self.inputs, self.samples.shape[1:])

    @functools.cached_property
    def order(self) -> np.ndarray:
        """COMPARED rows at most, in random order: neighbors in it are no neighbors in the file, which may be sorted."""
        return stream(self.seed, "others").permutation(len(self.samples))[:COMPARED]

    @functools.cached_property
    def answers(self) -> Answers | None:
        """What should be found in each sample, or kept by it; None if what the samples have cannot be found."""
        return answers_of(self.source, self.finder, self.direction if self.goes_between else None)

    def said(self, rows: np.ndarray) -> Said:
        """What those rows of the file are told: by their captions or, where there are none, attributes."""
        by = self.source.attribute_names if self.source.captions is None else None
        return said_of(self.source, rows, self.source.attribute_names, by)

    @functools.cached_property
    def found(self) -> Found:
        """What is found in the samples of what they are told themselves: the most that is to be expected."""
        assert self.attribute_finder is not None
        rows = np.arange(len(self.source))[self.rows]
        return self.said(rows).found(self.samples, self.attribute_finder, self.source.attribute_names)

    @functools.cached_property
    def r_precision(self) -> float:
        """That of samples which the matcher has not seen."""
        assert self.matcher is not None
        rows = self.matcher.held_out[:COMPARED]
        return self.matcher.r_precision(self.source.array[rows], self.said(rows), self.seed)

    @functools.cached_property
    def palette(self) -> np.ndarray | None:
        """The colors of what translators are given: [K, C]; None if it is not flat, as `palettes` has it."""
        if self.goes_between:
            pictures = self.source.array[self.starts[subset(len(self.starts), COMPARED, self.seed, "palette")]]
        else:
            assert self.inputs is not None
            pictures = self.inputs[self.order]
        return palettes.palette(pictures, self.seed)

    @functools.cached_property
    def recovered(self) -> float:
        """The share of pixels that the way back recovers from the true pictures of pairs."""
        return self.recovered_from(self.samples, self.given_inputs)

    def recovered_from(self, samples: np.ndarray, given: Given) -> float:
        """The share of the pixels of what is given that the way back finds again in `samples`."""
        assert self.way_back is not None
        assert self.palette is not None
        back = self.way_back(samples, self.source, given.rows)
        return palettes.recovered(*alike(back, given.pictures), self.palette)


class Fake:
    """Generated samples beside the real ones; what several scores need is computed once.

    given       what each of them was made from; None if that is not known
    back        what leads back to it, by the same translator
    labels      the class that each of them is to be of, if that is known
    said        what each was told to be; None if that is not known
    """

    def __init__(
        self,
        real: Real,
        samples: np.ndarray,
        given: Given | None = None,
        back: Callable[[np.ndarray], np.ndarray] | None = None,
        labels: Labels | None = None,
        said: Said | None = None,
    ):
        self.real, self.samples, self.given, self._back = real, samples, given, back
        self.labels, self.said = labels, said
        self.features = real.extractor.features(samples)

    @property
    def is_paired(self) -> bool:
        """Whether each was made from the input of the real one in its row."""
        return self.given is not None and not self.real.goes_between

    @property
    def returns(self) -> bool:
        """Whether its translator knows the way back."""
        return self._back is not None

    def cycle_l1(self, change: Callable[[np.ndarray], np.ndarray] = lambda samples: samples) -> float:
        """The mean difference of what is given to what it is there and back; the samples are changed between."""
        assert self._back is not None
        assert self.given is not None
        return metrics.l1(*alike(self._back(change(self.samples)), self.given.pictures))

    @functools.cached_property
    def given_pictures(self) -> np.ndarray | None:
        """What they were made from as pictures like them; None if it is unknown, or no pictures."""
        if self.given is None:
            return None
        return self.given.pictures if self.real.goes_between else self.real.input_pictures

    @functools.cached_property
    def expected(self) -> np.ndarray:
        """A real picture for each: its own true one or, between classes, any."""
        if self.is_paired:
            return self.real.samples
        rows = stream(self.real.seed, "expected").permutation(len(self.real.samples))
        return self.real.samples[np.resize(rows, len(self.samples))]

    @functools.cached_property
    def kernel_distance(self) -> tuple[float, float]:
        return metrics.kernel_distance(self.real.features, self.features, self.real.seed)

    @functools.cached_property
    def nearest(self) -> tuple[np.ndarray, np.ndarray]:
        """Squared distance of each to the nearest real sample, in pixels, and which that is."""
        return metrics.nearest(self.thumbnails, self.real.thumbnails)

    @functools.cached_property
    def thumbnails(self) -> np.ndarray:
        return thumbnails(self.samples)

    @functools.cached_property
    def modes(self) -> np.ndarray:
        return self.real.modes_of(self.samples)

    @functools.cached_property
    def kept(self) -> dict[str, float]:
        assert self.given is not None
        assert self.real.answers is not None
        return self.real.answers.kept(self.samples, self.given.rows)

    @functools.cached_property
    def found(self) -> Found:
        """What is found in them of what they were told."""
        assert self.said is not None and self.real.attribute_finder is not None
        return self.said.found(self.samples, self.real.attribute_finder, self.real.source.attribute_names)

    @property
    def r_precision(self) -> float:
        assert self.said is not None and self.real.matcher is not None
        return self.real.matcher.r_precision(self.samples, self.said, self.real.seed)

    @property
    def mode_shares(self) -> np.ndarray:
        """As `Real.mode_shares`: how good samples are is one thing, how many modes they cover another."""
        return metrics.shares(self.modes[self.modes >= 0], len(self.real.mode_shares))

    @property
    def missing_modes(self) -> list[int]:
        covered = metrics.covered(self.real.mode_shares, self.mode_shares)
        return [int(mode) for mode in np.flatnonzero(self.real.mode_shares) if not covered[mode]]


def as_pictures(inputs: np.ndarray, shape: tuple[int, ...]) -> np.ndarray | None:
    """Inputs uint8 [N, h, w, c] as pictures of `shape` (H, W, C), enlarged as need be (bicubic), gray as RGB or RGB as
    gray: what a translator makes that only copies. None if they have other channels than pictures.
    """
    if inputs.shape[-1] not in IMAGES.channels:
        return None
    if inputs.shape[1:] == shape:
        return inputs
    wanted = Shape(size=(shape[1], shape[0]), fit="stretch", channels=shape[2], filter="bicubic")
    return np.stack([fit_pixels(picture, wanted) for picture in inputs])


def alike(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both sets of pictures in color, if one of them is."""
    channels = max(x.shape[-1], y.shape[-1])
    first, second = (in_color(one) if one.shape[-1] < channels else one for one in (x, y))
    return first, second
