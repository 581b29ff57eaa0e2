"""Where a training command starts: a new run, a checkpoint given with --from, or its own output, continued."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import math
import os
from collections.abc import Iterator, Mapping
from typing import Any

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
    resumed: bool = False  # the checkpoint is the command's own output

    @property
    def step(self) -> int:
        """Generator updates done so far."""
        return checkpoints.updates(self.checkpoint)["G"] if self.checkpoint else 0

    def meta(self, line: str) -> dict[str, Any]:
        """Metadata of what the command `line` makes of this."""
        return {"data": self.data, "lineage": lineage.joined(self.lineages, line)}


@contextlib.contextmanager
def start(samples: File | None, origin: str | None, given: Mapping[str, Any]) -> Iterator[Start]:
    """Start on `samples` from the checkpoint `origin`, or anew if that is None. `given`: the settings typed.

    Raises Error if the data have not the shape the checkpoint was made for, or a setting given is not the stored one.
    """
    if samples is not None and samples.name == "standard input" and origin == "-":
        raise Error("standard input: cannot be both the data and --from; give one of them as a file")
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
        yield Start(settings, checkpoint, data, parents)


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


def array(samples: File) -> np.ndarray:
    """The samples with their leading axes flattened: uint8 [N, H, W, C] or float32 [N, D]. Error if there is none."""
    name = "points" if "points" in samples else "images"
    whole = samples[name]
    flat = whole.reshape(-1, *sample_shape(samples))
    if not len(flat):
        raise Error(f"{samples.name}: holds no samples; nothing to train on")
    return flat


def sample_shape(samples: File) -> tuple[int, ...]:
    """[H, W, C] of its pictures or [D] of its points."""
    return samples.specs["points"].shape[-1:] if "points" in samples else samples.specs["images"].shape[-3:]


def identity(samples: File) -> dict[str, Any]:
    """What tells one data set from another without reading all of a large one: count, and a hash of 1,024 rows."""
    flat = array(samples)
    rows = np.unique(np.linspace(0, len(flat) - 1, min(len(flat), 1024)).round().astype(np.int64))
    return {"count": len(flat), "hash": hashlib.sha256(np.ascontiguousarray(flat[rows]).data).hexdigest()[:16]}


def _by(shape: tuple[int, ...]) -> str:
    """[H, W, C] as people write it, W x H x C."""
    if len(shape) == 1:
        return f"{math.prod(shape)}-dimensional points"
    return f"{shape[1]}x{shape[0]}x{shape[2]}"
