"""Sees to the copies of objects: one keeper does it for all, whoever has the steward's key in etcd.

By preference the witness's, because a lost zone then costs no steward. The state is kept in etcd as well, so
that another keeper goes on where one stopped.
"""

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Thread

from cordillera.core.errors import CordilleraError
from cordillera.targets.local._keeper import etcd
from cordillera.targets.local._keeper.etcd import Etcd, Silent
from cordillera.targets.local._keeper.leadership import Leadership, http_get, speaks
from cordillera.targets.local._keeper.lease import Lease
from cordillera.targets.local._keeper.log import say
from cordillera.targets.local._keeper.stores import COPIES, FILL, Do, Stores, decide, lonely
from cordillera.targets.local._mariadb_config import ROLE_PORT
from cordillera.targets.local._site import WITNESS

STEWARD = "objects/steward"
HEALTH, HELD = "/healthz", "/status"
EVERY_S, RARELY_S, CALM_EVERY_S = 0.5, 2.0, 5.0
"""Between looks of the steward, and of the others at who it is; then of the steward while nothing is lost."""
VACANT_S, YIELD_AFTER_S = 2.5, 30.0
"""So long a data zone's keeper leaves the key to the witness's; then so long until it gives it back."""


class Filling:
    """Second copies being made, in a thread: a zone that is lost meanwhile must be seen at once."""

    def __init__(self, stores: Stores, revision: int) -> None:
        self.revision, self.failure = revision, ""
        self._stores = stores
        self._thread = Thread(target=self._run, daemon=True)
        self._thread.start()

    @property
    def done(self) -> bool:
        """Whether it has ended, well or not."""
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            self._stores.shell(*FILL)
        except CordilleraError as e:
            self.failure = str(e)


class Steward:
    """Watches the stores, in a thread of its own."""

    def __init__(self, zone: str, stores: Stores, client: Callable[[], Etcd], lease: Lease) -> None:
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
        """If we are the steward: look at the stores, see to copies and leader. Raises CordilleraError."""
        steward, copies = self._votes.read(STEWARD, COPIES)
        if not self._is_steward(steward):
            self._changed_at = time.monotonic()
            return False
        keepers = {} if self._whole else self._ask_keepers()
        answering = self._answering()
        kept = all(keepers[z].result() for z in keepers if z not in answering) and bool(keepers)
        whole, now = len(answering) == len(self._stores.servers), time.monotonic()
        if whole != self._whole:
            self._whole, self._changed_at = whole, now
        if not self._finish(copies):
            since_s = now - self._changed_at
            self._see_to(copies, answering, whole=whole, since_s=since_s, kept=kept)
        return True

    def _see_to(
        self,
        copies: etcd.Entry | None,
        answering: list[str],
        *,
        whole: bool,
        since_s: float,
        kept: bool,
    ) -> None:
        found = copies.value if copies else "two"
        step = decide(found, 0.0 if whole else since_s, since_s if whole else 0.0, kept=kept)
        if step is Do.FILL:
            self._fill(copies.changed if copies else 0)
        elif step is not Do.NOTHING:
            self._do(step, answering)
        elif whole and found == "two" and time.monotonic() - self._calm_at > CALM_EVERY_S:
            self._calm_at = time.monotonic()
            self._in_calm()

    def _in_calm(self) -> None:
        """Nothing is lost: see that every volume lies everywhere, and that the witness leads."""
        held = [http_get(server, HELD) or "" for server in self._stores.servers.values()]
        self._lonely_looks = self._lonely_looks + 1 if lonely(held) else 0
        if self._lonely_looks > 1:  # made while a filer did not know yet that two copies are wanted
            self._lonely_looks = 0
            self._votes.change([], etcd.put(COPIES, Do.GO_ON_ALONE.value))
        self._leadership.prefer_the_witness(self._stores.shell, held[0])

    def _do(self, step: Do, answering: list[str]) -> None:
        if not answering:
            return
        say(f"objects: {step.name.lower().replace('_', ' ')}")
        for zone in answering:  # each by itself: one may not hear what another was told
            self._stores.shell(*step.commands, filer=self._stores.filers[zone])
        self._votes.change([], etcd.put(COPIES, step.value))

    def _fill(self, revision: int) -> None:
        if self._filling is None:
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
            self._votes.change([etcd.unchanged(COPIES, job.revision)], etcd.put(COPIES, "two"))
            say("objects: every object has two copies")
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

    def _answering(self) -> list[str]:
        """Zones whose volume server answers."""
        well = self._pool.map(_answers, self._stores.servers.values())
        return [zone for zone, ok in zip(self._stores.servers, well, strict=True) if ok]

    def _ask_keepers(self) -> dict[str, "Future[bool]"]:
        """Whether each zone's keeper answers: asked beside the stores, for a frozen one costs a second."""
        servers = self._stores.servers.items()
        return {zone: self._pool.submit(speaks, (host, ROLE_PORT)) for zone, (host, _) in servers}


def _answers(server: tuple[str, int]) -> bool:
    return http_get(server, HEALTH) is not None
