"""The forms a result can take at the edge of the chain; the suffix of its name decides.

.safetensors (any kind), .npy (its one main array), .png (a sheet), name/ (one PNG a sample), a film by its suffix.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from ganutils import Error
from ganutils.files import atomic, container, folders, paths
from ganutils.files.container import Stream
from ganutils.films.film import write_film
from ganutils.films.formats import sample_formats
from ganutils.films.frames import of_tensor

MAIN = ("images", "points", "latents")  # the array that a file of one array holds, the first that is there


def write_output(
    path: str,
    kind: str,
    tensors: Mapping[str, np.ndarray | Stream],
    meta: Mapping[str, Any],
) -> str:
    """Write samples or latents in the form that `path` names, .safetensors if a pipe; say what it is in a few words."""
    suffix = paths.format_of(path, sample_formats())
    name = next(name for name in MAIN if name in tensors)
    main = tensors[name]
    if suffix == ".safetensors":
        container.write(path, kind, tensors, meta)
    elif suffix == ".npy":
        _write_npy(path, main)
    elif name != "images":
        raise Error(f"{path}: {name} are not pictures; write them as .safetensors or .npy")
    elif not math.prod(main.shape):
        raise Error(f"{path}: not written: there are no pictures to show")
    elif suffix == "/":
        folders.write(path, (one for chunk in _chunks(main) for one in chunk.reshape(-1, *main.shape[-3:])))
    else:
        return write_film(path, suffix, [of_tensor(path, main, meta)])
    return f"{name} {list(main.shape)}"


def _chunks(main: np.ndarray | Stream) -> Iterator[np.ndarray]:
    return iter([main] if isinstance(main, np.ndarray) else main.chunks)


def _write_npy(path: str, main: np.ndarray | Stream) -> None:
    with atomic.replacing(path) as out:
        header = {"descr": np.dtype(main.dtype).str, "fortran_order": False, "shape": tuple(main.shape)}
        np.lib.format.write_array_header_1_0(out, header)
        for chunk in _chunks(main):
            out.write(np.ascontiguousarray(chunk).tobytes())
