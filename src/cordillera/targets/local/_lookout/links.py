"""Resets what is connected to a lost zone's object store.

A frozen or cut-off server keeps its connections: whoever waits for it waits for half a minute, and the
leading master goes on sending others there. Told that it is over, they go on without it at once. Only the
object store's ports are cut: everything else has checks of its own.
"""

from collections.abc import Sequence

from cordillera.core import process
from cordillera.core.errors import CordilleraError
from cordillera.targets.local._lookout.zone import Zone

LOST_AFTER_S = 2.0
TIMEOUT_S = 5.0
TABLE = "cordillera_lost_"
RULES = """\
table inet {table}
delete table inet {table}
table inet {table} {{
  chain output {{
    type filter hook output priority 0; policy accept;
    ip daddr {address} tcp dport {{ {ports} }} reject with tcp reset
    ip daddr {address} tcp sport {{ {ports} }} reject with tcp reset
  }}
}}
"""


class Links:
    """What our subnet may connect to. Needs root, and a network of the zone's own."""

    def __init__(self, ports: Sequence[int]) -> None:
        self._ports, self._cut = ", ".join(map(str, ports)), set[str]()
        ends = (f"{end} = :{port}" for port in ports for end in ("sport", "dport"))
        self._filter = f"( {' or '.join(ends)} )"

    def forget(self, zones: Sequence[Zone]) -> None:
        """Take back what a lookout before us has cut."""
        for zone in zones if self._ports else ():
            self._cut.add(zone.name)
            self._mend(zone)

    def cuts(self, zone: Zone) -> bool:
        """Whether the zone is cut now."""
        return zone.name in self._cut

    def turn(self, zone: Zone) -> bool:
        """Cut or mend, as the zone answers; whether that changed. Tried again when it fails."""
        lost = zone.silent_s > LOST_AFTER_S
        if not self._ports or lost == self.cuts(zone):
            return False
        return self._reset(zone) if lost else self._mend(zone)

    def _reset(self, zone: Zone) -> bool:
        table = TABLE + zone.name
        rules = RULES.format(table=table, address=zone.address, ports=self._ports)
        kill = ["ss", "-K", "dst", zone.address, self._filter]
        try:
            process.run(["nft", "-f", "-"], stdin=rules, timeout_s=TIMEOUT_S)
            process.run(kill, timeout_s=TIMEOUT_S)
        except CordilleraError:
            return False
        self._cut.add(zone.name)
        return True

    def _mend(self, zone: Zone) -> bool:
        table = TABLE + zone.name
        rules = f"table inet {table}\ndelete table inet {table}\n"
        try:
            process.run(["nft", "-f", "-"], stdin=rules, timeout_s=TIMEOUT_S)
        except CordilleraError:
            return False
        self._cut.discard(zone.name)
        return True
