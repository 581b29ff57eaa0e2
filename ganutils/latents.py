"""Latents from seeds, and paths through them. NumPy only."""

from __future__ import annotations

import numpy as np

from ganutils import Error, checkpoints
from ganutils.config import Config
from ganutils.files import File
from ganutils.randomness import draw, stream


def drawn(seed: int, count: int, z_dim: int, prior: str) -> np.ndarray:
    """The first `count` latents of `seed`: float32 [count, z_dim]; a larger count only adds rows."""
    return draw(stream(seed, "latents"), prior, (count, z_dim))


def seeded(seeds: list[int], z_dim: int, prior: str) -> np.ndarray:
    """One latent a seed: float32 [len(seeds), z_dim]. Latent i is the first row of `drawn` for seed i."""
    return np.concatenate([drawn(seed, 1, z_dim, prior) for seed in seeds])


def of(file: File) -> np.ndarray:
    """The latents a file of latents holds, or those that samples were made from: float32 [..., Z]."""
    if "latents" not in file:
        raise Error(f"{file.name}: these samples do not keep latents; those that gan-sample makes do")
    return file["latents"]


def space(file: File) -> tuple[int, str]:
    """Length and prior of the latents that a checkpoint takes, or that a file holds."""
    if file.kind == "checkpoint":
        settings = checkpoints.settings(file)
        return settings.z_dim, settings.prior
    prior = file.meta.get("prior", "normal")
    if prior not in METHOD_FOR:
        raise Error(f"{file.name}: damaged: its prior is {prior!r}, not one of {', '.join(METHOD_FOR)}")
    return of(file).shape[-1], prior


def wanted(settings: Config, given: File | None, seeds: list[int] | None, seed: int, count: int) -> np.ndarray:
    """The latents to sample: those `given`, else one for each of `seeds`, else the first `count` of `seed`."""
    if given is None:
        if seeds:
            return seeded(seeds, settings.z_dim, settings.prior)
        return drawn(seed, count, settings.z_dim, settings.prior)
    found = of(given)
    if found.shape[-1] != settings.z_dim:
        raise Error(f"{given.name}: latents have {found.shape[-1]} numbers, and the checkpoint takes {settings.z_dim}")
    return found


def chosen(latents: np.ndarray, rows: list[int], name: str) -> np.ndarray:
    """`latents` at `rows` of axis 0; Error (naming the file `name`) if one is out of range."""
    for row in rows:
        if row >= len(latents):
            raise Error(f"{name}: there is no row {row}; rows go from 0 to {len(latents) - 1}")
    return latents[rows]


def path(keys: np.ndarray, frames: int | None, method: str, closed: bool) -> np.ndarray:
    """A film through `keys`, evenly spaced in time.

    keys    float32 [K, ..., Z], K >= 2: the latents passed, in order
    frames  length of the film; None = 30 from each key to the next, so that every key is a frame
    closed  whether the film goes on from the last key to the first, to be shown in a loop

    Returns float32 [frames, ..., Z]. It starts at keys[0]; it ends at keys[-1] or, if closed, one frame before keys[0].
    """
    legs = len(keys) if closed else len(keys) - 1
    if frames is None:
        frames = 30 * legs + (not closed)
    times = np.arange(frames) * legs / max(frames - (not closed), 1)  # exact at the keys
    leg = np.minimum(times.astype(int), legs - 1)
    t = (times - leg).astype(np.float32).reshape(-1, *[1] * (keys.ndim - 1))
    return METHODS[method](keys[leg], keys[(leg + 1) % len(keys)], t)


def lerp(a: np.ndarray, b: np.ndarray, t: np.ndarray) -> np.ndarray:
    """The straight line: (1 - t) a + t b. Right for a uniform prior, whose support is convex."""
    return (1 - t) * a + t * b


def slerp(a: np.ndarray, b: np.ndarray, t: np.ndarray) -> np.ndarray:
    """The great circle, its radius going evenly from |a| to |b| (White 2016, "Sampling Generative Networks").

    Right for a normal prior: in many dimensions its mass lies in a shell, and a straight line cuts through the
    empty middle. Ends of equal direction give the straight line; opposite ends go by way of a fixed third direction.
    """
    size_a, size_b = (np.linalg.norm(v, axis=-1, keepdims=True) for v in (a, b))
    unit_a, unit_b = a / np.maximum(size_a, 1e-12), b / np.maximum(size_b, 1e-12)
    cosine = np.sum(unit_a * unit_b, axis=-1, keepdims=True)
    across = unit_b - cosine * unit_a  # the part of b that stands on a: the plane of the circle
    across = np.where(cosine < -1 + 1e-6, _orthogonal(unit_a), across)
    across /= np.maximum(np.linalg.norm(across, axis=-1, keepdims=True), 1e-12)
    angle = t * np.arccos(np.clip(cosine, -1, 1))
    circle = (lerp(size_a, size_b, t) * (np.cos(angle) * unit_a + np.sin(angle) * across)).astype(np.float32)
    straight = (cosine > 1 - 1e-6) | (size_a < 1e-12) | (size_b < 1e-12)
    exact = np.where(t == 0, a, np.where(t == 1, b, circle))
    return np.where(straight, lerp(a, b, t), exact)


def _orthogonal(unit: np.ndarray) -> np.ndarray:
    """A direction at right angles to `unit`, the same each time: the axis least in it, less its part along it."""
    axis = np.eye(unit.shape[-1], dtype=unit.dtype)[np.argmin(np.abs(unit), axis=-1)]
    return axis - np.sum(axis * unit, axis=-1, keepdims=True) * unit


METHODS = {"lerp": lerp, "slerp": slerp}
METHOD_FOR = {"normal": "slerp", "uniform": "lerp"}
