"""Results in the format that the suffix of their name asks for.

.safetensors (any kind), .npy (the main array), .png (a sheet), NAME/ (one PNG per sample), or a film's suffix.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from ganutils import Error
from ganutils.files import atomic, container, folders, npy, paths
from ganutils.files.container import Stream
from ganutils.files.kinds import IMAGES, MAIN
from ganutils.films.columns import arranged
from ganutils.films.film import write_film
from ganutils.films.formats import sample_formats
from ganutils.films.frames import of_tensor, of_tensors
from ganutils.films.layout import Look


def write_output(
    path: str,
    kind: str,
    tensors: Mapping[str, np.ndarray | Stream],
    meta: Mapping[str, Any],
) -> str:
    """Write samples or latents in the format that `path` names, .safetensors to a pipe; a summary in a few words.

    Error if that format cannot hold them.
    """
    suffix = paths.format_of(path, sample_formats())
    modality = next(one for one in MAIN if one.tensor in tensors)
    main = tensors[modality.tensor]
    if suffix == ".safetensors":
        container.write(path, kind, tensors, meta)
    elif suffix == ".npy":
        npy.write(path, main.shape, main.dtype, _chunks(main))
    elif modality is not IMAGES:
        raise Error(f"{path}: {modality.noun} are not pictures; write them as .safetensors or .npy")
    elif not math.prod(main.shape):
        raise Error(f"{path}: there are no pictures to write")
    elif suffix == "/":
        pictures = (one for chunk in _chunks(main) for one in chunk.reshape(-1, *main.shape[-3:]))
        folders.write(path, pictures, meta.get("lineage", ()))
    else:
        is_alone = main.shape[-4] == 1 and "back" not in tensors  # one picture, shown without what stands beside it
        frames = of_tensor(path, main, meta) if is_alone else of_tensors(path, tensors, meta)
        shown, look = arranged([frames], Look(), suffix)
        return write_film(path, suffix, shown, look, lineage=meta.get("lineage", ()))
    return f"{modality.tensor} {list(main.shape)}"


def _chunks(main: np.ndarray | Stream) -> Iterator[np.ndarray]:
    return iter([main] if isinstance(main, np.ndarray) else main.chunks)


def write_json(path: str, value: Any, indent: int | None = None) -> None:
    """Write `value` as JSON, whole or not at all."""
    with atomic.replacing(path) as out:
        out.write((json.dumps(value, indent=indent, ensure_ascii=False) + "\n").encode())
