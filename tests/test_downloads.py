"""Downloads from servers that are somebody else's, broken or hostile: raw answers on loopback."""

import base64
import contextlib
import gzip
import io
import os
import re
import socketserver
import threading
import time

import numpy as np
import pytest

from ganutils import Error
from ganutils.files import npy
from ganutils.samples.sources import downloads


def saved(array):
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


WHOLE = saved(np.random.default_rng(0).integers(0, 256, (300, 784), "u1"))
PORTAL = b"<!DOCTYPE html><title>Log in</title>" + bytes(200_000)
OK = b"HTTP/1.0 200 OK\r\n"


class Server(socketserver.ThreadingTCPServer):
    """Gives what `answer(start, number)` yields to its request `number`, for bytes from `start` on."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.requests = []


class Handler(socketserver.StreamRequestHandler):
    def handle(self):
        lines = [line for line in iter(self.rfile.readline, b"\r\n") if line]
        request = b"".join(lines).decode()
        self.server.requests.append(request)
        start = re.search("Range: bytes=([0-9]+)-", request)
        with contextlib.suppress(OSError):
            for part in self.server.answer(int(start[1]) if start else 0, len(self.server.requests)):
                self.wfile.write(part)


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setattr(downloads, "WAIT", 0)
    with Server() as one:
        threading.Thread(target=one.serve_forever, args=(0.01,), daemon=True).start()
        yield one
        one.shutdown()


@pytest.fixture
def fetch(server, tmp_path):
    """fetch(answer) -> what lies under the name then; Error as the user sees it."""

    def from_server(answer, login=""):
        server.answer, path = answer, tmp_path / "apple.npy"
        url = f"http://{login}127.0.0.1:{server.server_address[1]}/apple.npy"
        try:
            downloads.fetch(url, str(path), "apple", lambda _: contextlib.nullcontext(Bar()), npy.size_of)
        except Error:
            assert not path.exists()
            raise
        return path.read_bytes()

    return from_server


class Bar:
    def advance(self, *_):
        pass


def good(start, number):
    yield OK + b"\r\n" + WHOLE


HEADERS = {
    "no length": b"",
    "a length of letters": b"Content-Length: abc\r\n",
    "a negative one": b"Content-Length: -7\r\n",
}


@pytest.mark.parametrize("header", HEADERS.values(), ids=HEADERS)
def test_a_whole_file_needs_no_length(fetch, header):
    assert fetch(lambda *_: [OK + header + b"\r\n" + WHOLE]) == WHOLE


OTHERS = [PORTAL, gzip.compress(WHOLE), b"\x93NUMPY\x01\x00\x02\x00{}" + WHOLE, saved(np.array([None]))]


@pytest.mark.parametrize("body", OTHERS)
@pytest.mark.parametrize("header", ["", "Content-Encoding: gzip\r\n", "Content-Length: {}\r\n"])
def test_what_is_no_array_does_not_take_its_name(fetch, server, tmp_path, body, header):
    answer = OK + header.format(len(body)).encode() + b"\r\n" + body
    with pytest.raises(Error, match=r"^apple: http://127.* answers with something else \(.*browser"):
        fetch(lambda *_: [answer])
    assert len(server.requests) == 1
    assert os.path.getsize(tmp_path / "apple.npy.part") == 0
    assert fetch(good) == WHOLE


@pytest.mark.parametrize("kept", [PORTAL, b"", WHOLE[:200_000]])
def test_what_an_older_version_kept_of_it_is_refused_with_advice(fetch, server, tmp_path, kept):
    path = tmp_path / "apple.npy"
    path.write_bytes(kept)
    with pytest.raises(Error, match=r"apple\.npy: is not what apple should be; remove it"):
        downloads.fetch("http://127.0.0.1:1/", str(path), "apple", None, npy.size_of)
    path.unlink()
    assert fetch(good) == fetch(good) == WHOLE
    assert len(server.requests) == 1


def test_what_is_cut_off_without_a_length_is_continued(fetch, server):
    def cut(start, number):
        part = f"Content-Range: bytes {start}-{len(WHOLE) - 1}/{len(WHOLE)}\r\n".encode()
        head = b"HTTP/1.0 206 Partial Content\r\n" + part if start else OK
        yield head + b"\r\n" + WHOLE[start : start + 70_000]

    assert fetch(cut) == WHOLE
    assert len(server.requests) == 1 + len(WHOLE) // 70_000


def test_what_is_always_cut_off_is_given_up(fetch, server):
    with pytest.raises(Error, match=r"could not be downloaded \(ended after 200 of 235,328 bytes\); try again later"):
        fetch(lambda *_: [OK + b"\r\n" + WHOLE[:200]])
    assert len(server.requests) == downloads.TRIES
    with pytest.raises(Error, match="could not be downloaded"):  # a byte more each time is as bad
        fetch(lambda start, number: [OK + b"\r\n" + WHOLE[: 200 + number]])
    assert len(server.requests) == 2 * downloads.TRIES


@pytest.mark.parametrize("array", [WHOLE + b"x", WHOLE + WHOLE, saved(np.zeros(0)) + WHOLE])
def test_more_than_the_array_is_refused(fetch, array):
    with pytest.raises(Error, match="sends more than"):
        fetch(lambda *_: [OK + b"\r\n" + array])


def test_an_endless_file_is_refused_at_its_beginning(fetch):
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "|u1", "fortran_order": False, "shape": (1 << 30, 784)})
    endless = (bytes(1 << 16) for _ in iter(int, 1))
    with pytest.raises(Error, match="sends more than 4,294,967,296 bytes"):
        fetch(lambda *_: [OK + b"\r\n" + header.getvalue(), *[next(endless)] * 4])


@pytest.mark.parametrize("place", ["in the header", "in the line of a chunk", "in the body"])
def test_a_crawl_is_given_up(fetch, server, monkeypatch, place):
    monkeypatch.setattr(downloads, "SPAN", 0.05)

    def crawl(start, number):
        yield OK
        yield {"in the header": b"X: ", "in the body": b"\r\n" + WHOLE[:100]}.get(
            place, b"Transfer-Encoding: chunked\r\n\r\n"
        )
        while True:
            time.sleep(0.005)
            yield b"0"

    begun = time.monotonic()
    with pytest.raises(Error, match=r"could not be downloaded \([0-9]+ bytes in 0.05 seconds\)"):
        fetch(crawl)
    assert time.monotonic() - begun < 20
    assert len(server.requests) == downloads.TRIES


@pytest.mark.parametrize(
    "place", ["file:///etc/passwd", "ftp://127.0.0.1/x", "data:text/plain,x", "gopher://127.0.0.1/"]
)
def test_a_redirect_leads_to_no_other_scheme(fetch, place):
    moved = f"HTTP/1.0 302 Found\r\nLocation: {place}\r\n\r\n".encode()
    with pytest.raises(Error, match=f"answers 302 .*{place}.* not allowed; check the address"):
        fetch(lambda *_: [moved])


def test_a_redirect_to_the_same_kind_of_server_is_followed(fetch, server):
    moved = f"HTTP/1.0 302 Found\r\nLocation: http://127.0.0.1:{server.server_address[1]}/there\r\n\r\n".encode()
    assert fetch(lambda start, number: [moved] if number == 1 else good(start, number)) == WHOLE


def test_a_login_is_sent_and_never_printed(fetch, server):
    assert fetch(good, login="me:p%40w@") == WHOLE
    assert f"Authorization: Basic {base64.b64encode(b'me:p@w').decode()}" in server.requests[0]


@pytest.mark.parametrize("login", ["me:secret@", "me:sec@ret@", "me:sec/ret@", "secret@"])
def test_no_error_prints_a_login(fetch, login):
    moved = b"HTTP/1.0 302 Found\r\nLocation: ftp://me:secret@127.0.0.1/\r\n\r\n"
    for answer in (b"HTTP/1.0 404 No\r\n\r\n", OK + b"\r\n" + PORTAL, moved, b"", b"nonsense\r\n\r\n"):
        with pytest.raises(Error) as problem:
            fetch(lambda *_, answer=answer: [answer], login=login)
        assert not re.search("sec|ret@|me:", str(problem.value))


@pytest.mark.parametrize("address", ["me:secret@host/x", "file://me:secret@host", "http://", "http://host:port/", "x"])
def test_what_is_no_address_is_refused(tmp_path, address):
    with pytest.raises(Error, match="is not an http or https address") as problem:
        downloads.fetch(address, str(tmp_path / "apple.npy"), "apple", None, npy.size_of)
    assert "secret" not in str(problem.value)


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.0 200 " + b"x" * 60_000 + b"\r\n\r\n",
        b"HTTP/1.0 404 " + b"x" * 60_000 + b"\r\n\r\n",
        b"HTTP/1.0 206 Partial\r\nContent-Range: bytes " + b"9" * 5000 + b"-9/9\r\n\r\n",
        b"HTTP/1.0 416 No\r\nContent-Range: bytes */" + b"9" * 5000 + b"\r\n\r\n",
        OK + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n",
        OK + b"Content-Length: " + b"9" * 400 + b"\r\n\r\n" + WHOLE[:9],
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"f" * 60 + b"\r\n" + WHOLE[:9],
        b"HTTP/9.9 999 \xff\x1b[2J\r\n\r\n",
        OK + b"x-goog-hash: md5=AAAA\r\n\r\n" + WHOLE,
        b"\x00" * 100,
    ],
)
def test_a_strange_answer_is_an_error_of_one_line(fetch, answer):
    with pytest.raises(Error) as problem:
        fetch(lambda *_: [answer])
    assert len(str(problem.value)) < 500
