"""Where a training command starts: a new run, a checkpoint given with --from, or its own output, continued."""

from __future__ import annotations

import contextlib
import dataclasses
import os
from collections.abc import Iterator, Mapping
from typing import Any

from ganutils import Error
from ganutils.files import container, lineage, paths
from ganutils.files.container import File
from ganutils.runs import checkpoints
from ganutils.runs.config import Config, differences, fresh
from ganutils.samples.samples import MOST_CLASSES, Samples, in_words


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


@contextlib.contextmanager
def start(samples: Samples | None, origin: str | None, given: Mapping[str, Any]) -> Iterator[Start]:
    """Start on `samples` from the checkpoint `origin`, or anew if that is None. `given`: the settings typed.

    Raises Error if the data have not the shape the checkpoint was made for, or a setting given is not the stored one.
    """
    if samples is not None and samples.name == "standard input" and origin == "-":
        raise Error("standard input: cannot be both the data and --from; give one of them as a file")
    given = dict(given)
    if given.pop("conditional", False) and samples is not None:
        samples.labels_of(MOST_CLASSES)
        given["classes"] = len(samples.classes)
    with contextlib.ExitStack() as stack:
        checkpoint = None
        if origin is None:
            if samples is None:
                raise Error("a new run needs DATA, to know the shape of its samples; or give --from CHECKPOINT")
            settings = fresh(samples.shape, given)
        else:
            checkpoint = stack.enter_context(container.read(origin, "checkpoint"))
            settings = checkpoints.config_of(checkpoint)
            other = differences(settings, given)
            if other:
                raise Error(f"{checkpoint.name}: its settings are fixed: {other}; leave the option out or start anew")
            if samples is not None and samples.shape != settings.shape:
                raise Error(
                    f"{samples.name}: samples are {in_words(samples.shape)}, {checkpoint.name} was made for "
                    f"{in_words(settings.shape)}; make data of that shape with gan-data --size and --channels"
                )
        data = samples.identity() if samples is not None else checkpoint.meta.get("data", {}) if checkpoint else {}
        parents = [file.meta.get("lineage", []) for file in (samples, checkpoint) if file is not None]
        namer = checkpoint or samples
        classes = namer.meta.get("classes") if settings.classes and namer else None
        yield Start(settings, checkpoint, data, parents, classes)


@contextlib.contextmanager
def resume(samples: Samples, origin: str | None, output: str | None, given: Mapping[str, Any]) -> Iterator[Start]:
    """As `start`, but go on from `output` if it is there; Error if that was made with other settings or data.

    `output` None: start over, whatever is there.
    """
    if output is None or paths.is_pipe(output) or not os.path.exists(output):
        with start(samples, origin, given) as begun:
            yield begun
        return
    with start(samples, origin, given) as intended, start(samples, output, {}) as begun:
        other = differences(begun.config, vars(intended.config))
        if begun.checkpoint is not None and begun.checkpoint.meta.get("data") != intended.data:
            other = ", ".join(filter(None, [other, "the data are not the same"]))
        if other:
            raise Error(f"{output}: is another run: {other}; --fresh starts over, or choose another -o")
        yield dataclasses.replace(begun, resumed=True)
