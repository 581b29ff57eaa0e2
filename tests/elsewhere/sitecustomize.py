"""For the commands that tests start as processes of their own: see offline.py."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))
import offline  # noqa: F401

del sys.path[0]
