"""Quick, Draw!: bitmaps from a loopback server that is good, slow to finish, old or gone; strokes at any size."""

import base64
import hashlib
import http.server
import io
import json
import os
import threading
import urllib.parse

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ganutils.samples.images import Shape, UnreadableError
from ganutils.samples.sources import quickdraw


def bitmaps(seed, count=50):
    stream = io.BytesIO()
    np.save(stream, np.random.default_rng(seed).integers(0, 256, (count, 784), np.uint8))
    return stream.getvalue()


FILES = {"apple.npy": bitmaps(0), "hot air balloon.npy": bitmaps(1)}


class Bucket(http.server.BaseHTTPRequestHandler):
    """Serves FILES as its server's `manner` says; `asked` keeps each request's path and Range."""

    def do_GET(self):
        manner, asked = self.server.manner, self.headers.get("Range")
        name = urllib.parse.unquote(self.path.rsplit("/", 1)[1])
        self.server.asked.append((name, asked))
        if name not in FILES:
            self.send_error(404)
            return
        data = FILES[name]
        if manner == "busy" and len(self.server.asked) < 3:
            self.send_error(503)
            return
        start = int(asked[6:-1]) if asked and manner != "no ranges" else 0
        if start >= len(data):
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{len(data)}")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        self.send_header("Content-Length", str(len(data) - start))
        md5 = base64.b64encode(hashlib.md5(data).digest()).decode()
        self.send_header("x-goog-hash", f"crc32c=AAAAAA==,md5={'A' * 22 + '==' if manner == 'corrupt' else md5}")
        self.end_headers()
        part = data[start:]
        if manner in ("dies", "no ranges") and len(self.server.asked) < 4:
            part = part[: len(part) // 2]
        if manner == "always dies":
            part = part[:1000] if not start else b""
        self.wfile.write(part)
        self.close_connection = True

    def log_message(self, *_):
        pass


@pytest.fixture
def bucket(monkeypatch):
    """A server on loopback that gan-data takes for Google's; set its `manner`."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Bucket)
    server.manner, server.asked = "good", []
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv(quickdraw.ADDRESS_VARIABLE, f"http://127.0.0.1:{server.server_port}/numpy_bitmap")
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def gan_data(shell, tmp_path):
    """gan_data("quickdraw:apple ...") -> Result; a process of its own, which sees the environment."""
    return lambda words: shell(f"gan-data {words} --root root -o x.safetensors")


def stored(name):
    return np.load(io.BytesIO(FILES[name])).reshape(-1, 28, 28, 1)


def test_several_categories_with_labels(gan_data, bucket, content, tmp_path):
    done = gan_data('quickdraw:"hot air balloon,Apple"')
    assert done.lines == ["100 pictures of 28x28x1"]
    meta, tensors = content("x.safetensors")
    assert meta["classes"] == ["hot air balloon", "apple"]
    assert "CC BY 4.0" in meta["license"]
    assert np.array_equal(tensors["images"], np.concatenate([stored("hot air balloon.npy"), stored("apple.npy")]))
    assert sorted(os.listdir(tmp_path / "root/quickdraw")) == ["apple.npy", "hot air balloon.npy"]
    assert gan_data("quickdraw:apple").code == 0
    assert len(bucket.asked) == 2, "what is there is not asked for again"


@pytest.mark.parametrize("manner", ["dies", "no ranges", "busy"])
def test_a_server_that_fails_now_and_then(gan_data, bucket, content, manner):
    bucket.manner = manner
    done = gan_data("quickdraw:apple")
    assert done.code == 0, done.err
    assert np.array_equal(content("x.safetensors")[1]["images"], stored("apple.npy"))
    ranges = [asked for _, asked in bucket.asked]
    assert len(ranges) > 1
    if manner == "dies":
        whole = len(FILES["apple.npy"])
        assert ranges[1] == f"bytes={whole // 2}-", "it goes on where it was cut off"


def test_a_download_that_never_ends_keeps_what_it_has_and_goes_on_another_day(gan_data, bucket, content, tmp_path):
    bucket.manner = "always dies"
    done = gan_data("quickdraw:apple")
    assert done.code == 1
    assert len(done.lines) == 1 and "try again later; it continues after 1,000 bytes" in done.err
    assert os.listdir(tmp_path / "root/quickdraw") == ["apple.npy.part"]
    assert not (tmp_path / "x.safetensors").exists()
    bucket.manner = "good"
    assert gan_data("quickdraw:apple").code == 0
    assert bucket.asked[-1] == ("apple.npy", "bytes=1000-")
    assert np.array_equal(content("x.safetensors")[1]["images"], stored("apple.npy"))


def test_a_whole_part_file_is_taken_and_a_longer_one_is_not(gan_data, bucket, content, tmp_path):
    folder = tmp_path / "root/quickdraw"
    folder.mkdir(parents=True)
    for rest in (b"", b"more"):
        (folder / "apple.npy.part").write_bytes(FILES["apple.npy"] + rest)
        assert gan_data("quickdraw:apple").code == 0
        assert np.array_equal(content("x.safetensors")[1]["images"], stored("apple.npy"))
        (folder / "apple.npy").unlink()


def test_changed_bytes_are_found_by_their_checksum(gan_data, bucket, tmp_path):
    bucket.manner = "corrupt"
    done = gan_data("quickdraw:apple")
    assert done.code == 1 and "its MD5 differs" in done.err
    assert not (tmp_path / "root/quickdraw/apple.npy").exists()


def test_what_is_not_there(gan_data, bucket, monkeypatch):
    assert "answers 404" in gan_data("quickdraw:cat").err
    assert "did you mean" in gan_data("quickdraw:catt").err
    monkeypatch.setenv(quickdraw.ADDRESS_VARIABLE, "file:///etc")
    assert "is not an http or https address" in gan_data("quickdraw:cat").err


def test_two_at_once_download_once(bucket, shell):
    done = shell(
        "gan-data quickdraw:apple --root root -o a.safetensors & gan-data quickdraw:apple --root root -o b.safetensors;"
        "wait $! && cmp <(gan-info --digest a.safetensors) <(gan-info --digest b.safetensors)"
    )
    assert done.code == 0, done.err
    assert len(bucket.asked) == 1


def test_there_are_345_categories():
    names = quickdraw.categories()
    assert len(set(names)) == 345
    assert {"apple", "hot air balloon", "The Eiffel Tower", "house plant", "television", "zigzag"} <= set(names)


# -------------------------------------------------------------------------------------------- strokes


def line(*strokes, **more):
    return json.dumps({"word": "cat", "drawing": strokes, **more}).encode()


def test_a_stroke_is_drawn_where_it_should_be():
    pixels = quickdraw.draw(line([[0, 255], [128, 128]]), Shape(size=(64, 64)))[..., 0]
    assert pixels.shape == (64, 64)
    assert (pixels[31:33, 8:56] == 255).all()
    assert not pixels[:26].any() and not pixels[38:].any()


def test_raw_and_simplified_drawings_of_one_thing_look_the_same():
    box = [[0, 255, 255, 0, 0], [0, 0, 255, 255, 0]]
    raw = [[x * 3.7 + 912 for x in box[0]], [y * 3.7 - 40 for y in box[1]], [0, 10, 20, 30, 40]]
    simplified, scaled = (quickdraw.draw(line(each), Shape(size=(32, 32))) for each in (box, raw))
    assert abs(simplified.astype(int) - scaled).max() <= 1


@settings(max_examples=30)
@given(
    st.lists(
        st.lists(st.tuples(st.integers(0, 255), st.integers(0, 255)), min_size=1, max_size=9), min_size=1, max_size=5
    ),
    st.tuples(st.integers(8, 80), st.integers(8, 80)),
    st.sampled_from([None, 1, 3]),
)
def test_any_drawing_at_any_size(strokes, size, channels):
    drawing = [[list(axis) for axis in zip(*stroke, strict=True)] for stroke in strokes]
    pixels = quickdraw.draw(line(*drawing), Shape(size=size, channels=channels))
    assert pixels.shape == (size[1], size[0], channels or 1)
    assert pixels.max() > 0


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"[]",
        b'{"drawing": 3}',
        b'{"drawing": []}',
        b'{"drawing": {"0": 1}}',
        b'{"drawing": [["a", "b"]]}',
        b'{"drawing": [[[1], [2, 3]]]}',
        b'{"drawing": [[[[1]], [[2]]]]}',
        b'{"drawing": [[[NaN], [1]]]}',
        b'{"drawing": [[[1e300], [1]]]}',
        b"\xff\xfe",
        b"[" * 100_000,
        line([list(range(200_000)), list(range(200_000))]),
    ],
)
def test_what_is_no_drawing_is_refused(data):
    with pytest.raises(UnreadableError):
        quickdraw.draw(data, Shape(size=(28, 28)))


def test_a_broken_line_is_skipped(ok, content, tmp_path):
    lines = [line([[0, 9], [0, 9]]), b'{"word": "owl", "drawing": [[1', b"", line([[0, 9], [9, 0]], word="owl")]
    (tmp_path / "two.ndjson").write_bytes(b"\n".join(lines))
    said = ok("gan-data", "two.ndjson", "-o", "x.safetensors").lines
    assert said == ["two.ndjson: line 2: is not a drawing; skipped", "2 pictures of 28x28x1, 1 skipped"]
    meta, tensors = content("x.safetensors")
    assert [meta["classes"][label] for label in tensors["labels"]] == ["cat", "owl"]
