"""Tiny GANs in training, and what tells two of them apart."""

import numpy as np
import pytest
import torch

from ganutils.runs.defaults import fresh
from ganutils.runs.descriptions import Captions
from ganutils.training.batches import TrainingSet
from ganutils.training.gan import begin
from ganutils.training.trainer import Trainer

CPU = torch.device("cpu")
TINY = {"width": 2, "z_dim": 4, "batch": 4, "precision": "fp32"}
PAIRS = {"z_dim": 0, "jitter": 0.2, "mirror": 0.5}  # of pictures with inputs
PLAIN = {"r1": 0.0, "r2": 0.0}  # a D with batch norm, if its architecture can have it
MODELS = [
    {"d_updates": 2, "decay": (1, 4)},
    {"loss": "minimax", "prior": "uniform", "augment": "translate,cutout,color", "classes": 3, **PLAIN},
    {"arch": "resnet", "loss": "relativistic", "r1": 1.0, "r2": 1.0, "augment": "translate", "classes": 3},
    {"preset": "wgan-gp2017", "d_updates": 2, "augment": "mirror"},
    {"optimizer": "rmsprop", "hidden": 3, "precision": "bf16", "ema_kimg": 0.0, **PLAIN},
    {"arch": "krohn", "dropout": 0.0},
    {"classes": 3, "mismatch": 0.5, "precision": "bf16"},
    {"class_loss": 0.5, "d_updates": 2},
    {"arch": "unet", **PAIRS, "mismatch": 0.5, "matching": 1.0, "dropout": 0.0, "classes": 3},
    {"arch": "hourglass", **PAIRS, "preset": "pixeldt2016", "r1": 0.0, "precision": "bf16"},
    {"domains": 2, "z_dim": 0, "arch": "blocks", "blocks": 1, "buffer": 5, "identity": 1.0, "matching": 1.0},
    {"preset": "discogan2017", "z_dim": 0, "r1": 1.0, "norm": "none", "buffer": 4},
    {"preset": "wavegan2019", "phase_shuffle": 1, "d_updates": 2, "classes": 3},
    {"arch": "wave", "phase_shuffle": 2, "loss": "relativistic", "r1": 1.0, "r2": 1.0, "precision": "bf16"},
    {"ending": "straight", "hidden": 3, "choices": 2, "loss": "relativistic", "r1": 1.0, "r2": 1.0, "classes": 3},
    {"ending": "softmax", "preset": "wgan-gp2017", "blocks": 1, "d_updates": 2, "precision": "bf16"},
    {"arch": "enlarge", **PAIRS, "adversarial": 0.0, "r1": 0.0, "patch": 0},
    {"attributes": 3, "contrast": 1.0, "mismatch": 0.5, "augment": "translate"},
    {"words": 5, "arch": "resnet", "loss": "relativistic", "r1": 1.0, "r2": 1.0, "kl": 1.0, "gp": 1.0},
    {"words": 5, "mode_seeking": 0.1, "d_updates": 2},
    {"words": 5, "preset": "stackgan2017", "precision": "bf16"},
    {"words": 5, "arch": "unet", **PAIRS, "contrast": 1.0, "mismatch": 0.5},
]
EACH = pytest.mark.parametrize("model", MODELS, ids=lambda model: ",".join(model))


# Two captions of every second picture, one of the others; of up to three words.
CAPTIONS = Captions(
    np.array([[1, 2, 3], [4, 0, 0], [5, 1, 0], [3, 3, 3]], np.int16),
    np.stack([np.arange(12) % 4, (np.arange(12) + 1) % 4], 1).astype(np.int32),
    1 + np.arange(12) % 2,
)


def samples_for(model):
    """Twelve pictures of 9x8 in color, sounds of 90 numbers, or texts of 6 letters of 5."""
    random = np.random.default_rng(0)
    if "phase_shuffle" in model:
        return random.uniform(-1, 1, (12, 90, 2)).astype("f4")
    if "ending" in model:
        return np.eye(5, dtype="u1")[random.integers(0, 5, (12, 6))]
    return random.integers(0, 256, (12, 9, 8, 3), np.uint8)


def trainer_of(model, origin=None, device=CPU):
    """A Trainer on twelve samples, see `samples_for`, which goes on where `origin` is."""
    samples = samples_for(model)
    inputs = samples[..., :1]
    seen = {"inputs": inputs.shape[1:]} if "jitter" in model else {"labels": 3} if "class_loss" in model else {}
    config = fresh(samples.shape[1:], {**TINY, **model}, **seen)
    gan = begin(config, None)
    if origin:
        with torch.no_grad():
            for tensor, there in zip(gan.tensors().values(), origin.gan.tensors().values(), strict=True):
                tensor.copy_(there)
        gan.updates = dict(origin.gan.updates)
    if config.domains:
        return Trainer(gan, TrainingSet(samples, domains=(np.arange(5), np.arange(5, 12))), device)
    labels = np.arange(12) % 3 if config.classes or config.d_classes else None
    attributes = np.random.default_rng(1).random((12, 3), np.float32) if config.attributes else None
    captions = CAPTIONS if config.words else None
    data = TrainingSet(samples, labels, inputs if config.inputs else None, attributes=attributes, captions=captions)
    return Trainer(gan, data, device)


def differing(one, other):
    """The names of the tensors in which two GANs differ."""
    pairs = zip(one.gan.tensors().items(), other.gan.tensors().values(), strict=True)
    return [name for (name, tensor), there in pairs if not torch.equal(tensor, there)]
