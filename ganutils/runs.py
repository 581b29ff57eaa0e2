"""Where a training command starts: a new run, a checkpoint given with --from, or its own output, continued."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import math
import os
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from ganutils import Error, checkpoints, config, files, lineage, paths
from ganutils.config import Config
from ganutils.files import File


@dataclasses.dataclass
class Start:
    """A run's settings and, unless it is new, the checkpoint it goes on from."""

    config: Config
    checkpoint: File | None
    data: dict[str, Any]
    lineages: list[list[str]]
    classes: list[str] | None  # their names, of a conditional run
    resumed: bool = False  # the checkpoint is the command's own output

    @property
    def step(self) -> int:
        """Generator updates done so far."""
        return checkpoints.updates(self.checkpoint)["G"] if self.checkpoint else 0

    def meta(self, line: str) -> dict[str, Any]:
        """Metadata of what the command `line` makes of this."""
        named = {} if self.classes is None else {"classes": self.classes}
        return {"data": self.data, "lineage": lineage.joined(self.lineages, line), **named}


class TrainingSet(NamedTuple):
    """Samples uint8 [N, H, W, C] or float32 [N, D], in memory or mapped; labels int64 [N] where classes are trained."""

    samples: np.ndarray
    labels: np.ndarray | None = None


@contextlib.contextmanager
def start(samples: File | None, origin: str | None, given: Mapping[str, Any]) -> Iterator[Start]:
    """Start on `samples` from the checkpoint `origin`, or anew if that is None. `given`: the settings typed.

    Raises Error if the data have not the shape the checkpoint was made for, or a setting given is not the stored one.
    """
    if samples is not None and samples.name == "standard input" and origin == "-":
        raise Error("standard input: cannot be both the data and --from; give one of them as a file")
    given = dict(given)
    if given.pop("conditional", False) and samples is not None:
        given["classes"] = classes_of(samples)
    with contextlib.ExitStack() as stack:
        checkpoint = None
        if origin is None:
            if samples is None:
                raise Error("a new run needs DATA, to know the shape of its samples; or give --from CHECKPOINT")
            settings = config.fresh(sample_shape(samples), given)
        else:
            checkpoint = stack.enter_context(files.read(origin, "checkpoint"))
            settings = checkpoints.settings(checkpoint)
            other = config.differences(settings, given)
            if other:
                raise Error(f"{checkpoint.name}: its settings are fixed: {other}; leave the option out or start anew")
            if samples is not None and sample_shape(samples) != settings.shape:
                raise Error(
                    f"{samples.name}: samples are {_by(sample_shape(samples))}, {checkpoint.name} was made for "
                    f"{_by(settings.shape)}; make data of that shape with gan-data --size and --channels"
                )
        data = identity(samples) if samples is not None else checkpoint.meta.get("data", {}) if checkpoint else {}
        parents = [file.meta.get("lineage", []) for file in (samples, checkpoint) if file is not None]
        namer = checkpoint or samples
        classes = namer.meta.get("classes") if settings.classes and namer else None
        yield Start(settings, checkpoint, data, parents, classes)


@contextlib.contextmanager
def resume(samples: File, origin: str | None, output: str | None, given: Mapping[str, Any]) -> Iterator[Start]:
    """As `start`, but go on from `output` if it is there; Error if that was made with other settings or data.

    `output` None: start over, whatever is there.
    """
    if output is None or paths.is_pipe(output) or not os.path.exists(output):
        with start(samples, origin, given) as begun:
            yield begun
        return
    with start(samples, origin, given) as intended, start(samples, output, {}) as begun:
        other = config.differences(begun.config, vars(intended.config))
        if begun.checkpoint is not None and begun.checkpoint.meta.get("data") != intended.data:
            other = ", ".join(filter(None, [other, "the data are not the same"]))
        if other:
            raise Error(f"{output}: is another run: {other}; --fresh starts over, or choose another -o")
        yield dataclasses.replace(begun, resumed=True)


def training_set(samples: File, settings: Config) -> TrainingSet:
    """What a run of `settings` trains on."""
    return TrainingSet(flat(samples), checkpoints.labels_below(samples, settings.classes) if settings.classes else None)


def flat(samples: File) -> np.ndarray:
    """The samples with their leading axes flattened: uint8 [N, H, W, C] or float32 [N, D]. Error if there is none."""
    name = "points" if "points" in samples else "images"
    array = samples[name].reshape(-1, *sample_shape(samples))
    if not len(array):
        raise Error(f"{samples.name}: holds no samples; nothing to train on")
    return array


def classes_of(samples: File) -> int:
    """How many classes its labels have: those that its metadata name, else up to the largest label."""
    named = samples.meta.get("classes")
    if isinstance(named, list) and named:
        return len(named)
    return int(checkpoints.labels_below(samples, 65536).max()) + 1


def sample_shape(samples: File) -> tuple[int, ...]:
    """[H, W, C] of its pictures or [D] of its points."""
    return samples.specs["points"].shape[-1:] if "points" in samples else samples.specs["images"].shape[-3:]


def identity(samples: File) -> dict[str, Any]:
    """What tells one data set from another without reading all of a large one: count, and a hash of 1,024 rows."""
    array = flat(samples)
    rows = np.unique(np.linspace(0, len(array) - 1, min(len(array), 1024)).round().astype(np.int64))
    return {"count": len(array), "hash": hashlib.sha256(np.ascontiguousarray(array[rows]).data).hexdigest()[:16]}


def _by(shape: tuple[int, ...]) -> str:
    """[H, W, C] as people write it, W x H x C."""
    if len(shape) == 1:
        return f"{math.prod(shape)}-dimensional points"
    return f"{shape[1]}x{shape[0]}x{shape[2]}"
