"""Starts spare copies in its zone while another zone is lost, and ends them when that one serves again.

Run as `python -m cordillera.targets.local._spares_watch PLAN.json`, one in each zone. It needs no votes: a
copy too many does no harm. Each answers the others, so that a zone that is dead, frozen or cut off is silent.
What one is about to end it tells the others, and each has its own balancer send nothing there any more.
"""

import http.client
import json
import sys
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

from cordillera.core.errors import NotReady
from cordillera.targets.local import _haproxy
from cordillera.targets.local import _supervisor_rpc as supervisor

EVERY_S, ASK_TIMEOUT_S, CALL_TIMEOUT_S = 1.0, 1.0, 30.0
LOST_AFTER_S = 5.0
"""A zone that is silent for that long is lost: its copies are wanted elsewhere."""
BACK_AFTER_S = 8.0
"""A zone that answers, with every copy well for that long, needs no spares."""
DRAIN_S = 3.0
"""A spare that ends gets no new requests for that long before."""
MARGIN_BYTES = 128 << 20
"""What is left to the machine when a spare is started."""
MOST_BYTES = 1 << 16
UP = ("STARTING", "RUNNING", "BACKOFF")


@dataclass(frozen=True)
class Spare:
    """`program` stands in for the copy at `address:port`; port 0: it does not listen. Bytes it may use."""

    program: str
    zone: str
    memory_bytes: int
    address: str
    port: int
    path: str


def stand_in(*, now: bool, lost_s: float, whole_s: float) -> bool:
    """Whether a zone's spares shall run. `now`: they do; `lost_s`, `whole_s`: for how long. Pure."""
    return lost_s > LOST_AFTER_S or (now and whole_s <= BACK_AFTER_S)


def startable(wanted: Iterable[Spare], free_bytes: int) -> list[Spare]:
    """Those that there is room for, in their order. Pure."""
    found = []
    for spare in wanted:
        free_bytes -= spare.memory_bytes
        if free_bytes < MARGIN_BYTES:
            break
        found.append(spare)
    return found


class Zone:
    """Another zone, as it answers us; `ending` are the spares that it is about to end."""

    def __init__(self, address: str, port: int, spares: list[Spare]) -> None:
        self._address, self._port, self.spares = address, port, spares
        self._answered_at = self._ill_at = time.monotonic()
        self.ending: set[str] = set()

    def look(self) -> None:
        """Ask it, and remember since when it is silent or whole."""
        now = time.monotonic()
        text = fetch(self._address, self._port, "/")
        if text is not None:
            self._answered_at = now
        self.ending = set(json.loads(text or "[]"))
        copies = (fetch(s.address, s.port, s.path) for s in self.spares if s.port)
        if text is None or any(copy is None for copy in copies):
            self._ill_at = now

    def wants(self, *, standing_in: bool) -> bool:
        """Whether its spares shall run."""
        now = time.monotonic()
        return stand_in(now=standing_in, lost_s=now - self._answered_at, whole_s=now - self._ill_at)


class Drains:
    """The servers that our balancer and our proxy send nothing to. `servers`: name -> (socket, backend)."""

    def __init__(self, servers: Mapping[str, tuple[str, str]]) -> None:
        self._servers, self._now = servers, set[str]()

    def be(self, names: set[str]) -> None:
        """Drain exactly these. A balancer that does not answer is asked again the next time."""
        for name in names ^ self._now:
            state = "drain" if name in names else "ready"
            if name not in self._servers:
                continue
            socket, backend = self._servers[name]
            with suppress(NotReady):
                _haproxy.ask(Path(socket), f"set server {backend}/{name} state {state}")
                self._now ^= {name}


class Watch:
    """Compares, every second, which spares shall run with those that do."""

    def __init__(self, plan: Mapping[str, Any]) -> None:
        self._socket = Path(plan["supervisor"])
        spares = [Spare(**one) for one in plan["spares"]]
        self._zones = [
            Zone(address, plan["port"], [s for s in spares if s.zone == name])
            for name, address in plan["others"].items()
        ]
        self._drains = Drains(plan["servers"])
        self._short = False
        self._ending: dict[str, float] = {}

    @property
    def ending(self) -> list[str]:
        """The spares that are about to end."""
        return list(self._ending)

    def turn(self) -> None:
        """One look at everything. Raises what is in supervisor.TROUBLE."""
        rows = supervisor.ask(self._socket, CALL_TIMEOUT_S, "getAllProcessInfo")
        up = {row["name"] for row in rows if row["statename"] in UP}
        known = {row["name"] for row in rows}
        for zone in self._zones:
            zone.look()
            spares = [s for s in zone.spares if s.program in known]
            running = [s for s in spares if s.program in up]
            if zone.wants(standing_in=bool(running)):
                self._start([s for s in spares if s not in running])
            else:
                self._stop(running)
        self._drains.be({*self._ending}.union(*(zone.ending for zone in self._zones)))

    def _start(self, spares: list[Spare]) -> None:
        chosen = startable(spares, available_bytes())
        for spare in chosen:
            say(f"zone {spare.zone} is lost: {spare.program} stands in")
            self._ending.pop(spare.program, None)
            supervisor.ask(self._socket, CALL_TIMEOUT_S, "startProcess", spare.program, False)
        short = len(chosen) < len(spares)
        if short and not self._short:
            say(f"no room for {len(spares) - len(chosen)} more copies")
        self._short = short

    def _stop(self, running: list[Spare]) -> None:
        """Announce the end of each, and end those that were announced long enough ago."""
        now = time.monotonic()
        for spare in running:
            announced = self._ending.setdefault(spare.program, now)
            if announced == now:
                say(f"zone {spare.zone} serves again: {spare.program} ends")
            elif now - announced > DRAIN_S:
                supervisor.ask(self._socket, CALL_TIMEOUT_S, "stopProcess", spare.program, False)
        alive = {spare.program for spare in running}
        self._ending = {name: at for name, at in self._ending.items() if name in alive}


def fetch(address: str, port: int, path: str) -> str | None:
    """A good answer's body; None for anything else. Without a path it is enough that somebody listens."""
    link = http.client.HTTPConnection(address, port, timeout=ASK_TIMEOUT_S)
    try:
        link.connect()
        if not path:
            return ""
        link.request("GET", path)
        answer = link.getresponse()
        well = answer.status < http.HTTPStatus.BAD_REQUEST
        return answer.read(MOST_BYTES).decode(errors="replace") if well else None
    except (OSError, http.client.HTTPException):
        return None
    finally:
        link.close()


def available_bytes() -> int:
    """Memory that programs may still take on this machine."""
    lines = Path("/proc/meminfo").read_text().splitlines()
    return next(int(line.split()[1]) << 10 for line in lines if line.startswith("MemAvailable"))


def _answers(watch: Watch) -> type[BaseHTTPRequestHandler]:
    class Here(BaseHTTPRequestHandler):
        """Says that this zone runs, and what is about to end in it."""

        timeout = 5

        def do_GET(self) -> None:
            body = json.dumps(watch.ending).encode()
            self.send_response(http.HTTPStatus.OK)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Asked every second: not logged."""

    return Here


def say(what: str) -> None:
    """A line for the log."""
    print(f"{time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())} {what}", flush=True)


def main() -> None:
    """Watch until we are ended."""
    plan = json.loads(Path(sys.argv[1]).read_text())
    watch = Watch(plan)
    here = ThreadingHTTPServer((plan["address"], plan["port"]), _answers(watch))
    Thread(target=here.serve_forever, daemon=True).start()
    while True:
        begun = time.monotonic()
        try:
            watch.turn()
        except supervisor.TROUBLE as e:
            say(f"tried again: {e}")
        time.sleep(max(0.0, EVERY_S - (time.monotonic() - begun)))


if __name__ == "__main__":
    main()
