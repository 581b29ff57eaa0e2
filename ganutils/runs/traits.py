"""What architectures and losses are, apart from their code."""

from __future__ import annotations

ARCHS = ("mlp", "dcgan", "resnet", "krohn")
LOSSES = ("minimax", "nonsaturating", "lsgan", "wgan", "hinge", "relativistic")
SMOOTHED = ("minimax", "nonsaturating", "lsgan")  # the losses that have a label to smooth
WIDTHS = {"mlp": 256, "dcgan": 32, "resnet": 32, "krohn": 64}  # where neither --width nor the preset says
