"""A second opinion for bench/quality: features that nothing was tuned to, and specks that any eye sees.

A score in the features that one tunes to flatters. So this classifier has another architecture and other training data
than that of gan-eval, and nothing else uses it: no training, and no choice of a setting, may look at what it says
before the end.
"""

import pathlib
from typing import Any

import numpy as np
import safetensors.torch
import scipy.ndimage
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import ganutils
from ganutils.evaluation import metrics
from ganutils.inference import discriminate
from ganutils.training import classifier

CPU = torch.device("cpu")
MOST, BATCH = 20_000, 32  # pictures that it learns from, and in a batch: 1,200 of these show each twice
SURE, LIT = 0.9, 64  # a probability; a level of 255
TOUCHING = np.array([[[0] * 3] * 3, [[1] * 3] * 3, [[0] * 3] * 3])  # the eight neighbors in the same picture


class Judge(nn.Module):
    """Two convolutions of 5x5, each with ELU and max pooling, then a dense layer with tanh, which gives features."""

    def __init__(self, channels: int, classes: int):
        super().__init__()
        self.first, self.second = nn.Conv2d(channels, 16, 5, padding=2), nn.Conv2d(16, 32, 5, padding=2)
        self.hidden, self.head = nn.Linear(32 * 4 * 4, 64), nn.Linear(64, classes)

    def features(self, x: Tensor) -> Tensor:
        """Images [B, C, H, W] in -1..1 -> [B, 64]."""
        x = F.max_pool2d(F.elu(self.first(x)), 2)
        x = F.adaptive_max_pool2d(F.elu(self.second(x)), 4)
        return torch.tanh(self.hidden(x.flatten(1)))

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.features(x))


def trained(path: str, folder: pathlib.Path) -> Judge:
    """The judge that learns from the labeled pictures in `path`, on one core; kept in `folder`."""
    torch.set_num_threads(1)
    data = ganutils.read(path)
    kept = folder / f"judge-{classifier.digest(data.images, data.labels, CPU, what='judge 1')[:8]}.safetensors"
    torch.manual_seed(1)
    judge = Judge(data.images.shape[-1], int(data.labels.max()) + 1)
    if kept.exists():
        judge.load_state_dict(safetensors.torch.load_file(kept))
    else:
        rows = np.random.default_rng(1).permutation(len(data.images))[:MOST]
        classifier.fit(judge, _loss(judge, data), rows, None, "judge", BATCH)
        safetensors.torch.save_file(judge.state_dict(), kept)
    return judge.eval()


def _loss(judge: Judge, data: Any) -> Any:
    def loss(rows: np.ndarray, random: np.random.Generator) -> Tensor:
        x = classifier.shifted(discriminate.as_taken(data.images[rows], CPU), random)
        return F.cross_entropy(judge(x), torch.from_numpy(data.labels[rows]))  # not smoothed: it may be sure

    return loss


def accuracy(judge: Judge, path: str) -> float:
    """Share of the labeled pictures in `path` whose class it sees."""
    data = ganutils.read(path)
    return classifier.accuracy(discriminate.apply(judge, data.images, CPU), data.labels)


def opinion(judge: Judge, real: np.ndarray, fake: np.ndarray) -> dict[str, float]:
    """Fréchet distance in its features of pictures uint8 [N, H, W, C]; share of the fakes of whose class it is sure."""
    features = [discriminate.apply(judge.features, pictures, CPU) for pictures in (real, fake)]
    chances = torch.from_numpy(features[1]) @ judge.head.weight.T + judge.head.bias
    sure = chances.softmax(1).amax(1) > SURE
    return {"judge": metrics.frechet_distance(*features), "sure": float(sure.float().mean())}


def specks(pictures: np.ndarray) -> float:
    """Share of the lit pixels of gray pictures uint8 [N, H, W, 1] that are not in the largest lit part of theirs."""
    lit = pictures[..., 0] > LIT
    parts, _ = scipy.ndimage.label(lit, TOUCHING)
    largest = sum(np.bincount(one[one > 0]).max() for one in parts if one.any())
    return 1 - largest / lit.sum() if lit.any() else 0.0
