"""A headless Chromium for the tests of pages; they skip where there is none."""

import contextlib
import pathlib
import shutil

import pytest

from ganutils.pages import runtime

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


# Not longer than a module: what other tests fork would keep the driver's pipe open, and it would wait for ever.
@pytest.fixture(scope="module")
def browser():
    if not CHROMIUM:
        pytest.skip("needs Chromium (Debian's package chromium)")
    playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright, which drives Chromium")
    with playwright.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])  # containers have no sandbox
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def web_runtime():
    """The folder of onnxruntime-web that .ci/run fetched; tests that need it skip without."""
    folder = pathlib.Path(__file__).parent.parent / ".venv" / "cache" / f"onnxruntime-web-{runtime.VERSION}"
    if not folder.exists():
        pytest.skip("needs onnxruntime-web, which .ci/run fetches")
    return folder


@pytest.fixture
def visit(browser, tmp_path):
    """visit("page.html") -> a Page of a file in tmp_path, which must load nothing but itself and write no error."""
    with contextlib.ExitStack() as stack:
        pages = []

        def open_page(name, **how):
            path = pathlib.Path(tmp_path, name).as_uri()
            context = browser.new_context(**how)
            stack.callback(context.close)
            page = context.new_page()
            page.requests, page.troubles = [], []
            page.on("request", lambda request: page.requests.append(request.url))
            page.on("console", lambda message: message.type == "error" and page.troubles.append(message.text))
            page.on("pageerror", lambda error: page.troubles.append(str(error)))
            pages.append((page, path))
            page.goto(path)
            return page

        yield open_page
        for page, path in pages:
            assert page.troubles == []
            assert [url for url in page.requests if not url.startswith(("data:", "blob:"))] == [path]
