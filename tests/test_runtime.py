"""Where pages get onnxruntime-web from: a download that is checked, kept, and refused when it is another."""

import contextlib
import hashlib
import io
import tarfile

import pytest
from test_downloads import OK, server  # noqa: F401  (a fixture)

from ganutils import Error
from ganutils.pages import runtime

CONTENT = {"ort.wasm.bundle.min.mjs": b"export {}", "ort-wasm-simd-threaded.wasm": b"\0asm"}


class Bar:
    def advance(self, *_):
        pass


def fetch(root, given=None):
    return runtime.read(str(root), given, lambda _: contextlib.nullcontext(Bar()))


def package_of(content):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as package:
        for name, part in content.items():
            member = tarfile.TarInfo(f"package/dist/{name}")
            member.size = len(part)
            package.addfile(member, io.BytesIO(part))
    return out.getvalue()


@pytest.fixture
def registry(server, monkeypatch):  # noqa: F811
    """registry(content) serves a package of it at the address where the runtime is fetched."""

    def serve(content):
        package = package_of(content)
        monkeypatch.setattr(runtime, "PACKAGE", f"http://127.0.0.1:{server.server_address[1]}/ort.tgz")
        monkeypatch.setattr(runtime, "SIZE", len(package))
        monkeypatch.setattr(runtime, "FILES", {n: hashlib.sha256(c).hexdigest() for n, c in CONTENT.items()})
        server.answer = lambda start, number: [OK, f"Content-Length: {len(package)}\r\n\r\n".encode(), package]
        return package

    return serve


def test_the_package_is_fetched_once_and_only_its_two_files_are_kept(registry, server, tmp_path):  # noqa: F811
    registry({**CONTENT, "other.js": b"no part of it"})
    assert fetch(tmp_path) == fetch(tmp_path) == CONTENT
    assert len(server.requests) == 1
    assert sorted(path.name for path in tmp_path.rglob("*") if path.is_file()) == sorted([*CONTENT])


def test_another_package_is_refused_and_not_kept(registry, tmp_path):
    registry({**CONTENT, "ort-wasm-simd-threaded.wasm": b"\0bad"})
    with pytest.raises(Error, match=r"its ort-wasm-simd-threaded\.wasm is not that of onnxruntime-web"):
        fetch(tmp_path)
    assert not [path for path in tmp_path.rglob("*.wasm") if path.is_file()]


def test_a_package_or_a_folder_may_be_given(registry, tmp_path):
    (tmp_path / "ort.tgz").write_bytes(registry(CONTENT))
    assert fetch(tmp_path / "unused", str(tmp_path / "ort.tgz")) == CONTENT
    (tmp_path / "dist").mkdir()
    for name, part in CONTENT.items():
        (tmp_path / "dist" / name).write_bytes(part)
    assert fetch(tmp_path / "unused", str(tmp_path / "dist")) == CONTENT
    assert not (tmp_path / "unused").exists()


def test_a_login_page_does_not_become_the_package(registry, server, tmp_path):  # noqa: F811
    registry(CONTENT)
    server.answer = lambda start, number: [OK, b"\r\n<!doctype html><title>Log in</title>"]
    with pytest.raises(Error, match="onnxruntime-web"):
        fetch(tmp_path)
    assert not [path for path in tmp_path.rglob("*") if path.suffix == ".tgz"]
