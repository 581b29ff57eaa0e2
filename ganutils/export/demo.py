"""Pages that run a network: sliders of a generator's latents, a canvas for a translator or a classifier, points.

A page of sounds is that of pictures with waves in their place, and plays them.
"""

from __future__ import annotations

import base64
import gzip
import json
import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import nn

from ganutils import Error
from ganutils.export import networks, onnx_file
from ganutils.export.networks import Exported
from ganutils.files import container
from ganutils.files.container import File
from ganutils.files.kinds import IMAGES, POINTS, SIGNALS, TEXTS, modality_of_shape
from ganutils.files.letters import ALPHABET, alphabet_of
from ganutils.latents.draw import draw_latents, read_directions, take_rows
from ganutils.networks.condition import Condition
from ganutils.pages import page
from ganutils.runs import checkpoints
from ganutils.runs.config import Config
from ganutils.runs.inputs import Inputs
from ganutils.sounds import about as sounds

# The module of the runtime is imported from a blob:, and WebAssembly is compiled. Nothing else is allowed.
POLICY = page.POLICY.replace("script-src 'unsafe-inline'", "script-src 'unsafe-inline' blob: 'wasm-unsafe-eval'")
MAIN = 8  # sliders along main directions
GRID = 16  # samples of the grid
PLAYED = (8000, 96000)  # Hz that every browser plays (Web Audio API, BaseAudioContext.createBuffer)
EXAMPLES, COLORED = 8, 100  # pictures that a canvas can begin with, and that its colors are taken from
PLAIN = ["#ffffff", "#000000", "#e00000", "#00a000", "#0000e0", "#ffe000", "#ff8000", "#8b4513", "#ff90c0", "#808080"]
COMMONEST, DIFFERENT = 4096, 40  # colors that are looked at, and the levels by which two differ
LARGEST = 512  # side of pictures to draw
CLOUD = 400  # points of the plane
REACH = 3.0  # of a main direction, in standard deviations of the latents
NAMED_REACH = 2.0  # of a direction between attributes, in its own length


def check(file: File) -> None:
    """Error if there is no page for the network in `file`."""
    if file.kind == "checkpoint" and checkpoints.config_of(file).is_described:
        raise Error(f"{file.name}: takes attributes or captions, which pages do not; export it as .onnx")


def write(
    path: str,
    file: File,
    heading: str | None,
    along: Sequence[str | list[int]],
    seed: int,
    runtime: Mapping[str, bytes],
    lineage: Sequence[str],
    examples: Inputs | None = None,
    to: str | None = None,
) -> None:
    """Write the page of the network in `file`.

    along    axes of the generator's latents, or files of directions, which get sliders of their own
    seed     of the latents that are shown first
    runtime  see pages.runtime
    examples  pictures that a translator's page offers, and takes its colors from
    to       of two domains the one that drawings become
    """
    scripts = ["runtime.js"]
    if file.kind == "extractor":
        name, usual, data = "classifier", "What is it?", _classifier(file)
        scripts.append("canvas.js")
    elif (config := checkpoints.config_of(file)).inputs:
        name, usual, data = "translator", "Draw here", _translator(file, config, examples, to)
        scripts.append("canvas.js")
    elif (modality := modality_of_shape(config.shape)) is not POINTS:
        name, usual, data = (
            "generator",
            f"{modality.noun.capitalize()} of a generator",
            _generator(file, config, along, seed),
        )
        scripts.append(f"{modality.noun}.js")
    else:
        name, usual, data = "points", "Points of a generator", _points(file, config, seed)
    data["runtime"] = dict(zip(("module", "wasm"), map(_packed, runtime.values()), strict=True))
    page.write(path, name, heading or usual, data, lineage, scripts, POLICY)


def _generator(file: File, config: Config, along: Sequence[str | list[int]], seed: int) -> dict[str, Any]:
    exported = networks.of_file(file)
    named = [one for each in along for one in _named_directions(each, config)]
    main = [
        {"name": f"Direction {number}", "vector": vector, "reach": REACH, "isNamed": False}
        for number, vector in enumerate(_rounded(main_directions(exported.network, config.z_dim)), 1)
    ]
    data: dict[str, Any] = {"directions": [*named, *main], "graphs": {"generator": _graph(exported, file)}}
    if modality_of_shape(config.shape) is SIGNALS:
        data["sample_rate"] = _playable(file)
    if modality_of_shape(config.shape) is TEXTS:
        data[ALPHABET] = alphabet_of(file.name, file.meta)
    return {**_of_config(file, config, seed, GRID), **data}


def _playable(file: File) -> int:
    """The sample rate of the sounds; Error if browsers need not play it."""
    rate = sounds.rate_of(file.name, file.meta)
    if not PLAYED[0] <= rate <= PLAYED[1]:
        raise Error(f"{file.name}: browsers play {PLAYED[0]:,} to {PLAYED[1]:,} Hz, not {rate:,}; export it as .onnx")
    return rate


def _translator(file: File, config: Config, examples: Inputs | None, to: str | None) -> dict[str, Any]:
    assert config.inputs is not None
    h, w, c = config.inputs
    if c not in IMAGES.channels:
        raise Error(f"{file.name}: takes pictures of {c} channels, which nobody can draw; export it as .onnx")
    pictures = np.empty((0, h, w, c), np.uint8)
    if examples is not None:
        examples.suit(config, file.name)
        pictures = np.asarray(examples.pixels[:COLORED])
        h, w = pictures.shape[1:3]
    if max(h, w) > LARGEST:
        raise Error(f"{file.name}: its pictures are {w}x{h}, too large to draw while one waits; export it as .onnx")
    return {
        "size": [h, w],
        "channels": c,
        "made": config.shape[2],
        "scale": config.scale,
        "palette": palette(pictures),
        "examples": [page.as_address(picture) for picture in pictures[:EXAMPLES]],
        "classes": checkpoints.class_names(file.meta, config) if config.classes else [],
        "graphs": {"generator": _graph(networks.of_file(file, to=to), file)},
    }


def palette(pictures: np.ndarray) -> list[str]:
    """Colors to draw with, as #rrggbb: the commonest of pictures uint8 [N, h, w, c] that differ; first the ground.

    Without pictures, a white ground and plain colors.
    """
    if not len(pictures):
        return PLAIN
    colors, counts = np.unique(pictures.reshape(-1, pictures.shape[3]), axis=0, return_counts=True)
    chosen: list[np.ndarray] = []
    for color in colors[np.argsort(-counts, kind="stable")][:COMMONEST].astype(int):
        if all(np.abs(color - other).max() > DIFFERENT for other in chosen):
            chosen.append(color)
    return ["#" + "".join(f"{level:02x}" for level in np.resize(color, 3)) for color in chosen[: len(PLAIN)]]


def _points(file: File, config: Config, seed: int) -> dict[str, Any]:
    exported = networks.of_file(file)
    graphs = {"generator": _graph(exported, file)}
    if checkpoints.has_discriminator(file) and config.shape[0] <= 2:
        graphs["discriminator"] = _graph(networks.of_file(file, discriminator=True), file)
    return {**_of_config(file, config, seed, CLOUD), "range": _range(exported.network, config), "graphs": graphs}


def _classifier(file: File) -> dict[str, Any]:
    exported = networks.of_file(file)
    if SIGNALS.tensor in exported.inputs:
        raise Error(f"{file.name}: classifies sounds, which nobody can draw; export it as .onnx")
    about, shape = exported.about, exported.inputs["images"].shape[1:]
    data = {"classes": json.loads(about["names"]), "are_classes": about["targets"] == "classes"}
    return {**data, "shape": [*shape[1:], shape[0]], "graphs": {"classifier": _graph(exported, file)}}


def _of_config(file: File, config: Config, seed: int, count: int) -> dict[str, Any]:
    latents = _rounded(draw_latents(seed, count, config.z_dim, config.prior))
    about = {"shape": list(config.shape), "z_dim": config.z_dim, "prior": config.prior}
    return {**about, "classes": checkpoints.class_names(file.meta, config), "latents": latents}


def _named_directions(given: str | list[int], config: Config) -> list[dict[str, Any]]:
    """Axes, called z0 and so on, or the directions of a file: by the names in its metadata, else by its own."""
    if isinstance(given, str):
        vectors, names = read_directions(given, config.z_dim), _names_in(given)
        stem = os.path.basename(given).partition(".")[0]
        if len(names) != len(vectors):
            names = [stem] if len(vectors) == 1 else [f"{stem} {number}" for number in range(1, len(vectors) + 1)]
    else:
        vectors, names = take_rows(np.eye(config.z_dim), given, "--along"), [f"z{number}" for number in given]
    return [
        {"name": name, "vector": vector, "reach": NAMED_REACH, "isNamed": True}
        for name, vector in zip(names, _rounded(vectors), strict=True)
    ]


def _names_in(path: str) -> list[str]:
    with container.read(path, "latents") as file:
        names = file.meta.get("names")
    return [str(name) for name in names] if isinstance(names, list) else []


def main_directions(generator: nn.Module, z_dim: int) -> np.ndarray:
    """The directions that change the generator's first layer most: float32 [at most MAIN, z_dim], of length 1.

    They are the right singular vectors of its weights (Shen and Zhou 2021, "Closed-Form Factorization of Latent
    Semantics in GANs", equation 5).
    """
    first = next(layer for layer in generator.modules() if isinstance(layer, nn.Linear))
    _, _, directions = torch.linalg.svd(first.weight.detach().double(), full_matrices=False)
    signs = directions.gather(1, directions.abs().argmax(1, keepdim=True)).sign()  # the largest number is positive
    return (directions * signs)[:MAIN, :z_dim].float().numpy()


def _range(generator: nn.Module, config: Config) -> list[float]:
    """The lowest and highest coordinate that the plane shows: those of the generator's points, and a border."""
    z = torch.from_numpy(draw_latents(0, 2000, config.z_dim, config.prior))
    labels = torch.arange(len(z)) % config.classes if config.classes else None
    with torch.inference_mode():
        points = generator(z, Condition(labels))
    low, high = float(points.min()), float(points.max())
    border = 0.15 * (high - low) or 1.0
    return [low - border, high + border]


def _graph(exported: Exported, file: File) -> str:
    return _packed(onnx_file.with_half_weights(onnx_file.to_bytes(exported, file)))


def _packed(content: bytes) -> str:
    return base64.b64encode(gzip.compress(content, 9, mtime=0)).decode()


def _rounded(vectors: np.ndarray) -> list[list[float]]:
    return [[round(float(x), 5) for x in vector] for vector in vectors]
