"""Where the networks live."""

import contextlib
import ctypes
import os
import resource
import sys
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from ganutils import Error

M_MMAP_THRESHOLD, M_TRIM_THRESHOLD = -3, -1  # names of mallopt(3)


def find(name: str) -> torch.device:
    """The device of that name; auto = the first of CUDA, Apple's GPU and the CPU that is there."""
    cuda, mps = torch.cuda.is_available(), torch.backends.mps.is_available()
    if name in ("auto", "cuda") and cuda and "LOCAL_RANK" in os.environ:  # torchrun: a GPU for each process
        name = f"cuda:{int(os.environ['LOCAL_RANK']) % torch.cuda.device_count()}"
    found = torch.device("cuda" if cuda else "mps" if mps else "cpu") if name == "auto" else torch.device(name)
    there = {"cuda": cuda and (found.index or 0) < torch.cuda.device_count(), "mps": mps}
    if not there.get(found.type, True):
        raise Error(f"--device {name}: not on this machine; use --device cpu, or auto")
    return found


def prepare(name: str, threads: int | None, deterministic: bool) -> torch.device:
    """`named`, with this process made ready to train or sample on it.

    threads          of a CPU's matrix products; None = all cores
    deterministic    the same bits at every run on CUDA too, at a price; a CPU gives them anyway
    """
    if threads:
        torch.set_num_threads(threads)
    torch.set_flush_denormal(True)  # a saturated D makes denormals, which are up to 85 times slower
    _keep_memory()
    if deterministic:
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # what cuBLAS needs for it
        torch.use_deterministic_algorithms(True)
        torch.backends.cudnn.benchmark = False
    else:
        torch.backends.cudnn.benchmark = True
    return find(name)


def _keep_memory() -> None:
    """Let glibc keep what is freed: else each step gives its tensors back to the kernel and is given zeroed pages."""
    with contextlib.suppress(OSError, AttributeError):
        mallopt = ctypes.CDLL("libc.so.6").mallopt
        mallopt(M_MMAP_THRESHOLD, 1 << 30)
        mallopt(M_TRIM_THRESHOLD, (1 << 31) - 1)


def fits(size: int, device: torch.device) -> bool:
    """Whether so many bytes take no more than half of the memory there: of what is free on CUDA, of all on a CPU."""
    if device.type == "cuda":
        return size <= torch.cuda.mem_get_info(device)[0] // 2
    return size <= (4 << 30 if device.type == "mps" else os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")) // 2


def send(array: np.ndarray, device: torch.device) -> torch.Tensor:
    """`array` on the device. On CUDA it is on its way there, from pinned memory, and nothing has waited for it."""
    tensor = torch.from_numpy(array)
    if device.type != "cuda":
        return tensor.to(device)
    return tensor.pin_memory().to(device, non_blocking=True)


def fast_bf16(device: torch.device) -> bool:
    """Whether bfloat16 has matrix hardware here: AMX tiles on a CPU, Ampere or later on CUDA."""
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device) >= (8, 0)
    return device.type == "cpu" and torch.cpu._is_amx_tile_supported()


def describe(device: torch.device) -> dict[str, Any]:
    """What the last bits of a training depend on besides its settings; kept in checkpoints, no part of their digest."""
    threads = {"threads": torch.get_num_threads()} if device.type == "cpu" else {}
    return {"torch": str(torch.__version__), "device": device.type, **threads}


def differences(meta: Mapping[str, Any], device: torch.device) -> str | None:
    """In which of these the maker of a checkpoint differs from us, in words; None if in none that it says."""
    there, here = meta.get("versions"), describe(device)
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
