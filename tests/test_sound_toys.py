"""Toys that sound: drums and vowels, at any rate, and the formants they say."""

import numpy as np
import pytest

from ganutils.samples.sources.vowels import FORMANTS


@pytest.mark.parametrize(("toy", "classes"), [("drums", ["kick", "snare", "hat", "tom"]), ("vowels", list("aeiou"))])
def test_toys_are_sounds_of_a_seed(made, toy, classes):
    meta, tensors, lines = made(f"toy:{toy}", "--limit", 40)
    sound = tensors["signals"]
    assert lines == ["40 sounds of 4096x1"]
    assert (meta["sample_rate"], meta["classes"]) == (8000, classes)
    assert tensors["labels"].tolist() == [number % len(classes) for number in range(40)]
    assert "CC0" in meta["license"]
    peaks = np.abs(sound).max((1, 2))
    assert 0.45 < peaks.min() < 0.6 < 0.85 < peaks.max() < 0.96
    assert np.abs(sound[:, -1]).max() < 0.001, "they end in silence"
    assert np.array_equal(sound * 32768, np.rint(sound * 32768)), "as a WAV of 16 bits holds them"
    assert len(np.unique(sound.reshape(40, -1), axis=0)) == 40
    assert np.array_equal(made(f"toy:{toy}", "--limit", 30)[1]["signals"], sound[:30])
    assert not np.array_equal(made(f"toy:{toy}", "--limit", 40, "--seed", 1)[1]["signals"], sound)


def test_drums_begin_at_once(made):
    _, tensors, _ = made("toy:drums", "--limit", 80)
    loud = np.abs(tensors["signals"][..., 0])
    first = (loud > 0.1 * loud.max(1, keepdims=True)).argmax(1)
    assert first.max() <= 8 * 8, "within 8 ms"


@pytest.mark.parametrize("rate", [4000, 44100])
@pytest.mark.parametrize("toy", ["drums", "vowels"])
def test_toys_at_other_rates_are_drawn_there(made, toy, rate):
    meta, tensors, _ = made(f"toy:{toy}", "--limit", 8, "--rate", rate, "--length", "0.3s")
    assert (meta["sample_rate"], tensors["signals"].shape) == (rate, (8, round(0.3 * rate), 1))
    assert np.abs(tensors["signals"]).max((1, 2)).min() > 0.4
    assert made(f"toy:{toy}", "--limit", 2, "--length", 1)[1]["signals"].shape == (2, 1, 1)


def formants(sound, rate=8000, order=12):
    """The first two resonances of a sound, Hz, by linear prediction (autocorrelation method)."""
    sound = np.append(sound[0], sound[1:] - 0.97 * sound[:-1]) * np.hamming(len(sound))
    r = np.correlate(sound, sound, "full")[len(sound) - 1 : len(sound) + order]
    ahead = np.linalg.solve(
        r[np.abs(np.subtract.outer(range(order), range(order)))] + 1e-9 * r[0] * np.eye(order), r[1:]
    )
    roots = np.roots([1, *-ahead])
    roots = roots[roots.imag > 0]
    found = np.angle(roots) * rate / (2 * np.pi), -np.log(np.abs(roots)) * rate / np.pi
    return np.sort(found[0][(found[1] < 500) & (found[0] > 90)])[:2]


def test_vowels_have_the_formants_they_say(made):
    meta, tensors, _ = made("toy:vowels", "--limit", 100)
    assert meta["toy"] == {"name": "vowels", "formants": {vowel: [*three] for vowel, three in FORMANTS.items()}}
    right = []
    for sound, label in zip(tensors["signals"][..., 0].astype(float), tensors["labels"], strict=True):
        wanted = np.array(FORMANTS["aeiou"[label]][:2])
        right.append(bool((np.abs(formants(sound) / wanted - 1) < 0.1).all()))
    assert np.mean(right) >= 0.97
