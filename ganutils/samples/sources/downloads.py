"""Downloads that continue where they stopped, and take their name only when complete and what they should be.

A server may be anybody: a network's login page, a proxy that cuts off, one that sends a byte a second. So a file says
by its own beginning what it is and how long (`SizeOf`); lengths and checksums of HTTP are believed only beside that.
"""

from __future__ import annotations

import base64
import contextlib
import fcntl
import hashlib
import http.client
import math
import os
import queue
import re
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any, BinaryIO

from ganutils import Error
from ganutils.files import budget
from ganutils.files.lineage import without_logins

TRIES = 4  # in a row that bring less than
ENOUGH = 1 << 16  # bytes
WAIT = 0.2  # seconds before the second, then doubled each time
SPAN = 30  # seconds in which must come an answer, and then
LEAST = 30_000  # bytes
CHUNK = 1 << 18  # bytes
WAITING = 4  # chunks that have come and are not yet written
REASON = 200  # characters of what a server says
LOST = (OSError, http.client.HTTPException, UnicodeError)  # URLError is an OSError, a host's name may be no text

Progress = Callable[[int], AbstractContextManager[Any]]  # total -> a bar with advance(count, status)
SizeOf = Callable[[bytes], int | None]  # a file's beginning -> its size; None: more is needed; ValueError: another kind


def fetch(url: str, path: str, name: str, progress: Progress, size_of: SizeOf) -> None:
    """Download `url` to `path`, unless it is there. An interrupted download stays in `path`.part and is continued.

    `name` is what errors name. If two processes want the same file, the second waits for the first.
    """
    if os.path.exists(path):
        _check_kept(path, name, size_of)
        return
    url, login = _without_login(url)
    if not _is_address(url):
        raise Error(f"{name}: {url.rpartition('@')[2]} is not an http or https address")
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(f"{path}.part", "ab") as part:
        fcntl.flock(part, fcntl.LOCK_EX)
        if os.path.exists(path):  # whoever held the lock has finished
            return
        _Download(url, login, part, name, progress, size_of).complete()
        part.flush()
        os.fsync(part.fileno())
        os.replace(part.name, path)


def _check_kept(path: str, name: str, size_of: SizeOf) -> None:
    """Error if what is there cannot be the file: older versions kept whatever a server sent."""
    with open(path, "rb") as kept:
        try:
            is_whole = (size_of(kept.read(2 * budget.HEADER)) or math.inf) <= os.path.getsize(path)
        except ValueError:
            is_whole = False
    if not is_whole:
        raise Error(f"{path}: is not what {name} should be; remove it, and it will be downloaded again")


class _Download:
    """One file: `part` is what has come of it."""

    def __init__(self, url: str, login: str, part: BinaryIO, name: str, progress: Progress, size_of: SizeOf):
        self.url, self.login, self.part = url, login, part
        self.name, self.progress, self.size_of = name, progress, size_of
        self.done = part.seek(0, os.SEEK_END)
        self.whole: int | None = None
        with contextlib.suppress(Error):  # what is no beginning of such a file is dropped
            self._check()

    def complete(self) -> None:
        """Retry until all bytes are there; Error if the server gives no more, or something else."""
        failed = 0
        while True:
            before = self.done
            try:
                checksum = self._continue()
                break
            except urllib.error.HTTPError as problem:
                reason = _plain(f"{problem.code} {problem.reason}")
                if problem.code < 500:
                    raise self._error(f"answers {reason}; check the address") from None
            except LOST as problem:
                reason = _plain(str(getattr(problem, "reason", problem)) or type(problem).__name__)
            failed = 0 if self.done >= before + ENOUGH else failed + 1
            if failed == TRIES:
                advice = f"try again later; it continues after {self.done:,} bytes" if self.done else "try again later"
                raise self._error(f"could not be downloaded ({reason}); {advice}")
            time.sleep(WAIT * 2**failed)
        if checksum and checksum != _md5(self.part.name):
            self._clear()
            raise self._error("was corrupted on its way (its MD5 differs); try again")

    def _continue(self) -> str | None:
        """Append what is missing; returns the MD5 that the server names, in base64, or None. LOST if it is not all."""
        request = urllib.request.Request(self.url, headers={"Range": f"bytes={self.done}-"} if self.done else {})
        if self.login:
            request.add_unredirected_header("Authorization", self.login)
        arriving = _arriving(request)
        try:
            answer = next(arriving)
        except urllib.error.HTTPError as problem:
            if problem.code != 416:  # range not satisfiable: there is nothing after what we have
                raise
            problem.close()
            if _number(r"bytes \*/(\d{1,18})", problem.headers) != self.done:
                self._clear()
                raise ConnectionError("the server has another version") from None
            self._check(is_end=True)
            return _promised_md5(problem.headers)
        if answer.status != 206 or _number(r"bytes (\d{1,18})-\d+/\d+", answer.headers) != self.done:
            self._clear()  # the server has no ranges: start again
            if answer.status == 206:
                raise ConnectionError("the server sent another range than requested")
        total = self.done + (answer.length or 0)
        self._write(arriving, min(total, budget.DOWNLOAD))
        if self.done < total:
            raise ConnectionError(f"ended after {self.done:,} of {total:,} bytes")
        self._check(is_end=True)
        return _promised_md5(answer.headers)

    def _write(self, chunks: Iterator[Any], total: int) -> None:
        with self.progress(total) as bar:
            bar.advance(self.done)
            for chunk in chunks:
                self.part.write(chunk)
                self.part.flush()
                self.done += len(chunk)
                bar.advance(len(chunk), f"{self.name} {self.done / 1e6:,.1f} MB")
                self._check()

    def _check(self, is_end: bool = False) -> None:
        """Error, and all is dropped, if what came is no such file, or too much; LOST if it ends too early."""
        try:
            whole = self._whole()
        except ValueError as problem:
            self._clear()
            advice = "open it in a browser, since a network may ask for a login first"
            raise self._error(f"answers with something else ({problem}); {advice}") from None
        most = budget.DOWNLOAD if whole is None else min(whole, budget.DOWNLOAD)
        if max(whole or 0, self.done) > most:
            self._clear()
            raise self._error(f"sends more than {most:,} bytes; check the address")
        if is_end and self.done != whole:
            raise ConnectionError(f"ended after {self.done:,}{f' of {whole:,}' if whole else ''} bytes")

    def _whole(self) -> int | None:
        """How long the file says it is; None while too little has come; ValueError if it is another kind of file."""
        if self.whole is None:
            with open(self.part.name, "rb") as beginning:
                self.whole = self.size_of(beginning.read(2 * budget.HEADER))
        return self.whole

    def _clear(self) -> None:
        self.part.truncate(0)
        self.done, self.whole = 0, None

    def _error(self, what: str) -> Error:
        return Error(f"{self.name}: {self.url} {what}")


def _without_login(url: str) -> tuple[str, str]:
    """An address without user:password@, and these as HTTP sends them; "" if it has none."""
    match = re.match(r"(https?://)([^/?#]*)@(.*)", url, re.DOTALL | re.IGNORECASE)
    if not match:
        return url, ""
    login = base64.b64encode(urllib.parse.unquote_to_bytes(match[2])).decode()
    return match[1] + match[3], f"Basic {login}"


def _is_address(url: str) -> bool:
    try:
        parts = urllib.parse.urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


class _Redirects(urllib.request.HTTPRedirectHandler):
    """urllib's, which goes to no file, but would to ftp, and from https to http."""

    def redirect_request(self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Any:
        if not re.match("https:" if req.full_url.startswith("https:") else "https?:", newurl):
            raise urllib.error.HTTPError(newurl, code, f"{msg}, to {newurl}, which is not allowed", headers, fp)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _arriving(request: urllib.request.Request) -> Iterator[Any]:
    """The answer to a request, then its chunks. What goes wrong is raised; TimeoutError if there come less than LEAST
    bytes in SPAN seconds.

    A server can make every call last for days, by a byte a second, so they are made by a thread that can be left alone.
    """
    arrived: queue.Queue[Any] = queue.Queue(WAITING)
    threading.Thread(target=_receive, args=(request, arrived), daemon=True).start()
    since, came = time.monotonic(), 0
    while True:
        try:
            item = arrived.get(timeout=max(0.0, since + SPAN - time.monotonic()))
        except queue.Empty:
            if came < LEAST:
                raise TimeoutError(f"{came:,} bytes in {SPAN} seconds") from None
            since, came = time.monotonic(), 0
            continue
        if isinstance(item, BaseException):
            raise item
        if not item:
            return
        if isinstance(item, bytes):
            came += len(item)
        else:
            since = time.monotonic()
        yield item


def _receive(request: urllib.request.Request, arrived: queue.Queue[Any]) -> None:
    try:
        with urllib.request.build_opener(_Redirects).open(request, timeout=SPAN) as answer:
            arrived.put(answer)
            while chunk := answer.read1(CHUNK):
                arrived.put(chunk)
        arrived.put(b"")
    except BaseException as problem:
        arrived.put(problem)


def _number(pattern: str, headers: Any) -> int | None:
    """The number in the header Content-Range, if that fits the pattern."""
    match = re.fullmatch(pattern, headers.get("Content-Range", ""))
    return int(match[1]) if match else None


def _plain(reason: str) -> str:
    return without_logins(reason)[:REASON]


def _promised_md5(headers: Any) -> str | None:
    """Google's storage sends it as x-goog-hash: crc32c=...,md5=..."""
    match = re.search(r"md5=([\w+/]+=*)", ",".join(headers.get_all("x-goog-hash") or []))
    return match[1] if match else None


def _md5(path: str) -> str:
    with open(path, "rb") as stream:
        return base64.b64encode(
            hashlib.file_digest(stream, lambda: hashlib.md5(usedforsecurity=False)).digest()
        ).decode()
