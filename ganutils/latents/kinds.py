"""The kinds of paths through latent space and the options that each takes. Without NumPy, since `--help` reads it."""

from __future__ import annotations

KINDS = {  # of path, with the options that have an effect on it; `interpolation.PATHS` has their functions
    "walk": ("method", "closed", "frames", "ease", "dwell", "grid"),
    "grid": ("method", "grid"),
    "circle": ("frames", "seed"),
    "axis": ("along", "reach", "frames", "ease"),
    "jitter": ("reach", "frames", "seed"),
    "words": ("text", "method", "closed", "frames", "ease", "dwell"),
    "classes": ("through", "closed", "frames", "ease", "dwell"),
}
METHODS = ("lerp", "slerp", "spline")  # from one latent to the next
EASES = ("linear", "cosine")  # how the speed between two latents changes
