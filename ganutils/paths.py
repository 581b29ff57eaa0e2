"""What can be told of a result from its name, before any work starts."""

import os

from ganutils import Error

SUFFIXES = (".safetensors", ".npy", ".png", ".gif")


def is_pipe(path: str) -> bool:
    """Whether `path` is written straight through: stdout, a FIFO, a device."""
    return path == "-" or path.startswith(("/dev/", "/proc/")) or (os.path.exists(path) and not os.path.isfile(path))


def check_folder(path: str) -> None:
    """Error unless the folder that `path` is to be written into is there (and `path` is no folder itself)."""
    target = os.path.realpath(path)
    if not is_pipe(path) and not os.path.isdir(os.path.dirname(target)):
        raise Error(f"{path}: there is no folder {os.path.dirname(path)}; make it first")


def form(path: str, default: str = ".safetensors") -> str:
    """What to write there: one of SUFFIXES, or `/` for a folder. Error if its name has another suffix.

    `default` is what a pipe or device without a suffix takes.
    """
    if path.endswith("/"):
        return "/"
    suffix = os.path.splitext(path)[1].lower()
    if suffix in SUFFIXES:
        return suffix
    if is_pipe(path):
        return default
    raise Error(f"{path}: its suffix does not say what to write; known are {' '.join(SUFFIXES)} and NAME/")
