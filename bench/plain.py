"""The widely copied training loop, which bench/train and bench/quality compare with gan-loop.

Pictures come through a DataLoader with two workers and torchvision's transforms; networks in nn.Sequential, float32,
eager, BCELoss on sigmoids, torch.optim.Adam at 2e-4, `.item()` of three losses every step, no average of G's weights.
"""

import itertools

import numpy as np
import torch
from PIL import Image
from torch import nn

from ganutils.networks.dcgan import dcgan_weights
from ganutils.networks.layers import map_channels
from ganutils.runs.config import Config


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


class Pictures(torch.utils.data.Dataset):
    def __init__(self, pictures: np.ndarray):
        from torchvision import transforms

        channels = pictures.shape[-1]
        self.pictures = [Image.fromarray(p[:, :, 0] if channels == 1 else p) for p in pictures]
        normalize = transforms.Normalize([0.5] * channels, [0.5] * channels)
        self.transform = transforms.Compose([transforms.ToTensor(), normalize])

    def __len__(self) -> int:
        return len(self.pictures)

    def __getitem__(self, row: int) -> torch.Tensor:
        return self.transform(self.pictures[row])


class Plain:
    """The loop of the tutorials."""

    def __init__(self, config: Config, pictures: np.ndarray, device: torch.device):
        self.device, self.z_dim, self.batch = device, config.z_dim, config.batch
        self.G, self.D = (network.to(device) for network in tutorial_networks(config))
        self.adam_g, self.adam_d = (
            torch.optim.Adam(n.parameters(), lr=config.lr, betas=(0.5, 0.999)) for n in (self.G, self.D)
        )
        self.loss = nn.BCELoss()
        self.loader = torch.utils.data.DataLoader(
            Pictures(pictures), config.batch, shuffle=True, num_workers=2, drop_last=True, persistent_workers=True
        )
        self.batches = iter(self.loader)

    def step(self) -> None:
        try:
            real = next(self.batches)
        except StopIteration:
            self.batches = iter(self.loader)
            real = next(self.batches)
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
