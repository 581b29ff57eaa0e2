"""Results in the format that the suffix of their name asks for.

.safetensors (any kind), .npy (the main array), .png (a sheet), .wav (sounds one after another), .txt (a line for each
text), NAME/ (a WAV or PNG per sample), or a film's suffix.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from ganutils import Error
from ganutils.files import atomic, container, folders, letters, npy, paths
from ganutils.files.container import Stream
from ganutils.files.kinds import IMAGES, LATENTS, MAIN, POINTS, TEXTS, Modality
from ganutils.films.columns import arranged
from ganutils.films.film import write_film
from ganutils.films.formats import sample_formats
from ganutils.films.frames import of_tensor, of_tensors
from ganutils.films.layout import Look
from ganutils.sounds import wav
from ganutils.sounds.hearing import Hearing, sounds_of


def write_output(
    path: str,
    kind: str,
    tensors: Mapping[str, np.ndarray | Stream],
    meta: Mapping[str, Any],
    tell: Callable[[str], None] = lambda message: None,
) -> str:
    """Write samples or latents in the format that `path` names, .safetensors to a pipe; a summary in a few words.

    tell   takes what to say of a result that lacks something

    Error if that format cannot hold them.
    """
    suffix = paths.format_of(path, sample_formats())
    modality = next(one for one in MAIN if one.tensor in tensors)
    main, lineage = tensors[modality.tensor], meta.get("lineage", ())
    if suffix == ".safetensors":
        container.write(path, kind, tensors, meta)
        return f"{modality.tensor} {list(main.shape)}"
    if suffix == ".npy":
        npy.write(path, main.shape, main.dtype, _chunks(main))
        return f"{modality.tensor} {list(main.shape)}"
    _check_format(path, suffix, modality)
    lead, shape = modality.split(main.shape)
    if not math.prod(main.shape):
        raise Error(f"{path}: there are no {modality.noun} to write")
    if suffix == ".txt":
        return _write_texts(path, main, letters.alphabet_of(path, meta))
    if suffix in (".wav", "/"):
        samples, heard = (chunk.reshape(-1, *shape) for chunk in _chunks(main)), sounds_of(path, meta, shape)
        return _write_sounds(path, suffix, math.prod(lead), samples, heard, lineage)
    is_alone = modality is IMAGES and lead[-1] == 1 and "back" not in tensors  # shown without what stands beside it
    frames = of_tensor(path, main, meta) if is_alone else of_tensors(path, tensors, meta)
    shown, look = arranged([frames], Look(), suffix)
    return write_film(path, suffix, shown, look, lineage=lineage, tell=tell)


def _check_format(path: str, suffix: str, modality: Modality) -> None:
    """Error if such samples cannot be written so."""
    what = {".wav": "sounds", ".txt": "texts", "/": "pictures or sounds"}.get(suffix, "pictures")
    others = {".wav": (TEXTS,), ".txt": set(MAIN) - {TEXTS}, "/": (TEXTS,)}.get(suffix, ())
    if modality in (POINTS, LATENTS, *others):
        ways = ".safetensors, .npy, .txt or .png" if modality is TEXTS else ".safetensors or .npy"
        raise Error(f"{path}: {modality.noun} are not {what}; write them as {ways}")


def _write_texts(path: str, main: np.ndarray | Stream, alphabet: str) -> str:
    """Write a line for each."""
    count = 0
    with atomic.replacing(path) as out:
        for chunk in _chunks(main):
            lines = letters.decoded(path, chunk, alphabet)
            out.write("".join(f"{line}\n" for line in lines).encode())
            count += len(lines)
    return f"{count:,} lines"


def _write_sounds(
    path: str, suffix: str, count: int, samples: Iterator[np.ndarray], heard: Hearing | None, lineage: Sequence[str]
) -> str:
    """Write `count` samples [n, ...] as a .wav, or as the files of a folder; pictures of no sound as PNGs."""
    if heard is None and suffix == "/":
        return f"{folders.write(path, (one for some in samples for one in some), lineage):,} pictures"
    if heard is None:
        how = "write .png, or make pictures of sounds with gan-data --spectrogram"
        raise Error(f"{path}: these pictures are no sounds; {how}")
    sounds = (heard.sounds(some) for some in samples)
    if suffix == "/":
        folders.write(path, (one for some in sounds for one in some), lineage, wav.writer(heard.rate))
    else:
        length, channels = heard.shape
        wav.write(path, heard.rate, (count * length, channels), sounds, lineage)
    return f"{count:,} sounds, {count * heard.seconds:.2f} s"


def _chunks(main: np.ndarray | Stream) -> Iterator[np.ndarray]:
    return iter([main] if isinstance(main, np.ndarray) else main.chunks)


def write_json(path: str, value: Any, indent: int | None = None) -> None:
    """Write `value` as JSON, whole or not at all."""
    with atomic.replacing(path) as out:
        out.write((json.dumps(value, indent=indent, ensure_ascii=False) + "\n").encode())
