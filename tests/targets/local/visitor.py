"""A visitor of a published address, and an app that does to itself what tests want to see."""

import http.client
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.targets.local.whole import Environment

TIMEOUT_S = 15.0
APP = """\
import http.server, itertools, json, os, signal, sys, threading, time, urllib.request

slow_until, served, kept = 0.0, itertools.count(), []

class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *args):
        pass

    def do_POST(self):
        self.answer(str(len(self.rfile.read(int(self.headers["Content-Length"])))))

    def do_GET(self):
        global slow_until
        path, _, word = self.path.partition("?")
        if path == "/healthz":
            time.sleep(max(0.0, min(3.0, slow_until - time.time())))
            self.answer("ok")
        elif path == "/who":
            self.answer(os.environ["CORDILLERA_COPY"])
        elif path == "/slow":
            slow_until = time.time() + float(word)
            self.answer(os.environ["CORDILLERA_COPY"])
        elif path == "/sleep":
            time.sleep(float(word))
            self.answer(os.environ["CORDILLERA_RELEASE"] + os.environ.get("GREETING", ""))
        elif path == "/eat":
            kept.append(bytearray(os.urandom(1 << 20)) * int(word))
            self.answer("eaten")
        elif path == "/write":
            try:
                open("app.py", "a").close()
                self.answer("written")
            except OSError as e:
                self.answer(e.strerror)
        elif path == "/api":
            with urllib.request.urlopen(os.environ["API"] + "/who", timeout=5) as answer:
                self.answer(answer.read().decode())
        elif path.startswith("/kept/"):
            cookie = {"Set-Cookie": "a=b"} if word else {}
            self.answer(str(next(served)), {"Cache-Control": "max-age=60", **cookie})
        else:
            self.answer("page")

    def answer(self, text, headers={}):
        self.send_response(200)
        for name, value in {"Content-Length": len(text), **headers}.items():
            self.send_header(name, str(value))
        self.end_headers()
        self.wfile.write(text.encode())

class Server(http.server.ThreadingHTTPServer):
    daemon_threads = False

server = Server((os.environ["HOST"], int(os.environ["PORT"])), Handler)
signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
server.serve_forever(0.1)
server.server_close()
"""


@dataclass(frozen=True)
class Answer:
    """What a visitor got."""

    status: int
    text: str
    headers: Mapping[str, str]


def app(folder: Path) -> Path:
    """The app's folder, made in `folder`."""
    made = folder / "app"
    made.mkdir()
    (made / "app.py").write_text(APP)
    return made


def trust(shop: Environment) -> ssl.SSLContext:
    """Trusts the environment's own authority and nobody else."""
    return ssl.create_default_context(cafile=str(shop.site.state / "ca.pem"))


def connection(shop: Environment) -> http.client.HTTPSConnection:
    """To the published address; one for many requests."""
    port = int(shop.site.listen.rpartition(":")[2])
    return http.client.HTTPSConnection("localhost", port, timeout=TIMEOUT_S, context=trust(shop))


def ask(
    shop: Environment, path: str, *, body: bytes | None = None, headers: Mapping[str, str] = {}
) -> Answer:
    """One request on a connection of its own: a GET, or a POST of `body`."""
    line = connection(shop)
    try:
        line.request("GET" if body is None else "POST", path, body, dict(headers))
        got = line.getresponse()
        return Answer(got.status, got.read().decode(errors="replace"), dict(got.getheaders()))
    finally:
        line.close()
