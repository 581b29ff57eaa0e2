"""Networks conditioned on attributes or on the words of captions: training, checkpoints, and what is sampled."""

import json

import numpy as np
import pytest
import torch
from conftest import TINY
from trainers import CAPTIONS, CPU, trainer_of

import ganutils
from ganutils import networks
from ganutils.compute.distributed import ALONE, Team
from ganutils.files import container
from ganutils.networks.condition import Condition
from ganutils.networks.conditioning import Conditioning, OfLatents
from ganutils.networks.encoders import TEXT, CaptionEncoder
from ganutils.runs.config import Config
from ganutils.runs.defaults import fresh
from ganutils.runs.descriptions import Captions, Descriptions
from ganutils.samples import captions
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


def players(**given):
    config = config_of(words=9, norm="none", **given)
    generator, discriminator = networks.build(config)
    return config, Translator(generator, torch.no_grad), Judge(discriminator, torch.no_grad)


def seen():
    random = torch.Generator().manual_seed(0)
    real, fake = (torch.rand(4, 3, 8, 8, generator=random) * 2 - 1 for _ in range(2))
    right, wrong = (Condition(tokens=torch.randint(1, 10, (4, 6), generator=random)) for _ in range(2))
    return Seen(real, fake, right, wrong)


def test_a_share_of_the_fakes_are_real_samples_beside_wrong_words():
    config, _, D = players(mismatch=0.25)
    shown = seen()
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
    drawn = {name: torch.from_numpy(array) for name, array in batches.draw(5).items()}
    batch = batches.take(drawn)
    assert np.array_equal(batch.wrong.tokens, batches.draw(6)["tokens"])
    assert np.array_equal(batch.condition.tokens, batches.draw(5)["tokens"])
    assert "wrong tokens" not in batches_of().draw(5)


# -------------------------------------------------------------------------------------------- settings


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (
            ["--conditional", "captions", "--arch", "enlarge", "--mode-seeking", 1],
            "--arch enlarge starts from pictures and takes no latents; leave --mode-seeking out",
        ),
        (
            ["--contrast", 1],
            "--contrast goes with --conditional attributes or captions; give that too, or leave it out",
        ),
        (["--kl", 1], "--kl goes with --conditional attributes or captions; give that too, or leave it out"),
        (["--conditional", "captions", "--kl", 1, "--prior", "uniform"], "give --prior normal"),
        (["--conditional", "captions", "--kl", 1, "--z-dim", 1], "give --z-dim 2 or more"),
        (
            ["--conditional", "captions", "--arch", "enlarge", "--kl", 1],
            "--kl draws from latents, and --arch enlarge takes none; leave it out",
        ),
        (["--conditional"], "described.safetensors: has no labels, which --conditional needs"),
        (["--mismatch", 0.5], "--mismatch goes with --arch unet or hourglass or blocks or enlarge, not dcgan; or with"),
    ],
)
def test_settings_that_contradict_each_other_are_one_line(fails, described, words, problem):
    line = fails("gan-loop", described("enlarge" in words), "--width", 2, *words, "-o", "x.ckpt")
    assert problem in line


@pytest.mark.parametrize(
    ("inputs", "words", "kl"),
    [(False, [], "1.0"), (False, ["--prior", "uniform"], "0.0"), (False, ["--z-dim", 1], "0.0"), (True, [], "0.0")],
)
def test_modern_draws_around_words_where_it_can_and_mirrors_nothing(ok, described, inputs, words, kl):
    told = ["--conditional", "captions", *words, "--dry-run"]
    shown = ok("gan-loop", described(inputs), "--width", 2, *told).out.decode()
    lines = dict(line.split()[:2] for line in shown.splitlines() if line.startswith("  "))
    assert (lines["kl"], lines["mirror"], lines["contrast"]) == (kl, "0.0", "1.0")


def test_domains_are_told_apart_without_descriptions():
    with pytest.raises(ganutils.Error, match="--conditional does not go with --domains, whose two classes"):
        fresh(SHAPE, {"domains": 2, "words": 9})
    with pytest.raises(ganutils.Error, match="--conditional takes one of labels, attributes, captions; give one"):
        fresh(SHAPE, {"classes": 2, "words": 9})


def test_a_file_may_follow_conditional(ok, described, pictures, tmp_path):
    """As it always could: what follows is taken for its value only if it is one of three words."""
    first = ok("gan-loop", "--conditional", pictures, *TINY, "--steps", 0, "--dry-run").out.decode()
    lines = dict(line.split()[:2] for line in first.splitlines() if line.startswith("  "))
    assert (lines["classes"], lines["attributes"], lines["words"]) == ("3", "0", "0")
    shown = ok("gan-loop", "--conditional", "captions", described(), *TINY, "--steps", 0, "--dry-run").out.decode()
    lines = dict(line.split()[:2] for line in shown.splitlines() if line.startswith("  "))
    assert (lines["classes"], lines["words"], lines["contrast"]) == ("0", "7", "1.0")
    assert next(line for line in shown.splitlines() if line.startswith("  words")).endswith("7  (given)")


# --------------------------------------------------------------------------------- training and sampling

SKY = {"night": "a dark sky at night", "day": "a bright sky by day"}


@pytest.fixture
def sky(tmp_path):
    """Dark pictures that are said to be of night, light ones of day; with an attribute."""
    are_days = np.arange(400) % 2
    noise = np.random.default_rng(0).integers(-20, 20, (400, 8, 8, 1))
    images = (np.where(are_days, 215, 40)[:, None, None, None] + noise).astype("u1")
    said = captions.packed([[[*SKY.values()][is_day]] for is_day in are_days])
    tensors = {"images": images, "captions": said, "attributes": are_days[:, None].astype(np.float32)}
    container.write(str(tmp_path / "sky.safetensors"), "samples", tensors, {"attributes": ["bright"]})
    return "sky.safetensors"


@pytest.mark.parametrize(("kind", "steps", "more"), [("captions", 60, ["--kl", 0]), ("attributes", 150, [])])
def test_the_generator_learns_what_is_said(ok, sky, content, kind, steps, more):
    size = ["--width", 8, "--z-dim", 8, "--batch", 16, "--precision", "fp32", *more]
    ok("gan-loop", sky, *size, "--conditional", kind, "--steps", steps, "-o", "sky.ckpt", "-q")
    ok("gan-sample", "sky.ckpt", "-n", 40, "-o", "both.safetensors")
    meta, both = content("both.safetensors")
    if kind == "captions":
        said = [texts[0] for texts in captions.texts("both", both["captions"])]
        are_days = np.array([text == SKY["day"] for text in said])
        assert set(said) == set(SKY.values())
    else:
        are_days = both["attributes"][:, 0] > 0.5
        assert meta["attributes"] == ["bright"]
    assert 10 < are_days.sum() < 30
    assert both["images"][~are_days].mean() + 60 < both["images"][are_days].mean(), "seeds differ by 120 or more"
    ok("gan-sample", "sky.ckpt", "--latents", "both.safetensors", "-o", "again.safetensors")
    assert np.array_equal(content("again.safetensors")[1]["images"], both["images"])


def test_a_checkpoint_has_the_vocabulary_and_examples_and_its_log_the_terms(ok, run_on, content, tmp_path):
    run_on("captions", "--kl", "0.5", "--log", "log.jsonl", "--snapshots", "shots", "--every", 1)
    meta, tensors = content("x.ckpt")
    assert meta["vocabulary"] == ["a", "thing", "big", "is", "it", "blue", "red"]
    assert meta["examples"] == [f"a {'red' if n & 1 else 'blue'} thing" for n in range(12)]
    assert tensors["G.classes.encoder.words"].shape == (8, TEXT)
    logged = json.loads((tmp_path / "log.jsonl").read_text().splitlines()[-1])
    assert {"contrast", "contrast_real", "kl", "mismatch"} <= logged.keys()
    ok(
        "gan-sample",
        "shots/step-000001.safetensors",
        "shots/step-000002.safetensors",
        "-n",
        3,
        "-o",
        "film.safetensors",
    )
    film = content("film.safetensors")[1]
    assert film["images"].shape == (2, 3, 8, 8, 3) and film["captions"].shape[:3] == (2, 3, 1)
    ok("gan-plot", "log.jsonl", "-o", "log.png")
    ok("gan-info", "x.ckpt", "--preview", "p.png")


def test_attributes_are_found_by_their_names(fails, run_on, score, content, tmp_path):
    run_on("attributes")
    _, tensors = content("described.safetensors")
    assert content("x.ckpt")[0]["examples"][:3] == [[0, 0, 0], [1, 0, 0], [0, 1, 0]]
    turned = {**tensors, "attributes": tensors["attributes"][:, ::-1].copy()}
    container.write(str(tmp_path / "turned.safetensors"), "samples", turned, {"attributes": ["old", "big", "red"]})
    scores = [
        score(f"{name}.safetensors", "x.ckpt", "--features", "pixels", "-n", 6)[0] for name in ("described", "turned")
    ]
    assert scores[0] == {**scores[1], "real": "described.safetensors"}
    other = {**turned, "images": 255 - tensors["images"]}
    container.write(str(tmp_path / "other.safetensors"), "samples", other, {"attributes": ["old", "big", "hat"]})
    line = fails("gan-train-d", "other.safetensors", "--from", "x.ckpt", "-o", "y.ckpt")
    assert line == (
        "gan-train-d: other.safetensors: has no attribute 'red', and x.ckpt takes red, big, old; use data that have "
        "them, or gan-label"
    )


def test_a_run_does_not_go_on_with_other_words(ok, fails, run_on, content, tmp_path):
    run_on("captions")
    meta, tensors = content("described.safetensors")
    before = (tmp_path / "x.ckpt").read_bytes()
    other = {**tensors, "captions": captions.packed([["a green cube"]] * 12)}
    container.write(str(tmp_path / "described.safetensors"), "samples", other, meta)
    same = ["described.safetensors", *TINY, "--conditional", "captions", "--steps", 3, "-o", "x.ckpt"]
    assert "has other captions than when x.ckpt was trained on it" in fails("gan-loop", *same)
    line = fails(
        "gan-loop", "described.safetensors", *TINY, "--conditional", "attributes", "--from", "x.ckpt", "-o", "y"
    )
    assert "its settings are fixed: attributes is 0 there, 3 here, words is 7 there, 0 here" in line
    del tensors["captions"]
    container.write(str(tmp_path / "described.safetensors"), "samples", tensors, meta)
    line = fails("gan-train-d", "described.safetensors", "--from", "x.ckpt", "-o", "y.ckpt")
    assert "has no captions" in line
    assert (tmp_path / "x.ckpt").read_bytes() == before
    tensors["captions"] = captions.packed([["a red thing"], *[[]] * 11])
    container.write(str(tmp_path / "described.safetensors"), "samples", tensors, meta)
    line = fails("gan-loop", "described.safetensors", *TINY, "--conditional", "captions", "-o", "y.ckpt")
    assert "sample 1 has no caption" in line


def test_new_runs_may_begin_with_the_networks_and_the_vocabulary_of_another(ok, run_on, content, tmp_path):
    run_on("captions")
    meta, tensors = content("described.safetensors")
    other = {**tensors, "captions": captions.packed([["a big red dog", "blue"]] * 12)}
    container.write(str(tmp_path / "dogs.safetensors"), "samples", other, meta)
    ok("gan-loop", "dogs.safetensors", "--init", "x.ckpt", "--steps", 1, "-o", "y.ckpt")
    assert content("y.ckpt")[0]["vocabulary"] == content("x.ckpt")[0]["vocabulary"]
    assert content("y.ckpt")[0]["examples"][0] == "a big red dog"


@pytest.mark.parametrize("kind", ["captions", "attributes"])
def test_two_stages_pass_on_what_was_said(pipeline, ok, fails, run_on, score, content, kind, described, tmp_path):
    run_on(kind, name="one.ckpt")
    stage = ["--width", 2, "--batch", 4, "--preset", "stackgan2017", "--conditional", kind, "--steps", 1]
    _, data = content(described(True))
    enlarged = {**data, "images": data["images"].repeat(2, 1).repeat(2, 2), "inputs": data["images"]}
    container.write(str(tmp_path / "pairs.safetensors"), "samples", enlarged, {"attributes": ["red", "big", "old"]})
    ok("gan-loop", "pairs.safetensors", *stage, "-o", "two.ckpt", "-q")
    done = pipeline("gan-sample one.ckpt -n 5 -q | gan-sample two.ckpt --inputs - -o big.safetensors -q")
    assert done.code == 0, done.err
    _, big = content("big.safetensors")
    assert big["images"].shape == (5, 16, 16, 3) and big["inputs"].shape == (5, 8, 8, 3)
    if kind == "captions":
        assert captions.texts("big", big["captions"])[:2] == [["a blue thing"], ["a red thing"]]
    else:
        assert big["attributes"].tolist()[:2] == [[0, 0, 0], [1, 0, 0]]
    (scores,) = score("pairs.safetensors", "two.ckpt", "--features", "pixels")
    assert scores["fake_count"] == 12 and 0 < scores["ssim"] < 1, "each is compared with what it should be"
    said = ok("gan-eval", "pairs.safetensors", "two.ckpt", "--diagnose", "--features", "pixels").out.decode()
    assert said.startswith("two.ckpt at step 1: ")
    del enlarged["captions"], enlarged["attributes"]
    container.write(str(tmp_path / "mute.safetensors"), "samples", enlarged, {})
    line = fails("gan-sample", "two.ckpt", "--inputs", "mute.safetensors", "-o", "x.png")
    assert f"mute.safetensors: has no {kind}, and two.ckpt takes" in line


def test_scores_and_diagnoses_are_of_samples_with_the_words_of_real_ones(ok, run_on, score, content, tmp_path):
    run_on("captions", "--kl", 0)
    meta, tensors = content("described.safetensors")
    one = {**tensors, "captions": captions.packed([["a red thing"]] * 12)}
    container.write(str(tmp_path / "one.safetensors"), "samples", one, meta)
    many, few = (
        score(f"{name}.safetensors", "x.ckpt", "--features", "pixels", "-n", 30)[0] for name in ("described", "one")
    )
    assert (many["fake_count"], many["step"]) == (few["fake_count"], few["step"]) == (30, 2)
    assert few["spread"] < many["spread"], "where all are said to be one thing, samples differ by their latents alone"
    said = ok("gan-eval", "described.safetensors", "x.ckpt", "--features", "pixels", "--diagnose").out.decode()
    assert said.startswith("x.ckpt at step 2: too early") and "REAL has only 12 samples" in said


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("vocabulary", None),
        ("vocabulary", ["a"]),
        ("vocabulary", ["a"] * 7),
        ("vocabulary", [1, 2, 3, 4, 5, 6, 7]),
        ("examples", []),
        ("examples", [3]),
        ("examples", ["x" * 2000]),
        ("examples", ["a"] * 1000),
    ],
)
def test_damaged_words_are_reported(fails, run_on, content, tmp_path, key, value):
    meta, tensors = content(run_on("captions"))
    container.write(str(tmp_path / "x.ckpt"), "checkpoint", tensors, {**meta, key: value})
    assert "x.ckpt: damaged: its metadata" in fails("gan-sample", "x.ckpt", "-n", 2, "-o", "x.png")


def test_python_trains_and_samples_them(described, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run = ganutils.Run(described(), conditional="captions", width=1, z_dim=2, batch=4, device="cpu")
    run.train(1)
    assert run.generator(run.generator.latents(3)).shape == (3, 8, 8, 3)
    run.save("x.ckpt")
    generator = ganutils.Generator("x.ckpt", device="cpu")
    assert np.array_equal(generator(generator.latents(3)), run.generator(run.generator.latents(3)))
    with pytest.raises(ganutils.Error, match="conditional is 'words', not one of labels, attributes, captions"):
        ganutils.Run(described(), conditional="words", width=1)


def test_unknown_words_are_named_and_a_sentence_of_them_is_an_error():
    known = Descriptions(vocabulary=["a", "red", "hat"], examples=["a hat"])
    assert known.unknown(["a RED sombrero", "a hat, a sombrero & boots"]) == ["sombrero", "boots"]
    assert known.told(["a red sombrero"]).given["tokens"].tolist() == [[1, 2]]
    with pytest.raises(ganutils.Error, match=r"'boots!': has no word that the checkpoint knows; it knows a, red, hat"):
        known.unknown(["a hat", "boots!"])


def test_captions_that_occur_twice_are_kept_once():
    kept = Captions(np.array([[1], [2]], np.int16), np.array([[0, 1], [1, 0]], np.int32), np.array([2, 1]))
    assert kept.chosen(np.array([0, 0, 1, 1]), np.array([0.0, 0.99, 0.0, 0.99])).tolist() == [[1], [2], [2], [2]]


def test_penalties_and_bf16_train_encoders():
    trainer = trainer_of({"words": 5, "r1": 1.0, "r2": 1.0, "norm": "none", "gp": 1.0, "precision": "bf16"})
    before = {name: tensor.clone() for name, tensor in trainer.gan.tensors().items() if "encoder" in name}
    trainer.step()
    assert all(not torch.equal(tensor, trainer.gan.tensors()[name]) for name, tensor in before.items())
