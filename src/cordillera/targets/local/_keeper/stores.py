"""How many copies objects get: two, or one while a zone is lost, and the second ones when it is back.

What is decided, and how the store is told; the steward does it.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from cordillera.core import process
from cordillera.core.errors import CordilleraError

COPIES = "objects/copies"
"""The key in etcd that says what new objects get."""
SHELL_TIMEOUT_S = 600.0
LOST_AFTER_S, RESTARTED_WITHIN_S, BACK_AFTER_S = 2.5, 6.0, 2.0
"""A silent store is lost; one whose zone still has its keeper has longer: it may only be starting anew."""
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
