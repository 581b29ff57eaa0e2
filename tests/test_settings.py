"""Settings and presets: what they may be, and what goes together."""

import pytest

from ganutils import Error, networks, randomness
from ganutils.runs import traits
from ganutils.runs.config import SETTINGS
from ganutils.runs.contradictions import contradiction
from ganutils.runs.defaults import fresh
from ganutils.runs.presets import PRESETS
from ganutils.training.augment import AUGMENTS
from ganutils.training.losses import LOSSES
from ganutils.training.optimizers import OPTIMIZERS


def test_the_tables_of_facts_have_the_names_of_the_tables_of_code():
    assert traits.LOSSES.keys() == LOSSES.keys()
    assert traits.ARCHS.keys() == networks.ARCHS.keys()
    assert traits.AUGMENTS.keys() == AUGMENTS.keys()
    assert traits.PRIORS.keys() == randomness.PRIORS.keys()
    assert set(traits.OPTIMIZERS) == OPTIMIZERS.keys()


@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_is_whole_and_consistent(preset):
    shapes = {"wavegan2019": [(64, 1)], "wgan-gp2017": [(8, 8, 1), (16, 5)], "modern": [(8, 8, 1), (64, 1), (16, 5)]}
    for shape in shapes.get(preset, [(8, 8, 1)]):
        check_preset(preset, shape)


@pytest.mark.parametrize(
    ("given", "lr"),
    [
        ({}, 4e-3),
        ({"loss": "hinge"}, 4e-3),
        ({"loss": "lsgan"}, 1e-3),
        ({"loss": "lsgan", "lr": 3e-3}, 3e-3),
        ({"loss": "lsgan", "preset": "lsgan2017"}, 1e-3),
        ({"loss": "lsgan", "domains": 2}, 4e-4),
    ],
)
def test_least_squares_learn_at_a_lower_rate(given, lr):
    assert fresh((8, 8, 3), given, inputs=(8, 8, 3) if "domains" in given else None).lr == lr


@pytest.mark.parametrize(
    ("given", "lr"),
    [
        ({"width": 8}, 4e-3),
        ({"width": 16}, 4e-3),
        ({"width": 32}, 2e-3),
        ({"width": 64}, 1e-3),
        ({"width": 64, "loss": "lsgan"}, 2.5e-4),
        ({"width": 64, "lr": 4e-3}, 4e-3),
        ({"width": 512, "arch": "mlp"}, 2e-3),
        ({"width": 256, "preset": "dcgan2016"}, 2e-4),
    ],
)
def test_wider_networks_learn_at_a_lower_rate_by_default(given, lr):
    assert fresh((8, 8, 3), given).lr == lr


def test_a_run_begun_with_wide_networks_learns_at_their_rate():
    wide = fresh((8, 8, 3), {"width": 64, "lr": 0.01})
    assert fresh((8, 8, 3), {}, like=wide).lr == 0.01
    assert fresh((8, 8, 3), {"preset": "modern"}, like=wide).lr == 1e-3


@pytest.mark.parametrize(
    ("shape", "given", "settings"),  # settings: blocks, lr, d_lr
    [
        ((8, 8, 1), {}, (1, 2e-3, 4e-3)),
        ((33, 8, 1), {}, (1, 1e-3, 2e-3)),
        ((8, 8, 3), {}, (0, 4e-3, 0.0)),
        ((8, 8, 1), {"width": 32}, (1, 1e-3, 2e-3)),
        ((8, 8, 1), {"lr": 1e-4}, (1, 1e-4, 2e-4)),
        ((8, 8, 1), {"lr": 1e-4, "d_lr": 0.0}, (1, 1e-4, 0.0)),
        ((8, 8, 1), {"blocks": 0}, (0, 2e-3, 4e-3)),
        ((8, 8, 1), {"loss": "lsgan"}, (1, 1e-3, 0.0)),
        ((8, 8, 1), {"classes": 2}, (0, 4e-3, 0.0)),
        ((8, 8, 1), {"attributes": 2}, (0, 2e-3, 0.0)),
        ((8, 8, 1), {"arch": "resnet"}, (0, 4e-3, 0.0)),
        ((8, 8, 1), {"preset": "dcgan2016"}, (0, 2e-4, 0.0)),
        ((8, 8, 1), {"preset": "quickdraw2019", "lr": 1e-3}, (0, 1e-3, 2e-3)),
    ],
)
def test_gray_pictures_have_a_refined_g_that_learns_at_half_of_the_rate_of_d(shape, given, settings):
    config = fresh(shape, given)
    assert (config.blocks, config.lr, config.d_lr) == pytest.approx(settings)


@pytest.mark.parametrize(
    ("given", "rates"),
    [
        ({}, (2e-3, 4e-3)),
        ({"lr": 1e-3}, (1e-3, 2e-3)),
        ({"preset": "dcgan2016"}, (2e-4, 0.0)),
        ({"d_lr": 0.0}, (2e-3, 0.0)),
    ],
)
def test_a_run_begun_with_networks_takes_both_rates_from_the_same_place(given, rates):
    config = fresh((8, 8, 1), given, like=fresh((8, 8, 1), {}))
    assert (config.lr, config.d_lr) == pytest.approx(rates)


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
