"""An app that tells what reached it, and a visitor who writes every byte himself."""

import json
import re
import socket
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from cordillera.components.edge import EdgeSpec
from cordillera.components.service import HealthSpec, ScaleSpec, ServiceSpec
from cordillera.components.wanted import Wanted
from tests.targets.local import visitor
from tests.targets.local.whole import Environment

DOMAIN, OTHERS = "shop.example", "*.shops.example"
SCRIPT = quote("<script>alert(1)</script>")
SETTLED_S = 0.4
APP = """\
import base64, hashlib, http.server, json, os, sys, time

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def do_GET(self):
        path, _, word = self.path.partition("?")
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if path == "/healthz":
            return self.answer(200, b"ok")
        print("SEEN", self.command, self.path, os.environ["CORDILLERA_COPY"], flush=True)
        if path == "/close":
            self.close_connection = True
        elif path in ("/hang", "/sleep"):
            time.sleep(9 if path == "/hang" else 4)
            self.answer(200, b"late")
        elif path == "/socket" and self.headers.get("Upgrade") == "websocket":
            key = self.headers["Sec-WebSocket-Key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
            self.send_response(101)
            self.send_header("Upgrade", "websocket")
            self.send_header("Connection", "Upgrade")
            digest = hashlib.sha1(key.encode()).digest()
            self.send_header("Sec-WebSocket-Accept", base64.b64encode(digest).decode())
            self.end_headers()
            self.wfile.write(self.rfile.read(4).upper())
            self.close_connection = True
        elif path.startswith("/status/"):
            self.answer(int(path[8:11]), b"as asked")
        else:
            told = {"path": self.path, "headers": self.headers.items(), "body": len(body)}
            self.answer(200, json.dumps(told).encode())

    do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = do_GET

    def answer(self, status, body):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        if self.path.startswith("/kept/"):
            self.send_header("Cache-Control", "max-age=60")
        self.end_headers()
        self.wfile.write(body)

class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 128

Server((os.environ["HOST"], int(os.environ["PORT"])), Handler).serve_forever()
"""


def wanted(home: Path) -> Wanted:
    """doors/test: two copies of that app, a domain, a cached path, an exception."""
    folder = home / "app"
    folder.mkdir()
    (folder / "app.py").write_text(APP)
    edge = {
        "domains": [DOMAIN, OTHERS],
        "cache": ["/kept/*"],
        "firewall": {
            "rate": {"requests": 100_000, "per": "60s"},
            "exceptions": [
                {"path": "/editor/", "rules": [941100, 941110, 941160], "why": "It posts HTML."}
            ],
        },
    }
    web = ServiceSpec(
        command="exec python3 app.py",
        public=True,
        health=HealthSpec(path="/healthz"),
        scale=ScaleSpec(min=2, max=2),
    )
    return Wanted(
        app="doors",
        environment="doors/test",
        folder=folder,
        services={"web": web},
        edge=EdgeSpec.model_validate(edge),
    )


def raw(shop: Environment, request: bytes, *, timeout_s: float = 15.0) -> tuple[int, str]:
    """Status and body that came back for these very bytes; status 0: the connection was closed."""
    host, _, port = shop.site.listen.rpartition(":")
    with (
        socket.create_connection((host, int(port)), timeout_s) as plain,
        visitor.trust(shop).wrap_socket(plain, server_hostname="localhost") as line,
    ):
        line.sendall(request)
        found = b""
        while not _whole(found) and (chunk := line.recv(65536)):
            found += chunk
    head, _, body = found.partition(b"\r\n\r\n")
    return int(head.split(b" ")[1]) if b" " in head else 0, body.decode(errors="replace")


def _whole(found: bytes) -> bool:
    """Whether an answer that tells its length is there."""
    head, _, body = found.partition(b"\r\n\r\n")
    told = re.search(rb"(?i)content-length: (\d+)", head)
    return told is not None and len(body) >= int(told[1])


def get(
    shop: Environment,
    target: str,
    *headers: str,
    host: str = "localhost",
    method: str = "GET",
    body: bytes = b"",
) -> tuple[int, str]:
    """A request with this very target and these very header lines."""
    length = [f"Content-Length: {len(body)}"] if body else []
    last = (
        [] if any(h.lower().startswith("connection:") for h in headers) else ["Connection: close"]
    )
    lines = [f"{method} {target} HTTP/1.1", f"Host: {host}", *headers, *length, *last, "", ""]
    return raw(shop, "\r\n".join(lines).encode() + body)


def told(text: str) -> dict[str, Any]:
    """What the app says that it got: path, headers (names in small letters), bytes of body."""
    found: dict[str, Any] = json.loads(text)
    found["headers"] = {name.lower(): value for name, value in found["headers"]}
    return found


def reached(shop: Environment, text: str) -> list[str]:
    """Each request with `text` in its target that an app got: its method."""
    time.sleep(SETTLED_S)
    logs = [zone.state / "logs/web.log" for zone in shop.site.zones]
    lines = [line for log in logs if log.exists() for line in log.read_text().splitlines()]
    return [
        line.partition("SEEN ")[2].split()[0] for line in lines if "SEEN " in line and text in line
    ]


def audited(shop: Environment, text: str) -> list[Mapping[str, Any]]:
    """What the firewalls wrote down of requests with `text` in their target."""
    time.sleep(SETTLED_S)
    logs = [zone.state / "nginx/firewall-audit.log" for zone in shop.site.zones]
    lines = [line for log in logs if log.exists() for line in log.read_text().splitlines()]
    found = [json.loads(line)["transaction"] for line in lines if line.startswith("{")]
    return [one for one in found if text in one["request"]["uri"]]
