"""The generator of a checkpoint as a function from latents, or pictures, to samples."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
from torch import nn

from ganutils import Error
from ganutils.api.data import as_images
from ganutils.compute import devices
from ganutils.files import container, kinds, letters
from ganutils.files.npy import in_color
from ganutils.inference.generate import generate
from ganutils.inference.translate import translate
from ganutils.latents.draw import draw_latents
from ganutils.networks.weights import load_generator
from ganutils.runs import checkpoints, descriptions
from ganutils.runs.config import Config
from ganutils.runs.descriptions import Arrays
from ganutils.runs.series import all_classes
from ganutils.runs.wishes import Wishes, ignored
from ganutils.sounds import about


class Generator:
    """The averaged generator of a checkpoint or snapshot.

    config   the settings of its run
    shape    of a sample: (H, W, C), (T, C) of a sound, (T, A) of a text, or (D,) of a point
    z_dim    length of a latent; 0 if it starts from pictures
    classes  names of the classes it was trained on with --conditional, or of the two domains; else empty
    step     generator updates so far
    sample_rate  how many numbers of a sound make a second; None if it makes none
    alphabet     the letters that it writes texts in; None if it writes none

    vocabulary, attributes  the words that it knows, and the names of its attributes; else empty
    """

    def __init__(self, path: str | os.PathLike[str], device: str = "auto"):
        """That of the checkpoint `path`, on `device` (as --device). Error if it is no checkpoint, or damaged."""
        with devices.lent(), container.read(os.fspath(path), "checkpoint") as file:
            place = devices.prepare(device, None)
            network, config = load_generator(file)
            self._take(network.to(place), config, file.meta, checkpoints.updates(file)["G"], file.name)

    @classmethod
    def of(cls, network: nn.Module, config: Config, meta: Mapping[str, Any], step: int) -> Generator:
        """That of a network and the metadata of its checkpoint, for ganutils itself."""
        return cls.__new__(cls)._take(network, config, meta, step, "the run")

    def _take(self, network: nn.Module, config: Config, meta: Mapping[str, Any], step: int, name: str) -> Generator:
        self._network, self.config, self.step = network, config, step
        self._descriptions = descriptions.of_checkpoint(name, meta, config)
        self.shape, self.z_dim = config.shape, config.z_dim
        self.classes = checkpoints.class_names(meta, config)
        known = self._descriptions
        self.vocabulary, self.attributes = [*known.vocabulary], [*known.attributes]
        are_sounds = kinds.modality_of_shape(config.shape) is kinds.SIGNALS
        self.sample_rate = about.rate_of(name, meta) if are_sounds else None
        are_texts = kinds.modality_of_shape(config.shape) is kinds.TEXTS
        self.alphabet = letters.alphabet_of(name, meta) if are_texts else None
        return self

    def latents(self, count: int = 64, seed: int = 0) -> np.ndarray:
        """The first `count` latents of `seed`, float32 [count, z_dim]: those of `gan-sample -n COUNT --seed SEED`."""
        self._check_start(from_pictures=False)
        return draw_latents(seed, count, self.z_dim, self.config.prior)

    def __call__(
        self,
        latents: Any = None,
        labels: Any = None,
        *,
        inputs: Any = None,
        to: Any = None,
        tile: int = 0,
        text: Any = None,
        attributes: Any = None,
    ) -> np.ndarray:
        """Samples of `latents` [..., Z]: uint8 [..., H, W, C], sounds float32 [..., T, C], points [..., D], or texts,
        strings [...].

        labels  with classes: one for all, by name or number, or int64 [...]; None = all classes evenly, in order
        inputs  in place of latents, uint8 [..., h, w, c] of any size, for a generator that starts from pictures; gray
                ones are taken as color where it was trained on color
        to      with two domains: which of them the results are to be of, given as labels; None = the second
        tile    as --tile of gan-sample
        text    with captions: a sentence for all, or one for each; None = the examples in the checkpoint, in turn.
                Words that it does not know are ignored, and a warning names them
        attributes  with attributes: values by name, for all, the others those of the examples; or [..., A] in 0..1
        """
        self._check_start(from_pictures=inputs is not None)
        if inputs is not None:
            if latents is not None:
                raise Error("latents: the generator starts from pictures; give inputs alone")
            return self._translated(as_images(inputs, "inputs"), labels, to, tile, text, attributes)
        z = np.asarray(latents, np.float32)
        if z.ndim < 2 or z.shape[-1] != self.z_dim or not z.size:
            raise Error(f"latents: have shape {list(z.shape)}; give [..., {self.z_dim}], as .latents() does")
        lead = z.shape[:-1]
        classes = self._labels(labels, to, lead)
        told = self._told(lead, text, attributes)
        with devices.lent():
            chunks = list(generate(self._network, z.reshape(-1, self.z_dim), classes, self.shape, told=told))
        samples = np.concatenate(chunks)
        if self.alphabet is not None:
            return np.array(letters.decoded("the generator", samples, self.alphabet)).reshape(lead)
        return samples.reshape(*lead, *self.shape)

    def _translated(
        self, inputs: np.ndarray, labels: Any, to: Any, tile: int, text: Any, attributes: Any
    ) -> np.ndarray:
        """What it makes of `inputs` [..., h, w, c]."""
        assert self.config.inputs is not None
        if (inputs.shape[-1], self.config.inputs[-1]) == (1, 3):
            inputs = in_color(inputs)
        lead, shape = inputs.shape[:-3], inputs.shape[-3:]
        if shape[-1] != self.config.inputs[-1] or not inputs.size:
            raise Error(f"inputs: have shape {list(inputs.shape)}; give [..., h, w, {self.config.inputs[-1]}]")
        classes = self._labels(labels, to, lead)
        told = self._told(lead, text, attributes)
        with devices.lent():
            flat = inputs.reshape(-1, *shape)
            chunks = list(translate(self._network, self.config, flat, classes, tile, told=told))
        made = np.concatenate(chunks)
        return made.reshape(*lead, *made.shape[1:])

    def _told(self, lead: tuple[int, ...], text: Any, attributes: Any) -> Arrays:
        """Descriptions of samples with the axes `lead`, as the network takes them."""
        known = self._descriptions
        if text is not None:
            if not known.vocabulary:
                raise Error('text: the generator knows no words; train one with conditional="captions"')
            texts = _one_each("text", np.array(text, object), lead).tolist()
            if not all(isinstance(each, str) for each in texts):
                raise Error("text: give a sentence, or one for each sample")
            different = {each: number for number, each in enumerate(dict.fromkeys(texts))}
            for note in ignored(known.unknown([*different])):
                warnings.warn(f"text: {note}", stacklevel=4)
            return known.told([*different]).at(np.array([different[each] for each in texts])).given
        if attributes is None:
            return known.of_examples(lead).given
        if not known.attributes:
            raise Error('attributes: the generator takes none; train one with conditional="attributes"')
        if isinstance(attributes, Mapping):
            for name in attributes.keys() - {*known.attributes}:
                raise Error(f"attributes: there is no {name!r}; they are {', '.join(known.attributes)}")
            values = Wishes(attributes=[attributes]).told(known, lead, lambda: known.of_examples(lead)).given
        else:
            array = np.asarray(attributes, np.float32)
            each = _one_each("attributes", array, (*lead, len(known.attributes)))
            values = {"attributes": each.reshape(-1, len(known.attributes))}
        if not ((values["attributes"] >= 0) & (values["attributes"] <= 1)).all():
            raise Error("attributes: are not all from 0 to 1")
        return values

    def _check_start(self, from_pictures: bool) -> None:
        """Error unless it starts from pictures, or from latents, as said."""
        if from_pictures and not self.config.inputs:
            raise Error("inputs: the generator starts from latents; give some, as .latents() does")
        if self.config.inputs and not from_pictures:
            raise Error("latents: the generator starts from pictures; give inputs=")

    def _labels(self, labels: Any, to: Any, lead: tuple[int, ...]) -> np.ndarray | None:
        """int64 [N], a class or domain for each sample; None if there are none."""
        if self.config.domains:
            if labels is not None:
                names = " and ".join(self.classes)
                raise Error(f"labels: the generator translates between {names}; give one of them as to=")
            return self._numbers("to", 1 if to is None else to, lead)
        if to is not None:
            raise Error("to: the generator has no two domains; train one with domains=True")
        if self.classes:
            return (
                all_classes(len(self.classes), lead).reshape(-1)
                if labels is None
                else self._numbers("labels", labels, lead)
            )
        if labels is not None:
            raise Error("labels: the generator has no classes; train one with conditional=True")
        return None

    def _numbers(self, what: str, labels: Any, lead: tuple[int, ...]) -> np.ndarray:
        """int64 [N] of what was given for the argument `what`; Error if there are no such classes."""
        if isinstance(labels, str):
            if labels not in self.classes:
                raise Error(f"{what}: there is no class {labels!r}; the classes are {', '.join(self.classes)}")
            labels = self.classes.index(labels)
        numbers = np.broadcast_to(np.asarray(labels, np.int64), lead).flatten()
        if not all(0 <= number < len(self.classes) for number in numbers):
            low, high, last = numbers.min(), numbers.max(), len(self.classes) - 1
            raise Error(f"{what}: go from {low} to {high}; the classes are 0 to {last}")
        return numbers


def _one_each(what: str, given: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """What was given for the argument `what`, for each sample: one after the other."""
    try:
        return np.broadcast_to(given, shape).flatten()
    except ValueError:
        raise Error(f"{what}: have shape {list(given.shape)}, and the samples need {list(shape)}") from None
