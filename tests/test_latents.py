"""Seeds and priors, as properties."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ganutils.latents.draw import draw_latents, draw_one_each
from ganutils.randomness import draw, stream

PRIORS = st.sampled_from(["normal", "uniform"])


@given(
    seed=st.integers(0, 1 << 63), prior=PRIORS, z_dim=st.integers(1, 9), count=st.integers(1, 9), more=st.integers(0, 9)
)
def test_a_larger_count_only_adds_rows(seed, prior, z_dim, count, more):
    few, many = draw_latents(seed, count, z_dim, prior), draw_latents(seed, count + more, z_dim, prior)
    assert np.array_equal(many[:count], few)


@given(seeds=st.lists(st.integers(0, 1000), min_size=1, max_size=5), prior=PRIORS)
def test_a_seed_gives_its_latent_whatever_the_batch(seeds, prior):
    together = draw_one_each(seeds, 6, prior)
    for row, seed in enumerate(seeds):
        assert np.array_equal(together[row], draw_latents(seed, 3, 6, prior)[0])


@pytest.mark.parametrize(("prior", "deviation", "largest"), [("normal", 1.0, 7.0), ("uniform", 3**-0.5, 1.0)])
def test_priors_are_what_they_are_called(prior, deviation, largest):
    z = draw(stream(3, "x"), prior, (200, 500))
    assert z.dtype == np.float32
    assert abs(z.mean()) < 0.01
    assert abs(z.std() - deviation) < 0.01
    assert np.abs(z).max() <= largest
