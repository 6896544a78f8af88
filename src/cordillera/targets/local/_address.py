"""The published address: which are free, and who has one that is not."""

import socket
from collections.abc import Container

from cordillera.core import process
from cordillera.core.errors import CordilleraError, ManifestError

FIRST_PORT, LAST_PORT = 8443, 8643
COMMAND_TIMEOUT_S = 5.0
ANOTHER = "name another: --listen 127.0.0.1:9443"


def parsed(text: str) -> str:
    """HOST:PORT out of what was typed. Raises ManifestError."""
    host, _, port = text.rpartition(":")
    if not port.isdigit() or not 0 < int(port) < 65536:
        raise ManifestError(
            f"{text} is not an address", hint="write it as 127.0.0.1:8443 or 0.0.0.0:443"
        )
    return f"{host or '127.0.0.1'}:{port}"


def free(others: Container[str]) -> str:
    """The first that nobody listens at and that is not among `others`. Raises CordilleraError."""
    for port in range(FIRST_PORT, LAST_PORT):
        address = f"127.0.0.1:{port}"
        if address not in others and bindable(address):
            return address
    raise CordilleraError(
        f"no port from {FIRST_PORT} to {LAST_PORT} is free",
        hint="name one: --listen 127.0.0.1:9443",
    )


def refuse_taken(address: str, environment: str) -> None:
    """Raises CordilleraError, naming who listens there, unless we could."""
    if not bindable(address):
        raise CordilleraError(
            f"{environment}: {address} is taken{_taken_by(address)}", hint=f"free it, or {ANOTHER}"
        )


def bindable(address: str) -> bool:
    """Whether nobody listens there."""
    host, _, port = address.rpartition(":")
    with socket.socket() as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((host, int(port)))
        except OSError:
            return False
    return True


def _taken_by(address: str) -> str:
    port = address.rpartition(":")[2]
    try:
        found = process.run(["ss", "-Htlnp", f"sport = :{port}"], timeout_s=COMMAND_TIMEOUT_S)
    except CordilleraError:
        return ""
    _, _, users = found.partition('(("')
    return f" by {users.split(chr(34))[0]}" if users else ""
