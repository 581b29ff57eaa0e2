"""Generators and discriminators. A generator maps latents [B, Z] to samples, a discriminator samples to logits [B].

Samples are float32: pictures [B, C, H, W] in -1..1 (in channels_last memory), points [B, D] in their own units.
With classes, both also take labels [B]: the generator a learned vector for each, added to the latent, the
discriminator a projection of its last features on another (Miyato and Koyama 2018).
"""

from __future__ import annotations

import torch
from torch import nn

from ganutils.networks.dcgan import DCGANDiscriminator, DCGANGenerator, dcgan_weights
from ganutils.networks.krohn import KrohnDiscriminator, KrohnGenerator
from ganutils.networks.mlp import MLPDiscriminator, MLPGenerator
from ganutils.networks.resnet import ResNetDiscriminator, ResNetGenerator
from ganutils.randomness import stream
from ganutils.runs.config import Config

ARCHS = {
    "mlp": (MLPGenerator, MLPDiscriminator),
    "dcgan": (DCGANGenerator, DCGANDiscriminator),
    "resnet": (ResNetGenerator, ResNetDiscriminator),
    "krohn": (KrohnGenerator, KrohnDiscriminator),
}


def construct(config: Config) -> tuple[nn.Module, nn.Module]:
    """The generator and the discriminator of `config`, with weights yet to be given."""
    generator, discriminator = ARCHS[config.arch]
    return generator(config), discriminator(config)


def build(config: Config) -> tuple[nn.Module, nn.Module]:
    """The same with weights drawn from the seed."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(int(stream(config.seed, "weights").integers(1 << 62)))
        generator, discriminator = construct(config)
        if config.arch == "dcgan":
            generator.apply(dcgan_weights)
            discriminator.apply(dcgan_weights)
    return generator, discriminator
