"""The keeper's lease: renewed by a thread of its own, so that no slow step of the keeper loses it."""

import time
from collections.abc import Callable
from threading import Lock, Thread

from cordillera.targets.local._keeper.etcd import Etcd, Silent
from cordillera.targets.local._keeper.log import say

LEASE_S = 4
RENEW_EVERY_S, AGAIN_AFTER_S = 1.0, 0.2


class Lease:
    """A lease in etcd. `number` is 0 until there is one; it changes when the old one was over."""

    def __init__(self, client: Callable[[], Etcd]) -> None:
        self.number = 0
        self._valid_until = 0.0
        self._client = client()
        self._one_at_a_time = Lock()

    def start(self) -> None:
        """Renew it from now on, as long as the process lives."""
        Thread(target=self._renew_for_ever, daemon=True, name="lease").start()

    def adopt(self, number: int) -> None:
        """Go on with the lease of this zone's keeper before us. Raises Silent."""
        self.number, self._valid_until = number, 0.0
        self.renew()

    @property
    def left_s(self) -> float:
        """Seconds it holds for certain: counted from before it was asked for. Negative when over."""
        return self._valid_until - time.monotonic()

    def renew(self) -> None:
        """Renew it once, or get another when it is over. Raises Silent."""
        with self._one_at_a_time:
            asked_at, number = time.monotonic(), self.number
            if number == 0:
                self.number = self._client.grant(LEASE_S)
                self._valid_until = asked_at + LEASE_S
                return
            seconds = self._client.keep(number)
            if number != self.number:
                return
            self.number = number if seconds > 0 else 0
            self._valid_until = asked_at + seconds if seconds > 0 else 0.0

    def _renew_for_ever(self) -> None:
        while True:
            try:
                self.renew()
                time.sleep(RENEW_EVERY_S if self.number else 0)
            except Silent as e:
                say(f"the lease could not be renewed: {e}")
                time.sleep(AGAIN_AFTER_S)
