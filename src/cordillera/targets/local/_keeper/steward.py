"""Sees to the copies of objects: one keeper decides for all, whoever has the steward's key in etcd.

By preference the witness's, because a lost zone then costs no steward. The state is kept in etcd as well, so
that another keeper goes on where one stopped. Every keeper tells its zone's lookout whether to run the spare.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from cordillera.core.errors import CordilleraError
from cordillera.targets.local._keeper import etcd
from cordillera.targets.local._keeper.etcd import Etcd, Silent
from cordillera.targets.local._keeper.filling import Filling
from cordillera.targets.local._keeper.leadership import Leadership, http_get, speaks
from cordillera.targets.local._keeper.lease import Lease
from cordillera.targets.local._keeper.log import say
from cordillera.targets.local._keeper.stores import (
    COPIES,
    LOST,
    ROUND,
    TWO,
    Do,
    Stores,
    decide,
    lonely,
    stands_in,
)
from cordillera.targets.local._mariadb_config import ROLE_PORT
from cordillera.targets.local._site import WITNESS

STEWARD = "objects/steward"
HEALTH = "/healthz"
EVERY_S, RARELY_S, CALM_EVERY_S = 0.5, 1.0, 5.0
"""Between looks of the steward, and of the others at who it is; then of the steward while nothing is lost."""
VACANT_S, YIELD_AFTER_S = 2.5, 30.0
"""So long a data zone's keeper leaves the key to the witness's; then so long until it gives it back."""


class Steward:
    """Watches the stores, in a thread of its own. `flag` is the file that our lookout looks for."""

    def __init__(
        self, zone: str, stores: Stores, client: Callable[[], Etcd], lease: Lease, flag: Path
    ) -> None:
        self._flag = flag
        self._zone, self._stores, self._lease = zone, stores, lease
        self._votes = client()
        self._leadership = Leadership(stores.witness)
        self._pool = ThreadPoolExecutor(max_workers=2 * len(stores.servers))
        self._changed_at, self._whole = time.monotonic(), True
        self._vacant_since = self._calm_at = 0.0
        self._lonely_looks = 0
        self._filling: Filling | None = None

    def watch_for_ever(self) -> None:
        """Turn after turn, until we are ended."""
        while True:
            ours = False
            try:
                ours = self.turn()
            except Silent as e:
                say(f"objects: {e}")
            except CordilleraError as e:
                ours = True
                say(f"objects, tried again: {e}")
            time.sleep(EVERY_S if ours else RARELY_S)

    def turn(self) -> bool:
        """Tell our lookout; if we are the steward, see to copies and leader. Raises CordilleraError."""
        steward, copies, lost = self._votes.read(STEWARD, COPIES, LOST)
        self._tell(copies, lost)
        if not self._is_steward(steward):
            self._changed_at = time.monotonic()
            return False
        keepers = {} if self._whole else self._ask_keepers()
        answering = self._answering(self._stores.servers)
        kept = all(keepers[z].result() for z in keepers if z not in answering) and bool(keepers)
        whole, now = len(answering) == len(self._stores.servers), time.monotonic()
        if whole != self._whole:
            self._whole, self._changed_at = whole, now
        if not self._finish(copies):
            since_s = now - self._changed_at
            others = lost is not None and lost.value != self._silent(answering)
            self._see_to(copies, answering, whole=whole, since_s=since_s, kept=kept, others=others)
        return True

    def _see_to(
        self,
        copies: etcd.Entry | None,
        answering: list[str],
        *,
        whole: bool,
        since_s: float,
        kept: bool,
        others: bool,
    ) -> None:
        if copies is None:
            self._begin(whole=whole)
            return
        found = copies.value
        lost_s, whole_s = (0.0, since_s) if whole else (since_s, 0.0)
        step = decide(found, lost_s, whole_s, kept=kept, others=others)
        if step is Do.GO_ON_ALONE:
            self._go_on(found, answering)
        elif step is Do.END_SPARES:
            self._end_spares()
        elif step is Do.FILL:
            self._fill(copies.changed)
        elif whole and found == TWO and time.monotonic() - self._calm_at > CALM_EVERY_S:
            self._calm_at = time.monotonic()
            self._in_calm()

    def _begin(self, *, whole: bool) -> None:
        """A store that was never whole is being set up: no zone of it is lost."""
        if whole:
            self._votes.change([etcd.absent(COPIES)], etcd.put(COPIES, TWO))

    def _in_calm(self) -> None:
        """Nothing is lost: see that every volume lies everywhere, and that the witness leads."""
        held = self._stores.held()
        self._lonely_looks = self._lonely_looks + 1 if lonely(held) else 0
        if self._lonely_looks > 1:  # one that is just being made is seen once
            self._lonely_looks = 0
            self._end_spares()
        self._leadership.prefer_the_witness(self._stores.shell, held[0])

    def _tell(self, copies: etcd.Entry | None, lost: etcd.Entry | None) -> None:
        wanted = stands_in(self._zone, copies.value if copies else TWO, lost.value if lost else "")
        if wanted:
            self._flag.touch()
        else:
            self._flag.unlink(missing_ok=True)

    def _go_on(self, found: str, answering: Sequence[str]) -> None:
        """Without those that are silent; a new round, unless older objects were still being copied."""
        if not answering:
            return
        lost = self._silent(answering)
        say(f"objects: go on without zone {lost}")
        begun = [etcd.put(ROUND, lost)] if found == TWO else []
        self._votes.change([], etcd.put(COPIES, Do.GO_ON_ALONE.value), etcd.put(LOST, lost), *begun)

    def _end_spares(self) -> None:
        say("objects: every zone is back, spares end")
        self._votes.change([], etcd.put(COPIES, Do.END_SPARES.value))

    def _fill(self, revision: int) -> None:
        """Once no spare answers: what it holds would count as the second copy."""
        if self._filling is None and not self._answering(self._stores.spares):
            say("objects: make second copies")
            self._filling = Filling(self._stores, revision)

    def _finish(self, copies: etcd.Entry | None) -> bool:
        """Note that all is whole again, unless the state changed meanwhile; whether copies were made."""
        job = self._filling
        if job is None or not job.done:
            return False
        self._filling = None
        if job.failure:
            say(f"objects, tried again: {job.failure}")
        elif copies and copies.changed == job.revision:
            self._votes.change([etcd.unchanged(COPIES, job.revision)], etcd.put(COPIES, TWO))
            say("objects: every object lies in every zone")
        return True

    def _is_steward(self, entry: etcd.Entry | None) -> bool:
        if entry is None:
            return self._claims()
        self._vacant_since = 0.0
        ours = entry.lease == self._lease.number
        if (
            ours
            and self._zone != WITNESS
            and self._leadership.witness_is_well_for_s() > YIELD_AFTER_S
        ):
            self._votes.change([etcd.on_lease(STEWARD, entry.lease)], etcd.delete(STEWARD))
            return False
        return ours

    def _claims(self) -> bool:
        """Take the vacant key: the witness's keeper at once, others when it stays vacant."""
        now = time.monotonic()
        self._vacant_since = self._vacant_since or now
        patient = self._zone == WITNESS or now - self._vacant_since > VACANT_S
        if not patient or self._lease.left_s <= 0:
            return False
        self._leadership.forget()
        claim = etcd.put(STEWARD, self._zone, self._lease.number)
        return self._votes.change([etcd.absent(STEWARD)], claim)

    def _answering(self, servers: Mapping[str, tuple[str, int]]) -> list[str]:
        """The zones whose server answers."""
        well = self._pool.map(lambda server: http_get(server, HEALTH) is not None, servers.values())
        return [zone for zone, ok in zip(servers, well, strict=True) if ok]

    def _silent(self, answering: Sequence[str]) -> str:
        return ",".join(zone for zone in self._stores.servers if zone not in answering)

    def _ask_keepers(self) -> dict[str, "Future[bool]"]:
        """Whether each zone's keeper answers: asked beside the stores, for a frozen one costs a second."""
        servers = self._stores.servers.items()
        return {zone: self._pool.submit(speaks, (host, ROLE_PORT)) for zone, (host, _) in servers}
