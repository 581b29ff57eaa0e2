"""Plain NumPy arrays in .npy files."""

from __future__ import annotations

import tokenize

# What NumPy raises where the header of a .npy file is damaged.
NPY_FAULTS = (
    ValueError,
    KeyError,
    EOFError,
    TypeError,
    SyntaxError,
    tokenize.TokenError,
    AttributeError,
    OverflowError,
    RecursionError,
    MemoryError,
)
