"""One environment as the manifest wants it, overlays applied and references still symbolic."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cordillera.components.account import AccountSpec
from cordillera.components.backup import RecoverySpec
from cordillera.components.edge import EdgeSpec
from cordillera.components.monitoring import WatchSpec
from cordillera.components.network import NetworkSpec
from cordillera.components.resources import ResourceSpec
from cordillera.components.service import ServiceSpec


@dataclass(frozen=True)
class Wanted:
    """What a target is asked for. `folder` is where the app's source lies.

    `asked_by` is the user who ran `up`; empty when nobody has, or an older version did. `rehearsal` allows
    zones to be lost on purpose.

    `releases` names each service's release; the engine fills it in when it plans.
    """

    app: str
    environment: str
    folder: Path
    target: str = "local"
    asked_by: str = ""
    rehearsal: bool = False
    zones: int = 2
    region: str = "local"
    standby_region: str | None = None
    services: Mapping[str, ServiceSpec] = field(default_factory=dict)
    resources: Mapping[str, ResourceSpec] = field(default_factory=dict)
    account: AccountSpec = field(default_factory=AccountSpec)
    network: NetworkSpec = field(default_factory=NetworkSpec)
    edge: EdgeSpec = field(default_factory=EdgeSpec)
    watch: WatchSpec = field(default_factory=WatchSpec)
    recovery: RecoverySpec = field(default_factory=RecoverySpec)
    releases: Mapping[str, str] = field(default_factory=dict)

    def of_type(self, kind: str) -> Iterator[tuple[str, ResourceSpec]]:
        """Resources of one type, in the manifest's order."""
        return ((name, spec) for name, spec in self.resources.items() if spec.type == kind)
