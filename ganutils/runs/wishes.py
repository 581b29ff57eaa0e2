"""What samples are asked to be, whatever their file or checkpoint says: sentences, or some of the attributes."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from ganutils import Error
from ganutils.runs.descriptions import Descriptions, Told, with_attributes

NAMED = 20  # unknown words that a message names


@dataclasses.dataclass(frozen=True)
class Wishes:
    """Of each there are as many samples as there are latents or inputs, from the same ones.

    texts       sentences
    attributes  values by name; the other attributes are what they would be otherwise
    """

    texts: Sequence[str] = ()
    attributes: Sequence[Mapping[str, float]] = ()

    def __len__(self) -> int:
        return len(self.texts) + len(self.attributes)

    def check(self, known: Descriptions, name: str) -> list[str]:
        """What the user should be told. Error unless the checkpoint `name` takes them."""
        if self.texts and not known.vocabulary:
            raise Error(f"{name}: knows no words for --text; train with --conditional captions to have them")
        if self.attributes and not known.attributes:
            raise Error(f"{name}: takes no attributes for --set; train with --conditional attributes to have them")
        for unknown in (each for wish in self.attributes for each in wish if each not in known.attributes):
            raise Error(f"{name}: has no attribute {unknown!r}; it has {', '.join(known.attributes)}")
        return ignored(known.unknown(self.texts))

    def told(self, known: Descriptions, lead: tuple[int, ...], otherwise: Callable[[], Told]) -> Told:
        """Of samples with the axes `lead`, the last as often as there are wishes: one wish after another.

        otherwise  the descriptions of `lead`, without wishes
        """
        wanted = (*lead[:-1], len(self) * lead[-1])
        if self.texts:
            numbers = np.repeat(np.arange(len(self)), lead[-1])
            return known.told(self.texts).at(np.broadcast_to(numbers, wanted).ravel())
        if all(set(known.attributes) <= wish.keys() for wish in self.attributes):
            usual = np.zeros((*lead, len(known.attributes)), np.float32)
        else:
            usual = otherwise().given["attributes"].reshape(*lead, -1)
        each = [usual.copy() for _ in self.attributes]
        for values, wish in zip(each, self.attributes, strict=True):
            for name, value in wish.items():
                values[..., known.attributes.index(name)] = value
        return with_attributes(np.concatenate(each, -2).reshape(-1, len(known.attributes)))


NO_WISHES = Wishes()


def ignored(words: Sequence[str]) -> list[str]:
    """What is said of unknown words; nothing if there are none."""
    if not words:
        return []
    more = f" and {len(words) - NAMED:,} more" if len(words) > NAMED else ""
    return [f"unknown and ignored: {', '.join(words[:NAMED])}{more}"]
