"""The generator of a checkpoint as a function from latents to samples."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np
from torch import nn

from ganutils import Error
from ganutils.compute import devices
from ganutils.files import container
from ganutils.inference.generate import generate
from ganutils.latents.draw import draw_latents
from ganutils.networks.weights import load_generator
from ganutils.runs import checkpoints
from ganutils.runs.config import Config
from ganutils.runs.series import all_classes


class Generator:
    """The averaged generator of a checkpoint or snapshot.

    config   the settings of its run
    shape    of a sample: (H, W, C), or (D,) of a point
    z_dim    length of a latent
    classes  their names; empty unless it was trained with --conditional
    step     generator updates so far
    """

    def __init__(self, path: str | os.PathLike[str], device: str = "auto"):
        """That of the checkpoint `path`, on `device` (as --device). Error if it is no checkpoint, or damaged."""
        with devices.lent(), container.read(os.fspath(path), "checkpoint") as file:
            place = devices.prepare(device, None)
            network, config = load_generator(file)
            self._take(network.to(place), config, file.meta.get("classes", []), checkpoints.updates(file)["G"])

    @classmethod
    def of(cls, network: nn.Module, config: Config, names: Sequence[str], step: int) -> Generator:
        """That of a network, for ganutils itself."""
        return cls.__new__(cls)._take(network, config, names, step)

    def _take(self, network: nn.Module, config: Config, names: Sequence[str], step: int) -> Generator:
        self._network, self.config, self.step = network, config, step
        self.shape, self.z_dim = config.shape, config.z_dim
        self.classes = [*names, *map(str, range(len(names), config.classes))]
        return self

    def latents(self, count: int = 64, seed: int = 0) -> np.ndarray:
        """The first `count` latents of `seed`, float32 [count, z_dim]: those of `gan-sample -n COUNT --seed SEED`."""
        return draw_latents(seed, count, self.z_dim, self.config.prior)

    def __call__(self, latents: Any, labels: Any = None) -> np.ndarray:
        """Samples of `latents` [..., Z]: uint8 [..., H, W, C], or points float32 [..., D].

        labels  with classes: one for all, by name or number, or int64 [...]; None = all classes evenly, in order
        """
        z = np.asarray(latents, np.float32)
        if z.ndim < 2 or z.shape[-1] != self.z_dim or not z.size:
            raise Error(f"latents: have shape {list(z.shape)}; give [..., {self.z_dim}], as .latents() does")
        lead = z.shape[:-1]
        classes = self._labels(labels, lead)
        with devices.lent():
            chunks = list(generate(self._network, z.reshape(-1, self.z_dim), classes, self.shape))
        return np.concatenate(chunks).reshape(*lead, *self.shape)

    def _labels(self, labels: Any, lead: tuple[int, ...]) -> np.ndarray | None:
        """int64 [N], a class for each latent; None if there are no classes."""
        count = len(self.classes)
        if not count:
            if labels is not None:
                raise Error("labels: the generator has no classes; train one with conditional=True")
            return None
        if labels is None:
            return all_classes(count, lead).reshape(-1)
        if isinstance(labels, str):
            if labels not in self.classes:
                raise Error(f"labels: there is no class {labels!r}; the classes are {', '.join(self.classes)}")
            labels = self.classes.index(labels)
        numbers = np.broadcast_to(np.asarray(labels, np.int64), lead).flatten()
        if not all(0 <= number < count for number in numbers):
            raise Error(f"labels: go from {numbers.min()} to {numbers.max()}; the classes are 0 to {count - 1}")
        return numbers
