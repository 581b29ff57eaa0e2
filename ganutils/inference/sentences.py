"""What the encoder of a generator makes of sentences."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import numpy as np
import torch

from ganutils import Error
from ganutils.files.container import File
from ganutils.networks.condition import Condition
from ganutils.networks.conditioning import Conditioning
from ganutils.networks.weights import load_generator
from ganutils.runs import descriptions
from ganutils.runs.wishes import Wishes


def encoded(file: File, texts: Sequence[str], z_dim: int) -> tuple[np.ndarray, list[str]]:
    """Vectors float32 [K, E] of sentences, by the averaged generator of a checkpoint, and what the user should be told.

    Error if it knows no words, or takes other latents than of `z_dim` numbers.
    """
    if file.kind != "checkpoint":
        raise Error(f"{file.name}: knows no words; give --for a checkpoint trained with --conditional captions")
    generator, config = load_generator(file)
    known = descriptions.of_checkpoint(file.name, file.meta, config)
    notes = Wishes(texts).check(known, file.name)
    if config.z_dim != z_dim:
        raise Error(f"{file.name}: takes latents of {config.z_dim} numbers, and those given have {z_dim}")
    tokens = torch.from_numpy(known.told(texts).given["tokens"])
    with torch.inference_mode():
        text = cast(Conditioning, generator.classes).encoded(Condition(tokens=tokens)).text
    assert text is not None
    return text.numpy(), notes
