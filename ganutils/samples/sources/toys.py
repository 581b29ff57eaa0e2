"""Points from distributions that are known exactly: what a GAN should learn, with nothing to download.

toy:gaussian   one dimension, N(mean, std); 4 and 1.25 as in the tutorials that draw p(x) and D(x)
toy:ring       two dimensions, `modes` Gaussians on a circle of radius 2 (Metz et al. 2017, Unrolled GANs)
toy:grid       two dimensions, `modes` Gaussians on a square grid, 2 apart (Srivastava et al. 2017, VEEGAN)

The metadata's `toy` holds the `centres` and the deviation, so that what was learnt can be held against it.
"""

from __future__ import annotations

import math

import numpy as np

from ganutils import Error, randomness
from ganutils.samples.sources.source import Source, of_points

LICENSE = "CC0 1.0, drawn by ganutils"
SETTINGS = {
    "gaussian": {"mean": 4.0, "std": 1.25},
    "ring": {"modes": 8, "std": 0.02},
    "grid": {"modes": 25, "std": 0.05},
}
RADIUS, SPACING = 2.0, 2.0


def points(name: str, count: int, seed: int, typed: dict[str, float]) -> Source:
    """`count` points of toy:`name`; the settings that were typed replace its own."""
    settings = SETTINGS[name]
    for key in typed:
        if key not in settings:
            raise Error(f"toy:{name}: has no --{key}; it has {' and '.join(f'--{one}' for one in settings)}")
    settings = settings | typed
    centers = _centers(name, settings)
    modes = np.arange(count) % len(centers)  # as many of each, in turn
    noise = randomness.stream(seed, "toy", name).standard_normal((count, centers.shape[1]))
    drawn = (centers[modes] + settings["std"] * noise).astype(np.float32)
    meta = {"license": LICENSE, "toy": {"name": name, "std": settings["std"], "centres": centers.tolist()}}
    if name == "gaussian":
        return of_points(f"toy:{name}", drawn, meta=meta)
    classes = tuple(map(str, range(len(centers))))
    return of_points(f"toy:{name}", drawn, labels=modes, classes=classes, meta=meta)


def _centers(name: str, settings: dict[str, float]) -> np.ndarray:
    """float64 [modes, D]."""
    if name == "gaussian":
        return np.array([[settings["mean"]]])
    modes = int(settings["modes"])
    if name == "ring":
        angles = 2 * np.pi * np.arange(modes) / modes
        return np.round(RADIUS * np.stack([np.cos(angles), np.sin(angles)], 1), 6) + 0.0  # no -0.0
    side = math.isqrt(modes)
    if side * side != modes:
        raise Error(f"toy:grid: {modes} modes are not a square; take {side**2} or {(side + 1) ** 2}")
    at = SPACING * (np.arange(side) - (side - 1) / 2)
    return np.stack(np.meshgrid(at, at), -1).reshape(-1, 2)
