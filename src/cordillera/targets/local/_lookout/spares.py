"""Starts spare copies in our zone while another zone is lost, and ends them when that one serves again.

It needs no votes: a copy too many does no harm. What is about to end is told to the other lookouts, and
each has its own balancer send nothing there any more.
"""

import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from cordillera.core.errors import NotReady
from cordillera.targets.local import _haproxy
from cordillera.targets.local import _supervisor_rpc as supervisor
from cordillera.targets.local._keeper.log import say
from cordillera.targets.local._lookout.zone import Zone, fetch

CALL_TIMEOUT_S = 30.0
LOST_AFTER_S = 5.0
"""A zone that is silent for that long is lost: its copies are wanted elsewhere."""
BACK_AFTER_S = 8.0
"""A zone that answers, with every copy well for that long, needs no spares."""
DRAIN_S = 3.0
"""A spare that ends gets no new requests for that long before."""
QUIET_S = 3.0
"""While every zone has answered lately, and no spare runs, there is nothing to see to."""
MARGIN_BYTES = 128 << 20
"""What is left to the machine when a spare is started."""


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


class Drains:
    """The servers that our balancer and our proxy send nothing to. `servers`: name -> (socket, backend)."""

    def __init__(self, servers: Mapping[str, tuple[Path, str]]) -> None:
        self._servers, self._now = servers, set[str]()

    def be(self, names: set[str]) -> None:
        """Drain exactly these. A balancer that does not answer is asked again the next time."""
        for name in names ^ self._now:
            state = "drain" if name in names else "ready"
            if name not in self._servers:
                continue
            socket, backend = self._servers[name]
            with suppress(NotReady):
                _haproxy.ask(socket, f"set server {backend}/{name} state {state}")
                self._now ^= {name}


class Spares:
    """Compares which of our spares shall run with those that do."""

    def __init__(self, socket: Path, spares: Sequence[Spare], drains: Drains) -> None:
        """`socket` is our supervisor's."""
        self._socket, self._spares, self._drains = socket, spares, drains
        self._ill_at: dict[str, float] = {}
        self._ending: dict[str, float] = {}
        self._short, self._some_run = False, True

    @property
    def ending(self) -> list[str]:
        """The spares that are about to end."""
        return list(self._ending)

    def turn(self, zones: Sequence[Zone]) -> None:
        """Start and end, as the zones answer. Raises what is in supervisor.TROUBLE."""
        if self._spares and (self._some_run or any(z.silent_s > QUIET_S for z in zones)):
            rows = supervisor.ask(self._socket, CALL_TIMEOUT_S, "getAllProcessInfo")
            states = {row["name"]: row["statename"] in supervisor.UP for row in rows}
            self._some_run = any(states.get(spare.program) for spare in self._spares)
            for zone in zones:
                self._see_to(zone, states)
        self._drains.be({*self._ending}.union(*(zone.ending for zone in zones)))

    def _see_to(self, zone: Zone, states: Mapping[str, bool]) -> None:
        spares = [s for s in self._spares if s.zone == zone.name and s.program in states]
        running = [s for s in spares if states[s.program]]
        whole_s = self._whole_s(zone, spares) if running else 0.0
        if stand_in(now=bool(running), lost_s=zone.silent_s, whole_s=whole_s):
            self._start([s for s in spares if s not in running])
        else:
            self._stop(zone, running)

    def _whole_s(self, zone: Zone, spares: Sequence[Spare]) -> float:
        """For how long the zone has answered with every copy well; asked only while spares run."""
        now = time.monotonic()
        copies = (fetch(s.address, s.port, s.path) for s in spares if s.port)
        if zone.silent_s > 1.0 or any(copy is None for copy in copies):
            self._ill_at[zone.name] = now
        return now - self._ill_at.setdefault(zone.name, now)

    def _start(self, spares: Sequence[Spare]) -> None:
        chosen = startable(spares, available_bytes())
        for spare in chosen:
            say(f"zone {spare.zone} is lost: {spare.program} stands in")
            self._ending.pop(spare.program, None)
            supervisor.ask(self._socket, CALL_TIMEOUT_S, "startProcess", spare.program, False)
        short = len(chosen) < len(spares)
        if short and not self._short:
            say(f"no room for {len(spares) - len(chosen)} more copies")
        self._short = short

    def _stop(self, zone: Zone, running: Sequence[Spare]) -> None:
        """Announce the end of each, and end those that were announced long enough ago."""
        now = time.monotonic()
        for spare in running:
            if spare.program not in self._ending:
                say(f"zone {zone.name} serves again: {spare.program} ends")
            announced = self._ending.setdefault(spare.program, now)
            if now - announced > DRAIN_S:
                supervisor.ask(self._socket, CALL_TIMEOUT_S, "stopProcess", spare.program, False)
        over = {s.program for s in self._spares if s.zone == zone.name and s not in running}
        self._ending = {name: at for name, at in self._ending.items() if name not in over}


def available_bytes() -> int:
    """Memory that programs may still take on this machine."""
    lines = Path("/proc/meminfo").read_text().splitlines()
    return next(int(line.split()[1]) << 10 for line in lines if line.startswith("MemAvailable"))
