"""Seeds and paths, as properties."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ganutils import latents
from ganutils.randomness import draw, stream

PRIORS = st.sampled_from(["normal", "uniform"])


@given(
    seed=st.integers(0, 1 << 63), prior=PRIORS, z_dim=st.integers(1, 9), count=st.integers(1, 9), more=st.integers(0, 9)
)
def test_a_larger_count_only_adds_rows(seed, prior, z_dim, count, more):
    few, many = latents.drawn(seed, count, z_dim, prior), latents.drawn(seed, count + more, z_dim, prior)
    assert np.array_equal(many[:count], few)


@given(seeds=st.lists(st.integers(0, 1000), min_size=1, max_size=5), prior=PRIORS)
def test_a_seed_gives_its_latent_whatever_the_batch(seeds, prior):
    together = latents.seeded(seeds, 6, prior)
    for row, seed in enumerate(seeds):
        assert np.array_equal(together[row], latents.drawn(seed, 3, 6, prior)[0])


@pytest.mark.parametrize(("prior", "deviation", "largest"), [("normal", 1.0, 7.0), ("uniform", 3**-0.5, 1.0)])
def test_priors_are_what_they_are_called(prior, deviation, largest):
    z = draw(stream(3, "x"), prior, (200, 500))
    assert z.dtype == np.float32
    assert abs(z.mean()) < 0.01
    assert abs(z.std() - deviation) < 0.01
    assert np.abs(z).max() <= largest


def keys(data, count):
    numbers = st.floats(-3, 3, width=32)
    return np.array(
        data.draw(st.lists(st.lists(numbers, min_size=4, max_size=4), min_size=count, max_size=count)), "f4"
    )


@given(data=st.data(), count=st.integers(2, 4), method=st.sampled_from(list(latents.METHODS)), closed=st.booleans())
@settings(deadline=None)
def test_a_path_passes_every_key_exactly(data, count, method, closed):
    points = keys(data, count)
    film = latents.path(points, None, method, closed)
    assert film.dtype == np.float32
    assert np.isfinite(film).all()
    assert len(film) == (30 * count if closed else 30 * (count - 1) + 1)
    assert np.array_equal(film[::30], points)


@given(data=st.data(), frames=st.integers(2, 50), method=st.sampled_from(list(latents.METHODS)))
def test_an_open_path_has_its_frames_and_both_ends(data, frames, method):
    points = keys(data, 2)
    film = latents.path(points, frames, method, False)
    assert len(film) == frames
    assert np.array_equal(film[[0, -1]], points)


@given(data=st.data(), t=st.floats(0, 1, width=32))
def test_slerp_keeps_the_radius_between_the_ends(data, t):
    a, b = keys(data, 2)
    radius = np.linalg.norm(latents.slerp(a[None], b[None], np.array([[t]], "f4")))
    lowest, highest = sorted(np.linalg.norm([a, b], axis=1))
    same_way = a @ b > (1 - 1e-5) * lowest * highest
    assert same_way or lowest < 1e-6 or lowest - 1e-3 <= radius <= highest + 1e-3


def test_slerp_of_equal_and_opposite_ends():
    a, t = np.array([[3.0, 4.0, 0.0]], "f4"), np.array([[0.5]], "f4")
    assert np.array_equal(latents.slerp(a, a, t), a)
    middle = latents.slerp(a, -a, t)
    assert abs(np.linalg.norm(middle) - 5) < 1e-5
    assert abs((middle @ a.T).item()) < 1e-4


@given(data=st.data())
def test_lerp_of_a_uniform_prior_stays_in_its_support(data):
    points = np.clip(keys(data, 3), -1, 1)
    assert np.abs(latents.path(points, 40, "lerp", True)).max() <= 1
