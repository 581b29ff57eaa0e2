"""The snapshots of a run: what they are called, and which run they are of, since a film shows one."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Mapping
from typing import Any

from ganutils import Error
from ganutils.files import container
from ganutils.files.container import File
from ganutils.runs import checkpoints
from ganutils.runs.config import Config, differences
from ganutils.samples import identity

NAME = re.compile(r"step-\d{6,}\.safetensors")


def path_of(folder: str, step: int) -> str:
    """Where the snapshot after `step` goes."""
    return os.path.join(folder, f"step-{step:06d}.safetensors")


def run_of(config: Config, meta: Mapping[str, Any]) -> str:
    """What tells a run from others: a hash of its settings, what it trains on, and what it began with.

    meta   a checkpoint's
    """
    keys = {*identity.SAMPLES, config.seen_beside}
    data = meta.get("data")
    used = {key: value for key, value in data.items() if key in keys} if isinstance(data, dict) else None
    what = [config.as_json(), used, meta.get("init"), meta.get("origin")]
    return hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()[:16]


def check_same_run(known: dict[str, str], file: File) -> None:
    """Error if `file` is a snapshot of another run than those known before: run -> a file of it. Adds its own.

    Checkpoints, and snapshots of older versions, do not say their run.
    """
    run = file.meta.get("run")
    first = next(iter(known.values()), file.name)
    if isinstance(run, str) and known.setdefault(run, file.name) != first:
        what = f"is a snapshot of another run than {first}"
        raise Error(f"{file.name}: {what}; make a film of each, and join them with gan-gif --then")


def check_folder(folder: str, config: Config, meta: Mapping[str, Any]) -> None:
    """Error if `folder` holds snapshots of another run than that of `config` and `meta`.

    Snapshots of older versions do not say their run: those are of another that have other settings.
    """
    run = run_of(config, meta)
    for name in sorted(filter(NAME.fullmatch, os.listdir(folder) if os.path.isdir(folder) else ())):
        path = os.path.join(folder, name)
        with container.read(path, "checkpoint") as file:
            what = differences(checkpoints.config_of(file), vars(config))
            if file.meta.get("run", run) != run or what:
                raise Error(
                    f"{path}: is a snapshot of another run{f' ({what})' if what else ''}; "
                    "remove that run's snapshots, or choose another folder for --snapshots"
                )
