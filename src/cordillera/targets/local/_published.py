"""Asking the published address as a user would: TLS, our authority, the front."""

import http.client
import socket
import ssl
import time
from dataclasses import dataclass

from cordillera.targets.local import _zone
from cordillera.targets.local._site import Site

TIMEOUT_S = 2.0


@dataclass(frozen=True)
class Answer:
    """What came back: the HTTP status, and the days until the certificate that was shown ends."""

    status: int
    certificate_days_left: float


def get(site: Site, path: str, *, timeout_s: float = TIMEOUT_S) -> Answer:
    """A GET. Raises OSError, HTTPException; TimeoutError when the answer is slower."""
    host, _, port = site.listen.rpartition(":")
    address = "127.0.0.1" if host == "0.0.0.0" else host
    context = ssl.create_default_context(cafile=str(site.state / _zone.CA_FILE))
    with (
        socket.create_connection((address, int(port)), timeout_s) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as secure,
    ):
        days_left = _days_left(secure)  # an answer that ends the connection closes it
        connection = http.client.HTTPConnection("localhost")
        connection.sock = secure
        connection.request("GET", path, headers={"User-Agent": "cordillera-status"})
        return Answer(connection.getresponse().status, days_left)


def _days_left(secure: ssl.SSLSocket) -> float:
    shown = secure.getpeercert() or {}
    return (ssl.cert_time_to_seconds(str(shown["notAfter"])) - time.time()) / 86400
