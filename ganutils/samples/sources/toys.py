"""Points from distributions that are known exactly: what a GAN should learn, with nothing to download.

toy:gaussian   one dimension, N(mean, std); 4 and 1.25 as in the tutorials that draw p(x) and D(x)
toy:ring       two dimensions, `modes` Gaussians on a circle of radius 2 (Metz et al. 2017, Unrolled GANs)
toy:grid       two dimensions, `modes` Gaussians on a square grid, 2 apart (Srivastava et al. 2017, VEEGAN)

The metadata's `toy` holds the centers and the deviation, so that what a GAN has learned can be compared with them.
"""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from ganutils import Error, randomness
from ganutils.samples.sources.source import Request, Source, of_points

RADIUS, SPACING = 2.0, 2.0


def open_gaussian(request: Request) -> list[Source]:
    """N(mean, std), float32 [N, 1], without labels."""
    points = _drawn(request, np.array([[request.settings["mean"]]]))
    return [dataclasses.replace(points, labels=None, classes=())]


def open_ring(request: Request) -> list[Source]:
    """Gaussians on a circle, float32 [N, 2]; labels say which."""
    modes = int(request.settings["modes"])
    angles = 2 * np.pi * np.arange(modes) / modes
    return [_drawn(request, np.round(RADIUS * np.stack([np.cos(angles), np.sin(angles)], 1), 6) + 0.0)]  # no -0.0


def open_grid(request: Request) -> list[Source]:
    """Gaussians on a square grid, float32 [N, 2]; labels say which."""
    modes = int(request.settings["modes"])
    side = math.isqrt(modes)
    if side * side != modes:
        raise Error(f"toy:grid: {modes} modes are not a square; use {side**2} or {(side + 1) ** 2}")
    at = SPACING * (np.arange(side) - (side - 1) / 2)
    return [_drawn(request, np.stack(np.meshgrid(at, at), -1).reshape(-1, 2))]


def _drawn(request: Request, centers: np.ndarray) -> Source:
    """Points around `centers` [modes, D], as many of each, in turn."""
    name, std = request.name.removeprefix("toy:"), request.settings["std"]
    modes = np.arange(request.toys) % len(centers)
    noise = randomness.stream(request.options.seed, "toy", name).standard_normal((len(modes), centers.shape[1]))
    points = (centers[modes] + std * noise).astype(np.float32)
    toy = {"name": name, "std": std, "centres": centers.tolist()}  # the key's spelling is that of format 1
    classes = tuple(map(str, range(len(centers))))
    return of_points(request.name, points, labels=modes, classes=classes, meta={**request.meta, "toy": toy})
