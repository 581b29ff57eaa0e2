"""LSUN: scenes and objects by category (Yu et al. 2015), in the LMDB folders that its authors give."""

from __future__ import annotations

import functools
import glob
import importlib.util
import os
from typing import Any

import numpy as np

from ganutils import Error
from ganutils.files import budget
from ganutils.samples import foreign, predicates
from ganutils.samples.foreign import UnreadableError
from ganutils.samples.images import Shape, decode
from ganutils.samples.sources.source import Request, Source

PARTS = {"train": "train", "all": "train"}  # the others are val


def open_lsun(request: Request) -> list[Source]:
    """Each category asked for, from its folder (bedroom_train_lmdb), anywhere under the root."""
    part = PARTS.get(request.split, "val")
    return [_category(request, category.strip(), part) for category in request.detail.split(",")]


def _category(request: Request, category: str, part: str) -> Source:
    path = _folder(request.root, category, part)
    if importlib.util.find_spec("lmdb") is None:
        raise Error("lsun: lies in LMDB folders; pip install lmdb")
    try:
        keys = foreign.call(_keys, path)
    except UnreadableError as problem:
        raise Error(f"{path}: {problem}") from None
    if not keys:
        raise Error(f"{path}: holds no pictures")
    return Source(
        f"lsun:{category}",
        len(keys),
        lambda row: (path, keys[row]),
        _draw,
        names=[key.decode(errors="replace") for key in keys],
        labels=np.zeros(len(keys), np.int64),
        classes=(category,),
        meta=request.meta,
    )


# --------------------------------------------------------------------------------------- in the child


@functools.cache
def _database(path: str) -> Any:
    import lmdb

    return lmdb.open(path, readonly=True, lock=False, readahead=False)


def _keys(path: str) -> list[bytes]:
    import lmdb

    foreign.allow(budget.decoding(os.path.getsize(os.path.join(path, "data.mdb"))))
    try:
        with _database(path).begin() as reader:
            return list(reader.cursor().iternext(keys=True, values=False))
    except lmdb.Error as problem:
        raise Error(f"{path}: damaged, or not an LMDB folder ({problem})") from None


def _draw(place: tuple[str, bytes], shape: Shape) -> np.ndarray:
    path, key = place
    with _database(path).begin() as reader:
        data = reader.get(key)
    if data is None:
        raise UnreadableError("is not in the database")
    return decode(bytes(data), shape)


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
