"""Latents from seeds and files. NumPy only."""

from __future__ import annotations

import numpy as np

from ganutils import Error
from ganutils.files import container
from ganutils.files.container import File
from ganutils.randomness import draw, stream
from ganutils.runs import checkpoints
from ganutils.runs.config import PRIORS, Config

CLASSES = "ema.classes.embedding.weight"  # [classes, Z]: see ClassEmbedding.added


def draw_latents(seed: int, count: int, z_dim: int, prior: str) -> np.ndarray:
    """The first `count` latents of `seed`: float32 [count, z_dim]; a larger count only adds rows."""
    return draw(stream(seed, "latents"), prior, (count, z_dim))


def draw_one_each(seeds: list[int], z_dim: int, prior: str) -> np.ndarray:
    """One latent per seed, float32 [len(seeds), z_dim]: the first that `draw_latents` gives for it."""
    return np.concatenate([draw_latents(seed, 1, z_dim, prior) for seed in seeds])


def read_latents(file: File) -> np.ndarray:
    """The latents in a file of latents, or those that samples were made from: float32 [..., Z], at least one."""
    if "latents" not in file:
        raise Error(f"{file.name}: these samples do not keep latents; those from gan-sample do")
    latents = file["latents"]
    if not latents.size:
        raise Error(f"{file.name}: holds no latents")
    if not np.isfinite(latents).all():
        raise Error(f"{file.name}: damaged: its latents are not all finite numbers")
    return latents


def latent_space(file: File) -> tuple[int, str]:
    """Length and prior of the latents that a checkpoint takes, or that a file holds."""
    if file.kind == "checkpoint":
        config = checkpoints.config_of(file)
        checkpoints.check_latents(file.name, config)
        return config.z_dim, config.prior
    prior = file.meta.get("prior", "normal")
    if prior not in PRIORS:
        raise Error(f"{file.name}: damaged: its prior is {prior!r}, not one of {', '.join(PRIORS)}")
    return read_latents(file).shape[-1], prior


def class_walk(file: File, classes: list[str], z_dim: int) -> tuple[np.ndarray, int]:
    """What a checkpoint's averaged generator adds to latents of these `classes`, by name or number: float32 [K, Z]; and
    the number of the first. Error if it has no classes, or takes other latents than of `z_dim` numbers.
    """
    if file.kind != "checkpoint" or CLASSES not in file:
        raise Error(f"{file.name}: has no classes to walk between; give --for a checkpoint trained with --conditional")
    names = checkpoints.class_names(file.meta, checkpoints.config_of(file))
    numbers = [checkpoints.class_number(file.name, names, wanted) for wanted in classes]
    vectors = file[CLASSES]
    if vectors.ndim != 2 or len(vectors) != len(names) or not np.isfinite(vectors).all():
        raise Error(f"{file.name}: damaged: the vectors of its classes are not rows of finite numbers, one for each")
    if vectors.shape[1] != z_dim:
        raise Error(f"{file.name}: takes latents of {vectors.shape[1]} numbers, and those given have {z_dim}")
    return vectors[numbers], numbers[0]


def choose_latents(config: Config, given: File | None, seeds: list[int] | None, seed: int, count: int) -> np.ndarray:
    """The latents to sample: those in the file `given`, or one for each of `seeds`, or the first `count` of `seed`."""
    if given is not None:
        latents = read_latents(given)
        check_z_dim(given.name, latents, config)
        return latents
    if seeds:
        return draw_one_each(seeds, config.z_dim, config.prior)
    return draw_latents(seed, count, config.z_dim, config.prior)


def check_z_dim(name: str, latents: np.ndarray, config: Config) -> None:
    """Error, with the file's `name`, unless generators of this config take `latents` [..., Z]."""
    if latents.shape[-1] != config.z_dim:
        raise Error(f"{name}: latents have {latents.shape[-1]} numbers, and the checkpoint takes {config.z_dim}")


def take_rows(latents: np.ndarray, rows: list[int], name: str) -> np.ndarray:
    """`latents` at `rows` of axis 0; Error, with the file's `name`, if one is out of range."""
    for row in rows:
        if row >= len(latents):
            raise Error(f"{name}: there is no row {row}; rows go from 0 to {len(latents) - 1}")
    return latents[rows]


def read_directions(path: str, z_dim: int) -> np.ndarray:
    """The directions in a file of latents, float32 [D, z_dim]."""
    with container.read(path, "latents") as file:
        directions = read_latents(file).reshape(-1, file.specs["latents"].shape[-1]).copy()
    count, length = directions.shape
    if length != z_dim:
        raise Error(f"{path}: holds {count} directions of {length} numbers; the latents have {z_dim}")
    return directions
