"""The sounds of a collection as tensors: as they are, or as spectrograms. And which options are for sounds at all."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from ganutils import Error
from ganutils.files.container import Stream
from ganutils.files.kinds import IMAGES, SIGNALS
from ganutils.samples.decoding import Reader, Tensors
from ganutils.samples.images import Shape
from ganutils.samples.selection import Collection
from ganutils.samples.signals import Clip
from ganutils.samples.sources.source import Source
from ganutils.sounds import about
from ganutils.sounds.spectrogram import Spectrogram


def check_asked(sources: Sequence[Source], shape: Shape, clip: Clip) -> None:
    """Error if one of `sources` holds what an option is not for: sizes for sounds, rates for pictures or points."""
    of_pictures = {"--size": shape.size, "--crop": shape.crop, "--channels 3": shape.channels == 3}
    of_sounds = {f"--{name}": value for name, value in clip._asdict().items() if name != "channels"}
    of_sounds["--channels 2"] = clip.channels == 2
    for source in sources:
        are_sounds = source.modality is SIGNALS
        others, what = (of_pictures, "pictures") if are_sounds else (of_sounds, "sounds")
        given = [option for option, value in others.items() if value not in (None, False)]
        if given and (are_sounds or source.modality is IMAGES or others is of_sounds):
            raise Error(f"{source.name}: holds {source.modality.noun}, and {given[0]} is for {what}; leave it out")


def read(
    reader: Reader, collection: Collection, selected: np.ndarray, clip: Clip, order: Callable[[np.ndarray], np.ndarray]
) -> tuple[np.ndarray, Tensors, dict[str, Any]]:
    """Which of the `selected` sounds can be read, put in `order`; their tensors, and metadata."""
    readable = reader.read(collection, selected, clip, (SIGNALS.tensor,))
    if not len(readable.rows):
        raise Error(f"{collection.title}: none of its sounds can be read")
    rows = order(readable.rows)
    signals = readable.streams(rows)[SIGNALS.tensor]
    if clip.spectrogram is None:
        return rows, {SIGNALS.tensor: signals}, {about.RATE: readable.rate}
    return rows, *_pictures(signals, readable.rate, clip.spectrogram, collection.title, reader.say)


def _pictures(
    signals: Stream, rate: int, size: tuple[int, int], title: str, say: Callable[[str], None]
) -> tuple[Tensors, dict[str, Any]]:
    """Spectrograms of `size` (frames, bins) of sounds [N, T, C], and what the metadata say of them."""
    count, length, channels = signals.shape
    frames, bins = size
    spectrogram = Spectrogram.for_sounds(title, rate, length, bins, frames)
    if channels > 1:
        say(f"{title}: stereo sounds are mixed, since a spectrogram is of one channel")

    def chunks() -> Iterator[np.ndarray]:
        for chunk in signals.chunks:
            yield spectrogram.pictures(chunk.mean(2, keepdims=True))

    pictures = Stream((count, bins, frames, 1), IMAGES.dtype, chunks())
    return {IMAGES.tensor: pictures}, {about.SPECTROGRAM: spectrogram.meta}
