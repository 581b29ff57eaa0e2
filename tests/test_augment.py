"""What D sees samples through: random changes, and their gradients."""

import pytest
import torch
from torch import nn

from ganutils.randomness import stream
from ganutils.training.augment import AUGMENTS


def augmented(name, x, seed=0):
    drawn = AUGMENTS[name].draw(stream(seed, "test"), x.shape)
    return AUGMENTS[name].change(x, *map(torch.from_numpy, drawn))


@pytest.mark.parametrize("name", AUGMENTS)
def test_augmentation_changes_each_picture_and_lets_gradients_through(name):
    x = torch.linspace(-1, 1, 6 * 3 * 16 * 24).view(6, 3, 16, 24).requires_grad_()
    y = augmented(name, x, seed=1)
    again = augmented(name, x, seed=1)
    assert y.shape == x.shape
    assert torch.equal(y, again)
    assert not torch.equal(y, augmented(name, x, seed=2))
    y.square().sum().backward()
    assert (x.grad != 0).float().mean() > 0.5


def test_translation_moves_by_up_to_an_eighth_and_fills_with_gray():
    y = augmented("translate", torch.ones(200, 1, 16, 24))
    kept = y.sum((1, 2, 3)) / (16 * 24)
    assert kept.min() == pytest.approx(14 / 16 * 21 / 24)
    assert kept.max() == 1
    assert set(y.unique().tolist()) == {0.0, 1.0}


def test_translation_has_the_gradient_of_indexing_and_one_of_that():
    """Bit for bit, though made of gathers: on CUDA the gradient of indexing adds up in any order."""
    x = torch.randn(20, 3, 16, 24).contiguous(memory_format=torch.channels_last).requires_grad_()
    dy, dx = (torch.from_numpy(part) for part in AUGMENTS["translate"].draw(stream(0, "t"), x.shape))
    rows, columns = ((torch.arange(n) + moved).clamp(-1, n) + 1 for n, moved in ((16, dy), (24, dx)))
    padded = nn.functional.pad(x, (1, 1, 1, 1)).permute(0, 2, 3, 1)
    indexed = padded[torch.arange(20)[:, None, None], rows[:, :, None], columns[:, None]].permute(0, 3, 1, 2)
    weights = torch.randn(indexed.shape)
    moved = AUGMENTS["translate"].change(x, dy, dx)
    assert torch.equal(moved, indexed)
    assert moved.stride() == indexed.stride()
    assert torch.equal(*(torch.autograd.grad((y * weights).sum(), x)[0] for y in (moved, indexed)))
    small = torch.randn(4, 1, 8, 8, dtype=torch.double, requires_grad=True)
    assert torch.autograd.gradgradcheck(lambda x: AUGMENTS["translate"].change(x, dy[:4], dx[:4]), small)


def test_mirror_swaps_left_and_right_of_half_the_pictures():
    x = torch.randn(400, 3, 4, 6)
    y = augmented("mirror", x)
    swapped = (y != x).flatten(1).any(1)
    assert torch.equal(y[swapped], x[swapped].flip(-1))
    assert 150 < swapped.sum() < 250


def test_cutout_takes_a_window_of_half_the_sides():
    kept = augmented("cutout", torch.ones(300, 1, 16, 24)).sum((1, 2, 3))
    assert kept.min() == 16 * 24 - 8 * 12
    assert kept.max() <= 16 * 24 - 4 * 6
