"""What a file is: in lines for people, as JSON, as a preview."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator
from typing import Any, cast

import numpy as np

from ganutils import Error
from ganutils.files import budget, container, kinds, letters, lineage
from ganutils.files.container import File
from ganutils.files.kinds import Spec
from ganutils.films import about
from ganutils.films.about import About
from ganutils.films.film import write_film
from ganutils.films.frames import of_tensor
from ganutils.films.layout import Look, grid_of
from ganutils.runs import checkpoints
from ganutils.samples import identity
from ganutils.samples.images import Shape, fit_pixels
from ganutils.samples.samples import Samples, in_words
from ganutils.samples.stacks import COLORS, STACKED
from ganutils.sounds import about as sounds
from ganutils.sounds import hearing, pictures, wav
from ganutils.sounds.wav import WavFile

QUOTED, QUOTE = 3, 80  # captions, or texts, that are shown, and signs of each
CAPTIONED = ("samples", "latents")
LISTED = 20  # items of a list in the metadata; longer ones are cut short
PREVIEW = {kinds.IMAGES: 36, kinds.SIGNALS: 36, kinds.TEXTS: 60, kinds.POINTS: 4096}  # samples in a preview
PREVIEW_WIDTH = 900  # pixels; small pictures are enlarged towards it


Opened = File | About | WavFile


@contextlib.contextmanager
def opened(path: str) -> Iterator[Opened]:
    """The file `path`: of ours, or a sound, picture or film, by its suffix."""
    if path.lower().endswith(".wav"):
        yield wav.open_wav(path)
    elif about.is_picture_file(path):
        yield about.about(path)
    else:
        with container.read(path) as file:
            yield file


def describe(file: Opened) -> Iterator[str]:
    """Lines for people: kind, progress and settings, metadata, arrays, and the commands that made it."""
    if isinstance(file, WavFile):
        yield f"{file.name}: sound, WAV"
        yield f"  sound: {sounds.in_words((file.length, file.about.channels), file.about.rate)}, {file.about.bits} bits"
        yield from _made_by(file.lineage)
    else:
        yield from _describe_picture(file) if isinstance(file, About) else _describe(file)


def _describe(file: File) -> Iterator[str]:
    yield f"{file.name}: {file.kind}, format {file.meta['format']}"
    if file.kind == "checkpoint":
        config, updates = checkpoints.config_of(file), checkpoints.updates(file)
        progress = checkpoints.progress(file, config)
        yield f"  step {progress['step']:,}: {updates['D']:,} discriminator updates, {progress['kimg']:,.1f} kimg"
        yield f"  settings: {in_words_of({**vars(config), 'shape': in_words(config.shape)})}"
    shape = _shape_of_sounds(file)
    if shape:
        rate = file.meta.get(sounds.RATE)
        yield f"  sounds: {sounds.in_words(shape, rate if type(rate) is int else None)}"
    for key in sorted(file.meta.keys() - {"format", "kind", "config", "lineage"}):
        yield f"  {key}: {_of_metadata(key, file.meta[key])}"
    for part, specs in _parts(file).items():
        if part == kinds.CAPTIONS and file.kind in CAPTIONED:
            yield f"  {part}: {_quoted(*_captions(file))}"
        elif len(specs) == 1:
            yield f"  {part}: {specs[0].dtype} {list(specs[0].shape)}"
        else:
            numbers = sum(math.prod(spec.shape) for spec in specs)
            yield f"  {part}: {len(specs)} tensors, {numbers:,} numbers"
    if texts := _texts(file):
        yield f"  texts: {_quoted(*texts)}"
    yield from _made_by(file.meta.get("lineage", []))


def _quoted(count: int, first: list[str]) -> str:
    """How many texts there are, and the first ones."""
    quotes = [f'"{text[:QUOTE]}{"..." if len(text) > QUOTE else ""}"' for text in first]
    return ", ".join([f"{count:,}", *quotes, *(["..."] if count > len(quotes) else [])])


def _shape_of_sounds(file: File) -> tuple[int, ...] | None:
    """(T, C) of the sounds that it holds, or makes; None if it has none."""
    if file.kind == "checkpoint":
        shape = checkpoints.config_of(file).shape
    else:
        spec = file.specs.get(kinds.SIGNALS.tensor)
        shape = spec.shape[-2:] if spec and file.kind == "samples" else ()
    return shape if len(shape) == 2 and kinds.modality_of_shape(shape) is kinds.SIGNALS else None


def _describe_picture(file: About) -> Iterator[str]:
    h, w = file.size
    yield f"{file.name}: {file.kind}, {file.format}"
    yield f"  size: {w}x{h}"
    if file.kind == "film":
        yield f"  frames: {file.frames:,}{', with sound' if file.has_sound else ''}"
    yield from _made_by(file.lineage)


def _made_by(lines: list[str]) -> Iterator[str]:
    if lines:
        yield "  made by"
        yield from (f"    {line}" for line in lineage.recipe(lines))


def as_json(file: Opened) -> dict[str, Any]:
    """The same as one object: `file`, `kind`, `format`, `made_by` and `recipe`; of a file of ours its metadata and
    `tensors`, of a picture or film its `width`, `height` and `frames` (and `sound`, if it has one), of a WAV its
    `sample_rate`, `channels`, `bits` and `length`.
    """
    lines = file.meta.get("lineage", []) if isinstance(file, File) else file.lineage
    if isinstance(file, WavFile):
        what = _sound_as_json(file)
    else:
        what = _picture_as_json(file) if isinstance(file, About) else _as_json(file)
    return {**what, "made_by": lines, "recipe": lineage.recipe(lines)}


def _sound_as_json(file: WavFile) -> dict[str, Any]:
    what = {"file": file.name, "kind": "sound", "format": "WAV", sounds.RATE: file.about.rate, "length": file.length}
    return {**what, "channels": file.about.channels, "bits": file.about.bits}


def _picture_as_json(file: About) -> dict[str, Any]:
    h, w = file.size
    size = {"width": w, "height": h, "frames": file.frames}
    sound = {"sound": True} if file.has_sound else {}
    return {"file": file.name, "kind": file.kind, "format": file.format, **size, **sound}


def _as_json(file: File) -> dict[str, Any]:
    meta = {key: value for key, value in file.meta.items() if key != "lineage"}
    what: dict[str, Any] = {"file": file.name, **meta}
    if file.kind == "checkpoint":
        config = checkpoints.config_of(file)
        what |= {**checkpoints.progress(file, config), "updates": checkpoints.updates(file), "preset": config.preset}
    if kinds.CAPTIONS in file and file.kind in CAPTIONED:
        count, first = _captions(file)
        what["captions"] = {"count": count, "first": first}
    if texts := _texts(file):
        what["texts"] = {"count": texts[0], "first": texts[1]}
    what["tensors"] = {
        name: {"dtype": str(spec.dtype), "shape": list(spec.shape)} for name, spec in sorted(file.specs.items())
    }
    return what


def _parts(file: File) -> dict[str, list[Spec]]:
    """Tensors by the first part of their names: G, D, ema, opt, updates; or images, labels and the like."""
    parts: dict[str, list[Spec]] = {}
    for name in sorted(file.specs):
        parts.setdefault(name.split(".")[0], []).append(file.specs[name])
    return parts


# -------------------------------------------------------------------------------------------- in words


def _of_metadata(key: str, value: Any) -> str:
    """An entry of the metadata in words, also if a stranger wrote it."""
    if key in METADATA:
        with contextlib.suppress(LookupError, TypeError, ValueError, AttributeError, ArithmeticError):
            return METADATA[key](value)
    return in_words_of(value)


def _data(data: dict[str, Any]) -> str:
    hashes = [f"{key} {data[key]}" for key in identity.WORDS if key in data and key != "count"]
    return ", ".join([f"{data['count']:,} samples", *hashes])


def _frames(frames: list[dict[str, Any]]) -> str:
    """How many there are, and from where to where their notes go."""
    first, last = frames[0], frames[-1]
    spans = [f"{key} {first[key]} to {last[key]}" for key in first]
    return f"{len(frames):,}; {', '.join(spans)}" if any(spans) else f"{len(frames):,}"


def _layout(layout: list[list[Any]]) -> str:
    return f"{len(layout)} rows of {len(layout[0])} cells per frame"


def _captions(file: File) -> tuple[int, list[str]]:
    """How many captions there are, and the first ones; a damaged text is shown as it is, since this only looks."""
    count, first = 0, list[str]()
    for rows in file.rows(kinds.CAPTIONS):
        is_there = rows[..., 0] != 0
        count += int(is_there.sum())
        if len(first) < QUOTED:
            few = rows[is_there][: QUOTED - len(first)]
            first += [text.tobytes().rstrip(b"\0").decode(errors="replace") for text in few]
    return count, first


def _texts(file: File) -> tuple[int, list[str]] | None:
    """How many texts there are, and the first ones; None where there are none, or nobody can read them."""
    alphabet, tensor = file.meta.get(letters.ALPHABET), kinds.TEXTS.tensor
    if file.kind != "samples" or tensor not in file or not letters.is_alphabet(alphabet):
        return None
    count, first = math.prod(file.specs[tensor].shape[:-1]), list[str]()
    for rows in file.rows(tensor):
        flat = rows.reshape(-1, rows.shape[-1])[: QUOTED - len(first)]
        first += letters.decoded(file.name, flat % len(str(alphabet)), str(alphabet))
    return count, first


def _alphabet(alphabet: str) -> str:
    return f'{len(alphabet)} letters, "{alphabet}"'


def _toy(toy: dict[str, Any]) -> str:
    modes = len(toy["centres"])
    return f"{toy['name']}: {modes} Gaussian{'s' * (modes > 1)} in {len(toy['centres'][0])}-D, std {toy['std']}"


def _rate(rate: int) -> str:
    return f"{rate:,} Hz"


def _spectrogram(about: dict[str, Any]) -> str:
    """The size of its pictures, and the sounds they are of."""
    words = sounds.in_words((about["length"], 1), about["sample_rate"])
    levels = f"black {about['floor']:g} dB, white {about['top']:g} dB"
    return f"{about['frames']} moments of {about['bins']} frequencies, of sounds of {words}; {levels}"


def _stacked(parts: list[str]) -> str:
    return f"{', '.join(COLORS)} are each a picture of {', '.join(parts)}"


METADATA: dict[str, Callable[[Any], str]] = {
    letters.ALPHABET: _alphabet,
    "data": _data,
    "frames": _frames,
    "layout": _layout,
    "toy": _toy,
    sounds.RATE: _rate,
    sounds.SPECTROGRAM: _spectrogram,
    STACKED: _stacked,
}


def in_words_of(value: Any, depth: int = 2) -> str:
    """Any JSON without its signs: `a 1, b none`; long lists are cut short."""
    if isinstance(value, dict | list) and not depth:
        return "..."
    if isinstance(value, dict):
        return ", ".join(f"{key} {in_words_of(each, depth - 1)}" for key, each in value.items())
    if isinstance(value, tuple):  # the first and last step of --decay
        return ":".join(map(str, value))
    if isinstance(value, list):
        shown = ", ".join(in_words_of(each, depth - 1) for each in value[:LISTED])
        return f"{shown}, ... ({len(value):,})" if len(value) > LISTED else shown
    return "none" if value is None else str(value)


# ------------------------------------------------------------------------------------------- preview


def preview(file: Opened, path: str, line: str) -> None:
    """Write a PNG of some samples of a file, or that its generator makes, to `path`, as the command `line` does."""
    if isinstance(file, WavFile):
        raise Error(f"{file.name}: is a sound; gan-data makes samples of it, and --preview draws these")
    if isinstance(file, About):
        raise Error(f"{file.name}: is a {file.kind} already; --preview draws samples, and those of a checkpoint")
    if file.kind == "checkpoint":
        samples, shape = _sampled(file), checkpoints.config_of(file).shape
    elif file.kind == "samples":
        whole = Samples(file)
        shape = whole.shape
        kept = whole.letters if whole.are_texts else whole.array
        samples = _side_by_side(whole) if len(whole.views) > 1 else _spaced(kept, _shown(shape))
    else:
        raise Error(f"{file.name}: {kinds.plural(file.kind)} have no preview; gan-sample makes samples of latents")
    lines = lineage.joined([file.meta.get("lineage", [])], line)
    modality = kinds.modality_of_shape(shape)
    if modality is kinds.SIGNALS:
        samples = pictures.draw(hearing.audible(file.name, samples))
    if modality is kinds.TEXTS:
        frames = of_tensor(file.name, samples, {letters.ALPHABET: file.meta.get(letters.ALPHABET)}, modality)
        write_film(path, ".png", [frames], Look(), lineage=lines)
    elif modality is kinds.POINTS:
        from ganutils.plots import densities, style

        style.write(path, densities.points(samples, file.name), 100, lines)
    else:
        grid = grid_of(len(samples))
        step = math.ceil(grid[0] * max(samples.shape[1:3]) / (2 * PREVIEW_WIDTH))  # so that large ones fit a screen
        small = samples[:, ::step, ::step]
        scale = min(4, max(1, PREVIEW_WIDTH // (grid[0] * small.shape[2])))
        look = Look(grid=grid, scale=scale)
        write_film(path, ".png", [of_tensor(file.name, small, {})], look, lineage=lines)


def _spaced(samples: np.ndarray, count: int) -> np.ndarray:
    """`count` of them, evenly spaced: data are often sorted, and the first frame of a film is noise."""
    return samples[np.linspace(0, len(samples) - 1, min(count, len(samples))).astype(int)]


def _side_by_side(whole: Samples) -> np.ndarray:
    """Some samples, each between its inputs and its way back and target, in the size of the largest."""
    arrays = {"images": whole.array, "inputs": whole.inputs, "back": whole.back, "targets": whole.targets}
    count = max(1, min(_shown(shape) for shape in (whole.shape, *whole.beside.values())) // len(whole.views))
    few = []
    for view in whole.views:
        pictures = _spaced(cast(np.ndarray, arrays[view.tensor]), count)[..., view.channels]
        step = math.ceil(max(pictures.shape[1:3]) / PREVIEW_WIDTH)
        few.append(pictures[:, ::step, ::step])
    h, w, c = (max(lengths) for lengths in zip(*(each.shape[1:] for each in few), strict=True))
    shape = Shape(size=(w, h), fit="stretch", channels=c, filter="nearest")
    return np.stack([np.concatenate([fit_pixels(one, shape) for one in row], 1) for row in zip(*few, strict=True)])


def _sampled(file: File) -> np.ndarray:
    """What the averaged generator of a checkpoint makes of the first latents of seed 0."""
    from ganutils.inference.generate import draw_samples

    return draw_samples(file, _shown(checkpoints.config_of(file).shape), 0, "cpu")[0]


def _shown(shape: tuple[int, ...]) -> int:
    """How many samples of `shape` a preview shows: fewer of large ones, which a small checkpoint may make."""
    return max(1, min(PREVIEW[kinds.modality_of_shape(shape)], budget.PIXELS // math.prod(shape)))
