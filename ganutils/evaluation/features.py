"""What `--features` means in gan-eval, gan-label and gan-arith: a name, or a file that gives features.

auto         labels: a classifier of the labeled set, trained once; no labels: random filters; points: themselves
inception    the FID network, through torch-fidelity
pixels       the images themselves
FILE         a classifier of ours, a checkpoint (all layers of its discriminator), or an ONNX model
"""

from __future__ import annotations

import os
from collections.abc import Callable

import numpy as np

from ganutils import Error
from ganutils.evaluation.extractors import classifier
from ganutils.evaluation.extractors.discriminator import of_checkpoint
from ganutils.evaluation.extractors.extractor import SILENT, Extractor, LabeledSet, Request, Teller, check_finite
from ganutils.evaluation.extractors.inception import inception
from ganutils.evaluation.extractors.onnx import onnx
from ganutils.evaluation.extractors.raw import pixels
from ganutils.evaluation.translators import domains_in
from ganutils.files import container

Opener = Callable[[str, Request], Extractor]

NAMED: dict[str, Opener] = {"auto": classifier.auto, "inception": inception, "pixels": pixels}
BY_KIND: dict[str, Opener] = {"extractor": classifier.of_file, "checkpoint": of_checkpoint}  # files of ours
BY_SUFFIX: dict[str, Opener] = {".onnx": onnx}  # other files


def open_extractor(
    name: str,
    labeled: LabeledSet,
    root: str,
    device: str,
    weights: str | None = None,
    teller: Teller = SILENT,
    goal: str | None = None,
) -> Extractor:
    """The extractor of that name or file, for samples shaped as those of `labeled`; see `Request` for the others.

    Error if these are no finite numbers.
    """
    check_finite(labeled.name, labeled.samples)
    extractor = _opener(name)(name, Request(labeled, root, device, weights, teller, goal))

    def features(samples: np.ndarray) -> np.ndarray:
        made = extractor.features(samples)
        if not np.isfinite(made).all():
            raise Error(f"--features {name}: gives numbers that are not finite; use others")
        return made

    return extractor._replace(features=features)


def judges_between(name: str) -> bool:
    """Whether it is a checkpoint with a discriminator for each of two classes."""
    return name not in NAMED and os.path.splitext(name)[1].lower() not in BY_SUFFIX and bool(domains_in(name))


def _opener(name: str) -> Opener:
    if name in NAMED:
        return NAMED[name]
    suffix = os.path.splitext(name)[1].lower()
    if suffix in BY_SUFFIX:
        return BY_SUFFIX[suffix]
    with container.read(name, *BY_KIND) as file:
        return BY_KIND[file.kind]
