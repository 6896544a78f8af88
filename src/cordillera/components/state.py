"""What was found when a running environment was probed."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Copy:
    """One running copy of a service. `pid` is the machine's, not the zone's; ages in seconds."""

    name: str
    zone: str
    healthy: bool
    pid: int = 0
    release: str = ""
    age_s: float = 0.0
    memory_bytes: int = 0
    last_exit: str = ""
    detail: str = ""


@dataclass(frozen=True)
class ServiceState:
    """A service: how many copies are wanted and found."""

    desired: int
    copies: tuple[Copy, ...] = ()

    @property
    def running(self) -> int:
        return sum(1 for copy in self.copies if copy.pid)

    @property
    def healthy(self) -> int:
        return sum(1 for copy in self.copies if copy.healthy)


@dataclass(frozen=True)
class Behind:
    """What a server has still to catch up with: so much of `unit`.

    `seconds_left` is estimated from how fast that shrinks; None while it does not.
    """

    amount: float
    unit: str
    seconds_left: float | None = None


@dataclass(frozen=True)
class Member:
    """One server of a resource. `lag_s` is how far a replica is behind, None when unknown."""

    zone: str
    role: str
    healthy: bool
    lag_s: float | None = None
    detail: str = ""
    behind: Behind | None = None


@dataclass(frozen=True)
class ResourceState:
    """A resource as its servers tell it. `detail` is one sentence about what is wrong or limited.

    `healthy` is False also when it works but its promise (say, a second copy) is broken now.
    `durable` tells whether what was acknowledged survives the loss of a zone.
    """

    type: str
    healthy: bool
    durable: bool
    endpoint: str
    members: tuple[Member, ...] = ()
    detail: str = ""


@dataclass(frozen=True)
class ZoneState:
    """A failure domain: whether its supervisor answers and all of its processes run."""

    healthy: bool
    detail: str = ""
    down: tuple[str, ...] = ()


@dataclass(frozen=True)
class EnvironmentState:
    """A whole environment, from live probes."""

    environment: str
    url: str
    services: Mapping[str, ServiceState] = field(default_factory=dict)
    resources: Mapping[str, ResourceState] = field(default_factory=dict)
    zones: Mapping[str, ZoneState] = field(default_factory=dict)
    certificate_days_left: float | None = None
    isolation: str = ""
    last_change: str = ""
    front_healthy: bool = False
    front_detail: str = ""

    @property
    def healthy(self) -> bool:
        """Everything that was promised is there."""
        return not self.trouble

    @property
    def trouble(self) -> str:
        """What is missing of what was promised, the gravest first; empty when nothing is."""
        return "; ".join(self._troubles())

    def _troubles(self) -> Iterator[str]:
        if not self.front_healthy:
            yield f"the published address: {self.front_detail}"
        for name, service in self.services.items():
            if service.healthy < service.desired:
                yield f"{name}: {service.healthy} of {service.desired} copies are healthy"
        for name, resource in self.resources.items():
            if not resource.healthy:
                yield f"{name}: {resource.detail}"
        for name, zone in self.zones.items():
            if not zone.healthy:
                yield f"zone {name}: {zone.detail or ', '.join(zone.down)}"
