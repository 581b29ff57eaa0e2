"""The formulas, against independent implementations and against what they must do."""

import numpy as np
import pytest
import scipy.linalg
import scipy.special
import scipy.stats
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.neighbors import NearestNeighbors

from ganutils.evaluation import metrics

SETS = np.random.default_rng(0)
REAL = SETS.normal(size=(700, 12)).astype("f4") @ SETS.normal(size=(12, 12)).astype("f4")
FAKE = (SETS.normal(size=(500, 12)) * 1.3 + 0.4).astype("f4")


@pytest.fixture
def random():
    """The same numbers for each test, whichever run before it."""
    return np.random.default_rng(1)


def all_scores(real, fake):
    near, five = metrics.radii(real, 3, 5)
    return {
        "frechet": metrics.frechet_distance(real, fake),
        "kid": metrics.kernel_distance(real, fake, 0, subsets=4)[0],
        "precision": metrics.precision(real, fake, near),
        "recall": metrics.precision(fake, real, *metrics.radii(fake, 3)),
        "density": metrics.density(real, fake, five),
        "coverage": metrics.coverage(real, fake, five),
        "spread": metrics.spread(real, fake),
        "sliced": metrics.sliced_wasserstein(real, fake, 0),
    }


IDEAL = dict(frechet=0, kid=0, precision=1, recall=1, density=1, coverage=1, spread=1, sliced=0)


@settings(max_examples=20)
@given(n=st.integers(6, 60), f=st.integers(1, 8), scale=st.sampled_from([1e-3, 1.0, 1e4]), seed=st.integers(0, 99))
def test_a_set_and_itself_score_exactly_the_ideal(n, f, scale, seed):
    x = scale * np.random.default_rng(seed).normal(3, 1, (n, f))
    assert all_scores(x, x) == IDEAL


def test_equal_samples_over_and_over_do_not_break_the_neighbors(random):
    x = np.repeat(random.normal(size=(2, 5)), 10, axis=0) * 1e6
    found = all_scores(x, x)
    assert (found["frechet"], found["precision"], found["recall"], found["coverage"]) == (0, 1, 1, 1)


def test_frechet_distance_is_that_of_the_matrix_square_root():
    s1, s2 = np.cov(REAL, rowvar=False), np.cov(FAKE, rowvar=False)
    root = scipy.linalg.sqrtm(s1 @ s2)
    expected = ((REAL.mean(0, "f8") - FAKE.mean(0, "f8")) ** 2).sum() + np.trace(s1 + s2 - 2 * root.real)
    assert metrics.frechet_distance(REAL, FAKE) == pytest.approx(expected, rel=1e-6)
    fid = pytest.importorskip("torch_fidelity.metric_fid")
    stats = [{"mu": x.mean(0, "f8"), "sigma": np.cov(x, rowvar=False)} for x in (REAL, FAKE)]
    theirs = fid.fid_statistics_to_metric(*stats, verbose=False)["frechet_inception_distance"]
    assert metrics.frechet_distance(REAL, FAKE) == pytest.approx(theirs, rel=1e-6)


def test_frechet_distance_of_fewer_samples_than_features(random):
    x, y = random.normal(size=(20, 64)), random.normal(size=(20, 64))
    s1, s2 = np.cov(x, rowvar=False), np.cov(y, rowvar=False)
    trace = np.sqrt(np.maximum(np.linalg.eigvals(s1 @ s2).real, 0)).sum()
    expected = ((x.mean(0) - y.mean(0)) ** 2).sum() + np.trace(s1 + s2) - 2 * trace
    assert metrics.frechet_distance(x, y) == pytest.approx(expected, rel=1e-5)


def test_frechet_distance_of_known_normals(random):
    x, y = (random.normal(mean, std, (200_000, 1)) for mean, std in ((0, 1), (2, 3)))
    assert metrics.frechet_distance(x, y) == pytest.approx(2**2 + (3 - 1) ** 2, rel=0.02)


def test_kid_is_torch_fidelitys_estimate():
    kid = pytest.importorskip("torch_fidelity.metric_kid")
    x, y = REAL[:500].astype("f8"), FAKE.astype("f8")
    kernels = [(a @ b.T / 12 + 1) ** 3 for a, b in ((x, x), (x, y), (y, y))]
    expected = kid.mmd2(*kernels, mmd_est="u-statistic")
    # one subset of all rows: both sets have as many, so they are permuted alike
    assert metrics.kernel_distance(x, y, 0, subsets=1, size=500) == (pytest.approx(expected, rel=1e-9), 0)
    unbiased = kid.mmd2(*kernels)  # the other unbiased estimate, with the diagonal of real against fake
    assert metrics.kernel_distance(x, y, 0, subsets=1, size=500)[0] == pytest.approx(unbiased, rel=0.02)


def test_precision_and_recall_are_torch_fidelitys():
    prc = pytest.importorskip("torch_fidelity.metric_prc")
    fake, real = torch.from_numpy(FAKE).double(), torch.from_numpy(REAL).double()
    precision, recall = prc.calculate_precision_recall_full(fake, real, neighborhood=3)
    assert metrics.precision(REAL, FAKE, *metrics.radii(REAL, 3)) == pytest.approx(precision)
    assert metrics.precision(FAKE, REAL, *metrics.radii(FAKE, 3)) == pytest.approx(recall)
    assert 0 < precision < 1
    assert 0 < recall < 1


def test_density_and_coverage_by_scikit_learn():
    radius = NearestNeighbors(n_neighbors=6).fit(REAL.astype("f8")).kneighbors(REAL.astype("f8"))[0][:, -1]
    distances = np.linalg.norm(FAKE[:, None].astype("f8") - REAL[None].astype("f8"), axis=2)
    (radii,) = metrics.radii(REAL, 5)
    assert np.sqrt(radii) == pytest.approx(radius, rel=1e-9)
    assert metrics.density(REAL, FAKE, radii) == pytest.approx((distances < radius).sum() / (5 * len(FAKE)))
    assert metrics.coverage(REAL, FAKE, radii) == pytest.approx((distances.min(axis=0) < radius).mean())


def test_nearest_by_scikit_learn_and_whatever_the_block(monkeypatch):
    expected = NearestNeighbors(n_neighbors=1).fit(REAL.astype("f8")).kneighbors(FAKE.astype("f8"))
    distances, which = metrics.nearest(FAKE, REAL)
    assert np.array_equal(which, expected[1][:, 0])
    assert np.sqrt(distances) == pytest.approx(expected[0][:, 0], rel=1e-9)
    before = all_scores(REAL, FAKE)
    monkeypatch.setattr(metrics, "BLOCK", 37)
    assert all_scores(REAL, FAKE) == pytest.approx(before, rel=1e-9)


def test_authenticity_tells_copies_from_fresh_samples(random):
    fresh, copies = random.normal(size=(700, 12)).astype("f4"), REAL[:300] + np.float32(1e-3)
    alike = random.normal(size=(2, 700, 12))
    (radii,) = metrics.radii(REAL, 1)
    assert metrics.authenticity(*metrics.nearest(copies, REAL), radii) == 0
    assert metrics.authenticity(*metrics.nearest(fresh, REAL), radii) > 0.3
    assert 0.4 < metrics.authenticity(*metrics.nearest(alike[0], alike[1]), *metrics.radii(alike[1], 1)) < 0.8


def test_sliced_wasserstein_of_a_shift_is_its_mean_projection():
    shift = np.full(12, 2.0)
    found = metrics.sliced_wasserstein(REAL.astype("f8"), REAL + shift, seed=1, directions=4000)
    # E|<shift, line>| over the sphere is |shift| E|u1|, and E|u1| = Gamma(6) / (sqrt(pi) Gamma(6.5)) in 12 dimensions
    expected = np.linalg.norm(shift) * np.exp(scipy.special.gammaln(6) - scipy.special.gammaln(6.5)) / np.sqrt(np.pi)
    assert found == pytest.approx(expected, rel=0.03)


def test_wasserstein_to_the_exact_law(random):
    points = random.normal(4.3, 1.0, 50)
    quantiles = scipy.stats.norm.ppf((np.arange(2_000_000) + 0.5) / 2_000_000, 4, 1.25)
    expected = scipy.stats.wasserstein_distance(points, quantiles)
    assert metrics.wasserstein_to_normal(points, 4, 1.25) == pytest.approx(expected, rel=1e-4)
    many = random.normal(4, 1.25, 400_000)
    assert metrics.wasserstein_to_normal(many, 4, 1.25) < 0.01
    assert metrics.kolmogorov_smirnov(many, 4, 1.25) < 0.005
    assert metrics.kolmogorov_smirnov(many + 1.25, 4, 1.25) == pytest.approx(
        2 * scipy.stats.norm.cdf(0.5) - 1, abs=5e-3
    )


def test_modes_and_their_divergence():
    real, fake = np.array([0.5, 0.25, 0.25, 0]), np.array([0.5, 0.48, 0.02, 0])
    assert metrics.covered(real, fake).tolist() == [True, True, False, False]
    assert metrics.kullback_leibler(fake, real) == pytest.approx(scipy.stats.entropy(fake[:3], real[:3]))
    assert metrics.kullback_leibler(real, real) == 0
    assert metrics.kullback_leibler(np.zeros(4), real) == np.inf
    assert metrics.shares(np.array([0, 1, 1, -1]), 3).tolist() == [0.25, 0.5, 0]
    centers = np.array([[0.0, 0.0], [5.0, 0.0]])
    assert metrics.nearest_modes(np.array([[0.1, 0], [5, 0.4], [2.5, 0]]), centers, 0.5).tolist() == [0, 1, -1]


def test_scores_worsen_step_by_step_with_distance(random):
    x = random.normal(size=(600, 6))
    found = [all_scores(x, random.normal(size=(600, 6)) + shift) for shift in (0, 0.5, 1, 2, 4)]
    for name in ("frechet", "kid", "sliced"):
        values = [one[name] for one in found]
        assert values == sorted(values), name
    for name in ("precision", "recall", "density", "coverage"):
        values = [one[name] for one in found]
        assert values[1:] == sorted(values[1:], reverse=True), name


def test_on_a_gpu_the_metrics_are_the_same(monkeypatch):
    """What a GPU does, done by torch on the CPU."""
    real, fake = (np.random.default_rng(seed).normal(size=(1100, 5)).astype("f4") for seed in (0, 1))

    def measured():
        radii = metrics.radii(real, 3)[0]
        nearest = metrics.nearest(fake, real)
        single = metrics.kernel_distance(real, fake, 0)[0], metrics.sliced_wasserstein(real, fake, 0)
        return [radii, *nearest, metrics.within(real, fake, radii), *single]

    expected = measured()
    monkeypatch.setattr(metrics.products, "_device", torch.device("cpu"))
    for ours, theirs in zip(measured(), expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-9)
