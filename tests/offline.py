"""Importing this lets no socket of this process, or of those forked from it, reach further than this machine.

An audit hook cannot be taken away again, and what it raises is no OSError that a retry could swallow.
"""

import pathlib
import sys

FOR_OTHERS = pathlib.Path(__file__).parent / "elsewhere"  # on PYTHONPATH: its sitecustomize does the same there
LOCAL = ("127.", "::1", "localhost", "0.0.0.0")


class NetworkError(BaseException):
    """Somebody wanted to leave this machine."""


def _check(event: str, arguments: tuple) -> None:
    if event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
        address = arguments[1]
        host = address[0] if isinstance(address, tuple) else None  # Unix sockets have a path
    elif event in ("socket.getaddrinfo", "socket.gethostbyname"):
        host = arguments[0]
    else:
        return
    host = host.decode() if isinstance(host, bytes) else host
    if host and not host.startswith(LOCAL):
        raise NetworkError(f"{event}: {host} is another machine")


sys.addaudithook(_check)
