"""Pictures of sounds: the wave above its spectrogram. NumPy only."""

from __future__ import annotations

import itertools

import numpy as np

WIDTH, WAVE, ROWS = 126, 46, 80  # pixels: the width of both, and the heights of wave and spectrogram
MARGIN = 2  # pixels on the right and below, so that pictures side by side stay apart
SHAPE = (WAVE + ROWS + MARGIN, WIDTH + MARGIN, 3)
FLOOR = -80.0  # decibels that are black; 0, a sine from -1 to 1, is white
INK, PAPER, MIDDLE = (120, 205, 255), (22, 27, 40), (52, 62, 84)  # RGB of the wave, behind it, and of silence
BLOCK = 1 << 19  # numbers that are transformed at a time


def draw(signals: np.ndarray) -> np.ndarray:
    """Sounds [N, T, C] in -1..1 -> uint8 [N, 128, 128, 3]; time runs from left to right, through the whole sound.

    Above is the wave, from its least to its largest number in each column, the left channel over the right. Below is
    the spectrogram of all channels, from 0 Hz at the bottom to half the sample rate.
    """
    pictures = np.full((len(signals), *SHAPE), PAPER, np.uint8)
    for picture, signal in zip(pictures, signals, strict=True):
        lanes = np.linspace(0, WAVE, signal.shape[1] + 1).astype(int)
        for channel, (top, bottom) in enumerate(itertools.pairwise(lanes)):
            picture[top : bottom - 1, :WIDTH] = _wave(signal[:, channel], bottom - top - 1)
        picture[WAVE : WAVE + ROWS, :WIDTH] = COLORS[np.rint(255 * _levels(signal)).astype(np.uint8)]
    return pictures


def _wave(numbers: np.ndarray, height: int) -> np.ndarray:
    """uint8 [height, WIDTH, 3] of one channel [T]."""
    starts = np.arange(WIDTH) * len(numbers) // WIDTH
    following = numbers[np.append(starts[1:], len(numbers) - 1)]  # what the next column begins with: no gaps
    highest = np.maximum(np.maximum.reduceat(numbers, starts), following)
    lowest = np.minimum(np.minimum.reduceat(numbers, starts), following)
    top, bottom = (np.rint((1 - value) / 2 * (height - 1)) for value in (highest, lowest))
    rows = np.arange(height)[:, None]
    lane = np.full((height, WIDTH, 3), PAPER, np.uint8)
    lane[height // 2] = MIDDLE
    lane[(rows >= top) & (rows <= bottom)] = INK
    return lane


def _levels(signal: np.ndarray) -> np.ndarray:
    """[ROWS, WIDTH] in 0..1 of a sound [T, C]: the decibels of its frequencies over time, low ones at the bottom.

    A column of a long sound is the mean of several windows, which lie as dense as half of one.
    """
    length, window = len(signal), 2 * ROWS
    each = max(1, -(-2 * length // (WIDTH * window)))  # windows of a column
    starts = ((np.arange(WIDTH * each) + 0.5) * length / (WIDTH * each)).astype(int)
    shape = np.hanning(window + 1)[:-1]
    powers = np.zeros((WIDTH, ROWS))
    for channel in signal.T:
        padded = np.pad(channel, window // 2)  # so that the window that begins at a number has it in its middle
        windows = np.lib.stride_tricks.sliding_window_view(padded, window)
        most = max(1, BLOCK // (window * each))  # columns
        for column in range(0, WIDTH, most):
            parts = windows[starts[column * each : (column + most) * each]] * shape
            power = np.abs(np.fft.rfft(parts))[:, :ROWS] ** 2
            powers[column : column + most] += power.reshape(-1, each, ROWS).mean(1)
    powers /= signal.shape[1] * (shape.sum() / 2) ** 2
    decibels = 10 * np.log10(np.maximum(powers, 10 ** (FLOOR / 10)))
    return np.minimum(1 - decibels / FLOOR, 1).T[::-1]


def _cubehelix(start: float, turns: float, hue: float) -> np.ndarray:
    """uint8 [256, 3]: colors from black to white whose brightness rises evenly (Green 2011, equation 2)."""
    light = np.arange(256) / 255
    angle = 2 * np.pi * (start / 3 + turns * light)
    swing = hue * light * (1 - light) / 2
    weights = np.array([[-0.14861, 1.78277], [-0.29227, -0.90649], [1.97294, 0.0]])
    colors = light[:, None] + swing[:, None] * (np.stack([np.cos(angle), np.sin(angle)], 1) @ weights.T)
    return np.rint(255 * np.clip(colors, 0, 1)).astype(np.uint8)


COLORS = _cubehelix(0.5, -0.9, 1.2)
