"""File names: formats, natural order, what can be written."""

import hashlib
import os
import re
from collections.abc import Sequence

from ganutils import Error

LONGEST = 255  # bytes of a name in its folder
LINKS = 40  # that lead to one another: systems follow no more


def natural(path: str) -> list[tuple[bool, int, str]]:
    """Sorting key that puts 2.png before 10.png."""
    return [(not s.isdecimal(), int(s) if s.isdecimal() else 0, s) for s in re.split(r"(\d{1,18})", path)]


def is_pipe(path: str) -> bool:
    """Whether `path` is stdout, an open descriptor, a FIFO or a device, which are written directly."""
    if path == "-" or descriptor_of(path) is not None:
        return True
    return os.path.exists(path) and not os.path.isfile(path) and not os.path.isdir(path)


def descriptor_of(path: str) -> int | None:
    """1 for /dev/stdout, /dev/fd/1, /proc/self/fd/1 and links to them; None for other names."""
    for _ in range(LINKS):
        folder, name = os.path.split(path)
        if name.isdecimal() and os.path.realpath(folder) in ("/dev/fd", f"/proc/{os.getpid()}/fd"):
            return int(name)
        if not os.path.islink(path):
            return None
        path = os.path.join(folder, os.readlink(path))
    return None


def check_output(path: str) -> None:
    """Error unless a result can take the name `path`, as far as that is known before it is made.

    A name that ends in / is that of a folder. The folder it lies in must exist and be writable, and what it replaces
    must not be protected.
    """
    if not path:
        raise Error("the name of an output is empty; give one, or - for stdout")
    if is_pipe(path):
        return
    folder, name = os.path.split(target_of(path))
    if not os.path.isdir(folder):
        raise Error(f"{path}: there is no folder {os.path.dirname(path.rstrip('/')) or folder}; create it first")
    if len(os.fsencode(name)) > LONGEST:
        raise Error(f"{path}: its name is longer than {LONGEST} bytes; choose a shorter one")
    if os.path.exists(target_of(path)):
        _check_replaced(path)
    if not os.access(folder, os.W_OK | os.X_OK):
        raise Error(f"{path}: its folder is not writable; choose another")


def _check_replaced(path: str) -> None:
    """Error unless what has the name `path` now can be replaced."""
    target, wants_folder = target_of(path), path.endswith("/")
    if os.path.isdir(target) and not wants_folder:
        raise Error(f"{path}: is a folder; give the name of a file")
    if wants_folder and not os.path.isdir(target):
        raise Error(f"{path}: is a file; choose another name for the folder")
    if wants_folder and f"{os.getcwd()}/".startswith(f"{target.rstrip('/')}/"):
        raise Error(f"{path}: is the current folder or holds it, and cannot be replaced; choose another name")
    if not (os.access(target, os.W_OK) and os.stat(target).st_mode & 0o222):  # to root nothing is read-only
        raise Error(f"{path}: is read-only; allow it with chmod u+w, or choose another name")


def check_folder(path: str) -> None:
    """Error unless files can be written into the folder `path`, which will be made if there is none."""
    if not path:
        raise Error("the name of a folder is empty; give one")
    there = target_of(path)
    while not os.path.lexists(there):
        there = os.path.dirname(there)
    if not os.path.isdir(there):
        raise Error(f"{path}: {'' if there == target_of(path) else there + ' '}is no folder; choose another name")
    if not os.access(there, os.W_OK | os.X_OK):
        raise Error(f"{path}: is not writable; choose another folder")


def target_of(path: str) -> str:
    """The file or folder that is written for `path`: where its links lead."""
    return os.path.realpath(path)


def at_home(path: str) -> str:
    """`path` with ~ for the user's home; Error if that is unknown: no folder should ever be called ~."""
    there = os.path.expanduser(path) if os.environ.get("HOME") != "" else path
    if there.startswith("~"):
        raise Error(f"{path}: there is no home folder, as HOME is not set; set it, or give --root FOLDER")
    return there


def beside(name: str, what: str) -> str:
    """What a file of ours beside the result `name` is called: .NAME.tmp, or shorter where that would be too long."""
    own = f".{name}.{what}"
    if len(os.fsencode(own)) > LONGEST:
        own = f".{hashlib.sha256(os.fsencode(name)).hexdigest()}.{what}"
    return own


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
