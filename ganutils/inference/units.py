"""What can be excited: features of a discriminator's last layer, and classes of a classifier."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ganutils import Error
from ganutils.files.container import File
from ganutils.networks import classifier
from ganutils.networks.condition import Condition
from ganutils.networks.weights import load_discriminator

SHOWN = 64  # units on a page


class Units(NamedTuple):
    """The units of the network in the file `name`.

    excitement  samples [B, ...] as networks take them, and their Condition -> [B, units]
    shape       of a sample
    inputs      (h, w, c) of the pictures that the network sees beside them; None if it sees none
    names       of classes; empty for features
    """

    name: str
    network: nn.Module
    excitement: Callable[..., Tensor]
    shape: tuple[int, ...]
    inputs: tuple[int, ...] | None = None
    names: Sequence[str] = ()

    def labels(self, units: Sequence[int]) -> list[str]:
        """What to call them."""
        return [self.names[unit] if unit < len(self.names) else f"feature {unit}" for unit in units]

    def check(self, units: Sequence[int], count: int) -> None:
        """Error unless the network has these, which has `count`, and they fit on a page."""
        many, one = ("classes", "class") if self.names else ("features", "feature")
        if len(units) > SHOWN:
            raise Error(f"--units: {len(units):,} {many} do not fit on a page; choose at most {SHOWN}")
        for unit in units:
            if unit >= count:
                raise Error(f"{self.name}: there is no {one} {unit}; {many} go from 0 to {count - 1}")


def units_of(file: File) -> Units:
    """Those of a checkpoint's discriminator or of an extractor's classifier. Error if it has neither."""
    return _classes(file) if file.kind == "extractor" else _features(file)


def _features(file: File) -> Units:
    """A convolution's feature is as excited as its map at its maximum. Where there are two domains, the features of the
    second one's discriminator follow those of the first one's.
    """
    network, config = load_discriminator(file)
    networks: Any = (network.a, network.b) if config.domains else (network,)

    def excitement(x: Tensor, *condition: Condition) -> Tensor:
        last = torch.cat([[*one.layers(x, *condition)][-1] for one in networks], 1)
        return last.amax((2, 3)) if last.dim() == 4 else last

    inputs = config.inputs if config.sees == "pair" else None
    return Units(file.name, network, excitement, config.shape, inputs)


def _classes(file: File) -> Units:
    """A class is as excited as it is likely, an attribute as its logit is large."""
    network, are_attributes = classifier.read(file), file.meta.get("targets") == "attributes"

    def excitement(x: Tensor, *_: Condition) -> Tensor:
        logits = network(x)
        return logits if are_attributes else F.log_softmax(logits, 1)

    count, names = network.head.out_features, file.meta.get("classes")
    names = [str(name) for name in names][:count] if isinstance(names, list) else []
    return Units(file.name, network, excitement, network.shape, None, [*names, *map(str, range(len(names), count))])
