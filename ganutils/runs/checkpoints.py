"""What a checkpoint says of itself: its config and how far training is. Read without torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ganutils import Error
from ganutils.files.container import File
from ganutils.files.kinds import TEXTS, modality_of_shape
from ganutils.files.letters import alphabet_of
from ganutils.runs.config import SETTINGS, Config
from ganutils.runs.contradictions import contradiction
from ganutils.runs.settings import UNSET
from ganutils.samples.samples import DOMAINS

MOST_UPDATES = 10**12  # a thousand of D for each of a billion steps
LISTED = 20  # classes in a message


def config_of(file: File) -> Config:
    """The config in a checkpoint; Error that names the setting if one is missing, unknown or invalid."""
    stored = file.meta.get("config")
    if not isinstance(stored, dict):
        raise Error(f"{file.name}: damaged: a checkpoint without its settings")
    values = _renewed(stored)
    for name in sorted(SETTINGS.keys() ^ values.keys()):
        what = "missing from its settings" if name in SETTINGS else "no known setting; or a newer ganutils wrote it"
        raise Error(f"{file.name}: damaged: {name!r} is {what}")
    for name, setting in SETTINGS.items():
        problem = setting.problem(values[name])
        if problem:
            raise Error(f"{file.name}: damaged: {name} is {values[name]!r}, {problem}")
    config = Config(**{name: setting.native(values[name]) for name, setting in SETTINGS.items()})
    problem = contradiction(config)
    if problem:
        raise Error(f"{file.name}: damaged: {problem}")
    if modality_of_shape(config.shape) is TEXTS and len(alphabet_of(file.name, file.meta)) != config.shape[1]:
        raise Error(f"{file.name}: damaged: its alphabet has not {config.shape[1]} letters, as its settings say")
    return config


def class_names(meta: Mapping[str, Any], config: Config) -> list[str]:
    """The names of the classes, or of the domains, in the metadata of a checkpoint; numbers where it has none."""
    count = config.domains or config.classes
    names = [str(name) for name in meta.get("classes") or ()]
    return [*names, *map(str, range(len(names), count))][:count]


def check_latents(name: str, config: Config) -> None:
    """Error, with the checkpoint's `name`, unless its generator starts from latents."""
    if config.inputs is not None:
        raise Error(f"{name}: makes pictures from pictures, not from latents; give gan-sample --inputs FILE")


def domains_of(file: File) -> list[str]:
    """The names of the two classes that a checkpoint translates between; none if it does something else."""
    config = config_of(file)
    if not config.domains:
        return []
    names = class_names(file.meta, config)
    if len(set(names)) < DOMAINS or len(file.meta.get("classes") or ()) > DOMAINS:
        raise Error(f"{file.name}: damaged: it translates between two classes, and names others")
    return names


def class_number(path: str, names: Sequence[str], wanted: str) -> int:
    """The number of the class `wanted`, a name or number, among `names`; Error, with `path`, if there is none."""
    if wanted in names:
        return [*names].index(wanted)
    if not wanted.isdecimal() or int(wanted) >= len(names):
        are_numbers = [*names] == [*map(str, range(len(names)))]
        more = f", ... ({len(names):,})" if len(names) > LISTED else ""
        classes = f"0 to {len(names) - 1}" if are_numbers else ", ".join(names[:LISTED]) + more
        raise Error(f"{path}: has no class {wanted!r}; its classes are {classes}")
    return int(wanted)


def _renewed(stored: dict[str, Any]) -> dict[str, Any]:
    """The settings of a checkpoint of any age by today's names, with those that came later."""
    values = dict(stored)
    for name, setting in SETTINGS.items():
        if setting.was and setting.was in values and name not in values:
            values[name] = values.pop(setting.was)
        if setting.earlier is not UNSET:
            values.setdefault(name, setting.earlier)
    return values


def updates(file: File) -> dict[str, int]:
    """How often each network of a checkpoint was updated."""
    counts = {}
    for name in ("G", "D"):
        spec = file.specs.get(f"updates.{name}")
        count = -1 if spec is None or spec.shape or spec.dtype.kind != "i" else int(file[f"updates.{name}"])
        if not 0 <= count <= MOST_UPDATES:
            raise Error(f"{file.name}: damaged: it has no count updates.{name} from 0 to {MOST_UPDATES:,}")
        counts[name] = count
    return counts


def progress(file: File, config: Config) -> dict[str, Any]:
    """How far the training of a checkpoint is: `step`, and `kimg`, thousands of real samples shown to D."""
    counts = updates(file)
    return {"step": counts["G"], "kimg": counts["D"] * config.batch / 1000}


def has_discriminator(file: File) -> bool:
    """Whether a checkpoint is of the whole run; a snapshot may hold the averaged generator alone."""
    return any(name.startswith("D.") for name in file.specs)
