"""Where an environment lives on this machine: folders, addresses, users, ports. No probing."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from cordillera.core import process
from cordillera.core.home import roots as roots
from cordillera.core.vault import Vault

WITNESS = "witness"
FRONT = "front"
ZONE_NAMES = ("a", "b", "c")
APP_PORTS = range(20_000, 30_000)
"""Services' copies listen here, each zone at an address of its own. Linux gives outgoing connections
ports from 32768 on: a copy's port must not be among those, or it is taken now and then.
"""

ROOT = "root"
SERVERS = (
    "build", "apps", "consensus", "database", "cache", "objects", "queue", "search", "mail", "firewall",
    "edge", "proxy", "front",
)  # fmt: skip
"""Users that each environment has: of its builds, its servers; `apps` is a group that may read releases."""
SERVICE = "service/"
"""What the users of services begin with."""
FIRST_UID, UIDS_EACH, SERVICES_FROM = 700_000, 256, 32
"""Numbers of users: so many for each environment, those of services from the 32nd of these on."""


class Isolation(StrEnum):
    """What keeps environments apart on this machine."""

    NAMESPACES = "namespaces"
    """Own network, mount and process namespaces per zone; a default-drop firewall between."""
    LOOPBACK = "loopback"
    """Own loopback addresses only: anybody on the machine can reach every port."""


@dataclass(frozen=True)
class Zone:
    """A failure domain. `private` and `public` are its addresses in the two subnets."""

    name: str
    index: int
    private: str
    public: str
    state: Path
    run: Path

    @property
    def votes_only(self) -> bool:
        """The witness: it votes and holds no data and no services."""
        return self.name == WITNESS

    @property
    def outside(self) -> bool:
        """The front: in the machine's own network, where the published address is."""
        return self.name == FRONT

    @property
    def socket(self) -> Path:
        """Where the zone's supervisor answers."""
        return self.run / "supervisor.sock"

    def files(self, user: str) -> Path:
        """What programs of that user are told: root's folder, which they may read and not write."""
        return self.run / user.replace("/", "-")

    def sockets(self, user: str) -> Path:
        """Where programs of that user have their sockets: their own folder, closed to all others."""
        return self.files(user) / "sockets"


@dataclass(frozen=True)
class Site:
    """One environment on this machine. `state` survives a reboot, `run` need not.

    `vault` holds its secrets; every Site made from this one shares it.
    """

    environment: str
    number: int
    isolation: Isolation
    state: Path
    run: Path
    vault: Vault = field(repr=False, compare=False)
    zone_names: tuple[str, ...] = ZONE_NAMES[:2]
    ports: Mapping[str, int] = field(default_factory=dict)
    listen: str = "127.0.0.1:8443"
    users: Mapping[str, int] = field(default_factory=dict)

    @property
    def zones(self) -> tuple[Zone, ...]:
        """The zones that hold data and services."""
        return tuple(self._zone(name, index + 1) for index, name in enumerate(self.zone_names))

    @property
    def witness(self) -> Zone:
        """The failure domain that only votes."""
        return self._zone(WITNESS, 9)

    @property
    def front(self) -> Zone:
        """Where the two fronts of the published address run: in no zone."""
        return Zone(
            FRONT, 0, "127.0.0.1", "127.0.0.1", self.state / "zones" / FRONT, self.run / FRONT
        )

    @property
    def domains(self) -> tuple[Zone, ...]:
        """All failure domains, the witness last."""
        return (*self.zones, self.witness)

    def zone(self, name: str) -> Zone:
        """The failure domain called `name`. Raises KeyError."""
        return next(z for z in (*self.domains, self.front) if z.name == name)

    def others(self, zone: Zone) -> Iterator[Zone]:
        """The data zones that are not `zone`."""
        return (other for other in self.zones if other.name != zone.name)

    @property
    def namespaced(self) -> bool:
        return self.isolation is Isolation.NAMESPACES

    @property
    def prefix(self) -> str:
        """What the names of its network namespaces and cgroups begin with."""
        return f"crd{self.number}"

    @property
    def builds(self) -> Path:
        """Where its releases lie."""
        return self.state / "builds"

    def uid(self, user: str) -> int | None:
        """The number of a user, and of its group. None is our own: root's, or whoever has no root.

        Raises KeyError for a service that has none yet.
        """
        if user == ROOT or not process.is_root():
            return None
        name = user.removeprefix(SERVICE)
        number = SERVERS.index(user) if user in SERVERS else SERVICES_FROM + self.users[name]
        return FIRST_UID + self.number * UIDS_EACH + number

    def netns(self, zone: Zone, subnet: str) -> str:
        """The network namespace's name of a zone's subnet, `private` or `public`."""
        return f"{self.prefix}-{zone.name}-{subnet}"

    def build_netns(self, release: str) -> str:
        """The network namespace that the build of a release runs in."""
        return f"{self.prefix}-build-{release}"

    def _zone(self, name: str, index: int) -> Zone:
        lead = "10" if self.namespaced else "127"
        return Zone(
            name=name,
            index=index,
            private=f"{lead}.{self.number}.{index}0.2",
            public=f"{lead}.{self.number}.{index}1.2",
            state=self.state / "zones" / name,
            run=self.run / name,
        )


def users_of(services: Collection[str], known: Mapping[str, int]) -> dict[str, int]:
    """Service -> the number of its user: the one it had, else the lowest that is free. Pure.

    Raises ValueError when there are more services than numbers.
    """
    kept = {name: number for name, number in known.items() if name in services}
    free = (n for n in range(UIDS_EACH - SERVICES_FROM) if n not in known.values())
    try:
        return kept | {name: next(free) for name in services if name not in kept}
    except StopIteration:
        raise ValueError("an environment has at most 224 services") from None
