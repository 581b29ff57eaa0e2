"""What this machine's processor is fastest at: a rule from its features and a run's size, never a timing.

So the same machine always chooses the same (law 1). The figures come from `bench/train` (bench/results.md).
"""

from __future__ import annotations

import os
import re

import torch

from ganutils import machine

ALL_CORES = torch.get_num_threads()  # as many as OpenMP takes, which OMP_NUM_THREADS may limit

# GFLOP of a pass of both networks over a batch (Config.work) from which bf16 is faster than fp32. What is not a
# product gains nothing from it, and casts cost. None: never.
BF16_PAYS = {"amx": 0.05, "avx512_bf16": 0.2, "": None}
THREAD_PAYS = 0.03  # GFLOP of such a pass for each thread: with less, threads wait longer for each other than they work


def precision(work: float) -> str:
    """bf16 or fp32, for networks of `work` GFLOP (see Config.work)."""
    least = BF16_PAYS[bf16_unit()]
    return "fp32" if least is None or work < least else "bf16"


def threads(work: float) -> int:
    """How many threads pay for networks of `work` GFLOP (see Config.work), at most all cores."""
    return max(1, int(min(work / THREAD_PAYS, ALL_CORES)))


def bf16_unit() -> str:
    """What multiplies bf16 faster than fp32 here: amx, avx512_bf16 or, if nothing does, "".

    Intel's processors with avx512_bf16 but without AMX multiply bf16 at two thirds of fp32's speed, AMD's (Zen 4 and
    later) at twice. ONEDNN_MAX_CPU_ISA, with which oneDNN poses as an older processor, counts too.
    """
    if _may_use("AMX") and torch.cpu._is_amx_tile_supported():
        return "amx"
    return "avx512_bf16" if bf16_instructions() and machine.vendor() == "AuthenticAMD" else ""


def bf16_instructions() -> bool:
    """Whether the processor can multiply bf16 at all, fast or not; others take a hundred times as long as for fp32."""
    return _may_use("BF16|FP16|AVX10|AMX") and torch.cpu._is_avx512_bf16_supported()


def _may_use(kinds: str) -> bool:
    limit = os.environ.get("ONEDNN_MAX_CPU_ISA", "DEFAULT").upper()
    return limit in ("DEFAULT", "ALL") or re.search(kinds, limit) is not None
