"""Networks, losses and the optimiser, against torch's own and the papers' formulas."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ganutils import config, networks, training
from ganutils.losses import LOSSES
from ganutils.optimisers import Adam

SIDES = st.integers(1, 40)


@given(h=SIDES, w=SIDES, c=st.sampled_from([1, 3]), arch=st.sampled_from(config.ARCHS))
@settings(max_examples=40, deadline=None)
def test_any_size_goes_through_both_networks(h, w, c, arch):
    settings = config.fresh((h, w, c), {"arch": arch, "width": 2, "z_dim": 3})
    generator, discriminator = networks.build(settings)
    pictures = generator(torch.randn(4, 3))
    assert pictures.shape == (4, c, h, w)
    assert pictures.abs().max() <= 1
    assert discriminator(pictures).shape == (4,)


def test_points_go_through_the_mlp():
    generator, discriminator = networks.build(config.fresh((2,), {"width": 8}))
    points = generator(torch.randn(5, 64))
    assert points.shape == (5, 2)
    assert discriminator(points).shape == (5,)


def test_the_dcgan_at_64_is_the_papers():
    """Radford et al. 2016, figure 1: a 4x4 map of 1024 channels, then 512, 256, 128 and the picture."""
    settings = config.fresh((64, 64, 3), {"preset": "dcgan2016"})
    assert networks.map_sizes(64, 64) == [(64, 64), (32, 32), (16, 16), (8, 8), (4, 4)]
    assert networks.map_channels(settings) == [3, 128, 256, 512, 1024]


def test_weights_come_from_the_seed_alone():
    torch.manual_seed(1)
    first = networks.build(config.fresh((8, 8, 1), {"seed": 5}))
    torch.rand(10)
    second = networks.build(config.fresh((8, 8, 1), {"seed": 5}))
    other = networks.build(config.fresh((8, 8, 1), {"seed": 6}))
    for a, b, c in zip(first, second, other, strict=True):
        assert all(torch.equal(x, y) for x, y in zip(a.parameters(), b.parameters(), strict=True))
        assert any(not torch.equal(x, z) for x, z in zip(a.parameters(), c.parameters(), strict=True))


@given(real=st.lists(st.floats(-8, 8), min_size=1, max_size=5), fake=st.lists(st.floats(-8, 8), min_size=1, max_size=5))
def test_losses_are_the_papers_formulas(real, fake):
    def sigmoid(x):
        return 1 / (1 + math.exp(-x))

    def mean(values):
        return sum(values) / len(values)

    entropy = mean([-math.log(sigmoid(x)) for x in real]) + mean([-math.log(1 - sigmoid(x)) for x in fake])
    wanted = {
        "minimax": (entropy, mean([math.log(1 - sigmoid(x)) for x in fake])),
        "nonsaturating": (entropy, mean([-math.log(sigmoid(x)) for x in fake])),
        "lsgan": (
            mean([(x - 1) ** 2 / 2 for x in real]) + mean([x**2 / 2 for x in fake]),
            mean([(x - 1) ** 2 / 2 for x in fake]),
        ),
    }
    assert wanted.keys() == LOSSES.keys() == set(config.LOSSES)
    real_logits, fake_logits = torch.tensor(real, dtype=torch.float64), torch.tensor(fake, dtype=torch.float64)
    for name, loss in LOSSES.items():
        found = loss.discriminator(real_logits, fake_logits).item(), loss.generator(fake_logits).item()
        assert found == pytest.approx(wanted[name], rel=1e-6, abs=1e-9), name


def test_adam_is_torchs_to_the_bit():
    torch.manual_seed(0)
    ours = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 4), torch.nn.BatchNorm2d(4)).to(memory_format=torch.channels_last)
    theirs = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 4), torch.nn.BatchNorm2d(4)).to(
        memory_format=torch.channels_last
    )
    theirs.load_state_dict(ours.state_dict())
    mine = Adam(ours, beta1=0.5)
    reference = torch.optim.Adam(theirs.parameters(), lr=1e-2, betas=(0.5, 0.999), fused=True)
    for count in range(1, 6):
        x = torch.randn(2, 3, 8, 8).contiguous(memory_format=torch.channels_last)
        mine.step(torch.autograd.grad(ours(x).square().mean(), list(ours.parameters())), 1e-2, count)
        reference.zero_grad()
        theirs(x).square().mean().backward()
        reference.step()
    for a, b in zip(ours.parameters(), theirs.parameters(), strict=True):
        assert torch.equal(a, b)


def test_the_learning_rate_falls_between_the_steps_of_decay():
    settings = config.fresh((8, 8, 1), {"lr": 1.0, "decay": (10, 20)})
    assert [settings.learning_rate(step) for step in (0, 10, 15, 20, 99)] == [1, 1, 0.5, 0, 0]
    assert config.fresh((8, 8, 1), {"lr": 0.25}).learning_rate(10**9) == 0.25


def test_the_half_life_of_the_average():
    """After `ema_kimg` thousand images a weight counts half; early on, after a twentieth of the images so far."""
    settings = config.fresh((8, 8, 1), {"ema_kimg": 6.4, "batch": 64})
    assert settings.ema_beta(10**6) ** 100 == pytest.approx(0.5)
    assert settings.ema_beta(400) ** 20 == pytest.approx(0.5)
    assert config.fresh((8, 8, 1), {"ema_kimg": 0}).ema_beta(5) == 0


@given(count=st.integers(1, 30), batch=st.integers(2, 40), epochs=st.integers(1, 3))
def test_every_epoch_shows_every_row_once(count, batch, epochs):
    updates = -(-count * epochs // batch)
    rows = [int(row) for update in range(updates) for row in training.batch_rows(3, update, batch, count)]
    for epoch in range(epochs):
        assert sorted(rows[epoch * count : (epoch + 1) * count]) == list(range(count))
