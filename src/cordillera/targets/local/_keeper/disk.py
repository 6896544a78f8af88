"""Whether the zone's disk takes what is written to it."""

import os
import time
from pathlib import Path
from threading import Thread

from cordillera.targets.local._keeper.log import say

PROBE = ".keeper-probe"
PROBE_BYTES = 4096
LEAST_FREE_BYTES = 24 << 20
EVERY_S = 1.0
HUNG_AFTER_S = 15.0
"""A slow disk is not a broken one: only a write that does not come back at all counts."""


class Disk:
    """Writes and syncs a few kilobytes beside the data every second, in a thread of its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._refused = ""
        self._begun_at = 0.0

    def start(self) -> None:
        """Watch from now on, as long as the process lives."""
        Thread(target=self._watch, daemon=True, name="disk").start()

    @property
    def well(self) -> bool:
        """It has room, and took the last write."""
        hung = self._begun_at and time.monotonic() - self._begun_at > HUNG_AFTER_S
        return not self._refused and not hung

    def probe(self) -> None:
        """Write once, and remember how it went."""
        self._begun_at = time.monotonic()
        refused = self._try()
        if refused != self._refused:
            say(f"the disk: {refused or 'well again'}")
        self._refused, self._begun_at = refused, 0.0

    def _try(self) -> str:
        free = os.statvfs(self._folder)
        if free.f_bavail * free.f_frsize < LEAST_FREE_BYTES:
            return f"less than {LEAST_FREE_BYTES >> 20} MB are free"
        try:
            with (self._folder / PROBE).open("wb") as file:
                file.write(bytes(PROBE_BYTES))
                file.flush()
                os.fsync(file.fileno())
        except OSError as e:
            return str(e)
        return ""

    def _watch(self) -> None:
        while True:
            self.probe()
            time.sleep(EVERY_S)
