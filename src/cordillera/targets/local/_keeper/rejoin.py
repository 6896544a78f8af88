"""Has a master that came back take its full part again, once the leader has found it, or when none leads."""

import os
import signal
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from cordillera.targets.local import _weed_masters
from cordillera.targets.local._keeper.leadership import STATUS, http_get
from cordillera.targets.local._keeper.log import say
from cordillera.targets.local._keeper.registration import Address, leader_of, pids

EVERY_S = 0.5
MET_FOR_S, ALONE_FOR_S, APART_S = 3.0, 3.0, 4.0
"""So long a leader is known, or none is; the zones one after the other, so that not all start at once."""


class Rejoin:
    """Watches the zone's master while it is patient, in a thread of its own."""

    def __init__(
        self, master: Address, others: Sequence[Address], data: Path, *, turn: int
    ) -> None:
        """`data` is the master's folder; `turn` counts zones."""
        self._master, self._others, self._data = master, others, data
        self._alone_for_s = ALONE_FOR_S + turn * APART_S
        self._led_since = self._alone_since = 0.0

    def watch_for_ever(self) -> None:
        """Turn after turn, until we are ended."""
        while True:
            self.turn()
            time.sleep(EVERY_S)

    def turn(self) -> None:
        """Start a patient master anew, if it has met the leader or nobody leads."""
        if not self._patient():
            self._led_since = self._alone_since = 0.0
            return
        now, led = time.monotonic(), self._knows_a_leader(self._master)
        alone = not led and not any(self._knows_a_leader(other) for other in self._others)
        self._led_since = (self._led_since or now) if led else 0.0
        self._alone_since = (self._alone_since or now) if alone else 0.0
        if led and now - self._led_since > MET_FOR_S:
            (self._data / _weed_masters.MET).touch()
            self._end("it has met the leader")
        elif alone and now - self._alone_since > self._alone_for_s:
            self._end("no master leads")

    def _knows_a_leader(self, master: Address) -> bool:
        return leader_of(http_get(master, STATUS)) is not None

    def _patient(self) -> bool:
        with suppress(FileNotFoundError):
            return (self._data / "patience").read_text() == _weed_masters.PATIENT
        return False

    def _end(self, why: str) -> None:
        say(f"objects: our master starts anew: {why}")
        self._led_since = self._alone_since = time.monotonic()
        for pid in pids("master", f"-mdir={self._data}"):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
