"""The widely copied training loop, which bench/train and bench/quality compare with gan-loop.

Pictures come through a DataLoader with two workers and torchvision's transforms; networks in nn.Sequential, float32,
eager, BCELoss on sigmoids, torch.optim.Adam at 2e-4, `.item()` of three losses every step, no average of G's weights.
"""

import itertools
import random
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import nn

from ganutils.networks.dcgan import dcgan_weights
from ganutils.networks.layers import map_channels
from ganutils.runs.config import Config

# What makes gan-loop's default train the same networks by the same loss.
LIKE_PLAIN = {"norm": "batch", "blocks": 0, "d_lr": 0.0, "r1": 0.0, "r2": 0.0}


def tutorial_networks(config: Config) -> tuple[nn.Module, nn.Module]:
    """The layers and weights of --arch dcgan as PyTorch's tutorial writes them, for sides that are powers of two.

    The stem is a transposed convolution of the latent, the head a convolution of the last 4x4 map.
    """
    channels = map_channels(config)  # the picture's first
    up = [nn.Unflatten(1, (config.z_dim, 1, 1)), nn.ConvTranspose2d(config.z_dim, channels[-1], 4, bias=False)]
    for a, b in zip(channels[:0:-1], channels[-2::-1], strict=True):
        is_last = b == channels[0]
        up += [nn.BatchNorm2d(a), nn.ReLU(True), nn.ConvTranspose2d(a, b, 4, 2, 1, bias=is_last)]
    down: list[nn.Module] = []
    for i, (a, b) in enumerate(itertools.pairwise(channels)):
        down += [
            nn.Conv2d(a, b, 4, 2, 1, bias=i == 0),
            nn.BatchNorm2d(b) if i else nn.Identity(),
            nn.LeakyReLU(0.2, True),
        ]
    pair = nn.Sequential(*up, nn.Tanh()), nn.Sequential(*down, nn.Conv2d(channels[-1], 1, 4), nn.Flatten(0))
    for network in pair:
        network.apply(dcgan_weights)
    return pair


NORMS = {"batch": nn.BatchNorm2d, "instance": lambda width: nn.InstanceNorm2d(width, affine=True), "none": nn.Identity}


def pix2pix_networks(config: Config) -> tuple[nn.Module, nn.Module]:
    """The layers and weights of --arch unet and its patches as pix2pix's code writes them: blocks in blocks."""
    channels = [config.shape[2], *map_channels(config)[1:]]
    block, norm = None, NORMS[config.norm_of_g]
    for i in range(len(channels) - 1, 0, -1):
        block = UnetBlock(channels[i - 1], channels[i], block, norm, is_first=i == 1)
    seen = config.shape[2] * (2 if config.sees == "pair" else 1)
    wide = [seen, *(config.width * min(2**i, 8) for i in range(config.patch + 1))]
    norm, has_bias = NORMS[config.norm], config.norm == "none"
    down: list[nn.Module] = []
    for i, (a, b) in enumerate(itertools.pairwise(wide[:-1])):
        down += [nn.Conv2d(a, b, 4, 2, 1, bias=has_bias or not i), norm(b) if i else nn.Identity()]
        down += [nn.LeakyReLU(0.2, True)]
    ends = [nn.ZeroPad2d((1, 2, 1, 2)), nn.Conv2d(wide[-2], wide[-1], 4, bias=has_bias), norm(wide[-1])]
    ends += [nn.LeakyReLU(0.2, True)]
    pair = nn.Sequential(block, nn.Tanh()), nn.Sequential(*down, *ends, ends[0], nn.Conv2d(wide[-1], 1, 4))
    for network in pair:
        network.apply(dcgan_weights)
    return pair


class UnetBlock(nn.Module):
    """Half the size, what is inside, double the size; x is concatenated to it, but around the outermost."""

    def __init__(self, outer: int, inner: int, inside: nn.Module | None, norm: Any, is_first: bool):
        super().__init__()
        down = [] if is_first else [nn.LeakyReLU(0.2)]
        down += [nn.Conv2d(outer, inner, 4, 2, 1, bias=is_first)]
        down += [] if is_first else [norm(inner)]
        up = [nn.ReLU(), nn.ConvTranspose2d(inner * (2 if inside else 1), outer, 4, 2, 1, bias=is_first)]
        up += [] if is_first else [norm(outer)]
        self.layers = nn.Sequential(*down, *([inside] if inside else []), *up)
        self.is_first = is_first

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layers(x) if self.is_first else torch.cat([x, self.layers(x)], 1)


class Pictures(torch.utils.data.Dataset):
    """Pictures, or with `inputs` pairs."""

    def __init__(self, pictures: np.ndarray, inputs: np.ndarray | None = None):
        from torchvision import transforms

        channels = pictures.shape[-1]
        sets = [pictures] if inputs is None else [pictures, inputs]
        self.sets = [[Image.fromarray(p[:, :, 0] if channels == 1 else p) for p in one] for one in sets]
        normalize = transforms.Normalize([0.5] * channels, [0.5] * channels)
        self.transform = transforms.Compose([transforms.ToTensor(), normalize])

    def __len__(self) -> int:
        return len(self.sets[0])

    def __getitem__(self, row: int) -> torch.Tensor | tuple[torch.Tensor, ...]:
        found = tuple(self.transform(one[row]) for one in self.sets)
        return found if len(found) > 1 else found[0]


class Plain:
    """The loop of the tutorials."""

    networks = staticmethod(tutorial_networks)

    def __init__(self, config: Config, pictures: np.ndarray, device: torch.device, inputs: np.ndarray | None = None):
        self.device, self.config, self.z_dim, self.batch = device, config, config.z_dim, config.batch
        self.G, self.D = (network.to(device) for network in self.networks(config))
        self.adam_g, self.adam_d = (
            torch.optim.Adam(n.parameters(), lr=config.lr, betas=(0.5, 0.999)) for n in (self.G, self.D)
        )
        self.loss = nn.BCELoss()
        self.loader = torch.utils.data.DataLoader(
            Pictures(pictures, inputs),
            config.batch,
            shuffle=True,
            num_workers=2,
            drop_last=True,
            persistent_workers=True,
        )
        self.batches = iter(self.loader)

    def next_batch(self) -> torch.Tensor | list[torch.Tensor]:
        try:
            return next(self.batches)
        except StopIteration:
            self.batches = iter(self.loader)
            return next(self.batches)

    def step(self) -> None:
        real = self.next_batch()
        real = real.to(self.device)
        ones, zeros = torch.ones(self.batch, device=self.device), torch.zeros(self.batch, device=self.device)
        self.D.zero_grad()
        d_real = self.loss(torch.sigmoid(self.D(real)), ones)
        d_real.backward()
        fake = self.G(torch.randn(self.batch, self.z_dim, device=self.device))
        d_fake = self.loss(torch.sigmoid(self.D(fake.detach())), zeros)
        d_fake.backward()
        self.adam_d.step()
        self.G.zero_grad()
        g = self.loss(torch.sigmoid(self.D(fake)), ones)
        g.backward()
        self.adam_g.step()
        d_real.item(), d_fake.item(), g.item()


class PlainPairs(Plain):
    """The loop of pix2pix, as its code is widely copied."""

    networks = staticmethod(pix2pix_networks)

    def step(self) -> None:
        real, inputs = (pictures.to(self.device) for pictures in self.next_batch())
        loss = nn.BCEWithLogitsLoss()
        fake = self.G(inputs)
        self.D.requires_grad_(True)
        self.adam_d.zero_grad()
        of_fake = self.D(torch.cat([inputs, fake], 1).detach())
        d_fake = loss(of_fake, torch.zeros_like(of_fake))
        of_real = self.D(torch.cat([inputs, real], 1))
        d_real = loss(of_real, torch.ones_like(of_real))
        ((d_fake + d_real) * 0.5).backward()
        self.adam_d.step()
        self.D.requires_grad_(False)
        self.adam_g.zero_grad()
        judged = self.D(torch.cat([inputs, fake], 1))
        g, l1 = loss(judged, torch.ones_like(judged)), nn.functional.l1_loss(fake, real) * self.config.l1
        (g + l1).backward()
        self.adam_g.step()
        d_fake.item(), d_real.item(), g.item(), l1.item()


class PlainCycle(Plain):
    """The loop of CycleGAN, as its code is widely copied: G before D, a pool of fakes for each domain."""

    def networks(self, config: Config) -> tuple[nn.Module, nn.Module]:
        ours = [pix2pix_networks(config) for _ in range(2)]
        self.pools: dict[str, list[torch.Tensor]] = {"a": [], "b": []}
        G, D = (nn.ModuleDict(dict(zip("ab", pair, strict=True))) for pair in zip(*ours, strict=True))
        return G, D

    def step(self) -> None:
        a, b = (pictures.to(self.device) for pictures in self.next_batch())
        gan, l1, weight = nn.MSELoss(), nn.L1Loss(), self.config.cycle
        fake_b, fake_a = self.G["b"](a), self.G["a"](b)
        again_a, again_b = self.G["a"](fake_b), self.G["b"](fake_a)
        self.D.requires_grad_(False)
        self.adam_g.zero_grad()
        judged_b, judged_a = self.D["b"](fake_b), self.D["a"](fake_a)
        g_b, g_a = gan(judged_b, torch.ones_like(judged_b)), gan(judged_a, torch.ones_like(judged_a))
        cycle_a, cycle_b = l1(again_a, a) * weight, l1(again_b, b) * weight
        (g_a + g_b + cycle_a + cycle_b).backward()
        self.adam_g.step()
        self.D.requires_grad_(True)
        self.adam_d.zero_grad()
        losses = []
        for name, real, fake in (("a", a, fake_a), ("b", b, fake_b)):
            of_real, of_fake = self.D[name](real), self.D[name](self.pooled(name, fake.detach()))
            loss = (gan(of_real, torch.ones_like(of_real)) + gan(of_fake, torch.zeros_like(of_fake))) * 0.5
            loss.backward()
            losses.append(loss)
        self.adam_d.step()
        for loss in (g_a, g_b, cycle_a, cycle_b, *losses):
            loss.item()

    def pooled(self, name: str, fakes: torch.Tensor) -> torch.Tensor:
        """With probability 1/2 one of the pool in place of a fake, once that is full."""
        pool, shown = self.pools[name], []
        for fake in fakes.unsqueeze(1):
            if len(pool) < self.config.buffer:
                pool.append(fake.clone())
                shown.append(fake)
            elif random.random() > 0.5:
                at = random.randrange(len(pool))
                shown.append(pool[at])
                pool[at] = fake.clone()
            else:
                shown.append(fake)
        return torch.cat(shown)
