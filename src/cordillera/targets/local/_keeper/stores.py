"""How many copies objects get: two, or one while a zone is lost, and the second ones when it is back.

One keeper does it for all, the witness's too: whoever has the steward's key in etcd. The state is kept
there as well, so that another keeper goes on where one stopped.
"""

import http.client
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from cordillera.core import process
from cordillera.core.errors import CordilleraError
from cordillera.targets.local._keeper import etcd
from cordillera.targets.local._keeper.etcd import Etcd, Silent
from cordillera.targets.local._keeper.lease import Lease
from cordillera.targets.local._keeper.log import say

STEWARD, COPIES = "objects/steward", "objects/copies"
HEALTH = "/healthz"
ASK_TIMEOUT_S, SHELL_TIMEOUT_S = 1.0, 600.0
LOST_AFTER_S, BACK_AFTER_S = 2.5, 2.0
EVERY_S = 1.0
ONE_COPY = ("fs.configure -locationPrefix=/buckets/ -replication=000 -apply",)
TWO_COPIES = (
    "fs.configure -locationPrefix=/buckets/ -replication=100 -apply",
    "lock",
    "volume.configure.replication -collectionPattern=* -replication=100",
    "volume.fix.replication -apply",
    "unlock",
)


class Do(Enum):
    """What to do about the copies."""

    NOTHING = ()
    GO_ON_ALONE = ONE_COPY
    MAKE_SECOND_COPIES = TWO_COPIES


@dataclass(frozen=True)
class Stores:
    """The object store's volume servers by zone, its masters, and the program to speak to them with."""

    servers: Mapping[str, tuple[str, int]]
    masters: str
    weed: str


def decide(copies: str, lost_s: float, whole_s: float) -> Do:
    """`lost_s` and `whole_s`: for how long a store has been silent, or all have answered. Pure."""
    if copies != "one" and lost_s > LOST_AFTER_S:
        return Do.GO_ON_ALONE
    if copies == "one" and whole_s > BACK_AFTER_S:
        return Do.MAKE_SECOND_COPIES
    return Do.NOTHING


class Steward:
    """Watches the stores, in a thread of its own."""

    def __init__(self, zone: str, stores: Stores, client: Callable[[], Etcd], lease: Lease) -> None:
        self._zone, self._stores, self._lease = zone, stores, lease
        self._votes = client()
        self._changed_at, self._whole = time.monotonic(), True

    def watch_for_ever(self) -> None:
        """Turn after turn, until we are ended."""
        while True:
            try:
                self.turn()
            except Silent as e:
                say(f"objects: {e}")
            except CordilleraError as e:
                say(f"objects, tried again: {e}")
            time.sleep(EVERY_S)

    def turn(self) -> None:
        """Look at the stores; if we are the steward, see to the copies. Raises CordilleraError."""
        whole = all(self._answers())
        now = time.monotonic()
        if whole != self._whole:
            self._whole, self._changed_at = whole, now
        since = now - self._changed_at
        if not self._is_steward():
            return
        (copies,) = self._votes.read(COPIES)
        found = copies.value if copies else "two"
        step = decide(found, 0.0 if whole else since, since if whole else 0.0)
        if step is not Do.NOTHING:
            self._do(step)

    def _do(self, step: Do) -> None:
        say(f"objects: {step.name.lower().replace('_', ' ')}")
        argv = [self._stores.weed, "shell", f"-master={self._stores.masters}"]
        answer = process.run(
            argv, stdin="\n".join([*step.value, "exit", ""]), timeout_s=SHELL_TIMEOUT_S,
            cwd=Path("/"),
        )  # fmt: skip
        if "error" in answer.lower():
            raise CordilleraError(process.last_line(answer))
        value = "one" if step is Do.GO_ON_ALONE else "two"
        self._votes.change([], etcd.put(COPIES, value))

    def _is_steward(self) -> bool:
        (entry,) = self._votes.read(STEWARD)
        if entry is None and self._lease.left_s > 0:
            claim = etcd.put(STEWARD, self._zone, self._lease.number)
            return self._votes.change([etcd.absent(STEWARD)], claim)
        return entry is not None and entry.lease == self._lease.number

    def _answers(self) -> Iterator[bool]:
        with ThreadPoolExecutor(max_workers=len(self._stores.servers)) as pool:
            yield from pool.map(_answers, self._stores.servers.values())


def _answers(server: tuple[str, int]) -> bool:
    link = http.client.HTTPConnection(*server, timeout=ASK_TIMEOUT_S)
    try:
        link.request("GET", HEALTH)
        return link.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        link.close()
