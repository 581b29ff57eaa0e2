"""A lineage as the text that pictures and films carry in their metadata, and that of a stranger read again."""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence

KEY = "ganutils"  # keyword of the text in a PNG; elsewhere the text begins with it
LENGTH_LIMIT = 1 << 16  # characters, which every format can hold
LEFT_OUT = "# earlier commands are left out"


def to_json(lineage: Sequence[str]) -> str:
    """A lineage as JSON in ASCII; of one that is too long, the last commands."""
    texts = [json.dumps(line) for line in lineage]
    if sum(len(text) + 2 for text in texts) > LENGTH_LIMIT:
        ends = itertools.accumulate(len(text) + 2 for text in [json.dumps(LEFT_OUT), *reversed(texts)])
        kept = sum(end <= LENGTH_LIMIT for end in ends) - 1
        texts = [json.dumps(LEFT_OUT), *texts[len(texts) - kept :]]
    return f"[{', '.join(texts)}]"


def to_comment(lineage: Sequence[str]) -> str:
    """The same for formats whose comments have no keyword."""
    return f"{KEY} {to_json(lineage)}"


def of_json(text: object) -> list[str]:
    """The lineage in `to_json`'s text; none if it is anything else."""
    if not isinstance(text, str) or len(text) > LENGTH_LIMIT:
        return []
    try:
        lines = json.loads(text)
    except (ValueError, RecursionError):
        return []
    is_lineage = isinstance(lines, list) and all(isinstance(line, str) for line in lines)
    return lines if is_lineage else []


def of_comment(text: object) -> list[str]:
    """The lineage in `to_comment`'s text, which may be bytes; none if it is anything else."""
    text = text.decode("latin-1") if isinstance(text, bytes) else text
    return of_json(text.removeprefix(f"{KEY} ")) if isinstance(text, str) and text.startswith(f"{KEY} ") else []
