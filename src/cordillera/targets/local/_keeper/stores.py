"""Where the second copy of an object goes: to the other zone, or to a spare while that one is lost.

Every object is written twice, always. What is in no other zone yet is copied there when it is back. What is
decided stands here; the steward does it.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from cordillera.core import process
from cordillera.core.errors import CordilleraError
from cordillera.targets.local._keeper import shell
from cordillera.targets.local._keeper.leadership import http_get

COPIES, LOST, ROUND = "objects/copies", "objects/lost", "objects/round"
"""Keys in etcd: in how many zones new objects lie, which are lost, and what changes with each loss."""
ONE, FILLING, TWO = "one", "filling", "two"
"""The values of COPIES; `filling` is two, while older objects are copied."""
HELD = "/status"
SHELL_TIMEOUT_S = 600.0
LOST_AFTER_S, RESTARTED_WITHIN_S, BACK_AFTER_S = 2.5, 6.0, 2.0
"""A silent store is lost; one whose zone still has its keeper has longer: it may only be starting anew."""
FILL = ("lock", "volume.fix.replication -apply", "unlock")
"""Takes fifteen seconds at least: the shell waits for servers to report."""


class Do(Enum):
    """What to do about the copies."""

    NOTHING = ""
    GO_ON_ALONE = ONE
    END_SPARES = FILLING
    FILL = TWO


@dataclass(frozen=True)
class Stores:
    """The object store: volume servers and spares by zone, masters, the program to speak to them with.

    `witness` is the master that holds no data, which leads by preference.
    """

    servers: Mapping[str, tuple[str, int]]
    spares: Mapping[str, tuple[str, int]]
    masters: str
    witness: tuple[str, int]
    weed: str

    @property
    def addresses(self) -> list[tuple[str, int]]:
        """The masters' addresses."""
        pairs = (master.split(":") for master in self.masters.split(","))
        return [(host, int(port)) for host, port in pairs]

    def held(self) -> list[str]:
        """What each volume server says that it holds; empty when it does not."""
        return [http_get(server, HELD) or "" for server in self.servers.values()]

    def shell(self, *commands: str) -> str:
        """What `weed shell` answers. Raises CordilleraError, also when it says that it failed."""
        argv = [self.weed, "shell", f"-master={self.masters}"]
        answer = shell.ask(argv, *commands, timeout_s=SHELL_TIMEOUT_S)
        if "error" in answer.lower():
            raise CordilleraError(process.last_line(answer))
        return answer


def decide(
    copies: str, lost_s: float, whole_s: float, *, kept: bool = False, others: bool = False
) -> Do:
    """`lost_s` and `whole_s`: for how long a store has been silent, or all have answered. Pure.

    `kept`: the zones of those that are silent live; `others`: they are not those that LOST names.

    `copies`: the value of COPIES.
    """
    if (copies != ONE or others) and lost_s > (RESTARTED_WITHIN_S if kept else LOST_AFTER_S):
        return Do.GO_ON_ALONE
    if copies == ONE and whole_s > BACK_AFTER_S:
        return Do.END_SPARES
    if copies == FILLING and whole_s > BACK_AFTER_S:
        return Do.FILL
    return Do.NOTHING


def stands_in(zone: str, copies: str, lost: str) -> bool:
    """Whether the spare of a zone shall run, by the values of COPIES and LOST. Pure."""
    return copies == ONE and zone not in lost.split(",")


def lonely(held: Sequence[str]) -> set[int]:
    """Volumes that do not lie with every server, of what each says that it holds. Pure."""
    if not all(held):
        return set()
    numbers = [{volume["Id"] for volume in json.loads(one).get("Volumes") or ()} for one in held]
    return set.union(*numbers) - set.intersection(*numbers)
