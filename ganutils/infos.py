"""What a file is, in lines for people."""

from __future__ import annotations

import math
from collections.abc import Iterator

from ganutils import checkpoints
from ganutils.files import File, Spec


def described(file: File) -> Iterator[str]:
    """Kind, counters and settings, arrays, and the commands that led to it."""
    yield f"{file.name}: {file.kind}, format {file.meta['format']}"
    if file.kind == "checkpoint":
        settings = checkpoints.settings(file)
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
        yield from (f"    {line}" for line in file.meta["lineage"])


def _parts(file: File) -> dict[str, list[Spec]]:
    """Tensors by what their names begin with: G, D, ema, opt, updates; or images, labels and the like."""
    parts: dict[str, list[Spec]] = {}
    for name in sorted(file.specs):
        parts.setdefault(name.split(".")[0], []).append(file.specs[name])
    return parts
