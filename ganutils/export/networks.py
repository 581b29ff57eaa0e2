"""What is exported: a network in the units of people, its inputs by name, and what tells of it.

Pictures are float32 [N, C, H, W] in 0..1, not in the -1..1 of training, so that nobody has to know how we scale. Sounds
are float32 [N, C, T] in -1..1.
"""

from __future__ import annotations

import json
from typing import Any, NamedTuple, cast

import numpy as np
import torch
from torch import Tensor, nn

from ganutils.files.container import File
from ganutils.files.kinds import TEXTS, modality_of_shape
from ganutils.networks.classifier import read as read_classifier
from ganutils.networks.condition import Condition
from ganutils.networks.domains import B
from ganutils.networks.weights import load_discriminator, load_generator
from ganutils.randomness import draw, stream
from ganutils.runs import checkpoints
from ganutils.runs.config import Config
from ganutils.runs.start import descriptions_in
from ganutils.samples import encoding
from ganutils.samples.captions import WORDS

SAMPLES = 8  # of the inputs that show a graph's shapes, and that it is compared at


class Exported(NamedTuple):
    """A network to export.

    network  takes the `inputs` in their order and gives one tensor, `output`
    inputs   SAMPLES of each, by name
    about    its metadata: texts by name
    another  inputs of another size, which it takes too; the sides of its pictures are free then
    """

    network: nn.Module
    inputs: dict[str, Tensor]
    output: str
    about: dict[str, str]
    another: dict[str, Tensor] | None = None


class _Told(nn.Module):
    """A network, and what its condition has beside inputs: `seen` are labels, attributes or tokens."""

    def __init__(self, network: nn.Module, seen: str):
        super().__init__()
        self.network, self.seen = network, seen

    def condition(self, told: Tensor | None, inputs: Tensor | None = None) -> Condition:
        return Condition(inputs=inputs)._replace(**{self.seen: told})


class Generate(_Told):
    """Latents [N, Z], and what it is told -> images in 0..1, sounds, or points."""

    def forward(self, latents: Tensor, told: Tensor | None = None) -> Tensor:
        made: Tensor = self.network(latents, self.condition(told))
        return (made / 2 + 0.5).clamp(0, 1) if made.dim() == 4 else made


class Translate(_Told):
    """Pictures in 0..1 of any size, and what it is told -> images in 0..1."""

    def forward(self, inputs: Tensor, told: Tensor | None = None) -> Tensor:
        made: Tensor = self.network(None, self.condition(told, inputs * 2 - 1))
        return (made / 2 + 0.5).clamp(0, 1)


class Judge(_Told):
    """Images in 0..1, sounds or points, and what it is told -> logits [N], or those of patches [N, h, w]; the higher,
    the more real.
    """

    def forward(self, samples: Tensor, told: Tensor | None = None) -> Tensor:
        logits: Tensor = self.network(samples * 2 - 1 if samples.dim() == 4 else samples, self.condition(told))
        return logits


class JudgePairs(_Told):
    """Images in 0..1, the inputs that they were made from, in 0..1, and what it is told -> logits as those of Judge."""

    def forward(self, images: Tensor, inputs: Tensor, told: Tensor | None = None) -> Tensor:
        logits: Tensor = self.network(images * 2 - 1, self.condition(told, inputs * 2 - 1))
        return logits


class Recognize(nn.Module):
    """Images in 0..1, or sounds -> probabilities [N, K]: of classes, which sum to 1, or of attributes, each in 0..1."""

    def __init__(self, classifier: nn.Module, are_classes: bool):
        super().__init__()
        self.classifier, self.are_classes = classifier, are_classes

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.classifier(images * 2 - 1 if images.dim() == 4 else images)
        return logits.softmax(1) if self.are_classes else logits.sigmoid()


def of_file(file: File, discriminator: bool = False, to: str | None = None) -> Exported:
    """What is exported of a checkpoint or of a classifier's file; Error if it holds no discriminator.

    to  of two domains the one that pictures become, or are judged by: its name or number; None = the second
    """
    if file.kind == "extractor":
        return _classifier(file)
    return _discriminator(file, to) if discriminator else _generator(file, to)


def _generator(file: File, to: str | None) -> Exported:
    generator, config = load_generator(file)
    about = _about(file, config, "generator")
    if config.domains:
        domain, names = domain_of(file, config, to), checkpoints.class_names(file.meta, config)
        generator = cast(nn.Module, generator.there if domain == B else generator.back)
        about |= {"from": names[1 - domain], "to": names[domain]}
    if config.inputs:
        h, w, c = config.inputs
        inputs, another = ({"inputs": _samples(shape), **_told(config)} for shape in (config.inputs, (h + 5, w + 2, c)))
        return Exported(Translate(generator, _seen(config)), inputs, "images", about, another)
    z = draw(stream(0, "export"), config.prior, (SAMPLES, config.z_dim))
    inputs = {"latents": torch.from_numpy(z), **_told(config)}
    return Exported(Generate(generator, _seen(config)), inputs, modality_of_shape(config.shape).tensor, about)


def domain_of(file: File, config: Config, to: str | None) -> int:
    """The number of the domain `to` of a checkpoint, a name or a number; None = the second. Error if there is none."""
    return B if to is None else checkpoints.class_number(file.name, checkpoints.class_names(file.meta, config), to)


def _discriminator(file: File, to: str | None) -> Exported:
    discriminator, config = load_discriminator(file)
    about = _about(file, config, "discriminator")
    if config.domains:
        domain = domain_of(file, config, to)
        discriminator = cast(nn.Module, discriminator.b if domain == B else discriminator.a)
        about |= {"of": checkpoints.class_names(file.meta, config)[domain]}
    if config.inputs and config.sees == "pair":
        pair = {"images": _samples(config.shape), "inputs": _samples(config.inputs), **_told(config)}
        return Exported(JudgePairs(discriminator, _seen(config)), pair, "logits", about)
    inputs = {modality_of_shape(config.shape).tensor: _samples(config.shape), **_told(config)}
    return Exported(Judge(discriminator, _seen(config)), inputs, "logits", about)


def _classifier(file: File) -> Exported:
    network = read_classifier(file)
    are_classes = file.meta.get("targets", "classes") == "classes"
    names = file.meta.get("classes") or [str(number) for number in range(network.head.out_features)]
    tensor = modality_of_shape(network.shape).tensor
    about = {"kind": "classifier", "targets": "classes" if are_classes else "attributes", "names": json.dumps(names)}
    return Exported(Recognize(network, are_classes), {tensor: _samples(network.shape)}, "probabilities", about)


def _samples(shape: tuple[int, ...]) -> Tensor:
    """Random images in 0..1, sounds in -1..1, chances of letters, or points, as the graphs take them."""
    random = stream(0, "export")
    if len(shape) == 1:
        return torch.from_numpy(random.standard_normal((SAMPLES, *shape), np.float32))
    *sides, c = shape
    numbers = torch.from_numpy(random.random((SAMPLES, c, *sides), np.float32))
    if modality_of_shape(shape) is TEXTS:
        return numbers / numbers.sum(1, keepdim=True)
    return numbers if len(sides) == 2 else numbers * 2 - 1


def _told(config: Config) -> dict[str, Tensor]:
    """Some of what a network of `config` is told, by the name that a Condition has for it."""
    random = stream(0, "export", "told")
    if config.attributes:
        return {"attributes": torch.from_numpy(random.random((SAMPLES, config.attributes), np.float32))}
    if config.words:
        return {"tokens": torch.from_numpy(random.integers(0, config.words + 1, (SAMPLES, WORDS)))}
    return {"labels": torch.arange(SAMPLES) % config.classes} if config.classes else {}


def _seen(config: Config) -> str:
    return next(iter(_told(config)), "labels")


def _about(file: File, config: Config, kind: str) -> dict[str, str]:
    known = descriptions_in(file)
    names: list[Any] = file.meta.get("classes") or [*known.attributes]
    words = {"vocabulary": json.dumps([*known.vocabulary])} if known.vocabulary else {}
    step = {"step": str(int(file["updates.G"]))} if "updates.G" in file else {}
    settings = {name: str(value) for name, value in sorted(config.as_json().items()) if value is not None}
    heard = {name: json.dumps(value, sort_keys=True) for name, value in encoding.kept(file.meta).items()}
    return {"kind": kind, "names": json.dumps(names), **words, **step, **settings, **heard}
