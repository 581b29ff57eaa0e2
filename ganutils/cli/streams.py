"""Standard streams as a command needs them: there, able to write any text, and no danger to a result."""

from __future__ import annotations

import codecs
import contextlib
import io
import json
import os
import sys

ESCAPED = "as JSON escapes it"  # name of an error handler


def prepare() -> None:
    """Call this before anything opens a file."""
    _reserve()
    codecs.register_error(ESCAPED, _escape)
    sys.stdin = sys.stdin or os.fdopen(0, closefd=False)  # None if it was closed
    sys.stdout = sys.stdout or os.fdopen(1, "w", closefd=False)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors=ESCAPED)
    if sys.stderr is None or type(sys.stderr) is io.TextIOWrapper:
        sys.stderr = Messages(sys.stderr)


def _reserve() -> None:
    """Open what was closed (`2>&-`) to nowhere, so that no file becomes stderr and takes a library's messages."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDONLY if number == 1 else os.O_RDWR)  # a result must not vanish there


def _escape(problem: UnicodeError) -> tuple[str, int]:
    """For an encoding's missing signs: é becomes \\u00e9, which also a line of JSON can hold."""
    if not isinstance(problem, UnicodeEncodeError):
        raise problem
    return json.dumps(problem.object[problem.start : problem.end])[1:-1], problem.end


class Messages(io.TextIOWrapper):
    """stderr. A terminal that hung up, a full disk or a closed pipe there must not end a training."""

    def __init__(self, replaced: io.TextIOWrapper | None):
        self._replaced = replaced  # kept, as it may close the descriptor when it goes
        encoding = replaced.encoding if replaced else "utf-8"
        super().__init__(os.fdopen(2, "wb", closefd=False), encoding, ESCAPED, line_buffering=True)

    def write(self, text: str) -> int:
        with contextlib.suppress(OSError):
            return super().write(text)
        return len(text)

    def flush(self) -> None:
        with contextlib.suppress(OSError):
            super().flush()
