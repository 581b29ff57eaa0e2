"""The one container: a safetensors file with a `ganutils` entry in its metadata.

Layout (see docs/format.md): eight bytes with the header's length, a JSON header, the tensors.
The writer puts tensors with the widest numbers first, then sorts by name, so that everything is aligned, small
tensors come before the pictures, and the reader of a pipe has the labels when the first picture arrives.
The safetensors package reads these files too, but it can neither write nor read a pipe, hence the lines below.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import re
import stat
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from ganutils import Error
from ganutils.files import atomic, budget
from ganutils.files.disk import Disk
from ganutils.files.kinds import KINDS, Spec, check_shapes, plural
from ganutils.files.npy import Rows

FORMAT = 1
DTYPES: dict[str, np.dtype[Any]] = {"U8": np.dtype("u1"), "I64": np.dtype("<i8"), "F32": np.dtype("<f4")}
PROVENANCE = ("lineage", "versions")  # how a file was made, not what it is: not part of its digest
HEADER_LIMIT = 1 << 24  # bytes
MARKS_LIMIT = 1 << 20  # values in a header, enough for the notes of 300,000 frames; parsed, they take up to 190 MB
NAMES = ("lineage", "classes", "d_classes", "attributes", "input_names")  # metadata that are lists of text, if present
TEXTS = ("license", "resampling")  # metadata that are text
CHUNK = 1 << 22  # bytes read or written at a time


class Stream(NamedTuple):
    """A tensor whose shape is known now and whose numbers come later, in chunks, in C order."""

    shape: tuple[int, ...]
    dtype: np.dtype
    chunks: Iterable[np.ndarray]


def write(path: str, kind: str, tensors: Mapping[str, np.ndarray | Stream], meta: Mapping[str, Any]) -> None:
    """Write one file, whole or not at all; the same content gives the same bytes."""
    shapes = {name: (_named_dtype(name, tensor.dtype), tuple(tensor.shape)) for name, tensor in tensors.items()}
    order = sorted(shapes, key=lambda name: (-DTYPES[shapes[name][0]].itemsize, name))
    content = {**meta, "format": FORMAT, "kind": kind}
    header: dict[str, Any] = {"__metadata__": {"ganutils": json.dumps(content, sort_keys=True, ensure_ascii=False)}}
    position = 0
    for name in order:
        dtype, shape = shapes[name]
        end = position + _size(shape) * DTYPES[dtype].itemsize
        header[name] = {"data_offsets": [position, end], "dtype": dtype, "shape": list(shape)}
        position = end
    text = json.dumps(header, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode(
        errors="replace"
    )  # the name of a file may not be valid text
    text += b" " * (-len(text) % 8)
    if len(text) > HEADER_LIMIT or _values(text.decode()) > MARKS_LIMIT:  # what `read` would refuse
        names = f"names and notes of {len(text):,} bytes are more than a file holds"
        raise Error(f"{path}: {names}; use fewer classes, attributes or frames")
    with atomic.replacing(path) as out:
        out.write(len(text).to_bytes(8, "little") + text)
        for name in order:
            _write_tensor(out, name, tensors[name], DTYPES[shapes[name][0]])


def _named_dtype(name: str, dtype: np.dtype) -> str:
    for key, known in DTYPES.items():
        if known == dtype:
            return key
    raise TypeError(f"{name}: {dtype} is not one of {', '.join(DTYPES)}")


def _write_tensor(out: BinaryIO, name: str, tensor: np.ndarray | Stream, dtype: np.dtype) -> None:
    chunks = [tensor] if isinstance(tensor, np.ndarray) else tensor.chunks
    left = _size(tensor.shape) * dtype.itemsize
    for chunk in chunks:
        view = _bytes(np.ascontiguousarray(chunk, dtype))
        for start in range(0, len(view), CHUNK):
            out.write(view[start : start + CHUNK])
        left -= len(view)
    if left:
        raise ValueError(f"{name}: {abs(left)} bytes too {'few' if left > 0 else 'many'} for shape {tensor.shape}")


def _bytes(array: np.ndarray) -> memoryview:
    """The memory of a contiguous array, as bytes."""
    return memoryview(array.reshape(-1).view(np.uint8).data)


def _size(shape: Iterable[int]) -> int:
    size = 1
    for length in shape:
        size *= length
    return size


class File:
    """An open file: kind and metadata at once, arrays when they are needed.

    From a pipe, arrays arrive in the file's order; those before the one that is needed are kept.
    """

    def __init__(self, stream: BinaryIO, name: str):
        self.name = name
        self._stream = stream
        self._position = 0  # how far a pipe has been read, in bytes of the data region
        self._kept: dict[str, np.ndarray] = {}
        try:
            self.meta, self.specs, self._data_start = _read_header(stream)
        except (json.JSONDecodeError, UnicodeError, RecursionError, KeyError, TypeError, AttributeError):
            raise Error(f"{name}: damaged: its header is not valid; make it again") from None
        except ValueError as problem:
            raise Error(f"{name}: {problem}") from None
        self.kind: str = self.meta["kind"]
        self._disk: Disk | None = None  # None for a pipe
        end = max((spec.end for spec in self.specs.values()), default=0)
        if _has_descriptor(stream) and stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
            self._disk = Disk(stream, name)
            size = self._disk.size - self._data_start
            if size != end:
                raise Error(f"{name}: damaged: it has {size} bytes of data, its header says {end}; make it again")

    def __contains__(self, name: str) -> bool:
        return name in self.specs

    def __getitem__(self, name: str) -> np.ndarray:
        """The whole tensor; KeyError if the file has none with that name."""
        spec = self.specs[name]
        if name in self._kept:
            return self._kept[name]
        array = np.empty(spec.shape, spec.dtype)
        if spec.start == spec.end:
            return array
        if self._disk is not None:
            self._disk.read((_bytes(array), self._data_start + spec.start))
            return array
        self._forward_to(name)
        self._read_into(array)
        self._kept[name] = array
        return array

    def mapped(self, name: str) -> np.ndarray:
        """The whole tensor as a view of the file, which must not shrink; writing to the view leaves the file alone."""
        spec = self.specs[name]
        if self._disk is None or spec.start == spec.end:
            return self[name]
        return np.asarray(np.memmap(self._stream, spec.dtype, "c", self._data_start + spec.start, spec.shape))

    def on_disk(self, name: str, shape: tuple[int, ...]) -> Rows | None:
        """The tensor in another `shape` [N, ...], whose rows are read when they are needed; None from a pipe."""
        spec = self.specs[name]
        return None if self._disk is None else Rows(self._disk, self._data_start + spec.start, shape, spec.dtype)

    def rows(self, name: str, count: int = 0) -> Iterator[np.ndarray]:
        """The tensor, `count` rows of axis 0 at a time, or about CHUNK bytes; from a pipe it can be read once.

        Nothing of it is kept.
        """
        spec = self.specs[name]
        if spec.start == spec.end:
            return
        count = count or max(1, CHUNK * spec.shape[0] // (spec.end - spec.start))
        whole = self._kept.get(name, self.on_disk(name, spec.shape))
        if whole is not None:
            yield from (whole[start : start + count] for start in range(0, spec.shape[0], count))
            return
        self._forward_to(name)
        for start in range(0, spec.shape[0], count):
            array = np.empty((min(count, spec.shape[0] - start), *spec.shape[1:]), spec.dtype)
            self._read_into(array)
            yield array

    def keep(self) -> None:
        """Read all of a pipe now: for a command that writes something else before its result."""
        if self._disk is None:
            for name in sorted(self.specs, key=lambda name: self.specs[name].start):
                self[name]

    def spool(self) -> None:
        """Put all of a pipe into a nameless file, now, so that its tensors can be read side by side."""
        if self._disk is None:
            with tempfile.TemporaryFile() as file:
                end = max((spec.end for spec in self.specs.values()), default=0)
                while self._position < end:
                    part = memoryview(bytearray(min(CHUNK, end - self._position)))
                    self._read_exactly(part)
                    file.write(part)
                self.finish()
                file.flush()
                self._disk, self._data_start = Disk(file, self.name), 0

    def finish(self) -> None:
        """Read a pipe to its end, so that its writer can finish; Error if the writer failed."""
        end = max((spec.end for spec in self.specs.values()), default=0)
        if self._disk is None:
            while self._position < end:
                self._read_exactly(memoryview(bytearray(min(CHUNK, end - self._position))))
            if self._stream.read(1):
                raise Error(f"{self.name}: goes on after its end; a pipe holds one file")

    def digest(self) -> str:
        """SHA-256 of what the file is: kind, metadata and tensors, without how it was made (`PROVENANCE`)."""
        meta = {key: value for key, value in self.meta.items() if key not in PROVENANCE}
        digest = hashlib.sha256(json.dumps(meta, sort_keys=True).encode())
        for name in sorted(self.specs, key=lambda name: self.specs[name].start):  # the order of a pipe
            spec = self.specs[name]
            digest.update(json.dumps([name, spec.dtype.str, spec.shape]).encode())
            for rows in self.rows(name) if spec.shape else [self[name]]:
                digest.update(np.ascontiguousarray(rows).data)
        return digest.hexdigest()

    def _forward_to(self, name: str) -> None:
        """Read a pipe up to `name`, keeping the tensors before it."""
        before = [n for n, spec in self.specs.items() if self._position <= spec.start < self.specs[name].start]
        for other in sorted(before, key=lambda n: self.specs[n].start):
            self[other]
        if self._position != self.specs[name].start:
            raise Error(f"{self.name}: {name} has already passed through the pipe; save it to a file first")

    def _read_into(self, array: np.ndarray) -> None:
        view = _bytes(array)
        for start in range(0, len(view), CHUNK):
            self._read_exactly(view[start : start + CHUNK])

    def _read_exactly(self, view: memoryview) -> None:
        """Fill `view` from a pipe; Error if it ends early."""
        done = 0
        while done < len(view):
            count = self._stream.readinto(view[done:])  # type: ignore[attr-defined]
            if not count:
                raise Error(f"{self.name}: ended early; what wrote it failed or was stopped")
            done += count
        self._position += done


def _has_descriptor(stream: BinaryIO) -> bool:
    try:
        stream.fileno()
    except (OSError, io.UnsupportedOperation):
        return False
    return True


def _read_header(stream: BinaryIO) -> tuple[dict[str, Any], dict[str, Spec], int]:
    """Metadata, tensors and the offset of the data; ValueError, KeyError or TypeError if it is not one of our files."""
    prefix = stream.read(8)
    if not prefix:
        raise ValueError("empty; its writer failed")
    length = int.from_bytes(prefix, "little")
    if len(prefix) < 8 or not 2 <= length <= HEADER_LIMIT:
        raise ValueError("not a ganutils file; gan-data turns pictures, .npy files and data sets into one")
    text = stream.read(length)
    if len(text) < length:
        raise ValueError("not a ganutils file, or truncated in its header")
    header = _parsed(text.decode())
    text_of_meta = header.pop("__metadata__", {}).get("ganutils")
    if text_of_meta is None:
        raise ValueError("a safetensors file, but not from ganutils (no 'ganutils' in its metadata)")
    meta = _parsed(text_of_meta)
    if type(meta["format"]) is not int or meta["format"] < 1:
        raise ValueError(f"damaged: its format is {meta['format']!r}")
    if meta["format"] > FORMAT:
        raise ValueError(f"written by a newer ganutils (format {meta['format']}); upgrade to read it")
    if meta["kind"] not in KINDS:
        raise ValueError(f"unknown kind {meta['kind']!r}; files hold {', '.join(map(plural, KINDS))}")
    _check_texts(meta)
    specs: dict[str, Spec] = {}
    position = 0
    for name, entry in sorted(header.items(), key=lambda item: item[1]["data_offsets"]):
        if entry["dtype"] not in DTYPES:
            raise ValueError(f"{name} has type {entry['dtype']}, not one of {', '.join(DTYPES)}")
        spec = Spec(DTYPES[entry["dtype"]], tuple(entry["shape"]), *entry["data_offsets"])
        are_lengths = all(type(n) is int and n >= 0 for n in (*spec.shape, spec.start, spec.end))
        if not are_lengths or spec.start != position:
            raise ValueError(f"damaged: {name} is not where it should be")
        if len(spec.shape) > budget.AXES:
            raise ValueError(f"damaged: {name} has {len(spec.shape)} axes, more than {budget.AXES}")
        if 0 in spec.shape and _size(filter(None, spec.shape)) > budget.EMPTY:
            raise ValueError(f"damaged: {name} of shape {list(spec.shape)} holds nothing")
        if spec.end - spec.start != _size(spec.shape) * spec.dtype.itemsize:
            raise ValueError(f"damaged: {name} of shape {list(spec.shape)} has {spec.end - spec.start} bytes")
        specs[name] = spec
        position = spec.end
    return meta, specs, 8 + length


def _values(text: str) -> int:
    """About how many values a text of JSON has."""
    return sum(map(text.count, ",[{"))


def _parsed(text: str) -> Any:
    """JSON of a header; ValueError if it has absurdly many values, or invalid text (half of a surrogate pair)."""
    if _values(text) > MARKS_LIMIT:
        raise ValueError("damaged: its header has absurdly many values")
    content = json.loads(text)
    if re.search(r"\\u[dD]", text):
        json.dumps(content, ensure_ascii=False).encode()
    return content


def _check_texts(meta: Mapping[str, Any]) -> None:
    for name in TEXTS:
        if not isinstance(meta.get(name, ""), str):
            raise ValueError(f"damaged: {name!r} in its metadata is not text")
    for name in NAMES:
        texts = meta.get(name, [])
        if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
            raise ValueError(f"damaged: {name!r} in its metadata is not a list of texts")


@contextlib.contextmanager
def read(path: str, *kinds: str) -> Iterator[File]:
    """Open a file of one of `kinds`, or of any kind if none is given; `-` is stdin."""
    name = "standard input" if path == "-" else path
    with contextlib.ExitStack() as stack:
        if path == "-":
            if int(os.environ.get("WORLD_SIZE", "1")) > 1:
                raise Error(f"{name}: the workers of torchrun cannot share a pipe; give a file")
            stream: BinaryIO = sys.stdin.buffer
        else:
            stream = stack.enter_context(open(path, "rb"))
        file = File(stream, name)
        if kinds and file.kind not in kinds:
            raise Error(f"{name}: holds {plural(file.kind)}; give {' or '.join(map(plural, kinds))}")
        check_shapes(name, file.kind, file.specs)
        if path == "-":
            atomic.unread.append(file.finish)
            stack.callback(atomic.unread.remove, file.finish)
        yield file
        file.finish()
