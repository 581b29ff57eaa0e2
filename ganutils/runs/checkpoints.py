"""What a checkpoint says of itself: settings, counters, shapes. Read without torch."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

from ganutils import Error
from ganutils.files.container import File
from ganutils.runs.config import LATER, SETTINGS, Config, Setting, contradiction, is_choice, is_decay, is_shape


def config_of(file: File) -> Config:
    """The settings in a checkpoint; Error by the field's name if one is missing, unknown or not sensible."""
    found = file.meta.get("config")
    if not isinstance(found, dict):
        raise Error(f"{file.name}: damaged: a checkpoint without its settings")
    found = {**LATER, **found}
    names = {field.name for field in dataclasses.fields(Config)}
    for name in sorted(names ^ found.keys()):
        what = "missing from its settings" if name in names else "unknown in its settings; or a newer ganutils wrote it"
        raise Error(f"{file.name}: damaged: {name!r} is {what}")
    for name, setting in SETTINGS.items():
        problem = _problem(setting, found[name])
        if problem:
            raise Error(f"{file.name}: damaged: {name} is {found[name]!r}, {problem}")
    shape = found["shape"]
    if not is_shape(shape):
        raise Error(f"{file.name}: damaged: shape is {shape!r}, not [H, W, C] or [D]")
    if not isinstance(found["preset"], str):
        raise Error(f"{file.name}: damaged: preset is {found['preset']!r}, not a name")
    decay = found["decay"] and tuple(found["decay"])
    its = Config(**{**found, "shape": tuple(shape), "decay": decay})
    problem = contradiction(its)
    if problem:
        raise Error(f"{file.name}: damaged: {problem}")
    return its


def _problem(setting: Setting, value: Any) -> str | None:
    """Why `value` (from JSON) cannot be this setting, or None."""
    if setting.type is tuple:
        if value is None or (isinstance(value, list) and len(value) == 2 and is_decay(*value)):
            return None
        return "not [FIRST, LAST] with 0 <= FIRST < LAST"
    if setting.type is float and type(value) is int:
        value = float(value)
    if type(value) is not setting.type:
        return f"not of type {setting.type.__name__}"
    if setting.choices and not is_choice(setting, value):
        return f"not one of {', '.join(setting.choices)}"
    if isinstance(value, int | float) and not (setting.least or 0) <= value <= (setting.most or math.inf):
        return f"not from {setting.least} to {setting.most}"
    return None


def updates(file: File) -> dict[str, int]:
    """How often each network of a checkpoint was updated."""
    counts = {}
    for name in ("G", "D"):
        spec = file.specs.get(f"updates.{name}")
        if spec is None or spec.shape or spec.dtype.kind != "i" or (count := int(file[f"updates.{name}"])) < 0:
            raise Error(f"{file.name}: damaged: it has no count updates.{name}")
        counts[name] = count
    return counts
