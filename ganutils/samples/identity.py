"""What tells one data set from another: hashes of all that a samples file holds. They go into checkpoints."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import numpy as np

from ganutils import Error
from ganutils.files.container import File
from ganutils.files.letters import ALPHABET

WORDS = {  # what an identity may have, and what messages call it
    "count": "number of samples",
    "hash": "samples",  # 1,024 of them: all that older checkpoints know
    "images": "pictures",
    "points": "points",
    "signals": "sounds",
    "letters": "texts",
    "alphabet": "alphabet",
    "inputs": "inputs",
    "captions": "captions",
    "labels": "labels",
    "classes": "names of classes",
    "attributes": "attributes",
    "attribute_names": "names of attributes",
}
SAMPLES = {"count", "hash", "images", "points", "signals", "letters", "alphabet", "inputs"}
HASHED = ("images", "points", "signals", "letters", "inputs", "captions", "labels", "attributes")  # tensors
SAMPLED = 1024  # rows


def of_file(file: File, count: int) -> dict[str, Any]:
    """The identity of a samples file: `count`, and the hash of each tensor and list of names that it has.

    All of it is read once: a gigabyte takes about a second. What comes from a pipe is kept for those who need it later.
    Error if a number is none, with which nothing could be learned.
    """
    file.keep()
    names = {
        "classes": file.meta.get("classes"),
        "attribute_names": file.meta.get("attributes"),
        "alphabet": file.meta.get(ALPHABET),
    }
    return {
        "count": count,
        **{name: _of_tensor(file, name) for name in HASHED if name in file},
        **{name: _digits(hashlib.sha256(json.dumps(texts).encode())) for name, texts in names.items() if texts},
    }


def _of_tensor(file: File, name: str) -> str:
    digest = hashlib.sha256()
    for rows in file.rows(name):
        if rows.dtype.kind == "f" and not np.isfinite(rows).all():
            raise Error(f"{file.name}: has {WORDS[name]} that are not finite numbers; make it again without them")
        digest.update(np.ascontiguousarray(rows).data)
    return _digits(digest)


def sampled(array: np.ndarray) -> str:
    """The `hash` of samples [N, ...], flattened, in older checkpoints: of SAMPLED rows."""
    rows = np.unique(np.linspace(0, len(array) - 1, min(len(array), SAMPLED)).round().astype(np.int64))
    return _digits(hashlib.sha256(np.ascontiguousarray(array[rows]).data))


def _digits(digest: Any) -> str:
    return str(digest.hexdigest()[:16])


def is_changed(keys: list[str], tensor: str) -> bool:
    """Whether two identities that differ in `keys` are of the same samples with another `tensor`, such as labels."""
    return tensor in keys and not SAMPLES & set(keys)


def in_words(keys: list[str]) -> str:
    """What differs between two identities: other pictures, labels."""
    return f"other {', '.join(WORDS[key] for key in keys)}"
