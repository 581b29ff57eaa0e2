"""What gan-eval scores: the samples of each FAKE, from a file, drawn by a generator, or translated from inputs."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from typing import Any

import numpy as np

from ganutils import Error
from ganutils.evaluation import metrics
from ganutils.evaluation.sets import Fake, Real, check_finite
from ganutils.files import container
from ganutils.files.container import File
from ganutils.files.kinds import IMAGES
from ganutils.randomness import stream
from ganutils.runs import checkpoints
from ganutils.runs.config import Config
from ganutils.samples.samples import Samples, check_shape, subset

CHUNK = 1 << 24  # bytes of inputs that are compared at a time


def check_fake(path: str, real: Samples, count: int | None, repeats: int) -> None:
    """Error unless the file `path` has, or makes, samples like the `real` ones. A pipe is looked at when it is read.

    Where both have inputs, they must be the same: each sample is compared with the real one in its row, all once.
    """
    if path != "-":
        with container.read(path, "samples", "checkpoint") as file:
            _check(file, real, count, repeats)


def check_baseline(real: Samples) -> None:
    """Error unless the `real` samples have inputs that can be scored as pictures."""
    if real.input_shape is None:
        raise Error(f"{real.name}: has no inputs to score; leave out --baseline, or give pairs (gan-data --inputs)")
    if real.input_shape[2] not in IMAGES.channels:
        raise Error(
            f"{real.name}: has inputs of {real.input_shape[2]} channels, which are no pictures; leave out --baseline"
        )


def _check(file: File, real: Samples, count: int | None, repeats: int) -> None:
    if (count or repeats > 1) and _are_pairs(file, real):
        what = f"each of its samples is compared with the one of {real.name} in the same row"
        raise Error(f"{file.name}: {what}; leave out {'-n' if count else '--repeats'}, or choose rows with --limit")
    if file.kind == "checkpoint":
        config = checkpoints.config_of(file)
        if config.inputs is None:
            check_shape(file.name, config.shape, real.name, real.shape)
        else:
            _check_translator(file.name, config, real)
        return
    samples = Samples(file)
    check_shape(file.name, samples.shape, real.name, real.shape)
    samples.check_any()
    if samples.inputs is not None and real.inputs is not None and not _are_same(samples.inputs, real.inputs):
        advice = f"make it with gan-sample CHECKPOINT --inputs {os.path.basename(real.name)}"
        raise Error(f"{file.name}: was not made from the inputs of {real.name}, row by row; {advice}")


def _are_pairs(file: File, real: Samples) -> bool:
    """Whether the samples of `file` are, or will be, made from the inputs of the `real` ones."""
    makes_from_inputs = checkpoints.config_of(file).inputs if file.kind == "checkpoint" else "inputs" in file
    return bool(makes_from_inputs) and real.input_shape is not None


def _check_translator(path: str, config: Config, real: Samples) -> None:
    """Error unless a translator takes the inputs of `real`, and makes pictures as large as theirs."""
    assert config.inputs is not None
    if real.input_shape is None:
        advice = "give pairs, made by gan-data with --inputs, --halves or --derive"
        raise Error(f"{path}: translates pictures, and {real.name} has no inputs; {advice}")
    h, w, c = real.input_shape
    if c != config.inputs[2]:
        own = f"{config.inputs[2]} channel{'s' * (config.inputs[2] > 1)}"
        raise Error(
            f"{path}: takes inputs of {own}, those of {real.name} have {c}; make them as those it was trained on"
        )
    check_shape(path, (h * config.scale, w * config.scale, config.shape[2]), real.name, real.shape)


def _are_same(x: np.ndarray, y: np.ndarray) -> bool:
    """Whether two arrays of pictures, in memory or on disk, hold the same."""
    if tuple(x.shape) != tuple(y.shape):
        return False
    size = max(1, CHUNK // math.prod(x.shape[1:]))
    return all(np.array_equal(x[start : start + size], y[start : start + size]) for start in range(0, len(x), size))


def fakes(path: str, real: Real, count: int | None, repeats: int, limit: int, device: str) -> Iterator[Any]:
    """First what the results say of the file `path`, then `repeats` Fakes that share no sample.

    A checkpoint draws them, `count` for each (as many as there are real ones, if None); a file of samples is dealt out.
    Those of pairs are what was made, or is made now by a translator, from the inputs of the real ones: one Fake.
    """
    with container.read(path, "samples", "checkpoint") as file:
        _check(file, real.source, count, repeats)
        about: dict[str, Any] = {"fake": path}
        if file.kind == "checkpoint":
            updates, batch = checkpoints.updates(file), checkpoints.config_of(file).batch
            about |= {"step": updates["G"], "kimg": round(updates["D"] * batch / 1000, 3)}
        if _are_pairs(file, real.source):
            yield about
            yield Fake(real, _of_the_same_rows(file, real, device), is_paired=True)
            return
        samples, each = _chosen(file, real, count, repeats, limit, device)
        check_finite(path, samples)
        yield about
        deal = stream(real.seed, "deal").permutation(each * repeats).reshape(repeats, each)
        yield from (Fake(real, samples[rows] if repeats > 1 else samples) for rows in deal)


def _of_the_same_rows(file: File, real: Real, device: str) -> np.ndarray:
    """The samples made from the inputs of the real ones, now by a translator or before."""
    return translated(file, real, device) if file.kind == "checkpoint" else Samples(file).array[real.rows]


def _chosen(file: File, real: Real, count: int | None, repeats: int, limit: int, device: str) -> tuple[np.ndarray, int]:
    """The samples of all sets of a FAKE, and how many each has; Error if these are too few."""
    samples: np.ndarray | None = None
    if file.kind == "checkpoint":
        each = count or min(len(real.samples), limit)
    else:
        samples = Samples(file).array
        each = min(count or limit, len(samples) // repeats)
    if each < metrics.LEAST:
        raise Error(f"{file.name}: {each} samples per set are too few to score; {metrics.LEAST} are needed")
    if samples is not None:
        return samples[subset(len(samples), each * repeats, real.seed, "fake")], each
    from ganutils.inference.generate import draw_samples

    return draw_samples(file, each * repeats, real.seed, device)[0], each


def translated(file: File, real: Real, device: str, count: int | None = None) -> np.ndarray:
    """What the translator in `file` makes of the inputs of REAL, or of the first `count`: uint8 [N, H, W, C]."""
    from ganutils.compute import devices
    from ganutils.inference.translate import translate
    from ganutils.networks.weights import load_generator

    generator, config = load_generator(file)
    generator = generator.to(devices.prepare(device, None, config.work))
    labels = real.source.labels_of(config.classes)[real.rows][:count] if config.classes else None
    assert real.inputs is not None
    return np.concatenate(list(translate(generator, config, real.inputs[:count], labels)))
