"""What each component's file of the target `aws` offers the engine."""

from collections.abc import Mapping, Sequence
from typing import Any

from cordillera.components.protocol import Progress
from cordillera.components.state import ResourceState
from cordillera.components.wanted import Wanted
from cordillera.targets.aws._live import Live
from cordillera.targets.aws._parts import Parts
from cordillera.targets.aws._refs import Value
from cordillera.targets.aws._site import Site
from cordillera.targets.aws._switches import Switched

Statement = Mapping[str, Any]
"""A statement of an IAM policy."""


class Component:
    """A component without resources: each file overrides what applies to it."""

    name = ""
    in_standby = True
    """Whether something of it is in the stacks that wait in the standby region. Data is not: it is copied."""

    def parts(self, want: Wanted, site: Site) -> Parts:
        """Everything it needs in this environment. Pure."""
        return ()

    def watching(self, others: Parts, want: Wanted, site: Site) -> Parts:
        """What watches `others`, the parts of the components before it, such as alarms. Pure."""
        return ()

    def variables(self, want: Wanted, site: Site, resource: str) -> Mapping[str, Value]:
        """What an app that uses `resource` receives. Pure."""
        return {}

    def fields(self, want: Wanted, site: Site, resource: str) -> Mapping[str, Value]:
        """What `${resources.NAME.FIELD}` may ask: host, port, username, password, name, url ... Pure."""
        return {}

    def access(self, want: Wanted, site: Site, resource: str) -> Sequence[Statement]:
        """What the role of a service that uses `resource` may do with it. Pure."""
        return ()

    def switch(self, name: str, unit: str, live: Live) -> Switched | None:
        """How a switch of a stack (`_switches`) stands in the account now; None for others' switches.
        Asks, touches nothing."""
        return None

    def before(self, unit: str, want: Wanted, live: Live) -> None:
        """Done before a stack is touched, such as pushing an image. Safe to repeat; may raise NotReady."""

    def after(self, unit: str, want: Wanted, live: Live) -> None:
        """Done once a stack stands, such as a release command. Safe to repeat; may raise NotReady."""

    def trouble(self, unit: str, want: Wanted, live: Live) -> str:
        """While a stack is being changed: why waiting is of no use, in a sentence; empty when it is."""
        return ""

    def meanwhile(self, unit: str, want: Wanted, live: Live) -> Progress | None:
        """While a stack is being changed: do what it waits for, and say what that is, with a note where
        somebody else must do it; None when it is nothing. Asked every few seconds; never raises."""
        return None

    def cause(self, unit: str, id: str, want: Wanted, live: Live) -> str:
        """Why that resource of a stack failed, beyond what CloudFormation says; empty when nothing is known.
        Never raises."""
        return ""

    def observe(self, want: Wanted, live: Live) -> Mapping[str, ResourceState]:
        """Each resource of this type, from live probes. Never raises for a sick one."""
        return {}

    def clear(self, unit: str, want: Wanted, live: Live) -> None:
        """Before a stack is deleted for good: empty what would not go otherwise. May be called twice."""
