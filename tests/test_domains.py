"""Data of two domains, for translators that learn without pairs: young and old faces, looks of digits, joins."""

import numpy as np
import pytest

from ganutils.samples.sources.faces import ATTRIBUTES

# ------------------------------------------------------------------------------------------------ ages


@pytest.fixture
def aged(made):
    """aged("--size", ...) -> tensors of a thousand aged faces by name, and of the same rows of toy:faces."""

    def both(*options):
        meta, tensors, _ = made("toy:faces:age", "--limit", 1000, *options)
        assert meta["attributes"] == [*ATTRIBUTES, "age"]
        return tensors, made("toy:faces", "--limit", 1000, *options)[1]

    return both


def test_an_aged_face_is_that_of_the_same_row(aged):
    tensors, plain = aged("--size", 32, "--derive", "sketch")
    age, others = tensors["attributes"][:, 5], tensors["attributes"][:, :5]
    same = [name != "glasses" for name in ATTRIBUTES]
    assert np.array_equal(others[:, same], plain["attributes"][:, same])
    assert abs(np.histogram(age, 4, (0, 1))[0] - 250).max() < 50
    glasses = others[:, 1]
    assert glasses[age < 0.3].mean() == pytest.approx(0.43, abs=0.07)
    assert glasses[age > 0.7].mean() == pytest.approx(0.57, abs=0.07)
    is_plain = (age < 0.5) & (glasses == plain["attributes"][:, 1])
    assert is_plain.sum() > 400
    assert np.array_equal(tensors["inputs"][is_plain], plain["inputs"][is_plain])
    assert not np.array_equal(tensors["images"][is_plain], plain["images"][is_plain])  # hair has other colors


def test_the_old_are_gray_and_the_young_never(aged):
    tensors, plain = aged()
    attributes = tensors["attributes"]
    hair = tensors["images"][:, 16, 32].astype(int)  # above the forehead
    is_gray = (np.ptp(hair, 1) < 16) & (hair.max(1) > 100)
    has_hat, age = attributes[:, 3] == 1, attributes[:, 5]
    assert is_gray[(age > 0.66) & ~has_hat].all()
    assert not is_gray[(age < 0.34) & ~has_hat].any()
    plain = plain["images"][:, 16, 32].astype(int)
    assert ((np.ptp(plain, 1) < 16) & (plain.max(1) > 100))[(age < 0.34) & ~has_hat].any(), "some of toy:faces are"


def test_wrinkles_come_with_age(aged):
    tensors, plain = aged("--derive", "sketch", "--size", 64)
    age = tensors["attributes"][:, 5]
    same = tensors["attributes"][:, 1] == plain["attributes"][:, 1]
    ink = plain["inputs"].mean((1, 2, 3)) - tensors["inputs"].mean((1, 2, 3))
    assert (ink[same & (age > 0.55)] > 1).all()
    assert ink[same & (age > 0.9)].mean() > ink[same & (age > 0.5) & (age < 0.6)].mean() + 0.5


def test_young_and_old_are_chosen_by_their_age(made):
    _, young, _ = made("toy:faces:age", "--where", "age<0.35", "--limit", 50, "--size", 16)
    _, old, _ = made("toy:faces:age", "--where", "age > 0.65 & ~hat", "--limit", 50, "--size", 16)
    assert young["attributes"].shape == old["attributes"].shape == (50, 6)
    assert young["attributes"][:, 5].max() < 0.35 and old["attributes"][:, 5].min() > 0.65
    assert not old["attributes"][:, 3].any()
