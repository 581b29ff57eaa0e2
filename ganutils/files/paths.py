"""File names: formats, natural order, what can be written."""

import os
import re
from collections.abc import Sequence

from ganutils import Error


def natural(path: str) -> list[tuple[bool, int, str]]:
    """Sorting key that puts 2.png before 10.png."""
    return [(not s.isdecimal(), int(s) if s.isdecimal() else 0, s) for s in re.split(r"(\d{1,18})", path)]


def is_pipe(path: str) -> bool:
    """Whether `path` is stdout, a FIFO or a device, which are written directly."""
    if path == "-" or path.startswith(("/dev/", "/proc/")):
        return True
    return os.path.exists(path) and not os.path.isfile(path) and not os.path.isdir(path)


def check_folder(path: str) -> None:
    """Error unless `path` can be written: its folder exists, and it is no folder itself unless it ends in /."""
    if os.path.isdir(path) and not path.endswith("/"):
        raise Error(f"{path}: is a folder; give the name of a file")
    folder = os.path.dirname(os.path.realpath(path))
    if is_pipe(path):
        return
    if not os.path.isdir(folder):
        raise Error(f"{path}: there is no folder {os.path.dirname(path) or folder}; create it first")
    if not os.access(folder, os.W_OK):
        raise Error(f"{path}: its folder is not writable; choose another")


def format_of(path: str, formats: Sequence[str], default: str = ".safetensors") -> str:
    """Which of `formats` the name of a file asks for: a suffix, or / for a folder. Error if none.

    default   what is written to a pipe or device whose name has no suffix
    """
    suffix = "/" if path.endswith("/") else os.path.splitext(path)[1].lower()
    if suffix in formats:
        return suffix
    if is_pipe(path):
        return default
    raise Error(f"{path}: cannot write this format; use {in_words(formats)}")


def in_words(formats: Sequence[str]) -> str:
    """As messages list them: .gif .png or NAME/."""
    return " ".join(one for one in formats if one != "/") + " or NAME/" * ("/" in formats)
