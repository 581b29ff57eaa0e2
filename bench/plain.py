"""The widely copied training loop, which bench/train and bench/quality put beside gan-loop.

Pictures come through a DataLoader with two workers and torchvision's transforms; float32, eager, BCELoss on sigmoids,
torch.optim.Adam at 2e-4, `.item()` of three losses every step, no average of the generator.
"""

import numpy as np
import torch
from PIL import Image
from torch import nn

from ganutils import config, networks


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

    def __init__(self, settings: config.Config, pictures: np.ndarray, device: torch.device):
        self.device, self.z_dim, self.batch = device, settings.z_dim, settings.batch
        self.G, self.D = (network.to(device) for network in networks.build(settings))
        self.adam_g, self.adam_d = (
            torch.optim.Adam(n.parameters(), lr=settings.lr, betas=(0.5, 0.999)) for n in (self.G, self.D)
        )
        self.loss = nn.BCELoss()
        self.loader = torch.utils.data.DataLoader(
            Pictures(pictures), settings.batch, shuffle=True, num_workers=2, drop_last=True
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
