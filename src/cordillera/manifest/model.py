"""The manifest: one app, and the environments it runs in."""

from typing import Annotated, Any

from pydantic import Field

from cordillera.components.account import AccountSpec
from cordillera.components.backup import RecoverySpec
from cordillera.components.base import Name, Section
from cordillera.components.edge import EdgeSpec
from cordillera.components.monitoring import WatchSpec
from cordillera.components.network import NetworkSpec
from cordillera.components.resources import ResourceSpec
from cordillera.components.service import ServiceSpec

EnvironmentName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,30}/[a-z][a-z0-9-]{0,30}$")]
OVERLAYS = ("services", "resources", "network", "edge", "watch", "recovery")
ZONES_MAX = 3


class EnvironmentSpec(Section):
    """One customer's stage of the app: where it runs, and what differs from the rest of the file."""

    target: str = "local"
    """Where it runs: local, aws, kubernetes or swarm."""

    region: str = "local"
    """The region, as the target names it."""

    standby_region: str | None = None
    """A second region that can take over."""

    zones: int = Field(default=2, ge=2, le=ZONES_MAX)
    """Failure domains that hold data and services."""

    rehearsal: bool = False
    """Whether `zone lose` and `rehearse load` may be used on it, from the next `up` on. `local` only."""

    account: AccountSpec = AccountSpec.model_construct()
    """The account it lives in, where the target has accounts."""

    services: dict[Name, dict[str, Any]] = {}
    """Keys of services that differ here."""

    resources: dict[Name, dict[str, Any]] = {}
    """Keys of resources that differ here."""

    network: dict[str, Any] = {}
    """Keys of the network that differ here."""

    edge: dict[str, Any] = {}
    """Keys of the edge that differ here."""

    watch: dict[str, Any] = {}
    """Keys of watch that differ here."""

    recovery: dict[str, Any] = {}
    """Keys of recovery that differ here."""


class App(Section):
    """What the app is, wherever it runs."""

    app: Name
    """The app's name: lower-case letters, digits and dashes."""

    services: dict[Name, ServiceSpec] = Field(min_length=1)
    """The app's own processes."""

    resources: dict[Name, ResourceSpec] = {}
    """What the services need; the `type` of each is a component's name."""

    network: NetworkSpec = NetworkSpec.model_construct()
    """The environment's own network."""

    edge: EdgeSpec = EdgeSpec.model_construct()
    """Domains, firewall and content cache."""

    watch: WatchSpec = WatchSpec.model_construct()
    """What is watched, and when somebody is told."""

    recovery: RecoverySpec = RecoverySpec.model_construct()
    """How soon, and with how little lost, an environment must be back."""


class Manifest(App):
    """One app, and the environments it runs in."""

    environments: dict[EnvironmentName, EnvironmentSpec] = {}
    """Customer/stage -> where it runs and what differs there."""
