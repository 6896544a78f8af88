"""What every HAProxy of an environment is configured with, and how it is spoken to.

The figures come from measurements of losing a backend under load: see docs/decisions/0006-edge.md.
"""

import socket
from dataclasses import dataclass
from pathlib import Path

from cordillera.core.errors import NotReady
from cordillera.targets.local._net import PROBE_TIMEOUT_S

COMMAND_TIMEOUT_S = 2.0
STATUS, SINCE, CHECK = 17, 23, 36
"""Columns of `show stat`: a server counts as up from its start, so its last check is asked too."""

GLOBAL = """\
global
    log stdout format raw local0 warning
    stats socket {socket} mode 600 level admin expose-fd listeners
    nbthread 1
    maxconn 4000
    hard-stop-after 60s
    ssl-default-bind-options ssl-min-ver TLSv1.2 no-tls-tickets
    ssl-default-bind-ciphers ECDHE+AESGCM:ECDHE+CHACHA20
    tune.ssl.cachesize 1000
"""

HTTP_DEFAULTS = """\
defaults
    mode http
    log global
    option dontlog-normal
    timeout client 60s
    timeout http-request 15s
    timeout http-keep-alive 60s
    timeout connect 100ms
    timeout server 60s
    timeout tunnel 1h
    timeout queue 10s
    timeout check 250ms
    option http-server-close
    retries 1
    option redispatch 1
    retry-on conn-failure
    default-server check inter 250ms fastinter 100ms fall 2 rise 2
    default-server observe layer4 error-limit 2 on-error mark-down
"""
"""Nothing that was sent is sent again: `_again.py` alone repeats a GET, once, when its copy is gone.

A connection for each request: on one that was kept, nobody can tell a request that got lost from one that was
read. `retries 1` is for connections that could not be made, each hop to another server.
"""

TCP_DEFAULTS = """\
defaults
    mode tcp
    log global
    option dontlog-normal
    timeout client 1h
    timeout server 1h
    timeout connect 500ms
    timeout check 1s
    retries 2
    option redispatch 1
    default-server check inter 1s fastinter 200ms downinter 500ms fall 2 rise 1
    default-server on-marked-down shutdown-sessions
"""


@dataclass(frozen=True)
class Server:
    """A server as an HAProxy holds it: its status, for how many seconds, its last check (empty: none)."""

    status: str
    since_s: float
    check: str

    @property
    def up(self) -> bool:
        """A check found it so, and the last one still does."""
        return self.status.startswith("UP") and self.check.endswith("OK")

    @property
    def down(self) -> bool:
        """It gets nothing, and the last check failed too."""
        return self.status.startswith("DOWN") and not self.check.endswith("OK")


def ask(path: Path, command: str, *, timeout_s: float = COMMAND_TIMEOUT_S) -> str:
    """The answer of an HAProxy to a runtime command. Raises NotReady when it does not answer."""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(timeout_s)
            connection.connect(str(path))
            connection.sendall(command.encode() + b"\n")
            chunks = iter(lambda: connection.recv(65536), b"")
            return b"".join(chunks).decode()
    except OSError as e:
        raise NotReady(f"{path.name} does not answer ({e})") from e


def answers(path: Path) -> bool:
    """Whether the HAProxy at that socket says anything."""
    try:
        return bool(ask(path, "show pid", timeout_s=PROBE_TIMEOUT_S))
    except NotReady:
        return False


def servers(path: Path, backend: str) -> dict[str, bool]:
    """Server name -> whether a check found it up, of one backend. Raises NotReady."""
    found = backends(ask(path, "show stat")).get(backend, {})
    return {name: server.up for name, server in found.items()}


def backends(stat: str) -> dict[str, dict[str, Server]]:
    """Backend -> server -> how it is, in an answer to `show stat`. Pure."""
    found: dict[str, dict[str, Server]] = {}
    for row in (line.split(",") for line in stat.splitlines() if not line.startswith("#")):
        if len(row) > CHECK and row[1] not in ("FRONTEND", "BACKEND"):
            seen = Server(row[STATUS], float(row[SINCE] or 0), row[CHECK].lstrip("* "))
            found.setdefault(row[0], {})[row[1]] = seen
    return found
