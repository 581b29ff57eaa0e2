"""Randomness as a function: every draw is derived from a seed and names, never from what was drawn before.

Nothing random is stored or consumed, so a run that is stopped and continued, or split over commands, draws exactly
what an uninterrupted one draws. Everything comes from NumPy on the host, so it is the same on every device.
"""

import zlib
from typing import Any, Protocol

import numpy as np


def stream(seed: int, *names: str | int) -> np.random.Generator:
    """The generator that belongs to `seed` and `names`, e.g. stream(0, "noise", d_updates, g_updates)."""
    words = [zlib.crc32(name.encode()) if isinstance(name, str) else name for name in names]
    return np.random.Generator(np.random.Philox(np.random.SeedSequence([seed, *words])))


class Generator(Protocol):
    """What `draw` needs; np.random.Generator has it, and so has `distributed.ShardedGenerator`."""

    def random(self, shape: tuple[int, ...], /, dtype: Any) -> np.ndarray: ...
    def standard_normal(self, shape: tuple[int, ...], /, dtype: Any) -> np.ndarray: ...


def normal(generator: Generator, shape: tuple[int, ...]) -> np.ndarray:
    return generator.standard_normal(shape, dtype=np.float32)


def uniform(generator: Generator, shape: tuple[int, ...]) -> np.ndarray:
    """On [-1, 1), as in the DCGAN paper."""
    return generator.random(shape, dtype=np.float32) * 2 - 1


PRIORS = {"normal": normal, "uniform": uniform}


def draw(generator: Generator, prior: str, shape: tuple[int, ...]) -> np.ndarray:
    """float32 latents of `shape`, from one of PRIORS."""
    return PRIORS[prior](generator, shape)
