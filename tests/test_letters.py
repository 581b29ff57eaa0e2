"""Networks for texts: any length, the paper's shapes, both endings; and the commands that use them."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from ganutils import Error, networks
from ganutils.networks.condition import Condition
from ganutils.networks.letters import Choices, likeliest
from ganutils.runs.defaults import fresh

SMALL = ["--width", 2, "--hidden", 3, "--choices", 2, "--z-dim", 4, "--batch", 4, "-q"]


@given(
    length=st.integers(1, 70),
    letters=st.integers(3, 40),
    hidden=st.sampled_from([0, 3]),
    choices=st.integers(0, 2),
    blocks=st.integers(0, 2),
    classes=st.sampled_from([0, 3]),
)
@examples(max_examples=30)
def test_any_text_goes_through_both_networks(length, letters, hidden, choices, blocks, classes):
    model = {"hidden": hidden, "choices": choices, "blocks": blocks, "classes": classes}
    config = fresh((length, letters), {"width": 2, "z_dim": 3, **model})
    generator, discriminator = networks.build(config)
    condition = Condition(torch.arange(3) if classes else None)
    for is_in_training in (True, False):
        texts = generator.train(is_in_training)(torch.randn(3, 3), condition)
        assert texts.shape == (3, letters, length)
        assert torch.allclose(texts.sum(1), torch.ones(3, length), atol=1e-5)
        assert texts.min() >= 0
        assert discriminator(texts, condition).shape == (3,)


def test_the_networks_of_the_paper():
    """gan_language.py: 128 numbers, 32 places of 512 channels, five blocks of two convolutions, softmax."""
    generator, discriminator = networks.construct(fresh((32, 27), {"preset": "wgan-gp2017"}))
    shapes = {name: tuple(tensor.shape) for name, tensor in generator.state_dict().items()}
    assert shapes["stem.weight"] == (32 * 512, 128)
    assert sum(shape == (512, 512, 1, 5) for shape in shapes.values()) == 10
    assert shapes["out.weight"] == (27, 512, 1, 1)
    assert not any("norm" in name or "layers" in name for name in shapes)
    assert discriminator.head.weight.shape == (1, 32 * 512)
    assert len(discriminator.blocks) == 5


def test_straight_letters_are_ones_and_have_the_gradient_of_the_softmax():
    logits = torch.randn(2, 5, 7, dtype=torch.double, requires_grad=True)
    weights = torch.randn(2, 5, 7, dtype=torch.double)
    soft = logits.softmax(1)
    hard = likeliest(soft)
    assert torch.equal(hard.argmax(1), soft.argmax(1))
    assert torch.equal(hard.sort(1)[0], torch.tensor([0.0, 0, 0, 0, 1], dtype=torch.double)[:, None].expand(2, 5, 7))
    slopes = (torch.autograd.grad((one * weights).sum(), logits, retain_graph=True)[0] for one in (soft, hard))
    torch.testing.assert_close(*slopes)


def test_choices_are_made_whole():
    """Between two latents nothing lies but the choices of one or the other, of which each is one of 16."""
    choices = Choices(3, 32, "batch").eval()
    ends = torch.randn(2, 1, 3)
    walk = choices(torch.lerp(*ends, torch.linspace(0, 1, 500)[:, None])).view(500, 2, 16)
    assert torch.equal((walk == 4).sum(2), torch.ones(500, 2, dtype=torch.long))
    assert torch.equal((walk == 0).sum(2), torch.full((500, 2), 15))
    assert (walk[1:] != walk[:-1]).any(2).sum() <= 2 * 15
    x = torch.randn(9, 3, requires_grad=True)
    (slopes,) = torch.autograd.grad((choices.train()(x) * torch.randn(32)).sum(), x)
    assert slopes.abs().max() > 0


@pytest.mark.parametrize("ending", ["softmax", "straight"])
def test_what_a_discriminator_sees_and_what_is_exported(ending):
    generator = networks.build(fresh((9, 4), {"width": 2, "z_dim": 3, "ending": ending}))[0]
    seen, exported = (generator.train(is_in_training)(torch.randn(5, 3)) for is_in_training in (True, False))
    assert (set(seen.unique().tolist()) == {0, 1}) == (ending == "straight")
    assert ((exported > 0) & (exported < 1)).all()


def test_texts_have_settings_of_their_own():
    modern, paper = fresh((32, 21), {}), fresh((32, 21), {"preset": "wgan-gp2017"})
    assert (modern.preset, modern.arch, modern.ending) == ("modern", "letters", "straight")
    assert (paper.loss, paper.gp, paper.lr, paper.d_updates) == ("wgan", 10, 1e-4, 10)
    assert (paper.arch, paper.ending, paper.hidden, paper.norm_of_g) == ("letters", "softmax", 0, "none")
    assert (modern.choices, paper.choices) == (16, 0)
    assert fresh((32, 21), {"preset": "dcgan2016"}).arch == "letters"


@pytest.mark.parametrize(
    ("shape", "given", "words"),
    [
        ((32, 21), {"arch": "dcgan"}, "--arch dcgan is not for texts; use --arch letters"),
        ((32, 21), {"arch": "wave"}, "--arch wave is not for texts; use --arch letters"),
        ((32, 21), {"augment": "mirror"}, "--augment mirror is not for texts; leave mirror out"),
        ((32, 21), {"augment": "translate"}, "--augment translate is not for texts; leave translate out"),
        ((32, 21), {"domains": 2}, "--domains is for pictures, not texts; leave it out"),
        ((32, 21), {"norm": "batch"}, "--norm batch does not go with --"),
        ((32, 21), {"ending": "hard"}, "ending is 'hard', not one of softmax, straight"),
        ((32, 21), {"phase_shuffle": 2}, "--phase-shuffle goes with --arch wave, not letters"),
        ((8, 8, 1), {"arch": "letters"}, "--arch letters is not for pictures; use --arch dcgan"),
        ((64, 1), {"arch": "letters"}, "--arch letters is not for sounds; use --arch wave"),
        ((8, 8, 1), {"choices": 2}, "--choices goes with --arch letters, not dcgan"),
        ((8, 8, 1), {"ending": "straight"}, "--ending goes with --arch letters, not dcgan"),
    ],
)
def test_settings_that_do_not_go_with_the_samples_are_named(shape, given, words):
    with pytest.raises(Error) as raised:
        fresh(shape, given)
    assert str(raised.value).startswith(words)


def test_a_generator_learns_to_spell(ok, tmp_path):
    """Three different texts of two letters, of the 16 there could be: nearly all that it writes are of them."""
    (tmp_path / "words.txt").write_text("ab\nba\ncc\n" * 20)
    ok("gan-data", "words.txt", "-o", "words.safetensors")
    model = ["--width", 8, "--hidden", 16, "--z-dim", 4, "--batch", 16, "-q"]
    ok("gan-loop", "words.safetensors", *model, "--steps", 300, "-o", "g.ckpt")
    ok("gan-sample", "g.ckpt", "-n", 200, "-o", "made.txt", "-q")
    made = (tmp_path / "made.txt").read_text().splitlines()
    assert sum(text in ("ab", "ba", "cc") for text in made) > 120
    assert len(set(made) & {"ab", "ba", "cc"}) >= 2


def test_texts_are_trained_sampled_walked_and_added(ok, texts, content, tmp_path):
    ok("gan-loop", texts, *SMALL, "--conditional", "--steps", 2, "-o", "a.ckpt", "--log", "a.jsonl")
    alphabet = content(texts)[0]["alphabet"]
    assert content("a.ckpt")[0]["alphabet"] == alphabet
    ok("gan-train-d", texts, "--from", "a.ckpt", "--updates", 2, "-o", "d.ckpt", "-q")
    ok("gan-train-g", texts, "--from", "d.ckpt", "-o", "g.ckpt", "-q")
    ok("gan-sample", "g.ckpt", "--label", "one", "-n", 3, "-o", "three.safetensors", "-q")
    meta, made = content("three.safetensors")
    assert (meta["alphabet"], made["letters"].shape, made["letters"].dtype) == (alphabet, (3, 6), np.uint8)
    assert made["labels"].tolist() == [0] * 3
    ok("gan-sample", "g.ckpt", "--label", "one", "-n", 3, "-o", "three.txt", "-q")
    spelled = ["".join(alphabet[number] for number in row).rstrip() for row in made["letters"]]
    assert (tmp_path / "three.txt").read_text().splitlines() == spelled
    ok("gan-interp", "three.safetensors", "--frames", 4, "-o", "walk.safetensors", "-q")
    ok("gan-sample", "g.ckpt", "--latents", "walk.safetensors", "--label", "two", "-o", "film.safetensors", "-q")
    assert content("film.safetensors")[1]["letters"].shape[-1] == 6
    ok("gan-arith", "three.safetensors", "0 - 1 + 2", "-o", "sum.safetensors", "-q")
    ok("gan-sample", "g.ckpt", "--latents", "sum.safetensors", "--label", "two", "-o", "sum.txt", "-q")


def test_graphs_of_texts_give_the_shares_of_letters(ok, texts, content, tmp_path):
    onnxruntime = pytest.importorskip("onnxruntime")
    ok("gan-loop", texts, *SMALL, "--conditional", "--steps", 2, "-o", "g.ckpt")
    ok("gan-sample", "g.ckpt", "-n", 5, "-o", "five.safetensors", "-q")
    assert ok("gan-export", "g.ckpt", "-o", "g.onnx").lines == ["latents, labels -> letters"]
    five = content("five.safetensors")[1]
    session = onnxruntime.InferenceSession(str(tmp_path / "g.onnx"))
    (shares,) = session.run(None, {"latents": five["latents"], "labels": five["labels"]})
    assert shares.shape == (5, len(content(texts)[0]["alphabet"]), 6)
    assert shares.sum(1) == pytest.approx(np.ones((5, 6)), abs=1e-4)
    assert np.array_equal(shares.argmax(1), five["letters"])
    assert ok("gan-export", "g.ckpt", "-o", "d.onnx", "--discriminator").lines == ["letters, labels -> logits"]
