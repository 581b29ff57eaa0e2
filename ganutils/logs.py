"""Lines of JSON that a run leaves behind: those of `gan-loop --log` and of `gan-eval`."""

from __future__ import annotations

import io
import json
import os
import sys
from typing import Any

from ganutils import Error

Lines = list[dict[str, Any]]


def is_log(path: str) -> bool:
    """Whether a file (- is stdin) may be lines of text: a file of ours begins with its header's length in 8 bytes."""
    if path == "-":
        head = io.BufferedReader.peek(sys.stdin.buffer, 8)[:8]  # type: ignore[arg-type]
    else:
        with open(path, "rb") as stream:
            head = stream.read(8)
    return len(head) < 8 or 0 not in head


def read(path: str) -> Lines:
    """The objects in the file `path` (- is stdin), a line each; Error that names the first line that is none.

    A last line that a killed run wrote half of is left out. A run that was continued from an earlier checkpoint repeats
    some steps: what it wrote last stands.
    """
    if path == "-":
        path, content = "standard input", sys.stdin.buffer.read()
    else:
        with open(path, "rb") as stream:
            content = stream.read()
    found: Lines = []
    texts = content.split(b"\n")
    for row, text in enumerate(texts, 1):
        if not text.strip():
            continue
        try:
            line = json.loads(text)
        except (ValueError, RecursionError):
            line = None
        if isinstance(line, dict):
            found.append(line)
        elif row < len(texts) or not found:  # only the last line ends without a newline
            raise Error(
                f"{path}: line {row} is not a JSON object; a log of gan-loop or the output of gan-eval is wanted"
            )
    if not found:
        raise Error(f"{path}: holds no lines")
    return _continued(found)


def _continued(lines: Lines) -> Lines:
    """Without the lines that a continued run wrote again; those of gan-eval, which name a FAKE, are another series."""
    kept: Lines = []
    last = -1.0  # the largest step so far
    for line in lines:
        step = line.get("step")
        if step is not None and number(step) and "fake" not in line:
            if step <= last:
                kept = [one for one in kept if "fake" in one or not number(one.get("step")) or one["step"] < step]
            last = step
        kept.append(line)
    return kept


def number(value: Any) -> bool:
    """Whether `value` can be drawn: an int or a float that is finite."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < float("inf")


def series(lines: Lines, field: str) -> tuple[list[float], list[float]]:
    """Steps and values of `field`, by step; lines without it, or without a step, are passed over."""
    pairs = [(line["step"], line[field]) for line in lines if number(line.get("step")) and number(line.get(field))]
    pairs.sort(key=lambda pair: pair[0])
    return [float(step) for step, _ in pairs], [float(value) for _, value in pairs]


def names(paths: list[str]) -> list[str]:
    """What to call each file: its name without folder and suffix, or the whole path if that tells them not apart."""
    short = [os.path.splitext(os.path.basename(path))[0] for path in paths]
    return short if len(set(short)) == len(short) else paths
