"""What gan-eval measures in: an extractor turns samples into features [N, F].

classifier   of the labelled set, trained once and cached          points       the points themselves
random       the same network with its random weights (no labels)  pixels       the pictures themselves
inception    the FID network, through torch-fidelity               FILE         an ONNX model, or a classifier of ours
"""

from __future__ import annotations

import hashlib
import math
import os
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from ganutils import Error
from ganutils.files import container

NAMED = ("auto", "inception", "pixels")
WIDEST = 4096  # features; the root of a wider covariance takes minutes
FORWARD = 64  # pictures to a forward pass of a large network

# The weights that torch-fidelity downloads, and the SHA-256 of that file. They are in torch's own format,
# which can carry code: torch-fidelity, which reads it, is given this very file or none.
INCEPTION_URL = (
    "https://github.com/toshas/torch-fidelity/releases/download/v0.2.0/weights-inception-2015-12-05-6726825d.pth"
)
INCEPTION_SHA256 = "6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2"


class Extractor(NamedTuple):
    """Features, and what is said of them in the results.

    features    samples uint8 [N, H, W, C] or float32 [N, D] -> [N, F]
    about       name, hash, and the filter that resizes pictures on their way in
    classify    samples -> class int64 [N], or None if it knows none
    classes     what those classes mean
    """

    features: Callable[[np.ndarray], np.ndarray]
    about: dict[str, Any]
    classify: Callable[[np.ndarray], np.ndarray] | None = None
    classes: Sequence[str] = ()


class LabeledSet(NamedTuple):
    """A set to train on: samples, and labels int64 [N], attributes float32 [N, A] or None, with their names."""

    samples: np.ndarray
    targets: np.ndarray | None
    names: Sequence[str]


def open_extractor(name: str, real: LabeledSet, root: str, device: str, weights: str | None = None) -> Extractor:
    """The extractor of that name or file.

    root      folder where trained classifiers and downloaded weights are kept
    weights   a file of the Inception network's weights, instead of the download
    """
    found = _named(name, real, root, device, weights)

    def features(samples: np.ndarray) -> np.ndarray:
        made = found.features(samples)
        if not np.isfinite(made).all():
            raise Error(f"--features {name}: gives what is not a finite number; nothing can be measured in that")
        return made

    return found._replace(features=features)


def _named(name: str, real: LabeledSet, root: str, device: str, weights: str | None) -> Extractor:
    points = real.samples.ndim == 2
    if name in ("auto", "pixels") and points:
        return Extractor(lambda samples: samples, _about("points", "none"))
    if points:
        raise Error(f"--features {name}: is for pictures, and these samples are points; leave it out")
    if name == "auto":
        return of_set(real, root, device)
    if name == "inception":
        return inception(root, device, weights)
    if name == "pixels":
        return pixels(real.samples.shape[1:])
    if name.lower().endswith(".onnx"):
        return onnx(name)
    return of_file(name, real.samples.shape[1:], device)


def _about(name: str, resize: str, digest: str | None = None) -> dict[str, Any]:
    return {"name": name, "hash": digest, "resize": resize}


def pixels(shape: tuple[int, ...]) -> Extractor:
    """Pixels in 0..1, flattened."""
    if math.prod(shape) > WIDEST:
        what = "x".join(map(str, shape))
        raise Error(f"--features pixels: {what} pictures are more than {WIDEST:,} numbers; use --features auto")
    return Extractor(lambda images: images.reshape(len(images), -1) / np.float32(255), _about("pixels", "none"))


# -------------------------------------------------------------------------------------- classifiers of ours


def of_set(real: LabeledSet, root: str, device: str) -> Extractor:
    """The cached classifier of a labelled set; of one without labels, the network with its random weights.

    Features of random networks tell sets apart too (Naeem et al. 2020, section 4), if less well than trained ones.
    """
    from ganutils.compute import devices
    from ganutils.inference import discriminate
    from ganutils.networks.classifier import VERSION, seeded
    from ganutils.training.classifier import cached

    place = devices.find(device)
    if real.targets is None:
        network = seeded(real.samples.shape[1:], 1).to(place).eval()
        about = _about("random", "none", f"classifier {VERSION}")
        return Extractor(lambda images: discriminate.mapped(images, network.features, place), about)
    network, meta, path = cached(real.samples, real.targets, list(real.names), root, place)
    meta["classes"] = real.names  # by content the set may be known under other names
    return _classifier(network, meta, path, place, real.targets.ndim == 1)


def of_file(path: str, shape: tuple[int, ...], device: str) -> Extractor:
    """A classifier that was kept in an earlier run, so that other sets are measured in its features."""
    from ganutils.compute import devices
    from ganutils.networks.classifier import read

    place = devices.find(device)
    with container.read(path, "extractor") as file:
        network, meta = read(file).to(place), dict(file.meta)
    if network.shape != shape:
        raise Error(f"{path}: is for pictures of shape {list(network.shape)}, and these are {list(shape)}")
    return _classifier(network, meta, path, place, has_classes=False)


def _classifier(network: Any, meta: dict[str, Any], path: str, place: Any, has_classes: bool) -> Extractor:
    from ganutils.inference import discriminate

    about = {**_about("classifier", "none", _sha256(path)[:16]), "accuracy": meta.get("accuracy")}

    def features(images: np.ndarray) -> np.ndarray:
        return discriminate.mapped(images, network.features, place)

    def classify(images: np.ndarray) -> np.ndarray:
        return discriminate.mapped(images, network, place).argmax(axis=1)

    return Extractor(features, about, classify if has_classes else None, meta.get("classes") or ())


# ------------------------------------------------------------------------------------------- Inception


def inception(root: str, device: str, weights: str | None) -> Extractor:
    """The 2,048 pooled features of the Inception network of the FID paper, as torch-fidelity converts and runs it.

    weights     its .pth file, which must be the canonical one, or any .safetensors with tensors of those names;
                None = downloaded once into `root`
    """
    try:
        import torch
        import torch_fidelity.feature_extractor_inceptionv3 as fidelity
    except ImportError:
        raise Error("--features inception: is in torch-fidelity; pip install 'ganutils[inception]'") from None
    from ganutils.compute import devices

    place = devices.find(device)
    path = weights or _downloaded(os.path.join(os.path.expanduser(root), "extractors"))
    network = _inception_network(fidelity, path).to(place)

    def features(images: np.ndarray) -> np.ndarray:
        found = []
        with torch.inference_mode():
            for start in range(0, len(images), FORWARD):
                batch = torch.from_numpy(_rgb(images[start : start + FORWARD])).to(place).permute(0, 3, 1, 2)
                found.append(network(batch)[0].cpu().numpy())
        return np.concatenate(found)

    return Extractor(features, _about("inception", "bilinear to 299x299, as in TensorFlow 1", _sha256(path)[:16]))


def _inception_network(fidelity: Any, path: str) -> Any:
    """torch-fidelity's network with the weights of `path`."""
    if path.endswith(".safetensors"):
        import safetensors
        import safetensors.torch

        try:
            tensors = safetensors.torch.load_file(path)
        except safetensors.SafetensorError as problem:
            raise Error(f"{path}: damaged, or no safetensors file ({problem})") from None
        # Its constructor has no way to be given weights but such a file or its own download: let that give ours.
        download, fidelity.load_state_dict_from_url = fidelity.load_state_dict_from_url, lambda *_, **__: tensors
        try:
            return fidelity.FeatureExtractorInceptionV3("inception-v3-compat", ["2048"])
        except RuntimeError:
            raise Error(f"{path}: its tensors are not those of torch-fidelity's Inception network") from None
        finally:
            fidelity.load_state_dict_from_url = download
    if _sha256(path) != INCEPTION_SHA256:
        raise Error(f"{path}: is not {os.path.basename(INCEPTION_URL)} (another SHA-256), and may run code; not read")
    return fidelity.FeatureExtractorInceptionV3("inception-v3-compat", ["2048"], feature_extractor_weights_path=path)


def _downloaded(folder: str) -> str:
    """The canonical weights, downloaded into `folder` unless they are there; checked against their SHA-256."""
    import torch.hub

    path = os.path.join(folder, os.path.basename(INCEPTION_URL))
    if not os.path.exists(path):
        os.makedirs(folder, exist_ok=True)
        try:
            torch.hub.download_url_to_file(INCEPTION_URL, path, hash_prefix=INCEPTION_SHA256, progress=False)
        except (OSError, RuntimeError) as problem:
            what = f"could not be downloaded ({problem})"
            raise Error(f"--features inception: {INCEPTION_URL} {what}; fetch it and give --weights FILE") from None
    return path


def _rgb(images: np.ndarray) -> np.ndarray:
    """[B, H, W, C] -> [B, H, W, 3]."""
    return np.ascontiguousarray(np.broadcast_to(images, (*images.shape[:-1], 3)))


# ------------------------------------------------------------------------------------------------ ONNX


def onnx(path: str) -> Extractor:
    """Any ONNX model: its first input takes pictures, its first output, flattened, are the features.

    A float input is given 0..1, a uint8 input bytes; pictures as [N, C, H, W], or [N, H, W, C] if the input's last
    axis is 1 or 3. Where it fixes H and W, pictures are resized. Its normalisation belongs into the model.
    """
    try:
        import onnxruntime
    except ImportError:
        raise Error(f"{path}: is read by onnxruntime; pip install 'ganutils[onnx]'") from None
    with open(path, "rb") as stream:
        content = stream.read()
    try:
        session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    except Exception as problem:  # its exceptions have no common class
        raise Error(f"{path}: onnxruntime cannot read it ({str(problem).splitlines()[0]})") from None
    entry = session.get_inputs()[0]
    if len(entry.shape) != 4 or entry.type not in ("tensor(float)", "tensor(uint8)"):
        raise Error(f"{path}: takes {entry.type} {entry.shape}; float or uint8 pictures [N, C, H, W] are wanted")
    last = entry.shape[3] in (1, 3)
    h, w, c = (entry.shape[i] for i in ((1, 2, 3) if last else (2, 3, 1)))
    fixed = isinstance(h, int) and isinstance(w, int)
    count = entry.shape[0] if isinstance(entry.shape[0], int) else FORWARD

    def features(images: np.ndarray) -> np.ndarray:
        found = []
        for start in range(0, len(images), count):
            batch = images[start : start + count]
            batch = _rgb(batch) if c == 3 else batch
            if fixed and batch.shape[1:3] != (h, w):
                batch = np.stack([_resized(one, (w, h)) for one in batch])
            batch = batch if entry.type == "tensor(uint8)" else batch / np.float32(255)
            batch = np.ascontiguousarray(batch if last else batch.transpose(0, 3, 1, 2))
            kept, batch = len(batch), np.concatenate([batch, np.repeat(batch[-1:], count - len(batch), axis=0)])
            found.append(session.run(None, {entry.name: batch})[0].reshape(count, -1)[:kept])
        return np.concatenate(found)

    resize = f"bicubic to {w}x{h} (Pillow)" if fixed else "none"
    return Extractor(features, _about(os.path.basename(path), resize, hashlib.sha256(content).hexdigest()[:16]))


def _resized(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """[H, W, C] resized with an antialiasing filter to `size` (W, H)."""
    from ganutils.files.png import as_image

    resized = np.asarray(as_image(image).resize(size, Image.Resampling.BICUBIC))
    return resized.reshape(size[1], size[0], image.shape[-1])


def _sha256(path: str) -> str:
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
