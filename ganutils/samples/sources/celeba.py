"""CelebA, aligned and cropped to 178x218, with its 40 attributes (Liu et al. 2015), as torchvision keeps it."""

from __future__ import annotations

import dataclasses
import os

import numpy as np

from ganutils import Error
from ganutils.samples.sources import archives, attributes, named
from ganutils.samples.sources.source import Request, Source

PARTS = ("train", "valid", "test")  # numbered so in list_eval_partition.txt


def open_celeba(request: Request) -> list[Source]:
    """The pictures of a split, from `root`/celeba; all of them where the file of splits is missing."""
    folder = os.path.join(request.root, "celeba")
    images = os.path.join(folder, "img_align_celeba")
    table = os.path.join(folder, "list_attr_celeba.txt")
    if not os.path.exists(table) or not (os.path.exists(images) or os.path.exists(f"{images}.zip")):
        named.downloaded(request, split="all")
    is_folder = os.path.isdir(images)
    source = archives.folder(images) if is_folder else request.stack.enter_context(archives.zipped(f"{images}.zip"))
    source = attributes.join(source, attributes.read_table(table))
    splits = os.path.join(folder, "list_eval_partition.txt")
    if request.split != "all" and (request.split != "train" or os.path.exists(splits)):
        source = _part(source, splits, request.split)
    return [dataclasses.replace(source, name=request.name, meta=request.meta)]


def _part(source: Source, path: str, split: str) -> Source:
    with open(path, encoding="utf-8") as lines:
        rows = (line.split() for line in lines)
        wanted = {row[0] for row in rows if len(row) == 2 and row[1] == str(PARTS.index(split))}
    kept = [row for row, name in enumerate(source.names or ()) if os.path.basename(name) in wanted]
    if not kept:
        raise Error(f"{path}: has no pictures of the {split} split")
    return source.of_rows(np.array(kept))
