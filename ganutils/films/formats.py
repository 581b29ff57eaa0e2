"""The formats of films, a row each: from this table follow suffixes, choices of --format and which options apply.

The commands import it to print their help, so it costs neither NumPy nor Pillow.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any, BinaryIO, NamedTuple

PAGES = (".png", ".pdf", ".svg")  # of a figure that is no film
TIMES = ("fps", "hold", "bounce")  # settings of timing.Timing that every film takes


class Encoding(NamedTuple):
    """How a film is encoded; each format takes some of these.

    colors    of a GIF: at most so many, 2 to 256
    dither    of a GIF whose frames have more: one of DITHERS
    gifsicle  whether the program of that name makes a GIF smaller
    quality   of WebP (100: lossless) and MP4, 1 to 100
    """

    colors: int = 256
    dither: str = "none"
    gifsicle: bool = False
    quality: int = 80


DITHERS = ("none", "ordered", "floyd-steinberg")


class Format(NamedTuple):
    """How films of one suffix are written.

    module    has write(out: BinaryIO, film: timing.Film, encoding: Encoding); imported when it is called
    settings  those of Encoding that it takes, and "loop" if the file says how often it is played
    has_sound whether it can have a sound track
    """

    module: str
    settings: tuple[str, ...]
    has_sound: bool = False

    def write(self, out: BinaryIO, film: Any, encoding: Encoding) -> None:
        """Write a timing.Film. Error if this format cannot hold it."""
        import_module(self.module).write(out, film, encoding)


FORMATS = {
    ".gif": Format("ganutils.films.gif", ("loop", "colors", "dither", "gifsicle")),
    ".mp4": Format("ganutils.films.mp4", ("quality",), has_sound=True),
    ".webp": Format("ganutils.films.webp", ("loop", "quality")),
    ".apng": Format("ganutils.films.apng", ("loop",)),
}


def settings_of(suffix: str) -> tuple[str, ...]:
    """The settings of Timing and Encoding that have an effect on a film, a sheet (.png) or a folder of frames (/)."""
    if suffix in FORMATS:
        return (*TIMES, *FORMATS[suffix].settings)
    return ("bounce",) if suffix == "/" else ()


def ignored_by(suffix: str) -> list[str]:
    """Those that have no effect there, though they have on another format."""
    return sorted({name for other in FORMATS for name in settings_of(other)} - set(settings_of(suffix)))


def film_formats() -> tuple[str, ...]:
    """What gan-gif writes: films, a sheet, a folder of frames."""
    return (*FORMATS, ".png", "/")


def formats_with_sound() -> tuple[str, ...]:
    """Those of films that one can hear."""
    return tuple(suffix for suffix, format in FORMATS.items() if format.has_sound)


def sample_formats() -> tuple[str, ...]:
    """What samples, and those of latents that can, are written as."""
    return (".safetensors", ".npy", ".png", ".wav", ".txt", *FORMATS, "/")


def figure_formats() -> tuple[str, ...]:
    """What gan-plot writes: a page, or a film of several."""
    return (*PAGES, ".safetensors", *FORMATS)
