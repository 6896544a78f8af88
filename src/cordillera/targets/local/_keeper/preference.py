"""The votes' leader is by preference in the witness: losing a zone then costs no election of another.

An election takes a second or two, and with a new leader every lease begins anew: both would be added to the
time that a lost writer is missed.
"""

import time
from collections.abc import Callable

from cordillera.targets.local._keeper.etcd import Etcd, Silent
from cordillera.targets.local._keeper.log import say

EVERY_S = 3.0
STEADY_S = 6.0
"""The witness's member must have answered for that long."""


class Preference:
    """Hands the lead over when our own member has it. In a thread of its own."""

    def __init__(self, own: Callable[[], Etcd], witness: Callable[[], Etcd]) -> None:
        """Clients that ask our member only, and the witness's only."""
        self._own, self._witness = own(), witness()
        self._well_since = 0.0

    def watch_for_ever(self) -> None:
        """Turn after turn, until we are ended."""
        while True:
            try:
                self.turn()
            except Silent:
                self._well_since = 0.0
            time.sleep(EVERY_S)

    def turn(self) -> None:
        """Hand over, if we lead and the witness has been well for a while. Raises Silent."""
        ours = self._own.lead()
        if ours.leader != ours.member:
            self._well_since = 0.0
            return
        theirs = self._witness.lead()
        now = time.monotonic()
        self._well_since = self._well_since or now
        if theirs.leader == ours.member and now - self._well_since > STEADY_S:
            self._own.hand_over(theirs.member)
            say("the votes are led from the witness")
