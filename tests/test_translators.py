"""Generators that start from pictures, their discriminators, objective and batches; settings of pairs."""

import json
import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from test_networks import TRANSLATORS
from trainers import CPU, differing

from ganutils import Error, networks
from ganutils.compute import distributed
from ganutils.files import container
from ganutils.networks.condition import Condition
from ganutils.networks.layers import InstanceNorm, ToLogit, joined, same
from ganutils.networks.patch import PatchDiscriminator
from ganutils.runs.contradictions import contradiction
from ganutils.runs.defaults import fresh
from ganutils.training.batches import Batches, TrainingSet, moved, rows_of
from ganutils.training.gan import begin
from ganutils.training.losses import gradient_penalty, zero_centered
from ganutils.training.objectives.gan import Judge, Seen
from ganutils.training.objectives.paired import PairedObjective
from ganutils.training.trainer import Trainer

SIDES = st.integers(1, 40)


def inputs_of(count, h, w, c):
    return torch.rand(count, c, h, w) * 2 - 1


# ------------------------------------------------------------------------------------------- networks


@given(
    h=SIDES,
    w=SIDES,
    c=st.sampled_from([1, 3]),
    given_c=st.sampled_from([1, 3]),
    arch=st.sampled_from(TRANSLATORS),
    scale=st.sampled_from([1, 2, 3, 4, 6]),
    other=st.tuples(SIDES, SIDES),
    settings=st.sampled_from(
        [{}, {"patch": 0}, {"patch": 3, "sees": "picture"}, {"g_norm": "batch", "norm": "instance"}]
    ),
)
@examples(max_examples=60)
def test_any_size_goes_through_both_networks_and_any_other_through_g(h, w, c, given_c, arch, scale, other, settings):
    scale = scale if arch == "enlarge" else 1
    for classes, labels in ((0, None), (3, torch.tensor([0, 2]))):
        given = {"arch": arch, "width": 2, "r1": 0.0, "classes": classes, **settings}
        config = fresh((h * scale, w * scale, c), given, inputs=(h, w, given_c))
        generator, discriminator = networks.build(config)
        inputs = inputs_of(2, h, w, given_c)
        pictures = generator(None, Condition(labels, inputs))
        assert pictures.shape == (2, c, h * scale, w * scale)
        assert pictures.abs().max() <= 1
        logits = discriminator(pictures, Condition(labels, inputs))
        cells = [-(-side * scale // 2**config.patch) for side in (h, w)] if config.patch else []
        assert logits.shape == (2, *cells)
        larger = generator.eval()(None, Condition(labels, inputs_of(2, *other, given_c)))
        assert larger.shape == (2, c, other[0] * scale, other[1] * scale)


@pytest.mark.parametrize(("patch", "field"), [(1, 16), (2, 34), (3, 70), (4, 142)])
def test_a_logit_of_a_patch_sees_as_many_pixels_as_the_help_says(patch, field):
    side = 2 * field
    config = fresh(
        (side, side, 1), {"arch": "unet", "patch": patch, "width": 1, "norm": "none"}, inputs=(side, side, 1)
    )
    discriminator = PatchDiscriminator(config)
    picture = torch.rand(1, 1, side, side, requires_grad=True)
    logits = discriminator(picture, Condition(inputs=torch.rand(1, 1, side, side)))
    (slope,) = torch.autograd.grad(logits[0, logits.shape[1] // 2, logits.shape[2] // 2], picture)
    seen = slope[0, 0].ne(0)
    assert [int(seen.any(axis).sum()) for axis in (0, 1)] == [field, field]


@given(h=st.integers(1, 9), w=st.integers(1, 9), c=st.integers(1, 5))
def test_instance_norm_is_torchs_and_takes_a_single_point(h, w, c):
    norm, x = InstanceNorm(c), torch.randn(2, c, h, w)
    torch.nn.init.normal_(norm.weight)
    torch.nn.init.normal_(norm.bias)
    if h * w == 1:
        torch.testing.assert_close(norm(x), norm.bias.expand(2, c)[:, :, None, None], atol=1e-3, rtol=0)
    else:
        torch.testing.assert_close(
            norm(x), F.instance_norm(x, weight=norm.weight, bias=norm.bias), atol=1e-5, rtol=1e-4
        )
    assert norm(x.contiguous(memory_format=torch.channels_last)).shape == x.shape


@given(h=st.integers(2, 9), w=st.integers(1, 9), c=st.integers(1, 5))
@examples(max_examples=20)
def test_instance_norm_has_torchs_gradients_and_theirs(h, w, c):
    norm, x = InstanceNorm(c).double(), torch.randn(2, c, h, w, dtype=torch.double, requires_grad=True)
    torch.nn.init.normal_(norm.weight)
    found = []
    for forward in (norm, lambda x: F.instance_norm(x, weight=norm.weight, bias=norm.bias)):
        y = forward(x)
        (slope,) = torch.autograd.grad(y.pow(3).sum(), x, create_graph=True)  # as R1 does
        found.append([y, slope, *torch.autograd.grad(slope.square().sum() + y.square().sum(), [x, *norm.parameters()])])
    for ours, theirs in zip(*found, strict=True):
        torch.testing.assert_close(ours, theirs)


@given(h=st.integers(1, 9), w=st.integers(1, 9), c=st.integers(1, 5), side=st.integers(1, 5))
@examples(max_examples=20)
def test_a_convolution_to_one_map_is_torchs_with_its_gradients(h, w, c, side):
    layer, x = ToLogit(c, side).double(), torch.randn(2, c, h, w, dtype=torch.double, requires_grad=True)
    found = []
    for forward in (lambda x: torch.nn.Conv2d.forward(layer, F.pad(x, same(side))), layer):
        y = forward(x)
        (slope,) = torch.autograd.grad(y.square().sum(), x, create_graph=True)  # as R1 does
        found.append([y, slope, *torch.autograd.grad(slope.square().sum(), [x, *layer.parameters()])])
    for ours, theirs in zip(*found, strict=True):
        torch.testing.assert_close(ours, theirs)


def test_joined_maps_are_rectified_and_get_the_gradients_of_their_channels():
    first, second = (torch.randn(2, c, 3, 4, requires_grad=True) for c in (2, 5))
    weights = torch.randn(2, 7, 3, 4)
    ours, torchs = joined(first, second), F.relu(torch.cat([first, second], 1))
    assert torch.equal(ours, torchs)
    for a, b in zip(*(torch.autograd.grad((y * weights).sum(), [first, second]) for y in (ours, torchs)), strict=True):
        assert torch.equal(a, b)


@pytest.mark.parametrize("scale", [1, 2, 4, 6])
def test_a_new_enlargement_is_nearly_bicubic_and_has_no_checkerboard(scale):
    config = fresh((8 * scale, 8 * scale, 3), {"arch": "enlarge", "width": 8}, inputs=(8, 8, 3))
    generator, _ = networks.build(config)
    inputs = 0.8 * inputs_of(3, 8, 8, 3)
    bicubic = F.interpolate(inputs, scale_factor=scale, mode="bicubic") if scale > 1 else inputs
    made = generator(None, Condition(inputs=inputs))
    assert (made - bicubic.clamp(-1, 1)).abs().mean() < 0.15
    for up in generator.ups:
        maps = up(torch.randn(1, 8, 5, 5))
        blocks = maps.unfold(2, up.factor, up.factor).unfold(3, up.factor, up.factor).flatten(4)
        assert torch.equal(blocks, blocks[..., :1].expand_as(blocks))


def test_the_discriminator_of_pairs_sees_the_input_and_that_of_pictures_does_not():
    for arch, patch in (("unet", 1), ("unet", 0), ("enlarge", 2)):
        for sees, is_seen in (("pair", True), ("picture", False)):
            given = {"arch": arch, "patch": patch, "sees": sees, "width": 4, "norm": "none"}
            side = 4 if arch == "enlarge" else 12
            _, discriminator = networks.build(fresh((12, 12, 3), given, inputs=(side, side, 1)))
            pictures = inputs_of(2, 12, 12, 3)
            one, other = (discriminator(pictures, Condition(inputs=inputs_of(2, side, side, 1))) for _ in range(2))
            assert torch.equal(one, other) is not is_seen


# ------------------------------------------------------------------------------------------ objective


@given(h=st.integers(1, 5), w=st.integers(1, 5))
def test_penalties_of_patches_are_those_of_their_mean(h, w):
    """A linear D, whose gradient is known: the penalty is the same however many patches see the same."""
    x, weight = torch.randn(3, 7, requires_grad=True), torch.randn(7)
    one = x @ weight
    many = one[:, None, None].expand(3, h, w)
    torch.testing.assert_close(zero_centered(many, x), zero_centered(one, x))
    torch.testing.assert_close(gradient_penalty(many, x), gradient_penalty(one, x))
    torch.testing.assert_close(zero_centered(one, x).mean(), 0.5 * weight.square().sum())


def objective(**given):
    config = fresh((8, 8, 3), {"arch": "unet", "width": 2, "r1": 0.0, **given}, inputs=(8, 8, 3))
    return PairedObjective(config), Judge(networks.build(config)[1], torch.no_grad)


def seen(**more):
    random = torch.Generator().manual_seed(0)
    real, fake, inputs, wrong = (torch.rand(4, 3, 8, 8, generator=random) * 2 - 1 for _ in range(4))
    return Seen(real, fake, Condition(inputs=inputs), Condition(inputs=wrong))._replace(**more)


def test_the_generator_s_loss_is_the_sum_of_its_weighted_terms():
    shown = seen()
    loss, terms = objective(adversarial=0.5, l1=3.0, matching=2.0)[0].generator(None, objective()[1], shown)
    assert terms.keys() == {"g_loss", "l1", "matching"}
    distance = float((shown.fake - shown.real).abs().mean())
    assert loss == pytest.approx(0.5 * terms["g_loss"] + 3 * distance + 2 * terms["matching"])
    assert terms["l1"] == pytest.approx(distance / 2)  # the log has pixels in 0..1
    same = objective(matching=1.0)[0].generator(None, objective()[1], shown._replace(fake=shown.real)).measured
    assert same["l1"] == same["matching"] == 0


def test_the_distance_alone_asks_no_discriminator():
    def refuses(*_):
        raise AssertionError("it was asked")

    ours, _ = objective(adversarial=0.0, l1=2.0)
    terms = ours.generator(None, Judge(torch.nn.Module(), refuses), seen())
    assert terms.measured.keys() == {"l1"}
    assert terms.loss == 4 * terms.measured["l1"]  # of pixels in -1..1


def test_a_share_of_the_fakes_are_real_pictures_beside_wrong_inputs():
    shown = seen()
    (plain, judge), (half, _), (all_wrong, _) = (objective(mismatch=share) for share in (0.0, 0.5, 1.0))
    losses = [one.discriminator(judge, shown).loss.item() for one in (plain, half, all_wrong)]
    right, wrong = (judge(shown.real, condition) for condition in (shown.condition, shown.wrong))
    assert losses[2] == pytest.approx(float(plain.loss.discriminator(right, wrong, 1.0)))
    assert losses[1] == pytest.approx((losses[0] + losses[2]) / 2)


def trainer_of(pictures, inputs, **given):
    config = fresh(pictures.shape[1:], {"width": 2, "batch": 4, "precision": "fp32", **given}, inputs=inputs.shape[1:])
    return Trainer(begin(config, None), TrainingSet(pictures, None, inputs), CPU)


def test_without_judgement_d_stays_as_it_began_and_g_learns():
    pictures = np.random.default_rng(0).integers(0, 256, (12, 8, 8, 3), np.uint8)
    trained, new = (trainer_of(pictures, pictures, adversarial=0.0, r1=0.0) for _ in range(2))
    for _ in range(3):
        trained.step()
    names = set(differing(trained, new))
    assert any(name.startswith("G.") for name in names)
    assert not any(name.startswith(("D.", "opt.D.")) for name in names)
    assert trained.measures().keys() == {"l1", "diversity"}
    assert trained.gan.updates == {"G": 3, "D": 3}


# -------------------------------------------------------------------------------------------- batches


@given(scale=st.integers(1, 4), h=st.integers(1, 9), w=st.integers(1, 9), data=st.data())
def test_both_pictures_of_a_pair_move_alike(scale, h, w, data):
    """An input moved and then enlarged is the enlarged one moved."""
    shifts = {name: data.draw(st.integers(1 - side, side - 1)) for name, side in (("down", h), ("right", w))}
    moves = {name: torch.tensor([[shift]]) for name, shift in shifts.items()}
    moves["mirrored"] = torch.tensor([[data.draw(st.booleans())]])
    small = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (1, h, w, 3), np.uint8))
    large = small.repeat_interleave(scale, 1).repeat_interleave(scale, 2)
    there, expected = moved(small, moves)[0].numpy(), moved(large, moves, scale)[0].numpy()
    inside = there.repeat(scale, 0).repeat(scale, 1)
    padded = np.pad(small[0].numpy(), ((h, h), (w, w), (0, 0)), mode="reflect") if min(h, w) > 1 else None
    if padded is not None:
        cut = padded[h + shifts["down"] :][:h, w + shifts["right"] :][:, :w]
        assert np.array_equal(there, cut[:, ::-1] if moves["mirrored"] else cut)
    if not (shifts["down"] or shifts["right"]):  # elsewhere a large picture is reflected at a pixel, not at a block
        assert np.array_equal(inside, expected)
    rows = slice(max(0, -shifts["down"]) * scale, (h - max(0, shifts["down"])) * scale)
    columns = [w - 1 - x if moves["mirrored"] else x for x in range(w)]
    known = [x for x, source in enumerate(columns) if 0 <= source + shifts["right"] < w]
    for x in known:
        part = slice(x * scale, (x + 1) * scale)
        assert np.array_equal(inside[rows, part], expected[rows, part])


def batches_of(**given):
    pictures = np.random.default_rng(0).integers(0, 256, (10, 8, 8, 3), np.uint8)
    config = fresh((8, 8, 3), {"arch": "unet", "width": 1, "batch": 4, **given}, inputs=(8, 8, 3))
    return pictures, Batches(TrainingSet(pictures, None, 255 - pictures), config, CPU, distributed.ALONE)


def taken(batches, update):
    return batches.take({name: torch.from_numpy(array) for name, array in batches.draw(update).items()})


def test_a_pair_stays_a_pair_and_moves_by_the_seed_and_the_update():
    _, batches = batches_of(jitter=0.25, mirror=0.5)
    for update in (0, 3):
        batch = taken(batches, update)
        torch.testing.assert_close(batch.condition.inputs, -batch.samples)  # as the inputs are the negatives
        assert torch.equal(batch.samples, taken(batches, update).samples)
    moves = [batches.draw(update) for update in range(50)]
    for name in ("down", "right"):
        assert {int(n) for drawn in moves for n in drawn[name].ravel()} == {-2, -1, 0, 1, 2}
    assert {bool(n) for drawn in moves for n in drawn["mirrored"].ravel()} == {False, True}


def test_wrong_inputs_are_those_of_the_next_batch():
    pictures, batches = batches_of(mismatch=0.5, jitter=0.0, mirror=0.0)
    expected = 255 - pictures[rows_of(0, 6, 4, 10)]
    wrong = taken(batches, 5).wrong.inputs
    assert torch.equal((wrong + 1).mul(127.5).round().byte(), torch.from_numpy(expected).permute(0, 3, 1, 2))
    assert taken(batches_of(mismatch=0.0)[1], 5).wrong is None


# ------------------------------------------------------------------------------------------- settings


@pytest.mark.parametrize(
    ("shape", "inputs", "given", "expected"),
    [
        ((64, 64, 3), (64, 64, 1), {}, {"arch": "unet", "patch": 2, "sees": "pair", "norm": "none", "z_dim": 0}),
        ((64, 64, 3), (16, 16, 3), {}, {"arch": "enlarge", "blocks": 8, "scale": 4}),
        ((256, 256, 3), (256, 256, 3), {}, {"patch": 3}),
        ((13, 7, 1), (13, 7, 3), {}, {"patch": 1}),
        ((64, 64, 3), (64, 64, 3), {"arch": "dcgan"}, {"inputs": None, "z_dim": 64, "l1": 0.0}),
        ((64, 64, 3), (64, 64, 3), {"preset": "dcgan2016"}, {"inputs": None, "arch": "dcgan"}),
        ((64, 64, 3), (64, 64, 3), {"arch": "hourglass"}, {"inputs": (64, 64, 3), "sees": "pair"}),
        ((64, 64, 3), None, {}, {"inputs": None, "arch": "dcgan"}),
    ],
)
def test_the_default_follows_from_the_data(shape, inputs, given, expected):
    config = fresh(shape, given, inputs=inputs)
    assert {name: getattr(config, name) for name in expected} == expected
    assert contradiction(config) is None


@pytest.mark.parametrize(
    ("inputs", "given", "words"),
    [
        ((8, 8, 3), {"z_dim": 4}, "--arch unet starts from pictures and takes no latents; leave --z-dim out"),
        ((8, 8, 3), {"prior": "uniform"}, "--arch unet starts from pictures and takes no latents; leave --prior out"),
        ((4, 4, 3), {"arch": "unet"}, "--arch unet makes pictures as large as their inputs, not 8x8 of 4x4"),
        ((5, 8, 3), {}, "--arch enlarge makes pictures 1 to 16 times as large as their inputs, not 8x8 of 8x5; see"),
        ((8, 8, 4), {"arch": "enlarge"}, "--arch enlarge does not take inputs of 4 channels; use --arch unet"),
        ((8, 8, 3), {"augment": "cutout"}, "--augment changes pictures without their inputs; use --jitter and"),
        ((8, 8, 3), {"adversarial": 0.0, "l1": 0.0}, "--adversarial 0 and --l1 0 leave G nothing to learn"),
        ((8, 8, 3), {"norm": "batch", "r1": 1.0}, "--norm batch does not go with --r1 1; use --norm none"),
        ((8, 8, 3), {"batch": 1}, "--batch 1 does not go with batch norm; use --norm none"),
        ((8, 8, 3), {"hidden": 4}, "--hidden goes with --arch dcgan or letters, not unet"),
        (
            (8, 8, 3),
            {"arch": "dcgan", "mirror": 0.5},
            "--mirror goes with --arch unet or hourglass or blocks or enlarge, not",
        ),
    ],
)
def test_settings_that_do_not_go_together_are_named(inputs, given, words):
    with pytest.raises(Error) as raised:
        fresh((8, 8, 3), given, inputs=inputs)
    assert str(raised.value).startswith(words)


# ------------------------------------------------------------------------------------------- commands


def test_the_log_has_the_terms_of_the_loss(ok, pairs, tmp_path):
    words = ["--width", 2, "--batch", 1, "--g-norm", "none", "--matching", 1, "--steps", 2]
    ok("gan-loop", pairs(), *words, "-o", "p.ckpt", "--log", "log.jsonl")
    (line,) = map(json.loads, (tmp_path / "log.jsonl").read_text().splitlines())
    assert {"d_loss", "g_loss", "l1", "matching"} <= line.keys()
    assert "diversity" not in line  # of a batch of one picture
    assert all(math.isfinite(value) for value in line.values())


def test_a_checkpoint_of_pairs_goes_on_with_inputs_of_its_shape_alone(ok, fails, pairs, tmp_path):
    ok("gan-loop", pairs(), "--width", 2, "--steps", 1, "-o", "p.ckpt")
    gray = pairs(channels=1, name="gray.safetensors")
    assert fails("gan-train-d", gray, "--from", "p.ckpt", "-o", "x.ckpt") == (
        "gan-train-d: gray.safetensors: its inputs are 10x12x1, and p.ckpt was made for inputs of 10x12x3; "
        "make such data with gan-data"
    )
    container.write(str(tmp_path / "bare.safetensors"), "samples", {"images": np.zeros((9, 12, 10, 3), np.uint8)}, {})
    assert "it has no inputs" in fails("gan-loop", "bare.safetensors", "--from", "p.ckpt", "--steps", 2, "-o", "x.ckpt")
    other = "gan-loop: p.ckpt: is another run: the data are not the same (other inputs)"
    with container.read(str(tmp_path / "pairs.safetensors"), "samples") as file:
        arrays = {name: file[name].copy() for name in file.specs}
    arrays["inputs"][0] ^= 1
    container.write(str(tmp_path / "changed.safetensors"), "samples", arrays, {})
    assert fails("gan-loop", "changed.safetensors", "--width", 2, "--steps", 2, "-o", "p.ckpt").startswith(other)
