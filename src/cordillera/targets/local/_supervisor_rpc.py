"""A supervisor's XML-RPC over its Unix socket: one call, one connection, a time-out each."""

import http.client
import socket
import xmlrpc.client
from pathlib import Path
from typing import Any

TROUBLE = (OSError, http.client.HTTPException, xmlrpc.client.Error)
"""What a call may raise: nobody answers, or it was refused."""
UP = ("STARTING", "RUNNING", "BACKOFF")
"""States of a program that runs or is about to."""


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path, timeout_s: float) -> None:
        super().__init__("localhost", timeout=timeout_s)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


class _UnixTransport(xmlrpc.client.Transport):
    def __init__(self, path: Path, timeout_s: float) -> None:
        super().__init__()
        self._path, self._timeout_s = path, timeout_s

    def make_connection(self, host: Any) -> http.client.HTTPConnection:
        made = _UnixConnection(self._path, self._timeout_s)
        self._connection = host, made
        return made


def ask(path: Path, timeout_s: float, verb: str, *args: object) -> Any:
    """The answer to one verb of the supervisor at that socket. Raises what is in TROUBLE."""
    transport = _UnixTransport(path, timeout_s)
    with xmlrpc.client.ServerProxy("http://localhost/RPC2", transport=transport) as proxy:
        return getattr(proxy.supervisor, verb)(*args)
