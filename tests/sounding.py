"""Sounds for tests: files of some, and what is heard of a result."""

import subprocess
import wave

import numpy as np
import pytest

from ganutils.files import container

RATE = 8000


def noise(*shape, seed=0):
    return np.random.default_rng(seed).uniform(-1, 1, shape).astype("f4")


def sixteen(signals):
    """What a WAV has of numbers in -1..1."""
    return np.clip(np.rint(signals.astype(float) * 32768), -32768, 32767)


@pytest.fixture
def saved(tmp_path):
    """saved("x", signals, ...) -> "x.safetensors", in tmp_path."""

    def write(name, signals, beside=None, **meta):
        meta = {"sample_rate": RATE, "lineage": ["made by hand"], **meta}
        container.write(str(tmp_path / f"{name}.safetensors"), "samples", {"signals": signals, **(beside or {})}, meta)
        return f"{name}.safetensors"

    return write


@pytest.fixture
def takes(tmp_path):
    """takes({"a/1.wav": bytes}) -> "takes", a folder of such files, in tmp_path"""

    def write(files, name="takes"):
        for path, data in files.items():
            path = tmp_path / name / path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        return name

    return write


@pytest.fixture
def heard(tmp_path):
    """heard("x.wav") -> rate, int16 [n, C], by Python's own reader; of an MP4, as ffmpeg decodes it."""

    def read(name):
        path = str(tmp_path / name)
        if name.endswith(".mp4"):
            import imageio_ffmpeg

            path = str(tmp_path / "decoded.wav")
            command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y", "-i", str(tmp_path / name), path]
            subprocess.run(command, check=True)
        with wave.open(path) as sound:
            assert sound.getsampwidth() == 2
            numbers = np.frombuffer(sound.readframes(1 << 30), "<i2").reshape(-1, sound.getnchannels())
            assert len(numbers) == sound.getnframes()
            return sound.getframerate(), numbers

    return read
