"""Keeps the fronts of the published address of one mind: `python -m ..._lookout.fronts PLAN.json`.

Each front finds out by itself that an edge is down. Were each to end its connections to it at once, a client
that repeats its request could meet the front that does not know yet, and be cut off twice. So what waits for
a lost edge is ended when every front sends to another. A front that is frozen is ended: it is started again.
"""

import json
import os
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from cordillera.core.errors import NotReady
from cordillera.targets.local import _haproxy
from cordillera.targets.local._keeper.log import say
from cordillera.targets.local._keeper.processes import matching

EVERY_S, ASK_TIMEOUT_S = 0.25, 0.5
SILENT_S = 1.5
"""A front that accepts a question and does not answer for that long is frozen."""
BACKEND = "edges"
UNCHECKED = "no check"
PROCESS = "CORDILLERA_PROCESS"
"""The variable by which a front's processes are known."""


def gone(views: Sequence[Mapping[str, str]]) -> set[str]:
    """Servers that every front holds to be down, of each front's server -> status. Pure.

    None when all are: there is nobody else to send to, and what is slow may answer yet.
    """
    down = [{name for name, status in view.items() if status.startswith("DOWN")} for view in views]
    found = set.intersection(*down) if down else set()
    checked = {name for view in views for name, status in view.items() if status != UNCHECKED}
    return found if found != checked else set()


class Fronts:
    """The fronts by name, with the socket of each."""

    def __init__(self, sockets: Mapping[str, Path]) -> None:
        self._sockets = sockets
        self._answered_at = dict.fromkeys(sockets, time.monotonic())

    def turn(self) -> None:
        """Ask each, end what waits for a lost edge, and a front that is frozen."""
        views = {name: view for name in self._sockets if (view := self._view(name)) is not None}
        for server in gone(list(views.values())):
            for name in views:
                self._ask(name, f"shutdown sessions server {BACKEND}/{server}")
        for name, at in self._answered_at.items():
            if time.monotonic() - at > SILENT_S:
                say(f"{name} is frozen: ended")
                self._answered_at[name] = time.monotonic()
                end(name)

    def _view(self, name: str) -> Mapping[str, str] | None:
        """What a front holds of each edge; None when it does not answer."""
        text = self._ask(name, f"show stat {BACKEND} 4 -1")
        return None if text is None else _haproxy.statuses(text, BACKEND)

    def _ask(self, name: str, command: str) -> str | None:
        try:
            answer = _haproxy.ask(self._sockets[name], command, timeout_s=ASK_TIMEOUT_S)
        except NotReady as e:
            if not isinstance(e.__cause__, TimeoutError):
                self._answered_at[name] = time.monotonic()  # it is dead or starting: not frozen
            return None
        self._answered_at[name] = time.monotonic()
        return answer


def end(name: str) -> None:
    """kill -9 of a front's processes. May be called twice."""
    mark = f"{PROCESS}={name}".encode()
    for pid in matching(lambda words: mark in words, file="environ"):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def main() -> None:
    """Look until we are ended."""
    plan = json.loads(Path(sys.argv[1]).read_text())
    fronts = Fronts({name: Path(socket) for name, socket in plan["sockets"].items()})
    while True:
        fronts.turn()
        time.sleep(EVERY_S)


if __name__ == "__main__":
    main()
