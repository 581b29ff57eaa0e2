"""What a file may cost, in one place: a stranger's file of a few bytes can ask for terabytes or for days.

docs/promises.md: SECONDS of a processor, and the file's own size and MEMORY; tests/test_hostile.py measures both. Only what
a header claims needs a limit here: what has to lie in the file to cost something is paid for by its size.
"""

from __future__ import annotations

from ganutils import Error

SECONDS = 10  # of a processor
MEMORY = 200 << 20  # bytes, beyond the file's size and what a command takes by itself
AXES = 8  # of an array; frames, samples and three of a picture are five, and NumPy stops at 64
HEADER = 1 << 16  # bytes of text that describe one array or one member of an archive


def check(name: str, count: float, limit: float, what: str, advice: str = "it is damaged or hostile") -> None:
    """Error, with the file's `name`, if it asks for more than `limit` of `what`."""
    if count > limit:
        raise Error(f"{name}: asks for {count:,} {what}, more than {limit:,}; {advice}")
