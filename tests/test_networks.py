"""Networks, losses and optimizers, against torch's own and the papers' formulas; settings and what they may be."""

import math
import threading
from functools import partial

import numpy as np
import pytest
import tape
import torch
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from torch import nn

from ganutils import Error, networks, randomness
from ganutils.compute import distributed
from ganutils.networks import layers
from ganutils.networks.blocks import reflected
from ganutils.networks.condition import Condition
from ganutils.networks.layers import MANY_WEIGHTS, Downsample, Upsample, map_channels, map_sizes
from ganutils.networks.resnet import ResidualBlock
from ganutils.networks.sync_batchnorm import share_batch_norm
from ganutils.randomness import stream
from ganutils.runs import traits
from ganutils.runs.config import SETTINGS
from ganutils.runs.contradictions import contradiction
from ganutils.runs.defaults import fresh
from ganutils.runs.presets import PRESETS
from ganutils.training import batches, replay
from ganutils.training.augment import AUGMENTS
from ganutils.training.batches import Batches, TrainingSet
from ganutils.training.gan import GAN
from ganutils.training.losses import LOSSES, gradient_penalty, zero_centered
from ganutils.training.optimizers import OPTIMIZERS, Adam, RMSprop

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


def test_the_tables_of_facts_have_the_names_of_the_tables_of_code():
    assert traits.LOSSES.keys() == LOSSES.keys()
    assert traits.ARCHS.keys() == networks.ARCHS.keys()
    assert traits.AUGMENTS.keys() == AUGMENTS.keys()
    assert traits.PRIORS.keys() == randomness.PRIORS.keys()
    assert set(traits.OPTIMIZERS) == OPTIMIZERS.keys()


@pytest.mark.parametrize("name", traits.ARCHS)
def test_facts_about_an_architecture_are_those_of_its_networks(name):
    config = fresh(shape_for(name), {"arch": name}, inputs=(8, 8, 1))
    assert config.width == traits.ARCHS[name].width
    discriminator = networks.construct(config)[1].state_dict()
    if first := traits.ARCHS[name].first_layer:
        assert next(iter(discriminator)) == first.removeprefix("D.")


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
    assert fresh((8, 8, 1), {"lr": 0.25}).learning_rate("D", 10**9) == 0.25


def test_the_half_life_of_the_average():
    """After `ema_kimg` thousand images a weight counts half; early on, after a twentieth of the images so far."""
    config = fresh((8, 8, 1), {"ema_kimg": 6.4, "batch": 64})
    assert config.ema_beta(10**6) ** 100 == pytest.approx(0.5)
    assert config.ema_beta(400) ** 20 == pytest.approx(0.5)
    assert fresh((8, 8, 1), {"ema_kimg": 0}).ema_beta(5) == 0


class Watched:
    """Pictures that do not fit into memory; `reads` are which rows were read, and whether by the thread that trains."""

    def __init__(self, pictures):
        self.pictures, self.nbytes, self.reads = pictures, 1 << 60, []

    def __len__(self):
        return len(self.pictures)

    def __getitem__(self, rows):
        self.reads.append((rows.tolist(), threading.current_thread() is threading.main_thread()))
        return self.pictures[rows]


@given(updates=st.lists(st.integers(0, 9), min_size=1, max_size=12))
def test_what_does_not_fit_is_read_ahead_and_is_the_same(updates):
    config = fresh((8, 8, 1), {"batch": 4, "width": 1})
    data = TrainingSet(np.random.default_rng(0).integers(0, 256, (10, 8, 8, 1), np.uint8), np.arange(10))
    watched = Watched(data.samples)
    near, far = (
        Batches(data._replace(samples=samples), config, torch.device("cpu"), distributed.ALONE)
        for samples in (data.samples, watched)
    )
    resident = Batches(data, config, torch.device("cpu"), distributed.ALONE)
    resident._on_device = {name: torch.from_numpy(array) for name, array in resident._arrays.items()}  # as on a GPU
    for update in updates:
        three = [one.take(replay.send(one.draw(update), torch.device("cpu"))) for one in (near, far, resident)]
        for other in three[1:]:
            assert torch.equal(three[0].samples, other.samples)
            assert torch.equal(three[0].condition.labels, other.condition.labels)
    far._reader.shutdown()
    assert not any(by_main for _, by_main in watched.reads)
    wanted = [batches.rows_of(config.seed, update, 4, 10).tolist() for update in (updates[0], updates[0] + 1)]
    assert [rows for rows, _ in watched.reads[:2]] == wanted  # the second before it was asked for


@given(count=st.integers(1, 30), batch=st.integers(2, 40), epochs=st.integers(1, 3))
def test_every_epoch_shows_every_row_once(count, batch, epochs):
    updates = -(-count * epochs // batch)
    rows = [int(row) for update in range(updates) for row in batches.rows_of(3, update, batch, count)]
    for epoch in range(epochs):
        assert sorted(rows[epoch * count : (epoch + 1) * count]) == list(range(count))


def test_a_new_residual_block_is_the_identity():
    block = ResidualBlock(8, depth=10)
    x = torch.randn(2, 8, 5, 5)
    assert torch.equal(block(x), x)
    gradients = torch.autograd.grad(block(x).square().sum(), block.last.weight)
    assert gradients[0].abs().max() > 0


@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_is_whole_and_consistent(preset):
    shapes = {"wavegan2019": [(64, 1)], "wgan-gp2017": [(8, 8, 1), (16, 5)], "modern": [(8, 8, 1), (64, 1), (16, 5)]}
    for shape in shapes.get(preset, [(8, 8, 1)]):
        check_preset(preset, shape)


def check_preset(preset, shape):
    config = fresh(shape, {"preset": preset}, inputs=(4, 4, 3) if preset.startswith("srgan") else (8, 8, 3))
    assert contradiction(config) is None
    assert config.preset == preset


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (
            {"loss": "relativistic", "norm": "batch"},
            "--norm batch does not go with --loss relativistic; use --norm none",
        ),
        ({"r1": 1.0, "r2": 0.0, "norm": "batch"}, "--norm batch does not go with --r1 1; use --norm none"),
        ({"r1": 1.0, "r2": 0.5, "norm": "batch"}, "--norm batch does not go with --r1 1 --r2 0.5; use --norm none"),
        ({"arch": "resnet", "norm": "batch"}, "--norm batch does not go with --arch resnet; use --norm none"),
        (
            {"loss": "wgan", "smooth": 0.9},
            "--smooth does not go with --loss wgan; it goes with minimax, nonsaturating, lsgan",
        ),
        ({"augment": "translate,color"}, "--augment color needs color pictures; leave color out"),
        ({"dropout": 0.4}, "--dropout goes with --arch mlp or krohn or unet or hourglass, not dcgan"),
        ({"arch": "mlp", "hidden": 4}, "--hidden goes with --arch dcgan or letters, not mlp"),
        ({"widht": 4}, "there is no setting 'widht'; there are preset, arch, width"),
        ({"shape": (4, 4, 1)}, "there is no setting 'shape'"),
        ({"preset": "best"}, "there is no preset 'best'; there are modern, "),
        ({"lr": "fast"}, "lr is 'fast', not of type float"),
        ({"batch": 0}, "batch is 0, not from 1 to 65536"),
        ({"batch": 1}, "--batch 1 is for data with inputs; give 2 or more"),
        ({"z_dim": 0}, "--z-dim 0 is for data with inputs; give 1 or more"),
        ({"arch": "unet"}, "--arch unet starts from pictures, and the data have no inputs; see gan-data --inputs"),
        ({"l1": 1.0}, "--l1 goes with --arch unet or hourglass or blocks or enlarge, not dcgan"),
        ({"decay": (5, 2)}, "decay is (5, 2), not [FIRST, LAST] with 0 <= FIRST < LAST"),
    ],
)
def test_settings_that_are_wrong_or_do_not_go_together_are_named(given, words):
    with pytest.raises(Error) as raised:
        fresh((8, 8, 1), given)
    assert str(raised.value).startswith(words)


def test_points_need_networks_for_points():
    assert fresh((2,), {"preset": "quickdraw2019"}).arch == "mlp"
    with pytest.raises(Error, match="--arch dcgan is not for points; use --arch mlp"):
        fresh((2,), {"arch": "dcgan"})
    with pytest.raises(Error, match="--augment cutout is not for points; leave cutout out"):
        fresh((2,), {"augment": "cutout"})


def test_a_setting_is_kept_in_one_form():
    config = fresh((8, 8, 1), {"lr": 1, "decay": [2, 5]})
    assert (type(config.lr), config.decay) == (float, (2, 5))
    assert config == fresh((8, 8, 1), {"lr": 1.0, "decay": (2, 5)})
    assert all(setting.help.endswith(".") for setting in SETTINGS.values())


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
