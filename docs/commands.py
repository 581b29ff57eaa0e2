#!/usr/bin/env python3
"""Prints commands.md: the --help of every command. `make docs` writes it."""

import os
import pathlib
import subprocess
import sys

BIN = pathlib.Path(__file__).parent.parent / "bin"
HEAD = """\
# Every option

The `--help` of every command, as `make docs` writes it here. Guides: [data](data.md) · [training](training.md) ·
[speed](speed.md) · [films](films.md) · [evaluation](evaluation.md) · [labels](labels.md) · [export](export.md) ·
[pages](pages.md) · [sounds](sounds.md).
"""


def help_of(name: str) -> str:
    done = subprocess.run(
        [sys.executable, str(BIN / name), "--help"],
        env={**os.environ, "COLUMNS": "100", "PYTHONPATH": str(BIN.parent)},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def main() -> None:
    names = sorted(path.name for path in BIN.glob("gan-*"))
    print(HEAD)
    print(" · ".join(f"[{name}](#{name})" for name in names))
    for name in names:
        print(f"\n## {name}\n\n```text\n{help_of(name)}\n```")


if __name__ == "__main__":
    main()
