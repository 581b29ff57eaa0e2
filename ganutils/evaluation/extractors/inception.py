"""Features of the FID paper's Inception network, through torch-fidelity."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np

from ganutils import Error
from ganutils.evaluation.extractors.extractor import (
    LARGE_BATCH,
    Extractor,
    Request,
    about,
    device_of,
    refuse_all_but_pictures,
    sha256,
)
from ganutils.files import paths

if TYPE_CHECKING:
    from torch import Tensor

# The weights that torch-fidelity downloads, and the SHA-256 of that file. They are in torch's own format,
# which can carry code: torch-fidelity, which reads it, is given this very file or none.
URL = "https://github.com/toshas/torch-fidelity/releases/download/v0.2.0/weights-inception-2015-12-05-6726825d.pth"
SHA256 = "6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2"


def inception(name: str, request: Request) -> Extractor:
    """Its 2,048 pooled features, as torch-fidelity converts and runs it.

    The weights are the canonical .pth file, or any .safetensors with tensors of those names; if none are given, the
    file is downloaded once.
    """
    refuse_all_but_pictures(name, request)
    try:
        import torch_fidelity.feature_extractor_inceptionv3 as fidelity
    except ImportError:
        raise Error("--features inception: needs torch-fidelity; pip install 'ganutils[inception]'") from None
    from ganutils.inference import discriminate
    from ganutils.networks.scaling import from_network

    device = device_of(request)
    path = request.weights or _downloaded(os.path.join(paths.at_home(request.root), "extractors"))
    network = _network(fidelity, path).to(device)

    def pooled(x: Tensor) -> Tensor:
        """It takes bytes [B, 3, H, W]."""
        y: Tensor = network(from_network(x.expand(-1, 3, -1, -1)).permute(0, 3, 1, 2))[0]
        return y

    def features(images: np.ndarray) -> np.ndarray:
        return discriminate.apply(pooled, images, device, batch=LARGE_BATCH)

    return Extractor(features, about("inception", "bilinear to 299x299, as in TensorFlow 1", sha256(path)[:16]))


def _network(fidelity: Any, path: str) -> Any:
    """torch-fidelity's network with the weights of `path`."""
    if path.endswith(".safetensors"):
        import safetensors
        import safetensors.torch

        try:
            tensors = safetensors.torch.load_file(path)
        except safetensors.SafetensorError as problem:
            raise Error(f"{path}: damaged, or not a safetensors file ({problem})") from None
        # Its constructor takes weights only as such a file or as its own download: let that download give ours.
        download, fidelity.load_state_dict_from_url = fidelity.load_state_dict_from_url, lambda *_, **__: tensors
        try:
            return fidelity.FeatureExtractorInceptionV3("inception-v3-compat", ["2048"])
        except RuntimeError:
            raise Error(f"{path}: its tensors are not those of torch-fidelity's Inception network") from None
        finally:
            fidelity.load_state_dict_from_url = download
    if sha256(path) != SHA256:
        raise Error(f"{path}: is not {os.path.basename(URL)} (its SHA-256 differs) and may run code; not read")
    return fidelity.FeatureExtractorInceptionV3("inception-v3-compat", ["2048"], feature_extractor_weights_path=path)


def _downloaded(folder: str) -> str:
    """The canonical weights, downloaded into `folder` unless they are there; checked against their SHA-256."""
    import torch.hub

    path = os.path.join(folder, os.path.basename(URL))
    if not os.path.exists(path):
        os.makedirs(folder, exist_ok=True)
        try:
            torch.hub.download_url_to_file(URL, path, hash_prefix=SHA256, progress=False)
        except (OSError, RuntimeError) as problem:
            advice = "download it elsewhere and give --weights FILE"
            raise Error(f"--features inception: {URL} could not be downloaded ({problem}); {advice}") from None
    return path
