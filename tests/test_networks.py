"""Networks and their layers: any size, from the seed alone, against torch's own."""

from functools import partial

import numpy as np
import pytest
import tape
import torch
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from torch import nn

from ganutils import networks
from ganutils.compute import distributed
from ganutils.networks import layers
from ganutils.networks.blocks import reflected
from ganutils.networks.condition import Condition
from ganutils.networks.layers import MANY_WEIGHTS, Downsample, Upsample, map_channels, map_sizes
from ganutils.networks.resnet import ResidualBlock
from ganutils.networks.sync_batchnorm import share_batch_norm
from ganutils.runs import traits
from ganutils.runs.defaults import fresh
from ganutils.training.gan import GAN

SIDES = st.integers(1, 40)


FROM_LATENTS = [name for name, arch in traits.ARCHS.items() if "images" in arch.takes and not arch.translates]


TRANSLATORS = [name for name, arch in traits.ARCHS.items() if arch.translates]


def shape_for(arch):
    takes = traits.ARCHS[arch].takes
    return (8, 8, 3) if "images" in takes else (64, 1) if "signals" in takes else (16, 5)


@given(h=SIDES, w=SIDES, c=st.sampled_from([1, 3]), arch=st.sampled_from([*FROM_LATENTS]))
@examples(max_examples=40)
def test_any_size_goes_through_both_networks(h, w, c, arch):
    for classes, labels in ((0, None), (3, torch.tensor([0, 1, 2, 2]))):
        config = fresh((h, w, c), {"arch": arch, "width": 2, "z_dim": 3, "classes": classes})
        generator, discriminator = networks.build(config)
        pictures = generator(torch.randn(4, 3), Condition(labels))
        assert pictures.shape == (4, c, h, w)
        assert pictures.abs().max() <= 1
        assert discriminator(pictures, Condition(labels)).shape == (4,)


def test_points_go_through_the_mlp():
    generator, discriminator = networks.build(fresh((2,), {"width": 8}))
    points = generator(torch.randn(5, 64))
    assert points.shape == (5, 2)
    assert discriminator(points).shape == (5,)


def test_the_dcgan_at_64_is_the_papers():
    """Radford et al. 2016, figure 1: a 4x4 map of 1024 channels, then 512, 256, 128 and the picture."""
    config = fresh((64, 64, 3), {"preset": "dcgan2016"})
    assert map_sizes(64, 64) == [(64, 64), (32, 32), (16, 16), (8, 8), (4, 4)]
    assert map_channels(config) == [3, 128, 256, 512, 1024]
    generator, discriminator = networks.build(config)
    assert generator.stem.weight.shape == (4 * 4 * 1024, 100)
    assert discriminator.head.weight.shape == (1, 4 * 4 * 1024)


def test_blocks_refine_the_maps_behind_the_first_and_a_convolution_paints_the_picture():
    generator, _ = networks.build(fresh((32, 32, 1), {"width": 4, "blocks": 3, "z_dim": 5}))
    assert [len(blocks) for blocks in generator.blocks] == [0, 3, 3]
    generator(torch.randn(4, 5))[..., 7, 9].sum().backward()
    assert all(parameter.grad.any() for parameter in generator.parameters())
    plain, _ = networks.build(fresh((32, 32, 1), {"width": 4, "blocks": 0, "z_dim": 5}))
    assert {name.split(".")[0] for name in plain.state_dict()} == {"stem", "norms", "ups"}  # as in old checkpoints


@pytest.mark.parametrize("penalty", [0.0, 1.0], ids=["batch norm", "no norm"])
def test_dense_layers_see_the_whole_picture(penalty):
    """The first map is of the latent and a dense layer of mean 0 over the batch, the logit of the last map and one."""
    config = fresh((8, 8, 1), {"width": 2, "hidden": 5, "r1": penalty, "r2": penalty})
    generator, discriminator = networks.build(config)
    dense = generator.hidden(torch.randn(64, config.z_dim))
    assert dense.shape == (64, 5)
    assert dense.mean(0).abs().max() < 1e-5
    assert generator.stem.in_features == config.z_dim + 5
    assert discriminator.head.in_features == 4 * 4 * 2 + 5
    pixels = torch.randn(1, 1, 8, 8, requires_grad=True)
    *_, last = discriminator.eval().layers(pixels)
    unit = discriminator.hidden(last.permute(0, 2, 3, 1).flatten(1))[0, 0]
    (gradient,) = torch.autograd.grad(unit, pixels)
    assert gradient.ne(0).all()


def test_weights_come_from_the_seed_alone():
    torch.manual_seed(1)
    first = networks.build(fresh((8, 8, 1), {"seed": 5}))
    torch.rand(10)
    second = networks.build(fresh((8, 8, 1), {"seed": 5}))
    other = networks.build(fresh((8, 8, 1), {"seed": 6}))
    for a, b, c in zip(first, second, other, strict=True):
        assert all(torch.equal(x, y) for x, y in zip(a.parameters(), b.parameters(), strict=True))
        assert any(not torch.equal(x, z) for x, z in zip(a.parameters(), c.parameters(), strict=True))


@pytest.mark.parametrize("name", traits.ARCHS)
def test_facts_about_an_architecture_are_those_of_its_networks(name):
    config = fresh(shape_for(name), {"arch": name}, inputs=(8, 8, 1))
    assert config.width == traits.ARCHS[name].width
    discriminator = networks.construct(config)[1].state_dict()
    if first := traits.ARCHS[name].first_layer:
        assert next(iter(discriminator)) == first.removeprefix("D.")


@pytest.mark.parametrize("size", [(8, 6), (7, 5), (4, 1)])
def test_resizing_on_a_gpu_is_torchs_with_its_gradients(size):
    """Its own gradient, since torch's adds up in any order there."""
    x = torch.randn(2, 3, *((n + 1) // 2 for n in size), dtype=torch.double, requires_grad=True)
    found = []
    for resize in (layers._Resize.apply, partial(nn.functional.interpolate, mode="bilinear")):
        y = resize(x, size)
        found.append([y, *torch.autograd.grad((y * torch.linspace(-1, 1, y.numel()).view(y.shape)).sum(), x)])
    for ours, torchs in zip(*found, strict=True):
        torch.testing.assert_close(ours, torchs)
    assert torch.autograd.gradgradcheck(lambda x: layers._Resize.apply(x, size), x)


@pytest.mark.parametrize(("size", "by"), [((8, 6), 3), ((4, 5), 3), ((2, 9), 1), ((1, 4), 1), ((3, 3), 3)])
def test_reflected_borders_are_torchs_with_their_gradient(size, by):
    """A gradient of its own; where a map is too small to be mirrored, its border is repeated."""
    x = torch.randn(2, 3, *size, dtype=torch.double, requires_grad=True)
    mode = "reflect" if min(size) > by else "replicate"
    found = []
    for padded in (reflected, lambda x, by: nn.functional.pad(x, [by] * 4, mode)):
        y = padded(x, by)
        found.append([y, *torch.autograd.grad((y * torch.linspace(-1, 1, y.numel()).view(y.shape)).sum(), x)])
    for ours, torchs in zip(*found, strict=True):
        torch.testing.assert_close(ours, torchs)


def test_a_new_residual_block_is_the_identity():
    block = ResidualBlock(8, depth=10)
    x = torch.randn(2, 8, 5, 5)
    assert torch.equal(block(x), x)
    gradients = torch.autograd.grad(block(x).square().sum(), block.last.weight)
    assert gradients[0].abs().max() > 0


def test_shared_batch_norm_is_torchs_also_where_the_mean_is_large():
    """In float32 E[x^2] - mean^2 of such numbers is noise, or negative."""
    x = 1e4 + torch.from_numpy(np.random.default_rng(0).normal(size=(64, 3, 2, 2)).astype("f4"))
    ours, torchs = (nn.Sequential(nn.BatchNorm2d(3)) for _ in range(2))
    share_batch_norm(ours, distributed.ALONE)
    y, expected = ours(x), torchs.double()(x.double())
    assert y.dtype == torch.float32
    torch.testing.assert_close(y.double(), expected, rtol=0, atol=1e-2)
    for name, buffer in torchs.named_buffers():
        torch.testing.assert_close(ours.get_buffer(name), buffer, check_dtype=False, rtol=1e-3, atol=0)


@pytest.mark.parametrize("shape", [(6, 3), (6, 3, 4, 2)])
def test_shared_batch_norm_has_torchs_gradients(shape):
    kind = nn.BatchNorm1d if len(shape) == 2 else nn.BatchNorm2d
    x = torch.from_numpy(np.random.default_rng(0).normal(size=shape).astype("f4")).requires_grad_()
    ours, torchs = (nn.Sequential(kind(3)) for _ in range(2))
    share_batch_norm(ours, distributed.ALONE)
    weights = torch.linspace(-1, 1, x.numel()).view(shape)
    for a, b in zip(
        *((torch.autograd.grad((n(x) * weights).sum(), [x, *n.parameters()])) for n in (ours, torchs)), strict=True
    ):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize(
    ("block", "plain", "channels", "many"),
    [
        (Downsample, nn.Conv2d, (6, 5), 0),
        (Downsample, nn.Conv2d, (1, 5), MANY_WEIGHTS),
        (Upsample, nn.ConvTranspose2d, (6, 5), 0),
        (Upsample, nn.ConvTranspose2d, (6, 1), MANY_WEIGHTS),
        (Upsample, nn.ConvTranspose2d, (6, 3), MANY_WEIGHTS),
    ],
)
def test_a_convolution_is_the_same_as_a_matrix_product(monkeypatch, block, plain, channels, many, bias):
    torch.manual_seed(0)
    layer = block(*channels, bias=bias).double()
    monkeypatch.setattr(layers, "MANY_WEIGHTS", many)
    monkeypatch.setattr(layers, "SMALL_MAP", 32)
    x = torch.randn(2, channels[0], 8, 4, dtype=torch.double, requires_grad=True)
    found = []
    for forward in (plain.forward, block.forward):
        y = forward(layer, x)
        (slope,) = torch.autograd.grad(y.square().sum(), x, create_graph=True)  # as R1 does: a gradient of a gradient
        found.append([y, slope, *torch.autograd.grad(slope.square().sum(), [x, *layer.parameters()])])
    for a, b in zip(*found, strict=True):
        torch.testing.assert_close(a, b)
    assert torch.autograd.gradgradcheck(layer, x)


@pytest.mark.parametrize("arch", traits.ARCHS)
def test_weights_that_are_loaded_are_not_drawn_first(arch):
    """On the meta device, where checkpoints are checked, drawing would import torch's compiler: 900 modules, 2 s."""
    config = fresh(shape_for(arch), {"arch": arch, "width": 2, "classes": 3}, inputs=(8, 8, 3))
    with torch.device("meta"), tape.Operators() as ran:
        GAN(config, networks.construct(config))
    assert not [name for name in ran.names if "normal" in name or "uniform" in name]
    with tape.Operators() as ran:
        networks.build(config)
    assert [name for name in ran.names if "normal" in name or "uniform" in name], "a new run draws them"
