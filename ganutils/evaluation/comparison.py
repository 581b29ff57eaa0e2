"""What gan-eval compares, opened: all that can be wrong with the files is said before a classifier is trained."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from ganutils import Error
from ganutils.evaluation.extractors.extractor import Teller
from ganutils.evaluation.fakes import check_baseline, check_fake
from ganutils.evaluation.features import judges_between, open_extractor
from ganutils.evaluation.formants import formants_of
from ganutils.evaluation.matching import can_learn, open_matcher
from ganutils.evaluation.said import FOUND, finds_attributes
from ganutils.evaluation.sets import Real, attributed_set, labeled_set
from ganutils.evaluation.translators import WayBack, check_back, direction_of, open_back
from ganutils.files import container
from ganutils.runs import checkpoints
from ganutils.samples.samples import Samples


@dataclasses.dataclass(frozen=True)
class How:
    """The options of gan-eval.

    count     samples of each FAKE; None = as many as REAL has
    repeats   how many sets of them
    limit     samples of a file that are compared at most
    features  a name or a file, see `features`
    weights   of the Inception network
    to        class that translators between two go to, by name or number; None = the second
    recover   checkpoint that leads back from what they make
    baseline  whether what translators are given is scored too
    root, seed, device   as everywhere
    """

    count: int | None
    repeats: int
    limit: int
    features: str
    weights: str | None
    to: str | None
    recover: str | None
    baseline: bool
    root: str
    seed: int
    device: str


def open_real(samples: Samples, fakes: Sequence[str], how: How, teller: Teller) -> Real:
    """The real `samples`, ready to be compared with the files `fakes`; Error if something does not fit."""
    direction = direction_of(fakes, how.to)
    both = direction_of([*fakes, how.recover], how.to) if how.recover else direction
    if how.to and both is None and not judges_between(how.features):
        raise Error(f"--to {how.to}: no FAKE is a checkpoint between two classes (gan-loop --domains); leave it out")
    for fake in fakes:
        check_fake(fake, samples, how.count, how.repeats, direction)
    if how.baseline:
        check_baseline(samples, direction)
    if how.recover:
        check_back(how.recover, samples, direction)
    formants_of(samples)  # Error if these are damaged
    goal = direction.goal if direction else how.to
    place = (how.root, how.device, how.weights, teller, goal)
    extractor = open_extractor(how.features, labeled_set(samples), *place)
    way_back: WayBack | None = open_back(how.recover, both, how.device) if how.recover else None
    real = Real(samples, extractor, how.limit, how.seed, direction, way_back=way_back)
    if how.features == "auto" and real.goes_between and samples.attributes is not None:
        real.finder = open_extractor("auto", attributed_set(samples), *place)
    told = {kind for fake in fakes for kind in _told(fake)}
    names = samples.attribute_names
    if told and finds_attributes(extractor, names):
        real.attribute_finder = extractor
    elif told and how.features == "auto" and samples.are_images and samples.attributes is not None:
        finder = real.finder if real.goes_between else open_extractor("auto", attributed_set(samples), *place)
        real.attribute_finder = finder if finds_attributes(finder, names) else None
    if "captions" in told and how.features == "auto" and can_learn(samples):
        real.matcher = open_matcher(samples, *place)
    return real


def _told(path: str) -> set[str]:
    """What the samples in the file `path`, or those that it makes, are told to be: captions, attributes, neither."""
    both = {"captions", "attributes"}
    if path == "-":  # which is read later
        return both
    with container.read(path, "samples", "checkpoint") as file:
        if file.kind == "checkpoint":
            return {checkpoints.config_of(file).seen_beside} & both
        is_made = "latents" in file and not file.meta.get(FOUND)  # data have the attributes that they have
        return {kind for kind in both if kind in file and (kind == "captions" or is_made)}
