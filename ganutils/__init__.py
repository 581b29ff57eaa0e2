"""Generative adversarial networks as small commands that turn files into one file.

For Python and notebooks the names in `__all__` are promised to stay; docs/python.md shows them. They are imported
when first used, so that `import ganutils` costs nothing: read, write and sheet need NumPy and Pillow, the others torch.
"""

from typing import TYPE_CHECKING, Any

from ganutils import machine

if TYPE_CHECKING:
    from ganutils.api.data import Data, read, sheet, write
    from ganutils.api.generator import Generator
    from ganutils.api.run import Run

machine.sleep_soon()  # before anything imports torch

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
