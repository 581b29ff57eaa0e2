"""Sounds for tests: sines, and WAV files byte by byte, so that their headers can lie."""

import io
import struct
import wave

import numpy as np


def sine(hertz, rate=8000, length=4000, level=0.5):
    """float64 [length]."""
    return level * np.sin(2 * np.pi * hertz * np.arange(length) / rate)


def wav(sound, rate=8000, width=2):
    """The bytes of a WAV file of a sound [T] or [T, C], in whole numbers of `width` bytes."""
    sound = np.asarray(sound, np.float64)
    sound = sound[:, None] if sound.ndim == 1 else sound
    most = 1 << (8 * width - 1)
    whole = np.clip(np.rint(sound * most), -most, most - 1).astype("<i8")
    parts = whole.astype("<i8").view(np.uint8).reshape(*sound.shape, 8)[..., :width].copy()
    if width == 1:
        parts ^= 128
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(sound.shape[1])
        file.setsampwidth(width)
        file.setframerate(rate)
        file.writeframes(parts.tobytes())
    return out.getvalue()


def floats(sound, rate=8000):
    """The bytes of a WAV file of numbers of 32 bits with a point."""
    data = np.asarray(sound, "<f4").tobytes()
    return header(len(data), rate, bits=32, tag=3) + data


def header(size, rate=8000, channels=1, bits=16, tag=1):
    """What comes before `size` bytes of data."""
    frame = channels * bits // 8
    about = struct.pack("<HHIIHH", tag, channels, rate, min(rate * frame, 2**32 - 1), frame, bits)
    whole = struct.pack("<I", min(size + 36, 2**32 - 1))
    return b"RIFF" + whole + b"WAVEfmt " + struct.pack("<I", 16) + about + b"data" + struct.pack("<I", size)


def loudest(sound, rate):
    """Hz of the loudest of its sines."""
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(len(sound)), 1 << 18))
    return float(np.argmax(spectrum) * rate / (1 << 18))
