"""Generators and discriminators. A generator maps latents [B, Z] to samples, a discriminator samples to logits [B].

Samples are float32: images [B, C, H, W] in -1..1 (in channels_last memory), points [B, D] in their own units.
With classes, both also take labels [B]: the generator adds a learned vector for each to the latent, the discriminator
projects its last features on another (Miyato and Koyama 2018).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import nn

from ganutils.networks.dcgan import DCGANDiscriminator, DCGANGenerator, dcgan_weights
from ganutils.networks.krohn import KrohnDiscriminator, KrohnGenerator
from ganutils.networks.mlp import MLPDiscriminator, MLPGenerator
from ganutils.networks.resnet import ResNetDiscriminator, ResNetGenerator
from ganutils.randomness import stream
from ganutils.runs.config import Config


class Architecture(NamedTuple):
    """`initialize` draws the weights of each module anew; None leaves those that its layers draw."""

    generator: Callable[[Config], nn.Module]
    discriminator: Callable[[Config], nn.Module]
    initialize: Callable[[nn.Module], None] | None = None


ARCHS = {
    "mlp": Architecture(MLPGenerator, MLPDiscriminator),
    "dcgan": Architecture(DCGANGenerator, DCGANDiscriminator, dcgan_weights),
    "resnet": Architecture(ResNetGenerator, ResNetDiscriminator),
    "krohn": Architecture(KrohnGenerator, KrohnDiscriminator),
}


def construct(config: Config) -> tuple[nn.Module, nn.Module]:
    """The generator and the discriminator of `config`, for weights that are loaded."""
    arch = ARCHS[config.arch]
    return arch.generator(config), arch.discriminator(config)


def build(config: Config) -> tuple[nn.Module, nn.Module]:
    """The generator and the discriminator of `config`, with weights drawn from its seed."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(int(stream(config.seed, "weights").integers(1 << 62)))
        pair = construct(config)
        if initialize := ARCHS[config.arch].initialize:
            for network in pair:
                network.apply(initialize)
    return pair
