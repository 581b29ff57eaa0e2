"""Lines of JSON about a run: those of `gan-loop --log` and of `gan-eval`."""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

from ganutils import Error
from ganutils.files import locks, paths
from ganutils.files.place import naming

Lines = list[dict[str, Any]]
FURTHEST = 1e100  # numbers up to the largest float make a plot's axes overflow
LINE_LIMIT = 1 << 16  # bytes; those of a run have about 200
CUT = b'{"step"'  # what even half a line of a run begins with


@contextlib.contextmanager
def appended(path: str) -> Iterator[Callable[[Any], None]]:
    """Yield what appends a tick (a named tuple, or None) to `path`; half a line of a killed run is removed.

    Fields that are NaN were not measured and are left out. Error if the file is no log, or another run's at the moment.
    """
    is_pipe = paths.is_pipe(path)
    with naming(path), open(path, "ab" if is_pipe else "a+b", buffering=0) as out:
        if not is_pipe:
            locks.take(out.fileno(), path)
            _check_ours(path, out)
            _mend(out)

        def append(tick: Any) -> None:
            fields = {name: value for name, value in tick._asdict().items() if value == value} if tick else {}
            data = (json.dumps(fields) + "\n").encode() if fields else b""
            done = 0
            while done < len(data):
                done += out.write(data[done:])

        yield append


def check(path: str) -> None:
    """Error unless lines can be appended to `path`: a log, or a file that does not exist yet."""
    if os.path.isdir(path) or not os.path.exists(path):
        paths.check_output(path)
    elif not paths.is_pipe(path):
        with naming(path), open(path, "a+b", buffering=0) as log:
            _check_ours(path, log)


def _check_ours(path: str, log: BinaryIO) -> None:
    """Error if an open file begins with anything but a line of JSON, which a kill may have cut short."""
    log.seek(0)
    line, newline, _ = log.read(LINE_LIMIT).lstrip().partition(b"\n")
    if line and not _is_line(line) and (newline or not line.startswith(CUT)):
        raise Error(f"{path}: is not a log of ours; give the name of one, or of a new file")


def _is_line(text: bytes) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        return False


def _mend(log: BinaryIO) -> None:
    """Remove a last line that a killed run, or a full disk, cut short; end one that only lacks its newline."""
    end = log.seek(0, os.SEEK_END)
    log.seek(max(0, end - LINE_LIMIT))
    last = log.read(LINE_LIMIT).rsplit(b"\n", 1)[-1]
    if last.startswith(CUT) and not last.endswith(b"}"):
        log.truncate(end - len(last))
    elif last:
        log.write(b"\n")


def is_log(path: str) -> bool:
    """Whether a file (- is stdin) may hold lines of text: a container begins with its header's length, 8 bytes."""
    if path == "-":
        head = io.BufferedReader.peek(sys.stdin.buffer, 8)[:8]  # type: ignore[arg-type]
    else:
        with open(path, "rb") as stream:
            head = stream.read(8)
    return len(head) < 8 or 0 not in head


def read(path: str) -> Lines:
    """The objects in the file `path` (- is stdin), one per line; Error that names the first line that is not one.

    Half a line at the end, from a killed run, is ignored. A run that continued from an earlier checkpoint repeats some
    steps: what it wrote last counts.
    """
    if path == "-":
        path, content = "standard input", sys.stdin.buffer.read()
    else:
        with open(path, "rb") as stream:
            content = stream.read()
    lines: Lines = []
    texts = content.split(b"\n")
    for row, text in enumerate(texts, 1):
        if not text.strip():
            continue
        try:
            line = json.loads(text)
        except (ValueError, RecursionError):
            line = None
        if isinstance(line, dict):
            lines.append(line)
        elif row < len(texts) or not lines:  # only the last line ends without a newline
            raise Error(f"{path}: line {row} is not a JSON object; give a log of gan-loop or the output of gan-eval")
    if not lines:
        raise Error(f"{path}: holds no lines")
    return _continued(lines)


def _continued(lines: Lines) -> Lines:
    """Without the lines that a continued run wrote again; lines of gan-eval, which name a FAKE, are not among them."""
    kept: list[dict[str, Any] | None] = []
    rising: list[tuple[tuple[float, float], int]] = []  # how far the lines of training were, and where they stand
    for line in lines:
        if "fake" not in line and number(line.get("step")):
            reached = _reached(line)
            while rising and rising[-1][0] >= reached:
                kept[rising.pop()[1]] = None
            rising.append((reached, len(kept)))
        kept.append(line)
    return [line for line in kept if line is not None]


def _reached(line: dict[str, Any]) -> tuple[float, float]:
    """How far training was: step and, since gan-train-d makes no steps, kimg."""
    return line["step"], line["kimg"] if number(line.get("kimg")) else 0.0


def number(value: Any) -> bool:
    """Whether `value` can be plotted: an int or float, and not absurdly large."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= FURTHEST


def series(lines: Lines, field: str) -> tuple[list[float], list[float]]:
    """Steps and values of `field`, sorted by step; lines without it, or without a step, are skipped."""
    pairs = [(line["step"], line[field]) for line in lines if number(line.get("step")) and number(line.get(field))]
    pairs.sort(key=lambda pair: pair[0])
    return [float(step) for step, _ in pairs], [float(value) for _, value in pairs]


def names(paths: list[str]) -> list[str]:
    """What to call each file: its name without folder and suffix, or the whole path if those are not unique."""
    short = [os.path.splitext(os.path.basename(path))[0] for path in paths]
    return short if len(set(short)) == len(short) else paths
