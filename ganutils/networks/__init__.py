"""Generators and discriminators. A generator maps latents [B, Z] to samples, a discriminator samples to logits [B].

Samples are float32: images [B, C, H, W] in -1..1 (in channels_last memory), sounds [B, C, T] in -1..1, points [B, D] in
their own units, texts [B, A, T] as chances of each letter of the alphabet. Both take a Condition too. With classes it
has labels [B]: the generator adds a learned vector for each to the latent, the discriminator projects its last features
on another (Miyato and Koyama 2018). Attributes [B, A] and the words of captions [B, L] become vectors by an encoder,
one in each network. A generator that starts from pictures takes None for latents, and these as the condition's inputs;
a discriminator of patches gives logits [B, h, w]. Where pictures are of two domains, each of the two is a pair of
networks.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.overrides import TorchFunctionMode

from ganutils.networks.blocks import Blocks
from ganutils.networks.condition import Condition
from ganutils.networks.dcgan import DCGANDiscriminator, DCGANGenerator, dcgan_weights
from ganutils.networks.domains import Discriminators, Translators
from ganutils.networks.enlarge import Enlarge, enlarge_weights
from ganutils.networks.krohn import KrohnDiscriminator, KrohnGenerator
from ganutils.networks.letters import LettersDiscriminator, LettersGenerator, letters_weights
from ganutils.networks.mlp import MLPDiscriminator, MLPGenerator
from ganutils.networks.patch import PatchDiscriminator
from ganutils.networks.resnet import ResNetDiscriminator, ResNetGenerator
from ganutils.networks.unet import Hourglass, UNet
from ganutils.networks.wave import WaveDiscriminator, WaveGenerator, wave_weights
from ganutils.randomness import draw, stream
from ganutils.runs.config import Config

FIRST_BATCH, FIRST_WORDS = 16, 8  # latents, or inputs, that a new generator's statistics are taken from, and words


class Architecture(NamedTuple):
    """`initialize` draws the weights of each module anew; None leaves those that its layers draw."""

    generator: Callable[[Config], nn.Module]
    discriminator: Callable[[Config], nn.Module]
    initialize: Callable[[nn.Module], None] | None = None


def _of_pictures(config: Config) -> nn.Module:
    """The discriminator beside a generator that starts from pictures."""
    return PatchDiscriminator(config) if config.patch else DCGANDiscriminator(config)


ARCHS = {
    "mlp": Architecture(MLPGenerator, MLPDiscriminator),
    "dcgan": Architecture(DCGANGenerator, DCGANDiscriminator, dcgan_weights),
    "resnet": Architecture(ResNetGenerator, ResNetDiscriminator),
    "krohn": Architecture(KrohnGenerator, KrohnDiscriminator),
    "wave": Architecture(WaveGenerator, WaveDiscriminator, wave_weights),
    "letters": Architecture(LettersGenerator, LettersDiscriminator, letters_weights),
    "unet": Architecture(UNet, _of_pictures, dcgan_weights),
    "hourglass": Architecture(Hourglass, _of_pictures, dcgan_weights),
    "blocks": Architecture(Blocks, _of_pictures, dcgan_weights),
    "enlarge": Architecture(Enlarge, _of_pictures, enlarge_weights),
}


class _Undrawn(TorchFunctionMode):
    """Leaves tensors as they are where layers would draw their weights."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        is_draw = func.__name__.endswith(("normal_", "uniform_"))  # of torch.Tensor and of nn.init
        return (args[0] if args else kwargs["tensor"]) if is_draw else func(*args, **kwargs)


def construct(config: Config) -> tuple[nn.Module, nn.Module]:
    """The generator and the discriminator of `config`, for weights that are loaded: theirs are not drawn.

    On the meta device, where checkpoints are checked, drawing would import torch's compiler: 2 s.
    """
    with _Undrawn():
        return _pair(config)


def _pair(config: Config) -> tuple[nn.Module, nn.Module]:
    arch = ARCHS[config.arch]
    if config.domains:
        return Translators(config, arch.generator), Discriminators(config, arch.discriminator)
    return arch.generator(config), arch.discriminator(config)


def build(config: Config) -> tuple[nn.Module, nn.Module]:
    """The generator and the discriminator of `config`, with weights drawn from its seed."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(int(stream(config.seed, "weights").integers(1 << 62)))
        pair = _pair(config)
        if initialize := ARCHS[config.arch].initialize:
            for network in pair:
                network.apply(initialize)
        _take_statistics(pair[0], config)
    return pair


def _take_statistics(generator: nn.Module, config: Config) -> None:
    """Start batch norm's running statistics from a batch of noise, which leaves weights and training as they are.

    From their usual start, mean 0 and variance 1, an untrained generator would make plain gray until about step 15.
    """
    norms = [module for module in generator.modules() if isinstance(module, _BatchNorm)]
    if not norms:
        return
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.momentum = None  # the statistics become those of this one batch
    with torch.no_grad():
        generator(*_first_batch(config))
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
        norm.num_batches_tracked.zero_()  # type: ignore[union-attr]


def _first_batch(config: Config) -> tuple[torch.Tensor | None, Condition]:
    """What a generator takes: of latents, inputs and descriptions noise, and all classes."""
    random = stream(config.seed, "statistics")
    condition = Condition()
    if config.classes:
        condition = Condition(torch.arange(FIRST_BATCH) % config.classes)
    elif config.attributes:
        condition = Condition(attributes=torch.from_numpy(random.random((FIRST_BATCH, config.attributes), np.float32)))
    elif config.words:
        words = random.integers(1, config.words + 1, (FIRST_BATCH, FIRST_WORDS))
        condition = Condition(tokens=torch.from_numpy(words))
    if config.inputs is None:
        return torch.from_numpy(draw(random, config.prior, (FIRST_BATCH, config.z_dim))), condition
    h, w, c = config.inputs
    inputs = draw(random, "uniform", (FIRST_BATCH, c, h, w))
    return None, condition._replace(inputs=torch.from_numpy(inputs))
