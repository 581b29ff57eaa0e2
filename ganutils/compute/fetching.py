"""Tensors on their way from a device to the host's memory, while the device goes on."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor


class Fetched:
    """Copies of `tensors` as they are now. CUDA copies them into pinned memory, after what it was given before.

    kept   whether nobody changes them: then those that are in the host's memory need no copy
    """

    def __init__(self, tensors: Mapping[str, Tensor], kept: bool = False):
        on_cuda = [tensor for tensor in tensors.values() if tensor.is_cuda]
        self._tensors = {
            name: tensor.detach().to("cpu", non_blocking=tensor.is_cuda, copy=not kept)
            for name, tensor in tensors.items()
        }
        self._copied = torch.cuda.current_stream(on_cuda[0].device).record_event() if on_cuda else None

    def arrays(self) -> dict[str, np.ndarray]:
        """Them, once they are here. Any thread may call this."""
        if self._copied:
            self._copied.synchronize()
        return {name: tensor.contiguous().numpy() for name, tensor in self._tensors.items()}
