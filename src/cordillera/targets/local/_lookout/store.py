"""Runs the zone's spare volume server while its keeper says so.

The keeper knows from the votes that another zone is lost, and lays down a file; we may ask the supervisor.
"""

import time
from pathlib import Path

from cordillera.targets.local import _supervisor_rpc as supervisor
from cordillera.targets.local._keeper.log import say

CALL_TIMEOUT_S = 10.0
EVERY_S = 0.3


class Store:
    """One program, in a thread of its own. `flag` is the keeper's file."""

    def __init__(self, supervisor_socket: Path, program: str, flag: Path) -> None:
        self._supervisor, self._program, self._flag = supervisor_socket, program, flag
        self._runs: bool | None = None

    def watch_for_ever(self) -> None:
        """Turn after turn, until we are ended."""
        while True:
            try:
                self.turn()
            except supervisor.TROUBLE as e:
                self._runs = None
                say(f"{self._program}, tried again: {e}")
            time.sleep(EVERY_S)

    def turn(self) -> None:
        """Have it run while it is wanted, and end it once. Raises what is in supervisor.TROUBLE."""
        wanted = self._flag.exists()
        if not wanted and self._runs is False:
            return
        told = supervisor.ask(self._supervisor, CALL_TIMEOUT_S, "getProcessInfo", self._program)
        runs = told["statename"] in supervisor.UP
        if wanted != runs:
            say(f"{self._program} {'stands in' if wanted else 'ends: every zone is back'}")
            verb = "startProcess" if wanted else "stopProcess"
            supervisor.ask(self._supervisor, CALL_TIMEOUT_S, verb, self._program, False)
        self._runs = wanted
