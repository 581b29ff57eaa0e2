"""What a forked test process runs: one command of the checkout's bin/, on the files given as its standard streams."""

import os
import runpy
import sys

import faults
import offline  # noqa: F401
import warm


def command(
    script: str,
    arguments: list[str],
    folder: str,
    streams: tuple[str, str, str],
    fault: tuple | None,
    environment: dict[str, str],
) -> None:
    os.environ.update(environment)
    os.chdir(folder)
    flags = (os.O_RDONLY, os.O_WRONLY, os.O_WRONLY)
    for number, (path, flag) in enumerate(zip(streams, flags, strict=True)):
        os.dup2(os.open(path, flag), number)
    sys.stdin, sys.stdout, sys.stderr = (
        os.fdopen(0, closefd=False),
        os.fdopen(1, "w", closefd=False),
        os.fdopen(2, "w", closefd=False),
    )
    sys.argv = [script, *arguments]
    warm.force_precision()
    if fault:
        faults.install(*fault)
    runpy.run_path(script, run_name="__main__")
