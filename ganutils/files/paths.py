"""What can be told of files from their names."""

import os
import re

from ganutils import Error

FILMS = (".gif", ".mp4", ".webp", ".apng")
SUFFIXES = (".safetensors", ".npy", ".png", *FILMS)
PLOTS = (".png", ".pdf", ".svg")
DRAWN = (*PLOTS, ".safetensors", *FILMS)  # what gan-plot makes: a page, or a film of several


def natural(path: str) -> list[tuple[bool, int, str]]:
    """A key to sort by: 2.png before 10.png."""
    return [(not s.isdecimal(), int(s) if s.isdecimal() else 0, s) for s in re.split(r"(\d{1,18})", path)]


def is_pipe(path: str) -> bool:
    """Whether `path` is written straight through: stdout, a FIFO, a device."""
    if path == "-" or path.startswith(("/dev/", "/proc/")):
        return True
    return os.path.exists(path) and not os.path.isfile(path) and not os.path.isdir(path)


def check_folder(path: str) -> None:
    """Error unless `path` can be written: the folder it lies in is there, and it is a folder only if it ends in /."""
    if os.path.isdir(path) and not path.endswith("/"):
        raise Error(f"{path}: is a folder; give the name of a file")
    folder = os.path.dirname(os.path.realpath(path))
    if is_pipe(path):
        return
    if not os.path.isdir(folder):
        raise Error(f"{path}: there is no folder {os.path.dirname(path) or folder}; make it first")
    if not os.access(folder, os.W_OK):
        raise Error(f"{path}: its folder cannot be written to; choose another")


def form(path: str, default: str = ".safetensors", known: tuple[str, ...] = SUFFIXES) -> str:
    """What to write there: one of `known`, or `/` for a folder if they are SUFFIXES; Error if its name says neither.

    `default` is what a pipe or device without a suffix takes.
    """
    folders = known == SUFFIXES
    if path.endswith("/") and folders:
        return "/"
    suffix = os.path.splitext(path)[1].lower()
    if suffix in known:
        return suffix
    if is_pipe(path):
        return default
    raise Error(f"{path}: its suffix does not say what to write; known are {' '.join(known)}{' and NAME/' * folders}")
