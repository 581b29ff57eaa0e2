"""Sentences about what was drawn: chance, and what English asks for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np

T = TypeVar("T")


class Picker:
    """Choices of a generator."""

    def __init__(self, random: np.random.Generator):
        self._random = random

    def chance(self, probability: float) -> bool:
        return bool(self._random.random() < probability)

    def of(self, choices: Sequence[T]) -> T:
        return choices[int(self._random.random() * len(choices))]

    def shuffled(self, items: Sequence[T]) -> list[T]:
        return [items[at] for at in self._random.permutation(len(items))]

    def finished(self, text: str) -> str:
        """A sentence as it is, or with a capital and a period."""
        return text[0].upper() + text[1:] + "." if self.chance(0.3) else text


def with_article(noun: str) -> str:
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


def listed(items: Sequence[str], last: str = "and") -> str:
    """`a, b and c`."""
    return f" {last} ".join(filter(None, (", ".join(items[:-1]), items[-1]))) if items else ""
