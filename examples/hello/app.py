"""The smallest app: one page that tells which copy made it. Python's standard library only."""

import html
import json
import os
import signal
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

STOP_WITHIN_S = 5.0

PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Hello from zone {zone}</title>
<style>
:root {{ color-scheme: light dark;
  --ink: #17201f; --soft: #55625f; --paper: #f4f2ec; --card: #ffffff; --accent: #0b5d5e }}
@media (prefers-color-scheme: dark) {{
  :root {{ --ink: #ecefec; --soft: #a3b0ac; --paper: #121716; --card: #1b2321; --accent: #6fd0c4 }}
}}
body {{ margin: 0; min-height: 100vh; display: grid; place-items: center;
  background: var(--paper); color: var(--ink); font: 1.05rem/1.6 system-ui, sans-serif }}
main {{ background: var(--card); padding: clamp(1.5rem, 5vw, 3.5rem); margin: 1rem; border-radius: 18px;
  border-top: 6px solid var(--accent); box-shadow: 0 18px 50px #0002; max-width: 32rem }}
h1 {{ margin: 0 0 .5rem; font: 700 clamp(1.8rem, 6vw, 2.8rem)/1.1 Georgia, serif }}
p {{ margin: 0; color: var(--soft) }}
dl {{ display: grid; grid-template-columns: auto 1fr; gap: .35rem 1.5rem; margin: 1.75rem 0 0 }}
dt {{ color: var(--soft) }}
dd {{ margin: 0; font: .92em/1.7 ui-monospace, monospace; overflow-wrap: anywhere }}
</style></head>
<body><main><h1>Hello from zone {zone}</h1><p>Reload: the balancer may send you to another copy.</p>
<dl><dt>Copy</dt><dd>{copy}</dd><dt>Release</dt><dd>{release}</dd>
<dt>Environment</dt><dd>{environment}</dd></dl></main></body></html>
"""


def who() -> dict[str, str]:
    """What Cordillera tells a copy about itself; `-` where it does not run under Cordillera."""
    names = ("zone", "copy", "release", "environment")
    return {name: os.environ.get(f"CORDILLERA_{name.upper()}", "-") for name in names}


class Handler(BaseHTTPRequestHandler):
    """`/` is the page, `/healthz` the health answer."""

    protocol_version = "HTTP/1.1"
    server_version = "hello"
    sys_version = ""
    timeout = 75  # seconds that an idle connection is kept

    def do_GET(self) -> None:
        self.started = time.monotonic()
        if self.path == "/healthz":
            self.answer(200, "ok\n", "text/plain")
        elif self.path.partition("?")[0] == "/":
            shown = {name: html.escape(value) for name, value in who().items()}
            self.answer(200, PAGE.format(**shown), "text/html; charset=utf-8")
        else:
            self.answer(404, "There is nothing at this address.\n", "text/plain")

    do_HEAD = do_GET

    def answer(self, status: int, text: str, kind: str) -> None:
        """Send a whole answer, and tell the log."""
        with self.server.busy:  # type: ignore[attr-defined]
            self._answer(status, text.encode(), kind)

    def _answer(self, status: int, body: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        if self.path != "/healthz":
            seconds = round(time.monotonic() - self.started, 4)
            tell(request=f"{self.command} {self.path}", status=int(code), seconds=seconds)

    def log_error(self, format: str, *args: Any) -> None:
        """An idle connection that ends is no error."""
        if not any(isinstance(arg, TimeoutError) for arg in args):
            super().log_error(format, *args)

    def log_message(self, format: str, *args: Any) -> None:
        tell(message=format % args)


def tell(**fields: object) -> None:
    """One JSON line on stdout."""
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    print(json.dumps({"time": now, **fields}), flush=True)


class Busy:
    """Counts the answers that are being written."""

    def __init__(self) -> None:
        self._count, self._changed = 0, threading.Condition()

    def __enter__(self) -> None:
        self._add(1)

    def __exit__(self, *_: object) -> None:
        self._add(-1)

    def wait(self, seconds: float) -> None:
        """Until there are none, but no longer than `seconds`."""
        with self._changed:
            self._changed.wait_for(lambda: self._count == 0, seconds)

    def _add(self, more: int) -> None:
        with self._changed:
            self._count += more
            self._changed.notify_all()


class Server(ThreadingHTTPServer):
    """Waits, when it is stopped, for answers that are being written; not for idle connections."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int]) -> None:
        super().__init__(address, Handler)
        self.busy = Busy()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is no error: health checks do."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


def main() -> int:
    """Serve until SIGTERM or SIGINT."""
    address = (os.environ.get("HOST", "0.0.0.0"), int(os.environ.get("PORT", "8000")))
    server = Server(address)

    def stop(*_: object) -> None:
        threading.Thread(target=server.shutdown).start()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    tell(message=f"listening on {address[0]}:{address[1]}", **who())
    server.serve_forever(poll_interval=0.1)
    server.server_close()
    server.busy.wait(STOP_WITHIN_S)
    tell(message="stopped")
    return 0


if __name__ == "__main__":
    sys.exit(main())
