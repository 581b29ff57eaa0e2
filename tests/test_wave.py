"""Networks for sounds: any length, the paper's shapes, phase shuffle; and the commands that use them."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from torch.autograd import gradcheck, gradgradcheck

from ganutils import Error, networks
from ganutils.compute.distributed import ALONE, Team
from ganutils.networks.condition import Condition
from ganutils.networks.wave import (
    Downsample,
    Upsample,
    deemphasized,
    emphasized,
    map_channels,
    map_lengths,
    shuffled,
    shuffles,
)
from ganutils.runs.defaults import fresh
from ganutils.training.draws import Draws

CPU = torch.device("cpu")
SMALL = ["--width", 2, "--z-dim", 4, "--batch", 4, "-q"]


@pytest.mark.parametrize("length", [1, 7, 4096, 16384])
def test_sounds_of_a_length_are_made_of_such_sounds(ok, saved, heard, length):
    name = saved("x", np.random.default_rng(0).uniform(-1, 1, (4, length, 1)).astype("f4"))
    ok("gan-loop", name, *SMALL, "--steps", 1, "-o", "x.ckpt")
    ok("gan-sample", "x.ckpt", "-n", 3, "-o", "x.wav")
    rate, numbers = heard("x.wav")
    assert (rate, numbers.shape) == (8000, (3 * length, 1))
    assert len(np.unique(numbers.reshape(3, length), axis=0)) == 3, "each latent makes another sound"


@given(length=st.integers(1, 300), channels=st.sampled_from([1, 2]), classes=st.sampled_from([0, 3]))
@examples(max_examples=30)
def test_any_length_goes_through_both_networks(length, channels, classes):
    config = fresh((length, channels), {"width": 1, "z_dim": 3, "classes": classes})
    generator, discriminator = networks.build(config)
    condition = Condition(torch.arange(3) if classes else None)
    sounds = generator(torch.randn(3, 3), condition)
    assert sounds.shape == (3, channels, length)
    assert sounds.abs().max() <= 1
    heard = (torch.rand(sounds.shape) * 2 - 1).requires_grad_()
    logits = discriminator(heard, condition)
    assert logits.shape == (3,)
    assert (torch.autograd.grad(logits.sum(), heard)[0] != 0).all(), "D hears every number of a sound"


def test_the_networks_at_16384_are_the_papers():
    """Donahue et al. 2019, appendix D: a map of 16 points and 1024 channels, then 512, 256, 128, 64 and the sound."""
    config = fresh((16384, 1), {"preset": "wavegan2019"})
    assert map_lengths(16384) == [16384, 4096, 1024, 256, 64, 16]
    assert map_channels(config) == [1, 64, 128, 256, 512, 1024]
    assert shuffles(config) == 4
    generator, discriminator = networks.construct(config)
    assert generator.stem.weight.shape == (16 * 1024, 100)
    assert [tuple(up.weight.shape) for up in generator.ups][::4] == [(1024, 512, 25), (64, 1, 25)]
    assert discriminator.head.weight.shape == (1, 16 * 1024)


def a_map(*shape):
    x = torch.from_numpy(np.random.default_rng(0).normal(size=shape)).contiguous(memory_format=torch.channels_last)
    return x.requires_grad_()


@pytest.mark.parametrize("length", [1, 6, 64])
def test_four_points_in_one_make_the_convolution_of_stride_four(length):
    down, x = Downsample(3, 5).double(), a_map(2, 3, 1, length)
    padded = F.pad(x[:, :, 0], (11, 10 + -length % 4))
    plain = F.conv1d(padded, down.weight, down.bias, stride=4)
    check_same(down(x)[:, :, 0], plain, [x, *down.parameters()])


@pytest.mark.parametrize("length", [1, 6, 16])
def test_one_point_makes_four_of_the_transposed_convolution(length):
    up, x = Upsample(3, 5).double(), a_map(2, 3, 1, length)
    plain = F.conv_transpose1d(x[:, :, 0], up.weight, up.bias, stride=4, padding=11, output_padding=1)
    check_same(up(x)[:, :, 0], plain, [x, *up.parameters()])


def check_same(ours, plain, inputs):
    torch.testing.assert_close(ours, plain)
    gradient = torch.randn_like(plain)
    for one, other in zip(*(torch.autograd.grad(y, inputs, gradient) for y in (ours, plain)), strict=True):
        torch.testing.assert_close(one, other)


def test_maps_are_moved_each_by_itself_and_reflected_at_the_ends():
    x, shift = a_map(3, 2, 1, 20), torch.tensor([-2, 0, 3])
    reflected = F.pad(x[:, :, 0], (3, 3), mode="reflect")
    moved = torch.stack([one[:, 3 + by : 23 + by] for one, by in zip(reflected, shift.tolist(), strict=True)])
    check_same(shuffled(x, shift)[:, :, 0], moved, [x])
    assert gradcheck(lambda x: shuffled(x, shift), x)
    assert gradgradcheck(lambda x: shuffled(x, shift), x)


@given(length=st.integers(1, 100), share=st.floats(0, 0.99))
@examples(max_examples=30)
def test_what_is_emphasized_can_be_undone(length, share):
    x = torch.from_numpy(np.random.default_rng(length).normal(size=(2, 2, length)))
    torch.testing.assert_close(deemphasized(emphasized(x, share), share), x, atol=1e-4, rtol=1e-4)
    if share and length > 1:
        torch.testing.assert_close(
            emphasized(x, share)[..., 1:], (x[..., 1:] - share * x[..., :-1]) / (1 - share) ** 0.5
        )


def test_a_discriminator_moves_its_maps_only_where_it_is_told_to():
    config = fresh((256, 1), {"width": 2, "phase_shuffle": 2})
    discriminator = networks.build(config)[1]
    x, none = torch.randn(2, 1, 256), torch.zeros(2, shuffles(config), dtype=torch.long)
    logits = discriminator(x)
    assert torch.equal(discriminator(x, Condition(shifts=none)), logits)
    moved = discriminator(x, Condition(shifts=none + torch.tensor([[0], [2]])))
    assert moved[0] == logits[0]
    assert moved[1] != logits[1]


def test_shifts_are_drawn_for_each_sound_of_each_kind():
    config = fresh((256, 1), {"batch": 512, "phase_shuffle": 2, "gp": 1.0, "loss": "wgan", "r1": 0.0})
    draws = Draws(config, None, ALONE, CPU)
    first, second = (draws.g({"D": count, "G": 0}).arrays["G shifts"] for count in (1, 2))
    assert first.shape == (512, 3, shuffles(config))
    assert first.dtype == np.int64
    assert np.array_equal(np.unique(first), [-2, -1, 0, 1, 2])
    assert abs(np.corrcoef(first[:, 0, 0], first[:, 1, 0])[0, 1]) < 0.3
    assert not np.array_equal(first, second)
    half = Team()
    half.rank, half.count = 1, 2
    assert np.array_equal(Draws(config, None, half, CPU).g({"D": 1, "G": 0}).arrays["G shifts"], first[256:])
    assert "G shifts" not in Draws(fresh((256, 1), {"phase_shuffle": 0}), None, ALONE, CPU).g({"D": 1, "G": 0}).arrays


def test_sounds_have_settings_of_their_own():
    modern = fresh((64, 1), {})
    assert (modern.preset, modern.arch, modern.norm) == ("modern", "wave", "none")
    assert fresh((64, 1), {"preset": "dcgan2016"}).arch == "wave"
    assert fresh((8, 8, 1), {}).phase_shuffle == fresh((2,), {}).phase_shuffle == 0


@pytest.mark.parametrize(
    ("shape", "given", "words"),
    [
        ((64, 1), {"arch": "dcgan"}, "--arch dcgan is not for sounds; use --arch wave"),
        ((64, 1), {"augment": "mirror"}, "--augment mirror is not for sounds; leave mirror out"),
        ((64, 1), {"domains": 2}, "--domains is for pictures, not sounds; leave it out"),
        ((64, 1), {"norm": "batch"}, "--norm batch does not go with --"),
        ((64, 1), {"phase_shuffle": 17}, "phase_shuffle is 17, not from 0 to 16"),
        ((8, 8, 1), {"arch": "wave"}, "--arch wave is not for pictures; use --arch dcgan"),
        ((8, 8, 1), {"preset": "wavegan2019"}, "--arch wave is not for pictures; use --arch dcgan"),
        ((8, 8, 1), {"emphasis": 0.9}, "--emphasis goes with --arch wave, not dcgan"),
        ((8, 8, 1), {"phase_shuffle": 2}, "--phase-shuffle goes with --arch wave, not dcgan"),
    ],
)
def test_settings_that_do_not_go_with_the_samples_are_named(shape, given, words):
    with pytest.raises(Error) as raised:
        fresh(shape, given)
    assert str(raised.value).startswith(words)


def test_sounds_are_trained_sampled_walked_and_added(ok, sounds, content):
    ok("gan-loop", sounds, *SMALL, "--conditional", "--steps", 2, "-o", "a.ckpt", "--log", "a.jsonl")
    assert content("a.ckpt")[0]["sample_rate"] == 8000
    ok("gan-train-d", sounds, "--from", "a.ckpt", "--updates", 2, "-o", "d.ckpt", "-q")
    ok("gan-train-g", sounds, "--from", "d.ckpt", "-o", "g.ckpt", "-q")
    meta, made = made_of(ok, content, ["gan-sample", "g.ckpt", "--label", "low", "-n", 3])
    assert (meta["sample_rate"], made["signals"].shape, made["signals"].dtype) == (8000, (3, 90, 1), np.float32)
    assert made["labels"].tolist() == [0] * 3
    ok("gan-sample", "g.ckpt", "-n", 3, "-o", "three.safetensors", "-q")
    ok("gan-interp", "three.safetensors", "--frames", 4, "-o", "walk.safetensors", "-q")
    walk = made_of(ok, content, ["gan-sample", "g.ckpt", "--latents", "walk.safetensors", "--label", "high"])[1][
        "signals"
    ]
    assert walk.shape[-2:] == (90, 1)
    ok("gan-arith", "three.safetensors", "0 - 1 + 2", "-o", "sum.safetensors", "-q")
    assert made_of(ok, content, ["gan-sample", "g.ckpt", "--latents", "sum.safetensors", "--label", "high"])[1][
        "signals"
    ].shape[-2:] == (90, 1)


def test_a_run_goes_on_with_sounds_of_its_rate_alone(ok, fails, sounds, saved):
    ok("gan-loop", sounds, *SMALL, "--steps", 1, "-o", "a.ckpt", "-q")
    faster = saved("faster", np.zeros((12, 90, 1), np.float32), sample_rate=16000)
    assert fails("gan-train-d", faster, "--from", "a.ckpt", "-o", "b.ckpt") == (
        "gan-train-d: faster.safetensors: its sounds have 16,000 Hz, those of a.ckpt 8,000; make both alike with "
        "gan-data --rate"
    )


def made_of(ok, content, line):
    ok(*line, "-o", "made.safetensors", "-q")
    return content("made.safetensors")
