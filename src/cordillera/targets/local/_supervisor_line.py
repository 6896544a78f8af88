"""The line to a zone's supervisor: XML-RPC over its Unix socket, faults translated."""

import http.client
import socket
import xmlrpc.client
from pathlib import Path
from typing import Any

from cordillera.core.errors import NotReady
from cordillera.targets.local._site import Zone

CALL_TIMEOUT_S = 60.0
UNANSWERED = (OSError, http.client.HTTPException, xmlrpc.client.Error)
"""What asking raises when there is nobody, or somebody frozen or ill."""
ALREADY_SO = ("ALREADY_ADDED", "ALREADY_STARTED", "NOT_RUNNING")


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


def ask(zone: Zone, timeout_s: float, verb: str, *args: object) -> Any:
    """One question. Raises one of UNANSWERED."""
    transport = _UnixTransport(zone.socket, timeout_s)
    with xmlrpc.client.ServerProxy("http://localhost/RPC2", transport=transport) as proxy:
        return getattr(proxy.supervisor, verb)(*args)


def call(zone: Zone, verb: str, *args: object) -> Any:
    """An order; None when it is so already. Raises NotReady."""
    try:
        return ask(zone, CALL_TIMEOUT_S, verb, *args)
    except xmlrpc.client.Fault as e:
        if e.faultString.split(":")[0] in ALREADY_SO:
            return None
        raise NotReady(f"zone {zone.name}: {verb} {args}: {e.faultString}") from e
    except xmlrpc.client.ProtocolError as e:
        raise NotReady(
            f"zone {zone.name}: its supervisor could not {verb} {args}",
            hint=f"see the end of {zone.run}/supervisor.log",
        ) from e
    except (OSError, http.client.HTTPException) as e:
        raise NotReady(f"zone {zone.name}: its supervisor does not answer ({e})") from e
