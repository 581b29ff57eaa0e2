"""What a diagnosis is made from: the scores, the discriminator's judgment, the settings and the log of a run."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import scipy.stats

from ganutils.evaluation import texts
from ganutils.evaluation.fakes import given_sets
from ganutils.evaluation.scores import Scores
from ganutils.evaluation.sets import Real
from ganutils.evaluation.translators import load_translator
from ganutils.files import container, kinds, logs
from ganutils.files.container import File
from ganutils.randomness import stream
from ganutils.runs import checkpoints
from ganutils.runs.config import Config
from ganutils.runs.defaults import fresh
from ganutils.runs.descriptions import Arrays, told_like
from ganutils.runs.traits import AUGMENTS, LOSSES

HARMLESS = ("translate", "cutout", "color")  # augmentations that suit any pictures; in a mirror letters are wrong
JUDGED = 2048  # samples that D judges
YOUNG, YOUNG_KIMG = 500, 10.0  # steps at the usual rate, and thousands of samples, before which scores mean little
PLAIN_LR = 2e-3  # suits networks whose D is not kept smooth by the penalties of the default preset
SLOWEST = 5  # times YOUNG, at lower rates
ENOUGH = 1000  # pictures of each channel, unless D knows them by heart
ENOUGH_PAIRS = 400  # facades (Isola et al. 2017, section 4.4); of two classes each has as many
ALIKE, DIVERSE = 0.2, 0.4  # diversity in the log of a run that collapses, now and before


@dataclasses.dataclass
class Evidence:
    """What a diagnosis is made from.

    trained_on      samples in the data of the run; None if the checkpoint does not say
    d_real, d_fake  D's accuracy; None without a D, as are the next
    d_pairs         see AHEAD
    d_margin        how far D's logits of real and of generated samples lie apart (medians)
    log             lines of gan-loop and gan-eval
    """

    scores: Scores
    config: Config
    step: int
    trained_on: int | None = None
    d_real: float | None = None
    d_fake: float | None = None
    d_pairs: float | None = None
    d_margin: float | None = None
    log: Sequence[dict[str, Any]] = ()

    @property
    def kimg(self) -> float:
        """Thousands of real samples shown to D."""
        return self.step * self.config.batch * self.config.d_updates / 1000

    @property
    def quality(self) -> tuple[str, float]:
        """The share of its samples that pass for real, and the name of that score."""
        name = next(name for name in ("high_quality", "grammatical", "precision") if name in self.scores)
        return name, self.scores[name]

    @property
    def translates(self) -> bool:
        """Whether it makes its samples from pictures."""
        return self.config.inputs is not None

    @property
    def has_pairs(self) -> bool:
        """Whether each of its samples has its own true one."""
        return "l1" in self.scores

    @property
    def usual(self) -> Config:
        """The settings that suit such networks."""
        names = ("arch", "width", "domains", "classes", "attributes", "words", "z_dim", "loss")
        given = {name: getattr(self.config, name) for name in names}
        return fresh(self.config.shape, {"preset": "modern", **given}, inputs=self.config.inputs)

    @property
    def usual_lr(self) -> float:
        """The learning rate of G that suits such networks."""
        return self._usual_rate(self.usual.lr)

    @property
    def hottest(self) -> tuple[str, float, float]:
        """The option of the learning rate that is furthest above the usual one, its value, and the usual one."""
        config, usual = self.config, self.usual
        rates = [("--lr", config.lr, usual.lr)]
        if config.d_lr:
            rates.append(("--d-lr", config.d_lr, usual.d_lr or usual.lr))
        option, rate, suits = max(rates, key=lambda one: one[1] / one[2])  # of equals --lr, which D's follows
        return option, rate, self._usual_rate(suits)

    def _usual_rate(self, rate: float) -> float:
        is_plain = self.usual.r1 > 0 and not (self.config.r1 or self.config.r2)
        return min(rate, PLAIN_LR) if is_plain else rate

    @property
    def steps_needed(self) -> int:
        """Steps after which scores mean something: more at a low learning rate or in small batches."""
        steps = YOUNG * min(max(self.usual_lr / self.config.lr if self.config.lr else SLOWEST, 1), SLOWEST)
        return math.ceil(max(steps, YOUNG_KIMG * 1000 / (self.config.batch * self.config.d_updates)) / 100) * 100

    @property
    def has_decayed(self) -> bool:
        """Whether its learning rate has fallen to 0."""
        return self.config.decay is not None and self.step >= self.config.decay[1]

    @property
    def is_young(self) -> bool:
        return self.step < self.steps_needed and not self.has_decayed

    @property
    def noun(self) -> str:
        """What its samples are: pictures, points."""
        return kinds.modality_of_shape(self.config.shape).noun

    @property
    def enough(self) -> int:
        """Samples that would do to train on, without --augment."""
        if self.translates:
            return ENOUGH_PAIRS * (self.config.domains or 1)
        modality = kinds.modality_of_shape(self.config.shape)
        return ENOUGH * (self.config.shape[-1] if modality in (kinds.IMAGES, kinds.SIGNALS) else 1)

    @property
    def augments(self) -> str:
        """What --augment could be, if it is not used yet; "" if it is, or does not apply."""
        modality = kinds.modality_of_shape(self.config.shape).tensor
        rows = [(name, AUGMENTS[name]) for name in HARMLESS]
        fitting = [name for name, row in rows if modality in row.takes and self.config.shape[-1] in row.channels]
        return "" if self.config.augments or self.translates else ",".join(fitting)

    def series(self, field: str) -> list[float]:
        """A field of the log of gan-loop."""
        return logs.series([line for line in self.log if "fake" not in line], field)[1]

    @property
    def was_diverse(self) -> bool:
        """Whether the log shows that its samples varied, and no longer do."""
        diversity = self.series("diversity")
        return bool(diversity) and max(diversity) > DIVERSE and diversity[-1] < ALIKE


def gather(scores: Scores, real: Real, path: str, log_paths: Sequence[str], device: str) -> Evidence:
    """The evidence on the checkpoint `path`, which has these `scores` against `real`."""
    log = [line for log_path in log_paths for line in logs.read(log_path)]
    with container.read(path, "checkpoint") as file:
        data = file.meta.get("data")
        count = data.get("count") if isinstance(data, dict) else None
        trained_on = count if type(count) is int else None
        evidence = Evidence(
            scores, checkpoints.config_of(file), checkpoints.updates(file)["G"], trained_on=trained_on, log=log
        )
        if checkpoints.has_discriminator(file) and evidence.config.needs_d:
            _judge(evidence, file, real, device)
    return evidence


def _judge(evidence: Evidence, file: File, real: Real, device: str) -> None:
    """Let D judge real samples and fakes, in the batches and the mode (batch statistics) in which it is trained.

    Of a picture's patches, which it judges one by one, the mean counts.
    """
    from torch import nn

    from ganutils.compute import devices
    from ganutils.inference import discriminate
    from ganutils.training.gan import load

    place = devices.prepare(device, None)
    config = evidence.config
    discriminator = load(file).to(place).D.train()
    for module in discriminator.modules():
        if isinstance(module, nn.Dropout):
            module.eval()

    def logits(samples: np.ndarray, labels: np.ndarray | None, inputs: np.ndarray | None, told: Arrays) -> np.ndarray:
        count = len(samples) // config.batch * config.batch or len(samples)  # a last small batch is left out
        order = stream(real.seed, "judge").permutation(len(samples))[:count]  # data are often sorted by class
        given = [None if array is None else array[order] for array in (labels, inputs)]
        described = {name: array[order] for name, array in told.items()}
        judged = discriminate.apply(discriminator, samples[order], place, given[0], config.batch, given[1], described)
        return judged.reshape(count, -1).mean(axis=1)

    reals, fakes = (logits(*each) for each in _real_and_made(file, config, real, device))
    boundary = LOSSES[config.loss].boundary  # None: only differences mean anything, as in training's log
    evidence.d_real = float((reals > (fakes.mean() if boundary is None else boundary)).mean())
    evidence.d_fake = float((fakes < (reals.mean() if boundary is None else boundary)).mean())
    above = scipy.stats.mannwhitneyu(reals, fakes).statistic  # pairs with the real one above; ties count half
    evidence.d_pairs = float(above / (len(reals) * len(fakes)))
    evidence.d_margin = float(abs(np.median(reals) - np.median(fakes)))


Judged = tuple[np.ndarray, np.ndarray | None, np.ndarray | None, Arrays]  # samples, labels, inputs and descriptions


def _real_and_made(file: File, config: Config, real: Real, device: str) -> tuple[Judged, Judged]:
    """What D judges, JUDGED each at most: real samples and generated ones, and what it sees beside them."""
    from ganutils.inference.generate import draw_samples

    samples = real.samples[:JUDGED]
    labels = real.labels[:JUDGED] if config.classes and real.labels is not None else None
    if config.inputs is None:
        like = told_like(file, real.source, real.rows, len(samples))
        drawn = draw_samples(file, len(samples), real.seed, device, like)
        told = like.given if like else {}  # without those of real samples it judges neither by them
        return (samples, labels, None, told), (texts.as_seen(real.source, drawn.samples), drawn.labels, None, told)
    translator, given = load_translator(file, device), next(given_sets(real, None, 1, JUDGED))
    inputs = translator.taken(given.pictures[:JUDGED])
    if not translator.domains:
        told = translator.told(real.source, np.arange(len(real.source))[given.rows][:JUDGED])
        made = translator(inputs, labels=labels, told=told)
        return (samples, labels, inputs, told), (made, labels, inputs, told)
    assert real.direction is not None
    made, number = translator(inputs, real.direction.goal), translator.domains.index(real.direction.goal)
    # each class has a discriminator of its own
    return (samples, np.full(len(samples), number), None, {}), (made, np.full(len(made), number), None, {})
