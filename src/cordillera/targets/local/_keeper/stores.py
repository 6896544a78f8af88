"""How many copies objects get: two, or one while a zone is lost, and the second ones when it is back.

One keeper does it for all: whoever has the steward's key in etcd, by preference the witness's, because a lost
zone then costs no steward. The state is kept there as well, so that another keeper goes on where one stopped.
"""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from threading import Thread

from cordillera.core import process
from cordillera.core.errors import CordilleraError
from cordillera.targets.local._keeper import etcd
from cordillera.targets.local._keeper.etcd import Etcd, Silent
from cordillera.targets.local._keeper.leadership import Leadership, http_get, speaks
from cordillera.targets.local._keeper.lease import Lease
from cordillera.targets.local._keeper.log import say
from cordillera.targets.local._mariadb_config import ROLE_PORT
from cordillera.targets.local._site import WITNESS

STEWARD, COPIES = "objects/steward", "objects/copies"
HEALTH, HELD = "/healthz", "/status"
SHELL_TIMEOUT_S = 600.0
LOST_AFTER_S, RESTARTED_WITHIN_S, BACK_AFTER_S = 2.5, 6.0, 2.0
"""A silent store is lost; one whose zone still has its keeper has longer: it may only be starting anew."""
EVERY_S, RARELY_S, CALM_EVERY_S = 0.5, 2.0, 5.0
"""Between looks of the steward, and of the others at who it is; then of the steward while nothing is lost."""
VACANT_S, YIELD_AFTER_S = 2.5, 30.0
"""So long a data zone's keeper leaves the key to the witness's; then so long until it gives it back."""
PLACES = ("/buckets/", "/topics/")
"""Objects, and the filers' own log of what they did: a filer that cannot write that log writes nothing."""
ONE_COPY = tuple(
    f"fs.configure -locationPrefix={place} -replication=000 -apply" for place in PLACES
)
TWO_COPIES = tuple(
    f"fs.configure -locationPrefix={place} -replication=100 -apply" for place in PLACES
)
FILL = (
    "lock",
    "volume.configure.replication -collectionPattern=* -replication=100",
    "volume.fix.replication -apply",
    "unlock",
)
"""Takes fifteen seconds at least: the shell waits for servers to report."""


class Do(Enum):
    """What to do about the copies."""

    NOTHING = ""
    GO_ON_ALONE = "one"
    WRITE_TWO = "filling"
    FILL = "two"

    @property
    def commands(self) -> tuple[str, ...]:
        """What the shell is told; afterwards the state is our value."""
        return {Do.GO_ON_ALONE: ONE_COPY, Do.WRITE_TWO: TWO_COPIES, Do.FILL: FILL}.get(self, ())


@dataclass(frozen=True)
class Stores:
    """The object store: volume servers and filers by zone, masters, the program to speak to them with.

    `witness` is the master that holds no data, which leads by preference.
    """

    servers: Mapping[str, tuple[str, int]]
    filers: Mapping[str, str]
    masters: str
    witness: tuple[str, int]
    weed: str

    @property
    def addresses(self) -> list[tuple[str, int]]:
        """The masters' addresses."""
        pairs = (master.split(":") for master in self.masters.split(","))
        return [(host, int(port)) for host, port in pairs]

    def shell(self, *commands: str, filer: str = "") -> str:
        """What `weed shell` answers. Raises CordilleraError, also when it says that it failed."""
        argv = [self.weed, "shell", f"-master={self.masters}", *([f"-filer={filer}"] * bool(filer))]
        text = "\n".join([*commands, "exit", ""])
        answer = process.run(argv, stdin=text, timeout_s=SHELL_TIMEOUT_S, cwd=Path("/"))
        if "error" in answer.lower():
            raise CordilleraError(process.last_line(answer))
        return answer


def decide(copies: str, lost_s: float, whole_s: float, *, kept: bool = False) -> Do:
    """`lost_s` and `whole_s`: for how long a store has been silent, or all have answered. Pure.

    `kept`: the zones of those that are silent live.

    `copies`: what new objects get, `one` or `two`; `filling` is two, while older ones get their second copy.
    """
    if copies != "one" and lost_s > (RESTARTED_WITHIN_S if kept else LOST_AFTER_S):
        return Do.GO_ON_ALONE
    if copies == "one" and whole_s > BACK_AFTER_S:
        return Do.WRITE_TWO
    if copies == "filling" and whole_s > BACK_AFTER_S:
        return Do.FILL
    return Do.NOTHING


def lonely(held: Sequence[str]) -> set[int]:
    """Volumes that do not lie with every server, of what each says that it holds. Pure."""
    if not all(held):
        return set()
    numbers = [{volume["Id"] for volume in json.loads(one).get("Volumes") or ()} for one in held]
    return set.union(*numbers) - set.intersection(*numbers)


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
        elif whole and self._filling is None and time.monotonic() - self._calm_at > CALM_EVERY_S:
            self._calm_at = time.monotonic()
            self._in_calm()

    def _in_calm(self) -> None:
        """Nothing is lost: see that every volume lies everywhere, and that the witness leads."""
        held = [http_get(server, HELD) or "" for server in self._stores.servers.values()]
        self._lonely_looks = self._lonely_looks + 1 if lonely(held) else 0
        if self._lonely_looks > 1:  # made while a filer did not know yet that two copies are wanted
            self._lonely_looks = 0
            self._votes.change([], etcd.put(COPIES, Do.WRITE_TWO.value))
        self._leadership.prefer_the_witness(self._stores.shell, held[0])

    def _do(self, step: Do, answering: list[str]) -> None:
        say(f"objects: {step.name.lower().replace('_', ' ')}")
        filer = self._stores.filers[answering[0]] if answering else ""
        self._stores.shell(*step.commands, filer=filer)
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
