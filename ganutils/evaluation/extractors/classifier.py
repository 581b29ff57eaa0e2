"""Features of a small classifier: of one trained on the labeled set and kept, or of one kept in a file.

Of stacked pictures it is one of a channel: a thousand classes would take far more samples than ten.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ganutils.evaluation.extractors import raw
from ganutils.evaluation.extractors.extractor import Extractor, Request, about, device_of, sha256
from ganutils.files import container
from ganutils.files.kinds import POINTS, TEXTS
from ganutils.samples import stacks
from ganutils.samples.stacks import COLORS, Stacks

PATIENCE = 2  # times the usual training of stacks' classifier, which must be right three times; it takes a minute


def auto(_: str, request: Request) -> Extractor:
    """The classifier of the labeled set, trained once; without labels, statistics of random filters.

    Features of random networks tell sets apart too (Naeem et al. 2020, section 4), if less well than trained ones.
    Points are their own features, and those of texts are their pairs of letters.
    """
    from ganutils.inference import discriminate
    from ganutils.networks.textures import VERSION, Textures
    from ganutils.training.classifier import cached

    labeled = request.labeled
    if labeled.modality is POINTS:
        return raw.points()
    if labeled.modality is TEXTS:
        return raw.pairs_of_letters()
    device = device_of(request)
    if labeled.targets is None:
        textures = Textures(labeled.shape).to(device)
        name = about("random", digest=f"textures {VERSION}")
        return Extractor(lambda samples: discriminate.apply(textures, samples, device), name)
    if labeled.stacks is not None:
        assert labeled.targets is not None
        channels, targets = stacks.distinct(labeled.samples, labeled.stacks.classes[labeled.targets])
        place = request.root, device, f"the channels of {labeled.name}"
        kept = cached(channels, targets, list(labeled.stacks.parts), *place, *request.teller, patience=PATIENCE)
        return _of_stacks(*kept, device, labeled.stacks, labeled.target_names)
    names = list(labeled.target_names)
    network, meta, path = cached(
        labeled.samples, labeled.targets, names, request.root, device, labeled.name, *request.teller, labeled.sound
    )
    meta["classes"] = labeled.target_names  # the same content may have been kept under other names
    return _extractor(network, meta, path, device, has_classes=labeled.targets.ndim == 1)


def of_file(path: str, request: Request) -> Extractor:
    """A classifier that was kept in an earlier run, so that other sets are measured in its features."""
    from ganutils.networks.classifier import read

    device = device_of(request)
    with container.read(path, "extractor") as file:
        network, meta = read(file).to(device), dict(file.meta)
    labeled = request.labeled
    if labeled.stacks is not None and _reads_channels(meta, labeled.shape, labeled.stacks):
        return _of_stacks(network, meta, path, device, labeled.stacks, labeled.target_names)
    labeled.check_like(network.shape, path, meta)
    return _extractor(network, meta, path, device, has_classes=False)


def _extractor(network: Any, meta: dict[str, Any], path: str, device: Any, has_classes: bool) -> Extractor:
    from ganutils.inference import discriminate

    def features(samples: np.ndarray) -> np.ndarray:
        return discriminate.apply(network.features, samples, device)

    def classify(samples: np.ndarray) -> np.ndarray:
        return discriminate.apply(network, samples, device).argmax(axis=1)

    def find(samples: np.ndarray) -> np.ndarray:
        logits = discriminate.apply(network, samples, device)
        if meta.get("targets") == "classes":
            return logits.argmax(axis=1)[:, None] == np.arange(len(names))
        return logits[:, : len(names)] > 0

    name = {**about("classifier", digest=sha256(path)[:16]), "accuracy": meta.get("accuracy")}
    names = list(meta.get("classes") or ())[: network.head.out_features]
    known = (find, names) if meta.get("targets") in ("classes", "attributes") else (None, ())
    return Extractor(features, name, classify if has_classes else None, meta.get("classes") or (), *known)


# -------------------------------------------------------------------------------------------- of stacks


def _reads_channels(meta: Mapping[str, Any], shape: tuple[int, ...], stacks: Stacks) -> bool:
    """Whether a classifier with that metadata is of a channel of pictures of `shape`, and of its classes."""
    is_gray = meta.get("shape") == [*shape[:2], 1] and meta.get("targets") == "classes"
    return is_gray and meta.get("classes") == list(stacks.parts) and meta["outputs"] <= len(stacks.parts)


def _of_stacks(
    network: Any, meta: dict[str, Any], path: str, device: Any, stacks: Stacks, classes: Sequence[str]
) -> Extractor:
    """A classifier of a channel as one of stacks: the features of all three side by side, and the class of the three.

    Its accuracy is the share of stacks of which all three are right, as often as they are one by one.
    """
    from ganutils.inference import discriminate

    def of_channels(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
        return lambda x: function(x.flatten(0, 1)[:, None]).reshape(len(x), -1)  # x: (B, 3, H, W)

    def features(samples: np.ndarray) -> np.ndarray:
        return discriminate.apply(of_channels(network.features), samples, device)

    def classify(samples: np.ndarray) -> np.ndarray:
        logits = discriminate.apply(of_channels(network), samples, device)
        return stacks.classes_of(logits.reshape(len(samples), len(COLORS), -1).argmax(axis=2))

    def find(samples: np.ndarray) -> np.ndarray:
        return classify(samples)[:, None] == np.arange(len(classes))

    single = meta.get("accuracy")
    accuracy = None if single is None else round(single ** len(COLORS), 4)
    name = {**about("classifier", digest=sha256(path)[:16]), "accuracy": accuracy}
    return Extractor(features, name, classify, classes, find, classes)
