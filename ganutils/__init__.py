"""Generative adversarial networks as small commands that turn files into one file.

For Python and notebooks the names in `__all__` are promised to stay; docs/python.md shows them. They are imported
when first used, so that `import ganutils` costs nothing: read, write and sheet need NumPy and Pillow, the others torch.
"""

import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ganutils.api.data import Data, read, sheet, write
    from ganutils.api.generator import Generator
    from ganutils.api.run import Run

# A thread that waits for another spins this often before it sleeps. libgomp, the OpenMP in torch, reads it when it is
# loaded. It would take 300,000 (5 to 16 ms), for which a busy machine's other processes could have the core, and one of
# them may be what the other thread waits for. Bits do not depend on it.
if not {"GOMP_SPINCOUNT", "OMP_WAIT_POLICY"} & os.environ.keys():
    os.environ["GOMP_SPINCOUNT"] = "5000"

__version__ = "0.1.0"
__all__ = ["Data", "Error", "Generator", "Run", "read", "sheet", "write"]


class Error(Exception):
    """Something the user can put right: one line that names the file and says what to do."""


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'ganutils' has no attribute {name!r}")
    from ganutils import api

    return api.find(name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
