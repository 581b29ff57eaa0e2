"""LSUN: scenes and objects by category (Yu et al. 2015), in the LMDB folders that its authors give."""

from __future__ import annotations

import glob
import os

import numpy as np

from ganutils import Error
from ganutils.samples import predicates
from ganutils.samples.images import UnreadableError, decode
from ganutils.samples.sources.source import Request, Source

PARTS = {"train": "train", "all": "train"}  # the others are val


def open_lsun(request: Request) -> list[Source]:
    """Each category asked for, from its folder (bedroom_train_lmdb), anywhere under the root."""
    part = PARTS.get(request.split, "val")
    return [_category(request, category.strip(), part) for category in request.detail.split(",")]


def _category(request: Request, category: str, part: str) -> Source:
    path = _folder(request.root, category, part)
    try:
        import lmdb
    except ImportError:
        raise Error("lsun: lies in LMDB folders; pip install lmdb") from None
    try:
        database = lmdb.open(path, readonly=True, lock=False, readahead=False)
        with database.begin() as reader:
            keys = list(reader.cursor().iternext(keys=True, values=False))
    except lmdb.Error as problem:
        raise Error(f"{path}: damaged, or not an LMDB folder ({problem})") from None
    if not keys:
        raise Error(f"{path}: holds no pictures")
    request.stack.callback(database.close)

    def load(row: int) -> bytes:
        with database.begin() as reader:
            data = reader.get(keys[row])
        if data is None:
            raise UnreadableError("is not in the database")
        return bytes(data)

    return Source(
        f"lsun:{category}",
        len(keys),
        load,
        decode,
        names=[key.decode(errors="replace") for key in keys],
        labels=np.zeros(len(keys), np.int64),
        classes=(category,),
        meta=request.meta,
    )


def _folder(root: str, category: str, part: str) -> str:
    pattern = os.path.join(glob.escape(root), "**", f"*_{part}_lmdb")
    folders = {
        os.path.basename(path).removesuffix(f"_{part}_lmdb"): path
        for path in sorted(glob.glob(pattern, recursive=True), reverse=True)
    }
    if category not in folders:
        hint = predicates.nearest(category, folders) if folders else "its authors give it at github.com/fyu/lsun"
        raise Error(f"lsun:{category}: no folder {category}_{part}_lmdb under {root}; {hint}")
    return folders[category]
