"""Keeps the fronts of the published address of one mind: `python -m ..._lookout.fronts PLAN.json`.

Each front finds out by itself that an edge is down. Were each to end its connections to it at once, a client
that repeats its request could meet the front that does not know yet, and be cut off twice. So what waits for
a lost edge is ended when every front sends to another. A front that is frozen is ended: it is started again.
"""

import json
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from cordillera.targets.local import _haproxy
from cordillera.targets.local._lookout.frozen import Frozen, Watched

EVERY_S = 0.25
MISSES = 2
"""Both fronts take connections of one socket: what a frozen one took waits until it is ended."""
BACKEND = "edges"
UNCHECKED = "no check"


def gone(views: Sequence[Mapping[str, str]]) -> set[str]:
    """Servers that every front holds to be down, of each front's server -> status. Pure.

    None when all are: there is nobody else to send to, and what is slow may answer yet.
    """
    down = [{name for name, status in view.items() if status.startswith("DOWN")} for view in views]
    found = set.intersection(*down) if down else set()
    checked = {name for view in views for name, status in view.items() if status != UNCHECKED}
    return found if found != checked else set()


class Fronts:
    """All fronts of the environment."""

    def __init__(self, watched: Sequence[Watched]) -> None:
        self._frozen = Frozen(watched, misses=MISSES)
        self._gone: set[str] = set()

    def turn(self) -> None:
        """Ask each, end what waits for an edge that was lost a turn ago, and a front that is frozen.

        Before that, a request that could not reach the edge is just being moved to another one.
        """
        answers = self._frozen.turn(f"show stat {BACKEND} 4 -1")
        views = {one: _statuses(text) for one, text in answers.items()}
        found = gone(list(views.values()))
        ended, self._gone = found & self._gone, found
        for server in ended:
            for one in views:
                self._frozen.ask(one, f"shutdown sessions server {BACKEND}/{server}")


def _statuses(stat: str) -> dict[str, str]:
    servers = _haproxy.backends(stat).get(BACKEND, {})
    return {name: server.status for name, server in servers.items()}


def main() -> None:
    """Look until we are ended."""
    plan = json.loads(Path(sys.argv[1]).read_text())
    fronts = Fronts([Watched(**one) for one in plan["fronts"]])
    while True:
        fronts.turn()
        time.sleep(EVERY_S)


if __name__ == "__main__":
    main()
