"""The sources of data that gan-data knows, one row each. Nothing heavy is imported here, since --help shows these rows.

To add one, write a module beside this one with a function Request -> [Source, ...], and add a row that names it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

from ganutils import Error

IDX_IMAGES = re.compile(r"(.*)images[-.]idx3-ubyte(\.gz)?$")
PICTURE_SUFFIXES = (
    *(".png", ".jpg", ".jpeg", ".jfif", ".gif", ".bmp", ".webp", ".tif", ".tiff", ".pgm", ".ppm", ".pbm", ".pnm"),
    *(".avif", ".heic", ".heif", ".tga"),
)
SOUND_SUFFIXES = (
    *(".wav", ".wave", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aif", ".aiff", ".aifc", ".au", ".snd", ".caf"),
    *(".w64", ".rf64"),
)
OTHER_SOUNDS = (".m4a", ".aac", ".wma", ".amr", ".ape", ".wv", ".mka", ".ra", ".mid", ".midi")
OTHER_SUFFIXES = (  # pictures that are not read, which must not go unnoticed
    *(".jxl", ".jp2", ".psd", ".xcf", ".svg", ".eps", ".ico", ".exr", ".hdr"),
    *(".dng", ".cr2", ".cr3", ".nef", ".arw", ".orf", ".raf", ".rw2"),
)


class Decoder(NamedTuple):
    """Who reads films of one suffix: a plugin of imageio, and of its decoders (Pillow's, ffmpeg's) only this one."""

    plugin: str
    decoder: str


FILMS = {
    ".gif": Decoder("pillow", "GIF"),
    ".webp": Decoder("pillow", "WEBP"),
    ".apng": Decoder("pillow", "PNG"),
    ".mp4": Decoder("FFMPEG", "mov"),
}
PICKLE_SUFFIXES = (".pt", ".pth", ".npz", ".pkl", ".pickle")  # refused: unpickling runs code

DIGITS = tuple("0123456789")
LETTERS = tuple("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
BALANCED = (*DIGITS, *LETTERS, *"abdefghnqrt")  # EMNIST: small letters that look like capitals are one class with them
CLOTHES = ("T-shirt", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot")
KANA = ("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo")
THINGS = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")


class Row(NamedTuple):
    """A kind of source.

    usage      how it is typed, for --help; "" = not shown
    about      what it is, for --help; rows that say the same share a line
    opener     "module.function" of this package, which takes a Request and gives a list of Sources
    splits     the names that --split takes; the first is the default
    settings   options that only such sources have, with their defaults
    license    of the samples
    classes    what their labels mean
    folder     torchvision's name of the data set: its class, and its folder under --root
    toys       how many are drawn if no --limit says it
    holds      whether a source follows the colon, which has the splits
    """

    usage: str
    about: str
    opener: str
    splits: tuple[str, ...] = ()
    settings: Mapping[str, float] = {}
    license: str = ""
    classes: tuple[str, ...] = ()
    folder: str = ""
    toys: int = 10_000
    holds: bool = False


def _ends_in(*suffixes: str) -> Callable[[str], bool]:
    return lambda path: path.lower().endswith(suffixes)


def idx_folder(path: str) -> str | None:
    """The folder that holds idx files: this one, or, as torchvision keeps them, `raw` in it; None if neither does."""
    folders = (path, os.path.join(path, "raw"))
    return next((one for one in folders if os.path.isdir(one) and any(map(IDX_IMAGES.match, os.listdir(one)))), None)


def _is_idx_folder(path: str) -> bool:
    return idx_folder(path) is not None


def _is_samples(path: str) -> bool:
    return path == "-" or path.lower().endswith(".safetensors")


PARTS = ("train", "test", "all")
CELEBA_PARTS = ("train", "valid", "test", "all")
PICTURES = "pictures or sounds at any depth; class folders are labels"
STROKES = "strokes of Quick, Draw!, drawn at any --size"
NAMED = "pictures one by one, as one set; their folders become labels"
SINGLE_SOUNDS = "sounds one by one: WAV; with soundfile FLAC, OGG, MP3"
ARRAYS = "pictures (N,784), (N,H,W), (N,H,W,C) or (N,C,H,W)"
IDX = "pictures in MNIST's format, with their labels"
BITMAPS = "Quick, Draw! bitmaps, downloaded once"
INCLUDED = "5,000 MNIST digits, no download"
DOWNLOADED = "downloaded once by torchvision (except lsun)"
POINTS = "points of known distributions"
FACES = "drawn faces with exact attributes; young and old"
SHAPES = "two shapes, and where they are, as attributes"
DRUMS, VOWELS = "sounds: kick, snare, hat, tom", "sounds: a, e, i, o, u, with known formants"
SENTENCES = "texts: sentences of an exact grammar"
PEOPLE = "drawn people; the inputs: standing, and a skeleton"

MNIST = "CC BY-SA 3.0, MNIST, LeCun, Cortes and Burges"
FASHION = "MIT, Fashion-MNIST, Zalando SE"
KMNIST = "CC BY-SA 4.0, KMNIST, ROIS-DS Center for Open Data in the Humanities"
EMNIST = "public domain (NIST), EMNIST, Cohen et al. 2017"
CIFAR = "not stated by its author; cite Krizhevsky 2009"
SVHN = "non-commercial use, SVHN, Netzer et al. 2011"
CELEBA = "non-commercial research only, CelebA, Liu et al. 2015"
LSUN = "not stated by its authors; cite Yu et al. 2015"
QUICKDRAW = "CC BY 4.0, The Quick, Draw! Dataset, Google"
DRAWN = "CC0 1.0, drawn by ganutils"
WRITTEN = "CC0 1.0, written by ganutils"
PLAYED = 4096  # sounds of a toy
STACKED = "three of its gray pictures as one in color"
COUNTED = 25_600  # stacks, in which papers count the modes (Metz et al. 2017)

TARS = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz", ".tbz2", ".tar.xz", ".txz")

# Files and folders: the first row whose test a path passes opens it.
FILES: tuple[tuple[Callable[[str], bool], Row], ...] = (
    (_is_idx_folder, Row("", IDX, "arrays.open_idx_folder", PARTS)),
    (os.path.isdir, Row("FOLDER", PICTURES, "archives.open_folder")),
    (_ends_in(".zip"), Row("FILE.zip", PICTURES, "archives.open_zip")),
    (_ends_in(*TARS), Row("FILE.tar[.gz]", PICTURES, "archives.open_tar")),
    (_ends_in(*FILMS), Row("FILE.gif|webp|apng|mp4", "the frames of a film, a sample each", "films.open_film")),
    (_ends_in(*PICTURE_SUFFIXES), Row("PICTURE...", NAMED, "archives.open_picture")),
    (_ends_in(*SOUND_SUFFIXES), Row("SOUND...", SINGLE_SOUNDS, "archives.open_sound")),
    (_ends_in(".txt"), Row("FILE.txt", "texts, one in each line", "lines.open_lines")),
    (_ends_in(".npy"), Row("FILE.npy", ARRAYS, "bitmaps.open_npy")),
    (_ends_in(".ndjson"), Row("FILE.ndjson", STROKES, "quickdraw.open_strokes", license=QUICKDRAW)),
    (_ends_in("-ubyte", "-ubyte.gz"), Row("*-images-idx3-ubyte[.gz]", IDX, "arrays.open_idx")),
    (_is_samples, Row("FILE.safetensors", "samples that a command wrote", "arrays.open_samples_file")),
)

# Data sets by name; one whose usage has a colon is typed with more behind it.
NAMES: dict[str, Row] = {
    "quickdraw": Row("quickdraw:NAME,NAME", BITMAPS, "quickdraw.open_bitmaps", license=QUICKDRAW),
    "digits": Row("digits", INCLUDED, "named.open_digits", ("train", "all"), {}, MNIST, DIGITS),
    "mnist": Row("mnist", DOWNLOADED, "named.open_idx", PARTS, {}, MNIST, DIGITS, "MNIST"),
    "fashion-mnist": Row("fashion-mnist", DOWNLOADED, "named.open_idx", PARTS, {}, FASHION, CLOTHES, "FashionMNIST"),
    "kmnist": Row("kmnist", DOWNLOADED, "named.open_idx", PARTS, {}, KMNIST, KANA, "KMNIST"),
    "emnist": Row("emnist", DOWNLOADED, "named.open_emnist", PARTS, {}, EMNIST, BALANCED, "EMNIST"),
    "cifar10": Row("cifar10", DOWNLOADED, "named.open_cifar10", PARTS, {}, CIFAR, THINGS, "CIFAR10"),
    "svhn": Row("svhn", DOWNLOADED, "named.open_svhn", PARTS, {}, SVHN, DIGITS, "SVHN"),
    "celeba": Row("celeba", DOWNLOADED, "celeba.open_celeba", CELEBA_PARTS, {}, CELEBA, folder="CelebA"),
    "lsun": Row("lsun:NAME", DOWNLOADED, "lsun.open_lsun", (*CELEBA_PARTS, "val"), license=LSUN),
    "stacked": Row("stacked:SOURCE", STACKED, "stacked.open_stacked", toys=COUNTED, holds=True),
    "toy:gaussian": Row("toy:gaussian", POINTS, "toys.open_gaussian", (), {"mean": 4.0, "std": 1.25}, DRAWN),
    "toy:ring": Row("toy:ring", POINTS, "toys.open_ring", (), {"modes": 8, "std": 0.02}, DRAWN),
    "toy:grid": Row("toy:grid", POINTS, "toys.open_grid", (), {"modes": 25, "std": 0.05}, DRAWN),
    "toy:faces": Row("toy:faces", FACES, "faces.open_faces", license=DRAWN),
    "toy:faces:age": Row("toy:faces:age", FACES, "ages.open_ages", license=DRAWN),
    "toy:hats": Row("toy:hats", "the hats of drawn faces; the inputs wear them", "hats.open_hats", license=DRAWN),
    "toy:shapes": Row("toy:shapes", SHAPES, "shapes.open_shapes", license=DRAWN),
    "toy:people": Row("toy:people", PEOPLE, "people.open_people", license=DRAWN),
    "toy:people:walk": Row("toy:people:walk", PEOPLE, "people.open_walk", license=DRAWN),
    "toy:sentences": Row("toy:sentences", SENTENCES, "grammar.open_sentences", license=WRITTEN, toys=20_000),
    "toy:drums": Row("toy:drums", DRUMS, "drums.open_drums", license=DRAWN, toys=PLAYED),
    "toy:vowels": Row("toy:vowels", VOWELS, "vowels.open_vowels", license=DRAWN, toys=PLAYED),
}


def named(name: str) -> Row | None:
    """The row of a data set that is typed by its name, or by its name and what to take of it (lsun:bedroom)."""
    kind, _, detail = name.partition(":")
    if name in NAMES and NAMES[name].usage == name:
        return NAMES[name]
    row = NAMES.get(kind)
    return row if row and row.usage != kind and detail else None


def known_folder(path: str) -> Row | None:
    """The row of a data set in MNIST's format, by the folders at the end of a path: FashionMNIST/raw, fashion-mnist."""
    rows = {row.folder.lower(): row for row in NAMES.values() if row.opener == "named.open_idx"}
    folders = os.path.abspath(path).lower().split(os.sep)[-3:]
    return next((rows[key] for part in reversed(folders) if (key := re.sub("[-_ ]", "", part)) in rows), None)


def row_of(name: str) -> Row:
    """The row of a source as it is typed: a name, or else a path; Error with the nearest names if it is neither."""
    row = named(name)
    if row is not None:
        return row._replace(splits=row_of(name.partition(":")[2]).splits) if row.holds else row
    if name != "-" and not os.path.exists(name):
        raise Error(f"{name}: no such file or folder, nor a data set; {_nearest(name)}")
    for fits, row in FILES:
        if fits(name):
            return row
    if name.lower().endswith(PICKLE_SUFFIXES):
        raise Error(f"{name}: may hold pickled code, which is never run here; save an array with np.save as .npy")
    usages = ", ".join(row.usage for _, row in FILES if row.usage)
    raise Error(f"{name}: its suffix does not say what it is; give {usages}")


def _nearest(name: str) -> str:
    from ganutils.samples.predicates import nearest

    return nearest(name, [row.usage for row in NAMES.values()])


def takers(setting: str) -> list[str]:
    """The data sets that have the option --`setting`."""
    return [row.usage for row in NAMES.values() if setting in row.settings]


def usage(width: int = 36) -> str:
    """The sources, for --help: how each is typed, in `width` columns, and what it is."""
    groups: dict[str, list[str]] = {}
    for row in (*(row for _, row in FILES if row.usage), *NAMES.values()):
        groups.setdefault(row.about, []).append(row.usage)
    lines = []
    for about, usages in groups.items():
        typed = " ".join(usages)
        lines += [f"{typed:{width}}{about}"] if len(typed) < width else [typed, " " * width + about]
    return "\n".join(lines)
