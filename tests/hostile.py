"""Files as strangers make them: mutations of ours and of others, and a way to run commands on thousands of them.

`run` calls a command in this process, in a millisecond where a process of its own takes fifty.
"""

import contextlib
import io
import json
import os
import random
import runpy
import signal
import sys
import tarfile
import time
import zipfile
import zlib

import click
import numpy as np
import torch
from conftest import BIN
from PIL import Image

from ganutils import Error
from ganutils.samples.images import AVIF

SLOW = 10  # seconds of a processor
VALUES = [
    *(0, -1, 1, 3, 255, 2**31, 2**62, 2**63, 2**64, 10**30, -(2**63), 1e308, 0.5),
    *(float("nan"), float("inf"), True, None, "", "x", "\x1b[2J", "\n", "☃", "\ud83d", "a" * 5000),
    *([], {}, [[]], [1], [None], ["a"], [8, 8, 1], [8, 8, 3], {"a": 1}),
]


class HangError(BaseException):
    """It took too long."""


class Runner:
    """Runs commands in this process; what is neither a success nor an error in words is kept in `faults`."""

    def __init__(self):
        self.commands = {path.name: runpy.run_path(str(path), run_name="hostile") for path in BIN.iterdir()}
        self.faults: list[str] = []
        self.outcomes: dict[str, int] = {}

    def run(self, *words):
        command = self.commands[words[0]][words[0].replace("-", "_")]
        sys.argv, begun, outcome = list(words), time.process_time(), "done"
        with contextlib.redirect_stdout(io.TextIOWrapper(io.BytesIO())), contextlib.redirect_stderr(io.StringIO()):
            try:
                signal.alarm(6 * SLOW)
                click.Command.main(command, list(words[1:]), standalone_mode=False)
            except (Error, click.UsageError, OSError, SystemExit) as problem:
                outcome = type(problem).__name__
            except (Exception, HangError) as problem:  # what a user would see as an internal error
                outcome = "fault"
                self.faults.append(f"{' '.join(words)}: {type(problem).__name__}: {problem}")
            finally:
                signal.alarm(0)
                torch.set_flush_denormal(False)  # or hypothesis could not make small numbers in this process any more
        if time.process_time() - begun > SLOW:
            self.faults.append(f"{' '.join(words)}: took {time.process_time() - begun:.0f} s")
        self.outcomes[outcome] = self.outcomes.get(outcome, 0) + 1


def _ring(*_):
    raise HangError


signal.signal(signal.SIGALRM, _ring)


def mutated(content: bytes, r: random.Random) -> bytes:
    """A few bytes changed, lost, added or doubled; of files of ours also a field of the header, or the numbers."""
    kind = r.random() if content[8:9] == b"{" else 1.0
    if kind < 0.35:
        return _of_header(content, r)
    found = bytearray(content)
    if kind < 0.5:  # numbers: NaN, Inf, the largest
        start = 8 + int.from_bytes(content[:8], "little")
        for _ in range(r.choice([1, 4, 50]) if len(found) - start >= 8 else 0):
            at = start + 4 * r.randrange((len(found) - start) // 4)
            found[at : at + 4] = r.choice([b"\0\0\xc0\x7f", b"\0\0\x80\x7f", b"\xff\xff\x7f\x7f", b"\xff" * 4])
        return bytes(found)
    for _ in range(r.choice([1, 1, 2, 4, 16])):
        at = r.randrange(min(len(found), r.choice([900, 1 << 30])) or 1)
        change = r.randrange(5)
        if change == 0:
            found[at : at + 1] = bytes([r.randrange(256)])
        elif change == 1:
            del found[at : at + r.choice([1, 1, 8, 100])]
        elif change == 2:
            found[at:at] = bytes(r.choices(b'0123456789-[]{}",\\:\n\0\xff', k=r.choice([1, 1, 4])))
        elif change == 3:
            del found[at:]
        else:
            start = r.randrange(len(found) or 1)
            found[at:at] = found[start : start + r.randrange(1, 60)]
    return bytes(found)


def _of_header(content: bytes, r: random.Random) -> bytes:
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + length])
    own = json.loads(header.pop("__metadata__")["ganutils"])
    for _ in range(r.choice([1, 1, 2, 3])):
        changed = own if r.random() < 0.7 else header
        if changed:
            change_json(changed, r)
    text = json.dumps({**header, "__metadata__": {"ganutils": json.dumps(own)}}).encode()
    return len(text).to_bytes(8, "little") + text + content[8 + length :]


def change_json(value, r: random.Random) -> None:
    """One place of it, at any depth, becomes another value, or is removed, or comes twice."""
    holder, key = r.choice(list(_places(value)))
    change = r.choice([0, 0, 0, 1, 2])
    if change == 0:
        holder[key] = r.choice(VALUES)
    elif change == 1:
        del holder[key]
    elif isinstance(holder, dict):
        holder[r.choice(["zz", "images", "labels", "frames", "layout", "toy", "classes", "config"])] = holder[key]
    else:
        holder.insert(key, holder[key])


def _places(value):
    for key in list(value) if isinstance(value, dict) else range(len(value)):
        yield value, key
        if isinstance(value[key], dict | list):
            yield from _places(value[key])


def pictures() -> dict[str, bytes]:
    """Small pictures in every format, by name."""
    rng = np.random.default_rng(0)
    noise = Image.fromarray(rng.integers(0, 256, (24, 20, 3), "u1"))
    found = {}
    forms = {"png": "PNG", "jpg": "JPEG", "gif": "GIF", "bmp": "BMP", "webp": "WEBP", "tif": "TIFF", "ppm": "PPM"}
    forms |= {"tga": "TGA", **({"avif": "AVIF"} if AVIF else {})}
    modes = [*(("RGB", suffix) for suffix in forms), ("1", "png"), ("P", "png"), ("RGBA", "png"), ("LA", "png")]
    for mode, suffix in [*modes, ("CMYK", "jpg"), ("L", "jpg"), ("RGBA", "webp"), ("P", "gif"), ("L", "tif")]:
        out = io.BytesIO()
        noise.convert(mode).save(out, forms[suffix])
        found[f"{mode}.{suffix}"] = out.getvalue()
    return found


def mended_png(content: bytes) -> bytes:
    """With its checksums right again, so that a decoder gets further."""
    out, at = bytearray(content[:8]), 8
    while at + 12 <= len(content):
        end = at + 8 + int.from_bytes(content[at : at + 4], "big")
        if end + 4 > len(content):
            break
        out += content[at:end] + zlib.crc32(content[at + 4 : end]).to_bytes(4, "big")
        at = end + 4
    return bytes(out + content[at:])


def archives(folder, png: bytes) -> list[str]:
    """Archives that lie, in `folder`: each holds two good pictures too, or none can be had of it. Their names."""
    os.makedirs(folder)

    def zipped(name, **more):
        with zipfile.ZipFile(f"{folder}/{name}.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            for number in range(2):
                archive.writestr(f"{number}.png", png)
            for member, data in more.items():
                archive.writestr(member, data)

    def tarred(name, *members, data=b""):
        with tarfile.open(f"{folder}/{name}.tar", "w") as archive:
            for number in range(2):
                info = tarfile.TarInfo(f"{number}.png")
                info.size = len(png)
                archive.addfile(info, io.BytesIO(png))
            for info in members:
                archive.addfile(info, io.BytesIO(data))

    def member(name, kind=tarfile.REGTYPE, link="", size=0):
        info = tarfile.TarInfo(name)
        info.type, info.linkname, info.size = kind, link, size
        return info

    zipped("up", **{"../up.png": png, "a/../../up.png": png, "/tmp/absolute.png": png, "C:\\up.png": png})
    zipped("bomb", **{"bomb.png": bytes(1 << 26)})
    zipped("names", **{"\x1b[2J\nname.png": b"no picture", "ü☃\u202e.png": b"no picture", "x" * 5000 + ".png": png})
    zipped("many", **{f"{number}/x.txt": b"" for number in range(5000)})
    zipped("nested", **{"inner.zip": png})
    tarred("up", member("../up.png", size=len(png)), member("/tmp/absolute.png", size=len(png)), data=png)
    tarred("links", member("l.png", tarfile.SYMTYPE, "/etc/passwd"), member("h.png", tarfile.LNKTYPE, "../../x"))
    tarred("devices", member("d.png", tarfile.CHRTYPE), member("f.png", tarfile.FIFOTYPE))
    with open(f"{folder}/up.tar", "rb") as whole:
        content = whole.read()
    for name, kept in (
        ("cut.tar", content[:700]),
        ("empty.tar", b""),
        ("zero.zip", bytes(4096)),
        ("text.tar.gz", b"no"),
    ):
        with open(f"{folder}/{name}", "wb") as out:
            out.write(kept)
    huge = bytearray(content)
    huge[124:136] = b"\x80" + (1 << 60).to_bytes(11, "big")  # the first member claims an exabyte
    huge[148:156] = b" " * 8
    huge[148:156] = b"%06o\0 " % sum(huge[:512])
    with open(f"{folder}/exabyte.tar", "wb") as out:
        out.write(huge)
    return sorted(os.listdir(folder))
