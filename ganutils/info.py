"""What a file is: in lines for people, as JSON, as a thumbnail sheet."""

from __future__ import annotations

import math
import re
import shlex
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from ganutils import Error
from ganutils.files import png
from ganutils.files.container import File, Spec
from ganutils.films.film import write_film
from ganutils.films.frames import of_tensor
from ganutils.films.layout import Look
from ganutils.latents.draw import choose_latents
from ganutils.runs import checkpoints
from ganutils.runs.series import open_series
from ganutils.samples.samples import Samples

PREVIEW = 36  # samples on a thumbnail sheet
PREVIEW_WIDTH = 900  # pixels; small pictures are enlarged towards it
PREVIEW_POINTS = 4096


def describe(file: File) -> Iterator[str]:
    """Kind, counters and settings, arrays, and the commands that led to it."""
    yield f"{file.name}: {file.kind}, format {file.meta['format']}"
    if file.kind == "checkpoint":
        settings = checkpoints.config_of(file)
        counts = checkpoints.updates(file)
        kimg = counts["D"] * settings.batch / 1000
        yield f"  step {counts['G']:,}: {counts['D']:,} discriminator updates, {kimg:,.1f} kimg"
        yield "  settings: " + ", ".join(f"{name} {value}" for name, value in settings.as_json().items())
    for key in sorted(file.meta.keys() - {"format", "kind", "config", "lineage"}):
        yield f"  {key}: {file.meta[key]}"
    for part, specs in _parts(file).items():
        if len(specs) == 1:
            yield f"  {part}: {specs[0].dtype} {list(specs[0].shape)}"
        else:
            numbers = sum(math.prod(spec.shape) for spec in specs)
            yield f"  {part}: {len(specs)} tensors, {numbers:,} numbers"
    if file.meta.get("lineage"):
        yield "  made by"
        yield from (f"    {line}" for line in recipe(file.meta["lineage"]))


def as_json(file: File) -> dict[str, Any]:
    """The same as one object: `file`, `kind`, `format`, `tensors`, the metadata, `made_by` and `recipe`."""
    meta = {key: value for key, value in file.meta.items() if key != "lineage"}
    found: dict[str, Any] = {"file": file.name, **meta}
    if file.kind == "checkpoint":
        settings, counts = checkpoints.config_of(file), checkpoints.updates(file)
        found |= {"step": counts["G"], "updates": counts, "kimg": counts["D"] * settings.batch / 1000}
        found |= {"preset": settings.preset}
    found["tensors"] = {
        name: {"dtype": str(spec.dtype), "shape": list(spec.shape)} for name, spec in sorted(file.specs.items())
    }
    lineage = file.meta.get("lineage", [])
    return {**found, "made_by": lineage, "recipe": recipe(lineage)}


def recipe(lineage: Sequence[str]) -> list[str]:
    """The commands of a lineage as lines to paste into a shell: one that wrote to a pipe ends with it.

    Run where their inputs lie, in the versions the file names, they make its content again.
    """
    return [f"{line} |" if _is_piped(line) and line is not lineage[-1] else line for line in lineage]


def _is_piped(line: str) -> bool:
    try:
        words = shlex.split(line)
    except ValueError:
        return False
    is_command = bool(words) and words[0].startswith("gan-")
    return is_command and not any(re.match(r"-o(?!f)|--output\b", word) for word in words[1:])


# ------------------------------------------------------------------------------------------- preview


def preview(file: File, path: str) -> str:
    """Write a PNG of some samples of a file, or that its generator makes, to `path`; say what it is."""
    if file.kind == "checkpoint":
        samples = _sampled(file)
    elif file.kind == "samples":
        whole = Samples(file)
        samples = _spaced(whole.array, PREVIEW if whole.are_images else PREVIEW_POINTS)
    else:
        raise Error(f"{file.name}: {file.kind} cannot be looked at; gan-sample turns latents into pictures")
    if samples.ndim == 2:
        from ganutils.plots import densities, style

        style.write(path, densities.points(samples), dpi=100)
    else:
        grid = png.grid_of(len(samples))
        step = math.ceil(grid[0] * max(samples.shape[1:3]) / (2 * PREVIEW_WIDTH))  # so that large ones fit a screen
        small = samples[:, ::step, ::step]
        scale = min(4, max(1, PREVIEW_WIDTH // (grid[0] * small.shape[2])))
        write_film(path, ".png", [of_tensor(file.name, small, {})], Look(grid=grid, scale=scale))
    return f"{len(samples):,} samples shown"


def _spaced(samples: np.ndarray, count: int) -> np.ndarray:
    """`count` of them, evenly spaced: data are often sorted, and a film's first frame is noise."""
    return samples[np.linspace(0, len(samples) - 1, min(count, len(samples))).astype(int)]


def _sampled(file: File) -> np.ndarray:
    """What the averaged generator of a checkpoint makes of the first latents of seed 0."""
    import torch

    from ganutils.inference.generate import film

    series = open_series(file, [])
    count = PREVIEW if len(series.config.shape) == 3 else PREVIEW_POINTS
    z = choose_latents(series.config, None, None, 0, count)
    labels = series.labels(z.shape[:-1], None, None)
    return np.concatenate(list(film(series, z, labels, torch.device("cpu"))))


def _parts(file: File) -> dict[str, list[Spec]]:
    """Tensors by what their names begin with: G, D, ema, opt, updates; or images, labels and the like."""
    parts: dict[str, list[Spec]] = {}
    for name in sorted(file.specs):
        parts.setdefault(name.split(".")[0], []).append(file.specs[name])
    return parts
