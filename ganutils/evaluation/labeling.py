"""Samples get the labels or attributes of a labeled set: features, and a linear model of each attribute on them.

Of the labeled samples three fifths fit the linear models, a fifth calibrates their probabilities, and a fifth, which
neither saw, tells how good they are.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score, roc_auc_score

from ganutils import Error
from ganutils.compute import devices
from ganutils.evaluation.features import LabeledSet, of_set
from ganutils.evaluation.report import rounded
from ganutils.files import container, lineage
from ganutils.inference import discriminate
from ganutils.networks.weights import load_discriminator
from ganutils.randomness import stream
from ganutils.samples.samples import Samples, check_shape, subset

GRID = 4  # cells to a side that maps are pooled to (Radford et al. 2016, section 5.1)
LIMIT = 20_000  # labeled samples that are used, chosen at random; the features of more would fill the memory
LEAST = 50  # labeled samples; of fewer a fifth tells nothing
STRENGTH = 0.001  # C of the linear models: thousands of features on as many samples need much regularisation
FEW = 5  # samples of a kind among those held out; with fewer its accuracy is no more than a guess
TOLD = 0.75  # AUC, below which an attribute cannot be told

Features = Callable[[np.ndarray], np.ndarray]


class Question(NamedTuple):
    """What is asked of a picture: which class (`names` are theirs), or whether it has the one attribute named."""

    names: Sequence[str]
    answers: np.ndarray  # int64 [N]: a class, or 0 and 1
    is_class: bool


class Answer(NamedTuple):
    """A question's linear model and calibration; None for both where all the labeled samples are the same.

    shares   of the answers in the labeled set
    """

    model: Any
    calibration: Any
    shares: np.ndarray

    def probabilities(self, features: np.ndarray) -> np.ndarray:
        """float64 [N, answers]."""
        found = np.tile(self.shares, (len(features), 1))
        if self.model is not None:
            found[:] = 0  # an answer that none of the calibrating samples has
            found[:, self.calibration.classes_] = self.calibration.predict_proba(_decision(self.model, features))
        return found


def _decision(model: Any, features: np.ndarray) -> np.ndarray:
    return model.decision_function(features).reshape(len(features), -1)


class Labels(NamedTuple):
    """What samples were given: `attributes` float32 [N, A] in 0..1 called `names`; classes as their probabilities.

    labels   int64 [N], the likeliest of `classes`; None if the labeled set has none
    """

    attributes: np.ndarray
    names: list[str]
    labels: np.ndarray | None
    classes: list[str]


class Labeler:
    """Tells what the labeled samples of `file` teach.

    features   cnn: those of a small network trained on them, which is kept under `root`; else a checkpoint, whose
               discriminator gives them
    report     for each class or attribute: balanced accuracy and AUC on held-out samples, its share, notes
    """

    def __init__(self, like: Samples, features: str, root: str, device: str):
        self.name, self.shape = like.name, like.shape
        samples, questions = like.array, _questions(like)
        rows = np.arange(len(samples))[subset(len(samples), LIMIT, 0, "labelled")]
        if len(rows) < LEAST:
            raise Error(f"{like.name}: {len(rows)} labeled samples are too few to learn from; {LEAST} are needed")
        parts = np.split(stream(0, "parts").permutation(rows), [len(rows) * 3 // 5, len(rows) * 4 // 5])
        self._features = _features(features, samples, questions, parts[0], self, root, device)
        fit = self._features(samples[parts[0]])
        self._mean, self._scale = fit.mean(axis=0), np.maximum(fit.std(axis=0), 1e-6)
        fit = (fit - self._mean) / self._scale
        calibrate, held = (self._scaled(samples[part]) for part in parts[1:])
        self.questions = questions
        self._answers = [_answer(one.answers, parts, fit, calibrate) for one in questions]
        self.report = [
            line
            for question, answer in zip(questions, self._answers, strict=True)
            for line in _judged(question, answer.probabilities(held), question.answers[parts[2]], answer)
        ]

    def _scaled(self, samples: np.ndarray) -> np.ndarray:
        """What the linear models are given of samples [N, ...]: float32 [N, F], of mean 0 and deviation 1."""
        return (self._features(samples) - self._mean) / self._scale

    def __call__(self, samples: np.ndarray) -> Labels:
        """What samples [N, ...] have."""
        features = self._scaled(samples)
        columns, labels, names, classes = [], None, list[str](), list[str]()
        for question, answer in zip(self.questions, self._answers, strict=True):
            found = answer.probabilities(features)
            columns.append(found if question.is_class else found[:, 1:])
            names.extend(question.names)
            if question.is_class:
                labels, classes = found.argmax(axis=1).astype(np.int64), list(question.names)
        return Labels(np.concatenate(columns, axis=1).astype(np.float32), names, labels, classes)


def _questions(like: Samples) -> list[Question]:
    """What the labels and attributes of a set ask; Error if it has neither."""
    found = []
    if like.labels is not None:
        found.append(Question(like.classes, like.labels, True))
    if like.attributes is not None:
        columns = (like.attributes > 0.5).astype(np.int64).T
        found += [Question([name], column, False) for name, column in zip(like.attribute_names, columns, strict=True)]
    if not found:
        raise Error(f"{like.name}: has no labels or attributes; gan-data --attributes, or class folders, give some")
    return found


# ------------------------------------------------------------------------------------------- features


def _features(
    name: str, samples: np.ndarray, questions: Sequence[Question], rows: np.ndarray, like: Any, root: str, device: str
) -> Features:
    if name != "cnn":
        return of_discriminator(name, like.name, like.shape, device)
    if samples.ndim == 2:
        raise Error(f"{like.name}: --features cnn is for pictures, and these are points; give a checkpoint")
    if questions[0].is_class and len(questions) == 1:
        targets = questions[0].answers[rows]
    else:
        asked = [one.answers[rows, None] == (range(len(one.names)) if one.is_class else 1) for one in questions]
        targets = np.concatenate(asked, axis=1).astype(np.float32)
    whole = LabeledSet(samples[rows], targets, [name for one in questions for name in one.names])
    return of_set(whole, root, device).features


def of_discriminator(path: str, name: str, shape: tuple[int, ...], device: str) -> Features:
    """What all layers of a checkpoint's discriminator make of samples of `shape`, of the file `name`.

    Maps are max-pooled to 4x4 cells and everything is joined (Radford et al. 2016, section 5.1).
    """
    place = devices.find(device)
    with container.read(path, "checkpoint") as file:
        network, settings = load_discriminator(file)
    check_shape(name, shape, path, settings.shape)
    network = network.to(place)

    def pooled(x: torch.Tensor) -> torch.Tensor:
        maps = network.layers(x)  # type: ignore[operator]
        return torch.cat([(F.adaptive_max_pool2d(m, GRID) if m.dim() == 4 else m).flatten(1) for m in maps], dim=1)

    def features(found: np.ndarray) -> np.ndarray:
        if found.ndim > 2:
            return discriminate.mapped(found, pooled, place)
        with torch.inference_mode():
            return pooled(torch.from_numpy(np.ascontiguousarray(found)).to(place)).cpu().numpy()

    return features


# ----------------------------------------------------------------------------------------- one question


def _answer(answers: np.ndarray, parts: Sequence[np.ndarray], fit: np.ndarray, calibrate: np.ndarray) -> Answer:
    """Fit and calibrate. The rare answer counts as much as the frequent one while fitting; calibrating on samples as
    they come (Platt 1999) makes probabilities of it again, that agree with how frequent it is.
    """
    known = answers[np.concatenate(parts)]
    shares = np.bincount(known, minlength=2) / len(known)
    if any(len(np.unique(answers[part])) < 2 for part in parts[:2]):
        return Answer(None, None, shares)
    model = LogisticRegression(C=STRENGTH, class_weight="balanced", max_iter=500).fit(fit, answers[parts[0]])
    calibration = LogisticRegression(max_iter=500).fit(_decision(model, calibrate), answers[parts[1]])
    return Answer(model, calibration, shares)


def _judged(question: Question, found: np.ndarray, true: np.ndarray, answer: Answer) -> Iterator[dict[str, Any]]:
    """How well each class or the attribute is told on held-out samples, found [N, answers] against true [N].

    Balanced accuracy is the mean share of those that have it and of those that have it not which are told rightly; an
    attribute is cut where its probability is its share, for whatever is rare is seldom likelier than not.
    """
    for at, name in enumerate(question.names):
        column = at if question.is_class else 1
        is_so, probability, share = true == column, found[:, column], float(answer.shares[column : column + 1].sum())
        line: dict[str, Any] = {"name": name, "share": share, "held_out": len(true), "held_out_so": int(is_so.sum())}
        if answer.model is None or not 0 < is_so.sum() < len(true):
            yield {**line, "balanced_accuracy": None, "auc": None, "told": False, "why": "(nearly) all are the same"}
            continue
        said = found.argmax(axis=1) == at if question.is_class else probability > share
        auc = float(roc_auc_score(is_so, probability))
        few = min(is_so.sum(), (~is_so).sum()) < FEW
        why = f"only {is_so.sum()} of {len(true)} held-out samples have it" if few else "AUC is low" * (auc < TOLD)
        line |= {"balanced_accuracy": float(balanced_accuracy_score(is_so, said)), "auc": auc}
        yield {**line, "told": not why, **({"why": why} if why else {})}


def lines(report: Sequence[dict[str, Any]]) -> Iterator[str]:
    """The report for people."""
    width = max(len(line["name"]) for line in report)
    for line in report:
        told = "" if line["told"] else f": cannot be told, {line['why']}"
        balanced, auc = ("-" if line[key] is None else f"{line[key]:.3f}" for key in ("balanced_accuracy", "auc"))
        text = f"{line['name']:{width}}  balanced accuracy {balanced}, AUC {auc}, {line['share']:.1%} are so"
        yield f"{text}{told}"


# ---------------------------------------------------------------------------------------------- a file


def label_file(samples: Samples, labeler: Labeler, line: str, like: Samples) -> tuple[dict[str, Any], dict[str, Any]]:
    """Tensors and metadata of `samples` with what `labeler` tells; labels and attributes they had are replaced."""
    found = labeler(samples.array)
    tensors = {name: samples.file[name] for name in samples.file.specs if name not in ("labels", "attributes")}
    tensors["attributes"] = found.attributes.reshape(*samples.lead, -1)
    meta = {key: value for key, value in samples.meta.items() if key not in ("format", "kind", "classes", "attributes")}
    meta["attributes"] = found.names
    if found.labels is not None:
        tensors["labels"] = found.labels.reshape(samples.lead)
        meta["classes"] = found.classes
    lineages = [each.meta.get("lineage", []) for each in (samples, like)]
    return tensors, {**meta, "lineage": lineage.joined(lineages, line)}


def about(labeler: Labeler, features: str) -> dict[str, Any]:
    """What --report writes."""
    whole = {"like": os.path.basename(labeler.name), "features": os.path.basename(features)}
    return rounded({**whole, "attributes": labeler.report})
