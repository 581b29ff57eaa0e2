"""Downloads that continue where they stopped, and take their name only when complete."""

from __future__ import annotations

import base64
import fcntl
import hashlib
import http.client
import os
import re
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, BinaryIO

from ganutils import Error

TRIES = 4  # in a row that bring nothing new
WAIT = 0.2  # seconds before the second, then doubled each time
TIMEOUT = 30  # seconds without a byte
CHUNK = 1 << 18  # bytes
LOST = (OSError, http.client.HTTPException)  # urllib.error.URLError is an OSError

Progress = Callable[[int], AbstractContextManager[Any]]  # total -> a bar with advance(count, status)


def fetch(url: str, path: str, name: str, progress: Progress) -> None:
    """Download `url` to `path`, unless it is there. An interrupted download stays in `path`.part and is continued.

    `name` is what errors name. If two processes want the same file, the second waits for the first.
    """
    if os.path.exists(path):
        return
    if not re.match("https?://", url):
        raise Error(f"{name}: {url} is not an http or https address")
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(f"{path}.part", "ab") as part:
        fcntl.flock(part, fcntl.LOCK_EX)
        if os.path.exists(path):  # whoever held the lock has finished
            return
        _complete(url, part, name, progress)
        part.flush()
        os.fsync(part.fileno())
        os.replace(part.name, path)


def _complete(url: str, part: BinaryIO, name: str, progress: Progress) -> None:
    """Retry until all bytes are there; Error if the server gives no more."""
    failed = 0
    while True:
        before = part.seek(0, os.SEEK_END)
        try:
            checksum = _continue(url, part, name, progress)
            break
        except urllib.error.HTTPError as problem:
            if problem.code < 500:
                raise Error(f"{name}: {url} answers {problem.code} {problem.reason}; check the address") from None
            reason = f"{problem.code} {problem.reason}"
        except LOST as problem:
            reason = str(getattr(problem, "reason", problem)) or type(problem).__name__
        failed = 0 if part.seek(0, os.SEEK_END) > before else failed + 1
        if failed == TRIES:
            advice = f"try again later; it continues after {before:,} bytes" if before else "try again later"
            raise Error(f"{name}: {url} could not be downloaded ({reason}); {advice}")
        time.sleep(WAIT * 2**failed)
    if checksum and checksum != _md5(part.name):
        part.truncate(0)
        raise Error(f"{name}: {url} was corrupted on its way (its MD5 differs); try again")


def _continue(url: str, part: BinaryIO, name: str, progress: Progress) -> str | None:
    """Append what is missing; returns the MD5 that the server names, in base64, or None."""
    done = part.tell()
    request = urllib.request.Request(url, headers={"Range": f"bytes={done}-"} if done else {})
    try:
        answer = urllib.request.urlopen(request, timeout=TIMEOUT)
    except urllib.error.HTTPError as problem:
        if problem.code != 416:  # range not satisfiable: there is nothing after what we have
            raise
        problem.close()
        total = re.fullmatch(r"bytes \*/(\d+)", problem.headers.get("Content-Range", ""))
        if total and int(total[1]) == done:
            return _promised_md5(problem.headers)
        part.truncate(0)
        raise ConnectionError("the server has another version") from None
    with answer:
        span = re.fullmatch(r"bytes (\d+)-\d+/\d+", answer.headers.get("Content-Range", ""))
        if answer.status != 206 or not span or int(span[1]) != done:
            part.truncate(0)  # the server has no ranges: start again
            done = 0
            if answer.status == 206:
                raise ConnectionError("the server sent another range than requested")
        length = answer.headers.get("Content-Length")
        total_bytes = done + int(length) if length else 0
        with progress(total_bytes) as bar:
            bar.advance(done)
            while chunk := answer.read(CHUNK):
                part.write(chunk)
                done += len(chunk)
                bar.advance(len(chunk), f"{name} {done / 1e6:,.1f} MB")
            part.flush()
        if done < total_bytes:
            raise ConnectionError(f"ended after {done:,} of {total_bytes:,} bytes")
        return _promised_md5(answer.headers)


def _promised_md5(headers: Any) -> str | None:
    """Google's storage sends it as x-goog-hash: crc32c=...,md5=..."""
    match = re.search(r"md5=([\w+/]+=*)", ",".join(headers.get_all("x-goog-hash") or []))
    return match[1] if match else None


def _md5(path: str) -> str:
    with open(path, "rb") as stream:
        return base64.b64encode(
            hashlib.file_digest(stream, lambda: hashlib.md5(usedforsecurity=False)).digest()
        ).decode()
