"""Generative adversarial networks as small commands that turn files into one file.

The light half (files, latents, pictures, sources) imports NumPy and Pillow only. The heavy half
(networks, gan, training, sampling) imports torch; commands import it after their arguments are checked.
"""

__version__ = "0.1.0"


class Error(Exception):
    """Something the user can put right: one line that names the file and says what to do."""
