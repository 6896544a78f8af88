"""Ends copies of services that stay ill: their supervisor starts them anew, as a cloud replaces a task.

What the zone's edge and proxy find at their checks is what counts. A copy that is ill while another of its
service is well has itself to blame. When all are ill, load or something behind them may be the cause, and
starting anew would make it worse: only copies that answer nothing are ended then, and after longer.
"""

import os
import signal
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from cordillera.core.errors import NotReady
from cordillera.targets.local import _haproxy
from cordillera.targets.local import _supervisor_rpc as supervisor
from cordillera.targets.local._haproxy import Server
from cordillera.targets.local._keeper.log import say

EVERY_S, CALL_TIMEOUT_S = 2.0, 5.0
ALONE_AFTER_S, ALL_AFTER_S = 30.0, 120.0
"""So long a copy is ill before it is ended: while another is well, and while none is."""


@dataclass(frozen=True)
class Copy:
    """A copy in our zone: its program, how long it may take to start, and who checks it under that name."""

    program: str
    start_s: float
    socket: str
    backend: str


def overdue(copy: Server, others: Sequence[Server], *, age_s: float, start_s: float) -> bool:
    """Whether a copy that has run for `age_s` must be ended. Pure."""
    if not copy.down or age_s < start_s:
        return False
    if any(other.up for other in others):
        return copy.since_s > ALONE_AFTER_S
    return copy.silent and copy.since_s > ALL_AFTER_S


class Ill:
    """Watches the copies of services in our zone, in a thread of its own."""

    def __init__(self, supervisor_socket: Path, copies: Sequence[Copy]) -> None:
        self._supervisor, self._copies = supervisor_socket, tuple(copies)

    def watch_for_ever(self) -> None:
        """Turn after turn, until we are ended."""
        while True:
            try:
                self.turn()
            except (NotReady, *supervisor.TROUBLE) as e:
                say(f"copies of services, tried again: {e}")
            time.sleep(EVERY_S)

    def turn(self) -> None:
        """End the first copy that is overdue; the next one when this one is back or is overdue itself.

        Raises NotReady, and what is in supervisor.TROUBLE.
        """
        down = [(copy, seen, others) for copy, seen, others in self._seen() if seen.down]
        ages = self._ages() if down else {}
        for copy, seen, others in down:
            pid, age_s = ages.get(copy.program, (0, 0.0))
            if pid and overdue(seen, others, age_s=age_s, start_s=copy.start_s):
                say(f"{copy.program} has been ill for {seen.since_s:.0f} s ({seen.check}): ended")
                with suppress(ProcessLookupError):
                    os.killpg(pid, signal.SIGKILL)
                return

    def _seen(self) -> Iterator[tuple[Copy, Server, list[Server]]]:
        """Each of our copies as it is checked, with all others of its service."""
        for socket in {copy.socket for copy in self._copies}:
            servers = _haproxy.checked(_haproxy.ask(Path(socket), "show stat"))
            for copy in self._copies:
                backend = servers.get(copy.backend, {}) if copy.socket == socket else {}
                if copy.program in backend:
                    others = [one for name, one in backend.items() if name != copy.program]
                    yield copy, backend[copy.program], others

    def _ages(self) -> Mapping[str, tuple[int, float]]:
        """Program -> pid and the seconds it has run, of those that run."""
        rows = supervisor.ask(self._supervisor, CALL_TIMEOUT_S, "getAllProcessInfo")
        return {row["name"]: (row["pid"], row["now"] - row["start"]) for row in rows if row["pid"]}
