"""Features of a checkpoint's discriminator: all of its layers (Radford et al. 2016, section 5.1)."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import numpy as np

from ganutils import Error
from ganutils.evaluation.extractors.extractor import Extractor, Request, about, device_of, sha256
from ganutils.files import container
from ganutils.files.kinds import IMAGES
from ganutils.runs import checkpoints

if TYPE_CHECKING:
    from torch import Tensor

GRID = 4  # cells to a side that maps are pooled to; those of sounds have one side, and as many cells


def of_checkpoint(path: str, request: Request) -> Extractor:
    """What all layers of the discriminator make of samples, joined; maps are max-pooled to 4x4 cells,
    those of sounds to 16.

    Of two that judge a class each, that of the request's goal.
    """
    import torch
    import torch.nn.functional as F

    from ganutils.inference import discriminate
    from ganutils.networks.weights import load_discriminator

    device = device_of(request)
    with container.read(path, "checkpoint") as file:
        network, config = load_discriminator(file)
        domains = checkpoints.domains_of(file)
        request.labeled.check_like(config.shape, path, file.meta)
    if config.sees == "pair":
        raise Error(f"{path}: its discriminator sees pairs, so it gives no features of pictures alone; use another")
    if domains:
        number = 1 if request.goal is None else checkpoints.class_number(path, domains, request.goal)
        network = (network.a, network.b)[number]  # type: ignore[assignment]
    network = network.to(device)
    cells = (GRID, GRID) if request.labeled.modality is IMAGES else (1, GRID * GRID)

    def pooled(x: Tensor) -> Tensor:
        maps = network.layers(x)  # type: ignore[operator]
        return torch.cat([(F.adaptive_max_pool2d(m, cells) if m.dim() == 4 else m).flatten(1) for m in maps], dim=1)

    def features(samples: np.ndarray) -> np.ndarray:
        return discriminate.apply(pooled, samples, device)

    return Extractor(features, about(os.path.basename(path), digest=sha256(path)[:16]))
