"""Samples get the labels or attributes of a labeled set: features, and a linear model of each attribute on them.

Stacked pictures are asked for the class of each channel, since those of all three are too many.

Three fifths of the labeled samples fit the linear models, a fifth calibrates their probabilities, and a fifth, which
neither has seen, measures how good they are.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score, roc_auc_score

from ganutils import Error
from ganutils.evaluation.extractors.extractor import SILENT, LabeledSet, Teller, check_finite
from ganutils.evaluation.features import open_extractor
from ganutils.evaluation.report import rounded
from ganutils.evaluation.said import FOUND
from ganutils.files import budget, lineage
from ganutils.files.container import Stream
from ganutils.randomness import stream
from ganutils.samples import encoding
from ganutils.samples.samples import Samples, check_shape, subset
from ganutils.samples.stacks import COLORS, STACKED

LIMIT = 20_000  # labeled samples that are used, chosen at random; the features of more would fill the memory
MOST = 1000  # classes, as ImageNet has, or attributes; the linear models of more take hours
LEAST = 50  # labeled samples; a fifth of fewer measures nothing
WIDEST = 40  # letters of a name that others are lined up with
STRENGTH = 0.001  # C of the linear models: thousands of features on as many samples need much regularization
FEW = 5  # held-out samples with an answer; with fewer its accuracy is no more than a guess
USABLE = 0.75  # AUC; an attribute with less is not recognized


class Question(NamedTuple):
    """A class to find among `names`, or an attribute, the one name, that a sample has or not."""

    names: Sequence[str]
    answers: np.ndarray  # int64 [N]: a class, or 0 and 1
    is_class: bool


class Answer(NamedTuple):
    """A question's linear model and its calibration; None for both if all labeled samples have the same answer.

    shares   of the answers in the labeled set
    """

    model: Any
    calibration: Any
    shares: np.ndarray

    def probabilities(self, features: np.ndarray) -> np.ndarray:
        """float64 [N, answers]."""
        probabilities = np.tile(self.shares, (len(features), 1))
        if self.model is not None:
            probabilities[:] = 0  # an answer that none of the calibrating samples has
            known = self.calibration.classes_
            probabilities[:, known] = self.calibration.predict_proba(_decision(self.model, features))
        return probabilities


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
    """Labels samples as the `labeled` ones are, by their `features` (see `evaluation.features`).

    root     folder for downloads and trained classifiers
    teller   reports the training of a classifier
    report   for each class or attribute: balanced accuracy and AUC on held-out samples, its share, whether it is usable
    """

    def __init__(self, labeled: Samples, features: str, root: str, device: str, teller: Teller = SILENT):
        self.name, self._shape, self._meta = labeled.name, labeled.shape, labeled.meta
        self.questions, self.stacks = _questions(labeled), labeled.stacks
        samples, parts = labeled.array, _parts(labeled)
        check_finite(labeled.name, samples)
        training_set = _training_set(labeled, self.questions, parts[0])
        extractor = open_extractor(features, training_set, root, device, teller=teller)
        if extractor.about["name"] == "points":
            raise Error(f"{labeled.name}: holds points, whose few numbers teach too little; use --features CHECKPOINT")
        self._features = extractor.features
        fit = self._features(samples[parts[0]])
        self._mean, self._scale = fit.mean(axis=0), np.maximum(fit.std(axis=0), 1e-6)
        fit = (fit - self._mean) / self._scale
        calibrate, held_out = (self._scaled(samples[rows]) for rows in parts[1:])
        self._answers = [_answer(question.answers, parts, fit, calibrate) for question in self.questions]
        self.report = [
            line
            for question, answer in zip(self.questions, self._answers, strict=True)
            for line in _judge(question, answer, answer.probabilities(held_out), question.answers[parts[2]])
        ]

    def check_like(self, name: str, shape: tuple[int, ...], meta: Mapping[str, Any]) -> None:
        """Error unless samples of `shape`, of the file `name` with that `meta`, are like the labeled ones."""
        check_shape(name, shape, self.name, self._shape)
        encoding.check_alike(name, meta, self.name, self._meta)

    def _scaled(self, samples: np.ndarray) -> np.ndarray:
        """What the linear models are given of samples [N, ...]: float32 [N, F], of mean 0 and deviation 1."""
        return (self._features(samples) - self._mean) / self._scale

    def __call__(self, samples: np.ndarray) -> Labels:
        """What samples [N, ...] have."""
        features = self._scaled(samples)
        columns, found, names, classes = [], list[np.ndarray](), list[str](), list[str]()
        for question, answer in zip(self.questions, self._answers, strict=True):
            probabilities = answer.probabilities(features)
            columns.append(probabilities if question.is_class else probabilities[:, 1:])
            names.extend(question.names)
            if question.is_class:
                found, classes = [*found, probabilities.argmax(axis=1).astype(np.int64)], list(question.names)
        labels = found[0] if found else None
        if self.stacks is not None:
            labels, classes = self.stacks.labels_of(np.stack(found, 1)), list(self.stacks.names)
        return Labels(np.concatenate(columns, axis=1).astype(np.float32), names, labels, classes)


def _questions(labeled: Samples) -> list[Question]:
    """What the labels and attributes of a set ask; Error if it has neither."""
    questions = []
    if labeled.labels is not None and labeled.stacks is not None:
        channels, parts = labeled.stacks.classes[labeled.labels], labeled.stacks.parts
        of_each = zip(COLORS, channels.T, strict=True)
        questions += [Question([f"{color} {part}" for part in parts], answers, True) for color, answers in of_each]
    elif labeled.labels is not None:
        budget.check(labeled.name, len(labeled.classes), MOST, "classes", "take some with gan-data --classes")
        questions.append(Question(labeled.classes, labeled.labels, True))
    if labeled.attributes is not None:
        budget.check(labeled.name, len(labeled.attribute_names), MOST, "attributes", "leave some out")
        columns = (labeled.attributes > 0.5).astype(np.int64).T
        named = zip(labeled.attribute_names, columns, strict=True)  # a class's own attribute is its probability
        questions += [Question([name], column, False) for name, column in named if name not in labeled.classes]
    if not questions:
        advice = "gan-data adds them with --attributes, or from class folders"
        raise Error(f"{labeled.name}: has no labels or attributes; {advice}")
    return questions


def _parts(labeled: Samples) -> list[np.ndarray]:
    """The rows to fit, to calibrate and to hold out; Error if there are too few."""
    rows = np.arange(len(labeled))[subset(len(labeled), LIMIT, 0, "labelled")]  # the name is part of the seed
    if len(rows) < LEAST:
        raise Error(f"{labeled.name}: {len(rows)} labeled samples are too few to learn from; {LEAST} are needed")
    return np.split(stream(0, "parts").permutation(rows), [len(rows) * 3 // 5, len(rows) * 4 // 5])


def _training_set(labeled: Samples, questions: Sequence[Question], rows: np.ndarray) -> LabeledSet:
    """What a classifier may learn of `rows`: their classes, or else all answers as attributes."""
    known = encoding.kept(labeled.meta)
    if labeled.stacks is not None:
        assert labeled.labels is not None
        samples, labels = labeled.array[rows], labeled.labels[rows]
        return LabeledSet(labeled.name, samples, labels, labeled.classes, known, labeled.stacks)
    if questions[0].is_class and len(questions) == 1:
        targets = questions[0].answers[rows]
    else:
        asked = [one.answers[rows, None] == (range(len(one.names)) if one.is_class else 1) for one in questions]
        targets = np.concatenate(asked, axis=1).astype(np.float32)
    names = [name for one in questions for name in one.names]
    return LabeledSet(labeled.name, labeled.array[rows], targets, names, known)


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


def _judge(question: Question, answer: Answer, probabilities: np.ndarray, true: np.ndarray) -> Iterator[dict[str, Any]]:
    """How well each class or the attribute is recognized: `probabilities` [N, answers] against the `true` answers [N].

    Balanced accuracy is the mean of two shares: of the samples that have it, and of those that do not, how many are
    recognized. An attribute counts as recognized above its share: whatever is rare is seldom likelier than not.
    """
    for at, name in enumerate(question.names):
        column = at if question.is_class else 1
        has, share = true == column, float(answer.shares[column : column + 1].sum())
        line = {"name": name, "share": share, "held_out": len(true), "held_out_positive": int(has.sum())}
        if answer.model is None or has.all() or not has.any():
            reason = "(nearly) all samples are the same"
            yield {**line, "balanced_accuracy": None, "auc": None, "usable": False, "reason": reason}
            continue
        predicted = probabilities.argmax(axis=1) == at if question.is_class else probabilities[:, column] > share
        auc = float(roc_auc_score(has, probabilities[:, column]))
        line |= {"balanced_accuracy": float(balanced_accuracy_score(has, predicted)), "auc": auc}
        doubt = _doubt(has, auc)
        yield {**line, "usable": not doubt, **({"reason": doubt} if doubt else {})}


def _doubt(has: np.ndarray, auc: float) -> str:
    """Why an attribute is not usable; empty if it is."""
    for count, verb in ((has.sum(), "have"), ((~has).sum(), "lack")):
        if count < FEW:
            return f"only {count} of {len(has)} held-out samples {verb} it"
    return "AUC is low" if auc < USABLE else ""


def lines(report: Sequence[dict[str, Any]]) -> Iterator[str]:
    """The report for people."""
    width = min(max(len(line["name"]) for line in report), WIDEST)
    for line in report:
        problem = "" if line["usable"] else f": not usable, {line['reason']}"
        balanced, auc = ("-" if line[key] is None else f"{line[key]:.3f}" for key in ("balanced_accuracy", "auc"))
        text = f"{line['name']:{width}}  balanced accuracy {balanced}, AUC {auc}, share {line['share']:.1%}"
        yield f"{text}{problem}"


# ---------------------------------------------------------------------------------------------- a file


def label_file(
    samples: Samples, labeler: Labeler, line: str, labeled: Samples
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Tensors and metadata of `samples` with the labels of `labeler`, which replace those they had."""
    check_finite(samples.name, samples.array)
    labels = labeler(samples.array)
    tensors: dict[str, Any] = {
        name: Stream(spec.shape, spec.dtype, samples.file.rows(name))
        for name, spec in samples.file.specs.items()
        if name not in ("labels", "attributes")
    }
    tensors["attributes"] = labels.attributes.reshape(*samples.lead, -1)
    replaced = ("format", "kind", "classes", "attributes", STACKED)
    meta = {key: value for key, value in samples.meta.items() if key not in replaced}
    meta |= {"attributes": labels.names, FOUND: True}
    if labels.labels is not None:
        tensors["labels"] = labels.labels.reshape(samples.lead)
        meta["classes"] = labels.classes
    if labeler.stacks is not None:
        meta[STACKED] = list(labeler.stacks.parts)
    lineages = [file.meta.get("lineage", []) for file in (samples, labeled)]
    return tensors, {**meta, "lineage": lineage.joined(lineages, line)}


def about(labeler: Labeler, features: str) -> dict[str, Any]:
    """What --report writes."""
    sources = {"like": os.path.basename(labeler.name), "features": os.path.basename(features)}
    return rounded({**sources, "attributes": labeler.report})
