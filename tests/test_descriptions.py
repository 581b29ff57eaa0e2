"""Networks conditioned on attributes or on words: what they see of these, what they minimize, what is drawn."""

import numpy as np
import pytest
import torch
from trainers import CAPTIONS, CPU

from ganutils import networks
from ganutils.compute.distributed import ALONE, Team
from ganutils.networks.condition import Condition
from ganutils.networks.conditioning import Conditioning, OfLatents
from ganutils.networks.encoders import TEXT, CaptionEncoder
from ganutils.runs.config import Config
from ganutils.runs.defaults import fresh
from ganutils.training.batches import Batches, TrainingSet, rows_of
from ganutils.training.objectives.gan import GANObjective, Judge, Seen, Translator

SHAPE = (8, 8, 3)


def config_of(**given) -> Config:
    return fresh(SHAPE, {"width": 2, "z_dim": 6, "batch": 4, "contrast": 0.0, "mismatch": 0.0, **given})


def tokens_of(*rows):
    return torch.tensor([[*row, *[0] * (6 - len(row))] for row in rows])


# ------------------------------------------------------------------------------------------ the encoder


@pytest.fixture
def encoder():
    torch.manual_seed(0)
    return CaptionEncoder(9)


def test_a_sentence_has_the_same_bits_however_many_zeros_stand_behind_it(encoder):
    tokens = tokens_of([1, 2, 3], [4], [5, 5, 5])
    assert torch.equal(encoder(tokens), encoder(tokens[:, :3]))
    assert torch.equal(encoder(tokens), encoder(torch.cat([tokens, torch.zeros(3, 42, dtype=torch.int64)], 1)))


def test_words_and_their_order_are_heard_and_no_words_are_zero(encoder):
    heard = encoder(tokens_of([1, 2, 3], [3, 2, 1], [1, 2], [1, 2, 2], []))
    assert heard.shape == (5, TEXT) and not heard[4].any()
    for one in range(4):
        for other in range(one):
            assert (heard[one] - heard[other]).abs().max() > 0.01
    assert heard[:4].mean(1).abs().max() < 1e-5
    assert heard[:4].detach().var(1, correction=0) == pytest.approx(1, abs=1e-2)


@pytest.mark.parametrize("arch", [{}, {"arch": "resnet"}, {"arch": "krohn"}, {"arch": "mlp"}, {"kl": 1.0}])
def test_networks_take_the_vectors_in_place_of_the_words(arch):
    config = config_of(words=9, **arch)
    generator, discriminator = (network.eval() for network in networks.build(config))
    z = torch.randn(3, 6, generator=torch.Generator().manual_seed(0))  # of some others both units of an mlp are off
    given = Condition(tokens=tokens_of([1, 2], [3], [4, 5]))
    made, encoded = generator(z, given), generator.classes.encoded(given)
    assert encoded.tokens is None and encoded.text.shape == (3, TEXT)
    assert torch.equal(made, generator(z, encoded))
    assert torch.equal(discriminator(made, given), discriminator(made, discriminator.classes.encoded(given)))
    others = Condition(tokens=tokens_of([6], [7], [8]))
    assert not torch.allclose(made, generator(z, others))
    assert not torch.allclose(discriminator(made, given), discriminator(made, others))


def test_classes_have_the_names_that_checkpoints_know():
    assert [*Conditioning(config_of(classes=3), 5).state_dict()] == ["embedding.weight"]
    assert not Conditioning(config_of(), 5).state_dict()
    for kind in ("attributes", "words"):
        names = {name.split(".")[0] for name in Conditioning(config_of(**{kind: 3}), 5).state_dict()}
        assert names == {"encoder", "map"}


# --------------------------------------------------------------------------------------- the objective


def test_with_kl_half_of_a_latent_is_the_draw_around_the_words():
    conditioning = OfLatents(config_of(words=9, kl=1.0))
    given, z = Condition(tokens=tokens_of([1, 2], [3])), torch.randn(2, 6)
    mu, log_variance = conditioning.map(conditioning.encoded(given).text).chunk(2, 1)
    joined = conditioning.joined(z, given)
    torch.testing.assert_close(joined[:, :3], mu + log_variance.exp().sqrt() * z[:, :3])
    assert torch.equal(joined[:, 3:], z[:, 3:])
    normal = torch.distributions.Normal(mu, (log_variance / 2).exp())
    noise = torch.distributions.Normal(torch.zeros_like(mu), torch.ones_like(mu))
    torch.testing.assert_close(conditioning.divergence(given), torch.distributions.kl_divergence(normal, noise).mean())


def players(words=9, **given):
    config = config_of(words=words, norm="none", **given)
    generator, discriminator = networks.build(config)
    return config, Translator(generator, torch.no_grad), Judge(discriminator, torch.no_grad)


def seen(words=9):
    random = torch.Generator().manual_seed(0)
    real, fake = (torch.rand(4, 3, 8, 8, generator=random) * 2 - 1 for _ in range(2))
    if words:
        right, wrong = (Condition(tokens=torch.randint(1, 10, (4, 6), generator=random)) for _ in range(2))
    else:
        right, wrong = Condition(torch.tensor([0, 1, 2, 2])), Condition(torch.tensor([1, 2, 0, 1]))
    return Seen(real, fake, right, wrong)


@pytest.mark.parametrize(
    "conditions", [{}, {"words": 0, "classes": 3, "smooth": 0.9, "r1": 0.0, "r2": 0.0}], ids=["words", "classes"]
)
def test_a_share_of_the_fakes_are_real_samples_beside_wrong_words_or_classes(conditions):
    config, _, D = players(mismatch=0.25, **conditions)
    shown = seen(config.words)
    terms = GANObjective(config).discriminator(D, shown)
    real, fake, wrong = D(shown.real, shown.condition), D(shown.fake, shown.condition), D(shown.real, shown.wrong)
    loss = GANObjective(config).loss.discriminator
    expected = 0.75 * loss(real, fake, 0.9) + 0.25 * loss(real, wrong, 0.9)
    assert terms.loss.item() == pytest.approx(expected.item(), rel=1e-5)
    assert float(terms.measured["mismatch"]) == float((wrong < 0).float().mean())
    assert terms.measured.keys() == {"d_loss", "d_real", "d_fake", "mismatch"}


def info_nce(samples, texts):
    """Of two lists of vectors, both ways, in NumPy."""
    samples, texts = (one / np.linalg.norm(one, axis=1, keepdims=True) for one in (samples, texts))
    cosines = samples @ texts.T / 0.1
    ways = [np.log(np.exp(c).sum(1)) - np.diag(c) for c in (cosines, cosines.T)]
    return np.concatenate(ways).mean()


def test_contrast_compares_the_samples_with_the_words_of_the_batch():
    config, G, D = players(contrast=2.0, kl=3.0)
    objective, shown = GANObjective(config), seen()
    texts = D.encoded(shown.condition).text.detach().numpy()
    real, fake = (D.matched(D.last(x, shown.condition)).detach().numpy() for x in (shown.real, shown.fake))
    of_d, of_g = objective.discriminator(D, shown), objective.generator(G, D, shown)
    assert float(of_d.measured["contrast_real"]) == pytest.approx(info_nce(real, texts), rel=1e-4)
    assert float(of_g.measured["contrast"]) == pytest.approx(info_nce(fake, texts), rel=1e-4)
    named = {"g_loss": 1, "contrast": 2, "kl": 3}
    assert of_g.measured.keys() == named.keys() == set(objective.measured_of_g)
    assert float(of_g.loss) == pytest.approx(sum(weight * float(of_g.measured[name]) for name, weight in named.items()))
    assert set(of_d.measured) == set(objective.measured_of_d)


def test_modes_are_sought_where_opposite_latents_make_the_same():
    config, G, D = players(mode_seeking=0.5)
    objective, shown = GANObjective(config), seen()
    z = torch.tensor([[1.0, -1.0], [0.5, 0.0], [2.0, 2.0], [0.1, 0.3]])
    opposite = shown.fake + torch.tensor([0.0, 0.01, 0.1, 1.0]).view(4, 1, 1, 1)
    terms = objective.generator(G, D, shown._replace(apart=(z, shown.fake, opposite)))
    expected = np.mean([2 / 0.001, 0.5 / 0.011, 4 / 0.101, 0.4 / 1.001])
    assert float(terms.measured["mode_seeking"]) == pytest.approx(expected, rel=1e-3)
    assert float(terms.loss) == pytest.approx(float(terms.measured["g_loss"]) + 0.5 * expected, rel=1e-3)


def test_the_parts_of_a_batch_have_the_gradient_of_the_whole():
    """The mean over two processes, each of which knows of the other's part only its numbers."""
    _, _, D = players(contrast=1.0)
    config = config_of(words=9, norm="none", contrast=1.0)
    shown = seen()
    D.precision = torch.enable_grad
    last, condition = D.last(shown.real, shown.condition).detach(), shown.condition
    weights = [*D.network.classes.match.parameters(), *D.network.classes.encoder.parameters()]

    def gradients(objective, rows):
        own = D.encoded(Condition(tokens=condition.tokens[rows]))
        loss = objective._contrast(D, last[rows], own)
        return [float(loss.detach()), *torch.autograd.grad(loss, weights)]

    whole = gradients(GANObjective(config), slice(None))
    texts, matched = D.encoded(condition).text.detach(), D.matched(last).detach()

    class Part(Team):
        """One of two, for which `whole` knows what is asked first and second."""

        def whole(self, part, axis=0):
            self.asked = [*getattr(self, "asked", []), part]
            return torch.nn.functional.normalize((matched, texts)[len(self.asked) - 1])

    parts = [gradients(GANObjective(config, Part(rank, 2)), slice(2 * rank, 2 * rank + 2)) for rank in (0, 1)]
    assert parts[0][0] == pytest.approx(whole[0]) == pytest.approx(parts[1][0])
    for one, other, both in zip(parts[0][1:], parts[1][1:], whole[1:], strict=True):
        torch.testing.assert_close((one + other) / 2, both, atol=1e-6, rtol=1e-4)


# ------------------------------------------------------------------------------------------- batches


def batches_of(**given):
    config = config_of(words=5, **given)
    pictures = np.random.default_rng(0).integers(0, 256, (12, *SHAPE), np.uint8)
    return Batches(TrainingSet(pictures, captions=CAPTIONS), config, CPU, ALONE)


def test_of_a_sample_s_captions_each_is_shown_by_the_seed_and_the_update():
    batches, shown = batches_of(), {}
    for update in range(60):
        drawn = batches.draw(update)
        assert np.array_equal(drawn["tokens"], batches_of().draw(update)["tokens"])
        for row, tokens in zip(rows_of(0, update, 4, 12), drawn["tokens"].tolist(), strict=True):
            shown.setdefault(int(row), set()).add(tuple(tokens))
    for row in range(12):
        assert shown[row] == {(*CAPTIONS.tokens[(row + n) % 4],) for n in range(1 + row % 2)}
    assert any(
        not np.array_equal(batches.draw(update)["tokens"], batches_of(seed=1).draw(update)["tokens"])
        for update in range(3)
    )


def test_wrong_words_are_those_of_the_next_batch():
    batches = batches_of(mismatch=0.5)
    batch = taken(batches, 5)
    assert np.array_equal(batch.wrong.tokens, batches.draw(6)["tokens"])
    assert np.array_equal(batch.condition.tokens, batches.draw(5)["tokens"])
    assert "wrong tokens" not in batches_of().draw(5)


def taken(batches, update):
    return batches.take({name: torch.from_numpy(array) for name, array in batches.draw(update).items()})


def test_wrong_classes_are_any_others():
    config, pictures, labels = config_of(classes=3, mismatch=0.5), np.zeros((12, *SHAPE), np.uint8), np.arange(12) % 3
    batches, shown = Batches(TrainingSet(pictures, labels), config, CPU, ALONE), set()
    for update in range(30):
        batch = taken(batches, update)
        assert np.array_equal(batch.condition.labels, labels[rows_of(0, update, 4, 12)])
        assert torch.equal(taken(batches, update).wrong.labels, batch.wrong.labels)
        shown |= set(zip(batch.condition.labels.tolist(), batch.wrong.labels.tolist(), strict=True))
    assert shown == {(right, wrong) for right in range(3) for wrong in range(3) if right != wrong}


@pytest.mark.parametrize(
    ("shape", "given", "settings"),
    [
        ((32, 32, 1), {"classes": 10}, (4e-3, 1.0, 0.25)),
        ((64, 64, 3), {"classes": 2}, (2e-3, 1.0, 0.25)),
        ((32, 32, 1), {"classes": 1}, (4e-3, 1.0, 0.0)),
        ((32, 32, 1), {"classes": 10, "preset": "dcgan2016"}, (2e-4, 0.0, 0.0)),
        ((2,), {"classes": 3}, (2e-3, 0.3, 0.0)),
    ],
)
def test_modern_asks_for_the_right_class_of_pictures(shape, given, settings):
    config = fresh(shape, given)
    assert (config.lr, config.r1, config.mismatch) == settings


def test_descriptions_leave_the_penalties_to_sounds_and_points_and_normalize_the_discriminator_of_pictures():
    for shape, norm in (((16, 16, 1), "batch"), ((64, 64, 3), "batch"), ((4096, 1), "none"), ((2,), "none")):
        plain, told = fresh(shape, {}), fresh(shape, {"attributes": 3})
        is_picture = len(shape) == 3
        assert (told.norm, told.r1, told.lr) == (
            norm,
            0.0 if is_picture else plain.r1,
            2e-3 if is_picture else plain.lr,
        )
