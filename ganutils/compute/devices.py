"""The device that networks live on: which one, how this process is set up for it, and what its bits depend on."""

from __future__ import annotations

import contextlib
import ctypes
import math
import os
import resource
import sys
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import torch

from ganutils import Error
from ganutils.compute import processor

M_MMAP_THRESHOLD, M_TRIM_THRESHOLD = -3, -1  # names of mallopt(3)


def find(name: str) -> torch.device:
    """The device called `name`; auto = CUDA, else Apple's GPU, else the CPU. Error if this machine has none such."""
    cuda, mps = torch.cuda.is_available(), torch.backends.mps.is_available()
    if name in ("auto", "cuda") and cuda and "LOCAL_RANK" in os.environ:  # torchrun: a GPU for each process
        name = f"cuda:{int(os.environ['LOCAL_RANK']) % torch.cuda.device_count()}"
    device = torch.device("cuda" if cuda else "mps" if mps else "cpu") if name == "auto" else torch.device(name)
    exists = {"cuda": cuda and (device.index or 0) < torch.cuda.device_count(), "mps": mps}
    if not exists.get(device.type, True):
        raise Error(f"--device {name}: not on this machine; use --device cpu, or auto")
    return device


def prepare(name: str, threads: int | None, work: float = math.inf, kept: int | None = None) -> torch.device:
    """The device called `name` (see `find`), with this process set up to train or sample on it.

    threads  of a CPU; None = those that a run began with, else as many as pay
    work     size of the networks (see Config.work), by which that is decided
    kept     the threads that a run began with, of which this machine may have fewer
    """
    device = find(name)
    if device.type == "cpu":
        torch.set_num_threads(threads or min(kept or processor.threads(work), processor.ALL_CORES))
    if device.type == "cuda" and device.index is not None:  # what has no device of its own is made on this one
        torch.cuda.set_device(device)
    _keep_memory()
    _set_arithmetic()
    return device


def _set_arithmetic() -> None:
    """The same bits at every run, whatever the device; fp32 is fp32; and denormals are zero."""
    torch.set_flush_denormal(True)  # a saturated D makes denormals, which are up to 85 times slower
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # what cuBLAS needs for it
    torch.set_deterministic_debug_mode("error")  # as use_deterministic_algorithms, which would import a compiler
    # Its default is to write NaN into all new memory, which takes time.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    torch.backends.cudnn.benchmark = False  # a search for the fastest algorithm, by timing: others at every run
    for unit in _with_tf32():
        unit.fp32_precision = "ieee"


def _with_tf32() -> tuple[Any, Any]:
    """What computes fp32 in TF32, of 10 bits in place of 23, unless it is told not to."""
    return torch.backends.cudnn.conv, torch.backends.cuda.matmul  # type: ignore[attr-defined]


@contextlib.contextmanager
def lent(threads: int | None = None) -> Iterator[None]:
    """Compute as `prepare` sets a process up, but only in this block: a library must not change its caller's settings.

    threads  of a CPU; None = as they are
    """
    count, mode = torch.get_num_threads(), torch.get_deterministic_debug_mode()
    filled, searched = torch.utils.deterministic.fill_uninitialized_memory, torch.backends.cudnn.benchmark  # type: ignore[attr-defined]
    precisions = [unit.fp32_precision for unit in _with_tf32()]
    _set_arithmetic()
    torch.set_num_threads(threads or count)
    try:
        yield
    finally:
        torch.set_num_threads(count)
        torch.set_flush_denormal(False)
        torch.set_deterministic_debug_mode(mode)
        torch.utils.deterministic.fill_uninitialized_memory = filled  # type: ignore[attr-defined]
        torch.backends.cudnn.benchmark = searched
        for unit, before in zip(_with_tf32(), precisions, strict=True):
            unit.fp32_precision = before


def _keep_memory() -> None:
    """Let glibc keep freed memory: else each step returns its tensors to the kernel and gets zeroed pages instead."""
    with contextlib.suppress(OSError, AttributeError):
        mallopt = ctypes.CDLL("libc.so.6").mallopt
        mallopt(M_MMAP_THRESHOLD, 1 << 30)
        mallopt(M_TRIM_THRESHOLD, (1 << 31) - 1)


def fits(size: int, device: torch.device) -> bool:
    """Whether `size` bytes take at most half of the device's memory: of what is free on CUDA, of all elsewhere."""
    if device.type == "cuda":
        return size <= torch.cuda.mem_get_info(device)[0] // 2
    return size <= (4 << 30 if device.type == "mps" else os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")) // 2


def send(array: np.ndarray, device: torch.device) -> torch.Tensor:
    """`array` on the device. To CUDA it is copied from pinned memory, and nothing waits for the copy."""
    tensor = torch.from_numpy(array)
    if device.type != "cuda":
        return tensor.to(device)
    return tensor.pin_memory().to(device, non_blocking=True)


def fast_precision(device: torch.device, work: float = math.inf) -> str:
    """What --precision auto means on the device for networks of `work` GFLOP (see Config.work): bf16 or fp32."""
    if device.type == "cuda":
        return "bf16" if torch.cuda.get_device_capability(device) >= (8, 0) else "fp32"  # Ampere, and later
    return processor.precision(work) if device.type == "cpu" else "fp32"


def describe(device: torch.device) -> dict[str, Any]:
    """What the last bits of a training depend on beside its config. Checkpoints keep it, outside their digest."""
    threads = {"threads": torch.get_num_threads()} if device.type == "cpu" else {}
    gpu = {"gpu": torch.cuda.get_device_name(device)} if device.type == "cuda" else {}
    workers = int(os.environ.get("WORLD_SIZE", "1"))
    return {"torch": str(torch.__version__), "device": device.type, **threads, **gpu, "workers": workers}


def differences(meta: Mapping[str, Any], device: torch.device, precision: str) -> str | None:
    """How the maker of a checkpoint with metadata `meta` differs from us in these, in words; None if in nothing.

    precision  that we train in; the checkpoint may have left it to the machine
    """
    there, here = meta.get("versions"), {**describe(device), "precision": precision}
    if not isinstance(there, dict):
        return None
    there = {**there, "precision": meta["config"]["precision"]}
    known = there.keys() & here.keys()
    names = [name for name in ("device", "gpu", "threads", "workers", "torch", "precision") if name in known]
    pairs = [f"{name} {there[name]} there, {here[name]} here" for name in names if there[name] != here[name]]
    return f"{', '.join(pairs)}: may differ in the last bits from a run that never moved" if pairs else None


def peak_memory(device: torch.device) -> int:
    """Most bytes held so far: allocated on a CUDA device, elsewhere in the memory of this process."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
