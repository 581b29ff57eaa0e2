"""The settings of a new run: those given, else the preset's, else what goes with the data."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from ganutils import Error
from ganutils.runs.config import NUMBERS, PLAIN, Config, checked, is_shape
from ganutils.runs.contradictions import arch_for, contradiction, forbids_batch_norm, modality_of
from ganutils.runs.presets import (
    CLASSED,
    DESCRIBED,
    DOMAINS,
    GRAY,
    LABELED,
    LARGE,
    OF_MODALITY,
    PAIRED,
    PRESETS,
    RATE_FALLS_WITH_WIDTH,
    SMALL,
    TOLD,
    WITH_LOSS,
)
from ganutils.runs.traits import ARCHS, LOSSES, RESTRICTED


def fresh(
    shape: tuple[int, ...],
    given: Mapping[str, Any],
    like: Config | None = None,
    inputs: tuple[int, ...] | None = None,
    labels: int = 0,
) -> Config:
    """The config of a new run on samples of `shape`: the settings `given`, else the preset's.

    like    the config to take in place of a preset where none is given
    inputs  shape of the samples' inputs, if they have some; networks that start from latents leave them aside
    labels  how many classes the samples are of, if they have labels

    Error if one of them is unknown or invalid, or if they do not go together.
    """
    if not is_shape([*shape]):
        raise Error(f"samples of {math.prod(shape):,} numbers are too large; a network takes {NUMBERS:,} at most")
    given = checked(given)
    base = vars(like) if like else {}
    name = given.get("preset", PLAIN["preset"])
    domains = given.get("domains", PRESETS[name].get("domains", base.get("domains", 0)))
    inputs = shape if domains else inputs
    is_described = any(given.get(count, base.get(count)) for count in ("attributes", "words")) and not domains
    classes = given.get("classes", base.get("classes", 0))
    told = TOLD if is_described else CLASSED if classes > 1 else LABELED if labels > 1 else {}
    gray = {} if is_described or classes else _of_gray(name, shape, given.get("arch"))
    beside = {**gray, **told.get(name, {}), **WITH_LOSS.get(name, {}).get(given.get("loss", ""), {})}
    is_preset = "preset" in given or like is None
    preset = _preset(name, inputs, domains, given.get("arch"), shape, beside) if is_preset else {}
    described = DESCRIBED.get(name, {}) if is_preset and is_described else {}
    values = {**PLAIN, **base, **preset, **described, **given}
    if like is None:
        values["d_classes"] = labels if values["class_loss"] and not classes else 0
    elif "class_loss" not in given and like.d_classes != labels:
        values["class_loss"] = 0.0  # the classes that its D knows are others
    values.pop("shape", None)
    if "smooth" not in given and not LOSSES[values["loss"]].has_target:
        values["smooth"] = 1.0
    takes = ARCHS[values["arch"]].takes
    if "arch" not in given and "images" in takes and modality_of(shape).tensor not in takes:
        values["arch"] = arch_for(shape)  # the settings of a paper on pictures
    arch = ARCHS[values["arch"]]
    if like and like.arch != values["arch"]:
        values |= {name: plain for name, plain in RESTRICTED.items() if not {name} & {*arch.settings, *given}}
    values["inputs"] = inputs if arch.translates else None
    if "kl" not in given and (arch.translates or values["prior"] != "normal" or values["z_dim"] < 2):
        values["kl"] = 0.0  # it has no latents that it could draw from
    values.setdefault("width", arch.width)
    starts_from_latents = modality_of(shape).tensor == "images" and not arch.translates
    if is_preset and name in RATE_FALLS_WITH_WIDTH and starts_from_latents and "lr" not in given:
        values["lr"] *= min(1, arch.width / values["width"])
    rates = preset or base
    if "d_lr" not in given and rates["lr"]:
        values["d_lr"] = rates.get("d_lr", 0.0) * values["lr"] / rates["lr"]  # they stay in proportion
    values.setdefault("blocks", arch.blocks)
    values.setdefault("patch", _patch_for(shape) if arch.translates else 0)
    values.setdefault("norm", "none" if arch.translates or forbids_batch_norm(values) else "batch")
    config = Config(shape=shape, **values)
    problem = contradiction(config)
    if problem:
        raise Error(problem)
    return config


def _preset(
    name: str,
    inputs: tuple[int, ...] | None,
    domains: int,
    arch: str | None,
    shape: tuple[int, ...],
    beside: Mapping[str, Any],
) -> dict[str, Any]:
    """The settings of the preset called `name`: for sounds, texts, domains or pairs, if the networks take them; or for
    pictures that start from latents, with those `beside` them.
    """
    tensor = modality_of(shape).tensor
    if tensor in OF_MODALITY:
        return OF_MODALITY[tensor].get(name, PRESETS[name])
    if inputs is None or name not in (DOMAINS if domains else PAIRED) or (arch and not ARCHS[arch].translates):
        settings = LARGE.get(name, PRESETS[name]) if _is_large(shape) else PRESETS[name]
        return {**settings, **beside}
    if domains:
        return DOMAINS[name].get(arch or "", DOMAINS[name]["unet"])
    return PAIRED[name][arch or ("unet" if inputs[:2] == shape[:2] else "enlarge")]


def _of_gray(name: str, shape: tuple[int, ...], arch: str | None) -> dict[str, Any]:
    """What else the preset called `name` has where pictures are gray."""
    is_refined = name in GRAY and shape[2:] == (1,) and arch in (None, "dcgan")
    return GRAY[name][_is_large(shape)] if is_refined else {}


def _is_large(shape: tuple[int, ...]) -> bool:
    return max(shape[:2]) > SMALL


def _patch_for(shape: tuple[int, ...]) -> int:
    """Strides of a discriminator whose patches are at most about half the side of a picture of `shape`."""
    return next((strides for strides, field in ((3, 70), (2, 34)) if 2 * field <= 1.1 * min(shape[:2])), 1)
