"""A small network that tells which of some sentences a picture is of: kept as a file of ours, kind `extractor`."""

from __future__ import annotations

import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

import ganutils
from ganutils import Error
from ganutils.files import container
from ganutils.files.container import File
from ganutils.networks.classifier import Classifier, is_shape, load, tensors_of
from ganutils.networks.encoders import CaptionEncoder
from ganutils.runs.descriptions import TEXT

VERSION = 2  # of the network and its training
KEY = "matcher"  # of its version in the metadata, which a classifier has not
SHARPNESS = 10.0  # what cosines are multiplied by at first


class Matcher(nn.Module):
    """Pictures [B, C, H, W] and tokens [B, L] -> vectors of length 1: [B, TEXT] each."""

    def __init__(self, shape: tuple[int, ...], words: int):
        super().__init__()
        self.pictures, self.sentences = Classifier(shape, TEXT), CaptionEncoder(words)
        self.map = nn.Linear(TEXT, TEXT)
        self.sharpness = nn.Parameter(torch.tensor(math.log(SHARPNESS)))

    def of_pictures(self, x: Tensor) -> Tensor:
        return F.normalize(self.pictures(x))

    def of_tokens(self, tokens: Tensor) -> Tensor:
        return F.normalize(self.map(self.sentences(tokens)))

    def loss(self, x: Tensor, tokens: Tensor) -> Tensor:
        sharpness = self.sharpness.clamp(max=math.log(100.0)).exp()
        return info_nce(self.of_pictures(x) @ self.of_tokens(tokens).T * sharpness)


def info_nce(likeness: Tensor) -> Tensor:
    """How far [B, B], of each sample to each description, is from telling which is of which, both ways.

    (InfoNCE: Radford et al. 2021, CLIP, figure 3.)
    """
    own = torch.arange(len(likeness), device=likeness.device)
    return (F.cross_entropy(likeness, own) + F.cross_entropy(likeness.T, own)) / 2


def seeded(shape: tuple[int, ...], words: int) -> Matcher:
    """A matcher with the same random weights every time."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(VERSION)
        return Matcher(shape, words)


def write(path: str, network: Matcher, vocabulary: list[str]) -> None:
    versions = {"ganutils": ganutils.__version__, "torch": str(torch.__version__)}
    meta: dict[str, Any] = {KEY: VERSION, "shape": list(network.pictures.shape), "vocabulary": vocabulary}
    container.write(path, "extractor", tensors_of(network), {**meta, "versions": versions})


def read(file: File) -> Matcher:
    """The matcher in a file, ready to use; Error if it is damaged or of another version."""
    shape, vocabulary = file.meta.get("shape"), file.meta.get("vocabulary")
    if file.meta.get(KEY) != VERSION or not is_shape(shape) or not isinstance(vocabulary, list):
        raise Error(f"{file.name}: damaged, or of another version of ganutils; remove it")
    with torch.device("meta"):
        network = Matcher(tuple(shape), len(vocabulary))  # type: ignore[arg-type]
    load(network, file)
    return network
