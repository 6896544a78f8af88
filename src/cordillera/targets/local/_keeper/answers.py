"""What a keeper answers: its database's role to the proxies, a copy of its data to another keeper."""

import ssl
import sys
import time
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from cordillera.core.errors import CordilleraError
from cordillera.targets.local import _mariadb_config as config
from cordillera.targets.local._keeper import copies
from cordillera.targets.local._keeper.log import say
from cordillera.targets.local._keeper.plan import Plan

ROLE_TIMEOUT_S = 5.0


@dataclass
class Role:
    """What the zone's database is now: `writer`, `replica` or nothing, and until when that holds.

    The time is the machine's monotonic clock: a keeper that was frozen vouches for nobody.
    """

    _said: tuple[str, float] = field(default=("", 0.0))

    def say(self, role: str, *, for_s: float) -> None:
        """It is that, for so long unless it is said again."""
        self._said = role, time.monotonic() + for_s

    def now(self) -> str:
        """What it is; empty when nobody said so lately."""
        role, until = self._said
        return role if time.monotonic() < until else ""


def serve(plan: Plan, role: Role) -> None:
    """Answer from now on, as long as the process lives. Raises OSError when a port is taken."""
    plain = _Server((plan.zone.private, config.ROLE_PORT), _roles(role))
    _run(plain, "roles")
    if not plan.database:
        return
    sealed = _Server((plan.zone.private, config.COPY_PORT), _copies(plan))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(plan.pem)
    context.load_verify_locations(f"{plan.pem}.ca")
    context.verify_mode = ssl.CERT_REQUIRED
    sealed.socket = context.wrap_socket(
        sealed.socket, server_side=True, do_handshake_on_connect=False
    )
    _run(sealed, "copies")


def _run(server: ThreadingHTTPServer, name: str) -> None:
    Thread(target=server.serve_forever, daemon=True, name=name).start()


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """A proxy that went away before it had its answer is no event; anything else is told."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Quiet(BaseHTTPRequestHandler):
    timeout = ROLE_TIMEOUT_S

    def log_message(self, format: str, *args: Any) -> None:
        """Checks come twice a second: they are not logged."""


def _roles(role: Role) -> type[_Quiet]:
    class Roles(_Quiet):
        def do_GET(self) -> None:
            """200 at the path that is our role, 503 elsewhere."""
            is_it = self.path == f"/{role.now()}"
            self.send_response(HTTPStatus.OK if is_it else HTTPStatus.SERVICE_UNAVAILABLE)
            self.send_header("Content-Length", "0")
            self.end_headers()

    return Roles


def _copies(plan: Plan) -> type[_Quiet]:
    class Copies(_Quiet):
        protocol_version = "HTTP/1.1"
        timeout = copies.COPY_TIMEOUT_S

        def do_GET(self) -> None:
            """The whole data, chunked; one that fails half-way is cut off without an end."""
            self.send_response(HTTPStatus.OK)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            try:
                copies.send(plan, self._chunk)
                self.wfile.write(b"0\r\n\r\n")
            except (OSError, CordilleraError) as e:
                say(f"sending a copy: {e}")
            self.close_connection = True

        def _chunk(self, data: bytes) -> None:
            self.wfile.write(b"%x\r\n%b\r\n" % (len(data), data))

    return Copies
