"""What each component's file of the target `local` offers the engine."""

from collections.abc import Mapping, Sequence

from cordillera.components.protocol import Progress
from cordillera.components.state import ResourceState
from cordillera.components.wanted import Wanted
from cordillera.targets.local._parts import Endpoint, LocalPart, Parts, Task
from cordillera.targets.local._site import Site, Zone


class Component:
    """A component with nothing to run: each file overrides what applies to it."""

    name = ""

    def parts(self, want: Wanted, site: Site) -> Parts:
        """Everything it needs in this environment, in starting order. Pure."""
        return ()

    def endpoints(self, want: Wanted, site: Site) -> Sequence[Endpoint]:
        """The stable addresses that each zone's proxy offers for it. Pure."""
        return ()

    def variables(self, want: Wanted, site: Site, resource: str, zone: Zone) -> Mapping[str, str]:
        """What an app that uses `resource` receives in `zone`; may hold `${secret:...}`. Pure."""
        return {}

    def fields(self, want: Wanted, site: Site, resource: str, zone: Zone) -> Mapping[str, str]:
        """What `${resources.NAME.FIELD}` may ask: host, port, username, password, name, url ... Pure."""
        return {}

    def ready(self, part: LocalPart, site: Site) -> Progress:
        """Whether a process with `Ready(kind="driver")` is up."""
        return Progress(done=True)

    def reload(self, part: LocalPart, site: Site) -> None:
        """Apply changed files of a process with `reload="driver"`, without a restart."""

    def perform(self, task: Task, site: Site, want: Wanted) -> None:
        """Make a Task so. Called again after a crash; may raise NotReady: it is then repeated."""

    def holds(self, task: Task, site: Site) -> bool:
        """Whether a Task that was performed still holds in the world."""
        return True

    def observe(self, want: Wanted, site: Site) -> Mapping[str, ResourceState]:
        """Each resource of this type, from live probes. Never raises for a sick one."""
        return {}

    def behind(self, want: Wanted, site: Site) -> Mapping[str, tuple[float, str]]:
        """Zone -> how much of what its server must still catch up with. Never raises for a silent one."""
        return {}

    def removed(self, name: str, site: Site) -> None:
        """Clean up after a part of this component was removed. May be called twice."""
