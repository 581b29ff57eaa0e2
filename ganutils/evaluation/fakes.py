"""What gan-eval scores: the samples of each FAKE, from a file, drawn by a generator, or translated from inputs."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from ganutils import Error
from ganutils.evaluation import metrics, texts
from ganutils.evaluation.extractors.extractor import check_finite
from ganutils.evaluation.said import Said, said_in, said_of
from ganutils.evaluation.sets import Fake, Labels, Real
from ganutils.evaluation.translators import Direction, Given, Translator, check_classes, check_taken, load_translator
from ganutils.files import container
from ganutils.files.container import File
from ganutils.files.kinds import IMAGES
from ganutils.randomness import stream
from ganutils.runs import checkpoints
from ganutils.runs.descriptions import told_like
from ganutils.samples import encoding
from ganutils.samples.samples import Samples, check_shape, subset

CHUNK = 1 << 24  # bytes of inputs that are compared at a time


def check_fake(path: str, real: Samples, count: int | None, repeats: int, direction: Direction | None) -> None:
    """Error unless the file `path` has, or makes, samples like the `real` ones. A pipe is looked at when it is read.

    Where both have inputs, they must be the same: each sample is compared with the real one in its row, all once.
    """
    if path != "-":
        with container.read(path, "samples", "checkpoint") as file:
            _check(file, real, count, repeats, direction)


def check_baseline(real: Samples, direction: Direction | None) -> None:
    """Error unless there are pictures that translators are given, and that can be scored; or sounds, or texts."""
    if real.input_shape is None and (direction is not None or real.are_heard or real.are_texts):
        return
    if real.input_shape is None:
        raise Error(f"{real.name}: has no inputs to score; leave out --baseline, or give pairs (gan-data --inputs)")
    if real.input_shape[2] not in IMAGES.channels:
        raise Error(
            f"{real.name}: has inputs of {real.input_shape[2]} channels, which are no pictures; leave out --baseline"
        )


def _check(file: File, real: Samples, count: int | None, repeats: int, direction: Direction | None) -> None:
    if (count or repeats > 1) and _are_pairs(file, real):
        what = f"each of its samples is compared with the one of {real.name} in the same row"
        raise Error(f"{file.name}: {what}; leave out {'-n' if count else '--repeats'}, or choose rows with --limit")
    if file.kind == "checkpoint":
        _check_checkpoint(file, real, direction)
        encoding.check_alike(file.name, file.meta, real.name, real.meta)
        return
    samples = Samples(file)
    samples.check_like(real)
    samples.check_any()
    if samples.inputs is not None and real.inputs is not None and not _are_same(samples.inputs, real.inputs):
        advice = f"make it with gan-sample CHECKPOINT --inputs {os.path.basename(real.name)}"
        raise Error(f"{file.name}: was not made from the inputs of {real.name}, row by row; {advice}")


def _are_pairs(file: File, real: Samples) -> bool:
    """Whether the samples of `file` are, or will be, made from the inputs of the `real` ones."""
    makes_from_inputs = checkpoints.config_of(file).inputs if file.kind == "checkpoint" else "inputs" in file
    return bool(makes_from_inputs) and real.input_shape is not None


def _check_checkpoint(file: File, real: Samples, direction: Direction | None) -> None:
    """Error unless a checkpoint makes samples like the `real` ones, of what these have to be translated if need be."""
    config = checkpoints.config_of(file)
    if config.inputs is None or (config.domains and real.input_shape is None):
        check_shape(file.name, config.shape, real.name, real.shape)
    elif real.input_shape is None:
        advice = "give pairs, made by gan-data with --inputs, --halves or --derive"
        raise Error(f"{file.name}: translates pictures, and {real.name} has no inputs; {advice}")
    else:
        check_taken(file.name, config, real.name, real.input_shape, real.shape)
    if config.domains and direction is None:
        raise Error(f"{file.name}: a checkpoint between two classes is scored by its name, not from a pipe; save it")
    if config.domains and real.input_shape is None:
        assert direction is not None
        check_classes(real, direction)


def _are_same(x: np.ndarray, y: np.ndarray) -> bool:
    """Whether two arrays of pictures, in memory or on disk, hold the same."""
    if tuple(x.shape) != tuple(y.shape):
        return False
    size = max(1, CHUNK // math.prod(x.shape[1:]))
    return all(np.array_equal(x[start : start + size], y[start : start + size]) for start in range(0, len(x), size))


def fakes(path: str, real: Real, count: int | None, repeats: int, limit: int, device: str) -> Iterator[Any]:
    """First what the results say of the file `path`, then `repeats` Fakes that share no sample.

    A checkpoint draws them, `count` for each (as many as there are real ones, if None); a file of samples is dealt out.
    Those of pairs are what was made, or is made now by a translator, from the inputs of the real ones: one Fake. One
    that goes to REAL's class from its other one is given pictures that are dealt out as samples are.
    """
    with container.read(path, "samples", "checkpoint") as file:
        _check(file, real.source, count, repeats, real.direction)
        told: dict[str, Any] = {"fake": path}
        if file.kind == "checkpoint":
            updates, batch = checkpoints.updates(file), checkpoints.config_of(file).batch
            told |= {"step": updates["G"], "kimg": round(updates["D"] * batch / 1000, 3)}
        yield told
        if _translates(file, real):
            translator = load_translator(file, device)
            for given in given_sets(real, count, repeats, limit):
                yield translated(translator, real, given, _told_to(file, real, np.arange(len(real.source))[given.rows]))
        elif _are_pairs(file, real.source):
            whole = Samples(file)
            said = said_in(whole, np.arange(len(whole))[real.rows], real.source.attribute_names)
            yield Fake(real, whole.array[real.rows], real.given_inputs, said=said)
        elif file.kind == "checkpoint":
            yield from _drawn(file, real, count or min(len(real.samples), limit), repeats, device)
        else:
            whole = Samples(file)
            labels = _labels(whole.labels, file.meta)
            for rows in _dealt(len(whole), count or limit, repeats, real.seed, path, "samples"):
                samples = texts.at(whole, rows)
                check_finite(path, samples)
                said = said_in(whole, np.arange(len(whole))[rows], real.source.attribute_names)
                yield Fake(real, samples, labels=labels and labels.at(rows), said=said)


def _translates(file: File, real: Real) -> bool:
    return file.kind == "checkpoint" and (_are_pairs(file, real.source) or bool(checkpoints.config_of(file).domains))


def given_sets(real: Real, count: int | None, repeats: int, limit: int) -> Iterator[Given]:
    """What a translator is given for each set: all inputs, or pictures of the class that it starts from."""
    if not real.goes_between:
        yield real.given_inputs
        return
    assert real.direction is not None
    what = f"pictures of class {real.direction.start!r}"
    for rows in _dealt(len(real.starts), count or limit, repeats, real.seed, real.name, what):
        yield real.given_at(real.starts[rows])


def _dealt(total: int, most: int, repeats: int, seed: int, name: str, what: str) -> Iterator[slice | np.ndarray]:
    """Which of `total` rows, of the file `name`, each of the sets has: `most` of them, and none is in two."""
    each = min(most, total // repeats)
    if each < metrics.LEAST:
        raise Error(f"{name}: {each} {what} per set are too few to score; {metrics.LEAST} are needed")
    chosen = subset(total, each * repeats, seed, "fake")
    if repeats == 1:
        yield chosen
    else:
        yield from np.arange(total)[chosen][_deal(each, repeats, seed)]


def _deal(each: int, repeats: int, seed: int) -> np.ndarray:
    return stream(seed, "deal").permutation(each * repeats).reshape(repeats, each)


def _drawn(file: File, real: Real, each: int, repeats: int, device: str) -> Iterator[Fake]:
    from ganutils.inference.generate import draw_samples

    if each < metrics.LEAST:
        raise Error(f"{file.name}: {each} samples per set are too few to score; {metrics.LEAST} are needed")
    rows = np.resize(np.arange(len(real.source))[real.rows], each * repeats)
    told = told_like(file, real.source, rows, len(rows))
    drawn = draw_samples(file, len(rows), real.seed, device, told)
    made = texts.as_seen(real.source, drawn.samples)
    check_finite(file.name, made)
    labels, deal = _labels(drawn.labels, file.meta), _deal(each, repeats, real.seed) if repeats > 1 else [slice(None)]
    for dealt in deal:
        said = _told_to(file, real, rows[dealt])
        yield Fake(real, made[dealt], labels=labels and labels.at(dealt), said=said)


def _labels(numbers: np.ndarray | None, meta: Mapping[str, Any]) -> Labels | None:
    return None if numbers is None else Labels(numbers, meta.get("classes") or ())


def _told_to(file: File, real: Real, rows: np.ndarray) -> Said | None:
    """What the networks of a checkpoint are told: of these rows of the real ones, if they are told anything."""
    config = checkpoints.config_of(file)
    if not config.is_described or config.seen_beside not in real.source.file:
        return None
    return said_of(
        real.source, rows, real.source.attribute_names, file.meta["attributes"] if config.attributes else None
    )


def translated(translator: Translator, real: Real, given: Given, said: Said | None = None) -> Fake:
    """What a translator makes of what it is given; the way back too, if it knows one."""
    if not translator.domains:
        labels, told = translator.labels_of(real.source, given.rows), translator.told(real.source, given.rows)
        return Fake(real, translator(given.pictures, labels=labels, told=told), given, said=said)
    assert real.direction is not None
    start, goal = real.direction
    return Fake(real, translator(given.pictures, goal), given, lambda made: translator(made, start))
