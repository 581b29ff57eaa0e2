"""What must be known and set before torch is imported: whose processor this is, and how its threads wait."""

from __future__ import annotations

import contextlib
import os

# About half a millisecond of waiting, by whose processor it is: a spin takes Intel's 140 cycles, AMD's 65. libgomp's
# own number is 300,000.
SPINS = {"GenuineIntel": 10_000, "AuthenticAMD": 30_000}


def sleep_soon() -> None:
    """Let a thread that waits for another sleep soon, unless the environment says how threads wait.

    libgomp, the OpenMP in torch, reads this when it is loaded. A thread that spins keeps its core from others, one of
    which may be what it waits for: beside other processes training would be ten to a hundred times slower. One that
    sleeps at once loses half of a quiet machine's rate. Bits do not depend on it.
    """
    if vendor() in SPINS and not {"GOMP_SPINCOUNT", "OMP_WAIT_POLICY"} & os.environ.keys():
        os.environ["GOMP_SPINCOUNT"] = str(SPINS[vendor()])


def vendor() -> str:
    """GenuineIntel, AuthenticAMD ...; "" where the system does not tell."""
    with contextlib.suppress(OSError), open("/proc/cpuinfo") as lines:
        for line in lines:
            if line.startswith("vendor_id"):
                return line.partition(":")[2].strip()
    return os.environ.get("PROCESSOR_IDENTIFIER", "").rpartition(" ")[2]  # Windows: AMD64 Family 25 ..., AuthenticAMD
