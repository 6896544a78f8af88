"""Has the zone's volume server find a new leading master at once, by starting it anew.

By itself it waits five seconds for each master that it asks in vain, and does not notice for a minute that
the one it speaks to is frozen or cut off. Nothing can be written to a server that the leader does not know.
"""

import json
import os
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from cordillera.targets.local._keeper.leadership import STATUS, http_get
from cordillera.targets.local._keeper.log import say
from cordillera.targets.local._keeper.processes import matching

MISSING_AFTER_S, AGAIN_AFTER_S = 1.2, 8.0
APART_S = 1.5
"""Between the zones: one volume server can be read while the other starts."""
EVERY_S, CONFIRM_EVERY_S = 1.0, 5.0
"""Between looks at who leads, and between questions to a leader that knows our server."""
SERVERS = "/dir/status"

Address = tuple[str, int]


class Registration:
    """Watches one volume server and the master of its zone, in a thread of its own."""

    def __init__(self, master: Address, server: Address, data: Path, *, turn: int) -> None:
        """`data` is the volume server's folder, by which its process is known; `turn` counts zones."""
        self._master, self._server, self._data = master, server, data
        self._patience_s = MISSING_AFTER_S + turn * APART_S
        self._known_by: Address | None = None
        self._running: tuple[int, ...] = ()
        self._missing_since = self._kicked_at = self._asked_at = 0.0

    def watch_for_ever(self) -> None:
        """Turn after turn, until we are ended."""
        while True:
            self.turn()
            time.sleep(EVERY_S)

    def turn(self) -> None:
        """End the volume server when the leader has not known it for a while: it is started again."""
        now = time.monotonic()
        leader = leader_of(http_get(self._master, STATUS))
        if leader == self._known_by and now - self._asked_at < CONFIRM_EVERY_S:
            return
        listed = servers_of(http_get(leader, SERVERS)) if leader else None
        self._asked_at = now
        known = listed is not None and self._server in listed
        self._known_by = leader if known else None
        if known or listed is None:
            self._missing_since = 0.0
        elif running := tuple(pids("volume", f"-dir={self._data}")):
            self._missed(leader, running, now)

    def _missed(self, leader: Address | None, running: tuple[int, ...], now: float) -> None:
        """Of a server that runs; one that was just started is given the time to register."""
        if not self._missing_since or running != self._running:
            self._missing_since, self._running = now, running
        late = now - self._missing_since > self._patience_s
        if late and now - self._kicked_at > AGAIN_AFTER_S:
            say(f"objects: the leading master {leader} does not know our server: started anew")
            self._kicked_at = now
            for pid in running:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGTERM)


def leader_of(status: str | None) -> Address | None:
    """Who leads, as a master tells (`10.66.10.2:9333.19333`). Pure."""
    found: Any = json.loads(status).get("Leader", "") if status else ""
    host, _, ports = str(found).partition(":")
    port = ports.partition(".")[0]
    return (host, int(port)) if port.isdigit() else None


def servers_of(status: str | None) -> list[Address] | None:
    """The volume servers that a leader knows; None when it does not tell. Pure."""
    if status is None:
        return None
    centers = json.loads(status).get("Topology", {}).get("DataCenters") or ()
    urls = [
        str(node["Url"])
        for center in centers
        for rack in center.get("Racks") or ()
        for node in rack.get("DataNodes") or ()
    ]
    return [(host, int(port)) for host, _, port in (url.partition(":") for url in urls)]


def pids(kind: str, flag: str) -> Iterator[int]:
    """Processes of the object store in this zone: of a kind, with that flag."""
    return matching(lambda words: kind.encode() in words and flag.encode() in words)
