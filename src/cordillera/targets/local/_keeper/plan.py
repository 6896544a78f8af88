"""What a keeper is told when it starts."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cordillera.targets.local._keeper.caches import Cache
from cordillera.targets.local._keeper.etcd import Etcd, plain_dial
from cordillera.targets.local._keeper.stores import Stores
from cordillera.targets.local._site import Zone

FILE = "keeper.json"
"""In the zone's run folder."""


@dataclass(frozen=True)
class Plan:
    """One zone's keeper. `others` are the data zones besides ours, by name with their address.

    `members` are etcd's addresses, `witness` that of the one there, `pem` our certificate. Passwords are
    root's of our own server, and the one that replicas log in with. Without `database` the keeper is the
    witness's. `stores` is None where there are no objects.
    """

    zone: Zone
    others: dict[str, str]
    members: list[tuple[str, int]]
    witness: str
    pem: Path
    root_password: str
    replication_password: str
    database: bool
    stores: Stores | None
    caches: tuple[Cache, ...]

    def votes(self) -> Etcd:
        """A client of its own for whoever asks. Raises OSError."""
        return Etcd(self._nearest_first(), self.pem, plain_dial)

    def votes_of(self, address: str) -> Etcd:
        """A client that asks the member at that address only. Raises OSError."""
        return Etcd([one for one in self.members if one[0] == address], self.pem, plain_dial)

    def _nearest_first(self) -> list[tuple[str, int]]:
        return sorted(self.members, key=lambda member: member[0] != self.zone.private)


def load(path: Path) -> Plan:
    """The plan in that file. Raises OSError, ValueError."""
    found = json.loads(path.read_text())
    zone = found["zone"]
    return Plan(
        zone=Zone(
            zone["name"], zone["index"], zone["private"], "", Path(zone["state"]), Path(zone["run"])
        ),
        others=found["others"],
        members=[(host, int(port)) for host, port in found["members"]],
        witness=found["witness"],
        pem=Path(found["pem"]),
        root_password=found["root_password"],
        replication_password=found["replication_password"],
        database=found["database"],
        caches=tuple(_cache(one) for one in found["caches"]),
        stores=_stores(found["stores"]) if found["stores"] else None,
    )


def _cache(found: dict[str, Any]) -> Cache:
    sentinels = tuple((host, int(port)) for host, port in found["sentinels"])
    return Cache(**{**found, "sentinels": sentinels})


def _stores(found: dict[str, Any]) -> Stores:
    host, port = found["witness"]
    places = {name: _places(found[name]) for name in ("servers", "spares")}
    return Stores(**{**found, **places, "witness": (host, int(port))})


def _places(found: dict[str, tuple[str, int]]) -> dict[str, tuple[str, int]]:
    return {zone: (host, int(port)) for zone, (host, port) in found.items()}
