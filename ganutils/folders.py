"""A folder of PNG files, written whole or not at all."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterable

import numpy as np

from ganutils import Error, paths, pictures


def write(path: str, samples: Iterable[np.ndarray]) -> int:
    """One PNG a sample [H, W, C], 000000.png and so on; how many they are.

    A folder that was there is replaced if it holds only such files.
    """
    number = -1
    folder = path.rstrip("/")
    if os.path.lexists(folder):
        names = os.listdir(folder)
        if not all(re.fullmatch(r"\d{6,}\.png", name) for name in names):
            raise Error(f"{path}: holds other files too; remove the folder or choose another name")
    parent, name = os.path.split(os.path.abspath(folder))
    paths.check_folder(path)
    temporary, old = (os.path.join(parent, f".{name}.{what}") for what in ("tmp", "old"))
    shutil.rmtree(temporary, ignore_errors=True)
    try:
        os.mkdir(temporary)
        for number, sample in enumerate(samples):
            with open(os.path.join(temporary, f"{number:06d}.png"), "wb") as out:
                pictures.write_png(out, sample)
                out.flush()
                os.fsync(out.fileno())
        shutil.rmtree(old, ignore_errors=True)
        if os.path.lexists(folder):
            os.rename(folder, old)
        os.rename(temporary, folder)
        shutil.rmtree(old, ignore_errors=True)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return number + 1
