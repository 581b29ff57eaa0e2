"""The measurements in bench/, at toy sizes: that the scripts work, also where what they are for is not at hand."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
from conftest import ROOT

import ganutils

STAGES = [
    "ceilings,engine",
    pytest.param("ceilings,plain,engine,laws,quality,sample,tests", marks=pytest.mark.soak),
]


@pytest.mark.parametrize("stages", STAGES)
def test_bench_gpu_reports_each_stage_in_a_table(tmp_path, stages):
    line = [sys.executable, str(ROOT / "bench" / "gpu"), "--tiny", "--stages", stages, "--out", str(tmp_path)]
    done = subprocess.run(
        line, env={**os.environ, "CUDA_VISIBLE_DEVICES": ""}, capture_output=True, text=True, timeout=600
    )
    assert done.returncode == 0, done.stderr
    findings = [json.loads(line) for line in (tmp_path / "gpu.jsonl").read_text().splitlines()]
    assert [one for one in findings if one["kind"] == "failed"] == []
    assert all(one["images_per_second"] > 0 for one in findings if one["kind"] in ("plain", "engine"))
    assert all(one["twice"] and one["resumed"] and one["by_hand"] for one in findings if one["kind"] == "laws")
    table = (tmp_path / "gpu.md").read_text()
    assert "| engine: fp32, eager | 32x32x1 | 8 |" in table
    assert done.stdout.endswith(table)


def test_bench_gpu_goes_on_after_a_stage_that_fails(tmp_path):
    """A stage that has no time left is reported and costs no other."""
    line = [sys.executable, str(ROOT / "bench" / "gpu"), "--tiny", "--budget", "0", "--stages", "laws", "--out", "out"]
    done = subprocess.run(line, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    assert "laws failed: no time was left" in done.stdout


@pytest.mark.parametrize("busy", [[], pytest.param(["--busy"], marks=pytest.mark.soak)])
def test_bench_train_prints_a_table(busy):
    line = [sys.executable, str(ROOT / "bench" / "train"), "--cases", "8x8x1:2", "--rounds", "1", "--seconds", "0.01"]
    done = subprocess.run([*line, *busy], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    rows = [row.split(" | ") for row in done.stdout.splitlines() if row.startswith("| ")]
    assert len(rows) == (5 if busy else 3)
    assert len({len(row) for row in rows}) == 1


def test_bench_ageing_knows_gray_hair(ok, tmp_path):
    for name, where in (("young", "age<0.35"), ("old", "age>0.65")):
        ok("gan-data", "toy:faces:age", "--where", where, "--limit", 3, "--size", 64, "-o", f"{name}.safetensors")
    ok("gan-data", "young.safetensors", "old.safetensors", "-o", "ages.safetensors")
    ok("gan-loop", "ages.safetensors", "--domains", "--width", 1, "--steps", 1, "-o", "a.ckpt.safetensors")
    line = [sys.executable, str(ROOT / "bench" / "ageing"), "a.ckpt.safetensors", "--count", "6"]
    done = subprocess.run(line, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    rows = [row.strip("| ").split(" | ") for row in done.stdout.splitlines()[2:]]
    shares = {name: share for name, share, *_ in rows}
    assert (shares["young"], shares["old"]) == ("0.0%", "100.0%")
    assert {"young made old", "old made young"} < shares.keys()


@pytest.mark.soak
def test_bench_quality_scores_each_way_beside_the_real_pictures(tmp_path):
    random, labels = np.random.default_rng(0), np.arange(300) % 2
    images = (random.random((300, 32, 32)) < 0.05) * 255
    images[labels == 1, 8:20, 8:20] = 255
    for name, half in (("train", slice(0, None, 2)), ("test", slice(1, None, 2))):
        ganutils.write(tmp_path / f"{name}.safetensors", images=images[half].astype("u1"), labels=labels[half])
    line = [sys.executable, str(ROOT / "bench" / "quality"), "train.safetensors", "test.safetensors", "--seeds", "1"]
    line += ["--judge", "train.safetensors", "--seconds", "6", "--count", "60", "--options=--width 8"]
    done = subprocess.run(line, cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    head, *rows = [row.split() for row in done.stdout.splitlines()[2:]]
    assert head[-3:] == ["judge", "sure", "specks"]
    assert [row[0] for row in rows] == ["real", "modern", "plain"]
    assert (tmp_path / "quality" / "modern-0.png").exists()


def test_specks_are_what_is_lit_apart_from_the_largest_part(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "bench"))
    import judge

    pictures = np.zeros((3, 8, 8, 1), "u1")
    pictures[0, 1:3, 1:3] = 255  # a part of five pixels, by a corner, and a speck of one
    pictures[0, 3, 3] = pictures[0, 7, 7] = 65
    pictures[1, :, 0] = 64  # dark
    pictures[2, 0, 0] = pictures[2, 7, 7] = 200  # as large as the other
    assert judge.specks(pictures) == pytest.approx(2 / 8)
    assert judge.specks(pictures[:2]) == pytest.approx(1 / 6)
    assert judge.specks(pictures[1:2]) == 0
