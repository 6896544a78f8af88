"""What really is in the account, for hooks and probes: clients, outputs, physical names."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from cordillera.core.errors import NotReady
from cordillera.targets.aws import _client
from cordillera.targets.aws._refs import Ref
from cordillera.targets.aws._site import Site


@dataclass
class Live:
    """One environment in its account. What was asked once is remembered for the life of this value."""

    site: Site
    since: datetime = field(default_factory=lambda: datetime.now(UTC))
    """When we began to look: what failed before is not this time's failure."""

    _names: dict[str, dict[str, str]] = field(default_factory=dict)
    _outputs: dict[str, dict[str, str]] = field(default_factory=dict)

    def client(self, service: str, region: str = "") -> Any:
        """A client of that service; the environment's own region unless another is named."""
        return _client.client(self.site.account, service, region or self.site.region)

    def physical(self, ref: Ref) -> str:
        """The physical name of a resource. Raises NotReady when it is not there yet."""
        if ref.unit not in self._names:
            self._names[ref.unit] = self._resources(ref.unit)
        return _found(self._names[ref.unit], ref.id, ref)

    def output(self, ref: Ref) -> str:
        """An attribute that a stack tells others. Raises NotReady when it is not there yet."""
        if ref.unit not in self._outputs:
            self._outputs[ref.unit] = self.outputs(ref.unit)
        return _found(self._outputs[ref.unit], ref.output, ref)

    def outputs(self, unit: str) -> dict[str, str]:
        """All outputs of a stack; none when it is not there."""
        from cordillera.targets.aws import _cloudformation

        found = _cloudformation.Stacks(self.site).describe(unit)
        return found.outputs if found else {}

    def holds(self, ref: Ref) -> str:
        """The physical name of a resource, empty when its stack does not have it. Raises what asking
        leads to: whoever asks this must not take a silence for a no."""
        from cordillera.targets.aws import _cloudformation

        stacks = _cloudformation.Stacks(self.site)
        stack = stacks.describe(ref.unit)
        if stack is None or stack.empty or stack.dead:
            return ""
        return next((name for id, _, name in stacks.resources(ref.unit) if id == ref.id), "")

    def forget(self) -> None:
        """Ask again from now on."""
        self._names.clear()
        self._outputs.clear()

    def _resources(self, unit: str) -> dict[str, str]:
        from cordillera.targets.aws import _cloudformation

        return {
            id: name for id, _, name in _cloudformation.Stacks(self.site).resources(unit) if name
        }


def _found(names: dict[str, str], key: str, ref: Ref) -> str:
    if key not in names:
        raise NotReady(f"{ref.id} of the stack {ref.unit} is not there yet")
    return names[key]
