"""Updates that are recorded once, as CUDA graphs, and replayed: a launch for all of their kernels.

What is drawn for an update goes to the device in one copy. No update waits for the device.
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

WARM_UPS = 3  # runs before a recording: kernels are loaded, and their plans and workspaces made
ALIGNED = 256  # bytes: as an allocation of its own would be

T = TypeVar("T")
Arrays = Mapping[str, np.ndarray]
Capture = Callable[[Callable[[], T]], Callable[[], T]]  # a function -> one that does the same again, at one launch


def send(arrays: Arrays, device: torch.device) -> dict[str, Tensor]:
    """`arrays` on the device: on CUDA in one copy that nothing waits for, on the CPU the arrays themselves."""
    if device.type != "cuda":
        return {name: torch.from_numpy(array).to(device) for name, array in arrays.items()}
    return _views(_packed(arrays, device).to(device, non_blocking=True), arrays)


class Recorder:
    """Records functions of arrays, each when it is first called, and replays them.

    Recording changes nothing: what is in `state`, all the tensors that the functions change, is put back. So every call
    is a replay, the first too, and gives the same bits as `function(send(arrays, device))`. The tensors in what a
    function returns lie still: the next call changes them. What cannot be recorded is run at every call, slower and
    with the same bits; `problem` says why.
    """

    def __init__(self, state: Callable[[], Iterable[Tensor]], device: torch.device, capture: Capture | None = None):
        self._state, self.device = state, device
        self._capture = capture or as_graph
        self.problem = ""
        self._recorded: dict[str, tuple[Tensor, Callable[[], object]]] = {}

    def __call__(self, name: str, function: Callable[[dict[str, Tensor]], T], arrays: Arrays) -> T:
        """What `function`, called `name`, makes of `arrays`, whose shapes are the same at every call."""
        if name not in self._recorded:
            place = torch.empty(_offsets(arrays)[-1], dtype=torch.uint8, device=self.device)
            place.copy_(_packed(arrays, self.device))
            given = _views(place, arrays)
            self._recorded[name] = place, self._record(lambda: function(given))
        place, replay = self._recorded[name]
        place.copy_(_packed(arrays, self.device), non_blocking=True)
        return replay()  # type: ignore[return-value]

    def _record(self, function: Callable[[], T]) -> Callable[[], T]:
        state = list(self._state())
        before = [tensor.detach().clone() for tensor in state]
        on_device = torch.cuda.device(self.device) if self.device.type == "cuda" else contextlib.nullcontext()
        try:
            with on_device:
                return self._capture(function)
        except RuntimeError as problem:  # most likely there is no memory for it
            self.problem = str(problem)
            return function
        finally:
            with torch.no_grad():
                for tensor, old in zip(state, before, strict=True):
                    tensor.copy_(old)


def as_graph(function: Callable[[], T]) -> Callable[[], T]:
    """Capture `function` on the current CUDA device. It runs, and what it changes has changed.

    One stream for all: autograd runs the backward of an operator on the stream of its forward. Another thread may use
    the device meanwhile.
    """
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(WARM_UPS):
            function()
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph, stream=stream, capture_error_mode="thread_local"):
        returned = function()

    def replay() -> T:
        graph.replay()
        return returned

    return replay


def _packed(arrays: Arrays, device: torch.device) -> Tensor:
    """`arrays` in one, uint8, in memory that CUDA copies from; torch uses it again only when that is done."""
    packed = torch.empty(_offsets(arrays)[-1], dtype=torch.uint8, pin_memory=device.type == "cuda")
    for view, array in zip(_views(packed, arrays).values(), arrays.values(), strict=True):
        view.copy_(torch.from_numpy(array))
    return packed


def _views(packed: Tensor, arrays: Arrays) -> dict[str, Tensor]:
    """The tensors of the shapes and types of `arrays` in `packed`."""
    parts = zip(_offsets(arrays), arrays.items(), strict=False)
    return {
        name: packed[start : start + array.nbytes].view(torch.from_numpy(array).dtype).view(array.shape)
        for start, (name, array) in parts
    }


def _offsets(arrays: Arrays) -> list[int]:
    """Where each of `arrays` begins, and all end, in bytes."""
    sizes = [-(-array.nbytes // ALIGNED) * ALIGNED for array in arrays.values()]
    return list(itertools.accumulate(sizes, initial=0))
