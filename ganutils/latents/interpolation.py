"""Paths through latent space, as films of latents [T, N, Z]. NumPy only.

The two priors need different paths. A normal prior has its mass in a shell of radius sqrt(Z), so its paths keep to the
radius of the latents they pass. A uniform prior fills a cube, and its paths stay inside: what would leave is cut off.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ganutils import Error
from ganutils.randomness import stream

LEG = 30  # frames from each latent to the next, by default
FRAMES = 60  # of the other films
EASES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "linear": lambda t: t,
    "cosine": lambda t: (1 - np.cos(np.pi * t)) / 2,  # slow at both ends
}
METHOD_FOR = {"normal": "slerp", "uniform": "lerp"}
REACH = {"normal": 2.0, "uniform": 1.0}  # of a traversal to both sides
JITTER = 0.25  # reach of jitter, as in the DCGAN paper's arithmetic

Path = tuple[np.ndarray, dict[str, Any]]  # a film of latents, and the layout of its frames if it has one


def path(
    keys: np.ndarray,
    frames: int | None,
    method: str,
    closed: bool,
    ease: str = "linear",
    dwell: int = 0,
    prior: str = "normal",
) -> np.ndarray:
    """A film through `keys`, evenly spaced in time.

    keys    float32 [K, ..., Z], K >= 2: the latents passed, in order
    frames  length of the film; None = 30 from each key to the next, so that every key is a frame
    method  lerp, slerp or spline
    closed  whether the film continues from the last key to the first, to be shown in a loop
    ease    of the speed between two keys, see EASES
    dwell   extra frames at each key

    Returns float32 [frames + dwell * keys, ..., Z]. It starts at keys[0]; it ends at keys[-1] or, if closed, one frame
    before keys[0].
    """
    legs = len(keys) if closed else len(keys) - 1
    if frames is None:
        frames = LEG * legs + (not closed)
    times = np.arange(frames) * legs / max(frames - (not closed), 1)  # exact at the keys
    if dwell:
        at = np.arange(len(keys))
        times = np.insert(times, np.repeat(np.searchsorted(times, at), dwell), np.repeat(at, dwell))
    leg = np.minimum(times.astype(int), legs - 1)
    t = EASES[ease](times - leg).astype(np.float32).reshape(-1, *[1] * (keys.ndim - 1))
    if method == "spline":
        film = spline(keys, leg, t, closed, prior)
    else:
        film = {"lerp": lerp, "slerp": slerp}[method](keys[leg], keys[(leg + 1) % len(keys)], t)
    return film if method == "lerp" else inside(film, prior)


def inside(latents: np.ndarray, prior: str) -> np.ndarray:
    """`latents` in the support of the prior: those of a uniform one in its cube."""
    return np.clip(latents, -1, 1) if prior == "uniform" else latents


def as_float32(latents: np.ndarray, name: str) -> np.ndarray:
    """`latents` as files keep them; Error, naming the file they were made from, if they are too large for that."""
    with np.errstate(over="ignore"):
        latents = latents.astype(np.float32, copy=False)
    if not np.isfinite(latents).all():
        raise Error(f"{name}: its latents, or directions, are so long that the result overflows; shorten them")
    return latents


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
    across = unit_b - cosine * unit_a  # the part of b orthogonal to a, which spans the plane of the circle
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


def spline(keys: np.ndarray, leg: np.ndarray, t: np.ndarray, closed: bool, prior: str) -> np.ndarray:
    """The cubic spline through `keys`: no corners, neither in direction nor in speed.

    Its bends (second derivatives) solve one small linear system: periodic if closed, else natural (0 at the ends).
    For a normal prior the curve, which cuts corners as a straight line does, is pushed out to the radius between its
    two keys. A curve through the middle has no direction there, so it is at most doubled and stays in one piece.
    """
    count = len(keys)
    flat = keys.reshape(count, -1).astype(np.float64)
    system, right = np.zeros((count, count)), np.zeros_like(flat)
    for i in range(count):
        if closed or 0 < i < count - 1:
            before, after = (i - 1) % count, (i + 1) % count
            system[i, i] += 4
            system[i, before] += 1
            system[i, after] += 1
            right[i] = 6 * (flat[before] - 2 * flat[i] + flat[after])
        else:
            system[i, i] = 1
    bends = np.linalg.solve(system, right).reshape(keys.shape)
    end = (leg + 1) % count
    a, b, back = keys[leg], keys[end], 1 - t.astype(np.float64)
    film = back * a + t * b + ((back**3 - back) * bends[leg] + (t.astype(np.float64) ** 3 - t) * bends[end]) / 6
    if prior == "normal":
        radius_a, radius_b = (np.linalg.norm(v, axis=-1, keepdims=True) for v in (a, b))
        radius = lerp(radius_a, radius_b, t)
        film *= np.minimum(radius / np.maximum(np.linalg.norm(film, axis=-1, keepdims=True), 1e-12), 2)
    return np.where(t == 0, a, np.where(t == 1, b, film)).astype(np.float32)


def sheet_between(corners: np.ndarray, size: tuple[int, int], method: str, prior: str) -> np.ndarray:
    """The sheet between four `corners` [4, Z], the upper two and the lower two, left to right: [rows * columns, Z]."""
    columns, rows = size
    upper, lower = (path(pair, columns, method, False, prior=prior) for pair in (corners[:2], corners[2:]))
    return path(np.stack([upper, lower]), rows, method, False, prior=prior).reshape(rows * columns, -1)


def circle(keys: np.ndarray, frames: int, seed: int, prior: str) -> np.ndarray:
    """Once around the middle from each of `keys` [N, Z], in a plane of random direction: [frames, N, Z], closed.

    The radius is the key's own length, so a circle from a latent of a normal prior stays where its mass is.
    """
    radius = np.linalg.norm(keys, axis=-1, keepdims=True)
    unit = keys / np.maximum(radius, 1e-12)
    other = stream(seed, "circle").standard_normal(keys.shape)
    other -= np.sum(other * unit, axis=-1, keepdims=True) * unit
    other /= np.maximum(np.linalg.norm(other, axis=-1, keepdims=True), 1e-12)
    angle = (2 * np.pi * np.arange(frames) / frames)[:, None, None]
    film = np.cos(angle) * keys + np.sin(angle) * radius * other
    return inside(film.astype(np.float32), prior)


def axes(keys: np.ndarray, numbers: list[int], frames: int, ease: str, reach: float, prior: str) -> np.ndarray:
    """One coordinate after another of each of `keys` [N, Z] goes from -reach to reach: [frames, N * axes, Z]."""
    for number in numbers:
        if number >= keys.shape[-1]:
            raise Error(f"--along: there is no axis {number}; these latents have 0 to {keys.shape[-1] - 1}")
    film = np.tile(keys.repeat(len(numbers), 0), (frames, 1, 1))
    places = np.arange(film.shape[1])
    film[:, places, np.tile(numbers, len(keys))] = _sweep(frames, ease, reach)[:, None]
    return inside(film, prior)


def along_directions(
    keys: np.ndarray, directions: np.ndarray, frames: int, ease: str, reach: float, prior: str
) -> np.ndarray:
    """Each of `keys` [N, Z] goes from -reach to reach times each direction [D, Z]: [frames, N * D, Z]."""
    steps = _sweep(frames, ease, reach)[:, None, None]
    film = keys.repeat(len(directions), 0) + steps * np.tile(directions, (len(keys), 1))
    return inside(film.astype(np.float32), prior)


def _sweep(frames: int, ease: str, reach: float) -> np.ndarray:
    return (reach * (2 * EASES[ease](np.linspace(0, 1, frames)) - 1)).astype(np.float32)


def jitter(keys: np.ndarray, frames: int, seed: int, reach: float, prior: str) -> np.ndarray:
    """A restless, smooth, closed path around each of `keys` [N, Z]: [frames, N, Z].

    Three harmonics of random size in each coordinate, whose sum has the standard deviation `reach` at any time. For a
    normal prior the sum of latent and jitter is scaled back, so that it is distributed as the latent is.
    """
    sizes = stream(seed, "jitter").standard_normal((3, 2, *keys.shape)) / math.sqrt(3)
    turns = 2 * np.pi * np.arange(1, 4)[:, None] * np.arange(frames) / frames  # (harmonic, T)
    waves = np.stack([np.cos(turns), np.sin(turns)], axis=1)  # (harmonic, 2, T)
    film = keys + reach * np.einsum("hwt,hwnz->tnz", waves, sizes)
    if prior == "normal":
        film /= math.sqrt(1 + reach**2)
    return inside(film.astype(np.float32), prior)


# ---------------------------------------------------------------------------------------- kinds of paths


def make_path(kind: str, keys: np.ndarray, prior: str, name: str, **options: Any) -> Path:
    """The path of a kind in `kinds.KINDS` through `keys` [K, ..., Z], and its layout if it has one.

    name      of the file they are from, for messages
    options   those of the kind; the usual ones where they are left out
    """
    if not keys.size:
        raise Error(f"{name}: holds no latents; a path needs some")
    with np.errstate(over="ignore", invalid="ignore"):  # as_float32 sees what overflows
        film, about = PATHS[kind](keys, prior, name, **options)
    return as_float32(film, name), about


def _walk(
    keys: np.ndarray,
    prior: str,
    name: str,
    method: str | None = None,
    closed: bool = False,
    grid: tuple[int, int] | None = None,
    frames: int | None = None,
    ease: str = "linear",
    dwell: int = 0,
) -> Path:
    """A film of walks: keys [K, Z] are one, or with `grid` as many at once as it has places; [K, N, Z] are N."""
    if grid:
        each = grid[0] * grid[1]
        flat = keys.reshape(-1, keys.shape[-1])
        if len(flat) % each:
            advice = f"choose a multiple of {each}"
            raise Error(f"{name}: {len(flat)} latents do not fill sheets of {grid[0]}x{grid[1]}; {advice}")
        keys = flat.reshape(-1, each, keys.shape[-1])
    keys = keys if keys.ndim > 2 else keys[:, None]  # each frame a sheet of one
    if len(keys) < 2:
        needed = "two sheets" if keys.shape[1] > 1 else "two latents"
        raise Error(f"{name}: a path needs at least {needed}, and this is {len(keys)}")
    film = path(keys, frames, method or METHOD_FOR[prior], closed, ease, dwell, prior)
    return film, {"layout": _row_by_row(grid)} if grid else {}


def _grid(keys: np.ndarray, prior: str, name: str, method: str | None = None, grid: tuple[int, int] = (8, 8)) -> Path:
    corners = _flat(keys)
    if len(corners) != 4:
        raise Error(f"{name}: a grid lies between four latents, and this is {len(corners)}; choose four with --rows")
    if min(grid) < 2:
        raise Error("--grid: a grid between four corners needs at least two columns and two rows")
    return sheet_between(corners, grid, method or METHOD_FOR[prior], prior), {"layout": _row_by_row(grid)}


def _circle(keys: np.ndarray, prior: str, name: str, frames: int = FRAMES, seed: int = 0) -> Path:
    return circle(_flat(keys), frames, seed, prior), {}


def _axis(
    keys: np.ndarray,
    prior: str,
    name: str,
    along: list[int] | np.ndarray,
    reach: float | None = None,
    frames: int = FRAMES,
    ease: str = "linear",
) -> Path:
    """`along` are numbers of coordinates, or directions [D, Z]."""
    move = axes if isinstance(along, list) else along_directions
    return move(_flat(keys), along, frames, ease, REACH[prior] if reach is None else reach, prior), {}  # type: ignore[arg-type]


def _jitter(
    keys: np.ndarray, prior: str, name: str, reach: float = JITTER, frames: int = FRAMES, seed: int = 0
) -> Path:
    return jitter(_flat(keys), frames, seed, reach, prior), {}


def _classes(
    keys: np.ndarray,
    prior: str,
    name: str,
    through: np.ndarray,
    closed: bool = False,
    frames: int | None = None,
    ease: str = "linear",
    dwell: int = 0,
) -> Path:
    """Each latent stays, and the vectors `through` [K, Z] of classes, which a generator adds to it, change.

    The film is for the first of these classes: it holds what the vectors of others have more.
    """
    change = path((through - through[0])[:, None], frames, "lerp", closed, ease, dwell)
    return _flat(keys) + change, {}


def between_texts(
    keys: np.ndarray,
    texts: np.ndarray,
    name: str,
    method: str = "slerp",
    closed: bool = False,
    frames: int | None = None,
    ease: str = "linear",
    dwell: int = 0,
) -> dict[str, np.ndarray]:
    """Each of the latents `keys` [..., Z] stays, and what an encoder made of sentences changes, `texts` [K, E].

    Those vectors have one length, that of a normal prior in E dimensions, so that a great circle leads between them.
    Returns tensors: latents [frames, N, Z] and text [frames, N, E].
    """
    if not keys.size:
        raise Error(f"{name}: holds no latents; a path needs some")
    film = path(texts, frames, method, closed, ease, dwell)
    flat = _flat(keys)
    return {
        "latents": np.broadcast_to(flat, (len(film), *flat.shape)),
        "text": np.broadcast_to(film[:, None], (len(film), len(flat), film.shape[1])),
    }


PATHS: dict[str, Callable[..., Path]] = {
    "walk": _walk,
    "grid": _grid,
    "circle": _circle,
    "axis": _axis,
    "jitter": _jitter,
    "classes": _classes,
}


def labeled(film: np.ndarray, label: int | None) -> dict[str, np.ndarray]:
    """The tensors of a `film` [..., Z], which is for samples of the class `label`, if there is one."""
    labels = {} if label is None else {"labels": np.full(film.shape[:-1], label, np.int64)}
    return {"latents": film, **labels}


def _flat(keys: np.ndarray) -> np.ndarray:
    return keys.reshape(-1, keys.shape[-1])


def _row_by_row(grid: tuple[int, int]) -> list[list[int]]:
    """The layout of samples row by row."""
    return [[row * grid[0] + column for column in range(grid[0])] for row in range(grid[1])]
