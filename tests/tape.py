"""A recorder for the CPU that replays as a CUDA graph does: the same operators on the same tensors in their places."""

from collections.abc import Callable
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_flatten


class Operators(TorchDispatchMode):
    """Keeps what runs, below autograd: each operator, its arguments and what it returned."""

    def __init__(self):
        super().__init__()
        self.ran: list[tuple[Any, Any, Any, Any]] = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        returned = func(*args, **(kwargs or {}))
        self.ran.append((func, args, kwargs or {}, returned))
        return returned

    @property
    def names(self) -> list[str]:
        return [func.__name__ for func, *_ in self.ran]

    def replay(self) -> None:
        """Run all again, into the tensors that they returned. A view needs no second making."""
        with torch.no_grad():
            for func, args, kwargs, returned in self.ran:
                if func.is_view:
                    continue
                again = func(*args, **kwargs)
                for old, new in zip(*(tree_flatten(one)[0] for one in (returned, again)), strict=True):
                    if isinstance(old, torch.Tensor) and old is not new:
                        old.copy_(new)


def capture(function: Callable[[], Any]) -> Callable[[], Any]:
    """In place of `replay.as_graph`."""
    with Operators() as tape:
        returned = function()

    def replay() -> Any:
        tape.replay()
        return returned

    return replay
