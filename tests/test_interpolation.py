"""Paths through latents, as properties."""

import inspect
import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ganutils import Error
from ganutils.latents import interpolation, kinds
from ganutils.latents.draw import draw_latents

METHOD = st.sampled_from(kinds.METHODS)


def keys(data, count):
    numbers = st.floats(-3, 3, width=32)
    return np.array(
        data.draw(st.lists(st.lists(numbers, min_size=4, max_size=4), min_size=count, max_size=count)), "f4"
    )


@given(data=st.data(), count=st.integers(2, 5), method=METHOD, closed=st.booleans())
def test_a_path_passes_every_key_exactly(data, count, method, closed):
    points = keys(data, count)
    film = interpolation.path(points, None, method, closed)
    assert film.dtype == np.float32
    assert np.isfinite(film).all()
    assert len(film) == (30 * count if closed else 30 * (count - 1) + 1)
    assert np.array_equal(film[::30], points)


@given(data=st.data(), frames=st.integers(2, 50), method=METHOD)
def test_an_open_path_has_its_frames_and_both_ends(data, frames, method):
    points = keys(data, 2)
    film = interpolation.path(points, frames, method, False)
    assert len(film) == frames
    assert np.array_equal(film[[0, -1]], points)


@given(data=st.data(), t=st.floats(0, 1, width=32))
def test_slerp_keeps_the_radius_between_the_ends(data, t):
    a, b = keys(data, 2)
    radius = np.linalg.norm(interpolation.slerp(a[None], b[None], np.array([[t]], "f4")))
    lowest, highest = sorted(np.linalg.norm([a, b], axis=1))
    same_way = a @ b > (1 - 1e-5) * lowest * highest
    assert same_way or lowest < 1e-6 or lowest - 1e-3 <= radius <= highest + 1e-3


def test_slerp_of_equal_and_opposite_ends():
    a, t = np.array([[3.0, 4.0, 0.0]], "f4"), np.array([[0.5]], "f4")
    assert np.array_equal(interpolation.slerp(a, a, t), a)
    middle = interpolation.slerp(a, -a, t)
    assert abs(np.linalg.norm(middle) - 5) < 1e-5
    assert abs((middle @ a.T).item()) < 1e-4


@given(data=st.data(), method=METHOD, closed=st.booleans())
def test_any_path_of_a_uniform_prior_stays_in_its_support(data, method, closed):
    points = np.clip(keys(data, 4), -1, 1)
    film = interpolation.path(points, 40, method, closed, prior="uniform")
    assert np.abs(film).max() <= 1
    assert np.array_equal(film[0], points[0])


@pytest.mark.parametrize("closed", [False, True])
def test_the_spline_is_the_textbook_one(closed):
    interpolate = pytest.importorskip("scipy.interpolate")
    points = np.clip(draw_latents(5, 6, 8, "normal"), -1, 1) * 0.2  # small enough to stay in the cube
    film = interpolation.path(points, None, "spline", closed, prior="uniform")
    knots = np.concatenate([points, points[:1]]) if closed else points
    known = interpolate.CubicSpline(np.arange(len(knots)), knots, bc_type="periodic" if closed else "natural")
    times = np.arange(len(film)) / interpolation.LEG
    assert np.abs(film - known(times)).max() < 1e-5


@given(seed=st.integers(0, 1000), count=st.integers(3, 8))
def test_a_spline_of_a_normal_prior_keeps_to_the_shell(seed, count):
    points = draw_latents(seed, count, 64, "normal")
    radii = np.linalg.norm(points, axis=1)
    film = np.linalg.norm(interpolation.path(points, None, "spline", True), axis=1)
    assert radii.min() * 0.99 <= film.min()
    assert film.max() <= radii.max() * 1.01


def test_a_spline_through_the_middle_does_not_tear():
    ends = draw_latents(1, 1, 16, "normal") * np.array([[1], [-1]], "f4")
    film = interpolation.path(ends, 200, "spline", False)
    steps = np.linalg.norm(np.diff(film, axis=0), axis=1)
    assert steps.max() < 5 * np.median(steps)


def test_a_closed_spline_has_no_corner_where_it_starts():
    points = draw_latents(2, 5, 32, "normal")
    film = interpolation.path(points, 500, "spline", True)
    speed = np.diff(np.concatenate([film, film[:2]]), axis=0)
    turns = np.linalg.norm(np.diff(speed, axis=0), axis=1)
    assert turns[-1] <= 1.5 * turns.max()
    lerp = interpolation.path(points, 500, "lerp", True)
    corner = np.linalg.norm(np.diff(np.diff(np.concatenate([lerp, lerp[:2]]), axis=0), axis=0), axis=1)
    assert turns.max() < corner.max() / 5


@given(data=st.data(), closed=st.booleans(), dwell=st.integers(1, 5), method=METHOD)
def test_dwelling_repeats_each_key_and_changes_nothing_else(data, closed, dwell, method):
    points = draw_latents(data.draw(st.integers(0, 99)), 4, 6, "normal")
    plain, held = (interpolation.path(points, None, method, closed, dwell=frames) for frames in (0, dwell))
    assert len(held) == len(plain) + 4 * dwell
    for key in points:
        same = [bool((frame == key).all()) for frame in held]
        runs = [len(list(run)) for is_key, run in itertools.groupby(same) if is_key]
        assert runs == [dwell + 1]


def test_cosine_ease_rests_at_the_keys_and_goes_the_same_way():
    points = draw_latents(3, 3, 6, "normal")
    film = interpolation.path(points, None, "lerp", False, ease="cosine")
    steps = np.linalg.norm(np.diff(film, axis=0), axis=1)
    assert np.array_equal(film[::30], points)
    assert steps[0] < steps[14] / 10
    assert steps[29] < steps[14] / 10


@given(seed=st.integers(0, 99), frames=st.integers(2, 40))
def test_circles_start_at_their_latents_and_keep_the_radius(seed, frames):
    points = draw_latents(seed, 3, 20, "normal")
    film = interpolation.circle(points, frames, seed, "normal")
    assert film.shape == (frames, 3, 20)
    assert np.allclose(film[0], points)
    assert np.allclose(np.linalg.norm(film, axis=-1), np.linalg.norm(points, axis=-1), rtol=1e-4)
    steps = np.linalg.norm(np.diff(np.concatenate([film, film[:1]]), axis=0), axis=-1)
    assert np.allclose(steps, steps[0], rtol=1e-3)  # even speed, the way back to the start included
    assert np.abs(interpolation.circle(np.clip(points, -1, 1), frames, seed, "uniform")).max() <= 1


def test_axes_move_one_coordinate_each():
    points = draw_latents(4, 2, 5, "normal")
    film = interpolation.axes(points, [0, 3], 9, "linear", 2.0, "normal")
    assert film.shape == (9, 4, 5)
    for walk, (row, axis) in enumerate([(0, 0), (0, 3), (1, 0), (1, 3)]):
        assert np.allclose(film[:, walk, axis], np.linspace(-2, 2, 9))
        others = [n for n in range(5) if n != axis]
        assert (film[:, walk, others] == points[row, others]).all()
    with pytest.raises(Error, match="no axis 5"):
        interpolation.axes(points, [5], 9, "linear", 2.0, "normal")


def test_directions_are_walked_to_both_sides():
    points, directions = draw_latents(4, 2, 5, "normal"), draw_latents(5, 3, 5, "normal")
    film = interpolation.along_directions(points, directions, 5, "linear", 1.5, "normal")
    assert film.shape == (5, 6, 5)
    assert np.allclose(film[2], points.repeat(3, 0))
    assert np.allclose(film[4, 4] - points[1], 1.5 * directions[1], atol=1e-5)
    assert np.allclose(film[0, 4] - points[1], -1.5 * directions[1], atol=1e-5)


def test_jitter_is_small_smooth_closed_and_distributed_as_the_prior():
    points = draw_latents(6, 4, 2000, "normal")
    film = interpolation.jitter(points, 50, 0, 0.25, "normal")
    assert abs(film.std() - 1) < 0.02
    assert abs((film * np.sqrt(1 + 0.25**2) - points).std() - 0.25) < 0.02
    steps = np.linalg.norm(np.diff(np.concatenate([film, film[:1]]), axis=0), axis=-1)
    assert steps.max() < 2 * steps.min()
    assert not np.array_equal(film, interpolation.jitter(points, 50, 1, 0.25, "normal"))
    assert np.abs(interpolation.jitter(np.clip(points, -1, 1), 50, 0, 0.25, "uniform")).max() <= 1


def test_a_grid_has_its_corners_at_its_corners():
    points = draw_latents(7, 4, 6, "normal")
    sheet = interpolation.sheet_between(points, (5, 3), "slerp", "normal").reshape(3, 5, 6)
    assert np.array_equal(sheet[[0, 0, -1, -1], [0, -1, 0, -1]], points)
    upper = interpolation.path(points[:2], 5, "slerp", False)
    assert np.array_equal(sheet[0], upper)


def test_every_kind_of_path_takes_the_options_it_declares():
    for kind, options in kinds.KINDS.items():
        if kind != "words":  # whose sentences have vectors of their own beside the latents
            taken = [*inspect.signature(interpolation.PATHS[kind]).parameters][3:]  # after keys, prior and name
            assert sorted(taken) == sorted(options), kind
    assert {*interpolation.PATHS, "words"} == kinds.KINDS.keys()
    assert interpolation.EASES.keys() == set(kinds.EASES)


HUGE = np.float32(3e38)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("axis", {"along": np.full((1, 4), HUGE), "reach": 100}),
        ("walk", {"method": "slerp"}),
        ("grid", {"method": "slerp"}),
        ("circle", {}),
    ],
)
def test_a_path_that_overflows_is_an_error_without_warnings(kind, options):
    points = HUGE * np.array([[1, 0, 0, 1], [0, 1, 1, 0], [-1, 0, 0, 1], [0, 1, -1, 0]], "f4")
    with pytest.raises(Error, match="x: its latents, or directions, are so long that the result overflows"):
        interpolation.make_path(kind, points, "normal", "x", **options)
