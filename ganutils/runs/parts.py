"""An unfinished run beside its output, so that the output is only ever a finished one (gan-loop --part)."""

from __future__ import annotations

import contextlib
import os

from ganutils.files import container
from ganutils.runs import checkpoints


def part_of(output: str) -> str:
    """Where the run is written until it is finished; beside the file that a link points to."""
    return f"{os.path.realpath(output) if os.path.islink(output) else output}.part"


def latest(output: str) -> str:
    """What to continue from: `output` or its part, whichever is further; `output` if neither exists."""
    there = [path for path in (output, part_of(output)) if os.path.exists(path)]
    return max(there, key=_step) if len(there) > 1 else (*there, output)[0]


def _step(path: str) -> int:
    with container.read(path, "checkpoint") as file:
        return checkpoints.updates(file)["G"]


def remove(output: str) -> None:
    """Remove the part of an `output` that is finished."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(part_of(output))
