"""One HTML file that works from disk, offline.

Its parts are those of `static/`, written by us; what a user or a file says enters only as JSON, which the scripts put
on the page as text, never as markup. The policy forbids the browser every request.
"""

from __future__ import annotations

import base64
import importlib.resources
import io
import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

import ganutils
from ganutils import Error
from ganutils.files import atomic, png, riff
from ganutils.sounds import wav

LARGEST = 1 << 26  # bytes of a page; browsers become slow with more
POLICY = "default-src 'none'; img-src data: blob:; style-src 'unsafe-inline'; script-src 'unsafe-inline'"
MEDIA_POLICY = f"{POLICY}; media-src data:"
SKELETON = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="generator" content="ganutils {version}">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<title>ganutils</title>
<script type="application/json" id="lineage">{lineage}</script>
<style>
{style}</style>
<main>
<h1 id="heading"></h1>
{body}</main>
<script type="application/json" id="data">{data}</script>
<script>
{script}</script>
</html>
"""


def write(
    path: str,
    name: str,
    heading: str,
    data: Mapping[str, Any],
    lineage: Sequence[str],
    scripts: Sequence[str] = (),
    policy: str = POLICY,
) -> None:
    """Write the page `name`, of static/NAME.html and static/NAME.js, whole or not at all. Error if it is too large.

    heading   of the page, and its title
    data      what the script reads as JSON from the element `data`
    scripts   other files of static/ that come before NAME.js
    policy    Content-Security-Policy
    """
    text = SKELETON.format(
        version=ganutils.__version__,
        policy=policy,
        lineage=as_json(list(lineage)),
        style=static("page.css"),
        body=static(f"{name}.html"),
        data=as_json({**data, "heading": heading}),
        script="".join(map(static, ["page.js", *scripts, f"{name}.js"])),
    ).encode()
    if len(text) > LARGEST:
        size, most = (round(count / 1e6) for count in (len(text), LARGEST))
        raise Error(f"{path}: the page would have {size} MB, more than {most}; give fewer or smaller pictures")
    with atomic.replacing(path) as out:
        out.write(text)


def static(name: str) -> str:
    """The text of a file in static/."""
    return (importlib.resources.files(__package__) / "static" / name).read_text()


def as_json(value: Any) -> str:
    """JSON that can stand in a <script>: in ASCII, and without <, > and &, so that nothing in it ends the element."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def as_address(picture: np.ndarray) -> str:
    """The picture uint8 [H, W, C] as a PNG inside a data: address."""
    out = io.BytesIO()
    png.as_image(picture).save(out, "PNG")
    return "data:image/png;base64," + base64.b64encode(out.getvalue()).decode()


def as_sound(rate: int, sound: np.ndarray) -> str:
    """The sound float32 [T, C] as a WAV inside a data: address."""
    content = riff.header(rate, sound.shape[1], 2 * sound.size, ()) + wav.pcm(sound)
    return "data:audio/wav;base64," + base64.b64encode(content).decode()
