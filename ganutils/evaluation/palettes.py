"""How much of flat pictures, such as maps of labels, can be found again: by the few colors that they are made of."""

from __future__ import annotations

import numpy as np

from ganutils.evaluation import metrics
from ganutils.randomness import stream

MOST = 16  # colors
NEAR = {1: 1, 3: 8}  # levels, in each of that many channels, by which a pixel may differ from its color (JPEG)
FLAT = 0.6  # share of the pixels that these are; of photos 0.2 to 0.3, of maps of facades 0.65: edges are blends
RARE = 1e-3  # share of the pixels that is no color of its own
LOOKED_AT = 1 << 20  # pixels


def palette(pictures: np.ndarray, seed: int) -> np.ndarray | None:
    """The colors that `pictures` uint8 [N, H, W, C] are made of, MOST at most: float64 [K, C]; None if not flat.

    From the most frequent one on; what lies near one that is taken already is no other.
    """
    if pictures.shape[-1] not in NEAR:
        return None
    pixels = pictures.reshape(-1, pictures.shape[-1])
    if len(pixels) > LOOKED_AT:
        pixels = pixels[stream(seed, "palette").integers(len(pixels), size=LOOKED_AT)]
    distinct, counts = np.unique(_packed(pixels), return_counts=True)
    colors = _unpacked(distinct, pixels.shape[1])
    taken: list[np.ndarray] = []
    left, covered = counts, 0
    while len(taken) < MOST:
        color = colors[left.argmax()]
        is_near = (abs(colors - color) <= NEAR[colors.shape[1]]).all(axis=1)
        share = int(left[is_near].sum())
        if share < max(RARE * len(pixels), 1):
            break
        taken.append(color)
        covered += share
        left[is_near] = 0
    return np.stack(taken).astype(np.float64) if covered >= FLAT * len(pixels) else None


def _packed(pixels: np.ndarray) -> np.ndarray:
    """Each color as one number."""
    return pixels.astype(np.int64) @ (256 ** np.arange(pixels.shape[1]))


def _unpacked(numbers: np.ndarray, channels: int) -> np.ndarray:
    return numbers[:, None] // 256 ** np.arange(channels) % 256


def recovered(pictures: np.ndarray, given: np.ndarray, colors: np.ndarray) -> float:
    """Share of the pixels of `pictures` whose color is the right one: whose nearest of `colors` is that of `given`.

    The pixel accuracy of Isola et al. 2017 (section 4.2), with a translator in place of their segmentation network.
    """
    colors = np.broadcast_to(colors, (len(colors), given.shape[-1]))  # gray pictures may be compared as color

    def is_right(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return metrics.per_picture(_nearest(x, colors) == _nearest(y, colors))

    return float(metrics.in_blocks(is_right, pictures, given).mean())


def _nearest(pixels: np.ndarray, colors: np.ndarray) -> np.ndarray:
    """Which of `colors` is nearest to each pixel [B, H, W, C]: [B, H, W]."""
    squares = (colors**2).sum(axis=1) - 2 * pixels @ colors.T
    return squares.argmin(axis=-1)
