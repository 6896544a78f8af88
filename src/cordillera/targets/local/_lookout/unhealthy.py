"""Ends copies of services that stay unhealthy: they are started anew, as a cloud replaces a task.

What the zone's edge and proxy find at their checks is what counts. A copy that fails them while another of
its service is well has itself to blame. When all do, load or something behind them may be the cause, and
starting anew would make it worse: then only a copy that does not answer one patient question either is ended.
Of each service one copy is ended at a time.
"""

import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from cordillera.core.errors import NotReady
from cordillera.targets.local import _haproxy
from cordillera.targets.local import _supervisor_rpc as supervisor
from cordillera.targets.local._haproxy import Server
from cordillera.targets.local._keeper.log import say
from cordillera.targets.local._lookout.zone import hangs

EVERY_S, CALL_TIMEOUT_S = 5.0, 5.0
ALONE_AFTER_S, ALL_AFTER_S = 30.0, 120.0
"""So long a copy is unhealthy before it is ended: while another is well, and while none is."""
PATIENCE_S = 20.0
"""A copy that answers within that long works, however much too slowly."""


@dataclass(frozen=True)
class Copy:
    """A copy in our zone: its program, how long it may take to start, who checks it under that name in
    which backend, and where it is asked itself."""

    program: str
    start_s: float
    socket: str
    backend: str
    address: str
    port: int
    path: str


@dataclass(frozen=True)
class Look:
    """A copy as it is checked, and all others of its service."""

    copy: Copy
    seen: Server
    others: Sequence[Server]

    def overdue(self, age_s: float) -> bool:
        """Whether it must be ended, when it has run for that long. Pure."""
        limit_s = ALONE_AFTER_S if self.has_company else ALL_AFTER_S
        return self.seen.down and self.seen.since_s > limit_s and age_s > self.copy.start_s

    @property
    def has_company(self) -> bool:
        """Another copy of its service is well."""
        return any(other.up for other in self.others)


def kill(pid: int) -> None:
    """kill -9 of a copy and what it has started. May be called twice."""
    with suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)


class Unhealthy:
    """Watches the copies of services in our zone, in a thread of its own."""

    def __init__(
        self,
        supervisor_socket: Path,
        copies: Sequence[Copy],
        *,
        end: Callable[[int], None] = kill,
    ) -> None:
        self._supervisor, self._copies, self._end = supervisor_socket, tuple(copies), end
        self._starting: dict[str, float] = {}

    def watch_for_ever(self) -> None:
        """Turn after turn, until we are ended."""
        while True:
            try:
                self.turn(time.monotonic())
            except supervisor.TROUBLE as e:
                say(f"copies of services, tried again: {e}")
            time.sleep(EVERY_S)

    def turn(self, now: float) -> None:
        """End a copy that is overdue, and of its service no other until that one has had time to start.

        Raises what is in supervisor.TROUBLE.
        """
        down = [look for look in self._looks() if look.seen.down]
        running = self._running() if down else {}
        for look in down:
            pid, age_s = running.get(look.copy.program, (0, 0.0))
            if not pid or not look.overdue(age_s) or now < self._starting.get(look.copy.backend, 0):
                continue
            if look.has_company or hangs(
                look.copy.address, look.copy.port, look.copy.path, PATIENCE_S
            ):
                since_s, check = look.seen.since_s, look.seen.check
                say(f"{look.copy.program} has been unhealthy for {since_s:.0f} s ({check}): ended")
                self._starting[look.copy.backend] = now + look.copy.start_s
                self._end(pid)

    def _looks(self) -> Iterator[Look]:
        held = {socket: _held(socket) for socket in {copy.socket for copy in self._copies}}
        for copy in self._copies:
            servers = dict(held[copy.socket].get(copy.backend, {}))
            if seen := servers.pop(copy.program, None):
                yield Look(copy, seen, list(servers.values()))

    def _running(self) -> Mapping[str, tuple[int, float]]:
        """Program -> pid and the seconds since it was started, of those that nobody is stopping."""
        rows = supervisor.ask(self._supervisor, CALL_TIMEOUT_S, "getAllProcessInfo")
        return {
            row["name"]: (row["pid"], row["now"] - row["start"])
            for row in rows
            if row["statename"] == "RUNNING"
        }


def _held(socket: str) -> Mapping[str, Mapping[str, Server]]:
    """What an HAProxy holds; nothing of one that does not answer: it is somebody else's to end."""
    try:
        return _haproxy.backends(_haproxy.ask(Path(socket), "show stat"))
    except NotReady:
        return {}
