"""Where an environment lives on this machine: folders, addresses, users, ports. No probing."""

from collections.abc import Iterator, Mapping
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
    def app_user(self) -> int | None:
        """The uid that services run as; None is our own (without root there is no other)."""
        return 700_000 + self.number * 2 if process.is_root() else None

    @property
    def server_user(self) -> int | None:
        """The uid that data servers run as; None is our own."""
        return 700_001 + self.number * 2 if process.is_root() else None

    def netns(self, zone: Zone, subnet: str) -> str:
        """The network namespace's name of a zone's subnet, `private` or `public`."""
        return f"{self.prefix}-{zone.name}-{subnet}"

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
