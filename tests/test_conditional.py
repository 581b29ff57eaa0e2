"""Class-conditional training and sampling."""

import numpy as np
import pytest
from conftest import TINY

from ganutils.files import container


@pytest.fixture
def two_classes(tmp_path):
    """Dark pictures are of class `night`, light ones of class `day`."""
    labels = np.arange(400) % 2
    images = np.where(labels, 215, 40)[:, None, None, None] + np.random.default_rng(0).integers(-20, 20, (400, 8, 8, 1))
    tensors = {"images": images.astype("u1"), "labels": labels}
    container.write(str(tmp_path / "sky.safetensors"), "samples", tensors, {"classes": ["night", "day"]})
    return "sky.safetensors"


@pytest.mark.parametrize("arch", ["dcgan", "mlp", "resnet"])
def test_the_generator_learns_which_class_is_which(ok, two_classes, content, arch):
    size = ["--width", 8 if arch != "mlp" else 64, "--z-dim", 8, "--batch", 32, "--arch", arch]
    ok("gan-loop", two_classes, *size, "--conditional", "--steps", 150, "-o", "sky.ckpt", "-q")
    ok("gan-sample", "sky.ckpt", "-n", 40, "-o", "both.safetensors")
    meta, both = content("both.safetensors")
    assert meta["classes"] == ["night", "day"]
    assert both["labels"].tolist() == [0] * 20 + [1] * 20
    assert both["images"][:20].mean() + 60 < both["images"][20:].mean()
    ok("gan-sample", "sky.ckpt", "-n", 20, "--label", "day", "-o", "day.safetensors")
    day = content("day.safetensors")[1]
    assert day["labels"].tolist() == [1] * 20
    assert day["images"].mean() > 128
    ok("gan-sample", "sky.ckpt", "--latents", "day.safetensors", "-o", "again.safetensors")
    assert np.array_equal(content("again.safetensors")[1]["images"], day["images"])


def test_what_is_wrong_is_said(ok, fails, two_classes, pictures, checkpoint, tmp_path):
    ok("gan-loop", two_classes, *TINY, "--conditional", "--steps", 0, "-o", "sky.ckpt")
    assert "has no class 'dusk'; its classes are night, day" in fails(
        "gan-sample", "sky.ckpt", "--label", "dusk", "-o", "x.png"
    )
    assert "has no classes, so --label means nothing" in fails("gan-sample", checkpoint, "--label", "1", "-o", "x.png")
    ok("gan-interp", "--seeds", "1,2", "--for", "sky.ckpt", "-o", "walk.safetensors")
    assert "give --label" in fails("gan-sample", "sky.ckpt", "--latents", "walk.safetensors", "-o", "x.png")
    assert "give DATA" in fails("gan-train-g", "--from", "sky.ckpt", "-o", "x.ckpt", code=2)
    assert "labels go up to 2, and the run has 2 classes" in fails(
        "gan-train-d", pictures, "--from", "sky.ckpt", "-o", "x.ckpt"
    )
    np.save(tmp_path / "plain.npy", np.zeros((5, 8, 8), "u1"))
    ok("gan-data", "plain.npy", "-o", "plain.safetensors")
    assert "has no labels, which --conditional needs" in fails(
        "gan-loop", "plain.safetensors", "--conditional", "-o", "x.ckpt"
    )
