"""ganutils from Python and notebooks: the names that `import ganutils` promises; docs/python.md shows them at work.

They are made of the library's own parts, so the laws hold: a Run's checkpoint is gan-loop's, digest for digest.
"""

from importlib import import_module
from typing import Any

HOMES = {"Data": "data", "read": "data", "write": "data", "sheet": "data", "Generator": "generator", "Run": "run"}


def find(name: str) -> Any:
    """What is promised under `name`; only now is its module imported, and torch with it if it needs that."""
    return getattr(import_module(f"ganutils.api.{HOMES[name]}"), name)
