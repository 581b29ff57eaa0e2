"""What a forked test process runs: one command of the checkout's bin/, on the files given as its standard streams."""

import contextlib
import os
import resource
import runpy
import sys
import traceback

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


MEMORY = 3 << 30  # bytes of data that a command of `serve` may have, all libraries included
FILE = 1 << 28  # bytes of a file that it may write


def serve(connection) -> None:
    """Fork a process for each command whose arguments come, and send its id, then its exit code: 0.01 s for one."""
    while True:
        try:
            about = connection.recv()
        except EOFError:
            return
        number = os.fork()
        if number == 0:
            _end_with(*about)
        connection.send(number)
        connection.send(os.waitstatus_to_exitcode(os.waitpid(number, 0)[1]))


def _end_with(*about) -> None:
    """Run a command with limits on what it takes. Never returns."""
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_FSIZE, (FILE, FILE))
    code = 0
    try:
        command(*about)
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(bool(end.code))
    except BaseException:
        traceback.print_exc()
        code = 1
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)
