"""Losses, penalties, optimizers, learning rates and the average, against torch's own and the papers' formulas."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ganutils.runs import traits
from ganutils.runs.defaults import fresh
from ganutils.training.losses import LOSSES, gradient_penalty, zero_centered
from ganutils.training.optimizers import Adam, RMSprop


@given(real=st.floats(-60, 60), fake=st.floats(-60, 60), target=st.sampled_from([1.0, 0.9]))
def test_no_discriminator_has_less_than_the_least_loss(real, fake, target):
    logits = [torch.tensor([x], dtype=torch.float64) for x in (real, fake)]
    for name, facts in traits.LOSSES.items():
        assert LOSSES[name].discriminator(*logits, target).item() >= facts.least_d_loss(target) - 1e-9, name


LOGITS = st.integers(1, 5).flatmap(lambda n: st.tuples(*[st.lists(st.floats(-8, 8), min_size=n, max_size=n)] * 2))


@given(logits=LOGITS, target=st.sampled_from([1.0, 0.9]))
def test_losses_are_the_papers_formulas(logits, target):
    def log_sigmoid(x):
        return -math.log(1 + math.exp(-x))

    def mean(values):
        values = list(values)
        return sum(values) / len(values)

    real, fake = logits
    entropy = mean(-target * log_sigmoid(x) - (1 - target) * log_sigmoid(-x) for x in real)
    entropy += mean(-log_sigmoid(-x) for x in fake)
    pairs = list(zip(real, fake, strict=True))
    wanted = {
        "minimax": (entropy, mean(log_sigmoid(-x) for x in fake)),
        "nonsaturating": (entropy, mean(-log_sigmoid(x) for x in fake)),
        "lsgan": (
            mean((x - target) ** 2 / 2 for x in real) + mean(x**2 / 2 for x in fake),
            mean((x - 1) ** 2 / 2 for x in fake),
        ),
        "wgan": (mean(fake) - mean(real), -mean(fake)),
        "hinge": (mean(max(0, 1 - x) for x in real) + mean(max(0, 1 + x) for x in fake), -mean(fake)),
        "relativistic": (mean(-log_sigmoid(x - y) for x, y in pairs), mean(-log_sigmoid(y - x) for x, y in pairs)),
    }
    assert wanted.keys() == LOSSES.keys()
    ours = [torch.tensor(values, dtype=torch.float64) for values in logits]
    for name, loss in LOSSES.items():
        found = loss.discriminator(*ours, target).item(), loss.generator(*ours).item()
        assert found == pytest.approx(wanted[name], rel=1e-6, abs=1e-9), name


def test_penalties_of_a_linear_discriminator():
    """D(x) = <w, x> has gradient w everywhere: R1 is |w|^2 / 2, the penalty of WGAN (|w| - 1)^2."""
    w = torch.tensor([3.0, 4.0])
    x = torch.randn(5, 2, requires_grad=True)
    assert zero_centered(x @ w, x).mean().item() == pytest.approx(12.5)
    assert gradient_penalty(x @ w, x).item() == pytest.approx(16)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (Adam, lambda parameters: torch.optim.Adam(parameters, lr=1e-2, betas=(0.5, 0.999), fused=True)),
        (RMSprop, lambda parameters: torch.optim.RMSprop(parameters, lr=1e-2, alpha=0.999, eps=1e-7)),
    ],
)
def test_optimizers_are_torchs(ours, theirs):
    torch.manual_seed(0)
    networks = [
        torch.nn.Sequential(torch.nn.Conv2d(3, 4, 4), torch.nn.BatchNorm2d(4)).to(memory_format=torch.channels_last)
        for _ in range(2)
    ]
    networks[1].load_state_dict(networks[0].state_dict())
    mine = ours(networks[0], fresh((8, 8, 3), {"beta1": 0.5, "beta2": 0.999}))
    reference = theirs(networks[1].parameters())
    for count in range(1, 6):
        x = torch.randn(2, 3, 8, 8).contiguous(memory_format=torch.channels_last)
        gradients = torch.autograd.grad(networks[0](x).square().mean(), list(networks[0].parameters()))
        mine.step(gradients, torch.tensor(1e-2, dtype=torch.double), torch.tensor(float(count)))
        reference.zero_grad()
        networks[1](x).square().mean().backward()
        torch.nn.utils.clip_grad_value_(networks[1].parameters(), 1.0 if ours is RMSprop else 1e9)
        reference.step()
    for a, b in zip(networks[0].parameters(), networks[1].parameters(), strict=True):
        assert torch.equal(a, b) if ours is Adam else torch.allclose(a, b, rtol=1e-5, atol=1e-7)


def test_the_learning_rate_falls_between_the_steps_of_decay():
    config = fresh((8, 8, 1), {"lr": 1.0, "decay": (10, 20)})
    assert [config.learning_rate("G", step) for step in (0, 10, 15, 20, 99)] == [1, 1, 0.5, 0, 0]
    assert fresh((8, 8, 3), {"lr": 0.25}).learning_rate("D", 10**9) == 0.25


def test_the_half_life_of_the_average():
    """After `ema_kimg` thousand images a weight counts half; early on, after a twentieth of the images so far."""
    config = fresh((8, 8, 1), {"ema_kimg": 6.4, "batch": 64})
    assert config.ema_beta(10**6) ** 100 == pytest.approx(0.5)
    assert config.ema_beta(400) ** 20 == pytest.approx(0.5)
    assert fresh((8, 8, 1), {"ema_kimg": 0}).ema_beta(5) == 0
