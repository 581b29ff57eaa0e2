"""The commands from a shell or from make, each forked from a server that has imported torch already.

`serve` answers on a Unix socket. In front of the real commands on PATH stands, for each, a few lines that hand their
arguments, folder, standard streams and limit on files' sizes over and exit as the command did: 0.1 s for one, not 3 s.
"""

import json
import os
import pathlib
import resource
import runpy
import signal
import socket
import sys
import traceback

MODULES = [  # between them they import all that commands do
    "ganutils.training.tensorboard",
    "ganutils.training.record",
    "ganutils.samples.sources.opening",
    "ganutils.evaluation.diagnosis",
    "ganutils.evaluation.sums",
    "ganutils.plots.figures",
    "ganutils.plots.curves",
    "ganutils.plots.losses",
    "torch._dynamo",  # 1.5 s, which torch's optimizers import at their first step, and graphs
]
SHIM = """#!{python} -SE
import json, os, resource, socket, sys
with socket.socket(socket.AF_UNIX) as server:
    server.connect({path!r})
    words = json.dumps([{script!r}, os.getcwd(), sys.argv[1:], resource.getrlimit(resource.RLIMIT_FSIZE)]).encode()
    socket.send_fds(server, [words], [0, 1, 2])
    code = server.recv(1)
os._exit(code[0] if code else 1)
"""


def force_precision() -> None:
    """Let --precision auto mean what GANUTILS_TEST_PRECISION says, fp32 or bf16, whatever the processor is fast at."""
    if precision := os.environ.get("GANUTILS_TEST_PRECISION"):
        from ganutils.compute import devices

        devices.fast_precision = lambda *_: precision


def write_shims(folder: pathlib.Path, commands: pathlib.Path, path: str) -> None:
    """Into `folder`, one for each script in `commands`, for the server at `path`."""
    folder.mkdir()
    for script in commands.iterdir():
        shim = folder / script.name
        shim.write_text(SHIM.format(python=sys.executable, path=path, script=str(script)))
        shim.chmod(0o755)


def serve(path: str) -> None:
    """Until killed. One process a command, in a session of its own."""
    for name in MODULES:
        __import__(name)
    force_precision()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for them
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen(64)
        while True:
            connection = listener.accept()[0]
            if os.fork() == 0:
                listener.close()
                _run(connection)
            connection.close()


def _run(connection: socket.socket) -> None:
    """One command, and its exit code as a byte. Never returns."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    words, streams, *_ = socket.recv_fds(connection, 1 << 18, 3)
    script, folder, arguments, limits = json.loads(words)
    resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    sys.stdin, sys.stdout, sys.stderr = os.fdopen(0), os.fdopen(1, "w"), os.fdopen(2, "w")
    os.chdir(folder)
    sys.argv = [script, *arguments]
    code = 0
    try:
        runpy.run_path(script, run_name="__main__")
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(bool(end.code))
    except BaseException:
        traceback.print_exc()
        code = 1
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os.dup2(os.open(os.devnull, os.O_RDWR), 0)
    os.dup2(0, 1)  # a pipe ends before the shim does
    connection.send(bytes([code]))
    os._exit(code)


if __name__ == "__main__":
    serve(sys.argv[1])
