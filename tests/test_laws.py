"""The four laws of training (docs/promises.md), as properties over settings and through real pipes."""

import numpy as np
import pytest
from conftest import TINY
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

FEW = settings(max_examples=5, suppress_health_check=[HealthCheck.function_scoped_fixture])
PLAIN = ["--r1", "0", "--r2", "0"]  # a D with batch norm
MODELS = [
    [],
    ["--arch", "mlp", "--smooth", "0.9"],
    ["--loss", "minimax", "--prior", "uniform", "--augment", "translate,cutout", *PLAIN],
    ["--loss", "lsgan", "--decay", "1:3", "--ema-kimg", "0", "--conditional", "--hidden", "3", *PLAIN],
    ["--arch", "resnet", "--loss", "relativistic", "--r1", "1", "--r2", "1", "--augment", "translate"],
    ["--loss", "hinge", "--conditional", "--arch", "resnet", "--d-lr", "0.001"],
    ["--preset", "dcgan2016", "--seed", "7"],
    ["--preset", "wgan-gp2017", "--z-dim", "4"],
    ["--preset", "quickdraw2019", "--conditional"],
    ["--precision", "bf16", "--r1", "0.5", "--r2", "0", "--augment", "translate,mirror"],
    ["--class-loss", "0.3", "--hidden", "3"],
]
# With inputs; the second of each is the pictures' side over that of their inputs.
PAIRS = [
    [1, "--jitter", "0.2"],
    [1, "--preset", "pix2pix2017", "--conditional"],
    [1, "--preset", "pixeldt2016", "--batch", "4"],
    [2, "--loss", "relativistic", "--matching", "1", "--patch", "1", "--mirror", "0.5"],
    [2, "--preset", "srgan2017", "--batch", "4", "--blocks", "1"],
    [1, "--adversarial", "0", "--r1", "0", "--precision", "bf16"],
]
DOMAINS = [
    ["--domains", "--arch", "blocks", "--blocks", "1", "--buffer", "5", "--batch", "3", "--noise", "0.1"],
    ["--domains", "--arch", "unet", "--buffer", "0", "--loss", "wgan", "--gp", "1", "--norm", "none"],
    ["--preset", "cyclegan2017", "--blocks", "1", "--buffer", "3", "--decay", "1:4"],
    ["--preset", "discogan2017", "--batch", "4", "--precision", "bf16"],
]
# With attributes or captions; the first of each is whether the generator starts from inputs.
DESCRIBED = [
    [False, "--conditional", "attributes", "--arch", "mlp", "--batch", "5"],
    [False, "--conditional", "captions", "--preset", "stackgan2017", "--z-dim", "4", "--batch", "4"],
    [False, "--conditional", "captions", "--arch", "resnet", "--r1", "1", "--gp", "1", "--smooth", "1"],
    [False, "--conditional", "captions", "--mode-seeking", "0.1", "--batch", "4"],
    [True, "--conditional", "captions", "--batch", "4", "--precision", "bf16"],
]
SOUNDS = [
    ["--conditional", "--r1", "1", "--loss", "relativistic"],
    ["--preset", "wavegan2019", "--phase-shuffle", "1", "--batch", "4"],
    ["--precision", "bf16", "--phase-shuffle", "0", "--batch", "4"],
]
TEXTS = [
    ["--conditional", "--hidden", "3", "--choices", "2"],
    ["--preset", "wgan-gp2017", "--batch", "4", "--blocks", "2"],
    ["--precision", "bf16", "--batch", "4", "--blocks", "1", "--ending", "softmax", "--loss", "hinge"],
]
EACH = pytest.mark.parametrize(("number", "model"), list(enumerate(MODELS)))
EACH_OF_DESCRIBED = pytest.mark.parametrize(("inputs", "model"), [(inputs, model) for inputs, *model in DESCRIBED])
EACH_OF_PAIRS = pytest.mark.parametrize(("scale", "model"), [(scale, model) for scale, *model in PAIRS])

EACH_OF_DOMAINS = pytest.mark.parametrize(("number", "model"), list(enumerate(DOMAINS)))
EACH_OF_SOUNDS = pytest.mark.parametrize("model", SOUNDS)
EACH_OF_TEXTS = pytest.mark.parametrize("model", TEXTS)


def digest(ok, name):
    return ok("gan-info", "--digest", name).out.decode().strip()


def differing(content, one, other):
    """The names of the tensors in which two checkpoints differ."""
    (_, first), (_, second) = content(one), content(other)
    common = first.keys() & second.keys()
    return (first.keys() ^ second.keys()) | {n for n in common if not np.array_equal(first[n], second[n])}


def train_in_a_loop_and_by_hand(ok, pictures, model, d_updates, steps, tiny=TINY, threads=1):
    """Writes loop.ckpt and hand.ckpt."""
    model, data = [*tiny, *model, "--d-updates", d_updates], [pictures, "--threads", threads]
    ok("gan-loop", *data, *model, "--steps", steps, "-o", "loop.ckpt", "--fresh")
    piped = ok("gan-loop", *data, *model, "--steps", 0).out
    for _ in range(steps):
        piped = ok("gan-train-d", *data, "--from", "-", "--updates", d_updates, stdin=piped).out
        piped = ok("gan-train-g", *data, "--from", "-", stdin=piped).out
    ok("gan-loop", *data, "--from", "-", "--steps", steps, "-o", "hand.ckpt", "--fresh", stdin=piped)


@EACH
def test_two_phases_by_hand_equal_the_loop_for_every_model(ok, pictures, content, number, model):
    train_in_a_loop_and_by_hand(ok, pictures, model, d_updates=1 + number % 2, steps=2)
    assert differing(content, "loop.ckpt", "hand.ckpt") == set()
    assert digest(ok, "loop.ckpt") == digest(ok, "hand.ckpt")


@EACH_OF_PAIRS
def test_two_phases_by_hand_equal_the_loop_for_pairs(ok, pairs, content, scale, model):
    train_in_a_loop_and_by_hand(ok, pairs(scale), model, d_updates=scale, steps=2, tiny=["--width", 2])
    assert differing(content, "loop.ckpt", "hand.ckpt") == set()


@EACH_OF_DOMAINS
def test_two_phases_by_hand_equal_the_loop_for_domains(ok, domains, content, number, model):
    """Where the two directions are trained side by side."""
    train_in_a_loop_and_by_hand(ok, domains, model, 1 + number % 2, steps=4, tiny=["--width", 2], threads=2)
    assert differing(content, "loop.ckpt", "hand.ckpt") == set()


@EACH_OF_DESCRIBED
def test_two_phases_by_hand_equal_the_loop_for_descriptions(ok, described, content, inputs, model):
    tiny = ["--width", 2] if inputs else TINY
    train_in_a_loop_and_by_hand(ok, described(inputs), model, d_updates=1 + inputs, steps=2, tiny=tiny)
    assert differing(content, "loop.ckpt", "hand.ckpt") == set()


@EACH_OF_SOUNDS
def test_two_phases_by_hand_equal_the_loop_for_sounds(ok, sounds, content, model):
    train_in_a_loop_and_by_hand(ok, sounds, model, d_updates=2, steps=2, tiny=["--width", 2])
    assert differing(content, "loop.ckpt", "hand.ckpt") == set()


@EACH_OF_TEXTS
def test_two_phases_by_hand_equal_the_loop_for_texts(ok, texts, content, model):
    train_in_a_loop_and_by_hand(ok, texts, model, d_updates=2, steps=2, tiny=["--width", 2])
    assert differing(content, "loop.ckpt", "hand.ckpt") == set()


def test_the_history_of_fakes_is_part_of_the_phase_of_d(ok, domains, content):
    ok("gan-loop", domains, "--width", 2, *DOMAINS[0], "--steps", 3, "-o", "a.ckpt")
    ok("gan-train-d", domains, "--from", "a.ckpt", "--updates", 1, "-o", "d.ckpt")
    ok("gan-train-g", domains, "--from", "d.ckpt", "--updates", 1, "-o", "g.ckpt")
    assert "history" in differing(content, "a.ckpt", "d.ckpt")
    assert "history" not in differing(content, "d.ckpt", "g.ckpt")
    history = content("a.ckpt")[1]["history"]
    assert history.shape == (2, 5, 8, 8, 3) and history.dtype == np.uint8


@FEW
@given(d_updates=st.integers(1, 4), steps=st.integers(0, 4))
def test_two_phases_by_hand_equal_the_loop(ok, pictures, content, d_updates, steps):
    train_in_a_loop_and_by_hand(ok, pictures, ["--arch", "mlp"], d_updates, steps)
    assert differing(content, "loop.ckpt", "hand.ckpt") == set()


def test_the_same_through_a_real_pipeline(pipeline, pictures):
    tiny = " ".join(TINY)
    done = pipeline(
        f"gan-loop {pictures} {tiny} --steps 2 -q -o loop.ckpt &&"
        f"gan-loop {pictures} {tiny} --steps 0 -q"
        f"  | gan-train-d {pictures} --from - --updates 1 | gan-train-g --from -"
        f"  | gan-train-d {pictures} --from - --updates 1 | gan-train-g --from - -o pipe.ckpt &&"
        "gan-info --digest loop.ckpt && gan-info --digest pipe.ckpt"
    )
    assert done.code == 0, done.err
    loop, pipe = done.out.split()
    assert loop == pipe


def train_once_and_in_two_goes(ok, pictures, model, steps, stop, tiny=TINY):
    """Writes once.ckpt and twice.ckpt."""
    model = [*tiny, *model]
    ok("gan-loop", pictures, *model, "--steps", steps, "-o", "once.ckpt", "--fresh")
    ok("gan-loop", pictures, *model, "--steps", stop, "-o", "twice.ckpt", "--fresh")
    ok("gan-loop", pictures, *model, "--steps", steps, "-o", "twice.ckpt")


@EACH
def test_interrupted_and_continued_equals_never_interrupted_for_every_model(ok, pictures, number, model):
    train_once_and_in_two_goes(ok, pictures, model, steps=3, stop=number % 4)
    assert digest(ok, "once.ckpt") == digest(ok, "twice.ckpt")


@EACH_OF_PAIRS
def test_interrupted_and_continued_equals_never_interrupted_for_pairs(ok, pairs, scale, model):
    train_once_and_in_two_goes(ok, pairs(scale), model, steps=3, stop=scale, tiny=["--width", 2])
    assert digest(ok, "once.ckpt") == digest(ok, "twice.ckpt")


@EACH_OF_DOMAINS
def test_interrupted_and_continued_equals_never_interrupted_for_domains(ok, domains, number, model):
    train_once_and_in_two_goes(ok, domains, model, steps=4, stop=1 + number % 3, tiny=["--width", 2])
    assert digest(ok, "once.ckpt") == digest(ok, "twice.ckpt")


@EACH_OF_DESCRIBED
def test_interrupted_and_continued_equals_never_interrupted_for_descriptions(ok, described, inputs, model):
    tiny = ["--width", 2] if inputs else TINY
    train_once_and_in_two_goes(ok, described(inputs), model, steps=3, stop=1 + inputs, tiny=tiny)
    assert digest(ok, "once.ckpt") == digest(ok, "twice.ckpt")


@EACH_OF_SOUNDS
def test_interrupted_and_continued_equals_never_interrupted_for_sounds(ok, sounds, model):
    train_once_and_in_two_goes(ok, sounds, model, steps=3, stop=1, tiny=["--width", 2])
    assert digest(ok, "once.ckpt") == digest(ok, "twice.ckpt")


@EACH_OF_TEXTS
def test_interrupted_and_continued_equals_never_interrupted_for_texts(ok, texts, model):
    train_once_and_in_two_goes(ok, texts, model, steps=3, stop=1, tiny=["--width", 2])
    assert digest(ok, "once.ckpt") == digest(ok, "twice.ckpt")


@FEW
@given(steps=st.integers(1, 6), data=st.data())
def test_interrupted_and_continued_equals_never_interrupted(ok, pictures, steps, data):
    train_once_and_in_two_goes(ok, pictures, ["--decay", "1:5"], steps, data.draw(st.integers(0, steps)))
    assert digest(ok, "once.ckpt") == digest(ok, "twice.ckpt")


def test_the_same_command_gives_the_same_bytes(ok, pictures, tmp_path):
    first = ok("gan-loop", pictures, *TINY, "--steps", 3).out
    second = ok("gan-loop", pictures, *TINY, "--steps", 3).out
    assert first == second
    other = ok("gan-loop", pictures, *TINY, "--steps", 3, "--seed", 1).out
    assert other != first


@pytest.mark.parametrize("arch", ["mlp", "dcgan", "unet", "wave", "letters"])
@pytest.mark.parametrize(("command", "trained"), [("gan-train-d", "D"), ("gan-train-g", "G")])
def test_a_command_that_trains_one_network_carries_the_rest_through(
    ok, pictures, pairs, sounds, texts, content, arch, command, trained
):
    others = {"unet": pairs(1), "wave": sounds, "letters": texts}
    pictures, tiny = (others[arch], ["--width", 2]) if arch in others else (pictures, TINY)
    ok("gan-loop", pictures, *tiny, "--arch", arch, "--steps", 2, "-o", "before.ckpt")
    ok(command, pictures, "--from", "before.ckpt", "--updates", 3, "-o", "after.ckpt")
    (old_meta, old), (new_meta, new) = content("before.ckpt"), content("after.ckpt")
    mine = (f"{trained}.", f"opt.{trained}.", f"updates.{trained}") + (("ema.",) if trained == "G" else ())
    changed = {name for name in old if not np.array_equal(old[name], new[name])}
    assert changed, "it trained nothing"
    assert all(name.startswith(mine) for name in changed), changed
    assert f"updates.{trained}" in changed
    assert {**old_meta, "lineage": 0} == {**new_meta, "lineage": 0}


def test_a_shape_of_odd_sides_trains_and_samples(ok, content, tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (9, 13, 7, 3), np.uint8)
    np.save(tmp_path / "odd.npy", images)
    ok("gan-data", "odd.npy", "-o", "odd.safetensors")
    ok("gan-loop", "odd.safetensors", *TINY, "--steps", 2, "-o", "odd.ckpt")
    ok("gan-sample", "odd.ckpt", "-n", 5, "-o", "five.safetensors")
    assert content("five.safetensors")[1]["images"].shape == (5, 13, 7, 3)
