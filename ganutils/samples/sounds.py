"""The sounds of a collection as tensors: as they are, or as spectrograms. And which options are for sounds at all."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from ganutils import Error
from ganutils.files import budget
from ganutils.files.container import Stream
from ganutils.files.kinds import IMAGES, SIGNALS, TEXTS
from ganutils.samples.decoding import Reader, Tensors
from ganutils.samples.images import Shape
from ganutils.samples.selection import Collection
from ganutils.samples.signals import Clip
from ganutils.samples.sources.source import Source
from ganutils.sounds import about
from ganutils.sounds.spectrogram import Spectrogram


def check_asked(sources: Sequence[Source], shape: Shape, clip: Clip) -> None:
    """Error if one of `sources` holds what an option is not for: sizes for sounds, rates for pictures or points."""
    for source in sources:
        for option, value, what in _of_others(source, shape, clip):
            if value is not None and value is not False:
                raise Error(f"{source.name}: holds {source.modality.noun}, and {option} is for {what}; leave it out")
        rate = clip.rate or source.rate
        if clip.length and rate and clip.length.at(rate) > budget.SOUND:
            count = f"{clip.length.at(rate):,} numbers at {rate:,} Hz, more than {budget.SOUND:,}"
            raise Error(f"{source.name}: --length asks for {count}; give a shorter one")
        if clip.length and rate and clip.spectrogram:
            _spectrogram(source.name, rate, clip.length.at(rate), clip.spectrogram)  # or it would be said much later


def _of_others(source: Source, shape: Shape, clip: Clip) -> Iterator[tuple[str, Any, str]]:
    """The options that are not for what a source holds: each with its value, and what it is for."""
    if source.modality is not IMAGES:
        of_pictures = {"size": shape.size, "crop": shape.crop, "channels 3": shape.channels == 3}
        of_pictures["background"] = shape.background != Shape().background
        yield from ((f"--{name}", value, "pictures") for name, value in of_pictures.items())
    if source.modality is not SIGNALS:
        of_sounds = {**clip._asdict(), "channels": False, "channels 2": clip.channels == 2}
        of_sounds["length"] = None if source.modality is TEXTS else clip.length
        what = {"length": "sounds and texts"}
        yield from ((f"--{name}", value, what.get(name, "sounds")) for name, value in of_sounds.items())
    if source.modality is TEXTS:
        yield "--channels", clip.channels, "pictures and sounds"


def described(meta: dict[str, Any], shape: tuple[int, ...], is_changed: bool) -> dict[str, Any]:
    """The metadata of pictures of `shape` (H, W, C), without what they say of spectrograms if these are none now."""
    known = meta.get(about.SPECTROGRAM)
    if known and (is_changed or (known["bins"], known["frames"], 1) != shape):
        return {key: value for key, value in meta.items() if key != about.SPECTROGRAM}
    return meta


def read(
    reader: Reader, collection: Collection, selected: np.ndarray, clip: Clip, order: Callable[[np.ndarray], np.ndarray]
) -> tuple[np.ndarray, Tensors, dict[str, Any]]:
    """Which of the `selected` sounds can be read, put in `order`; their tensors, and metadata."""
    if clip.rate is not None:
        import scipy.signal  # noqa: F401 - once, before processes are started that would import it one by one
    readable = reader.read(collection, selected, clip, (SIGNALS.tensor,))
    if not len(readable.rows):
        raise Error(f"{collection.title}: none of its sounds can be read")
    rows = order(readable.rows)
    signals = readable.streams(rows)[SIGNALS.tensor]
    signals = signals._replace(chunks=_finite(signals, collection.title))
    if clip.spectrogram is None:
        return rows, {SIGNALS.tensor: signals}, {about.RATE: readable.rate}
    return rows, *_pictures(signals, readable.rate, clip.spectrogram, collection.title, reader.say)


def _finite(signals: Stream, title: str) -> Iterator[np.ndarray]:
    """The chunks of sounds; Error if they are copied from a file that has NaN in it, which files of sounds have not."""
    for chunk in signals.chunks:
        if not np.isfinite(chunk).all():
            raise Error(f"{title}: has sounds that are not finite numbers; give what they were made from")
        yield chunk


def _pictures(
    signals: Stream, rate: int, size: tuple[int, int], title: str, say: Callable[[str], None]
) -> tuple[Tensors, dict[str, Any]]:
    """Spectrograms of `size` (frames, bins) of sounds [N, T, C], and what the metadata say of them."""
    count, length, channels = signals.shape
    spectrogram = _spectrogram(title, rate, length, size)
    if channels > 1:
        say(f"{title}: stereo sounds are mixed, since a spectrogram is of one channel")

    def chunks() -> Iterator[np.ndarray]:
        for chunk in signals.chunks:
            yield spectrogram.pictures(chunk.mean(2, keepdims=True))

    pictures = Stream((count, spectrogram.bins, spectrogram.frames, 1), IMAGES.dtype, chunks())
    return {IMAGES.tensor: pictures}, {about.SPECTROGRAM: spectrogram.meta}


def _spectrogram(title: str, rate: int, length: int, size: tuple[int, int]) -> Spectrogram:
    """Of `size` (frames, bins); Error if sounds of that length are not for it."""
    frames, bins = size
    return Spectrogram.for_sounds(title, rate, length, bins, frames)
