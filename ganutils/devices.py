"""Where the networks live."""

import resource
import sys
from collections.abc import Mapping
from typing import Any

import torch

from ganutils import Error


def named(name: str) -> torch.device:
    """The device of that name; auto = the first of CUDA, Apple's GPU and the CPU that is there."""
    cuda, mps = torch.cuda.is_available(), torch.backends.mps.is_available()
    if name == "auto":
        return torch.device("cuda" if cuda else "mps" if mps else "cpu")
    found = torch.device(name)
    there = {"cuda": cuda and (found.index or 0) < torch.cuda.device_count(), "mps": mps}
    if not there.get(found.type, True):
        raise Error(f"--device {name}: not on this machine; use --device cpu, or auto")
    return found


def fast_bf16(device: torch.device) -> bool:
    """Whether bfloat16 has matrix hardware here: AMX tiles on a CPU, Ampere or later on CUDA."""
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device) >= (8, 0)
    return device.type == "cpu" and torch.cpu._is_amx_tile_supported()


def described(device: torch.device) -> dict[str, Any]:
    """What the last bits of a training depend on besides its settings; kept in checkpoints, no part of their digest."""
    threads = {"threads": torch.get_num_threads()} if device.type == "cpu" else {}
    return {"torch": str(torch.__version__), "device": device.type, **threads}


def moved(meta: Mapping[str, Any], device: torch.device) -> str | None:
    """In which of these the maker of a checkpoint differs from us, in words; None if in none that it says."""
    there, here = meta.get("versions"), described(device)
    if not isinstance(there, dict):
        return None
    names = [name for name in ("device", "threads", "torch") if name in there and there[name] != here.get(name)]
    if not names:
        return None
    pairs = ", ".join(f"{name} {there[name]} there, {here.get(name, 'none')} here" for name in names)
    return f"{pairs}: goes on, and differs in its last bits from a run that never moved"


def peak_memory(device: torch.device) -> int:
    """Bytes: the most that was allocated on a CUDA device, elsewhere the most that this process had in memory."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
