"""onnxruntime-web, which runs a graph inside a page: fetched once, checked, kept, and put into each page.

It is MIT-licensed, by Microsoft and contributors (https://github.com/microsoft/onnxruntime). No other file is taken of
its package, and no other version: what a page runs is what these hashes name.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator

from ganutils import Error
from ganutils.files import atomic, paths
from ganutils.samples.sources import downloads, tars

VERSION = "1.30.0"
PACKAGE = f"https://registry.npmjs.org/onnxruntime-web/-/onnxruntime-web-{VERSION}.tgz"
SIZE = 33_106_585  # bytes of the package
FILES = {  # of its folder dist/, with their SHA-256
    "ort.wasm.bundle.min.mjs": "11e64bd8ffe11bd1a2a2f0d6275fdfbbba7262f0b76b99b53d228a8a22ef3d90",
    "ort-wasm-simd-threaded.wasm": "3398c10d07d229bd91b364548e130e0e51a8e5704b88c7c083ebbeb78842dee2",
}


def read(root: str, given: str | None, progress: downloads.Progress) -> dict[str, bytes]:
    """The files by name: of `given`, the package or a folder with its files; else those kept under `root`, or fetched.

    Error if a file is missing, or is not the one that its hash names.
    """
    if given is not None:
        return dict(_checked(given, _reader(given)))
    folder = os.path.join(paths.at_home(root), f"onnxruntime-web-{VERSION}")
    if not all(os.path.exists(os.path.join(folder, name)) for name in FILES):
        package = f"{folder}.tgz"
        downloads.fetch(PACKAGE, package, "onnxruntime-web", progress, _size_of)
        os.makedirs(folder, exist_ok=True)
        for name, content in _checked(package, _reader(package)):
            with atomic.replacing(os.path.join(folder, name)) as out:
                out.write(content)
        os.remove(package)
    return dict(_checked(folder, _reader(folder)))


def _size_of(beginning: bytes) -> int:
    """The size of the package, if it begins as one; see downloads.SizeOf."""
    if not beginning.startswith(b"\x1f\x8b"):
        raise ValueError("no package")
    return SIZE


def _checked(path: str, content_of: Callable[[str], bytes]) -> Iterator[tuple[str, bytes]]:
    for name, expected in FILES.items():
        content = content_of(name)
        if hashlib.sha256(content).hexdigest() != expected:
            raise Error(f"{path}: its {name} is not that of onnxruntime-web {VERSION}; remove it, or give --runtime")
        yield name, content


def _reader(path: str) -> Callable[[str], bytes]:
    """What gives the content of a file of dist/, in a folder or in a package."""

    def of_folder(name: str) -> bytes:
        with open(os.path.join(path, name), "rb") as file:
            return file.read()

    def of_package(name: str) -> bytes:
        with tars.opened(path) as package:
            member = f"package/dist/{name}"
            return package.read(member) if member in package.files else b""

    return of_folder if os.path.isdir(path) else of_package
