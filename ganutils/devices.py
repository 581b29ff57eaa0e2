"""Where the networks live."""

import resource
import sys

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


def peak_memory(device: torch.device) -> int:
    """Bytes: the most that was allocated on a CUDA device, elsewhere the most that this process had in memory."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
